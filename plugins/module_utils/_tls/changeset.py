# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One run's view of a set of certificates: its current files and the changes to them."""

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

    In check mode the same changes are decided with throw-away keys, and nothing is written.

    :param files: the current files of the set.
    :param state: the record after the run.
    :param dry: whether the changes are only predicted.
    :param shown: whether a diff shows the fields of certificates; otherwise a prediction need not sign anything.
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
        """Note a change that everybody who uses the CA sees, for example ``renew the CA ...``."""
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
        """Return a new key; in a prediction, one that is quick to generate."""
        if not self.dry:
            return keys.generate(key_type)
        if self._stand_in is None:
            self._stand_in = keys.generate(keys.DEFAULT_KEY_TYPE)
        return self._stand_in

    def key_pem(self, key: keys.PrivateKey, passphrase: str | None) -> bytes:
        """Return the text of a key. In a prediction it is not encrypted, because that is slow and nobody reads it."""
        return keys.to_pem(key, None if self.dry else passphrase)

    def data(self, path: str) -> bytes | None:
        """Return the content of a file after the run, ``None`` if it will not exist."""
        if path in self.changes.puts:
            return self.changes.puts[path].data
        if path in self.changes.removes or path not in self.files:
            return None
        return self.files[path].data

    def where(self, path: str) -> str:
        """Return where a file of the set is, in words."""
        if self.options.vault and path in SHARED:
            return f"{path.rpartition('/')[2]} in {self.options.vault}"
        return f"{self.options.cert_dir}/{path}"

    @property
    def place(self) -> str:
        """Where the CA is, in words."""
        return self.options.vault or self.options.cert_dir

    def is_foreign(self, path: str) -> bool:
        """Return whether a file exists at the path that the module neither wrote nor adopted."""
        return path in self.files and not self.before.owns(path)

    def put(self, path: str, data: bytes, *, private: bool = False) -> bool:
        """Set the content of a path, and return whether that is a change.

        Somebody else's file is in the way unless it has this content or ``adopt`` is given.
        """
        present = self.files.get(path)
        if present is not None and present.data == data:
            if private and present.mode & OPEN_TO_OTHERS:
                self.changes.put_private(path, data)
                self.actions.append(f"withdraw access to {path} from other users (mode was {present.mode:04o})")
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
        """Adopt the file at a path. Its content stays, and a key's mode becomes private."""
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
        """Remove the file at a path if the module owns it, and return whether that is a change."""
        if path not in self.files or not self.before.owns(path):
            self.state.files.pop(path, None)
            return False
        if self.options.backup or not self.before.is_as_written(path, self.files[path].data):
            self.changes.keep.add(path)
        self.changes.removes.append(path)
        self.state.files.pop(path, None)
        return True

    def finish(self) -> Changes:
        """Return the changes, including the updated record.

        :raises DockerHostError: somebody else's files are in the way.
        """
        if self.foreign:
            raise self._foreign_error()
        if self.adopted:
            self.actions.append(f"take over {', '.join(self.adopted)}")
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
