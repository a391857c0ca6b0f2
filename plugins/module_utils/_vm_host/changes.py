# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What Azure cannot change of a virtual machine, and how its disks change. Private to this collection.

Nothing here talks to Azure.
"""

from __future__ import annotations

import copy
import re
import typing as t
from dataclasses import dataclass, replace

from .._differences import Difference, Differences
from .._digest import matches
from .._errors import OptionError
from .facts import Json
from .layout import Layout
from .names import CUSTOM_DATA_TAG, owner_of, same_id, tag_of
from .network import properties_of
from .steps import OwnershipError
from .wanted import MOST_CACHED, DataDisk, Wanted


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
    present = _data_disks(properties)
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
    :param after_caching: the disk's caching is to be changed first.
    """

    option: str
    disk_id: str
    sizes: tuple[int, int] | None = None
    kinds: tuple[str, str] | None = None
    after_caching: bool = False

    @property
    def body(self) -> Json:
        """The PATCH of the disk."""
        body: Json = {}
        if self.sizes:
            body["properties"] = {"diskSizeGB": self.sizes[1]}
        if self.kinds:
            body["sku"] = {"name": self.kinds[1]}
        return body


def recached(wanted: Wanted, properties: Json) -> list[tuple[DataDisk, Json]]:
    """The data disks that are there with another caching than is asked for."""
    present = _data_disks(properties)
    pairs = [(disk, present[disk.lun]) for disk in wanted.data_disks if disk.lun in present]
    return [(disk, before) for disk, before in pairs if disk.caching and disk.caching != _caching_of(before)]


def disks_to_look_at(wanted: Wanted, actual: Json) -> list[str]:
    """The ids of the disks that are to change, as far as the VM tells."""
    os_disk, others = disk_changes(wanted, actual)
    found = [change.disk_id for change in (os_disk, *others) if change]
    found += [
        str((before.get("managedDisk") or {}).get("id")) for _disk, before in recached(wanted, properties_of(actual))
    ]
    return list(dict.fromkeys(found))


def disk_changes(wanted: Wanted, actual: Json) -> tuple[DiskChange | None, list[DiskChange]]:
    """What is to change of the OS disk, and of the data disks."""
    storage = properties_of(actual).get("storageProfile") or {}
    params = wanted.params
    os_disk = storage.get("osDisk") or {}
    main = _disk_change("os_disk_size_gb", os_disk, params["os_disk_size_gb"], params["managed_disk_type"])
    present = _data_disks(properties_of(actual))
    wishes = [(disk, present[disk.lun]) for disk in wanted.data_disks if disk.lun in present]
    others = []
    for disk, before in wishes:
        change = _disk_change("data_disks", before, disk.size_gb, disk.kind)
        others += [replace(change, after_caching=_loses_cache(disk, before, change))] if change else []
    return main, others


def _data_disks(properties: Json) -> dict[int, Json]:
    """The data disks that are there, by logical unit number."""
    disks = (properties.get("storageProfile") or {}).get("dataDisks") or []
    return {int(disk.get("lun", -1)): disk for disk in disks}


def _caching_of(disk: Json) -> str:
    return str(disk.get("caching") or "None")


def _loses_cache(disk: DataDisk, before: Json, change: DiskChange) -> bool:
    """Tell whether a disk has to lose its cache before it grows to a size that has none.

    :raises OptionError: it has to, and that is not asked for.
    """
    caching = _caching_of(before)
    if not change.sizes or change.sizes[1] <= MOST_CACHED or caching == "None":
        return False
    if disk.caching != "None":
        raise OptionError(
            f"data_disks[lun {disk.lun}].disk_size_gb",
            f"{disk.size_gb} GiB are not possible with the caching {caching} that the disk has: Azure caches disks up"
            f" to {MOST_CACHED} GiB. Give caching: None as well, or a smaller size.",
        )
    return True


def check_disk_owners(wanted: Wanted, actual: Json) -> None:
    """Refuse to change data disks that were not made for the host.

    :raises OwnershipError: the text names them.
    """
    if wanted.params["adopt"]:
        return
    ids = {path.lower() for path in disks_to_look_at(wanted, actual)}
    for lun, disk in _data_disks(properties_of(actual)).items():
        path = str((disk.get("managedDisk") or {}).get("id"))
        if path.lower() in ids and not _is_ours(disk, wanted.name):
            raise OwnershipError(
                f"data_disks[lun {lun}]: the disk {path} was not made for the host {wanted.name}, and is left alone."
                " Choose another lun, ask for what it has, or take it over with adopt: true.",
                foreign=[path],
            )


def _is_ours(disk: Json, name: str) -> bool:
    """Tell whether a disk was made with its VM: Azure names it after that one, and gives it that one's tags."""
    made = re.fullmatch(rf"{re.escape(name)}_disk\d+_[0-9a-f]{{32}}", str(disk.get("name")), re.IGNORECASE)
    return bool(made) or owner_of(disk) == name


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
    """The VM with the sizes and types that its managed disks really have, and their tags."""
    known = {str(disk.get("id")).lower(): disk for disk in disks}
    found = copy.deepcopy(actual)
    storage = properties_of(found).get("storageProfile") or {}
    for disk in [storage.get("osDisk") or {}, *(storage.get("dataDisks") or [])]:
        managed = disk.get("managedDisk") or {}
        resource = known.get(str(managed.get("id")).lower())
        if resource:
            disk["tags"] = resource.get("tags") or {}
            disk["diskSizeGB"] = properties_of(resource).get("diskSizeGB") or disk.get("diskSizeGB")
            managed["storageAccountType"] = (resource.get("sku") or {}).get("name") or managed.get("storageAccountType")
    return found
