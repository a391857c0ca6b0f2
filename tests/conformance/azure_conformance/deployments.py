# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Template deployments in recorded traffic: which of them can be replayed, and what they create."""

from __future__ import annotations

import copy
import typing as t
import urllib.parse

from azure_emulator.arm.routing import ROUTER

from .bodies import complete_machine
from .paths import DEPLOYMENT_TYPE, Target, parse_poll, parse_target
from .records import Interaction

Json = dict[str, t.Any]


def _resources(record: Interaction) -> list[Json]:
    body = record.request.body
    properties = body.get("properties") if isinstance(body, dict) else None
    template = properties.get("template") if isinstance(properties, dict) else None
    resources = template.get("resources") if isinstance(template, dict) else None
    return [entry for entry in resources if isinstance(entry, dict)] if isinstance(resources, list) else []


def deployed(record: Interaction) -> t.Iterator[tuple[Target, Json]]:
    """Yield the resources of a template, as far as their names are written out."""
    deployment = parse_target(record.path)
    for entry in _resources(record) if deployment is not None else ():
        type_, name = str(entry.get("type", "")), str(entry.get("name", ""))
        if deployment is None or "[" in name or type_.count("/") != name.count("/") + 1:
            continue
        provider, *types = type_.split("/")
        rest = "/".join(f"{level}/{own}" for level, own in zip(types, name.split("/"), strict=True))
        base = f"/subscriptions/{deployment.subscription}/resourceGroups/{deployment.group}"
        target = parse_target(f"{base}/providers/{provider}/{rest}")
        if target is not None:
            yield target, entry


class Deployments:
    """The deployments of one flow."""

    def __init__(self) -> None:
        self._started: set[str] = set()
        self._polls: set[str] = set()

    def is_foreign(self, record: Interaction) -> bool:
        """Return whether a record is about a deployment that the local Azure cannot make.

        Its template names types of other providers, or it began before the record.
        """
        poll = parse_poll(record.path)
        if poll is not None and poll.word == "operationstatuses":
            return poll.id not in self._polls
        target = parse_target(record.path)
        if target is None or not target.type.lower().startswith(DEPLOYMENT_TYPE.lower()):
            return False
        if record.method == "PUT" and target.type.lower() == DEPLOYMENT_TYPE.lower():
            if not _is_served(record):
                return True
            self._started.add(target.key)
            url = parse_poll(urllib.parse.urlsplit(record.response.headers.get("azure-asyncoperation", "")).path)
            self._polls.add(url.id if url is not None else "")
        if record.method == "POST":
            return record.status < 300 and not _is_served(record)
        return not any(target.key == key or target.key.startswith(key + "/") for key in self._started)


def _is_served(record: Interaction) -> bool:
    """Return whether every type in a template is served; a template that the record lacks is not."""
    resources = _resources(record)
    kinds = [(str(entry.get("type", "")).split("/"), entry) for entry in resources]
    for (provider, *types), entry in kinds:
        nested = "/".join([provider, *types]).lower() == DEPLOYMENT_TYPE.lower()
        path = "/".join(["/subscriptions/s/resourceGroups/g/providers", provider, *(f"{word}/x" for word in types)])
        match = ROUTER.find(path)
        if nested or entry.get("resources") or match is None or "PUT" not in match.handlers:
            return False
    return bool(resources)


def with_usable_keys(target: Target, body: t.Any) -> t.Any:
    """Return a recorded deployment with valid SSH keys in place of the recorder's placeholders."""
    if target.type.lower() != DEPLOYMENT_TYPE.lower() or not isinstance(body, dict):
        return body
    body = copy.deepcopy(body)
    template = (body.get("properties") or {}).get("template") or {}
    for entry in template.get("resources") or []:
        if isinstance(entry, dict) and str(entry.get("type", "")).lower() == "microsoft.compute/virtualmachines":
            complete_machine(entry.get("properties") or {})
    return body
