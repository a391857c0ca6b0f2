# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the user named instead of having it made: it must exist, fit, and is never changed. Private. Pure."""

from __future__ import annotations

import ipaddress
import typing as t

from .._errors import OptionError
from . import network
from .facts import READABLE, Facts, Json
from .layout import Layout
from .names import name_in, same_id, subscription_in
from .wanted import Wanted


def check_given(wanted: Wanted, layout: Layout, facts: Facts, location: str) -> None:
    """Refuse what does not exist, is elsewhere, or is in use by others.

    :param location: where the host is, or is to be.
    :raises OptionError: the option that names it, and what is wrong with it.
    """
    for kind in sorted(layout.given):
        if kind == "virtual_network" and facts.complete:
            continue
        resource = getattr(facts, kind)
        if resource is None:
            raise OptionError(kind, f"{getattr(layout, kind)} does not exist, or may not be read.")
        place = str(resource.get("location") or location).replace(" ", "").lower()
        if place != location:
            raise OptionError(
                kind, f"{resource['id']} is in {place}, the host would be in {location}: both must be in one location."
            )
    if layout.is_given("virtual_network") and not facts.complete:
        _check_subnet(wanted, layout, t.cast("Json", facts.virtual_network))
    if layout.is_given("network_interface"):
        user = (network.properties_of(facts.network_interface).get("virtualMachine") or {}).get("id")
        if user and not same_id(user, layout.virtual_machine):
            raise OptionError("network_interface", f"{layout.network_interface} is in use by {user}.")
    if layout.is_given("public_ip_address"):
        user = str((network.properties_of(facts.public_ip_address).get("ipConfiguration") or {}).get("id") or "")
        if user and not user.lower().startswith(f"{layout.network_interface.lower()}/"):
            raise OptionError("public_ip_address", f"{layout.public_ip_address} is in use by {user}.")


def _check_subnet(wanted: Wanted, layout: Layout, given: Json) -> None:
    subnet = network.find_subnet(given, str(layout.subnet))
    if not subnet:
        names = ", ".join(str(entry.get("name")) for entry in network.properties_of(given).get("subnets") or [])
        name = name_in(str(layout.subnet))
        raise OptionError("subnet_name", f"{given['id']} has no subnet {name}, only: {names or 'none'}.")
    asked = wanted.params["private_ip_address"]
    properties = network.properties_of(subnet)
    prefixes = properties.get("addressPrefixes") or [properties.get("addressPrefix")]
    networks = [ipaddress.ip_network(text) for text in prefixes if text]
    if asked and networks and not any(_is_free(ipaddress.ip_address(asked), one) for one in networks):
        shown = ", ".join(str(one) for one in networks)
        raise OptionError(
            "private_ip_address",
            f"{asked} is not free for use in {shown}, whose first four addresses and last are Azure's own.",
        )


def _is_free(address: t.Any, one: t.Any) -> bool:
    # "Virtual network FAQ" (learn.microsoft.com): Azure keeps the first four addresses and the last.
    place = int(address) - int(one.network_address)
    return address in one and 4 <= place < one.num_addresses - 1


def notes_on_given(wanted: Wanted, layout: Layout, facts: Facts) -> list[str]:
    """What the user should know of what was given."""
    notes = []
    if layout.is_given("security_group") and not _lets_in(facts.security_group, wanted.docker_port):
        notes.append(
            f"The security group {name_in(str(layout.security_group))} was given and is left alone: no rule in it lets"
            f" port {wanted.docker_port} in."
        )
    for kind in sorted(layout.given):
        path = str(getattr(layout, kind))
        if subscription_in(path).lower() != layout.names.subscription_id.lower() and not facts.virtual_machine:
            # "Create, change, or delete a network interface" (learn.microsoft.com).
            notes.append(
                f"The {READABLE[kind]} {path} is in another subscription than the host: as documented, Azure wants an"
                " interface, what it refers to, and its VM in one."
            )
    return notes


def _lets_in(group: Json | None, port: int) -> bool:
    """Tell whether a security group has a rule that may let the docker port in."""
    for rule in network.properties_of(group).get("securityRules") or []:
        properties = rule.get("properties") or {}
        ports = [properties.get("destinationPortRange"), *(properties.get("destinationPortRanges") or [])]
        inbound = properties.get("direction") == "Inbound" and properties.get("access") == "Allow"
        if inbound and any(_holds(str(text), port) for text in ports if text):
            return True
    return False


def _holds(text: str, port: int) -> bool:
    first, _dash, last = text.partition("-")
    if text == "*":
        return True
    return first.isdigit() and int(first) <= port <= int(last or first)
