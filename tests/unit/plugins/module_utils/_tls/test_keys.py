# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private keys: made, written, read again, judged."""

from __future__ import annotations

import typing as t

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, rsa, x25519
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.dockerhost.azure.plugins.module_utils._errors import DockerHostError
from ansible_collections.dockerhost.azure.plugins.module_utils._tls import keys

QUICK = ("ecdsa_p256", "ecdsa_p384", "ed25519", "rsa_2048")


@pytest.mark.parametrize("key_type", keys.KEY_TYPES)
def test_made_as_asked_for(key_type: str) -> None:
    key = keys.generate(key_type)
    assert keys.type_of(key.public_key()) == key_type
    assert not keys.is_weak(key.public_key())
    assert keys.label(key_type) == keys.LABELS[key_type]


def test_no_such_type() -> None:
    with pytest.raises(DockerHostError, match="No such key type: rsa_512"):
        keys.generate("rsa_512")


@settings(max_examples=25)
@given(st.sampled_from(QUICK[:3]), st.one_of(st.none(), st.text(min_size=4, max_size=40)))
def test_written_and_read_again(key_type: str, passphrase: str | None) -> None:
    key = keys.generate(key_type)
    text = keys.to_pem(key, passphrase)
    assert keys.is_encrypted(text) is bool(passphrase)
    again = keys.load(text, passphrase)
    assert keys.same_public_key(again.public_key(), key.public_key())
    # A passphrase that is not needed does no harm.
    assert keys.load(keys.to_pem(key), passphrase)


@settings(max_examples=50)
@given(st.binary(max_size=400))
def test_rubbish_is_one_clear_error(data: bytes) -> None:
    with pytest.raises(keys.KeyFileError):
        keys.load(data)
    with pytest.raises(keys.KeyFileError):
        keys.load(b"-----BEGIN PRIVATE KEY-----\n" + data + b"\n-----END PRIVATE KEY-----\n")


@pytest.mark.parametrize("form", [serialization.PrivateFormat.TraditionalOpenSSL, serialization.PrivateFormat.PKCS8])
def test_both_forms_of_encrypted_keys(form: t.Any) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    encryption = serialization.BestAvailableEncryption(b"correct horse")
    text = key.private_bytes(serialization.Encoding.PEM, form, encryption)
    assert keys.is_encrypted(text)
    assert keys.load(text, "correct horse")
    with pytest.raises(keys.PassphraseError, match="no passphrase was given"):
        keys.load(text)
    with pytest.raises(keys.PassphraseError, match="the passphrase is wrong"):
        keys.load(text, "battery staple")


@pytest.mark.parametrize(
    ("generate", "label"),
    [
        (lambda: rsa.generate_private_key(65537, 1024), "RSA 1024"),
        (lambda: ec.generate_private_key(ec.SECP256K1()), "ECDSA SECP256K1"),
        (ed448.Ed448PrivateKey.generate, "ED448"),
        (lambda: dsa.generate_private_key(2048), "DSA"),
    ],
    ids=["rsa", "ec", "ed448", "dsa"],
)
def test_weak_and_unfit_keys(generate: t.Callable[[], t.Any], label: str) -> None:
    key = generate()
    assert keys.is_weak(key.public_key())
    assert keys.label(keys.type_of(key.public_key())) == label


def test_keys_that_cannot_sign_for_tls() -> None:
    key = x25519.X25519PrivateKey.generate()
    text = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    with pytest.raises(keys.KeyFileError, match=r"its type .X25519PrivateKey. is not one that Docker accepts"):
        keys.load(text)


def test_p521_is_taken() -> None:
    key = ec.generate_private_key(ec.SECP521R1())
    assert not keys.is_weak(key.public_key())
    assert keys.label(keys.type_of(key.public_key())) == "ECDSA P-521"
    assert keys.digest_for(key) is not None
