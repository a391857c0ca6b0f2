# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keeping the guests' tree: one build at a time, nothing half-made in use, nothing in use removed."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from azure_emulator.machines import build, packages, releases, tree

with_apt = pytest.mark.skipif(not Path(packages.APT_HELPER).exists(), reason="no apt")


@pytest.fixture
def builds(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Replaces what needs a mirror and minutes by making three empty folders; the list says where it was called."""
    calls: list[Path] = []

    def make(base: Path, progress: tree.Progress, _release: releases.Release) -> None:
        calls.append(base)
        time.sleep(0.2)
        for name in ("tree", "pool", "extras"):
            (base / name).mkdir()

    monkeypatch.setattr(tree, "_build", make)
    return calls


def test_build_is_made_once_and_found_again(tmp_path: Path, builds: list[Path]) -> None:
    assert tree.find_tree(tmp_path) is None
    made = tree.ensure_tree(tmp_path, lambda _line: None)
    assert made.root.is_dir()
    assert tree.ensure_tree(tmp_path, lambda _line: None) == made == tree.find_tree(tmp_path)
    assert len(builds) == 1


def test_two_at_once_build_once(tmp_path: Path, builds: list[Path]) -> None:
    said: list[str] = []
    threads = [threading.Thread(target=tree.ensure_tree, args=(tmp_path, said.append)) for _number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(builds) == 1
    assert [line for line in said if "another process is building" in line]


def test_killed_build_is_not_taken_and_made_again(tmp_path: Path, builds: list[Path]) -> None:
    half_made = tmp_path / "guest" / f"{tree.build_name()}.partial"
    (half_made / "tree/etc").mkdir(parents=True)
    assert tree.find_tree(tmp_path) is None
    tree.ensure_tree(tmp_path, lambda _line: None)
    assert len(builds) == 1
    assert not half_made.exists()


def test_failed_build_leaves_nothing_in_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_base: Path, _progress: tree.Progress, _release: releases.Release) -> None:
        raise packages.TreeError("cannot fetch http://mirror/x.deb: no route")

    monkeypatch.setattr(tree, "_build", fail)
    assert build.main(["--cache-dir", str(tmp_path)]) == 1
    assert "cannot fetch http://mirror/x.deb: no route" in capsys.readouterr().err
    assert tree.find_tree(tmp_path) is None


def test_build_of_a_former_recipe_goes_unless_a_server_uses_it(
    tmp_path: Path, builds: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    old = tree.ensure_tree(tmp_path, lambda _line: None)
    in_use = tree.use_tree(old)
    monkeypatch.setattr(tree, "TREE_PACKAGES", ("other",))
    tree.ensure_tree(tmp_path, lambda _line: None)
    assert old.root.exists()
    in_use.close()
    monkeypatch.setattr(tree, "TREE_PACKAGES", ("third",))
    tree.ensure_tree(tmp_path, lambda _line: None)
    assert not old.root.exists()
    assert len(builds) == 3


def test_each_release_has_a_build_of_its_own(tmp_path: Path, builds: list[Path]) -> None:
    made = [tree.ensure_tree(tmp_path, lambda _line: None, release) for release in releases.RELEASES]
    assert len({build.root for build in made}) == len(releases.RELEASES)
    assert all(build.root.exists() for build in made), "the second one must not remove the first"
    assert [tree.find_tree(tmp_path, release) for release in releases.RELEASES] == made


@pytest.mark.parametrize(
    ("image", "suite"),
    [
        ({"publisher": "Debian", "offer": "debian-12", "sku": "12-gen2"}, "bookworm"),
        ({"publisher": "debian", "offer": "Debian-13", "sku": "13-gen2"}, "trixie"),
        ({"publisher": "Canonical", "offer": "ubuntu-24_04-lts", "sku": "server"}, "bookworm"),
        ({}, "bookworm"),
    ],
)
def test_the_image_selects_the_release_and_the_disk_keeps_it(tmp_path: Path, image: dict[str, str], suite: str) -> None:
    assert releases.release_on(tmp_path, image).suite == suite
    for other in releases.RELEASES:
        assert releases.release_on(tmp_path, {"offer": other.offer}).suite == suite


@pytest.mark.skipif(not shutil.which("dpkg-deb"), reason="no dpkg-deb")
def test_package_is_the_same_after_unpacking(tmp_path: Path) -> None:
    content = tmp_path / "content"
    (content / "DEBIAN").mkdir(parents=True)
    (content / "DEBIAN/control").write_text(
        "Package: x\nVersion: 1\nArchitecture: all\nMaintainer: m\nDescription: d\n"
    )
    (content / "usr").mkdir()
    (content / "usr/file").write_bytes(bytes(range(256)) * 999)
    package = tmp_path / "x.deb"
    subprocess.run(["dpkg-deb", "-Zxz", "-b", content, package], check=True, capture_output=True)
    before = subprocess.run(["dpkg-deb", "--fsys-tarfile", package], check=True, capture_output=True).stdout
    size = package.stat().st_size
    packages.unpack(package)
    assert package.stat().st_size > size
    assert subprocess.run(["dpkg-deb", "--fsys-tarfile", package], check=True, capture_output=True).stdout == before
    assert subprocess.run(["dpkg-deb", "-f", package, "Version"], check=True, capture_output=True).stdout == b"1\n"
    packages.unpack(package)
    assert subprocess.run(["dpkg-deb", "--fsys-tarfile", package], check=True, capture_output=True).stdout == before


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A mirror on the loopback interface with one package, whose content is ``right``."""
    folder = tmp_path / "mirror"
    folder.mkdir()
    (folder / "x_1_all.deb").write_bytes(b"right")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    handler = partial(SimpleHTTPRequestHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def _package(mirror: str, content: bytes, name: str = "x") -> packages.Package:
    return packages.Package(name, f"{mirror}/{name}_1_all.deb", hashlib.sha256(content).hexdigest(), "")


@with_apt
def test_package_is_fetched(tmp_path: Path, mirror: str) -> None:
    packages.fetch([_package(mirror, b"right")], tmp_path / "pool")
    assert (tmp_path / "pool/x_1_all.deb").read_bytes() == b"right"


@with_apt
def test_what_differs_from_the_lists_is_refused(tmp_path: Path, mirror: str) -> None:
    with pytest.raises(packages.TreeError, match="Hash Sum mismatch"):
        packages.fetch([_package(mirror, b"something else")], tmp_path / "pool")
    assert list((tmp_path / "pool").glob("*.deb")) == []


@with_apt
def test_package_that_the_mirror_lacks_is_named(tmp_path: Path, mirror: str) -> None:
    with pytest.raises(packages.TreeError, match=r"Failed to fetch .*/gone_1_all\.deb"):
        packages.fetch([_package(mirror, b"right"), _package(mirror, b"right", "gone")], tmp_path / "pool")
