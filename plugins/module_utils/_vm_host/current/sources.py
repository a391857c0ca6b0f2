# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rules of an existing host's security group, which it keeps where the options are left out."""

from __future__ import annotations

import typing as t
from dataclasses import replace

from ..._azure.tags import is_from_collection
from ..._azure.wire import Json, properties_of
from ..desired.host_spec import HostSpec
from ..desired.inbound_rules import DOCKER_RULE, SSH_RULE, InboundRule, open_rule, sources_in
from .state import HostState

RULES = {"allowed_sources": DOCKER_RULE, "ssh_allowed_sources": SSH_RULE}
"""By option, the name of the security rule that it decides."""


def with_current_sources(desired: HostSpec, current: HostState) -> HostSpec:
    """Return the host with the sources and the open ports of its security rules, where the options are left out.

    A new host has the defaults, and so has one whose security group is missing or has no rule of this collection
    because others made it. Blank sources, as a survey sends them, never open a port of an existing host: without a
    rule it stays closed.
    """
    group = current.security_group
    is_made_here = is_from_collection(group) or any(sources_of(group, rule) for rule in RULES.values())
    kept = desired.ports.kept if is_made_here else desired.ports.kept & desired.explicit
    if not desired.creates or is_new(current) or not kept:
        return desired
    rules: dict[str, t.Any] = {option: sources_of(group, rule) for option, rule in RULES.items()}
    rules["open_ports"] = tuple(_open_rules(group))
    return replace(desired, ports=replace(desired.ports, **{option: rules[option] for option in kept}))


def _open_rules(group: Json | None) -> t.Iterator[InboundRule]:
    """Yield the rules that earlier runs created for ``open_ports``."""
    for rule in properties_of(group).get("securityRules") or []:
        name = str(rule.get("name"))
        opened = open_rule(name, sources_of(group, name.lower()))
        if opened:
            yield opened


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
        return sources_in(properties)
    return ()
