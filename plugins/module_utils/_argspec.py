# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Parts of argument specs, which the tasks merge, and checks that Ansible's own validation lacks."""

from __future__ import annotations

import copy
import math
import re
import typing as t
from dataclasses import dataclass, field

from ansible.module_utils.common.validation import check_type_dict

from ._errors import OptionError
from ._files import absolute_path

Option = t.Mapping[str, t.Any]

# C0 control characters and DEL, but for tab and line breaks, which keys, certificates and cloud-init contain.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
# What nobody sees in a path and means: blanks at its ends, tabs and line breaks, such as Windows leaves at the end of a
# line, and characters without a width or that turn the direction (Unicode Standard, 23.2 and 23.3).
_INVISIBLE = re.compile("^\\s|\\s$|[\t\n\r\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
LARGEST = 2**31 - 1
_NUMBERS = {
    "int": ("an integer", re.compile(r"\s*[+-]?[0-9]+\s*")),
    "float": ("a number", re.compile(r"\s*[0-9.eE+-]+\s*")),
}


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


def copy_option(option: Option) -> dict[str, t.Any]:
    """Return a copy of an option's definition for one validation.

    Ansible's validation fills the defaults of suboptions into a default itself, and hands out defaults that its caller
    may change. Nothing else of a definition changes, so nothing else is copied.
    """
    copied = dict(option)
    if option.get("default"):
        copied["default"] = copy.deepcopy(option["default"])
    if option.get("options"):
        copied["options"] = {name: copy_option(suboption) for name, suboption in option["options"].items()}
    return copied


def check_values(spec: t.Mapping[str, Option], arguments: t.Mapping[str, t.Any]) -> None:
    """Refuse values that Ansible's own validation silently converts into something else than the user wrote.

    It makes a text of lists, dictionaries and booleans, and of a number without its last zeros; it makes a number of
    a boolean, and of digits of every script; and it accepts control characters and, in lists, null. Of something else
    than a dictionary it says only that a dictionary is needed, not where.

    :param arguments: the arguments as they were given, before Ansible validates them.
    :raises OptionError: the first such value. Its text never contains a text that was given.
    """
    for name, value in arguments.items():
        option = _option(spec, name)
        if option is not None and value is not None:
            _check_value(name, option, value)


def _option(spec: t.Mapping[str, Option], name: str) -> Option | None:
    if name in spec:
        return spec[name]
    return next((option for option in spec.values() if name in option.get("aliases", ())), None)


def _check_value(place: str, option: Option, value: t.Any) -> None:
    kind = option.get("type", "str")
    if kind in ("str", "path"):
        _check_text(place, value)
        if kind == "path" and isinstance(value, str):
            _check_path(place, value)
    elif kind in _NUMBERS:
        _check_number(place, kind, value)
    elif kind == "list" and isinstance(value, (bool, float)):
        raise OptionError(place, f"must be a list, got {str(value).lower()}")
    elif kind == "list" and isinstance(value, (list, tuple)):
        _check_elements(place, option, value)
    elif kind == "list" and isinstance(value, str) and option.get("elements") == "dict":
        _check_elements(place, option, _parse_dictionaries(place, value))
    elif kind == "dict":
        _check_dictionary(place, option, value)


def _check_text(place: str, value: t.Any) -> None:
    if isinstance(value, (t.Mapping, list, tuple)):
        raise OptionError(place, f"must be text, got {'a dictionary' if isinstance(value, t.Mapping) else 'a list'}")
    if isinstance(value, (bool, float)):
        shown = str(value).lower()
        raise OptionError(place, f"must be text, got {shown}: put it in quotes")
    if isinstance(value, str) and _CONTROL.search(value):
        raise OptionError(place, "must not contain control characters")


def _check_path(place: str, value: str) -> None:
    if _INVISIBLE.search(value):
        raise OptionError(place, "must be a path without line breaks, invisible characters and blanks at its ends")
    absolute_path(place, value)


def _check_number(place: str, kind: str, value: t.Any) -> None:
    if not isinstance(value, (bool, int, float, str)):
        return
    words, form = _NUMBERS[kind]
    if isinstance(value, bool):
        raise OptionError(place, f"must be {words}, got {str(value).lower()}")
    if isinstance(value, str) and not form.fullmatch(value):
        raise OptionError(place, f"must be {words}, got {value!r}")
    if abs(float(value) if len(str(value)) < 20 else math.inf) > LARGEST:
        raise OptionError(place, f"must be at most {LARGEST}")


def _check_elements(place: str, option: Option, values: t.Sequence[t.Any]) -> None:
    for index, value in enumerate(values):
        if value is None:
            raise OptionError(f"{place}[{index}]", "must not be null: remove this entry, or give it a value")
        entry = {"type": option.get("elements", "raw"), "options": option.get("options")}
        _check_value(f"{place}[{index}]", entry, value)


def _check_dictionary(place: str, option: Option, value: t.Any) -> None:
    entries = value if isinstance(value, t.Mapping) else _parse_dictionary(place, value)
    try:
        check_values(option.get("options") or {}, entries)
    except OptionError as error:
        raise error.below(place) from error


def _parse_dictionaries(place: str, value: str) -> list[t.Mapping[str, t.Any]]:
    """Return the list of dictionaries that Ansible reads from a text, which it splits at commas."""
    try:
        return [_parse_dictionary(place, part) for part in value.split(",")]
    except OptionError as error:
        raise OptionError(place, "must be a list of dictionaries, got a value of another type") from error


def _parse_dictionary(place: str, value: t.Any) -> t.Mapping[str, t.Any]:
    """Return the dictionary that Ansible reads from a text."""
    try:
        return t.cast("t.Mapping[str, t.Any]", check_type_dict(value))
    # ansible-core before 2.18 raises the latter for text that is neither.
    except (TypeError, ValueError) as error:
        raise OptionError(
            place, "must be a dictionary, got a value of another type; as text, write JSON or key=value"
        ) from error
