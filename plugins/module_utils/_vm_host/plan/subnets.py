# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The address ranges of a network and of the host's subnet: desired, current, or chosen. Pure."""

from __future__ import annotations

import ipaddress
import typing as t

from ..._azure.resource_ids import name_in
from ..._azure.wire import Json, properties_of
from ..._diff import Differences
from ..._errors import OptionError
from ..argument_spec import DEFAULT_NETWORK
from ..bodies.network import find_subnet
from ..desired.host_spec import HostSpec
from ..desired.topology import HostResources
from .model import ImmutableError

Network = ipaddress.IPv4Network
_USUAL = 24


def network_prefix(desired: HostSpec) -> Network:
    """Return the address range of a new shared network."""
    return Network(desired.network.virtual_network_prefix or DEFAULT_NETWORK)


def subnet_prefix(desired: HostSpec, current: Json | None) -> Network:
    """Return the range of a new subnet: the desired one, else the first free /24, or all of a smaller network.

    :param current: the shared network, if it exists.
    :raises OptionError: the network does not have the range, or no free one.
    """
    spaces, taken = ([network_prefix(desired)], []) if current is None else (_spaces(current), _taken(current))
    if desired.network.subnet_prefix:
        asked = Network(desired.network.subnet_prefix)
        if not any(asked.subnet_of(space) for space in spaces):
            raise OptionError("subnet_prefix", f"must be part of the network ({_shown(spaces)}), got {asked}")
        for name, other in taken:
            if asked.overlaps(other):
                raise OptionError("subnet_prefix", f"must not overlap the subnet {name} ({other}), got {asked}")
        return asked
    for space in spaces:
        for candidate in space.subnets(new_prefix=max(_USUAL, space.prefixlen)):
            if not any(candidate.overlaps(other) for _name, other in taken):
                return candidate
    raise OptionError(
        "subnet_prefix", f"must be a range of the network ({_shown(spaces)}), because it has no free /{_USUAL}"
    )


def check_prefixes(desired: HostSpec, resources: HostResources, current: Json) -> None:
    """Refuse a range that differs from the one of an existing network or subnet.

    :raises ImmutableError: with the current and the desired range.
    """
    changes = Differences()
    spaces = [str(space) for space in _spaces(current)]
    asked = desired.network.virtual_network_prefix
    if asked and asked not in spaces:
        changes.add("virtual_network_prefix", ", ".join(spaces), asked)
    subnet = find_subnet(current, str(resources.subnet))
    asked = desired.network.subnet_prefix
    if asked and subnet and asked not in [str(one) for one in _prefixes(subnet)]:
        changes.add("subnet_prefix", _shown(_prefixes(subnet)), asked)
    if changes:
        raise ImmutableError(
            f"The network {name_in(str(resources.virtual_network))}",
            changes.entries,
            "exists and does not change, because other hosts use it",
            "Keep the current value, or choose another group or your own O(virtual_network).",
        )


def check_private_address(desired: HostSpec, resources: HostResources, current: Json | None) -> None:
    """Refuse a private address that is not in the subnet, or that Azure reserves.

    :param current: the network, if it exists.
    :raises OptionError: the address cannot be used.
    """
    asked = desired.network.private_ip_address
    if not asked:
        return
    subnet = find_subnet(current, str(resources.subnet))
    networks = _prefixes(subnet) if subnet else [subnet_prefix(desired, current)]
    if networks and not any(_is_usable(ipaddress.IPv4Address(asked), one) for one in networks):
        raise OptionError(
            "private_ip_address",
            f"must be an address of {_shown(networks)} except the first four and the last, which Azure"
            f" reserves, got {asked}",
        )


def _is_usable(address: ipaddress.IPv4Address, network: Network) -> bool:
    # "Virtual network FAQ" (learn.microsoft.com): Azure reserves the first four addresses and the last.
    place = int(address) - int(network.network_address)
    return address in network and 4 <= place < network.num_addresses - 1


def _spaces(network: Json) -> list[Network]:
    return _ipv4((properties_of(network).get("addressSpace") or {}).get("addressPrefixes") or [])


def _taken(network: Json) -> list[tuple[str, Network]]:
    subnets = properties_of(network).get("subnets") or []
    return [(str(subnet.get("name")), prefix) for subnet in subnets for prefix in _prefixes(subnet)]


def _prefixes(subnet: Json) -> list[Network]:
    properties = properties_of(subnet)
    return _ipv4(properties.get("addressPrefixes") or [properties.get("addressPrefix")])


def _ipv4(prefixes: t.Iterable[str | None]) -> list[Network]:
    """Return the IPv4 ranges. A network may have IPv6 ranges too, which hosts do not use."""
    return [Network(text) for text in prefixes if text and ":" not in text]


def _shown(networks: t.Iterable[Network]) -> str:
    return ", ".join(str(one) for one in networks)
