# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A disk that is full, read-only or broken: one clear error, and nothing is lost."""

from __future__ import annotations

import contextlib
import errno
import os
import pathlib
import resource
import shutil
import subprocess
import typing as t

import pytest

from ansible_collections.dockerhost.azure.plugins.module_utils._errors import DockerHostError
from ansible_collections.dockerhost.azure.plugins.module_utils._tls.filesystem import FileSystem

from .conftest import Syncing

if t.TYPE_CHECKING:
    from .conftest import Certs

from .conftest import HOSTS, in_a_child


def test_a_file_system_without_locks(certs: Certs) -> None:
    class NoLocks(FileSystem):
        def try_lock(self, descriptor: int, *, shared: bool) -> bool:
            raise OSError(errno.ENOLCK, "No locks available")

    with pytest.raises(DockerHostError, match="no locks available"):
        certs.run(files=NoLocks())
    certs.run()
    with pytest.raises(DockerHostError, match="cannot be read: no locks available"):
        certs.run(files=NoLocks(), check=True)


@contextlib.contextmanager
def tmpfs(path: pathlib.Path, size: str) -> t.Iterator[None]:
    """A small file system, where this process may make one."""
    path.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size},mode=0700", "tmpfs", str(path)], capture_output=True, check=False
    )
    if done.returncode:
        pytest.skip(f"no small file system can be mounted here: {done.stderr.decode().strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(path)], check=True)


@pytest.mark.parametrize("pages", [1, 3, 6, 9, 12])
def test_a_full_disk(certs: Certs, pages: int) -> None:
    """A set with new keys for twenty more hosts does not fit; nothing of it may stay, and nothing may be lost."""
    with tmpfs(certs.directory, f"{4096 * 40}"):
        certs.run(hosts=HOSTS)
        filler = certs.path("filler")
        fill(filler, pages)
        before = certs.tree()
        names = sorted(str(path) for path in certs.directory.rglob("*"))
        with pytest.raises(DockerHostError, match="nothing was changed: there is no space left on the device"):
            certs.run(hosts=[{"name": f"more{number}"} for number in range(20)])
        assert certs.tree() == before
        assert sorted(str(path) for path in certs.directory.rglob("*")) == names
        filler.unlink()
        certs.run(hosts=[{"name": "more1"}])
        certs.check_pairs()


def fill(path: pathlib.Path, pages_left: int) -> None:
    """Use up the space of a file system but for some pages."""
    descriptor = os.open(path, os.O_CREAT | os.O_WRONLY)
    with contextlib.suppress(OSError):
        while True:
            os.write(descriptor, b"x" * 4096)
    os.close(descriptor)
    os.truncate(path, path.stat().st_size - 4096 * pages_left)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to mount")
def test_a_read_only_file_system(certs: Certs) -> None:
    with tmpfs(certs.directory, "1m"):
        certs.run(hosts=HOSTS)
        subprocess.run(["mount", "-o", "remount,ro", str(certs.directory)], check=True)
        certs.settled(hosts=HOSTS)
        before = certs.tree()
        with pytest.raises(DockerHostError, match="the file system is read-only"):
            certs.run(hosts=[{"name": "web3"}])
        assert certs.tree() == before


@pytest.mark.parametrize("limit", [0, 10, 100, 300])
def test_files_may_not_grow(certs: Certs, limit: int) -> None:
    """The same without root: a limit on the size of files."""
    certs.run(hosts=HOSTS)
    before = certs.tree()

    def limited() -> t.Any:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        return certs.run(hosts=[{"name": "web3"}])

    text = in_a_child(limited)
    assert text.startswith("refused")
    assert "nothing was changed" in text
    assert certs.tree() == before
    certs.run(hosts=[{"name": "web3"}])
    certs.check_pairs()


class Failing(FileSystem):
    """Fails at its Nth changing call, as a disk does."""

    def __init__(self, last: int) -> None:
        self.last = last
        self.calls = 0

    def __getattribute__(self, name: str) -> t.Any:
        if name in ("create", "write", "sync", "rename", "link", "remove", "make_directory", "remove_directory"):
            self.calls += 1
            if self.calls == self.last:
                raise OSError(errno.EIO, "Input/output error")
        return super().__getattribute__(name)


def test_an_error_at_any_call_is_one_clear_error(certs: Certs) -> None:
    """Before the commit point nothing is changed; after it, the next run finishes."""
    certs.run(hosts=HOSTS)
    start = certs.directory.with_name("start")
    shutil.copytree(certs.directory, start)
    last = 0
    outcome = ""
    outcomes = set()
    while True:
        last += 1
        shutil.rmtree(certs.directory)
        shutil.copytree(start, certs.directory)
        before = certs.tree()
        try:
            certs.run(hosts=HOSTS, regenerate="always", new_keys=True, backup=True, files=Failing(last))
            break
        except DockerHostError as error:
            outcome = str(error).split(": ")[1]
        if outcome == "nothing was changed":
            assert certs.tree() == before
        outcomes.add(outcome)
        certs.run(hosts=HOSTS)
        certs.check_pairs()
        certs.settled(hosts=HOSTS)
    assert {"nothing was changed", "the change was begun; run the task again to finish it"} <= outcomes


def test_a_file_system_without_hard_links(certs: Certs) -> None:
    class NoLinks(FileSystem):
        def link(self, source: str, target: str) -> None:
            raise OSError(errno.EPERM, "Operation not permitted")

    certs.run()
    old = certs.bytes("key.pem")
    result = certs.run(new_keys=True, backup=True, regenerate="always", files=NoLinks())
    kept = pathlib.Path(result["backup_files"][str(certs.path("key.pem"))])
    assert kept.read_bytes() == old
    assert kept.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("number", [1, 40])
def test_every_file_is_synced_before_the_commit_point(certs: Certs, number: int) -> None:
    class Watching(Syncing):
        def __init__(self) -> None:
            super().__init__()
            self.synced: list[str] = []
            self.before = 0

        def note(self, path: str) -> None:
            self.synced.append(path)

        def rename(self, source: str, target: str) -> None:
            if target.endswith("journal.json"):
                stage = certs.path(".docker-tls-certs/stage")
                assert {*map(str, stage.iterdir()), str(stage), source} == set(self.synced)
                assert self.synced[-1] == source
                self.before = len(self.synced)
            super().rename(source, target)

    files = Watching()
    certs.run(hosts=[{"name": f"web{index}"} for index in range(number)], files=files)
    assert len(files.synced) > 3 * number
    assert files.synced[files.before] == str(certs.path(".docker-tls-certs"))
