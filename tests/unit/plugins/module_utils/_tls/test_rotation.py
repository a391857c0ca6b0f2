# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Changing the CA: every host stays reachable for every client at every moment, over real TLS."""

from __future__ import annotations

import pathlib
import shutil
import socket
import ssl
import typing as t

import pytest

from ansible_collections.dockerhost.azure.plugins.module_utils._errors import DockerHostError, OptionError

if t.TYPE_CHECKING:
    from .conftest import Certs, Maker

HOSTS = [{"name": f"web{number}", "dns_names": ["localhost"], "ip_addresses": ["127.0.0.1"]} for number in (1, 2, 3)]
NAMES = [host["name"] for host in HOSTS]


def context(side: t.Any, directory: pathlib.Path) -> ssl.SSLContext:
    """A side of a TLS connection that shows its certificate and wants one of the other's; strict as Python 3.13."""
    made = ssl.SSLContext(side)
    made.verify_mode = ssl.CERT_REQUIRED
    made.verify_flags |= ssl.VERIFY_X509_STRICT
    if side == ssl.PROTOCOL_TLS_SERVER:
        made.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # As Go: whatever is in the list is trusted.
    made.load_verify_locations(directory / "ca.pem")
    made.load_cert_chain(directory / "cert.pem", directory / "key.pem")
    return made


def connect(server: pathlib.Path, client: pathlib.Path) -> str | None:
    """Let a client talk to a server; the error, if there is one."""
    here, there = socket.socketpair()
    with here, there:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        back, forth = ssl.MemoryBIO(), ssl.MemoryBIO()
        one = context(ssl.PROTOCOL_TLS_SERVER, server).wrap_bio(incoming, outgoing, server_side=True)
        other = context(ssl.PROTOCOL_TLS_CLIENT, client).wrap_bio(back, forth, server_hostname="127.0.0.1")
        done: set[int] = set()
        for _unused in range(20):
            for side in (other, one):
                try:
                    if id(side) not in done:
                        side.do_handshake()
                        done.add(id(side))
                except ssl.SSLWantReadError:
                    pass
                except ssl.SSLError as error:
                    return f"{'client' if side is other else 'server'}: {error.reason}"
                incoming.write(forth.read())
                back.write(outgoing.read())
            if len(done) == 2:
                return None
    return "no end"


class Fleet:
    """Hosts and a far client with copies of their files, brought to them one by one."""

    def __init__(self, certs: Certs, place: pathlib.Path) -> None:
        self.certs = certs
        self.place = place
        self.far = place / "robot"

    def deploy(self, name: str) -> None:
        self._copy(self.certs.path(f"servers/{name}"), self.place / name)

    def deploy_client(self) -> None:
        self._copy(self.certs.path("clients/robot"), self.far)

    @staticmethod
    def _copy(source: pathlib.Path, target: pathlib.Path) -> None:
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(source, target)

    def check(self) -> None:
        """See that every client reaches every host as things are now."""
        for name in NAMES:
            for client in (self.certs.directory, self.far):
                assert connect(self.place / name, client) is None, (name, client)

    def trust(self) -> list[dict[str, t.Any]]:
        """What the hosts report."""
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes

        found = []
        for name in NAMES:
            lists = x509.load_pem_x509_certificates((self.place / name / "ca.pem").read_bytes())
            own = x509.load_pem_x509_certificates((self.place / name / "cert.pem").read_bytes())[0]
            found.append(
                {
                    "name": name,
                    "ca_fingerprints": [entry.fingerprint(hashes.SHA256()).hex(":").upper() for entry in lists],
                    "fingerprint": own.fingerprint(hashes.SHA256()).hex(),
                }
            )
        return found


@pytest.fixture
def fleet(certs: Certs, tmp_path: pathlib.Path) -> Fleet:
    made = Fleet(certs, tmp_path / "fleet")
    certs.run(hosts=HOSTS, clients=["robot"])
    for name in NAMES:
        made.deploy(name)
    made.deploy_client()
    made.check()
    return made


def roll_out(fleet: Fleet, certs: Certs) -> None:
    """Bring everything to the hosts, one after the other; in between, all is reachable and nothing may advance."""
    for name in NAMES:
        fleet.check()
        if certs.run(check=True)["rotation"]["phase"] and fleet.trust() and _lags(fleet, certs):
            with pytest.raises(DockerHostError, match="The rotation stays in the phase"):
                certs.run(rotate_ca="advance", host_trust=fleet.trust())
        fleet.deploy(name)
    fleet.check()
    fleet.deploy_client()
    fleet.check()


def _lags(fleet: Fleet, certs: Certs) -> bool:
    report = certs.run(check=True, host_trust=fleet.trust())
    return bool(report["rotation"]["waiting_for"])


def test_the_whole_way(fleet: Fleet, certs: Certs) -> None:
    old = certs.cert("ca.pem")
    result = certs.run(rotate_ca="start")
    assert result["rotation"]["phase"] == "trust"
    assert len(result["trusted_cas"]) == 2
    assert result["rotation"]["waiting_for"] == [f"{name}: not reported in host_trust" for name in NAMES]
    roll_out(fleet, certs)

    result = certs.run(rotate_ca="advance", host_trust=fleet.trust())
    assert result["rotation"]["phase"] == "servers"
    assert all(entry["reasons"] == ["signed by another CA"] for entry in result["servers"].values())
    assert result["client"]["reasons"] == []
    roll_out(fleet, certs)

    result = certs.run(rotate_ca="advance", host_trust=fleet.trust())
    assert result["rotation"]["phase"] == "clients"
    assert result["client"]["reasons"] == ["signed by another CA"]
    assert result["clients"]["robot"]["reasons"] == ["signed by another CA"]
    roll_out(fleet, certs)

    result = certs.run(rotate_ca="advance", host_trust=fleet.trust())
    assert result["rotation"]["phase"] is None
    assert len(result["trusted_cas"]) == 1
    roll_out(fleet, certs)
    assert certs.chain("ca.pem") != [old]
    assert len(certs.chain("ca.pem")) == 1
    assert certs.key("ca-key.pem").public_key() == certs.cert("ca.pem").public_key()
    certs.settled(hosts=HOSTS, clients=["robot"])
    certs.run(hosts=[{"name": "web4"}])
    certs.check_pairs()


def test_the_old_ca_is_shut_out_in_the_end(fleet: Fleet, certs: Certs, tmp_path: pathlib.Path) -> None:
    """What revocation means here: a stolen client works until the CA is rotated, and not after."""
    stolen = tmp_path / "stolen"
    shutil.copytree(certs.path("clients/robot"), stolen)
    certs.run(state="absent", clients=["robot"])
    assert connect(fleet.place / "web1", stolen) is None
    certs.run(rotate_ca="start")
    for _unused in range(3):
        for name in NAMES:
            fleet.deploy(name)
        assert connect_strangers(fleet.place / "web1", stolen, certs) is None
        certs.run(rotate_ca="advance", host_trust=fleet.trust())
    for name in NAMES:
        fleet.deploy(name)
        assert connect(fleet.place / name, certs.directory) is None
        assert "server:" in str(connect_strangers(fleet.place / name, stolen, certs))


def connect_strangers(server: pathlib.Path, client: pathlib.Path, certs: Certs) -> str | None:
    """The thief believes the server, so that only the server's own judgement is asked."""
    shutil.copy(certs.path("ca.pem"), client / "ca.pem")
    return connect(server, client)


def test_the_old_key_is_kept(fleet: Fleet, certs: Certs) -> None:
    old_key, old = certs.bytes("ca-key.pem"), certs.run()["ca"]["fingerprint"]
    certs.run(rotate_ca="start")
    for _unused in range(3):
        for name in NAMES:
            fleet.deploy(name)
        certs.run(rotate_ca="advance", host_trust=fleet.trust())
    assert certs.bytes(f".docker-tls-certs/retired/{old}/ca-key.pem") == old_key


def test_phases_stand_in_the_directory(fleet: Fleet, certs: Certs) -> None:
    """Days go by, other tasks run, hosts come and go: the phase stays what it is."""
    certs.run(rotate_ca="start")
    both = certs.bytes("ca.pem")
    certs.later(days=3)
    certs.settled(hosts=HOSTS, clients=["robot"])
    certs.settled(rotate_ca="start", hosts=HOSTS)
    certs.run(hosts=[{"name": "web4"}])
    assert certs.bytes("ca.pem") == both
    assert certs.chain("servers/web4/ca.pem") == certs.chain("ca.pem")
    # In this phase a new host still has its certificate of the old CA: a far client may not know the new one yet.
    certs.cert("servers/web4/cert.pem").verify_directly_issued_by(certs.chain("ca.pem")[0])
    fleet.deploy("web1")
    with pytest.raises(DockerHostError) as caught:
        certs.run(rotate_ca="advance", host_trust=fleet.trust())
    assert caught.value.details["waiting_for"] == [
        "web2: does not trust both CAs yet",
        "web3: does not trust both CAs yet",
        "web4: not reported in host_trust",
    ]
    certs.run(state="absent", hosts=[{"name": "web4"}])
    fleet.deploy("web2")
    fleet.deploy("web3")
    assert certs.run(rotate_ca="advance", host_trust=fleet.trust())["rotation"]["phase"] == "servers"
    with pytest.raises(DockerHostError, match="web1: does not have its certificate of the new CA yet"):
        certs.run(rotate_ca="advance", host_trust=fleet.trust())
    certs.run(hosts=[{"name": "web5"}], clients=["late"])
    old, new = certs.chain("ca.pem")
    certs.cert("servers/web5/cert.pem").verify_directly_issued_by(new)
    certs.cert("clients/late/cert.pem").verify_directly_issued_by(old)


def test_check_mode_predicts_each_phase(fleet: Fleet, certs: Certs) -> None:
    for step in ("start", "advance", "advance", "advance"):
        trust = fleet.trust()
        before = certs.tree()
        predicted = certs.run(rotate_ca=step, host_trust=trust, check=True)
        assert certs.tree() == before
        done = certs.run(rotate_ca=step, host_trust=trust)
        assert predicted["actions"] == done["actions"]
        assert predicted["rotation"]["phase"] == done["rotation"]["phase"]
        for name in NAMES:
            fleet.deploy(name)


def test_cancelling(fleet: Fleet, certs: Certs) -> None:
    before = {path: data for path, data in certs.tree().items() if not path.startswith(".")}
    certs.run(rotate_ca="start", ca_key_passphrase=None)
    new = certs.run()["rotation"]["new_fingerprint"]
    certs.run(rotate_ca="cancel")
    assert {path: data for path, data in certs.tree().items() if not path.startswith(".")} == before
    assert certs.path(f".docker-tls-certs/retired/{new}/ca-key.pem").exists()
    assert not certs.run(rotate_ca="cancel")["changed"]
    certs.run(rotate_ca="start")
    for name in NAMES:
        fleet.deploy(name)
    certs.run(rotate_ca="advance", host_trust=fleet.trust())
    with pytest.raises(OptionError, match="rotate_ca: cannot be cancelled in the phase servers"):
        certs.run(rotate_ca="cancel")


def test_with_a_passphrase(certs: Certs) -> None:
    certs.run(hosts=HOSTS[:1], ca_key_passphrase="correct horse")
    certs.run(rotate_ca="start", ca_key_passphrase="correct horse")
    assert b"ENCRYPTED" in certs.bytes(".docker-tls-certs/next/ca-key.pem")
    report = certs.run(check=True)
    trust = [{"name": "web1", "ca_fingerprints": report["trusted_cas"]}]
    with pytest.raises(OptionError, match="its passphrase is needed to sign servers/web1"):
        certs.run(rotate_ca="advance", host_trust=trust)
    certs.run(rotate_ca="advance", host_trust=trust, ca_key_passphrase="correct horse")
    certs.check_pairs()


def test_to_a_ca_of_ones_own_and_back(fleet: Fleet, certs: Certs, maker: Maker) -> None:
    certificate, key = maker.ca("Ours")
    own = {"ca_content": maker.pem(certificate), "ca_key_content": maker.pem(key)}
    certs.run(rotate_ca="start", **own)
    assert not certs.path(".docker-tls-certs/next/ca-key.pem").exists()
    for _unused in range(3):
        for name in NAMES:
            fleet.deploy(name)
        fleet.check()
        fleet.deploy_client()
        certs.run(rotate_ca="advance", host_trust=fleet.trust(), **own)
    for name in NAMES:
        fleet.deploy(name)
    fleet.deploy_client()
    fleet.check()
    assert certs.chain("ca.pem") == [certificate]
    assert not certs.path("ca-key.pem").exists()
    certs.settled(hosts=HOSTS, clients=["robot"])
    with pytest.raises(OptionError, match="rotate_ca: the CA is your own; pass the one to rotate to"):
        certs.run(rotate_ca="start")


def test_a_third_ca_in_the_middle_stops(certs: Certs, maker: Maker) -> None:
    certs.run(hosts=HOSTS[:1])
    certs.run(rotate_ca="start")
    before = certs.tree()
    certificate, key = maker.ca("Third")
    with pytest.raises(OptionError, match=r"ca_content: .*belongs to another CA"):
        certs.run(rotate_ca="start", ca_content=maker.pem(certificate), ca_key_content=maker.pem(key))
    assert certs.tree() == before


def test_to_another_key_type(fleet: Fleet, certs: Certs) -> None:
    certs.run(rotate_ca="start", ca_key_type="ecdsa_p384", ca_common_name="The next CA")
    new = certs.chain("ca.pem")[1]
    assert new.public_key().curve.name == "secp384r1"  # type: ignore[union-attr]
    assert new.subject.rfc4514_string() == "CN=The next CA"
    fleet.check()


def test_nothing_to_rotate(certs: Certs) -> None:
    for step in ("start", "advance", "cancel"):
        with pytest.raises(OptionError, match="rotate_ca: there is no CA"):
            certs.run(rotate_ca=step)
    certs.run()
    with pytest.raises(OptionError, match="rotate_ca: no rotation is under way"):
        certs.run(rotate_ca="advance")


def test_a_second_intermediate_below_the_same_root_is_refused(certs: Certs, maker: Maker, tmp_path: t.Any) -> None:
    """The server trusts the issuing CA alone; given the chain, it would let the neighbours in."""
    root = maker.ca("Root")
    ours, theirs = maker.ca("Ours", signer=root), maker.ca("Theirs", signer=root)
    certs.run(hosts=HOSTS[:1], ca_content=maker.pem(ours[0], root[0]), ca_key_content=maker.pem(ours[1]))
    server = certs.path("servers/web1")
    assert connect(server, certs.directory) is None
    neighbour = tmp_path / "neighbour"
    neighbour.mkdir()
    certificate, key = maker.leaf(theirs, "neighbour")
    (neighbour / "cert.pem").write_text(maker.pem(certificate, theirs[0]))
    (neighbour / "key.pem").write_text(maker.pem(key))
    (neighbour / "ca.pem").write_text(maker.pem(ours[0], root[0]))
    assert "server: " in str(connect(server, neighbour))
    # With the whole chain in its list, the server would have let it in.
    (server / "ca.pem").write_text(maker.pem(ours[0], root[0]))
    assert "server: " not in str(connect(server, neighbour))
