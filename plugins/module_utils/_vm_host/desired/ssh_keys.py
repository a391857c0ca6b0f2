# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Public keys in the options, and the generated key pair of a host without them.

A pair is generated once, kept, and never overwritten.
"""

from __future__ import annotations

import base64
import binascii
import errno
import os
import re
import tempfile
import typing as t
from dataclasses import dataclass
from pathlib import Path

from ..._errors import MissingLibraryError, OptionError

PLANNED_KEY = "ssh-ed25519 (to be generated)"
WITHOUT_LINKS = (errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK)
"""Errors of file systems that know no hard links, such as SMB's and many in user space."""


@dataclass(frozen=True)
class KeyPair:
    """A key pair in OpenSSH's formats.

    :param path: the private key's file; the public key is beside it, with ``.pub``.
    :param public: the public key's line.
    :param generated: whether this run generated the pair, or would generate it.
    """

    path: str
    public: str
    generated: bool


def public_keys(option: str, texts: t.Iterable[str]) -> tuple[str, ...]:
    """Return OpenSSH public keys. One text may have several, one on each line, as in a text area of an AWX survey.

    :raises OptionError: see :func:`public_key`.
    """
    return tuple(
        public_key(f"{option}[{index}]", line)
        for index, text in enumerate(texts)
        for line in text.splitlines()
        if line.strip()
    )


def public_key(option: str, text: str) -> str:
    """Return an OpenSSH public key, which the text contains or whose file it names.

    :raises OptionError: the text is neither, or a private key, or a type that Azure refuses. The error does not show
        the content of a file.
    """
    line = text.strip()
    source = f"{line[:32]}..." if re.match(r"(ssh|ecdsa|sk)-\S+ ", line) else "the value"
    if source == "the value" and "PRIVATE KEY" not in line:
        source, line = _in_file(option, line)
    if "PRIVATE KEY" in line:
        raise OptionError(option, f"must be a public key (the file that ends in .pub), but {source} is a private key")
    match = re.fullmatch(r"(?P<kind>\S+) (?P<key>[A-Za-z0-9+/]+={0,2})(?: .*)?", line)
    if not match:
        raise OptionError(
            option, f"must be an OpenSSH public key, one line of type, key and optionally comment; {source} is not"
        )
    # SshPublicKey of the Compute API: RSA of at least 2048 bits, or Ed25519.
    if match["kind"] not in ("ssh-rsa", "ssh-ed25519"):
        raise OptionError(
            option, f"must be ssh-rsa (at least 2048 bits) or ssh-ed25519 for Azure; {source} is of another type"
        )
    fields = _fields(match["key"])
    if not fields or fields[0] != match["kind"].encode() or len(fields) != (3 if fields[0] == b"ssh-rsa" else 2):
        raise OptionError(option, f"must be a valid {match['kind']} key; {source} is damaged")
    if fields[0] == b"ssh-rsa" and int.from_bytes(fields[2], "big").bit_length() < 2048:
        raise OptionError(option, f"must be an RSA key of at least 2048 bits; {source} is shorter")
    if fields[0] == b"ssh-ed25519" and len(fields[1]) != 32:
        raise OptionError(option, f"must be a valid ssh-ed25519 key of 32 bytes; {source} is not")
    return line


def _in_file(option: str, text: str) -> tuple[str, str]:
    """Return the path of a file, and its content."""
    if len(text) > 1000 or "\n" in text:
        raise OptionError(option, "must be one OpenSSH public key or the path of a file")
    try:
        path = Path(text).expanduser()
        if not path.is_file():
            raise OptionError(option, f"must be an OpenSSH public key or an existing file, got {text!r}")
        return str(path), path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError as error:
        raise OptionError(option, f"{text} cannot be read: {error.strerror}.") from error
    except (RuntimeError, ValueError) as error:
        raise OptionError(option, f"must be a path, got {text!r}: {error}") from error


def _fields(text: str) -> list[bytes]:
    """Return the fields of a public key (RFC 4253, section 6.6), empty if the data is something else."""
    try:
        rest = base64.b64decode(text, validate=True)
    except binascii.Error:
        return []
    fields = []
    while rest:
        size = int.from_bytes(rest[:4], "big")
        if len(rest) < 4 + size:
            return []
        fields.append(rest[4 : 4 + size])
        rest = rest[4 + size :]
    return fields


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
        except OSError as error:
            if error.errno not in WITHOUT_LINKS:
                raise
            return _write_new(path, content, mode)
        return True
    finally:
        os.unlink(temporary)


def _write_new(path: Path, content: bytes, mode: int) -> bool:
    """Write the file where there is none; half a file does not stay."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    except FileExistsError:
        return False
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        path.unlink()
        raise
    return True


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
            f"must be an OpenSSH private key without a passphrase, or have {beside.name} next to it, got {private}",
        ) from error
    return t.cast("str", line.decode("ascii"))


def _cryptography() -> tuple[t.Any, t.Any]:
    try:
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import ed25519
    except ImportError as error:
        raise MissingLibraryError("cryptography>=42.0.0", error) from error
    return serialization, ed25519
