# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a gallery image version contains: the disks of its source, which Azure shows once it has copied them.

Recorded in 2024-08 to 2025-01 with api-version 2023-07-03: the answer to the PUT has no sizes, and of a machine or an
image as source only its id.
"""

from __future__ import annotations

import typing as t

from ..arm.resource import Json, Resource

if t.TYPE_CHECKING:
    from ..cloud import Cloud

SIZE = 30
"""In GiB, where nothing tells the size of what is copied: a VHD in a storage account."""


def asked_for(storage: Json) -> Json:
    """Return the storage profile that Azure shows while it creates a version."""
    shown = dict(storage)
    if storage.get("osDiskImage"):
        shown["osDiskImage"] = {"hostCaching": "ReadWrite", "source": {}, **storage["osDiskImage"]}
    if storage.get("dataDiskImages"):
        shown["dataDiskImages"] = [{"hostCaching": "ReadOnly", **disk} for disk in storage["dataDiskImages"]]
    return shown


def os_disk(version: Resource) -> Json:
    """Return the OS disk that a version has, or will have once its source is copied."""
    return {
        "sizeInGB": SIZE,
        "hostCaching": "ReadWrite",
        **(version.properties["storageProfile"].get("osDiskImage") or {}),
    }


def copied(cloud: Cloud, storage: Json) -> Json:
    """Return the storage profile of a version whose disks have been copied."""
    source = storage.get("source") or {}
    origin = cloud.store.get(source.get("id") or source.get("virtualMachineId") or "")
    shown = dict(storage)
    if "osDiskImage" not in shown:
        shown["osDiskImage"] = {"hostCaching": "ReadWrite", "source": {}}
    disk = shown["osDiskImage"]
    shown["osDiskImage"] = {"sizeInGB": _os_size(cloud, origin, disk), **disk}
    if "dataDiskImages" in shown:
        shown["dataDiskImages"] = [{"sizeInGB": _size(cloud, disk), **disk} for disk in shown["dataDiskImages"]]
    elif source and (disks := _data_disks(cloud, origin)):
        shown["dataDiskImages"] = disks
    return shown


def _size(cloud: Cloud, disk: Json) -> int:
    copied_from = cloud.store.get((disk.get("source") or {}).get("id") or "")
    return int((copied_from.properties.get("diskSizeGB") if copied_from is not None else None) or SIZE)


def _os_size(cloud: Cloud, origin: Resource | None, disk: Json) -> int:
    if origin is None:
        return _size(cloud, disk)
    profile = origin.properties.get("storageProfile") or {}
    return _size_in_profile(cloud, profile.get("osDisk") or {})


def _size_in_profile(cloud: Cloud, disk: Json) -> int:
    """Return the size of a disk of a machine or an image; a deallocated machine does not show it."""
    managed = cloud.store.get((disk.get("managedDisk") or {}).get("id") or "")
    return int(disk.get("diskSizeGB") or (managed.properties.get("diskSizeGB") if managed is not None else 0) or SIZE)


def _data_disks(cloud: Cloud, origin: Resource | None) -> list[Json]:
    profile = (origin.properties.get("storageProfile") or {}) if origin is not None else {}
    return [
        {"lun": disk["lun"], "sizeInGB": _size_in_profile(cloud, disk), "hostCaching": disk.get("caching") or "None"}
        for disk in profile.get("dataDisks") or []
    ]
