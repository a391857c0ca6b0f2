# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Control groups for guests: one of its own for each, in every hierarchy, below the group of the process given.

Without them guests collide in systemd's fixed group names. Works with cgroup v1, the hybrid layout and v2.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from azure_emulator.machines.keeper import remove_groups

CONTROLLERS = "cpu cpuset io memory pids"


@dataclass(frozen=True)
class Hierarchy:
    """One mounted hierarchy, and a process's group in it."""

    group: Path
    controllers: frozenset[str]
    version: int


def hierarchies(pid: int | str = "self") -> list[Hierarchy]:
    """Return the hierarchies of the host with the group of process ``pid`` in each."""
    mounts: dict[frozenset[str], tuple[Path, str]] = {}
    for line in Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines():
        left, _dash, right = line.partition(" - ")
        kind, _source, options = right.split(" ", 2)
        root, point = left.split()[3:5]
        if kind == "cgroup2":
            mounts[frozenset()] = (Path(point), root)
        elif kind == "cgroup":
            mounts[frozenset(options.split(","))] = (Path(point), root)
    found = []
    for line in Path(f"/proc/{pid}/cgroup").read_text(encoding="utf-8").splitlines():
        _number, names, path = line.split(":", 2)
        wanted = frozenset(name for name in names.split(",") if name)
        for options_, (point_, root_) in mounts.items():
            if (wanted <= options_) if wanted else not options_:
                relative = os.path.relpath(path, root_) if path.startswith(root_) else "."
                found.append(Hierarchy(point_ / relative, wanted, 1 if wanted else 2))
                break
    return found


def make_parents(name: str, pid: int | str = "self") -> list[Path]:
    """Make the group ``name``, below which guests get theirs, in every hierarchy; give the folders."""
    made = []
    for hierarchy in hierarchies(pid):
        if hierarchy.version == 2:
            _delegate(hierarchy.group)
        folder = hierarchy.group / name
        folder.mkdir(exist_ok=True)
        _inherit_cpuset(folder, hierarchy)
        if hierarchy.version == 2:
            _enable(folder)
        made.append(folder)
    return made


def make_group(parents: Iterable[Path], name: str) -> list[Path]:
    """Make one guest's groups below those of :func:`make_parents`."""
    made = []
    for parent in parents:
        folder = parent / name
        folder.mkdir(exist_ok=True)
        for knob in ("cpuset.cpus", "cpuset.mems"):
            if (folder / knob).exists() and (parent / knob).exists() and not (folder / "cgroup.controllers").exists():
                (folder / knob).write_text((parent / knob).read_text(encoding="utf-8"), encoding="utf-8")
        made.append(folder)
    return made


def remove(groups: Iterable[Path]) -> None:
    """Remove groups with everything below them; they must hold no process."""
    remove_groups([str(group) for group in groups])


def _inherit_cpuset(folder: Path, hierarchy: Hierarchy) -> None:
    if "cpuset" in hierarchy.controllers:
        for knob in ("cpuset.cpus", "cpuset.mems"):
            (folder / knob).write_text((hierarchy.group / knob).read_text(encoding="utf-8"), encoding="utf-8")


def _delegate(group: Path) -> None:
    """Let a v2 group hand its controllers down: it must then hold no process itself, unless it is the root."""
    if not (group / "cgroup.controllers").read_text(encoding="utf-8").strip():
        return
    if (group / "cgroup.type").exists():
        leaf = group / "keeper"
        leaf.mkdir(exist_ok=True)
        for pid in (group / "cgroup.procs").read_text(encoding="utf-8").split():
            try:
                (leaf / "cgroup.procs").write_text(pid, encoding="utf-8")
            except OSError:
                return
    _enable(group)


def _enable(group: Path) -> None:
    have = (group / "cgroup.controllers").read_text(encoding="utf-8").split()
    for controller in CONTROLLERS.split():
        if controller in have:
            try:
                (group / "cgroup.subtree_control").write_text(f"+{controller}", encoding="utf-8")
            except OSError:
                continue
