# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Routes that are the same for every top-level type of the compute provider that is written at once."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ..arm.messages import ArmRequest, Reply
from ..arm.reading import serve_reads
from ..arm.replies import check_preconditions, written
from ..arm.resource import Json, Resource, timestamp
from ..arm.routing import GROUP, route
from ..arm.tracked import read_body

if t.TYPE_CHECKING:
    from ..cloud import Cloud

Render = t.Callable[["Cloud", Resource], Json]
Apply = t.Callable[["Cloud", Resource, Json, bool], None]
InUse = t.Callable[["Cloud", Resource], None]


@dataclass(frozen=True)
class Kind:
    """A type.

    :param render: the body of a resource.
    :param apply: takes a checked request's body into a resource; the last argument says whether it is new.
    :param in_use: refuses to delete a resource that others need.
    :param made: the status of a PUT that made a resource.
    :param later: properties that only reads show, not the answers to PUT.
    """

    type: str
    render: Render
    apply: Apply
    in_use: InUse
    made: int = 201
    later: tuple[str, ...] = ()


def base_body(resource: Resource) -> Json:
    """Return the members besides ``properties``."""
    body: Json = {"name": resource.name, "id": resource.id, "type": resource.type, "location": resource.location}
    if resource.tags is not None:
        body["tags"] = resource.tags
    return {**body, **resource.top}


def serve(kind: Kind) -> None:
    """Serve GET, lists, PUT, PATCH and DELETE of a type."""
    one = f"{GROUP}/providers/{kind.type}/{{name}}"
    serve_reads(kind.type, lambda cloud, resource, _version: kind.render(cloud, resource))

    @route("PUT", one, kind.type)
    async def put(cloud: Cloud, request: ArmRequest) -> Reply:
        return _put(cloud, request, kind)

    @route("PATCH", one, kind.type)
    async def patch(cloud: Cloud, request: ArmRequest) -> Reply:
        body = read_body(cloud, request, kind.type, patch=True)
        return _write(cloud, request, kind, cloud.resource(_id_of(request, kind)).copy(), body)

    @route("DELETE", one, kind.type)
    async def delete(cloud: Cloud, request: ArmRequest) -> Reply:
        return _delete(cloud, request, kind)


def _id_of(request: ArmRequest, kind: Kind) -> str:
    return request.id_of(kind.type, request.params["name"])


def _put(cloud: Cloud, request: ArmRequest, kind: Kind) -> Reply:
    body = read_body(cloud, request, kind.type)
    group = cloud.group(request.subscription, request.group)
    current = cloud.store.get(_id_of(request, kind))
    check_preconditions(request, current)
    resource = Resource(_id_of(request, kind), kind.type, request.params["name"], group.name, request.subscription)
    if current is not None:
        resource = current.copy()
    resource.location = body["location"]
    return _write(cloud, request, kind, resource, body)


def _write(cloud: Cloud, request: ArmRequest, kind: Kind, resource: Resource, body: Json) -> Reply:
    new = resource.id not in cloud.store
    if request.method == "PUT" or "tags" in body:
        resource.tags = body.get("tags")
    kind.apply(cloud, resource, body, new)
    resource.changed = timestamp()
    cloud.store.save(resource)
    body = kind.render(cloud, resource)
    if request.method == "PUT":
        body["properties"] = {name: value for name, value in body["properties"].items() if name not in kind.later}
    return written(kind.made if new else 200, body)


def _delete(cloud: Cloud, request: ArmRequest, kind: Kind) -> Reply:
    resource = cloud.store.get(_id_of(request, kind))
    if resource is None:
        cloud.group(request.subscription, request.group)
        return Reply(204)
    kind.in_use(cloud, resource)
    cloud.store.remove(resource)
    return Reply(200)
