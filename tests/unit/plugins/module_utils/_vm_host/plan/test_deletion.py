# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is deleted, in which order, and what is not."""

from __future__ import annotations

import copy
import typing as t
from dataclasses import replace

import pytest

from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.current.state import HostState
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.desired.topology import resolve_resources
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.plan.deletion import DeletionPlanner
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.plan.model import OwnershipError, Plan

from ..conftest import SUBSCRIPTION, created, desired


def removal(current: HostState, neighbours: tuple[dict[str, t.Any], ...] = (), **given: t.Any) -> Plan:
    """The plan for the end of the host."""
    host = desired(state="absent", **given)
    return DeletionPlanner(host, resolve_resources(host, SUBSCRIPTION), current, neighbours).plan()


@pytest.fixture
def current() -> HostState:
    """A host with all defaults."""
    return created(desired())


def with_property(current: HostState, kind: str, **properties: t.Any) -> HostState:
    """The facts with properties of one resource changed."""
    resource = copy.deepcopy(getattr(current, kind))
    resource["properties"].update(properties)
    return replace(current, **{kind: resource})


def test_everything_goes_in_an_order_that_azure_accepts(current: HostState) -> None:
    plan = removal(current)
    assert plan.lines == [
        "delete virtual machine web1",
        "delete network interface web1-nic",
        "delete public IP address web1-ip",
        "delete network security group web1-nsg",
        "delete virtual network docker-vnet",
    ]
    assert set(plan.actions[1].needs) == {"delete_virtual_machine"}
    assert all("delete_network_interface" in action.needs for action in plan.actions[2:])


def test_nothing_is_nothing(current: HostState) -> None:
    assert removal(HostState()).lines == []
    assert removal(replace(HostState(), resource_group=current.resource_group)).lines == []


@pytest.mark.parametrize("kind", ["network_interface", "public_ip_address", "security_group", "virtual_network"])
def test_half_a_host_goes_too(current: HostState, kind: str) -> None:
    half = replace(HostState(), **{kind: getattr(current, kind)})
    assert len(removal(half).actions) == 1


@pytest.mark.parametrize("kind", ["network_interface", "public_ip_address", "security_group", "virtual_network"])
def test_what_is_not_ours_stays(current: HostState, kind: str) -> None:
    change: dict[str, t.Any] = {kind: {**getattr(current, kind), "tags": {}}}
    foreign = replace(current, **change)
    assert len(removal(foreign).actions) == 4


def test_a_vm_that_is_not_ours_is_an_error(current: HostState) -> None:
    foreign = replace(current, virtual_machine={**(current.virtual_machine or {}), "tags": {}})
    with pytest.raises(OwnershipError):
        removal(foreign)


def test_a_network_that_others_use_stays(current: HostState) -> None:
    subnets = copy.deepcopy((current.virtual_network or {})["properties"]["subnets"])
    subnets[0]["properties"]["ipConfigurations"] = [{"id": "/subscriptions/x/other-nic/ipConfigurations/primary"}]
    used = with_property(current, "virtual_network", subnets=subnets)
    assert "delete virtual network docker-vnet" not in removal(used).lines


def test_what_others_are_in_is_looked_at_again_when_this_host_is_gone(current: HostState) -> None:
    subnets = copy.deepcopy((current.virtual_network or {})["properties"]["subnets"])
    subnets[0]["properties"]["ipConfigurations"] = [{"id": "/subscriptions/x/other-nic/ipConfigurations/primary"}]
    used = with_property(current, "virtual_network", subnets=subnets)
    last = removal(used).actions[-1]
    assert (last.kind, last.if_unused, last.expected) == ("virtual_network", True, False)
    assert set(last.needs) == {action.key for action in removal(used).actions[:-1]}
    assert not any("docker-vnet" in line for line in removal(used).diff["before"])
    # Nothing of this host is left: others are no business of this run.
    alone = replace(HostState(), virtual_network=used.virtual_network)
    assert removal(alone).actions == []


@pytest.mark.parametrize("kind", ["network_interface", "public_ip_address", "security_group"])
def test_what_another_was_given_for_goes_too(current: HostState, kind: str) -> None:
    own = getattr(current, kind)
    theirs = {**own, "id": own["id"].replace("web1-", "theirs-"), "tags": {}}
    change: dict[str, t.Any] = {kind: theirs, "former": {kind: own}}
    given = {kind: theirs["id"]}
    lines = removal(replace(current, **change), **given).lines
    assert sum(own["name"] in line for line in lines) == 1
    assert not any("theirs" in line for line in lines)
    change["former"] = {kind: {**own, "tags": {}}}
    assert not any(own["name"] in line for line in removal(replace(current, **change), **given).lines)


def with_subnet(current: HostState, **properties: t.Any) -> HostState:
    """The facts with the host in a subnet of its own, beside one that another host is in."""
    network = current.virtual_network or {}
    base = network["id"]
    others = [{"id": "/subscriptions/x/other-nic/ipConfigurations/primary"}]
    more = {"name": "more", "id": f"{base}/subnets/more", "properties": {"addressPrefix": "10.0.9.0/24", **properties}}
    common = {"name": "docker", "id": f"{base}/subnets/docker", "properties": {"ipConfigurations": others}}
    interface = copy.deepcopy(current.network_interface or {})
    interface["properties"]["ipConfigurations"][0]["properties"]["subnet"] = {"id": more["id"]}
    changed = replace(current, network_interface=interface)
    return with_property(changed, "virtual_network", subnets=[common, more])


@pytest.mark.parametrize("given", [{}, {"subnet_name": "more"}])
def test_a_subnet_that_only_this_host_was_in_goes(current: HostState, given: dict[str, t.Any]) -> None:
    plan = removal(with_subnet(current), **given)
    assert plan.lines[-1] == "delete subnet more"
    assert [action.resource_id.rsplit("/", 1)[-1] for action in plan.actions if not action.expected] == ["docker-vnet"]
    inside = [{"id": "/subscriptions/x/other-nic/ipConfigurations/primary"}]
    assert "delete subnet more" not in removal(with_subnet(current, ipConfigurations=inside), **given).lines


def test_a_subnet_that_somebody_shaped_stays_and_is_named(current: HostState) -> None:
    plan = removal(with_subnet(current, natGateway={"id": "/subscriptions/x/nat"}))
    assert "delete subnet more" not in plan.lines
    assert "subnets/more stays" in plan.notes[0]


def test_the_common_subnet_stays_with_its_network(current: HostState) -> None:
    assert not any("subnet" in line for line in removal(current).lines)


def test_with_the_group_everything_goes(current: HostState) -> None:
    own = tuple({"id": action.resource_id} for action in removal(current).actions)
    whole = removal(current, own, remove_on_absent=["all", "resource_group"])
    assert removal(current, own, remove_on_absent=["resource_group"]).lines == whole.lines


def test_a_security_group_that_others_use_stays_and_is_named(current: HostState) -> None:
    used = with_property(current, "security_group", networkInterfaces=[{"id": "/subscriptions/x/other-nic"}])
    plan = removal(used)
    assert "delete network security group web1-nsg" not in plan.lines
    assert "other-nic" in plan.notes[0]


def test_the_group_goes_on_request_and_when_it_is_ours_and_empty(current: HostState) -> None:
    everything = {"remove_on_absent": ["all", "resource_group"]}
    own = [{"id": action.resource_id} for action in removal(current).actions]
    assert "delete resource group rg" in removal(current, tuple(own), **everything).lines
    assert "delete resource group rg" not in removal(current, tuple(own)).lines
    other = {"id": "/subscriptions/x/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/theirs"}
    plan = removal(current, (*own, other), **everything)
    assert "delete resource group rg" not in plan.lines
    assert "theirs" in plan.outlook[0]
    foreign = replace(current, resource_group={**(current.resource_group or {}), "tags": {}})
    assert "delete resource group rg" not in removal(foreign, tuple(own), **everything).lines


def test_disks_that_are_to_stay_are_detached_first() -> None:
    host = desired(data_disks=[{"lun": 0, "disk_size_gb": 8}])
    plan = removal(created(host), remove_on_absent=["virtual_machine"])
    assert plan.lines == ["update virtual machine web1", "delete virtual machine web1"]
    properties = (plan.actions[0].body or {})["properties"]
    assert properties["storageProfile"]["osDisk"]["deleteOption"] == "Detach"
    assert properties["storageProfile"]["dataDisks"][0]["deleteOption"] == "Detach"
    assert properties["networkProfile"]["networkInterfaces"][0]["properties"]["deleteOption"] == "Detach"
