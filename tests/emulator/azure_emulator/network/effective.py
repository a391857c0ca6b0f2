# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads that follow from several resources: effective rules and routes of an interface, usages, peerings."""

from __future__ import annotations

import typing as t

from ..arm.messages import ArmRequest, Reply
from ..arm.replies import accepted, begin, listing
from ..arm.resource import Json, Resource
from ..arm.routing import GROUP, SUBSCRIPTION, route
from ..errors import network_error
from ..operations import Operation, OperationSpec, action
from . import common
from .names import NIC, NSG, PEERING, PUBLIC_IP, RULE, VNET
from .nsgs import default_rules

if t.TYPE_CHECKING:
    from ..cloud import Cloud

ONE = f"{GROUP}/providers/Microsoft.Network/networkInterfaces/{{name}}"
NETWORK = f"{GROUP}/providers/Microsoft.Network/virtualNetworks/{{parent}}"
WITHOUT_ROUTE = ("10.0.0.0/8", "127.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16")
"""Where Azure sends nothing by default ("Virtual network traffic routing", learn.microsoft.com)."""
LIMITS = ((VNET, "Virtual Networks", 1000), (NSG, "Network Security Groups", 5000), (NIC, "Network Interfaces", 65536))
ADDRESS_LIMIT = (PUBLIC_IP, "Public IP Addresses", 1000)


def _allocated(cloud: Cloud, request: ArmRequest) -> Resource:
    """Return the interface in the path.

    :raises ApiError: 404; 400, its machine does not run.
    """
    nic = cloud.resource(request.id_of(NIC, request.params["name"]))
    machine = cloud.store.get(nic.hidden.get("virtualMachine", ""))
    if machine is None or machine.hidden.get("power") != "running":
        raise network_error(
            "NetworkInterfaceNotAttachedToRunningVM",
            f"Network interface {nic.id} must be attached to a running virtual machine for this operation.",
        )
    return nic


def _start(cloud: Cloud, request: ArmRequest, kind: str) -> Reply:
    nic = _allocated(cloud, request)
    spec = OperationSpec("network", kind, nic.id, nic.location or "", first_poll_waits=False, retry_after=10)
    reply = accepted(cloud, request, begin(cloud, request, spec))
    del reply.headers["Azure-AsyncOperation"]  # recorded in 2024-08: only Location
    return reply


@route("POST", f"{ONE}/effectiveNetworkSecurityGroups", NIC)
async def list_rules(cloud: Cloud, request: ArmRequest) -> Reply:
    """Start to collect the rules that apply to an interface."""
    return _start(cloud, request, "networkInterface.effectiveRules")


@route("POST", f"{ONE}/effectiveRouteTable", NIC)
async def list_routes(cloud: Cloud, request: ArmRequest) -> Reply:
    """Start to collect the routes of an interface."""
    return _start(cloud, request, "networkInterface.effectiveRoutes")


class _Read:
    """An operation that only reads."""

    def done(self, cloud: Cloud, operation: Operation) -> None:
        """Nothing has changed."""


@action("networkInterface.effectiveRules")
class EffectiveRules(_Read):
    """The rules of the groups of an interface and of its subnets."""

    async def work(self, cloud: Cloud, operation: Operation) -> Json:
        """Return them, one entry for each group."""
        nic = cloud.store.get(operation.target)
        found: list[Json] = []
        if nic is not None:
            for item in nic.properties["ipConfigurations"]:
                subnet = cloud.store.get(item["properties"]["subnet"]["id"])
                if subnet is not None:
                    found += _of(cloud, subnet, "subnet")
            found += _of(cloud, nic, "networkInterface")
        unique = {entry["networkSecurityGroup"]["id"] + str(entry["association"]): entry for entry in found}
        return {"value": list(unique.values())}


def _of(cloud: Cloud, owner: Resource, word: str) -> list[Json]:
    group = cloud.store.get((owner.properties.get("networkSecurityGroup") or {}).get("id", ""))
    if group is None:
        return []
    rules = [("securityRules", {**rule.properties, "name": rule.name}) for rule in cloud.store.children(group.id, RULE)]
    rules += [("defaultSecurityRules", rule) for rule in default_rules()]
    return [
        {
            "networkSecurityGroup": {"id": group.id},
            "association": {word: {"id": owner.id}},
            "effectiveSecurityRules": [_effective(kind, rule) for kind, rule in rules],
        }
    ]


def _effective(kind: str, rule: Json) -> Json:
    """Return a rule as it applies: ports as ranges, prefixes as lists."""
    shown: Json = {
        "name": f"{kind}/{rule['name']}",
        "protocol": "All" if rule["protocol"] == "*" else rule["protocol"],
    }
    for side in ("source", "destination"):
        ports = rule.get(f"{side}PortRanges") or [rule.get(f"{side}PortRange") or "*"]
        prefixes = rule.get(f"{side}AddressPrefixes") or [rule.get(f"{side}AddressPrefix") or "*"]
        prefixes = ["0.0.0.0/0" if prefix == "*" else prefix for prefix in prefixes]
        shown[f"{side}PortRange"] = _range(ports[0])
        shown[f"{side}PortRanges"] = [_range(text) for text in ports]
        shown[f"{side}AddressPrefix"] = prefixes[0]
        shown[f"{side}AddressPrefixes"] = prefixes
    return {**shown, **{name: rule[name] for name in ("access", "priority", "direction")}}


def _range(ports: str) -> str:
    if ports == "*":
        return "0-65535"
    return ports if "-" in ports else f"{ports}-{ports}"


@action("networkInterface.effectiveRoutes")
class EffectiveRoutes(_Read):
    """The system's routes: to the network, to the internet, and nowhere."""

    async def work(self, cloud: Cloud, operation: Operation) -> Json:
        """Return them."""
        nic = cloud.store.get(operation.target)
        inside: list[str] = []
        if nic is not None:
            subnet = nic.properties["ipConfigurations"][0]["properties"]["subnet"]["id"]
            network = cloud.store.get(subnet.rpartition("/subnets/")[0])
            inside = network.properties["addressSpace"]["addressPrefixes"] if network is not None else []
        hops = [(prefix, "VnetLocal") for prefix in inside] + [("0.0.0.0/0", "Internet")]
        hops += [(prefix, "None") for prefix in WITHOUT_ROUTE if prefix not in inside]
        return {"value": [_route(prefix, hop) for prefix, hop in hops]}


def _route(prefix: str, hop: str) -> Json:
    return {
        "source": "Default",
        "state": "Active",
        "addressPrefix": [prefix],
        "nextHopType": hop,
        "nextHopIpAddress": [],
        "disableBgpRoutePropagation": False,
    }


@route(
    "GET", f"{SUBSCRIPTION}/providers/Microsoft.Network/locations/{{location}}/usages", "Microsoft.Network/locations"
)
async def usages(cloud: Cloud, request: ArmRequest) -> Reply:
    """Return how much of what is in use in a region."""
    location = request.params["location"].replace(" ", "").lower()
    base = f"/subscriptions/{request.subscription}"
    rows = []
    for type_, label, limit in (*LIMITS, ADDRESS_LIMIT):
        word = type_.partition("/")[2]
        used = sum(resource.location == location for resource in cloud.store.of_type(type_, base))
        name = word[:1].upper() + word[1:]
        rows.append(
            {
                "id": f"{base}/providers/Microsoft.Network/locations/{location}/usages/{name}",
                "unit": "Count",
                "currentValue": used,
                "limit": limit,
                "name": {"value": name, "localizedValue": label},
            }
        )
    return listing(rows)


@route("GET", f"{NETWORK}/virtualNetworkPeerings", PEERING)
async def list_peerings(cloud: Cloud, request: ArmRequest) -> Reply:
    """List the peerings of a network, which has none: they cannot be made here."""
    common.parent(cloud, request, request.id_of(VNET, request.params["parent"]), PEERING)
    return listing([])


@route("GET", f"{NETWORK}/virtualNetworkPeerings/{{name}}", PEERING)
async def get_peering(cloud: Cloud, request: ArmRequest) -> Reply:
    """Refuse to return a peering: there is none."""
    network = common.parent(cloud, request, request.id_of(VNET, request.params["parent"]), PEERING)
    raise common.child_missing(f"{network.id}/virtualNetworkPeerings/{request.params['name']}")
