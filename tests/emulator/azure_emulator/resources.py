# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Microsoft.Resources: tenants, subscriptions, providers, resource groups, lists of resources."""

from __future__ import annotations

import asyncio
import re
import typing as t

from .arm.messages import ArmRequest, Reply
from .arm.replies import begin, listing
from .arm.resource import Json, Resource, group_id, timestamp
from .arm.routing import GROUP, ROUTER, SUBSCRIPTION, route
from .arm.tracked import check_tags
from .arm.versions import LOCATIONS, versions_of
from .compute.common import preempt_children
from .compute.names import DISK, EXTENSION, RUN_COMMAND, VM
from .compute.vms import remove_with_options
from .errors import ApiError
from .network.names import NIC, NSG, PUBLIC_IP, RULE, SUBNET, VNET
from .operations import Operation, action, group_operation_id
from .schema import accept

if t.TYPE_CHECKING:
    from .cloud import Cloud

TYPE = "Microsoft.Resources/resourceGroups"
KIND = "Microsoft.Resources"
GROUP_NAME = re.compile(r"^[-\w._()]{1,90}(?<!\.)$")
TYPES = (VNET, SUBNET, NSG, RULE, PUBLIC_IP, NIC, VM, EXTENSION, RUN_COMMAND, DISK)
NAMESPACES = ("Microsoft.Compute", "Microsoft.Network", "Microsoft.Resources", "Microsoft.Storage")


def subscription_body(cloud: Cloud) -> Json:
    """The one subscription."""
    id_ = cloud.identity.subscription_id
    return {
        "id": f"/subscriptions/{id_}",
        "authorizationSource": "RoleBased",
        "managedByTenants": [],
        "subscriptionId": id_,
        "tenantId": cloud.identity.tenant,
        "displayName": "Local Azure",
        "state": "Enabled",
        "subscriptionPolicies": {
            "locationPlacementId": "Public_2014-09-01",
            "quotaId": "PayAsYouGo_2014-09-01",
            "spendingLimit": "Off",
        },
    }


@route("GET", "/subscriptions", KIND)
async def list_subscriptions(cloud: Cloud, request: ArmRequest) -> Reply:
    """The subscriptions that the client may see."""
    return Reply(200, {"value": [subscription_body(cloud)], "nextLink": ""})


@route("GET", SUBSCRIPTION, KIND)
async def get_subscription(cloud: Cloud, request: ArmRequest) -> Reply:
    """The subscription."""
    return Reply(200, subscription_body(cloud))


@route("GET", "/tenants", KIND)
async def list_tenants(cloud: Cloud, request: ArmRequest) -> Reply:
    """The tenant."""
    tenant = cloud.identity.tenant
    body = {"id": f"/tenants/{tenant}", "tenantId": tenant, "displayName": "Local Azure", "tenantCategory": "Home"}
    return Reply(200, {"value": [body], "nextLink": ""})


@route("GET", f"{SUBSCRIPTION}/locations", KIND)
async def list_locations(cloud: Cloud, request: ArmRequest) -> Reply:
    """The regions."""
    base = f"/subscriptions/{request.subscription}/locations"
    return listing(
        [
            {
                "id": f"{base}/{name}",
                "name": name,
                "type": "Region",
                "displayName": name,
                "regionalDisplayName": name,
                "metadata": {"regionType": "Physical", "regionCategory": "Recommended", "pairedRegion": []},
            }
            for name in LOCATIONS
        ]
    )


def _provider(cloud: Cloud, subscription: str, namespace: str) -> Json:
    kinds = [kind for kind in TYPES if kind.startswith(f"{namespace}/")] if namespace != KIND else [TYPE]
    unregistered = {name.lower() for name in cloud.switches["unregistered"]}
    return {
        "id": f"/subscriptions/{subscription}/providers/{namespace}",
        "namespace": namespace,
        "resourceTypes": [
            {
                "resourceType": kind.partition("/")[2],
                "locations": list(LOCATIONS),
                "apiVersions": list(reversed(versions_of(kind))),
                "capabilities": "CrossResourceGroupResourceMove, SupportsTags, SupportsLocation",
            }
            for kind in kinds
        ],
        "registrationState": "NotRegistered" if namespace.lower() in unregistered else "Registered",
        "registrationPolicy": "RegistrationRequired",
    }


@route("GET", f"{SUBSCRIPTION}/providers", KIND)
async def list_providers(cloud: Cloud, request: ArmRequest) -> Reply:
    """The resource providers."""
    return Reply(200, {"value": [_provider(cloud, request.subscription, namespace) for namespace in NAMESPACES]})


def _namespace(request: ArmRequest) -> str:
    wanted = request.params["namespace"]
    for namespace in NAMESPACES:
        if namespace.lower() == wanted.lower():
            return namespace
    raise ApiError(404, "InvalidResourceNamespace", f"The resource namespace '{wanted}' is invalid.")


@route("GET", SUBSCRIPTION + "/providers/{namespace}", KIND)
async def get_provider(cloud: Cloud, request: ArmRequest) -> Reply:
    """One resource provider."""
    return Reply(200, _provider(cloud, request.subscription, _namespace(request)))


@route("POST", SUBSCRIPTION + "/providers/{namespace}/register", KIND)
async def register(cloud: Cloud, request: ArmRequest) -> Reply:
    """Register the subscription for a resource provider."""
    namespace = _namespace(request)
    left = [name for name in cloud.switches["unregistered"] if name.lower() != namespace.lower()]
    cloud.switches.set("unregistered", left)
    return Reply(200, _provider(cloud, request.subscription, namespace))


def render_group(group: Resource, api_version: str) -> Json:
    """The body of a resource group."""
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
    check_tags(body.get("tags"))
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
        raise ApiError(
            400, "LocationRequired", "The location property is required for this definition.", target="location"
        )
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
    """One group."""
    return Reply(200, render_group(cloud.group(request.subscription, request.group), request.api_version))


@route("HEAD", GROUP, KIND)
async def group_exists(cloud: Cloud, request: ArmRequest) -> Reply:
    """Whether a group is there: 204 or 404, without a body."""
    there = group_id(request.subscription, request.group) in cloud.store
    return Reply(204 if there else 404, None, {} if there else {"x-ms-failure-cause": "gateway"})


@route("PATCH", GROUP, KIND)
async def patch_group(cloud: Cloud, request: ArmRequest) -> Reply:
    """Change the tags of a group."""
    body = accept(request, TYPE, patch=True)
    group = cloud.group(request.subscription, request.group)
    refuse_while_deleting(group)
    check_tags(body.get("tags"))
    if "tags" in body:
        group.tags = body["tags"]
    cloud.store.save(group)
    return Reply(200, render_group(group, request.api_version))


@route("GET", f"{SUBSCRIPTION}/resourceGroups", KIND)
async def list_groups(cloud: Cloud, request: ArmRequest) -> Reply:
    """The groups of the subscription; ``tagName eq .. and tagValue eq ..`` is obeyed."""
    groups = cloud.store.of_type(TYPE, f"/subscriptions/{request.subscription}")
    tag = dict(re.findall(r"(tagName|tagValue)\s+eq\s+'([^']*)'", request.query.get("$filter", ""), re.IGNORECASE))
    tag = {name.lower(): value for name, value in tag.items()}
    if "tagname" in tag:
        groups = [g for g in groups if _has_tag(g, tag["tagname"], tag.get("tagvalue"))]
    return Reply(200, {"value": [render_group(group, request.api_version) for group in groups]})


def _has_tag(resource: Resource, name: str, value: str | None) -> bool:
    for key, actual in (resource.tags or {}).items():
        if key.lower() == name.lower() and (value is None or actual == value):
            return True
    return False


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
        operation = begin(
            cloud,
            request,
            "group",
            "group.delete",
            group.id,
            group.location or "",
            operation_id=group_operation_id(group.name, group.location or ""),
        )
    headers = {"Location": cloud.operations.url(request.origin, operation, location=True)}
    wait = cloud.latencies.retry_after(15)
    return Reply(202, None, {**headers, "Retry-After": str(wait)})


@action("group.delete")
class DeleteGroup:
    """Everything in the group goes: machines first, then what they used."""

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
        for resource in cloud.store.children(group.id):
            for child in cloud.store.children(resource.id):
                cloud.store.remove(child)
            cloud.store.remove(resource)
        cloud.store.remove(group)
        cloud.hosts.update()


def _refuse_held(cloud: Cloud, group: Resource) -> None:
    """Refuse when something in the group is used from outside it."""
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
    """How the deletion of a group is doing: 202 with a new Location each time, in the end 200 or the error."""
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


def _generic(cloud: Cloud, resource: Resource) -> Json:
    body: Json = {"id": resource.id, "name": resource.name, "type": resource.type}
    for name in ("sku", "zones", "kind", "identity", "managedBy"):
        if name in resource.top:
            body[name] = resource.top[name]
    body["location"] = resource.location
    if resource.tags is not None:
        body["tags"] = resource.tags
    return body


def _listed(cloud: Cloud, request: ArmRequest, under: str) -> Reply:
    prefix = under.lower() + "/"
    wanted = request.query.get("$filter", "")
    pairs = re.findall(
        r"(resourceType|resourceGroup|name|location|tagName|tagValue)\s+eq\s+'([^']*)'", wanted, re.IGNORECASE
    )
    conditions = {name.lower(): value for name, value in pairs}
    bodies = []
    expand = request.query.get("$expand", "").lower()
    for resource in cloud.store:
        if (
            resource.key.startswith(prefix)
            and resource.type != TYPE
            and resource.location
            and _fits(resource, conditions)
        ):
            body = _generic(cloud, resource)
            if "tagname" in conditions:
                body.pop("tags", None)
                expand = ""
            if "createdtime" in expand:
                body["createdTime"] = resource.created
            if "changedtime" in expand:
                body["changedTime"] = resource.changed
            if "provisioningstate" in expand:
                body["provisioningState"] = resource.provisioning_state
            bodies.append(body)
    return Reply(200, {"value": bodies})


def _fits(resource: Resource, conditions: dict[str, str]) -> bool:
    actual = {
        "resourcetype": resource.type,
        "resourcegroup": resource.group,
        "name": resource.name,
        "location": resource.location or "",
    }
    for name, value in conditions.items():
        if name in actual and actual[name].lower() != value.lower():
            return False
    if "tagname" in conditions:
        return _has_tag(resource, conditions["tagname"], conditions.get("tagvalue"))
    return True


@route("GET", f"{SUBSCRIPTION}/resources", KIND)
async def list_resources(cloud: Cloud, request: ArmRequest) -> Reply:
    """All resources of the subscription."""
    return _listed(cloud, request, f"/subscriptions/{request.subscription}")


@route("GET", f"{GROUP}/resources", KIND)
async def list_group_resources(cloud: Cloud, request: ArmRequest) -> Reply:
    """All resources of a group."""
    return _listed(cloud, request, cloud.group(request.subscription, request.group).id)


def unknown_type(path: str, version: str) -> ApiError:
    """What the Resource Manager says of a path that nothing is served at."""
    match = re.match(
        r"^/subscriptions/[^/]+(?:/resourceGroups/[^/]+)?/providers/([^/]+)(?:/(.*))?$", path, re.IGNORECASE
    )
    if match is None:
        return ApiError(
            404,
            "NotFound",
            f"No HTTP resource was found that matches the request URI '{path}'.",
            headers={"x-ms-failure-cause": "gateway"},
        )
    namespace, rest = match[1], (match[2] or "").strip("/").split("/")
    if namespace.lower() not in [name.lower() for name in NAMESPACES]:
        return ApiError(404, "InvalidResourceNamespace", f"The resource namespace '{namespace}' is invalid.")
    kind = "/".join(rest[0::2])
    return ApiError(
        404,
        "InvalidResourceType",
        f"The resource type '{kind}' could not be found in the namespace '{namespace}' for api version '{version}'. "
        "The "
        f"supported api-versions are '{','.join(versions_of(namespace))}'.",
    )


__all__ = ["ROUTER", "render_group", "unknown_type"]
