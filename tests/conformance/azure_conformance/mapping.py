# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Translation of a record's names into the local Azure's: subscriptions, GUIDs, disks, addresses, etags."""

from __future__ import annotations

import re
import typing as t

from azure_emulator.vault.names import SUFFIX

_TIME = re.compile(r"^\d{4}-\d\d-\d\dT")
_SERVER_MADE = re.compile(r"[0-9a-f]{8}|\d+\.\d+\.\d+|([0-9A-F]{2}-){5}", re.IGNORECASE)
"""What a text of the server's own making looks like: GUIDs, random names, addresses, versions."""
_NOT_NAMES = frozenset({"message", "code", "status", "provisioningState", "time", "displayStatus", "Message"})


class Mapping:
    """Translates recorded texts into local ones. It learns from pairs of a recorded and a local body."""

    def __init__(self) -> None:
        self._subscriptions: dict[str, str] = {}
        self._texts: dict[str, str] = {}

    def subscription(self, recorded: str, ours: str) -> None:
        """Translate one subscription into the other from now on."""
        self._subscriptions[recorded.lower()] = ours

    def pair(self, recorded: str, ours: str) -> None:
        """Translate one text into the other from now on."""
        self._texts[recorded] = ours

    def learn(self, recorded: t.Any, ours: t.Any, key: str = "") -> None:
        """Note which texts correspond."""
        if isinstance(recorded, dict) and isinstance(ours, dict):
            for name in recorded.keys() & ours.keys():
                self.learn(recorded[name], ours[name], name)
        elif isinstance(recorded, list) and isinstance(ours, list) and len(recorded) == len(ours):
            for theirs, mine in zip(_sorted(recorded), _sorted(ours), strict=True):
                self.learn(theirs, mine, key)
        elif isinstance(recorded, str) and isinstance(ours, str) and key not in _NOT_NAMES:
            self._pair(recorded, ours)

    def _pair(self, recorded: str, ours: str) -> None:
        mapped = self.text(recorded)
        if mapped.lower() == ours.lower() or not _SERVER_MADE.search(recorded) or _TIME.match(recorded):
            return
        if recorded.startswith(("/", "https://")):
            theirs, mine = mapped.split("/"), ours.split("/")
            if len(theirs) == len(mine):
                for a, b in zip(theirs, mine, strict=True):
                    if a.lower() != b.lower() and _SERVER_MADE.search(a):
                        self._texts[a] = b
            return
        self._texts[recorded] = ours

    def text(self, value: str) -> str:
        """Translate a recorded text."""
        if value in self._texts:
            return self._texts[value]
        value = value.replace(".vault.azure.net", f".{SUFFIX}")
        if "/" in value:
            parts = [self._texts.get(part, part) for part in value.split("/")]
            return "/".join(self._subscriptions.get(part.lower(), part) for part in parts)
        return self._subscriptions.get(value.lower(), value)

    def value(self, value: t.Any) -> t.Any:
        """Translate a recorded JSON value."""
        if isinstance(value, dict):
            return {self._key(key): self.value(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.value(item) for item in value]
        return self.text(value) if isinstance(value, str) else value

    def _key(self, key: str) -> str:
        """Translate a member's name, which is an id where identities are listed."""
        return self.text(key) if key.startswith("/subscriptions/") else key

    def path(self, path: str) -> str:
        """Translate a recorded path."""
        return self.text(path)


def subscription_of(path: str) -> str | None:
    """Return the subscription in a path."""
    match = re.match(r"^/subscriptions/([^/]+)", path, re.IGNORECASE)
    return match[1] if match else None


def _sorted(items: list[t.Any]) -> list[t.Any]:
    """Return entries sorted by what identifies them, so that they pair up: names that the service makes up do not."""
    if all(isinstance(item, dict) and isinstance(item.get("lun"), int) for item in items):
        return sorted(items, key=lambda item: int(item["lun"]))
    if all(isinstance(item, dict) and isinstance(item.get("name"), str) for item in items):
        return sorted(items, key=lambda item: str(item["name"]).lower())
    return items
