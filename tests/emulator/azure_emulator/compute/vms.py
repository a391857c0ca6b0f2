# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Virtual machines: creating, reading, updating, deleting."""

from __future__ import annotations

import asyncio
import copy
import hashlib
import json
import typing as t

from ..arm.messages import ArmRequest, Reply
from ..arm.replies import accepted, begin, check_preconditions, found, listing, started, written
from ..arm.resource import Json, Resource, timestamp, with_upper_group
from ..arm.routing import GROUP, SUBSCRIPTION, route
from ..arm.tracked import read_body
from ..errors import ApiError, conflict
from ..identities import check_identities, ids_of
from ..machines.base import MachineError
from ..marketplace import check_plan
from ..network.names import PUBLIC_IP
from ..operations import Operation, OperationSpec, action
from ..settings import new_guid
from . import changes, checks, vm_disks
from .body import SECRETS, fill, render_vm
from .common import preempt_children, refuse_while_busy, touch
from .instance_view import instance_view
from .names import EXTENSION, RUN_COMMAND, VM
from .vm_interfaces import attach_interfaces, detach, dynamic_addresses

if t.TYPE_CHECKING:
    from ..cloud import Cloud

ONE = f"{GROUP}/providers/Microsoft.Compute/virtualMachines/{{vm}}"


def vm_of(cloud: Cloud, request: ArmRequest) -> Resource:
    """Return the VM in the path.

    :raises ApiError: 404.
    """
    return cloud.resource(request.id_of(VM, request.params["vm"]))


@route("GET", ONE, VM)
async def get_vm(cloud: Cloud, request: ArmRequest) -> Reply:
    """Return one VM; with ``$expand=instanceView`` or ``userData`` more of it."""
    vm = vm_of(cloud, request)
    expand = {word.strip() for word in request.query.get("$expand", "").lower().split(",")} - {""}
    if not expand <= {"instanceview", "userdata"}:
        raise ApiError(
            400,
            "InvalidParameter",
            f"The $expand query option '{request.query['$expand']}' is invalid. Allowed values are 'instanceView' and "
            "'userData'.",
            target="$expand",
        )
    view = await instance_view(cloud, vm) if "instanceview" in expand else None
    body = render_vm(cloud, vm, request.api_version, view)
    if "userdata" in expand and vm.hidden.get("userData"):
        body["properties"]["userData"] = vm.hidden["userData"]
    return found(body, vm.etag if request.api_version >= "2024-07-01" else None)


@route("GET", f"{ONE}/instanceView", VM)
async def get_instance_view(cloud: Cloud, request: ArmRequest) -> Reply:
    """Return the run-time state of one VM."""
    return found(await instance_view(cloud, vm_of(cloud, request)))


@route("GET", f"{GROUP}/providers/Microsoft.Compute/virtualMachines", VM)
async def list_group(cloud: Cloud, request: ArmRequest) -> Reply:
    """List the VMs of a group."""
    group = cloud.group(request.subscription, request.group)
    return await _listed(cloud, request, cloud.store.children(group.id, VM))


@route("GET", f"{SUBSCRIPTION}/providers/Microsoft.Compute/virtualMachines", VM)
async def list_all(cloud: Cloud, request: ArmRequest) -> Reply:
    """List the VMs of a subscription; ``statusOnly=true`` gives their run-time state too."""
    return await _listed(cloud, request, cloud.store.of_type(VM, f"/subscriptions/{request.subscription}"))


@route("GET", f"{SUBSCRIPTION}/providers/Microsoft.Compute/locations/{{location}}/virtualMachines", VM)
async def list_location(cloud: Cloud, request: ArmRequest) -> Reply:
    """List the VMs of a subscription in a region."""
    vms = cloud.store.of_type(VM, f"/subscriptions/{request.subscription}")
    return await _listed(cloud, request, [vm for vm in vms if vm.location == request.params["location"].lower()])


async def _listed(cloud: Cloud, request: ArmRequest, vms: list[Resource]) -> Reply:
    expanded = request.query.get("$expand", "").lower() == "instanceview"
    wanted = expanded or request.query.get("statusonly", "").lower() == "true"
    bodies = []
    for vm in vms:
        view = await instance_view(cloud, vm) if wanted else None
        body = render_vm(cloud, vm, request.api_version, view)
        if "resources" in body:
            body["resources"] = [{"id": extension["id"]} for extension in body["resources"]]
        bodies.append(body if "resourcegroups" in request.path.lower() else _in_upper_case(body))
    return listing(bodies)


def _in_upper_case(body: Json) -> Json:
    """Return a VM as lists of a whole subscription show it (Azure/azure-rest-api-specs#10016).

    The ids of the provider's own resources have the group in upper case. Lists of one group keep its case, as recorded.
    """
    body = {**copy.deepcopy(body), "id": with_upper_group(body["id"])}
    if "resources" in body:
        body["resources"] = [{"id": with_upper_group(extension["id"])} for extension in body["resources"]]
    storage: Json = body["properties"].get("storageProfile") or {}
    for disk in (storage.get("osDisk") or {}, *(storage.get("dataDisks") or ())):
        if (disk.get("managedDisk") or {}).get("id"):
            disk["managedDisk"]["id"] = with_upper_group(disk["managedDisk"]["id"])
    return body


@route("PUT", ONE, VM)
async def put_vm(cloud: Cloud, request: ArmRequest) -> Reply:
    """Create a VM, or update one, whose immutable properties must not change."""
    body = read_body(cloud, request, VM)
    id_ = request.id_of(VM, request.params["vm"])
    vm = cloud.store.get(id_)
    check_preconditions(request, vm)
    group = cloud.group(request.subscription, request.group)
    check_identities(cloud, body, id_)
    if vm is not None:
        return _update(cloud, request, vm, body, "vm.update")
    vm = Resource(id_, VM, request.params["vm"], group.name, request.subscription)
    vm.location = body["location"].replace(" ", "").lower()
    vm.tags = body.get("tags")
    vm.top = _top(cloud, body)
    wanted: Json = body.get("properties") or {}
    check_plan(cloud, body, id_)
    image = checks.check_new_vm(cloud, vm, wanted)
    disk = (wanted.get("storageProfile") or {}).get("osDisk") or {}
    vm.hidden["osDiskNamed"] = bool(disk.get("name"))
    vm.hidden["osDiskGiven"] = bool((disk.get("managedDisk") or {}).get("id"))
    vm.hidden["namedDisks"] = _named_luns(wanted)
    vm.hidden["power"] = "starting"
    _keep_secrets(vm, wanted)
    vm.properties = fill(vm, wanted, image, {})
    vm_disks.complete(cloud, vm)
    vm.properties["vmId"], vm.properties["timeCreated"] = new_guid(), timestamp()
    vm.refs = checks.references(vm)
    touch(vm, "Creating")
    cloud.store.save(vm)
    attach_interfaces(cloud, vm)
    operation = begin(cloud, request, OperationSpec("compute", "vm.create", vm.id, vm.location, retry_after=10))
    return started(cloud, request, operation, 201, render_vm(cloud, vm, request.api_version))


def _named_luns(wanted: Json) -> list[int]:
    """Return the LUNs of the data disks whose names the request decides."""
    given = (wanted.get("storageProfile") or {}).get("dataDisks") or []
    return [disk["lun"] for disk in given if disk.get("name") or (disk.get("managedDisk") or {}).get("id")]


def _top(cloud: Cloud, body: Json) -> Json:
    top = {name: body[name] for name in ("plan", "identity", "zones", "extendedLocation") if body.get(name) is not None}
    if "identity" in top:
        _set_identity(top, identity_of(cloud, top["identity"], {}, patch=False))
    return top


def _set_identity(top: Json, identity: Json) -> None:
    """Set the identities; a machine without any does not show the member."""
    top["identity"] = identity
    if identity["type"] == "None":
        del top["identity"]


def identity_of(cloud: Cloud, wanted: Json, old: Json, *, patch: bool) -> Json:
    """Return a machine's identities. A PATCH adds user-assigned ones, and removes those that it sets to null."""
    kind = wanted.get("type") or old.get("type", "None")
    found: Json = {"type": kind}
    if "SystemAssigned" in kind:
        for name in ("principalId", "tenantId"):
            found[name] = old.get(name) or new_guid()
    if "UserAssigned" in kind.replace("SystemAssigned", ""):
        before = {key.lower(): (key, value) for key, value in (old.get("userAssignedIdentities") or {}).items()}
        kept = dict(before) if patch else {}
        for key, value in (wanted.get("userAssignedIdentities") or {}).items():
            if value is None:
                kept.pop(key.lower(), None)
            else:
                kept[key.lower()] = before.get(key.lower(), (key, ids_of(cloud, key)))
        found["userAssignedIdentities"] = dict(kept.values())
    return found


def _keep_secrets(vm: Resource, wanted: Json) -> None:
    profile = wanted.get("osProfile") or {}
    for name in SECRETS:
        if profile.get(name) is not None:
            vm.hidden[name] = profile[name]
    if wanted.get("userData") is not None:
        vm.hidden["userData"] = wanted.pop("userData")


@action("vm.create")
class Create:
    """Disks first, then the machine is booted until its agent reports."""

    async def work(self, cloud: Cloud, operation: Operation) -> None:
        """Make the disks and the machine."""
        vm = cloud.store.get(operation.target)
        if vm is None:
            return
        vm_disks.create_for(cloud, vm)
        dynamic_addresses(cloud, vm, held=True)
        cloud.store.save(vm)
        try:
            await cloud.machines.start(vm)
        except MachineError as error:
            raise ApiError(
                409,
                "OSProvisioningTimedOut",
                f"OS Provisioning for VM '{vm.name}' did not finish in the allotted time. {error}",
            ) from error

    def done(self, cloud: Cloud, operation: Operation) -> None:
        """It runs, or has failed."""
        vm = cloud.store.get(operation.target)
        if vm is None:
            return
        succeeded = operation.status == "Succeeded"
        vm.hidden["unfinished"] = not succeeded
        vm.hidden["power"] = "running" if succeeded else "stopped"
        vm.hidden["provisioned"] = timestamp()
        touch(vm, operation.status)
        cloud.store.save(vm)


def _update(cloud: Cloud, request: ArmRequest, vm: Resource, body: Json, kind: str) -> Reply:
    """PUT or PATCH of a VM that exists."""
    if vm.provisioning_state == "Deleting":
        refuse_while_busy(cloud, vm)
    if any(o.kind in ("vm.create", "vm.update", "vm.delete") for o in cloud.operations.under_way(vm.id)):
        raise conflict()
    wanted: Json = body.get("properties") or {}
    changes.check_update(cloud, vm, wanted, body)
    before, last_put = _comparable(vm), vm.hidden.get("lastPut")
    arguments = take_body(cloud, vm, body, kind)
    if "tags" in body or request.method == "PUT":
        vm.tags = body.get("tags")
    is_change = _comparable(vm) != before
    if vm.hidden.get("unfinished") and kind == "vm.update":
        kind, vm.hidden["power"] = "vm.create", "starting"
    elif kind == "vm.patch" and not is_change and not wanted:
        cloud.store.save(vm)
        return written(200, render_vm(cloud, vm, request.api_version))
    touch(vm, "Updating")
    cloud.store.save(vm)
    attach_interfaces(cloud, vm)
    is_complete = not _leaves_out(before["properties"], wanted)
    is_repeated = kind == "vm.update" and not is_change and (is_complete or last_put == _digest(body))
    if kind == "vm.update":
        vm.hidden["lastPut"] = _digest(body)
    retry_after = None if kind == "vm.patch" else 10
    spec = OperationSpec("compute", kind, vm.id, vm.location or "", arguments, retry_after=retry_after)
    operation = begin(cloud, request, spec)
    shown = render_vm(cloud, vm, request.api_version)
    if is_repeated:
        # Recorded in 2024-08: repeating the last PUT is Updating for a moment, without an operation to follow. One that
        # leaves something out has one if anything else happened since (2023-12).
        return written(200, shown)
    return started(cloud, request, operation, 200, shown)


def _leaves_out(properties: Json, wanted: Json) -> bool:
    """Return whether a PUT omits properties of the VM, which the service keeps."""
    return any(
        set(properties.get(name) or ()) - set(wanted.get(name) or ()) for name in ("storageProfile", "osProfile")
    )


def _digest(body: Json) -> str:
    """Return a digest of a request's body, by which a repetition is recognised."""
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


def take_body(cloud: Cloud, vm: Resource, body: Json, kind: str) -> Json:
    """Take a request's body into a VM; return the arguments of the operation."""
    wanted: Json = body.get("properties") or {}
    is_patch = kind == "vm.patch"
    _keep_secrets(vm, wanted)
    merged = changes.merged(vm.properties, wanted) if is_patch else wanted
    # A new size, and other settings of the firmware, restart the machine.
    resized = changes.resized(vm, merged) or changes.firmware_changes(vm, merged)
    old = vm.properties
    vm.properties = fill(vm, merged, None, old)
    vm_disks.complete(cloud, vm)
    vm_disks.mark_detached(vm, old)
    if body.get("identity"):
        identity = identity_of(cloud, body["identity"], vm.top.get("identity") or {}, patch=is_patch)
        _set_identity(vm.top, identity)
    vm.refs = checks.references(vm)
    return {"resized": resized}


def _comparable(vm: Resource) -> Json:
    properties = {k: v for k, v in vm.properties.items() if k != "provisioningState"}
    return {"properties": properties, "tags": vm.tags or {}, "top": dict(vm.top)}


@route("PATCH", ONE, VM)
async def patch_vm(cloud: Cloud, request: ArmRequest) -> Reply:
    """Change some properties or the tags of a VM."""
    body = read_body(cloud, request, VM, patch=True)
    vm = vm_of(cloud, request)
    check_preconditions(request, vm)
    check_identities(cloud, body, vm.id)
    return _update(cloud, request, vm, body, "vm.patch")


@action("vm.update", "vm.patch")
class Update:
    """New disks and interfaces are given to the machine; a new size restarts it."""

    async def work(self, cloud: Cloud, operation: Operation) -> None:
        """Send the change to the machine."""
        vm = cloud.store.get(operation.target)
        if vm is None:
            return
        vm_disks.remove_detached(vm)
        vm_disks.create_for(cloud, vm)
        cloud.store.save(vm)
        await cloud.machines.reconfigure(vm)
        if operation.args.get("resized") and vm.hidden.get("power") == "running":
            await cloud.machines.restart(vm)

    def done(self, cloud: Cloud, operation: Operation) -> None:
        """Back to Succeeded."""
        vm = cloud.store.get(operation.target)
        if vm is not None and vm.provisioning_state != "Deleting":
            touch(vm, operation.status)
            cloud.store.save(vm)


@route("DELETE", ONE, VM)
async def delete_vm(cloud: Cloud, request: ArmRequest) -> Reply:
    """Remove a VM, and what its delete options say."""
    vm = cloud.store.get(request.id_of(VM, request.params["vm"]))
    if vm is None:
        cloud.group(request.subscription, request.group)
        return Reply(204)
    check_preconditions(request, vm)
    return accepted(cloud, request, begin_removal(cloud, request, vm))


def begin_removal(cloud: Cloud, request: ArmRequest, vm: Resource) -> Operation:
    """Begin the operation that removes a VM."""
    preempt_children(cloud, vm)
    touch(vm, "Deleting")
    cloud.store.save(vm)
    spec = OperationSpec("compute", "vm.delete", vm.id, vm.location or "", retry_after=10)
    return begin(cloud, request, spec)


@action("vm.delete")
class Remove:
    """The machine goes; disks, interfaces and addresses stay unless their delete option says otherwise."""

    async def work(self, cloud: Cloud, operation: Operation) -> None:
        """Remove the machine; operations that were under way on it end first."""
        vm = cloud.store.get(operation.target)
        if vm is None:
            return
        while any(other.id != operation.id and other.kind == "vm.create" for other in cloud.operations.ending(vm.id)):
            await asyncio.sleep(0.05)
        await cloud.machines.delete(vm)

    def done(self, cloud: Cloud, operation: Operation) -> None:
        """Remove the VM and everything that its delete options name."""
        vm = cloud.store.get(operation.target)
        if vm is None:
            return
        if operation.status != "Succeeded":
            touch(vm, "Failed")
            cloud.store.save(vm)
            return
        remove_with_options(cloud, vm)


def remove_with_options(cloud: Cloud, vm: Resource) -> None:
    """Remove a VM from the store, and apply the delete options of its disks, interfaces and addresses."""
    for child in [*cloud.store.children(vm.id, EXTENSION), *cloud.store.children(vm.id, RUN_COMMAND)]:
        cloud.store.remove(child)
    cloud.store.remove(vm)
    vm_disks.release(cloud, vm)
    for reference in vm.properties["networkProfile"]["networkInterfaces"]:
        nic = cloud.store.get(reference["id"])
        if nic is None:
            continue
        detach(cloud, nic)
        if (reference.get("properties") or {}).get("deleteOption") == "Delete":
            cloud.store.remove(nic)
            for target, _shown in nic.refs:
                address = cloud.store.get(target)
                if address and address.type == PUBLIC_IP and address.properties.get("deleteOption") == "Delete":
                    cloud.store.remove(address)
    cloud.hosts.update()
