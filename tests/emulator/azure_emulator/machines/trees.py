# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The trees that one server's guests run on."""

from __future__ import annotations

import asyncio
import typing as t
from pathlib import Path

from azure_emulator.machines.base import MachineError
from azure_emulator.machines.packages import TreeError
from azure_emulator.machines.releases import Release
from azure_emulator.machines.tree import Tree, ensure_tree, use_tree


class Trees:
    """The trees in use, each taken from the cache directory, or made there, for the first guest that needs it."""

    def __init__(self, cache_dir: Path) -> None:
        self._cache_dir = cache_dir
        self._lock = asyncio.Lock()
        self._in_use: dict[str, tuple[Tree, t.IO[bytes]]] = {}

    async def get(self, release: Release) -> Tree:
        """Return the tree of a release. :raises MachineError: it cannot be made."""
        async with self._lock:
            if release.suite not in self._in_use:
                try:
                    made = await asyncio.to_thread(ensure_tree, self._cache_dir, _say, release)
                except TreeError as error:
                    raise MachineError(str(error)) from None
                self._in_use[release.suite] = (made, use_tree(made))
        return self._in_use[release.suite][0]

    def close(self) -> None:
        """Leave them to whoever wants to remove them."""
        for _tree, handle in self._in_use.values():
            handle.close()
        self._in_use.clear()


def _say(line: str) -> None:
    print(f"guest tree: {line}", flush=True)
