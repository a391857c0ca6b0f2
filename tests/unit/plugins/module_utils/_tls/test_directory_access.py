# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Owners and modes: what other users can change is refused, and nobody else reads a key."""

from __future__ import annotations

import os
import pathlib
import shutil
import stat
import tempfile
import typing as t

import pytest

from ansible_collections.dockerhost.azure.plugins.module_utils import _ownership
from ansible_collections.dockerhost.azure.plugins.module_utils._errors import DockerHostError
from ansible_collections.dockerhost.azure.plugins.module_utils._tls.filesystem import FileSystem

if t.TYPE_CHECKING:
    from .conftest import Certs

from .conftest import HOSTS, NOBODY, in_a_child

OTHER_GROUP = 12345


def test_modes_whatever_the_umask(certs: Certs) -> None:
    for umask in (0o000, 0o022, 0o077):
        before = os.umask(umask)
        try:
            certs.run(hosts=HOSTS, clients=["robot"])
        finally:
            os.umask(before)
        for path in [certs.directory, *certs.directory.rglob("*")]:
            mode = stat.S_IMODE(path.lstat().st_mode)
            if path.is_dir():
                assert mode == 0o700, path
            elif path.name.endswith("key.pem"):
                assert mode == 0o600, path
            else:
                assert mode in (0o600, 0o644), path
        shutil.rmtree(certs.directory)


class Watching(FileSystem):
    """Looks at every file the moment it is opened: that is before its first byte."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, int]] = []

    def create(self, path: str, mode: int) -> int:
        descriptor = super().create(path, mode)
        self.seen.append((path, stat.S_IMODE(os.fstat(descriptor).st_mode)))
        return descriptor

    def write(self, descriptor: int, data: bytes) -> int:
        if b"PRIVATE KEY" in data:
            assert stat.S_IMODE(os.fstat(descriptor).st_mode) == 0o600
        return super().write(descriptor, data)

    def make_directory(self, path: str) -> None:
        super().make_directory(path)
        assert stat.S_IMODE(os.lstat(path).st_mode) == 0o700


def test_modes_from_the_first_byte(certs: Certs) -> None:
    before = os.umask(0)
    try:
        files = Watching()
        certs.run(hosts=HOSTS, files=files)
        assert files.seen
        certs.run(hosts=HOSTS, files=Watching(), backup=True, regenerate="always", new_keys=True)
    finally:
        os.umask(before)


def test_everybody_may_write(certs: Certs) -> None:
    certs.directory.mkdir()
    certs.directory.chmod(0o777)
    with pytest.raises(DockerHostError, match=r"everybody can write there \(mode 0777\)"):
        certs.run()
    assert not list(certs.directory.iterdir())


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to make a directory of somebody else")
def test_somebody_elses_directory(certs: Certs) -> None:
    certs.directory.mkdir()
    os.chown(certs.directory, NOBODY, NOBODY)
    with pytest.raises(DockerHostError, match="belongs to user 65534 and this task runs as user 0"):
        certs.run(hosts=HOSTS)
    assert not list(certs.directory.iterdir())


@pytest.fixture
def everybodys_way(tmp_path: pathlib.Path) -> t.Iterator[pathlib.Path]:
    """A directory that every user can reach."""
    import tempfile

    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        path = pathlib.Path(name)
        path.chmod(0o755)
        yield path


def test_a_directory_that_cannot_be_written(certs: Certs, everybodys_way: pathlib.Path) -> None:
    certs.directory = everybodys_way / "certs"
    user = NOBODY if os.geteuid() == 0 else None
    certs.directory.mkdir(mode=0o755)
    if user:
        os.chown(certs.directory, user, user)
    os.chmod(certs.directory, 0o555)
    text = in_a_child(lambda: certs.run(hosts=HOSTS), user=user)
    assert text.startswith("refused")
    assert "permission denied" in text
    assert not list(certs.directory.iterdir())
    # A set that is there can still be looked at, and by whoever may read it.
    os.chmod(certs.directory, 0o755)
    assert in_a_child(lambda: certs.run(hosts=HOSTS)["changed"], user=user) == "ok True"
    os.chmod(certs.directory, 0o555)
    assert in_a_child(lambda: certs.run(hosts=HOSTS)["changed"], user=user) == "ok False"
    assert in_a_child(lambda: certs.run(hosts=HOSTS, check=True)["changed"], user=user) == "ok False"


def test_the_backup_of_a_key_is_nobody_elses_to_read(certs: Certs) -> None:
    certs.run(hosts=HOSTS)
    for path in ("key.pem", "servers/web1/key.pem"):
        certs.path(path).chmod(0o644)
    result = certs.run(hosts=HOSTS, new_keys=True, backup=True, regenerate="always")
    kept = [pathlib.Path(name) for path, name in result["backup_files"].items() if path.endswith("key.pem")]
    assert {path.name.partition(".2")[0] for path in kept} == {"key.pem"}
    assert {path.stat().st_mode & 0o777 for path in kept} == {0o600}


def test_a_directory_where_a_group_can_write(certs: Certs, monkeypatch: pytest.MonkeyPatch) -> None:
    certs.run(hosts=HOSTS)
    for relative in ("", "servers", "servers/web1", ".docker-tls-certs", ".docker-tls-certs/current"):
        directory = certs.path(relative)
        os.chown(directory, -1, OTHER_GROUP)
        directory.chmod(0o770)
        before = certs.tree()
        for check in (True, False):
            with pytest.raises(DockerHostError, match=rf"the group {OTHER_GROUP} can write there \(mode 0770\)"):
                certs.run(hosts=HOSTS, check=check)
        assert certs.tree() == before
        # A group that is the user's alone, as many distributions create it, is the user.
        with monkeypatch.context() as private:
            private.setattr(_ownership, "_is_private_group", lambda _status: True)
            certs.settled(hosts=HOSTS)
        directory.chmod(0o700)
    certs.settled(hosts=HOSTS)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to make files of somebody else")
@pytest.mark.parametrize("relative", ["journal.json", "state.json", "stage", "current", ""])
def test_bookkeeping_of_somebody_else_is_refused(certs: Certs, relative: str) -> None:
    certs.directory = everybodys_directory = pathlib.Path(tempfile.mkdtemp(dir="/tmp")) / "certs"
    try:
        everybodys_directory.parent.chmod(0o755)
        everybodys_directory.mkdir()
        os.chown(everybodys_directory, NOBODY, NOBODY)
        assert in_a_child(lambda: certs.run(hosts=HOSTS)["changed"], user=NOBODY) == "ok True"
        path = certs.path(f".docker-tls-certs/{relative}")
        if relative == "stage":
            path.mkdir()
        elif relative == "journal.json":
            path.write_text('{"version": 1, "puts": [], "removes": ["key.pem"]}')
        os.chown(path, NOBODY + 1, -1)
        text = in_a_child(lambda: certs.run(hosts=HOSTS)["changed"], user=NOBODY)
        assert text.startswith("refused")
        assert f"it belongs to user {NOBODY + 1}" in text
        assert certs.path("key.pem").exists()
    finally:
        shutil.rmtree(everybodys_directory.parent)
