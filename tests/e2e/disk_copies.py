# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Copies of guests' disks, from which other guests boot without changing them."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import typing as t
from dataclasses import dataclass
from pathlib import Path

_PARTS = ("upper", "docker", "containerd")
# Changes by itself, and no run depends on it.
_NOT_COMPARED = ("upper/var/log", "upper/root", "upper/var/lib/systemd", "upper/etc/hosts", "upper/var/cache")
_NOT_COPIED = "upper/var/log/journal"

_Identity = tuple[int, int, int, int]


@dataclass(frozen=True)
class DiskCopy:
    """A copy of what a guest has on its disk above others: its own files, and the copy that it booted from.

    :param content: digest of what is on it, for a copy that was just taken.
    """

    folder: Path
    below: DiskCopy | None
    content: str
    known: t.Mapping[str, tuple[_Identity, str]]

    @property
    def layers(self) -> tuple[Path, ...]:
        """The directories that make up the system disk, the uppermost first."""
        return (self.folder / "upper", *(self.below.layers if self.below else ()))

    @classmethod
    def take(cls, home: Path, folder: Path, *, below: DiskCopy | None, previous: DiskCopy | None) -> DiskCopy:
        """Copy a guest's disk. :param previous: an earlier copy of it, to share files with."""
        copying = _Copying(home, folder, previous)
        for part in _PARTS:
            copying.copy(part)
        return cls(folder, below, copying.content.hexdigest(), copying.known)

    @classmethod
    def kept(cls, folder: Path, below: DiskCopy | None) -> DiskCopy:
        """A copy that an earlier run has taken."""
        return cls(folder, below, "", {})

    def lay_under(self, home: Path) -> None:
        """Make a guest, which is off, go on from this copy."""
        for part in (*_PARTS, "work"):
            shutil.rmtree(home / part, ignore_errors=True)
        for part in _PARTS[1:]:
            _Copying(self.folder, home, None).copy(part)
        (home / "provisioned").touch()


class _Copying:
    def __init__(self, source: Path, target: Path, previous: DiskCopy | None) -> None:
        self.source = source
        self.target = target
        self.previous = previous
        self.known: dict[str, tuple[_Identity, str]] = {}
        self.content = hashlib.sha256()

    def copy(self, name: str) -> None:
        """Copy a file or directory with everything that belongs to it."""
        source, target = self.source / name, self.target / name
        try:
            found = os.lstat(source)
        except FileNotFoundError:
            return
        digest = self._copy_one(name, source, target, found)
        if not name.startswith(_NOT_COMPARED):
            self.content.update(f"{name}\0{found.st_mode}\0{found.st_uid}\0{digest}\0".encode(errors="surrogateescape"))

    def _copy_one(self, name: str, source: Path, target: Path, found: os.stat_result) -> str:
        if stat.S_ISDIR(found.st_mode):
            target.mkdir(parents=True, exist_ok=True)
            for entry in sorted(os.listdir(source)) if name != _NOT_COPIED else ():
                self.copy(f"{name}/{entry}")
        elif stat.S_ISREG(found.st_mode):
            return self._copy_file(name, source, target, found)
        elif stat.S_ISLNK(found.st_mode):
            os.symlink(os.readlink(source), target)
        elif stat.S_ISSOCK(found.st_mode):
            return ""
        else:
            os.mknod(target, found.st_mode, found.st_rdev)
        _copy_attributes(source, target, found)
        return os.readlink(source) if stat.S_ISLNK(found.st_mode) else ""

    def _copy_file(self, name: str, source: Path, target: Path, found: os.stat_result) -> str:
        identity = (found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
        before = self.previous.known.get(name) if self.previous else None
        if self.previous and before and before[0] == identity:
            os.link(self.previous.folder / name, target)
            self.known[name] = before
            return before[1]
        shutil.copyfile(source, target)
        _copy_attributes(source, target, found)
        digest = hashlib.sha1(target.read_bytes()).hexdigest()
        self.known[name] = (identity, digest)
        return digest


def _copy_attributes(source: Path, target: Path, found: os.stat_result) -> None:
    os.chown(target, found.st_uid, found.st_gid, follow_symlinks=False)
    shutil.copystat(source, target, follow_symlinks=False)  # with overlay's own attributes, which root can read
