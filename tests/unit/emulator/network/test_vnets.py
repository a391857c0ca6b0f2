# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Virtual networks and their subnets."""

from __future__ import annotations

import typing as t

import pytest

from .conftest import P

if t.TYPE_CHECKING:
    from ..conftest import Arm


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


def test_encryption_needs_an_enforcement(arm: Arm) -> None:
    network = f"{P}/virtualNetworks/vnet"
    body: dict[str, t.Any] = {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}, "encryption": {"enabled": True}}
    refused = arm.put(network, {"location": "eastus", "properties": body})
    assert arm.code(refused) == (400, "MustSpecifyBothEncryptionIntentAndEnforcementPolicy")
    body["encryption"]["enabled"] = False
    shown = arm.put(network, {"location": "eastus", "properties": body}).json()["properties"]
    assert shown["encryption"] == {"enabled": False, "enforcement": "AllowUnencrypted"}


def test_a_network_whose_servers_are_taken_away_shows_none(arm: Arm) -> None:
    network = f"{P}/virtualNetworks/vnet"
    arm.done(arm.vnet())
    body = arm.get(network).json()
    body["properties"]["dhcpOptions"] = {}
    arm.done(arm.put(network, body))
    assert arm.get(network).json()["properties"]["dhcpOptions"] == {"dnsServers": []}


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
        {"provisioningState": "Succeeded", "service": "Microsoft.Storage", "locations": ["*"]},
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
