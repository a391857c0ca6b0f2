# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How hosts of a play agree on who renews, and what stops a rotation before its first change."""

from __future__ import annotations

import typing as t

import pytest
import yaml
from ansible.template import Templar

from ansible_collections.dockerhost.azure.plugins.lookup import docker_host_rotation
from ansible_collections.dockerhost.azure.plugins.module_utils._errors import DockerHostError
from ansible_collections.dockerhost.azure.plugins.module_utils._role.options import PREFIX, RoleVariables
from ansible_collections.dockerhost.azure.plugins.module_utils._role.results import StageResults
from ansible_collections.dockerhost.azure.plugins.module_utils._role.rotation import (
    IN_GROUPS,
    IN_SUBSCRIPTION,
    RENEWED,
    SHARED,
    TRUST,
    Rotation,
)

Hosts = dict[str, dict[str, t.Any]]


def fleet(*names: str, **directories: str) -> Hosts:
    """Hosts of a play that share a directory, or have one of their own."""
    hosts: Hosts = {}
    for name in names:
        directory = directories.get(name, "/certs")
        hosts[name] = {
            "inventory_hostname": name,
            "ansible_play_batch": list(names),
            "ansible_play_hosts": list(names),
            "ansible_play_hosts_all": list(names),
            "_docker_host_virtual_machine": {"host": {"name": name, "power_state": "running"}},
            "_docker_host_certificates": {
                "cert_dir": directory,
                "trusted_cas": ["old"],
                "servers": {name: {"fingerprint": f"of {name}", "dns_names": [f"{name}.example.com"]}},
            },
        }
        hosts[name][SHARED] = part(hosts, name).shared()
    return hosts


def part(hosts: Hosts, name: str) -> Rotation:
    """One host's part."""
    own = hosts[name].get
    role = RoleVariables(own)
    return Rotation(role, StageResults(role, own, lambda *_args: {}), own, lambda host, key: hosts[host].get(key))


def test_the_first_host_of_a_directory_renews_for_all_that_share_it() -> None:
    hosts = fleet("a", "b", "c", b="/elsewhere")
    assert [name for name in hosts if part(hosts, name).leads()] == ["a", "b"]
    assert [host["name"] for host in part(hosts, "c").hosts()] == ["a", "c"]
    assert part(hosts, "a").hosts()[0]["dns_names"] == ["a.example.com"]


def test_hosts_take_over_what_their_leader_renewed() -> None:
    hosts = fleet("a", "b")
    hosts["a"][RENEWED] = {"cert_dir": "/certs"}
    hosts["b"][RENEWED] = {"skipped": True}
    assert part(hosts, "b").renewed() == {"cert_dir": "/certs"}
    for result in ({"failed": True}, {"skipped": True}, None):
        hosts["a"][RENEWED] = result
        with pytest.raises(DockerHostError, match="b got no new certificates"):
            part(hosts, "b").renewed()


def test_the_next_phase_knows_what_each_host_trusts() -> None:
    hosts = fleet("a", "b")
    for name in hosts:
        hosts[name][TRUST] = part(hosts, name).pushed()
    assert part(hosts, "a").trust() == [
        {"name": name, "ca_fingerprints": ["old"], "fingerprint": f"of {name}"} for name in hosts
    ]


@pytest.mark.parametrize("state", ["stopped", "deallocated"])
def test_a_host_that_is_off_stops_the_rotation(state: str) -> None:
    hosts = fleet("a")
    hosts["a"]["_docker_host_virtual_machine"]["host"]["power_state"] = state
    with pytest.raises(DockerHostError, match=f"a must run to get new certificates, but it is {state}"):
        part(hosts, "a").check()
    hosts["a"][f"{PREFIX}start"] = True
    assert part(hosts, "a").check() == {}


def test_a_ca_is_not_renewed_in_batches_or_in_several_directories() -> None:
    hosts = fleet("a", "b")
    for host in hosts.values():
        host[f"{PREFIX}rotate"] = "ca"
    assert part(hosts, "a").check() == {}
    hosts["a"]["ansible_play_batch"] = ["a"]
    with pytest.raises(DockerHostError, match="leave serial out of the play"):
        part(hosts, "a").check()
    for name, host in hosts.items():
        host[f"{PREFIX}store"] = "key_vault"
        host["ansible_play_batch"] = list(hosts)
        host["_docker_host_certificates"]["cert_dir"] = f"/{name}"
    for name in hosts:
        hosts[name][SHARED] = part(hosts, name).shared()
    with pytest.raises(DockerHostError, match="one docker_host_cert_dir"):
        part(hosts, "a").check()


def test_no_other_host_starts_in_the_place_of_one_that_failed() -> None:
    hosts = fleet("a", "b")
    assert part(hosts, "b").check_nobody_failed() == {}
    hosts["b"]["ansible_play_batch"] = ["b"]
    with pytest.raises(DockerHostError, match=r"a failed before\. The CA was not renewed"):
        part(hosts, "b").check_nobody_failed()


def found(name: str, group: str, *cas: str, subscription: str = "S1") -> dict[str, str]:
    return {"name": name, "resource_group": group, "subscription_id": subscription, "ca_fingerprint": ",".join(cas)}


def in_subscriptions(hosts: Hosts, **subscriptions: str) -> Hosts:
    """The hosts, each in its subscription."""
    for name, subscription in subscriptions.items():
        hosts[name]["_docker_host_virtual_machine"]["host"]["subscription_id"] = subscription
        hosts[name][SHARED] = part(hosts, name).shared()
    return hosts


def test_a_host_outside_of_the_play_that_trusts_the_ca_stops_the_rotation() -> None:
    hosts = in_subscriptions(fleet("a"), a="s1")
    inside, foreign = found("A", "DOCKER-HOSTS", "old"), found("x", "docker-hosts", "another")
    hosts["a"][IN_SUBSCRIPTION] = {"hosts": [inside, foreign]}
    assert part(hosts, "a").check_nobody_is_locked_out() == {}
    hosts["a"][IN_SUBSCRIPTION] = {"hosts": [inside, found("b", "other", "older", "old")]}
    with pytest.raises(DockerHostError, match=r"lacks b \(other\).*Nothing was changed"):
        part(hosts, "a").check_nobody_is_locked_out()
    hosts["a"][IN_SUBSCRIPTION] = {"msg": "403"}
    hosts["a"][IN_GROUPS] = {"results": [{"hosts": [inside]}, {"hosts": [found("c", "g", "old")]}]}
    with pytest.raises(DockerHostError, match=r"lacks c \(g\)"):
        part(hosts, "a").check_nobody_is_locked_out()


def test_each_subscription_of_the_play_is_searched() -> None:
    hosts = in_subscriptions(fleet("a", "b", "c"), a="s1", b="S2", c="s2")
    assert [name for name in hosts if part(hosts, name).searches()] == ["a", "b"]
    hosts["a"][IN_SUBSCRIPTION] = {"hosts": [found("a", "docker-hosts", "old")]}
    hosts["b"][IN_SUBSCRIPTION] = {"hosts": [found("c", "docker-hosts", "old", subscription="s2")]}
    hosts["c"][IN_SUBSCRIPTION] = {"skipped": True}
    assert part(hosts, "c").check_nobody_is_locked_out() == {}
    # A host of the same name and group in another subscription is another host.
    hosts["a"][IN_SUBSCRIPTION]["hosts"] += [found("c", "docker-hosts", "old")]
    with pytest.raises(DockerHostError, match=r"lacks c \(docker-hosts\)"):
        part(hosts, "c").check_nobody_is_locked_out()
    # What was not searched counts as unknown, never as empty.
    for name in ("a", "b"):
        kept, hosts[name][IN_SUBSCRIPTION] = hosts[name][IN_SUBSCRIPTION], {"skipped": True}
        with pytest.raises(DockerHostError, match=f"searching the subscription of {name} failed"):
            part(hosts, "c").check_nobody_is_locked_out()
        hosts[name][IN_SUBSCRIPTION] = {**kept, "hosts": kept["hosts"][:1]}
    assert part(hosts, "c").check_nobody_is_locked_out() == {}
    for host in hosts.values():
        del host[SHARED]
    with pytest.raises(DockerHostError, match="searching the subscription of c failed"):
        part(hosts, "c").check_nobody_is_locked_out()


def test_groups_that_could_not_be_searched_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    hosts = in_subscriptions(fleet("a", "b"), a="s1", b="s1")
    hosts["b"][f"{PREFIX}resource_group"] = "web"
    in_subscriptions(hosts, b="s1")
    assert part(hosts, "a").resource_groups() == ["docker-hosts", "web"]
    hosts["a"][IN_SUBSCRIPTION] = {"failed": True, "azure_error": {"status": 403}}
    hosts["a"][IN_GROUPS] = {"results": [{"hosts": [found("a", "docker-hosts", "old")]}, {"hosts": []}]}
    lookup = docker_host_rotation.LookupModule(templar=Templar(loader=None))
    assert lookup.run(["check_nobody_is_locked_out"], {**hosts["b"], "hostvars": hosts}) == [{}]
    shown = " ".join(capsys.readouterr().err.split())
    assert "Only the resource groups docker-hosts, web of the subscription s1 were searched" in shown
    assert "hosts in other groups that trust the CA cannot be reached" in shown


def test_the_lookup_documents_every_question() -> None:
    questions = {name for name in vars(Rotation) if not name.startswith("_")} - {"answer"}
    assert set(yaml.safe_load(docker_host_rotation.DOCUMENTATION)["options"]["_terms"]["choices"]) == questions
