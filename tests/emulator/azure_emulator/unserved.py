# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Types of the providers that are not served: they can be read, and a subscription has none of them."""

from __future__ import annotations

import re
import typing as t

from . import rights
from .arm.messages import ArmRequest, Reply
from .arm.versions import check_version
from .errors import ApiError, resource_not_found
from .resources import unknown_type

if t.TYPE_CHECKING:
    from .cloud import Cloud

PUBLISHED = {
    "Microsoft.Compute": """
        capacityReservationGroups cloudServices diskAccesses diskEncryptionSets hostGroups restorePointCollections
        virtualMachineScaleSets
    """,
    "Microsoft.Network": """
        applicationGateways applicationGatewayWebApplicationFirewallPolicies azureFirewalls bastionHosts connections
        customIpPrefixes ddosCustomPolicies ddosProtectionPlans dnsZones dscpConfigurations expressRouteCircuits
        expressRouteCrossConnections expressRouteGateways expressRoutePorts firewallPolicies ipAllocations ipGroups
        loadBalancers localNetworkGateways natGateways networkManagers networkProfiles networkVirtualAppliances
        networkWatchers p2svpnGateways privateDnsZones privateEndpoints privateLinkServices publicIPPrefixes
        routeFilters routeTables securityPartnerProviders serviceEndpointPolicies virtualHubs virtualNetworkGateways
        virtualNetworkTaps virtualRouters virtualWans vpnGateways vpnServerConfigurations vpnSites
    """,
    "Microsoft.Storage": "storageAccounts",
}
"""By namespace: the types of resources that the specifications have and that are not served."""
TYPES = {
    f"{namespace}/{name}".lower(): f"{namespace}/{name}"
    for namespace, names in PUBLISHED.items()
    for name in names.split()
}
_PLACE = re.compile(
    r"/subscriptions/(?P<subscription>[^/]+)(?:/resourceGroups/(?P<group>[^/]+))?"
    r"/providers/(?P<type>[^/]+/[^/]+)(?:/(?P<name>[^/]+)(?P<rest>/.+)?)?/?",
    re.IGNORECASE,
)


def refusal(path: str, api_version: str) -> ApiError:
    """Return the error for creating a resource of a type that is not served."""
    place = _PLACE.fullmatch(path)
    type_ = TYPES.get(place["type"].lower()) if place is not None else None
    if type_ is None:
        return unknown_type(path, api_version)
    return ApiError(400, "NotSupported", f"The local Azure does not serve resources of the type '{type_}'.")


def answer(cloud: Cloud, request: ArmRequest) -> Reply:
    """Return the answer to a request that no route serves.

    A list of a published type is empty, a name is not found, and deleting it changes nothing.

    :raises ApiError: 404, the type or the resource does not exist; 400, it cannot be made here.
    """
    place = _PLACE.fullmatch(request.path)
    type_ = TYPES.get(place["type"].lower()) if place is not None else None
    if place is None or type_ is None or (place["name"] and not place["group"]):
        raise unknown_type(request.path, request.api_version)
    check_version(type_, request.api_version, "eastus" if place["group"] else "*")
    rights.check(cloud, request)
    if place["group"]:
        cloud.group(place["subscription"], place["group"])
    if place["name"]:
        return _one(request, type_, place)
    if request.method not in ("GET", "HEAD"):
        raise unknown_type(request.path, request.api_version)
    return Reply(200, {"value": []})


def _one(request: ArmRequest, type_: str, place: re.Match[str]) -> Reply:
    """Return the answer to a request about one resource, which does not exist."""
    if request.method == "DELETE" and not place["rest"]:
        return Reply(204)
    if request.method == "PUT" and not place["rest"]:
        raise refusal(request.path, request.api_version)
    raise resource_not_found(f"{type_}/{place['name']}", place["group"])
