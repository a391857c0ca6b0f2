# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Network resources in wire format, and the differences between current and desired ones.

Private to this collection. Nothing here talks to Azure. A ``*_body`` function returns the body that creates a resource
or, with the current resource, the body that changes only the collection's own part of it.
"""

from __future__ import annotations

import typing as t

from ..._azure.resource_ids import name_in, same_id
from ..._azure.wire import Json, picked, primary_ip_configuration, properties_of, public_ip_id, security_group_id
from ..._diff import Differences
from ..desired.host_spec import HostSpec
from ..desired.inbound_rules import InboundRule, is_own_rule, sources_in
from ..desired.topology import HostResources

FIRST_PRIORITY = 300
ADDRESS_DELETED_WITH_VM = {"deleteOption": "Delete"}

_RULE_KEYS = (
    "description",
    "protocol",
    "sourcePortRange",
    "destinationPortRange",
    "sourceAddressPrefix",
    "sourceAddressPrefixes",
    "sourceApplicationSecurityGroups",
    "destinationAddressPrefix",
    "destinationAddressPrefixes",
    "destinationApplicationSecurityGroups",
    "sourcePortRanges",
    "destinationPortRanges",
    "access",
    "priority",
    "direction",
)
_ADDRESS_KEYS = (
    "publicIPAllocationMethod",
    "publicIPAddressVersion",
    "idleTimeoutInMinutes",
    "dnsSettings",
    "ipTags",
    "publicIPPrefix",
    "ddosSettings",
    "deleteOption",
)
_DNS_KEYS = ("domainNameLabel", "domainNameLabelScope", "reverseFqdn")
_INTERFACE_KEYS = (
    "enableAcceleratedNetworking",
    "enableIPForwarding",
    "disableTcpStateTracking",
    "auxiliaryMode",
    "auxiliarySku",
    "networkSecurityGroup",
    "dnsSettings",
)
_CONFIGURATION_KEYS = (
    "privateIPAddress",
    "privateIPAllocationMethod",
    "privateIPAddressVersion",
    "subnet",
    "primary",
    "publicIPAddress",
    "applicationSecurityGroups",
    "applicationGatewayBackendAddressPools",
    "gatewayLoadBalancer",
    "loadBalancerBackendAddressPools",
    "loadBalancerInboundNatRules",
    "virtualNetworkTaps",
)
_LISTS_OF_REFERENCES = tuple(key for key in _CONFIGURATION_KEYS if key.endswith(("Pools", "Rules", "Taps", "Groups")))


def network_body(resources: HostResources, location: str, tags: Json, prefix: str, subnet_prefix: str) -> Json:
    """Return the shared network with its one subnet."""
    return {
        "location": location,
        "tags": tags,
        "properties": {
            "addressSpace": {"addressPrefixes": [prefix]},
            "subnets": [{"name": name_in(str(resources.subnet)), **subnet_body(subnet_prefix)}],
        },
    }


def subnet_body(prefix: str) -> Json:
    """Return a subnet whose hosts can download packages, those without a public address too.

    Said explicitly, because API versions after March 2026 take a missing value for false ("Default outbound access in
    Azure", learn.microsoft.com).
    """
    return {"properties": {"addressPrefix": prefix, "defaultOutboundAccess": True}}


def find_subnet(network: Json | None, subnet_id: str) -> Json | None:
    """Return a subnet of an existing network."""
    subnets = [entry for entry in properties_of(network).get("subnets") or [] if same_id(entry.get("id"), subnet_id)]
    return subnets[0] if subnets else None


def security_group_body(desired: HostSpec, location: str, tags: Json, current: Json | None) -> Json:
    """Return the security group with the collection's rules. Other rules stay unchanged."""
    rules = [
        {"name": rule["name"], "properties": picked(rule.get("properties") or {}, _RULE_KEYS)}
        for rule in _rules_of(current)
        if not is_own_rule(str(rule["name"]))
    ]
    ours = {str(rule["name"]).lower(): properties_of(rule) for rule in _rules_of(current)}
    taken = {int(rule["properties"]["priority"]) for rule in rules if rule["properties"].get("direction") == "Inbound"}
    for inbound in desired.inbound_rules:
        before = int((ours.get(inbound.name) or {}).get("priority") or 0)
        priority = before if before and before not in taken else _free(taken)
        taken.add(priority)
        rules.append({"name": inbound.name, "properties": rule_properties(inbound, priority)})
    return {"location": location, "tags": tags, "properties": {"securityRules": rules}}


def rule_properties(inbound: InboundRule, priority: int) -> Json:
    """Return the properties of the rule that opens a port."""
    properties: Json = {
        "protocol": inbound.protocol,
        "sourcePortRange": "*",
        "destinationPortRange": inbound.ports,
        "destinationAddressPrefix": "*",
        "access": "Allow",
        "direction": "Inbound",
        "priority": priority,
    }
    if any(source.startswith("/") for source in inbound.sources):
        properties["sourceApplicationSecurityGroups"] = [{"id": source} for source in inbound.sources]
    elif len(inbound.sources) == 1:
        properties["sourceAddressPrefix"] = inbound.sources[0]
    else:
        properties["sourceAddressPrefixes"] = list(inbound.sources)
    return properties


def compare_rules(differences: Differences, desired: HostSpec, current: Json | None) -> None:
    """Note how the collection's rules differ. Rules of others do not count."""
    ours = {str(rule["name"]).lower(): rule for rule in _rules_of(current) if is_own_rule(str(rule["name"]))}
    for inbound in desired.inbound_rules:
        rule = ours.pop(inbound.name, None)
        shown = shown_rule(rule_properties(inbound, 0))
        differences.compare(f"security_rules.{inbound.name}", shown_rule(properties_of(rule)) if rule else None, shown)
    for name, rule in ours.items():
        differences.add(f"security_rules.{name}", shown_rule(properties_of(rule)), None)


def _rules_of(group: Json | None) -> list[Json]:
    return t.cast("list[Json]", properties_of(group).get("securityRules") or [])


def shown_rule(properties: Json) -> str:
    """Return a rule as text: ``Allow Inbound Tcp 80 from Internet to *``."""
    sources = sources_in(properties)
    ports = [properties.get("destinationPortRange"), *(properties.get("destinationPortRanges") or [])]
    targets = [properties.get("destinationAddressPrefix"), *(properties.get("destinationAddressPrefixes") or [])]
    return (
        f"{properties.get('access')} {properties.get('direction')} {properties.get('protocol')}"
        f" {_joined(ports)} from {_joined(sources)} to {_joined(targets)}"
    )


def _joined(parts: t.Iterable[t.Any]) -> str:
    return ",".join(sorted(str(part) for part in parts if part))


def _free(taken: set[int]) -> int:
    return next(priority for priority in range(FIRST_PRIORITY, 4097) if priority not in taken)


def address_body(desired: HostSpec, resources: HostResources, location: str, tags: Json, current: Json | None) -> Json:
    """Return the public address: Standard and static, because Azure creates no other ones for new hosts."""
    properties = picked(properties_of(current), _ADDRESS_KEYS)
    properties.setdefault("publicIPAddressVersion", "IPv4")
    properties["publicIPAllocationMethod"] = "Static"
    if "publicIPPrefix" in properties:
        properties["publicIPPrefix"] = picked(properties["publicIPPrefix"], ("id",))
    dns = picked(properties.pop("dnsSettings", None) or {}, _DNS_KEYS)
    label = wanted_label(desired, resources, current)
    dns.pop("domainNameLabel", None)
    if label:
        dns["domainNameLabel"] = label
    if dns.get("domainNameLabel"):
        properties["dnsSettings"] = dns
    # The SKU of an existing address cannot change.
    sku = picked((current or {}).get("sku") or {}, ("name", "tier")) or {"name": "Standard"}
    body: Json = {"location": location, "tags": tags, "sku": sku, "properties": properties}
    zones = (current or {}).get("zones") or ([desired.zone] if desired.zone and not current else None)
    if zones:
        body["zones"] = zones
    return body


def wanted_label(desired: HostSpec, resources: HostResources, current: Json | None) -> str | None:
    """Return the desired DNS label of the address. The current one stays unless the options name another."""
    label = (properties_of(current).get("dnsSettings") or {}).get("domainNameLabel")
    if label and resources.dns_label and not desired.network.dns_label:
        return str(label)
    return resources.dns_label


def compare_address(differences: Differences, desired: HostSpec, resources: HostResources, current: Json) -> None:
    """Note how the public address differs."""
    dns = properties_of(current).get("dnsSettings") or {}
    differences.compare("dns_label", dns.get("domainNameLabel") or None, wanted_label(desired, resources, current))


def interface_body(
    desired: HostSpec, resources: HostResources, location: str, tags: Json, current: Json | None
) -> Json:
    """Return the interface in the subnet, behind the security group, with the public address."""
    properties = picked(properties_of(current), _INTERFACE_KEYS)
    if "networkSecurityGroup" in properties:
        properties["networkSecurityGroup"] = picked(properties["networkSecurityGroup"], ("id",))
    if "dnsSettings" in properties:
        properties["dnsSettings"] = picked(properties["dnsSettings"], ("dnsServers", "internalDnsNameLabel"))
    if resources.security_group:
        properties["networkSecurityGroup"] = {"id": resources.security_group}
    if desired.network.accelerated_networking is not None:
        properties["enableAcceleratedNetworking"] = desired.network.accelerated_networking
    properties["ipConfigurations"] = _configurations(desired, resources, current)
    return {"location": location, "tags": tags, "properties": properties}


def _configurations(desired: HostSpec, resources: HostResources, current: Json | None) -> list[Json]:
    configurations = properties_of(current).get("ipConfigurations") or []
    main = primary_ip_configuration(current) if configurations and current else {"name": "primary"}
    result: list[Json] = []
    for entry in configurations or [main]:
        properties = picked(entry.get("properties") or {}, _CONFIGURATION_KEYS)
        for reference in ("subnet", "publicIPAddress", "gatewayLoadBalancer"):
            if reference in properties:
                properties[reference] = picked(properties[reference], ("id",))
        for several in _LISTS_OF_REFERENCES:
            if several in properties:
                properties[several] = [picked(one, ("id",)) for one in properties[several]]
        if properties.get("privateIPAllocationMethod") == "Dynamic":
            properties.pop("privateIPAddress", None)
        if entry is main:
            _point(properties, desired, resources)
        result.append({"name": entry["name"], "properties": properties})
    return result


def _point(properties: Json, desired: HostSpec, resources: HostResources) -> None:
    """Give the primary configuration its subnet and addresses."""
    properties["primary"] = True
    if not same_id((properties.get("subnet") or {}).get("id"), resources.subnet):
        # An address of another subnet cannot stay.
        properties.pop("privateIPAddress", None)
        properties.pop("privateIPAllocationMethod", None)
    properties["subnet"] = {"id": resources.subnet}
    properties.setdefault("privateIPAllocationMethod", "Dynamic")
    if desired.network.private_ip_address:
        properties["privateIPAllocationMethod"] = "Static"
        properties["privateIPAddress"] = desired.network.private_ip_address
    elif "private_ip_address" in desired.reset:
        properties["privateIPAllocationMethod"] = "Dynamic"
        properties.pop("privateIPAddress", None)
    properties.pop("publicIPAddress", None)
    if resources.public_ip_address:
        option = "Detach" if resources.is_given("public_ip_address") else "Delete"
        properties["publicIPAddress"] = {"id": resources.public_ip_address, "properties": {"deleteOption": option}}


def compare_interface(differences: Differences, desired: HostSpec, resources: HostResources, current: Json) -> None:
    """Note how the interface differs in what can be changed in place."""
    properties = properties_of(current)
    main = properties_of(primary_ip_configuration(current))
    group = security_group_id(current)
    if not same_id(group, resources.security_group):
        differences.add("security_group", group, resources.security_group)
    address = public_ip_id(current)
    if not same_id(address, resources.public_ip_address):
        differences.add("public_ip_address", address, resources.public_ip_address)
    static = desired.network.private_ip_address
    if static or "private_ip_address" in desired.reset:
        before = main.get("privateIPAddress") if main.get("privateIPAllocationMethod") == "Static" else None
        differences.compare("private_ip_address", before, static)
    accelerated = desired.network.accelerated_networking
    if accelerated is not None:
        differences.compare(
            "enable_accelerated_networking", bool(properties.get("enableAcceleratedNetworking")), accelerated
        )
