# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The content of one version of the secret: the CA with its key, and a rotation that is not finished.

One value contains all of it, so that certificate, key and phase always match. It does not contain CAs that are no
longer in use: earlier versions of the secret keep them.
"""

from __future__ import annotations

import json
import typing as t
from dataclasses import asdict, dataclass

from .._azure.key_vault import LARGEST_VALUE
from .._errors import DockerHostError
from .._tls.state import Rotation, State
from .._tls.store import CA_KEY, CURRENT_CA, NEXT_CA, NEXT_CA_KEY, SHARED, StoredFile

VERSION = 1
KEYS = {"ca": CURRENT_CA, "ca_key": CA_KEY, "next_ca": NEXT_CA, "next_ca_key": NEXT_CA_KEY}


@dataclass(frozen=True)
class CaDocument:
    """The CA and the state that is stored with it.

    :param files: content by relative path, of the existing files in :data:`_tls.store.SHARED`.
    :param is_own: whether the CA is the user's own, whose key is not kept.
    """

    files: t.Mapping[str, bytes]
    is_own: bool = False
    rotation: Rotation | None = None

    @classmethod
    def of(cls, files: t.Mapping[str, StoredFile], state: State) -> CaDocument | None:
        """Return the document of a set; None if the set has no CA."""
        if CURRENT_CA not in files:
            return None
        shared = {path: files[path].data for path in SHARED if path in files}
        return cls(shared, state.is_own, state.rotation)

    @classmethod
    def load(cls, text: str, where: str) -> CaDocument:
        """Read a secret's value.

        :param where: the secret in words.
        :raises DockerHostError: this version did not write it.
        """
        try:
            raw = json.loads(text)
            if raw["version"] != VERSION:
                raise ValueError("its format is not the one of this version")
            rotation = raw["rotation"]
            return cls(
                files={path: str(raw[key]).encode() for key, path in KEYS.items() if raw.get(key)},
                is_own=bool(raw["own"]),
                rotation=Rotation(**rotation) if rotation else None,
            )
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            # The text contains a key: no part of it, and no parser's quotation of it, goes into a message.
            raise DockerHostError(f"{where} contains no CA in the format of this version of the collection") from None

    def dump(self) -> str:
        """Return the secret's value.

        :raises DockerHostError: it is too long for a secret.
        """
        raw: dict[str, t.Any] = {
            "version": VERSION,
            "own": self.is_own,
            "rotation": asdict(self.rotation) if self.rotation else None,
        }
        raw.update({key: self.files[path].decode() for key, path in KEYS.items() if path in self.files})
        text = json.dumps(raw, indent=1)
        if len(text.encode()) > LARGEST_VALUE:
            raise DockerHostError(
                f"The CA with its chain and key has {len(text.encode())} bytes, and a secret of a key vault holds at"
                f" most {LARGEST_VALUE}. Remove certificates that O(ca_path) or O(ca_content) does not need, or use"
                " O(store=directory)."
            )
        return text
