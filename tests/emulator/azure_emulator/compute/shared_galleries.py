# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How others see a gallery that is shared with them, or with everybody, and which image a reference means."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from ..arm.messages import ArmRequest, Reply
from ..arm.replies import found, listing
from ..arm.resource import Json, Resource
from ..arm.routing import SUBSCRIPTION, route
from ..errors import ApiError
from . import gallery_contents
from .names import GALLERY, GALLERY_IMAGE, GALLERY_VERSION

if t.TYPE_CHECKING:
    from ..cloud import Cloud

SHARED = "Microsoft.Compute/locations/sharedGalleries"
COMMUNITY = "Microsoft.Compute/locations/communityGalleries"
PREFIXES = {SHARED: "/SharedGalleries", COMMUNITY: "/CommunityGalleries"}
SHOWN_OF_IMAGE = (
    "osType",
    "osState",
    "hyperVGeneration",
    "architecture",
    "features",
    "purchasePlan",
    "disallowed",
    "identifier",
)
PERMISSIONS = {SHARED: "Groups", COMMUNITY: "Community"}


def _shared(cloud: Cloud, type_: str, name: str) -> Resource | None:
    """Return a gallery by its unique or public name, if it is shared in this way."""
    for gallery in cloud.store.of_type(GALLERY):
        if name.lower() in [known.lower() for known in _names(gallery, type_)]:
            return gallery
    return None


def _names(gallery: Resource, type_: str) -> list[str]:
    """Return the names by which others know a gallery; none if it is not shared in this way."""
    sharing = gallery.properties.get("sharingProfile") or {}
    if sharing.get("permissions") != PERMISSIONS[type_]:
        return []
    if type_ == SHARED:
        return [gallery.properties["identifier"]["uniqueName"]]
    return list((sharing.get("communityGalleryInfo") or {}).get("publicNames") or [])


def find_version(cloud: Cloud, reference: str, location: str | None) -> tuple[Resource, Resource] | None:
    """Return the definition and the version that an image reference means; without one, the newest in the region.

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


@dataclass(frozen=True)
class Viewer:
    """The answers about galleries that are shared in one way.

    :param type: of the galleries: :data:`SHARED` or :data:`COMMUNITY`.
    """

    type: str

    def register(self) -> None:
        """Serve the routes."""
        word = self.type.rpartition("/")[2]
        one = f"{SUBSCRIPTION}/providers/Microsoft.Compute/locations/{{location}}/{word}/{{gallery}}"
        for path, handler in (
            (one, self.get),
            (one.rpartition("/")[0], self.list_all),
            (f"{one}/images", self.list_images),
            (f"{one}/images/{{image}}", self.get_image),
            (f"{one}/images/{{image}}/versions", self.list_versions),
            (f"{one}/images/{{image}}/versions/{{version}}", self.get_version),
        ):
            route("GET", path, self.type)(handler)

    async def get(self, cloud: Cloud, request: ArmRequest) -> Reply:
        """Return one gallery."""
        return found(self._gallery_body(request, self._gallery(cloud, request), request.params["gallery"]))

    async def list_all(self, cloud: Cloud, request: ArmRequest) -> Reply:
        """List the galleries that are shared in this way."""
        galleries = [g for g in cloud.store.of_type(GALLERY) if _names(g, self.type)]
        return listing([self._gallery_body(request, gallery, _names(gallery, self.type)[0]) for gallery in galleries])

    async def list_images(self, cloud: Cloud, request: ArmRequest) -> Reply:
        """Return the definitions of a gallery."""
        images = cloud.store.children(self._gallery(cloud, request).id, GALLERY_IMAGE)
        return listing([self._image_body(request, image) for image in images])

    async def get_image(self, cloud: Cloud, request: ArmRequest) -> Reply:
        """Return one definition."""
        return found(self._image_body(request, self._image(cloud, request)))

    async def list_versions(self, cloud: Cloud, request: ArmRequest) -> Reply:
        """Return the versions of a definition."""
        image = self._image(cloud, request)
        versions = cloud.store.children(image.id, GALLERY_VERSION)
        return listing([self._version_body(request, image, version) for version in versions])

    async def get_version(self, cloud: Cloud, request: ArmRequest) -> Reply:
        """Return one version."""
        image = self._image(cloud, request)
        version = cloud.store.get(f"{image.id}/versions/{request.params['version']}")
        if version is None:
            raise _not_found("gallery image version", request.params["version"])
        return found(self._version_body(request, image, version))

    def _gallery(self, cloud: Cloud, request: ArmRequest) -> Resource:
        gallery = _shared(cloud, self.type, request.params["gallery"])
        if gallery is None:
            raise _not_found("gallery", request.params["gallery"])
        return gallery

    def _image(self, cloud: Cloud, request: ArmRequest) -> Resource:
        image = cloud.store.get(f"{self._gallery(cloud, request).id}/images/{request.params['image']}")
        if image is None:
            raise _not_found("gallery image", request.params["image"])
        return image

    def _gallery_body(self, request: ArmRequest, gallery: Resource, name: str) -> Json:
        request.params["gallery"] = name
        info = (gallery.properties.get("sharingProfile") or {}).get("communityGalleryInfo") or {}
        shown = ("publisherUri", "publisherContact", "eula", "publicNames")
        metadata = {key: info[key] for key in shown if key in info}
        return self._body(request, gallery, {"communityMetadata": metadata} if self.type == COMMUNITY else {})

    def _image_body(self, request: ArmRequest, image: Resource) -> Json:
        properties = {name: image.properties[name] for name in SHOWN_OF_IMAGE if name in image.properties}
        properties.setdefault("recommended", {})
        return self._body(request, image, properties, image.name)

    def _version_body(self, request: ArmRequest, image: Resource, version: Resource) -> Json:
        profile = version.properties["publishingProfile"]
        disk = gallery_contents.os_disk(version)
        properties = {
            "publishedDate": profile["publishedDate"],
            "excludeFromLatest": profile["excludeFromLatest"],
            "storageProfile": {
                "osDiskImage": {"diskSizeGB": disk["sizeInGB"], "hostCaching": disk["hostCaching"]},
                "dataDiskImages": [
                    {"lun": data["lun"], "diskSizeGB": data.get("sizeInGB"), "hostCaching": data["hostCaching"]}
                    for data in version.properties["storageProfile"].get("dataDiskImages") or []
                ],
            },
        }
        return self._body(request, version, properties, image.name, version.name)

    def _body(self, request: ArmRequest, resource: Resource, properties: Json, *names: str) -> Json:
        """Return a body. ``names`` are those of the definition and the version that it is about."""
        path = "".join(f"/{level}/{name}" for level, name in zip(("Images", "Versions"), names, strict=False))
        identifier = {"uniqueId": f"{PREFIXES[self.type]}/{request.params['gallery']}{path}"}
        body: Json = {"name": resource.name, "location": request.params["location"], "identifier": identifier}
        if self.type == COMMUNITY:
            suffix = ("", "Image", "ImageVersion")[len(names)]
            body["type"] = f"Microsoft.Compute/locations/communityGallery{suffix}"
        return {**body, "properties": properties}


def _not_found(what: str, name: str) -> ApiError:
    return ApiError(404, "NotFound", f"The {what} '{name}' was not found.")


for _type in (SHARED, COMMUNITY):
    Viewer(_type).register()
