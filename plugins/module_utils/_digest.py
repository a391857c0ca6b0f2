# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Digests in tags, which represent values that Azure never returns.

A digest shows whether protected settings, or a host's custom data, are the desired ones. They may contain short
passwords and tags are not secret, so the digest is salted and slow to compute. If they contain a private key as well,
a fast digest is enough, because nobody can guess its input; each run computes it again for each host.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets

# scrypt takes 16 MiB and about 50 ms. PBKDF2 replaces it where OpenSSL refuses scrypt (FIPS mode).
SCRYPT_LOG_N, SCRYPT_R, SCRYPT_P = 14, 8, 1
PBKDF2_ITERATIONS = 600_000
SALT_BYTES, HASH_BYTES = 16, 32


def new_digest(content: bytes, *, guessable: bool = True, owner: str = "") -> str:
    """Return a digest with a salt, for example ``scrypt:14:8:1:SALT:HASH`` (88 characters).

    :param guessable: whether the content has nothing that is as hard to guess as a private key.
    :param owner: the owner of the content, for whom the salt is always the same; without an owner it is random.
    """
    salt = hashlib.sha256(owner.lower().encode()).digest()[:SALT_BYTES] if owner else secrets.token_bytes(SALT_BYTES)
    if not guessable:
        return _hmac(content, salt)
    try:
        return _scrypt(content, SCRYPT_LOG_N, SCRYPT_R, SCRYPT_P, salt)
    except (ValueError, AttributeError):
        return _pbkdf2(content, PBKDF2_ITERATIONS, salt)


def matches(digest: str, content: bytes) -> bool:
    """Return whether a digest is of this content; False for a malformed one."""
    parts = digest.split(":")
    try:
        salt = _decode(parts[-2])
        if parts[0] == "scrypt" and len(parts) == 6:
            log_n, r, p = (int(part) for part in parts[1:4])
            if log_n > 20 or r > 16 or p > 4:
                return False
            return hmac.compare_digest(_scrypt(content, log_n, r, p, salt), digest)
        if parts[0] == "hmac-sha256" and len(parts) == 3:
            return hmac.compare_digest(_hmac(content, salt), digest)
        if parts[0] == "pbkdf2" and len(parts) == 4 and int(parts[1]) <= 10_000_000:
            return hmac.compare_digest(_pbkdf2(content, int(parts[1]), salt), digest)
    except (ValueError, IndexError, AttributeError):
        pass
    return False


def _hmac(content: bytes, salt: bytes) -> str:
    return f"hmac-sha256:{_encode(salt)}:{_encode(hmac.digest(salt, content, 'sha256'))}"


def _scrypt(content: bytes, log_n: int, r: int, p: int, salt: bytes) -> str:
    size = 1 << log_n
    found = hashlib.scrypt(content, salt=salt, n=size, r=r, p=p, maxmem=256 * size * r, dklen=HASH_BYTES)
    return f"scrypt:{log_n}:{r}:{p}:{_encode(salt)}:{_encode(found)}"


def _pbkdf2(content: bytes, iterations: int, salt: bytes) -> str:
    found = hashlib.pbkdf2_hmac("sha256", content, salt, iterations, HASH_BYTES)
    return f"pbkdf2:{iterations}:{_encode(salt)}:{_encode(found)}"


def _encode(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode().rstrip("=")


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
