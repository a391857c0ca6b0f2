# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Parts of argument specs, which the tasks merge."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field


@dataclass(frozen=True)
class ArgumentSpec:
    """An argument spec in the language of ``AnsibleModule``, as a value that merges.

    The attributes have the names and forms of ``AnsibleModule``'s parameters.
    """

    argument_spec: t.Mapping[str, t.Mapping[str, t.Any]] = field(default_factory=dict)
    mutually_exclusive: t.Sequence[t.Sequence[str]] = ()
    required_together: t.Sequence[t.Sequence[str]] = ()
    required_one_of: t.Sequence[t.Sequence[str]] = ()
    required_if: t.Sequence[t.Sequence[t.Any]] = ()
    required_by: t.Mapping[str, t.Sequence[str]] = field(default_factory=dict)

    def merge(self, *others: ArgumentSpec) -> ArgumentSpec:
        """Return this spec and all others as one.

        :raises ValueError: two of them define the same option.
        """
        merged: dict[str, t.Mapping[str, t.Any]] = {}
        for spec in (self, *others):
            twice = merged.keys() & spec.argument_spec.keys()
            if twice:
                raise ValueError(f"Options defined twice: {', '.join(sorted(twice))}")
            merged.update(spec.argument_spec)
        every = (self, *others)
        return ArgumentSpec(
            argument_spec=merged,
            mutually_exclusive=[rule for spec in every for rule in spec.mutually_exclusive],
            required_together=[rule for spec in every for rule in spec.required_together],
            required_one_of=[rule for spec in every for rule in spec.required_one_of],
            required_if=[rule for spec in every for rule in spec.required_if],
            required_by={key: rule for spec in every for key, rule in spec.required_by.items()},
        )

    def rules(self) -> dict[str, t.Any]:
        """Return the rules among options as keyword arguments of ``AnsibleModule`` and of the validators."""
        return {
            "mutually_exclusive": list(self.mutually_exclusive),
            "required_together": list(self.required_together),
            "required_one_of": list(self.required_one_of),
            "required_if": list(self.required_if),
            "required_by": dict(self.required_by),
        }
