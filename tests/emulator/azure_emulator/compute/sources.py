# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The sources of machines: platform images, managed images, images of galleries."""

from __future__ import annotations

import re
import typing as t

from ..arm.resource import Json, Resource
from ..errors import ApiError, invalid_parameter
from . import catalogue, gallery_contents, shared_galleries
from .catalogue import Image
from .names import IMAGE

if t.TYPE_CHECKING:
    from ..cloud import Cloud

_PLATFORM = re.compile(
    r"/publishers/(?P<publisher>[^/]+)/artifacttypes/vmimage/offers/(?P<offer>[^/]+)/skus/(?P<sku>[^/]+)"
    r"/versions/(?P<version>[^/]+)/?$",
    re.IGNORECASE,
)
SHARED = ("sharedGalleryImageId", "communityGalleryImageId")


def image_of(cloud: Cloud, vm: Resource, reference: Json) -> Image | None:
    """Return the image that a machine's reference means; None without a reference, or if the image no longer exists."""
    if reference.get("publisher"):
        return catalogue.find_image(cloud, reference)
    text = next((reference[name] for name in ("id", *SHARED) if reference.get(name)), None)
    if text is None:
        return None
    resource = cloud.store.get(text)
    if resource is not None and resource.type == IMAGE:
        return _managed(resource)
    found = shared_galleries.find_version(cloud, text, vm.location)
    return _of_gallery(*found) if found is not None else None


def is_specialized(cloud: Cloud, vm: Resource, reference: Json) -> bool:
    """Return whether a machine's reference means an image that has been taken from a machine as it was."""
    text = next((reference[name] for name in ("id", *SHARED) if reference.get(name)), None)
    found = shared_galleries.find_version(cloud, text, vm.location) if text is not None else None
    return found is not None and found[0].properties.get("osState") == "Specialized"


def image_of_disk(cloud: Cloud, disk: Resource, creation: Json) -> Image | None:
    """Return the image that a disk is made of as an OS disk; None if it is not, or if the image does not exist.

    :param creation: the disk's ``creationData``.
    """
    reference: Json = creation.get("galleryImageReference") or creation.get("imageReference") or {}
    if reference.get("lun") is not None:
        return None
    place = _PLATFORM.search(str(reference.get("id") or ""))
    return image_of(cloud, disk, place.groupdict() if place is not None else reference)


def check_image(cloud: Cloud, vm: Resource, storage: Json) -> Image | None:
    """Return the image of a new machine.

    :raises ApiError: 400 or 404, the image does not exist in the machine's region.
    """
    reference: Json = storage.get("imageReference") or {}
    if not reference:
        return None
    if reference.get("publisher"):
        return _platform(cloud, reference)
    named = [name for name in ("id", *SHARED) if reference.get(name)]
    if len(named) > 1:
        raise invalid_parameter(f"Only one of {', '.join(named)} can be given.", "imageReference")
    if not named:
        return None
    image = image_of(cloud, vm, reference)
    text = reference[named[0]]
    if image is None:
        of_gallery = named[0] in SHARED or "/galleries/" in text.lower()
        raise _gallery_missing(text, vm.location) if of_gallery else _missing(text)
    managed = cloud.store.get(text)
    if managed is None or managed.type != IMAGE:
        return image
    if (managed.location, managed.subscription) != (vm.location, vm.subscription):
        raise _missing(text)
    return image


def _platform(cloud: Cloud, reference: Json) -> Image:
    for name in ("offer", "sku", "version"):
        if not reference.get(name):
            raise invalid_parameter(
                f"Required parameter 'imageReference.{name}' is missing (null).", f"imageReference.{name}"
            )
    image = catalogue.find_image(cloud, reference)
    if image is None:
        urn = ":".join(str(reference.get(name, "")) for name in ("publisher", "offer", "sku", "version"))
        raise ApiError(
            404,
            "PlatformImageNotFound",
            f"The platform image '{urn}' is not available. Verify that all fields in the storage profile are correct. "
            "For more details about storage profile information, please refer to https://aka.ms/storageprofile",
            target="imageReference",
        )
    return image


def _missing(text: str) -> ApiError:
    return ApiError(
        404, "ResourceNotFound", f"The Image '{text}' cannot be found in the region of the VM.", target="imageReference"
    )


def _gallery_missing(text: str, location: str | None) -> ApiError:
    """404, as for an image version that is not replicated to the region (hashicorp/terraform-provider-azurerm#6745)."""
    return ApiError(
        404,
        "GalleryImageNotFound",
        f"The gallery image {text} is not available in {location} region. Please contact image owner to replicate to "
        "this region, or change your requested region.",
        target="imageReference",
    )


def _managed(resource: Resource) -> Image:
    properties = resource.properties
    disk = properties["storageProfile"]["osDisk"]
    return Image(
        "",
        "",
        "",
        "",
        disk["osType"].lower(),
        "",
        properties.get("hyperVGeneration", "V1"),
        disk.get("diskSizeGB") or 30,
        os_type=disk["osType"],
        trusted=False,
        nvme=False,
    )


def _of_gallery(definition: Resource, version: Resource) -> Image:
    properties = definition.properties
    features = {item["name"]: item["value"] for item in properties.get("features") or []}
    return Image(
        "",
        "",
        "",
        version.name,
        properties["osType"].lower(),
        "",
        properties.get("hyperVGeneration", "V1"),
        gallery_contents.os_disk(version)["sizeInGB"],
        architecture=properties.get("architecture", "x64"),
        os_type=properties["osType"],
        trusted="TrustedLaunch" in features.get("SecurityType", ""),
        nvme="NVMe" in features.get("DiskControllerTypes", ""),
    )
