# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The checks of the Resource Manager itself, before a resource's provider sees the request."""

from __future__ import annotations

import typing as t

from ..errors import ApiError, Json, location_required
from ..schema import accept
from .messages import ArmRequest
from .resource import Resource
from .versions import LOCATIONS

if t.TYPE_CHECKING:
    from ..cloud import Cloud

TAG_LIMIT = 50
RESERVED = "<>%&\\?/"


def read_body(cloud: Cloud, request: ArmRequest, type_: str, *, patch: bool = False) -> Json:
    """Return the checked body of a PUT or PATCH of a top-level resource; its location in the short form.

    :raises ApiError: 400 or 409.
    """
    body = accept(request, type_, patch=patch)
    take_tags(body)
    existing = cloud.store.get(request.path.rstrip("/"))
    location = body.get("location")
    if location is not None:
        body["location"] = check_location(location, type_)
        if existing is not None and existing.location != body["location"]:
            raise moved(existing, body["location"])
    elif request.method == "PUT":
        raise location_required()
    return body


def check_location(location: str, type_: str) -> str:
    """Return the short form of a region's name.

    :raises ApiError: 400, the region does not exist.
    """
    short = location.replace(" ", "").lower()
    if short not in LOCATIONS:
        raise ApiError(
            400,
            "LocationNotAvailableForResourceType",
            f"The provided location '{location}' is not available for resource type '{type_}'. List of available "
            f"regions for the resource type is '{','.join(LOCATIONS)}'.",
        )
    return short


def moved(existing: Resource, location: str) -> ApiError:
    """Return 409: a resource cannot move to another region."""
    return ApiError(
        409,
        "InvalidResourceLocation",
        f"The resource '{existing.name}' already exists in location '{existing.location}' in resource group "
        f"'{existing.group}'. A resource with the same name cannot be created in location '{location}'. Please "
        "select a "
        "new resource name.",
    )


def take_tags(body: Json) -> None:
    """Check the tags of a request, and merge those whose names differ only in case.

    "Tag names are case-insensitive"; of a request with two spellings one is stored (MicrosoftDocs/azure-docs#57888).
    Which of them is not documented: here the first name and the last value, as in a case-insensitive dictionary.

    :raises ApiError: 400.
    """
    _check_tags(body.get("tags"))
    if not body.get("tags"):
        return
    names: dict[str, str] = {}
    body["tags"] = {names.setdefault(name.lower(), name): value for name, value in body["tags"].items()}


def _check_tags(tags: t.Mapping[str, str] | None) -> None:
    for name, value in (tags or {}).items():
        if any(letter in RESERVED for letter in name) or not name:
            raise ApiError(
                400,
                "InvalidTagNameCharacters",
                f"The tag names '{name}' have reserved characters '<,>,%,&,\\,?,/' or control characters.",
            )
        if len(name) > 512:
            raise ApiError(
                400,
                "InvalidTagNameLength",
                f"Tag name too large.  Following tag name '{name}' exceeded the maximum length. Maximum allowed length "
                "for tag name - '512' characters.",
            )
        if len(value) > 256:
            raise ApiError(
                400,
                "InvalidTagValueLength",
                f"Tag value too large.  Following tag value '{value}' exceeded the maximum length. Maximum allowed "
                "length "
                "for tag value - '256' characters.",
            )
    if len(tags or {}) > TAG_LIMIT:
        raise ApiError(
            400, "TooManyTags", f"The number of tags '{len(tags or {})}' exceeds the maximum of '{TAG_LIMIT}'."
        )


def parent_not_found(request: ArmRequest, child_type: str, parent_id: str) -> ApiError:
    """Return 404: the parent of a resource does not exist."""
    verb = {"GET": "read", "DELETE": "delete"}.get(request.method, "write")
    return ApiError(
        404,
        "ParentResourceNotFound",
        f"Failed to perform '{verb}' on resource(s) of type '{child_type.partition('/')[2]}', because the parent "
        "resource "
        f"'{parent_id}' could not be found.",
        headers={"x-ms-failure-cause": "gateway"},
    )


def has_tag(resource: Resource, name: str, value: str | None) -> bool:
    """Return whether a resource has a tag, with this value if one is given."""
    for key, actual in (resource.tags or {}).items():
        if key.lower() == name.lower() and (value is None or actual == value):
            return True
    return False
