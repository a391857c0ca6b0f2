# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A server's own certificate authority."""

from __future__ import annotations

import datetime
import ipaddress
import os
import typing as t
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from .vault.names import SUFFIX

LIFETIME = datetime.timedelta(days=365)
NAMES = ("localhost", "host.docker.internal", f"*.{SUFFIX}")


class Authority:
    """Makes, once per directory, a CA and a certificate for a server; the CA's key is not kept.

    Files: ``ca.pem`` (for clients), ``server.pem`` and ``server-key.pem`` (0600).

    :param names: DNS names of the server; the default is the endpoint of the local Azure.
    :param addresses: its IP addresses.
    """

    def __init__(
        self, directory: Path, names: t.Sequence[str] = NAMES, addresses: t.Sequence[str] = ("127.0.0.1", "::1")
    ) -> None:
        self._names, self._addresses = names, addresses
        self.ca_file = directory / "ca.pem"
        self.certificate_file = directory / "server.pem"
        self.key_file = directory / "server-key.pem"
        if not self._usable():
            self._make()

    def _usable(self) -> bool:
        if not all(path.exists() for path in (self.ca_file, self.certificate_file, self.key_file)):
            return False
        certificate = x509.load_pem_x509_certificate(self.certificate_file.read_bytes())
        left = certificate.not_valid_after_utc - datetime.datetime.now(datetime.timezone.utc)
        named = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        return left > datetime.timedelta(days=2) and set(self._names) <= set(named.get_values_for_type(x509.DNSName))

    def _make(self) -> None:
        ca_key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Local Azure CA")])
        ca = (
            _builder(name, name, ca_key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(sign_certificates=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(ca_key.public_key()), critical=False)
            .sign(ca_key, hashes.SHA256())
        )
        key = ec.generate_private_key(ec.SECP256R1())
        names = [x509.DNSName(name) for name in self._names]
        addresses = [x509.IPAddress(ipaddress.ip_address(text)) for text in self._addresses]
        leaf_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self._names[0])])
        leaf = (
            _builder(leaf_name, name, key.public_key())
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(sign_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.SubjectAlternativeName([*names, *addresses]), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False)
            .sign(ca_key, hashes.SHA256())
        )
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        write_private(self.key_file, private)
        self.certificate_file.write_bytes(leaf.public_bytes(serialization.Encoding.PEM))
        self.ca_file.write_bytes(ca.public_bytes(serialization.Encoding.PEM))


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.timezone.utc)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=5))
        .not_valid_after(now + LIFETIME)
    )


def _usage(*, sign_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not sign_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=sign_certificates,
        crl_sign=sign_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner can read, whole or not at all."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    temporary.replace(path)
