# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Differences between current and desired state.

Check mode, diff and ``changed`` of every module come from here alone, so that a prediction
cannot differ from what a real run reports.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Difference:
    """One property that differs from what is desired. Values are JSON types and hold no secret."""

    path: str
    before: t.Any
    after: t.Any


@dataclass
class Differences:
    """The differences that a run found, in the order found."""

    entries: list[Difference] = field(default_factory=list)

    def add(self, path: str, before: t.Any, after: t.Any) -> None:
        """Note that the property must change from ``before`` to ``after``."""
        self.entries.append(Difference(path, before, after))

    def compare(self, path: str, before: t.Any, after: t.Any) -> bool:
        """Note a difference, if any, and return whether there is one."""
        differs = bool(before != after)
        if differs:
            self.add(path, before, after)
        return differs

    def __bool__(self) -> bool:
        return bool(self.entries)

    def as_diff(self) -> dict[str, dict[str, t.Any]]:
        """Return the value of a result's ``diff``."""
        return {
            "before": {entry.path: entry.before for entry in self.entries},
            "after": {entry.path: entry.after for entry in self.entries},
        }
