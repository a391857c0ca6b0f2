# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a record requires of the cloud and no request can create: catalogue entries, quotas, rights, faults.

Everything goes through the switches that anybody can set (:mod:`azure_emulator.switches`).
"""

from __future__ import annotations

import datetime
import re
import typing as t

from azure_emulator.compute import catalogue

from .paths import Target
from .records import Flow, Interaction

if t.TYPE_CHECKING:
    from azure_emulator.cloud import Cloud

Json = dict[str, t.Any]
BASIC_RETIRED = datetime.date(2025, 9, 30)
PREVIOUS_SIZES_RESTRICTED = datetime.date(2026, 7, 1)
DOCKER_EXTENSION_RETIRED = datetime.date(2018, 11, 1)
_IMAGE_PATH = re.compile(
    r"/publishers/(?P<publisher>[^/]+)/artifacttypes/vmimage/offers/(?P<offer>[^/]+)/skus/(?P<sku>[^/]+)"
    r"/versions(?:/(?P<version>[^/]+))?/?$",
    re.IGNORECASE,
)
_TYPE_PATH = re.compile(
    r"/publishers/(?P<publisher>[^/]+)/artifacttypes/vmextension/types/(?P<type>[^/]+)(?:/versions(?:/(?P<version>[^/]+))?)?/?$",
    re.IGNORECASE,
)


def starting_switches(flow: Flow) -> dict[str, t.Any]:
    """Return the switches for the cloud on the day of a record, with the catalogue that the record shows."""
    day = flow.date or datetime.date.max
    shown = [interaction for interaction in flow.interactions if interaction.status < 300]
    switches: dict[str, t.Any] = {
        "basic_public_ip": day < BASIC_RETIRED,
        "previous_sizes": flow.date is None or day < PREVIOUS_SIZES_RESTRICTED,
        "docker_extension": day < DOCKER_EXTENSION_RETIRED,
    }
    said = sorted((image for i in shown for image in _images(i)), key=len)  # The answer that says most is the last.
    images = {image.partition("|")[0]: image.partition("|")[2] for image in said}
    if images:
        switches["extra_images"] = [f"{urn}{details}" for urn, details in sorted(images.items())]
    extensions = sorted({extension for i in shown for extension in _extension_types(i)})
    if extensions:
        switches["extra_extensions"] = extensions
    return switches


def _images(interaction: Interaction) -> t.Iterator[str]:
    """Yield the images that an answer shows, each with what it says about generation and security type."""
    body = interaction.response.body
    if isinstance(body, dict):
        yield from _image_of_disk(body)
    match = _IMAGE_PATH.search(interaction.path)
    if match is None or not isinstance(body, list | dict):
        return
    names = [match["version"]] if match["version"] else [e.get("name") for e in body if isinstance(e, dict)]
    properties = (body.get("properties") or {}) if isinstance(body, dict) else {}
    details = ":V2" if properties.get("hyperVGeneration") == "V2" else ""
    if any("TrustedLaunch" in str(feature.get("value")) for feature in properties.get("features") or []):
        details += ":TrustedLaunch"
    if (properties.get("osDiskImage") or {}).get("operatingSystem") == "Windows":
        details += ":Windows"
    for name in filter(None, names):
        yield f"{match['publisher']}:{match['offer']}:{match['sku']}:{name}|{details}"


def _image_of_disk(body: Json) -> t.Iterator[str]:
    """Yield the platform image of which a disk was made, with what the disk has taken over from it."""
    properties = body.get("properties") or {}
    reference = (properties.get("creationData") or {}).get("imageReference") or {}
    match = _IMAGE_PATH.search(str(reference.get("id") or ""))
    if match is None or not match["version"] or reference.get("lun") is not None:
        return
    details = ":V2" if properties.get("hyperVGeneration") == "V2" else ""
    if properties.get("osType") == "Windows":
        details += ":Windows"
    yield f"{match['publisher']}:{match['offer']}:{match['sku']}:{match['version']}|{details}"


def _extension_types(interaction: Interaction) -> t.Iterator[str]:
    """Yield the versions of extension types that an answer shows."""
    match = _TYPE_PATH.search(interaction.path)
    body = interaction.response.body
    if match is None or not isinstance(body, list | dict):
        return
    for name in [match["version"]] if match["version"] else [e.get("name") for e in body if isinstance(e, dict)]:
        if name and match["type"]:
            yield f"{match['publisher']}.{match['type']}:{name}"


def add_to_catalogue(cloud: Cloud, target: Target, body: Json, answer: t.Any = None) -> None:
    """Add what an accepted request names to the catalogue: the image and the size, or the extension type.

    :param answer: the recorded body, which says of what system an image is.
    """
    properties = body.get("properties") or {}
    if target.kind == "compute/virtualmachines":
        trusted = (properties.get("securityProfile") or {}).get("securityType") == "TrustedLaunch"
        reference = (properties.get("storageProfile") or {}).get("imageReference") or {}
        windows = any(_is_windows(said) for said in (body, answer))
        _image(cloud, reference, (":V2:TrustedLaunch" if trusted else "") + (":Windows" if windows else ""))
        size = (properties.get("hardwareProfile") or {}).get("vmSize")
        if size and str(size).lower() not in catalogue.SIZES:
            _add(cloud, "extra_sizes", str(size))
    elif target.kind == "compute/virtualmachines/extensions":
        _extension_type(cloud, properties)


def _is_windows(body: t.Any) -> bool:
    properties = (body.get("properties") or {}) if isinstance(body, dict) else {}
    disk = (properties.get("storageProfile") or {}).get("osDisk") or {}
    return disk.get("osType") == "Windows" or bool((properties.get("osProfile") or {}).get("windowsConfiguration"))


def _image(cloud: Cloud, reference: Json, details: str) -> None:
    publisher, offer, sku, version = (
        str(reference.get(name) or "") for name in ("publisher", "offer", "sku", "version")
    )
    if not (publisher and offer and sku):
        return
    found = catalogue.find_image(cloud, reference)
    if found is not None and (found.trusted_launch or "TrustedLaunch" not in details):
        return
    newest = found.version if found is not None else str(reference.get("exactVersion") or "1.0.0")
    exact = newest if version.lower() in ("", "latest") else version
    entry = f"{publisher}:{offer}:{sku}:{exact}{details}"
    cloud.switches.set("extra_images", [entry, *cloud.switches["extra_images"]])


def _extension_type(cloud: Cloud, properties: Json) -> None:
    publisher, type_ = properties.get("publisher"), properties.get("type")
    if not publisher or not type_:
        return
    wanted = str(properties.get("typeHandlerVersion") or "1.0")
    known = catalogue.find_extension_type(cloud, publisher, type_)
    upgrades = bool(properties.get("autoUpgradeMinorVersion"))
    if known is None or catalogue.resolve_version(known, wanted, minor_upgrades=upgrades) is None:
        full = wanted if wanted.count(".") > 1 else f"{wanted}.0"
        _add(cloud, "extra_extensions", f"{publisher}.{type_}:{full}")


def _add(cloud: Cloud, switch: str, entry: str) -> None:
    cloud.switches.set(switch, [*cloud.switches[switch], entry])
