# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A resource: what is stored of it, and how its id is built."""

from __future__ import annotations

import copy
import datetime
import re
import typing as t
from dataclasses import asdict, dataclass, field

from ..settings import new_guid

Json = dict[str, t.Any]


def utc_now() -> datetime.datetime:
    """Return the current time in UTC."""
    return datetime.datetime.now(datetime.timezone.utc)


def timestamp(moment: datetime.datetime | None = None) -> str:
    """Format a time as the compute provider does: seven fractional digits and ``+00:00``."""
    moment = moment or utc_now()
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond:06d}0+00:00"


def weak_etag() -> str:
    """Return a new etag in the network provider's form."""
    return f'W/"{new_guid()}"'


@dataclass
class Resource:
    """One resource of any type.

    :param id: with the spelling under which it was created; :attr:`key` is for looking up.
    :param type: full type, for example ``Microsoft.Network/virtualNetworks/subnets``.
    :param top: further top-level members of the body (sku, zones, identity, kind).
    :param hidden: what no answer shows: secrets and the server's own state.
    :param refs: ids of what this resource uses, each with the id that the other side shows for it.
    """

    id: str
    type: str
    name: str
    group: str
    subscription: str
    location: str | None = None
    tags: dict[str, str] | None = None
    properties: Json = field(default_factory=dict)
    top: Json = field(default_factory=dict)
    hidden: Json = field(default_factory=dict, repr=False)
    refs: list[tuple[str, str]] = field(default_factory=list)
    etag: str = ""
    created: str = field(default_factory=timestamp)
    changed: str = field(default_factory=timestamp)

    @property
    def key(self) -> str:
        """The id in lower case."""
        return self.id.lower()

    @property
    def container(self) -> str:
        """Key of what holds it: the parent resource, or the resource group."""
        return container_of(self.key)

    @property
    def provisioning_state(self) -> str:
        """The state of the last operation on it."""
        return t.cast(str, self.properties.get("provisioningState", "Succeeded"))

    @provisioning_state.setter
    def provisioning_state(self, state: str) -> None:
        self.properties["provisioningState"] = state

    def copy(self) -> Resource:
        """Return a deep copy."""
        return copy.deepcopy(self)

    def to_json(self) -> Json:
        """For the state file."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Json) -> Resource:
        """From the state file."""
        data["refs"] = [tuple(pair) for pair in data["refs"]]
        return cls(**data)


def container_of(key: str) -> str:
    """Key of the parent of a resource: for a top-level one its group (or subscription)."""
    head = key.rpartition("/")[0].rpartition("/")[0]
    before, marker, after = head.rpartition("/providers/")
    if marker and "/" not in after:
        return before
    return head


def with_upper_group(id_: str) -> str:
    """Return an id with the resource group in upper case."""
    return re.sub(r"(?<=/resourceGroups/)[^/]+", lambda match: match[0].upper(), id_, count=1, flags=re.IGNORECASE)


def group_id(subscription: str, group: str) -> str:
    """Return the id of a resource group."""
    return f"/subscriptions/{subscription}/resourceGroups/{group}"
