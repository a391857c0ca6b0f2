# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Change several files as one.

A commit first writes every new file below ``.docker-tls-certs/stage`` and makes the directories and
backups that are needed: whatever can fail for want of space or rights fails there, and is undone.
The commit point is the rename of ``journal.json``. What follows are renames and removals that can be
repeated: a run that was ended in the middle of them is finished by the next.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import re
import typing as t
from concurrent.futures import ThreadPoolExecutor

from .._errors import DockerHostError
from .filesystem import PRIVATE_FILE, write_all
from .identities import is_set_path
from .store import PRIVATE, Changes, StoredFile
from .times import utc_now
from .tree import CertificateTree, parents_of

STAGE = f"{PRIVATE}/stage"
STAGED = re.compile(r"[0-9]{1,9}\Z")
JOURNAL = f"{PRIVATE}/journal.json"
JOURNAL_NEW = f"{PRIVATE}/journal.new"
# More files than this are brought to the disk side by side: a file system joins what comes together.
MANY_FILES = 32
SIDE_BY_SIDE = 8


class Commit:
    """The files that a commit creates before its commit point, so that it can be undone."""

    def __init__(self, tree: CertificateTree) -> None:
        self._tree = tree
        self._files = tree.files
        self._directories: list[str] = []
        self._created: list[str] = []
        self.kept: dict[str, str] = {}

    def prepare(self, changes: Changes) -> dict[str, t.Any]:
        """Write the new files and the journal; the last step is the commit point."""
        self._directory(STAGE)
        puts = []
        for number, (relative, new) in enumerate(changes.puts.items()):
            self._parents(relative)
            self._create(f"{STAGE}/{number}", new, sync=False)
            puts.append({"stage": str(number), "path": relative})
        stamp = utc_now().strftime("%Y%m%dT%H%M%SZ")
        for relative in sorted(changes.keep):
            self._keep(relative, stamp)
        staged = [f"{STAGE}/{entry['stage']}" for entry in puts]
        sync(self._tree, [*staged, STAGE])
        journal = {"version": 1, "puts": puts, "removes": list(changes.removes)}
        self._create(JOURNAL_NEW, StoredFile(json.dumps(journal).encode()), sync=True)
        self._files.rename(self._tree.path(JOURNAL_NEW), self._tree.path(JOURNAL))
        return journal

    def undo(self) -> None:
        """Remove everything that was created, unless the commit point was reached."""
        with contextlib.suppress(OSError):
            if self._files.status(self._tree.path(JOURNAL)) is not None:
                return
        for relative in [*self._created, *self.kept.values()]:
            with contextlib.suppress(OSError):
                self._files.remove(self._tree.path(relative))
        for relative in reversed(self._directories):
            with contextlib.suppress(OSError):
                self._files.remove_directory(self._tree.path(relative))

    def _directory(self, relative: str) -> None:
        if self._tree.check_kind(relative, directory=True) is None:
            self._files.make_directory(self._tree.path(relative))
            self._directories.append(relative)

    def _parents(self, relative: str) -> None:
        for parent in parents_of(relative):
            self._directory(parent)

    def _create(self, relative: str, new: StoredFile, *, sync: bool) -> None:
        self._created.append(relative)
        write_all(self._files, self._tree.path(relative), new.data, new.mode, sync=sync)

    def _keep(self, relative: str, stamp: str) -> None:
        source = self._tree.path(relative)
        for attempt in range(1000):
            name = f"{relative}.{stamp}{f'.{attempt}' if attempt else ''}~"
            if self._files.status(self._tree.path(name)) is not None:
                continue
            self.kept[relative] = name
            # A link would have the mode of what is replaced, which is wider than a key's where somebody changed it.
            if relative.endswith("key.pem") or not self._link(source, name):
                write_all(self._files, self._tree.path(name), self._files.read(source), PRIVATE_FILE)
            return

    def _link(self, source: str, name: str) -> bool:
        """Give a file a second name, and return whether the file system can do that."""
        try:
            self._files.link(source, self._tree.path(name))
        except OSError as error:
            if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK):
                raise
            return False
        return True

    def settle(self) -> None:
        """Sync the commit point to disk."""
        sync(self._tree, [PRIVATE])


def sync(tree: CertificateTree, relatives: t.Sequence[str]) -> None:
    """Sync files and directories of the set to disk; many of them side by side."""
    paths = [tree.path(relative) for relative in relatives]
    if len(paths) <= MANY_FILES:
        for path in paths:
            _sync_one(tree, path)
        return
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        for done in [pool.submit(_sync_one, tree, path) for path in paths]:
            done.result()


def _sync_one(tree: CertificateTree, path: str) -> None:
    descriptor = tree.files.open_existing(path)
    try:
        tree.files.sync(descriptor)
    finally:
        tree.files.close(descriptor)


def read_journal(tree: CertificateTree) -> dict[str, t.Any] | None:
    """Return the journal of an unfinished commit.

    :raises DockerHostError: this version did not write it.
    """
    if tree.check_kind(JOURNAL, directory=False) is None:
        return None
    tree.check_kind(STAGE, directory=True)
    try:
        journal: dict[str, t.Any] = json.loads(tree.files.read(tree.path(JOURNAL)))
        if journal["version"] == 1 and _is_from_a_commit(journal):
            return journal
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise DockerHostError(
            f"{tree.path(JOURNAL)}: the journal of an interrupted run cannot be read: {error}"
        ) from error
    raise DockerHostError(f"{tree.path(JOURNAL)}: the journal was not written by this version of the collection")


def _is_from_a_commit(journal: dict[str, t.Any]) -> bool:
    """Return whether a commit could have written the journal: it names files of the set, and nothing else."""
    paths = [entry["path"] for entry in journal["puts"]] + list(journal["removes"])
    stages = [entry["stage"] for entry in journal["puts"]]
    return all(is_set_path(path) for path in paths) and all(STAGED.match(stage) for stage in stages)


def recover(tree: CertificateTree) -> None:
    """Finish a commit that reached its commit point, and remove the files of one that did not."""
    journal = read_journal(tree)
    if journal is not None:
        apply(tree, journal)
        return
    leftovers = [JOURNAL_NEW]
    if tree.check_kind(STAGE, directory=True) is not None:
        leftovers += [f"{STAGE}/{name}" for name in tree.files.names(tree.path(STAGE))]
    for relative in leftovers:
        if tree.check_kind(relative, directory=False) is not None:
            tree.files.remove(tree.path(relative))
    if tree.files.status(tree.path(STAGE)) is not None:
        tree.files.remove_directory(tree.path(STAGE))


def apply(tree: CertificateTree, journal: dict[str, t.Any]) -> None:
    """Make the changes that follow the commit point. After an interruption they can be repeated."""
    for relative in [*(entry["path"] for entry in journal["puts"]), *journal["removes"]]:
        tree.check_parents(relative)
    for entry in journal["puts"]:
        staged = tree.path(f"{STAGE}/{entry['stage']}")
        if tree.files.status(staged) is not None:
            tree.files.rename(staged, tree.path(entry["path"]))
    _sync_directories(tree, [entry["path"] for entry in journal["puts"]])
    for relative in journal["removes"]:
        if tree.files.status(tree.path(relative)) is not None:
            tree.files.remove(tree.path(relative))
    _remove_empty_parents(tree, journal["removes"])
    if tree.files.status(tree.path(STAGE)) is not None:
        tree.files.remove_directory(tree.path(STAGE))
    tree.files.remove(tree.path(JOURNAL))


def _sync_directories(tree: CertificateTree, relatives: t.Iterable[str]) -> None:
    """Sync the directories above files: without its journal, nothing repeats a rename that did not reach the disk."""
    directories = {parent for relative in relatives for parent in ("", *parents_of(relative))}
    sync(tree, [parent for parent in sorted(directories) if tree.files.status(tree.path(parent)) is not None])


def digest(data: bytes) -> str:
    """Return the SHA-256 of a file's content, hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def _remove_empty_parents(tree: CertificateTree, removed: t.Iterable[str]) -> None:
    """Remove the directories that the removed files leave empty."""
    parents = {parent for relative in removed for parent in parents_of(relative)}
    for relative in sorted(parents - {PRIVATE}, key=len, reverse=True):
        if tree.files.status(tree.path(relative)) is not None and not tree.files.names(tree.path(relative)):
            tree.files.remove_directory(tree.path(relative))
