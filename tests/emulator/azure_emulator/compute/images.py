# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Managed images."""

from __future__ import annotations

import typing as t

from ..arm.messages import ArmRequest, Reply
from ..arm.reading import serve_reads
from ..arm.replies import accepted, begin, check_preconditions, started
from ..arm.resource import Json, Resource, timestamp
from ..arm.routing import GROUP, route
from ..arm.tracked import read_body
from ..errors import ApiError, operation_not_allowed
from ..operations import Operation, OperationSpec, action
from .common import finish_deletion, finish_write, refuse_while_busy
from .disks import copied_from
from .names import IMAGE, VM
from .synchronous import base_body

if t.TYPE_CHECKING:
    from ..cloud import Cloud

ONE = f"{GROUP}/providers/Microsoft.Compute/images/{{name}}"


def render_image(image: Resource) -> Json:
    """Return the body of an image."""
    stored = {key: value for key, value in image.properties.items() if key != "provisioningState"}
    return {**base_body(image), "properties": {**stored, "provisioningState": image.provisioning_state}}


def _id_of(request: ArmRequest) -> str:
    return request.id_of(IMAGE, request.params["name"])


serve_reads(IMAGE, lambda _cloud, image, _version: render_image(image))


@route("PUT", ONE, IMAGE)
async def put_image(cloud: Cloud, request: ArmRequest) -> Reply:
    """Create or update an image."""
    body = read_body(cloud, request, IMAGE)
    group = cloud.group(request.subscription, request.group)
    image = cloud.store.get(_id_of(request))
    check_preconditions(request, image)
    made = image is None
    if image is None:
        image = Resource(_id_of(request), IMAGE, request.params["name"], group.name, request.subscription)
        image.location = body["location"]
        image.top = {"extendedLocation": body["extendedLocation"]} if body.get("extendedLocation") else {}
    return _write(cloud, request, image, body, made=made)


@route("PATCH", ONE, IMAGE)
async def patch_image(cloud: Cloud, request: ArmRequest) -> Reply:
    """Change the tags of an image."""
    body = read_body(cloud, request, IMAGE, patch=True)
    return _write(cloud, request, cloud.resource(_id_of(request)), body, made=False)


def _write(cloud: Cloud, request: ArmRequest, image: Resource, body: Json, *, made: bool) -> Reply:
    refuse_while_busy(cloud, image)
    wanted: Json = body.get("properties") or {}
    if made:
        _describe(cloud, image, wanted)
    if request.method == "PUT" or "tags" in body:
        image.tags = body.get("tags")
    image.provisioning_state = "Creating" if made else "Updating"
    image.changed = timestamp()
    cloud.store.save(image)
    spec = OperationSpec("compute", "image.create", image.id, image.location or "", latency="disk.create")
    return started(cloud, request, begin(cloud, request, spec), 201 if made else 200, render_image(image))


def _describe(cloud: Cloud, image: Resource, wanted: Json) -> None:
    """Describe an image by its source: a generalized machine, or disks."""
    source = (wanted.get("sourceVirtualMachine") or {}).get("id")
    if source:
        image.properties = _of_machine(cloud, source, wanted)
        return
    disk = (wanted.get("storageProfile") or {}).get("osDisk")
    if not disk:
        name = "storageProfile.osDisk"
        raise ApiError(400, "InvalidParameter", f"Required parameter '{name}' is missing (null).", target=name)
    defaults = {"caching": "None", "storageAccountType": "Standard_LRS"}
    image.properties = {
        "storageProfile": {
            "osDisk": {**defaults, **disk},
            "dataDisks": [{**defaults, **data} for data in wanted["storageProfile"].get("dataDisks") or []],
        },
        "hyperVGeneration": wanted.get("hyperVGeneration", "V1"),
    }
    if wanted["storageProfile"].get("zoneResilient") is not None:
        image.properties["storageProfile"]["zoneResilient"] = wanted["storageProfile"]["zoneResilient"]


def _with_size(cloud: Cloud, disk: Json) -> Json:
    """Return a disk of an image with the size of what it was copied from, which answers show once it is copied."""
    source_id = next((disk[name].get("id") for name in ("managedDisk", "snapshot") if disk.get(name)), None)
    of_source = copied_from(found) if (found := cloud.store.get(source_id or "")) is not None else {}
    return {"diskSizeGB": of_source.get("diskSizeGB", 30), **disk}


def _of_machine(cloud: Cloud, source: str, wanted: Json) -> Json:
    vm = cloud.store.get(source)
    if vm is None or vm.type != VM:
        raise ApiError(404, "NotFound", f"Source Virtual Machine '{source}' specified in the request does not exist.")
    if not vm.hidden.get("generalized"):
        raise operation_not_allowed(
            f"The operation 'Create Image' requires the Virtual Machine '{vm.name}' to be Generalized."
        )
    disk = vm.properties["storageProfile"]["osDisk"]
    managed = disk.get("managedDisk") or {}
    os_disk = {
        "osType": disk["osType"],
        "osState": "Generalized",
        **({"managedDisk": {"id": managed["id"]}} if managed.get("id") else {"diskSizeGB": disk["diskSizeGB"]}),
        "caching": disk["caching"],
        "storageAccountType": managed.get("storageAccountType", "Standard_LRS"),
    }
    if "vhd" in disk:
        os_disk["blobUri"] = disk["vhd"].get("uri")
    disks = [_of_data_disk(data) for data in vm.properties["storageProfile"]["dataDisks"]]
    resilient = (wanted.get("storageProfile") or {}).get("zoneResilient")
    return {
        "sourceVirtualMachine": {"id": vm.id},
        "storageProfile": {
            "osDisk": os_disk,
            "dataDisks": disks,
            **({"zoneResilient": resilient} if resilient is not None else {}),
        },
        "hyperVGeneration": wanted.get("hyperVGeneration", "V1"),
    }


def _of_data_disk(disk: Json) -> Json:
    """Return what an image shows of a machine's data disk."""
    managed = disk.get("managedDisk") or {}
    return {
        "lun": disk["lun"],
        **({"managedDisk": {"id": managed["id"]}} if managed.get("id") else _of_blob(disk)),
        "caching": disk["caching"],
        "storageAccountType": managed.get("storageAccountType", "Standard_LRS"),
    }


def _of_blob(disk: Json) -> Json:
    return {"blobUri": disk["vhd"].get("uri"), **({"diskSizeGB": disk["diskSizeGB"]} if disk.get("diskSizeGB") else {})}


@action("image.create")
class Provision:
    """The end of an image's creation."""

    async def work(self, cloud: Cloud, operation: Operation) -> None:
        """Take over the sizes of the disks that the image was made of."""
        image = cloud.store.get(operation.target)
        if image is None:
            return
        storage = image.properties["storageProfile"]
        disks = {
            "osDisk": _with_size(cloud, storage["osDisk"]),
            "dataDisks": [_with_size(cloud, disk) for disk in storage["dataDisks"]],
        }
        image.properties = {**image.properties, "storageProfile": {**storage, **disks}}
        cloud.store.save(image)

    def done(self, cloud: Cloud, operation: Operation) -> None:
        """Set the final state."""
        finish_write(cloud, operation)


@route("DELETE", ONE, IMAGE)
async def delete_image(cloud: Cloud, request: ArmRequest) -> Reply:
    """Delete an image; machines that were created from it no longer need it."""
    image = cloud.store.get(_id_of(request))
    if image is None:
        cloud.group(request.subscription, request.group)
        return Reply(204)
    image.provisioning_state = "Deleting"
    cloud.store.save(image)
    location = image.location or ""
    spec = OperationSpec("compute", "image.delete", image.id, location, latency="disk.delete", retry_after=10)
    return accepted(cloud, request, begin(cloud, request, spec))


@action("image.delete")
class Remove:
    """The end of an image's deletion."""

    async def work(self, cloud: Cloud, operation: Operation) -> None:
        """Do nothing."""

    def done(self, cloud: Cloud, operation: Operation) -> None:
        """Forget it."""
        finish_deletion(cloud, operation)
