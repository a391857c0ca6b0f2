# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The resources of one flow: their bodies over time, who uses whom, their names and locations.

A record often begins in the middle: it reads a network that it never made, or deletes a machine that came from a
template deployment. What was there before is derived from what the record says later.
"""

from __future__ import annotations

import re
import typing as t

from .paths import GROUP_TYPE, Target, parse_target, resource_ids
from .records import Flow, Interaction

Json = dict[str, t.Any]
_ID_IN_TEXT = re.compile(r"/subscriptions/[^/\s'\"]+/resourceGroups/[^/\s'\"]+/providers/[^\s'\",;]+", re.IGNORECASE)
_SUBNET_IN_USE = re.compile(r"Subnet (\S+) is in use", re.IGNORECASE)
_SHOWN_USERS: t.Mapping[str, tuple[str, ...]] = {
    "network/publicipaddresses": ("ipConfiguration",),
    "network/networkinterfaces": ("virtualMachine",),
    "network/networksecuritygroups": ("networkInterfaces", "subnets"),
    "network/virtualnetworks/subnets": ("ipConfigurations",),
}
"""By type: the members in which a resource shows who uses it; all other ids in it are of what it uses itself."""


class ResourceHistory:
    """What one flow shows about its resources."""

    def __init__(self, flow: Flow) -> None:
        self._bodies: dict[str, list[tuple[int, Json]]] = {}
        self._uses: dict[str, dict[str, Target]] = {}
        self._mentions: dict[str, Target] = {}
        self._locations: dict[str, str] = {}
        self._created: dict[str, list[int]] = {}
        self._versions: dict[str, str] = {}
        self._powers: dict[str, list[tuple[int, str]]] = {}
        self.location = "eastus"
        for position, interaction in enumerate(flow.interactions):
            self._read(position, interaction)
        self.location = next(iter(self._locations.values()), self.location)

    def _read(self, position: int, interaction: Interaction) -> None:
        target = parse_target(interaction.path)
        if target is not None:
            self._mention(target)
            self._changes(position, interaction, target)
        body = interaction.response.body
        if interaction.status < 300:
            self._walk(position, body)
            if isinstance(interaction.request.body, dict):
                self._template(position, interaction)
        elif target is not None:
            self._in_use(target, body)
        if isinstance(interaction.request.body, dict):
            for found in resource_ids(interaction.request.body):
                self._mention(found)
            if target is not None and target.type != GROUP_TYPE:
                self._users_of(target, interaction.request.body)

    def _changes(self, position: int, interaction: Interaction, target: Target) -> None:
        """Note what is made, and the machines' power states: empty text where an action changes them."""
        if interaction.method == "PUT" and interaction.status == 201:
            self._created.setdefault(target.key, []).append(position)
        powers = self._powers.setdefault(target.key, [])
        if interaction.method == "POST":
            powers.append((position, ""))
        elif interaction.status == 200 and isinstance(interaction.response.body, dict):
            view = interaction.response.body
            if target.tail.lower() != "instanceview":
                view = (view.get("properties") or {}).get("instanceView") or {}
            codes = [str(status.get("code", "")) for status in view.get("statuses") or []]
            powers += [(position, c.partition("/")[2].lower()) for c in codes if c.startswith("PowerState/")]

    def _walk(self, position: int, value: t.Any) -> None:
        """Record every resource in a body."""
        if isinstance(value, list):
            for item in value:
                self._walk(position, item)
        elif isinstance(value, dict):
            target = parse_target(value["id"]) if isinstance(value.get("id"), str) else None
            if target is not None and not target.tail:
                self._mention(target)
                if isinstance(value.get("location"), str):
                    self._locations.setdefault(target.group.lower(), value["location"].replace(" ", "").lower())
                if "properties" in value and ("name" in value or "type" in value):
                    self._bodies.setdefault(target.key, []).append((position, value))
                    self._users_of(target, value)
            for item in value.values():
                self._walk(position, item)
        elif isinstance(value, str):
            for found in resource_ids(value):
                self._mention(found)

    def _users_of(self, target: Target, body: Json) -> None:
        properties = body.get("properties")
        if not isinstance(properties, dict):
            return
        shown_users = _SHOWN_USERS.get(target.kind, ())
        for user in resource_ids([properties.get(name) for name in shown_users]):
            self._uses.setdefault(user.key, {})[target.key] = target
        others = {name: value for name, value in properties.items() if name not in shown_users and name != "subnets"}
        for used in resource_ids(others):
            if used.key != target.key and not used.key.startswith(target.key + "/"):
                self._uses.setdefault(target.key, {})[used.key] = used

    def _template(self, position: int, interaction: Interaction) -> None:
        """The resources of a template deployment, as far as they are written out."""
        properties = interaction.request.body.get("properties")
        template = properties.get("template") if isinstance(properties, dict) else None
        resources = template.get("resources") if isinstance(template, dict) else None
        deployment = parse_target(interaction.path)
        if not isinstance(resources, list) or deployment is None:
            return
        for resource in resources:
            type_, name = str(resource.get("type", "")), str(resource.get("name", ""))
            if "[" in name or type_.count("/") != name.count("/") + 1:
                continue
            provider, *types = type_.split("/")
            rest = "/".join(f"{t_}/{n}" for t_, n in zip(types, name.split("/"), strict=True))
            base = f"/subscriptions/{deployment.subscription}/resourceGroups/{deployment.group}"
            target = parse_target(f"{base}/providers/{provider}/{rest}")
            if target is not None:
                self._mention(target)
                self._bodies.setdefault(target.key, []).append((position, {**resource, "id": target.id}))
                self._users_of(target, resource)
                self._versions[target.key] = str(resource.get("apiVersion", ""))

    def _in_use(self, target: Target, body: t.Any) -> None:
        """What an error says about who uses a resource."""
        error = body.get("error") if isinstance(body, dict) else None
        message = str(error.get("message", "")) if isinstance(error, dict) else ""
        subnet = _SUBNET_IN_USE.search(message)
        used = (
            parse_target(f"{target.id}/subnets/{subnet[1]}") if subnet and target.kind.endswith("networks") else target
        )
        for text in _ID_IN_TEXT.findall(message):
            user = parse_target(text.rstrip(".,'\""))
            if user is None or used is None or user.key == target.key:
                continue
            self._mention(user)
            if user.kind.endswith("/ipconfigurations") or not user.key.startswith(target.key + "/"):
                self._uses.setdefault(user.key, {})[used.key] = used

    def _mention(self, target: Target) -> None:
        if target.type != GROUP_TYPE:
            self._mentions.setdefault(target.key, target)

    # --- questions -------------------------------------------------------------------------------------------------

    def body(self, key: str, position: int) -> Json | None:
        """What a resource looks like: the first body from a position on, else the last one before."""
        known = self._bodies.get(key, [])
        later = next((body for at, body in known if at >= position), None)
        return later if later is not None else (known[-1][1] if known else None)

    def earlier_body(self, key: str, position: int) -> Json | None:
        """Return the last body before a position."""
        return next((body for at, body in reversed(self._bodies.get(key, [])) if at < position), None)

    def children(self, key: str, type_: str) -> list[Target]:
        """Return the resources of a child type (last word, lower case) that the flow names below a resource."""
        prefix = f"{key}/{type_}/"
        return [m for k, m in self._mentions.items() if k.startswith(prefix) and "/" not in k[len(prefix) :]]

    def used_by(self, key: str) -> list[Target]:
        """What a resource, or something inside it, uses."""
        found: dict[str, Target] = {}
        for user, used in self._uses.items():
            if user == key or user.startswith(key + "/"):
                found.update({k: v for k, v in used.items() if not k.startswith(key + "/")})
        return list(found.values())

    def users(self, key: str) -> list[Target]:
        """Who uses a resource or something inside it."""
        found = []
        for user, used in self._uses.items():
            if any(k == key or k.startswith(key + "/") for k in used) and not user.startswith(key + "/"):
                mention = self._mentions.get(user)
                if mention is not None:
                    found.append(mention)
        return found

    def power(self, key: str, position: int) -> str:
        """Return the power state of a machine at a position, as far as it shows before the next action; else empty."""
        return next((state for at, state in self._powers.get(key, []) if at >= position), "")

    def written_with(self, key: str) -> str:
        """Return the api-version with which a template deployment creates a resource; empty if none does."""
        return self._versions.get(key, "")

    def made_later(self, key: str, position: int) -> bool:
        """Return whether the flow makes a resource at a position, or after it."""
        return any(at >= position for at in self._created.get(key, []))

    def location_of(self, group: str) -> str:
        """Return where a group and its resources are."""
        return self._locations.get(group.lower(), self.location)
