# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A set of certificates in a directory: lock, looking, atomic commit. Private to this collection.

How a commit is made so that nothing is lost is told in :mod:`journal`.
"""

from __future__ import annotations

import contextlib
import os
import posixpath
import stat
import time
import typing as t

from .._backend import silent
from .._errors import DockerHostError
from .filesystem import FileSystem
from .journal import JOURNAL_DRAFT, STAGE, Commit, apply, describe, explained, read_journal, recover
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
    Changes,
    Interrupted,
    StoredFile,
)

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
        self._files = files
        self._patience = patience
        self._progress = progress

    def path(self, relative: str) -> str:
        """The absolute path of one of the set's files."""
        return os.path.join(self.root, *relative.split("/")) if relative else self.root

    @contextlib.contextmanager
    def reading(self) -> t.Iterator[DirectorySession]:
        """See :class:`store.Store`. A pending journal is looked through, not finished."""
        while True:
            self._check_root()
            with explained(self.root, "cannot be read"):
                descriptor = self._lock_shared()
            try:
                with explained(self.root, "cannot be read"):
                    session = DirectorySession(self, self._files)
                    was_locked = self._was_locked(descriptor)
                if not was_locked:
                    continue  # Somebody began meanwhile; what was read may be half of two sets.
                yield session
                return
            finally:
                if descriptor is not None:
                    self._files.close(descriptor)

    @contextlib.contextmanager
    def writing(self) -> t.Iterator[DirectorySession]:
        """See :class:`store.Store`."""
        self._check_root()
        with explained(self.root, "cannot be made ready for certificates"):
            self._make_root()
            descriptor = self._lock_exclusive()
        try:
            with explained(self.root, "an interrupted run could not be finished"):
                recover(self, self._files)
            yield DirectorySession(self, self._files)
        finally:
            self._files.close(descriptor)

    def _check_root(self) -> None:
        try:
            status = os.stat(self.root)
        except FileNotFoundError:
            if os.path.islink(self.root):
                raise DockerHostError(f"{self.root}: it is a symbolic link that leads nowhere") from None
            return
        except OSError as error:
            raise DockerHostError(f"{self.root}: {describe(error)}") from error
        if not stat.S_ISDIR(status.st_mode):
            raise DockerHostError(f"{self.root}: it is no directory; choose another cert_dir")
        if status.st_uid != os.geteuid():
            raise DockerHostError(
                f"{self.root}: the directory belongs to user {status.st_uid} and this task runs as user {os.geteuid()};"
                " run it as the owner (become_user), or choose another cert_dir"
            )
        if status.st_mode & stat.S_IWOTH:
            raise DockerHostError(
                f"{self.root}: everybody may write there (mode {stat.S_IMODE(status.st_mode):04o}), so no key is safe;"
                " take that right away (chmod o-w), or choose another cert_dir"
            )

    def _make_root(self) -> None:
        missing = []
        path = self.root
        while path and self._files.status(path) is None and path != os.path.dirname(path):
            missing.append(path)
            path = os.path.dirname(path)
        for path in [*reversed(missing), self.path(PRIVATE)]:
            with contextlib.suppress(FileExistsError):
                self._files.make_directory(path)
        self.check_kind(PRIVATE, directory=True)

    def _lock_shared(self) -> int | None:
        lock = self.path(LOCK)
        self.check_kind(PRIVATE, directory=True)
        if self._files.status(lock) is None:
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
        """Whether nobody can have changed anything since the lock was taken."""
        if descriptor is None:
            return self._files.status(self.path(LOCK)) is None
        return self._files.is_current(descriptor, self.path(LOCK))

    def _lock_exclusive(self) -> int:
        while True:
            try:
                descriptor = self._files.open_lock(self.path(LOCK))
            except FileNotFoundError:
                self._make_root()  # A run that removed everything was just here.
                continue
            self._wait_for_lock(descriptor, shared=False)
            if self._files.is_current(descriptor, self.path(LOCK)):
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
                    f"{self.path(LOCK)}: another run has held this directory for {int(waited)} s;"
                    " try again when it has ended"
                )
            if not told and waited > 2:
                told = True
                self._progress(f"{self.root}: waiting for another run that works on these certificates")
            time.sleep(LOCK_INTERVAL)

    def check_kind(self, relative: str, *, directory: bool) -> os.stat_result | None:
        """What stands at a path, ``None`` when nothing does.

        :raises DockerHostError: a link, or a thing of another kind.
        """
        path = self.path(relative)
        status = self._files.status(path)
        if status is None:
            return None
        if stat.S_ISLNK(status.st_mode):
            raise DockerHostError(
                f"{path}: it is a symbolic link, and nothing is read or written through it; put the file itself there,"
                " or choose another cert_dir"
            )
        if directory and not stat.S_ISDIR(status.st_mode):
            raise DockerHostError(f"{path}: it is no directory; move it away, or choose another cert_dir")
        if not directory and not stat.S_ISREG(status.st_mode):
            raise DockerHostError(f"{path}: it is no regular file; move it away, or choose another cert_dir")
        return status


class DirectorySession:
    """See :class:`store.Session`."""

    def __init__(self, store: DirectoryStore, files: FileSystem) -> None:
        self._store = store
        self._files = files
        self.interrupted = Interrupted.NOTHING
        self.pending: t.Sequence[str] = ()
        self.files: dict[str, StoredFile] = self._load()

    def _load(self) -> dict[str, StoredFile]:
        loaded: dict[str, StoredFile] = {}
        for relative in self._paths():
            stored = self._read(relative)
            if stored is not None:
                loaded[relative] = stored
        pending = read_journal(self._store, self._files)
        if pending is None:
            if any(self._files.status(self._store.path(relative)) for relative in (STAGE, JOURNAL_DRAFT)):
                self.interrupted = Interrupted.LEFTOVERS
            return loaded
        self.interrupted = Interrupted.COMMIT
        for entry in pending["puts"]:
            staged = self._read(f"{STAGE}/{entry['stage']}")
            if staged is not None:
                loaded[entry["path"]] = staged
        for relative in pending["removes"]:
            loaded.pop(relative, None)
        return loaded

    def _paths(self) -> t.Iterator[str]:
        yield from (CA, CA_KEY, CERT, KEY, REQUEST)
        for kind in (SERVERS, CLIENTS):
            if self._store.check_kind(kind, directory=True) is None:
                continue
            for name in self._files.names(self._store.path(kind)):
                status = self._files.status(self._store.path(f"{kind}/{name}"))
                if status is not None and not stat.S_ISREG(status.st_mode):
                    self._store.check_kind(f"{kind}/{name}", directory=True)
                    yield from (f"{kind}/{name}/{file}" for file in (CA, CERT, KEY, REQUEST))
        if self._store.check_kind(PRIVATE, directory=True) is not None:
            for relative in (STATE, CURRENT_CA, NEXT_CA, NEXT_CA_KEY):
                self._store.check_kind(posixpath.dirname(relative), directory=True)
                yield relative

    def _read(self, relative: str) -> StoredFile | None:
        status = self._store.check_kind(relative, directory=False)
        if status is None:
            return None
        path = self._store.path(relative)
        try:
            return StoredFile(self._files.read(path), stat.S_IMODE(status.st_mode))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise DockerHostError(f"{path}: it cannot be read: {describe(error)}") from error

    def commit(self, changes: Changes) -> dict[str, str]:
        """See :class:`store.Session`."""
        made = Commit(self._store, self._files)
        with explained(self._store.root, "nothing was changed"):
            try:
                journal = made.prepare(changes)
            except BaseException:
                made.undo()
                raise
        with explained(self._store.root, "the change is begun; run the task again to finish it"):
            made.settle()
            apply(self._store, self._files, journal)
            if changes.dissolve:
                self._dissolve()
        return made.kept

    def _dissolve(self) -> None:
        """Remove the book-keeping when it holds nothing but the lock."""
        if self._files.names(self._store.path(PRIVATE)) == [posixpath.basename(LOCK)]:
            self._files.remove(self._store.path(LOCK))
            with contextlib.suppress(OSError):
                self._files.remove_directory(self._store.path(PRIVATE))
