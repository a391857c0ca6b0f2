# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The task of docker_vm_image_info."""

from __future__ import annotations

import difflib
import fnmatch
import re
import typing as t
from functools import partial

from .._argspec import ArgumentSpec
from .._azure.argument_spec import azure_argument_spec
from .._azure.clients import AzureSession
from .._azure.errors import AzureError
from .._azure.operations import run_parallel
from .._azure.wire import Json, properties_of
from .._backend import Backend, Request
from .._errors import OptionError
from .desired import validators
from .desired.image_reference import ALIASES

AT_ONCE = 8
_PATTERN = re.compile(r"[A-Za-z0-9_.*?\[\]!-]+")

SPEC = azure_argument_spec().merge(
    ArgumentSpec(
        argument_spec={
            "location": {"type": "str", "required": True},
            "family": {"type": "str"},
            "publisher": {"type": "str"},
            "offer": {"type": "str"},
            "sku": {"type": "str"},
            "version": {"type": "str", "default": "latest"},
            "generation": {"type": "str", "choices": ["V1", "V2"]},
            "architecture": {"type": "str", "choices": ["x64", "Arm64"]},
        },
        mutually_exclusive=[("family", "publisher")],
        required_by={"offer": ["publisher"], "sku": ["offer"]},
    )
)


def run(request: Request) -> dict[str, t.Any]:
    """List the values of the first part of a URN that the options leave out, or the images of a complete one."""
    params = dict(request.params)
    location = validators.location_of("location", params["location"])
    families = [{"name": name, "urn": urn} for name, urn in ALIASES.items()]
    if params["family"]:
        if params["family"].lower() not in ALIASES:
            raise OptionError("family", f"must be one of {', '.join(ALIASES)}, got {params['family']!r}")
        urn = ALIASES[params["family"].lower()].split(":")[:3]
        params.update(zip(("publisher", "offer", "sku"), urn, strict=True))
    for option in ("publisher", "offer", "sku", "version"):
        if params[option] is not None and not _PATTERN.fullmatch(params[option]):
            raise OptionError(option, f"must be a name or a pattern such as ubuntu-*, got {params[option]!r}")
    _expect_images(params)
    with AzureSession.from_params(params, request.progress, token_cache=request.token_cache) as session:
        _check_location(session, location)
        catalogue = _Catalogue(session, location)
        result: dict[str, t.Any] = {"changed": False, "families": families, "publishers": [], "offers": [], "skus": []}
        result["images"] = []
        catalogue.fill(result, params)
        result["signed_in_with"] = session.signed_in_with
    return result


def _expect_images(params: dict[str, t.Any]) -> None:
    """Query the images of every SKU if an option selects images by properties that only images have."""
    asked = [key for key in ("generation", "architecture") if params[key]]
    if params["version"].lower() != "latest":
        asked.append("version")
    if not asked or params["sku"]:
        return
    if not params["offer"]:
        raise OptionError(asked[0], "needs O(offer) (which may be a pattern) and O(publisher), or O(family)")
    params["sku"] = "*"


def _check_location(session: AzureSession, location: str) -> None:
    """Refuse a region that the subscription does not have, if the identity may list them."""
    try:
        locations = session.arm.list(f"/subscriptions/{session.subscription_id}/locations")
    except AzureError as error:
        if error.status in (403, 404):
            return
        raise
    names = [str(entry.get("name")).lower() for entry in locations]
    if names and location not in names:
        alike = ", ".join(difflib.get_close_matches(location, names, n=5)) or ", ".join(names[:5])
        raise OptionError(
            "location",
            f"must be a region of this subscription, got {location!r}. Similar names: {alike}."
            " `az account list-locations` lists all regions.",
        )


class _Catalogue:
    """Azure's catalogue of images in one region."""

    def __init__(self, session: AzureSession, location: str) -> None:
        self._session = session
        self._location = location
        self._images = session.compute.virtual_machine_images

    def fill(self, result: dict[str, t.Any], params: t.Mapping[str, t.Any]) -> None:
        """Query the catalogue down to the level that the options require."""
        publisher, offer, sku = params["publisher"], params["offer"], params["sku"]
        # The list has the publisher's own spelling, which the table of families has too.
        names = [publisher] if params["family"] else self._names("list_publishers")
        publishers = _matching(names, publisher)
        if not offer and (not publisher or _is_pattern(publisher)):
            result["publishers"] = publishers
            return
        offers = self._all([partial(self._offers, name, offer) for name in publishers])
        if not offer:
            result["offers"] = [name for _publisher, name in offers]
            return
        skus = self._all([partial(self._skus, entry[0], entry[1], sku) for entry in offers])
        if not sku:
            result["skus"] = [":".join((*entry, "latest")) for entry in skus]
            return
        images = self._all([partial(self._versions, entry, params["version"]) for entry in skus])
        for key in ("generation", "architecture"):
            desired = str(params[key] or "").lower()
            images = [image for image in images if not desired or str(image[key]).lower() == desired]
        result["images"] = images

    def _all(self, jobs: list[t.Callable[[], list[t.Any]]]) -> list[t.Any]:
        return [entry for some in self._each(jobs) for entry in some]

    def _offers(self, publisher: str, pattern: str | None) -> list[tuple[str, str]]:
        return [(publisher, name) for name in _matching(self._names("list_offers", publisher), pattern)]

    def _each(self, jobs: list[t.Callable[[], t.Any]]) -> list[t.Any]:
        answers: list[t.Any] = []
        for first in range(0, len(jobs), AT_ONCE):
            answers += run_parallel(jobs[first : first + AT_ONCE])
        return answers

    def _names(self, function: str, *path: str) -> list[str]:
        what = ":".join(path) or self._location
        try:
            listed = self._session.call("list images", what, getattr(self._images, function), self._location, *path)
        except AzureError as error:
            if error.not_found:
                return []
            raise
        return sorted((str(entry["name"]) for entry in listed or []), key=str.lower)

    def _skus(self, publisher: str, offer: str, pattern: str | None) -> list[tuple[str, str, str]]:
        return [(publisher, offer, name) for name in _matching(self._names("list_skus", publisher, offer), pattern)]

    def _versions(self, entry: tuple[str, str, str], desired: str) -> list[Json]:
        names = self._names("list", *entry)
        names.sort(key=_version_key)
        names = names[-1:] if desired.lower() == "latest" else _matching(names, desired)
        return self._each([partial(self._image, entry, name) for name in names])

    def _image(self, entry: tuple[str, str, str], version: str) -> Json:
        urn = ":".join((*entry, version))
        image = self._session.call("read the image", urn, self._images.get, self._location, *entry, version)
        properties = properties_of(image)
        features = {str(item.get("name")): item.get("value") for item in properties.get("features") or []}
        plan = properties.get("plan")
        return {
            "urn": urn,
            "publisher": entry[0],
            "offer": entry[1],
            "sku": entry[2],
            "version": version,
            "os": (properties.get("osDiskImage") or {}).get("operatingSystem"),
            "generation": properties.get("hyperVGeneration"),
            "architecture": properties.get("architecture"),
            "trusted_launch": "TrustedLaunch" in str(features.get("SecurityType", "")),
            "state": (properties.get("imageDeprecationStatus") or {}).get("imageState"),
            "plan": {key: plan.get(key) for key in ("name", "product", "publisher")} if plan else None,
        }


def _is_pattern(text: str) -> bool:
    return any(sign in text for sign in "*?[")


def _matching(names: list[str], pattern: str | None) -> list[str]:
    if not pattern:
        return names
    return [name for name in names if fnmatch.fnmatch(name.lower(), pattern.lower())]


def _version_key(version: str) -> list[int]:
    """Return a key that sorts versions by their numbers, not as text."""
    return [int(part) if part.isdigit() else -1 for part in version.split(".")]


BACKEND = Backend("docker_vm_image_info", SPEC, run)
