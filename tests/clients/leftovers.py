# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a server and its machines hold on the host: processes, namespaces, mounts, control groups, by Linux' /proc."""

from __future__ import annotations

import os
from dataclasses import dataclass, fields
from pathlib import Path

PROC = Path("/proc")
CGROUPS = Path("/sys/fs/cgroup")
NAMESPACES = ("net", "mnt", "pid", "uts", "ipc", "cgroup", "user")
Process = tuple[int, int]
"""Number and start time: Linux gives the number of a process that is gone to a new one."""


@dataclass(frozen=True)
class Holdings:
    """What a process and its descendants hold at one moment.

    :param processes: themselves.
    :param namespaces: those that they live in and that this process does not, and those that are mounted there.
    :param mounts: ``NAMESPACE TYPE PLACE`` of each mount in those namespaces.
    :param groups: the control groups that were made for them.
    """

    processes: frozenset[Process]
    namespaces: frozenset[str]
    mounts: frozenset[str]
    groups: frozenset[str]

    def beyond(self, before: Holdings) -> list[str]:
        """What is here and was not there before, one line each."""
        return [
            f"{field.name}: {_described(thing)}"
            for field in fields(self)
            for thing in sorted(getattr(self, field.name) - getattr(before, field.name))
        ]


class Family:
    """A process and all that descend from it.

    :param pid: the process, which must be running.
    :param group: what the control groups are called below which theirs are; None where they have none.
    """

    def __init__(self, pid: int, group: str | None = None) -> None:
        self._pid = pid
        self._group = group
        self._seen: set[Process] = set()
        self._namespaces: set[str] = set()
        self.note()

    def note(self) -> Holdings:
        """Remember the processes and namespaces that there are now, and tell what they hold."""
        processes = self._processes()
        own = _namespaces(os.getpid())
        namespaces: set[str] = set()
        mounts: set[str] = set()
        for pid, _started_at in processes:
            theirs = _namespaces(pid) - own
            namespaces |= theirs
            here = next((name for name in theirs if name.startswith("mnt:")), None)
            lines = [line.split() for line in _mounts(pid)] if here else []
            mounts |= {f"{here} {words[words.index('-') + 1]} {words[4]}" for words in lines}
            namespaces |= {words[3] for words in lines if words[3].startswith(NAMESPACES)}
        self._seen |= processes
        self._namespaces |= namespaces
        return Holdings(frozenset(processes), frozenset(namespaces), frozenset(mounts), frozenset(self.groups()))

    def _processes(self) -> set[Process]:
        family = {self._pid}
        parents = _parents()
        while new := {pid for pid, parent in parents.items() if parent in family} - family:
            family |= new
        return {(pid, started) for pid in family if (started := _started(pid)) is not None}

    def groups(self) -> list[str]:
        """The control groups that there are now."""
        if self._group is None:
            return []
        # Not with rglob: groups come and go meanwhile, and it would not bear that.
        walked = (folder for folder, _folders, _files in os.walk(CGROUPS))
        return sorted(folder for folder in walked if self._group in Path(folder).parts)

    def resident(self) -> float:
        """MiB of memory that the process itself has."""
        status = (PROC / str(self._pid) / "status").read_text()
        return next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmRSS:"))

    def survivors(self) -> list[str]:
        """What remains of the family: processes, control groups, and the namespaces that somebody still holds.

        Linux gives the number of a namespace that is gone to a new one: who descends from somebody in this process's
        own namespaces, as another server's guests do, is not of this family.
        """
        running = [f"process {pid}" for pid, started in sorted(self._seen) if _started(pid) == started]
        parents, own = _parents(), _namespaces(os.getpid())
        holders = [pid for pid in parents if _namespaces(pid) & self._namespaces and not _adopted(pid, parents, own)]
        held = {name for pid in holders for name in _namespaces(pid)} & self._namespaces
        pinned = [line for line in _mounts(os.getpid()) if any(name in line for name in self._namespaces)]
        groups = [f"control group {path}" for path in self.groups()]
        return [*running, *(f"namespace {name}" for name in sorted(held)), *pinned, *groups]


def _described(thing: Process | str) -> str:
    if isinstance(thing, str):
        return thing
    try:
        command = (PROC / str(thing[0]) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        command = ""
    return f"{thing[0]} {command[:200]}"


def _adopted(pid: int, parents: dict[int, int], own: set[str]) -> bool:
    """Whether a process has an ancestor, below init, that lives in these namespaces."""
    while (pid := parents.get(pid, 0)) > 1:
        if _namespaces(pid) == own:
            return True
    return False


def mounts_below(directory: str) -> list[str]:
    """The mounts that lie below a directory or show something of it."""
    return [line for line in _mounts(os.getpid()) if directory in line]


def _mounts(pid: int) -> list[str]:
    """The lines of a process's ``mountinfo``; none for one that is gone."""
    try:
        return (PROC / str(pid) / "mountinfo").read_text().splitlines()
    except OSError:
        return []


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
