# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""OpenSSH's ``known_hosts``, with keys that are known before the first connection.

The format is that of sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT". Lines of this collection end in a comment, which
distinguishes them from the user's own lines. Those are never changed.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import re
import struct

from .._errors import DockerHostError, OptionError
from .._files import create_directory, read_if_exists, update_user_file

COMMENT = "docker-host:"
KEY_TYPE = re.compile(r"(ssh|ecdsa|sk-ssh|sk-ecdsa)-[a-z0-9@.-]+")


def host_field(host: str, port: int) -> str:
    """Return the first field of a line for that server."""
    return host if port == 22 else f"[{host}]:{port}"


def parse_key(option: str, text: str) -> tuple[str, str]:
    """Return type and base64 of a public key as ``ssh_host_*_key.pub`` contains it, without its comment.

    :raises OptionError: the text is not a public key.
    """
    fields = text.split()
    problem = "must be a server's public key as /etc/ssh/ssh_host_ed25519_key.pub contains it"
    if len(fields) < 2 or not KEY_TYPE.fullmatch(fields[0]):
        raise OptionError(option, problem)
    try:
        blob = base64.b64decode(fields[1], validate=True)
        (length,) = struct.unpack(">I", blob[:4])
    except (binascii.Error, struct.error) as error:
        raise OptionError(option, problem) from error
    if blob[4 : 4 + length] != fields[0].encode():
        raise OptionError(option, problem)
    return fields[0], fields[1]


class KnownHosts:
    """One file of known hosts.

    :param path: an absolute path. The file need not exist.
    :param owner: the context's name, which marks the lines of this collection.
    """

    def __init__(self, path: str, owner: str) -> None:
        self.path = path
        self.comment = COMMENT + owner
        content = read_if_exists(path)
        try:
            self.lines = (content or b"").decode().splitlines()
        except UnicodeDecodeError as error:
            raise DockerHostError(f"{path} must be UTF-8 text; repair it first") from error
        self._original = list(self.lines)

    def _is_managed(self, line: str) -> bool:
        return _owner(line) == self.comment

    def set(self, field: str, keys: list[tuple[str, str]]) -> None:
        """Set the known keys of a server.

        Other keys that other contexts of this collection have for it belong to an earlier machine, and are dropped.

        :raises DockerHostError: a line of the user's names another key for that server.
        """
        desired = dict(keys)
        kept = [
            line
            for line in self.lines
            if not self._is_managed(line) and not (_owner(line) and _contradicts(line, field, desired))
        ]
        known = set()
        for number, line in enumerate(kept, 1):
            fields = line.split()
            if _owner(line) or not _is_for(line, field):
                continue
            if _contradicts(line, field, desired):
                raise DockerHostError(
                    f"{self.path}: a line that this collection did not write ({number} of the others) names another "
                    f"{fields[1]} key for {field}. If that server was recreated, remove it with: "
                    f"ssh-keygen -f {self.path} -R '{field}'"
                )
            known.add((fields[1], fields[2]))
        managed = [f"{field} {kind} {key} {self.comment}" for kind, key in keys if (kind, key) not in known]
        if sorted(self.lines) != sorted(kept + managed):
            self.lines = kept + managed

    def drop(self) -> None:
        """Remove the lines of the owner for all servers."""
        self.lines = [line for line in self.lines if not self._is_managed(line)]

    @property
    def changed(self) -> bool:
        """Whether the lines differ from those of the file."""
        return self.lines != self._original

    def save(self) -> None:
        """Write the file, if it changed."""
        if self.changed:
            create_directory(os.path.dirname(self.path), 0o700)
            update_user_file(self.path, "".join(f"{line}\n" for line in self.lines).encode(), 0o644)


def _owner(line: str) -> str:
    """Return the comment of a line that a context of this collection owns, else nothing."""
    fields = line.split()
    return fields[3] if len(fields) == 4 and fields[3].startswith(COMMENT) else ""


def _is_for(line: str, field: str) -> bool:
    fields = line.split()
    return len(fields) >= 3 and not line.startswith(("#", "@")) and _matches(fields[0], field)


def _contradicts(line: str, field: str, desired: dict[str, str]) -> bool:
    fields = line.split()
    return _is_for(line, field) and fields[1] in desired and fields[2] != desired[fields[1]]


def _matches(patterns: str, field: str) -> bool:
    if patterns.startswith("|1|"):
        try:
            salt, digest = (base64.b64decode(part) for part in patterns[3:].split("|"))
        except (ValueError, binascii.Error):
            return False
        return hmac.compare_digest(hmac.new(salt, field.encode(), hashlib.sha1).digest(), digest)
    return field in patterns.split(",")
