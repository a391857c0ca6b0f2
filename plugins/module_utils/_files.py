# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files and directories on the controller: replaced as a whole, locked, and never reached through planted links.

There are two kinds of files. Files of this collection (keys, certificates, contexts) are in directories that only
the user can change, are never links, and always get their mode. Files of the user (``config.json``, ``known_hosts``)
may be links, and keep their mode and group. Everything is written relative to the descriptor of the directory that was
checked, so that no link can be put in its place between the check and the use.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import secrets
import stat
import typing as t

from . import _ownership
from ._errors import DockerHostError, OptionError
from ._ownership import check_entry, check_parents, opened_directory

WITHOUT_LINKS = (errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK)
"""Errors of file systems that know no hard links, such as SMB's and many in user space."""
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def read_if_exists(path: str) -> bytes | None:
    """Return the content of a file, or None if it does not exist.

    :raises DockerHostError: it cannot be read, or is not a regular file: reading a FIFO could wait forever.
    """
    try:
        # Opening a FIFO waits for a writer without O_NONBLOCK.
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise DockerHostError(f"{path} must be a regular file")
            return file.read()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise DockerHostError(f"{path} cannot be read: {error.strerror}") from error


def absolute_path(option: str, path: str) -> str:
    """Return an absolute path, with the home directory that a leading ``~`` or ``~USER`` means.

    :param option: the option that names the path.
    :raises OptionError: that home directory is not known; the system would create a directory called ``~USER``.
    """
    expanded = os.path.expanduser(path)
    if expanded.startswith("~"):
        home = path.partition("/")[0]
        raise OptionError(option, f"must be a path, got {path!r}, but the home directory {home} is not known")
    return os.path.abspath(expanded)


def check_can_be_directory(path: str, option: str) -> None:
    """Check that a path is a directory, or can become one.

    :param option: the option that names the path.
    :raises OptionError: the path, or what is above it, is something else than a directory.
    """
    existing = os.path.abspath(path)
    while not os.path.lexists(existing):
        existing = os.path.dirname(existing)
    if not os.path.isdir(existing):
        raise OptionError(option, f"must be the path of a directory, got {path}: {existing} is not a directory")


def read_option_file(option: str, path: str) -> bytes:
    """Return the content of a file that an option names.

    :raises OptionError: it does not exist, cannot be read, or is not a regular file.
    """
    try:
        content = read_if_exists(path)
    except DockerHostError as error:
        raise OptionError(option, error.message) from error
    if content is None:
        raise OptionError(option, f"{path} cannot be read: no such file or directory")
    return content


def check_directory(path: str, option: str) -> None:
    """Check that nobody else can replace what is in a directory. It need not exist.

    :param option: the option that names it, for the error.
    :raises OptionError: somebody else could read, replace or redirect what is in it.
    """
    try:
        _ownership.check_directory(os.path.abspath(path))
    except DockerHostError as error:
        raise OptionError(option, error.message) from error


def check_below(root: str, path: str) -> None:
    """Check that no link, and nobody else's directory, is between a checked directory and a file of the collection.

    :param path: below ``root``. It need not exist.
    :raises DockerHostError: a directory on the way is a link or belongs to somebody else, or the file is not a regular
        file.
    """
    current = root
    parts = os.path.relpath(path, root).split(os.sep)
    for part in parts:
        current = os.path.join(current, part)
        status = _status(current)
        if status is None:
            return
        if stat.S_ISLNK(status.st_mode):
            raise DockerHostError(f"{current} must not be a symbolic link; remove it")
        if not stat.S_ISDIR(status.st_mode) and not stat.S_ISREG(status.st_mode):
            raise DockerHostError(f"{current} must be a regular file; remove it")
        if stat.S_ISDIR(status.st_mode):
            check_entry(current, status)


def _status(path: str) -> os.stat_result | None:
    try:
        return os.lstat(path)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise DockerHostError(f"{path} cannot be read: {error.strerror}") from error


def replace_file(path: str, content: bytes, mode: int, scratch: str | None = None) -> None:
    """Create or replace a file of this collection by one rename. A link is replaced, not followed.

    :param mode: its permissions, whatever an existing file and the umask have.
    :param scratch: an existing directory of the same file system for the temporary file.
    :raises DockerHostError: it cannot be written, or somebody else could replace what is in its directory.
    """
    directory, name = os.path.split(path)
    with (
        _explained(path),
        opened_directory(directory) as target,
        opened_directory(scratch or directory) as source,
        _temporary(source, content, mode) as temporary,
    ):
        os.replace(temporary, name, src_dir_fd=source, dst_dir_fd=target)


def create_file(path: str, content: bytes, mode: int) -> bool:
    """Create a file, unless something is at its path: of several processes at once, one creates it.

    :param mode: its permissions, whatever the umask is.
    :returns: whether it was created.
    :raises DockerHostError: it cannot be written, or somebody else could replace what is in its directory.
    """
    directory, name = os.path.split(path)
    with _explained(path), opened_directory(directory) as target, _temporary(target, content, mode) as temporary:
        try:
            os.link(temporary, name, src_dir_fd=target, dst_dir_fd=target)
        except FileExistsError:
            return False
        except OSError as error:
            if error.errno not in WITHOUT_LINKS:
                raise
            if not _write_new(target, name, content, mode):
                return False
        os.fsync(target)  # or a loss of power takes the name away, and a key with it that a VM trusts already
        return True


def update_user_file(path: str, content: bytes, mode: int) -> None:
    """Create or replace a file of the user by one rename. A link stays one; an existing file keeps its group.

    :param mode: permissions of a new file; an existing file's mode is kept where it allows no more than this.
    :raises DockerHostError: it cannot be written, belongs to somebody else, or somebody else could replace it.
    """
    check_parents(os.path.abspath(path))
    directory, name = os.path.split(os.path.realpath(path))
    with _explained(path), opened_directory(directory) as target:
        try:
            current = os.stat(name, dir_fd=target, follow_symlinks=False)
        except FileNotFoundError:
            current = None
        if current:
            check_entry(path, current, may_be_writable=True)
            mode &= stat.S_IMODE(current.st_mode)
        with _temporary(target, content, mode, current) as temporary:
            os.replace(temporary, name, src_dir_fd=target, dst_dir_fd=target)


@contextlib.contextmanager
def _explained(path: str) -> t.Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DockerHostError(f"{path} cannot be written: {error.strerror}") from error


@contextlib.contextmanager
def _temporary(directory: int, content: bytes, mode: int, current: os.stat_result | None = None) -> t.Iterator[str]:
    """Write a file under a new name in an open directory, and remove it at the end if it still has that name.

    :param current: the file that it is going to replace; its group is kept. Its owner is always the user.
    """
    name = f".docker-host-{secrets.token_hex(8)}"
    _write_new(directory, name, content, mode, -1 if current is None else current.st_gid)
    try:
        yield name
    finally:
        with contextlib.suppress(OSError):
            os.unlink(name, dir_fd=directory)


def _write_new(directory: int, name: str, content: bytes, mode: int, group: int = -1) -> bool:
    """Write a file that does not exist in an open directory; half a file does not stay. Return whether it is new."""
    try:
        descriptor = os.open(name, _NEW, 0o600, dir_fd=directory)
    except FileExistsError:
        return False
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            with contextlib.suppress(PermissionError):
                os.fchown(file.fileno(), -1, group)
            os.fchmod(file.fileno(), mode)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name, dir_fd=directory)
        raise
    return True


def create_directory(path: str, mode: int) -> None:
    """Create a directory, and those above it that are missing, all with this mode whatever the umask is.

    :raises DockerHostError: it cannot be created, or somebody else could put another one in its place.
    """
    missing = []
    path = os.path.abspath(path)
    while not os.path.isdir(path):
        missing.append(path)
        path = os.path.dirname(path)
    for directory in reversed(missing):
        check_parents(directory)
        try:
            with contextlib.suppress(FileExistsError):
                os.mkdir(directory, 0o700)
                os.chmod(directory, mode)
        except OSError as error:
            raise DockerHostError(f"{directory} cannot be created: {error.strerror}") from error


@contextlib.contextmanager
def locked(path: str) -> t.Iterator[None]:
    """Hold an exclusive lock among processes; the file stays, empty.

    :raises DockerHostError: the lock file cannot be created or locked, or is a link, a FIFO or a device.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    directory, name = os.path.split(path)
    try:
        with opened_directory(directory) as parent:
            descriptor = os.open(name, flags, 0o600, dir_fd=parent)
    except OSError as error:
        raise DockerHostError(f"{path} cannot be created: {error.strerror}") from error
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise DockerHostError(f"{path} must be a regular file; remove it")
        if stat.S_IMODE(status.st_mode) != 0o600:
            os.fchmod(descriptor, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        except OSError as error:  # network file systems without locks
            raise DockerHostError(f"{path} cannot be locked: {error.strerror}") from error
        yield
    finally:
        os.close(descriptor)
