# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Chains, signatures and fingerprints."""

from __future__ import annotations

import datetime as dt
import itertools
import typing as t

import pytest
from cryptography import x509
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.dockerhost.azure.plugins.module_utils._tls import ca, keys, names

if t.TYPE_CHECKING:
    from .conftest import Maker

NOW = dt.datetime(2026, 11, 23, 12, 0, 0, tzinfo=dt.timezone.utc)
LATER = NOW + dt.timedelta(days=900)


def own_ca() -> ca.CertificateAuthority:
    return ca.create_ca(keys.generate("ecdsa_p256"), names.make_name({}, "CA"), NOW, LATER)


def test_a_chain_in_any_order(maker: Maker) -> None:
    root = maker.ca("Root")
    middle = maker.ca("Middle", signer=root)
    issuing = maker.ca("Issuing", signer=middle)
    wanted = (issuing[0], middle[0], root[0])
    for order in itertools.permutations(wanted):
        assert ca.arrange(order, issuing[1]) == wanted
        assert ca.arrange(order, None) == wanted
    # By its key, one in the middle can be the one that signs.
    assert ca.arrange(wanted, middle[1]) == (middle[0], root[0])
    assert ca.arrange((issuing[0],), issuing[1]) == (issuing[0],)


def test_a_chain_that_is_given_twice(maker: Maker) -> None:
    root = maker.ca("Root")
    issuing = maker.ca("Issuing", signer=root)
    assert ca.arrange((issuing[0], root[0], root[0], issuing[0]), issuing[1]) == (issuing[0], root[0])


@settings(max_examples=30)
@given(
    st.lists(st.sampled_from(["a.example", "b.example", "*.c.example"]), unique=True),
    st.lists(st.sampled_from(["10.0.0.4", "2001:db8::1", "127.0.0.1"]), unique=True),
    st.sampled_from(["serverAuth", "clientAuth"]),
    st.sampled_from(["ecdsa_p256", "ecdsa_p384", "ed25519"]),
)
def test_what_is_signed_is_what_was_asked_for(
    dns_names: list[str], addresses: list[str], purpose: t.Any, key_type: str
) -> None:
    authority = own_ca()
    key = keys.generate(key_type)
    leaf = ca.Leaf(names.make_name({"O": "Example"}, "web1"), purpose, tuple(dns_names), tuple(addresses))
    certificate = ca.sign(authority, leaf, key, NOW, NOW + dt.timedelta(days=397))
    assert authority.signed(certificate)
    assert not own_ca().signed(certificate)
    assert names.read_san(certificate) == (dns_names, addresses)
    assert certificate.subject.rfc4514_string() == "CN=web1,O=Example"
    assert certificate.not_valid_before_utc == NOW - dt.timedelta(minutes=5)
    usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ca.purpose_oid(purpose)]
    assert 0 < certificate.serial_number < 2**128
    assert ca.load_certificates(ca.to_pem([certificate])) == [certificate]
    request = ca.create_csr(leaf, key)
    assert names.read_san(request) == (dns_names, addresses)
    assert request.is_signature_valid


def test_a_renewed_ca_fits_everything_that_the_old_one_signed() -> None:
    authority = own_ca()
    leaf = ca.Leaf(names.make_name({}, "web1"), "serverAuth", ("web1",), ())
    certificate = ca.sign(authority, leaf, keys.generate("ed25519"), NOW, LATER)
    renewed = ca.renew_ca(authority, NOW + dt.timedelta(days=880), NOW + dt.timedelta(days=4000))
    assert renewed.signed(certificate)
    assert ca.is_same_ca(authority, renewed)
    assert renewed.fingerprint != authority.fingerprint
    assert not ca.is_same_ca(authority, own_ca())


def test_signing_needs_the_key(maker: Maker) -> None:
    leaf = ca.Leaf(names.make_name({}, "web1"), "serverAuth")
    bare = ca.CertificateAuthority(own_ca().chain)
    with pytest.raises(ca.CaError):
        ca.sign(bare, leaf, keys.generate("ed25519"), NOW, LATER)
    with pytest.raises(ca.CaError):
        ca.renew_ca(bare, NOW, LATER)
    with pytest.raises(ca.CaError):
        ca.key_of(bare)


def test_what_python_complains_about(maker: Maker) -> None:
    assert ca.strict_complaint(own_ca().certificate) is None
    assert ca.strict_complaint(maker.ca(critical=False)[0]) == "its basicConstraints are not critical"
    assert ca.strict_complaint(maker.ca(is_ca=None)[0]) == "it has no basicConstraints"
    assert ca.strict_complaint(maker.ca(cert_sign=None)[0]) == "it has no keyUsage"


@given(st.binary(max_size=300))
def test_rubbish_is_no_certificate(data: bytes) -> None:
    with pytest.raises(ValueError):
        ca.load_certificates(data)
