# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module's record of a set of certificates: a rotation, and the files that it owns."""

from __future__ import annotations

import json
import typing as t
from dataclasses import asdict, dataclass, field

from .._errors import DockerHostError
from .journal import digest

VERSION = 1
Phase = t.Literal["trust", "servers", "clients"]
PHASES: tuple[Phase, ...] = ("trust", "servers", "clients")


@dataclass(frozen=True)
class Rotation:
    """A rotation of the CA that is not finished.

    :param phase: ``trust``: both CAs are in every trust list; ``servers``: servers have certificates
        of the new one; ``clients``: clients too.
    :param old: fingerprint of the CA that is being replaced.
    :param new: fingerprint of the CA that replaces it.
    :param new_is_own: whether the new CA is the user's own, whose key is not kept here.
    """

    phase: Phase
    old: str
    new: str
    new_is_own: bool = False


@dataclass
class State:
    """The content of ``state.json``.

    :param files: SHA-256 of every file that the module wrote or adopted, by relative path.
    :param is_own: whether the CA is the user's own, whose key is not kept here.
    :param names: by host, the names that the user added to those in Azure, and the ID of its VM.
    """

    files: dict[str, str] = field(default_factory=dict)
    is_own: bool = False
    rotation: Rotation | None = None
    names: dict[str, dict[str, t.Any]] = field(default_factory=dict)

    @classmethod
    def load(cls, data: bytes | None) -> State:
        """Read ``state.json``. Without it the module owns no file.

        :raises DockerHostError: it was not written by this version.
        """
        if data is None:
            return cls()
        try:
            raw = json.loads(data)
            if raw["version"] != VERSION:
                raise ValueError(f"version {raw['version']}")
            rotation = raw["rotation"]
            return cls(
                files={str(path): str(value) for path, value in raw["files"].items()},
                is_own=bool(raw["is_own"]),
                rotation=Rotation(**rotation) if rotation else None,
                names={str(host): dict(names) for host, names in raw.get("names", {}).items()},
            )
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise DockerHostError(
                f"The record of the certificates (.docker-tls-certs/state.json) cannot be read: {error};"
                " restore it, or move it away and take the files over with adopt: true"
            ) from error

    def dump(self) -> bytes:
        """Return the text of ``state.json``; equal states give equal texts."""
        raw = {"version": VERSION, **asdict(self)}
        return json.dumps(raw, indent=1, sort_keys=True).encode() + b"\n"

    def owns(self, path: str) -> bool:
        """Return whether the module wrote or adopted the file."""
        return path in self.files

    def is_as_written(self, path: str, data: bytes) -> bool:
        """Return whether the file's content is what the module wrote or adopted."""
        return self.files.get(path) == digest(data)
