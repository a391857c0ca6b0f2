# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Public addresses and their DNS labels."""

from __future__ import annotations

import typing as t

from .conftest import P

if t.TYPE_CHECKING:
    from ..conftest import Arm


def test_public_address(arm: Arm) -> None:
    created = arm.address(label=f"label-{arm.name}")
    properties = created.json()["properties"]
    assert "ipAddress" not in properties
    assert properties["dnsSettings"]["fqdn"] == f"label-{arm.name}.eastus.cloudapp.azure.com"
    assert created.json()["sku"] == {"name": "Standard", "tier": "Regional"}
    arm.done(created)
    after = arm.get(f"{P}/publicIPAddresses/ip").json()["properties"]
    assert after["ipAddress"]
    assert after["ddosSettings"] == {"protectionMode": "VirtualNetworkInherited"}
    assert arm.azure.names()[properties["dnsSettings"]["fqdn"]] == after["ipAddress"]
    with open(arm.azure.hosts_file, encoding="utf-8") as file:
        assert f"{after['ipAddress']} {properties['dnsSettings']['fqdn']}\n" in file.readlines()


def test_dns_labels_are_had_once(arm: Arm) -> None:
    label = f"once-{arm.name}"
    check = f"{arm.subscription}/providers/{P}/locations/eastus/CheckDnsNameAvailability"
    assert arm.get(check, domainNameLabel=label).json() == {"available": True}
    arm.done(arm.address("one", label))
    assert arm.get(check, domainNameLabel=label).json() == {"available": False}
    response = arm.address("two", label)
    assert arm.code(response) == (400, "DnsRecordInUse")
    expected = f"DNS record {label}.eastus.cloudapp.azure.com is already used by another public IP."
    assert response.json()["error"] == {"code": "DnsRecordInUse", "message": expected, "details": []}
    arm.azure.switch("taken_labels", ["somebody"])
    assert arm.get(check, domainNameLabel="somebody").json() == {"available": False}
    assert arm.code(arm.address("two", "Not-A-Label")) == (400, "InvalidDomainNameLabel")


def test_a_scope_puts_a_hash_into_the_name(arm: Arm) -> None:
    settings = {"domainNameLabel": "scoped", "domainNameLabelScope": "ResourceGroupReuse"}
    properties = {"publicIPAllocationMethod": "Static", "dnsSettings": settings}
    body = {"location": "eastus", "sku": {"name": "Standard"}, "properties": properties}
    name = arm.put(f"{P}/publicIPAddresses/ip", body).json()["properties"]["dnsSettings"]["fqdn"]
    assert name.startswith("scoped.")
    assert len(name.split(".")[1]) == 16


def test_basic_addresses_are_history(arm: Arm) -> None:
    body = {"location": "eastus", "sku": {"name": "Basic"}, "properties": {"publicIPAllocationMethod": "Dynamic"}}
    path = f"{P}/publicIPAddresses/ip"
    assert arm.code(arm.put(path, body)) == (400, "IPv4BasicSkuPublicIpCountLimitReached")
    assert arm.code(arm.put(path, {"location": "eastus"})) == (400, "IPv4BasicSkuPublicIpCountLimitReached")
    arm.azure.switch("basic_public_ip", True)
    arm.done(arm.put(path, body))
    assert "ipAddress" not in arm.get(path).json()["properties"]
    body["sku"] = {"name": "Standard"}
    assert arm.put(path, body).status_code == 400


def test_a_global_address_is_a_standard_one(arm: Arm) -> None:
    body = {"location": "eastus", "sku": {"name": "Basic", "tier": "Global"}, "properties": {}}
    refused = arm.put(f"{P}/publicIPAddresses/ip", body)
    assert arm.code(refused) == (400, "GlobalPublicIPAddressNotSupportedForBasicPublicIpAddress")
