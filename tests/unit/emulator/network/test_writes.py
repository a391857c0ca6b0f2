# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What all types of the provider have in common: conflicts, tags, ETags, lists."""

from __future__ import annotations

import typing as t

import httpx

from .conftest import P, security_rule

if t.TYPE_CHECKING:
    from ..conftest import Arm


def test_a_put_that_changes_nothing_ends_at_once(arm: Arm) -> None:
    writes: dict[str, t.Callable[[], httpx.Response]] = {
        "virtualNetworks/vnet": arm.vnet,
        "networkSecurityGroups/nsg": lambda: arm.nsg("nsg", security_rule()),
    }
    for path, write in writes.items():
        arm.done(write())
        before = arm.get(f"{P}/{path}").json()
        again = write()
        assert (again.status_code, "azure-asyncoperation" in again.headers) == (200, True)
        assert arm.done(again).json() == before == arm.get(f"{P}/{path}").json()
    changed = arm.nsg("nsg", security_rule(destinationPortRange="81"))
    assert changed.json()["properties"]["provisioningState"] == "Updating"
    arm.done(changed)
    assert arm.nsg("nsg").json()["properties"]["provisioningState"] == "Updating"


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
    rule = arm.done(arm.nsg("nsg", security_rule(**change))).json()["properties"]["securityRules"][0]
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
