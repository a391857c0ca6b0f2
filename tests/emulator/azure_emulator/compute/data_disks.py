# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action that attaches data disks to a VM and detaches others: ``az vm disk attach --disks`` requests it."""

from __future__ import annotations

import typing as t
from itertools import count

from ..arm.messages import ArmRequest, Reply
from ..arm.replies import accepted, begin
from ..arm.resource import Json, Resource
from ..arm.routing import route
from ..errors import conflict, invalid_parameter
from ..operations import Operation, OperationSpec, action
from ..schema import accept
from .changes import check_update
from .common import refuse_while_busy, touch
from .names import VM
from .vms import ONE, Update, take_body, vm_of

if t.TYPE_CHECKING:
    from ..cloud import Cloud

TAKEN_OVER = ("caching", "deleteOption", "writeAcceleratorEnabled")
"""Settings of an attached disk that have the same names in a VM."""


@route("POST", f"{ONE}/attachDetachDataDisks", VM)
async def attach_detach(cloud: Cloud, request: ArmRequest) -> Reply:
    """Attach and detach existing disks; the result is the VM's ``storageProfile``."""
    body = accept(request, f"{VM}/attachDetachDataDisks")
    vm = vm_of(cloud, request)
    refuse_while_busy(cloud, vm)
    if any(operation.kind.startswith("vm.") for operation in cloud.operations.under_way(vm.id)):
        raise conflict()
    kept = _without(vm, body.get("dataDisksToDetach") or [])
    disks = kept + _attached(body.get("dataDisksToAttach") or [], {disk["lun"] for disk in kept})
    wanted: Json = {"storageProfile": {"dataDisks": disks}}
    check_update(cloud, vm, wanted, {"properties": wanted})
    take_body(cloud, vm, {"properties": wanted}, "vm.patch")
    touch(vm, "Updating")
    cloud.store.save(vm)
    spec = OperationSpec("compute", "vm.attachDetach", vm.id, vm.location or "", retry_after=10)
    return accepted(cloud, request, begin(cloud, request, spec))


def _without(vm: Resource, detached: list[Json]) -> list[Json]:
    """Return the data disks of a VM that are not detached.

    :raises ApiError: 400, one of them is not attached.
    """
    leaving = {str(item.get("diskId")).lower() for item in detached}
    present: list[Json] = vm.properties["storageProfile"]["dataDisks"]
    missing = leaving - {_id_of(disk) for disk in present}
    if missing:
        raise invalid_parameter(
            f"Disk '{min(missing)}' cannot be detached because it is not attached to VM '{vm.name}'.", "diskId"
        )
    return [dict(disk) for disk in present if _id_of(disk) not in leaving]


def _id_of(disk: Json) -> str:
    return str((disk.get("managedDisk") or {}).get("id")).lower()


def _attached(attached: list[Json], taken: set[int]) -> list[Json]:
    """Return new data disks as a VM describes them. Those without a LUN get the lowest that is free."""
    taken = taken | {item["lun"] for item in attached if item.get("lun") is not None}
    disks = []
    for item in attached:
        lun = item.get("lun")
        if lun is None:
            lun = next(number for number in count() if number not in taken)
            taken.add(lun)
        settings = {name: item[name] for name in TAKEN_OVER if item.get(name) is not None}
        managed = {"id": item["diskId"]}
        if item.get("diskEncryptionSet"):
            managed["diskEncryptionSet"] = item["diskEncryptionSet"]
        disks.append({"lun": lun, "createOption": "Attach", "managedDisk": managed, **settings})
    return disks


@action("vm.attachDetach")
class AttachDetach:
    """The machine is given the disks."""

    async def work(self, cloud: Cloud, operation: Operation) -> Json | None:
        """Send the change to the machine; the output is its storage."""
        await Update().work(cloud, operation)
        vm = cloud.store.get(operation.target)
        return None if vm is None else dict(vm.properties["storageProfile"])

    def done(self, cloud: Cloud, operation: Operation) -> None:
        """Back to Succeeded."""
        Update().done(cloud, operation)
