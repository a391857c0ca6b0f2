# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Virtual networks and their subnets."""

from __future__ import annotations

import ipaddress
import itertools
import typing as t

from ..arm.messages import ArmRequest, Reply
from ..arm.replies import found, listing
from ..arm.resource import Json, Resource
from ..arm.routing import GROUP, route
from ..errors import network_error
from . import common, subnet_parts
from .names import SUBNET, VNET
from .pool import RESERVED, private_addresses
from .writes import Change, Children, ChildWriter, Progress, Writer, draft_child, serve_children, serve_put

if t.TYPE_CHECKING:
    from ..cloud import Cloud

NETWORK = f"{GROUP}/providers/Microsoft.Network/virtualNetworks/{{network}}"
RETRY_AFTER = 3
PRIVATE_SINCE = "2025-07-01"
"""The first api-version with which the subnets of new networks have no default outbound access unless they ask for it.

"Default outbound access in Azure" (learn.microsoft.com) says it of the versions released after March 2026.
"""
IpNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network


def render_network(cloud: Cloud, network: Resource, api_version: str) -> Json:
    """Return the body of a virtual network, its subnets expanded."""
    stored = network.properties
    properties: Json = {
        "provisioningState": network.provisioning_state,
        "resourceGuid": stored["resourceGuid"],
        "addressSpace": stored["addressSpace"],
    }
    if min(api_version, network.hidden.get("writtenWith", api_version)) >= "2023-09-01":
        # Shown if both the last write and the read know it (recorded in 2024-08).
        properties["privateEndpointVNetPolicies"] = stored.get("privateEndpointVNetPolicies", "Disabled")
    for name in ("dhcpOptions", "bgpCommunities", "encryption", "flowTimeoutInMinutes", "enableVmProtection"):
        if name in stored and (name != "enableVmProtection" or api_version < "2019-01-01"):
            properties[name] = {"dnsServers": [], **stored[name]} if name == "dhcpOptions" else stored[name]
    subnets = cloud.store.children(network.id, SUBNET)
    properties["subnets"] = [render_subnet(cloud, subnet, api_version) for subnet in subnets]
    properties["virtualNetworkPeerings"] = []
    if api_version >= "2017-08-01":
        properties["enableDdosProtection"] = stored.get("enableDdosProtection", False)
    return {**common.base_body(network), **network.top, "properties": properties}


def render_subnet(cloud: Cloud, subnet: Resource, api_version: str) -> Json:
    """Return the body of a subnet, with what is in it."""
    stored = subnet.properties
    properties: Json = {"provisioningState": subnet.provisioning_state}
    for name in ("addressPrefix", "addressPrefixes", "networkSecurityGroup", *subnet_parts.KEPT):
        if name in stored:
            properties[name] = stored[name]
    services = subnet_parts.shown(subnet)
    if "serviceEndpoints" in services:
        properties["serviceEndpoints"] = services["serviceEndpoints"]
    inside = [shown for shown in cloud.store.users(subnet.id) if "/ipconfigurations/" in shown.lower()]
    if inside:
        properties["ipConfigurations"] = [{"id": shown} for shown in inside]
    if api_version >= "2018-02-01":
        properties["delegations"] = services.get("delegations", [])
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


def describe_network(cloud: Cloud, network: Resource, body: Json) -> Children:
    """Take a request's body into a virtual network. Without ``subnets`` the network keeps those it has."""
    requested: Json = body.get("properties", {})
    spaces = _address_space(requested)
    if cloud.store.get(network.id) is None and network.hidden["writtenWith"] >= PRIVATE_SINCE:
        network.hidden["privateSubnets"] = True
    keeps_others = "subnets" not in requested
    subnets = [_subnet(cloud, network, item, spaces) for item in requested.get("subnets") or []]
    kept = cloud.store.children(network.id, SUBNET) if keeps_others else []
    _check_overlap([*kept, *subnets])
    if not keeps_others:
        _check_removed(cloud, network, subnets)
    guid = network.properties["resourceGuid"]
    properties = {name: value for name, value in requested.items() if name != "subnets"}
    if properties.get("encryption"):
        properties["encryption"] = _encryption(network, properties["encryption"])
    network.properties = {**properties, "resourceGuid": guid, "provisioningState": network.provisioning_state}
    return Children(subnets, keeps_others)


def _encryption(network: Resource, wanted: Json) -> Json:
    """Return the encryption of a network; switched on it needs an enforcement (recorded in 2023-02)."""
    if wanted.get("enabled") and not wanted.get("enforcement"):
        raise network_error(
            "MustSpecifyBothEncryptionIntentAndEnforcementPolicy",
            f"Cannot encrypt VirtualNetwork {network.id} unless both encryption intent (Enabled true or false) and "
            "enforcement policy (AllowUnencrypted or DropUnencrypted) are specified.",
        )
    return {"enforcement": "AllowUnencrypted", **wanted}


def _progress(change: Change) -> Progress:
    return Progress("Updating" if change.is_change else "Succeeded", retry_after=RETRY_AFTER)


def _address_space(properties: Json) -> list[IpNetwork]:
    return [_prefix(text) for text in properties.get("addressSpace", {}).get("addressPrefixes", [])]


def _prefix(text: str) -> IpNetwork:
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


def describe_subnet(cloud: Cloud, network: Resource, item: Json) -> Resource:
    """Return a subnet as a request describes it, checked, not yet saved."""
    return _subnet(cloud, network, item, _address_space(network.properties))


def _subnet(cloud: Cloud, network: Resource, item: Json, spaces: list[IpNetwork]) -> Resource:
    name = common.name_of(item, "properties.subnets")
    subnet = draft_child(cloud, network, SUBNET, name)
    requested: Json = item.get("properties") or {}
    prefixes = requested.get("addressPrefixes") or [requested.get("addressPrefix")]
    if prefixes == [None]:
        raise network_error(
            "SubnetMissingRequiredProperty", f"Subnet {name} is missing required property addressPrefix."
        )
    for text in prefixes:
        inner = _prefix(text)
        if not any(inner.version == space.version and inner.subnet_of(space) for space in spaces):  # type: ignore[arg-type]
            raise network_error(
                "NetcfgInvalidSubnet", f"Subnet '{name}' is not valid in virtual network '{network.name}'."
            )
    refs = []
    group_id = (requested.get("networkSecurityGroup") or {}).get("id")
    if group_id:
        common.referenced(cloud, group_id, subnet.id, network.location)
        refs.append((group_id, subnet.id))
    state = subnet.provisioning_state
    given = {key: value for key, value in requested.items() if value is not None}
    subnet.properties = {**given, **subnet_parts.described(given, network.location or "")}
    if network.hidden.get("privateSubnets"):
        subnet.properties.setdefault("defaultOutboundAccess", False)
    subnet.properties["provisioningState"] = state
    subnet.refs = refs
    return subnet


def _check_overlap(subnets: list[Resource]) -> None:
    seen: list[tuple[Resource, IpNetwork]] = []
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


def _check_removed(cloud: Cloud, network: Resource, staying: list[Resource]) -> None:
    """Refuse to delete subnets that are in use."""
    keys = {subnet.key for subnet in staying}
    for subnet in cloud.store.children(network.id, SUBNET):
        if subnet.key not in keys:
            subnet_in_use(cloud, subnet)


def subnet_in_use(cloud: Cloud, subnet: Resource) -> None:
    """Refuse to delete a subnet that is in use."""
    users = cloud.store.users(subnet.id)
    if users:
        raise network_error(
            "InUseSubnetCannotBeDeleted",
            f"Subnet {subnet.name} is in use by {users[0]} and cannot be deleted. In order to delete the subnet, "
            "delete "
            "all the resources within the subnet. See aka.ms/deletesubnet.",
        )


def network_in_use(cloud: Cloud, network: Resource) -> None:
    """Refuse to delete a network with a subnet that is in use."""
    for subnet in cloud.store.children(network.id, SUBNET):
        subnet_in_use(cloud, subnet)


common.serve(VNET, network_in_use)
serve_put(Writer(VNET, "virtualNetwork", describe_network, _progress))
serve_children(
    ChildWriter(
        SUBNET, "subnet.create", describe_subnet, _check_overlap, Progress(retry_after=RETRY_AFTER), subnet_in_use
    )
)


@route("GET", f"{NETWORK}/CheckIPAddressAvailability", VNET)
async def check_address(cloud: Cloud, request: ArmRequest) -> Reply:
    """Return whether a private address is free; if not, up to five that are."""
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
        return found({"available": True, "isPlatformReserved": False})
    free = (str(prefix[n]) for n in range(RESERVED, prefix.num_addresses - 1) if str(prefix[n]) not in used)
    return found(
        {"available": False, "availableIPAddresses": list(itertools.islice(free, 5)), "isPlatformReserved": reserved}
    )


@route("GET", f"{NETWORK}/usages", VNET)
async def usages(cloud: Cloud, request: ArmRequest) -> Reply:
    """Return how many addresses of each subnet are in use."""
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
