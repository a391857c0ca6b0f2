# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The server's certificates: what is refused, and what check mode does not know yet."""

from __future__ import annotations

import base64
import typing as t
from pathlib import Path

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID

from ansible_collections.dockerhost.azure.plugins.module_utils._errors import OptionError
from ansible_collections.dockerhost.azure.plugins.module_utils._extension.certificates import load_certificates
from ansible_collections.dockerhost.azure.plugins.module_utils._extension.settings import read_settings

from .conftest import DAY, NOW, Authority, options


def test_bad_certificates(authority: Authority, certs: dict[str, str]) -> None:
    other = Authority("other")
    server = authority.server
    for problem, given in {
        "does not belong to certs.cert": {**certs, "key": server()["key"]},
        "expired": server(end=NOW - DAY / 2),
        "is not valid before": server(start=NOW + DAY),
        "lacks serverAuth": server(use=(ExtendedKeyUsageOID.CLIENT_AUTH,)),
        "must have a subjectAltName": server(names=False),
        "is encrypted": server(password=b"x"),
        "must be signed by": {**certs, "ca": other.pem},
        "must be PEM": {**certs, "cert": "hello"},
        "no certificate that can be read": {**certs, "ca": certs["key"]},
        "missing: key": {"ca": certs["ca"], "cert": certs["cert"]},
        "cannot be read": {"ca": certs["ca"], "cert": certs["cert"], "key_path": "/nowhere/key.pem"},
    }.items():
        with pytest.raises(OptionError, match=problem):
            load_certificates(given)
    with pytest.raises(OptionError, match=r"certs\.ca: expired"):
        load_certificates(Authority(end=NOW - DAY).server())


@pytest.mark.parametrize(
    "use",
    [
        (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH),
        (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE),
        # Without the extension a certificate is valid for every purpose.
        (),
    ],
    ids=["client", "any", "none"],
)
def test_a_hosts_certificate_that_is_also_for_clients_needs_consent(authority: Authority, use: t.Any) -> None:
    both = authority.server(use=use)
    with pytest.raises(OptionError, match="must be for servers only"):
        read_settings(options(certs=both))
    with pytest.raises(OptionError, match="must be for servers only"):
        read_settings(options(certs=both, certs_only=True))
    assert read_settings(options(certs=both, allow_other_purposes=True)).certs


def test_certificates_that_a_check_mode_run_has_not_made(tmp_path: Path) -> None:
    given = {f"{name}_path": str(tmp_path / name) for name in ("ca", "cert", "key")}
    assert load_certificates(given, may_be_missing=True) is None
    with pytest.raises(OptionError, match="cannot be read"):
        load_certificates(given)


def test_certificates_that_a_check_mode_run_would_have_made_anew(tmp_path: Path, certs: dict[str, str]) -> None:
    given = {}
    for name, pem in certs.items():
        given[f"{name}_path"] = str(tmp_path / name)
        (tmp_path / name).write_text(pem, encoding="utf-8")
    pending = [str(tmp_path / "." / "cert"), "/elsewhere/cert.pem"]
    params = options(certs=given, pending_files=pending)
    assert read_settings(params, check_mode=True).unknown_certs
    assert read_settings(params).certs
    assert read_settings(options(certs=given, pending_files=pending[1:]), check_mode=True).certs


def unusual(pem: str, old: str, new: str) -> str:
    """A certificate or key in which some bytes (in hex) are others."""
    label = pem.splitlines()[0][len("-----BEGIN ") : -len("-----")]
    der = base64.b64decode("".join(pem.splitlines()[1:-1]))
    assert bytes.fromhex(old) in der
    text = base64.encodebytes(der.replace(bytes.fromhex(old), bytes.fromhex(new))).decode()
    return f"-----BEGIN {label}-----\n{text}-----END {label}-----\n"


UNKNOWN_CURVE = ("06082a8648ce3d030107", "06082a8648ce3d03017f")


VERSION_9 = ("a003020102", "a003020108")


EXTENSION_TWICE = ("060403040506", "060403040507")


@pytest.mark.parametrize(
    ("name", "change"),
    [("key", UNKNOWN_CURVE)]
    + [(name, change) for name in ("ca", "cert") for change in (UNKNOWN_CURVE, VERSION_9, EXTENSION_TWICE)],
)
def test_certificates_that_cannot_be_used(name: str, change: tuple[str, str]) -> None:
    certs = Authority(strange=True).server(strange=True)
    certs[name] = unusual(certs[name], *change)
    with pytest.raises(OptionError) as caught:
        load_certificates(certs)
    assert caught.value.option == f"certs.{name}"


SERVER = {
    "csr_path": None,
    "fingerprint": "00",
    "not_before": "2026-11-23T22:10:00Z",
    "not_after": "2027-12-25T22:15:00Z",
    "days_left": 397,
    "key_type": "ecdsa_p256",
    "dns_names": ["web1"],
    "ip_addresses": [],
    "reasons": [],
}


def test_an_entry_of_servers_is_taken_as_it_is(tmp_path: Path, certs: dict[str, str]) -> None:
    for name, pem in certs.items():
        (tmp_path / name).write_text(pem, encoding="utf-8")
    paths = {f"{name}_path": str(tmp_path / name) for name in certs}
    whole = read_settings(options(certs={**SERVER, **paths}))
    assert whole.canonical() == read_settings(options(certs=paths)).canonical()
    with pytest.raises(OptionError, match="missing: ca, cert, key"):
        read_settings(options(certs=SERVER))
