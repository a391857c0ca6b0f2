# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Shared helpers of the compute provider's types."""

from __future__ import annotations

import typing as t

from ..arm.messages import ArmRequest
from ..arm.resource import Resource, timestamp
from ..arm.tracked import parent_not_found
from ..errors import conflict, operation_not_allowed
from .names import VM

if t.TYPE_CHECKING:
    from ..cloud import Cloud
    from ..operations import Operation


def finish_write(cloud: Cloud, operation: Operation) -> None:
    """Give the target of a write that has ended its final state."""
    resource = cloud.store.get(operation.target)
    if resource is not None:
        resource.provisioning_state = operation.status
        cloud.store.save(resource)


def finish_deletion(cloud: Cloud, operation: Operation) -> None:
    """Forget the target of a deletion that has succeeded."""
    resource = cloud.store.get(operation.target)
    if resource is not None and operation.status == "Succeeded":
        cloud.store.remove(resource)


def parent_vm(cloud: Cloud, request: ArmRequest, child_type: str) -> Resource:
    """Return the parent VM of a child.

    :raises ApiError: 404 in the words of the Resource Manager.
    """
    name = request.params["vm"]
    vm = cloud.store.get(request.id_of(VM, name))
    if vm is not None:
        return vm
    raise parent_not_found(request, child_type, request.id_of(VM, name))


def child_of_vm(cloud: Cloud, request: ArmRequest, child_type: str, child_id: str) -> Resource:
    """Return a child of a VM.

    :raises ApiError: 404 for it, or for the VM.
    """
    child = cloud.store.get(child_id)
    if child is None:
        parent_vm(cloud, request, child_type)
        return cloud.resource(child_id)
    return child


def touch(resource: Resource, state: str | None = None) -> None:
    """Record a change of state: set the next etag (a small number) and a new time."""
    if state is not None:
        resource.provisioning_state = state
        if state == "Updating":
            resource.hidden.pop("lastPut", None)
    number = int(resource.etag.strip('"') or 0) + 1
    resource.etag = f'"{number}"'
    resource.changed = timestamp()


def refuse_while_busy(cloud: Cloud, resource: Resource) -> None:
    """Refuse a write while another one that changes the same thing goes on.

    :raises ApiError: 409.
    """
    if resource.provisioning_state == "Deleting":
        raise operation_not_allowed(
            f"Operation is not allowed on {kind_word(resource)} '{resource.name}' since it is marked for deletion. You "
            "can only retry the Delete operation (or wait for an ongoing one to complete)."
        )
    if cloud.operations.under_way(resource.id):
        raise conflict()


def preempt_children(cloud: Cloud, vm: Resource) -> None:
    """End what runs in a machine, because the machine is stopped or removed."""
    for child in cloud.store.children(vm.id):
        for operation in cloud.operations.under_way(child.id):
            cloud.operations.preempt(operation)
    for operation in cloud.operations.under_way(vm.id):
        if operation.kind == "vm.runCommand":
            cloud.operations.preempt(operation)


def kind_word(resource: Resource) -> str:
    """Return the provider's word for a resource in its messages."""
    return {"virtualMachines": "VM", "extensions": "VM extension", "disks": "disk"}.get(
        resource.type.rpartition("/")[2], resource.type.rpartition("/")[2]
    )


def refuse_while_off(vm: Resource, doing: str) -> None:
    """Refuse what needs a running machine.

    :raises ApiError: 409 (hashicorp/terraform-provider-azurerm#477).
    """
    if vm.hidden.get("power") != "running" and vm.provisioning_state != "Creating":
        raise operation_not_allowed(f"Cannot modify {doing} in the VM when the VM is not running.")
