# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The server's certificates, loaded and checked."""

from __future__ import annotations

import base64
import hashlib
import os
import typing as t
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path

from .._errors import MissingLibraryError, OptionError
from .._files import read_option_file

NAMES = ("ca", "cert", "key")
CRYPTOGRAPHY = "cryptography>=42.0.0"


@dataclass(frozen=True)
class ServerCertificates:
    """The engine's certificate, its key, and the CAs that it trusts.

    :param ca_fingerprints: SHA-256 of each CA that is trusted, lower-case hex, sorted.
    :param ca_keys: SHA-256 of each of these CAs' public keys (SubjectPublicKeyInfo), the same way.
    :param not_after: when the server's certificate expires (UTC).
    :param other_purposes: extended key usages of the server's certificate beyond serverAuth that matter to other hosts.
    """

    ca: bytes
    cert: bytes
    key: bytes = field(repr=False)
    ca_fingerprints: tuple[str, ...]
    ca_keys: tuple[str, ...]
    fingerprint: str
    not_after: datetime
    other_purposes: tuple[str, ...] = ()

    def settings(self) -> dict[str, str]:
        """Return the protected setting ``certs``: base64, as the Docker extension's schema has it."""
        return {name: base64.b64encode(getattr(self, name)).decode() for name in NAMES}


def load_certificates(
    certs: t.Mapping[str, t.Any] | None,
    *,
    may_be_missing: bool = False,
    pending: t.Collection[str] = (),
    now: datetime | None = None,
) -> ServerCertificates | None:
    """Return the certificates of the option ``certs``, None if it has none.

    :param may_be_missing: return None, not an error, if a file does not exist (check mode before they are issued).
    :param pending: files that are going to change. None is returned if one of them is among the certificates.
    :raises OptionError: they are incomplete, unreadable, expired, or do not belong together.
    """
    entries = {name: value for name, value in (certs or {}).items() if value}
    if not entries:
        return None
    lacking = [name for name in NAMES if name not in entries and f"{name}_path" not in entries]
    if lacking:
        raise OptionError("certs", f"must contain ca, cert and key, or their paths; missing: {', '.join(lacking)}")
    paths = [str(entries[f"{name}_path"]) for name in NAMES if f"{name}_path" in entries]
    if may_be_missing and not all(Path(path).exists() for path in paths):
        return None
    if {os.path.abspath(path) for path in paths} & {os.path.abspath(path) for path in pending}:
        return None
    pems = {name: _read(name, entries) for name in NAMES}
    return _examine(pems, now or datetime.now(timezone.utc))


def _read(name: str, entries: t.Mapping[str, t.Any]) -> bytes:
    option = f"certs.{name}_path"
    if name in entries:
        option, pem = f"certs.{name}", str(entries[name]).strip().encode() + b"\n"
    else:
        pem = read_option_file(option, entries[f"{name}_path"])
    if b"-----BEGIN " not in pem:
        raise OptionError(option, "must be PEM (a line -----BEGIN ...----- is missing)")
    return pem


def _examine(pems: t.Mapping[str, bytes], now: datetime) -> ServerCertificates:
    try:
        from cryptography import x509
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.serialization import load_pem_private_key
    except ImportError as error:
        raise MissingLibraryError(CRYPTOGRAPHY, error) from error
    from .._tls.ca import other_purposes

    authorities = _certificates("ca", pems["ca"], x509)
    chain = _certificates("cert", pems["cert"], x509)
    try:
        key = load_pem_private_key(pems["key"], None)
    except TypeError as error:
        raise OptionError("certs.key", "is encrypted; dockerd can only read an unencrypted key") from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise OptionError("certs.key", "must be a private key that OpenSSL can read") from error
    leaf = chain[0]
    if leaf.public_key() != key.public_key():
        raise OptionError("certs.key", "does not belong to O(certs.cert)")
    _refuse_dates("cert", leaf, now)
    for authority in authorities:
        _refuse_dates("ca", authority, now)
    _refuse_use(leaf, x509)
    _refuse_issuer(leaf, [*chain[1:], *authorities])
    return ServerCertificates(
        **pems,
        ca_fingerprints=tuple(sorted({one.fingerprint(hashes.SHA256()).hex() for one in authorities})),
        ca_keys=tuple(sorted({_key_fingerprint(one) for one in authorities})),
        fingerprint=leaf.fingerprint(hashes.SHA256()).hex(),
        not_after=leaf.not_valid_after_utc,
        other_purposes=tuple(other_purposes(leaf, "serverAuth")),
    )


def _certificates(name: str, pem: bytes, x509: t.Any) -> list[t.Any]:
    from cryptography.exceptions import UnsupportedAlgorithm

    try:
        certificates = list(x509.load_pem_x509_certificates(pem))
        for certificate in certificates:
            # Parse them now: cryptography does it at the first access.
            certificate.public_key()
            list(certificate.extensions)
    except ValueError as error:
        raise OptionError(f"certs.{name}", "contains no certificate that can be read") from error
    except (UnsupportedAlgorithm, x509.InvalidVersion, x509.DuplicateExtension) as error:
        raise OptionError(f"certs.{name}", f"contains a certificate that cannot be used: {error}") from error
    return certificates


def _key_fingerprint(certificate: t.Any) -> str:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    key = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(key).hexdigest()


def _refuse_dates(name: str, certificate: t.Any, now: datetime) -> None:
    if certificate.not_valid_after_utc <= now:
        raise OptionError(f"certs.{name}", f"expired at {certificate.not_valid_after_utc:%Y-%m-%d %H:%M} UTC")
    if certificate.not_valid_before_utc > now:
        raise OptionError(f"certs.{name}", f"is not valid before {certificate.not_valid_before_utc:%Y-%m-%d %H:%M} UTC")


def _refuse_use(leaf: t.Any, x509: t.Any) -> None:
    try:
        usage = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        usage = None
    server = x509.oid.ExtendedKeyUsageOID
    if usage is not None and server.SERVER_AUTH not in usage and server.ANY_EXTENDED_KEY_USAGE not in usage:
        raise OptionError("certs.cert", "must be a server certificate, but its extendedKeyUsage lacks serverAuth")
    try:
        leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound as error:
        problem = "must have a subjectAltName: clients no longer accept a name in the common name alone"
        raise OptionError("certs.cert", problem) from error


def _refuse_issuer(leaf: t.Any, candidates: t.Sequence[t.Any]) -> None:
    """Refuse a server certificate that no client which trusts ``certs.ca`` accepts."""
    for candidate in candidates:
        try:
            leaf.verify_directly_issued_by(candidate)
        except Exception:  # noqa: BLE001, S112  (several types, by cryptography's version and key type)
            continue
        return
    raise OptionError("certs.cert", "must be signed by a certificate in O(certs.ca)")
