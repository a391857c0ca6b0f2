# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Galleries of images: definitions and versions of one's own, and how others see what is shared.

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
from ..errors import ApiError
from ..operations import Operation, OperationSpec, action
from ..settings import new_guid
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
SEMANTIC = re.compile(r"\d{1,10}\.\d{1,10}\.\d{1,10}")


def _id(request: ArmRequest, type_: str) -> str:
    return request.id_of(type_, *(request.params[level] for level in LEVELS[: type_.count("/")]))


def render(resource: Resource) -> Json:
    """The body of a gallery, a definition or a version."""
    stored = {key: value for key, value in resource.properties.items() if key != "provisioningState"}
    return {**base_body(resource), "properties": {**stored, "provisioningState": resource.provisioning_state}}


def _parent(cloud: Cloud, request: ArmRequest, type_: str) -> Resource | None:
    """The gallery of a definition, the definition of a version.

    :raises ApiError: 404.
    """
    if type_ == GALLERY:
        return None
    above = type_.rpartition("/")[0]
    parent = cloud.store.get(_id(request, above))
    if parent is None:
        raise parent_not_found(request, type_, _id(request, above))
    return parent


def _describe(cloud: Cloud, resource: Resource, wanted: Json, parent: Resource | None) -> None:
    if resource.type == GALLERY:
        unique = f"{resource.subscription}-{resource.name.upper()}"
        resource.properties = {**wanted, "identifier": {"uniqueName": unique}}
        sharing = wanted.get("sharingProfile") or {}
        info = sharing.get("communityGalleryInfo")
        if sharing.get("permissions") == "Community" and info:
            resource.hidden.setdefault("publicName", f"{info.get('publicNamePrefix')}-{new_guid()}")
            info.update(communityGalleryEnabled=True, publicNames=[resource.hidden["publicName"]])
    elif resource.type == GALLERY_IMAGE:
        before = resource.properties
        for name in ("osType", "osState", "hyperVGeneration"):
            if before and wanted.get(name) not in (None, before.get(name)):
                raise ApiError(
                    409,
                    "PropertyChangeNotAllowed",
                    f"Changing property 'galleryImage.properties.{name}' is not allowed.",
                    target=f"galleryImage.properties.{name}",
                )
        resource.properties = {"hyperVGeneration": "V1", "architecture": "x64", **before, **wanted}
    else:
        _describe_version(resource, wanted)


def _describe_version(resource: Resource, wanted: Json) -> None:
    if not SEMANTIC.fullmatch(resource.name):
        raise ApiError(
            400,
            "InvalidParameter",
            f"The entity name '{resource.name}' is invalid: a gallery image version is <MajorVersion>.<MinorVersion>."
            "<Patch>.",
            target="galleryImageVersionName",
        )
    profile = wanted.get("publishingProfile") or {}
    regions = profile.get("targetRegions") or [{"name": resource.location}]
    shown = [
        {"regionalReplicaCount": 1, "storageAccountType": "Standard_LRS", "excludeFromLatest": False, **region}
        for region in regions
    ]
    storage = wanted.get("storageProfile") or {}
    disk = {"sizeInGB": 30, "hostCaching": "ReadWrite", **(storage.get("osDiskImage") or {})}
    resource.properties = {
        **wanted,
        "publishingProfile": {
            "replicaCount": 1,
            "excludeFromLatest": False,
            "storageAccountType": "Standard_LRS",
            **profile,
            "targetRegions": shown,
            "publishedDate": resource.properties.get("publishingProfile", {}).get("publishedDate") or timestamp(),
        },
        "storageProfile": {**storage, "osDiskImage": disk},
    }


def _serve(type_: str) -> None:
    path = PATHS[type_]

    @route("GET", path, type_)
    async def get(cloud: Cloud, request: ArmRequest) -> Reply:
        resource = cloud.store.get(_id(request, type_))
        if resource is None:
            _parent(cloud, request, type_)
        return found(render(cloud.resource(_id(request, type_))))

    @route("GET", path.rpartition("/")[0], type_)
    async def list_all(cloud: Cloud, request: ArmRequest) -> Reply:
        holder = _parent(cloud, request, type_) or cloud.group(request.subscription, request.group)
        return listing([render(resource) for resource in cloud.store.children(holder.id, type_)])

    @route("PUT", path, type_)
    async def put(cloud: Cloud, request: ArmRequest) -> Reply:
        body = read_body(cloud, request, type_)
        group = cloud.group(request.subscription, request.group)
        parent = _parent(cloud, request, type_)
        resource, made = cloud.store.get(_id(request, type_)), False
        if resource is None:
            made, name = True, request.params[LEVELS[type_.count("/") - 1]]
            resource = Resource(_id(request, type_), type_, name, group.name, request.subscription)
            resource.location = body["location"]
        _describe(cloud, resource, body.get("properties") or {}, parent)
        resource.tags = body.get("tags")
        resource.provisioning_state = "Creating" if made else "Updating"
        cloud.store.save(resource)
        spec = OperationSpec("compute", "gallery.write", resource.id, resource.location or "", latency="disk.create")
        return started(cloud, request, begin(cloud, request, spec), 201 if made else 200, render(resource))

    @route("DELETE", path, type_)
    async def delete(cloud: Cloud, request: ArmRequest) -> Reply:
        resource = cloud.store.get(_id(request, type_))
        if resource is None:
            cloud.group(request.subscription, request.group)
            return Reply(204)
        if cloud.store.children(resource.id):
            raise ApiError(409, "CannotDeleteResource", "Can not delete resource before nested resources are deleted.")
        resource.provisioning_state = "Deleting"
        cloud.store.save(resource)
        location = resource.location or ""
        spec = OperationSpec("compute", "gallery.delete", resource.id, location, latency="disk.delete", retry_after=10)
        return accepted(cloud, request, begin(cloud, request, spec))


for _type in PATHS:
    _serve(_type)


@action("gallery.write", "gallery.delete")
class Change:
    """What was written is there after a moment, what was deleted is gone."""

    async def work(self, cloud: Cloud, operation: Operation) -> None:
        """Nothing."""

    def done(self, cloud: Cloud, operation: Operation) -> None:
        """Set the final state."""
        resource = cloud.store.get(operation.target)
        if resource is None:
            return
        if operation.kind == "gallery.delete" and operation.status == "Succeeded":
            cloud.store.remove(resource)
            return
        resource.provisioning_state = operation.status
        cloud.store.save(resource)


# How others see a gallery that is shared with them, or with everybody.

SHARED = "Microsoft.Compute/locations/sharedGalleries"
COMMUNITY = "Microsoft.Compute/locations/communityGalleries"
PREFIXES = {SHARED: "/SharedGalleries", COMMUNITY: "/CommunityGalleries"}
PERMISSIONS = {SHARED: "Groups", COMMUNITY: "Community"}


def _shared(cloud: Cloud, type_: str, name: str) -> Resource | None:
    """A gallery by its unique or public name, if it is shared in this way."""
    for gallery in cloud.store.of_type(GALLERY):
        sharing = gallery.properties.get("sharingProfile") or {}
        if sharing.get("permissions") != PERMISSIONS[type_]:
            continue
        names = (sharing.get("communityGalleryInfo") or {}).get("publicNames") or []
        if type_ == SHARED:
            names = [gallery.properties["identifier"]["uniqueName"]]
        if name.lower() in [known.lower() for known in names]:
            return gallery
    return None


def find_version(cloud: Cloud, reference: str, location: str | None) -> tuple[Resource, Resource] | None:
    """The definition and the version that an image reference means; without one, the newest in the region.

    :param reference: an id, ``/SharedGalleries/...`` or ``/CommunityGalleries/...``.
    """
    outer = re.match(r"/(SharedGalleries|CommunityGalleries)/([^/]+)(/.*)", reference, re.IGNORECASE)
    path = reference
    if outer:
        type_ = SHARED if outer[1].lower() == "sharedgalleries" else COMMUNITY
        gallery = _shared(cloud, type_, outer[2])
        if gallery is None:
            return None
        path = gallery.id + outer[3]
    base, _word, wanted = path.partition("/versions/") if "/versions/" in path else _split(path)
    image = cloud.store.get(base)
    if image is None or image.type != GALLERY_IMAGE:
        return None
    versions = [version for version in cloud.store.children(image.id, GALLERY_VERSION) if _is_in(version, location)]
    if wanted and wanted.lower() != "latest":
        versions = [version for version in versions if version.name == wanted]
    else:
        versions = [v for v in versions if not v.properties["publishingProfile"].get("excludeFromLatest")]
    newest = max(versions, key=lambda v: tuple(map(int, v.name.split("."))), default=None)
    return (image, newest) if newest is not None else None


def _split(path: str) -> tuple[str, str, str]:
    match = re.fullmatch(r"(.*)/versions/([^/]+)", path, re.IGNORECASE)
    return (match[1], "/versions/", match[2]) if match else (path, "", "")


def _is_in(version: Resource, location: str | None) -> bool:
    regions = version.properties["publishingProfile"]["targetRegions"]
    return location is None or location in [str(region["name"]).replace(" ", "").lower() for region in regions]


def _serve_shared(type_: str) -> None:
    word = type_.rpartition("/")[2]
    one = f"{SUBSCRIPTION}/providers/Microsoft.Compute/locations/{{location}}/{word}/{{gallery}}"

    def gallery_of(cloud: Cloud, request: ArmRequest) -> Resource:
        gallery = _shared(cloud, type_, request.params["gallery"])
        if gallery is None:
            raise ApiError(404, "NotFound", f"The gallery '{request.params['gallery']}' was not found.")
        return gallery

    def body(request: ArmRequest, resource: Resource, properties: Json, *levels: str) -> Json:
        path = "".join(f"/{level.capitalize()}s/{request.params[level]}" for level in levels)
        identifier = {"uniqueId": f"{PREFIXES[type_]}/{request.params['gallery']}{path}"}
        found_: Json = {"name": resource.name, "location": request.params["location"], "identifier": identifier}
        if type_ == COMMUNITY:
            suffix = "".join(level.capitalize() for level in levels[-1:])
            found_["type"] = f"Microsoft.Compute/locations/communityGallery{suffix and 'Image'}" + (
                "Version" if suffix == "Version" else ""
            )
        return {**found_, "properties": properties}

    def image_body(request: ArmRequest, image: Resource) -> Json:
        shown = ("osType", "osState", "hyperVGeneration", "architecture", "features", "purchasePlan", "disallowed")
        properties = {name: image.properties[name] for name in (*shown, "identifier") if name in image.properties}
        return body(request, image, properties, "image")

    def version_body(request: ArmRequest, version: Resource) -> Json:
        profile = version.properties["publishingProfile"]
        disk = version.properties["storageProfile"]["osDiskImage"]
        properties = {
            "publishedDate": profile["publishedDate"],
            "excludeFromLatest": profile["excludeFromLatest"],
            "storageProfile": {"osDiskImage": {"diskSizeGB": disk["sizeInGB"], "hostCaching": disk["hostCaching"]}},
        }
        return body(request, version, properties, "image", "version")

    def image_of(cloud: Cloud, request: ArmRequest) -> Resource:
        image = cloud.store.get(f"{gallery_of(cloud, request).id}/images/{request.params['image']}")
        if image is None:
            raise ApiError(404, "NotFound", f"The gallery image '{request.params['image']}' was not found.")
        return image

    @route("GET", one, type_)
    async def get(cloud: Cloud, request: ArmRequest) -> Reply:
        return found(body(request, gallery_of(cloud, request), {}))

    @route("GET", f"{one}/images", type_)
    async def list_images(cloud: Cloud, request: ArmRequest) -> Reply:
        images = cloud.store.children(gallery_of(cloud, request).id, GALLERY_IMAGE)
        bodies = []
        for image in images:
            request.params["image"] = image.name
            bodies.append(image_body(request, image))
        return listing(bodies)

    @route("GET", f"{one}/images/{{image}}", type_)
    async def get_image(cloud: Cloud, request: ArmRequest) -> Reply:
        return found(image_body(request, image_of(cloud, request)))

    @route("GET", f"{one}/images/{{image}}/versions", type_)
    async def list_versions(cloud: Cloud, request: ArmRequest) -> Reply:
        bodies = []
        for version in cloud.store.children(image_of(cloud, request).id, GALLERY_VERSION):
            request.params["version"] = version.name
            bodies.append(version_body(request, version))
        return listing(bodies)

    @route("GET", f"{one}/images/{{image}}/versions/{{version}}", type_)
    async def get_version(cloud: Cloud, request: ArmRequest) -> Reply:
        version = cloud.store.get(f"{image_of(cloud, request).id}/versions/{request.params['version']}")
        if version is None:
            raise ApiError(404, "NotFound", f"The gallery image version '{request.params['version']}' was not found.")
        return found(version_body(request, version))


for _type in (SHARED, COMMUNITY):
    _serve_shared(_type)
