# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Everything the server remembers: in memory, and written through to a file when there is a state directory."""

from __future__ import annotations

import json
import os
import sqlite3
import typing as t
from pathlib import Path

from .arm.resource import Json, Resource

KINDS = ("resources", "operations", "values")


class StateFile:
    """Key/value tables in SQLite. A write is in the file when the call returns, so that SIGKILL loses nothing."""

    def __init__(self, path: Path) -> None:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        os.close(descriptor)
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=OFF")
        for kind in KINDS:
            self._connection.execute(f'CREATE TABLE IF NOT EXISTS "{kind}" (key TEXT PRIMARY KEY, value TEXT NOT NULL)')

    def load(self, kind: str) -> dict[str, Json]:
        """Return all entries of a table, in the order they were first written."""
        rows = self._connection.execute(f'SELECT key, value FROM "{kind}" ORDER BY rowid')
        return {key: json.loads(value) for key, value in rows}

    def put(self, kind: str, key: str, value: t.Any) -> None:
        """Write one entry."""
        self._connection.execute(
            f'INSERT INTO "{kind}" (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value',
            (key, json.dumps(value)),
        )

    def remove(self, kind: str, key: str) -> None:
        """Remove one entry, if it is there."""
        self._connection.execute(f'DELETE FROM "{kind}" WHERE key = ?', (key,))

    def close(self) -> None:
        """Close the file."""
        self._connection.close()


class Store:
    """The resources, with the two indexes that rules need: what is inside a container, and who uses a resource."""

    def __init__(self, file: StateFile | None) -> None:
        self._file = file
        self._resources: dict[str, Resource] = {}
        self._children: dict[str, dict[str, None]] = {}
        self._users: dict[str, dict[str, list[str]]] = {}
        self._refs: dict[str, list[tuple[str, str]]] = {}
        if file is not None:
            for data in file.load("resources").values():
                self._index(Resource.from_json(data))

    def _index(self, resource: Resource) -> None:
        key = resource.key
        self._unlink(key)
        self._resources[key] = resource
        self._children.setdefault(resource.container, {})[key] = None
        self._refs[key] = list(resource.refs)
        for target, shown in resource.refs:
            self._users.setdefault(target.lower(), {}).setdefault(key, []).append(shown)

    def _unlink(self, key: str) -> None:
        for target, _shown in self._refs.pop(key, []):
            users = self._users.get(target.lower())
            if users is not None:
                users.pop(key, None)
                if not users:
                    del self._users[target.lower()]

    def get(self, resource_id: str) -> Resource | None:
        """Return the resource with this id, whatever its spelling."""
        return self._resources.get(resource_id.lower())

    def __contains__(self, resource_id: str) -> bool:
        return resource_id.lower() in self._resources

    def __iter__(self) -> t.Iterator[Resource]:
        return iter(list(self._resources.values()))

    def save(self, resource: Resource) -> None:
        """Add a resource, or write down its changes."""
        self._index(resource)
        if self._file is not None:
            self._file.put("resources", resource.key, resource.to_json())

    def remove(self, resource: Resource) -> None:
        """Forget a resource."""
        key = resource.key
        self._unlink(key)
        self._resources.pop(key, None)
        siblings = self._children.get(resource.container)
        if siblings is not None:
            siblings.pop(key, None)
            if not siblings:
                del self._children[resource.container]
        if self._file is not None:
            self._file.remove("resources", key)

    def children(self, container: str, type_: str | None = None) -> list[Resource]:
        """Return what is directly inside a resource or a group, oldest first."""
        keys = self._children.get(container.lower(), ())
        found = [self._resources[key] for key in keys]
        if type_ is None:
            return found
        wanted = type_.lower()
        return [resource for resource in found if resource.type.lower() == wanted]

    def users(self, resource_id: str) -> list[str]:
        """Return the ids under which others show that they use this resource."""
        return [shown for entries in self._users.get(resource_id.lower(), {}).values() for shown in entries]

    def user_resources(self, resource_id: str) -> list[Resource]:
        """Return the resources that use this one."""
        return [self._resources[key] for key in self._users.get(resource_id.lower(), {})]

    def of_type(self, type_: str, under: str = "") -> list[Resource]:
        """Return all resources of a type, below an id prefix (ends without a slash)."""
        wanted, prefix = type_.lower(), under.lower() + "/"
        return [r for r in self._resources.values() if r.type.lower() == wanted and r.key.startswith(prefix)]
