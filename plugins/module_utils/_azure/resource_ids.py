# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Resource ids and region names of Azure Resource Manager. Azure compares both case-insensitively."""

from __future__ import annotations

import re
from dataclasses import dataclass

_ID = re.compile(
    r"/subscriptions/(?P<subscription>[^/]+)/resourceGroups/(?P<group>[^/]+)"
    r"/providers/(?P<type>[^/]+/[^/]+)/(?P<name>[^/]+)/?",
    re.IGNORECASE,
)


@dataclass(frozen=True, eq=False)
class ResourceId:
    """The id of a top-level resource, such as a VM or a network interface. Ids that differ in case only are equal.

    :param subscription: the subscription's id.
    :param group: the resource group's name.
    :param resource_type: namespace and type, for example ``Microsoft.Compute/virtualMachines``.
    :param name: the resource's name.
    """

    subscription: str
    group: str
    resource_type: str
    name: str

    @classmethod
    def parse(cls, text: str, resource_type: str | None = None) -> ResourceId | None:
        """Return the id that a text contains; None if it is not the id of a resource of this type.

        :param resource_type: for example ``Microsoft.Compute/virtualMachines``; None accepts every type.
        """
        match = _ID.fullmatch(text.strip())
        if not match or (resource_type and match["type"].lower() != resource_type.lower()):
            return None
        return cls(match["subscription"], match["group"], match["type"], match["name"])

    def __str__(self) -> str:
        return (
            f"/subscriptions/{self.subscription}/resourceGroups/{self.group}/providers/{self.resource_type}/{self.name}"
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ResourceId) and same_id(str(self), str(other))

    def __hash__(self) -> int:
        return hash(str(self).lower())


def same_id(one: str | None, other: str | None) -> bool:
    """Compare ids as Azure does, regardless of case."""
    return (one or "").rstrip("/").lower() == (other or "").rstrip("/").lower()


def name_in(resource_id: str) -> str:
    """Return the last part of an id."""
    return resource_id.rstrip("/").rsplit("/", 1)[-1]


def group_in(resource_id: str) -> str:
    """Return the resource group of an id, empty when it has none."""
    match = re.search(r"/resourceGroups/([^/]+)", resource_id, re.IGNORECASE)
    return match[1] if match else ""


def subscription_in(resource_id: str) -> str:
    """Return the subscription of an id, empty when it has none."""
    match = re.match(r"/subscriptions/([^/]+)", resource_id, re.IGNORECASE)
    return match[1] if match else ""


def normalize_location(location: str | None) -> str:
    """Return a region's name as Azure compares it: ``West Europe`` is ``westeurope``."""
    return (location or "").replace(" ", "").lower()


def with_group(resource_id: str, group: str) -> str:
    """Return the id with the resource group in another spelling."""
    return re.sub(r"(?<=/resourceGroups/)[^/]+", lambda _match: group, resource_id, count=1, flags=re.IGNORECASE)
