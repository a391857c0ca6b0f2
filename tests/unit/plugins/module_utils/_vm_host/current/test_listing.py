# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hosts as the lists of a subscription show them."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.dockerhost.azure.plugins.module_utils._azure.clients import AzureSession
from ansible_collections.dockerhost.azure.plugins.module_utils._azure.resource_ids import group_in
from ansible_collections.dockerhost.azure.plugins.module_utils._backend import Request
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host import info_task
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.current.listing import (
    LISTED_KEYS,
    are_listed_hosts,
    list_hosts,
)

from ..conftest import KEY, Cloud
from ..support import NETWORK, PLACE


def listed(groups: t.Sequence[str] = ()) -> dict[str, dict[str, t.Any]]:
    """The listed hosts by resource group and name."""
    with AzureSession.from_params({}) as session:
        return {f"{host['resource_group']}/{host['name']}": host for host in list_hosts(session, groups).hosts}


def spellings(cloud: Cloud) -> set[str]:
    """How Compute's list spells this group."""
    with AzureSession.from_params({}) as session:
        path = f"/subscriptions/{session.subscription_id}/providers/Microsoft.Compute/virtualMachines"
        names = {group_in(machine["id"]) for machine in session.arm.list(path)}
    return {name for name in names if name.lower() == cloud.group.lower()}


def test_a_listed_host_has_its_groups_own_spelling(cloud: Cloud) -> None:
    cloud.group = f"Docker-{cloud.group}"
    made = cloud.run()["host"]
    assert spellings(cloud) == {cloud.group.upper()}
    for groups in ((), (cloud.group,), (cloud.group.lower(),)):
        host = listed(groups)[f"{cloud.group}/web1"]
        assert (host["id"], host["private_ip_address"]) == (made["id"], made["private_ip_address"])


@pytest.mark.parametrize("forbidden", [[], ["Microsoft.Resources/subscriptions/resourceGroups/read"]])
def test_the_group_is_read_if_nothing_of_the_network_is_in_it(cloud: Cloud, forbidden: list[str]) -> None:
    network, cloud.group = cloud.group, f"Docker-{cloud.group}"
    made = cloud.run(name="near", resource_group=network)["host"]
    interface = made["resources"]["network_interface"].replace("near-nic", "far-nic")
    cloud.arm("PUT", "", PLACE)
    subnet = {"subnet": {"id": made["resources"]["subnet"]}}
    body = {**PLACE, "properties": {"ipConfigurations": [{"name": "one", "properties": subnet}]}}
    other = Cloud(cloud.azure, cloud.key.parent)
    other.group = network
    other.arm("PUT", f"{NETWORK}/networkInterfaces/far-nic", body)
    cloud.run(network_interface=interface, ssh_public_keys=[KEY])
    cloud.azure.switch("forbidden", forbidden)
    try:
        assert f"{cloud.group.upper() if forbidden else cloud.group}/web1" in listed()
    finally:
        cloud.azure.switch("forbidden", [])


def test_a_group_may_be_given_in_any_spelling(cloud: Cloud) -> None:
    made = cloud.run()["host"]
    group, cloud.group = cloud.group, cloud.group.upper()
    for check in (True, False):
        again = cloud.run(check)
        assert (again["changed"], again["host"]) == (False, made)
    changed = cloud.run(docker_port=2376)["host"]
    assert (changed["resource_group"], changed["id"]) == (group, made["id"])
    stopped = cloud.run(state="stopped")["host"]
    assert (stopped["resource_group"], stopped["resources"]) == (group, made["resources"])
    assert cloud.run(state="absent")["changed"]
    assert not [path for path in cloud.resources() if path.lower().count("/providers/")]


def test_an_interface_that_must_not_be_read_costs_its_host_the_addresses_only(cloud: Cloud) -> None:
    """It may be in a group of others: the other hosts are listed all the same."""
    cloud.run(ssh_public_keys=[KEY])
    far = Cloud(cloud.azure, cloud.key.parent)
    far.arm("PUT", "", PLACE)
    subnet = {"subnet": {"id": cloud.run(ssh_public_keys=[KEY])["host"]["resources"]["subnet"]}}
    body = {**PLACE, "properties": {"ipConfigurations": [{"name": "one", "properties": subnet}]}}
    far.arm("PUT", f"{NETWORK}/networkInterfaces/far-nic", body)
    interface = far.arm("GET", f"{NETWORK}/networkInterfaces/far-nic")["id"]
    cloud.run(name="web2", network_interface=interface, ssh_public_keys=[KEY])
    forbidden = {"status": 403, "code": "AuthorizationFailed", "message": "no", "times": 0, "method": "GET"}
    cloud.azure.fault("status", path=f"/{far.group}/providers/Microsoft.Network/networkInterfaces/far-nic", **forbidden)
    hosts = listed([cloud.group])
    assert set(hosts) == {f"{cloud.group}/web1", f"{cloud.group}/web2"}
    assert hosts[f"{cloud.group}/web2"]["private_ip_address"] is None
    params = {"name": None, "resource_group": cloud.group, "tags": None}
    found = info_task.run(Request(params, token_cache=cloud.token_cache))["hosts"]
    assert [(host["name"], bool(host["private_ip_address"])) for host in found] == [("web1", True), ("web2", False)]


def test_a_listed_host_has_the_keys_by_which_a_cached_one_is_recognized(cloud: Cloud) -> None:
    cloud.run(ssh_public_keys=[KEY])
    host = listed([cloud.group])[f"{cloud.group}/web1"]
    assert host.keys() == LISTED_KEYS
    assert are_listed_hosts([host])
    assert are_listed_hosts([])
    for bad in (None, {}, "web1", [host, None], [{**host, "name": None}], [{**host, "x": 1}]):
        assert not are_listed_hosts(bad)
