# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Virtual networks and their subnets."""

from __future__ import annotations

import ipaddress
import itertools
import typing as t

from ..arm.messages import ArmRequest, Reply
from ..arm.replies import begin, check_preconditions, found, listing, started
from ..arm.resource import Json, Resource
from ..arm.routing import GROUP, route
from ..arm.tracked import read_body
from ..errors import network_error
from ..schema import accept
from ..settings import new_guid
from . import common
from .names import SUBNET, VNET
from .pool import RESERVED, private_addresses

if t.TYPE_CHECKING:
    from ..cloud import Cloud

NETWORK = f"{GROUP}/providers/Microsoft.Network/virtualNetworks/{{network}}"
RETRY_AFTER = 3


def render_network(cloud: Cloud, network: Resource, api_version: str) -> Json:
    """The body of a virtual network, its subnets expanded."""
    stored = network.properties
    properties: Json = {
        "provisioningState": network.provisioning_state,
        "resourceGuid": stored["resourceGuid"],
        "addressSpace": stored["addressSpace"],
    }
    if api_version >= "2023-09-01":
        properties["privateEndpointVNetPolicies"] = stored.get("privateEndpointVNetPolicies", "Disabled")
    for name in ("dhcpOptions", "bgpCommunities", "encryption", "flowTimeoutInMinutes", "enableVmProtection"):
        if name in stored and (name != "enableVmProtection" or api_version < "2019-01-01"):
            properties[name] = stored[name]
    subnets = cloud.store.children(network.id, SUBNET)
    properties["subnets"] = [render_subnet(cloud, subnet, api_version) for subnet in subnets]
    properties["virtualNetworkPeerings"] = []
    if api_version >= "2017-08-01":
        properties["enableDdosProtection"] = stored.get("enableDdosProtection", False)
    return {**common.base_body(network), **network.top, "properties": properties}


def render_subnet(cloud: Cloud, subnet: Resource, api_version: str) -> Json:
    """The body of a subnet, with what is in it."""
    stored = subnet.properties
    properties: Json = {"provisioningState": subnet.provisioning_state}
    for name in ("addressPrefix", "addressPrefixes", "networkSecurityGroup", "serviceEndpoints"):
        if name in stored:
            properties[name] = stored[name]
    inside = [shown for shown in cloud.store.users(subnet.id) if "/ipconfigurations/" in shown.lower()]
    if inside:
        properties["ipConfigurations"] = [{"id": shown} for shown in inside]
    if api_version >= "2018-02-01":
        properties["delegations"] = stored.get("delegations", [])
    if api_version >= "2019-04-01":
        properties["privateEndpointNetworkPolicies"] = stored.get("privateEndpointNetworkPolicies", "Disabled")
        properties["privateLinkServiceNetworkPolicies"] = stored.get("privateLinkServiceNetworkPolicies", "Enabled")
    for name in ("defaultOutboundAccess", "sharingScope"):
        if name in stored:
            properties[name] = stored[name]
    return {
        "name": subnet.name,
        "id": subnet.id,
        "etag": subnet.etag,
        "properties": properties,
        "type": subnet.type,
    }


common.RENDERERS[VNET] = render_network
common.RENDERERS[SUBNET] = render_subnet


@route("PUT", f"{GROUP}/providers/Microsoft.Network/virtualNetworks/{{name}}", VNET)
async def put_network(cloud: Cloud, request: ArmRequest) -> Reply:
    """Create or update a virtual network. Without ``subnets`` an existing network keeps those it has."""
    body = read_body(cloud, request, VNET)
    id_ = request.id_of(VNET, request.params["name"])
    network = cloud.store.get(id_)
    check_preconditions(request, network)
    if network is not None:
        common.refuse_while_deleting(network)
    group = cloud.group(request.subscription, request.group)
    wanted: Json = body.get("properties", {})
    spaces = _address_space(wanted)
    created = network is None
    if network is None:
        network = Resource(id_, VNET, request.params["name"], group.name, request.subscription)
        network.properties["resourceGuid"] = new_guid()
    kept = [] if "subnets" in wanted else cloud.store.children(network.id, SUBNET)
    subnets = [_subnet(cloud, network, item, spaces) for item in wanted.get("subnets") or []]
    _check_overlap([*kept, *subnets])
    _remove_others(cloud, network, [*kept, *subnets])
    guid = network.properties["resourceGuid"]
    network.properties = {name: value for name, value in wanted.items() if name != "subnets"} | {"resourceGuid": guid}
    network.location = body.get("location") or network.location
    network.tags = body.get("tags")
    common.touch(network, "Updating")
    cloud.store.save(network)
    for subnet in subnets:
        subnet.etag, subnet.provisioning_state = network.etag, "Updating"
        cloud.store.save(subnet)
    kind = "virtualNetwork.create" if created else "virtualNetwork.update"
    operation = begin(cloud, request, "network", kind, network.id, network.location or group.location or "")
    common.supersede(cloud, network, operation)
    answer = render_network(cloud, network, request.api_version)
    return started(cloud, request, operation, 201 if created else 200, answer, RETRY_AFTER)


def _address_space(properties: Json) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    return [_prefix(text, "virtual network") for text in properties.get("addressSpace", {}).get("addressPrefixes", [])]


def _prefix(text: str, _what: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError as error:
        raise network_error(
            "InvalidAddressPrefixFormat",
            f"Address prefix {text} of resource is not formatted correctly. It should follow CIDR notation, for "
            "example 10.0.0.0/24.",
        ) from error
    if "/" not in text:
        raise network_error(
            "InvalidAddressPrefixFormat",
            f"Address prefix {text} of resource is not formatted correctly. It should follow CIDR notation, for "
            "example 10.0.0.0/24.",
        )
    if str(network.network_address) != text.partition("/")[0].lower():
        raise network_error(
            "InvalidCIDRNotation",
            f"The address prefix {text} in resource has an invalid CIDR notation. For the given prefix length, the "
            f"address prefix should be {network}.",
        )
    return network


def _subnet(
    cloud: Cloud,
    network: Resource,
    item: Json,
    spaces: list[ipaddress.IPv4Network | ipaddress.IPv6Network],
) -> Resource:
    """A subnet as a request describes it, checked, not yet saved."""
    name = common.name_of(item, "properties.subnets")
    id_ = f"{network.id}/subnets/{name}"
    existing = cloud.store.get(id_)
    subnet = (
        existing.copy() if existing is not None else Resource(id_, SUBNET, name, network.group, network.subscription)
    )
    wanted: Json = item.get("properties") or {}
    prefixes = wanted.get("addressPrefixes") or [wanted.get("addressPrefix")]
    if prefixes == [None]:
        raise network_error(
            "SubnetMissingRequiredProperty", f"Subnet {name} is missing required property addressPrefix."
        )
    for text in prefixes:
        inner = _prefix(text, "subnet")
        if not any(inner.version == space.version and inner.subnet_of(space) for space in spaces):  # type: ignore[arg-type]
            raise network_error(
                "NetcfgInvalidSubnet", f"Subnet '{name}' is not valid in virtual network '{network.name}'."
            )
    refs = []
    group_id = (wanted.get("networkSecurityGroup") or {}).get("id")
    if group_id:
        common.referenced(cloud, group_id, id_, network.location)
        refs.append((group_id, id_))
    subnet.properties = {key: value for key, value in wanted.items() if value is not None}
    subnet.refs = refs
    return subnet


def _check_overlap(subnets: list[Resource]) -> None:
    seen: list[tuple[Resource, ipaddress.IPv4Network | ipaddress.IPv6Network]] = []
    for subnet in subnets:
        for prefix in common.prefixes(subnet):
            for other, range_ in seen:
                if other.key != subnet.key and prefix.overlaps(range_):
                    raise network_error(
                        "NetcfgSubnetRangesOverlap",
                        f"Subnet '{subnet.name}' is not valid because its IP address range overlaps with that of an "
                        f"existing subnet in virtual network '{subnet.id.split('/')[-3]}'.",
                    )
            seen.append((subnet, prefix))


def _remove_others(cloud: Cloud, network: Resource, staying: list[Resource]) -> None:
    keys = {subnet.key for subnet in staying}
    going = [subnet for subnet in cloud.store.children(network.id, SUBNET) if subnet.key not in keys]
    for subnet in going:
        subnet_in_use(cloud, subnet)
    for subnet in going:
        cloud.store.remove(subnet)


def subnet_in_use(cloud: Cloud, subnet: Resource) -> None:
    """Refuse to remove a subnet with something in it."""
    users = cloud.store.users(subnet.id)
    if users:
        raise network_error(
            "InUseSubnetCannotBeDeleted",
            f"Subnet {subnet.name} is in use by {users[0]} and cannot be deleted. In order to delete the subnet, "
            "delete "
            "all the resources within the subnet. See aka.ms/deletesubnet.",
        )


def network_in_use(cloud: Cloud, network: Resource) -> None:
    """Refuse to remove a network with a subnet that has something in it."""
    for subnet in cloud.store.children(network.id, SUBNET):
        subnet_in_use(cloud, subnet)


common.serve(VNET, network_in_use)


def _network(cloud: Cloud, request: ArmRequest) -> Resource:
    return common.parent(cloud, request, request.id_of(VNET, request.params["network"]), SUBNET)


@route("PUT", f"{NETWORK}/subnets/{{name}}", SUBNET)
async def put_subnet(cloud: Cloud, request: ArmRequest) -> Reply:
    """Create or update one subnet; the network it is in is being updated meanwhile."""
    body = accept(request, SUBNET)
    network = common.parent(cloud, request, request.id_of(VNET, request.params["network"]), SUBNET)
    name = request.params["name"]
    existing = cloud.store.get(f"{network.id}/subnets/{name}")
    check_preconditions(request, existing)
    common.refuse_while_changing(cloud, network)
    subnet = _subnet(cloud, network, {**body, "name": name}, _address_space(network.properties))
    _check_overlap([*[s for s in cloud.store.children(network.id, SUBNET) if s.key != subnet.key], subnet])
    common.touch(network, "Updating")
    subnet.etag, subnet.provisioning_state = network.etag, "Updating"
    cloud.store.save(network)
    cloud.store.save(subnet)
    operation = begin(cloud, request, "network", "subnet.create", subnet.id, network.location or "")
    answer = render_subnet(cloud, subnet, request.api_version)
    return started(cloud, request, operation, 200 if existing else 201, answer, RETRY_AFTER)


@route("GET", f"{NETWORK}/subnets/{{name}}", SUBNET)
async def get_subnet(cloud: Cloud, request: ArmRequest) -> Reply:
    """One subnet."""
    id_ = f"{request.id_of(VNET, request.params['network'])}/subnets/{request.params['name']}"
    subnet = common.child(cloud, request, id_, SUBNET)
    return found(render_subnet(cloud, subnet, request.api_version), subnet.etag)


@route("GET", f"{NETWORK}/subnets", SUBNET)
async def list_subnets(cloud: Cloud, request: ArmRequest) -> Reply:
    """The subnets of a network."""
    network = _network(cloud, request)
    return listing([render_subnet(cloud, s, request.api_version) for s in cloud.store.children(network.id, SUBNET)])


@route("DELETE", f"{NETWORK}/subnets/{{name}}", SUBNET)
async def delete_subnet(cloud: Cloud, request: ArmRequest) -> Reply:
    """Remove a subnet."""
    id_ = f"{request.id_of(VNET, request.params['network'])}/subnets/{request.params['name']}"
    return await common.delete(cloud, request, id_, subnet_in_use)


@route("GET", f"{NETWORK}/CheckIPAddressAvailability", VNET)
async def check_address(cloud: Cloud, request: ArmRequest) -> Reply:
    """Whether a private address is free; if not, up to five that are."""
    network = cloud.resource(request.id_of(VNET, request.params["network"]))
    text = request.query.get("ipaddress", "")
    try:
        address = ipaddress.ip_address(text)
    except ValueError as error:
        raise network_error("InvalidIPAddressFormat", f"IP address {text} is not formatted correctly.") from error
    subnet = next(
        (s for s in cloud.store.children(network.id, SUBNET) if any(address in p for p in common.prefixes(s))), None
    )
    if subnet is None:
        raise network_error(
            "PrivateIPAddressNotInAnySubnet",
            f"Private static IP address {text} does not belong to the range of any subnet in the virtual network "
            f"{network.id}.",
        )
    used = private_addresses(cloud, subnet)
    prefix = next(p for p in common.prefixes(subnet) if address in p)
    offset = int(address) - int(prefix.network_address)
    reserved = offset < RESERVED or offset == prefix.num_addresses - 1
    if text not in used and not reserved:
        return found({"available": True, "availableIPAddresses": [], "isPlatformReserved": False})
    free = (str(prefix[n]) for n in range(RESERVED, prefix.num_addresses - 1) if str(prefix[n]) not in used)
    return found(
        {"available": False, "availableIPAddresses": list(itertools.islice(free, 5)), "isPlatformReserved": reserved}
    )


@route("GET", f"{NETWORK}/usages", VNET)
async def usages(cloud: Cloud, request: ArmRequest) -> Reply:
    """How many addresses of each subnet are in use."""
    network = cloud.resource(request.id_of(VNET, request.params["network"]))
    rows = []
    for subnet in cloud.store.children(network.id, SUBNET):
        limit = sum(max(0, prefix.num_addresses - RESERVED - 1) for prefix in common.prefixes(subnet))
        rows.append(
            {
                "currentValue": float(len(private_addresses(cloud, subnet))),
                "id": subnet.id,
                "limit": float(limit),
                "name": {"localizedValue": "Subnet size and usage", "value": "SubnetSpace"},
                "unit": "Count",
            }
        )
    return listing(rows)
