# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The users of the resources that the hosts of a group share. Pure."""

from __future__ import annotations

import typing as t

from ..._azure.resource_ids import name_in, same_id
from ..._azure.wire import Json, is_broken, properties_of
from ..desired.resource_names import SHARED_SUBNET

# Keys of SubnetPropertiesFormat (Microsoft.Network 2024-05-01): what is in a subnet, and what somebody set on it.
_STANDING = (
    "ipConfigurations",
    "ipConfigurationProfiles",
    "privateEndpoints",
    "serviceAssociationLinks",
    "resourceNavigationLinks",
    "applicationGatewayIPConfigurations",
)
_GIVEN = ("networkSecurityGroup", "routeTable", "natGateway", "serviceEndpoints", "delegations", "ipAllocations")


def is_part(path: str, of: str) -> bool:
    """Return whether an id is another one, or below it."""
    return same_id(path, of) or path.lower().startswith(of.lower().rstrip("/") + "/")


def users_of_subnet(subnet: Json, going: t.Sequence[str] = ()) -> list[str]:
    """Return the ids of what is in a subnet.

    :param going: ids of resources that are being deleted and do not count.
    """
    properties = properties_of(subnet)
    users = [str(entry.get("id") or "something") for key in _STANDING for entry in properties.get(key) or []]
    return [path for path in users if not any(is_part(path, own) for own in going)]


def users_of_network(network: Json, going: t.Sequence[str] = ()) -> list[str]:
    """Return the ids of what is in any subnet of a network."""
    subnets = properties_of(network).get("subnets") or []
    return [path for subnet in subnets for path in users_of_subnet(subnet, going)]


def is_plain(subnet: Json) -> bool:
    """Return whether a subnet is as the collection creates it, without rules, routes, endpoints or another owner."""
    return not any(properties_of(subnet).get(key) for key in _GIVEN)


def must_be_recreated(subnet: Json) -> bool:
    """Return whether Azure failed to create a subnet, and nothing was put into it since."""
    return is_broken(subnet) and is_plain(subnet) and not users_of_subnet(subnet)


def is_further(subnet_id: str | None, network: Json) -> bool:
    """Return whether an id is that of a subnet of a network, other than the one that all hosts share."""
    path = str(subnet_id or "")
    inside = is_part(path, str(network.get("id"))) and "/subnets/" in path.lower()
    return inside and name_in(path).lower() != SHARED_SUBNET


def outsiders(listed: t.Iterable[Json], going: t.Sequence[str]) -> list[str]:
    """Return the ids of a group's resources that are not being deleted."""
    paths = [str(entry.get("id")) for entry in listed]
    return [path for path in paths if not any(is_part(path, own) for own in going)]
