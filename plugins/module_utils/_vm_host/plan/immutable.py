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


def immutable_differences(wanted: HostSpec, layout: HostResources, actual: Json) -> list[Difference]:
    """What Azure cannot change in place: each property, what is, and what was asked."""
    found = Differences()
    params = wanted.params
    properties = properties_of(actual)
    os_profile = properties.get("osProfile") or {}
    if wanted.location:
        found.compare("location", actual.get("location"), wanted.location)
    if wanted.zone:
        found.compare("zone", next(iter(actual.get("zones") or []), None), wanted.zone)
    reference = (properties.get("storageProfile") or {}).get("imageReference") or {}
    if wanted.image and not wanted.image.matches(reference):
        found.add("image", shown_image(reference), str(wanted.image))
    if wanted.admin_username:
        found.compare("admin_username", os_profile.get("adminUsername"), wanted.admin_username)
    if wanted.ssh_public_keys:
        _compare_keys(found, wanted, os_profile)
    linux = os_profile.get("linuxConfiguration") or {}
    if wanted.admin_password and linux.get("disablePasswordAuthentication"):
        found.add("admin_password", "none, since signing in by password is off", "(not shown)")
    if params["ssh_password_enabled"] is not None:
        actual_enabled = not linux.get("disablePasswordAuthentication", False)
        found.compare("ssh_password_enabled", actual_enabled, params["ssh_password_enabled"])
    known = custom_data_digest(actual)
    if params["custom_data"] and known and not matches(known, params["custom_data"].encode()):
        found.add("custom_data", "(not shown)", "another, not shown")
    if wanted.plan:
        given = {key: value for key, value in wanted.plan.items() if key != "promotionCode"}
        before = {key: (actual.get("plan") or {}).get(key) for key in given}
        found.compare("plan", before, given)
    _compare_placement(found, wanted, layout, properties)
    _compare_security(found, wanted, actual)
    _compare_disks(found, wanted, properties)
    found.entries += _reprovisioned(wanted, properties)
    return found.entries


def custom_data_digest(actual: Json) -> str | None:
    """The digest of the custom data that a VM was made with, as its tag tells."""
    return tag_of(actual, CUSTOM_DATA_TAG)


def _reprovisioned(wanted: HostSpec, properties: Json) -> list[Difference]:
    """A new size moves a VM; its ephemeral OS disk would be made anew, which is another host ("Ephemeral OS disks")."""
    size = (properties.get("hardwareProfile") or {}).get("vmSize")
    if not is_ephemeral(properties) or not wanted.vm_size or str(size).lower() == wanted.vm_size.lower():
        return []
    return [Difference("vm_size", f"{size} (with an ephemeral OS disk)", wanted.vm_size)]


def shown_image(reference: t.Mapping[str, t.Any]) -> str:
    """An image reference as a URN or id."""
    if reference.get("publisher"):
        return ":".join(str(reference.get(key, "")) for key in ("publisher", "offer", "sku", "version"))
    return str(reference.get("id") or reference.get("sharedGalleryImageId") or reference.get("communityGalleryImageId"))


def _compare_keys(found: Differences, wanted: HostSpec, os_profile: Json) -> None:
    linux = os_profile.get("linuxConfiguration")
    if linux is None:
        # Made from a disk: Azure knows of no keys (OSProfile of the Compute API: only of what is made from an image).
        return
    keys = (linux.get("ssh") or {}).get("publicKeys") or []
    # The comment at a key's end does not matter.
    present = {" ".join(str(key.get("keyData", "")).split()[:2]) for key in keys}
    asked = {" ".join(key.split()[:2]) for key in wanted.ssh_public_keys}
    if present != asked:
        found.add("ssh_public_keys", sorted(present), sorted(asked))


def _compare_placement(found: Differences, wanted: HostSpec, layout: HostResources, properties: Json) -> None:
    params = wanted.params
    if params["availability_set"]:
        asked = layout.names.resolve("availability_set", "availability_set", params["availability_set"])
        present = (properties.get("availabilitySet") or {}).get("id")
        if not same_id(present, asked):
            found.add("availability_set", present, asked)
    if params["priority"]:
        found.compare("priority", properties.get("priority") or "Regular", params["priority"])
    if params["eviction_policy"]:
        found.compare("eviction_policy", properties.get("evictionPolicy"), params["eviction_policy"])
    interfaces = (properties.get("networkProfile") or {}).get("networkInterfaces") or []
    present_ids = [entry.get("id") for entry in interfaces]
    if not any(same_id(entry, layout.network_interface) for entry in present_ids):
        found.add("network_interface", present_ids, layout.network_interface)


def _compare_security(found: Differences, wanted: HostSpec, actual: Json) -> None:
    """The security type can be raised to Trusted Launch where the VM is of the second generation, and no other way.

    "Enable Trusted launch on existing Azure Gen2 VMs" (learn.microsoft.com).
    """
    profile = wanted.params["security_profile"] or {}
    asked = profile.get("security_type")
    present = (properties_of(actual).get("securityProfile") or {}).get("securityType") or "Standard"
    if not asked and present == "Standard":
        for option in ("secure_boot_enabled", "v_tpm_enabled"):
            # SecurityProfile.uefiSettings of the Compute API: with a security type only.
            if profile.get(option):
                found.add(f"security_profile.{option}", "False, since security_type is Standard", True)
    if not asked:
        return
    raised = (present, asked) == ("Standard", "TrustedLaunch") and generation_of(actual) == "V2"
    if not raised:
        found.compare("security_profile.security_type", present, asked)


def generation_of(actual: Json) -> str | None:
    """The generation of a VM's virtual hardware, ``V1`` or ``V2``; None where Azure does not tell."""
    return (properties_of(actual).get("instanceView") or {}).get("hyperVGeneration")


def _compare_disks(found: Differences, wanted: HostSpec, properties: Json) -> None:
    storage = properties.get("storageProfile") or {}
    os_disk = storage.get("osDisk") or {}
    if wanted.params["managed_disk_type"]:
        kind = (os_disk.get("managedDisk") or {}).get("storageAccountType")
        asked_kind = wanted.params["managed_disk_type"]
        if kind and (os_disk.get("diffDiskSettings") or not converts(kind, asked_kind)):
            found.compare("managed_disk_type", kind, asked_kind)
    if wanted.params["ephemeral_os_disk"] is not None:
        found.compare("ephemeral_os_disk", bool(os_disk.get("diffDiskSettings")), wanted.params["ephemeral_os_disk"])
    size, asked = os_disk.get("diskSizeGB"), wanted.params["os_disk_size_gb"]
    if size and asked and (asked < size or (asked > size and os_disk.get("diffDiskSettings"))):
        found.add("os_disk_size_gb", size, asked)
    present = current_data_disks(properties)
    for disk in wanted.data_disks:
        before = present.get(disk.lun)
        if before is None:
            continue
        if before.get("diskSizeGB") and before["diskSizeGB"] > disk.size_gb:
            found.add(f"data_disks[lun {disk.lun}].disk_size_gb", before["diskSizeGB"], disk.size_gb)
        kind = (before.get("managedDisk") or {}).get("storageAccountType")
        if disk.kind and kind and not converts(kind, disk.kind):
            found.add(f"data_disks[lun {disk.lun}].managed_disk_type", kind, disk.kind)
