# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How the virtual machine that is there differs from what is wanted. Private to this collection.

Nothing here talks to Azure.
"""

from __future__ import annotations

import copy
import typing as t
from dataclasses import dataclass

from .._differences import Difference, Differences
from .facts import Json
from .layout import Layout
from .machine import encoded, identity_body, new_disk
from .names import Names, name_in, same_id
from .network import picked, properties_of
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
    _compare_placement(found, wanted, layout, properties)
    _compare_security(found, wanted, properties)
    _compare_disks(found, wanted, properties)
    return found.entries


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
    for option, key in (
        ("availability_set", "availabilitySet"),
        ("proximity_placement_group", "proximityPlacementGroup"),
    ):
        if params[option]:
            asked = layout.names.resolve(option, option, params[option])
            present = (properties.get(key) or {}).get("id")
            if not same_id(present, asked):
                found.add(option, present, asked)
    if params["priority"]:
        found.compare("priority", properties.get("priority") or "Regular", params["priority"])
    if params["eviction_policy"]:
        found.compare("eviction_policy", properties.get("evictionPolicy"), params["eviction_policy"])
    if params["max_price"] is not None:
        present = (properties.get("billingProfile") or {}).get("maxPrice")
        if present is None or float(present) != float(params["max_price"]):
            found.add("max_price", present, params["max_price"])
    interfaces = (properties.get("networkProfile") or {}).get("networkInterfaces") or []
    present_ids = [entry.get("id") for entry in interfaces]
    if not any(same_id(entry, layout.network_interface) for entry in present_ids):
        found.add("network_interface", present_ids, layout.network_interface)


def _compare_security(found: Differences, wanted: Wanted, properties: Json) -> None:
    asked = wanted.params["security_profile"] or {}
    present = properties.get("securityProfile") or {}
    if asked.get("security_type"):
        found.compare(
            "security_profile.security_type", present.get("securityType") or "Standard", asked["security_type"]
        )
    if asked.get("encryption_at_host") is not None:
        found.compare(
            "security_profile.encryption_at_host", bool(present.get("encryptionAtHost")), asked["encryption_at_host"]
        )


def _compare_disks(found: Differences, wanted: Wanted, properties: Json) -> None:
    storage = properties.get("storageProfile") or {}
    os_disk = storage.get("osDisk") or {}
    if wanted.params["managed_disk_type"]:
        kind = (os_disk.get("managedDisk") or {}).get("storageAccountType")
        if kind:
            found.compare("managed_disk_type", kind, wanted.params["managed_disk_type"])
    if wanted.params["ephemeral_os_disk"] is not None:
        found.compare("ephemeral_os_disk", bool(os_disk.get("diffDiskSettings")), wanted.params["ephemeral_os_disk"])
    size, asked = os_disk.get("diskSizeGB"), wanted.params["os_disk_size_gb"]
    if size and asked and asked < size:
        found.add("os_disk_size_gb", size, asked)
    present = {int(disk.get("lun", -1)): disk for disk in storage.get("dataDisks") or []}
    for disk in wanted.data_disks:
        before = present.get(disk.lun)
        if before is None:
            continue
        if before.get("diskSizeGB") and before["diskSizeGB"] > disk.size_gb:
            found.add(f"data_disks[lun {disk.lun}].disk_size_gb", before["diskSizeGB"], disk.size_gb)
        kind = (before.get("managedDisk") or {}).get("storageAccountType")
        if disk.kind and kind and kind != disk.kind:
            found.add(f"data_disks[lun {disk.lun}].managed_disk_type", kind, disk.kind)


@dataclass(frozen=True)
class Growth:
    """A managed disk that is to become larger (GiB)."""

    disk_id: str
    before: int
    after: int


def growths(wanted: Wanted, actual: Json) -> tuple[list[Growth], list[Growth]]:
    """The OS disk, and the data disks, that are to grow."""
    storage = properties_of(actual).get("storageProfile") or {}
    os_disk = storage.get("osDisk") or {}
    wishes = [(os_disk, wanted.params["os_disk_size_gb"] or 0)]
    present = {int(disk.get("lun", -1)): disk for disk in storage.get("dataDisks") or []}
    wishes += [(present[disk.lun], disk.size_gb) for disk in wanted.data_disks if disk.lun in present]
    grown: list[list[Growth]] = [[], []]
    for place, (disk, size) in enumerate(wishes):
        disk_id, before = (disk.get("managedDisk") or {}).get("id"), disk.get("diskSizeGB")
        if disk_id and before and size > before:
            grown[min(place, 1)].append(Growth(str(disk_id), int(before), size))
    return grown[0], grown[1]


def with_disk_sizes(actual: Json, disks: t.Sequence[Json]) -> Json:
    """The VM with the sizes that its managed disks really have."""
    sizes = {str(disk.get("id")).lower(): properties_of(disk).get("diskSizeGB") for disk in disks}
    found = copy.deepcopy(actual)
    storage = properties_of(found).get("storageProfile") or {}
    for disk in [storage.get("osDisk") or {}, *(storage.get("dataDisks") or [])]:
        size = sizes.get(str((disk.get("managedDisk") or {}).get("id")).lower())
        if size:
            disk["diskSizeGB"] = size
    return found


def update_body(
    wanted: Wanted, layout: Layout, tags: Json, actual: Json, user_data: str | None
) -> tuple[Json, Differences]:
    """The PATCH that changes what can be changed in place, and the differences that ask for it."""
    found = Differences()
    body: Json = {}
    properties: Json = {}
    present = properties_of(actual)
    params = wanted.params
    if found.compare("tags", actual.get("tags") or {}, tags):
        body["tags"] = tags
    size = (present.get("hardwareProfile") or {}).get("vmSize")
    if wanted.vm_size and str(size).lower() != wanted.vm_size.lower():
        found.add("vm_size", size, wanted.vm_size)
        properties["hardwareProfile"] = {"vmSize": wanted.vm_size}
    if params["boot_diagnostics"] is not None:
        enabled = bool(((present.get("diagnosticsProfile") or {}).get("bootDiagnostics") or {}).get("enabled"))
        if found.compare("boot_diagnostics", enabled, params["boot_diagnostics"]):
            properties["diagnosticsProfile"] = {"bootDiagnostics": {"enabled": params["boot_diagnostics"]}}
    if params["license_type"] and found.compare("license_type", present.get("licenseType"), params["license_type"]):
        properties["licenseType"] = params["license_type"]
    if params["user_data"] and user_data != encoded(params["user_data"]):
        found.add("user_data", "(not shown)", "(not shown)")
        properties["userData"] = encoded(params["user_data"])
    if params["vm_identity"]:
        _update_identity(found, body, wanted, layout.names, actual)
    _update_disks(found, properties, wanted, present)
    if properties:
        body["properties"] = properties
    return body, found


def _update_identity(found: Differences, body: Json, wanted: Wanted, names: Names, actual: Json) -> None:
    asked = identity_body(wanted, names)
    present = actual.get("identity") or {}
    before = {
        "type": present.get("type") or "None",
        "ids": sorted(key.lower() for key in present.get("userAssignedIdentities") or {}),
    }
    after = {"type": asked["type"], "ids": sorted(key.lower() for key in asked.get("userAssignedIdentities") or {})}
    if found.compare("vm_identity", before, after):
        gone = {key: None for key in present.get("userAssignedIdentities") or {} if key.lower() not in after["ids"]}
        if gone and after["ids"]:
            asked["userAssignedIdentities"] = {**asked["userAssignedIdentities"], **gone}
        body["identity"] = asked


def _update_disks(found: Differences, properties: Json, wanted: Wanted, present: Json) -> None:
    attached = (present.get("storageProfile") or {}).get("dataDisks") or []
    luns = {int(disk.get("lun", -1)) for disk in attached}
    added = [disk for disk in wanted.data_disks if disk.lun not in luns]
    for disk in added:
        found.add(f"data_disks[lun {disk.lun}]", None, f"{disk.size_gb} GiB")
    if added:
        kept = [
            {
                **picked(disk, ("lun", "name", "caching", "deleteOption", "writeAcceleratorEnabled")),
                "lun": disk["lun"],
                "createOption": "Attach",
                "managedDisk": picked(disk.get("managedDisk") or {}, ("id",)),
            }
            for disk in attached
        ]
        properties["storageProfile"] = {"dataDisks": kept + [new_disk(disk) for disk in added]}


def disk_name(growth: Growth) -> str:
    """A disk's name."""
    return name_in(growth.disk_id)
