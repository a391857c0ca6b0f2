# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The position of a member in a request's text, for error messages."""

from __future__ import annotations

import json

Path = tuple[str | int, ...]


def position_of(raw: bytes, path: Path) -> tuple[int, int]:
    """Line (from 1) and position behind the name of a member; ``(1, 1)`` when it cannot be found."""
    text = raw.decode("utf-8", "replace")
    try:
        end = _find(text, _skip(text, 0), path)
    except (ValueError, IndexError, StopIteration):
        return 1, 1
    before = text[:end]
    line = before.count("\n") + 1
    return line, len(before) - (before.rfind("\n") + 1)


def _skip(text: str, at: int) -> int:
    while text[at] in " \t\r\n":
        at += 1
    return at


def _value_end(text: str, at: int) -> int:
    return json.JSONDecoder().raw_decode(text, at)[1]


def _find(text: str, at: int, path: Path) -> int:
    """Return the end of the last name of a path, in the value that begins at ``at``."""
    if not path:
        return at
    wanted, number = path[0], 0
    at = _skip(text, at + 1)
    while text[at] not in "}]":
        if isinstance(wanted, int):
            if number == wanted:
                return _find(text, at, path[1:])
            number += 1
        else:
            name, at = json.decoder.scanstring(text, at + 1)  # type: ignore[attr-defined]
            at = _skip(text, at)
            colon = at + 1
            at = _skip(text, colon)
            if name == wanted:
                return colon if len(path) == 1 else _find(text, at, path[1:])
        at = _skip(text, _value_end(text, at))
        if text[at] == ",":
            at = _skip(text, at + 1)
    raise ValueError("not found")
