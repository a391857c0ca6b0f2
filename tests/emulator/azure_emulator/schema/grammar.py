# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The notation of the type tables.

A line without indentation is a type's name; indented lines hold its members, separated by blanks::

    PublicIPAddressSku
      name:Basic|Standard tier:Regional|Global

A member is ``name:kind``. ``!`` after the name says required, ``-`` says read-only: what a client sends there is
ignored. Kinds are ``str``, ``int``, ``num``, ``bool``, ``map`` (an object of strings), ``object`` (any object),
``any``, ``[kind]`` (a list),
the values of an enumeration joined by ``|``, or a type's name.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

PLAIN = frozenset({"str", "int", "num", "bool", "map", "object", "any"})


@dataclass(frozen=True)
class Member:
    """One member of a type."""

    name: str
    kind: str
    required: bool = False
    read_only: bool = False


@dataclass
class Shape:
    """A type: its members by their names in lower case."""

    name: str
    members: dict[str, Member] = field(default_factory=dict)


def parse(text: str) -> dict[str, Shape]:
    """Return the types of a table.

    :raises ValueError: a member belongs to no type, or names a type that is not there.
    """
    shapes: dict[str, Shape] = {}
    current: Shape | None = None
    for line in text.splitlines():
        if not line.strip():
            continue
        if not line.startswith(" "):
            current = shapes.setdefault(line.strip(), Shape(line.strip()))
            continue
        if current is None:
            raise ValueError(f"members before any type: {line}")
        for word in line.split():
            member = _member(word)
            current.members[member.name.lower()] = member
    for shape in shapes.values():
        for member in shape.members.values():
            _check(shapes, shape, member)
    return shapes


def _member(word: str) -> Member:
    name, _unused, kind = word.partition(":")
    read_only, required = name.endswith("-"), name.endswith("!")
    return Member(name.rstrip("!-"), kind or "any", required, read_only)


def _check(shapes: t.Mapping[str, Shape], shape: Shape, member: Member) -> None:
    kind = member.kind
    while kind.startswith("["):
        kind = kind[1:-1]
    if kind not in PLAIN and "|" not in kind and kind not in shapes and not is_single(kind):
        raise ValueError(f"{shape.name}.{member.name}: unknown kind {kind}")


def is_single(kind: str) -> bool:
    """Return whether a kind is an enumeration of one value."""
    return kind in ("CopySourceNotFound", "EdgeZone", "ForceDetach", "Local")
