# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every type of key, taken by every kind of client, of a real engine that asks for certificates.

The engine is Debian's docker.io, taken out of its package and run without a network of its own on a loopback address.
What came out is compared with the table in docs/certificates.md, for all cells that can be run on this machine;
with WRITE_CERTIFICATE_TABLE=1 in the environment the table is written anew.
"""

from __future__ import annotations

import contextlib
import glob
import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import typing as t
from pathlib import Path

import pytest

from user_command import output_of

from .paths import CACHE, COLLECTIONS, TOP

DOCUMENT = TOP / "docs" / "certificates.md"
BEGIN, END = "<!-- table of key types: begin -->", "<!-- table of key types: end -->"

KEY_TYPES = ("ecdsa_p256", "ecdsa_p384", "ed25519", "rsa_2048", "rsa_3072", "rsa_4096")
PYTHONS = ("3.10", "3.11", "3.12", "3.13")
CLIENTS = ("docker CLI", *(f"Python {version}" for version in PYTHONS), "docker SDK for Python", "openssl verify")
PACKAGES = ("docker.io", "containerd", "runc")
PROGRAMS = ("dockerd", "containerd", "containerd-shim-runc-v2", "runc")

TALK = """
import http.client, json, ssl, sys
address, port, directory = sys.argv[1:]
context = ssl.create_default_context(cafile=directory + "/ca.pem")
context.verify_flags |= ssl.VERIFY_X509_STRICT
context.load_cert_chain(directory + "/cert.pem", directory + "/key.pem")
connection = http.client.HTTPSConnection(address, int(port), context=context, timeout=20)
connection.request("GET", "/version")
print(json.load(connection.getresponse())["Version"])
"""
TALK_BY_SDK = """
import sys
import docker
address, port, directory = sys.argv[1:]
tls = docker.tls.TLSConfig(
    client_cert=(directory + "/cert.pem", directory + "/key.pem"), ca_cert=directory + "/ca.pem", verify=True
)
print(docker.DockerClient(base_url=f"tcp://{address}:{port}", tls=tls).version()["Version"])
"""


class NotHere(Exception):  # noqa: N818 - a reason, not an error
    """A client that this machine does not have."""


def clean_environment() -> dict[str, str]:
    """Without settings of this machine that decide whom a client trusts."""
    dropped = ("DOCKER_", "ANSIBLE_", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_")
    return {key: value for key, value in os.environ.items() if not key.startswith(dropped)}


# The engine


@pytest.fixture(scope="session")
def engine_programs() -> dict[str, str]:
    """Where the engine's programs are: installed, or taken out of their packages into the cache."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("a Docker engine runs as root on Linux only")
    path = os.pathsep.join([str(CACHE / "engine"), os.environ.get("PATH", ""), "/usr/sbin"])
    if not all(shutil.which(program, path=path) for program in PROGRAMS):
        fetch_engine(CACHE / "engine")
    return {program: str(shutil.which(program, path=path)) for program in PROGRAMS}


def fetch_engine(target: Path) -> None:
    """Take the programs out of Debian's packages; nothing is installed."""
    if not shutil.which("apt-get"):
        pytest.skip("there is no dockerd here, and no apt-get to fetch one with")
    work = target.with_name("engine.new")
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    for command in (["apt-get", "download", "-q", *PACKAGES], ["apt-get", "update", "-q"]):
        done = subprocess.run(command, cwd=work, capture_output=True, text=True, check=False)
        if done.returncode == 0 and "download" in command:
            break
    else:
        done = subprocess.run(
            ["apt-get", "download", "-q", *PACKAGES], cwd=work, capture_output=True, text=True, check=False
        )
        if done.returncode:
            pytest.skip(f"the packages of a Docker engine cannot be fetched: {done.stderr.strip()[-300:]}")
    for package in work.glob("*.deb"):
        subprocess.run(["dpkg-deb", "-x", str(package), str(work / "tree")], check=True)
    found = work / "found"
    found.mkdir()
    for program in PROGRAMS:
        places = (path for path in (work / "tree").rglob(program) if path.parent.name in ("bin", "sbin"))
        source = next(path for path in places if not path.is_symlink())
        shutil.move(str(source), str(found / program))
    shutil.rmtree(target, ignore_errors=True)
    found.rename(target)
    shutil.rmtree(work)


class Engine:
    """A Docker engine that listens with certificates on a loopback address."""

    address = "127.0.0.1"

    def __init__(self, programs: dict[str, str]) -> None:
        self.programs = programs
        # Short: the names of the engine's sockets must not be longer than 107 characters.
        self.place = Path(tempfile.mkdtemp(prefix="engine-", dir="/tmp"))
        with socket.socket() as probe:
            probe.bind((self.address, 0))
            self.port = probe.getsockname()[1]

    @contextlib.contextmanager
    def serving(self, certs: Path) -> t.Iterator[Engine]:
        """Run with the certificate, key and trust list of a directory."""
        shutil.rmtree(self.place, ignore_errors=True)
        self.place.mkdir(parents=True)
        (self.place / "daemon.json").write_text("{}")
        environment = clean_environment()
        directories = [str(Path(program).parent) for program in self.programs.values()]
        environment["PATH"] = os.pathsep.join([*dict.fromkeys(directories), environment.get("PATH", "")])
        with (self.place / "log").open("wb") as log:
            process = subprocess.Popen(self._command(certs), env=environment, stdout=log, stderr=log)
        try:
            self._wait(process)
            yield self
        finally:
            process.terminate()
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            # The engine binds its data directory to itself; when it ends badly that stays.
            subprocess.run(["umount", "-l", str(self.place / "data")], capture_output=True, check=False)
            shutil.rmtree(self.place, ignore_errors=True)

    def _command(self, certs: Path) -> list[str]:
        options = {
            "data-root": self.place / "data",
            "exec-root": self.place / "exec",
            "pidfile": self.place / "pid",
            "config-file": self.place / "daemon.json",
            "storage-driver": "vfs",
            "bridge": "none",
            "iptables": "false",
            "ip6tables": "false",
            "ip-forward": "false",
            "ip-masq": "false",
            "host": f"tcp://{self.address}:{self.port}",
            "tlsverify": "true",
            "tlscacert": certs / "ca.pem",
            "tlscert": certs / "cert.pem",
            "tlskey": certs / "key.pem",
        }
        return [self.programs["dockerd"], *(f"--{name}={value}" for name, value in options.items())]

    def _wait(self, process: subprocess.Popen[bytes]) -> None:
        ends = time.monotonic() + 60
        while time.monotonic() < ends:
            if process.poll() is not None:
                break
            if "API listen on" in (self.place / "log").read_text():
                return
            time.sleep(0.1)
        pytest.fail(f"dockerd does not serve: {(self.place / 'log').read_text()[-3000:]}")


@pytest.fixture
def engine(engine_programs: dict[str, str]) -> Engine:
    return Engine(engine_programs)


# The certificates


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A set for each type of key, made by one playbook; the directories have the types' names."""
    place = tmp_path_factory.mktemp("certificates")
    options = {f"{kind}_key_type": "{{ item }}" for kind in ("ca", "server", "client")}
    host = {"name": "web1", "dns_names": ["localhost"], "ip_addresses": ["127.0.0.1"]}
    task = {
        "name": "Make a set of each type",
        "dockerhost.azure.docker_tls_certs": {"cert_dir": f"{place}/{{{{ item }}}}", "hosts": [host], **options},
        "loop": [*KEY_TYPES, "other"],
        "when": "item != 'other'",
    }
    other = {
        "name": "Make a stranger's set",
        "dockerhost.azure.docker_tls_certs": {"cert_dir": f"{place}/other", "hosts": [host]},
    }
    run_playbook(place, [task, other])
    return place


def run_playbook(place: Path, tasks: list[dict[str, t.Any]]) -> None:
    """Run tasks as a user does."""
    playbook = place / "playbook.yml"
    playbook.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]))
    program = os.path.join(os.path.dirname(sys.executable), "ansible-playbook")
    environment = {**clean_environment(), "HOME": str(place), "ANSIBLE_COLLECTIONS_PATH": COLLECTIONS}
    output_of([program, "-i", "localhost,", "-c", "local", str(playbook)], env=environment)


# The clients


def talk(command: list[str], **environment: str) -> str | None:
    """Run a client; the end of what it said when it failed."""
    done = subprocess.run(
        command, env={**clean_environment(), **environment}, capture_output=True, text=True, timeout=120, check=False
    )
    return None if done.returncode == 0 else (done.stdout + done.stderr).strip()[-600:]


def docker_cli(engine: Engine, directory: Path) -> str | None:
    program = shutil.which("docker", path=os.pathsep.join([str(CACHE / "bin"), os.environ.get("PATH", "")]))
    if not program:
        raise NotHere("there is no docker CLI")
    command = [program, "--tlsverify", "-H", f"tcp://{engine.address}:{engine.port}", "version"]
    return talk(command, DOCKER_CERT_PATH=str(directory), DOCKER_CONFIG=str(directory))


def python(version: str) -> t.Callable[[Engine, Path], str | None]:
    def client(engine: Engine, directory: Path) -> str | None:
        return talk([find_python(version), "-c", TALK, engine.address, str(engine.port), str(directory)])

    return client


def find_python(version: str) -> str:
    """A Python of this version that can do TLS."""
    pattern = os.path.expanduser(f"~/.pyenv/versions/{version}.*/bin/python")
    for program in (*sorted(glob.glob(pattern)), shutil.which(f"python{version}")):
        if program and talk([program, "-c", "import ssl"]) is None:
            return program
    raise NotHere(f"there is no Python {version}")


def docker_sdk(engine: Engine, directory: Path) -> str | None:
    return talk([sys.executable, "-c", TALK_BY_SDK, engine.address, str(engine.port), str(directory)])


def openssl(_engine: Engine, directory: Path) -> str | None:
    if not shutil.which("openssl"):
        raise NotHere("there is no openssl")
    command = ["openssl", "verify", "-x509_strict", "-CAfile"]
    server = [*command, str(directory / "ca.pem"), "-purpose", "sslserver", "-verify_ip", "127.0.0.1"]
    client = [*command, str(directory / "servers/web1/ca.pem"), "-purpose", "sslclient"]
    return talk([*server, str(directory / "servers/web1/cert.pem")]) or talk([*client, str(directory / "cert.pem")])


def clients() -> dict[str, t.Callable[[Engine, Path], str | None]]:
    return {
        "docker CLI": docker_cli,
        **{f"Python {version}": python(version) for version in PYTHONS},
        "docker SDK for Python": docker_sdk,
        "openssl verify": openssl,
    }


# The tests


def test_every_type_of_key_with_every_client(engine: Engine, certificates: Path) -> None:
    found: dict[str, dict[str, str]] = {}
    reasons = []
    for key_type in KEY_TYPES:
        directory = certificates / key_type
        with engine.serving(directory / "servers" / "web1"):
            for name, client in clients().items():
                try:
                    problem = client(engine, directory)
                except NotHere as reason:
                    found.setdefault(key_type, {})[name] = "not run"
                    reasons.append(f"{name}: {reason}")
                    continue
                found.setdefault(key_type, {})[name] = "no" if problem else "yes"
                assert problem is None, f"{name} with {key_type}: {problem}"
            check_refusals(engine, directory, certificates / "other")
    print("\n".join(dict.fromkeys(reasons)))
    if os.environ.get("WRITE_CERTIFICATE_TABLE"):
        write_table(found)
    documented = read_table()
    for key_type, row in found.items():
        for name, cell in row.items():
            assert cell in ("not run", documented[key_type][name]), (key_type, name)


def check_refusals(engine: Engine, directory: Path, stranger: Path) -> None:
    """See that the engine refuses a client of another CA, and one without a certificate."""
    mixed = directory / "stranger"
    mixed.mkdir()
    shutil.copy(directory / "ca.pem", mixed)
    for name in ("cert.pem", "key.pem"):
        shutil.copy(stranger / name, mixed)
    ours = python(f"{sys.version_info[0]}.{sys.version_info[1]}")
    assert ours(engine, directory) is None
    assert ours(engine, mixed) is not None
    # What it is called depends on the version of Go that the engine was built with.
    assert any(alert in answer(engine, directory / "ca.pem") for alert in ("certificate required", "bad certificate"))


def answer(engine: Engine, ca: Path) -> str:
    """What the engine says to a client that has no certificate at all."""
    context = ssl.create_default_context(cafile=str(ca))
    try:
        with (
            socket.create_connection((engine.address, engine.port), 10) as plain,
            context.wrap_socket(plain, server_hostname=engine.address) as connection,
        ):
            connection.sendall(b"GET /version HTTP/1.0\r\n\r\n")
            return connection.recv(1000).decode()
    except ssl.SSLError as error:
        return str(error)


def test_a_second_intermediate_below_the_same_root(engine: Engine, tmp_path: Path) -> None:
    """The real engine lets in clients of the issuing CA, and nobody of the CA beside it."""
    cas = make_cas(tmp_path)
    host = {"name": "web1", "ip_addresses": ["127.0.0.1"]}
    sets = [
        {
            "name": f"Make a set of {name}",
            "dockerhost.azure.docker_tls_certs": {
                "cert_dir": str(tmp_path / f"set-{name}"),
                "ca_path": str(cas / f"{name}-chain.pem"),
                "ca_key_path": str(cas / f"{name}.key"),
                "hosts": [host],
            },
        }
        for name in ("ours", "theirs")
    ]
    run_playbook(tmp_path, sets)
    ours, theirs = tmp_path / "set-ours", tmp_path / "set-theirs"
    client = python(f"{sys.version_info[0]}.{sys.version_info[1]}")
    with engine.serving(ours / "servers" / "web1"):
        assert client(engine, ours) is None
        assert docker_cli(engine, ours) is None
        # The neighbour believes the engine (both chains end at one root) and sends its own chain along.
        neighbour = tmp_path / "neighbour"
        shutil.copytree(theirs, neighbour, ignore=shutil.ignore_patterns(".docker*"))
        shutil.copy(ours / "ca.pem", neighbour)
        chain = (theirs / "cert.pem").read_text() + (cas / "theirs.pem").read_text()
        (neighbour / "cert.pem").write_text(chain)
        assert client(engine, neighbour) is not None
    # What would have happened with the whole chain in the engine's list.
    chain_trusted = tmp_path / "chain-trusted"
    shutil.copytree(ours / "servers" / "web1", chain_trusted)
    shutil.copy(ours / "ca.pem", chain_trusted)
    with engine.serving(chain_trusted):
        assert client(engine, neighbour) is None


def make_cas(place: Path) -> Path:
    """A root and two intermediate CAs below it, made with the openssl program, as companies do."""
    if not shutil.which("openssl"):
        pytest.skip("there is no openssl to make the company's CAs with")
    cas = place / "cas"
    cas.mkdir()
    extensions = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\nsubjectKeyIdentifier=hash\n"
    (cas / "ca.cnf").write_text(extensions + "authorityKeyIdentifier=keyid\n")
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]

    def run(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=cas, check=True, capture_output=True)

    root = ["-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign"]
    run("req", "-x509", *key, "-keyout", "root.key", "-out", "root.pem", "-subj", "/CN=Root", "-days", "900", *root)
    for name in ("ours", "theirs"):
        run("req", *key, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
        sign = ["-CA", "root.pem", "-CAkey", "root.key", "-CAcreateserial", "-days", "800", "-extfile", "ca.cnf"]
        run("x509", "-req", "-in", f"{name}.csr", "-out", f"{name}.pem", *sign)
        (cas / f"{name}-chain.pem").write_text((cas / f"{name}.pem").read_text() + (cas / "root.pem").read_text())
    return cas


# The table


def read_table() -> dict[str, dict[str, str]]:
    """The table in the document, by type and client."""
    text = DOCUMENT.read_text()
    lines = [line for line in text[text.index(BEGIN) : text.index(END)].splitlines() if line.startswith("|")]
    header, _rule, *body = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {row[0].strip("`"): dict(zip(header[1:], row[1:], strict=True)) for row in body}


def write_table(found: dict[str, dict[str, str]]) -> None:
    """Put what came out into the document."""
    lines = ["", "", "| key type | " + " | ".join(CLIENTS) + " |", "|" + " --- |" * (len(CLIENTS) + 1)]
    for key_type in KEY_TYPES:
        lines.append(f"| `{key_type}` | " + " | ".join(found[key_type][name] for name in CLIENTS) + " |")
    text = DOCUMENT.read_text()
    before, after = text[: text.index(BEGIN) + len(BEGIN)], text[text.index(END) :]
    DOCUMENT.write_text(before + "\n".join(lines) + "\n\n" + after)
