# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files that the worker processes of one run share, in a private directory that is removed with the run."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import stat
import tempfile
import typing as t
from pathlib import Path

DIRECTORY = "dockerhost-azure"

Entry = dict[str, t.Any]


def shared_directory(parent: str) -> str | None:
    """Create the directory in which the processes of one run share access tokens and descriptions of clouds.

    :param parent: a directory of this run that only its user can read and that is removed at the end of the run.
    :returns: its path; None when there cannot be one.
    """
    path = os.path.join(parent, DIRECTORY)
    with contextlib.suppress(OSError):
        os.makedirs(path, mode=0o700, exist_ok=True)
        if _is_private(path):
            return path
    return None


def _is_private(directory: str) -> bool:
    """Return whether only this user can read and write a directory."""
    try:
        status = os.lstat(directory)
    except OSError:
        return False
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid() and not status.st_mode & 0o077


@contextlib.contextmanager
def locked(path: Path) -> t.Iterator[None]:
    """Hold the lock of a file, which is created when it is missing.

    :raises OSError: it cannot be opened, for example because it is a symbolic link.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def read_entry(path: Path) -> Entry:
    """Return what a file contains; nothing when it is missing or damaged."""
    try:
        entry = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return entry if isinstance(entry, dict) else {}


def write_entry(path: Path, entry: Entry) -> None:
    """Write a file that saves others work. A failure costs only that work."""
    with contextlib.suppress(OSError):
        replace(path, json.dumps(entry).encode())


def replace(path: Path, content: bytes) -> None:
    """Write a file atomically, with mode 0600.

    :raises OSError: it cannot be written.
    """
    descriptor, temporary = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
        os.replace(temporary, path)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
