# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a server and its machines leave behind: processes, namespaces and mounts, as Linux' /proc shows them."""

from __future__ import annotations

import os
from pathlib import Path

PROC = Path("/proc")
NAMESPACES = ("net", "mnt", "pid", "uts", "ipc")
Process = tuple[int, int]


class Family:
    """A process and all that descend from it.

    :param pid: the process, which must be running.
    """

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._seen: set[Process] = set()
        self._namespaces: set[str] = set()
        self.note()

    def note(self) -> None:
        """Remember the processes and namespaces that there are now."""
        family = {self._pid}
        parents = _parents()
        while new := {pid for pid, parent in parents.items() if parent in family} - family:
            family |= new
        own = _namespaces(os.getpid())
        for pid in family:
            started = _started(pid)
            if started is not None:
                self._seen.add((pid, started))
                self._namespaces |= _namespaces(pid) - own

    def resident(self) -> float:
        """MiB of memory that the process itself has."""
        status = (PROC / str(self._pid) / "status").read_text()
        return next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmRSS:"))

    def survivors(self) -> list[str]:
        """The remembered processes that still run, and the remembered namespaces that somebody still holds.

        Linux gives the number of a namespace that is gone to a new one: who descends from somebody in this process's
        own namespaces, as another server's guests do, is not of this family.
        """
        running = [f"process {pid}" for pid, started in sorted(self._seen) if _started(pid) == started]
        parents, own = _parents(), _namespaces(os.getpid())
        holders = [pid for pid in parents if _namespaces(pid) & self._namespaces and not _adopted(pid, parents, own)]
        held = {name for pid in holders for name in _namespaces(pid)} & self._namespaces
        pinned = [line for line in _mounts() if any(name in line for name in self._namespaces)]
        return [*running, *(f"namespace {name}" for name in sorted(held)), *pinned]


def _adopted(pid: int, parents: dict[int, int], own: set[str]) -> bool:
    """Whether a process has an ancestor, below init, that lives in these namespaces."""
    while (pid := parents.get(pid, 0)) > 1:
        if _namespaces(pid) == own:
            return True
    return False


def mounts_below(directory: str) -> list[str]:
    """The mounts that lie below a directory or show something of it."""
    return [line for line in _mounts() if directory in line]


def _mounts() -> list[str]:
    return (PROC / "self" / "mountinfo").read_text().splitlines()


def _pids() -> list[int]:
    return [int(entry.name) for entry in PROC.iterdir() if entry.name.isdigit()]


def _fields(pid: int) -> list[str]:
    """The fields of ``/proc/PID/stat`` after the command's name."""
    try:
        return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _parents() -> dict[int, int]:
    return {pid: int(fields[1]) for pid in _pids() if (fields := _fields(pid))}


def _started(pid: int) -> int | None:
    """When a process began, in ticks since boot; None for one that is gone or dead."""
    fields = _fields(pid)
    return int(fields[19]) if fields and fields[0] not in "ZX" else None


def _namespaces(pid: int) -> set[str]:
    found = set()
    for kind in NAMESPACES:
        try:
            found.add(os.readlink(PROC / str(pid) / "ns" / kind))
        except OSError:
            continue
    return found
