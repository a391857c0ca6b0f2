# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""OpenSSH's ``known_hosts``: keys that are known before the first connection. Private to this collection.

The format is that of sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT". Lines of ours end in a comment, so that they can be told
from the user's own, which are never changed.
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
from .._files import make_directory, read_if_there, write_whole

COMMENT = "docker-host:"
KEY_TYPE = re.compile(r"(ssh|ecdsa|sk-ssh|sk-ecdsa)-[a-z0-9@.-]+")


def host_field(host: str, port: int) -> str:
    """The first field of a line for that server."""
    return host if port == 22 else f"[{host}]:{port}"


def parse_key(option: str, text: str) -> tuple[str, str]:
    """Type and base64 of a public key as ``ssh_host_*_key.pub`` holds it; a comment is dropped.

    :raises OptionError: it is none.
    """
    fields = text.split()
    problem = f"{text[:60]!r} is no public key of a server; write it as /etc/ssh/ssh_host_ed25519_key.pub holds it"
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

    :param path: absolute; it need not exist.
    :param owner: the context's name, by which our lines are found again.
    """

    def __init__(self, path: str, owner: str) -> None:
        self.path = path
        self.comment = COMMENT + owner
        content = read_if_there(path)
        try:
            self.lines = (content or b"").decode().splitlines()
        except UnicodeDecodeError as error:
            raise DockerHostError(f"{path} is no text in UTF-8; repair it first") from error
        self._original = list(self.lines)

    def _ours(self, line: str) -> bool:
        return _owner(line) == self.comment

    def set(self, field: str, keys: list[tuple[str, str]]) -> None:
        """Make these the keys known for that server.

        Other keys that our other contexts have for it are those of an earlier machine, and go.

        :raises DockerHostError: a line of the user's names another key for that server.
        """
        wanted = dict(keys)
        kept = [
            line
            for line in self.lines
            if not self._ours(line) and not (_owner(line) and _contradicts(line, field, wanted))
        ]
        known = set()
        for number, line in enumerate(kept, 1):
            fields = line.split()
            if _owner(line) or not _is_for(line, field):
                continue
            if _contradicts(line, field, wanted):
                raise DockerHostError(
                    f"{self.path}: a line that this collection did not write ({number} of the others) names another "
                    f"{fields[1]} key for {field}. If that server was made anew, remove it with: "
                    f"ssh-keygen -f {self.path} -R '{field}'"
                )
            known.add((fields[1], fields[2]))
        ours = [f"{field} {kind} {key} {self.comment}" for kind, key in keys if (kind, key) not in known]
        if sorted(self.lines) != sorted(kept + ours):
            self.lines = kept + ours

    def drop(self) -> None:
        """Take out what was written for the owner, whichever server it is of."""
        self.lines = [line for line in self.lines if not self._ours(line)]

    @property
    def changed(self) -> bool:
        """Whether the file is not as it should be."""
        return self.lines != self._original

    def save(self) -> None:
        """Write the file, if it changed."""
        if self.changed:
            make_directory(os.path.dirname(self.path), 0o700)
            write_whole(self.path, "".join(f"{line}\n" for line in self.lines).encode(), 0o644)


def _owner(line: str) -> str:
    """The comment of a line that one of our contexts owns, else nothing."""
    fields = line.split()
    return fields[3] if len(fields) == 4 and fields[3].startswith(COMMENT) else ""


def _is_for(line: str, field: str) -> bool:
    fields = line.split()
    return len(fields) >= 3 and not line.startswith(("#", "@")) and _matches(fields[0], field)


def _contradicts(line: str, field: str, wanted: dict[str, str]) -> bool:
    fields = line.split()
    return _is_for(line, field) and fields[1] in wanted and fields[2] != wanted[fields[1]]


def _matches(patterns: str, field: str) -> bool:
    if patterns.startswith("|1|"):
        try:
            salt, digest = (base64.b64decode(part) for part in patterns[3:].split("|"))
        except (ValueError, binascii.Error):
            return False
        return hmac.compare_digest(hmac.new(salt, field.encode(), hashlib.sha1).digest(), digest)
    return field in patterns.split(",")
