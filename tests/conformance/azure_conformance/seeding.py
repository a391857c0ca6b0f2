# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Create the resources that existed before a record begins."""

from __future__ import annotations

import typing as t

from .bodies import LOCATED_TYPES, Defaults, from_response, is_group, parent_of, seed_version
from .local import LocalCloud
from .mapping import Mapping
from .paths import GROUP_TYPE, Target, parse_target, resource_ids
from .preconditions import add_to_catalogue
from .resource_history import ResourceHistory

Json = dict[str, t.Any]
POWER = {"stopped": "powerOff", "deallocated": "deallocate", "deallocating": "deallocate", "stopping": "powerOff"}


class Seeder:
    """Creates resources with requests, as a client would.

    :param going_on: told of an operation that must go on, since the record shows its resource unfinished.
    :param notes: what could not be created, with the cloud's answer.
    """

    def __init__(
        self,
        cloud: LocalCloud,
        history: ResourceHistory,
        mapping: Mapping,
        going_on: t.Callable[[Target, str], None] | None = None,
    ) -> None:
        self._cloud = cloud
        self._history = history
        self._mapping = mapping
        self._defaults = Defaults(history)
        self._going_on = going_on
        self._busy: set[str] = set()
        self.notes: list[str] = []
        self.made: set[str] = set()

    async def exists(self, target: Target) -> bool:
        """Return whether the local Azure has a resource."""
        answer = await self._cloud.request("GET", self._url(target))
        return answer.status == 200

    def _url(self, target: Target, tail: str = "", version: str = "") -> str:
        return f"{self._mapping.path(target.id)}{tail}?api-version={version or seed_version(target)}"

    def _date_subnets(self, network: Target, body: Json, position: int) -> None:
        """Replace the subnets in a network's body by what the flow shows of them at the position."""
        for subnet in body["properties"].get("subnets") or []:
            child = parse_target(f"{network.id}/subnets/{subnet['name']}")
            known = self._history.body(child.key, position) if child is not None else None
            if child is not None and known is not None:
                subnet["properties"] = from_response(child, known)["properties"]

    async def group(self, target: Target) -> None:
        """Create the group of a resource."""
        found = parse_target(target.id.split("/providers/")[0])
        if found is not None:
            await self.ensure(found, 0)

    async def ensure(self, target: Target, position: int) -> None:
        """Create a resource as the flow shows it at a position, with all its dependencies, unless it exists."""
        if target.key in self._busy or not self._cloud.serves("GET", target.id):
            return
        self._busy.add(target.key)
        try:
            if not await self.exists(target):
                await self._make(target, position)
        finally:
            self._busy.discard(target.key)

    async def _make(self, target: Target, position: int) -> None:
        known = self._history.body(target.key, position)
        if not is_group(target):
            await self.group(target)
        parent = parent_of(target)
        if parent is not None:
            await self.ensure(parent, position)
            if await self.exists(target):
                return
        body = from_response(target, known) if known is not None else self._defaults.make(target)
        if body is None:
            return
        if target.kind == "network/virtualnetworks":
            self._date_subnets(target, body, position)
        if target.kind in LOCATED_TYPES:
            body.setdefault("location", self._history.location_of(target.group))
        await self.needs(target, body, position)
        state = str(((known or {}).get("properties") or {}).get("provisioningState", "")).lower()
        unfinished = state in ("creating", "updating") and self._going_on is not None and parent is not None
        self._cloud.hold(unfinished or state == "failed")
        version = self._history.written_with(target.key)
        answer = await self._cloud.request("PUT", self._url(target, version=version), self._mapping.value(body))
        self._cloud.hold(False)
        if answer.status >= 300:
            error = (answer.body or {}).get("error", {}) if isinstance(answer.body, dict) else {}
            self.notes.append(f"could not make {target.type} {target.name}: {answer.status} {error.get('message', '')}")
            return
        url = answer.headers.get("azure-asyncoperation")
        if url is not None and unfinished and self._going_on is not None:
            self._going_on(target, url)
        elif url is not None and state == "failed":
            await self._cloud.release(url, "Failed", dict(FAILURE))
        await self._cloud.settle()
        self.made.add(target.key)
        await self._after(target, known, position)

    async def needs(self, target: Target, body: Json, position: int, but: t.Container[str] = ()) -> None:
        """Create what a request's body refers to.

        :param but: keys of resources that the request itself creates.
        """
        add_to_catalogue(self._cloud.cloud, target, body)
        for used in resource_ids({k: v for k, v in body.items() if k not in ("id", "tags")}):
            inside = used
            while (parent := parent_of(inside)) is not None and self._cloud.serves("GET", parent.id):
                if parent.key == target.key:
                    break
                inside = parent
            own = used.key == target.key or used.key.startswith(target.key + "/")
            if not own and used.key not in but and inside.key not in but:
                await self.ensure(used, position)

    async def _after(self, target: Target, known: Json | None, position: int) -> None:
        """Create the users that the recorded body shows, set the machine's power state, and learn the new names."""
        await self.users(target, known or {}, position)
        if target.kind == "compute/virtualmachines":
            await self._power(target, position)
        if known is not None and target.type != GROUP_TYPE:
            answer = await self._cloud.request("GET", self._url(target))
            if answer.status == 200:
                self._mapping.learn(known, answer.body)

    async def users(self, target: Target, body: Json, position: int) -> None:
        """Create the users of a resource that its recorded body shows."""
        properties = body.get("properties") or {}
        users: list[Target] = list(resource_ids({k: properties.get(k) for k in _USERS if k in properties}))
        if target.kind == "network/virtualnetworks":
            for subnet in properties.get("subnets") or []:
                users += resource_ids((subnet.get("properties") or {}).get("ipConfigurations") or [])
        if target.kind == "compute/virtualmachines":
            users += [c for c in self._history.children(target.key, "extensions") if self._listed(body, c)]
        for user in map(_whole, users):
            if not self._history.made_later(user.key, position):
                await self.ensure(user, position)

    def _listed(self, known: Json | None, extension: Target) -> bool:
        ids = [str(r.get("id", "")).lower() for r in (known or {}).get("resources") or []]
        return extension.key in ids

    async def _power(self, target: Target, position: int) -> None:
        action = POWER.get(self._history.power(target.key, position))
        if action is not None:
            await self._cloud.request("POST", self._url(target, f"/{action}"))
            await self._cloud.settle()


FAILURE: Json = {"code": "VMExtensionProvisioningError", "message": "VM has reported a failure."}
_USERS = ("virtualMachine", "ipConfiguration", "networkInterfaces", "subnets")


def _whole(target: Target) -> Target:
    """Return the interface of an ip configuration, which is created with it."""
    parent = parent_of(target)
    return parent if target.kind.endswith("/ipconfigurations") and parent is not None else target
