# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Compare the disks of an existing VM with the desired ones. Pure."""

from __future__ import annotations

import copy
import re
import typing as t
from dataclasses import dataclass, replace

from ..._azure.tags import owner_of
from ..._azure.wire import Json, properties_of
from ..._errors import OptionError
from ..desired.host_spec import MOST_CACHED, HostSpec
from ..desired.options import DataDisk
from .model import OwnershipError


def is_ephemeral(properties: Json) -> bool:
    """Return whether a VM's OS disk is on the machine that the VM runs on."""
    return bool(((properties.get("storageProfile") or {}).get("osDisk") or {}).get("diffDiskSettings"))


@dataclass(frozen=True)
class DiskChange:
    """The changes of a managed disk: its size in GiB and its type; None for one that stays.

    :param option: the option that requires the change.
    :param sizes: before and after.
    :param kinds: before and after.
    :param after_caching: whether the disk's caching must change first.
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


def recached(desired: HostSpec, properties: Json) -> list[tuple[DataDisk, Json]]:
    """Return the existing data disks whose caching is not the desired one."""
    current = current_data_disks(properties)
    pairs = [(disk, current[disk.lun]) for disk in desired.data_disks if disk.lun in current]
    return [(disk, before) for disk, before in pairs if disk.caching and disk.caching != _caching_of(before)]


def disks_to_read(desired: HostSpec, current: Json) -> list[str]:
    """Return the ids of the disks that must change, as far as the VM shows it."""
    os_disk, others = disk_changes(desired, current)
    disk_ids = [change.disk_id for change in (os_disk, *others) if change]
    disk_ids += [
        str((before.get("managedDisk") or {}).get("id")) for _disk, before in recached(desired, properties_of(current))
    ]
    return list(dict.fromkeys(disk_ids))


def disk_changes(desired: HostSpec, current: Json) -> tuple[DiskChange | None, list[DiskChange]]:
    """Return the changes of the OS disk, and of the data disks."""
    storage = properties_of(current).get("storageProfile") or {}
    os_disk = storage.get("osDisk") or {}
    main = _disk_change("os_disk_size_gb", os_disk, desired.os_disk.size_gb, desired.os_disk.kind)
    attached = current_data_disks(properties_of(current))
    wishes = [(disk, attached[disk.lun]) for disk in desired.data_disks if disk.lun in attached]
    others = []
    for disk, before in wishes:
        change = _disk_change("data_disks", before, disk.size_gb, disk.kind)
        others += [replace(change, after_caching=_loses_cache(disk, before, change))] if change else []
    return main, others


def current_data_disks(properties: Json) -> dict[int, Json]:
    """Return the existing data disks by logical unit number."""
    disks = (properties.get("storageProfile") or {}).get("dataDisks") or []
    return {int(disk.get("lun", -1)): disk for disk in disks}


def _caching_of(disk: Json) -> str:
    return str(disk.get("caching") or "None")


def _loses_cache(disk: DataDisk, before: Json, change: DiskChange) -> bool:
    """Return whether a disk must lose its cache before it grows to a size that Azure does not cache.

    :raises OptionError: it must, but the options do not set its caching to None.
    """
    caching = _caching_of(before)
    if not change.sizes or change.sizes[1] <= MOST_CACHED or caching == "None":
        return False
    if disk.caching != "None":
        raise OptionError(
            f"data_disks[lun {disk.lun}].disk_size_gb",
            f"must be at most {MOST_CACHED} GiB with the caching {caching} of the disk, got {disk.size_gb}: set"
            " caching to None, or choose a smaller size",
        )
    return True


def check_disk_owners(desired: HostSpec, current: Json) -> None:
    """Refuse to change data disks that were not created for the host.

    :raises OwnershipError: the text names them.
    """
    if desired.behaviour.adopt:
        return
    ids = {path.lower() for path in disks_to_read(desired, current)}
    for lun, disk in current_data_disks(properties_of(current)).items():
        path = str((disk.get("managedDisk") or {}).get("id"))
        if path.lower() in ids and not _is_ours(disk, desired.name):
            raise OwnershipError(
                f"data_disks[lun {lun}]: the disk {path} was not created for the host {desired.name}, so it does not"
                " change. Choose another lun, keep its current values, or take it over with O(adopt=true).",
                foreign=[path],
            )


def _is_ours(disk: Json, name: str) -> bool:
    """Return whether a disk was created with its VM, whose name and tags Azure gives it."""
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
    """Return whether Azure converts one type of disk into another.

    "Change the disk type of an Azure managed disk" (learn.microsoft.com): among the types of one redundancy; from
    locally redundant to zone-redundant only by way of a snapshot.
    """
    return before.rpartition("_")[2] == after.rpartition("_")[2]


def with_managed_disks(current: Json, disks: t.Sequence[Json]) -> Json:
    """Return the VM with the actual sizes and types of its managed disks, and with their tags."""
    known = {str(disk.get("id")).lower(): disk for disk in disks}
    machine = copy.deepcopy(current)
    storage = properties_of(machine).get("storageProfile") or {}
    for disk in [storage.get("osDisk") or {}, *(storage.get("dataDisks") or [])]:
        managed = disk.get("managedDisk") or {}
        resource = known.get(str(managed.get("id")).lower())
        if resource:
            disk["tags"] = resource.get("tags") or {}
            disk["diskSizeGB"] = properties_of(resource).get("diskSizeGB") or disk.get("diskSizeGB")
            managed["storageAccountType"] = (resource.get("sku") or {}).get("name") or managed.get("storageAccountType")
    return machine
