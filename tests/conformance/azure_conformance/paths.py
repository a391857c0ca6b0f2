# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Parsing the paths of the Resource Manager."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

_RESOURCE = re.compile(
    r"^/subscriptions/(?P<subscription>[^/]+)/resourcegroups/(?P<group>[^/]+)"
    r"(?:/providers/(?P<provider>[^/]+)(?P<rest>(?:/[^/]+)+))?/?$",
    re.IGNORECASE,
)
_POLL = re.compile(
    r"^/subscriptions/[^/]+(?:/providers/(?P<provider>[^/]+)(?:/locations/(?P<location>[^/]+))?)?"
    r"/(?P<word>operations|capsoperations|operationresults|operationstatuses|diskoperations|asyncoperations)/(?P<id>[^/]+)/?$",
    re.IGNORECASE,
)
_DEPLOYMENT_POLL = re.compile(
    r"^/subscriptions/[^/]+(?:/resourcegroups/[^/]+)?/providers/Microsoft\.Resources/deployments/[^/]+"
    r"/operationstatuses/(?P<id>[^/]+)/?$",
    re.IGNORECASE,
)
DEPLOYMENT_TYPE = "Microsoft.Resources/deployments"
GROUP_TYPE = "Microsoft.Resources/resourceGroups"


@dataclass(frozen=True)
class Target:
    """A resource (or a group), and what of it a path means.

    :param id: the resource's id, as spelled in the path.
    :param type: full type, as spelled, for example ``Microsoft.Network/virtualNetworks/subnets``.
    :param tail: the odd segment at the end: a collection's name or an action; empty for the resource itself.
    """

    id: str
    type: str
    name: str
    group: str
    subscription: str
    tail: str = ""

    @property
    def key(self) -> str:
        """The id in lower case."""
        return self.id.lower()

    @property
    def kind(self) -> str:
        """The type in lower case without ``Microsoft.``: ``network/virtualnetworks``."""
        return short_type(self.type)


@dataclass(frozen=True)
class Poll:
    """The URL of a long-running operation."""

    id: str
    provider: str
    location: str
    word: str

    @property
    def results(self) -> bool:
        """Whether it is what ``Location`` points at (as far as the path tells)."""
        return self.word == "operationresults"


def short_type(type_: str) -> str:
    """Return a resource type in lower case and without the vendor."""
    return type_.lower().removeprefix("microsoft.")


def parse_target(path: str) -> Target | None:
    """Return the resource that a path below a resource group means; None for other paths."""
    match = _RESOURCE.match(re.sub("/{2,}", "/", path))
    if match is None:
        return None
    subscription, group = match["subscription"], match["group"]
    group_id = f"/subscriptions/{subscription}/resourceGroups/{group}"
    if match["provider"] is None:
        return Target(group_id, GROUP_TYPE, group, group, subscription)
    segments = match["rest"].strip("/").split("/")
    tail = segments.pop() if len(segments) % 2 else ""
    names = segments[1::2]
    type_ = "/".join([match["provider"], *segments[0::2]])
    if not segments:
        return Target(group_id, GROUP_TYPE, group, group, subscription, f"{match['provider']}/{tail}")
    id_ = f"{group_id}/providers/{match['provider']}/{'/'.join(segments)}"
    return Target(id_, type_, names[-1], group, subscription, tail)


def parse_poll(path: str) -> Poll | None:
    """Return the operation that a path polls; None for other paths."""
    deployment = _DEPLOYMENT_POLL.match(path)
    if deployment is not None:
        return Poll(deployment["id"], "microsoft.resources", "", "operationstatuses")
    match = _POLL.match(path)
    if match is None:
        return None
    return Poll(match["id"], (match["provider"] or "").lower(), match["location"] or "", match["word"].lower())


def parent_id(target: Target) -> str | None:
    """Return the id of a child resource's parent; None for top-level resources."""
    if target.type.count("/") < 2:
        return None
    return target.id.rsplit("/", 2)[0]


def resource_ids(value: t.Any) -> t.Iterator[Target]:
    """Yield every resource that a JSON value names, in order, including children, and identities, which are keys."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield from resource_ids(name)
            yield from resource_ids(item)
    elif isinstance(value, list):
        for item in value:
            yield from resource_ids(item)
    elif isinstance(value, str) and value[:15].lower() == "/subscriptions/":
        target = parse_target(value)
        if target is not None and not target.tail and target.type != GROUP_TYPE:
            yield target
