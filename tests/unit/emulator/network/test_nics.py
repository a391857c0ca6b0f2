# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Network interfaces, and what they refer to."""

from __future__ import annotations

import typing as t

import pytest

from .conftest import P

if t.TYPE_CHECKING:
    from ..conftest import Arm


def test_an_interface_takes_a_while_to_change_its_groups_and_not_its_address(arm: Arm) -> None:
    for response in (arm.vnet(), arm.nsg(), arm.address()):
        arm.done(response)
    arm.done(arm.nic())
    address = arm.nic(address="ip")
    assert address.json()["properties"]["provisioningState"] == "Succeeded"
    assert "azure-asyncoperation" not in address.headers
    group = arm.nic(address="ip", nsg="nsg")
    assert group.json()["properties"]["provisioningState"] == "Updating"
    arm.done(group)
    assert arm.get(f"{P}/networkInterfaces/nic").json()["properties"]["provisioningState"] == "Succeeded"


def test_interface(arm: Arm) -> None:
    for response in (arm.vnet(), arm.nsg(), arm.address()):
        arm.done(response)
    created = arm.nic(address="ip", nsg="nsg")
    assert created.status_code == 201
    assert "retry-after" not in created.headers
    properties = created.json()["properties"]
    configuration = properties["ipConfigurations"][0]["properties"]
    assert properties["provisioningState"] == configuration["provisioningState"] == "Succeeded"
    assert configuration["privateIPAddress"] == "10.0.0.4"
    assert configuration["primary"] is True
    assert "macAddress" not in properties
    assert "virtualMachine" not in properties
    assert properties["dnsSettings"]["internalDomainNameSuffix"]
    arm.done(created)
    id_ = f"{created.json()['id']}/ipConfigurations/primary"
    assert arm.get(f"{P}/publicIPAddresses/ip").json()["properties"]["ipConfiguration"] == {"id": id_}
    subnet = arm.get(f"{P}/virtualNetworks/vnet/subnets/subnet").json()["properties"]
    assert subnet["ipConfigurations"] == [{"id": id_}]
    group = arm.get(f"{P}/networkSecurityGroups/nsg").json()["properties"]
    assert group["networkInterfaces"] == [{"id": created.json()["id"]}]
    second = arm.nic("second")
    assert second.json()["properties"]["ipConfigurations"][0]["properties"]["privateIPAddress"] == "10.0.0.5"
    same = arm.nic(address="ip", nsg="nsg")
    assert same.status_code == 200
    assert "azure-asyncoperation" not in same.headers
    assert same.json()["etag"] == arm.get(f"{P}/networkInterfaces/nic").json()["etag"]


def test_references_must_lead_somewhere(arm: Arm) -> None:
    arm.done(arm.vnet())
    response = arm.nic(address="none")
    assert arm.code(response) == (400, "InvalidResourceReference")
    assert "/publicIPAddresses/none referenced by resource" in response.json()["error"]["message"]
    assert arm.code(arm.nic(nsg="none")) == (400, "InvalidResourceReference")
    assert arm.code(arm.nic(subnet="vnet/subnets/none")) == (400, "InvalidResourceReference")
    elsewhere = arm.nic_body()
    elsewhere["location"] = "westus"
    assert arm.code(arm.put(f"{P}/networkInterfaces/nic", elsewhere)) == (400, "InvalidResourceReference")


def test_references_must_be_provisioned(arm: Arm) -> None:
    arm.done(arm.vnet())
    arm.azure.hold()
    arm.address()
    response = arm.nic(address="ip")
    assert arm.code(response) == (429, "RetryableError")
    detail = response.json()["error"]["details"][0]
    assert detail["code"] == "ReferencedResourceNotProvisioned"
    assert "is not in Succeeded state. Resource is in Updating state" in detail["message"]


def test_an_address_is_of_the_version_of_its_configuration(arm: Arm) -> None:
    arm.done(arm.vnet())
    properties = {"publicIPAllocationMethod": "Static", "publicIPAddressVersion": "IPv6"}
    body = {"location": "eastus", "sku": {"name": "Standard"}, "properties": properties}
    arm.done(arm.put(f"{P}/publicIPAddresses/six", body))
    response = arm.nic(address="six")
    assert arm.code(response) == (400, "IPVersionForPublicIpAndNicIpConfigurationMustMatch")
    assert "version 'IPv6' and network interface ipConfiguration" in response.json()["error"]["message"]


@pytest.mark.parametrize(("zones", "fits"), [(["2"], False), (["1"], True), (["1", "2", "3"], True), (None, True)])
def test_an_address_is_in_the_zone_of_its_machine(arm: Arm, zones: list[str] | None, fits: bool) -> None:
    for response in (arm.vnet(), arm.nsg(), arm.address("ours")):
        arm.done(response)
    body = {"location": "eastus", "sku": {"name": "Standard"}, "properties": {"publicIPAllocationMethod": "Static"}}
    arm.done(arm.put(f"{P}/publicIPAddresses/zonal", {**body, **({"zones": zones} if zones else {})}))
    code = "ComputeResourceZoneConstraintDoesNotMatchPublicIPAddressZoneConstraint"
    arm.done(arm.nic("one", address="zonal"))
    machine = {**arm.vm_body("one"), "zones": ["1"]}
    made = arm.put("Microsoft.Compute/virtualMachines/one", machine)
    if fits:
        assert made.status_code == 201
    else:
        assert arm.code(made) == (400, code)
        arm.done(arm.nic("two", address="ours"))
        arm.vm("two", {**arm.vm_body("two", "two"), "zones": ["1"]})
        arm.done(arm.nic("one"))
        assert arm.code(arm.nic("two", address="zonal")) == (400, code)


def test_an_address_belongs_to_one_interface(arm: Arm) -> None:
    for response in (arm.vnet(), arm.address()):
        arm.done(response)
    arm.done(arm.nic("one", address="ip"))
    assert arm.code(arm.nic("two", address="ip")) == (400, "PublicIPAddressInUse")


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("10.0.0.1", "PrivateIPAddressInReservedRange"),
        ("10.0.0.255", "PrivateIPAddressInReservedRange"),
        ("10.9.0.4", "PrivateIPAddressNotInSubnet"),
        ("10.0.0.4", "PrivateIPAddressInUse"),
        ("nowhere", "InvalidIPAddressFormat"),
    ],
)
def test_static_private_addresses(arm: Arm, address: str, code: str) -> None:
    arm.done(arm.vnet())
    arm.done(arm.nic("first"))
    body = arm.nic_body()
    wanted = body["properties"]["ipConfigurations"][0]["properties"]
    wanted.update(privateIPAllocationMethod="Static", privateIPAddress=address)
    assert arm.code(arm.put(f"{P}/networkInterfaces/nic", body)) == (400, code)
    wanted["privateIPAddress"] = "10.0.0.77"
    created = arm.put(f"{P}/networkInterfaces/nic", body)
    assert created.json()["properties"]["ipConfigurations"][0]["properties"]["privateIPAddress"] == "10.0.0.77"


def test_a_full_subnet(arm: Arm) -> None:
    arm.done(arm.vnet(small="10.0.0.0/29"))
    for number in range(3):
        arm.done(arm.nic(f"nic{number}", subnet="vnet/subnets/small"))
    assert arm.code(arm.nic("last", subnet="vnet/subnets/small")) == (400, "SubnetIsFull")


def test_an_address_behind_a_load_balancer_takes_a_while_to_change(arm: Arm) -> None:
    arm.done(arm.vnet())
    arm.done(arm.nic())
    body = arm.get(f"{P}/networkInterfaces/nic").json()
    inner = body["properties"]["ipConfigurations"][0]["properties"]

    def change(address: str) -> str:
        inner.update(privateIPAddress=address, privateIPAllocationMethod="Static")
        response = arm.put(f"{P}/networkInterfaces/nic", body)
        arm.done(response)
        return str(response.json()["properties"]["provisioningState"])

    assert change("10.0.0.70") == "Succeeded"
    pool = f"{arm.group}/providers/{P}/loadBalancers/z/backendAddressPools/p"
    inner["loadBalancerBackendAddressPools"] = [{"id": pool}]
    assert change("10.0.0.70") == "Updating"
    assert change("10.0.0.71") == "Updating"


def test_free_addresses(arm: Arm) -> None:
    arm.done(arm.vnet())
    arm.done(arm.nic())
    path = f"{P}/virtualNetworks/vnet/CheckIPAddressAvailability"
    assert arm.get(path, ipAddress="10.0.0.9").json() == {"available": True, "isPlatformReserved": False}
    taken = arm.get(path, ipAddress="10.0.0.4").json()
    assert (taken["available"], taken["availableIPAddresses"][0], taken["isPlatformReserved"]) == (
        False,
        "10.0.0.5",
        False,
    )
    assert arm.get(path, ipAddress="10.0.0.1").json()["isPlatformReserved"] is True
    assert arm.code(arm.get(path, ipAddress="10.9.0.1")) == (400, "PrivateIPAddressNotInAnySubnet")
    assert arm.code(arm.get(path, ipAddress="x")) == (400, "InvalidIPAddressFormat")
    rows = arm.get(f"{P}/virtualNetworks/vnet/usages").json()["value"]
    assert [(row["currentValue"], row["limit"]) for row in rows] == [(1.0, 251.0)]


def test_a_label_gives_an_interface_an_internal_name(arm: Arm) -> None:
    arm.network()
    body = arm.nic_body()
    body["properties"]["dnsSettings"] = {"internalDnsNameLabel": "web"}
    shown = arm.put("Microsoft.Network/networkInterfaces/labelled", body).json()["properties"]["dnsSettings"]
    assert shown["internalFqdn"] == f"web.{shown['internalDomainNameSuffix']}"
