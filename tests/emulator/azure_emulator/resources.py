# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Microsoft.Resources: lists of resources of any type, and the errors for unknown types."""

from __future__ import annotations

import re
import typing as t

from .arm.messages import ArmRequest, Reply
from .arm.resource import Resource
from .arm.routing import GROUP, SUBSCRIPTION, route
from .arm.tracked import has_tag
from .arm.versions import versions_of
from .errors import ApiError, Json
from .groups import KIND, TYPE
from .providers import NAMESPACES

if t.TYPE_CHECKING:
    from .cloud import Cloud


def _generic(cloud: Cloud, resource: Resource) -> Json:
    body: Json = {"id": resource.id, "name": _listed_name(resource), "type": resource.type}
    for name in ("sku", "zones", "kind", "identity", "managedBy"):
        if name in resource.top:
            body[name] = resource.top[name]
    body["location"] = resource.location
    if resource.tags is not None:
        body["tags"] = resource.tags
    return body


def _listed_name(resource: Resource) -> str:
    """Return the name as lists of all types show it: that of a child follows those of its parents, ``web1/script``."""
    return "/".join(resource.id.rpartition("/providers/")[2].split("/")[2::2])


def _listed(cloud: Cloud, request: ArmRequest, under: str) -> Reply:
    prefix = under.lower() + "/"
    wanted = request.query.get("$filter", "")
    pairs = re.findall(
        r"(resourceType|resourceGroup|name|location|tagName|tagValue)\s+eq\s+'([^']*)'", wanted, re.IGNORECASE
    )
    conditions = {name.lower(): value for name, value in pairs}
    bodies = []
    expand = request.query.get("$expand", "").lower()
    for resource in cloud.store:
        if (
            resource.key.startswith(prefix)
            and resource.type != TYPE
            and resource.location
            and _fits(resource, conditions)
        ):
            body = _generic(cloud, resource)
            if "tagname" in conditions:
                body.pop("tags", None)
                expand = ""
            if "createdtime" in expand:
                body["createdTime"] = resource.created
            if "changedtime" in expand:
                body["changedTime"] = resource.changed
            if "provisioningstate" in expand:
                body["provisioningState"] = resource.provisioning_state
            bodies.append(body)
    return Reply(200, {"value": bodies})


def _fits(resource: Resource, conditions: dict[str, str]) -> bool:
    actual = {
        "resourcetype": resource.type,
        "resourcegroup": resource.group,
        "name": _listed_name(resource),
        "location": resource.location or "",
    }
    for name, value in conditions.items():
        if name in actual and actual[name].lower() != value.lower():
            return False
    if "tagname" in conditions:
        return has_tag(resource, conditions["tagname"], conditions.get("tagvalue"))
    return True


@route("GET", f"{SUBSCRIPTION}/resources", KIND)
async def list_resources(cloud: Cloud, request: ArmRequest) -> Reply:
    """List all resources of the subscription."""
    return _listed(cloud, request, f"/subscriptions/{request.subscription}")


@route("GET", f"{GROUP}/resources", KIND)
async def list_group_resources(cloud: Cloud, request: ArmRequest) -> Reply:
    """List all resources of a group."""
    return _listed(cloud, request, cloud.group(request.subscription, request.group).id)


def unknown_type(path: str, version: str) -> ApiError:
    """Return the Resource Manager's error for a path that is not served."""
    match = re.match(
        r"^/subscriptions/[^/]+(?:/resourceGroups/[^/]+)?/providers/([^/]+)(?:/(.*))?$", path, re.IGNORECASE
    )
    if match is None:
        return ApiError(
            404,
            "NotFound",
            f"No HTTP resource was found that matches the request URI '{path}'.",
            headers={"x-ms-failure-cause": "gateway"},
        )
    namespace, rest = match[1], (match[2] or "").strip("/").split("/")
    if namespace.lower() not in [name.lower() for name in NAMESPACES]:
        return ApiError(404, "InvalidResourceNamespace", f"The resource namespace '{namespace}' is invalid.")
    kind = "/".join(rest[0::2])
    return ApiError(
        404,
        "InvalidResourceType",
        f"The resource type '{kind}' could not be found in the namespace '{namespace}' for api version '{version}'. "
        "The "
        f"supported api-versions are '{','.join(versions_of(namespace))}'.",
    )
