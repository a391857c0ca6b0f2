# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Children of a virtual machine that its agent executes: extensions and run commands."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ..arm.messages import ArmRequest, Reply
from ..arm.replies import accepted, begin, found, listing, started
from ..arm.resource import Json, Resource
from ..arm.routing import GROUP, route
from ..errors import conflict
from ..operations import Operation, OperationSpec
from ..schema import accept
from .common import child_of_vm, parent_vm, refuse_while_off, touch
from .names import VM

if t.TYPE_CHECKING:
    from ..cloud import Cloud


@dataclass(frozen=True)
class Write:
    """One PUT or PATCH of a child.

    :param current: the child as stored; None where it does not exist.
    :param body: the checked body; a PATCH is completed from what is stored.
    :param properties: those of the body, secrets included.
    """

    vm: Resource
    current: Resource | None
    name: str
    body: Json
    properties: Json
    is_patch: bool = False

    @property
    def is_new(self) -> bool:
        """Whether the write creates the child."""
        return self.current is None


@dataclass(frozen=True)
class ChildKind:
    """A type of children.

    :param operation: the first word of its operations' kinds.
    :param secrets: properties that no answer shows.
    :param view: a child's instance view.
    :param check: refuses a write before anything starts, and may complete its properties.
    :param stored: what is kept of a write's properties, secrets left out.
    :param started: which operation a write starts: its kind, its arguments, and the key of its latency.
    :param reset: called on a child before it is saved.
    :param deletable_while_busy: whether a DELETE is accepted while the agent is at work on the child.
    """

    type: str
    operation: str
    secrets: tuple[str, ...]
    shown: t.Callable[[Resource], Json]
    view: t.Callable[[Cloud, Resource], Json]
    check: t.Callable[[Cloud, Write], None]
    stored: t.Callable[[Json], Json]
    started: t.Callable[[Cloud, Write], tuple[str, Json, str | None]]
    reset: t.Callable[[Resource], None]
    deletable_while_busy: bool = False

    def render(self, child: Resource, *, viewed_in: Cloud | None = None) -> Json:
        """Return the body of a child, with its instance view if the cloud is given."""
        body: Json = {"name": child.name, "id": child.id, "type": child.type, "location": child.location}
        if child.tags is not None:
            body["tags"] = child.tags
        properties = self.shown(child)
        if viewed_in is not None:
            properties["instanceView"] = self.view(viewed_in, child)
        return {**body, "properties": properties}


def child_routes(kind: ChildKind) -> None:
    """Serve a type of children: GET of one and of all, PUT, PATCH, DELETE."""
    collection = f"{GROUP}/providers/{VM}/{{vm}}/{kind.type.rpartition('/')[2]}"
    one = f"{collection}/{{name}}"

    @route("GET", one, kind.type)
    async def get_child(cloud: Cloud, request: ArmRequest) -> Reply:
        child = child_of_vm(cloud, request, kind.type, _id(request, kind))
        return found(kind.render(child, viewed_in=cloud if _with_view(request) else None))

    @route("GET", collection, kind.type)
    async def list_children(cloud: Cloud, request: ArmRequest) -> Reply:
        vm, viewed_in = parent_vm(cloud, request, kind.type), cloud if _with_view(request) else None
        return listing([kind.render(c, viewed_in=viewed_in) for c in cloud.store.children(vm.id, kind.type)])

    @route("PUT", one, kind.type)
    async def put_child(cloud: Cloud, request: ArmRequest) -> Reply:
        return _put(cloud, request, kind)

    @route("PATCH", one, kind.type)
    async def patch_child(cloud: Cloud, request: ArmRequest) -> Reply:
        return _patch(cloud, request, kind)

    @route("DELETE", one, kind.type)
    async def delete_child(cloud: Cloud, request: ArmRequest) -> Reply:
        return _delete(cloud, request, kind)


def _id(request: ArmRequest, kind: ChildKind) -> str:
    return request.id_of(kind.type, request.params["vm"], request.params["name"])


def _with_view(request: ArmRequest) -> bool:
    return request.query.get("$expand", "").lower() == "instanceview"


def _put(cloud: Cloud, request: ArmRequest, kind: ChildKind) -> Reply:
    body = accept(request, kind.type)
    vm, current = parent_vm(cloud, request, kind.type), cloud.store.get(_id(request, kind))
    properties = dict(body.get("properties") or {})
    return _write(cloud, request, kind, Write(vm, current, request.params["name"], body, properties))


def _patch(cloud: Cloud, request: ArmRequest, kind: ChildKind) -> Reply:
    body = accept(request, kind.type, patch=True)
    child = child_of_vm(cloud, request, kind.type, _id(request, kind))
    kept = {name: value for name, value in child.properties.items() if name != "provisioningState"}
    secrets = {name: child.hidden.get(name) for name in kind.secrets}
    properties = {**secrets, **kept, **(body.get("properties") or {})}
    merged = {"location": child.location, "tags": child.tags, **body}
    vm = parent_vm(cloud, request, kind.type)
    return _write(cloud, request, kind, Write(vm, child, child.name, merged, properties, is_patch=True))


def _write(cloud: Cloud, request: ArmRequest, kind: ChildKind, write: Write) -> Reply:
    kind.check(cloud, write)
    vm, child = write.vm, write.current
    operation_kind, arguments, latency = kind.started(cloud, write)
    if child is None:
        child = Resource(_id(request, kind), kind.type, write.name, vm.group, vm.subscription)
    child.location = str(write.body.get("location") or vm.location).replace(" ", "").lower()
    child.tags = write.body.get("tags")
    child.hidden.update({name: write.properties.pop(name, None) for name in kind.secrets})
    child.properties = kind.stored({k: v for k, v in write.properties.items() if v is not None and k != "instanceView"})
    kind.reset(child)
    touch(child, "Creating" if write.is_new else "Updating")
    cloud.store.save(child)
    if vm.provisioning_state == "Succeeded":
        touch(vm, "Updating")
        cloud.store.save(vm)
    spec = OperationSpec("compute", operation_kind, child.id, vm.location or "", arguments, latency=latency)
    return started(cloud, request, begin(cloud, request, spec), 201 if write.is_new else 200, kind.render(child))


def _delete(cloud: Cloud, request: ArmRequest, kind: ChildKind) -> Reply:
    child, vm = cloud.store.get(_id(request, kind)), parent_vm(cloud, request, kind.type)
    if child is None:
        return Reply(204)
    refuse_while_off(vm, "extensions")
    if cloud.operations.under_way(child.id) and not kind.deletable_while_busy:
        raise conflict()
    touch(child, "Deleting")
    cloud.store.save(child)
    spec = OperationSpec("compute", f"{kind.operation}.delete", child.id, vm.location or "", retry_after=10)
    return accepted(cloud, request, begin(cloud, request, spec))


def settle_vm(cloud: Cloud, child: Resource, operation: Operation) -> None:
    """Set the VM of a child to Succeeded, unless another operation on it is in progress."""
    vm = cloud.store.get(child.container)
    if vm is None or vm.provisioning_state != "Updating":
        return
    busy = cloud.operations.under_way(vm.id)
    for other in cloud.store.children(vm.id):
        busy += [o for o in cloud.operations.under_way(other.id) if o.id != operation.id]
    if not busy:
        touch(vm, "Succeeded")
        cloud.store.save(vm)


class RemoveChild:
    """The end of a DELETE: the child is gone, or has failed."""

    async def work(self, cloud: Cloud, operation: Operation) -> None:
        """Only time passes."""

    def done(self, cloud: Cloud, operation: Operation) -> None:
        """Remove the child, or mark it as failed."""
        child = cloud.store.get(operation.target)
        if child is None:
            return
        if operation.status == "Succeeded":
            cloud.store.remove(child)
        else:
            touch(child, "Failed")
            cloud.store.save(child)
        settle_vm(cloud, child, operation)
