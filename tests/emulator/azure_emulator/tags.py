# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Microsoft.Resources/tags: the tags of a subscription, a group or a resource, apart from everything else of it."""

from __future__ import annotations

import typing as t
from collections import Counter

from .arm.messages import ArmRequest, Reply
from .arm.resource import Json, Resource, timestamp, weak_etag
from .arm.routing import SUBSCRIPTION, route, route_at_any_scope
from .arm.tracked import take_tags
from .errors import ApiError
from .schema import accept

if t.TYPE_CHECKING:
    from .cloud import Cloud

TYPE = "Microsoft.Resources/tags"
SUBSCRIPTION_TYPE = "Microsoft.Resources/subscriptions"
PATH = f"{TYPE}/default"


def tagged(cloud: Cloud, request: ArmRequest) -> Resource:
    """Return what the tags in the path belong to.

    :raises ApiError: 404.
    """
    scope, subscription = request.params["scope"], request.subscription
    parts = scope.strip("/").split("/")
    if len(parts) == 2:
        found = cloud.store.get(scope)
        return found or Resource(scope, SUBSCRIPTION_TYPE, subscription, "", subscription)
    return cloud.group(subscription, parts[3]) if len(parts) == 4 else cloud.resource(scope)


def _answer(resource: Resource) -> Reply:
    body = {
        "id": f"{resource.id}/providers/{PATH}",
        "name": "default",
        "type": TYPE,
        "properties": {"tags": resource.tags or {}},
    }
    return Reply(200, body)


def _given(body: Json) -> dict[str, str]:
    """Return the tags in a request's body.

    :raises ApiError: 400.
    """
    holder: Json = {"tags": (body.get("properties") or {}).get("tags") or {}}
    take_tags(holder)
    return t.cast("dict[str, str]", holder["tags"])


def _set(cloud: Cloud, resource: Resource, tags: dict[str, str]) -> Reply:
    holder: Json = {"tags": tags}
    take_tags(holder)
    resource.tags, resource.changed = holder["tags"], timestamp()
    if resource.etag.startswith("W/"):
        resource.etag = weak_etag()
    cloud.store.save(resource)
    return _answer(resource)


@route_at_any_scope("GET", PATH, TYPE)
async def get_tags(cloud: Cloud, request: ArmRequest) -> Reply:
    """Return the tags."""
    return _answer(tagged(cloud, request))


@route_at_any_scope("PUT", PATH, TYPE)
async def put_tags(cloud: Cloud, request: ArmRequest) -> Reply:
    """Replace all tags."""
    given = _given(accept(request, TYPE))
    return _set(cloud, tagged(cloud, request), given)


@route_at_any_scope("PATCH", PATH, TYPE)
async def patch_tags(cloud: Cloud, request: ArmRequest) -> Reply:
    """Merge tags into those that are there, replace them, or delete those with these names and values."""
    body = accept(request, TYPE, patch=True)
    given = _given(body)
    resource = tagged(cloud, request)
    operation = str(body.get("operation") or "")
    current = resource.tags or {}
    if operation.lower() == "replace":
        return _set(cloud, resource, given)
    wanted = {name.lower(): value for name, value in given.items()}
    if operation.lower() == "merge":
        kept = {name: value for name, value in current.items() if name.lower() not in wanted}
        return _set(cloud, resource, {**kept, **given})
    if operation.lower() == "delete":
        return _set(cloud, resource, {n: v for n, v in current.items() if wanted.get(n.lower()) != v})
    raise ApiError(
        400,
        "InvalidTagsPatchOperation",
        f"The tags patch operation '{operation}' is invalid. The supported operations are 'Replace', 'Merge' and "
        "'Delete'.",
    )


@route_at_any_scope("DELETE", PATH, TYPE)
async def delete_tags(cloud: Cloud, request: ArmRequest) -> Reply:
    """Remove all tags."""
    _set(cloud, tagged(cloud, request), {})
    return Reply(200)


@route("GET", f"{SUBSCRIPTION}/tagNames", TYPE)
async def list_tag_names(cloud: Cloud, request: ArmRequest) -> Reply:
    """List the names and values of all tags below the subscription, and how many resources have each."""
    path = f"/subscriptions/{request.subscription}"
    found: dict[str, Counter[str]] = {}
    for resource in cloud.store:
        if resource.key.startswith(f"{path.lower()}/"):
            for name, value in (resource.tags or {}).items():
                found.setdefault(name, Counter())[value] += 1
    names = [_details(f"{path}/tagNames/{name}", name, values) for name, values in sorted(found.items())]
    return Reply(200, {"value": names})


def _details(id_: str, name: str, values: Counter[str]) -> Json:
    listed = [
        {"id": f"{id_}/tagValues/{value}", "tagValue": value, "count": {"type": "Total", "value": count}}
        for value, count in sorted(values.items())
    ]
    return {"id": id_, "tagName": name, "count": {"type": "Total", "value": values.total()}, "values": listed}
