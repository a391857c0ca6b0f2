# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Existing resources that the options name: they must exist and fit, and are never changed. Pure."""

from __future__ import annotations

import typing as t

from ..._azure.resource_ids import name_in, normalize_location, same_id, subscription_in
from ..._azure.wire import Json, dig, properties_of
from ..._errors import OptionError
from ..bodies import network
from ..current.reader import READABLE
from ..current.state import HostState
from ..desired.host_spec import HostSpec
from ..desired.inbound_rules import is_everybody
from ..desired.topology import HostResources


def check_existing_resources(desired: HostSpec, resources: HostResources, current: HostState, location: str) -> None:
    """Refuse resources that do not exist, are elsewhere, or are in use by others.

    :param location: the current or future location of the host.
    :raises OptionError: the option that names it, and what is wrong with it.
    """
    for kind in sorted(resources.given):
        if kind != "virtual_network" or current.virtual_network or not current.complete:
            _check_place(kind, resources, getattr(current, kind), location)
    if resources.is_given("virtual_network") and current.virtual_network:
        _check_subnet(resources, current.virtual_network)
    if resources.is_given("network_interface"):
        _check_interface(resources, current)
    if resources.is_given("public_ip_address"):
        _check_address(desired, resources, current)


def _check_interface(resources: HostResources, current: HostState) -> None:
    user = dig(current.network_interface, "properties", "virtualMachine", "id")
    if user and not same_id(user, resources.virtual_machine):
        raise OptionError("network_interface", f"{resources.network_interface} is in use by {user}.")


def _check_place(kind: str, resources: HostResources, resource: Json | None, location: str) -> None:
    if resource is None:
        raise OptionError(kind, f"{getattr(resources, kind)} does not exist, or may not be read: use an existing one")
    place = normalize_location(resource.get("location") or location)
    if place != location:
        raise OptionError(
            kind, f"{resource['id']} is in {place}, the host would be in {location}: both must be in one location."
        )


def _check_subnet(resources: HostResources, given: Json) -> None:
    if not network.find_subnet(given, str(resources.subnet)):
        names = ", ".join(str(entry.get("name")) for entry in properties_of(given).get("subnets") or [])
        name = name_in(str(resources.subnet))
        raise OptionError("subnet_name", f"{given['id']} has no subnet {name}, only: {names or 'none'}.")


def _check_address(desired: HostSpec, resources: HostResources, current: HostState) -> None:
    address, option = t.cast("Json", current.public_ip_address), "public_ip_address"
    properties = properties_of(address)
    user = str((properties.get("ipConfiguration") or {}).get("id") or "")
    if user.lower().startswith(f"{resources.network_interface.lower()}/"):
        # The host uses it already.
        return
    if user:
        raise OptionError(option, f"{resources.public_ip_address} is in use by {user}.")
    # Azure's IPVersionForPublicIpAndNicIpConfigurationMustMatch (ansible-collections/azure#582).
    if properties.get("publicIPAddressVersion") == "IPv6":
        raise OptionError(option, f"{resources.public_ip_address} is an IPv6 address; the hosts have IPv4 addresses.")
    # "Upgrade to Standard SKU public IP addresses" (learn.microsoft.com): Basic was retired on 30 September 2025.
    if (address.get("sku") or {}).get("name") == "Basic":
        raise OptionError(
            option, f"{resources.public_ip_address} has the SKU Basic, which Azure has retired: upgrade it to Standard."
        )
    _check_zone(desired, current, address)


def _check_zone(desired: HostSpec, current: HostState, address: Json) -> None:
    """Check what Azure refuses with ComputeResourceZoneConstraintDoesNotMatchPublicIPAddressZoneConstraint.

    The name of the error is from fortinet/azure-templates#43. An address without zones is left to Azure: whether it
    counts as one of all zones differs by region and age.
    """
    zone = next(iter((current.virtual_machine or {}).get("zones") or [desired.zone]), None)
    zones = address.get("zones") or []
    if zone and zones and zone not in zones:
        shown = ", ".join(zones)
        raise OptionError(
            "public_ip_address", f"{address['id']} is in zone {shown}, the host in zone {zone}: both must be in one."
        )


def notes_on_existing_resources(desired: HostSpec, resources: HostResources, current: HostState) -> list[str]:
    """Return warnings about the existing resources that the options name."""
    notes = []
    if resources.is_given("security_group"):
        notes += _notes_on_rules(str(resources.security_group), current.security_group, desired.docker_port)
    for kind in sorted(resources.given):
        path = str(getattr(resources, kind))
        if subscription_in(path).lower() != resources.names.subscription_id.lower() and not current.virtual_machine:
            # "Create, change, or delete a network interface" (learn.microsoft.com).
            notes.append(
                f"The {READABLE[kind]} {path} is in another subscription than the host, but Azure documents one"
                " subscription for an interface, what it refers to, and its VM."
            )
    return notes


def _notes_on_rules(path: str, group: Json | None, port: int) -> list[str]:
    reached = reach(group, port)
    if reached is None:
        return []
    words = {
        "anybody": f"it allows port {port} from anywhere, so that mutual TLS alone protects the engine",
        "nobody": f"none of its rules allows port {port}",
    }
    return [f"The security group {name_in(path)} is your own and does not change: {words[reached]}."]


def reach(group: Json | None, port: int) -> t.Literal["anybody", "nobody"] | None:
    """Return whether a security group's own rules let anybody reach a TCP port, or nobody; None for some.

    "Network security groups" (learn.microsoft.com): the rule with the lowest priority number that matches decides.
    """
    inbound = [properties_of(rule) for rule in properties_of(group).get("securityRules") or []]
    inbound = [rule for rule in inbound if rule.get("direction") == "Inbound" and _is_about(rule, port)]
    some = False
    for rule in sorted(inbound, key=lambda rule: int(rule.get("priority") or 0)):
        everybody = any(map(is_everybody, _values(rule, "sourceAddressPrefix", "sourceAddressPrefixes")))
        if rule.get("access") == "Allow" and everybody:
            return "anybody"
        if everybody:
            break
        some = some or rule.get("access") == "Allow"
    return None if some else "nobody"


def _is_about(rule: Json, port: int) -> bool:
    ports = _values(rule, "destinationPortRange", "destinationPortRanges")
    return str(rule.get("protocol")).lower() in ("*", "tcp") and any(_holds(text, port) for text in ports)


def _values(rule: Json, one: str, many: str) -> list[str]:
    return [str(value) for value in (rule.get(one), *(rule.get(many) or [])) if value]


def _holds(text: str, port: int) -> bool:
    first, _dash, last = text.partition("-")
    if text == "*":
        return True
    return first.isdigit() and int(first) <= port <= int(last or first)
