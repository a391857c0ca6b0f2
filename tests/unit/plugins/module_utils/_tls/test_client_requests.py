# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Certificates for keys that stay with their owners."""

from __future__ import annotations

import base64
import datetime as dt
import typing as t

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from ansible_collections.dockerhost.azure.plugins.module_utils._errors import DockerHostError, OptionError

from .conftest import Certs


def request_of(key: t.Any, name: str = "root") -> str:
    """A request that asks for more than its sender gets: another name, and a CA's rights."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    )
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName("web1")]), critical=False)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


@pytest.fixture
def key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def test_a_request_gets_a_certificate_for_the_given_name_and_for_clients_only(certs: Certs, key: t.Any) -> None:
    certs.run(hosts=[{"name": "web1"}])
    files = sorted(path for path in certs.directory.rglob("*") if path.is_file())
    asked = {"client_requests": [{"name": "anna", "content": request_of(key)}], "client_not_after": "+40d"}
    predicted = certs.run(check=True, **asked)
    assert (predicted["changed"], predicted["signed_requests"][0]["certificate"]) == (True, None)
    result = certs.run(**asked)
    assert result["actions"] == predicted["actions"] == ["sign the request of anna"]
    (signed,) = result["signed_requests"]
    certificate = x509.load_pem_x509_certificate(signed["certificate"].encode())
    (authority,) = x509.load_pem_x509_certificates(signed["ca"].encode())
    certificate.verify_directly_issued_by(authority)
    assert authority == certs.cert("ca.pem")
    assert certificate.public_key() == key.public_key()
    assert certificate.subject.rfc4514_string() == "CN=anna"
    assert certificate.not_valid_after_utc == certs.now + dt.timedelta(days=40)
    assert list(certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value) == [
        ExtendedKeyUsageOID.CLIENT_AUTH
    ]
    assert not certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    with pytest.raises(x509.ExtensionNotFound):
        certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    assert sorted(path for path in certs.directory.rglob("*") if path.is_file()) == files
    certs.settled()


def test_requests_are_not_signed_by_a_ca_that_no_host_trusts(certs: Certs, key: t.Any) -> None:
    for check in (True, False):
        with pytest.raises(OptionError, match="the CA that the hosts trust"):
            certs.run(check=check, client_requests=[{"name": "anna", "content": request_of(key)}])
    assert not certs.directory.exists()


def test_the_ca_must_have_its_key(certs: Certs, key: t.Any) -> None:
    certs.run()
    certs.path("ca-key.pem").unlink()
    with pytest.raises(DockerHostError, match="the request of anna"):
        certs.run(client_requests=[{"name": "anna", "content": request_of(key)}])


def test_what_is_not_a_good_request_is_refused(certs: Certs, key: t.Any) -> None:
    certs.run()
    weak = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    spoilt = x509.load_pem_x509_csr(request_of(key).encode()).public_bytes(serialization.Encoding.DER)
    spoilt = spoilt[:-1] + bytes([spoilt[-1] ^ 1])
    forged = "-----BEGIN CERTIFICATE REQUEST-----\n" + base64.encodebytes(spoilt).decode()
    forged += "-----END CERTIFICATE REQUEST-----\n"
    for text, says in (
        ("x", "must be a certificate signing request in PEM"),
        (forged, "must be a certificate signing request in PEM"),
        (pem, "never send a private key"),
        (request_of(weak), "got RSA 1024"),
    ):
        with pytest.raises(OptionError, match=says) as caught:
            certs.run(client_requests=[{"name": "anna", "content": text}])
        assert caught.value.option == "client_requests[0].content"
        assert "PRIVATE" not in str(caught.value)


@pytest.mark.parametrize("other", [{"state": "absent", "clients": ["x"]}, {"signing": "external"}])
def test_requests_contradict_what_signs_nothing(certs: Certs, key: t.Any, other: dict[str, t.Any]) -> None:
    with pytest.raises(OptionError, match="leave out one of the two"):
        certs.run(client_requests=[{"name": "anna", "content": request_of(key)}], **other)
