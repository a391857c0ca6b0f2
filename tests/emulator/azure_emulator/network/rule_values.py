# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The values in a security rule: address prefixes, service tags, ports."""

from __future__ import annotations

import ipaddress
import re

from ..errors import Json, network_error

TAG = re.compile(r"^[A-Z][A-Za-z0-9]+(\.[A-Za-z0-9]+)*$")
PORTS = re.compile(r"^(\d{1,5})(?:-(\d{1,5}))?$")
HIGHEST_PORT = 65535


def check(wanted: Json) -> None:
    """Refuse a rule with a prefix or a port that is none.

    :raises ApiError: 400.
    """
    for side in ("source", "destination"):
        for prefix in _all(wanted, f"{side}AddressPrefix", f"{side}AddressPrefixes"):
            _check_prefix(prefix)
        for ports in _all(wanted, f"{side}PortRange", f"{side}PortRanges"):
            _check_ports(ports)


def _all(wanted: Json, one: str, many: str) -> list[str]:
    single = [wanted[one]] if wanted.get(one) else []
    return [*single, *(wanted.get(many) or [])]


def _check_prefix(prefix: str) -> None:
    if prefix == "*" or TAG.match(prefix):
        return
    try:
        ipaddress.ip_network(prefix, strict=False)
    except ValueError as error:
        raise network_error(
            "SecurityRuleInvalidAddressPrefix", f"Security rule has invalid Address prefix. Value provided: {prefix}"
        ) from error


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
