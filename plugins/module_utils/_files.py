# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files that are written whole or not at all, and a lock. Private to this collection."""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
import tempfile
import typing as t

from ._errors import DockerHostError


def read_if_there(path: str) -> bytes | None:
    """The content of a file, or None if there is no such file.

    :raises DockerHostError: it is there but cannot be read.
    """
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise DockerHostError(f"{path} cannot be read: {error.strerror}") from error


def write_whole(path: str, content: bytes, mode: int, scratch: str | None = None) -> None:
    """Replace a file by one rename. A symbolic link stays one; an existing file keeps its mode and owner.

    :param mode: permissions of a new file; an existing file's mode is kept where it allows no more than this.
    :param scratch: an existing directory of the same file system for the file in the making.
    :raises DockerHostError: it cannot be written.
    """
    path = os.path.realpath(path)
    try:
        descriptor, temporary = tempfile.mkstemp(prefix=".docker-host-", dir=scratch or os.path.dirname(path))
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                _take_over(path, file.fileno(), mode)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise
    except OSError as error:
        raise DockerHostError(f"{path} cannot be written: {error.strerror}") from error


def _take_over(path: str, descriptor: int, mode: int) -> None:
    try:
        old = os.stat(path)
    except FileNotFoundError:
        os.fchmod(descriptor, mode)
        return
    os.fchmod(descriptor, stat.S_IMODE(old.st_mode) & mode)
    if (old.st_uid, old.st_gid) != (os.geteuid(), os.getegid()):
        with contextlib.suppress(PermissionError):
            os.fchown(descriptor, old.st_uid, old.st_gid)


def make_directory(path: str, mode: int) -> None:
    """Make a directory and those above it that are missing, all with this mode.

    :raises DockerHostError: it cannot be made.
    """
    missing = []
    while not os.path.isdir(path):
        missing.append(path)
        path = os.path.dirname(path)
    for directory in reversed(missing):
        try:
            with contextlib.suppress(FileExistsError):
                os.mkdir(directory, mode)
        except OSError as error:
            raise DockerHostError(f"{directory} cannot be made: {error.strerror}") from error


@contextlib.contextmanager
def locked(path: str) -> t.Iterator[None]:
    """Hold an exclusive lock among processes; the file stays, empty.

    :raises DockerHostError: the lock file cannot be made.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise DockerHostError(f"{path} cannot be made: {error.strerror}") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
