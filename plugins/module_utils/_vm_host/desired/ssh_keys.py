# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Public keys in the options, and the generated key pair of a host without them.

A pair is generated once, kept, and never overwritten.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
import typing as t
from dataclasses import dataclass
from pathlib import Path

from ..._errors import DockerHostError, MissingLibraryError, OptionError
from ..._files import absolute_path, create_directory, create_file, read_if_exists
from ..._ownership import check_file, check_parents

PLANNED_KEY = "ssh-ed25519 (to be generated)"


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
    return _checked(option, line, source)


def _checked(option: str, line: str, source: str) -> str:
    """Return a public key that Azure accepts.

    :param source: what the line comes from, for the error.
    :raises OptionError: Azure would refuse it, after it has created the host's network.
    """
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
        path = Path(absolute_path(option, text))
        if not path.is_file():
            raise OptionError(option, f"must be an OpenSSH public key or an existing file, got {text!r}")
        return str(path), (read_if_exists(str(path)) or b"").decode(errors="replace").strip()
    except OptionError:
        raise
    except DockerHostError as error:
        raise OptionError(option, error.message) from error
    except OSError as error:
        raise OptionError(option, f"{text} cannot be read: {error.strerror}.") from error
    except ValueError as error:
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
    """Return the key pair in a file; a new Ed25519 one if the file does not exist.

    :raises OptionError: the file exists and is not a private key that can be read without a passphrase, or somebody
        else could replace it.
    """
    private = absolute_path("ssh_private_key_path", path)
    try:
        if os.path.lexists(private):
            public = _checked("ssh_private_key_path", _public_of(private), f"the public key of {private}")
            return KeyPair(private, public, generated=False)
        check_parents(private)
        if check_mode:
            return KeyPair(private, PLANNED_KEY, generated=True)
        public, made = _generate(private)
    except OptionError:
        raise
    except DockerHostError as error:
        raise OptionError("ssh_private_key_path", error.message) from error
    return KeyPair(private, public, generated=made)


def _generate(private: str) -> tuple[str, bool]:
    serialization, ed25519 = _cryptography()
    key = ed25519.Ed25519PrivateKey.generate()
    content = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    )
    create_directory(os.path.dirname(private), 0o700)
    # Of several runs at once, one creates the key and all use it.
    made = create_file(private, content, 0o600)
    public = _public_of(private)
    create_file(f"{private}.pub", f"{public}\n".encode(), 0o644)
    return public, made


def _public_of(private: str) -> str:
    serialization, _ed25519 = _cryptography()
    from cryptography.exceptions import UnsupportedAlgorithm

    check_file(private)
    try:
        key = serialization.load_ssh_private_key(read_if_exists(private) or b"", password=None)
        line = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        beside = f"{private}.pub"
        if os.path.lexists(beside):
            check_file(beside)
            return (read_if_exists(beside) or b"").decode(errors="replace").strip()
        raise OptionError(
            "ssh_private_key_path",
            "must be an OpenSSH private key without a passphrase, or have"
            f" {os.path.basename(beside)} next to it, got {private}",
        ) from error
    return t.cast("str", line.decode("ascii"))


def _cryptography() -> tuple[t.Any, t.Any]:
    try:
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import ed25519
    except ImportError as error:
        raise MissingLibraryError("cryptography>=42.0.0", error) from error
    return serialization, ed25519
