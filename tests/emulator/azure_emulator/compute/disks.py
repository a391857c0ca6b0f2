# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Managed disks."""

from __future__ import annotations

import typing as t

from ..arm.messages import ArmRequest, Reply
from ..arm.reading import serve_reads
from ..arm.replies import accepted, begin, check_preconditions, written
from ..arm.resource import Json, Resource, timestamp
from ..arm.routing import GROUP, route
from ..arm.tracked import read_body
from ..errors import operation_not_allowed
from ..operations import Operation, OperationSpec, action
from ..settings import new_guid
from . import sources
from .checks import MOST_CACHED, cache_too_large
from .common import finish_deletion, finish_write, refuse_while_busy
from .names import DISK, SNAPSHOT
from .new_disks import access_state, awaits_upload, check_new_disk, check_size, disk_sku, size_of_upload

if t.TYPE_CHECKING:
    from ..cloud import Cloud
    from .catalogue import Image

ONE = f"{GROUP}/providers/Microsoft.Compute/disks/{{name}}"


def render_disk(cloud: Cloud, disk: Resource, api_version: str) -> Json:
    """Return the body of a disk."""
    stored = {name: value for name, value in disk.properties.items() if name != "provisioningState"}
    body: Json = {
        "name": disk.name,
        "id": disk.id,
        "type": disk.type,
        "location": disk.location,
        **({"tags": disk.tags} if disk.tags is not None else {}),
        **disk.top,
    }
    if disk.hidden.get("managedBy"):
        body["managedBy"] = disk.hidden["managedBy"]
    if "ownershipTime" in disk.hidden:
        stored["LastOwnershipUpdateTime"] = disk.hidden["ownershipTime"]
    stored["provisioningState"] = disk.provisioning_state
    stored["diskState"] = _state(cloud, disk)
    if api_version < "2020-06-30":
        stored.pop("tier", None)
    if awaits_upload(disk):
        stored.pop("diskSizeGB", None)
        stored.pop("diskSizeBytes", None)
    body["properties"] = stored
    return body


def _state(cloud: Cloud, disk: Resource) -> str:
    """Return what a disk is used for; a deallocated machine reserves its disks."""
    state = access_state(disk)
    if state is not None:
        return state
    owner = disk.hidden.get("managedBy")
    if not owner:
        return "Unattached"
    machine = cloud.store.get(owner)
    return "Reserved" if machine is not None and machine.hidden.get("power") == "deallocated" else "Attached"


GIVEN = ("osType", "hyperVGeneration", "supportedCapabilities", "creationData", "diskSizeGB", "securityProfile")
"""Properties that clients give: the answer to a PATCH shows them, and not what the service computes."""


def as_sent(disk: Resource, body: Json, *, is_patch: bool) -> Json:
    """Return the answer to a write: what clients have asked for, and that the disk is being updated.

    Recorded for PUT in 2023-10; for PATCH after the examples of the specification.
    """
    shown: Json = {"name": disk.name, "id": disk.id, "type": disk.type, "location": disk.location}
    before: Json = {}
    if is_patch:
        shown.update(disk.top, **({"tags": disk.tags} if disk.tags is not None else {}))
        before = {name: disk.properties[name] for name in GIVEN if name in disk.properties}
    shown.update({name: body[name] for name in ("tags", "sku", "extendedLocation") if body.get(name) is not None})
    sent = taken(body.get("properties") or {}, (body.get("sku") or disk.top["sku"])["name"])
    return {**shown, "properties": {**before, **sent, "provisioningState": "Updating"}}


CHOSEN = ("diskIOPSReadWrite", "diskMBpsReadWrite", "diskIOPSReadOnly", "diskMBpsReadOnly")
"""The performance that clients choose, of the SKUs in ADJUSTABLE only; with others Azure takes no notice of it."""
ADJUSTABLE = ("UltraSSD_LRS", "PremiumV2_LRS")


def taken(requested: Json, sku: str) -> Json:
    """Return the properties of a request without those that Azure ignores for a SKU (recorded in 2023-12, 2024-12)."""
    ignored = () if sku in ADJUSTABLE else CHOSEN
    return {name: value for name, value in requested.items() if name not in ignored}


PREMIUM = (
    (4, "P1", 120, 25),
    (8, "P2", 120, 25),
    (16, "P3", 120, 25),
    (32, "P4", 120, 25),
    (64, "P6", 240, 50),
    (128, "P10", 500, 100),
    (256, "P15", 1100, 125),
    (512, "P20", 2300, 150),
    (1024, "P30", 5000, 200),
    (2048, "P40", 7500, 250),
    (4096, "P50", 7500, 250),
    (8192, "P60", 16000, 500),
    (16384, "P70", 18000, 750),
    (32767, "P80", 20000, 900),
)
"""Of premium disks: the largest size in GiB, tier, IOPS and MB/s ("Azure managed disk types", learn.microsoft.com)."""


ULTRA: Json = {
    "diskIOPSReadOnly": 100,
    "diskMBpsReadOnly": 13,
    "maxShares": 1,
    "diskIOPSReadWrite": 500,
    "diskMBpsReadWrite": 8,
}
"""The performance of an ultra disk, unless a request chooses another (recorded in 2023-11, with 4 GiB)."""
SECTOR = 4096
"""The logical sector size of an ultra disk in bytes, unless a request chooses 512 (recorded in 2023-11)."""


def _performance(size: int, sku: str) -> Json:
    """Return the performance of a disk. Only premium disks have a tier."""
    if sku == "UltraSSD_LRS":
        return dict(ULTRA)
    if sku == "PremiumV2_LRS":
        return {"diskIOPSReadWrite": 3000, "diskMBpsReadWrite": 125}
    if not sku.startswith("Premium_"):
        return {"diskIOPSReadWrite": 500, "diskMBpsReadWrite": 60}
    _limit, tier, iops, throughput = next((row for row in PREMIUM if size <= row[0]), PREMIUM[-1])
    return {"diskIOPSReadWrite": iops, "diskMBpsReadWrite": throughput, "tier": tier}


def numbers(size: int, sku: str) -> Json:
    """Return the properties of a disk that follow from its size and SKU."""
    return {
        "diskSizeGB": size,
        **_performance(size, sku),
        "encryption": {"type": "EncryptionAtRestWithPlatformKey"},
        "diskSizeBytes": size * 2**30,
        "networkAccessPolicy": "AllowAll",
        "publicNetworkAccess": "Enabled",
    }


serve_reads(DISK, render_disk)


@route("PUT", ONE, DISK)
async def put_disk(cloud: Cloud, request: ArmRequest) -> Reply:
    """Create or update a disk."""
    body = read_body(cloud, request, DISK)
    return _write(cloud, request, body)


@route("PATCH", ONE, DISK)
async def patch_disk(cloud: Cloud, request: ArmRequest) -> Reply:
    """Change a disk's size, SKU or tags."""
    body = read_body(cloud, request, DISK, patch=True)
    cloud.resource(request.id_of(DISK, request.params["name"]))
    return _write(cloud, request, body)


def _write(cloud: Cloud, request: ArmRequest, body: Json) -> Reply:
    current = cloud.store.get(request.id_of(DISK, request.params["name"]))
    check_preconditions(request, current)
    group = cloud.group(request.subscription, request.group)
    if current is not None:
        refuse_while_busy(cloud, current)
        _check_change(cloud, current, body)
        disk = current.copy()
    else:
        name = request.params["name"]
        check_new_disk(name, body.get("properties") or {}, (body.get("sku") or {}).get("name", "Standard_LRS"))
        disk = Resource(request.id_of(DISK, name), DISK, name, group.name, request.subscription)
        disk.location = (body.get("location") or group.location or "").replace(" ", "").lower()
        disk.properties = {"timeCreated": timestamp(), "uniqueId": new_guid()}
        disk.top = {"sku": {"name": "Standard_LRS", "tier": "Standard"}}
    _describe(cloud, disk, body)
    disk.tags = body.get("tags") if request.method == "PUT" else body.get("tags", disk.tags)
    if request.method == "PUT" and current is not None and _content(current) == _content(disk):
        return written(200, render_disk(cloud, disk, request.api_version))
    disk.provisioning_state = "Updating"
    cloud.store.save(disk)
    kind = "disk.create" if current is None else "disk.update"
    operation = begin(cloud, request, OperationSpec("disk", kind, disk.id, disk.location or "", retry_after=2))
    return accepted(cloud, request, operation, as_sent(disk, body, is_patch=request.method == "PATCH"))


def _content(disk: Resource) -> tuple[Json, Json, Json | None]:
    return disk.properties, disk.top, disk.tags


def _check_change(cloud: Cloud, disk: Resource, body: Json) -> None:
    requested: Json = body.get("properties") or {}
    check_size(requested, (body.get("sku") or disk.top["sku"])["name"])
    size = requested.get("diskSizeGB") or 0
    if size and size < disk.properties.get("diskSizeGB", 0):
        raise operation_not_allowed(f"Cannot resize disk '{disk.name}' to {size} GB: a disk cannot be made smaller.")
    _refuse_while_allocated(cloud, disk, body)
    _refuse_with_cache(cloud, disk, size)


def _describe(cloud: Cloud, disk: Resource, body: Json) -> None:
    """Take a request's body into a disk."""
    requested: Json = {k: v for k, v in (body.get("properties") or {}).items() if v is not None}
    was = disk.top["sku"]["name"]
    if body.get("sku"):
        name = body["sku"]["name"]
        disk.top["sku"] = disk_sku(name)
    for name in ("zones", "extendedLocation"):
        if body.get(name):
            disk.top[name] = body[name]
    copied = _copied(cloud, disk, requested)
    sizes = (requested.get("diskSizeGB"), disk.properties.get("diskSizeGB"), copied.get("diskSizeGB"))
    size = next(filter(None, (*sizes, size_of_upload(requested))), 30)
    kept = {name: value for name, value in disk.properties.items() if name != "tier"}
    sku = disk.top["sku"]["name"]
    wanted = taken(requested, sku)
    if not sku.startswith("Premium_"):
        wanted.pop("tier", None)
    chosen = {name: kept[name] for name in CHOSEN if name in kept} if sku in ADJUSTABLE and was == sku else {}
    disk.properties = {**kept, **copied, **numbers(size, sku), **chosen, **wanted}
    if sku == "UltraSSD_LRS":
        creation = {"logicalSectorSize": SECTOR, **(disk.properties.get("creationData") or {})}
        disk.properties["creationData"] = creation
    if wanted.get("burstingEnabled") and not kept.get("burstingEnabled"):
        disk.properties["burstingEnabledTime"] = timestamp()
    unique = copied.get("sourceUniqueId")
    if unique:
        disk.properties.pop("sourceUniqueId")
        disk.properties["creationData"] = {**requested["creationData"], "sourceUniqueId": unique}


def _copied(cloud: Cloud, disk: Resource, requested: Json) -> Json:
    """Return what a copy takes over from its source."""
    creation = requested.get("creationData") or {}
    image = sources.image_of_disk(cloud, disk, creation)
    if image is not None:
        return {**from_image(image), **({"supportsHibernation": True} if image.hibernates else {})}
    source = cloud.store.get(creation.get("sourceResourceId") or "")
    if source is None or source.type not in (DISK, SNAPSHOT):
        return {}
    return {**copied_from(source), "sourceUniqueId": source.properties["uniqueId"]}


def from_image(image: Image) -> Json:
    """Return the properties that an OS disk takes over from its image."""
    capabilities: Json = {"acceleratedNetwork": True, "architecture": image.architecture}
    if image.nvme:
        capabilities["diskControllerTypes"] = ", ".join(image.controllers)
    return {
        "osType": image.os_type,
        "hyperVGeneration": image.generation,
        "supportedCapabilities": capabilities,
        "diskSizeGB": image.size_gb,
    }


def copied_from(source: Resource) -> Json:
    """Return the properties that a copy takes over from a disk or snapshot."""
    names = (
        "osType",
        "hyperVGeneration",
        "supportsHibernation",
        "supportedCapabilities",
        "diskSizeGB",
        "securityProfile",
    )
    return {name: source.properties[name] for name in names if name in source.properties}


def _refuse_while_allocated(cloud: Cloud, disk: Resource, body: Json) -> None:
    """Refuse to change the OS disk's size, or any disk's type, while the machine is allocated.

    "Change the disk type of an Azure managed disk" (learn.microsoft.com); hashicorp/terraform-provider-azurerm#17792.
    """
    vm = cloud.store.get(disk.hidden.get("managedBy", ""))
    if vm is None or vm.hidden.get("power") == "deallocated":
        return
    size = (body.get("properties") or {}).get("diskSizeGB")
    grows = size is not None and size > disk.properties.get("diskSizeGB", size) and "osType" in disk.properties
    if grows:
        raise operation_not_allowed(
            f"Cannot resize disk {disk.name} while it is attached to running VM {vm.id}. Resizing a disk of an Azure "
            "Virtual Machine requires the virtual machine to be deallocated. Please stop your VM and retry the "
            "operation."
        )
    name = (body.get("sku") or {}).get("name")
    if name not in (None, disk.top["sku"]["name"]):
        raise operation_not_allowed(
            f"Cannot change the account type of disk {disk.name} while it is attached to running VM {vm.id}. Please "
            "stop/deallocate the VM and retry the operation."
        )


def _refuse_with_cache(cloud: Cloud, disk: Resource, size: int) -> None:
    """Refuse to grow a cached disk beyond the largest size that can be cached."""
    vm = cloud.store.get(disk.hidden.get("managedBy", ""))
    attached = vm.properties["storageProfile"]["dataDisks"] if vm is not None else []
    mine = [item for item in attached if (item.get("managedDisk") or {}).get("id", "").lower() == disk.key]
    if size > MOST_CACHED and any(item.get("caching") not in (None, "None") for item in mine):
        raise cache_too_large()


@action("disk.create", "disk.update")
class Provision:
    """The end of a disk's write: the machine that uses it sees its new size."""

    async def work(self, cloud: Cloud, operation: Operation) -> Json | None:
        """Reconfigure the machine; the output is the disk."""
        disk = cloud.store.get(operation.target)
        if disk is None:
            return None
        vm = cloud.store.get(disk.hidden.get("managedBy", ""))
        if vm is not None:
            await self._tell(cloud, vm, disk)
        body = render_disk(cloud, disk, operation.api_version)
        return {**body, "properties": {**body["properties"], "provisioningState": "Succeeded"}}

    async def _tell(self, cloud: Cloud, vm: Resource, disk: Resource) -> None:
        storage = vm.properties["storageProfile"]
        for item in [storage["osDisk"], *storage["dataDisks"]]:
            if (item.get("managedDisk") or {}).get("id", "").lower() == disk.key:
                item["diskSizeGB"] = disk.properties["diskSizeGB"]
                item["managedDisk"]["storageAccountType"] = disk.top["sku"]["name"]
        cloud.store.save(vm)
        await cloud.machines.reconfigure(vm)

    def done(self, cloud: Cloud, operation: Operation) -> None:
        """Set the final state."""
        finish_write(cloud, operation)


@route("DELETE", ONE, DISK)
async def delete_disk(cloud: Cloud, request: ArmRequest) -> Reply:
    """Remove a disk that no VM has."""
    disk = cloud.store.get(request.id_of(DISK, request.params["name"]))
    if disk is None:
        cloud.group(request.subscription, request.group)
        return Reply(204)
    owner = disk.hidden.get("managedBy", "")
    if owner in cloud.store:
        raise operation_not_allowed(f"Disk {disk.name} is attached to VM {owner}.")
    spec = OperationSpec("disk", "disk.delete", disk.id, disk.location or "", retry_after=10)
    return accepted(cloud, request, begin(cloud, request, spec))


@action("disk.delete")
class Remove:
    """The end of a disk's deletion."""

    async def work(self, cloud: Cloud, operation: Operation) -> None:
        """Remove the content."""
        await cloud.machines.delete_disk(operation.target)

    def done(self, cloud: Cloud, operation: Operation) -> None:
        """Forget the disk."""
        finish_deletion(cloud, operation)
