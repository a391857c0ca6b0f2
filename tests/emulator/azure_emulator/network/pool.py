# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Free addresses: public ones in the machines' pool, private ones in a subnet."""

from __future__ import annotations

import ipaddress
import typing as t

from ..arm.resource import Resource
from ..errors import network_error
from .common import prefixes
from .names import NIC, PUBLIC_IP

if t.TYPE_CHECKING:
    from ..cloud import Cloud

RESERVED = 4
"""Addresses at the start of a subnet that Azure keeps; one more at the end."""


class AddressPool:
    """Hands out public addresses that are really reachable."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._next = 0

    def take(self) -> str:
        """Return a free public address.

        :raises ApiError: 409, the pool is used up.
        """
        network = ipaddress.ip_network(self._cloud.machines.public_pool)
        used = {r.properties.get("ipAddress") for r in self._cloud.store.of_type(PUBLIC_IP)}
        count = network.num_addresses - 2
        for step in range(count):
            address = str(network[1 + (self._next + step) % count])
            if address not in used and not address.endswith((".0", ".255")):
                self._next = (self._next + step + 1) % count
                return address
        raise network_error("PublicIPAddressPoolExhausted", "No public IP address is left in this region.", 409)


def private_addresses(cloud: Cloud, subnet: Resource, except_for: str = "") -> dict[str, str]:
    """Return the private addresses in use in a subnet, each with the ip configuration that has it."""
    found: dict[str, str] = {}
    for nic in cloud.store.user_resources(subnet.id):
        if nic.type != NIC or nic.key == except_for.lower():
            continue
        for configuration in nic.properties.get("ipConfigurations", []):
            properties = configuration["properties"]
            if properties.get("subnet", {}).get("id", "").lower() == subnet.key and properties.get("privateIPAddress"):
                found[properties["privateIPAddress"]] = configuration["id"]
    return found


def take_private(subnet: Resource, used: t.Container[str]) -> str:
    """Return the first free address of a subnet; the first of all is .4.

    :raises ApiError: 400 SubnetIsFull.
    """
    for network in prefixes(subnet):
        if network.version != 4:
            continue
        for number in range(RESERVED, network.num_addresses - 1):
            address = str(network[number])
            if address not in used:
                return address
    raise network_error(
        "SubnetIsFull",
        f"Subnet {subnet.name} with address prefix {subnet.properties.get('addressPrefix')} does not have enough "
        "capacity for 1 IP addresses.",
    )


def check_static(subnet: Resource, address: str, used: t.Mapping[str, str], configuration: str) -> None:
    """Refuse a static private address that is not available.

    :raises ApiError: 400, not in the subnet, reserved, or in use.
    """
    try:
        wanted = ipaddress.ip_address(address)
    except ValueError as error:
        raise network_error("InvalidIPAddressFormat", f"IP address {address} is not formatted correctly.") from error
    prefix = subnet.properties.get("addressPrefix") or ",".join(subnet.properties.get("addressPrefixes", []))
    inside = next((n for n in prefixes(subnet) if wanted in n), None)
    if inside is None:
        raise network_error(
            "PrivateIPAddressNotInSubnet",
            f"Private static IP address {address} does not belong to the range of subnet prefix {prefix}.",
        )
    offset = int(wanted) - int(inside.network_address)
    if offset < RESERVED or offset == inside.num_addresses - 1:
        raise network_error(
            "PrivateIPAddressInReservedRange",
            f"Private static IP address {address} falls within reserved IP range of subnet prefix {prefix}.",
        )
    if address in used:
        raise network_error(
            "PrivateIPAddressInUse",
            f"IP configuration {configuration} is using the private IP address {address} which is already allocated "
            f"to resource {used[address]}.",
        )
