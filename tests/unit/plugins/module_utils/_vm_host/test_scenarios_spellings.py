# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One thing in two spellings: Azure ignores the case of names, IDs, regions, sizes and images, and so do later runs."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.dockerhost.azure.plugins.module_utils._backend import Request
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host import image_info_task as image_info
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host import info_task as host_info

from .conftest import KEY, Cloud
from .support import COMPUTE, NETWORK, PLACE, others

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
    made = first.run(**FIRST, ssh_public_keys=[KEY])["host"]
    group = f"/subscriptions/{first.azure.subscription_id.upper()}/RESOURCEGROUPS/{first.group.upper()}"
    by_id = {
        "public_ip_address": f"{group}/PROVIDERS/MICROSOFT.NETWORK/PUBLICIPADDRESSES/IP",
        "proximity_placement_group": f"{group}/providers/microsoft.compute/proximityplacementgroups/near/",
    }
    for given in (SECOND, {**SECOND, **by_id}):
        for check in (True, False):
            options = {**FIRST, **given, "resource_group": first.group.upper()}
            again = first.run(check, **options, ssh_public_keys=[KEY])
            assert (again["changed"], again["actions"], first.writes) == (False, [], [])
            assert again["host"] == made, "with the spelling of the resources"


def test_what_others_made_is_shown_and_referred_to_in_its_own_spelling(place: Cloud) -> None:
    theirs = others(place).group
    shouted = {
        "virtual_network": f"{theirs.upper()}:NET",
        "subnet_name": "S",
        "security_group": f"{theirs.upper()}:NSG",
        "public_ip_address": "IP",
    }
    options = {**shouted, "ssh_public_keys": [KEY], "preflight": False}
    made = place.run(**options)["host"]
    network = f"/resourceGroups/{theirs}{NETWORK}"
    shown = {kind: path.partition(place.azure.subscription_id)[2] for kind, path in made["resources"].items()}
    assert shown["virtual_network"] == f"{network}/virtualNetworks/net"
    assert shown["subnet"] == f"{network}/virtualNetworks/net/subnets/s"
    assert shown["security_group"] == f"{network}/networkSecurityGroups/nsg"
    assert shown["public_ip_address"] == f"/resourceGroups/{place.group}{NETWORK}/publicIPAddresses/ip"
    assert place.run(**options, resource_group=place.group.upper())["host"] == made
    interface = made["resources"]["network_interface"]
    by_interface = {"network_interface": interface.upper(), "ssh_public_keys": [KEY]}
    again = place.run(**by_interface, resource_group=place.group.upper())
    assert (again["changed"], again["host"]["resources"]["network_interface"]) == (False, interface)
    info = {**dict.fromkeys(host_info.BACKEND.spec.argument_spec), "resource_group": place.group.upper()}
    (described,) = host_info.BACKEND.run(Request({**info, "name": "WEB1"}))["hosts"]
    for kind in ("network_interface", "public_ip_address", "security_group", "virtual_network"):
        assert described["resources"][kind] == made["resources"][kind]


def test_an_image_is_shown_as_its_publisher_spells_it(cloud: Cloud) -> None:
    defaults = {name: option.get("default") for name, option in image_info.SPEC.argument_spec.items()}
    given = {"publisher": "DEBIAN", "offer": "Debian-12", "sku": "12-GEN2", "location": "West Europe"}
    (image,) = image_info.BACKEND.run(Request({**defaults, **given}))["images"]
    assert image["urn"].rpartition(":")[0] == "Debian:debian-12:12-gen2"


def test_every_resource_is_found_and_deleted_in_another_spelling(first: Cloud) -> None:
    gone = first.run(state="absent", resource_group=first.group.upper(), location=None)
    assert any("web1" in line for line in gone["actions"])
    left = [path for path in first.resources() if "/web1" in path.lower()]
    assert left == []
    assert any(NETWORK.lower() in path.lower() and path.lower().endswith("/ip") for path in first.resources())
