# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rules of others in a host's own security group, which stay and may contradict the collection's. Pure."""

from __future__ import annotations

import ipaddress
import typing as t

from ..._azure.wire import Json, private_ip, properties_of
from ..bodies.network import security_group_body
from ..current.state import HostState
from ..desired.host_spec import HostSpec
from ..desired.inbound_rules import (
    DOCKER_RULE,
    SSH_RULE,
    InboundRule,
    every_rule,
    is_everybody,
    is_own_rule,
    sources_in,
)
from ..desired.topology import HostResources
from .access import is_covered

_PORTS = {DOCKER_RULE: "the Docker port", SSH_RULE: "the SSH port"}
# The sources of the default rules of every security group.
_LET_IN_BY_AZURE = ("VirtualNetwork", "AzureLoadBalancer")
_ANY_DESTINATION = ("*", "any", "virtualnetwork")


def notes_on_foreign_rules(desired: HostSpec, resources: HostResources, current: HostState) -> list[str]:
    """Return a warning for each rule of others that makes a rule of the host ineffective, or lets in more than it.

    "Network security groups" (learn.microsoft.com): the rule with the lowest priority number that matches decides.
    """
    group = current.security_group
    if not group or resources.is_given("security_group") or resources.is_given("network_interface"):
        return []
    address = private_ip(current.network_interface)
    planned = properties_of(security_group_body(desired, "", {}, group))["securityRules"]
    own = {str(rule["name"]).lower(): int(properties_of(rule)["priority"]) for rule in planned}
    theirs = [
        rule for rule in planned if not is_own_rule(str(rule["name"])) and _may_decide(properties_of(rule), address)
    ]
    theirs.sort(key=lambda rule: int(properties_of(rule)["priority"]))
    name = str(group.get("name"))
    notes: list[str] = []
    for inbound in every_rule(desired.ports):
        notes += _notes_on_rule(name, inbound, own.get(inbound.name), theirs)
    return notes


def _notes_on_rule(group: str, inbound: InboundRule, priority: int | None, theirs: t.Sequence[Json]) -> t.Iterator[str]:
    """Yield the notes on one port.

    :param priority: that of the host's own rule, None if the port is closed.
    :param theirs: the rules of others in the order in which Azure applies them.
    """
    port = f"{_PORTS.get(inbound.name, 'port')} {inbound.ports}"
    for rule in theirs:
        properties, sources = properties_of(rule), sources_in(properties_of(rule))
        shown = f"The rule {rule['name']} of the security group {group}, which this collection did not create,"
        if not _is_about(properties, inbound):
            continue
        if properties.get("access") == "Deny":
            number = int(properties["priority"])
            if priority and number < priority and all(is_covered(source, sources) for source in inbound.sources):
                yield (
                    f"{shown} denies access to {port} with the priority {number}, so that the rule {inbound.name}"
                    f" has no effect. Delete it, or give it a priority above {priority}."
                )
            if any(map(is_everybody, sources)):
                return
        elif inbound.name in _PORTS:
            more = [source for source in sources if not is_covered(source, (*inbound.sources, *_LET_IN_BY_AZURE))]
            if more:
                yield f"{shown} also lets {', '.join(more)} connect to {port}."


def _may_decide(properties: Json, address: str | None) -> bool:
    """Return whether a rule is about all inbound traffic of the host to some ports."""
    return (
        properties.get("direction") == "Inbound"
        and "*" in _values(properties, "sourcePort")
        and any(_is_to(text, address) for text in _values(properties, "destinationAddress", "Prefix", "Prefixes"))
    )


def _is_to(destination: str, address: str | None) -> bool:
    if destination.lower() in _ANY_DESTINATION:
        return True
    try:
        network = ipaddress.IPv4Network(destination)
    except ValueError:
        return False
    return not network.prefixlen or (address is not None and ipaddress.IPv4Address(address) in network)


def _is_about(properties: Json, inbound: InboundRule) -> bool:
    """Return whether a rule applies to all ports of another one."""
    if str(properties.get("protocol")).lower() not in ("*", inbound.protocol.lower()):
        return False
    return any(_contains(text, inbound.ports) for text in _values(properties, "destinationPort"))


def _values(properties: Json, start: str, one: str = "Range", many: str = "Ranges") -> list[str]:
    return [str(value) for value in (properties.get(start + one), *(properties.get(start + many) or [])) if value]


def _contains(text: str, ports: str) -> bool:
    (first, last), (own_first, own_last) = _ends(text), _ends(ports)
    return first <= own_first and own_last <= last


def _ends(text: str) -> tuple[int, int]:
    first, _dash, last = text.partition("-")
    return (0, 65535) if text == "*" else (int(first), int(last or first))
