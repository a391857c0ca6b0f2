# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bodies of deployments and of their operations."""

from __future__ import annotations

import hashlib
import json
import typing as t

from ..arm.resource import Json, Resource, timestamp
from .scope import Scope
from .template import Planned

if t.TYPE_CHECKING:
    from .run import Step

TYPE = "Microsoft.Resources/deployments"


def template_hash(template: Json) -> str:
    """Return a number that depends on the template alone, as Azure's does."""
    text = json.dumps(template, sort_keys=True).encode()
    return str(int.from_bytes(hashlib.sha256(text).digest()[:8], "big"))


def zulu() -> str:
    """Return the time as deployments show it."""
    return timestamp().removesuffix("+00:00") + "Z"


def render(deployment: Resource, _api_version: str = "") -> Json:
    """Return the body of a deployment."""
    body: Json = {"id": deployment.id, "name": deployment.name, "type": TYPE}
    if deployment.hidden.get("location"):
        body["location"] = deployment.hidden["location"]
    if deployment.tags is not None:
        body["tags"] = deployment.tags
    return {**body, "properties": deployment.properties}


def providers(resources: list[Planned]) -> list[Json]:
    """Return which types a template names, by provider."""
    found: dict[str, dict[str, list[str]]] = {}
    for resource in resources:
        namespace, _slash, type_ = resource.type.partition("/")
        locations = found.setdefault(namespace, {}).setdefault(type_, [])
        location = resource.body.get("location")
        shown = location if isinstance(location, str) and not location.startswith("[") else None
        if shown and shown not in locations:
            locations.append(shown)
    return [
        {
            "namespace": namespace,
            "resourceTypes": [{"resourceType": name, "locations": own or [None]} for name, own in types.items()],
        }
        for namespace, types in found.items()
    ]


def dependencies(resources: list[Planned]) -> list[Json]:
    """Return what waits for what."""
    by_id = {resource.id.lower(): resource for resource in resources}
    return [
        {"dependsOn": [_named(by_id[id_.lower()]) for id_ in resource.depends_on], **_named(resource)}
        for resource in resources
        if resource.depends_on
    ]


def _named(resource: Planned) -> Json:
    return {"id": resource.id, "resourceType": resource.type, "resourceName": resource.name}


def operations(deployment: Resource, steps: list[Step]) -> list[Json]:
    """Return the operations of a deployment: one for each resource that has been started."""
    found = []
    for step in steps:
        if step.started:
            seed = f"{deployment.id}{step.resource.id}".lower().encode()
            found.append(_operation(deployment, step, hashlib.sha256(seed).hexdigest()[:16].upper()))
    return found


def _operation(deployment: Resource, step: Step, id_: str) -> Json:
    properties: Json = {
        "provisioningOperation": "Create",
        "provisioningState": step.state,
        "timestamp": (step.ended or step.started).removesuffix("+00:00") + "Z",
        "duration": "PT0S",
    }
    if step.status_code:
        properties["statusCode"] = step.status_code
    if step.error is not None:
        properties["statusMessage"] = {"status": "Failed", "error": step.error}
    properties["targetResource"] = _target(step.resource)
    return {"id": f"{deployment.id}/operations/{id_}", "operationId": id_, "properties": properties}


def _target(resource: Planned) -> Json:
    return {"id": resource.id, "resourceType": resource.type, "resourceName": resource.name}


def scope_of(deployment: Resource) -> Scope:
    """Return where a deployment goes."""
    return Scope(deployment.subscription, deployment.group or None)
