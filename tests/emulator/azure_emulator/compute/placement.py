# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Placement of machines: availability sets and proximity placement groups."""

from __future__ import annotations

import typing as t

from ..arm.messages import ArmRequest, Reply
from ..arm.replies import listing
from ..arm.resource import Json, Resource
from ..arm.routing import GROUP, route
from ..errors import ApiError, invalid_parameter, operation_not_allowed
from . import catalogue
from .names import AVAILABILITY_SET, PLACEMENT_GROUP, VM
from .synchronous import Kind, base_body, serve

if t.TYPE_CHECKING:
    from ..cloud import Cloud

DOMAINS = {"platformFaultDomainCount": ("fault", 3, 2), "platformUpdateDomainCount": ("update", 20, 5)}
"""Of each count: its word, the most there can be, and the default."""


def members(cloud: Cloud, holder: Resource, type_: str) -> list[Resource]:
    """Return the resources of a type that are put into a set or group."""
    return [user for user in cloud.store.user_resources(holder.id) if user.type == type_]


def _listed(resources: list[Resource]) -> list[Json]:
    return [{"id": resource.id} for resource in resources]


def render_set(cloud: Cloud, found: Resource) -> Json:
    """Return the body of an availability set."""
    properties = {**found.properties, "virtualMachines": _listed(members(cloud, found, VM))}
    return {**base_body(found), "properties": properties}


def _apply_set(cloud: Cloud, found: Resource, body: Json, new: bool) -> None:
    wanted: Json = body.get("properties") or {}
    for name, (word, most, default) in DOMAINS.items():
        count = wanted.get(name)
        if count is not None and not 1 <= count <= most:
            raise invalid_parameter(f"The specified {word} domain count {count} must fall in the range 1 to {most}.")
        before = found.properties.get(name, default)
        if not new and count not in (None, before):
            raise ApiError(409, "PropertyChangeNotAllowed", f"Changing property '{name}' is not allowed.", target=name)
        found.properties[name] = count or before
    sku = (body.get("sku") or {}).get("name") or found.top.get("sku", {}).get("name", "Classic")
    if found.top.get("sku", {}).get("name") == "Aligned" and sku != "Aligned":
        raise operation_not_allowed("Changing availability set SKU from 'Aligned' to 'Classic' is not allowed.")
    found.top["sku"] = {"name": sku}
    if wanted.get("scheduledEventsPolicy"):
        found.properties["scheduledEventsPolicy"] = wanted["scheduledEventsPolicy"]
    near = wanted.get("proximityPlacementGroup")
    if near:
        check_placement_group(cloud, near["id"], found)
        found.properties["proximityPlacementGroup"] = near
        found.refs = [(near["id"], found.id)]


def _set_in_use(cloud: Cloud, found: Resource) -> None:
    if members(cloud, found, VM):
        raise operation_not_allowed(
            f"Availability Set '{found.name}' cannot be deleted. Before deleting an Availability Set please ensure that"
            " it does not contain any VM."
        )


serve(Kind(AVAILABILITY_SET, render_set, _apply_set, _set_in_use, made=200, later=("virtualMachines",)))


@route("GET", f"{GROUP}/providers/Microsoft.Compute/availabilitySets/{{name}}/vmSizes", AVAILABILITY_SET)
async def set_sizes(cloud: Cloud, request: ArmRequest) -> Reply:
    """Return the sizes that a machine in the set could have."""
    cloud.resource(request.id_of(AVAILABILITY_SET, request.params["name"]))
    return listing([catalogue.size_body(size) for size in catalogue.SIZES.values()])


def render_group(cloud: Cloud, found: Resource) -> Json:
    """Return the body of a proximity placement group; once somebody is in it, each kind of member is shown."""
    machines, sets = members(cloud, found, VM), members(cloud, found, AVAILABILITY_SET)
    inside: Json = {}
    if machines or sets:
        inside = {
            "virtualMachines": _listed(machines),
            "virtualMachineScaleSets": [],
            "availabilitySets": _listed(sets),
        }
    return {**base_body(found), "properties": {**found.properties, **inside}}


def _apply_group(_cloud: Cloud, found: Resource, body: Json, new: bool) -> None:
    wanted: Json = body.get("properties") or {}
    kind = wanted.get("proximityPlacementGroupType")
    before = found.properties.get("proximityPlacementGroupType", "Standard")
    if not new and kind not in (None, before):
        name = "proximityPlacementGroupType"
        raise ApiError(409, "PropertyChangeNotAllowed", f"Changing property '{name}' is not allowed.", target=name)
    found.properties = {"proximityPlacementGroupType": kind or before}
    if wanted.get("intent"):
        found.properties["intent"] = wanted["intent"]
    if body.get("zones"):
        found.top["zones"] = body["zones"]


def _group_in_use(cloud: Cloud, found: Resource) -> None:
    inside = [*members(cloud, found, VM), *members(cloud, found, AVAILABILITY_SET)]
    if inside:
        raise operation_not_allowed(
            f"Proximity Placement Group '{found.name}' cannot be deleted. Before deleting a Proximity Placement Group"
            " please ensure that it does not contain any resource."
        )


serve(Kind(PLACEMENT_GROUP, render_group, _apply_group, _group_in_use))


def check_placement(cloud: Cloud, vm: Resource, wanted: Json) -> None:
    """Refuse an impossible placement.

    :raises ApiError: 400, 404 or 409.
    """
    set_id = (wanted.get("availabilitySet") or {}).get("id")
    if set_id:
        _check_set(cloud, vm, wanted, set_id)
    near = (wanted.get("proximityPlacementGroup") or {}).get("id")
    if near:
        check_placement_group(cloud, near, vm)


def _check_set(cloud: Cloud, vm: Resource, wanted: Json, set_id: str) -> None:
    if vm.top.get("zones"):
        raise ApiError(
            400,
            "BadRequest",
            "Virtual Machine cannot be created because both Availability Zone and Availability Set were specified. "
            "Deploying an Availability Set to an Availability Zone isn't supported.",
        )
    found = cloud.store.get(set_id)
    # VirtualMachineProperties.availabilitySet: the machine must be in the resource group of the set.
    if found is not None and found.group.lower() != vm.group.lower():
        found = None
    if found is None or found.type != AVAILABILITY_SET or found.location != vm.location:
        raise ApiError(404, "NotFound", f"The Availability Set '{set_id}' cannot be found.", target="availabilitySet")
    if wanted.get("priority") in ("Spot", "Low"):
        raise operation_not_allowed("Azure Spot Virtual Machine is not supported in Availability Set.")
    managed = ((wanted.get("storageProfile") or {}).get("osDisk") or {}).get("vhd") is None
    if managed != (found.top["sku"]["name"] == "Aligned"):
        raise ApiError(
            409,
            "OperationNotAllowed",
            "Addition of a VM with managed disks to non-managed Availability Set or addition of a VM with blob based "
            "disks to managed Availability Set is not supported. Please create an Availability Set with 'managed' "
            "property set in order to add a VM with managed disks to it.",
        )


def check_placement_group(cloud: Cloud, group_id: str, user: Resource) -> None:
    """Refuse a proximity placement group that does not exist, or is in another region.

    :raises ApiError: 404.
    """
    found = cloud.store.get(group_id)
    if found is None or found.type != PLACEMENT_GROUP or found.location != user.location:
        raise ApiError(
            404,
            "NotFound",
            f"The Proximity Placement Group '{group_id}' cannot be found.",
            target="proximityPlacementGroup",
        )
