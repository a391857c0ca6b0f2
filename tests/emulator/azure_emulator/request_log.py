# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The request log: JSON lines in a file, and the same entries in memory for the control interface."""

from __future__ import annotations

import json
import os
import typing as t
from pathlib import Path

Entry = dict[str, t.Any]
LIMIT = 100_000


class RequestLog:
    """The entries of the log, oldest first.

    Keys of an entry: number, time, method, path, query, api_version, status, writing (a method that may change
    something), operation (kind and id), duration (seconds drawn for the operation), seconds (spent on the answer),
    valid (None where nothing is checked), problems, rights (the actions that it needs), fault, code (of an error),
    client_request_id.
    """

    def __init__(self, path: Path | None) -> None:
        self._entries: list[Entry] = []
        self._number = 0
        self._file: t.TextIO | None = None
        if path is not None:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            self._file = os.fdopen(descriptor, "a", buffering=1, encoding="utf-8")

    def add(self, entry: Entry) -> None:
        """Add an entry; it gets its number."""
        self._number += 1
        entry = {"number": self._number, **entry}
        self._entries.append(entry)
        if len(self._entries) > LIMIT:
            del self._entries[: LIMIT // 10]
        if self._file is not None:
            self._file.write(json.dumps(entry) + "\n")

    def entries(self) -> list[Entry]:
        """Return all entries since the last :meth:`clear`."""
        return list(self._entries)

    def clear(self) -> None:
        """Forget the entries in memory; the file keeps them."""
        self._entries.clear()

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
