# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Microsoft.Resources: resource groups."""

from __future__ import annotations

import asyncio
import re
import typing as t

from .arm.messages import ArmRequest, Reply
from .arm.replies import begin
from .arm.resource import Resource, group_id, timestamp
from .arm.routing import GROUP, SUBSCRIPTION, route
from .arm.tracked import has_tag, take_tags
from .arm.versions import LOCATIONS
from .compute.common import preempt_children
from .compute.names import DISK, VM
from .compute.vms import remove_with_options
from .errors import ApiError, Json, location_required
from .operations import Operation, OperationSpec, action, group_operation_id
from .schema import accept

if t.TYPE_CHECKING:
    from .cloud import Cloud

TYPE = "Microsoft.Resources/resourceGroups"
KIND = "Microsoft.Resources"
GROUP_NAME = re.compile(r"^[-\w._()]{1,90}(?<!\.)$")


def render_group(group: Resource, api_version: str) -> Json:
    """Return the body of a resource group."""
    body: Json = {"id": group.id, "name": group.name}
    if api_version >= "2019-03-01":
        body["type"] = TYPE
    body["location"] = group.location
    if group.tags is not None:
        body["tags"] = group.tags
    if group.hidden.get("managedBy"):
        body["managedBy"] = group.hidden["managedBy"]
    return {**body, "properties": {"provisioningState": group.provisioning_state}}


@route("PUT", GROUP, KIND)
async def put_group(cloud: Cloud, request: ArmRequest) -> Reply:
    """Create or update a group, at once."""
    body = accept(request, TYPE)
    take_tags(body)
    name = request.params["group"]
    if not GROUP_NAME.match(name):
        raise ApiError(
            400,
            "InvalidResourceGroup",
            f"The provided resource group name '{name}' has these invalid characters or length: the name can only be a "
            "letter, digit, '-', '.', '(', ')' or '_', at most 90 characters, and cannot end with '.'.",
        )
    location = body.get("location")
    if not location:
        raise location_required("location")
    location = location.replace(" ", "").lower()
    if location not in LOCATIONS:
        raise ApiError(
            400,
            "LocationNotAvailableForResourceGroup",
            f"The provided location '{location}' is not available for resource group. List of available regions is "
            f"'{','.join(LOCATIONS)}'.",
        )
    group = cloud.store.get(group_id(request.subscription, name))
    if group is not None:
        refuse_while_deleting(group)
        if group.location != location:
            raise ApiError(
                409,
                "InvalidResourceGroupLocation",
                f"Invalid resource group location '{location}'. The Resource group already exists in location "
                f"'{group.location}'.",
            )
    created = group is None
    if group is None:
        group = Resource(group_id(request.subscription, name), TYPE, name, name, request.subscription, location)
    group.tags = body.get("tags")
    group.hidden["managedBy"] = body.get("managedBy")
    group.properties = {"provisioningState": "Succeeded"}
    group.changed = timestamp()
    cloud.store.save(group)
    return Reply(201 if created else 200, render_group(group, request.api_version))


def refuse_while_deleting(group: Resource) -> None:
    """Refuse a write in a group that is being deleted.

    :raises ApiError: 409.
    """
    if group.provisioning_state == "Deleting":
        raise ApiError(
            409,
            "ResourceGroupBeingDeleted",
            f"The resource group '{group.name}' is in deprovisioning state and cannot perform this operation.",
        )


@route("GET", GROUP, KIND)
async def get_group(cloud: Cloud, request: ArmRequest) -> Reply:
    """Return one group."""
    return Reply(200, render_group(cloud.group(request.subscription, request.group), request.api_version))


@route("HEAD", GROUP, KIND)
async def group_exists(cloud: Cloud, request: ArmRequest) -> Reply:
    """Return whether a group is there: 204 or 404, without a body."""
    there = group_id(request.subscription, request.group) in cloud.store
    return Reply(204 if there else 404, None, {} if there else {"x-ms-failure-cause": "gateway"})


@route("PATCH", GROUP, KIND)
async def patch_group(cloud: Cloud, request: ArmRequest) -> Reply:
    """Change the tags of a group."""
    body = accept(request, TYPE, patch=True)
    group = cloud.group(request.subscription, request.group)
    refuse_while_deleting(group)
    take_tags(body)
    if "tags" in body:
        group.tags = body["tags"]
    cloud.store.save(group)
    return Reply(200, render_group(group, request.api_version))


@route("GET", f"{SUBSCRIPTION}/resourceGroups", KIND)
async def list_groups(cloud: Cloud, request: ArmRequest) -> Reply:
    """List the groups of the subscription; ``tagName eq .. and tagValue eq ..`` is obeyed."""
    groups = cloud.store.of_type(TYPE, f"/subscriptions/{request.subscription}")
    tag = dict(re.findall(r"(tagName|tagValue)\s+eq\s+'([^']*)'", request.query.get("$filter", ""), re.IGNORECASE))
    tag = {name.lower(): value for name, value in tag.items()}
    if "tagname" in tag:
        groups = [g for g in groups if has_tag(g, tag["tagname"], tag.get("tagvalue"))]
    return Reply(200, {"value": [render_group(group, request.api_version) for group in groups]})


@route("DELETE", GROUP, KIND)
async def delete_group(cloud: Cloud, request: ArmRequest) -> Reply:
    """Remove a group with everything in it: 202, and only a Location to follow."""
    group = cloud.group(request.subscription, request.group)
    already = cloud.operations.under_way(group.id)
    if already:
        operation = already[-1]
    else:
        group.provisioning_state = "Deleting"
        cloud.store.save(group)
        location = group.location or ""
        id_ = group_operation_id(group.name, location)
        operation = begin(cloud, request, OperationSpec("group", "group.delete", group.id, location, id=id_))
    headers = {"Location": cloud.operations.url(request.origin, operation, location=True)}
    wait = cloud.latencies.retry_after(15)
    return Reply(202, None, {**headers, "Retry-After": str(wait)})


@action("group.delete")
class DeleteGroup:
    """The deletion of everything in the group: machines first, then what they used."""

    async def work(self, cloud: Cloud, operation: Operation) -> None:
        """Remove the machines and disks, and wait for what still goes on in the group."""
        group = cloud.store.get(operation.target)
        if group is None:
            return
        _refuse_held(cloud, group)
        inside = cloud.store.children(group.id)
        for vm in inside:
            preempt_children(cloud, vm)
        while any(cloud.operations.ending(resource.id) for resource in inside):
            await asyncio.sleep(0.05)
            inside = cloud.store.children(group.id)
        await asyncio.gather(*(cloud.machines.delete(vm) for vm in inside if vm.type == VM))
        await asyncio.gather(*(cloud.machines.delete_disk(disk.id) for disk in inside if disk.type == DISK))

    def done(self, cloud: Cloud, operation: Operation) -> None:
        """Forget the group and what was in it, or give it back."""
        group = cloud.store.get(operation.target)
        if group is None:
            return
        if operation.status != "Succeeded":
            group.provisioning_state = "Succeeded"
            cloud.store.save(group)
            return
        for vm in cloud.store.children(group.id, VM):
            remove_with_options(cloud, vm)
        _forget(cloud, group)
        cloud.hosts.update()


def _forget(cloud: Cloud, resource: Resource) -> None:
    """Remove a resource from the store, with everything in it."""
    for child in cloud.store.children(resource.id):
        _forget(cloud, child)
    cloud.store.remove(resource)


def _refuse_held(cloud: Cloud, group: Resource) -> None:
    """Refuse to delete a group if something outside it uses its resources."""
    prefix = group.key + "/"
    held: list[tuple[Resource, str]] = []
    for resource in cloud.store.children(group.id):
        targets = [resource, *cloud.store.children(resource.id)]
        users = [user for target in targets for user in cloud.store.users(target.id)]
        outside = [user for user in users if not user.lower().startswith(prefix)]
        owner = resource.hidden.get("virtualMachine") or resource.hidden.get("managedBy") or ""
        if owner in cloud.store and not owner.lower().startswith(prefix):
            outside.append(owner)
        if outside:
            held.append((resource, outside[0]))
    if not held:
        return
    names = ",".join(resource.id.partition("/providers/")[2] for resource, _user in held)
    details = [
        {
            "Code": None,
            "Target": r.id,
            "Message": f"The resource is in use by {user}.",
            "Details": None,
            "AdditionalInfo": None,
        }
        for r, user in held
    ]
    raise ApiError(
        409,
        "ResourceGroupDeletionBlocked",
        f"Deletion of resource group '{group.name}' failed as resources with identifiers '{names}' could not be "
        "deleted. The provisioning state of the resource group will be rolled back. Please check audit logs for more "
        "details.",
        details=details,
    )


@route("GET", SUBSCRIPTION + "/operationresults/{operation}", KIND)
async def poll_group(cloud: Cloud, request: ArmRequest) -> Reply:
    """Return how the deletion of a group is doing: 202 with a new Location each time, in the end 200 or the error."""
    operation = cloud.operations.find(request.params["operation"], request.query)
    cloud.operations.note_poll(operation)
    if operation.status == "InProgress":
        wait = cloud.latencies.retry_after(15)
        location = cloud.operations.url(request.origin, operation, location=True)
        return Reply(202, None, {"Location": location, "Retry-After": str(wait)})
    if operation.status == "Succeeded":
        return Reply(200)
    error = operation.error or {"code": "InternalServerError", "message": "The deletion failed."}
    pascal = {
        "Code": error.get("code"),
        "Target": None,
        "Message": error.get("message"),
        "Details": error.get("details") or [],
        "AdditionalInfo": None,
    }
    return Reply(409, {"Error": pascal})
