# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Galleries of images, their definitions and their versions, as their owner sees them.

After Microsoft's published specification of galleries, 2023-07-03.
"""

from __future__ import annotations

import re
import typing as t

from ..arm.messages import ArmRequest, Reply
from ..arm.replies import accepted, begin, found, listing, started
from ..arm.resource import Json, Resource, timestamp
from ..arm.routing import GROUP, SUBSCRIPTION, route
from ..arm.tracked import parent_not_found, read_body
from ..arm.versions import display_name
from ..errors import ApiError
from ..operations import Operation, OperationSpec, action
from ..settings import new_guid
from . import gallery_contents
from .names import GALLERY, GALLERY_IMAGE, GALLERY_VERSION
from .synchronous import base_body

if t.TYPE_CHECKING:
    from ..cloud import Cloud

BASE = f"{GROUP}/providers/Microsoft.Compute/galleries"
PATHS = {
    GALLERY: f"{BASE}/{{gallery}}",
    GALLERY_IMAGE: f"{BASE}/{{gallery}}/images/{{image}}",
    GALLERY_VERSION: f"{BASE}/{{gallery}}/images/{{image}}/versions/{{version}}",
}
LEVELS = ("gallery", "image", "version")
REGION = {"regionalReplicaCount": 1, "storageAccountType": "Standard_LRS"}
"""What a version says of a target region by itself."""
SEMANTIC = re.compile(r"\d{1,10}\.\d{1,10}\.\d{1,10}")


def _id(request: ArmRequest, type_: str) -> str:
    return request.id_of(type_, *(request.params[level] for level in LEVELS[: type_.count("/")]))


def render(resource: Resource) -> Json:
    """Return the body of a gallery, a definition or a version."""
    stored = {key: value for key, value in resource.properties.items() if key != "provisioningState"}
    return {**base_body(resource), "properties": {**stored, "provisioningState": resource.provisioning_state}}


def _parent(cloud: Cloud, request: ArmRequest, type_: str) -> Resource | None:
    """Return the gallery of a definition, the definition of a version.

    :raises ApiError: 404.
    """
    if type_ == GALLERY:
        return None
    above = type_.rpartition("/")[0]
    parent = cloud.store.get(_id(request, above))
    if parent is None:
        raise parent_not_found(request, type_, _id(request, above))
    return parent


def _describe_gallery(gallery: Resource, requested: Json) -> None:
    unique = f"{gallery.subscription}-{gallery.name.upper()}"
    gallery.properties = {**requested, "identifier": {"uniqueName": unique}}
    sharing = requested.get("sharingProfile") or {}
    info = sharing.get("communityGalleryInfo")
    if sharing.get("permissions") == "Community" and info:
        gallery.hidden.setdefault("publicName", f"{info.get('publicNamePrefix')}-{new_guid()}")
        info.update(communityGalleryEnabled=True, publicNames=[gallery.hidden["publicName"]])


def _describe_image(image: Resource, requested: Json) -> None:
    before = image.properties
    for name in ("osType", "osState", "hyperVGeneration"):
        if before and requested.get(name) not in (None, before.get(name)):
            raise ApiError(
                409,
                "PropertyChangeNotAllowed",
                f"Changing property 'galleryImage.properties.{name}' is not allowed.",
                target=f"galleryImage.properties.{name}",
            )
    image.properties = {"hyperVGeneration": "V1", "architecture": "x64", **before, **requested}
    if not (image.properties.get("disallowed") or {}).get("diskTypes"):
        image.properties.pop("disallowed", None)


def _describe_version(resource: Resource, wanted: Json) -> None:
    if not SEMANTIC.fullmatch(resource.name):
        raise ApiError(
            400,
            "InvalidParameter",
            f"The entity name '{resource.name}' is invalid: a gallery image version is <MajorVersion>.<MinorVersion>."
            "<Patch>.",
            target="galleryImageVersionName",
        )
    before = resource.properties
    profile = {**(before.get("publishingProfile") or {}), **(wanted.get("publishingProfile") or {})}
    regions = profile.get("targetRegions") or [{"name": resource.location}]
    shown = [{**REGION, **region, "name": display_name(region["name"])} for region in regions]
    storage = before.get("storageProfile") or gallery_contents.asked_for(wanted.get("storageProfile") or {})
    resource.properties = {
        **wanted,
        "publishingProfile": {
            "replicaCount": 1,
            "excludeFromLatest": False,
            "storageAccountType": "Standard_LRS",
            **profile,
            "targetRegions": shown,
            "publishedDate": profile.get("publishedDate") or timestamp(),
        },
        "storageProfile": storage,
        "safetyProfile": {
            "reportedForPolicyViolation": False,
            "allowDeletionOfReplicatedLocations": False,
            **(before.get("safetyProfile") or {}),
            **(wanted.get("safetyProfile") or {}),
        },
    }


DESCRIBERS: t.Mapping[str, t.Callable[[Resource, Json], None]] = {
    GALLERY: _describe_gallery,
    GALLERY_IMAGE: _describe_image,
    GALLERY_VERSION: _describe_version,
}
"""By type: takes the properties of a request into a resource."""


def _serve(type_: str) -> None:
    path = PATHS[type_]

    @route("GET", path, type_)
    async def get(cloud: Cloud, request: ArmRequest) -> Reply:
        if cloud.store.get(_id(request, type_)) is None:
            _parent(cloud, request, type_)
        return found(render(cloud.resource(_id(request, type_))))

    @route("GET", path.rpartition("/")[0], type_)
    async def list_all(cloud: Cloud, request: ArmRequest) -> Reply:
        holder = _parent(cloud, request, type_) or cloud.group(request.subscription, request.group)
        return listing([render(resource) for resource in cloud.store.children(holder.id, type_)])

    @route("PUT", path, type_)
    async def put(cloud: Cloud, request: ArmRequest) -> Reply:
        return _put(cloud, request, type_)

    @route("PATCH", path, type_)
    async def patch(cloud: Cloud, request: ArmRequest) -> Reply:
        return _patch(cloud, request, type_)

    @route("DELETE", path, type_)
    async def delete(cloud: Cloud, request: ArmRequest) -> Reply:
        return _delete(cloud, request, type_)


def _put(cloud: Cloud, request: ArmRequest, type_: str) -> Reply:
    body = read_body(cloud, request, type_)
    group = cloud.group(request.subscription, request.group)
    _parent(cloud, request, type_)
    resource = cloud.store.get(_id(request, type_))
    is_new = resource is None
    if resource is None:
        name = request.params[LEVELS[type_.count("/") - 1]]
        resource = Resource(_id(request, type_), type_, name, group.name, request.subscription)
        resource.location = body["location"]
    DESCRIBERS[type_](resource, body.get("properties") or {})
    resource.tags = body.get("tags")
    resource.provisioning_state = "Creating" if is_new else "Updating"
    cloud.store.save(resource)
    spec = OperationSpec("gallery", "gallery.write", resource.id, resource.location or "", latency="disk.create")
    return started(cloud, request, begin(cloud, request, spec), 201 if is_new else 200, render(resource))


def _patch(cloud: Cloud, request: ArmRequest, type_: str) -> Reply:
    """Change tags and some properties; others stay."""
    body = read_body(cloud, request, type_, patch=True)
    resource = cloud.resource(_id(request, type_))
    requested: Json = body.get("properties") or {}
    if requested:
        own = ("identifier",) if type_ == GALLERY else ()
        kept = {name: value for name, value in resource.properties.items() if name not in own}
        DESCRIBERS[type_](resource, {**kept, **requested})
    resource.tags = body.get("tags", resource.tags)
    resource.provisioning_state = "Updating"
    cloud.store.save(resource)
    spec = OperationSpec("gallery", "gallery.write", resource.id, resource.location or "", latency="disk.create")
    return started(cloud, request, begin(cloud, request, spec), 200, render(resource))


def _delete(cloud: Cloud, request: ArmRequest, type_: str) -> Reply:
    resource = cloud.store.get(_id(request, type_))
    if resource is None:
        cloud.group(request.subscription, request.group)
        return Reply(204)
    if cloud.store.children(resource.id):
        raise ApiError(409, "CannotDeleteResource", "Can not delete resource before nested resources are deleted.")
    resource.provisioning_state = "Deleting"
    cloud.store.save(resource)
    location = resource.location or ""
    spec = OperationSpec("gallery", "gallery.delete", resource.id, location, latency="disk.delete", retry_after=10)
    return accepted(cloud, request, begin(cloud, request, spec))


for _type in PATHS:
    _serve(_type)


@route("GET", f"{SUBSCRIPTION}/providers/Microsoft.Compute/galleries", GALLERY)
async def list_galleries(cloud: Cloud, request: ArmRequest) -> Reply:
    """List the galleries of a subscription."""
    galleries = cloud.store.of_type(GALLERY, f"/subscriptions/{request.subscription}")
    return listing([render(gallery) for gallery in galleries])


@action("gallery.write", "gallery.delete")
class Change:
    """The end of a write or a deletion."""

    async def work(self, cloud: Cloud, operation: Operation) -> None:
        """Do nothing."""

    def done(self, cloud: Cloud, operation: Operation) -> None:
        """Set the final state."""
        resource = cloud.store.get(operation.target)
        if resource is None:
            return
        if operation.kind == "gallery.delete" and operation.status == "Succeeded":
            cloud.store.remove(resource)
            return
        if resource.type == GALLERY_VERSION and operation.status == "Succeeded":
            storage = resource.properties["storageProfile"]
            resource.properties = {**resource.properties, "storageProfile": gallery_contents.copied(cloud, storage)}
        resource.provisioning_state = operation.status
        cloud.store.save(resource)
