# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The properties of a virtual machine that Azure cannot change.

Nothing here talks to Azure.
"""

from __future__ import annotations

import typing as t

from ..._azure.resource_ids import same_id
from ..._azure.tags import CUSTOM_DATA_TAG, tag_of
from ..._azure.wire import Json, dig, properties_of
from ..._diff import Difference, Differences
from ..._digest import matches
from ..desired.host_spec import HostSpec
from ..desired.options import DEFAULT_EVICTION
from ..desired.topology import HostResources
from .disks import converts, current_data_disks, is_ephemeral


def immutable_differences(desired: HostSpec, resources: HostResources, current: Json) -> list[Difference]:
    """Return the differences that Azure cannot change in place.

    :param current: the VM.
    """
    changes = Differences()
    properties = properties_of(current)
    if desired.location:
        changes.compare("location", current.get("location"), desired.location)
    if desired.zone or "zone" in desired.reset:
        changes.compare("zone", next(iter(current.get("zones") or []), None), desired.zone)
    _compare_origin(changes, desired, current)
    _compare_access(changes, desired, properties.get("osProfile") or {})
    _compare_placement(changes, desired, resources, properties)
    _compare_security(changes, desired, current)
    _compare_os_disk(changes, desired, properties)
    _compare_data_disks(changes, desired, properties)
    changes.entries += _reprovisioned(desired, properties)
    return changes.entries


def _compare_origin(changes: Differences, desired: HostSpec, current: Json) -> None:
    """Compare what the VM was created from."""
    reference = dig(current, "properties", "storageProfile", "imageReference") or {}
    if desired.image and not desired.image.matches(reference):
        changes.add("image", shown_image(reference), str(desired.image))
    if desired.plan:
        plan = {key: value for key, value in desired.plan.items() if key != "promotionCode"}
        changes.compare("plan", {key: dig(current, "plan", key) for key in plan}, plan)
    elif "plan" in desired.reset:
        changes.compare("plan", dig(current, "plan", "name"), None)
    digest = custom_data_digest(current)
    if desired.custom_data and digest and not matches(digest, desired.custom_data.encode()):
        changes.add("custom_data", "(not shown)", "another, not shown")
    if digest and "custom_data" in desired.reset:
        changes.add("custom_data", "(not shown)", None)


def _compare_access(changes: Differences, desired: HostSpec, os_profile: Json) -> None:
    linux = os_profile.get("linuxConfiguration") or {}
    if desired.admin_username:
        changes.compare("admin_username", os_profile.get("adminUsername"), desired.admin_username)
    if desired.ssh_public_keys or "ssh_public_keys" in desired.reset:
        _compare_keys(changes, desired, os_profile)
    if desired.admin_password and linux.get("disablePasswordAuthentication"):
        changes.add("admin_password", "none, since signing in by password is off", "(not shown)")
    if "admin_password" in desired.reset and os_profile and not linux.get("disablePasswordAuthentication", False):
        changes.add("admin_password", "(not shown)", None)
    if desired.ssh_password_enabled is not None:
        enabled = not linux.get("disablePasswordAuthentication", False)
        changes.compare("ssh_password_enabled", enabled, desired.ssh_password_enabled)


def custom_data_digest(current: Json) -> str | None:
    """Return the digest of the custom data with which a VM was created, from its tag."""
    return tag_of(current, CUSTOM_DATA_TAG)


def _reprovisioned(desired: HostSpec, properties: Json) -> list[Difference]:
    """Return a new size as a difference if the OS disk is ephemeral: Azure would create that disk again."""
    size = (properties.get("hardwareProfile") or {}).get("vmSize")
    if not is_ephemeral(properties) or not desired.vm_size or str(size).lower() == desired.vm_size.lower():
        return []
    return [Difference("vm_size", f"{size} (with an ephemeral OS disk)", desired.vm_size)]


def shown_image(reference: t.Mapping[str, t.Any]) -> str:
    """Return an image reference as a URN or id."""
    if reference.get("publisher"):
        return ":".join(str(reference.get(key, "")) for key in ("publisher", "offer", "sku", "version"))
    return str(reference.get("id") or reference.get("sharedGalleryImageId") or reference.get("communityGalleryImageId"))


def _compare_keys(changes: Differences, desired: HostSpec, os_profile: Json) -> None:
    linux = os_profile.get("linuxConfiguration")
    if linux is None:
        # Azure knows the keys only of a VM that was created from an image (OSProfile of the Compute API).
        return
    keys = (linux.get("ssh") or {}).get("publicKeys") or []
    # The comment at a key's end does not matter.
    current = {" ".join(str(key.get("keyData", "")).split()[:2]) for key in keys}
    asked = {" ".join(key.split()[:2]) for key in desired.ssh_public_keys}
    if current != asked:
        changes.add("ssh_public_keys", sorted(current), sorted(asked))


def _compare_placement(changes: Differences, desired: HostSpec, resources: HostResources, properties: Json) -> None:
    current = (properties.get("availabilitySet") or {}).get("id")
    if desired.availability_set:
        asked = resources.names.resolve("availability_set", "availability_set", desired.availability_set)
        if not same_id(current, asked):
            changes.add("availability_set", current, asked)
    elif "availability_set" in desired.reset:
        changes.compare("availability_set", current, None)
    if desired.spot.priority:
        changes.compare("priority", properties.get("priority") or "Regular", desired.spot.priority)
    if desired.spot.eviction_policy:
        changes.compare("eviction_policy", properties.get("evictionPolicy"), desired.spot.eviction_policy)
    elif "eviction_policy" in desired.reset and properties.get("evictionPolicy"):
        changes.compare("eviction_policy", properties["evictionPolicy"], DEFAULT_EVICTION)
    interfaces = (properties.get("networkProfile") or {}).get("networkInterfaces") or []
    present_ids = [entry.get("id") for entry in interfaces]
    if not any(same_id(entry, resources.network_interface) for entry in present_ids):
        changes.add("network_interface", present_ids, resources.network_interface)


def _compare_security(changes: Differences, desired: HostSpec, current: Json) -> None:
    """Compare the security type. Azure can only raise it to Trusted Launch, and only for VMs of generation 2.

    "Enable Trusted launch on existing Azure Gen2 VMs" (learn.microsoft.com).
    """
    profile = desired.security
    asked = profile.security_type
    current_type = (properties_of(current).get("securityProfile") or {}).get("securityType") or "Standard"
    if not asked and current_type == "Standard":
        for option, enabled in profile.firmware.items():
            # SecurityProfile.uefiSettings of the Compute API: with a security type only.
            if enabled:
                changes.add(f"security_profile.{option}", "False, since security_type is Standard", True)
    if not asked:
        return
    raised = (current_type, asked) == ("Standard", "TrustedLaunch") and generation_of(current) == "V2"
    if not raised:
        changes.compare("security_profile.security_type", current_type, asked)


def generation_of(current: Json) -> str | None:
    """Return the generation of a VM's virtual hardware, ``V1`` or ``V2``; None if Azure does not return it."""
    return (properties_of(current).get("instanceView") or {}).get("hyperVGeneration")


def _compare_os_disk(changes: Differences, desired: HostSpec, properties: Json) -> None:
    current, options = dig(properties, "storageProfile", "osDisk") or {}, desired.os_disk
    is_ephemeral_now = bool(current.get("diffDiskSettings"))
    kind, size = dig(current, "managedDisk", "storageAccountType"), current.get("diskSizeGB")
    if options.kind and kind and (is_ephemeral_now or not converts(kind, options.kind)):
        changes.compare("managed_disk_type", kind, options.kind)
    if options.ephemeral is not None:
        changes.compare("ephemeral_os_disk", is_ephemeral_now, options.ephemeral)
    if size and options.size_gb and (options.size_gb < size or (options.size_gb > size and is_ephemeral_now)):
        changes.add("os_disk_size_gb", size, options.size_gb)


def _compare_data_disks(changes: Differences, desired: HostSpec, properties: Json) -> None:
    attached = current_data_disks(properties)
    for disk in desired.data_disks:
        current = attached.get(disk.lun) or {}
        size, kind = current.get("diskSizeGB"), dig(current, "managedDisk", "storageAccountType")
        if size and size > disk.size_gb:
            changes.add(f"data_disks[lun {disk.lun}].disk_size_gb", size, disk.size_gb)
        if disk.kind and kind and not converts(kind, disk.kind):
            changes.add(f"data_disks[lun {disk.lun}].managed_disk_type", kind, disk.kind)
