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
    switches: dict[str, t.Any] = {
        "basic_public_ip": day < BASIC_RETIRED,
        "docker_extension": day < DOCKER_EXTENSION_RETIRED,
    }
    images = sorted({urn for i in flow.interactions if i.status < 300 for urn in _image_urns(i)})
    if images:
        switches["extra_images"] = images
    return switches


def _image_urns(interaction: Interaction) -> t.Iterator[str]:
    """Images that an answer shows."""
    match = _IMAGE_PATH.search(interaction.path)
    if match is None:
        return
    body = interaction.response.body
    names = [match["version"]] if match["version"] else [e.get("name") for e in body if isinstance(e, dict)]
    for name in names if isinstance(body, list | dict) else ():
        if name:
            yield f"{match['publisher']}:{match['offer']}:{match['sku']}:{name}"


def add_to_catalogue(cloud: Cloud, target: Target, body: Json) -> None:
    """Add what an accepted request names to the catalogue: the image and the size, or the extension type."""
    properties = body.get("properties") or {}
    if target.kind == "compute/virtualmachines":
        _image(cloud, (properties.get("storageProfile") or {}).get("imageReference") or {})
        size = (properties.get("hardwareProfile") or {}).get("vmSize")
        if size and str(size).lower() not in catalogue.SIZES:
            _add(cloud, "extra_sizes", str(size))
    elif target.kind == "compute/virtualmachines/extensions":
        _extension_type(cloud, properties)


def _image(cloud: Cloud, reference: Json) -> None:
    publisher, offer, sku, version = (
        str(reference.get(name) or "") for name in ("publisher", "offer", "sku", "version")
    )
    if publisher and offer and sku and not catalogue.find_image(cloud, reference):
        exact = str(reference.get("exactVersion") or "1.0.0") if version.lower() in ("", "latest") else version
        _add(cloud, "extra_images", f"{publisher}:{offer}:{sku}:{exact}")


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
