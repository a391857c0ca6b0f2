# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The file-system calls that certificates need, one method each.

Every change of a certificate directory goes through one object of this class, so that a test can
count the calls and end the process at any of them.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import typing as t

NEW_FILE = os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
# Without O_NONBLOCK, opening a FIFO waits for somebody to write to it.
OLD_FILE = os.O_RDONLY | os.O_NONBLOCK | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)

PRIVATE_FILE = 0o600
PUBLIC_FILE = 0o644
PRIVATE_DIRECTORY = 0o700


class FileSystem:
    """The operating system's calls. Errors are :class:`OSError`, as Python raises them."""

    def create(self, path: str, mode: int) -> int:
        """Open a file that must not exist yet; it gets the mode whatever the umask is."""
        descriptor = os.open(path, NEW_FILE, mode)
        os.fchmod(descriptor, mode)
        return descriptor

    def write(self, descriptor: int, data: bytes) -> int:
        """Write as much as the system accepts at once, and return the number of bytes."""
        return os.write(descriptor, data)

    def sync(self, descriptor: int) -> None:
        os.fsync(descriptor)

    def close(self, descriptor: int) -> None:
        os.close(descriptor)

    def rename(self, source: str, target: str) -> None:
        os.rename(source, target)

    def link(self, source: str, target: str) -> None:
        os.link(source, target)

    def remove(self, path: str) -> None:
        os.unlink(path)

    def make_directory(self, path: str) -> None:
        os.mkdir(path, PRIVATE_DIRECTORY)
        os.chmod(path, PRIVATE_DIRECTORY)  # the umask may have removed permissions of the user's own

    def remove_directory(self, path: str) -> None:
        os.rmdir(path)

    def open_lock(self, path: str) -> int:
        """Open the lock file, which may exist."""
        flags = os.O_CREAT | os.O_RDWR | os.O_NONBLOCK | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
        descriptor = os.open(path, flags, PRIVATE_FILE)
        status = os.fstat(descriptor)
        if stat.S_ISREG(status.st_mode) and stat.S_IMODE(status.st_mode) != PRIVATE_FILE:
            os.fchmod(descriptor, PRIVATE_FILE)
        return descriptor

    def open_existing(self, path: str) -> int:
        """Open a file or directory for reading: to lock it, to sync it."""
        return os.open(path, OLD_FILE)

    def try_lock(self, descriptor: int, *, shared: bool) -> bool:
        """Lock an open file; return False if another process holds the lock."""
        try:
            fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def is_current(self, descriptor: int, path: str) -> bool:
        """Return whether the open file is still the one at the path."""
        there, opened = self.status(path), os.fstat(descriptor)
        return there is not None and (there.st_dev, there.st_ino) == (opened.st_dev, opened.st_ino)

    # What only looks

    def read(self, path: str) -> bytes:
        """Return the whole content of a regular file; anything else is an error."""
        with os.fdopen(os.open(path, OLD_FILE), "rb") as stream:
            if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
                raise OSError(errno.EINVAL, "it is not a regular file", path)
            return stream.read()

    def status(self, path: str) -> os.stat_result | None:
        """Return the status of the path itself (links are not followed), ``None`` if it does not exist."""
        try:
            return os.lstat(path)
        except (FileNotFoundError, NotADirectoryError):
            return None

    def names(self, path: str) -> list[str]:
        """Return the sorted names in a directory; none if it does not exist."""
        try:
            return sorted(os.listdir(path))
        except (FileNotFoundError, NotADirectoryError):
            return []


def write_all(files: FileSystem, path: str, data: bytes, mode: int, *, sync: bool = True) -> None:
    """Create a file with this content and mode.

    :raises OSError: among others if it exists. The caller removes an incomplete file.
    """
    descriptor = files.create(path, mode)
    try:
        view: t.Any = memoryview(data)
        while view:
            view = view[files.write(descriptor, bytes(view)) :]
        if sync:
            files.sync(descriptor)
    finally:
        files.close(descriptor)
