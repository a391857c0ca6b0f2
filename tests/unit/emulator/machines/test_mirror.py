# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The mirror of Docker's packages: its packages, its answers, and guests whose images trust it."""

from __future__ import annotations

import itertools
import re
import socket
import struct
import subprocess
import typing as t
from pathlib import Path

import pytest

from azure_emulator.machines.base import Rule
from azure_emulator.machines.layer import slow_packages
from azure_emulator.machines.mirror import docker_packages, repository
from azure_emulator.machines.mirror.repository import Repository
from azure_emulator.machines.mirror.resolver import answer
from azure_emulator.machines.mirror.server import Mirror
from azure_emulator.machines.releases import DEBIAN_12
from azure_emulator.machines.tree import Tree

from .conftest import Guests

NAMES = {"download.docker.com": "198.18.0.2"}
RELEASE = "https://download.docker.com/linux/debian/dists/bookworm/Release"


def _query(name: str, kind: int = 1, flags: int = 0x0100) -> bytes:
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return struct.pack("!HHHHHH", 7, flags, 1, 0, 0, 0) + labels + b"\0" + struct.pack("!HH", kind, 1)


@pytest.mark.parametrize("name", ["download.docker.com", "Download.Docker.COM"])
def test_the_resolver_knows_the_mirror_whatever_the_case(name: str) -> None:
    reply = answer(_query(name), NAMES)
    assert reply is not None
    assert struct.unpack_from("!HHHHHH", reply) == (7, 0x8180, 1, 1, 0, 0)
    assert socket.inet_ntoa(reply[-4:]) == "198.18.0.2"


def test_a_name_without_an_address_of_the_other_family_is_no_error() -> None:
    reply = answer(_query("download.docker.com", kind=28), NAMES)
    assert reply is not None
    assert struct.unpack_from("!HHHHHH", reply) == (7, 0x8180, 1, 0, 0, 0)


def test_of_other_names_the_resolver_says_that_it_failed() -> None:
    reply = answer(_query("registry-1.docker.io"), NAMES)
    assert reply is not None
    assert struct.unpack_from("!HHHHHH", reply) == (7, 0x8182, 1, 0, 0, 0)


@pytest.mark.parametrize("sent", [b"", b"\0" * 11, _query("a")[:-5], _query("a", flags=0x8100), b"\xff" * 40])
def test_what_is_no_query_has_no_answer(sent: bytes) -> None:
    assert answer(sent, NAMES) is None


def _package(folder: Path, name: str, version: str, files: t.Sequence[str], depends: str) -> None:
    tree = folder / f"tree-{name}"
    (tree / "DEBIAN").mkdir(parents=True)
    control = f"Package: {name}\nVersion: {version}\nArchitecture: amd64\nMaintainer: m\nDescription: d\n"
    (tree / "DEBIAN/control").write_text(control + (f"Depends: {depends}\n" if depends else ""))
    (tree / "DEBIAN/postinst").write_text("#!/bin/sh\n")
    (tree / "DEBIAN/postinst").chmod(0o755)
    for file in files:
        (tree / file).parent.mkdir(parents=True, exist_ok=True)
        (tree / file).write_text(name)
    target = folder / f"{name}_{version.replace(':', '%3a')}_amd64.deb"
    subprocess.run(["dpkg-deb", "-Znone", "-b", tree, target], check=True, capture_output=True)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Docker's packages, made of small ones with Debian's names."""
    folder = tmp_path_factory.mktemp("pool")
    engine = ["usr/bin/docker", "usr/sbin/dockerd", "usr/bin/dnet", "lib/systemd/system/docker.service"]
    needs = "libc6 (>= 2.34), containerd (>= 1.4~), iptables, runc (>= 1.0.0~rc8~), tini"
    _package(folder, "docker.io", "20.10.24+dfsg1-1+deb12u1+b6", engine, needs)
    _package(folder, "containerd", "1.6.20~ds1-1+deb12u2", ["usr/bin/containerd"], "runc (>= 0.1.0~), libc6")
    _package(folder, "runc", "1.1.5+ds1-1+deb12u1", ["usr/sbin/runc"], "libseccomp2")
    _package(folder, "docker-compose", "2.26.1-4", ["usr/libexec/docker/cli-plugins/docker-compose"], "")
    for name in ("work", "made"):
        (folder / name).mkdir()
    packager = docker_packages.Packager([folder], "1~debian.12~bookworm", folder / "work")
    packager.make_all(folder / "made")
    assert not any((folder / "work").iterdir())
    return folder / "made"


def _field(path: Path, name: str) -> str:
    shown = subprocess.run(["dpkg-deb", "-f", path, name], check=True, capture_output=True, text=True)
    return shown.stdout.strip()


def _files(path: Path) -> set[str]:
    shown = subprocess.run(["dpkg-deb", "-c", path], check=True, capture_output=True, text=True)
    return {line.split()[5].removeprefix("./") for line in shown.stdout.splitlines() if not line.startswith("d")}


class TestPackages:
    """What makes Debian's files Docker's packages."""

    def test_names_and_versions_are_in_dockers_scheme(self, made: Path) -> None:
        assert {path.name for path in made.iterdir()} == {
            "containerd.io_1.6.20-1~debian.12~bookworm_amd64.deb",
            "docker-buildx-plugin_20.10.24-1~debian.12~bookworm_amd64.deb",
            "docker-ce-cli_20.10.24-1~debian.12~bookworm_amd64.deb",
            "docker-ce_20.10.24-1~debian.12~bookworm_amd64.deb",
            "docker-compose-plugin_2.26.1-1~debian.12~bookworm_amd64.deb",
        }
        engine = made / "docker-ce_20.10.24-1~debian.12~bookworm_amd64.deb"
        assert _field(engine, "Version") == "5:20.10.24-1~debian.12~bookworm"

    def test_each_has_its_own_files(self, made: Path) -> None:
        files = {path.name.split("_")[0]: _files(path) for path in made.iterdir()}
        assert files["docker-ce"] == {"usr/sbin/dockerd", "lib/systemd/system/docker.service"}
        assert files["docker-ce-cli"] == {"usr/bin/docker"}
        assert files["containerd.io"] == {"usr/bin/containerd", "usr/sbin/runc"}
        assert files["docker-buildx-plugin"] == set()
        assert not [pair for pair in itertools.combinations(files.values(), 2) if pair[0] & pair[1]]

    def test_they_replace_debians_and_need_each_other(self, made: Path) -> None:
        (engine,), (containerd,) = made.glob("docker-ce_*"), made.glob("containerd.io_*")
        assert _field(engine, "Depends") == "containerd.io, docker-ce-cli, libc6 (>= 2.34), iptables, tini"
        assert _field(engine, "Conflicts") == "docker.io"
        assert _field(containerd, "Depends") == "libc6, libseccomp2"
        for relation in ("Provides", "Conflicts", "Replaces"):
            assert _field(containerd, relation) == "containerd, runc"

    def test_their_description_says_what_they_are_made_of(self, made: Path) -> None:
        (containerd,) = made.glob("containerd.io_*")
        assert re.search(r"made of containerd_1\.6\.20~ds1.* and runc_1\.1\.5", _field(containerd, "Description"))


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/linux/debian/dists/bookworm/Release", True),
        ("/linux/debian/dists/bookworm/pool/stable/amd64/a.deb", True),
        ("/linux/debian/gpg", True),
        ("/linux/debian/dists/bookworm", False),
        ("/linux/debian/dists/bookworm/none", False),
        ("/linux/debian/dists/bookworm/../secret", False),
        ("/linux/debian/dists/bookworm//Release", False),
        ("/linux/debian/dists/trixie/Release", False),
        ("/linux/ubuntu/dists/noble/Release", False),
        ("/dists/bookworm/Release", False),
    ],
)
def test_the_server_shows_the_repository_and_nothing_else(tmp_path: Path, path: str, found: bool) -> None:
    root = tmp_path / "repository"
    (root / "pool/stable/amd64").mkdir(parents=True)
    for name in ("Release", "pool/stable/amd64/a.deb", "../secret"):
        (root / name).write_text("content")
    mirror = Mirror(tmp_path / "mirror")
    mirror._repositories["bookworm"] = Repository("bookworm", root, "the key")
    assert (mirror.find(path) is not None) == found


def test_a_killed_build_of_the_repository_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def make(root: Path, _tree: Tree, _release: object) -> None:
        calls.append(root)
        (root / "gpg").write_text("the key")

    monkeypatch.setattr(repository, "_make", make)
    tree = Tree(tmp_path / "tree", tmp_path / "pool", tmp_path / "extras")
    (tmp_path / "docker.partial/work").mkdir(parents=True)
    (tmp_path / "docker.partial/half").touch()
    made = [repository.ensure_repository(tree, DEBIAN_12, lambda _line: None) for _attempt in range(2)]
    assert (len(calls), made[0]) == (1, made[1])
    assert made[0].key == "the key"
    assert sorted(path.name for path in made[0].root.iterdir()) == ["gpg"]


def test_the_pace_of_packages_is_also_that_of_the_mirror() -> None:
    assert slow_packages(0) == ""
    assert 'Acquire::https::Dl-Limit "5000";' in slow_packages(5)


@pytest.mark.guests
class TestInGuests:
    """A guest of its own, which trusts what its image trusts."""

    def test_every_client_of_the_image_trusts_it(self, guests: Guests) -> None:
        web = guests.start("trusting")
        assert "Origin: Docker" in guests.sh(web, f"curl -sSf {RELEASE}")
        script = f"import urllib.request; print(urllib.request.urlopen('{RELEASE}').status)"
        assert guests.sh(web, f'python3 -c "{script}"') == "200\n"
        guests.sh(web, "apt-get update --error-on=any")
        offered = guests.sh(web, "apt-cache policy docker-ce")
        assert re.search(r"Candidate: 5:20\.10\.\d+-1~debian\.12~bookworm", offered), offered
        assert guests.fails(web, "curl -sS https://download.docker.com/linux/debian/dists/none/Release -f")
        assert guests.fails(web, "getent hosts registry-1.docker.io")
        guests.sh(web, "update-ca-certificates --fresh >/dev/null")
        guests.sh(web, f"curl -sSf {RELEASE}")

    def test_security_rules_close_it_as_they_close_the_internet(self, guests: Guests) -> None:
        rules = (Rule(100, "Outbound", "Deny", "*", ("*",), ("Internet",)),)
        closed = guests.start("closed", rules=rules)
        assert guests.fails(closed, f"curl -sS -m 3 {RELEASE}")
        guests.sh(closed, "getent hosts download.docker.com")
