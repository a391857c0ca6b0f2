# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files that somebody else made: never overwritten, taken over only when they are good and it is asked for."""

from __future__ import annotations

import shutil
import typing as t

import pytest
from cryptography import x509

from ansible_collections.dockerhost.azure.plugins.module_utils._errors import DockerHostError

if t.TYPE_CHECKING:
    from .conftest import Certs, Maker

HOSTS = [{"name": "web1"}]
ORDINARY = {"config.json": "{}", "contexts/meta/x/meta.json": "{}", "other.pem": "x"}


def their_set(certs: Certs, maker: Maker, **spoilt: t.Any) -> dict[str, str]:
    """Somebody's usable set in the directory, or one that is spoilt."""
    ca = spoilt.get("ca") or maker.ca()
    certificate, key = spoilt.get("client") or maker.leaf(ca)
    files = {
        "ca.pem": maker.pem(ca[0]),
        "ca-key.pem": maker.pem(ca[1]),
        "cert.pem": maker.pem(certificate),
        "key.pem": maker.pem(key),
        **spoilt.get("files", {}),
    }
    write(certs, {path: text for path, text in files.items() if text is not None})
    return files


def write(certs: Certs, files: dict[str, str]) -> None:
    for path, text in files.items():
        certs.path(path).parent.mkdir(parents=True, exist_ok=True)
        certs.path(path).write_text(text)


@pytest.mark.parametrize("check", [True, False])
def test_somebodys_files_stop_the_run(certs: Certs, maker: Maker, check: bool) -> None:
    their_set(certs, maker)
    write(certs, ORDINARY)
    before = certs.tree()
    with pytest.raises(DockerHostError) as caught:
        certs.run(hosts=HOSTS, check=check)
    message = str(caught.value)
    for name in ("ca.pem", "ca-key.pem", "cert.pem", "key.pem"):
        assert str(certs.path(name)) in message
        assert str(certs.path(name)) in caught.value.details["foreign_files"]
    assert "Choose another cert_dir" in message
    assert "adopt: true" in message
    assert certs.tree() == before
    assert not certs.path(".docker-tls-certs").exists()


@pytest.mark.parametrize("name", ["ca.pem", "ca-key.pem", "cert.pem", "key.pem", "servers/web1/key.pem"])
def test_a_single_file_stops_the_run(certs: Certs, name: str) -> None:
    write(certs, {name: "somebody's"})
    with pytest.raises(DockerHostError, match=f"are in the way: .*{name}.*cannot be taken over"):
        certs.run(hosts=HOSTS)
    assert certs.path(name).read_text() == "somebody's"


def test_what_is_no_certificate_does_not_matter(certs: Certs) -> None:
    write(certs, ORDINARY)
    certs.run(hosts=HOSTS)
    certs.run(state="absent", remove_ca=True)
    assert {path: data.decode() for path, (data, mode) in certs.tree().items() if mode} == ORDINARY


def test_adopting_a_usable_set(certs: Certs, maker: Maker) -> None:
    files = their_set(certs, maker)
    certs.path("key.pem").chmod(0o644)
    result = certs.run(hosts=HOSTS, adopt=True)
    assert result["actions"][-1] == "take over ca.pem, ca-key.pem, cert.pem, key.pem"
    for name, text in files.items():
        assert certs.path(name).read_text() == text
    assert certs.path("key.pem").stat().st_mode & 0o777 == 0o600
    assert certs.path("ca-key.pem").stat().st_mode & 0o777 == 0o600
    certs.check_pairs()
    certs.settled(hosts=HOSTS)
    certs.settled(hosts=HOSTS, adopt=True)


def test_adopting_keeps_the_types_of_keys(certs: Certs, maker: Maker) -> None:
    ca = maker.ca(key=maker.key("rsa2048"))
    files = their_set(certs, maker, ca=ca, client=maker.leaf(ca, key=maker.key("rsa2048")))
    certs.run(adopt=True)
    assert certs.path("key.pem").read_text() == files["key.pem"]
    assert certs.path("cert.pem").read_text() == files["cert.pem"]


def test_what_an_adopted_set_lacks_is_made(certs: Certs, maker: Maker) -> None:
    ca = maker.ca()
    write(certs, {"ca.pem": maker.pem(ca[0]), "ca-key.pem": maker.pem(ca[1])})
    result = certs.run(hosts=HOSTS, adopt=True)
    assert result["client"]["reasons"] == ["it does not exist"]
    certs.check_pairs()


def test_an_adopted_certificate_that_ends_is_renewed_and_kept(certs: Certs, maker: Maker) -> None:
    ca = maker.ca()
    files = their_set(certs, maker, client=maker.leaf(ca, days=5), ca=ca)
    result = certs.run(adopt=True)
    assert result["client"]["reasons"] == ["expires in 5 days"]
    assert certs.path("key.pem").read_text() == files["key.pem"]
    kept = result["backup_files"][str(certs.path("cert.pem"))]
    assert certs.path(kept).read_text() == files["cert.pem"]


def test_a_set_without_the_cas_key(certs: Certs, maker: Maker) -> None:
    """Somebody's access to somebody's engine: it can be kept, and nothing can be signed."""
    their_set(certs, maker, files={"ca-key.pem": None})
    before = certs.tree()
    with pytest.raises(DockerHostError, match=r"ca-key\.pem is missing and needed to sign servers/web1"):
        certs.run(hosts=HOSTS, adopt=True)
    assert certs.tree() == before
    assert certs.run(adopt=True)["changed"]


def test_an_adopted_ca_that_python_refuses(certs: Certs, maker: Maker) -> None:
    """The docker documentation's own recipe makes such a CA."""
    their_set(certs, maker, ca=maker.ca(cert_sign=None))
    certs.run(hosts=HOSTS, adopt=True)
    assert any("Python 3.13 and later do not: it has no keyUsage" in warning for warning in certs.warnings)


def test_an_encrypted_ca_key(certs: Certs, maker: Maker) -> None:
    ca = maker.ca()
    their_set(certs, maker, ca=ca, files={"ca-key.pem": maker.pem(ca[1], passphrase="correct horse")})
    with pytest.raises(DockerHostError, match="it is encrypted and no passphrase was given"):
        certs.run(hosts=HOSTS, adopt=True)
    certs.run(hosts=HOSTS, adopt=True, ca_key_passphrase="correct horse")
    certs.check_pairs()


def unusable(maker: Maker) -> dict[str, tuple[dict[str, t.Any], str]]:
    good = maker.ca()
    weak = maker.ca(key=maker.key("rsa1024"))
    leaf, key = maker.leaf(good)
    pem = maker.pem
    return {
        "weak CA": ({"ca": weak}, "has a weak key: RSA 1024"),
        "weak client": ({"ca": good, "client": maker.leaf(good, key=maker.key("rsa1024"))}, "client: key is RSA 1024"),
        "SHA-1 CA": ({"ca": (maker.with_sha1(good[0], good), good[1])}, "signed with SHA-1"),
        "SHA-1 client": ({"ca": good, "client": (maker.with_sha1(leaf, good), key)}, "signature uses SHA-1"),
        "no CA": ({"ca": maker.ca(is_ca=False)}, "its basicConstraints say that it is not a CA"),
        "expired CA": ({"ca": maker.ca(begins=-20, days=10)}, "expired at"),
        "wrong CA key": ({"files": {"ca-key.pem": pem(maker.key())}}, "the CA's key does not match its certificate"),
        "wrong client key": ({"files": {"key.pem": pem(maker.key())}}, "client: key does not match"),
        "another CA": ({"client": maker.leaf(maker.ca("X"))}, "client: signed by another CA"),
        "a server's": ({"ca": good, "client": maker.leaf(good, purpose="serverAuth")}, "client: EKU lacks clientAuth"),
        "every purpose": ({"ca": good, "client": maker.leaf(good, purpose=None)}, "client: EKU lacks clientAuth"),
        "encrypted client key": (
            {"ca": good, "client": (leaf, key), "files": {"key.pem": pem(key, passphrase="correct horse")}},
            "client: the key is encrypted, which Docker cannot use",
        ),
        "rubbish": ({"files": {"ca.pem": "rubbish"}}, "ca.pem: it contains no certificate"),
    }


UNUSABLE = (
    *("weak CA", "weak client", "SHA-1 CA", "SHA-1 client", "no CA", "expired CA", "wrong CA key", "wrong client key"),
    *("another CA", "a server's", "every purpose", "encrypted client key", "rubbish"),
)


@pytest.mark.parametrize("name", UNUSABLE)
def test_an_unusable_set_is_refused(certs: Certs, maker: Maker, name: str) -> None:
    spoilt, problem = unusable(maker)[name]
    their_set(certs, maker, **spoilt)
    before = certs.tree()
    for check in (True, False):
        with pytest.raises(DockerHostError) as caught:
            certs.run(hosts=HOSTS, adopt=True, check=check)
        assert problem in str(caught.value)
        assert "PRIVATE" not in str(caught.value)
        # Without adopt the message does not promise what would not work.
        with pytest.raises(DockerHostError) as caught:
            certs.run(hosts=HOSTS, check=check)
        assert "cannot be taken over with adopt: true, because" in str(caught.value)
        assert problem in str(caught.value)
    assert certs.tree() == before


def test_a_lost_record_is_somebodys_set(certs: Certs) -> None:
    certs.run(hosts=HOSTS)
    ca, key = certs.bytes("ca.pem"), certs.bytes("ca-key.pem")
    shutil.rmtree(certs.path(".docker-tls-certs"))
    with pytest.raises(DockerHostError, match="adopt: true"):
        certs.run(hosts=HOSTS)
    certs.run(hosts=HOSTS, adopt=True)
    assert (certs.bytes("ca.pem"), certs.bytes("ca-key.pem")) == (ca, key)
    certs.settled(hosts=HOSTS)


def test_a_damaged_record(certs: Certs) -> None:
    certs.run(hosts=HOSTS)
    for text in ("", "[]", '{"version": 99}', '{"version": 1, "files": 3, "rotation": null, "is_own": false}'):
        certs.path(".docker-tls-certs/state.json").write_text(text)
        with pytest.raises(DockerHostError, match=r"The record of the certificates .* cannot be read"):
            certs.run(hosts=HOSTS)


def test_a_chain_in_an_adopted_set(certs: Certs, maker: Maker) -> None:
    root = maker.ca("Root")
    issuing = maker.ca("Issuing", signer=root)
    client = maker.leaf(issuing)
    their_set(certs, maker, ca=issuing, client=client, files={"ca.pem": maker.pem(root[0], issuing[0])})
    certs.run(hosts=HOSTS, adopt=True)
    assert certs.chain("servers/web1/ca.pem") == [issuing[0]]
    assert set(certs.chain("ca.pem")) == {issuing[0], root[0]}
    certs.settled(hosts=HOSTS)


def test_certificates_are_x509_version_3(certs: Certs) -> None:
    certs.run(hosts=HOSTS)
    assert certs.cert("servers/web1/cert.pem").version is x509.Version.v3


@pytest.mark.parametrize("second", ["serverAuth", "anyExtendedKeyUsage"])
def test_a_client_that_could_be_a_server_is_adopted_only_deliberately(certs: Certs, maker: Maker, second: str) -> None:
    ca = maker.ca()
    their_set(certs, maker, ca=ca, client=maker.leaf(ca, purpose=["clientAuth", second]))
    before = certs.tree()
    with pytest.raises(DockerHostError, match=f"EKU has {second} besides clientAuth.*allow_other_purposes: true"):
        certs.run(adopt=True)
    assert certs.tree() == before
    certs.run(adopt=True, allow_other_purposes=True)
    assert {path: certs.tree()[path] for path in ("cert.pem", "key.pem")} == {
        path: (before[path][0], before[path][1] if path == "cert.pem" else 0o600) for path in ("cert.pem", "key.pem")
    }
    certs.settled(allow_other_purposes=True)
    # Without the option, the set gets a certificate of its own purpose.
    assert certs.run()["client"]["reasons"] == [f"EKU has {second} besides clientAuth"]
    certs.settled()


def test_a_server_that_could_be_a_client_is_adopted_only_deliberately(certs: Certs, maker: Maker) -> None:
    ca = maker.ca()
    certificate, key = maker.leaf(ca, "web1", purpose=["serverAuth", "clientAuth"], dns_names=["web1"])
    their_set(certs, maker, ca=ca)
    write(certs, {"servers/web1/cert.pem": maker.pem(certificate), "servers/web1/key.pem": maker.pem(key)})
    with pytest.raises(DockerHostError, match="EKU has clientAuth besides serverAuth"):
        certs.run(hosts=HOSTS, adopt=True)
    certs.run(hosts=HOSTS, adopt=True, allow_other_purposes=True)
    assert certs.cert("servers/web1/cert.pem") == certificate
