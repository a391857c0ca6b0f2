# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files and directories on the controller: replaced as a whole, locked, and never reached through planted links.

There are two kinds of files. Files of this collection (keys, certificates, contexts) are in directories that only
the user can change, are never links, and always get their mode. Files of the user (``config.json``, ``known_hosts``)
may be links, and keep their mode and owner.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
import tempfile
import typing as t

from ._errors import DockerHostError, OptionError


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


def check_directory(path: str, option: str) -> None:
    """Check that nobody else can replace what is in a directory. It may be a link, and need not exist.

    :param option: the option that names it, for the error.
    :raises DockerHostError: it belongs to somebody else, or others may write to it, or to a directory above it that has
        no sticky bit.
    """
    resolved = os.path.realpath(path)
    status = _status(resolved)
    if status is not None:
        _check_own_directory(path, status, f"; choose another O({option})")
    while resolved != os.path.dirname(resolved):
        resolved = os.path.dirname(resolved)
        above = _status(resolved)
        if above and above.st_mode & stat.S_IWOTH and not above.st_mode & stat.S_ISVTX:
            raise DockerHostError(
                f"{resolved}: everybody may write there (mode {stat.S_IMODE(above.st_mode):04o}) and could replace"
                f" {path}; remove that permission (chmod o-w), or choose another O({option})"
            )


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
        if stat.S_ISDIR(status.st_mode):
            _check_own_directory(current, status)
        elif not stat.S_ISREG(status.st_mode):
            raise DockerHostError(f"{current} must be a regular file; remove it")


def _status(path: str) -> os.stat_result | None:
    try:
        return os.lstat(path)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise DockerHostError(f"{path} cannot be read: {error.strerror}") from error


def _check_own_directory(path: str, status: os.stat_result, remedy: str = "") -> None:
    if not stat.S_ISDIR(status.st_mode):
        raise DockerHostError(f"{path} must be a directory{remedy}")
    if status.st_uid != os.geteuid():
        raise DockerHostError(
            f"{path} belongs to user {status.st_uid}, and this task runs as user {os.geteuid()}: run it as the owner"
            f"{remedy}"
        )
    if status.st_mode & stat.S_IWOTH:
        raise DockerHostError(
            f"{path}: everybody may write there (mode {stat.S_IMODE(status.st_mode):04o}), so no key is safe; remove"
            f" that permission (chmod o-w){remedy}"
        )


def replace_file(path: str, content: bytes, mode: int, scratch: str | None = None) -> None:
    """Create or replace a file of this collection by one rename. A link is replaced, not followed.

    :param mode: its permissions, whatever an existing file has.
    :param scratch: an existing directory of the same file system for the temporary file.
    :raises DockerHostError: it cannot be written.
    """
    _replace(path, content, scratch, lambda descriptor: os.fchmod(descriptor, mode))


def update_user_file(path: str, content: bytes, mode: int) -> None:
    """Create or replace a file of the user by one rename. A link stays one; an existing file keeps mode and owner.

    :param mode: permissions of a new file; an existing file's mode is kept where it allows no more than this.
    :raises DockerHostError: it cannot be written.
    """
    path = os.path.realpath(path)
    _replace(path, content, None, lambda descriptor: _keep_mode_and_owner(path, descriptor, mode))


def _replace(path: str, content: bytes, scratch: str | None, prepare: t.Callable[[int], None]) -> None:
    try:
        descriptor, temporary = tempfile.mkstemp(prefix=".docker-host-", dir=scratch or os.path.dirname(path))
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                prepare(file.fileno())
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise
    except OSError as error:
        raise DockerHostError(f"{path} cannot be written: {error.strerror}") from error


def _keep_mode_and_owner(path: str, descriptor: int, mode: int) -> None:
    try:
        current = os.stat(path)
    except FileNotFoundError:
        os.fchmod(descriptor, mode)
        return
    os.fchmod(descriptor, stat.S_IMODE(current.st_mode) & mode)
    if (current.st_uid, current.st_gid) != (os.geteuid(), os.getegid()):
        with contextlib.suppress(PermissionError):
            os.fchown(descriptor, current.st_uid, current.st_gid)


def create_directory(path: str, mode: int) -> None:
    """Create a directory, and those above it that are missing, all with this mode whatever the umask is.

    :raises DockerHostError: it cannot be created.
    """
    missing = []
    while not os.path.isdir(path):
        missing.append(path)
        path = os.path.dirname(path)
    for directory in reversed(missing):
        try:
            with contextlib.suppress(FileExistsError):
                os.mkdir(directory, 0o700)
                os.chmod(directory, mode)
        except OSError as error:
            raise DockerHostError(f"{directory} cannot be created: {error.strerror}") from error


@contextlib.contextmanager
def locked(path: str) -> t.Iterator[None]:
    """Hold an exclusive lock among processes; the file stays, empty.

    :raises DockerHostError: the lock file cannot be created, or is a link, a FIFO or a device.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    try:
        descriptor = os.open(path, flags, 0o600)
    except OSError as error:
        raise DockerHostError(f"{path} cannot be created: {error.strerror}") from error
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise DockerHostError(f"{path} must be a regular file; remove it")
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
