# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The file-system calls that certificates need, one method each.

Every change of a certificate directory goes through one object of this class, so that a test can
count the calls and end the process at any of them.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import stat
import typing as t

from .._ownership import opened_directory

NEW_FILE = os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
# Without O_NONBLOCK, opening a FIFO waits for somebody to write to it.
OLD_FILE = os.O_RDONLY | os.O_NONBLOCK | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
# What may be between the root and a file: a directory, never a link to one.
DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)

PRIVATE_FILE = 0o600
PUBLIC_FILE = 0o644
PRIVATE_DIRECTORY = 0o700


class FileSystem:
    """The operating system's calls. Errors are :class:`OSError`, as Python raises them.

    Within :meth:`below`, a path below the root is resolved from the root's descriptor, one directory after the other,
    and no symbolic link is followed.
    """

    _root: tuple[str, int] | None = None

    @contextlib.contextmanager
    def below(self, root: str) -> t.Iterator[None]:
        """Check and open a directory; until the end, every path below it is resolved in the directory that is open.

        :param root: its absolute path.
        :raises DockerHostError: somebody else could read, replace or redirect what is in it.
        """
        outer = self._root
        with opened_directory(root) as descriptor:
            self._root = (root, descriptor)
            try:
                yield
            finally:
                self._root = outer

    @contextlib.contextmanager
    def _parent(self, path: str) -> t.Iterator[tuple[str, int | None]]:
        """Yield the name of a path in its parent directory, and the parent's descriptor (None: the name is a path)."""
        root, descriptor = self._root or ("", -1)
        if path == root:
            yield ".", descriptor
        elif descriptor < 0 or not path.startswith(f"{root.rstrip('/')}/"):
            yield path, None
        else:
            *directories, name = os.path.relpath(path, root).split("/")
            with contextlib.ExitStack() as opened:
                for directory in directories:
                    descriptor = os.open(directory, DIRECTORY, dir_fd=descriptor)
                    opened.callback(os.close, descriptor)
                yield name, descriptor

    def create(self, path: str, mode: int) -> int:
        """Open a file that must not exist yet; it gets the mode whatever the umask is."""
        with self._parent(path) as (name, parent):
            descriptor = os.open(name, NEW_FILE, mode, dir_fd=parent)
        os.fchmod(descriptor, mode)
        return descriptor

    def write(self, descriptor: int, data: bytes) -> int:
        """Write as much as the system accepts at once, and return the number of bytes."""
        return os.write(descriptor, data)

    def sync(self, descriptor: int) -> None:
        """Write a file or directory to the disk."""
        os.fsync(descriptor)

    def close(self, descriptor: int) -> None:
        """Close a file, which also releases its lock."""
        os.close(descriptor)

    def rename(self, source: str, target: str) -> None:
        """Rename a file; one at the new path is replaced."""
        with self._parent(source) as (old, old_parent), self._parent(target) as (new, new_parent):
            os.rename(old, new, src_dir_fd=old_parent, dst_dir_fd=new_parent)

    def link(self, source: str, target: str) -> None:
        """Give a file a second path, which must not exist."""
        with self._parent(source) as (old, old_parent), self._parent(target) as (new, new_parent):
            os.link(old, new, src_dir_fd=old_parent, dst_dir_fd=new_parent)

    def remove(self, path: str) -> None:
        """Remove a file."""
        with self._parent(path) as (name, parent):
            os.unlink(name, dir_fd=parent)

    def make_directory(self, path: str) -> None:
        """Create a directory for this user alone."""
        with self._parent(path) as (name, parent):
            os.mkdir(name, PRIVATE_DIRECTORY, dir_fd=parent)
            # The umask may have removed permissions of the user's own.
            os.chmod(name, PRIVATE_DIRECTORY, dir_fd=parent)

    def remove_directory(self, path: str) -> None:
        """Remove an empty directory."""
        with self._parent(path) as (name, parent):
            os.rmdir(name, dir_fd=parent)

    def open_lock(self, path: str) -> int:
        """Open the lock file, which may exist."""
        flags = os.O_CREAT | os.O_RDWR | os.O_NONBLOCK | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
        with self._parent(path) as (name, parent):
            descriptor = os.open(name, flags, PRIVATE_FILE, dir_fd=parent)
        status = os.fstat(descriptor)
        if stat.S_ISREG(status.st_mode) and stat.S_IMODE(status.st_mode) != PRIVATE_FILE:
            os.fchmod(descriptor, PRIVATE_FILE)
        return descriptor

    def open_existing(self, path: str) -> int:
        """Open a file or directory for reading: to lock it, to sync it."""
        with self._parent(path) as (name, parent):
            return os.open(name, OLD_FILE, dir_fd=parent)

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
        with os.fdopen(FileSystem.open_existing(self, path), "rb") as stream:
            if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
                raise OSError(errno.EINVAL, "it is not a regular file", path)
            return stream.read()

    def status(self, path: str) -> os.stat_result | None:
        """Return the status of the path itself (links are not followed), ``None`` if it does not exist."""
        try:
            with self._parent(path) as (name, parent):
                return os.stat(name, dir_fd=parent, follow_symlinks=False)
        except (FileNotFoundError, NotADirectoryError):
            return None

    def names(self, path: str) -> list[str]:
        """Return the sorted names in a directory; none if it does not exist."""
        try:
            with self._parent(path) as (name, parent):
                descriptor = os.open(name, DIRECTORY, dir_fd=parent)
        except (FileNotFoundError, NotADirectoryError):
            return []
        try:
            return sorted(os.listdir(descriptor))
        finally:
            os.close(descriptor)


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
