# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Access to the content of a disk or snapshot by a URL. The URL is formed like Azure's; nothing answers there."""

from __future__ import annotations

import typing as t

from ..arm.messages import ArmRequest, Reply
from ..arm.replies import accepted, begin
from ..arm.resource import Json, Resource
from ..arm.routing import GROUP, route
from ..errors import invalid_parameter, operation_not_allowed
from ..operations import Operation, OperationSpec, action
from ..settings import new_guid
from .common import refuse_while_busy
from .names import DISK, SNAPSHOT

if t.TYPE_CHECKING:
    from ..cloud import Cloud

ACCESS = ("None", "Read", "Write")


def serve_access(type_: str) -> None:
    """Serve both actions of a type; the name is the path parameter ``name``."""
    one = f"{GROUP}/providers/{type_}/{{name}}"

    @route("POST", f"{one}/beginGetAccess", type_)
    async def begin_access(cloud: Cloud, request: ArmRequest) -> Reply:
        return _begin_access(cloud, request, cloud.resource(request.id_of(type_, request.params["name"])))

    @route("POST", f"{one}/endGetAccess", type_)
    async def end_access(cloud: Cloud, request: ArmRequest) -> Reply:
        return _end_access(cloud, request, cloud.resource(request.id_of(type_, request.params["name"])))


serve_access(DISK)
serve_access(SNAPSHOT)


def _begin_access(cloud: Cloud, request: ArmRequest, disk: Resource) -> Reply:
    """Grant access to what no running machine has."""
    body = request.required_json()
    access, seconds = body.get("access"), body.get("durationInSeconds")
    if access not in ACCESS:
        raise invalid_parameter(f"The value '{access}' of parameter 'access' is invalid.", "access")
    if not isinstance(seconds, int) or isinstance(seconds, bool) or seconds < 1:
        raise invalid_parameter("The parameter 'durationInSeconds' must be a positive integer.", "durationInSeconds")
    refuse_while_busy(cloud, disk)
    machine = cloud.store.get(disk.hidden.get("managedBy", ""))
    if machine is not None and machine.hidden.get("power") != "deallocated":
        raise operation_not_allowed(
            f"Disk {disk.name} is attached to running VM {machine.id}. Access to its content requires the virtual "
            "machine to be deallocated."
        )
    spec = OperationSpec("disk", "disk.beginAccess", disk.id, disk.location or "", {"access": access}, retry_after=2)
    return accepted(cloud, request, begin(cloud, request, spec))


def _end_access(cloud: Cloud, request: ArmRequest, disk: Resource) -> Reply:
    """Revoke the access."""
    refuse_while_busy(cloud, disk)
    spec = OperationSpec("disk", "disk.endAccess", disk.id, disk.location or "", retry_after=2)
    return accepted(cloud, request, begin(cloud, request, spec))


@action("disk.beginAccess", "disk.endAccess")
class Access:
    """The end of granting or revoking access."""

    async def work(self, cloud: Cloud, operation: Operation) -> Json | None:
        """Return the URL that grants access."""
        if operation.kind == "disk.endAccess":
            return None
        place = f"md-{new_guid()[:12].replace('-', '')}.blob.storage.invalid/{new_guid()[:12].replace('-', '')}/abcd"
        rights = {"Read": "r", "Write": "w"}.get(operation.args["access"], "r")
        return {"accessSAS": f"https://{place}?sv=2018-03-28&sr=b&si={new_guid()}&sp={rights}"}

    def done(self, cloud: Cloud, operation: Operation) -> None:
        """Show that the disk is accessed, or no longer."""
        disk = cloud.store.get(operation.target)
        if disk is not None and operation.status == "Succeeded":
            if operation.kind == "disk.endAccess" and disk.hidden.get("accessed"):
                disk.hidden["uploaded"] = True
            disk.hidden["accessed"] = operation.kind == "disk.beginAccess"
            cloud.store.save(disk)
