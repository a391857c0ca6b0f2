# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Random names that azure-cli's recorder has left in answers.

The recorder replaces each random name by its prefix and a number (``vm-000003``), but not where Azure answers in upper
case (``VM-VJ3IEX6QWQKF``). A name in upper case is the numbered one of the same prefix and ending; if there are
several, both kinds are taken in the order in which they appear.
"""

from __future__ import annotations

import re
import typing as t

_NUMBERED = re.compile(r"(?P<prefix>.*?[a-z].*?)(?P<number>0000(?!00)\d\d)(?P<ending>\D*)", re.IGNORECASE)
_UPPER = re.compile(r"[A-Z0-9._-]+")
_RANDOM = re.compile(r"[A-Z0-9]{4,}")


class RandomNames:
    """Translates the names of one recording.

    :param texts: every path and answer of the recording, in its order.
    """

    def __init__(self, texts: t.Iterable[t.Any]) -> None:
        segments = list(dict.fromkeys(s for text in texts for found in _ids(text) for s in found.split("/")))
        numbered: dict[tuple[str, str], list[str]] = {}
        for segment in segments:
            match = _NUMBERED.fullmatch(segment)
            if match is not None:
                names = numbered.setdefault((match["prefix"].upper(), match["ending"].upper()), [])
                if segment.lower() not in map(str.lower, names):
                    names.append(segment)
        known = {name.upper() for names in numbered.values() for name in names}
        random: dict[tuple[str, str], list[str]] = {}
        for segment in segments:
            frame = _frame_of(segment, numbered) if segment not in known and _UPPER.fullmatch(segment) else None
            if frame is not None:
                random.setdefault(frame, []).append(segment)
        self._names = {
            theirs: name for frame, left in random.items() for theirs, name in zip(left, numbered[frame], strict=False)
        }

    def value(self, value: t.Any) -> t.Any:
        """Return a recorded JSON value with the numbered names in its ids."""
        if not self._names:
            return value
        if isinstance(value, dict):
            return {key: self.value(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.value(item) for item in value]
        if isinstance(value, str) and value.startswith("/subscriptions/"):
            return "/".join(self._names.get(segment, segment) for segment in value.split("/"))
        return self._names.get(value, value) if isinstance(value, str) else value


def _ids(value: t.Any) -> t.Iterator[str]:
    """Yield every path in a JSON value."""
    if isinstance(value, dict):
        for item in value.values():
            yield from _ids(item)
    elif isinstance(value, list):
        for item in value:
            yield from _ids(item)
    elif isinstance(value, str) and value.startswith("/subscriptions/"):
        yield value


def _frame_of(segment: str, numbered: t.Mapping[tuple[str, str], t.Any]) -> tuple[str, str] | None:
    """Return prefix and ending of the numbered names that a name in upper case can be one of."""
    frames = [
        (prefix, ending)
        for prefix, ending in numbered
        if segment.startswith(prefix)
        and segment.endswith(ending)
        and _RANDOM.fullmatch(segment[len(prefix) : len(segment) - len(ending)])
    ]
    return max(frames, key=lambda frame: len(frame[0]) + len(frame[1]), default=None)
