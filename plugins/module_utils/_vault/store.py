# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A set of certificates whose CA is kept in a key vault.

The vault keeps what all users of one CA must share (:data:`_tls.store.SHARED`) and the rotation; everything else stays
in the directory. The directory may be discarded, because its files can be issued again from the CA. A session shows
both as one set. A commit writes the vault first, as :mod:`versioned_secret` explains, and changes the directory only
after that succeeded, so that nothing in the directory was signed by a CA that others do not know.
"""

from __future__ import annotations

import contextlib
import copy
import typing as t

from .._azure.key_vault import SecretVersion
from .._errors import DockerHostError
from .._tls.directory import DirectorySession, DirectoryStore
from .._tls.journal import digest
from .._tls.state import State
from .._tls.store import CA_KEY, CURRENT_CA, SHARED, STATE, Changes, Interrupted, StoredFile, is_retired
from .ca_document import CaDocument
from .versioned_secret import Head, VersionedSecret

MOVED = "move the CA into the key vault"


class VaultStore:
    """See :class:`_tls.store.Store`.

    :param directory: keeps everything but the CA.
    :param secret: keeps the CA.
    """

    def __init__(self, directory: DirectoryStore, secret: VersionedSecret) -> None:
        self.directory = directory
        self.secret = secret
        self.version: str | None = None

    @contextlib.contextmanager
    def reading(self) -> t.Iterator[VaultSession]:
        """Open a session that changes nothing, here or in the vault."""
        head = self.secret.current_head()
        with self.directory.reading() as local:
            yield VaultSession(self, local, head, undecided=head.proposals[0] if head.proposals else None)

    @contextlib.contextmanager
    def writing(self) -> t.Iterator[VaultSession]:
        """Open a session that may commit. It first decides what an interrupted run left undecided in the vault."""
        with self.directory.writing() as local:
            yield VaultSession(self, local, self.secret.decide(self.secret.current_head()))


class _MergedFiles(t.Mapping[str, StoredFile]):
    """The files of a directory, except for those that the vault keeps.

    :param local: the directory's files.
    :param kept: the vault's files, and the record of both.
    """

    def __init__(self, local: t.Mapping[str, StoredFile], kept: t.Mapping[str, StoredFile]) -> None:
        self._local = local
        self._kept = kept

    def __getitem__(self, path: str) -> StoredFile:
        return self._kept[path] if path in SHARED or path in self._kept else self._local[path]

    def __iter__(self) -> t.Iterator[str]:
        yield from self._kept
        yield from (path for path in self._local if path not in SHARED and path not in self._kept)

    def __len__(self) -> int:
        return sum(1 for _path in self)


class VaultSession:
    """See :class:`_tls.store.Session`.

    :param undecided: the version that follows the head's tip as soon as a run accepts it.
    """

    def __init__(
        self, store: VaultStore, local: DirectorySession, head: Head, undecided: SecretVersion | None = None
    ) -> None:
        self._store = store
        self._local = local
        self._head = head
        self._own = State.load(local.files[STATE].data if STATE in local.files else None)
        self._document = self._read(undecided or head.tip)
        self._check_same_ca()
        self.interrupted = Interrupted.COMMIT if undecided else local.interrupted
        self._state = self._merged_state()
        self.files: t.Mapping[str, StoredFile] = self._merged_files()

    @property
    def pending(self) -> t.Sequence[str]:
        """The move of a CA from the directory into the vault, or the removal of its copy in the directory."""
        return [MOVED] if any(path in self._own.files for path in SHARED) or self._takes_over else []

    @property
    def _takes_over(self) -> bool:
        return self._document is None and CA_KEY in self._local.files

    def _read(self, version: SecretVersion | None) -> CaDocument | None:
        self._store.version = version.id if version else None
        if version is None:
            return None
        secret = self._store.secret
        return CaDocument.load(secret.read(version), f"Version {version.id} of {secret.label}")

    def _check_same_ca(self) -> None:
        """Refuse a directory whose own CA is not the one in the vault."""
        if self._document is None or CURRENT_CA not in self._own.files or CURRENT_CA not in self._local.files:
            return
        if self._local.files[CURRENT_CA].data not in self._document.files.values():
            root = self._store.directory.root
            raise DockerHostError(
                f"{root} has a CA of its own, which is not the one in {self._store.secret.label}. Hosts trust one of"
                " them and would be cut off by the other: choose another O(cert_dir) for the vault's CA, or another"
                " O(key_vault_secret) for this one."
            )

    def _merged_state(self) -> State:
        state = copy.deepcopy(self._own)
        if self._document is not None:
            state.files = {path: value for path, value in state.files.items() if path not in SHARED}
            state.files |= {path: digest(data) for path, data in self._document.files.items()}
            state.is_own, state.rotation = self._document.is_own, self._document.rotation
        return state

    def _merged_files(self) -> t.Mapping[str, StoredFile]:
        if self._document is None:
            return self._local.files
        shared = {path: StoredFile(data) for path, data in self._document.files.items()}
        return _MergedFiles(self._local.files, {**shared, STATE: StoredFile(self._state.dump())})

    def commit(self, changes: Changes) -> dict[str, str]:
        """See :class:`_tls.store.Session`.

        :raises Outdated: another run changed the vault after this session read it; nothing was changed here.
        """
        files = {path: self.files[path] for path in (*SHARED, STATE) if path in self.files}
        files = {path: stored for path, stored in files.items() if path not in changes.removes} | changes.puts
        state = State.load(files[STATE].data) if STATE in files else State()
        desired = CaDocument.of(files, state)
        if desired is None:
            if self._document is not None:
                self._store.secret.delete()
                self._store.version = None
        elif desired != self._document:
            made = self._store.secret.set(desired.dump(), self._head)
            self._store.version = made.id
            self._check_kept(made, desired)
        local = self._local_changes(changes, state)
        return self._local.commit(local) if local else {}

    def _check_kept(self, version: SecretVersion, desired: CaDocument) -> None:
        """Check that the vault really has the CA before the only other copy of its key is removed."""
        if any(path in self._local.files for path in SHARED):
            secret = self._store.secret
            if CaDocument.load(secret.vault.value(secret.name, version.id), secret.label) != desired:
                raise DockerHostError(
                    f"{secret.label} does not return the value that was written to it; nothing was changed here"
                )

    def _local_changes(self, changes: Changes, state: State) -> Changes:
        """Return the part of a commit that concerns the directory."""

        def stays(path: str) -> bool:
            return path not in SHARED and path != STATE and not is_retired(path)

        puts = {path: stored for path, stored in changes.puts.items() if stays(path)}
        removes = [path for path in changes.removes if stays(path)]
        moved = [path for path in SHARED if path in self._local.files and path in self._ours(state)]
        own = State({path: value for path, value in state.files.items() if stays(path)}, names=state.names)
        local = Changes(puts, [*removes, *moved], {path for path in changes.keep if stays(path)}, changes.dissolve)
        if changes.dissolve:
            local.removes += [STATE] if STATE in self._local.files else []
        elif own != self._own:
            local.put_private(STATE, own.dump())
        return local

    def _ours(self, state: State) -> set[str]:
        """Return the paths in the directory that the module owns by its record there, or has just adopted."""
        return {*self._own.files, *(state.files if self._document is None else ())}
