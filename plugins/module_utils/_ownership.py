# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Directories and files that hold keys: only their user (and root) may replace what is in them.

A path is as safe as each directory on the way to it: a user who can rename an entry of one of them, or put a symbolic
link in its place, decides what is read and written at the end. If nobody else can, nothing changes between a check and
the use of the path.
"""

from __future__ import annotations

import contextlib
import grp
import os
import pwd
import stat
import typing as t

from ._errors import DockerHostError

ROOT = 0
MOST_LINKS = 40
"""As many as Linux follows in one path (path_resolution(7))."""


def has_trusted_owner(status: os.stat_result) -> bool:
    """Return whether a file or directory belongs to the user of this process, or to root."""
    return status.st_uid in (os.geteuid(), ROOT)


def other_writers(status: os.stat_result) -> str | None:
    """Return who else can write to a file or directory, in words; ``None`` when nobody can.

    The group of root, and the group that many distributions create for each user alone, count as the owner.
    """
    mode = f"mode {stat.S_IMODE(status.st_mode):04o}"
    if status.st_mode & stat.S_IWOTH:
        return f"everybody can write there ({mode})"
    if status.st_mode & stat.S_IWGRP and status.st_gid != ROOT and not _is_private_group(status):
        return f"the group {status.st_gid} can write there ({mode})"
    return None


def _is_private_group(status: os.stat_result) -> bool:
    try:
        owner, group = pwd.getpwuid(status.st_uid).pw_name, grp.getgrgid(status.st_gid)
    except KeyError:
        return False
    return group.gr_name == owner and set(group.gr_mem) <= {owner}


def check_parents(path: str) -> None:
    """Refuse a path that somebody else could redirect.

    Every directory above the path, and every symbolic link on the way, must belong to the user or to root. Nobody else
    may write to one of the directories, unless its sticky bit protects what others own, as in ``/tmp``.

    :param path: an absolute path, which need not exist.
    :raises DockerHostError: somebody else could put another directory in its place.
    """
    current, links = "/", 0
    pending = _parts(path)
    while pending:
        _check_parent(path, current)
        name = pending.pop(0)
        current = os.path.dirname(current) if name == ".." else os.path.join(current, name)
        try:
            status = os.lstat(current)
        except (FileNotFoundError, NotADirectoryError):
            return
        if stat.S_ISLNK(status.st_mode):
            links += 1
            if not has_trusted_owner(status):
                raise DockerHostError(f"{path}: {current} is a symbolic link of user {status.st_uid}; use another path")
            if links > MOST_LINKS:
                raise DockerHostError(f"{path}: too many symbolic links lead there")
            target = os.readlink(current)
            current = "/" if target.startswith("/") else os.path.dirname(current)
            pending = _parts(target) + pending


def _parts(path: str) -> list[str]:
    return [part for part in path.split("/") if part not in ("", ".")]


def _check_parent(path: str, directory: str) -> None:
    status = os.stat(directory)
    if not has_trusted_owner(status):
        raise DockerHostError(
            f"{path}: the directory {directory} belongs to user {status.st_uid}, who could replace what is in it; use a"
            " path below a directory of your own"
        )
    writers = other_writers(status)
    if writers and not status.st_mode & stat.S_ISVTX:
        raise DockerHostError(
            f"{path}: {directory} is not safe, because {writers} and could replace what is in it; remove that"
            " permission (chmod go-w), or use another path"
        )


def check_directory(path: str) -> None:
    """Refuse a directory in which somebody else could read, replace or redirect a key.

    :param path: its absolute path. It need not exist; then only the directories above it are checked.
    :raises DockerHostError: it, or a directory above it, is not safe.
    """
    check_parents(path)
    try:
        status = os.stat(path)
    except FileNotFoundError:
        if os.path.islink(path):
            raise DockerHostError(f"{path}: it is a symbolic link to a path that does not exist") from None
        return
    if not stat.S_ISDIR(status.st_mode):
        raise DockerHostError(f"{path}: it is not a directory; use another path")
    if status.st_uid != os.geteuid():
        raise DockerHostError(
            f"{path}: the directory belongs to user {status.st_uid} and this task runs as user {os.geteuid()}; run it"
            " as the owner (become_user), or use another directory"
        )
    writers = other_writers(status)
    if writers:
        raise DockerHostError(
            f"{path}: {writers}, so no key is safe; remove that permission (chmod go-w), or use another directory"
        )


def check_file(path: str) -> None:
    """Refuse an existing file that somebody else could replace or change, and whatever is not a regular file.

    :param path: its absolute path; a link is followed if nobody else can change it.
    :raises DockerHostError: it is not safe, or a FIFO, a device, a directory or a link to nothing.
    """
    check_parents(path)
    try:
        status = os.stat(path)
    except FileNotFoundError:
        raise DockerHostError(f"{path}: it is a symbolic link to a path that does not exist") from None
    if not stat.S_ISREG(status.st_mode):
        raise DockerHostError(f"{path}: it must be a regular file; use another path")
    check_entry(path, status)


@contextlib.contextmanager
def opened_directory(path: str) -> t.Iterator[int]:
    """Check and open a directory, and yield its descriptor.

    What is done relative to the descriptor is done in the directory that was checked, whatever its path becomes.

    :param path: its absolute path.
    :raises DockerHostError: somebody else could read, replace or redirect what is in it.
    :raises OSError: it cannot be opened.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        check_directory(path)
        if not os.path.samestat(os.stat(path), os.fstat(descriptor)):
            raise DockerHostError(f"{path}: another directory was put in its place meanwhile; run the task again")
        yield descriptor
    finally:
        os.close(descriptor)


def check_entry(path: str, status: os.stat_result, *, may_be_writable: bool = False) -> None:
    """Refuse a file or directory, in a directory that holds keys, that somebody else made or can change.

    :param status: its status, links not followed.
    :param may_be_writable: the permissions do not matter, because the content is checked on its own.
    :raises DockerHostError: it does not belong to the user, or others can write to it.
    """
    if not has_trusted_owner(status):
        raise DockerHostError(
            f"{path}: it belongs to user {status.st_uid} and not to user {os.geteuid()}, who runs this task; move it"
            " away"
        )
    writers = None if may_be_writable else other_writers(status)
    if writers:
        raise DockerHostError(f"{path}: {writers}; remove that permission (chmod go-w)")
