# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Shared helpers of the network provider's types: references, tags, reads, deletions."""

from __future__ import annotations

import ipaddress
import typing as t

from ..arm.messages import ArmRequest, Reply
from ..arm.reading import serve_reads
from ..arm.replies import accepted, begin, check_preconditions, written
from ..arm.resource import Json, Resource, container_of, timestamp, weak_etag
from ..arm.routing import GROUP, route
from ..arm.tracked import parent_not_found, read_body
from ..errors import ApiError, network_error
from ..operations import Operation, OperationSpec, action
from . import conflicts

if t.TYPE_CHECKING:
    from ..cloud import Cloud

Render = t.Callable[["Cloud", Resource, str], Json]
InUse = t.Callable[["Cloud", Resource], None]
Before = t.Callable[["Cloud", Resource], None]
RENDERERS: dict[str, Render] = {}


def render(cloud: Cloud, resource: Resource, api_version: str) -> Json:
    """Return the body of a resource of this provider."""
    return RENDERERS[resource.type](cloud, resource, api_version)


def base_body(resource: Resource) -> Json:
    """Return the members that precede ``properties``."""
    body: Json = {"name": resource.name, "id": resource.id, "etag": resource.etag}
    if resource.location is not None:
        body.update(type=resource.type, location=resource.location)
    if resource.tags is not None:
        body["tags"] = resource.tags
    return body


def referenced(cloud: Cloud, target: str, by: str, location: str | None, type_: str | None = None) -> Resource:
    """Return a resource that another one refers to; it must exist in the same region.

    :raises ApiError: 400 InvalidResourceReference, 429 while it is being changed.
    """
    resource = cloud.store.get(target)
    wrong_type = resource is not None and type_ is not None and resource.type.lower() != type_.lower()
    elsewhere = resource is not None and location is not None and resource.location not in (None, location)
    if resource is not None and not _within_reach(cloud, resource, by):
        elsewhere = True
    if resource is None or wrong_type or elsewhere:
        raise network_error(
            "InvalidResourceReference",
            f"Resource {target} referenced by resource {by} was not found. Please make sure that the referenced "
            "resource exists, and that both resources are in the same region.",
        )
    if resource.provisioning_state in ("Updating", "Deleting"):
        raise not_provisioned(cloud, resource, by)
    return resource


def _within_reach(cloud: Cloud, resource: Resource, by: str) -> bool:
    """Return whether a resource is in the subscription of the one that refers to it (Azure/azure-cli#13258)."""
    same = by.lower().startswith(f"/subscriptions/{resource.subscription.lower()}/")
    return same or bool(cloud.switches["cross_subscription_networks"])


def not_provisioned(cloud: Cloud, resource: Resource, by: str) -> Exception:
    """Return 429: a referenced resource is still being changed (hashicorp/terraform#7986)."""
    under_way = cloud.operations.under_way(resource.id)
    last = under_way[-1].id if under_way else ""
    return network_error(
        "RetryableError",
        "A retryable error occurred.",
        429,
        [
            {
                "code": "ReferencedResourceNotProvisioned",
                "message": f"Cannot proceed with operation because resource {resource.id} used by resource {by} is not "
                f"in Succeeded state. Resource is in {resource.provisioning_state} state and the last operation that "
                f"updated/is updating the resource is {last}.",
            }
        ],
    )


def name_of(item: Json, path: str) -> str:
    """Return the name of something inside a request.

    :raises ApiError: 400, it has no name.
    """
    name = item.get("name")
    if not name:
        raise network_error(
            "InvalidRequestFormat",
            "Cannot parse the request.",
            400,
            [{"code": "MissingJsonReferenceId", "message": f"Value for name property is missing. Path {path}."}],
        )
    return str(name)


def touch(resource: Resource, state: str | None = None) -> None:
    """Record a change of state: set a new etag and a new time."""
    if state is not None:
        resource.provisioning_state = state
    resource.etag = weak_etag()
    resource.changed = timestamp()


@action(
    "applicationSecurityGroup.create",
    "applicationSecurityGroup.update",
    "virtualNetwork.create",
    "virtualNetwork.update",
    "subnet.create",
    "networkSecurityGroup.create",
    "networkSecurityGroup.update",
    "securityRule.create",
    "networkInterface.update",
)
class Provision:
    """The end of a creation or update: machines are reconfigured, then the state becomes Succeeded."""

    async def work(self, cloud: Cloud, operation: Operation) -> None:
        """Reconfigure the machines that use the resource."""
        await cloud.machines.network_changed(operation.target)

    def done(self, cloud: Cloud, operation: Operation) -> None:
        """Set the final state of the resource and, for a whole network or group, of its children."""
        resource = cloud.store.get(operation.target)
        if resource is None:
            return
        ended = operation.status
        parent = cloud.store.get(resource.container)
        whole = parent if parent is not None and parent.type in RENDERERS else resource
        if whole.provisioning_state == ended:
            # A PUT that changed nothing: the answer showed the final state, and its etag stays.
            return
        touch(whole, ended)
        cloud.store.save(whole)
        for part in cloud.store.children(whole.id):
            touch(part, ended)
            part.etag = whole.etag
            cloud.store.save(part)


@action("networkInterface.create")
class Created:
    """The operation of a resource that exists at once: it has nothing left to do."""

    async def work(self, cloud: Cloud, operation: Operation) -> None:
        """Do nothing."""

    def done(self, cloud: Cloud, operation: Operation) -> None:
        """Finish the operation. One that was made to fail leaves the resource failed."""
        resource = cloud.store.get(operation.target)
        if resource is not None and operation.status != "Succeeded":
            touch(resource, "Failed")
            cloud.store.save(resource)


@action("network.delete")
class Delete:
    """The end of a deletion."""

    async def work(self, cloud: Cloud, operation: Operation) -> None:
        """Reconfigure the machines that used the resource."""
        await cloud.machines.network_changed(operation.target)

    def done(self, cloud: Cloud, operation: Operation) -> None:
        """Remove it and what is inside it."""
        resource = cloud.store.get(operation.target)
        if resource is None:
            return
        if operation.status != "Succeeded":
            touch(resource, "Failed")
            cloud.store.save(resource)
            return
        for child in cloud.store.children(resource.id):
            cloud.store.remove(child)
        cloud.store.remove(resource)
        parent = cloud.store.get(resource.container)
        if parent is not None and parent.etag:
            touch(parent)
            cloud.store.save(parent)
        cloud.hosts.update()


async def delete(cloud: Cloud, request: ArmRequest, resource_id: str, in_use: InUse | None) -> Reply:
    """Answer DELETE: 204 if the resource does not exist, 400 if it is in use, else 202."""
    resource = cloud.store.get(resource_id)
    if resource is None:
        cloud.group(request.subscription, request.group)
        return Reply(204)
    check_preconditions(request, resource)
    if in_use is not None:
        in_use(cloud, resource)
    touch(resource, "Deleting")
    cloud.store.save(resource)
    location = resource.location or _parent_location(cloud, resource)
    spec = OperationSpec("network", "network.delete", resource.id, location, first_poll_waits=False, retry_after=10)
    operation = begin(cloud, request, spec)
    conflicts.supersede(cloud, resource, operation)
    return accepted(cloud, request, operation)


def _parent_location(cloud: Cloud, resource: Resource) -> str:
    parent = cloud.store.get(resource.container)
    return (parent.location if parent is not None else None) or "global"


def location_of(cloud: Cloud, resource: Resource) -> str:
    """Return the location of a resource; a child has that of its parent."""
    return resource.location or _parent_location(cloud, resource)


def serve(type_: str, in_use: InUse | None = None) -> None:
    """Serve what is the same for every top-level type: GET, lists, PATCH of tags, DELETE."""
    one = f"{GROUP}/providers/{type_}/{{name}}"
    serve_reads(type_, render, has_etag=True)

    @route("PATCH", one, type_)
    async def patch_tags(cloud: Cloud, request: ArmRequest) -> Reply:
        resource = cloud.resource(request.id_of(type_, request.params["name"]))
        body = read_body(cloud, request, type_, patch=True)
        check_preconditions(request, resource)
        if "tags" in body:
            resource.tags = body["tags"]
            touch(resource)
            cloud.store.save(resource)
        return written(200, render(cloud, resource, request.api_version))

    @route("DELETE", one, type_)
    async def remove(cloud: Cloud, request: ArmRequest) -> Reply:
        return await delete(cloud, request, request.id_of(type_, request.params["name"]), in_use)


def network_of(subnet: Resource) -> str:
    """Key of the virtual network that a subnet belongs to."""
    return subnet.key.rpartition("/subnets/")[0]


def prefixes(subnet: Resource) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    """Return the address ranges of a subnet."""
    texts = subnet.properties.get("addressPrefixes") or [subnet.properties["addressPrefix"]]
    return [ipaddress.ip_network(text) for text in texts]


def parent(cloud: Cloud, request: ArmRequest, parent_id: str, child_type: str) -> Resource:
    """Return the resource that a child is part of, or is to become part of.

    :raises ApiError: 404 in the words of the Resource Manager. A GET is told that the parent itself was not found
        (33 of 33 recordings of subnets, 2024-08 to 2025-01).
    """
    resource = cloud.store.get(parent_id)
    if resource is None and request.method in ("GET", "HEAD"):
        return cloud.resource(parent_id)
    if resource is None:
        raise parent_not_found(request, child_type, parent_id)
    return resource


def child(cloud: Cloud, request: ArmRequest, child_id: str, child_type: str) -> Resource:
    """Return a child of a resource. The network provider itself answers when only the child is missing.

    :raises ApiError: 404.
    """
    resource = cloud.store.get(child_id)
    if resource is not None:
        return resource
    parent(cloud, request, container_of(child_id), child_type)
    raise child_missing(child_id)


def child_missing(child_id: str) -> ApiError:
    """Return the network provider's 404: the parent exists, the child does not."""
    return network_error("NotFound", f"Resource {child_id} not found.", 404)
