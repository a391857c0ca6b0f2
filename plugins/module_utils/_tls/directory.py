# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A set of certificates in a directory: locked, read, and changed as a whole.

:mod:`journal` explains how a commit works, so that an interrupted one loses nothing.
"""

from __future__ import annotations

import contextlib
import os
import posixpath
import time
import typing as t

from .._backend import silent
from .._errors import DockerHostError
from .._ownership import check_directory
from .filesystem import FileSystem
from .journal import JOURNAL_NEW, STAGE, Commit, apply, read_journal, recover
from .os_errors import describe, explained
from .store import PRIVATE, Changes, Interrupted, StoredFile
from .tree import CertificateTree, SetFiles

LOCK = f"{PRIVATE}/lock"
LOCK_PATIENCE = 600.0
LOCK_INTERVAL = 0.05


class DirectoryStore:
    """Keeps a set of certificates in a directory, in docker's layout.

    :param root: the directory's absolute path. It need not exist.
    :param patience: seconds to wait for somebody else's lock.
    """

    def __init__(
        self,
        root: str,
        files: FileSystem,
        *,
        patience: float = LOCK_PATIENCE,
        progress: t.Callable[[str], None] = silent,
    ) -> None:
        self.root = root
        self.tree = CertificateTree(root, files)
        self._files = files
        self._patience = patience
        self._progress = progress

    @contextlib.contextmanager
    def reading(self) -> t.Iterator[DirectorySession]:
        """See :class:`store.Store`. The changes of a pending journal are visible, but not carried out."""
        while True:
            with contextlib.ExitStack() as opened:
                with explained(self.root, "cannot be read"):
                    check_directory(self.root)
                    if self._files.status(self.root) is not None:
                        opened.enter_context(self._files.below(self.root))
                    descriptor = self._lock_shared()
                    if descriptor is not None:
                        opened.callback(self._files.close, descriptor)
                    session = DirectorySession(self.tree)
                    if descriptor is None:
                        session.read_all()  # Without a lock, only what is read at once is from one moment.
                    was_locked = self._was_locked(descriptor)
                if not was_locked:
                    continue  # Somebody began meanwhile; what was read may be half of two sets.
                yield session
                return

    @contextlib.contextmanager
    def writing(self) -> t.Iterator[DirectorySession]:
        """See :class:`store.Store`."""
        with contextlib.ExitStack() as opened:
            with explained(self.root, "cannot be made ready for certificates"):
                check_directory(self.root)
                self._make_root()
                # This checks it again: somebody else could have created it meanwhile, below a directory such as /tmp.
                opened.enter_context(self._files.below(self.root))
                opened.callback(self._files.close, self._lock_exclusive())
            with explained(self.root, "an interrupted run could not be finished"):
                recover(self.tree)
            yield DirectorySession(self.tree)

    def _make_root(self) -> None:
        missing = []
        path = self.root
        while path and self._files.status(path) is None and path != os.path.dirname(path):
            missing.append(path)
            path = os.path.dirname(path)
        for path in reversed(missing):
            self._make(path)

    def _make(self, path: str) -> None:
        with contextlib.suppress(FileExistsError):
            self._files.make_directory(path)

    def _lock_shared(self) -> int | None:
        lock = self.tree.path(LOCK)
        self.tree.check_kind(PRIVATE, directory=True)
        if self.tree.check_kind(LOCK, directory=False) is None:
            return None
        try:
            descriptor = self._files.open_existing(lock)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise DockerHostError(f"{lock}: {describe(error)}") from error
        self._wait_for_lock(descriptor, shared=True)
        return descriptor

    def _was_locked(self, descriptor: int | None) -> bool:
        """Return whether the directory was locked all the time, so that nobody can have changed anything."""
        if descriptor is None:
            return self._files.status(self.tree.path(LOCK)) is None
        return self._files.is_current(descriptor, self.tree.path(LOCK))

    def _lock_exclusive(self) -> int:
        while True:
            self._make(self.tree.path(PRIVATE))
            self.tree.check_kind(PRIVATE, directory=True)
            self.tree.check_kind(LOCK, directory=False)
            try:
                descriptor = self._files.open_lock(self.tree.path(LOCK))
            except FileNotFoundError:
                continue  # A run that removed everything was just here.
            self._wait_for_lock(descriptor, shared=False)
            if self._files.is_current(descriptor, self.tree.path(LOCK)):
                return descriptor
            self._files.close(descriptor)

    def _wait_for_lock(self, descriptor: int, *, shared: bool) -> None:
        begun = time.monotonic()
        told = False
        while not self._files.try_lock(descriptor, shared=shared):
            waited = time.monotonic() - begun
            if waited > self._patience:
                self._files.close(descriptor)
                raise DockerHostError(
                    f"{self.tree.path(LOCK)}: another run has held this directory for {int(waited)} s;"
                    " try again when it has ended"
                )
            if not told and waited > 2:
                told = True
                self._progress(f"{self.root}: waiting for another run that works on these certificates")
            time.sleep(LOCK_INTERVAL)


class DirectorySession:
    """See :class:`store.Session`."""

    def __init__(self, tree: CertificateTree) -> None:
        self._tree = tree
        self.interrupted = Interrupted.NOTHING
        self.pending: t.Sequence[str] = ()
        self.files: SetFiles = SetFiles(tree, self._interrupted_commit())

    def _interrupted_commit(self) -> dict[str, StoredFile | None]:
        """Return the changes that the next commit finishes: content by relative path, ``None`` for a removed file."""
        journal = read_journal(self._tree)
        if journal is None:
            stage = self._tree.check_kind(STAGE, directory=True)
            if stage or self._tree.check_kind(JOURNAL_NEW, directory=False):
                self.interrupted = Interrupted.LEFTOVERS
            return {}
        self.interrupted = Interrupted.COMMIT
        replaced: dict[str, StoredFile | None] = dict.fromkeys(journal["removes"])
        for entry in journal["puts"]:
            staged = self._tree.read(f"{STAGE}/{entry['stage']}")
            if staged is not None:
                replaced[entry["path"]] = staged
        return replaced

    def read_all(self) -> None:
        """Read every file of the set now."""
        self.files.read_all()

    def commit(self, changes: Changes) -> dict[str, str]:
        """See :class:`store.Session`."""
        made = Commit(self._tree)
        with explained(self._tree.root, "nothing was changed"):
            try:
                journal = made.prepare(changes)
            except BaseException:
                made.undo()
                raise
        with explained(self._tree.root, "the change was begun; run the task again to finish it"):
            made.settle()
            apply(self._tree, journal)
            if changes.dissolve:
                self._dissolve()
        return made.kept

    def _dissolve(self) -> None:
        """Remove the book-keeping if it contains only the lock."""
        files = self._tree.files
        if files.names(self._tree.path(PRIVATE)) == [posixpath.basename(LOCK)]:
            files.remove(self._tree.path(LOCK))
            with contextlib.suppress(OSError):
                files.remove_directory(self._tree.path(PRIVATE))
