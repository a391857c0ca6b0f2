# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is deleted, in which order, and what is not."""

from __future__ import annotations

import copy
import typing as t
from dataclasses import replace

import pytest

from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.facts import Facts
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.layout import lay_out
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.removal import Remover
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.steps import OwnershipError, Plan

from .conftest import SUBSCRIPTION, created, wanted


def removal(facts: Facts, neighbours: tuple[dict[str, t.Any], ...] = (), **given: t.Any) -> Plan:
    """The plan for the end of the host."""
    host = wanted(state="absent", **given)
    return Remover(host, lay_out(host, SUBSCRIPTION), facts, neighbours).plan()


@pytest.fixture
def facts() -> Facts:
    """A host with all defaults."""
    return created(wanted())


def with_property(facts: Facts, kind: str, **properties: t.Any) -> Facts:
    """The facts with properties of one resource changed."""
    resource = copy.deepcopy(getattr(facts, kind))
    resource["properties"].update(properties)
    return replace(facts, **{kind: resource})


def test_everything_goes_in_an_order_that_azure_accepts(facts: Facts) -> None:
    plan = removal(facts)
    assert plan.actions == [
        "delete virtual machine web1",
        "delete network interface web1-nic",
        "delete public IP address web1-ip",
        "delete network security group web1-nsg",
        "delete virtual network docker-vnet",
    ]
    assert set(plan.steps[1].needs) == {"delete_virtual_machine"}
    assert all("delete_network_interface" in step.needs for step in plan.steps[2:])


def test_nothing_is_nothing(facts: Facts) -> None:
    assert removal(Facts()).actions == []
    assert removal(replace(Facts(), resource_group=facts.resource_group)).actions == []


@pytest.mark.parametrize("kind", ["network_interface", "public_ip_address", "security_group", "virtual_network"])
def test_half_a_host_goes_too(facts: Facts, kind: str) -> None:
    half = replace(Facts(), **{kind: getattr(facts, kind)})
    assert len(removal(half).steps) == 1


@pytest.mark.parametrize("kind", ["network_interface", "public_ip_address", "security_group", "virtual_network"])
def test_what_is_not_ours_stays(facts: Facts, kind: str) -> None:
    change: dict[str, t.Any] = {kind: {**getattr(facts, kind), "tags": {}}}
    foreign = replace(facts, **change)
    assert len(removal(foreign).steps) == 4


def test_a_vm_that_is_not_ours_is_an_error(facts: Facts) -> None:
    foreign = replace(facts, virtual_machine={**(facts.virtual_machine or {}), "tags": {}})
    with pytest.raises(OwnershipError):
        removal(foreign)


def test_a_network_that_others_use_stays(facts: Facts) -> None:
    subnets = copy.deepcopy((facts.virtual_network or {})["properties"]["subnets"])
    subnets[0]["properties"]["ipConfigurations"] = [{"id": "/subscriptions/x/other-nic/ipConfigurations/primary"}]
    used = with_property(facts, "virtual_network", subnets=subnets)
    assert "delete virtual network docker-vnet" not in removal(used).actions


def test_a_security_group_that_others_use_stays_and_is_named(facts: Facts) -> None:
    used = with_property(facts, "security_group", networkInterfaces=[{"id": "/subscriptions/x/other-nic"}])
    plan = removal(used)
    assert "delete network security group web1-nsg" not in plan.actions
    assert "other-nic" in plan.notes[0]


def test_the_group_goes_on_request_and_when_it_is_ours_and_empty(facts: Facts) -> None:
    everything = {"remove_on_absent": ["all", "resource_group"]}
    own = [{"id": step.resource_id} for step in removal(facts).steps]
    assert "delete resource group rg" in removal(facts, tuple(own), **everything).actions
    assert "delete resource group rg" not in removal(facts, tuple(own)).actions
    other = {"id": "/subscriptions/x/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/theirs"}
    plan = removal(facts, (*own, other), **everything)
    assert "delete resource group rg" not in plan.actions
    assert "theirs" in plan.notes[0]
    foreign = replace(facts, resource_group={**(facts.resource_group or {}), "tags": {}})
    assert "delete resource group rg" not in removal(foreign, tuple(own), **everything).actions


def test_disks_that_are_to_stay_are_detached_first() -> None:
    host = wanted(data_disks=[{"lun": 0, "disk_size_gb": 8}])
    plan = removal(created(host), remove_on_absent=["virtual_machine"])
    assert plan.actions == ["update virtual machine web1", "delete virtual machine web1"]
    properties = (plan.steps[0].body or {})["properties"]
    assert properties["storageProfile"]["osDisk"]["deleteOption"] == "Detach"
    assert properties["storageProfile"]["dataDisks"][0]["deleteOption"] == "Detach"
    assert properties["networkProfile"]["networkInterfaces"][0]["properties"]["deleteOption"] == "Detach"
