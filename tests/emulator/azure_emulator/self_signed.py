# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Certificates that sign themselves: a tenant's, and those of servers and clients that tests need."""

from __future__ import annotations

import datetime
import ipaddress
import typing as t

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

_PEM = serialization.Encoding.PEM


class SelfSigned(t.NamedTuple):
    """A certificate and its key."""

    certificate: x509.Certificate
    key: Key

    @property
    def cert_pem(self) -> bytes:
        """The certificate as PEM."""
        return self.certificate.public_bytes(_PEM)

    @property
    def key_pem(self) -> bytes:
        """The key as unencrypted PEM."""
        return self.key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())

    @property
    def pem(self) -> bytes:
        """Both as PEM, the key first."""
        return self.key_pem + self.cert_pem

    @property
    def thumbprint(self) -> str:
        """SHA-1 of the certificate, as Azure names it."""
        return self.certificate.fingerprint(hashes.SHA1()).hex().upper()


def rsa_key() -> rsa.RSAPrivateKey:
    """Return a new key of the kind that Azure takes for clients and tenants."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def self_signed(name: str, *, key: Key | None = None, names: t.Sequence[str] = (), days: int = 2) -> SelfSigned:
    """Return a new certificate that is valid since yesterday.

    :param name: its common name.
    :param key: a new one of P-256 by default.
    :param names: DNS names and IP addresses of a server.
    """
    key = key or ec.generate_private_key(ec.SECP256R1())
    common_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.timezone.utc)
    builder = (
        x509.CertificateBuilder(common_name, common_name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=days))
    )
    if names:
        general = x509.SubjectAlternativeName([_general_name(entry) for entry in names])
        builder = builder.add_extension(general, critical=False)
    return SelfSigned(builder.sign(key, hashes.SHA256()), key)


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
