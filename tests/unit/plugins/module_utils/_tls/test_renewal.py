# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each reason for a renewal, what it leads to, and what regenerate makes of it."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.dockerhost.azure.plugins.module_utils._errors import DockerHostError

if t.TYPE_CHECKING:
    from .conftest import Certs, Maker

HOSTS = [{"name": "web1", "dns_names": ["web1.example.org"], "ip_addresses": ["10.0.0.4"]}]
Spoil = t.Callable[["Certs", "Maker"], None]


def our_ca(certs: Certs) -> tuple[t.Any, t.Any]:
    return certs.cert("ca.pem"), certs.key("ca-key.pem")


def server(certs: Certs, maker: Maker, **options: t.Any) -> None:
    """Put a certificate of our CA in the place of the server's."""
    options = {"purpose": "serverAuth", "dns_names": ["web1.example.org"], **options}
    certificate, key = maker.leaf(our_ca(certs), "web1", **options)
    certs.path("servers/web1/cert.pem").write_text(maker.pem(certificate))
    certs.path("servers/web1/key.pem").write_text(maker.pem(key))


def other_key(certs: Certs, maker: Maker) -> None:
    certs.path("servers/web1/key.pem").write_text(maker.pem(maker.key()))


def encrypted_key(certs: Certs, maker: Maker) -> None:
    key = certs.key("servers/web1/key.pem")
    certs.path("servers/web1/key.pem").write_text(maker.pem(key, passphrase="correct horse"))


def no_key(certs: Certs, maker: Maker) -> None:
    certs.path("servers/web1/key.pem").unlink()


def no_certificate(certs: Certs, maker: Maker) -> None:
    certs.path("servers/web1/cert.pem").unlink()


def nothing(certs: Certs, maker: Maker) -> None:
    no_key(certs, maker)
    no_certificate(certs, maker)


def broken(file: str, data: bytes) -> Spoil:
    return lambda certs, maker: t.cast(None, certs.path(f"servers/web1/{file}").write_bytes(data))


def half(certs: Certs, maker: Maker) -> None:
    data = certs.bytes("servers/web1/cert.pem")
    certs.path("servers/web1/cert.pem").write_bytes(data[: len(data) // 2])


def with_options(**options: t.Any) -> Spoil:
    return lambda certs, maker: server(certs, maker, **options)


def rsa_1024(certs: Certs, maker: Maker) -> None:
    server(certs, maker, key=maker.key("rsa1024"))


def by_another_ca(certs: Certs, maker: Maker) -> None:
    certificate, key = maker.leaf(maker.ca("Docker CA"), "web1", purpose="serverAuth")
    certs.path("servers/web1/cert.pem").write_text(maker.pem(certificate))
    certs.path("servers/web1/key.pem").write_text(maker.pem(key))


def sha1(certs: Certs, maker: Maker) -> None:
    certificate, key = maker.leaf(our_ca(certs), "web1", purpose="serverAuth")
    certs.path("servers/web1/cert.pem").write_text(maker.pem(maker.with_sha1(certificate, our_ca(certs))))
    certs.path("servers/web1/key.pem").write_text(maker.pem(key))


def time_goes_by(**span: float) -> Spoil:
    return lambda certs, maker: certs.later(**span)


LACKS_IP = "SAN lacks 10.0.0.4"
# What was done to the server's files, a reason that must be given, and whether the key stays.
SPOILT: dict[str, tuple[Spoil, str, bool]] = {
    "nothing there": (nothing, "it does not exist", False),
    "no key": (no_key, "the key is missing", False),
    "no certificate": (no_certificate, "the certificate is missing", True),
    "another key": (other_key, "key does not match", True),
    "encrypted key": (encrypted_key, "the key is encrypted, which Docker cannot use", False),
    "empty key": (broken("key.pem", b""), "the key cannot be read", False),
    "certificate as key": (broken("key.pem", b"-----BEGIN CERTIFICATE-----\n"), "the key cannot be read", False),
    "empty certificate": (broken("cert.pem", b""), "the certificate cannot be read", True),
    "zeros for a certificate": (broken("cert.pem", b"\0" * 600), "the certificate cannot be read", True),
    "half a certificate": (half, "the certificate cannot be read", True),
    "weak key": (rsa_1024, "key is RSA 1024", False),
    "another CA of the same name": (by_another_ca, "signed by another CA", True),
    "SHA-1": (sha1, "signature uses SHA-1", True),
    "no purpose": (with_options(purpose=None), "EKU lacks serverAuth", True),
    "a client's purpose": (with_options(purpose="clientAuth"), "EKU lacks serverAuth", True),
    "no key identifier": (
        with_options(key_identifier=False),
        "it lacks the authority key identifier, which Python 3.13 asks for",
        True,
    ),
    "an address is missing": (with_options(), LACKS_IP, True),
    "a name too many": (
        with_options(dns_names=["web1.example.org", "old.example.org"]),
        "SAN has old.example.org, which is not requested",
        True,
    ),
    "soon over": (time_goes_by(days=385), "expires in 12 days", True),
    "over tomorrow": (time_goes_by(days=395.5), "expires in 1 day", True),
    "over today": (time_goes_by(days=397, hours=1), "expired today", True),
    "over": (time_goes_by(days=400), "expired 3 days ago", True),
}


@pytest.mark.parametrize("name", SPOILT)
def test_reasons(certs: Certs, maker: Maker, name: str) -> None:
    spoil, reason, keeps_key = SPOILT[name]
    certs.run(hosts=HOSTS)
    spoil(certs, maker)
    key_file = certs.path("servers/web1/key.pem")
    before = key_file.read_bytes() if key_file.exists() else None
    predicted = certs.run(check=True, hosts=HOSTS)
    done = certs.run(hosts=HOSTS)
    for result in (predicted, done):
        assert reason in result["servers"]["web1"]["reasons"]
        assert result["changed"]
    assert (key_file.read_bytes() == before) is keeps_key
    certs.check_pairs()
    certs.settled(hosts=HOSTS)


def test_a_certificate_from_the_future(certs: Certs) -> None:
    """A clock that went wrong once: the CA is older than the certificate."""
    certs.run()
    certs.later(days=30)
    certs.run(hosts=HOSTS)
    certs.later(days=-20)
    result = certs.run(hosts=HOSTS)
    assert result["servers"]["web1"]["reasons"] == ["not valid before 2026-12-23T11:55:00Z"]


def test_what_is_changed_by_somebody_is_kept_beside(certs: Certs, maker: Maker) -> None:
    """Without backup: true, too: somebody else's key in the place of the module's may be the only copy."""
    certs.run(hosts=HOSTS)
    certs.path("servers/web1/key.pem").write_text("not a key, but somebody's")
    result = certs.run(hosts=HOSTS)
    kept = result["backup_files"][str(certs.path("servers/web1/key.pem"))]
    assert certs.path(kept).read_text() == "not a key, but somebody's"


def test_the_margin_is_the_users(certs: Certs) -> None:
    certs.run(hosts=HOSTS)
    certs.later(days=340)
    certs.settled(hosts=HOSTS)
    result = certs.run(hosts=HOSTS, server_renew_before="+60d")
    assert result["servers"]["web1"]["reasons"] == ["expires in 57 days"]
    assert result["client"]["reasons"] == []


def test_never(certs: Certs, maker: Maker) -> None:
    certs.run(hosts=HOSTS)
    certs.later(days=400)
    before = certs.tree()
    result = certs.run(hosts=HOSTS, regenerate="never")
    assert not result["changed"]
    assert certs.tree() == before
    assert result["servers"]["web1"]["reasons"] == ["expired 3 days ago"]
    assert any("servers/web1 is not renewed because of regenerate: never" in warning for warning in certs.warnings)
    # What is missing is made all the same.
    assert certs.run(hosts=[{"name": "web2"}], regenerate="never")["changed"]
    other_key(certs, maker)
    broken("key.pem", b"")(certs, maker)
    with pytest.raises(DockerHostError, match="the key cannot be read"):
        certs.run(hosts=HOSTS, regenerate="never")


def test_fail(certs: Certs) -> None:
    certs.run(hosts=HOSTS)
    certs.settled(hosts=HOSTS, regenerate="fail")
    certs.later(days=385)
    before = certs.tree()
    with pytest.raises(DockerHostError) as caught:
        certs.run(hosts=HOSTS, regenerate="fail")
    assert caught.value.details["reasons"] == {
        "client": ["expires in 12 days"],
        "servers/web1": ["expires in 12 days"],
    }
    assert certs.tree() == before
    certs.later(days=3260)
    with pytest.raises(DockerHostError, match="ca: expires in 5 days"):
        certs.run(hosts=HOSTS, regenerate="fail")


def test_partial_idempotence(certs: Certs, maker: Maker) -> None:
    certs.run(hosts=HOSTS)
    other_key(certs, maker)
    certs.run(hosts=HOSTS, regenerate="partial_idempotence")
    certs.check_pairs()
    broken("cert.pem", b"")(certs, maker)
    before = certs.tree()
    with pytest.raises(DockerHostError, match="the certificate cannot be read"):
        certs.run(hosts=HOSTS, regenerate="partial_idempotence")
    assert certs.tree() == before
    certs.run(hosts=HOSTS, regenerate="full_idempotence")
    certs.check_pairs()


def test_always(certs: Certs) -> None:
    certs.run(hosts=HOSTS)
    ca = certs.bytes("ca.pem")
    for _unused in range(2):
        before = certs.bytes("servers/web1/cert.pem")
        result = certs.run(hosts=HOSTS, regenerate="always")
        assert result["servers"]["web1"]["reasons"] == ["requested by regenerate"]
        assert certs.bytes("servers/web1/cert.pem") != before
        assert certs.bytes("ca.pem") == ca


def test_the_diff_shows_fields_and_no_keys(certs: Certs) -> None:
    certs.run(hosts=HOSTS)
    result = certs.run(hosts=[{"name": "web1", "ip_addresses": ["10.0.0.5"]}])
    before, after = (result["diff"][side]["servers/web1"] for side in ("before", "after"))
    assert before["ip_addresses"] == ["10.0.0.4"]
    assert after["ip_addresses"] == ["10.0.0.5"]
    assert set(after) == {
        *("subject", "issuer", "dns_names", "ip_addresses", "key_type", "not_before", "not_after", "reasons"),
    }
    assert after["reasons"] == result["servers"]["web1"]["reasons"]
    assert set(before) == set(after) - {"reasons"}
