# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The interface of the stores that keep a set of certificates.

A store hands out sessions. A session shows every file of the set by its relative path and commits
changes as a whole. :mod:`directory` keeps the set in a directory in docker's layout. The caller of the task may pass
another store, which keeps a part of the set elsewhere.
"""

from __future__ import annotations

import contextlib
import enum
import re
import typing as t
from dataclasses import dataclass, field

from .._errors import DockerHostError
from .filesystem import PRIVATE_FILE, PUBLIC_FILE

# The module's own book-keeping, beside docker's files. Relative paths are written with "/" everywhere.
PRIVATE = ".docker-tls-certs"
STATE = f"{PRIVATE}/state.json"
CURRENT_CA = f"{PRIVATE}/current/ca.pem"
NEXT_CA = f"{PRIVATE}/next/ca.pem"
NEXT_CA_KEY = f"{PRIVATE}/next/ca-key.pem"

CA = "ca.pem"
CA_KEY = "ca-key.pem"
CERT = "cert.pem"
KEY = "key.pem"
REQUEST = "cert.csr"
SERVERS = "servers"
CLIENTS = "clients"


SHARED = (CURRENT_CA, CA_KEY, NEXT_CA, NEXT_CA_KEY)
"""The files that all users of one CA must share, together with the rotation in the state."""


def retired(fingerprint: str, name: str) -> str:
    """Return the path for a file of a CA that is no longer in use."""
    return f"{PRIVATE}/retired/{fingerprint}/{name}"


RETIRED_CA = re.compile(rf"{re.escape(PRIVATE)}/retired/[0-9a-f]{{64}}/({re.escape(CA)}|{re.escape(CA_KEY)})\Z")


def is_retired(path: str) -> bool:
    """Return whether a path is one of :func:`retired`."""
    return path.startswith(f"{PRIVATE}/retired/")


class Outdated(DockerHostError):  # noqa: N818 - not a failure, but a reason to start again
    """Another run changed the set after the session read it. Nothing was changed; the caller must read it again."""


@dataclass(frozen=True)
class StoredFile:
    """A file of the set.

    :param mode: its permission bits.
    """

    data: bytes
    mode: int = PRIVATE_FILE


@dataclass
class Changes:
    """The files that a run wants to write and remove, as a whole or not at all.

    :param puts: new content by relative path.
    :param removes: relative paths of the files to remove.
    :param keep: relative paths of files whose old content is kept under another name.
    :param dissolve: whether nothing of the set is left, so that the book-keeping can be removed as well.
    """

    puts: dict[str, StoredFile] = field(default_factory=dict)
    removes: list[str] = field(default_factory=list)
    keep: set[str] = field(default_factory=set)
    dissolve: bool = False

    def put_public(self, path: str, data: bytes) -> None:
        """Write a certificate or request."""
        self.puts[path] = StoredFile(data, PUBLIC_FILE)

    def put_private(self, path: str, data: bytes) -> None:
        """Write a key, or a part of the book-keeping."""
        self.puts[path] = StoredFile(data, PRIVATE_FILE)

    def __bool__(self) -> bool:
        return bool(self.puts or self.removes)


class Interrupted(enum.Enum):
    """What an earlier run left: nothing, files to clean up, or a commit to finish."""

    NOTHING = 0
    LEFTOVERS = 1
    COMMIT = 2


class Session(t.Protocol):
    """The current files of a set. In a writing session nobody else changes them."""

    @property
    def files(self) -> t.Mapping[str, StoredFile]:
        """Every file of the set, whoever created it, with the changes of an interrupted commit."""

    @property
    def interrupted(self) -> Interrupted:
        """What an interrupted run left."""

    @property
    def pending(self) -> t.Sequence[str]:
        """The changes that the store itself makes at the next commit, one line each. They alone require a commit."""

    def commit(self, changes: Changes) -> dict[str, str]:
        """Make all changes durably, and return the names that kept files have now, by relative path.

        :raises Outdated: another run changed the set; read it again.
        :raises DockerHostError: the commit failed; either nothing was changed, or the next session finishes it.
        """


class Store(t.Protocol):
    """A place that keeps one set of certificates."""

    def reading(self) -> contextlib.AbstractContextManager[Session]:
        """Open a session that changes nothing, not even the directory's times."""

    def writing(self) -> contextlib.AbstractContextManager[Session]:
        """Open a session that may commit. It first finishes an interrupted commit.

        :raises DockerHostError: the store cannot be written, or another run has locked it for too long.
        """
