# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Routes that are the same for every top-level type of the compute provider that is written at once."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ..arm.messages import ArmRequest, Reply
from ..arm.replies import check_preconditions, found, listing, written
from ..arm.resource import Json, Resource, timestamp
from ..arm.routing import GROUP, SUBSCRIPTION, route
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
    """

    type: str
    render: Render
    apply: Apply
    in_use: InUse
    made: int = 201


def base_body(resource: Resource) -> Json:
    """The members beside ``properties``."""
    body: Json = {"name": resource.name, "id": resource.id, "type": resource.type, "location": resource.location}
    if resource.tags is not None:
        body["tags"] = resource.tags
    return {**body, **resource.top}


def serve(kind: Kind) -> None:
    """GET, lists, PUT, PATCH, DELETE."""
    word = kind.type.partition("/")[2]
    one = f"{GROUP}/providers/Microsoft.Compute/{word}/{{name}}"

    def id_of(request: ArmRequest) -> str:
        return request.id_of(kind.type, request.params["name"])

    def write(cloud: Cloud, request: ArmRequest, resource: Resource, body: Json, *, new: bool) -> Reply:
        if request.method == "PUT" or "tags" in body:
            resource.tags = body.get("tags")
        kind.apply(cloud, resource, body, new)
        resource.changed = timestamp()
        cloud.store.save(resource)
        return written(kind.made if new else 200, kind.render(cloud, resource))

    @route("GET", one, kind.type)
    async def get(cloud: Cloud, request: ArmRequest) -> Reply:
        return found(kind.render(cloud, cloud.resource(id_of(request))))

    @route("GET", f"{GROUP}/providers/Microsoft.Compute/{word}", kind.type)
    async def list_group(cloud: Cloud, request: ArmRequest) -> Reply:
        group = cloud.group(request.subscription, request.group)
        return listing([kind.render(cloud, resource) for resource in cloud.store.children(group.id, kind.type)])

    @route("GET", f"{SUBSCRIPTION}/providers/Microsoft.Compute/{word}", kind.type)
    async def list_all(cloud: Cloud, request: ArmRequest) -> Reply:
        resources = cloud.store.of_type(kind.type, f"/subscriptions/{request.subscription}")
        return listing([kind.render(cloud, resource) for resource in resources])

    @route("PUT", one, kind.type)
    async def put(cloud: Cloud, request: ArmRequest) -> Reply:
        body = read_body(cloud, request, kind.type)
        group = cloud.group(request.subscription, request.group)
        known = cloud.store.get(id_of(request))
        check_preconditions(request, known)
        made = Resource(id_of(request), kind.type, request.params["name"], group.name, request.subscription)
        resource = known.copy() if known is not None else made
        resource.location = body["location"]
        return write(cloud, request, resource, body, new=known is None)

    @route("PATCH", one, kind.type)
    async def patch(cloud: Cloud, request: ArmRequest) -> Reply:
        body = read_body(cloud, request, kind.type, patch=True)
        return write(cloud, request, cloud.resource(id_of(request)).copy(), body, new=False)

    @route("DELETE", one, kind.type)
    async def delete(cloud: Cloud, request: ArmRequest) -> Reply:
        resource = cloud.store.get(id_of(request))
        if resource is None:
            cloud.group(request.subscription, request.group)
            return Reply(204)
        kind.in_use(cloud, resource)
        cloud.store.remove(resource)
        return Reply(200)
