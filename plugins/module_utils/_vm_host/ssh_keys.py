# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The key pair of a host that was given none: made once, kept, never overwritten. Private to this collection."""

from __future__ import annotations

import os
import tempfile
import typing as t
from dataclasses import dataclass
from pathlib import Path

from .._errors import MissingLibraryError, OptionError

PLANNED_KEY = "ssh-ed25519 (to be generated)"


@dataclass(frozen=True)
class KeyPair:
    """A key pair in OpenSSH's formats.

    :param path: the private key's file; the public key is beside it, with ``.pub``.
    :param public: the public key's line.
    :param generated: the pair was made, or would be made, by this run.
    """

    path: str
    public: str
    generated: bool


def ensure_key_pair(path: str, check_mode: bool) -> KeyPair:
    """The pair in that file; a new Ed25519 one when there is none.

    :raises OptionError: the file is there and is no private key that can be read without a passphrase.
    """
    private = Path(path).expanduser()
    if private.exists():
        return KeyPair(str(private), _public_of(private), generated=False)
    if check_mode:
        return KeyPair(str(private), PLANNED_KEY, generated=True)
    public, made = _generate(private)
    return KeyPair(str(private), public, generated=made)


def _generate(private: Path) -> tuple[str, bool]:
    serialization, ed25519 = _cryptography()
    key = ed25519.Ed25519PrivateKey.generate()
    content = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    )
    try:
        private.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # A link fails when the file is there: of several runs at once, one makes the key and all use it.
        made = _place(private, content, 0o600)
    except OSError as error:
        raise OptionError("ssh_private_key_path", f"{private} cannot be written: {error.strerror}.") from error
    public = _public_of(private)
    beside = private.with_name(private.name + ".pub")
    if not beside.exists():
        _place(beside, f"{public}\n".encode(), 0o644)
    return public, made


def _place(path: Path, content: bytes, mode: int) -> bool:
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(mode)
        try:
            os.link(temporary, path)
        except FileExistsError:
            return False
        return True
    finally:
        os.unlink(temporary)


def _public_of(private: Path) -> str:
    serialization, _ed25519 = _cryptography()
    from cryptography.exceptions import UnsupportedAlgorithm

    try:
        key = serialization.load_ssh_private_key(private.read_bytes(), password=None)
        line = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        beside = private.with_name(private.name + ".pub")
        if beside.is_file():
            return beside.read_text(encoding="utf-8").strip()
        raise OptionError(
            "ssh_private_key_path",
            f"{private} is there, but is no OpenSSH private key that can be read without a passphrase, and"
            f" {beside.name} is not beside it.",
        ) from error
    return t.cast("str", line.decode("ascii"))


def _cryptography() -> tuple[t.Any, t.Any]:
    try:
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import ed25519
    except ImportError as error:
        raise MissingLibraryError("cryptography>=42.0.0", error) from error
    return serialization, ed25519
