# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Certificates that somebody else signs: requests out, certificates in."""

from __future__ import annotations

import typing as t

import pytest
from cryptography import x509

from ansible_collections.dockerhost.azure.plugins.module_utils._errors import OptionError

if t.TYPE_CHECKING:
    from .conftest import Certs, Maker

HOSTS = [{"name": "web1", "dns_names": ["web1.example.org"], "ip_addresses": ["10.0.0.4"]}]


@pytest.fixture
def company(maker: Maker) -> tuple[t.Any, t.Any]:
    return maker.ca("Company")


def external(maker: Maker, company: tuple[t.Any, t.Any], *signed: str, **options: t.Any) -> dict[str, t.Any]:
    return {
        "hosts": HOSTS,
        "clients": ["robot"],
        "signing": "external",
        "ca_content": maker.pem(company[0]),
        "signed_certificates": [{"content": text} for text in signed],
        **options,
    }


def sign_all(certs: Certs, maker: Maker, company: tuple[t.Any, t.Any], result: dict[str, t.Any]) -> list[str]:
    entries = [result["client"], *result["clients"].values(), *result["servers"].values()]
    paths = [entry["csr_path"] for entry in entries if entry["csr_path"]]
    return [maker.sign_request(company, certs.path(path).read_bytes()) for path in paths]


def test_requests_out_and_certificates_in(certs: Certs, maker: Maker, company: t.Any) -> None:
    result = certs.run(**external(maker, company))
    assert result["servers"]["web1"]["csr_path"] == str(certs.path("servers/web1/cert.csr"))
    request = x509.load_pem_x509_csr(certs.bytes("servers/web1/cert.csr"))
    assert request.is_signature_valid
    assert request.subject.rfc4514_string() == "CN=web1"
    san = request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert san.get_values_for_type(x509.DNSName) == ["web1.example.org"]
    assert certs.path("servers/web1/key.pem").stat().st_mode & 0o777 == 0o600
    assert certs.cert("ca.pem") == company[0]
    assert not certs.path("ca-key.pem").exists()
    certs.settled(**external(maker, company))

    signed = sign_all(certs, maker, company, result)
    assert len(signed) == 3
    keys = {path: certs.bytes(path) for path in ("key.pem", "servers/web1/key.pem", "clients/robot/key.pem")}
    # They may come one by one.
    certs.run(**external(maker, company, signed[2]))
    assert not certs.path("servers/web1/cert.csr").exists()
    assert certs.path("cert.csr").exists()
    result = certs.run(**external(maker, company, *signed))
    assert result["servers"]["web1"]["csr_path"] is None
    assert result["client"]["days_left"] == 300
    assert {path: certs.bytes(path) for path in keys} == keys
    certs.check_pairs()
    certs.settled(**external(maker, company, *signed))
    certs.settled(**external(maker, company))


def test_by_path(certs: Certs, maker: Maker, company: t.Any, tmp_path: t.Any) -> None:
    result = certs.run(**external(maker, company, clients=[]))
    paths = []
    for number, text in enumerate(sign_all(certs, maker, company, result)):
        (tmp_path / f"{number}.pem").write_text(text)
        paths.append({"path": str(tmp_path / f"{number}.pem")})
    certs.run(**external(maker, company, clients=[], signed_certificates=paths))
    certs.check_pairs()


def test_a_renewal_keeps_the_old_certificate_until_the_new_one_is_there(
    certs: Certs, maker: Maker, company: t.Any
) -> None:
    signed = sign_all(certs, maker, company, certs.run(**external(maker, company)))
    certs.run(**external(maker, company, *signed))
    before = certs.tree()
    certs.later(days=290)
    result = certs.run(**external(maker, company))
    assert result["client"]["reasons"] == ["expires in 10 days"]
    assert result["client"]["csr_path"]
    after = certs.tree()
    assert {path for path in before if before[path] != after[path]} == {".docker-tls-certs/state.json"}
    # The old certificate given again is no renewal.
    certs.settled(**external(maker, company, *signed))
    maker.now = certs.now
    signed = sign_all(certs, maker, company, result)
    certs.run(**external(maker, company, *signed))
    certs.check_pairs()
    certs.settled(**external(maker, company))


def test_changed_names_make_a_new_request(certs: Certs, maker: Maker, company: t.Any) -> None:
    certs.run(**external(maker, company))
    first = certs.bytes("servers/web1/cert.csr")
    key = certs.bytes("servers/web1/key.pem")
    certs.run(**external(maker, company, hosts=[{"name": "web1", "dns_names": ["other.example.org"]}]))
    assert certs.bytes("servers/web1/cert.csr") != first
    assert certs.bytes("servers/web1/key.pem") == key


def test_what_is_not_taken(certs: Certs, maker: Maker, company: t.Any) -> None:
    result = certs.run(**external(maker, company))
    request = certs.path(result["servers"]["web1"]["csr_path"]).read_bytes()
    good = maker.sign_request(company, request)
    wrong_ca = maker.sign_request(maker.ca("Company"), request)
    stranger = maker.pem(maker.leaf(company, "stranger")[0])
    key = certs.key("servers/web1/key.pem")
    no_names = maker.pem(maker.leaf(company, "web1", key=key, purpose="serverAuth")[0])
    for_clients = maker.pem(maker.leaf(company, "web1", key=key, dns_names=["web1.example.org"])[0])
    over = maker.sign_request(company, request, days=0.001)
    before = certs.tree()
    for text, problem in (
        (wrong_ca, "does not match its request: signed by another CA"),
        (stranger, "no key in .* belongs to this certificate"),
        (no_names, "SAN lacks web1.example.org, SAN lacks 10.0.0.4"),
        (for_clients, "SAN lacks 10.0.0.4, EKU lacks serverAuth"),
        ("rubbish", "it contains no certificate in PEM format"),
    ):
        for check in (True, False):
            with pytest.raises(OptionError, match=rf"signed_certificates\[0\]: .*{problem}"):
                certs.run(check=check, **external(maker, company, text))
    certs.later(minutes=10)
    with pytest.raises(OptionError, match="does not match its request: expired today"):
        certs.run(**external(maker, company, over))
    assert certs.tree() == before
    certs.run(**external(maker, company, good))


def test_a_key_in_use_is_not_exchanged_behind_its_certificate(certs: Certs, maker: Maker, company: t.Any) -> None:
    signed = sign_all(certs, maker, company, certs.run(**external(maker, company)))
    certs.run(**external(maker, company, *signed))
    before = certs.tree()
    with pytest.raises(OptionError, match=r"server_key_type: .*web1.*in use"):
        certs.run(**external(maker, company, server_key_type="ed25519"))
    assert certs.tree() == before


def test_options_that_do_not_go_together(certs: Certs, maker: Maker, company: t.Any) -> None:
    with pytest.raises(OptionError, match="signing: external needs the certificate of the CA"):
        certs.run(signing="external")
    with pytest.raises(
        OptionError, match="ca_key_content: must not be set, because with signing: external nothing is signed here"
    ):
        certs.run(**external(maker, company, ca_key_content=maker.pem(company[1])))
    with pytest.raises(OptionError, match="signed_certificates: has an effect with signing: external only"):
        certs.run(signed_certificates=[{"content": "x"}])


def test_with_an_intermediate(certs: Certs, maker: Maker) -> None:
    root = maker.ca("Root")
    issuing = maker.ca("Issuing", signer=root)
    options = external(maker, issuing, ca_content=maker.pem(issuing[0], root[0]))
    signed = sign_all(certs, maker, issuing, certs.run(**options))
    certs.run(**{**options, "signed_certificates": [{"content": text} for text in signed]})
    assert certs.chain("ca.pem") == [issuing[0], root[0]]
    assert certs.chain("servers/web1/ca.pem") == [issuing[0]]
    assert certs.chain("servers/web1/cert.pem")[1:] == [issuing[0]]


PURPOSES = {"servers/web1": ("serverAuth", "clientAuth"), "client": ("clientAuth", "serverAuth")}


@pytest.mark.parametrize("other", ["the other purpose", "anyExtendedKeyUsage", "codeSigning"])
@pytest.mark.parametrize("label", ["servers/web1", "client"])
def test_no_key_has_the_rights_of_the_other_side(
    certs: Certs, maker: Maker, company: t.Any, label: str, other: str
) -> None:
    certs.run(**external(maker, company))
    own, opposite = PURPOSES[label]
    second = opposite if other == "the other purpose" else other
    path = f"{label}/cert.csr" if label != "client" else "cert.csr"
    signed = maker.sign_request(company, certs.bytes(path), purposes=[own, second])
    before = certs.tree()
    if other != "codeSigning":
        for check in (True, False):
            with pytest.raises(OptionError, match=f"EKU has {second} besides {own}") as caught:
                certs.run(check=check, **external(maker, company, signed))
            assert "allow_other_purposes: true" in str(caught.value)
        assert certs.tree() == before
    certs.run(allow_other_purposes=other != "codeSigning", **external(maker, company, signed))
    assert certs.path(path.replace(".csr", ".pem")).exists()
