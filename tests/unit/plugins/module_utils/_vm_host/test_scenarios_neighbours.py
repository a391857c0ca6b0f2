# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hosts of one group that come and go while another is deleted: nobody loses what is theirs, and nothing is left."""

from __future__ import annotations

import threading
import typing as t

import pytest

from ansible_collections.dockerhost.azure.plugins.module_utils._azure.errors import WaitTimeoutError
from ansible_collections.dockerhost.azure.plugins.module_utils._errors import DockerHostError
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host import apply as lifecycle
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.apply import PlanExecutor

from .conftest import Cloud
from .support import COMPUTE, NETWORK, PLACE

EVERYTHING = {"state": "absent", "remove_on_absent": ["all", "resource_group"]}
MACHINE = r"/virtualMachines/web1$"


def beside(cloud: Cloud) -> Cloud:
    """The same group for somebody else."""
    other = Cloud(cloud.azure, cloud.key.parent)
    other.group = cloud.group
    return other


def first(monkeypatch: pytest.MonkeyPatch, method: str, act: t.Callable[[], t.Any]) -> None:
    """Let something happen right before a method of Lifecycle is called for the first time."""
    original = getattr(PlanExecutor, method)

    def called(self: PlanExecutor, *arguments: t.Any) -> t.Any:
        monkeypatch.setattr(PlanExecutor, method, original)
        act()
        return original(self, *arguments)

    monkeypatch.setattr(PlanExecutor, method, called)


def without_etags(found: t.Any) -> t.Any:
    """A dump without what every change of a network changes."""
    if isinstance(found, dict):
        return {key: without_etags(value) for key, value in found.items() if key != "etag"}
    return [without_etags(value) for value in found] if isinstance(found, list) else found


def test_a_failed_run_leaves_the_host_that_came_meanwhile(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    neighbour = beside(cloud)
    first(monkeypatch, "remove", lambda: neighbour.run(name="web2"))
    cloud.azure.fault("operation", method="PUT", path=MACHINE, ends="Failed", times=0)
    with pytest.raises(DockerHostError, match="Resources that this run created and could not remove") as caught:
        cloud.run(on_failure="remove")
    left = [path.rsplit("/", 1)[-1] for path in caught.value.details["exists"]]
    assert sorted(left) == sorted(["docker-vnet", cloud.group])
    assert "web2" in str(caught.value)
    assert not [path for path in cloud.resources() if "/web1" in path.lower()]
    assert neighbour.run(name="web2")["changed"] is False


def test_a_failed_run_alone_takes_network_and_group_back(cloud: Cloud) -> None:
    before = cloud.azure.dump()
    cloud.azure.fault("operation", method="PUT", path=MACHINE, ends="Failed", times=0)
    with pytest.raises(DockerHostError, match="were removed") as caught:
        cloud.run(on_failure="remove")
    assert caught.value.details["exists"] == []
    assert cloud.azure.dump() == before


def test_a_run_that_took_too_long_is_taken_back_with_time_of_its_own(cloud: Cloud) -> None:
    before = cloud.azure.dump()
    cloud.azure.fault("operation", method="PUT", path=MACHINE, ends="never", times=0)
    with pytest.raises(WaitTimeoutError, match="were removed") as caught:
        cloud.run(on_failure="remove", wait_timeout=10)
    assert caught.value.details["exists"] == []
    assert cloud.azure.dump() == before


@pytest.mark.parametrize("kind", ["virtualNetworks/docker-vnet", "networkSecurityGroups/web1-nsg"])
def test_what_could_not_be_taken_back_is_told(cloud: Cloud, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    monkeypatch.setattr(lifecycle, "CONFLICT_SECONDS", 1.0)
    cloud.azure.fault("operation", method="PUT", path=MACHINE, ends="Failed", times=0)
    code = "InUseSubnetCannotBeDeleted"
    cloud.azure.fault("status", method="DELETE", path=kind, status=400, code=code, message="In use.", times=0)
    with pytest.raises(DockerHostError, match="could not remove") as caught:
        cloud.run(on_failure="remove")
    left = [path for path in caught.value.details["exists"] if path.endswith(kind)]
    assert len(left) == 1
    assert not set(caught.value.details["exists"]).intersection(caught.value.details["removed"])
    assert any(path.endswith(kind) for path in cloud.resources())


def test_a_group_is_kept_for_the_host_that_came_meanwhile(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    cloud.run()
    neighbour = beside(cloud)
    first(monkeypatch, "carry_out", lambda: neighbour.run(name="web2"))
    done = cloud.run(**EVERYTHING)
    assert done["changed"] is True
    assert not any("resource group" in line or "virtual network" in line for line in done["actions"])
    assert any("stays, because it contains" in text and "web2" in text for text in cloud.warnings)
    assert neighbour.run(name="web2")["changed"] is False
    assert cloud.run(**EVERYTHING)["changed"] is False


def test_what_is_said_of_a_group_holds_for_now(cloud: Cloud) -> None:
    cloud.run()
    beside(cloud).run(name="web2")
    predicted = cloud.run(True, **EVERYTHING)
    assert any("web2" in text for text in cloud.warnings)
    assert cloud.run(**EVERYTHING)["actions"] == predicted["actions"]
    assert len([text for text in cloud.warnings if "web2" in text]) == 1


@pytest.mark.parametrize("given", [{"state": "absent"}, EVERYTHING], ids=["network", "group"])
def test_hosts_that_are_deleted_side_by_side_leave_nothing(cloud: Cloud, given: dict[str, t.Any]) -> None:
    if given["state"] == "absent" and "remove_on_absent" not in given:
        cloud.arm("PUT", "", PLACE)
    before = cloud.azure.dump()
    names = ["web1", "web2", "web3"]
    hosts = {name: beside(cloud) for name in names}
    for name in names:
        hosts[name].run(name=name)
    results: dict[str, t.Any] = {}
    start = threading.Barrier(len(names))

    def delete(name: str) -> None:
        start.wait()
        results[name] = hosts[name].run(name=name, **given)

    threads = [threading.Thread(target=delete, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == names
    assert cloud.azure.dump() == before
    assert sum("delete virtual network docker-vnet" in found["actions"] for found in results.values()) >= 1
    assert [hosts[name].run(name=name, **given)["changed"] for name in names] == [False] * 3


@pytest.mark.parametrize("fails", [False, True])
def test_a_network_that_came_meanwhile_gets_the_subnet(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, fails: bool
) -> None:
    neighbour = beside(cloud)
    first(monkeypatch, "carry_out", lambda: neighbour.run(name="web2"))
    given = {"subnet_name": "more", "subnet_prefix": "10.0.9.0/24", "on_failure": "remove"}
    if fails:
        cloud.azure.fault("operation", method="PUT", path=MACHINE, ends="Failed", times=0)
        with pytest.raises(DockerHostError) as caught:
            cloud.run(**given)
        assert "create subnet more" in caught.value.details["actions"]
    else:
        actions = cloud.run(**given)["actions"]
        assert "create subnet more" in actions
        assert "create virtual network docker-vnet" not in actions
    assert any(path.lower().endswith("/subnets/more") for path in cloud.resources()) is not fails
    assert neighbour.run(name="web2")["changed"] is False


def test_a_subnet_of_its_own_goes_with_its_host(cloud: Cloud) -> None:
    cloud.run()
    before = cloud.azure.dump()
    neighbour = beside(cloud)
    neighbour.run(name="web2", subnet_name="more", subnet_prefix="10.0.9.0/24")
    assert any(path.lower().endswith("/subnets/more") for path in cloud.resources())
    predicted = neighbour.run(True, name="web2", state="absent")
    done = neighbour.run(name="web2", state="absent")
    assert done["actions"] == predicted["actions"]
    assert done["actions"][-1] == "delete subnet more"
    assert without_etags(cloud.azure.dump()) == without_etags(before)
    assert neighbour.run(name="web2", state="absent")["changed"] is False
    assert cloud.run()["changed"] is False


GIVEN: dict[str, t.Callable[[Cloud], dict[str, t.Any]]] = {
    "security_group": lambda cloud: {"security_group": "theirs"},
    "public_ip_address": lambda cloud: {"public_ip_address": "theirs"},
    "no address": lambda cloud: {"assign_public_ip": False},
}


@pytest.mark.parametrize("given", list(GIVEN))
def test_what_was_made_before_another_was_given_goes_too(cloud: Cloud, given: str) -> None:
    cloud.arm("PUT", "", PLACE)
    cloud.arm("PUT", f"{NETWORK}/networkSecurityGroups/theirs", {**PLACE, "properties": {}})
    address = {**PLACE, "sku": {"name": "Standard"}, "properties": {"publicIPAllocationMethod": "Static"}}
    cloud.arm("PUT", f"{NETWORK}/publicIPAddresses/theirs", address)
    before = cloud.azure.dump()
    cloud.run()
    options = GIVEN[given](cloud)
    cloud.run(**options)
    predicted = cloud.run(True, state="absent", **options)
    assert cloud.run(state="absent", **options)["actions"] == predicted["actions"]
    assert without_etags(cloud.azure.dump()) == without_etags(before)
    assert cloud.run(state="absent", **options)["changed"] is False


def test_what_was_made_before_an_interface_was_given_goes_too(cloud: Cloud) -> None:
    cloud.run()
    machine = f"{COMPUTE}/virtualMachines/web1"
    cloud.arm("DELETE", machine)
    whole = cloud.run(state="absent", remove_on_absent=["virtual_machine"])
    assert whole["changed"] is False
    cloud.run(name="web2")
    theirs = "web2-nic"
    cloud.run(state="absent", network_interface=theirs)
    assert not [path for path in cloud.resources() if "/web1" in path.lower()]
    assert beside(cloud).run(name="web2")["changed"] is False


READS = {"machine": r"/virtualMachines/web1$", "address": r"/publicIPAddresses/web1-ip$"}


@pytest.mark.parametrize("status", [403, 404])
def test_what_is_there_is_told_when_it_cannot_be_looked_at_any_more(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.task import _HostRun

    read = _HostRun._read_again

    def struck(self: _HostRun) -> t.Any:
        code = "AuthorizationFailed" if status == 403 else "SubscriptionNotFound"
        cloud.azure.fault("status", method="GET", path=READS["machine"], status=status, code=code, times=0)
        return read(self)

    monkeypatch.setattr(_HostRun, "_read_again", struck)
    with pytest.raises(DockerHostError, match="Exists so far") as caught:
        cloud.run()
    assert any(line.startswith("create virtual machine web1") for line in caught.value.details["actions"])
    assert "virtual_machine" in caught.value.details["timings"]
    assert any(path.endswith("/web1") for path in caught.value.details["exists"])
