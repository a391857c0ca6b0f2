# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One run's view of a set: what is there, what is to change."""

from __future__ import annotations

import copy
import typing as t
from dataclasses import dataclass, field
from datetime import datetime

from .._diff import Differences
from .._errors import DockerHostError
from . import keys
from .journal import digest
from .options import Options
from .state import State
from .store import SHARED, STATE, Changes, StoredFile

OPEN_TO_OTHERS = 0o077


@dataclass
class ChangeSet:
    """The changes of one run while they are being decided.

    A prediction decides the same changes as a real one, but its keys are throw-away keys: nothing of
    it is ever written.

    :param files: the set as it is.
    :param state: the record as it will be.
    :param dry: a prediction.
    :param shown: its fields are shown in a diff; else a prediction need not sign anything.
    """

    options: Options
    files: t.Mapping[str, StoredFile]
    before: State
    now: datetime
    dry: bool
    shown: bool = True
    changes: Changes = field(default_factory=Changes)
    actions: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    differences: Differences = field(default_factory=Differences)
    foreign: list[str] = field(default_factory=list)
    adopted: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    ca_changes: bool = False
    state: State = field(init=False)
    _stand_in: keys.PrivateKey | None = None

    def __post_init__(self) -> None:
        self.state = copy.deepcopy(self.before)

    def note_ca_change(self, action: str) -> None:
        """Note a change that everybody who uses the CA sees, for example ``ca: renewed ...``."""
        self.actions.append(action)
        self.ca_changes = True

    @property
    def changed(self) -> bool:
        """Whether the run reports a change.

        Certificates in a directory that is discarded with the job change nothing for anybody when the CA is kept
        elsewhere: the next job issues them again.
        """
        options = self.options
        only_for_this_job = options.temporary and options.has_outside_ca and not options.absent
        return bool(self.changes) and (self.ca_changes or not only_for_this_job)

    def new_key(self, key_type: str) -> keys.PrivateKey:
        """A new key; in a prediction one that is quick to make."""
        if not self.dry:
            return keys.generate(key_type)
        if self._stand_in is None:
            self._stand_in = keys.generate(keys.DEFAULT_KEY_TYPE)
        return self._stand_in

    def key_pem(self, key: keys.PrivateKey, passphrase: str | None) -> bytes:
        """The text of a key. Encrypting is slow on purpose, and nobody reads a prediction's."""
        return keys.to_pem(key, None if self.dry else passphrase)

    def data(self, path: str) -> bytes | None:
        """The content of a file as it will be, ``None`` when there will be none."""
        if path in self.changes.puts:
            return self.changes.puts[path].data
        if path in self.changes.removes or path not in self.files:
            return None
        return self.files[path].data

    def where(self, path: str) -> str:
        """Where a file of the set is, in words."""
        if self.options.vault and path in SHARED:
            return f"{path.rpartition('/')[2]} in {self.options.vault}"
        return f"{self.options.cert_dir}/{path}"

    @property
    def place(self) -> str:
        """Where the CA is, in words."""
        return self.options.vault or self.options.cert_dir

    def is_foreign(self, path: str) -> bool:
        """Whether something stands there that the module neither wrote nor adopted."""
        return path in self.files and not self.before.owns(path)

    def put(self, path: str, data: bytes, *, private: bool = False) -> bool:
        """Have this content at a path; tell whether that is a change.

        Somebody else's file is in the way unless it has this content or ``adopt`` is given.
        """
        present = self.files.get(path)
        if present is not None and present.data == data:
            if private and present.mode & OPEN_TO_OTHERS:
                self.changes.put_private(path, data)
                self.actions.append(f"{path}: no longer accessible to other users (mode was {present.mode:04o})")
            self.state.files[path] = digest(data)
            return False
        if present is not None:
            if self.is_foreign(path) and not self.options.adopt:
                self.foreign.append(path)
                return False
            if self.options.backup or not self.before.is_as_written(path, present.data):
                self.changes.keep.add(path)
        if private:
            self.changes.put_private(path, data)
        else:
            self.changes.put_public(path, data)
        self.state.files[path] = digest(data)
        return True

    def claim(self, path: str) -> None:
        """Take what stands at a path as ours, unchanged but for a key's mode."""
        present = self.files.get(path)
        if present is None:
            return
        if self.is_foreign(path):
            if not self.options.adopt:
                self.foreign.append(path)
                return
            if path not in self.adopted:
                self.adopted.append(path)
        self.put(path, present.data, private=path.endswith("key.pem"))

    def remove(self, path: str) -> bool:
        """Have nothing at a path, if what is there is ours; tell whether that is a change."""
        if path not in self.files or not self.before.owns(path):
            self.state.files.pop(path, None)
            return False
        if self.options.backup or not self.before.is_as_written(path, self.files[path].data):
            self.changes.keep.add(path)
        self.changes.removes.append(path)
        self.state.files.pop(path, None)
        return True

    def finish(self) -> Changes:
        """The changes with the record of them.

        :raises DockerHostError: somebody else's files are in the way.
        """
        if self.foreign:
            raise self._foreign_error()
        if self.adopted:
            self.actions.append(f"took over {', '.join(self.adopted)}")
        if self.changes.dissolve:
            if STATE in self.files:
                self.changes.removes.append(STATE)
        elif self.state != self.before:
            self.changes.put_private(STATE, self.state.dump())
        return self.changes

    def _foreign_error(self) -> DockerHostError:
        files = sorted(dict.fromkeys(self.foreign))
        named = ", ".join(f"{self.options.cert_dir}/{path}" for path in files)
        faults = list(dict.fromkeys(self.faults))
        if faults:
            way = f"they cannot be taken over with O(adopt=true), because {'; '.join(faults)}"
        else:
            way = "set O(adopt=true) to take them over as they are"
        return DockerHostError(
            f"Files that this module did not create are in the way: {named}."
            f" Choose another O(cert_dir), or, if these files are yours to use here, {way}."
            if not faults
            else f"Files that this module did not create are in the way: {named}. Choose another O(cert_dir): {way}.",
            foreign_files=[f"{self.options.cert_dir}/{path}" for path in files],
        )
