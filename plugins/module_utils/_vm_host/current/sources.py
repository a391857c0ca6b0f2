# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The sources that may connect to an existing host, where a survey left the option blank."""

from __future__ import annotations

from ..._azure.wire import Json, properties_of
from ..desired.host_spec import HostSpec
from ..desired.inbound_rules import DOCKER_RULE, SSH_RULE
from .state import HostState

RULES = {"allowed_sources": DOCKER_RULE, "ssh_allowed_sources": SSH_RULE}
"""By option, the name of the security rule that it decides."""


def with_current_sources(desired: HostSpec, current: HostState) -> HostSpec:
    """Return the host with the sources of its security rules, where the options are blank.

    A new host has the defaults. An existing host without a rule keeps the port closed.
    """
    kept = desired.ports.kept
    if is_new(current) or not kept:
        return desired
    sources = {option: sources_of(current.security_group, RULES[option]) for option in kept}
    return desired.with_sources(
        sources.get("allowed_sources", desired.ports.allowed_sources),
        sources.get("ssh_allowed_sources", desired.ports.ssh_allowed_sources),
    )


def is_new(current: HostState) -> bool:
    """Return whether neither the VM nor rules for it exist, so that blank sources mean the defaults."""
    rules = (sources_of(current.security_group, name) for name in RULES.values())
    return not current.virtual_machine and not any(rules)


def sources_of(group: Json | None, rule_name: str) -> tuple[str, ...]:
    """Return the sources that a rule of a security group lets in; empty if there is no such rule, or if it denies."""
    for rule in properties_of(group).get("securityRules") or []:
        properties = properties_of(rule)
        if str(rule.get("name")).lower() != rule_name:
            continue
        if (properties.get("access"), properties.get("direction")) != ("Allow", "Inbound"):
            return ()
        several = [properties.get("sourceAddressPrefix"), *(properties.get("sourceAddressPrefixes") or [])]
        return tuple(str(source) for source in several if source)
    return ()
