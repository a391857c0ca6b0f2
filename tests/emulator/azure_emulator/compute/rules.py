# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The effective security rules of an interface, as one list."""

from __future__ import annotations

import ipaddress
import typing as t

from ..arm.resource import Json, Resource
from ..machines.base import Rule
from ..network import rule_values
from ..network.names import PUBLIC_IP, RULE
from ..network.nsgs import default_rules

if t.TYPE_CHECKING:
    from ..cloud import Cloud

DIRECTIONS: tuple[t.Literal["Inbound", "Outbound"], ...] = ("Inbound", "Outbound")
TAGS = ("Internet", "VirtualNetwork", "AzureLoadBalancer")


def effective_rules(cloud: Cloud, nic: Resource) -> tuple[Rule, ...]:
    """Return what the groups of the interface and of its subnet both allow."""
    subnet = cloud.store.get(nic.properties["ipConfigurations"][0]["properties"]["subnet"]["id"])
    groups = [_group(cloud, holder) for holder in (subnet, nic) if holder is not None]
    lists = [_rules(cloud, group) for group in groups if group is not None]
    if not lists:
        return tuple(_without_group(cloud, nic))
    if len(lists) == 1:
        return tuple(lists[0])
    spaces = _spaces(cloud, subnet)
    return tuple(_both(lists[0], lists[1], spaces))


def _group(cloud: Cloud, holder: Resource) -> Resource | None:
    return cloud.store.get((holder.properties.get("networkSecurityGroup") or {}).get("id", ""))


def _rules(cloud: Cloud, group: Resource) -> list[Rule]:
    rules = cloud.store.children(group.id, RULE)
    made = [rule.properties for rule in rules if rule.provisioning_state != "Deleting"]
    return [_rule(item) for item in sorted([*made, *default_rules()], key=lambda item: int(item["priority"]))]


def _rule(item: Json) -> Rule:
    protocol = str(item["protocol"]).capitalize()
    return Rule(
        priority=item["priority"],
        direction=item["direction"],
        access=item["access"],
        protocol=t.cast(t.Literal["*", "Tcp", "Udp", "Icmp", "Esp", "Ah"], protocol),
        sources=_prefixes(item, "sourceAddressPrefix", "sourceAddressPrefixes"),
        destinations=_prefixes(item, "destinationAddressPrefix", "destinationAddressPrefixes"),
        source_ports=_many(item, "sourcePortRange", "sourcePortRanges"),
        ports=_many(item, "destinationPortRange", "destinationPortRanges"),
    )


def _many(item: Json, one: str, many: str) -> tuple[str, ...]:
    values = item.get(many) or ([item[one]] if item.get(one) else ["*"])
    return tuple("*" if value in ("0.0.0.0/0", "Any") else value for value in values)


def _prefixes(item: Json, one: str, many: str) -> tuple[str, ...]:
    """Prefixes, with an address in place of a bare integer."""
    found = _many(item, one, many)
    return tuple(str(rule_values.network_of(value)) if value.isdigit() else value for value in found)


def _without_group(cloud: Cloud, nic: Resource) -> list[Rule]:
    """Without a group all is open, except that a Standard public address lets nothing in from outside."""
    everything = ("*",)
    rules = [Rule(65000, d, "Allow", "*", ("VirtualNetwork",), everything) for d in DIRECTIONS[:1]]
    standard = False
    for item in nic.properties["ipConfigurations"]:
        address = cloud.store.get((item["properties"].get("publicIPAddress") or {}).get("id", ""))
        if address is not None and address.type == PUBLIC_IP:
            standard = standard or address.top["sku"]["name"] == "Standard"
    if standard:
        rules.append(Rule(65500, "Inbound", "Deny", "*", everything, everything))
    else:
        rules.append(Rule(65500, "Inbound", "Allow", "*", everything, everything))
    rules.append(Rule(65500, "Outbound", "Allow", "*", everything, everything))
    return rules


Networks = list[ipaddress.IPv4Network | ipaddress.IPv6Network]


def _spaces(cloud: Cloud, subnet: Resource | None) -> Networks:
    network = cloud.store.get(subnet.container) if subnet is not None else None
    if network is None:
        return []
    return [ipaddress.ip_network(text) for text in network.properties["addressSpace"]["addressPrefixes"]]


def _both(first: list[Rule], second: list[Rule], spaces: Networks) -> list[Rule]:
    """Two lists as one: of the pairs of rules, in order, the first that matches is the pair of first matches."""
    combined: list[Rule] = []
    for direction in DIRECTIONS:
        for a in [rule for rule in first if rule.direction == direction]:
            for b in [rule for rule in second if rule.direction == direction]:
                pair = _pair(a, b, spaces, len(combined) + 1)
                if pair is not None:
                    combined.append(pair)
    return combined


def _pair(a: Rule, b: Rule, spaces: Networks, priority: int) -> Rule | None:
    protocol = b.protocol if a.protocol == "*" else a.protocol
    if "*" not in (a.protocol, b.protocol) and a.protocol != b.protocol:
        return None
    sources = _common_prefixes(a.sources, b.sources, spaces)
    destinations = _common_prefixes(a.destinations, b.destinations, spaces)
    source_ports, ports = _common_ports(a.source_ports, b.source_ports), _common_ports(a.ports, b.ports)
    if not (sources and destinations and source_ports and ports):
        return None
    access: t.Literal["Allow", "Deny"] = "Allow" if a.access == b.access == "Allow" else "Deny"
    return Rule(priority, a.direction, access, protocol, sources, destinations, source_ports, ports)


def _common_prefixes(a: tuple[str, ...], b: tuple[str, ...], spaces: Networks) -> tuple[str, ...]:
    found = [_common_prefix(x, y, spaces) for x in a for y in b]
    return tuple(dict.fromkeys(prefix for prefix in found if prefix is not None))


def _common_prefix(x: str, y: str, spaces: Networks) -> str | None:
    if x == "*" or x == y:
        return y
    if y == "*":
        return x
    if x in TAGS and y in TAGS:
        return None
    if x in TAGS or y in TAGS:
        tag, prefix = (x, y) if x in TAGS else (y, x)
        return prefix if tag == _tag_of(prefix, spaces) else None
    try:
        one, two = ipaddress.ip_network(x, strict=False), ipaddress.ip_network(y, strict=False)
    except ValueError:
        return None
    if one.version != two.version or not one.overlaps(two):
        return None
    return str(one if one.prefixlen >= two.prefixlen else two)


def _tag_of(prefix: str, spaces: Networks) -> str:
    network = ipaddress.ip_network(prefix, strict=False)
    inside = any(network.version == space.version and network.overlaps(space) for space in spaces)
    return "VirtualNetwork" if inside else "Internet"


def _common_ports(a: tuple[str, ...], b: tuple[str, ...]) -> tuple[str, ...]:
    found = []
    for x in a:
        for y in b:
            low = max(_bounds(x)[0], _bounds(y)[0])
            high = min(_bounds(x)[1], _bounds(y)[1])
            if low <= high:
                found.append("*" if (low, high) == (0, 65535) else str(low) if low == high else f"{low}-{high}")
    return tuple(dict.fromkeys(found))


def _bounds(ports: str) -> tuple[int, int]:
    if ports == "*":
        return 0, 65535
    low, _unused, high = ports.partition("-")
    return int(low), int(high or low)
