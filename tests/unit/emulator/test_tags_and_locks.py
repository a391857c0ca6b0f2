# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tags apart from their resources, and locks."""

from __future__ import annotations

import pytest

from .conftest import Arm

TAGS = "providers/Microsoft.Resources/tags/default"
LOCKS = "providers/Microsoft.Authorization/locks"
NSG = "Microsoft.Network/networkSecurityGroups/nsg"
VERSION = {"api-version": "2020-05-01"}
TAG_VERSION = {"api-version": "2022-09-01"}


def scope_of(arm: Arm, kind: str) -> str:
    """A subscription, a group or a resource."""
    return {"subscription": arm.subscription, "group": arm.group, "resource": f"{arm.group}/providers/{NSG}"}[kind]


@pytest.mark.parametrize("kind", ["subscription", "group", "resource"])
def test_tags_of_any_scope(arm: Arm, kind: str) -> None:
    arm.done(arm.nsg())
    path = f"{scope_of(arm, kind)}/{TAGS}"

    def patched(operation: str, tags: dict[str, str]) -> dict[str, str]:
        body = {"operation": operation, "properties": {"tags": tags}}
        found: dict[str, str] = arm.patch(path, body, **TAG_VERSION).json()["properties"]["tags"]
        return found

    assert arm.put(path, {"properties": {"tags": {"a": "1"}}}, **TAG_VERSION).json()["properties"]["tags"] == {"a": "1"}
    assert patched("Merge", {"A": "2", "b": "3"}) == {"A": "2", "b": "3"}
    assert patched("Delete", {"b": "3", "a": "other"}) == {"A": "2"}
    assert patched("Replace", {"c": "4"}) == {"c": "4"}
    assert arm.get(scope_of(arm, kind)).json()["tags"] == {"c": "4"}
    assert arm.code(arm.patch(path, {"operation": "Add", "properties": {"tags": {}}}, **TAG_VERSION))[0] == 400
    assert arm.delete(path, **TAG_VERSION).status_code == 200
    shown = arm.get(path, **TAG_VERSION).json()
    assert (shown["name"], shown["type"], shown["properties"]) == ("default", "Microsoft.Resources/tags", {"tags": {}})


def test_names_of_all_tags(arm: Arm) -> None:
    for number, value in enumerate(("red", "red", "blue")):
        arm.done(arm.put(f"{NSG}{number}", {"location": "eastus", "tags": {f"colour-{arm.name}": value}}))
    listed = arm.get(f"{arm.subscription}/tagNames", **TAG_VERSION).json()["value"]
    (mine,) = [item for item in listed if item["tagName"] == f"colour-{arm.name}"]
    assert mine["count"] == {"type": "Total", "value": 3}
    assert {item["tagValue"]: item["count"]["value"] for item in mine["values"]} == {"red": 2, "blue": 1}


def test_tags_of_what_does_not_exist(arm: Arm) -> None:
    assert arm.code(arm.get(f"{arm.group}/providers/{NSG}/{TAGS}", **TAG_VERSION)) == (404, "ResourceNotFound")
    assert arm.code(arm.get(f"{arm.group}-none/{TAGS}", **TAG_VERSION)) == (404, "ResourceGroupNotFound")


@pytest.mark.parametrize("kind", ["group", "resource"])
def test_a_lock_keeps_from_deletion(arm: Arm, kind: str) -> None:
    arm.done(arm.nsg())
    path = f"{scope_of(arm, kind)}/{LOCKS}/keep"
    body = {"properties": {"level": "CanNotDelete", "notes": "production"}}
    assert arm.put(path, body, **VERSION).status_code == 201
    assert arm.put(path, body, **VERSION).status_code == 200
    assert arm.get(path, **VERSION).json()["properties"] == body["properties"]
    for target in (arm.group, NSG):
        refused = arm.delete(target)
        assert arm.code(refused) == (409, "ScopeLocked")
        assert "cannot perform delete operation because following scope(s) are locked" in refused.text
    arm.done(arm.nsg())
    assert [lock["name"] for lock in arm.get(f"{arm.group}/{LOCKS}", **VERSION).json()["value"]] == ["keep"]
    above = arm.get(f"{arm.group}/providers/{NSG}/{LOCKS}", dollar_filter="atScope()", **VERSION)
    assert len(above.json()["value"]) == 1
    assert arm.delete(path, **VERSION).status_code == 200
    assert arm.delete(path, **VERSION).status_code == 204
    assert arm.code(arm.get(path, **VERSION)) == (404, "LockNotFound")
    assert arm.delete(NSG).status_code == 202


def test_a_read_only_lock_keeps_from_every_change(arm: Arm) -> None:
    arm.done(arm.nsg())
    path = f"{arm.group}/{LOCKS}/frozen"
    arm.put(path, {"properties": {"level": "ReadOnly"}}, **VERSION)
    assert arm.code(arm.nsg("other")) == (409, "ScopeLocked")
    assert arm.code(arm.put(f"{arm.group}/{TAGS}", {"properties": {"tags": {}}})) == (409, "ScopeLocked")
    assert arm.get(NSG).status_code == 200
    assert arm.delete(path, **VERSION).status_code == 200
    arm.done(arm.nsg("other"))


def test_a_lock_has_a_level(arm: Arm) -> None:
    assert arm.code(arm.put(f"{arm.group}/{LOCKS}/x", {"properties": {}}, **VERSION)) == (400, "InvalidLockLevel")
