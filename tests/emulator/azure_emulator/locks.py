# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Microsoft.Authorization/locks: they keep a subscription, a group or a resource from being deleted or changed."""

from __future__ import annotations

import typing as t

from .arm.messages import ArmRequest, Reply
from .arm.resource import Json
from .arm.routing import route_at_any_scope
from .errors import ApiError

if t.TYPE_CHECKING:
    from .cloud import Cloud

TYPE = "Microsoft.Authorization/locks"
ONE = f"{TYPE}/{{name}}"
LEVELS = ("CanNotDelete", "ReadOnly")
MARK = f"/providers/{TYPE}".lower()


class Locks:
    """All locks, by their ids in lower case."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._locks: dict[str, Json] = dict(cloud.load("values").get("locks") or {})

    def get(self, id_: str) -> Json | None:
        """Return the body of a lock."""
        return self._locks.get(id_.lower())

    def set(self, id_: str, body: Json | None) -> None:
        """Add or change a lock, or with None remove it."""
        if body is None:
            self._locks.pop(id_.lower(), None)
        else:
            self._locks[id_.lower()] = body
        self._cloud.put("values", "locks", self._locks)

    def within(self, scope: str) -> list[Json]:
        """Return the locks of a scope and of everything in it."""
        return [lock for lock in self._locks.values() if _is_in(_locked(lock), scope)]

    def above(self, scope: str) -> list[Json]:
        """Return the locks of a scope and of what it is in."""
        return [lock for lock in self._locks.values() if _is_in(scope, _locked(lock))]


def _locked(lock: Json) -> str:
    """Return what a lock is on."""
    id_: str = lock["id"]
    return id_[: id_.lower().rindex(MARK)]


def _is_in(inner: str, outer: str) -> bool:
    return f"{inner}/".lower().startswith(f"{outer}/".lower())


def check(cloud: Cloud, request: ArmRequest) -> None:
    """Refuse a write or a deletion that a lock forbids. Whoever may write locks removes them first.

    :raises ApiError: 409 ScopeLocked.
    """
    if request.method not in ("PUT", "PATCH", "POST", "DELETE") or MARK in request.path.lower():
        return
    path = request.path.rstrip("/")
    found = cloud.locks.above(path)
    if request.method == "DELETE":
        found += [lock for lock in cloud.locks.within(path) if lock not in found]
    else:
        found = [lock for lock in found if lock["properties"]["level"] == "ReadOnly"]
    if found:
        verb = "delete" if request.method == "DELETE" else "write"
        scopes = ",".join(dict.fromkeys(_locked(lock) for lock in found))
        raise ApiError(
            409,
            "ScopeLocked",
            f"The scope '{path}' cannot perform {verb} operation because following scope(s) are locked: '{scopes}'. "
            "Please remove the lock and try again.",
        )


def _id_of(cloud: Cloud, request: ArmRequest) -> str:
    """Return the id of the lock in the path.

    :raises ApiError: 404, there is nothing to lock.
    """
    scope = request.params["scope"]
    parts = scope.strip("/").split("/")
    if len(parts) == 4:
        cloud.group(request.subscription, parts[3])
    elif len(parts) > 4:
        cloud.resource(scope)
    return f"{scope}/providers/{TYPE}/{request.params['name']}"


@route_at_any_scope("PUT", ONE, TYPE)
async def put_lock(cloud: Cloud, request: ArmRequest) -> Reply:
    """Create or change a lock."""
    given: Json = request.required_json().get("properties") or {}
    id_ = _id_of(cloud, request)
    level = next((name for name in LEVELS if name.lower() == str(given.get("level")).lower()), None)
    if level is None:
        raise ApiError(
            400,
            "InvalidLockLevel",
            f"The lock level '{given.get('level')}' is not valid. The supported levels are '{', '.join(LEVELS)}'.",
        )
    notes = {"notes": given["notes"]} if given.get("notes") else {}
    owners = {"owners": given["owners"]} if given.get("owners") else {}
    is_new = cloud.locks.get(id_) is None
    body = {"properties": {"level": level, **notes, **owners}, "id": id_, "type": TYPE, "name": request.params["name"]}
    cloud.locks.set(id_, body)
    return Reply(201 if is_new else 200, body)


@route_at_any_scope("GET", ONE, TYPE)
async def get_lock(cloud: Cloud, request: ArmRequest) -> Reply:
    """Return a lock."""
    body = cloud.locks.get(_id_of(cloud, request))
    if body is None:
        name = request.params["name"]
        raise ApiError(404, "LockNotFound", f"The lock '{name}' could not be found.")
    return Reply(200, body)


@route_at_any_scope("DELETE", ONE, TYPE)
async def delete_lock(cloud: Cloud, request: ArmRequest) -> Reply:
    """Remove a lock."""
    id_ = _id_of(cloud, request)
    if cloud.locks.get(id_) is None:
        return Reply(204)
    cloud.locks.set(id_, None)
    return Reply(200)


@route_at_any_scope("GET", TYPE, TYPE)
async def list_locks(cloud: Cloud, request: ArmRequest) -> Reply:
    """List the locks of a scope and of what is in it; with ``atScope()`` those of it and of what it is in."""
    scope = request.params["scope"]
    above = "atscope()" in request.query.get("$filter", "").lower()
    return Reply(200, {"value": cloud.locks.above(scope) if above else cloud.locks.within(scope)})
