# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the tests of the program for the VM share: the program as a module, scratch roots, certificates."""

from __future__ import annotations

import base64
import datetime
import functools
import hashlib
import importlib.util
import ipaddress
import json
import os
import py_compile
import re
import subprocess
import sys
import tempfile
import time
import typing as t
import warnings
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ansible_collections.dockerhost.azure.plugins.plugin_utils._bundle import bundle


def _write_program() -> Path:
    """Write the program as a VM gets it; processes that do so at once write the same."""
    folder = Path(os.environ.get("DOCKERHOST_BUILD") or tempfile.gettempdir())
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / "docker_setup.py"
    mine = folder / f".docker_setup.{os.getpid()}.py"
    mine.write_text(bundle(), encoding="utf-8")
    return mine.replace(program)


PROGRAM = _write_program()


@functools.cache
def program_for(python: str) -> Path:
    """Return the program as an interpreter runs it: for this one, compiled once instead of in each of its runs."""
    if python != sys.executable:
        return PROGRAM
    mine = PROGRAM.with_name(f".docker_setup.{os.getpid()}.pyc")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        py_compile.compile(str(PROGRAM), str(mine), doraise=True)
    return mine.replace(PROGRAM.with_suffix(f".{sys.implementation.cache_tag}.pyc"))


OS_RELEASES = {
    "debian12": 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\nID=debian\n',
    "ubuntu24": 'PRETTY_NAME="Ubuntu 24.04.1 LTS"\nVERSION_ID="24.04"\nVERSION_CODENAME=noble\nID=ubuntu\n'
    "ID_LIKE=debian\nUBUNTU_CODENAME=noble\n",
    "mint22": 'PRETTY_NAME="Linux Mint 22"\nVERSION_ID="22"\nVERSION_CODENAME=wilma\nID=linuxmint\n'
    'ID_LIKE="ubuntu debian"\nUBUNTU_CODENAME=noble\n',
    "rhel9": 'PRETTY_NAME="Red Hat Enterprise Linux 9.4 (Plow)"\nVERSION_ID="9.4"\nID="rhel"\nID_LIKE="fedora"\n',
    "rocky9": 'PRETTY_NAME="Rocky Linux 9.4"\nVERSION_ID="9.4"\nID="rocky"\nID_LIKE="rhel centos fedora"\n',
    "fedora40": 'PRETTY_NAME="Fedora Linux 40"\nVERSION_ID=40\nID=fedora\n',
    "sles15": 'PRETTY_NAME="SUSE Linux Enterprise Server 15 SP6"\nVERSION_ID="15.6"\nID="sles"\nID_LIKE="suse"\n',
    "leap15": 'PRETTY_NAME="openSUSE Leap 15.6"\nVERSION_ID="15.6"\nID="opensuse-leap"\nID_LIKE="suse opensuse"\n',
    "azurelinux3": 'PRETTY_NAME="Microsoft Azure Linux 3.0"\nVERSION_ID="3.0"\nID=azurelinux\n',
    "alpine": 'PRETTY_NAME="Alpine Linux v3.20"\nVERSION_ID=3.20.0\nID=alpine\n',
}

PLAIN = ("-I", "-S", "-W", "error")
"""Options with which an interpreter sees nothing but its standard library, which is all the program may use."""

MADISON = {
    "docker-ce": ["5:29.1.0-1~x", "5:28.10.0-1~x", "5:28.9.1-1~x", "5:27.5.1-1~x"],
    "docker-ce-cli": ["5:29.1.0-1~x", "5:28.10.0-1~x", "5:28.9.1-1~x", "5:27.5.1-1~x"],
    "docker.io": ["20.10.24+dfsg1-1"],
    "docker-compose": ["1.29.2-3"],
}


def _load() -> t.Any:
    spec = importlib.util.spec_from_file_location("docker_setup", PROGRAM)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def interpreters() -> list[str]:
    """This interpreter, and the oldest and newest that are installed with pyenv."""
    found = [sys.executable]
    versions = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    for series in ("3.6", "3.8", "3.13", "3.14"):
        found += [str(path / "bin/python") for path in sorted(versions.glob(f"{series}.*"))[:1]]
    return found


class Pems(t.NamedTuple):
    """PEM of a CA, and of a server's certificate and key that it signed."""

    ca: bytes
    cert: bytes
    key: bytes

    def settings(self) -> dict[str, str]:
        """As the protected setting ``certs``."""
        return {name: base64.b64encode(value).decode() for name, value in self._asdict().items()}


def make_pems(name: str = "web1", ca_key: ec.EllipticCurvePrivateKey | None = None) -> Pems:
    """A CA of its own, or with a key that another one has, too, and a server certificate."""
    now = datetime.datetime.now(datetime.timezone.utc)
    ca_key, key = ca_key or ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    authority = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "CA")])

    def build(subject: x509.Name, public: t.Any) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder(authority, subject, public, x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(minutes=5))
            .not_valid_after(now + datetime.timedelta(days=30))
        )

    ca = build(authority, ca_key.public_key()).add_extension(x509.BasicConstraints(True, None), True)
    leaf = build(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]), key.public_key()).add_extension(
        x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False
    )
    pem = serialization.Encoding.PEM
    return Pems(
        ca.sign(ca_key, hashes.SHA256()).public_bytes(pem),
        leaf.sign(ca_key, hashes.SHA256()).public_bytes(pem),
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()),
    )


def make_renewed() -> tuple[Pems, Pems, Pems]:
    """A CA, the same one renewed with its key, and another one of the same name."""
    key = ec.generate_private_key(ec.SECP256R1())
    return make_pems(ca_key=key), make_pems(ca_key=key), make_pems()


class Scratch:
    """A tree below which the program is run."""

    def __init__(self, root: Path, python: str) -> None:
        self.root = root
        self.python = python

    def put(self, path: str, text: str) -> Path:
        """Write a file of the tree."""
        target = self.root / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        return target

    def text(self, path: str) -> str:
        """Read a file of the tree."""
        return (self.root / path.lstrip("/")).read_text(encoding="utf-8")

    def exists(self, path: str) -> bool:
        """Return whether a file of the tree is there."""
        return (self.root / path.lstrip("/")).exists()

    def files(self) -> dict[str, tuple[int, bytes]]:
        """Every file of the tree: mode and content."""
        return {
            str(path.relative_to(self.root)): (path.stat().st_mode & 0o7777, path.read_bytes())
            for path in sorted(self.root.rglob("*"))
            if path.is_file()
        }

    def run(self, document: t.Any, *words: str) -> dict[str, t.Any]:
        """Apply settings and return the last line of the output."""
        settings = self.root.parent / "settings.json"
        settings.write_text(document if isinstance(document, str) else json.dumps(document), encoding="utf-8")
        return self.call("--settings", str(settings), *words)

    def call(self, *words: str) -> dict[str, t.Any]:
        """Run the program and return the last line of its output; its exit code agrees with it."""
        done = subprocess.run(
            [self.python, *PLAIN, str(program_for(self.python)), "--root", str(self.root), *words],
            capture_output=True,
            text=True,
            check=False,
        )
        assert not done.stderr, done.stderr
        result = json.loads(done.stdout.splitlines()[-1])
        assert done.returncode == (0 if result["ok"] else 1)
        return t.cast("dict[str, t.Any]", result)


Answer = str | tuple[int, str]


class Recorder:
    """Makes the program's Machine believe that a scratch root is the running system, and records what it runs.

    :param answers: by the beginning of a command: its output, or its exit code and output, or a list of these, of which
        the last one is given from then on.
    :param programs: the programs that the machine has.
    """

    def __init__(
        self,
        setup: t.Any,
        root: Path,
        os_release: str,
        answers: t.Mapping[str, Answer | list[Answer]] | None = None,
        programs: t.Collection[str] = ("dnf", "rpm"),
    ) -> None:
        outer = self
        self.commands: list[str] = []
        self.answers: dict[str, Answer | list[Answer]] = dict(answers or {})

        class Machine(setup.Machine):  # type: ignore[misc,name-defined]
            def run(self, argv: list[str], ok: tuple[int, ...] | None = (0,), **_options: t.Any) -> str:
                command = " ".join(argv)
                outer.commands.append(command)
                code, output = outer.answer(argv, command)
                if ok is not None and code not in ok:
                    raise setup.Problem(f"{argv[0]} ended with exit code {code}", output, output, code)
                return output

            def has(self, program: str) -> bool:
                return program in programs

        (root / "etc").mkdir(parents=True)
        (root / "etc/os-release").write_text(os_release, encoding="utf-8")
        self.machine = Machine(str(root))
        self.machine.alive = True
        self.setup = setup

    def answer(self, argv: list[str], command: str) -> tuple[int, str]:
        """Return exit code and output of a command."""
        for start, answer in self.answers.items():
            if command.startswith(start):
                if isinstance(answer, list):
                    answer = answer.pop(0) if len(answer) > 1 else answer[0]
                return answer if isinstance(answer, tuple) else (0, answer)
        if argv[:2] == ["apt-cache", "madison"]:
            return 0, self.madison(argv[2], MADISON.get(argv[2], []))
        return 0, "amd64\n" if argv[:2] == ["dpkg", "--print-architecture"] else ""

    def madison(self, name: str, versions: t.Iterable[str]) -> str:
        """What ``apt-cache madison`` says: each version, with the program's own repository if there is one."""
        found = re.search(r"\] (\S+)", self.machine.text("/etc/apt/sources.list.d/docker-host.list"))
        address = found.group(1) if found else "http://x"
        return "".join(f"{name} | {version} | {address} bookworm/stable amd64 Packages\n" for version in versions)

    def put(self, path: str, text: str) -> Path:
        """Write a file of the tree."""
        target = Path(self.machine.root) / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        return target

    def facts(self) -> t.Any:
        """The facts about the machine."""
        return self.setup.Facts(self.machine)

    def ran(self, *words: str) -> list[str]:
        """The commands that hold each of the words."""
        return [command for command in self.commands if all(word in command.split() for word in words)]

    def installation(self, **engine: t.Any) -> t.Any:
        """An installation with these settings of the engine."""
        settings = self.setup.Settings({"settings": {"docker": {"engine": engine}}})
        return self.setup.Installation(self.machine, settings, self.setup.Facts(self.machine))

    def repository(self, **engine: t.Any) -> t.Any:
        """Docker's repository with these settings of the engine."""
        installation = self.installation(**engine)
        return self.setup.Repository(installation.machine, installation.settings, installation.facts)


def packet(tag: int, body: bytes) -> bytes:
    """Make an OpenPGP packet with a length of one byte (RFC 4880, 4.2.1)."""
    return bytes([0x80 | tag << 2, len(body)]) + body


def public_key(content: bytes, *, tag: int = 6) -> bytes:
    """Make a key packet of version 4, which nobody can sign with, and the packets of a name and its signature."""
    return packet(tag, b"\x04" + content) + packet(13, b"name") + packet(2, b"\x04signature")


def fingerprint(content: bytes) -> str:
    """Return the fingerprint of :func:`public_key`."""
    body = b"\x04" + content
    return hashlib.sha1(b"\x99" + len(body).to_bytes(2, "big") + body).hexdigest().upper()


def armour(key: bytes) -> str:
    """Armour a key as gpg does."""
    text = base64.b64encode(key).decode()
    begin, end = (f"-----{word} PGP PUBLIC KEY BLOCK-----\n" for word in ("BEGIN", "END"))
    return f"{begin}Comment: made by a test\n\n{text}\n=abcd\n{end}"


@pytest.fixture(name="setup", scope="session")
def fixture_setup() -> t.Any:
    """The program as a module."""
    return _load()


class Clock:
    """A clock that goes on only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        """The time."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds

    def __getattr__(self, name: str) -> t.Any:
        return getattr(time, name)


@pytest.fixture
def clock(setup: t.Any, monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The program's clock, which does not wait."""
    clock = Clock()
    monkeypatch.setattr(setup, "time", clock)
    return clock


@pytest.fixture(scope="session")
def pems() -> Pems:
    """One CA and one server."""
    return make_pems()


@pytest.fixture(scope="session")
def other_pems() -> Pems:
    """Another CA, with a server of its own."""
    return make_pems()


@pytest.fixture
def scratch(tmp_path: Path) -> Scratch:
    """A scratch root of Debian 12."""
    tree = Scratch(tmp_path / "root", sys.executable)
    tree.put("/etc/os-release", OS_RELEASES["debian12"])
    return tree
