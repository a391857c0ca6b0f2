# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a run lets more sources connect to a host than before, whatever the cause. Pure."""

from __future__ import annotations

import ipaddress
import typing as t

from ..._azure.resource_ids import same_id
from ..._azure.wire import Json, public_ip_id, security_group_id
from ..current.sources import is_new, sources_of
from ..current.state import HostState
from ..desired.host_spec import HostSpec
from ..desired.inbound_rules import DOCKER_RULE, SSH_RULE, InboundRule, is_everybody
from ..desired.topology import HostResources

_PORTS = {DOCKER_RULE: "the Docker port", SSH_RULE: "the SSH port"}
_OPTIONS = {DOCKER_RULE: "allowed_sources", SSH_RULE: "ssh_allowed_sources"}


def widened_access(desired: HostSpec, resources: HostResources, current: HostState) -> list[str]:
    """Return one sentence for each port of an existing host that more sources can reach after the run.

    A further port (O(open_ports)) counts if it was open to others before; the user names it to open it.
    """
    if resources.is_given("security_group") or resources.is_given("network_interface"):
        return []
    if not current.virtual_machine and not current.security_group:
        return []
    group = _group_in_force(resources, current)
    lines = [line for line in (_widened_rule(desired, rule, group) for rule in desired.inbound_rules) if line]
    if lines or not _gets_address(resources, current):
        return lines
    opened = [rule for rule in desired.inbound_rules if rule.name == DOCKER_RULE]
    return [
        f"{desired.name} gets a public IP address, through which {', '.join(rule.sources)} can connect to the Docker"
        f" port {rule.ports} after this run."
        for rule in opened
    ]


def notes_on_access(desired: HostSpec, resources: HostResources, current: HostState) -> list[str]:
    """Return the warnings about access that a run widens, or that a blank option opens to the internet."""
    notes = widened_access(desired, resources, current)
    controlled = resources.security_group and not resources.is_given("security_group")
    is_blank = "allowed_sources" in desired.ports.kept & desired.explicit
    if is_blank and controlled and is_new(current):
        notes.append(
            f"O(allowed_sources) is blank, so the Docker port {desired.docker_port} of the new host {desired.name} is"
            " open to the internet, protected by mutual TLS alone. Set it to the networks of your clients."
        )
    return notes


def _group_in_force(resources: HostResources, current: HostState) -> Json | None:
    """Return the host's own security group, None if the network interface does not use it yet."""
    interface = current.network_interface
    used = security_group_id(interface)
    return None if interface and not same_id(used, resources.security_group) else current.security_group


def _widened_rule(desired: HostSpec, rule: InboundRule, group: Json | None) -> str | None:
    before = sources_of(group, rule.name)
    if rule.name not in _PORTS and not before:
        return None
    added = [source for source in rule.sources if not is_covered(source, before)]
    if not added:
        return None
    port = _PORTS.get(rule.name, "port")
    return (
        f"More sources can connect to {port} {rule.ports} of {desired.name} after this run: {', '.join(added)};"
        f" until now {', '.join(before) or 'nobody'}."
    )


def is_covered(source: str, before: t.Sequence[str]) -> bool:
    """Return whether sources contain another one. The addresses behind service tags are unknown."""
    if source.lower() in (other.lower() for other in before) or "*" in before:
        return True
    network = _network(source)
    if any(map(is_everybody, before)):
        return network is not None or is_everybody(source)
    if network is None:
        return False
    known = [other for other in map(_network, before) if other]
    return any(network.subnet_of(other) for other in ipaddress.collapse_addresses(known))


def _network(source: str) -> ipaddress.IPv4Network | None:
    try:
        return ipaddress.IPv4Network(source)
    except ValueError:
        return None


def _gets_address(resources: HostResources, current: HostState) -> bool:
    interface = current.network_interface
    return bool(resources.public_ip_address and interface and not public_ip_id(interface))
