# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One thing in two spellings: Azure ignores the case of names, IDs, regions, sizes and images, and so do later runs."""

from __future__ import annotations

import typing as t

import pytest

from .conftest import KEY, Cloud
from .support import COMPUTE, NETWORK, PLACE

FIRST: dict[str, t.Any] = {
    "location": "westeurope",
    "vm_size": "Standard_B2s_v2",
    "image": "Canonical:ubuntu-24_04-lts:server:latest",
    "tags": {"Team": "build"},
    "allowed_sources": ["192.0.2.7"],
    "open_ports": [{"port": 80, "protocol": "tcp"}],
    "managed_disk_type": "StandardSSD_LRS",
    "proximity_placement_group": "near",
    "public_ip_address": "ip",
    "vm_identity": {"type": "UserAssigned", "user_assigned_identities": ["a", "b"]},
}
SECOND: dict[str, t.Any] = {
    "location": "West Europe",
    "vm_size": "standard_b2S_V2",
    "image": "canonical:UBUNTU-24_04-lts:Server:latest",
    "tags": {"TEAM": "build"},
    "open_ports": [{"port": "80", "protocol": "TCP"}],
    "proximity_placement_group": "NEAR",
    "public_ip_address": "IP",
    "vm_identity": {"type": "UserAssigned", "user_assigned_identities": ["B", "A"]},
}


@pytest.fixture
def first(place: Cloud) -> Cloud:
    """A host that is made with the first spellings."""
    place.arm("PUT", f"{COMPUTE}/proximityPlacementGroups/near", PLACE)
    place.run(**FIRST, ssh_public_keys=[KEY])
    return place


def test_a_second_run_with_other_spellings_changes_nothing(first: Cloud) -> None:
    group = f"/subscriptions/{first.azure.subscription_id.upper()}/RESOURCEGROUPS/{first.group.upper()}"
    by_id = {
        "public_ip_address": f"{group}/PROVIDERS/MICROSOFT.NETWORK/PUBLICIPADDRESSES/IP",
        "proximity_placement_group": f"{group}/providers/microsoft.compute/proximityplacementgroups/near/",
    }
    for given in (SECOND, {**SECOND, **by_id}):
        again = first.run(**{**FIRST, **given}, resource_group=first.group.upper(), ssh_public_keys=[KEY])
        assert (again["changed"], again["actions"], first.writes) == (False, [], [])


def test_every_resource_is_found_and_deleted_in_another_spelling(first: Cloud) -> None:
    gone = first.run(state="absent", resource_group=first.group.upper(), location=None)
    assert any("web1" in line for line in gone["actions"])
    left = [path for path in first.resources() if "/web1" in path.lower()]
    assert left == []
    assert any(NETWORK.lower() in path.lower() and path.lower().endswith("/ip") for path in first.resources())
