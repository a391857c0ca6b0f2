# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whatever a client sends: an answer in Azure's form, and never an internal error."""

from __future__ import annotations

import copy
import random
import typing as t

import pytest

if t.TYPE_CHECKING:
    from .conftest import Arm

JUNK: tuple[t.Any, ...] = (
    None,
    "",
    "x",
    0,
    -1,
    1e300,
    True,
    [],
    {},
    [None],
    {"id": None},
    {"id": "/x"},
    "\u0000",
    "ä" * 300,
    [[]],
)


def _places(value: t.Any, path: tuple[t.Any, ...] = ()) -> list[tuple[t.Any, ...]]:
    found = [path] if path else []
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        found += _places(item, (*path, key))
    return found


def _spoiled(body: t.Any, place: tuple[t.Any, ...], junk: t.Any) -> t.Any:
    changed = copy.deepcopy(body)
    target = changed
    for key in place[:-1]:
        target = target[key]
    target[place[-1]] = junk
    return changed


def _bodies(arm: Arm) -> dict[str, t.Any]:
    rule = {"protocol": "Tcp", "access": "Allow", "direction": "Inbound", "priority": 100}
    rule |= {
        "sourceAddressPrefix": "*",
        "sourcePortRange": "*",
        "destinationAddressPrefix": "*",
        "destinationPortRange": "1",
    }
    vm = arm.vm_body("spare", "v")
    vm["properties"]["storageProfile"]["dataDisks"] = [{"lun": 0, "createOption": "Empty", "diskSizeGB": 4}]
    space = {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}}
    subnet = {"name": "s", "properties": {"addressPrefix": "10.0.0.0/24"}}
    dns = {"domainNameLabel": "fuzz"}
    return {
        "Microsoft.Network/virtualNetworks/v": {
            "location": "eastus",
            "tags": {"a": "b"},
            "properties": {**space, "subnets": [subnet]},
        },
        "Microsoft.Network/networkSecurityGroups/v": {
            "location": "eastus",
            "properties": {"securityRules": [{"name": "r", "properties": rule}]},
        },
        "Microsoft.Network/publicIPAddresses/v": {
            "location": "eastus",
            "sku": {"name": "Standard"},
            "zones": ["1"],
            "properties": {"publicIPAllocationMethod": "Static", "dnsSettings": dns, "idleTimeoutInMinutes": 4},
        },
        "Microsoft.Network/networkInterfaces/v": arm.nic_body(nsg="nsg"),
        "Microsoft.Network/virtualNetworks/vnet/subnets/v": {"properties": {"addressPrefix": "10.0.7.0/24"}},
        "Microsoft.Compute/virtualMachines/v": vm,
        "Microsoft.Compute/virtualMachines/vm/extensions/v": arm.extension_body(),
        "Microsoft.Compute/virtualMachines/vm/runCommands/v": {
            "location": "eastus",
            "properties": {
                "source": {"script": "true"},
                "parameters": [{"name": "a", "value": "b"}],
                "timeoutInSeconds": 5,
            },
        },
        "Microsoft.Compute/disks/v": {
            "location": "eastus",
            "properties": {"creationData": {"createOption": "Empty"}, "diskSizeGB": 4},
        },
    }


@pytest.mark.parametrize("number", range(9))
def test_spoiled_bodies(ready: Arm, number: int) -> None:
    ready.done(ready.nic("spare"))
    path, body = list(_bodies(ready).items())[number]
    chance = random.Random(number)
    known = {operation["id"] for operation in ready.azure.operations()}
    places = _places(body)
    for place in places:
        for junk in chance.sample(JUNK, 5):
            response = ready.put(path, _spoiled(body, place, junk))
            assert response.status_code < 500, (place, junk, response.text)
            if response.status_code >= 400:
                assert response.json()["error"]["code"], (place, junk)
            else:
                ready.azure.settle()
                assert ready.get(path).status_code == 200
                ready.delete(path)
                ready.azure.settle()
    new = [operation for operation in ready.azure.operations() if operation["id"] not in known]
    assert not [o for o in new if (o["error"] or {}).get("code") == "InternalExecutionError"]


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "POST", "DELETE", "HEAD", "OPTIONS", "TRACE"])
def test_strange_paths(arm: Arm, method: str) -> None:
    for path in (
        "/",
        "//",
        "/subscriptions",
        "/subscriptions/",
        "/%00",
        "/a/oauth2/token",
        "/_control/",
        "/..;/x",
        "/" + "a/" * 200,
    ):
        response = arm.http.request(method, path, params={"api-version": "2022-09-01"}, json={})
        assert response.status_code < 500, path
    for path in ("", "/", "//", "/x", "/%2e%2e", "/x/y/z/a/b/c", "/" + "ä" * 100):
        response = arm.request(method, f"{arm.group}/providers/Microsoft.Compute{path}", {})
        assert response.status_code < 500, path


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_spoiled_changes_of_a_machine(ready: Arm, method: str) -> None:
    path = "Microsoft.Compute/virtualMachines/vm"
    body = ready.get(path).json()
    known = {operation["id"] for operation in ready.azure.operations()}
    chance = random.Random(method)
    for place in [place for place in _places(body) if place[0] == "properties"]:
        for junk in (None, *chance.sample(JUNK[1:], 2)):
            response = ready.request(method, path, _spoiled(body, place, junk))
            assert response.status_code < 500, (place, junk, response.text)
            ready.azure.settle()
    assert ready.get(path).status_code == 200
    new = [operation for operation in ready.azure.operations() if operation["id"] not in known]
    assert not [o for o in new if (o["error"] or {}).get("code") == "InternalExecutionError"]
