# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files below a certificate directory, by their relative paths."""

from __future__ import annotations

import os
import posixpath
import stat
import typing as t

from .._errors import DockerHostError
from .._ownership import check_entry
from .filesystem import FileSystem
from .os_errors import describe, explained
from .store import (
    CA,
    CA_KEY,
    CERT,
    CLIENTS,
    CURRENT_CA,
    KEY,
    NEXT_CA,
    NEXT_CA_KEY,
    PRIVATE,
    REQUEST,
    SERVERS,
    STATE,
    StoredFile,
)


class CertificateTree:
    """A certificate directory.

    :param root: its absolute path. It need not exist.
    :param files: the file system's calls.
    """

    def __init__(self, root: str, files: FileSystem) -> None:
        self.root = root
        self.files = files

    def path(self, relative: str) -> str:
        """Return the absolute path of one of the set's files."""
        return os.path.join(self.root, *relative.split("/")) if relative else self.root

    def check_kind(self, relative: str, *, directory: bool) -> os.stat_result | None:
        """Return the status of a file or directory, ``None`` if it does not exist.

        :raises DockerHostError: it is a link, of another kind, or somebody else's.
        """
        path = self.path(relative)
        status = self.files.status(path)
        if status is None:
            return None
        if stat.S_ISLNK(status.st_mode):
            raise DockerHostError(
                f"{path}: it is a symbolic link, and nothing is read or written through it; put the file itself there,"
                " or choose another O(cert_dir)"
            )
        if directory and not stat.S_ISDIR(status.st_mode):
            raise DockerHostError(f"{path}: it is not a directory; move it away, or choose another O(cert_dir)")
        if not directory and not stat.S_ISREG(status.st_mode):
            raise DockerHostError(f"{path}: it is not a regular file; move it away, or choose another O(cert_dir)")
        # A key that others can write to is taken away from them, and what it contains is checked.
        check_entry(path, status, may_be_writable=not directory and not relative.startswith(f"{PRIVATE}/"))
        return status

    def check_parents(self, relative: str) -> bool:
        """Return whether the directories above a path exist.

        :raises DockerHostError: one of them is a link, or not a directory.
        """
        return all(self.check_kind(parent, directory=True) is not None for parent in parents_of(relative))

    def read(self, relative: str) -> StoredFile | None:
        """Return a file's content and mode, ``None`` if it does not exist.

        :raises DockerHostError: the file cannot be read, or something else is at its path.
        """
        with explained(self.root, "cannot be read"):
            status = self.check_kind(relative, directory=False) if self.check_parents(relative) else None
        if status is None:
            return None
        path = self.path(relative)
        try:
            return StoredFile(self.files.read(path), stat.S_IMODE(status.st_mode))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise DockerHostError(f"{path}: it cannot be read: {describe(error)}") from error


def parents_of(relative: str) -> list[str]:
    """Return the directories above a relative path, the outermost first."""
    parts = relative.split("/")
    return ["/".join(parts[:depth]) for depth in range(1, len(parts))]


class SetFiles(t.Mapping[str, StoredFile]):
    """The files that belong to a set of certificates, each read at its first use.

    :param replaced: content of an interrupted commit by relative path, ``None`` for a file that it removes.
    """

    def __init__(self, tree: CertificateTree, replaced: t.Mapping[str, StoredFile | None]) -> None:
        self._tree = tree
        self._known: dict[str, StoredFile | None] = dict(replaced)
        self._is_complete = False

    def read_all(self) -> None:
        """Read every file now. A file that does not exist at this moment counts as absent from then on."""
        list(self)
        self._is_complete = True

    def __getitem__(self, relative: str) -> StoredFile:
        if relative not in self._known and not self._is_complete:
            self._known[relative] = self._tree.read(relative)
        stored = self._known.get(relative)
        if stored is None:
            raise KeyError(relative)
        return stored

    def __iter__(self) -> t.Iterator[str]:
        with explained(self._tree.root, "cannot be read"):
            paths = dict.fromkeys([*(() if self._is_complete else self._layout()), *self._known])
        return (relative for relative in paths if relative in self)

    def __len__(self) -> int:
        return sum(1 for _path in self)

    def _layout(self) -> t.Iterator[str]:
        """Yield every path that docker's layout or the record defines, if its directory exists."""
        yield from (CA, CA_KEY, CERT, KEY, REQUEST, STATE, CURRENT_CA, NEXT_CA, NEXT_CA_KEY)
        for kind in (SERVERS, CLIENTS):
            if self._tree.check_kind(kind, directory=True) is None:
                continue
            for name in self._tree.files.names(self._tree.path(kind)):
                status = self._tree.files.status(self._tree.path(f"{kind}/{name}"))
                if status is not None and not stat.S_ISREG(status.st_mode):
                    yield from (posixpath.join(kind, name, file) for file in (CA, CERT, KEY, REQUEST))
