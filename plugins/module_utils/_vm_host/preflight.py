# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What Azure says of size, image, quota and DNS label before anything is made. Private to this collection.

:func:`ask` asks, the rest judges. What may not be asked (rights for reading are missing) is not judged: Azure judges
when the host is created.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from .._azure.api_versions import SKUS
from .._azure.clients import AzureSession
from .._azure.errors import AzureError
from .._azure.operations import side_by_side
from .._errors import OptionError
from .facts import Json
from .images import Image
from .machine import Trust, image_of, size_of
from .network import properties_of
from .wanted import Wanted

_SUGGESTIONS = 8


@dataclass(frozen=True)
class Answers:
    """What Azure said; None for what it did not say.

    :param sizes: the sizes of the region (items of ``Microsoft.Compute/skus``).
    :param usages: use and limits in the region.
    :param image: the image's version.
    :param image_problem: the image is not there, in words.
    :param label_problem: the DNS label cannot be had, in words.
    """

    sizes: list[Json] | None = None
    usages: list[Json] | None = None
    image: Json | None = None
    image_problem: str | None = None
    label_problem: str | None = None


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
        """A capability that is a number, 0 when it is not said."""
        try:
            return float(self.capabilities.get(capability, 0))
        except ValueError:
            return 0.0

    def denies(self, capability: str) -> bool:
        """Tell whether a capability is said to be missing."""
        return self.capabilities.get(capability, "").lower() == "false"


def ask(session: AzureSession, wanted: Wanted, location: str, dns_label: str | None) -> Answers:
    """Ask Azure, side by side.

    :param dns_label: the label of an address that is to be made.
    """
    image = image_of(wanted)

    def sizes() -> list[Json] | None:
        found = session.pages(
            "list the sizes",
            location,
            session.compute.resource_skus.list,
            filter=f"location eq '{location}'",
            api_version=SKUS,
        )
        return [entry for entry in found if entry.get("resourceType") == "virtualMachines"]

    def usages() -> list[Json] | None:
        return session.pages("list usage and limits", location, session.compute.usage.list, location)

    def label() -> str | None:
        return _ask_label(session, location, dns_label) if dns_label else None

    jobs: list[t.Callable[[], t.Any]] = [
        lambda: _allowed(sizes),
        lambda: _allowed(usages),
        lambda: _allowed(label),
        lambda: _ask_image(session, location, image),
    ]
    found_sizes, found_usages, found_label, (version, problem) = side_by_side(jobs)
    return Answers(found_sizes, found_usages, version, problem, found_label)


def _allowed(question: t.Callable[[], t.Any]) -> t.Any:
    """The answer, None when the identity may not ask."""
    try:
        return question()
    except AzureError as error:
        if error.status in (403, 404):
            return None
        raise


def _ask_label(session: AzureSession, location: str, label: str) -> str | None:
    path = f"/subscriptions/{session.subscription_id}/providers/Microsoft.Network/locations/{location}"
    answer = session.arm.get(f"{path}/CheckDnsNameAvailability", domainNameLabel=label)
    if answer.get("available") is not False:
        return None
    return f"{label!r} is taken in {location}: choose another, it must be unique in the region."


def _ask_image(session: AzureSession, location: str, image: Image) -> tuple[Json | None, str | None]:
    if not image.is_platform:
        return _ask_own_image(session, image)
    reference = image.reference
    path = (location, reference["publisher"], reference["offer"], reference["sku"])
    images = session.compute.virtual_machine_images
    try:
        version = reference["version"]
        if version.lower() == "latest":
            newest = session.call("find the image", str(image), images.list, *path, top=1, orderby="name desc")
            if not newest:
                return None, f"{image} has no version in {location}."
            version = str(newest[-1]["name"])
        return session.call("read the image", str(image), images.get, *path, version), None
    except AzureError as error:
        if error.status == 403:
            return None, None
        if error.status in (400, 404):
            return None, f"{image} is not there in {location}: docker_vm_image_info lists what is."
        raise


def _ask_own_image(session: AzureSession, image: Image) -> tuple[Json | None, str | None]:
    path = image.reference.get("id")
    if not path or "/galleries/" in path.lower():
        return None, None
    try:
        found = session.arm.find(path)
    except AzureError as error:
        if error.status == 403:
            return None, None
        raise
    return found, None if found else f"{path} does not exist, or may not be read."


def judge(wanted: Wanted, location: str, answers: Answers) -> Trust:
    """Refuse what Azure would refuse, and tell what image and size allow.

    :raises OptionError: the first thing that cannot be had; the text says what can.
    """
    if answers.label_problem:
        raise OptionError("dns_label", answers.label_problem)
    if answers.image_problem:
        raise OptionError("image", answers.image_problem)
    if answers.image:
        _judge_image(wanted, answers.image)
    if answers.sizes is None:
        return Trust()
    size = _find_size(wanted, location, answers.sizes)
    _judge_fit(wanted, size, answers.image)
    _judge_capabilities(wanted, size)
    if answers.usages is not None:
        _judge_quota(wanted, location, size, answers.usages)
    return Trust(_allows_trusted_launch(size, answers.image))


def _judge_image(wanted: Wanted, image: Json) -> None:
    properties = properties_of(image)
    system = (properties.get("osDiskImage") or {}).get("operatingSystem") or (
        (properties.get("storageProfile") or {}).get("osDisk") or {}
    ).get("osType")
    if system and str(system).lower() != "linux":
        raise OptionError("image", f"{image_of(wanted)} is a {system} image; Docker hosts are Linux.")
    plan = properties.get("plan")
    if plan and not wanted.plan:
        raise OptionError(
            "plan",
            f"{image_of(wanted)} is sold with a plan: give name {plan.get('name')}, product {plan.get('product')},"
            f" publisher {plan.get('publisher')}, and accept its terms once.",
        )


def read_size(entry: Json, location: str) -> Size:
    """A size from an item of ``Microsoft.Compute/skus``."""
    places = [place for place in entry.get("locationInfo") or [] if str(place.get("location")).lower() == location]
    zones = {str(zone) for place in places for zone in place.get("zones") or []}
    blocked_zones: set[str] = set()
    blocked = False
    for restriction in entry.get("restrictions") or []:
        info = restriction.get("restrictionInfo") or {}
        if restriction.get("type") == "Zone":
            blocked_zones |= {str(zone) for zone in info.get("zones") or []}
        elif location in [str(name).lower() for name in info.get("locations") or restriction.get("values") or []]:
            blocked = True
    capabilities = {str(item.get("name")): str(item.get("value")) for item in entry.get("capabilities") or []}
    return Size(
        str(entry["name"]), str(entry.get("family")), frozenset(zones), frozenset(blocked_zones), blocked, capabilities
    )


def _find_size(wanted: Wanted, location: str, entries: list[Json]) -> Size:
    sizes = [read_size(entry, location) for entry in entries]
    asked = size_of(wanted)
    found = next((size for size in sizes if size.name.lower() == asked.lower()), None)
    if found is None or found.blocked:
        word = "is not available" if found else "does not exist"
        raise OptionError(
            "vm_size",
            f"{asked} {word} in {location} for this subscription. Available are {_alike(asked, found, sizes)}.",
        )
    if wanted.zone and (wanted.zone not in found.zones or wanted.zone in found.blocked_zones):
        usable = ", ".join(sorted(found.zones - found.blocked_zones)) or "none"
        raise OptionError(
            "zone", f"{asked} cannot be had in zone {wanted.zone} of {location}; zones with it: {usable}."
        )
    return found


def _alike(asked: str, found: Size | None, sizes: list[Size]) -> str:
    """Available sizes that are most like the one asked for."""
    free = [size for size in sizes if not size.blocked]
    if found:
        free.sort(
            key=lambda size: (
                abs(size.number("vCPUs") - found.number("vCPUs")),
                abs(size.number("MemoryGB") - found.number("MemoryGB")),
            )
        )
    else:
        free.sort(key=lambda size: (-_common(size.name.lower(), asked.lower()), size.number("vCPUs")))
    return ", ".join(size.name for size in free[:_SUGGESTIONS]) or "none"


def _common(one: str, other: str) -> int:
    """How many letters two names have in common at their beginning."""
    return next((place for place, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]), len(one))


def _judge_fit(wanted: Wanted, size: Size, image: Json | None) -> None:
    properties = properties_of(image)
    generation = str(properties.get("hyperVGeneration") or "")
    generations = [text.strip() for text in size.capabilities.get("HyperVGenerations", "").split(",") if text.strip()]
    if generation and generations and generation not in generations:
        raise OptionError(
            "image",
            f"{image_of(wanted)} is of generation {generation}, the size {size.name} takes {', '.join(generations)}:"
            " choose another image or vm_size.",
        )
    architecture = str(properties.get("architecture") or "").lower()
    processor = size.capabilities.get("CpuArchitectureType", "").lower()
    if architecture and processor and architecture != processor:
        raise OptionError("image", f"{image_of(wanted)} is for {architecture}, the size {size.name} is {processor}.")


def _judge_capabilities(wanted: Wanted, size: Size) -> None:
    params = wanted.params
    kinds = [params["managed_disk_type"], *(disk.kind for disk in wanted.data_disks)]
    security = params["security_profile"] or {}
    checks = (
        ("managed_disk_type", any(str(kind).startswith("Premium") for kind in kinds), "PremiumIO"),
        ("ephemeral_os_disk", params["ephemeral_os_disk"], "EphemeralOSDiskSupported"),
        ("enable_accelerated_networking", params["enable_accelerated_networking"], "AcceleratedNetworkingEnabled"),
        ("priority", params["priority"] == "Spot", "LowPriorityCapable"),
        ("security_profile", security.get("encryption_at_host"), "EncryptionAtHostSupported"),
    )
    for option, asked, capability in checks:
        if asked and size.denies(capability):
            raise OptionError(option, f"the size {size.name} cannot have it ({capability} is False).")
    limit = size.number("MaxDataDiskCount")
    if limit and len(wanted.data_disks) > limit:
        raise OptionError("data_disks", f"the size {size.name} takes {limit:.0f} data disks.")
    if security.get("security_type") == "TrustedLaunch" and size.capabilities.get("TrustedLaunchDisabled") == "True":
        raise OptionError("security_profile.security_type", f"the size {size.name} has no Trusted Launch.")


def _judge_quota(wanted: Wanted, location: str, size: Size, usages: list[Json]) -> None:
    needed = size.number("vCPUs")
    names = ["lowPriorityCores"] if wanted.params["priority"] == "Spot" else ["cores", size.family]
    for usage in usages:
        name = usage.get("name") or {}
        if str(name.get("value")).lower() not in [entry.lower() for entry in names]:
            continue
        used, limit = float(usage.get("currentValue", 0)), float(usage.get("limit", 0))
        if used + needed > limit:
            shown = name.get("localizedValue") or name.get("value")
            raise OptionError(
                "vm_size",
                f"{size.name} needs {needed:.0f} vCPUs; of {shown} in {location}"
                f" {used:.0f} of {limit:.0f} are used. Choose a smaller size, another family or location, or ask for a"
                " higher quota.",
            )


def _allows_trusted_launch(size: Size, image: Json | None) -> bool:
    features = {str(item.get("name")): str(item.get("value")) for item in properties_of(image).get("features") or []}
    if "TrustedLaunch" not in features.get("SecurityType", ""):
        return False
    generations = size.capabilities.get("HyperVGenerations", "")
    return "V2" in generations and size.capabilities.get("TrustedLaunchDisabled") != "True"
