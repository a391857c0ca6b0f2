# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the tests of the extension's backend share: options as Ansible hands them over, and certificates."""

from __future__ import annotations

import datetime
import typing as t

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from ansible_collections.dockerhost.azure.plugins.module_utils._extension.argument_spec import extension_argument_spec

NOW = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
DAY = datetime.timedelta(days=1)
PEM = serialization.Encoding.PEM


def options(**given: t.Any) -> dict[str, t.Any]:
    """All options as the argument spec gives them, for a VM called web1."""
    spec = extension_argument_spec()
    plain = {name: dict(option) for name, option in spec.argument_spec.items()}
    given = {"resource_group": "rg", "virtual_machine_name": "web1", "setup_program": "print()", **given}
    given = {name: value for name, value in given.items() if value is not None}
    validation = ArgumentSpecValidator(plain, **spec.rules()).validate(given)
    assert not validation.error_messages, validation.error_messages
    return t.cast("dict[str, t.Any]", validation.validated_parameters)


def with_strange(builder: x509.CertificateBuilder, strange: bool) -> x509.CertificateBuilder:
    """With two extensions that nobody knows, if asked for."""
    for number in (6, 7) if strange else ():
        extension = x509.UnrecognizedExtension(x509.ObjectIdentifier(f"0.3.4.5.{number}"), b"")
        builder = builder.add_extension(extension, False)
    return builder


class Authority:
    """A CA that signs what a test asks for."""

    def __init__(
        self,
        name: str = "CA",
        end: datetime.datetime = NOW + 30 * DAY,
        key: ec.EllipticCurvePrivateKey | None = None,
        strange: bool = False,
    ) -> None:
        self.key = key or ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        builder = (
            x509.CertificateBuilder(self.name, self.name, self.key.public_key(), x509.random_serial_number())
            .not_valid_before(NOW - 60 * DAY)
            .not_valid_after(end)
            .add_extension(x509.BasicConstraints(True, None), True)
        )
        self.certificate = with_strange(builder, strange).sign(self.key, hashes.SHA256())

    @property
    def pem(self) -> str:
        """Its certificate."""
        return self.certificate.public_bytes(PEM).decode()

    @property
    def fingerprint(self) -> str:
        """SHA-256 of its certificate."""
        return self.certificate.fingerprint(hashes.SHA256()).hex()

    def server(
        self,
        *,
        start: datetime.datetime = NOW - DAY,
        end: datetime.datetime = NOW + 10 * DAY,
        use: t.Sequence[x509.ObjectIdentifier] = (ExtendedKeyUsageOID.SERVER_AUTH,),
        names: bool = True,
        password: bytes | None = None,
        strange: bool = False,
    ) -> dict[str, str]:
        """The option ``certs`` with a new server certificate."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "web1")])
        builder = (
            x509.CertificateBuilder(self.name, subject, key.public_key(), x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(end)
        )
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName("web1")]), False)
        if use:
            builder = builder.add_extension(x509.ExtendedKeyUsage(use), False)
        builder = with_strange(builder, strange)
        protection: serialization.KeySerializationEncryption = serialization.NoEncryption()
        if password:
            protection = serialization.BestAvailableEncryption(password)
        return {
            "ca": self.pem,
            "cert": builder.sign(self.key, hashes.SHA256()).public_bytes(PEM).decode(),
            "key": key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, protection).decode(),
        }


@pytest.fixture(scope="session")
def authority() -> Authority:
    """A CA."""
    return Authority()


@pytest.fixture(scope="session")
def certs(authority: Authority) -> dict[str, str]:
    """The option ``certs`` that is good."""
    return authority.server()
