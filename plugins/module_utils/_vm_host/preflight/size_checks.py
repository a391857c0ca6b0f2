# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check whether a size suits the host: its image, disks, security and quota."""

from __future__ import annotations

from ..._azure.wire import Json, properties_of
from ..._errors import OptionError
from ..argument_spec import DISK_TYPES
from ..bodies.virtual_machine import Findings, image_of
from ..desired.host_spec import HostSpec
from .disk_controllers import check_image_controllers, check_machine_controller
from .image_checks import image_disk_size
from .queries import Answers
from .sizes import Size, find_size, size_named

# GiB; no Linux image of the marketplace is smaller.
_LEAST_DISK = 30


def check_size(desired: HostSpec, location: str, answers: Answers, entries: list[Json]) -> Findings:
    """Refuse a size that Azure would refuse for this host, and return what it allows.

    :param entries: items of ``Microsoft.Compute/skus``.
    :raises OptionError: the first option that the size does not suit.
    """
    size = find_size(desired, location, entries, desired.zone, answers.image)
    _check_fit(desired, size, answers.image)
    check_image_controllers(desired, size, answers.image)
    _check_capabilities(desired, size)
    trusted = _allows_trusted_launch(size, answers.image)
    _check_security(desired, size, answers.image, trusted)
    _check_ephemeral(desired, size, answers.image, trusted)
    if answers.usages is not None:
        _check_quota(location, size, answers.usages, desired.spot.is_spot)
    return Findings(size.name, trusted, accelerated_networking=_allows_accelerated_networking(size, answers.image))


def _check_fit(desired: HostSpec, size: Size, image: Json | None) -> None:
    properties = properties_of(image)
    generation = str(properties.get("hyperVGeneration") or "")
    if generation and size.generations and generation not in size.generations:
        raise OptionError(
            "image",
            f"{image_of(desired)} is of generation {generation}, but the size {size.name} supports only"
            f" {', '.join(sorted(size.generations))}: choose another image or O(vm_size).",
        )
    architecture = str(properties.get("architecture") or "").lower()
    if architecture and size.processor and architecture != size.processor:
        raise OptionError(
            "image", f"{image_of(desired)} is for {architecture}, but the size {size.name} is {size.processor}."
        )


def _check_capabilities(desired: HostSpec, size: Size) -> None:
    kinds = [desired.os_disk.kind, *(disk.kind for disk in desired.data_disks)]
    security = desired.security
    checks = (
        ("managed_disk_type", any(str(kind).startswith("Premium") for kind in kinds), "PremiumIO"),
        ("ephemeral_os_disk", desired.os_disk.ephemeral, "EphemeralOSDiskSupported"),
        ("enable_accelerated_networking", desired.network.accelerated_networking, "AcceleratedNetworkingEnabled"),
        ("priority", desired.spot.is_spot, "LowPriorityCapable"),
        ("security_profile", security.encryption_at_host, "EncryptionAtHostSupported"),
    )
    for option, asked, capability in checks:
        if asked and size.denies(capability):
            raise OptionError(option, f"is not supported by the size {size.name} ({capability} is False)")
    limit = size.number("MaxDataDiskCount")
    if limit and len(desired.data_disks) > limit:
        raise OptionError(
            "data_disks", f"must be at most {limit:.0f} disks with the size {size.name}, got {len(desired.data_disks)}"
        )
    if security.security_type == "TrustedLaunch" and size.has("TrustedLaunchDisabled"):
        raise OptionError(
            "security_profile.security_type", f"must not be TrustedLaunch, which the size {size.name} does not support"
        )


def _check_security(desired: HostSpec, size: Size, image: Json | None, possible: bool) -> None:
    profile = desired.security
    for option in ("security_type", "secure_boot_enabled", "v_tpm_enabled"):
        value = getattr(profile, option)
        if image and not possible and value in ("TrustedLaunch", True):
            raise OptionError(
                f"security_profile.{option}",
                f"{value} needs Trusted Launch, which the image {image_of(desired)} and the size {size.name} do not"
                " support together. Choose a generation 2 image that supports it, or another size, or leave the"
                " option out",
            )


def _check_ephemeral(desired: HostSpec, size: Size, image: Json | None, trusted: bool) -> None:
    """Check that an ephemeral OS disk fits into the size's cache, or onto its temporary disk.

    "Ephemeral OS disks" (learn.microsoft.com): with Trusted Launch, Azure reserves one GiB of it.
    """
    if not desired.os_disk.ephemeral:
        return
    cache, temporary = size.number("CachedDiskBytes") / 2**30, size.number("MaxResourceVolumeMB") / 1024
    if not cache and not temporary:
        return
    asked = desired.security.security_type
    room = int(cache or temporary) - int(trusted and asked != "Standard")
    needed = desired.os_disk.size_gb or image_disk_size(image) or _LEAST_DISK
    if needed > room:
        raise OptionError(
            "ephemeral_os_disk",
            f"needs {needed} GiB, but the size {size.name} has only {room}: choose a larger O(vm_size)"
            + (" or a smaller O(os_disk_size_gb)" if desired.os_disk.size_gb else ""),
        )


def check_change(
    desired: HostSpec, location: str, entries: list[Json] | None, current: Json, usages: list[Json] | None = None
) -> Findings:
    """Refuse changes of a VM that its current or desired size does not allow, and return what another size allows.

    :param entries: items of ``Microsoft.Compute/skus``, None if they are unknown.
    :param usages: use and limits in the region, None when one may not ask.
    :param current: the VM.
    :raises OptionError: the first option that the size does not suit.
    """
    properties = properties_of(current)
    before = str((properties.get("hardwareProfile") or {}).get("vmSize"))
    if entries is None:
        return Findings()
    known = size_named(before, location, entries)
    if not desired.vm_size or desired.vm_size.lower() == before.lower():
        if not known:
            return Findings()
        _check_capabilities(desired, known)
        decides = "enable_accelerated_networking" in desired.reset
        return Findings(accelerated_networking=_allows_accelerated_networking(known, None) if decides else None)
    size = find_size(desired, location, entries, next(iter(current.get("zones") or []), None))
    _check_boots(desired, size, current, known)
    if known:
        _check_quota(location, size, usages or [], properties.get("priority") == "Spot", known)
    _check_capabilities(desired, size)
    return Findings(accelerated_networking=_allows_accelerated_networking(size, None))


def _check_boots(desired: HostSpec, size: Size, current: Json, before: Size | None) -> None:
    """Refuse a size on which an existing VM cannot boot.

    :param before: the size that the VM has now, None if it is unknown.
    :raises OptionError: the size does not suit the VM.
    """
    properties = properties_of(current)
    generation = (properties.get("instanceView") or {}).get("hyperVGeneration")
    if generation and size.generations and generation not in size.generations:
        raise OptionError(
            "vm_size",
            f"{desired.name} is of generation {generation}, but the size {size.name} supports only"
            f" {', '.join(sorted(size.generations))}",
        )
    if before and before.processor and size.processor not in ("", before.processor):
        raise OptionError(
            "vm_size",
            f"must be a size for the architecture {before.processor} of {desired.name}, but {size.name} is"
            f" {size.processor}",
        )
    check_machine_controller(desired, size, current, before)
    trusted = (properties.get("securityProfile") or {}).get("securityType") == "TrustedLaunch"
    if trusted and size.has("TrustedLaunchDisabled"):
        raise OptionError("vm_size", f"{desired.name} has Trusted Launch, which the size {size.name} does not support")


def check_disk_types(desired: HostSpec, location: str, entries: list[Json]) -> None:
    """Check that the region has the disk types: "Redundancy options for managed disks" (learn.microsoft.com)."""
    there = sorted({str(entry.get("name")) for entry in entries if entry.get("resourceType") == "disks"})
    asked = [("managed_disk_type", desired.os_disk.kind)]
    asked += [(f"data_disks[lun {disk.lun}].managed_disk_type", disk.kind) for disk in desired.data_disks]
    for option, kind in asked:
        if there and kind and kind not in there:
            possible = ", ".join(name for name in DISK_TYPES if name in there)
            raise OptionError(option, f"must be available in {location} ({possible}), got {kind}")


def _check_quota(location: str, size: Size, usages: list[Json], spot: bool, before: Size | None = None) -> None:
    """Refuse a size beyond the quota.

    "Check vCPU quotas" (learn.microsoft.com): of the region and of the size's family; spot VMs have their own.

    :param before: the size that the VM has now: its vCPUs are in use already.
    """
    names = ["lowPriorityCores"] if spot else ["cores", size.family]
    for usage in usages:
        name = usage.get("name") or {}
        if str(name.get("value")).lower() not in [entry.lower() for entry in names]:
            continue
        same = before and (before.family == size.family or str(name.get("value")).lower() != size.family.lower())
        needed = size.number("vCPUs") - (before.number("vCPUs") if before and same else 0)
        used, limit = float(usage.get("currentValue") or 0), float(usage.get("limit") or 0)
        # A limit below 0 means that there is none.
        if needed > 0 and 0 <= limit < used + needed:
            shown = name.get("localizedValue") or name.get("value")
            more = " more" if before and same else ""
            raise OptionError(
                "vm_size",
                f"{size.name} needs {needed:.0f}{more} vCPUs, but {used:.0f} of {limit:.0f} {shown}"
                f" in {location} are used. Choose a smaller size, another family or location, or ask for a"
                " higher quota.",
            )


def _allows_accelerated_networking(size: Size, image: Json | None) -> bool | None:
    """Return whether size and image allow accelerated networking, None if Azure does not say it of the size.

    An image that says nothing about it allows it ("Create an Azure Image Builder and gallery image definition").
    """
    features = {str(item.get("name")): str(item.get("value")) for item in properties_of(image).get("features") or []}
    if features.get("IsAcceleratedNetworkSupported", "").lower() == "false":
        return False
    said = size.capabilities.get("AcceleratedNetworkingEnabled")
    return None if said is None else said.lower() == "true"


def _allows_trusted_launch(size: Size, image: Json | None) -> bool:
    features = {str(item.get("name")): str(item.get("value")) for item in properties_of(image).get("features") or []}
    if "TrustedLaunch" not in features.get("SecurityType", ""):
        return False
    return "V2" in size.generations and not size.has("TrustedLaunchDisabled")
