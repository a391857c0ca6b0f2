# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Security rules and public addresses of one virtual network, as a packet filter for nftables.

The filter stands in the network's own namespace, in front of the guests: a connection is looked at when it leaves the
sender and when it reaches the receiver, by the rules of each; answers follow by connection tracking. Guests are told
apart by interface, so the service tags need no list of addresses: what goes through :data:`UPLINK` is ``Internet``,
what stays between guests is ``VirtualNetwork``. Pure text, no effect of its own.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from azure_emulator.machines.base import Rule

UPLINK = "wan"
#: Guests' interfaces in the network's namespace are called so, with a number.
GUEST_PREFIX = "v"
#: Where Azure's load balancer probes and its platform services come from.
AZURE_PLATFORM = "168.63.129.16"

_EVERY_PORT = (("*",), ("0-65535",))


@dataclass(frozen=True)
class Port:
    """Where one guest's interface meets the network.

    :param device: the interface in the network's namespace.
    :param rules: effective security rules; without any, everything inside the network and outwards is allowed.
    """

    device: str
    private_address: str
    public_address: str | None
    rules: tuple[Rule, ...]


def ruleset(ports: Sequence[Port], hidden_address: str) -> str:
    """Return the whole packet filter, to be loaded in one transaction with ``nft -f``.

    :param hidden_address: the address that guests without a public one have outside their network.
    """
    lines = ["table ip azure", "delete table ip azure", "table ip azure {"]
    lines += _translation(ports, hidden_address)
    lines += ["  chain forward {", "    type filter hook forward priority 0; policy drop;"]
    for port in ports:
        lines.append(f'    iifname "{port.device}" ip saddr != {port.private_address} drop')
    lines += ["    ct state established,related accept", "    ct state invalid drop"]
    lines += [f'    iifname "{port.device}" jump out_{port.device}' for port in ports]
    lines += [f'    oifname "{port.device}" jump in_{port.device}' for port in ports]
    lines += [f'    iifname "{GUEST_PREFIX}*" oifname "{UPLINK}" accept', "  }"]
    # The router itself: Azure's own services, which know a guest by its address.
    lines += ["  chain input {", "    type filter hook input priority 0; policy accept;"]
    # A guest that asks for its address by DHCP has none yet.
    lines.append(f'    iifname "{GUEST_PREFIX}*" ip saddr 0.0.0.0 udp sport 68 udp dport 67 accept')
    lines += [f'    iifname "{port.device}" ip saddr != {port.private_address} drop' for port in ports]
    lines.append("  }")
    for port in ports:
        lines += _chain(f"out_{port.device}", _directed(port.rules, "Outbound"), "return")
        lines += _chain(f"in_{port.device}", _directed(port.rules, "Inbound"), "accept")
    return "\n".join([*lines, "}"]) + "\n"


def _translation(ports: Sequence[Port], hidden_address: str) -> list[str]:
    public = [(port.public_address, port.private_address) for port in ports if port.public_address]
    inward = ", ".join(f"{outer} : {inner}" for outer, inner in public)
    outward = ", ".join(f"{inner} : {outer}" for outer, inner in public)
    lines = ["  chain prerouting {", "    type nat hook prerouting priority -100;"]
    if public:
        lines.append(f'    iifname "{UPLINK}" dnat to ip daddr map {{ {inward} }}')
    lines += ["  }", "  chain postrouting {", "    type nat hook postrouting priority 100;"]
    if public:
        lines.append(f'    oifname "{UPLINK}" snat to ip saddr map {{ {outward} }}')
    return [*lines, f'    oifname "{UPLINK}" snat to {hidden_address}', "  }"]


def _directed(rules: Iterable[Rule], direction: str) -> list[Rule]:
    every = list(rules)
    if not every:
        every = [
            Rule(65000, "Inbound", "Allow", "*", ("VirtualNetwork",), ("VirtualNetwork",)),
            Rule(65000, "Outbound", "Allow", "*", ("*",), ("*",)),
        ]
    return sorted((rule for rule in every if rule.direction == direction), key=lambda rule: rule.priority)


def _chain(name: str, rules: Iterable[Rule], allowed: str) -> list[str]:
    lines = [f"  chain {name} {{"]
    for rule in rules:
        verdict = allowed if rule.access == "Allow" else "drop"
        lines += [f"    {match}{verdict}" for match in _matches(rule)]
    return [*lines, "    drop", "  }"]


def _matches(rule: Rule) -> list[str]:
    """Return one rule as nft matches, any of which decides; none when it can match nothing here."""
    inbound = rule.direction == "Inbound"
    sources = _prefixes(rule.sources, "saddr", 'iifname "{}"' if inbound else None)
    destinations = _prefixes(rule.destinations, "daddr", None if inbound else 'oifname "{}"')
    return [
        source + destination + protocol
        for source in sources
        for destination in destinations
        for protocol in _protocols(rule)
    ]


def _prefixes(prefixes: Sequence[str], side: str, interface: str | None) -> list[str]:
    """Matches for prefixes and tags.

    :param interface: how to match the far side's interface; None when this is the guest's own side, where its address
        belongs to VirtualNetwork and never to Internet.
    """
    found, networks = [], []
    for prefix in prefixes:
        tag = prefix.lower()
        if tag in ("*", "any", "0.0.0.0/0"):
            return [""]
        if tag == "internet" and interface:
            found.append(interface.format(UPLINK) + f" ip {side} != {AZURE_PLATFORM} ")
        elif tag == "virtualnetwork":
            found.append(interface.format(GUEST_PREFIX + "*") + " " if interface else "")
        elif tag == "azureloadbalancer":
            networks.append(AZURE_PLATFORM)
        elif _is_ipv4(prefix):
            networks.append(str(ipaddress.IPv4Network(prefix, strict=False)))
    if networks:
        merged = ipaddress.collapse_addresses(ipaddress.IPv4Network(network) for network in networks)
        found.append(f"ip {side} {{ {', '.join(map(str, merged))} }} ")
    return found


def _is_ipv4(prefix: str) -> bool:
    try:
        ipaddress.IPv4Network(prefix, strict=False)
    except ValueError:
        return False
    return True


def _protocols(rule: Rule) -> list[str]:
    source, target = _ports(rule.source_ports), _ports(rule.ports)
    if rule.protocol in ("Tcp", "Udp"):
        name = rule.protocol.lower()
        ports = (f"{name} sport {source} " if source else "") + (f"{name} dport {target} " if target else "")
        return [ports or f"meta l4proto {name} "]
    if rule.protocol in ("Icmp", "Esp", "Ah"):
        return [f"meta l4proto {rule.protocol.lower()} "]
    if not source and not target:
        return [""]
    both = (f"th sport {source} " if source else "") + (f"th dport {target} " if target else "")
    return ["meta l4proto { tcp, udp } " + both]


def _ports(ports: Sequence[str]) -> str:
    """Return a set of ports as nft writes it; empty for all."""
    if "*" in ports or tuple(ports) in _EVERY_PORT:
        return ""
    return "{ " + ", ".join(port.replace(" ", "") for port in ports) + " }"
