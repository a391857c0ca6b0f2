# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The VM sizes of a region, as ``Microsoft.Compute/skus`` lists them. Nothing here talks to Azure."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ..._azure.resource_ids import normalize_location
from ..._azure.wire import Json, properties_of
from ..._errors import OptionError
from ..bodies.virtual_machine import size_of
from ..desired.host_spec import HostSpec

_SUGGESTIONS = 8


@dataclass
class Size:
    """One size.

    :param capabilities: as Azure names them, for example ``vCPUs``.
    """

    name: str
    family: str
    zones: frozenset[str]
    blocked_zones: frozenset[str]
    blocked: bool
    capabilities: t.Mapping[str, str] = field(default_factory=dict)

    def number(self, capability: str) -> float:
        """Return a capability that is a number, 0 when Azure does not state it."""
        try:
            return float(self.capabilities.get(capability, 0))
        except ValueError:
            return 0.0

    @property
    def processor(self) -> str:
        """The architecture in lower case, empty when it is not said."""
        return self.capabilities.get("CpuArchitectureType", "").lower()

    @property
    def generations(self) -> frozenset[str]:
        """The generations of images that it takes, empty when they are not said."""
        names = self.capabilities.get("HyperVGenerations", "").split(",")
        return frozenset(name.strip() for name in names if name.strip())

    @property
    def controllers(self) -> frozenset[str]:
        """The disk controllers in lower case from which it can boot."""
        return read_controllers(self.capabilities.get("DiskControllerTypes", ""))

    def has(self, capability: str) -> bool:
        """Return whether a capability is said to be there."""
        return self.capabilities.get(capability, "").lower() == "true"

    def denies(self, capability: str) -> bool:
        """Return whether a capability is said to be missing."""
        return self.capabilities.get(capability, "").lower() == "false"


def read_controllers(text: str) -> frozenset[str]:
    """Return the disk controllers that a list such as ``SCSI, NVMe`` names, in lower case; ``scsi`` if it is empty."""
    return frozenset(name.strip().lower() for name in text.split(",") if name.strip()) or frozenset(("scsi",))


def image_controllers(image: Json | None) -> frozenset[str]:
    """Return the disk controllers in lower case that an image supports, empty if Azure says nothing about it."""
    features = properties_of(image).get("features")
    if features is None:
        return frozenset()
    values = {str(item.get("name")).lower(): str(item.get("value") or "") for item in features}
    return read_controllers(values.get("diskcontrollertypes", ""))


def sizes_in(location: str, entries: list[Json]) -> list[Size]:
    """Return the sizes among the items of ``Microsoft.Compute/skus``."""
    return [read_size(entry, location) for entry in entries if is_size(entry)]


def is_size(entry: Json) -> bool:
    """Return whether an item of ``Microsoft.Compute/skus`` is a size."""
    return bool(entry.get("resourceType") == "virtualMachines")


def size_named(name: str, location: str, entries: list[Json]) -> Size | None:
    """Return the size of that name, None if the region does not have it. The other hundreds of items are not read."""
    named = (entry for entry in entries if is_size(entry) and str(entry["name"]).lower() == name.lower())
    return next((read_size(entry, location) for entry in named), None)


def read_size(entry: Json, location: str) -> Size:
    """Return the size in an item of ``Microsoft.Compute/skus``."""
    listed = entry.get("locationInfo") or []
    places = [place for place in listed if normalize_location(place.get("location")) == location]
    zones = {str(zone) for place in places for zone in place.get("zones") or []}
    blocked_zones: set[str] = set()
    blocked = False
    for restriction in entry.get("restrictions") or []:
        info = restriction.get("restrictionInfo") or {}
        if str(restriction.get("type")).lower() == "zone":
            blocked_zones |= {str(zone) for zone in info.get("zones") or []}
        elif location in map(normalize_location, info.get("locations") or restriction.get("values") or []):
            blocked = True
    capabilities = {str(item.get("name")): str(item.get("value")) for item in entry.get("capabilities") or []}
    return Size(
        str(entry["name"]), str(entry.get("family")), frozenset(zones), frozenset(blocked_zones), blocked, capabilities
    )


def find_size(
    desired: HostSpec, location: str, entries: list[Json], zone: str | None, image: Json | None = None
) -> Size:
    """Return the size that the options ask for.

    :param entries: items of ``Microsoft.Compute/skus``.
    :param zone: the zone in which the VM is or will be.
    :raises OptionError: the subscription cannot deploy it there; the text says which sizes it can.
    """
    asked = size_of(desired)
    match = size_named(asked, location, entries)
    if match is None or match.blocked:
        word = "is not available" if match else "does not exist"
        raise OptionError(
            "vm_size",
            f"{asked} {word} in {location} for this subscription. Available are"
            f" {similar_sizes(asked, match, sizes_in(location, entries), zone, image)}.",
        )
    if zone and (zone not in match.zones or zone in match.blocked_zones):
        usable = ", ".join(sorted(match.zones - match.blocked_zones)) or "none"
        raise OptionError(
            "zone" if desired.zone else "vm_size",
            f"{asked} is not available in zone {zone} of {location}; zones with it: {usable}.",
        )
    return match


def similar_sizes(
    asked: str, similar: Size | None, sizes: list[Size], zone: str | None, image: Json | None = None
) -> str:
    """Return the names of available sizes for the zone and the image, the most similar ones first.

    :param asked: the name of the requested size.
    :param similar: the size that the others are compared with; None to compare their names.
    """
    free = [size for size in sizes if not size.blocked and _would_do(zone, similar, size, image)]
    if similar:
        free.sort(
            key=lambda size: (
                abs(size.number("vCPUs") - similar.number("vCPUs")),
                abs(size.number("MemoryGB") - similar.number("MemoryGB")),
            )
        )
    else:
        free.sort(key=lambda size: (-_common(size.name.lower(), asked.lower()), size.number("vCPUs")))
    return ", ".join(size.name for size in free[:_SUGGESTIONS]) or "none"


def _would_do(zone: str | None, similar: Size | None, size: Size, image: Json | None) -> bool:
    """Return whether a size is available in the zone and has what the requested size, or the image, needs."""
    if zone and zone not in size.zones - size.blocked_zones:
        return False
    properties = properties_of(image)
    processor = str(properties.get("architecture") or (similar.processor if similar else "")).lower()
    if processor and size.processor and size.processor != processor:
        return False
    controllers = image_controllers(image) or (similar.controllers if similar else size.controllers)
    if not controllers & size.controllers:
        return False
    generation = str(properties.get("hyperVGeneration") or "")
    needed = {generation} if generation else similar.generations if similar else frozenset()
    return not needed or not size.generations or bool(needed & size.generations)


def _common(one: str, other: str) -> int:
    """Return how many letters two names have in common at their beginning."""
    return next((place for place, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]), len(one))
