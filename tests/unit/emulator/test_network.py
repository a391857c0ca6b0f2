# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Virtual networks, security groups, public addresses, interfaces."""

from __future__ import annotations

import typing as t

import httpx
import pytest

if t.TYPE_CHECKING:
    from .conftest import Arm

P = "Microsoft.Network"


def _rule(name: str = "docker", **changes: t.Any) -> dict[str, t.Any]:
    properties = {
        "protocol": "Tcp",
        "access": "Allow",
        "direction": "Inbound",
        "priority": 100,
        "sourceAddressPrefix": "*",
        "sourcePortRange": "*",
        "destinationAddressPrefix": "*",
        "destinationPortRange": "4243",
        **changes,
    }
    return {"name": name, "properties": {k: v for k, v in properties.items() if v is not None}}


def test_a_network_is_updating_then_succeeded(arm: Arm) -> None:
    created = arm.vnet()
    assert created.status_code == 201
    body = created.json()
    assert created.headers["azure-asyncnotification"] == "Enabled"
    assert int(created.headers["retry-after"]) >= 1
    assert "location" not in created.headers
    properties = body["properties"]
    assert properties["provisioningState"] == properties["subnets"][0]["properties"]["provisioningState"] == "Updating"
    first = arm.http.get(created.headers["azure-asyncoperation"])
    assert (first.json(), first.headers["retry-after"]) == ({"status": "InProgress"}, "1")
    assert arm.follow(created) == {"status": "Succeeded"}
    after = arm.get(f"{P}/virtualNetworks/vnet")
    assert after.headers["etag"] == after.json()["etag"] != body["etag"]
    assert after.json()["properties"]["subnets"][0]["etag"] == after.json()["etag"]
    assert after.json()["properties"]["privateEndpointVNetPolicies"] == "Disabled"
    assert arm.vnet().status_code == 200


def test_a_subnet_shows_its_services_and_delegations(arm: Arm) -> None:
    properties: dict[str, t.Any] = {
        "addressPrefix": "10.0.1.0/24",
        "serviceEndpoints": [
            {"service": "Microsoft.Storage"},
            {"service": "Microsoft.KeyVault"},
            {"service": "Microsoft.Sql"},
        ],
        "delegations": [{"name": "web", "properties": {"serviceName": "Microsoft.Web/serverFarms"}}],
        "routeTable": {"id": f"{arm.subscription}/resourceGroups/other/providers/{P}/routeTables/routes"},
    }
    arm.done(arm.vnet())
    subnet = f"{P}/virtualNetworks/vnet/subnets/services"
    arm.done(arm.put(subnet, {"properties": properties}))
    shown = arm.get(subnet).json()
    assert shown["properties"]["serviceEndpoints"] == [
        {"provisioningState": "Succeeded", "service": "Microsoft.Storage", "locations": ["eastus", "westus"]},
        {"provisioningState": "Succeeded", "service": "Microsoft.KeyVault", "locations": ["*"]},
        {"provisioningState": "Succeeded", "service": "Microsoft.Sql", "locations": ["eastus"]},
    ]
    assert shown["properties"]["delegations"] == [
        {
            "name": "web",
            "id": f"{shown['id']}/delegations/web",
            "etag": shown["etag"],
            "properties": {
                "provisioningState": "Succeeded",
                "serviceName": "Microsoft.Web/serverFarms",
                "actions": ["Microsoft.Network/virtualNetworks/subnets/action"],
            },
            "type": "Microsoft.Network/virtualNetworks/subnets/delegations",
        }
    ]
    assert shown["properties"]["routeTable"] == properties["routeTable"]
    arm.done(arm.put(subnet, shown))
    again = arm.get(subnet).json()
    for part in ("serviceEndpoints", "routeTable"):
        assert again["properties"][part] == shown["properties"][part]
    assert [item["name"] for item in again["properties"]["delegations"]] == ["web"]


def test_older_versions_show_less(arm: Arm) -> None:
    arm.done(arm.vnet())
    body = arm.get(f"{P}/virtualNetworks/vnet", **{"api-version": "2016-12-01"}).json()["properties"]
    assert "enableDdosProtection" not in body
    assert "delegations" not in body["subnets"][0]["properties"]


@pytest.mark.parametrize(
    ("spaces", "subnets", "code"),
    [
        (["nonsense"], [], "InvalidAddressPrefixFormat"),
        (["10.0.0.0"], [], "InvalidAddressPrefixFormat"),
        (["10.0.0.1/16"], [], "InvalidCIDRNotation"),
        (["10.0.0.0/16"], ["10.1.0.0/24"], "NetcfgInvalidSubnet"),
        (["10.0.0.0/16"], ["10.0.0.0/24", "10.0.0.128/25"], "NetcfgSubnetRangesOverlap"),
    ],
)
def test_networks_that_cannot_be(arm: Arm, spaces: list[str], subnets: list[str], code: str) -> None:
    parts = [{"name": f"s{n}", "properties": {"addressPrefix": prefix}} for n, prefix in enumerate(subnets)]
    body = {"location": "eastus", "properties": {"addressSpace": {"addressPrefixes": spaces}, "subnets": parts}}
    response = arm.put(f"{P}/virtualNetworks/vnet", body)
    assert arm.code(response) == (400, code)
    assert response.json()["error"]["details"] == []
    assert arm.get(f"{P}/virtualNetworks/vnet").status_code == 404


def test_subnets_as_resources(arm: Arm) -> None:
    arm.done(arm.vnet())
    path = f"{P}/virtualNetworks/vnet/subnets/more"
    created = arm.put(path, {"properties": {"addressPrefix": "10.0.9.0/24"}})
    assert created.status_code == 201
    assert arm.get(f"{P}/virtualNetworks/vnet").json()["properties"]["provisioningState"] == "Updating"
    arm.done(created)
    assert arm.get(f"{P}/virtualNetworks/vnet").json()["properties"]["provisioningState"] == "Succeeded"
    assert [item["name"] for item in arm.get(f"{P}/virtualNetworks/vnet/subnets").json()["value"]] == ["subnet", "more"]
    assert arm.code(arm.put(path, {"properties": {"addressPrefix": "10.0.0.0/25"}})) == (
        400,
        "NetcfgSubnetRangesOverlap",
    )
    arm.done(arm.delete(path))
    assert arm.code(arm.get(path)) == (404, "NotFound")
    assert arm.code(arm.get(path.replace("vnet", "none"))) == (404, "ResourceNotFound")


@pytest.mark.parametrize(("version", "private"), [("2025-05-01", None), ("2025-07-01", False)])
def test_subnets_of_new_networks_are_private_with_newer_api_versions(
    arm: Arm, version: str, private: bool | None
) -> None:
    def subnets() -> dict[str, bool | None]:
        shown = arm.get(path, **{"api-version": "2025-07-01"}).json()["properties"]["subnets"]
        return {item["name"]: item["properties"].get("defaultOutboundAccess") for item in shown}

    path = f"{P}/virtualNetworks/vnet"
    prefixes = {name: {"addressPrefix": f"10.0.{number}.0/24"} for number, name in enumerate(("a", "open", "later"))}
    prefixes["open"]["defaultOutboundAccess"] = True  # type: ignore[assignment]
    parts = [{"name": name, "properties": prefixes[name]} for name in ("a", "open")]
    body = {
        "location": "eastus",
        "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}, "subnets": parts},
    }
    arm.done(arm.put(path, body, **{"api-version": version}))
    assert subnets() == {"a": private, "open": True}
    # A network keeps its way, whatever a later request is written with.
    arm.done(arm.put(f"{path}/subnets/later", {"properties": prefixes["later"]}, **{"api-version": "2025-07-01"}))
    assert subnets() == {"a": private, "open": True, "later": private}


def test_a_network_without_the_word_subnets_keeps_them(arm: Arm) -> None:
    arm.done(arm.vnet())
    body: t.Any = {"location": "eastus", "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}}}
    assert arm.done(arm.put(f"{P}/virtualNetworks/vnet", body)).json()["properties"]["subnets"]
    body["properties"]["subnets"] = []
    assert arm.done(arm.put(f"{P}/virtualNetworks/vnet", body)).json()["properties"]["subnets"] == []


def test_two_clients_that_make_one_network(arm: Arm) -> None:
    arm.azure.hold()
    first, second = arm.vnet(), arm.vnet()
    assert (first.status_code, second.status_code) == (201, 200)
    canceled = arm.follow(first)
    assert canceled["status"] == "Canceled"
    assert canceled["error"]["details"][0]["code"] == "CanceledAndSupersededDueToAnotherOperation"
    assert "PutVirtualNetworkOperation" in canceled["error"]["details"][0]["message"]
    subnet = arm.put(f"{P}/virtualNetworks/vnet/subnets/more", {"properties": {"addressPrefix": "10.0.9.0/24"}})
    assert arm.code(subnet) == (429, "AnotherOperationInProgress")
    arm.azure.hold(False)
    arm.azure.release(arm.azure.operations()[-1]["id"])
    assert arm.follow(second) == {"status": "Succeeded"}


def test_security_group(arm: Arm) -> None:
    created = arm.nsg("nsg", _rule())
    assert created.status_code == 201
    body = created.json()
    defaults = {rule["name"]: rule["properties"]["priority"] for rule in body["properties"]["defaultSecurityRules"]}
    assert sorted(defaults.values()) == [65000, 65000, 65001, 65001, 65500, 65500]
    assert body["properties"]["securityRules"][0]["properties"]["sourceAddressPrefixes"] == []
    arm.done(created)
    path = f"{P}/networkSecurityGroups/nsg"
    added = arm.put(
        f"{path}/securityRules/ssh", {"properties": _rule(priority=110, destinationPortRange="22")["properties"]}
    )
    assert added.status_code == 201
    arm.done(added)
    assert [rule["name"] for rule in arm.get(f"{path}/securityRules").json()["value"]] == ["docker", "ssh"]
    assert len(arm.get(f"{path}/defaultSecurityRules").json()["value"]) == 6
    arm.done(arm.delete(f"{path}/securityRules/ssh"))
    assert [rule["name"] for rule in arm.get(path).json()["properties"]["securityRules"]] == ["docker"]


def several(*sources: str) -> dict[str, t.Any]:
    """A change of a rule: sources in a list."""
    return {"sourceAddressPrefix": None, "sourceAddressPrefixes": list(sources)}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"priority": 99}, "SecurityRuleInvalidPriority"),
        ({"sourceAddressPrefix": "not an address"}, "SecurityRuleInvalidAddressPrefix"),
        ({"sourceAddressPrefix": "10.0.0.1/8"}, "SecurityRuleInvalidAddressPrefix"),
        ({"sourceAddressPrefix": "10.0.0.0/255.0.0.0"}, "SecurityRuleInvalidAddressPrefix"),
        (several("10.0.0.0/8", "10.1.0.0/16"), "OverlappingSubnetsNotPermittedInSecurityRule"),
        (several("10.0.0.4", "10.0.0.4/32"), "OverlappingSubnetsNotPermittedInSecurityRule"),
        (several("10.0.0.0/8", "Internet"), "SecurityRuleParameterContainsUnsupportedValue"),
        ({"destinationPortRange": "70000"}, "SecurityRuleInvalidPortRange"),
        ({"destinationPortRange": "20-10"}, "SecurityRuleInvalidPortRange"),
        ({"destinationPortRange": None}, "SecurityRuleParameterContainsNoValue"),
        ({"access": None}, "InvalidRequestFormat"),
        ({"protocol": "Gre"}, "InvalidRequestFormat"),
        ({"priority": "many"}, "InvalidRequestFormat"),
    ],
)
def test_rules_that_cannot_be(arm: Arm, change: dict[str, t.Any], code: str) -> None:
    assert arm.code(arm.nsg("nsg", _rule(**change))) == (400, code)


def test_a_bare_integer_is_an_address(arm: Arm) -> None:
    body = arm.done(arm.nsg("nsg", _rule(sourceAddressPrefix="789"))).json()
    assert body["properties"]["securityRules"][0]["properties"]["sourceAddressPrefix"] == "789"
    overlapping = _rule(**several("789", "0.0.3.0/24"))
    assert arm.code(arm.nsg("nsg", overlapping)) == (400, "OverlappingSubnetsNotPermittedInSecurityRule")
    assert arm.code(arm.nsg("nsg", _rule(sourceAddressPrefix=str(2**32)))) == (
        400,
        "SecurityRuleInvalidAddressPrefix",
    )


def test_a_put_that_changes_nothing_ends_at_once(arm: Arm) -> None:
    writes: dict[str, t.Callable[[], httpx.Response]] = {
        "virtualNetworks/vnet": arm.vnet,
        "networkSecurityGroups/nsg": lambda: arm.nsg("nsg", _rule()),
    }
    for path, write in writes.items():
        arm.done(write())
        before = arm.get(f"{P}/{path}").json()
        again = write()
        assert (again.status_code, "azure-asyncoperation" in again.headers) == (200, True)
        assert arm.done(again).json() == before == arm.get(f"{P}/{path}").json()
    changed = arm.nsg("nsg", _rule(destinationPortRange="81"))
    assert changed.json()["properties"]["provisioningState"] == "Updating"
    arm.done(changed)
    assert arm.nsg("nsg").json()["properties"]["provisioningState"] == "Updating"


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


def test_rules_need_priorities_of_their_own(arm: Arm) -> None:
    assert arm.code(arm.nsg("nsg", _rule("a"), _rule("b"))) == (400, "SecurityRuleConflict")
    assert arm.nsg("nsg", _rule("a"), _rule("b", direction="Outbound")).status_code == 201


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


def test_what_is_used_cannot_be_deleted(ready: Arm) -> None:
    expected = {
        "networkInterfaces/nic": "NicInUse",
        "networkSecurityGroups/nsg": "InUseNetworkSecurityGroupCannotBeDeleted",
        "publicIPAddresses/ip": "PublicIPAddressCannotBeDeleted",
        "virtualNetworks/vnet": "InUseSubnetCannotBeDeleted",
        "virtualNetworks/vnet/subnets/subnet": "InUseSubnetCannotBeDeleted",
    }
    for path, code in expected.items():
        response = ready.delete(f"{P}/{path}")
        assert ready.code(response) == (400, code)
        assert response.json()["error"]["details"] == []
    ready.done(ready.delete("Microsoft.Compute/virtualMachines/vm"))
    for path in list(expected)[:4]:
        response = ready.delete(f"{P}/{path}")
        assert response.status_code == 202
        assert "/operationResults/" in response.headers["location"]
        assert ready.follow(response) == {"status": "Succeeded"}
        assert ready.delete(f"{P}/{path}").status_code == 204


def test_tag_names_differ_not_by_case(arm: Arm) -> None:
    made = arm.put(f"{P}/networkSecurityGroups/nsg", {"location": "eastus", "tags": {"Key": "a", "KEY": "b", "x": "y"}})
    assert made.json()["tags"] == {"Key": "b", "x": "y"}
    arm.done(made)
    patched = arm.patch(f"{P}/networkSecurityGroups/nsg", {"tags": {"KEY": "c", "key": "d"}})
    assert patched.json()["tags"] == {"KEY": "d"}


def test_tags_by_patch(arm: Arm) -> None:
    arm.done(arm.vnet())
    path = f"{P}/virtualNetworks/vnet"
    patched = arm.patch(path, {"tags": {"a": "b"}})
    assert (patched.status_code, patched.json()["tags"]) == (200, {"a": "b"})
    assert arm.code(arm.patch(path, {"properties": {}})) == (400, "InvalidRequestFormat")


def test_etags_guard_writes(arm: Arm) -> None:
    arm.done(arm.vnet())
    path = f"{P}/virtualNetworks/vnet"
    body = {"location": "eastus", "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}}}
    assert arm.code(arm.put(path, body, header_If_Match='W/"old"')) == (412, "PreconditionFailed")
    assert arm.code(arm.put(path, body, header_If_None_Match="*")) == (412, "PreconditionFailed")
    etag = arm.get(path).json()["etag"]
    assert arm.put(path, body, header_If_Match=etag).status_code == 200


def test_application_security_groups(arm: Arm) -> None:
    path = f"{P}/applicationSecurityGroups/web"
    created = arm.put(path, {"location": "eastus"})
    assert (created.status_code, created.json()["properties"]) == (201, {"provisioningState": "Updating"})
    arm.done(created)
    assert arm.put(path, {"location": "eastus"}).json()["properties"] == {"provisioningState": "Succeeded"}
    reference = [{"id": arm.get(path).json()["id"]}]
    change = {"sourceAddressPrefix": None, "sourceApplicationSecurityGroups": reference}
    rule = arm.done(arm.nsg("nsg", _rule(**change))).json()["properties"]["securityRules"][0]
    assert rule["properties"]["sourceApplicationSecurityGroups"] == reference
    arm.done(arm.delete(path))
    assert arm.code(arm.get(path)) == (404, "ResourceNotFound")


def test_lists(arm: Arm) -> None:
    arm.done(arm.vnet())
    body = arm.get(f"{P}/virtualNetworks/vnet").json()
    assert arm.get(f"{P}/virtualNetworks").json() == {"value": [body]}
    assert body in arm.get(f"{arm.subscription}/providers/{P}/virtualNetworks").json()["value"]
    configurations = arm.nic().json()["properties"]["ipConfigurations"]
    assert arm.get(f"{P}/networkInterfaces/nic/ipConfigurations").json() == {"value": configurations}


def test_free_addresses(arm: Arm) -> None:
    arm.done(arm.vnet())
    arm.done(arm.nic())
    path = f"{P}/virtualNetworks/vnet/CheckIPAddressAvailability"
    assert arm.get(path, ipAddress="10.0.0.9").json()["available"] is True
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
