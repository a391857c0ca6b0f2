# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Servers and clients: the paths and the content of their files."""

from __future__ import annotations

import contextlib
import typing as t
from dataclasses import dataclass

from .._errors import OptionError
from . import ca, keys, names
from .store import (
    CA,
    CA_KEY,
    CERT,
    CLIENTS,
    CURRENT_CA,
    KEY,
    NEXT_CA,
    NEXT_CA_KEY,
    REQUEST,
    RETIRED_CA,
    SERVERS,
    STATE,
    StoredFile,
)

with contextlib.suppress(ImportError):
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm


@dataclass(frozen=True)
class Identity:
    """A server, or a client.

    :param kind: ``servers``, or ``clients``.
    :param name: its name; the default client, whose files are in cert_dir itself, has none.
    """

    kind: t.Literal["servers", "clients"]
    name: str = ""

    @property
    def directory(self) -> str:
        """Its directory below cert_dir with a slash at the end; empty for the default client."""
        return f"{self.kind}/{self.name}/" if self.name else ""

    @property
    def label(self) -> str:
        """Its name in results and errors, for example ``servers/web1``."""
        return f"{self.kind}/{self.name}" if self.name else "client"

    @property
    def cert(self) -> str:
        """The path of its certificate, like all paths here relative to cert_dir."""
        return self.directory + CERT

    @property
    def key(self) -> str:
        """The path of its private key."""
        return self.directory + KEY

    @property
    def ca(self) -> str:
        """The path of the CAs that it trusts."""
        return self.directory + CA

    @property
    def request(self) -> str:
        """The path of a request that waits to be signed elsewhere."""
        return self.directory + REQUEST

    @property
    def paths(self) -> tuple[str, ...]:
        """The paths of all its files."""
        return self.cert, self.key, self.ca, self.request

    @property
    def purpose(self) -> t.Literal["serverAuth", "clientAuth"]:
        """The extended key usage of its certificate."""
        return "serverAuth" if self.kind == SERVERS else "clientAuth"


DEFAULT_CLIENT = Identity("clients")


def identity_of(path: str) -> Identity | None:
    """Return the identity whose certificate, key or request is at a relative path."""
    if path in (CERT, KEY, REQUEST):
        return DEFAULT_CLIENT
    parts = path.split("/")
    if len(parts) != 3:
        return None
    kind, name, file = parts
    if kind == SERVERS and file in (CERT, KEY, CA, REQUEST):
        return Identity("servers", name)
    if kind == CLIENTS and file in (CERT, KEY, CA, REQUEST):
        return Identity("clients", name)
    return None


def is_set_path(path: str) -> bool:
    """Return whether a run may write or remove a file at a relative path."""
    if path in (CA, CA_KEY, STATE, CURRENT_CA, NEXT_CA, NEXT_CA_KEY) or RETIRED_CA.match(path):
        return True
    identity = identity_of(path)
    return identity is not None and (not identity.name or names.is_identity_name(identity.name))


@dataclass(frozen=True)
class CurrentPair:
    """The content of an identity's files.

    :param certificate: the identity's own certificate, the first in its file.
    :param certificate_problem: why an existing certificate cannot be read.
    :param key_problem: why an existing key cannot be used.
    """

    certificate: x509.Certificate | None = None
    certificate_problem: str | None = None
    key: keys.PrivateKey | None = None
    key_problem: str | None = None

    @property
    def is_nothing(self) -> bool:
        """Whether neither file exists."""
        return not (self.certificate or self.certificate_problem or self.key or self.key_problem)


def read_pair(identity: Identity, files: t.Mapping[str, StoredFile]) -> CurrentPair:
    """Read an identity's certificate and key."""
    certificate = certificate_problem = key = key_problem = None
    if identity.cert in files:
        try:
            certificate = ca.load_certificates(files[identity.cert].data)[0]
        except ValueError:
            certificate_problem = "the certificate cannot be read"
    if identity.key in files:
        try:
            key = keys.load(files[identity.key].data)
        except keys.PassphraseError:
            key_problem = "the key is encrypted, which Docker cannot use"
        except keys.KeyFileError:
            key_problem = "the key cannot be read"
    return CurrentPair(certificate, certificate_problem, key, key_problem)


def read_request(data: bytes) -> x509.CertificateSigningRequest | None:
    """Return the certificate request in a text, ``None`` if the text is something else."""
    try:
        request = x509.load_pem_x509_csr(data)
        return request if request.is_signature_valid else None
    except (ValueError, UnsupportedAlgorithm, x509.InvalidVersion):
        return None


def request_fits(request: x509.CertificateSigningRequest | None, leaf: ca.Leaf, key: keys.PrivateKey) -> bool:
    """Return whether a request asks for this certificate, for this key."""
    if request is None or request.subject != leaf.subject:
        return False
    if not keys.same_public_key(request.public_key(), key.public_key()):
        return False
    dns_names, addresses = names.read_san(request)
    return (sorted(dns_names), sorted(addresses)) == (sorted(leaf.dns_names), sorted(leaf.ip_addresses))


def spelling_error(existing: Identity) -> OptionError:
    """Return the error about a name that differs from an existing one in case only."""
    return OptionError(
        "hosts" if existing.kind == "servers" else existing.kind,
        f"{existing.label} exists already, and the given name differs only in case; use that spelling",
    )
