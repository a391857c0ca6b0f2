# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""User-assigned identities, after the REST reference of Microsoft.ManagedIdentity (2023-01-31)."""

from __future__ import annotations

import typing as t

from .arm.messages import ArmRequest, Reply
from .arm.reading import serve_reads
from .arm.replies import written
from .arm.resource import Resource
from .arm.routing import GROUP, route
from .arm.tracked import check_location, moved, take_tags
from .errors import ApiError, Json, location_required
from .settings import new_guid

if t.TYPE_CHECKING:
    from .cloud import Cloud

IDENTITY = "Microsoft.ManagedIdentity/userAssignedIdentities"
ONE = f"{GROUP}/providers/{IDENTITY}/{{name}}"


def _render(cloud: Cloud, identity: Resource) -> Json:
    return {
        "id": identity.id,
        "name": identity.name,
        "type": IDENTITY,
        "location": identity.location,
        "tags": identity.tags or {},
        "properties": {**identity.properties, "tenantId": cloud.identity.tenant},
    }


@route("PUT", ONE, IDENTITY)
async def put_identity(cloud: Cloud, request: ArmRequest) -> Reply:
    """Create or update an identity, at once."""
    body = request.required_json()
    take_tags(body)
    if not isinstance(body.get("location"), str):
        raise location_required()
    location = check_location(body["location"], IDENTITY)
    group = cloud.group(request.subscription, request.group)
    id_ = request.id_of(IDENTITY, request.params["name"])
    known = cloud.store.get(id_)
    if known is not None and known.location != location:
        raise moved(known, location)
    made = Resource(id_, IDENTITY, request.params["name"], group.name, request.subscription)
    identity = known.copy() if known is not None else made
    identity.location, identity.tags = location, body.get("tags")
    if known is None:
        identity.properties = {"principalId": new_guid(), "clientId": new_guid()}
    cloud.store.save(identity)
    if known is not None:
        return written(200, _render(cloud, identity))
    place = identity.id.replace("/resourceGroups/", "/resourcegroups/")
    return Reply(201, _render(cloud, identity), {"Location": place}, pretty=True)


serve_reads(IDENTITY, lambda cloud, identity, _version: _render(cloud, identity))


@route("DELETE", ONE, IDENTITY)
async def delete_identity(cloud: Cloud, request: ArmRequest) -> Reply:
    """Delete an identity; machines that use it keep its id."""
    identity = cloud.store.get(request.id_of(IDENTITY, request.params["name"]))
    if identity is None:
        return Reply(204)
    cloud.store.remove(identity)
    return Reply(200)


def check_identities(cloud: Cloud, body: Json, user: str) -> None:
    """Refuse to assign an identity that does not exist.

    :param body: of a PUT or PATCH of the resource.
    :param user: its id.
    :raises ApiError: 400 in the words of Azure/azure-policy#1311.
    """
    given = (body.get("identity") or {}).get("userAssignedIdentities") or {}
    for path, value in given.items():
        identity = cloud.store.get(path)
        if value is None or (identity is not None and identity.type == IDENTITY):
            continue
        inner = f'{{"error":{{"code":"BadRequest","message":"Resource \'{path}\' was not found."}}}}'
        raise ApiError(
            400,
            "FailedIdentityOperation",
            f"Identity operation for resource '{user}' failed with error 'Failed to perform resource identity "
            f"operation. Status: 'BadRequest'. Response: '{inner}'.'.",
        )


def ids_of(cloud: Cloud, path: str) -> Json:
    """Return an identity's ids, as a resource that has it shows them."""
    identity = cloud.store.get(path)
    return {key: (identity.properties[key] if identity else new_guid()) for key in ("principalId", "clientId")}
