# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What Azure cannot change of a virtual machine, and how its disks change. Private to this collection.

Nothing here talks to Azure.
"""

from __future__ import annotations

import copy
import typing as t
from dataclasses import dataclass

from .._differences import Difference, Differences
from .facts import Json
from .layout import Layout
from .names import same_id
from .network import properties_of
from .wanted import Wanted


def immutable_differences(wanted: Wanted, layout: Layout, actual: Json) -> list[Difference]:
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
    if params["ssh_password_enabled"] is not None:
        linux = os_profile.get("linuxConfiguration") or {}
        actual_enabled = not linux.get("disablePasswordAuthentication", False)
        found.compare("ssh_password_enabled", actual_enabled, params["ssh_password_enabled"])
    if wanted.plan:
        given = {key: value for key, value in wanted.plan.items() if key != "promotionCode"}
        before = {key: (actual.get("plan") or {}).get(key) for key in given}
        found.compare("plan", before, given)
    _compare_placement(found, wanted, layout, properties)
    _compare_security(found, wanted, actual)
    _compare_disks(found, wanted, properties)
    found.entries += _reprovisioned(wanted, properties)
    return found.entries


def _reprovisioned(wanted: Wanted, properties: Json) -> list[Difference]:
    """A new size moves a VM; its ephemeral OS disk would be made anew, which is another host ("Ephemeral OS disks")."""
    size = (properties.get("hardwareProfile") or {}).get("vmSize")
    if not is_ephemeral(properties) or not wanted.vm_size or str(size).lower() == wanted.vm_size.lower():
        return []
    return [Difference("vm_size", f"{size} (with an ephemeral OS disk)", wanted.vm_size)]


def is_ephemeral(properties: Json) -> bool:
    """Tell whether a VM's OS disk is on the machine that the VM runs on."""
    return bool(((properties.get("storageProfile") or {}).get("osDisk") or {}).get("diffDiskSettings"))


def shown_image(reference: t.Mapping[str, t.Any]) -> str:
    """An image reference as a URN or id."""
    if reference.get("publisher"):
        return ":".join(str(reference.get(key, "")) for key in ("publisher", "offer", "sku", "version"))
    return str(reference.get("id") or reference.get("sharedGalleryImageId") or reference.get("communityGalleryImageId"))


def _compare_keys(found: Differences, wanted: Wanted, os_profile: Json) -> None:
    keys = ((os_profile.get("linuxConfiguration") or {}).get("ssh") or {}).get("publicKeys") or []
    # The comment at a key's end does not matter.
    present = {" ".join(str(key.get("keyData", "")).split()[:2]) for key in keys}
    asked = {" ".join(key.split()[:2]) for key in wanted.ssh_public_keys}
    if present and present != asked:
        found.add("ssh_public_keys", sorted(present), sorted(asked))


def _compare_placement(found: Differences, wanted: Wanted, layout: Layout, properties: Json) -> None:
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


def _compare_security(found: Differences, wanted: Wanted, actual: Json) -> None:
    """The security type can be raised to Trusted Launch where the VM is of the second generation, and no other way.

    "Enable Trusted launch on existing Azure Gen2 VMs" (learn.microsoft.com).
    """
    asked = (wanted.params["security_profile"] or {}).get("security_type")
    if not asked:
        return
    present = (properties_of(actual).get("securityProfile") or {}).get("securityType") or "Standard"
    raised = (present, asked) == ("Standard", "TrustedLaunch") and generation_of(actual) == "V2"
    if not raised:
        found.compare("security_profile.security_type", present, asked)


def generation_of(actual: Json) -> str | None:
    """The generation of a VM's virtual hardware, ``V1`` or ``V2``; None where Azure does not tell."""
    return (properties_of(actual).get("instanceView") or {}).get("hyperVGeneration")


def _compare_disks(found: Differences, wanted: Wanted, properties: Json) -> None:
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
    present = {int(disk.get("lun", -1)): disk for disk in storage.get("dataDisks") or []}
    for disk in wanted.data_disks:
        before = present.get(disk.lun)
        if before is None:
            continue
        if before.get("diskSizeGB") and before["diskSizeGB"] > disk.size_gb:
            found.add(f"data_disks[lun {disk.lun}].disk_size_gb", before["diskSizeGB"], disk.size_gb)
        kind = (before.get("managedDisk") or {}).get("storageAccountType")
        if disk.kind and kind and not converts(kind, disk.kind):
            found.add(f"data_disks[lun {disk.lun}].managed_disk_type", kind, disk.kind)


@dataclass(frozen=True)
class DiskChange:
    """What is to change of a managed disk: size in GiB, and type; None where it stays.

    :param option: the option that asks for it.
    :param sizes: before and after.
    :param kinds: before and after.
    """

    option: str
    disk_id: str
    sizes: tuple[int, int] | None = None
    kinds: tuple[str, str] | None = None

    @property
    def body(self) -> Json:
        """The PATCH of the disk."""
        body: Json = {}
        if self.sizes:
            body["properties"] = {"diskSizeGB": self.sizes[1]}
        if self.kinds:
            body["sku"] = {"name": self.kinds[1]}
        return body


def disk_changes(wanted: Wanted, actual: Json) -> tuple[DiskChange | None, list[DiskChange]]:
    """What is to change of the OS disk, and of the data disks."""
    storage = properties_of(actual).get("storageProfile") or {}
    params = wanted.params
    os_disk = storage.get("osDisk") or {}
    main = _disk_change("os_disk_size_gb", os_disk, params["os_disk_size_gb"], params["managed_disk_type"])
    present = {int(disk.get("lun", -1)): disk for disk in storage.get("dataDisks") or []}
    wishes = [(disk, present[disk.lun]) for disk in wanted.data_disks if disk.lun in present]
    others = [_disk_change("data_disks", before, disk.size_gb, disk.kind) for disk, before in wishes]
    return main, [change for change in others if change]


def _disk_change(option: str, disk: Json, size: int | None, kind: str | None) -> DiskChange | None:
    managed = disk.get("managedDisk") or {}
    before, type_before = disk.get("diskSizeGB"), managed.get("storageAccountType")
    grows = bool(before and size and size > before)
    becomes = bool(kind and type_before and kind != type_before and converts(type_before, kind))
    if not managed.get("id") or disk.get("diffDiskSettings") or not (grows or becomes):
        return None
    if becomes and option == "os_disk_size_gb" and not grows:
        option = "managed_disk_type"
    return DiskChange(
        option,
        str(managed["id"]),
        (int(before), int(size or 0)) if before and grows else None,
        (str(type_before), str(kind)) if becomes else None,
    )


def converts(before: str, after: str) -> bool:
    """Tell whether Azure converts one type of disk into another.

    "Change the disk type of an Azure managed disk" (learn.microsoft.com): among the types of one redundancy; from
    locally redundant to zone-redundant only by way of a snapshot.
    """
    return before.rpartition("_")[2] == after.rpartition("_")[2]


def with_disk_facts(actual: Json, disks: t.Sequence[Json]) -> Json:
    """The VM with the sizes and types that its managed disks really have."""
    known = {str(disk.get("id")).lower(): disk for disk in disks}
    found = copy.deepcopy(actual)
    storage = properties_of(found).get("storageProfile") or {}
    for disk in [storage.get("osDisk") or {}, *(storage.get("dataDisks") or [])]:
        managed = disk.get("managedDisk") or {}
        resource = known.get(str(managed.get("id")).lower())
        if resource:
            disk["diskSizeGB"] = properties_of(resource).get("diskSizeGB") or disk.get("diskSizeGB")
            managed["storageAccountType"] = (resource.get("sku") or {}).get("name") or managed.get("storageAccountType")
    return found
