# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The disks of a virtual machine: creating, attaching, detaching, releasing them."""

from __future__ import annotations

import typing as t

from ..arm.resource import Json, Resource, timestamp
from ..settings import new_guid
from . import catalogue, sources
from .capabilities import capabilities_of
from .checks import references
from .disks import from_image, numbers
from .features import is_ephemeral
from .names import DISK
from .new_disks import disk_sku

if t.TYPE_CHECKING:
    from ..cloud import Cloud


def create_for(cloud: Cloud, vm: Resource) -> None:
    """Create the missing disks of a VM, and mark all of them as attached to it."""
    storage = vm.properties["storageProfile"]
    for disk, is_os in [(storage["osDisk"], True), *((disk, False) for disk in storage["dataDisks"])]:
        managed = disk.get("managedDisk")
        if managed is None:
            continue
        managed.setdefault("id", f"{vm.id.partition('/providers/')[0]}/providers/{DISK}/{disk['name']}")
        if is_os and is_ephemeral(vm):
            # An ephemeral disk has an id, but is not a resource (MicrosoftDocs/azure-docs#71220).
            continue
        resource = cloud.store.get(managed["id"])
        if resource is None:
            resource = _new_disk(vm, disk, managed)
            if is_os:
                _describe_os_disk(cloud, vm, resource, disk["osType"])
        set_owner(resource, vm)
        cloud.store.save(resource)
        disk["diskSizeGB"] = disk.get("diskSizeGB") or resource.properties.get("diskSizeGB")
        managed.setdefault("storageAccountType", resource.top.get("sku", {}).get("name", "Standard_LRS"))
    _let_go(cloud, vm)
    vm.hidden["disksReady"] = True
    vm.refs = references(vm)


def _new_disk(vm: Resource, disk: Json, managed: Json) -> Resource:
    id_ = managed["id"]
    resource = Resource(id_, DISK, disk["name"], id_.split("/")[4], vm.subscription, vm.location)
    resource.tags = dict(vm.tags) if vm.tags is not None else None
    name = managed["storageAccountType"]
    resource.top = {"sku": disk_sku(name)}
    if vm.top.get("zones"):
        resource.top["zones"] = vm.top["zones"]
    size = disk.get("diskSizeGB") or 30
    resource.properties = {
        "creationData": {"createOption": "Empty"},
        **numbers(size, name),
        "timeCreated": timestamp(),
        "provisioningState": "Succeeded",
        "uniqueId": new_guid(),
    }
    return resource


def _describe_os_disk(cloud: Cloud, vm: Resource, disk: Resource, os_type: str) -> None:
    """Fill in what an OS disk takes over from its image."""
    reference = vm.properties["storageProfile"].get("imageReference") or {}
    image = sources.image_of(cloud, vm, reference)
    creation: Json = {"createOption": "FromImage"}
    if image is not None and reference.get("publisher"):
        place = f"/Subscriptions/{vm.subscription}/Providers/Microsoft.Compute/Locations/{vm.location}"
        creation["imageReference"] = {"id": f"{place}/Publishers/{image.path}"}
    described: Json = {"osType": os_type, "creationData": creation}
    if vm.top.get("plan"):
        described["purchasePlan"] = vm.top["plan"]
    if (vm.properties.get("securityProfile") or {}).get("securityType") == "TrustedLaunch":
        described["securityProfile"] = {"securityType": "TrustedLaunch"}
    if image is not None:
        taken = from_image(image)
        described.update({name: taken[name] for name in ("hyperVGeneration", "supportedCapabilities")})
    disk.properties = {**described, **{k: v for k, v in disk.properties.items() if k not in described}}


def complete(cloud: Cloud, vm: Resource) -> None:
    """Show the sizes of existing disks that a request attaches, and where an ephemeral disk is."""
    storage = vm.properties["storageProfile"]
    for disk in [storage["osDisk"], *storage["dataDisks"]]:
        resource = cloud.store.get((disk.get("managedDisk") or {}).get("id", ""))
        if resource is not None and not disk.get("diskSizeGB"):
            disk["diskSizeGB"] = resource.properties["diskSizeGB"]
    local = storage["osDisk"].get("diffDiskSettings")
    if local:
        can = capabilities_of(catalogue.size_of(cloud, vm.properties["hardwareProfile"]["vmSize"]))
        local.setdefault("placement", "CacheDisk" if can.cache_gib else "ResourceDisk")


def mark_detached(vm: Resource, old: Json) -> None:
    """Keep the data disks that a request leaves out, marked as being detached, until the operation ends."""
    storage = vm.properties["storageProfile"]
    kept = {disk["lun"] for disk in storage["dataDisks"]}
    for disk in old["storageProfile"]["dataDisks"]:
        if disk["lun"] not in kept:
            storage["dataDisks"].append({**disk, "toBeDetached": True})


def remove_detached(vm: Resource) -> None:
    """Remove the data disks that are being detached."""
    storage = vm.properties["storageProfile"]
    storage["dataDisks"] = [disk for disk in storage["dataDisks"] if not disk.get("toBeDetached")]


def set_owner(disk: Resource, vm: Resource | None) -> None:
    """Attach a disk to a VM, or detach it."""
    before = disk.hidden.pop("managedBy", "")
    if vm is not None:
        disk.hidden["managedBy"] = vm.id
    if before.lower() != (vm.key if vm is not None else ""):
        note_ownership(disk)


def note_ownership(disk: Resource) -> None:
    """Note a change of ownership: attaching, detaching, and start and deallocation of the machine."""
    disk.hidden["ownershipTime"] = timestamp()


def disks_of(cloud: Cloud, vm: Resource) -> list[Resource]:
    """Return the managed disks of a VM."""
    storage = vm.properties["storageProfile"]
    found = [
        cloud.store.get((d.get("managedDisk") or {}).get("id", "")) for d in [storage["osDisk"], *storage["dataDisks"]]
    ]
    return [disk for disk in found if disk is not None]


def _let_go(cloud: Cloud, vm: Resource) -> None:
    """Detach the disks that an update removed from the VM."""
    storage = vm.properties["storageProfile"]
    kept = {(d.get("managedDisk") or {}).get("id", "").lower() for d in [storage["osDisk"], *storage["dataDisks"]]}
    for disk in cloud.store.of_type(DISK, f"/subscriptions/{vm.subscription}"):
        if disk.hidden.get("managedBy", "").lower() == vm.key and disk.key not in kept:
            set_owner(disk, None)
            cloud.store.save(disk)


def release(cloud: Cloud, vm: Resource) -> None:
    """Delete or detach the disks of a deleted VM, as their delete options say."""
    storage = vm.properties["storageProfile"]
    for disk in [storage["osDisk"], *storage["dataDisks"]]:
        resource = cloud.store.get((disk.get("managedDisk") or {}).get("id", ""))
        if resource is None:
            continue
        set_owner(resource, None)
        if disk.get("deleteOption") == "Delete":
            cloud.store.remove(resource)
            cloud.forget_disk(resource.id)
        else:
            cloud.store.save(resource)
