# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A CA of the user's own: with a chain, by path or content, and everything that can be wrong with one."""

from __future__ import annotations

import base64
import typing as t

import pytest

from ansible_collections.dockerhost.azure.plugins.module_utils._errors import DockerHostError, OptionError

if t.TYPE_CHECKING:
    from .conftest import Certs, Maker

HOSTS = [{"name": "web1"}]


@pytest.mark.parametrize("way", ["path", "content"])
def test_a_ca_of_ones_own(certs: Certs, maker: Maker, tmp_path: t.Any, way: str) -> None:
    certificate, key = maker.ca("Ours")
    options: dict[str, t.Any] = {"ca_content": maker.pem(certificate), "ca_key_content": maker.pem(key)}
    if way == "path":
        (tmp_path / "ca.pem").write_text(options["ca_content"])
        (tmp_path / "ca.key").write_text(options["ca_key_content"])
        options = {"ca_path": str(tmp_path / "ca.pem"), "ca_key_path": str(tmp_path / "ca.key")}
    result = certs.run(hosts=HOSTS, **options)
    assert result["ca"]["own"]
    assert result["ca"]["key_path"] is None
    assert "ca-key.pem" not in certs.tree()
    assert not any(b"PRIVATE KEY" in data for path, (data, mode) in certs.tree().items() if path[0] == "." and mode)
    assert certs.cert("ca.pem") == certificate
    certs.check_pairs()
    certs.settled(hosts=HOSTS, **options)
    # Without the key nothing new can be signed, and all that is there is kept.
    certs.settled(hosts=HOSTS)
    with pytest.raises(OptionError, match=r"ca_key_path: the CA is your own.*needed to sign servers/web2"):
        certs.run(hosts=[{"name": "web2"}])
    certs.run(hosts=[{"name": "web2"}], **options)
    certs.check_pairs()


def test_an_encrypted_key(certs: Certs, maker: Maker) -> None:
    certificate, key = maker.ca("Ours")
    options = {"ca_content": maker.pem(certificate), "ca_key_content": maker.pem(key, passphrase="correct horse")}
    with pytest.raises(OptionError, match=r"ca_key_passphrase: .*it is encrypted and no passphrase was given"):
        certs.run(hosts=HOSTS, **options)
    with pytest.raises(OptionError, match=r"ca_key_passphrase: .*the passphrase is wrong"):
        certs.run(hosts=HOSTS, ca_key_passphrase="battery staple", **options)
    assert not certs.directory.exists()
    certs.run(hosts=HOSTS, ca_key_passphrase="correct horse", **options)
    certs.check_pairs()


def test_an_intermediate_ca(certs: Certs, maker: Maker) -> None:
    """Clients get the chain, servers trust the issuing CA alone, servers send the chain along."""
    root = maker.ca("Root")
    middle = maker.ca("Middle", signer=root, path_length=1)
    issuing = maker.ca("Issuing", signer=middle, path_length=0)
    for bundle in ((issuing[0], middle[0], root[0]), (root[0], issuing[0], middle[0])):
        options = {"ca_content": maker.pem(*bundle), "ca_key_content": maker.pem(issuing[1])}
        certs.run(hosts=HOSTS, clients=["robot"], **options)
        chain = [issuing[0], middle[0], root[0]]
        assert certs.chain("ca.pem") == chain
        assert certs.chain("clients/robot/ca.pem") == chain
        assert certs.chain("servers/web1/ca.pem") == [issuing[0]]
        assert certs.chain("servers/web1/cert.pem")[1:] == [issuing[0], middle[0]]
        assert len(certs.chain("cert.pem")) == 1
        certs.settled(hosts=HOSTS, clients=["robot"], **options)


def test_no_certificate_outlives_any_of_the_chain(certs: Certs, maker: Maker) -> None:
    root = maker.ca("Root", days=100)
    issuing = maker.ca("Issuing", signer=root, days=900)
    certs.run(hosts=HOSTS, ca_content=maker.pem(issuing[0], root[0]), ca_key_content=maker.pem(issuing[1]))
    assert certs.cert("cert.pem").not_valid_after_utc == root[0].not_valid_after_utc


def test_another_ca_than_before_stops(certs: Certs, maker: Maker) -> None:
    certs.run(hosts=HOSTS)
    ours = certs.run()["ca"]["fingerprint"]
    before = certs.tree()
    certificate, key = maker.ca("Ours")
    with pytest.raises(OptionError, match=f"ca_content: .*another CA .SHA-256 {ours}.*would be cut off"):
        certs.run(hosts=HOSTS, ca_content=maker.pem(certificate), ca_key_content=maker.pem(key))
    assert certs.tree() == before


def test_a_renewed_ca_of_ones_own_is_the_same_ca(certs: Certs, maker: Maker) -> None:
    certificate, key = maker.ca("Ours", days=20)
    certs.run(hosts=HOSTS, ca_content=maker.pem(certificate), ca_key_content=maker.pem(key))
    result = certs.run(hosts=HOSTS)
    assert result["ca"]["reasons"] == ["expires in 20 days"]
    assert any("cannot be renewed here" in warning for warning in certs.warnings)
    renewed = maker.ca("Ours", key=key, days=2000)[0]
    result = certs.run(hosts=HOSTS, ca_content=maker.pem(renewed), ca_key_content=maker.pem(key))
    assert result["changed"]
    assert certs.cert("servers/web1/ca.pem") == renewed
    assert certs.cert("cert.pem").not_valid_after_utc > certificate.not_valid_after_utc
    certs.settled(hosts=HOSTS, ca_content=maker.pem(renewed), ca_key_content=maker.pem(key))


def faults(maker: Maker) -> dict[str, tuple[str, str, str]]:
    """Bad CAs: certificate, key, and the complaint."""
    good, good_key = maker.ca("Good")
    pem = maker.pem
    short = maker.ca("Short", path_length=0)
    below = maker.ca("Below", signer=short)
    old_root = maker.ca("Old", days=4, begins=-10)

    def of(problem: str, **options: t.Any) -> tuple[str, str, str]:
        certificate, key = maker.ca("Bad", **options)
        return pem(certificate), pem(key), problem

    return {
        "no basicConstraints": of("may not sign: it has no basicConstraints", is_ca=None),
        "no CA": of("its basicConstraints say that it is not a CA", is_ca=False),
        "no keyCertSign": of("its keyUsage lacks keyCertSign", cert_sign=False),
        "expired": of("expired at 2026-11-19T12:00:00Z", begins=-10, days=6),
        "not yet": of("is not valid before 2026-11-28T11:00:00Z", begins=5),
        "weak": of("has a weak key: RSA 1024", key=maker.key("rsa1024")),
        "path length": (pem(below[0], short[0]), pem(below[1]), "its path length is 0, 1 is needed"),
        "expired root": (
            pem(maker.ca("Sub", signer=old_root)[0], old_root[0]),
            "",
            "expired at 2026-11-17T12:00:00Z",
        ),
        "another's key": (pem(good), pem(maker.key()), "the CA's key does not match its certificate"),
        "no certificate": (pem(good_key), pem(good_key), "it contains no certificate in PEM format"),
        "rubbish": ("rubbish", pem(good_key), "it contains no certificate in PEM format"),
        "no key": (pem(good), "rubbish", "it is not a private key in PEM format"),
        "two CAs and no key": (pem(good, maker.ca("Other")[0]), "", "several certificates could be the issuing CA"),
        "SHA-1": (
            pem(maker.with_sha1(maker.ca("Sub", signer=(good, good_key))[0], (good, good_key))),
            "",
            "is signed with SHA-1",
        ),
    }


FAULTS = (
    *("SHA-1", "another's key", "expired", "expired root", "no CA", "no basicConstraints", "no certificate", "no key"),
    *("no keyCertSign", "not yet", "path length", "rubbish", "two CAs and no key", "weak"),
)


@pytest.mark.parametrize("name", FAULTS)
@pytest.mark.parametrize("check", [True, False])
def test_bad_cas(certs: Certs, maker: Maker, name: str, check: bool) -> None:
    every = faults(maker)
    certificate, key, problem = every[name]
    with pytest.raises(OptionError) as caught:
        certs.run(hosts=HOSTS, ca_content=certificate, ca_key_content=key or None, check=check)
    assert problem in str(caught.value)
    assert caught.value.option in ("ca_content", "ca_key_content")
    assert "PRIVATE" not in str(caught.value)
    assert not certs.directory.exists()


def unusual(pem: str, old: str, new: str) -> str:
    """A certificate in which some bytes (in hex) are others."""
    begin, *lines, end = pem.split("\n-----END CERTIFICATE-----")[0].splitlines() + ["-----END CERTIFICATE-----"]
    der = base64.b64decode("".join(lines))
    assert bytes.fromhex(old) in der
    text = base64.encodebytes(der.replace(bytes.fromhex(old), bytes.fromhex(new))).decode()
    return f"{begin}\n{text}{end}\n"


UNUSUAL = {
    "a curve that nobody knows": ("06082a8648ce3d030107", "06082a8648ce3d03017f"),
    "a version that there is not": ("a003020102", "a003020108"),
    "an extension twice": ("0603551d0e", "0603551d0f"),
}


@pytest.mark.parametrize("what", UNUSUAL)
def test_certificates_that_cannot_be_used(certs: Certs, what: str) -> None:
    certs.run(hosts=HOSTS)
    strange = unusual(certs.bytes("ca.pem").decode(), *UNUSUAL[what])
    elsewhere = {"cert_dir": str(certs.directory.with_name("other"))}
    with pytest.raises(OptionError, match="certificate") as caught:
        certs.run(ca_content=strange, **elsewhere)
    assert caught.value.option == "ca_content"
    # In the place of a server's own certificate it is one that cannot be read.
    certs.path("servers/web1/cert.pem").write_text(strange)
    result = certs.run(hosts=HOSTS)
    assert result["servers"]["web1"]["reasons"] == ["the certificate cannot be read"]
    certs.settled(hosts=HOSTS)


def test_every_fault_is_tried(maker: Maker) -> None:
    assert set(faults(maker)) == set(FAULTS)


def test_files_that_cannot_be_read(certs: Certs, maker: Maker, tmp_path: t.Any) -> None:
    with pytest.raises(OptionError, match=r"ca_path: .*nowhere\.pem cannot be read: no such file"):
        certs.run(ca_path=str(tmp_path / "nowhere.pem"))
    (tmp_path / "ca.pem").write_text(maker.pem(maker.ca()[0]))
    with pytest.raises(OptionError, match=r"ca_key_path: .*cannot be read: Is a directory"):
        certs.run(ca_path=str(tmp_path / "ca.pem"), ca_key_path=str(tmp_path))
    with pytest.raises(OptionError, match=r"ca_key_content: the key of your own CA needs its certificate"):
        certs.run(ca_key_content="x")


def test_a_chain_without_its_root_is_told(certs: Certs, maker: Maker) -> None:
    root = maker.ca("Root")
    issuing = maker.ca("Issuing", signer=root)
    certs.run(hosts=HOSTS, ca_content=maker.pem(issuing[0]), ca_key_content=maker.pem(issuing[1]))
    assert any("does not reach a root" in warning for warning in certs.warnings)


def test_an_expired_ca_signs_nothing(certs: Certs, maker: Maker) -> None:
    certificate, key = maker.ca("Ours", days=20)
    certs.run(hosts=HOSTS, ca_content=maker.pem(certificate), ca_key_content=maker.pem(key))
    certs.later(days=30)
    with pytest.raises(OptionError, match="expired at"):
        certs.run(hosts=HOSTS, ca_content=maker.pem(certificate), ca_key_content=maker.pem(key))
    with pytest.raises(DockerHostError):
        certs.run(hosts=HOSTS)
