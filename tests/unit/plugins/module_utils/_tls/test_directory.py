# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The directory as a store: many runs at once, locks, backups, commits."""

from __future__ import annotations

import contextlib
import os
import pathlib
import shutil
import sys
import threading
import time
import typing as t

import pytest

from ansible_collections.dockerhost.azure.plugins.module_utils._errors import DockerHostError
from ansible_collections.dockerhost.azure.plugins.module_utils._tls.directory import DirectoryStore
from ansible_collections.dockerhost.azure.plugins.module_utils._tls.filesystem import FileSystem
from ansible_collections.dockerhost.azure.plugins.module_utils._tls.store import Changes, StoredFile

if t.TYPE_CHECKING:
    from .conftest import Certs

from .conftest import HOSTS


def test_twenty_processes_make_one_ca(certs: Certs) -> None:
    readers = []
    gate_reader, gate_writer = os.pipe()
    for number in range(20):
        reader, writer = os.pipe()
        if os.fork() == 0:
            os.close(gate_writer)
            os.read(gate_reader, 1)
            try:
                result = certs.run(hosts=[{"name": f"web{number}"}], clients=["robot"])
                os.write(writer, result["ca"]["fingerprint"].encode())
            except BaseException as error:  # noqa: BLE001 - handed to the parent
                os.write(writer, repr(error).encode()[:2000])
            os._exit(0)
        os.close(writer)
        readers.append(reader)
    os.close(gate_writer)
    answers = set()
    for reader in readers:
        with os.fdopen(reader, "rb") as stream:
            answers.add(stream.read().decode())
        os.wait()
    os.close(gate_reader)
    assert len(answers) == 1, answers
    assert answers == {certs.run()["ca"]["fingerprint"]}
    assert {f"servers/web{number}" for number in range(20)} <= set(certs.pairs())
    certs.check_pairs()


def test_readers_never_see_half_of_a_change(certs: Certs) -> None:
    """Reports that are made while another process changes the set say that all is well, each time."""
    certs.run(hosts=HOSTS)
    child = os.fork()
    if child == 0:
        try:
            for _unused in range(40):
                certs.run(hosts=HOSTS, regenerate="always", new_keys=True)
        except BaseException:  # noqa: BLE001
            os._exit(1)
        os._exit(0)
    reports = 0
    while os.waitpid(child, os.WNOHANG) == (0, 0):
        report = certs.run(check=True, hosts=HOSTS)
        assert report["actions"] == []
        reports += 1
    assert reports


def test_a_lock_that_is_held_too_long(certs: Certs) -> None:
    certs.run()
    held = DirectoryStore(str(certs.directory), FileSystem())
    waiting = DirectoryStore(str(certs.directory), FileSystem(), patience=0.2)
    with held.writing():
        for way in (waiting.reading, waiting.writing):
            with pytest.raises(DockerHostError, match="another run has held this directory"), way():
                pass


def test_waiting_is_told(certs: Certs, monkeypatch: pytest.MonkeyPatch) -> None:
    certs.run()
    told: list[str] = []
    ticks = iter(range(1000))
    monkeypatch.setattr("time.monotonic", lambda: float(next(ticks)))
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    held = DirectoryStore(str(certs.directory), FileSystem())
    waiting = DirectoryStore(str(certs.directory), FileSystem(), patience=10, progress=told.append)
    with held.writing(), pytest.raises(DockerHostError), waiting.writing():
        pass
    assert told == [f"{certs.directory}: waiting for another run that works on these certificates"]


def test_the_lock_of_a_removed_set_is_not_taken_for_its_successors(certs: Certs) -> None:
    """Whoever waited for the lock of a set that was removed meanwhile takes the new one."""
    certs.run()
    store = DirectoryStore(str(certs.directory), FileSystem())
    entered = threading.Event()
    with store.writing():
        for path in certs.directory.glob("*.pem"):
            path.unlink()
        for path in certs.path(".docker-tls-certs").rglob("*.*"):
            path.unlink()
        thread = threading.Thread(target=lambda: (certs.run(hosts=HOSTS), entered.set()))
        thread.start()
        time.sleep(0.2)
        shutil.rmtree(certs.path(".docker-tls-certs"))
    thread.join(30)
    assert entered.is_set()
    certs.check_pairs()


def test_backups(certs: Certs) -> None:
    certs.run(hosts=HOSTS)
    old = {path: certs.bytes(path) for path in ("key.pem", "cert.pem")}
    certs.later(days=390)
    result = certs.run(new_keys=True, backup=True)
    kept = {pathlib.Path(path).name: pathlib.Path(name) for path, name in result["backup_files"].items()}
    assert {name: kept[name].read_bytes() for name in old} == old
    assert kept["key.pem"].stat().st_mode & 0o777 == 0o600
    # At the same moment again: no backup takes another's place.
    certs.run(new_keys=True, backup=True, regenerate="always")
    assert {name: kept[name].read_bytes() for name in old} == old


def test_a_store_commits_all_or_says_so(certs: Certs) -> None:
    """The store by itself, without certificates."""
    store = DirectoryStore(str(certs.directory), FileSystem())
    with store.writing() as session:
        changes = Changes()
        changes.put_public("servers/web1/cert.pem", b"one")
        changes.put_private("servers/web1/key.pem", b"two")
        assert session.commit(changes) == {}
    with store.reading() as session:
        assert dict(session.files) == {
            "servers/web1/cert.pem": StoredFile(b"one", 0o644),
            "servers/web1/key.pem": StoredFile(b"two", 0o600),
        }
    with store.writing() as session:
        session.commit(Changes(removes=["servers/web1/cert.pem", "servers/web1/key.pem"], dissolve=True))
    assert not list(certs.directory.iterdir())


def open_files() -> set[str]:
    """The descriptors of this process with what they are open on, as ``21 /path`` (on Linux; elsewhere none)."""
    found: set[str] = set()
    for fd in os.listdir("/proc/self/fd") if sys.platform == "linux" else []:
        with contextlib.suppress(OSError):
            found.add(f"{fd} {os.readlink(f'/proc/self/fd/{fd}')}")
    return found


def test_nothing_is_left_open(certs: Certs) -> None:
    before = open_files()
    for _unused in range(3):
        certs.run(hosts=HOSTS, regenerate="always")
        certs.run(hosts=HOSTS, check=True)
    assert open_files() <= before
