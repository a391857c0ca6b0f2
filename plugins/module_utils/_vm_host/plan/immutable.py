# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What Azure cannot change of a virtual machine, and how its disks change. Private to this collection.

Nothing here talks to Azure.
"""

from __future__ import annotations

import typing as t

from ..._azure.resource_ids import same_id
from ..._azure.tags import CUSTOM_DATA_TAG, tag_of
from ..._azure.wire import Json, properties_of
from ..._diff import Difference, Differences
from ..._digest import matches
from ..desired.host_spec import HostSpec
from ..desired.topology import HostResources
from .disks import converts, current_data_disks, is_ephemeral


def immutable_differences(desired: HostSpec, resources: HostResources, current: Json) -> list[Difference]:
    """What Azure cannot change in place: each property, what is, and what was asked."""
    found = Differences()
    properties = properties_of(current)
    os_profile = properties.get("osProfile") or {}
    if desired.location:
        found.compare("location", current.get("location"), desired.location)
    if desired.zone:
        found.compare("zone", next(iter(current.get("zones") or []), None), desired.zone)
    reference = (properties.get("storageProfile") or {}).get("imageReference") or {}
    if desired.image and not desired.image.matches(reference):
        found.add("image", shown_image(reference), str(desired.image))
    if desired.admin_username:
        found.compare("admin_username", os_profile.get("adminUsername"), desired.admin_username)
    if desired.ssh_public_keys:
        _compare_keys(found, desired, os_profile)
    linux = os_profile.get("linuxConfiguration") or {}
    if desired.admin_password and linux.get("disablePasswordAuthentication"):
        found.add("admin_password", "none, since signing in by password is off", "(not shown)")
    if desired.ssh_password_enabled is not None:
        actual_enabled = not linux.get("disablePasswordAuthentication", False)
        found.compare("ssh_password_enabled", actual_enabled, desired.ssh_password_enabled)
    known = custom_data_digest(current)
    if desired.custom_data and known and not matches(known, desired.custom_data.encode()):
        found.add("custom_data", "(not shown)", "another, not shown")
    if desired.plan:
        given = {key: value for key, value in desired.plan.items() if key != "promotionCode"}
        before = {key: (current.get("plan") or {}).get(key) for key in given}
        found.compare("plan", before, given)
    _compare_placement(found, desired, resources, properties)
    _compare_security(found, desired, current)
    _compare_disks(found, desired, properties)
    found.entries += _reprovisioned(desired, properties)
    return found.entries


def custom_data_digest(current: Json) -> str | None:
    """The digest of the custom data that a VM was made with, as its tag tells."""
    return tag_of(current, CUSTOM_DATA_TAG)


def _reprovisioned(desired: HostSpec, properties: Json) -> list[Difference]:
    """A new size moves a VM; its ephemeral OS disk would be made anew, which is another host ("Ephemeral OS disks")."""
    size = (properties.get("hardwareProfile") or {}).get("vmSize")
    if not is_ephemeral(properties) or not desired.vm_size or str(size).lower() == desired.vm_size.lower():
        return []
    return [Difference("vm_size", f"{size} (with an ephemeral OS disk)", desired.vm_size)]


def shown_image(reference: t.Mapping[str, t.Any]) -> str:
    """An image reference as a URN or id."""
    if reference.get("publisher"):
        return ":".join(str(reference.get(key, "")) for key in ("publisher", "offer", "sku", "version"))
    return str(reference.get("id") or reference.get("sharedGalleryImageId") or reference.get("communityGalleryImageId"))


def _compare_keys(found: Differences, desired: HostSpec, os_profile: Json) -> None:
    linux = os_profile.get("linuxConfiguration")
    if linux is None:
        # Made from a disk: Azure knows of no keys (OSProfile of the Compute API: only of what is made from an image).
        return
    keys = (linux.get("ssh") or {}).get("publicKeys") or []
    # The comment at a key's end does not matter.
    current = {" ".join(str(key.get("keyData", "")).split()[:2]) for key in keys}
    asked = {" ".join(key.split()[:2]) for key in desired.ssh_public_keys}
    if current != asked:
        found.add("ssh_public_keys", sorted(current), sorted(asked))


def _compare_placement(found: Differences, desired: HostSpec, resources: HostResources, properties: Json) -> None:
    if desired.availability_set:
        asked = resources.names.resolve("availability_set", "availability_set", desired.availability_set)
        current = (properties.get("availabilitySet") or {}).get("id")
        if not same_id(current, asked):
            found.add("availability_set", current, asked)
    if desired.spot.priority:
        found.compare("priority", properties.get("priority") or "Regular", desired.spot.priority)
    if desired.spot.eviction_policy:
        found.compare("eviction_policy", properties.get("evictionPolicy"), desired.spot.eviction_policy)
    interfaces = (properties.get("networkProfile") or {}).get("networkInterfaces") or []
    present_ids = [entry.get("id") for entry in interfaces]
    if not any(same_id(entry, resources.network_interface) for entry in present_ids):
        found.add("network_interface", present_ids, resources.network_interface)


def _compare_security(found: Differences, desired: HostSpec, current: Json) -> None:
    """The security type can be raised to Trusted Launch where the VM is of the second generation, and no other way.

    "Enable Trusted launch on existing Azure Gen2 VMs" (learn.microsoft.com).
    """
    profile = desired.security
    asked = profile.security_type
    current_type = (properties_of(current).get("securityProfile") or {}).get("securityType") or "Standard"
    if not asked and current_type == "Standard":
        for option, enabled in profile.firmware.items():
            # SecurityProfile.uefiSettings of the Compute API: with a security type only.
            if enabled:
                found.add(f"security_profile.{option}", "False, since security_type is Standard", True)
    if not asked:
        return
    raised = (current_type, asked) == ("Standard", "TrustedLaunch") and generation_of(current) == "V2"
    if not raised:
        found.compare("security_profile.security_type", current_type, asked)


def generation_of(current: Json) -> str | None:
    """The generation of a VM's virtual hardware, ``V1`` or ``V2``; None where Azure does not tell."""
    return (properties_of(current).get("instanceView") or {}).get("hyperVGeneration")


def _compare_disks(found: Differences, desired: HostSpec, properties: Json) -> None:
    storage = properties.get("storageProfile") or {}
    os_disk = storage.get("osDisk") or {}
    if desired.os_disk.kind:
        kind = (os_disk.get("managedDisk") or {}).get("storageAccountType")
        asked_kind = desired.os_disk.kind
        if kind and (os_disk.get("diffDiskSettings") or not converts(kind, asked_kind)):
            found.compare("managed_disk_type", kind, asked_kind)
    if desired.os_disk.ephemeral is not None:
        found.compare("ephemeral_os_disk", bool(os_disk.get("diffDiskSettings")), desired.os_disk.ephemeral)
    size, asked = os_disk.get("diskSizeGB"), desired.os_disk.size_gb
    if size and asked and (asked < size or (asked > size and os_disk.get("diffDiskSettings"))):
        found.add("os_disk_size_gb", size, asked)
    current = current_data_disks(properties)
    for disk in desired.data_disks:
        before = current.get(disk.lun)
        if before is None:
            continue
        if before.get("diskSizeGB") and before["diskSizeGB"] > disk.size_gb:
            found.add(f"data_disks[lun {disk.lun}].disk_size_gb", before["diskSizeGB"], disk.size_gb)
        kind = (before.get("managedDisk") or {}).get("storageAccountType")
        if disk.kind and kind and not converts(kind, disk.kind):
            found.add(f"data_disks[lun {disk.lun}].managed_disk_type", kind, disk.kind)
