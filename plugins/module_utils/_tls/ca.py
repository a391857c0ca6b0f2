# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Certificate authorities: read, check and create them, and sign with them."""

from __future__ import annotations

import contextlib
import typing as t
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from . import keys, names
from .times import iso

with contextlib.suppress(ImportError):
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.x509.oid import ExtendedKeyUsageOID, SignatureAlgorithmOID

if t.TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPublicKeyTypes

# A machine whose clock is a little slow must accept a certificate that was issued this moment.
BACKDATED = timedelta(minutes=5)
SERIAL_BITS = 128


class CaError(Exception):
    """A certificate authority that cannot be used; the text says why."""


@dataclass(frozen=True)
class CertificateAuthority:
    """A CA: the certificate that signs, the chain above it, and its key if it is available here.

    :param chain: the issuing certificate first, each followed by the one that signed it.
    :param key: the issuing certificate's private key.
    """

    chain: tuple[x509.Certificate, ...]
    key: keys.PrivateKey | None = None

    @property
    def certificate(self) -> x509.Certificate:
        """The certificate that signs."""
        return self.chain[0]

    @property
    def fingerprint(self) -> str:
        """The SHA-256 fingerprint of that certificate."""
        return fingerprint(self.certificate)

    @property
    def self_signed(self) -> bool:
        """Whether it is its own issuer."""
        return self.certificate.issuer == self.certificate.subject

    @property
    def intermediates(self) -> tuple[x509.Certificate, ...]:
        """The part of the chain that a server sends along: all but the root."""
        return tuple(certificate for certificate in self.chain if certificate.issuer != certificate.subject)

    def not_after(self) -> datetime:
        """Return when the first certificate of the chain expires: nothing that it signs is valid for longer."""
        return min(certificate.not_valid_after_utc for certificate in self.chain)

    def signed(self, certificate: x509.Certificate) -> bool:
        """Return whether this CA signed the certificate."""
        return signed_by(certificate, self.certificate)


def fingerprint(certificate: x509.Certificate) -> str:
    """Return the SHA-256 of the certificate's DER, lower-case hexadecimal without separators."""
    return certificate.fingerprint(hashes.SHA256()).hex()


def to_pem(certificates: t.Iterable[x509.Certificate]) -> bytes:
    """Return the certificates one after another in PEM."""
    return b"".join(certificate.public_bytes(serialization.Encoding.PEM) for certificate in certificates)


def load_certificates(data: bytes) -> list[x509.Certificate]:
    """Return all certificates of a PEM text, at least one.

    :raises ValueError: the text contains no certificate, or one that cannot be read or used; the message says which.
    """
    try:
        certificates = x509.load_pem_x509_certificates(data)
        for certificate in certificates:
            # Lazily parsed: what is broken must show now, not in the middle of a run.
            certificate.public_key()
            if certificate.extensions is None or certificate.subject is None or certificate.not_valid_after_utc is None:
                raise ValueError("a field is missing")
    except ValueError as error:
        raise ValueError("it contains no certificate in PEM format") from error
    except (UnsupportedAlgorithm, x509.InvalidVersion, x509.DuplicateExtension) as error:
        raise ValueError(f"it contains a certificate that cannot be used: {error}") from error
    return certificates


def signed_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Return whether ``issuer`` is named as the issuer and its key signed the certificate."""
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def uses_sha1(certificate: x509.Certificate) -> bool:
    """Return whether the signature uses SHA-1 or MD5."""
    weak = (
        SignatureAlgorithmOID.RSA_WITH_SHA1,
        SignatureAlgorithmOID.RSA_WITH_MD5,
        SignatureAlgorithmOID.ECDSA_WITH_SHA1,
        SignatureAlgorithmOID.DSA_WITH_SHA1,
    )
    return certificate.signature_algorithm_oid in weak


def arrange(certificates: t.Sequence[x509.Certificate], key: keys.PrivateKey | None) -> tuple[x509.Certificate, ...]:
    """Return the certificates of a bundle as a chain: the issuing certificate first, then upwards.

    The issuing certificate is the key's, or without a key the one that signed no other.

    :raises CaError: the key matches no certificate, or several could be the one that signs.
    """
    if key is not None:
        public = key.public_key()
        first = [entry for entry in certificates if keys.same_public_key(entry.public_key(), public)]
        if not first:
            raise CaError("the CA's key does not match its certificate")
    else:
        first = [
            entry
            for entry in certificates
            if not any(other is not entry and signed_by(other, entry) for other in certificates)
        ]
        if len(first) != 1:
            raise CaError("several certificates could be the issuing CA; pass its key, or a single chain")
    chain = [first[0]]
    while chain[-1].issuer != chain[-1].subject:
        above = next((entry for entry in certificates if entry not in chain and signed_by(chain[-1], entry)), None)
        if above is None:
            break
        chain.append(above)
    return tuple(chain)


def check_may_sign(chain: t.Sequence[x509.Certificate], now: datetime) -> None:
    """Check that every certificate of the chain may sign the one below it, today.

    :raises CaError: the first reason why not.
    """
    for depth, certificate in enumerate(chain):
        who = f"the certificate of {certificate.subject.rfc4514_string() or 'the CA'}"
        _check_constraints(certificate, depth, who)
        if certificate.not_valid_after_utc <= now:
            raise CaError(f"{who} expired at {iso(certificate.not_valid_after_utc)}")
        if certificate.not_valid_before_utc > now:
            raise CaError(f"{who} is not valid before {iso(certificate.not_valid_before_utc)}")
        if keys.is_weak(certificate.public_key()):
            raise CaError(f"{who} has a weak key: {keys.label(keys.type_of(certificate.public_key()))}")
        if uses_sha1(certificate) and certificate.issuer != certificate.subject:
            raise CaError(f"{who} is signed with SHA-1")


def _check_constraints(certificate: x509.Certificate, depth: int, who: str) -> None:
    try:
        basic = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
    except x509.ExtensionNotFound as error:
        raise CaError(f"{who} may not sign: it has no basicConstraints") from error
    if not basic.ca:
        raise CaError(f"{who} may not sign: its basicConstraints say that it is not a CA")
    if basic.path_length is not None and basic.path_length < depth:
        raise CaError(f"{who} may not sign at this depth: its path length is {basic.path_length}, {depth} is needed")
    with contextlib.suppress(x509.ExtensionNotFound):
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
        if not usage.key_cert_sign:
            raise CaError(f"{who} may not sign: its keyUsage lacks keyCertSign")


def strict_complaint(certificate: x509.Certificate) -> str | None:
    """Return why Python 3.13 and later reject a CA that Docker itself accepts; ``None`` if they accept it."""
    extensions = certificate.extensions
    try:
        if not extensions.get_extension_for_class(x509.BasicConstraints).critical:
            return "its basicConstraints are not critical"
    except x509.ExtensionNotFound:
        return "it has no basicConstraints"
    try:
        extensions.get_extension_for_class(x509.KeyUsage)
    except x509.ExtensionNotFound:
        return "it has no keyUsage"
    try:
        extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
    except x509.ExtensionNotFound:
        return "it has no subjectKeyIdentifier"
    return None


def _key_usage(*, signs_certificates: bool, enciphers: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=enciphers,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _builder(subject: x509.Name, issuer: x509.Name, now: datetime, not_after: datetime) -> x509.CertificateBuilder:
    serial = x509.random_serial_number() >> (159 - SERIAL_BITS)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .serial_number(serial or 1)
        .not_valid_before(now - BACKDATED)
        .not_valid_after(not_after)
    )


def create_ca(key: keys.PrivateKey, subject: x509.Name, now: datetime, not_after: datetime) -> CertificateAuthority:
    """Create a self-signed CA that may sign leaf certificates but no further CA."""
    public = key.public_key()
    certificate = (
        _builder(subject, subject, now, not_after)
        .public_key(public)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .sign(key, keys.digest_for(key))  # type: ignore[arg-type]
    )
    return CertificateAuthority((certificate,), key)


def renew_ca(issuer: CertificateAuthority, now: datetime, not_after: datetime) -> CertificateAuthority:
    """Return the same CA (key and subject) with a new end: everything that it signed stays valid."""
    if issuer.key is None or not issuer.self_signed:
        raise CaError("only a CA that this module created can be renewed")
    renewed = create_ca(issuer.key, issuer.certificate.subject, now, not_after)
    return replace(issuer, chain=renewed.chain)


@dataclass(frozen=True)
class Leaf:
    """The content of a certificate for a server or client.

    :param purpose: ``serverAuth`` or ``clientAuth``.
    """

    subject: x509.Name
    purpose: t.Literal["serverAuth", "clientAuth"]
    dns_names: tuple[str, ...] = ()
    ip_addresses: tuple[str, ...] = ()


def purpose_oid(purpose: str) -> x509.ObjectIdentifier:
    """Return the OID of an extended key usage."""
    return ExtendedKeyUsageOID.SERVER_AUTH if purpose == "serverAuth" else ExtendedKeyUsageOID.CLIENT_AUTH


def other_purposes(certificate: x509.Certificate, purpose: str) -> list[str]:
    """Return the other purposes for which the holder could use a certificate in the network of the hosts.

    A server's certificate that is also valid for clients makes the host's key a client's, and a client has the rights
    of root on every host. ``anyExtendedKeyUsage`` includes every purpose, and a certificate without extended key usages
    has every purpose, too (RFC 5280, 4.2.1.12; Go's ``crypto/x509`` accepts both).

    :param purpose: ``serverAuth`` or ``clientAuth``, for which the certificate is meant.
    """
    try:
        usages = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return ["every purpose (it has no extendedKeyUsage)"]
    known = {
        ExtendedKeyUsageOID.SERVER_AUTH: "serverAuth",
        ExtendedKeyUsageOID.CLIENT_AUTH: "clientAuth",
        ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE: "anyExtendedKeyUsage",
    }
    return [known[oid] for oid in usages if oid in known and known[oid] != purpose]


def sign(
    issuer: CertificateAuthority, leaf: Leaf, key: keys.PrivateKey, now: datetime, not_after: datetime
) -> x509.Certificate:
    """Return a certificate for the key, signed by the CA. It never outlives the CA.

    :raises CaError: the CA's key is not available here.
    """
    return sign_key(issuer, leaf, key.public_key(), now, not_after)


def sign_key(
    issuer: CertificateAuthority, leaf: Leaf, public: t.Any, now: datetime, not_after: datetime
) -> x509.Certificate:
    """Do the same for a public key.

    :raises CaError: the CA's key is not available here.
    """
    if issuer.key is None:
        raise CaError("the CA's key is needed to sign")
    builder = _builder(leaf.subject, issuer.certificate.subject, now, min(not_after, issuer.not_after()))
    builder = builder.public_key(public).add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(
        _key_usage(signs_certificates=False, enciphers=isinstance(public, rsa.RSAPublicKey)), critical=True
    )
    builder = builder.add_extension(x509.ExtendedKeyUsage([purpose_oid(leaf.purpose)]), critical=False)
    if leaf.dns_names or leaf.ip_addresses:
        builder = builder.add_extension(names.make_san(leaf.dns_names, leaf.ip_addresses), critical=False)
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    builder = builder.add_extension(_key_identifier(issuer.certificate), critical=False)
    return builder.sign(issuer.key, keys.digest_for(issuer.key))  # type: ignore[arg-type]


def _key_identifier(issuer: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    """Return an extension that names the issuer by its key identifier alone, so that a renewed CA still matches."""
    try:
        own = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    except x509.ExtensionNotFound:
        public = t.cast("CertificateIssuerPublicKeyTypes", issuer.public_key())
        return x509.AuthorityKeyIdentifier.from_issuer_public_key(public)
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(own)


def create_csr(leaf: Leaf, key: keys.PrivateKey) -> x509.CertificateSigningRequest:
    """Create a request that another CA can sign."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(leaf.subject)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(
        _key_usage(signs_certificates=False, enciphers=isinstance(key, rsa.RSAPrivateKey)), critical=True
    )
    builder = builder.add_extension(x509.ExtendedKeyUsage([purpose_oid(leaf.purpose)]), critical=False)
    if leaf.dns_names or leaf.ip_addresses:
        builder = builder.add_extension(names.make_san(leaf.dns_names, leaf.ip_addresses), critical=False)
    return builder.sign(key, keys.digest_for(key))  # type: ignore[arg-type]


def csr_pem(request: x509.CertificateSigningRequest) -> bytes:
    """Return the request in PEM."""
    return request.public_bytes(serialization.Encoding.PEM)


def is_same_ca(one: CertificateAuthority, other: CertificateAuthority) -> bool:
    """Return whether two certificates belong to one CA: they have the same name and key, even if it was renewed."""
    return one.certificate.subject == other.certificate.subject and keys.same_public_key(
        one.certificate.public_key(), other.certificate.public_key()
    )


def key_of(issuer: CertificateAuthority) -> keys.PrivateKey:
    """Return the CA's key.

    :raises CaError: it is not available here.
    """
    if issuer.key is None:
        raise CaError("the CA's key is needed")
    return issuer.key
