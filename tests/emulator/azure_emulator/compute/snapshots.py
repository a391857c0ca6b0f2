# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Snapshots of disks. They have no content: a disk that is made of one is empty."""

from __future__ import annotations

import re
import typing as t

from ..arm.messages import ArmRequest, Reply
from ..arm.reading import serve_reads
from ..arm.replies import accepted, begin, check_preconditions, written
from ..arm.resource import Json, Resource, timestamp
from ..arm.routing import GROUP, route
from ..arm.tracked import read_body
from ..errors import invalid_parameter, operation_not_allowed, resource_not_found
from ..operations import Operation, OperationSpec, action
from ..settings import new_guid
from .common import finish_deletion, finish_write, refuse_while_busy
from .disks import as_sent, copied_from
from .names import DISK, SNAPSHOT
from .new_disks import disk_sku

if t.TYPE_CHECKING:
    from ..cloud import Cloud

ONE = f"{GROUP}/providers/{SNAPSHOT}/{{name}}"
COPIES = ("copy", "copystart")


def render_snapshot(cloud: Cloud, snapshot: Resource, api_version: str) -> Json:
    """Return the body of a snapshot."""
    state = {
        "provisioningState": snapshot.provisioning_state,
        "diskState": "ActiveSAS" if snapshot.hidden.get("accessed") else "Unattached",
    }
    return {
        "name": snapshot.name,
        "id": snapshot.id,
        "type": snapshot.type,
        "location": snapshot.location,
        **({"tags": snapshot.tags} if snapshot.tags is not None else {}),
        **snapshot.top,
        "properties": {**snapshot.properties, **state},
    }


serve_reads(SNAPSHOT, render_snapshot)


@route("PUT", ONE, SNAPSHOT)
async def put_snapshot(cloud: Cloud, request: ArmRequest) -> Reply:
    """Create or update a snapshot."""
    return _write(cloud, request, read_body(cloud, request, SNAPSHOT))


@route("PATCH", ONE, SNAPSHOT)
async def patch_snapshot(cloud: Cloud, request: ArmRequest) -> Reply:
    """Change a snapshot's SKU, access or tags."""
    body = read_body(cloud, request, SNAPSHOT, patch=True)
    cloud.resource(request.id_of(SNAPSHOT, request.params["name"]))
    return _write(cloud, request, body)


def _write(cloud: Cloud, request: ArmRequest, body: Json) -> Reply:
    name = request.params["name"]
    current = cloud.store.get(request.id_of(SNAPSHOT, name))
    check_preconditions(request, current)
    group = cloud.group(request.subscription, request.group)
    if current is not None:
        refuse_while_busy(cloud, current)
        snapshot = current.copy()
    else:
        snapshot = Resource(request.id_of(SNAPSHOT, name), SNAPSHOT, name, group.name, request.subscription)
        snapshot.location = (body.get("location") or group.location or "").replace(" ", "").lower()
        snapshot.top = {"sku": {"name": "Standard_LRS", "tier": "Standard"}}
        snapshot.properties = _of_source(cloud, body.get("properties") or {})
    _describe(snapshot, body)
    snapshot.tags = body.get("tags") if request.method == "PUT" else body.get("tags", snapshot.tags)
    if request.method == "PUT" and current is not None and _content(current) == _content(snapshot):
        return written(200, render_snapshot(cloud, snapshot, request.api_version))
    snapshot.provisioning_state = "Updating"
    cloud.store.save(snapshot)
    spec = OperationSpec(
        "disk", "snapshot.write", snapshot.id, snapshot.location or "", latency="disk.create", retry_after=2
    )
    shown = as_sent(snapshot, body, is_patch=request.method == "PATCH")
    return accepted(cloud, request, begin(cloud, request, spec), shown)


def _content(snapshot: Resource) -> tuple[Json, Json, Json | None]:
    return snapshot.properties, snapshot.top, snapshot.tags


def _of_source(cloud: Cloud, requested: Json) -> Json:
    """Return the properties of a new snapshot. :raises ApiError: 404, its source does not exist; 400, it has none."""
    creation: Json = requested["creationData"]
    properties: Json = {"timeCreated": timestamp(), "uniqueId": new_guid(), "creationData": creation}
    source_id = creation.get("sourceResourceId") or creation.get("sourceUri")
    if creation["createOption"].lower() in COPIES:
        if not source_id:
            name = "snapshot.properties.creationData.sourceResourceId"
            raise invalid_parameter(f"Required parameter '{name}' is missing (null).", name)
        source = _source(cloud, source_id)
        properties.update(copied_from(source))
        properties["creationData"] = {**creation, "sourceUniqueId": source.properties["uniqueId"]}
    incremental = bool(requested.get("incremental"))
    size = requested.get("diskSizeGB") or properties.get("diskSizeGB") or 30
    properties.update(
        {
            "diskSizeGB": size,
            "diskSizeBytes": size * 2**30,
            "encryption": {"type": "EncryptionAtRestWithPlatformKey"},
            "incremental": incremental,
            "networkAccessPolicy": "AllowAll",
            "publicNetworkAccess": "Enabled",
        }
    )
    if incremental:
        properties["incrementalSnapshotFamilyId"] = new_guid()
        if creation["createOption"].lower() == "copystart":
            properties["completionPercent"] = 100
    return properties


def _source(cloud: Cloud, source_id: str) -> Resource:
    """Return the disk or snapshot that a snapshot is a copy of. :raises ApiError: 404, it does not exist; 400."""
    source = cloud.store.get(f"/{source_id.strip('/')}")
    if source is not None and source.type in (DISK, SNAPSHOT):
        return source
    place = re.fullmatch(
        r"/?subscriptions/[^/]+/resourceGroups/([^/]+)/providers/(Microsoft.Compute/(?:disks|snapshots)/[^/]+)/?",
        source_id,
        re.IGNORECASE,
    )
    if place is None:
        name = "snapshot.properties.creationData.sourceResourceId"
        raise invalid_parameter(f"The value of parameter {name} is invalid.", name)
    raise resource_not_found(place[2], place[1])


def _describe(snapshot: Resource, body: Json) -> None:
    """Take a request's body into a snapshot; what was copied stays.

    :raises ApiError: 409, a snapshot cannot be made smaller.
    """
    requested: Json = {name: value for name, value in (body.get("properties") or {}).items() if value is not None}
    requested.pop("creationData", None)
    size = requested.get("diskSizeGB") or 0
    if size:
        if size < snapshot.properties["diskSizeGB"]:
            raise operation_not_allowed(
                f"Cannot resize snapshot '{snapshot.name}' to {size} GB: a snapshot cannot be made smaller."
            )
        requested["diskSizeBytes"] = size * 2**30
    snapshot.properties = {**snapshot.properties, **requested}
    if body.get("sku"):
        name = body["sku"]["name"]
        snapshot.top["sku"] = disk_sku(name)
    if body.get("extendedLocation"):
        snapshot.top["extendedLocation"] = body["extendedLocation"]


@action("snapshot.write")
class Provision:
    """The end of a snapshot's write."""

    async def work(self, cloud: Cloud, operation: Operation) -> Json | None:
        """Return the snapshot."""
        snapshot = cloud.store.get(operation.target)
        if snapshot is None:
            return None
        body = render_snapshot(cloud, snapshot, operation.api_version)
        return {**body, "properties": {**body["properties"], "provisioningState": "Succeeded"}}

    def done(self, cloud: Cloud, operation: Operation) -> None:
        """Set the final state."""
        finish_write(cloud, operation)


@route("DELETE", ONE, SNAPSHOT)
async def delete_snapshot(cloud: Cloud, request: ArmRequest) -> Reply:
    """Remove a snapshot."""
    snapshot = cloud.store.get(request.id_of(SNAPSHOT, request.params["name"]))
    if snapshot is None:
        cloud.group(request.subscription, request.group)
        return Reply(204)
    spec = OperationSpec(
        "disk", "snapshot.delete", snapshot.id, snapshot.location or "", latency="disk.delete", retry_after=10
    )
    return accepted(cloud, request, begin(cloud, request, spec))


@action("snapshot.delete")
class Remove:
    """The end of a snapshot's deletion."""

    async def work(self, cloud: Cloud, operation: Operation) -> None:
        """Do nothing: a snapshot has no content."""

    def done(self, cloud: Cloud, operation: Operation) -> None:
        """Forget the snapshot."""
        finish_deletion(cloud, operation)
