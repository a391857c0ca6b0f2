# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A set of certificates from nothing, and on its way through the years."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import pathlib
import typing as t

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import ExtendedKeyUsageOID

from ansible_collections.dockerhost.azure.plugins.module_utils._errors import DockerHostError, OptionError
from ansible_collections.dockerhost.azure.plugins.module_utils._tls.filesystem import FileSystem

if t.TYPE_CHECKING:
    from .conftest import Certs, Maker

HOSTS = [{"name": "web1", "dns_names": ["web1.example.org"], "ip_addresses": ["10.0.0.4"]}, {"name": "web2"}]


def test_makes_the_whole_set_in_one_run(certs: Certs) -> None:
    result = certs.run(hosts=HOSTS, clients=["robot"])
    assert result["changed"]
    files = {path for path in certs.tree() if not path.startswith(".")}
    assert files == {
        *("ca.pem", "ca-key.pem", "cert.pem", "key.pem"),
        *(f"servers/{name}/{file}.pem" for name in ("web1", "web2") for file in ("ca", "cert", "key")),
        *(f"clients/robot/{file}.pem" for file in ("ca", "cert", "key")),
    }
    certs.check_pairs()
    certs.settled(hosts=HOSTS, clients=["robot"])


def test_another_host_leaves_all_else_alone(certs: Certs) -> None:
    certs.run(hosts=HOSTS)
    before = certs.tree()
    result = certs.run(hosts=[*HOSTS, {"name": "web3"}])
    assert result["actions"] == ["issue certificate servers/web3: it does not exist"]
    after = certs.tree()
    unchanged = {path: value for path, value in before.items() if not path.endswith("state.json")}
    assert unchanged.items() <= after.items()


def test_a_missing_file_does_not_bring_a_new_set(certs: Certs) -> None:
    """The predecessor made everything anew when one of four files was missing."""
    certs.run(hosts=HOSTS)
    before = certs.tree()
    certs.path("cert.pem").unlink()
    result = certs.run(hosts=HOSTS)
    assert result["client"]["reasons"] == ["the certificate is missing"]
    after = certs.tree()
    changed = {path for path in before if before[path] != after.get(path)}
    assert changed == {"cert.pem", ".docker-tls-certs/state.json"}
    certs.check_pairs()


def test_the_default_directory(certs: Certs, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certs.params()  # The default is decided by the backend, not by the spec.
    (tmp_path / "home").mkdir()
    assert certs.run(cert_dir=None)["cert_dir"] == str(tmp_path / "home" / ".docker")
    monkeypatch.setenv("DOCKER_CERT_PATH", str(tmp_path / "elsewhere"))
    assert certs.run(cert_dir="")["cert_dir"] == str(tmp_path / "elsewhere")


def test_the_result(certs: Certs) -> None:
    result = certs.run(hosts=HOSTS, clients=["robot"])
    root = str(certs.directory)
    web1 = result["servers"]["web1"]
    certificate = certs.cert("servers/web1/cert.pem")
    der = certificate.public_bytes(serialization.Encoding.DER)
    assert web1 == {
        "cert_path": f"{root}/servers/web1/cert.pem",
        "key_path": f"{root}/servers/web1/key.pem",
        "ca_path": f"{root}/servers/web1/ca.pem",
        "csr_path": None,
        "fingerprint": hashlib.sha256(der).hexdigest(),
        "not_before": "2026-11-23T11:55:00Z",
        "not_after": "2027-12-25T12:00:00Z",
        "days_left": 397,
        "key_type": "ecdsa_p256",
        "dns_names": ["web1.example.org"],
        "ip_addresses": ["10.0.0.4"],
        "reasons": ["it does not exist"],
    }
    assert result["servers"]["web2"]["dns_names"] == ["web2"]
    assert result["ca"]["days_left"] == 3650
    assert result["ca"]["key_path"] == f"{root}/ca-key.pem"
    assert result["docker_env"] == {"DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": root}
    assert result["docker_connection"] == {
        "tls": True,
        "validate_certs": True,
        "ca_path": f"{root}/ca.pem",
        "client_cert": f"{root}/cert.pem",
        "client_key": f"{root}/key.pem",
    }
    assert result["clients"]["robot"]["ca_path"] == f"{root}/clients/robot/ca.pem"
    assert result["trusted_cas"] == [result["ca"]["fingerprint"]]
    assert json.loads(json.dumps(result)) == result


def test_no_key_in_any_result(certs: Certs) -> None:
    for options in ({}, {"rotate_ca": "start"}, {"new_keys": True, "regenerate": "always", "backup": True}):
        text = json.dumps(certs.run(hosts=HOSTS, ca_key_passphrase="correct horse", **options))
        assert "PRIVATE" not in text
        assert "correct horse" not in text
        for path in certs.directory.rglob("*key.pem*"):
            body = path.read_text().splitlines()[1:-1]
            assert not any(line in text for line in body)
            assert path.stat().st_mode & 0o777 == 0o600


def test_the_certificates_say_what_docker_and_python_ask_for(certs: Certs) -> None:
    certs.run(hosts=HOSTS)
    ca, server, client = certs.cert("ca.pem"), certs.cert("servers/web1/cert.pem"), certs.cert("cert.pem")
    constraints = ca.extensions.get_extension_for_class(x509.BasicConstraints)
    assert (constraints.critical, constraints.value.ca, constraints.value.path_length) == (True, True, 0)
    usage = ca.extensions.get_extension_for_class(x509.KeyUsage)
    assert usage.critical
    assert usage.value.key_cert_sign
    own = ca.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    for leaf, purpose in (
        (server, ExtendedKeyUsageOID.SERVER_AUTH),
        (client, ExtendedKeyUsageOID.CLIENT_AUTH),
    ):
        issuer = leaf.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
        assert (issuer.key_identifier, issuer.authority_cert_serial_number) == (own, None)
        assert list(leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value) == [purpose]
        assert not leaf.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
        assert leaf.extensions.get_extension_for_class(x509.KeyUsage).value.digital_signature
        assert leaf.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)


def test_serial_numbers_are_random_and_have_128_bits(certs: Certs) -> None:
    certs.run(hosts=[{"name": f"web{number}"} for number in range(40)])
    serials = [certs.cert(f"servers/web{number}/cert.pem").serial_number for number in range(40)]
    assert len(set(serials)) == 40
    assert max(serial.bit_length() for serial in serials) in range(121, 129)


@pytest.mark.parametrize("check", [True, False])
def test_check_mode_predicts_what_a_run_does(certs: Certs, check: bool) -> None:
    certs.run(hosts=HOSTS)
    certs.later(days=380)
    options: dict[str, t.Any] = {"hosts": [{"name": "web1", "ip_addresses": ["10.0.0.5"]}, {"name": "web3"}]}
    before = certs.tree()
    predicted = certs.run(check=True, **options)
    assert certs.tree() == before
    done = certs.run(**options)
    for key in ("changed", "actions", "diff", "changed_files"):
        assert predicted[key] == done[key]
    changed = {str(pathlib.Path(path).relative_to(certs.directory)) for path in done["changed_files"]}
    after = certs.tree()
    assert changed == {path for path in after if after[path] != before.get(path) and not path.startswith(".")}
    for kind in ("servers", "clients"):
        for name, entry in done[kind].items():
            assert predicted[kind][name]["reasons"] == entry["reasons"]


def test_check_mode_on_nothing_makes_nothing(certs: Certs) -> None:
    result = certs.run(check=True, hosts=HOSTS, server_key_type="rsa_4096")
    assert result["changed"]
    assert not certs.directory.exists()
    assert result["ca"]["fingerprint"] is None
    assert result["servers"]["web1"]["fingerprint"] is None
    assert result["trusted_cas"] == [None]
    assert result["diff"]["after"]["servers/web1"]["key_type"] == "rsa_4096"


def test_check_mode_is_a_health_report_of_everything(certs: Certs) -> None:
    certs.run(hosts=HOSTS, clients=["robot"])
    certs.later(days=385)
    report = certs.run(check=True)
    assert report["changed"]
    assert report["client"]["days_left"] == 12
    assert report["client"]["reasons"] == ["expires in 12 days"]
    assert report["servers"]["web1"]["reasons"] == ["expires in 12 days"]
    assert report["clients"]["robot"]["days_left"] == 12
    assert report["ca"]["reasons"] == []


def test_hosts_that_are_not_named_stay_as_they_are(certs: Certs) -> None:
    certs.run(hosts=HOSTS)
    certs.later(days=390)
    before = certs.bytes("servers/web2/cert.pem")
    assert set(certs.run(hosts=HOSTS[:1])["servers"]) == {"web1"}
    assert certs.bytes("servers/web2/cert.pem") == before
    assert certs.run(check=True)["servers"]["web2"]["reasons"] == ["expires in 7 days"]


def test_only_the_named_hosts_are_examined(certs: Certs) -> None:
    certs.run(hosts=HOSTS, clients=["robot"])
    whole, named = certs.run(check=True), certs.run(check=True, hosts=HOSTS[:1])
    assert set(whole["servers"]) == {"web1", "web2"}
    assert named["servers"] == {"web1": whole["servers"]["web1"]}
    assert named["clients"] == whole["clients"]
    reads = Reads()
    certs.run(hosts=HOSTS[:1], files=reads)
    assert any("servers/web1/" in path for path in reads.paths)
    assert not [path for path in reads.paths if "servers/web2" in path]
    certs.path("servers/web2/ca.pem").unlink()
    assert [certs.run(check=True, **options)["changed"] for options in ({}, {"hosts": HOSTS[:1]})] == [True, False]


def test_every_host_follows_a_ca_that_changes(certs: Certs) -> None:
    certs.run(hosts=HOSTS)
    certs.later(days=3630)
    assert set(certs.run(hosts=HOSTS[:1])["servers"]) == {"web1", "web2"}
    assert certs.chain("servers/web2/ca.pem") == certs.chain(".docker-tls-certs/current/ca.pem")
    for step in ("start", None, "cancel"):
        result = certs.run(hosts=HOSTS[:1], **({"rotate_ca": step} if step else {}))
        assert set(result["servers"]) == {"web1", "web2"}, step
        assert certs.bytes("servers/web2/ca.pem").count(b"BEGIN") == (1 if step == "cancel" else 2)


class Reads(FileSystem):
    """Remembers what is read or examined."""

    def __init__(self) -> None:
        self.paths: set[str] = set()

    def read(self, path: str) -> bytes:
        self.paths.add(path)
        return super().read(path)

    def status(self, path: str) -> t.Any:
        self.paths.add(path)
        return super().status(path)


def test_a_job_that_discards_its_certificates_changes_nothing(
    certs: Certs, maker: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    ca, key = maker.ca()
    outside: dict[str, t.Any] = {"ca_content": maker.pem(ca), "ca_key_content": maker.pem(key), "hosts": HOSTS}
    for check in (True, False):
        result = certs.run(check=check, temporary=True, **outside)
        assert not result["changed"]
        assert "issue certificate servers/web1: it does not exist" in result["actions"]
    certs.later(days=200)
    assert not certs.run(temporary=True, regenerate="always", **outside)["changed"]
    assert certs.run(temporary=False, regenerate="always", **outside)["changed"]
    assert certs.run(temporary=True, rotate_ca="start", **{**outside, **other_ca(maker)})["changed"]
    assert certs.run(temporary=True, state="absent", hosts=HOSTS[:1])["changed"]
    monkeypatch.setenv("AWX_PRIVATE_DATA_DIR", str(certs.directory.parent))
    assert not certs.run(regenerate="always", **outside)["changed"]


def test_a_ca_that_only_this_directory_has_is_a_change(certs: Certs) -> None:
    assert certs.run(temporary=True, hosts=HOSTS)["changed"]
    assert certs.run(temporary=True, hosts=HOSTS, regenerate="always")["changed"]


def other_ca(maker: Maker) -> dict[str, str]:
    ca, key = maker.ca("Another CA")
    return {"ca_content": maker.pem(ca), "ca_key_content": maker.pem(key)}


def test_renewal_keeps_the_key_and_replaces_one_file(certs: Certs) -> None:
    certs.run(hosts=HOSTS)
    certs.later(days=380)
    before = certs.tree()
    certs.run(hosts=HOSTS)
    after = certs.tree()
    changed = {path for path in before if before[path] != after[path]}
    assert changed == {
        "cert.pem",
        "servers/web1/cert.pem",
        "servers/web2/cert.pem",
        ".docker-tls-certs/state.json",
    }
    certs.check_pairs()
    certs.settled(hosts=HOSTS)


def test_a_new_key_when_one_is_asked_for(certs: Certs) -> None:
    certs.run()
    certs.later(days=380)
    before = certs.bytes("key.pem")
    certs.run(new_keys=True)
    assert certs.bytes("key.pem") != before
    certs.check_pairs()


def test_the_ca_is_renewed_with_its_key_and_everything_stays_valid(certs: Certs) -> None:
    certs.run(hosts=HOSTS, server_not_after="+9000d")
    old = certs.cert("ca.pem")
    key = certs.bytes("ca-key.pem")
    certs.later(days=3630)
    result = certs.run(hosts=HOSTS)
    assert result["ca"]["reasons"] == ["expires in 20 days"]
    new = certs.cert("ca.pem")
    assert new.not_valid_after_utc > old.not_valid_after_utc
    assert certs.bytes("ca-key.pem") == key
    assert certs.cert("servers/web1/ca.pem") == new
    leaf = certs.cert("servers/web1/cert.pem")
    leaf.verify_directly_issued_by(old)
    leaf.verify_directly_issued_by(new)
    certs.settled(hosts=HOSTS)


def test_no_certificate_outlives_its_ca(certs: Certs) -> None:
    certs.run(hosts=HOSTS, ca_not_after="+100d", ca_renew_before="+1d")
    assert certs.cert("servers/web1/cert.pem").not_valid_after_utc == certs.cert("ca.pem").not_valid_after_utc
    certs.later(days=80)
    # Within the margin, but a new one would end on the same day: renewing in every run would be no use.
    certs.settled(hosts=HOSTS, ca_renew_before="+1d")


def test_an_expired_set_is_repaired(certs: Certs) -> None:
    certs.run(hosts=HOSTS)
    certs.later(days=4000)
    result = certs.run(hosts=HOSTS)
    assert result["ca"]["reasons"] == ["expired at 2036-11-20T12:00:00Z"]
    assert result["servers"]["web1"]["reasons"] == ["expired 3603 days ago"]
    certs.check_pairs()
    certs.settled(hosts=HOSTS)


@pytest.mark.parametrize(
    ("key_type", "label"),
    [
        ("ecdsa_p256", "ecdsa_p256"),
        ("ecdsa_p384", "ecdsa_p384"),
        ("ed25519", "ed25519"),
        ("rsa_2048", "rsa_2048"),
        ("rsa_3072", "rsa_3072"),
    ],
)
def test_key_types(certs: Certs, key_type: str, label: str) -> None:
    options: dict[str, t.Any] = {f"{kind}_key_type": key_type for kind in ("ca", "server", "client")}
    result = certs.run(hosts=HOSTS[:1], **options)
    assert {result[kind]["key_type"] for kind in ("ca", "client")} == {label}
    assert result["servers"]["web1"]["key_type"] == label
    certs.check_pairs()
    certs.settled(hosts=HOSTS[:1], **options)


def test_another_key_type_replaces_the_key_and_says_so(certs: Certs) -> None:
    certs.run(hosts=HOSTS, server_key_type="ecdsa_p384")
    assert certs.run(hosts=HOSTS)["actions"] == []
    result = certs.run(hosts=HOSTS[:1], server_key_type="ed25519")
    assert result["servers"]["web1"]["reasons"] == ["key is ECDSA P-384, not Ed25519"]
    assert result["servers"]["web1"]["key_type"] == "ed25519"
    certs.check_pairs()


def test_the_subject(certs: Certs) -> None:
    certs.run(hosts=HOSTS)
    result = certs.run(hosts=HOSTS, subject={"organizationName": "Example", "OU": "Platform"}, client_common_name="me")
    assert result["servers"]["web1"]["reasons"] == ["subject lacks O=Example", "subject lacks OU=Platform"]
    assert certs.cert("servers/web1/cert.pem").subject.rfc4514_string() == "CN=web1,OU=Platform,O=Example"
    assert certs.cert("cert.pem").subject.rfc4514_string() == "CN=me,OU=Platform,O=Example"
    certs.settled(hosts=HOSTS)


def test_a_passphrase_for_the_ca(certs: Certs) -> None:
    certs.run(hosts=HOSTS, ca_key_passphrase="correct horse")
    assert b"ENCRYPTED" in certs.bytes("ca-key.pem")
    assert b"ENCRYPTED" not in certs.bytes("key.pem")
    certs.settled(hosts=HOSTS, ca_key_passphrase="correct horse")
    # Nothing is to be signed: a report needs no passphrase.
    certs.settled(hosts=HOSTS)
    with pytest.raises(
        OptionError, match=r"ca_key_passphrase: .*ca-key\.pem is encrypted.*needed to sign servers/web3"
    ):
        certs.run(hosts=[{"name": "web3"}])
    with pytest.raises(OptionError, match=r"ca_key_passphrase: .*the passphrase is wrong"):
        certs.run(hosts=HOSTS, ca_key_passphrase="battery staple")
    certs.run(hosts=[{"name": "web3"}], ca_key_passphrase="correct horse")
    certs.check_pairs()


def test_a_passphrase_later(certs: Certs) -> None:
    certs.run(hosts=HOSTS, backup=True)
    ca = certs.bytes("ca.pem")
    result = certs.run(hosts=HOSTS, ca_key_passphrase="correct horse", backup=True)
    assert result["actions"] == ["encrypt ca-key.pem with the passphrase"]
    assert certs.bytes("ca.pem") == ca
    assert not list(certs.directory.glob("ca-key.pem.*")), "a readable copy of the key was kept"
    certs.settled(hosts=HOSTS, ca_key_passphrase="correct horse")


def test_a_key_that_others_could_read_is_taken_away_from_them(certs: Certs) -> None:
    certs.run(hosts=HOSTS)
    for path in ("ca-key.pem", "servers/web1/key.pem"):
        certs.path(path).chmod(0o644)
    result = certs.run(hosts=HOSTS)
    assert result["actions"] == [
        "withdraw access to ca-key.pem from other users (mode was 0644)",
        "withdraw access to servers/web1/key.pem from other users (mode was 0644)",
    ]
    assert {certs.path(path).stat().st_mode & 0o777 for path in ("ca-key.pem", "servers/web1/key.pem")} == {0o600}
    certs.settled(hosts=HOSTS)


def test_a_missing_ca_key_stops_only_what_needs_it(certs: Certs) -> None:
    certs.run(hosts=HOSTS)
    certs.path("ca-key.pem").unlink()
    certs.settled(hosts=HOSTS)
    before = certs.tree()
    with pytest.raises(DockerHostError, match=r"ca-key\.pem is missing and needed to sign servers/web3"):
        certs.run(hosts=[{"name": "web3"}])
    assert certs.tree() == before


def test_a_wrong_ca_key_stops(certs: Certs, maker: t.Any) -> None:
    certs.run(hosts=HOSTS)
    certs.path("ca-key.pem").write_text(maker.pem(maker.key()))
    with pytest.raises(DockerHostError, match=r"ca-key\.pem does not match the CA's certificate"):
        certs.run(hosts=HOSTS)


def test_a_lost_or_broken_ca_pem_comes_back(certs: Certs) -> None:
    certs.run(hosts=HOSTS)
    good = certs.bytes("ca.pem")
    certs.path("ca.pem").unlink()
    assert certs.run(hosts=HOSTS)["changed"]
    assert certs.bytes("ca.pem") == good
    certs.path("ca.pem").write_bytes(b"")
    certs.run(hosts=HOSTS)
    assert certs.bytes("ca.pem") == good
    certs.settled(hosts=HOSTS)


def test_another_ca_in_the_place_of_ours_is_nobodys_to_overwrite(certs: Certs, maker: t.Any) -> None:
    certs.run(hosts=HOSTS)
    certs.path("ca.pem").write_text(maker.pem(maker.ca()[0]))
    before = certs.tree()
    with pytest.raises(DockerHostError, match=r"ca\.pem was replaced by somebody"):
        certs.run(hosts=HOSTS)
    assert certs.tree() == before


def test_time_between_two_runs_of_a_second_changes_nothing(certs: Certs) -> None:
    certs.run(hosts=HOSTS)
    certs.now += dt.timedelta(seconds=1)
    certs.settled(hosts=HOSTS)
