# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Resource groups, and lists of what is in them."""

from __future__ import annotations

import time
import typing as t

import pytest

if t.TYPE_CHECKING:
    from .conftest import Arm


def _delete(arm: Arm, path: str) -> t.Any:
    response = arm.delete(path)
    assert response.status_code == 202
    assert response.content == b""
    assert "azure-asyncoperation" not in response.headers
    seen = []
    while response.status_code == 202:
        assert int(response.headers["retry-after"]) >= 1
        seen.append(response.headers["location"])
        time.sleep(0.01)
        response = arm.http.get(seen[-1])
    return response


def test_life_of_a_group(arm: Arm) -> None:
    path = arm.group + "-more"
    created = arm.put(path, {"location": "East US", "tags": {"a": "b"}})
    assert created.status_code == 201
    assert created.json() == {
        "id": path,
        "name": arm.name + "-more",
        "type": "Microsoft.Resources/resourceGroups",
        "location": "eastus",
        "tags": {"a": "b"},
        "properties": {"provisioningState": "Succeeded"},
    }
    assert arm.request("HEAD", path).status_code == 204
    assert arm.patch(path, {"tags": {"c": "d"}}).json()["tags"] == {"c": "d"}
    again = arm.put(path, {"location": "eastus"})
    assert again.status_code == 200
    assert "tags" not in again.json()
    assert path in [group["id"] for group in arm.get(f"{arm.subscription}/resourceGroups").json()["value"]]
    ended = _delete(arm, path)
    assert (ended.status_code, ended.content) == (200, b"")
    assert arm.request("HEAD", path).status_code == 404
    assert arm.code(arm.delete(path)) == (404, "ResourceGroupNotFound")


@pytest.mark.parametrize(
    ("name", "body", "status", "code"),
    [
        ("good", {}, 400, "LocationRequired"),
        ("good", {"location": "mars"}, 400, "LocationNotAvailableForResourceGroup"),
        ("good", {"location": "eastus", "colour": 1}, 400, "InvalidRequestContent"),
        ("good", {"location": "eastus", "tags": {"a/b": "c"}}, 400, "InvalidTagNameCharacters"),
        ("good", {"location": "eastus", "tags": {"a": "c" * 257}}, 400, "InvalidTagValueLength"),
        ("ends.", {"location": "eastus"}, 400, "InvalidResourceGroup"),
        ("a" * 91, {"location": "eastus"}, 400, "InvalidResourceGroup"),
    ],
)
def test_groups_that_cannot_be(arm: Arm, name: str, body: t.Any, status: int, code: str) -> None:
    assert arm.code(arm.put(f"{arm.subscription}/resourceGroups/{name}", body)) == (status, code)


def test_a_group_stays_where_it_is(arm: Arm) -> None:
    assert arm.code(arm.put(arm.group, {"location": "westus"})) == (409, "InvalidResourceGroupLocation")


def test_deleting_takes_everything(ready: Arm) -> None:
    ready.done(ready.put("Microsoft.Compute/virtualMachines/vm/extensions/e", ready.extension_body()))
    assert _delete(ready, ready.group).status_code == 200
    assert not [id_ for id_ in ready.azure.dump() if id_.lower().startswith(ready.group.lower() + "/")]
    assert not ready.azure.names()


def test_nothing_is_written_while_a_group_goes(arm: Arm) -> None:
    arm.done(arm.vnet())
    arm.azure.hold()
    arm.delete(arm.group)
    assert arm.get(arm.group).json()["properties"]["provisioningState"] == "Deleting"
    assert arm.code(arm.vnet("other")) == (409, "ResourceGroupBeingDeleted")
    assert arm.code(arm.put(arm.group, {"location": "eastus"})) == (409, "ResourceGroupBeingDeleted")


def test_a_group_that_is_needed_elsewhere_stays(arm: Arm) -> None:
    arm.done(arm.vnet())
    other = arm.group + "-other"
    arm.put(other, {"location": "eastus"})
    nic = f"{other}/providers/Microsoft.Network/networkInterfaces/nic"
    arm.done(arm.put(nic, arm.nic_body()))
    ended = _delete(arm, arm.group)
    assert ended.status_code == 409
    error = ended.json()["Error"]
    assert error["Code"] == "ResourceGroupDeletionBlocked"
    assert error["Details"][0]["Target"].endswith("/virtualNetworks/vnet")
    assert arm.get(arm.group).json()["properties"]["provisioningState"] == "Succeeded"
    assert _delete(arm, other).status_code == 200
    assert _delete(arm, arm.group).status_code == 200


def test_lists_of_resources(arm: Arm) -> None:
    body = {"location": "eastus", "tags": {"role": "x"}}
    arm.done(arm.put("Microsoft.Network/networkSecurityGroups/tagged", body))
    arm.done(arm.vnet())
    everything = arm.get(f"{arm.group}/resources").json()["value"]
    assert sorted(item["name"] for item in everything) == ["tagged", "vnet"]
    path = f"{arm.subscription}/resources"
    tagged = arm.get(path, dollar_filter="tagName eq 'role' and tagValue eq 'x'").json()["value"]
    assert [item["name"] for item in tagged] == ["tagged"]
    kind = "resourceType eq 'Microsoft.Network/virtualNetworks' and resourceGroup eq '" + arm.name + "'"
    assert [item["name"] for item in arm.get(path, dollar_filter=kind).json()["value"]] == ["vnet"]
    arm.network()
    arm.vm()
    arm.done(arm.put("Microsoft.Compute/virtualMachines/vm/extensions/script", arm.extension_body()))
    kind = f"resourceType eq 'Microsoft.Compute/virtualMachines/extensions' and resourceGroup eq '{arm.name}'"
    assert [item["name"] for item in arm.get(path, dollar_filter=kind).json()["value"]] == ["vm/script"]
