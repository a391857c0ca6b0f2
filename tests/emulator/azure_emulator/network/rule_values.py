# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The values in a security rule: address prefixes, service tags, ports."""

from __future__ import annotations

import ipaddress
import itertools
import re

from ..errors import Json, network_error

TAG = re.compile(r"^[A-Z][A-Za-z0-9]+(\.[A-Za-z0-9]+)*$")
PORTS = re.compile(r"^(\d{1,5})(?:-(\d{1,5}))?$")
HIGHEST_PORT = 65535


def check(wanted: Json, rule_id: str) -> None:
    """Refuse an invalid prefix or port, and prefixes that cannot be combined.

    :raises ApiError: 400.
    """
    for side in ("source", "destination"):
        for prefix in _all(wanted, f"{side}AddressPrefix", f"{side}AddressPrefixes"):
            _check_prefix(prefix, rule_id)
        _check_several(wanted.get(f"{side}AddressPrefixes") or [], side, rule_id)
        for ports in _all(wanted, f"{side}PortRange", f"{side}PortRanges"):
            _check_ports(ports)


def _all(wanted: Json, one: str, many: str) -> list[str]:
    single = [wanted[one]] if wanted.get(one) else []
    return [*single, *(wanted.get(many) or [])]


def _check_prefix(prefix: str, rule_id: str) -> None:
    """Refuse what is not a tag, an address or a CIDR without host bits (Azure/azure-powershell#4557)."""
    if prefix == "*" or TAG.match(prefix):
        return
    _address, _slash, length = prefix.partition("/")
    try:
        network_of(prefix)
        valid = not length or length.isdigit()
    except ValueError:
        valid = False
    if not valid:
        raise network_error(
            "SecurityRuleInvalidAddressPrefix",
            f"Security rule {rule_id} has invalid Address prefix. Value provided: {prefix}",
        )


def network_of(prefix: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    """Return the network that a prefix means.

    A bare integer is an address, as .NET's ``IPAddress.Parse`` reads it: ``789`` is 0.0.3.21 (recorded in 2025-02).

    :raises ValueError: it is neither an address nor a CIDR.
    """
    return ipaddress.IPv4Network(int(prefix)) if prefix.isdigit() else ipaddress.ip_network(prefix)


def _check_several(prefixes: list[str], side: str, rule_id: str) -> None:
    """Refuse tags in a list (hashicorp/terraform-provider-azurerm#5617) and what overlaps in it.

    Sources: alan-turing-institute/data-safe-haven#2077, kubernetes-sigs/cloud-provider-azure#6775.
    """
    parameter = f"Security rule parameter {side.capitalize()}AddressPrefix for rule with Id {rule_id}"
    for prefix in prefixes:
        if prefix == "*" or TAG.match(prefix):
            raise network_error(
                "SecurityRuleParameterContainsUnsupportedValue",
                f"{parameter} cannot specify existing VIRTUALNETWORK, INTERNET, AZURELOADBALANCER, '*' or system tags. "
                f"Unsupported value used: {prefix}.",
            )
    for one, other in itertools.combinations(prefixes, 2):
        if network_of(one).overlaps(network_of(other)):
            raise network_error(
                "OverlappingSubnetsNotPermittedInSecurityRule",
                f"{parameter} contains overlapping subnets [{one}, {other}], which is not permitted.",
            )


def _check_ports(ports: str) -> None:
    match = PORTS.match(ports)
    if ports == "*":
        return
    if match is None or not int(match[1]) <= int(match[2] or match[1]) <= HIGHEST_PORT:
        raise network_error(
            "SecurityRuleInvalidPortRange",
            f"Security rule has invalid Port range. Value provided: {ports}. Value should be an integer OR integer "
            "range "
            "with '-' delimiter. Valid range 0-65535.",
        )
