# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A plan: the actions of a run.

A plan depends only on the desired and the current state. Check mode shows the plan, and a real run carries it out, so a
prediction is what a run does.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field, replace

from ..._azure.resource_ids import name_in
from ..._azure.wire import Json
from ..._diff import Difference, Differences
from ..._errors import DockerHostError
from ..current.reader import READABLE
from ..current.state import HostState

# Seconds that operations usually take: medians of recorded traffic with public Azure.
USUAL: t.Mapping[tuple[str, str], int] = {
    ("virtual_machine", "create"): 95,
    ("virtual_machine", "update"): 7,
    ("virtual_machine", "delete"): 42,
    ("virtual_machine", "deallocate"): 31,
    ("virtual_machine", "power off"): 10,
    ("virtual_machine", "start"): 13,
    ("virtual_machine", "restart"): 1,
    ("virtual_machine", "reapply"): 4,
    ("virtual_network", "create"): 5,
    ("security_group", "create"): 3,
    ("public_ip_address", "create"): 2,
    ("network_interface", "update"): 62,
    ("resource_group", "delete"): 347,
}
DOING: t.Mapping[str, str] = {
    "create": "Creating",
    "update": "Updating",
    "tag": "Tagging",
    "grow": "Growing",
    "convert": "Converting",
    "delete": "Deleting",
    "start": "Starting",
    "power off": "Stopping",
    "deallocate": "Deallocating",
    "restart": "Restarting",
    "reapply": "Repairing",
}
# What another run or person may create under the same name at the same time.
NEVER_REPLACED = frozenset(("virtual_network", "subnet", "security_group", "public_ip_address", "network_interface"))


@dataclass(frozen=True)
class Action:
    """One change.

    :param key: its name among the actions of the plan.
    :param kind: a key of :data:`READABLE`, or ``disk``, ``subnet``.
    :param verb: a key of :data:`DOING`.
    :param resource_id: what it is done to.
    :param body: the request's body; it may contain secrets.
    :param needs: keys of the actions that come first, if the plan has them.
    :param differences: what it changes; without secrets.
    :param if_left: a deletion that Azure may already have done together with another.
    :param if_unused: a deletion of what hosts share; it is read right before, and stays if it is in use.
    :param expected: whether it will be done as far as is known now; otherwise only if others leave meanwhile.
    :param also: what else a creation does, in words, beside what its body shows.
    :param etag: the version of the resource on which the body is based; empty if the resource does not exist.
    """

    key: str
    kind: str
    verb: str
    resource_id: str
    body: Json | None = field(default=None, repr=False)
    needs: tuple[str, ...] = ()
    differences: tuple[Difference, ...] = ()
    if_left: bool = False
    if_unused: bool = False
    expected: bool = True
    note: str = ""
    also: str = ""
    etag: str = ""

    @property
    def readable(self) -> str:
        """The resource's kind in words."""
        return READABLE.get(self.kind, self.kind)

    @property
    def line(self) -> str:
        """The action in words."""
        return f"{self.verb} {self.readable} {name_in(self.resource_id)}{self.note}"

    @property
    def conditions(self) -> dict[str, str]:
        """The headers with which Azure refuses (412) to overwrite what others wrote after this was planned."""
        if self.etag:
            return {"If-Match": self.etag}
        return {"If-None-Match": "*"} if self.verb == "create" and self.kind in NEVER_REPLACED else {}

    @property
    def usual(self) -> int | None:
        """Seconds that the action usually takes, if known."""
        return USUAL.get((self.kind, self.verb))


@dataclass
class Plan:
    """The actions of a run.

    :param notes: warnings for the user.
    :param outlook: warnings for check mode; a run finds out whether they are still true.
    :param widened_access: a sentence for each port that more sources can reach afterwards.
    """

    actions: list[Action] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    outlook: list[str] = field(default_factory=list)
    widened_access: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.actions)

    @property
    def expected(self) -> list[Action]:
        """The actions that will be done by the current state."""
        return [action for action in self.actions if action.expected]

    @property
    def lines(self) -> list[str]:
        """One line for each expected action."""
        return [action.line for action in self.expected]

    @property
    def diff(self) -> dict[str, t.Any]:
        """The value of a result's ``diff``."""
        return diff_of(self.expected)

    @property
    def going(self) -> list[str]:
        """The ids of the resources that the plan deletes."""
        return [action.resource_id for action in self.expected if action.verb == "delete"]

    def action(self, key: str) -> Action | None:
        """Return the action with a key, None if the plan does not have it."""
        return next((action for action in self.actions if action.key == key), None)


def with_etags(actions: t.Iterable[Action], current: HostState) -> list[Action]:
    """Return the actions; those that write a resource that was read name the version that was read."""
    result = []
    for action in actions:
        resource = getattr(current, action.kind, None) if action.verb in ("create", "update", "tag") else None
        result.append(replace(action, etag=str((resource or {}).get("etag") or "")))
    return result


def diff_of(actions: t.Iterable[Action]) -> dict[str, t.Any]:
    """Return the value of a result's ``diff``."""
    changes = Differences()
    for action in actions:
        for entry in action.differences:
            changes.add(f"{action.readable} {name_in(action.resource_id)}: {entry.path}", entry.before, entry.after)
    return changes.as_diff()


def power_change(before: str, after: str) -> tuple[Difference, ...]:
    """Return a change of the power state."""
    return (Difference("power_state", before, after),)


class OwnershipError(DockerHostError):
    """Resources with these names exist, but were not created for this host."""


class ImmutableError(DockerHostError):
    """The desired state differs in properties that cannot change in place."""

    def __init__(
        self,
        resource: str,
        entries: t.Sequence[Difference],
        why: str = "exists and Azure cannot change it in place",
        advice: str = "Keep the current value, or delete and recreate the host.",
    ) -> None:
        shown = "; ".join(f"{entry.path} is {entry.before!r}, desired is {entry.after!r}" for entry in entries)
        super().__init__(
            f"{resource} {why}: {shown}. {advice}",
            immutable=[{"property": entry.path, "current": entry.before, "desired": entry.after} for entry in entries],
        )
