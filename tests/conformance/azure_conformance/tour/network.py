# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Networks, security groups, addresses and interfaces."""

from __future__ import annotations

from azure_conformance.tour.visits import NETWORK, PLACE, Json, Tour


async def application_security_groups(tour: Tour) -> None:
    """Application security groups."""
    asg = f"{tour.network}/applicationSecurityGroups/asg1"
    await tour.go("PUT", asg, NETWORK, 201, body={"location": PLACE})
    await tour.go("PUT", asg, NETWORK, 200, body={"location": PLACE, "tags": {"x": "y"}})
    await tour.family(asg)
    await tour.go("DELETE", asg, NETWORK, 202)


async def security_groups(tour: Tour) -> None:
    """Security groups and their rules."""
    nsg = f"{tour.network}/networkSecurityGroups/nsg1"
    await tour.go(
        "PUT",
        nsg,
        NETWORK,
        201,
        body={"location": PLACE, "properties": {"securityRules": [rule("ssh", 100, "22")]}},
    )
    await tour.go(
        "PUT",
        nsg,
        NETWORK,
        200,
        body={"location": PLACE, "properties": {"securityRules": [rule("ssh", 110, "22")]}},
    )
    await tour.go("GET", f"{tour.subscription}/providers/Microsoft.Network/locations/{PLACE}/usages", NETWORK)
    await tour.go("PUT", f"{nsg}/securityRules/web", NETWORK, 201, body=rule("web", 200, "443"))
    await tour.go("PUT", f"{nsg}/securityRules/web", NETWORK, 200, body=rule("web", 210, "443"))
    await tour.go("PUT", f"{nsg}/securityRules/clash", NETWORK, 400, body=rule("clash", 210, "444"))
    for path in (
        "securityRules",
        "securityRules/web",
        "defaultSecurityRules",
        "defaultSecurityRules/AllowVnetInBound",
    ):
        await tour.go("GET", f"{nsg}/{path}", NETWORK)
    await tour.go("GET", f"{nsg}/securityRules/none", NETWORK, 404)
    await tour.go("DELETE", f"{nsg}/securityRules/web", NETWORK, 202)
    await tour.go("DELETE", f"{nsg}/securityRules/web", NETWORK, 204)
    await tour.family(nsg)


async def virtual_networks(tour: Tour) -> None:
    """Virtual networks and their subnets."""
    nsg, vnet = f"{tour.network}/networkSecurityGroups/nsg1", f"{tour.network}/virtualNetworks/vnet1"
    space = {"addressSpace": {"addressPrefixes": ["10.1.0.0/16"]}}
    inner = {"name": "s1", "properties": {"addressPrefix": "10.1.0.0/24", "networkSecurityGroup": {"id": nsg}}}
    await tour.go("PUT", vnet, NETWORK, 201, body={"location": PLACE, "properties": {**space, "subnets": [inner]}})
    await tour.go(
        "PUT",
        vnet,
        NETWORK,
        200,
        body={"location": PLACE, "tags": {"x": "y"}, "properties": {**space, "subnets": [inner]}},
    )
    await tour.go("PUT", f"{vnet}/subnets/s2", NETWORK, 201, body={"properties": {"addressPrefix": "10.1.1.0/24"}})
    await tour.go("PUT", f"{vnet}/subnets/s2", NETWORK, 200, body={"properties": {"addressPrefix": "10.1.2.0/24"}})
    await tour.go("PUT", f"{vnet}/subnets/s3", NETWORK, 400, body={"properties": {"addressPrefix": "10.9.0.0/24"}})
    await tour.go("PUT", f"{vnet}/subnets/s3", NETWORK, 400, body={"properties": {"addressPrefix": "10.1.2.0/25"}})
    services = {
        "addressPrefix": "10.1.2.0/24",
        "serviceEndpoints": [{"service": "Microsoft.Storage"}],
        "delegations": [{"name": "web", "properties": {"serviceName": "Microsoft.Web/serverFarms"}}],
    }
    await tour.go("PUT", f"{vnet}/subnets/s2", NETWORK, 200, body={"properties": services})
    await tour.go("GET", f"{vnet}/subnets", NETWORK)
    await tour.go("GET", f"{vnet}/subnets/s1", NETWORK)
    await tour.go("GET", f"{vnet}/usages", NETWORK)
    await tour.go("GET", f"{vnet}/virtualNetworkPeerings", NETWORK)
    await tour.go("GET", f"{vnet}/virtualNetworkPeerings/none", NETWORK, 404)
    for address, status in (("10.1.0.9", 200), ("10.1.0.1", 200), ("10.9.0.9", 400)):
        await tour.go("GET", f"{vnet}/CheckIPAddressAvailability", NETWORK, status, query=f"&ipAddress={address}")
    await tour.go("DELETE", f"{vnet}/subnets/s2", NETWORK, 202)
    await tour.go("DELETE", nsg, NETWORK, 400)
    await tour.family(vnet)


async def addresses(tour: Tour) -> None:
    """Public addresses."""
    pip = f"{tour.network}/publicIPAddresses/ip1"
    body: Json = {
        "location": PLACE,
        "sku": {"name": "Standard"},
        "properties": {"publicIPAllocationMethod": "Static"},
    }
    await tour.go("PUT", pip, NETWORK, 201, body=body)
    body["properties"]["dnsSettings"] = {"domainNameLabel": "tour-label"}
    await tour.go("PUT", pip, NETWORK, 200, body=body)
    await tour.go("PUT", f"{pip}b", NETWORK, 400, 409, body=body)
    await tour.go("PUT", f"{pip}c", NETWORK, 400, body={**body, "sku": {"name": "Basic"}})
    await tour.family(pip)
    available = f"{tour.subscription}/providers/Microsoft.Network/locations/{PLACE}/CheckDnsNameAvailability"
    for label in ("tour-label", "tour-free"):
        await tour.go("GET", available, NETWORK, query=f"&domainNameLabel={label}")


async def interfaces(tour: Tour) -> None:
    """Network interfaces."""
    nic = f"{tour.network}/networkInterfaces/nic1"
    body = interface_body(tour, "ip1")
    await tour.go("PUT", nic, NETWORK, 201, body=body)
    await tour.go("PUT", nic, NETWORK, 200, body=body)
    body["properties"]["networkSecurityGroup"] = {"id": f"{tour.network}/networkSecurityGroups/nsg1"}
    await tour.go("PUT", nic, NETWORK, 200, body=body)
    await tour.go("PUT", f"{nic}x", NETWORK, 400, body=interface_body(tour, "unknown"))
    await tour.go("GET", f"{nic}/ipConfigurations", NETWORK)
    await tour.go("GET", f"{nic}/ipConfigurations/main", NETWORK)
    await tour.family(nic)
    await tour.go("DELETE", f"{tour.network}/virtualNetworks/vnet1", NETWORK, 400)
    await tour.go("DELETE", f"{tour.network}/virtualNetworks/vnet1/subnets/s1", NETWORK, 400)
    await tour.go("DELETE", f"{tour.network}/publicIPAddresses/ip1", NETWORK, 400)
    await tour.go("DELETE", f"{tour.network}/networkSecurityGroups/nsg1", NETWORK, 400)


def interface_body(tour: Tour, address: str) -> Json:
    """The body of an interface."""
    inner: Json = {
        "subnet": {"id": f"{tour.network}/virtualNetworks/vnet1/subnets/s1"},
        "publicIPAddress": {"id": f"{tour.network}/publicIPAddresses/{address}"},
    }
    return {"location": PLACE, "properties": {"ipConfigurations": [{"name": "main", "properties": inner}]}}


def rule(name: str, priority: int, port: str) -> Json:
    """The body of a security rule."""
    return {
        "name": name,
        "properties": {
            "protocol": "Tcp",
            "access": "Allow",
            "direction": "Inbound",
            "priority": priority,
            "sourceAddressPrefix": "Internet",
            "sourcePortRange": "*",
            "destinationAddressPrefix": "*",
            "destinationPortRange": port,
        },
    }
