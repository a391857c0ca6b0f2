# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The hosts file with the names of the reachable public addresses."""

from __future__ import annotations

import typing as t
from pathlib import Path

from .network.names import PUBLIC_IP
from .vault.names import SUFFIX, VAULT

if t.TYPE_CHECKING:
    from .cloud import Cloud

SYSTEM_HOSTS = Path("/etc/hosts")


class HostsFile:
    """Maintains a copy of the machine's hosts file with the machines' names appended.

    It is written in place, never renamed: it may be bind-mounted over /etc/hosts, where a rename is invisible.
    """

    def __init__(self, cloud: Cloud, directory: Path | None) -> None:
        self._cloud = cloud
        self._path = directory / "hosts" if directory is not None else None
        self._written: str | None = None

    def update(self) -> None:
        """Update the file if it is out of date."""
        if self._path is None:
            return
        text = self._text()
        if text == self._written:
            return
        with open(self._path, "a+b") as file:
            file.seek(0)
            file.truncate()
            file.write(text.encode())
        self._written = text

    def names(self) -> dict[str, str]:
        """Address by name, of every public address that has both."""
        found = {}
        for resource in self._cloud.store.of_type(PUBLIC_IP):
            address = resource.properties.get("ipAddress")
            name = resource.properties.get("dnsSettings", {}).get("fqdn")
            if address and name:
                found[name] = address
        return found

    def _text(self) -> str:
        try:
            base = SYSTEM_HOSTS.read_text(encoding="utf-8", errors="replace")
        except OSError:
            base = "127.0.0.1 localhost\n"
        if base and not base.endswith("\n"):
            base += "\n"
        found = self.names()
        found |= {f"{vault.name.lower()}.{SUFFIX}": "127.0.0.1" for vault in self._cloud.store.of_type(VAULT)}
        lines = [f"{address} {name}\n" for name, address in sorted(found.items())]
        return base + "".join(lines)
