# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which rights requests need, roles, and the terms of images that are sold."""

from __future__ import annotations

import typing as t

import pytest

from azure_emulator.rights import right_of

if t.TYPE_CHECKING:
    from .conftest import Arm

VNET = "Microsoft.Network/virtualNetworks/vnet"
GROUP = "/subscriptions/s/resourceGroups/g"
COMPUTE = "/subscriptions/s/providers/Microsoft.Compute"
TERMS = "Microsoft.MarketplaceOrdering/offerTypes/virtualmachine/publishers/p/offers/o/plans/n/agreements/current"


@pytest.mark.parametrize(
    ("method", "path", "action"),
    [
        ("GET", GROUP, "Microsoft.Resources/subscriptions/resourceGroups/read"),
        ("PUT", GROUP, "Microsoft.Resources/subscriptions/resourceGroups/write"),
        ("GET", f"{GROUP}/resources", "Microsoft.Resources/subscriptions/resourceGroups/resources/read"),
        ("GET", "/subscriptions/s/operationresults/j", "Microsoft.Resources/subscriptions/operationresults/read"),
        ("GET", "/subscriptions/s/providers", "Microsoft.Resources/subscriptions/providers/read"),
        ("GET", COMPUTE, "Microsoft.Resources/subscriptions/providers/read"),
        ("POST", f"{COMPUTE}/register", "Microsoft.Compute/register/action"),
        ("GET", f"{COMPUTE}/skus", "Microsoft.Compute/skus/read"),
        ("GET", f"{COMPUTE}/locations/l/usages", "Microsoft.Compute/locations/usages/read"),
        ("GET", f"{COMPUTE}/locations/l/DiskOperations/o", "Microsoft.Compute/locations/diskOperations/read"),
        (
            "GET",
            f"{COMPUTE}/locations/l/publishers/p/artifacttypes/vmimage/offers/o/skus/s/versions/1",
            "Microsoft.Compute/locations/publishers/artifacttypes/offers/skus/versions/read",
        ),
        ("PATCH", f"{GROUP}/providers/Microsoft.Compute/disks/d", "Microsoft.Compute/disks/write"),
        (
            "POST",
            f"{GROUP}/providers/Microsoft.Compute/virtualMachines/v/start",
            "Microsoft.Compute/virtualMachines/start/action",
        ),
        (
            "GET",
            f"{GROUP}/providers/Microsoft.Compute/virtualMachines/v/vmSizes",
            "Microsoft.Compute/virtualMachines/vmSizes/read",
        ),
        ("DELETE", f"{GROUP}/providers/{VNET}/subnets/x", "Microsoft.Network/virtualNetworks/subnets/delete"),
    ],
)
def test_actions_by_path(method: str, path: str, action: str) -> None:
    right = right_of(method, path)
    assert right is not None
    assert right.action == action


@pytest.mark.parametrize("path", ["/subscriptions", "/tenants", "/metadata/endpoints"])
def test_what_everybody_may_ask(path: str) -> None:
    assert right_of("GET", path) is None


def test_a_role_allows_what_it_lists(arm: Arm) -> None:
    arm.azure.switch("role", ["Microsoft.Network/virtualNetworks/read", "Microsoft.Network/virtualNetworks/w*"])
    assert arm.vnet().status_code == 201
    assert arm.code(arm.get("Microsoft.Compute/virtualMachines")) == (403, "AuthorizationFailed")


def test_what_a_body_refers_to_needs_rights_too(arm: Arm) -> None:
    arm.azure.switch("forbidden", ["Microsoft.Network/networkSecurityGroups/join/action"])
    group = f"{arm.group}/providers/Microsoft.Network/networkSecurityGroups/other"
    subnet = {"name": "a", "properties": {"addressPrefix": "10.0.0.0/24", "networkSecurityGroup": {"id": group}}}
    space = {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}, "subnets": [subnet]}
    response = arm.put(VNET, {"location": "westeurope", "properties": space})
    assert arm.code(response) == (403, "LinkedAuthorizationFailed")
    assert "networkSecurityGroups/join/action" in response.json()["error"]["message"]
    assert group in response.json()["error"]["message"]


def test_the_client_can_ask_what_it_may(arm: Arm) -> None:
    arm.azure.switch("forbidden", ["Microsoft.Network/virtualNetworks/write"])
    answer = arm.get("Microsoft.Authorization/permissions", **{"api-version": "2022-04-01"}).json()
    assert answer["value"][0]["actions"] == ["*"]
    assert answer["value"][0]["notActions"] == ["Microsoft.Network/virtualNetworks/write"]


def test_terms_are_accepted_once(arm: Arm) -> None:
    path = f"{arm.subscription}/providers/{TERMS}"
    version = {"api-version": "2021-01-01"}
    assert arm.get(path, **version).json()["properties"]["accepted"] is False
    accepted = arm.put(path, {"properties": {"accepted": True}}, **version)
    assert accepted.json()["properties"]["accepted"] is True
    assert arm.get(path, **version).json()["properties"]["accepted"] is True
