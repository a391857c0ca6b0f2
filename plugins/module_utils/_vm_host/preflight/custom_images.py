# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Query managed images and images of galleries before a host is created from them.

The result has the form in which Azure describes a platform image.
"""

from __future__ import annotations

import re
import typing as t

from ..._azure.clients import AzureSession
from ..._azure.errors import AzureError
from ..._azure.resource_ids import normalize_location
from ..._azure.wire import Json, properties_of
from ..desired.image_reference import Image

_PARTS = re.compile(r"(?P<definition>.*/images/[^/]+)(?:/versions/(?P<version>[^/]+))?", re.IGNORECASE)
_SHARED = re.compile(r"/(?P<kind>SharedGalleries|CommunityGalleries)/(?P<rest>.*)", re.IGNORECASE)


def query_custom_image(session: AzureSession, location: str, image: Image) -> tuple[Json | None, str | None]:
    """Return the image, or what is wrong with it in words; neither if the identity may not read it.

    :param location: the future location of the host.
    """
    path = str(image)
    try:
        if "/galleries/" in path.lower() or not path.lower().startswith("/subscriptions/"):
            return _of_gallery(session, location, path)
        return _managed(session, location, path)
    except AzureError as error:
        if error.status == 403:
            return None, None
        raise


def _managed(session: AzureSession, location: str, path: str) -> tuple[Json | None, str | None]:
    image = session.arm.find(path)
    if image is None:
        return None, f"{path} does not exist, or may not be read."
    place = normalize_location(image.get("location"))
    if place != location:
        return None, f"{path} is in {place}, but the host would be in {location}: both must be in one location."
    disk = (properties_of(image).get("storageProfile") or {}).get("osDisk") or {}
    return _described(disk.get("osType"), properties_of(image), disk.get("diskSizeGB")), None


def _of_gallery(session: AzureSession, location: str, path: str) -> tuple[Json | None, str | None]:
    match = t.cast("re.Match[str]", _PARTS.fullmatch(path))
    desired = match["version"] if (match["version"] or "latest").lower() != "latest" else None
    base = _place_of(session, location, match["definition"])
    definition = session.arm.find(base)
    if definition is None:
        return None, f"{match['definition']} does not exist in {location}, or is not shared with this subscription."
    versions = [_version(entry) for entry in session.arm.list(f"{base}/versions")]
    here = [entry for entry in versions if not entry["regions"] or location in entry["regions"]]
    fitting = [entry for entry in here if desired in (None, entry["name"])]
    if not fitting:
        names = ", ".join(entry["name"] for entry in here) or "none"
        return None, f"{path} has no such version in {location}; existing versions: {names}."
    properties = properties_of(definition)
    size = max((entry["size"] for entry in fitting), default=None)
    return _described(properties.get("osType"), properties, size, properties.get("purchasePlan")), None


def _place_of(session: AzureSession, location: str, definition: str) -> str:
    """Return the path to read a definition. Galleries of others are read through the user's own subscription."""
    match = _SHARED.fullmatch(definition)
    if not match:
        return definition
    kind = {"sharedgalleries": "sharedGalleries", "communitygalleries": "communityGalleries"}[match["kind"].lower()]
    place = f"/subscriptions/{session.subscription_id}/providers/Microsoft.Compute/locations/{location}"
    return f"{place}/{kind}/{match['rest']}"


def _version(entry: Json) -> Json:
    properties = properties_of(entry)
    regions = (properties.get("publishingProfile") or {}).get("targetRegions") or []
    disk = (properties.get("storageProfile") or {}).get("osDiskImage") or {}
    return {
        "name": str(entry.get("name")),
        "regions": [normalize_location(region.get("name")) for region in regions],
        "size": int(disk.get("sizeInGB") or disk.get("diskSizeGB") or 0),
    }


def _described(system: t.Any, properties: Json, size: t.Any, plan: t.Any = None) -> Json:
    return {
        "properties": {
            "osDiskImage": {"operatingSystem": system, "sizeInGb": size or 0},
            "hyperVGeneration": properties.get("hyperVGeneration"),
            "architecture": properties.get("architecture"),
            "features": properties.get("features") or [],
            "plan": plan,
        }
    }
