# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private keys: their types, their strength and their text form."""

from __future__ import annotations

import contextlib
import typing as t

from .._errors import DockerHostError, MissingLibraryError

REQUIREMENT = "cryptography>=42.0.0"
_import_error: ImportError | None = None

try:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
    from cryptography.x509 import Certificate

    if not hasattr(Certificate, "not_valid_after_utc"):
        raise ImportError("the installed version is too old")
except ImportError as error:
    _import_error = error

if t.TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

    PrivateKey = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey

DEFAULT_KEY_TYPE = "ecdsa_p256"
KEY_TYPES = ("ecdsa_p256", "ecdsa_p384", "ed25519", "rsa_2048", "rsa_3072", "rsa_4096")
LABELS = {
    "ecdsa_p256": "ECDSA P-256",
    "ecdsa_p384": "ECDSA P-384",
    "ed25519": "Ed25519",
    "rsa_2048": "RSA 2048",
    "rsa_3072": "RSA 3072",
    "rsa_4096": "RSA 4096",
}
CURVES = {"secp256r1": "ecdsa_p256", "secp384r1": "ecdsa_p384", "secp521r1": "ecdsa_p521"}
SMALLEST_RSA = 2048


class KeyFileError(Exception):
    """A private key that cannot be used; the text says why and reveals nothing of the key."""


class PassphraseError(KeyFileError):
    """A private key that needs a passphrase, or a different one."""


def require_cryptography() -> None:
    """Check that the package cryptography is installed.

    :raises MissingLibraryError: it is missing or too old.
    """
    if _import_error is not None:
        raise MissingLibraryError(REQUIREMENT, _import_error)


def generate(key_type: str) -> PrivateKey:
    """Return a new key of one of :data:`KEY_TYPES`."""
    if key_type == "ecdsa_p256":
        return ec.generate_private_key(ec.SECP256R1())
    if key_type == "ecdsa_p384":
        return ec.generate_private_key(ec.SECP384R1())
    if key_type == "ed25519":
        return ed25519.Ed25519PrivateKey.generate()
    if key_type in ("rsa_2048", "rsa_3072", "rsa_4096"):
        return rsa.generate_private_key(public_exponent=65537, key_size=int(key_type[4:]))
    raise DockerHostError(f"No such key type: {key_type}")


def load(data: bytes, passphrase: str | None = None) -> PrivateKey:
    """Return a private key from PEM.

    :raises PassphraseError: it is encrypted and the passphrase is missing or wrong.
    :raises KeyFileError: the text is not a private key that TLS can use.
    """
    if _is_encrypted(data) and not passphrase:
        raise PassphraseError("it is encrypted and no passphrase was given")
    secret = passphrase.encode() if passphrase and _is_encrypted(data) else None
    try:
        key = serialization.load_pem_private_key(data, secret)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        if secret is not None:
            raise PassphraseError("the passphrase is wrong") from error
        raise KeyFileError("it is not a private key in PEM format") from error
    if not isinstance(key, (ec.EllipticCurvePrivateKey, ed25519.Ed25519PrivateKey, rsa.RSAPrivateKey)):
        raise KeyFileError(f"its type ({type(key).__name__.strip('_')}) is not one that Docker accepts")
    return key


def _is_encrypted(data: bytes) -> bool:
    return b"BEGIN ENCRYPTED PRIVATE KEY" in data or b"Proc-Type: 4,ENCRYPTED" in data


def is_encrypted(data: bytes) -> bool:
    """Return whether the PEM text of a private key is encrypted."""
    return _is_encrypted(data)


def to_pem(key: PrivateKey, passphrase: str | None = None) -> bytes:
    """Return the key as PKCS #8 in PEM, encrypted if a passphrase is given."""
    encryption: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if passphrase:
        encryption = serialization.BestAvailableEncryption(passphrase.encode())
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)


def type_of(key: PublicKeyTypes) -> str:
    """Return the key type of a public key, written as in :data:`KEY_TYPES` (``rsa_1024`` for others too)."""
    if isinstance(key, rsa.RSAPublicKey):
        return f"rsa_{key.key_size}"
    if isinstance(key, ec.EllipticCurvePublicKey):
        return CURVES.get(key.curve.name, f"ecdsa_{key.curve.name}")
    if isinstance(key, ed25519.Ed25519PublicKey):
        return "ed25519"
    return type(key).__name__.strip("_").removesuffix("PublicKey").lower()


def label(key_type: str) -> str:
    """Return a readable name of a key type, for example ``RSA 1024``."""
    if key_type in LABELS:
        return LABELS[key_type]
    return key_type.replace("_p", " P-").replace("_", " ").upper()


def is_weak(key: PublicKeyTypes) -> bool:
    """Return whether the key is too weak, or of a type that Docker does not accept."""
    if isinstance(key, rsa.RSAPublicKey):
        return key.key_size < SMALLEST_RSA
    if isinstance(key, ec.EllipticCurvePublicKey):
        return key.curve.name not in CURVES
    return not isinstance(key, ed25519.Ed25519PublicKey)


def same_public_key(one: PublicKeyTypes, other: PublicKeyTypes) -> bool:
    """Return whether two public keys are the same key."""
    with contextlib.suppress(ValueError, AttributeError):
        return public_bytes(one) == public_bytes(other)
    return False


def public_bytes(key: PublicKeyTypes) -> bytes:
    """Return a public key as SubjectPublicKeyInfo in DER."""
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def digest_for(key: PrivateKey) -> hashes.HashAlgorithm | None:
    """Return the hash for signatures by this key, ``None`` for Ed25519, which needs no separate one."""
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return None
    if isinstance(key, ec.EllipticCurvePrivateKey) and key.key_size >= 384:
        return hashes.SHA384()
    return hashes.SHA256()
