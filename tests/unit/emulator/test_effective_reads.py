# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an interface's rules and routes come to, usages, and peerings."""

from __future__ import annotations

import typing as t

import pytest

from .conftest import Arm

Json = dict[str, t.Any]
NIC, VNET = "Microsoft.Network/networkInterfaces/nic", "Microsoft.Network/virtualNetworks/vnet"


def collected(arm: Arm, word: str) -> list[Json]:
    """What an operation that only reads has found, as its Location returns it."""
    response = arm.post(f"{NIC}/{word}")
    assert (response.status_code, "azure-asyncoperation" in response.headers) == (202, False)
    arm.done(response)
    answer = arm.http.get(response.headers["location"])
    assert answer.headers["location"]
    return t.cast("list[Json]", answer.json()["value"])


def test_the_rules_of_a_running_machine(ready: Arm) -> None:
    rule = {
        "protocol": "*",
        "access": "Allow",
        "direction": "Inbound",
        "priority": 200,
        "sourcePortRange": "*",
        "destinationPortRanges": ["22", "80-90"],
        "sourceAddressPrefix": "*",
        "destinationAddressPrefix": "VirtualNetwork",
    }
    ready.done(ready.nsg("nsg", {"name": "web", "properties": rule}))
    (found,) = collected(ready, "effectiveNetworkSecurityGroups")
    assert found["networkSecurityGroup"]["id"].endswith("/nsg")
    assert found["association"]["networkInterface"]["id"].endswith("/nic")
    rules = {entry["name"]: entry for entry in found["effectiveSecurityRules"]}
    assert len(rules) == 7
    web = rules["securityRules/web"]
    assert (web["protocol"], web["sourceAddressPrefix"], web["sourcePortRange"]) == ("All", "0.0.0.0/0", "0-65535")
    assert web["destinationPortRanges"] == ["22-22", "80-90"]


def test_the_routes_of_a_running_machine(ready: Arm) -> None:
    found = collected(ready, "effectiveRouteTable")
    hops = {entry["addressPrefix"][0]: entry["nextHopType"] for entry in found}
    assert (hops["10.0.0.0/16"], hops["0.0.0.0/0"], hops["192.168.0.0/16"]) == ("VnetLocal", "Internet", "None")


@pytest.mark.parametrize("word", ["effectiveNetworkSecurityGroups", "effectiveRouteTable"])
def test_an_interface_without_a_running_machine_has_none(arm: Arm, word: str) -> None:
    arm.network()
    assert arm.post(f"{NIC}/{word}").status_code == 400


def test_usages_count_what_is_there(arm: Arm) -> None:
    path = f"{arm.subscription}/providers/Microsoft.Network/locations/eastus/usages"

    def used() -> int:
        rows = arm.get(path).json()["value"]
        return next(int(row["currentValue"]) for row in rows if row["name"]["value"] == "VirtualNetworks")

    before = used()
    arm.done(arm.vnet())
    assert used() == before + 1


def test_a_network_has_no_peerings(arm: Arm) -> None:
    arm.done(arm.vnet())
    assert arm.get(f"{VNET}/virtualNetworkPeerings").json() == {"value": []}
    assert arm.code(arm.get(f"{VNET}/virtualNetworkPeerings/x")) == (404, "NotFound")
    assert arm.get("Microsoft.Network/virtualNetworks/none/virtualNetworkPeerings").status_code == 404
