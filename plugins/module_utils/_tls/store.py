# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a set of certificates is kept: the contract.

A store hands out sessions. A session shows every file of the set by its relative path and commits
changes as a whole. :mod:`directory` keeps the set in a directory in docker's layout; another store may keep a part of
it elsewhere, which the task is given from outside.
"""

from __future__ import annotations

import contextlib
import enum
import re
import typing as t
from dataclasses import dataclass, field

from .._errors import DockerHostError
from .filesystem import PRIVATE_FILE, PUBLIC_FILE

# Our own book-keeping, beside docker's files. Relative paths are written with "/" everywhere.
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
"""What all who use one CA must have in common, together with the rotation in the state."""


def retired(fingerprint: str, name: str) -> str:
    """Where a file of a CA is kept that is no longer in use."""
    return f"{PRIVATE}/retired/{fingerprint}/{name}"


RETIRED_CA = re.compile(rf"{re.escape(PRIVATE)}/retired/[0-9a-f]{{64}}/({re.escape(CA)}|{re.escape(CA_KEY)})\Z")


def is_retired(path: str) -> bool:
    """Whether a path is one of :func:`retired`."""
    return path.startswith(f"{PRIVATE}/retired/")


class Outdated(DockerHostError):  # noqa: N818 - not a failure, but a reason to start again
    """Somebody else changed the set since the session looked at it: nothing was changed, and it has to look again."""


@dataclass(frozen=True)
class StoredFile:
    """A file of the set.

    :param mode: its permission bits.
    """

    data: bytes
    mode: int = PRIVATE_FILE


@dataclass
class Changes:
    """What a run wants to write and remove, as a whole or not at all.

    :param puts: new content by relative path.
    :param removes: relative paths that are to go.
    :param keep: relative paths whose old content is kept under another name.
    :param dissolve: nothing of the set is left; the book-keeping may go too.
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
    """What an earlier run left: nothing, something to clean up, or a commit that is to be finished."""

    NOTHING = 0
    LEFTOVERS = 1
    COMMIT = 2


class Session(t.Protocol):
    """The set as it is. In a writing session nobody else changes it."""

    @property
    def files(self) -> t.Mapping[str, StoredFile]:
        """Every file that belongs into a set of certificates, ours or not, as it is once an interrupted commit is
        finished."""

    @property
    def interrupted(self) -> Interrupted:
        """What a run left that was ended in the middle."""

    @property
    def pending(self) -> t.Sequence[str]:
        """What the store itself has to do at the next commit, one line each; it needs one even without changes."""

    def commit(self, changes: Changes) -> dict[str, str]:
        """Make all changes, durably. Returns the names that kept files have now, by relative path.

        :raises Outdated: look again.
        :raises DockerHostError: it failed; nothing was changed, or the next session finishes it.
        """


class Store(t.Protocol):
    """Keeps one set of certificates."""

    def reading(self) -> contextlib.AbstractContextManager[Session]:
        """A session that changes nothing, not even the directory's times."""

    def writing(self) -> contextlib.AbstractContextManager[Session]:
        """A session that may commit. It first finishes what an interrupted one began.

        :raises DockerHostError: the store cannot be written, or somebody else holds it for too long.
        """
