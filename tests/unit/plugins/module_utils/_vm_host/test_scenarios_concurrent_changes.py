# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What others change between a run's reading and its writing stays, whatever Azure answers meanwhile."""

from __future__ import annotations

import typing as t
from collections.abc import Sequence
from functools import partial

import pytest

from ansible_collections.dockerhost.azure.plugins.module_utils._azure import conflicts
from ansible_collections.dockerhost.azure.plugins.module_utils._azure.errors import AzureError
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host import apply
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.plan.model import OwnershipError, Plan

from .conftest import KEY, Cloud
from .support import ADDRESS, COMPUTE, NETWORK, PLACE
from .test_scenarios_drift import change

Json = dict[str, t.Any]
GROUP = f"{NETWORK}/networkSecurityGroups/web1-nsg"
ADDRESS_PATH = f"{NETWORK}/publicIPAddresses/web1-ip"
INTERFACE = f"{NETWORK}/networkInterfaces/web1-nic"
MACHINE = f"{COMPUTE}/virtualMachines/web1"
SHARED_NETWORK = f"{NETWORK}/virtualNetworks/docker-vnet"
# Every code after which a write is sent again.
CODES = sorted({*apply._BUSY, *conflicts.CONCURRENT})
DENY = {
    "protocol": "Tcp",
    "sourcePortRange": "*",
    "sourceAddressPrefix": "203.0.113.0/24",
    "destinationAddressPrefix": "*",
    "destinationPortRange": "*",
    "access": "Deny",
    "direction": "Inbound",
}


def deny(body: Json, mark: str) -> None:
    """Add a rule of somebody else."""
    rules = body["properties"]["securityRules"]
    rules.append({"name": mark, "properties": {**DENY, "priority": 1000 + len(rules)}})


def tag(body: Json, mark: str) -> None:
    """Add a tag of somebody else."""
    body["tags"][mark] = "theirs"


def forward(body: Json, mark: str) -> None:
    """Change a property that the collection does not know, and a tag."""
    tag(body, mark)
    body["properties"]["enableIPForwarding"] = not body["properties"].get("enableIPForwarding", False)


def keep_open(body: Json, mark: str) -> None:
    """Change a property that the collection does not know, and a tag."""
    tag(body, mark)
    body["properties"]["idleTimeoutInMinutes"] = 4 + body["properties"].get("idleTimeoutInMinutes", 4) % 20


FOREIGN: dict[str, t.Callable[[Json, str], None]] = {GROUP: deny, ADDRESS_PATH: keep_open, INTERFACE: forward}


def stays_after_changes(cloud: Cloud, mark: str, stays: dict[str, Json]) -> None:
    """Change all resources of the host as somebody else would, and note what must stay of it."""
    for path, how in FOREIGN.items():
        change(cloud, path, partial(how, mark=mark))
    cloud.arm("PATCH", MACHINE, {"tags": {**cloud.arm("GET", MACHINE)["tags"], mark: "theirs"}})
    stays.update(seen(cloud))


def seen(cloud: Cloud) -> dict[str, Json]:
    """What others wrote into the host's resources, by path."""
    found = {path: cloud.arm("GET", path) for path in (*FOREIGN, MACHINE)}
    shown = {path: {"tags": sorted(name for name in body["tags"] if name != "run")} for path, body in found.items()}
    shown[GROUP]["rules"] = sorted(rule["name"] for rule in found[GROUP]["properties"]["securityRules"])
    shown[ADDRESS_PATH]["timeout"] = found[ADDRESS_PATH]["properties"]["idleTimeoutInMinutes"]
    shown[INTERFACE]["forwarding"] = found[INTERFACE]["properties"]["enableIPForwarding"]
    return shown


def before_writing(monkeypatch: pytest.MonkeyPatch, act: t.Callable[[], t.Any]) -> None:
    """Let something happen once, after the next run has read and planned and before it writes."""
    carry_out = apply.PlanExecutor.carry_out

    def interrupted(executor: apply.PlanExecutor, plan: Plan) -> None:
        monkeypatch.setattr(apply.PlanExecutor, "carry_out", carry_out)
        act()
        carry_out(executor, plan)

    monkeypatch.setattr(apply.PlanExecutor, "carry_out", interrupted)


def test_what_others_change_in_a_host_meanwhile_stays_after_every_error_that_is_tried_again(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = (*FOREIGN, MACHINE)
    cloud.run(ssh_public_keys=[KEY])
    # Without a code, Azure itself refuses the outdated ETags of all four; with codes, each of four writes has its own.
    batches: list[Sequence[str]] = [(), *(CODES[first : first + 4] for first in range(0, len(CODES), 4))]
    for number, codes in enumerate(batches):
        stays: dict[str, Json] = {}
        before_writing(monkeypatch, partial(stays_after_changes, cloud, f"theirs-{number}", stays))
        for path, code in zip(paths, codes, strict=False):
            method = "PATCH" if path == MACHINE else "PUT"
            cloud.azure.fault("status", method=method, path=f"{path}$", status=409, code=code, nth=2)
        done = cloud.run(ssh_public_keys=[KEY], tags={"run": str(number)})
        assert len(done["actions"]) == 4, (codes, done["actions"])
        assert set(stays) == set(paths)
        assert seen(cloud) == stays, codes
        assert {cloud.arm("GET", path)["tags"]["run"] for path in paths} == {str(number)}
        assert all(fault["struck"] == 1 for fault in cloud.azure.faults()), codes
        cloud.azure.faults_clear()


def test_tags_that_others_write_to_a_network_stay_when_it_is_adopted(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud.arm("PUT", "", PLACE)
    space = {"addressSpace": {"addressPrefixes": ["10.5.0.0/22"]}, "subnets": []}
    cloud.arm("PUT", SHARED_NETWORK, {**PLACE, "tags": {"first": "x"}, "properties": space})
    before_writing(monkeypatch, lambda: cloud.arm("PATCH", SHARED_NETWORK, {"tags": {"first": "x", "second": "y"}}))
    cloud.run(adopt=True, ssh_public_keys=[KEY])
    tags = cloud.arm("GET", SHARED_NETWORK)["tags"]
    assert (tags["first"], tags["second"], tags["docker-host"]) == ("x", "y", "shared")


def test_a_resource_that_changes_all_the_time_ends_the_run(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    cloud.run(ssh_public_keys=[KEY])
    monkeypatch.setattr(conflicts, "CHANGED_SECONDS", 0.05)
    cloud.azure.fault("status", method="PUT", path=f"{GROUP}$", status=412, times=0)
    with pytest.raises(AzureError, match="PreconditionFailed"):
        cloud.run(ssh_public_keys=[KEY], tags={"run": "x"})


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (GROUP, {**PLACE, "tags": {"owner": "them"}}),
        (ADDRESS_PATH, {**ADDRESS, "tags": {"owner": "them"}}),
        (SHARED_NETWORK, {**PLACE, "properties": {"addressSpace": {"addressPrefixes": ["10.5.0.0/22"]}}}),
    ],
    ids=["security group", "address", "network"],
)
def test_what_others_create_under_a_hosts_name_meanwhile_stays_as_it_is(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, path: str, body: Json
) -> None:
    cloud.arm("PUT", "", PLACE)
    before_writing(monkeypatch, lambda: cloud.arm("PUT", path, body))
    with pytest.raises(OwnershipError):
        cloud.run(ssh_public_keys=[KEY], on_failure="remove")
    found = cloud.arm("GET", path)
    assert found
    assert found.get("tags") == body.get("tags")
    assert not found["properties"].get("subnets")


def test_a_security_group_whose_creation_was_answered_by_a_broken_connection_was_created(cloud: Cloud) -> None:
    cloud.azure.fault("reset_after", method="PUT", path=f"{GROUP}$")
    assert "create network security group web1-nsg" in cloud.run(ssh_public_keys=[KEY])["actions"]
    assert cloud.run(ssh_public_keys=[KEY])["changed"] is False


REFERENCE = "Resource {0}{1} referenced by resource {0}{2} was not found. Please make sure that it exists."
UNSEEN = {
    "group": ("virtualNetworks/docker-vnet$", 404, "ResourceGroupNotFound", "Resource group '{1}' could not be found."),
    "address": ("networkInterfaces/web1-nic$", 400, "InvalidResourceReference", ADDRESS_PATH),
    "interface": ("virtualMachines/web1$", 404, "ResourceNotFound", INTERFACE),
    "neither": ("networkInterfaces/web1-nic$", 400, "InvalidResourceReference", f"{NETWORK}/publicIPAddresses/web2-ip"),
}


@pytest.mark.parametrize("missing", list(UNSEEN))
def test_what_this_run_made_may_take_a_moment_until_azure_finds_it(cloud: Cloud, missing: str) -> None:
    path, status, code, text = UNSEEN[missing]
    group = f"/subscriptions/{cloud.azure.subscription_id}/resourceGroups/{cloud.group}"
    text = text.format(group, cloud.group) if missing == "group" else REFERENCE.format(group, text, INTERFACE)
    if missing == "interface":
        text = text.replace(f"{group}{INTERFACE}", f"'{INTERFACE.removeprefix('/providers/')}'", 1)
    fault = {"method": "PUT", "path": path, "status": status, "code": code, "message": text}
    cloud.azure.fault("status", times=0 if missing == "neither" else 1, **fault)
    if missing == "neither":
        with pytest.raises(AzureError, match="web2-ip"):
            cloud.run(location="westeurope", ssh_public_keys=[KEY])
    else:
        assert cloud.run(location="westeurope", ssh_public_keys=[KEY])["host"]["power_state"] == "running"
    assert [entry["struck"] for entry in cloud.azure.faults()] == [1]
