# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ids of resources, which Azure compares case-insensitively."""

from __future__ import annotations

import pytest

from ansible_collections.dockerhost.azure.plugins.module_utils._azure.resource_ids import (
    ResourceId,
    group_in,
    name_in,
    normalize_location,
    same_id,
    subscription_in,
)

MACHINE = "/subscriptions/S/resourceGroups/Docker/providers/Microsoft.Compute/virtualMachines/web1"


def test_an_id_has_parts_and_reads_as_its_text() -> None:
    parsed = ResourceId.parse(f" {MACHINE}/ ")
    assert parsed is not None
    assert str(parsed) == MACHINE
    assert (parsed.subscription, parsed.group, parsed.name) == ("S", "Docker", "web1")
    assert parsed.resource_type == "Microsoft.Compute/virtualMachines"


def test_ids_that_differ_in_case_only_are_equal() -> None:
    ids = {ResourceId.parse(MACHINE), ResourceId.parse(MACHINE.upper()), ResourceId.parse(MACHINE.lower())}
    assert len(ids) == 1
    assert same_id(MACHINE, MACHINE.upper() + "/")
    assert not same_id(MACHINE, MACHINE + "2")


@pytest.mark.parametrize(
    "text", ["", "web1", "/subscriptions/S", MACHINE + "/extensions/x", MACHINE.replace("virtualMachines", "disks")]
)
def test_another_text_is_not_the_id_of_a_virtual_machine(text: str) -> None:
    assert ResourceId.parse(text, "microsoft.compute/VIRTUALMACHINES") is None


def test_parts_of_any_id() -> None:
    subnet = "/subscriptions/S/resourcegroups/G/providers/Microsoft.Network/virtualNetworks/v/subnets/s"
    assert (subscription_in(subnet), group_in(subnet), name_in(subnet)) == ("S", "G", "s")
    assert (subscription_in("x"), group_in("x")) == ("", "")


def test_a_region_has_one_name() -> None:
    assert normalize_location("West Europe") == normalize_location("westeurope") == "westeurope"
    assert normalize_location(None) == ""
