# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The directory: what stops a run, many runs at once, modes from the first byte."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import pathlib
import resource
import shutil
import stat
import subprocess
import sys
import tempfile
import threading
import time
import typing as t

import pytest

from ansible_collections.dockerhost.azure.plugins.module_utils import _ownership
from ansible_collections.dockerhost.azure.plugins.module_utils._errors import DockerHostError
from ansible_collections.dockerhost.azure.plugins.module_utils._tls.directory import DirectoryStore
from ansible_collections.dockerhost.azure.plugins.module_utils._tls.filesystem import FileSystem
from ansible_collections.dockerhost.azure.plugins.module_utils._tls.store import Changes, StoredFile

from .conftest import Syncing

if t.TYPE_CHECKING:
    from .conftest import Certs

HOSTS = [{"name": "web1"}, {"name": "web2"}]
NOBODY = 65534
OTHER_GROUP = 12345


def in_a_child(work: t.Callable[[], t.Any], *, user: int | None = None) -> str:
    """Do something in a process of its own, perhaps as another user; what it returned or raised, as text."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        try:
            if user is not None:
                os.setgid(user)
                os.setuid(user)
            text = f"ok {work()}"
        except DockerHostError as error:
            text = f"refused {error!s}"
        except BaseException as error:  # noqa: BLE001 - handed to the parent
            text = f"broken {error!r}"
        os.write(writer, text.encode()[:4000])
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as stream:
        text = stream.read().decode()
    os.waitpid(child, 0)
    return text


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


def test_a_file_system_without_locks(certs: Certs) -> None:
    class NoLocks(FileSystem):
        def try_lock(self, descriptor: int, *, shared: bool) -> bool:
            raise OSError(errno.ENOLCK, "No locks available")

    with pytest.raises(DockerHostError, match="no locks available"):
        certs.run(files=NoLocks())
    certs.run()
    with pytest.raises(DockerHostError, match="cannot be read: no locks available"):
        certs.run(files=NoLocks(), check=True)


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


@pytest.mark.parametrize(
    ("link", "target_is_directory"),
    [
        ("ca.pem", False),
        ("key.pem", False),
        ("servers", True),
        ("servers/web1", True),
        ("servers/web1/key.pem", False),
        ("clients", True),
        (".docker-tls-certs", True),
        (".docker-tls-certs/state.json", False),
        (".docker-tls-certs/current", True),
    ],
)
def test_a_symbolic_link_is_never_followed(certs: Certs, link: str, target_is_directory: bool) -> None:
    certs.run(hosts=HOSTS, clients=["robot"])
    inside, outside = certs.path(link), certs.directory.with_name("outside")
    inside.rename(outside)
    inside.symlink_to(outside, target_is_directory=target_is_directory)
    certs.later(days=390)
    before = certs.tree(), snapshot(outside)
    for check in (True, False):
        with pytest.raises(DockerHostError, match="symbolic link"):
            certs.run(hosts=HOSTS, clients=["robot"], check=check)
    assert (certs.tree(), snapshot(outside)) == before


def snapshot(path: pathlib.Path) -> t.Any:
    if path.is_dir():
        return {str(entry): entry.read_bytes() for entry in path.rglob("*") if entry.is_file()}
    return path.read_bytes()


def test_a_link_to_nowhere(certs: Certs) -> None:
    certs.directory.symlink_to(certs.directory.with_name("nowhere"))
    with pytest.raises(DockerHostError, match="must be the path of a directory"):
        certs.run()


def test_things_of_other_kinds_in_the_way(certs: Certs) -> None:
    certs.directory.write_text("a file")
    with pytest.raises(DockerHostError, match="must be the path of a directory"):
        certs.run()
    certs.directory.unlink()
    (certs.directory / "cert.pem").mkdir(parents=True)
    with pytest.raises(DockerHostError, match=r"cert\.pem: it is not a regular file"):
        certs.run()
    (certs.directory / "cert.pem").rmdir()
    (certs.directory / "servers").write_text("a file")
    with pytest.raises(DockerHostError, match="servers: it is not a directory"):
        certs.run(hosts=HOSTS)
    (certs.directory / "servers").unlink()
    os.mkfifo(certs.directory / "key.pem")
    with pytest.raises(DockerHostError, match=r"key\.pem: it is not a regular file"):
        certs.run()


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


def test_a_journal_that_is_not_ours(certs: Certs) -> None:
    certs.run()
    for text in ("[]", "{", '{"version": 2, "puts": [], "removes": []}'):
        certs.path(".docker-tls-certs/journal.json").write_text(text)
        with pytest.raises(DockerHostError, match="journal"):
            certs.run()


@pytest.mark.parametrize("path", ["../outside", "/etc/outside", "servers/../../outside"])
def test_a_journal_never_leads_outside(certs: Certs, path: str) -> None:
    certs.run()
    journal = {"version": 1, "puts": [{"stage": "0", "path": path}], "removes": []}
    certs.path(".docker-tls-certs/journal.json").write_text(json.dumps(journal))
    with pytest.raises(DockerHostError, match="journal"):
        certs.run()


def test_what_an_interrupted_run_began_is_reported(certs: Certs) -> None:
    certs.run(hosts=HOSTS)
    stage = certs.path(".docker-tls-certs/stage")
    stage.mkdir()
    (stage / "0").write_bytes(certs.bytes("cert.pem"))
    certs.path("cert.pem").unlink()
    journal = {"version": 1, "puts": [{"stage": "0", "path": "cert.pem"}], "removes": []}
    certs.path(".docker-tls-certs/journal.json").write_text(json.dumps(journal))
    for check in (True, False):
        result = certs.run(hosts=HOSTS, check=check)
        assert (result["changed"], result["actions"]) == (True, ["finished the changes of an interrupted run"])
    certs.check_pairs()
    certs.settled(hosts=HOSTS)


def test_keys_of_a_run_that_never_committed_do_not_stay(certs: Certs) -> None:
    certs.run(hosts=HOSTS)
    stage = certs.path(".docker-tls-certs/stage")
    stage.mkdir()
    (stage / "0").write_bytes(certs.bytes("key.pem"))
    assert not certs.run(hosts=HOSTS)["changed"]
    assert not stage.exists()


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


@pytest.mark.parametrize("relative", ["lock", "journal.json", "state.json", "stage", "current/ca.pem"])
@pytest.mark.parametrize(
    "make", [os.mkfifo, lambda path: os.mknod(path, stat.S_IFSOCK | 0o600)], ids=["FIFO", "socket"]
)
def test_a_fifo_or_socket_ends_the_run_at_once(certs: Certs, relative: str, make: t.Callable[[str], None]) -> None:
    certs.run()
    path = certs.path(f".docker-tls-certs/{relative}")
    path.unlink(missing_ok=True)
    make(str(path))
    for check in (True, False):
        with pytest.raises(DockerHostError, match=r"it is not a (regular file|directory)"):
            certs.run(check=check)


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


@pytest.mark.parametrize(
    "path",
    [
        *("config.json", "contexts/meta/x/meta.json", "servers/web1/notes.txt", "servers/../key.pem", "home/.bashrc"),
        *("servers/./key.pem", "servers/a b/key.pem", ".docker-tls-certs/lock", "key.pem\0"),
        *(".docker-tls-certs/retired/../key.pem", f".docker-tls-certs/retired/{'g' * 64}/ca.pem"),
    ],
)
@pytest.mark.parametrize("kind", ["puts", "removes"])
def test_a_journal_names_only_files_that_a_commit_makes(certs: Certs, path: str, kind: str) -> None:
    certs.run()
    journal: dict[str, t.Any] = {"version": 1, "puts": [], "removes": []}
    journal[kind].append({"stage": "0", "path": path} if kind == "puts" else path)
    certs.path(".docker-tls-certs/journal.json").write_text(json.dumps(journal))
    for check in (True, False):
        with pytest.raises(DockerHostError, match="the journal was not written by this version"):
            certs.run(check=check)


@pytest.mark.parametrize("kind", ["puts", "removes"])
def test_a_journal_is_not_followed_through_a_link(certs: Certs, tmp_path: pathlib.Path, kind: str) -> None:
    certs.run(hosts=HOSTS)
    outside = tmp_path / "outside"
    outside.mkdir(mode=0o700)
    (outside / "key.pem").write_text("theirs")
    (certs.directory / "clients").mkdir(mode=0o700)
    certs.path("clients/robot").symlink_to(outside)
    journal: dict[str, t.Any] = {"version": 1, "puts": [], "removes": []}
    path = "clients/robot/key.pem"
    journal[kind].append({"stage": "0", "path": path} if kind == "puts" else path)
    stage = certs.path(".docker-tls-certs/stage")
    stage.mkdir(mode=0o700)
    (stage / "0").write_text("forged")
    certs.path(".docker-tls-certs/journal.json").write_text(json.dumps(journal))
    with pytest.raises(DockerHostError, match="symbolic link"):
        certs.run(hosts=HOSTS)
    assert (outside / "key.pem").read_text() == "theirs"


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


def test_a_directory_that_is_exchanged_during_a_run_keeps_what_was_written(certs: Certs) -> None:
    certs.run(hosts=HOSTS)
    victim, aside = certs.directory.with_name("victim"), certs.directory.with_name("aside")
    shutil.copytree(certs.directory, victim)
    before = snapshot(victim)
    store = DirectoryStore(str(certs.directory), FileSystem())
    changes = Changes(puts={"servers/web9/key.pem": StoredFile(b"key", 0o600)}, removes=["servers/web1/key.pem"])
    with store.writing() as session:
        certs.directory.rename(aside)
        certs.directory.symlink_to(victim)
        session.commit(changes)
    assert snapshot(victim) == before
    assert (aside / "servers/web9/key.pem").read_bytes() == b"key"
    assert not (aside / "servers/web1/key.pem").exists()


@pytest.mark.parametrize("call", ["create", "rename", "remove", "read", "names", "make_directory", "link"])
def test_a_link_that_is_planted_between_check_and_use_is_not_followed(certs: Certs, call: str) -> None:
    """The directory of a host is exchanged right before one of its files is used."""
    certs.run(hosts=HOSTS)
    victim, inside = certs.directory.with_name("victim"), certs.path("servers/web1")
    shutil.copytree(inside, victim)
    before, names = snapshot(victim), sorted(path.name for path in victim.iterdir())
    inside.rename(inside.with_name("aside"))
    inside.symlink_to(victim)
    files = FileSystem()
    file, other = str(inside / "key.pem"), str(certs.path("other"))
    with files.below(str(certs.directory)):
        try:
            {
                "create": lambda: files.create(f"{inside}/planted", 0o600),
                "rename": lambda: files.rename(file, other),
                "remove": lambda: files.remove(file),
                "read": lambda: files.read(file),
                "names": lambda: pytest.fail("a name was seen") if files.names(str(inside)) else None,
                "make_directory": lambda: files.make_directory(f"{inside}/planted"),
                "link": lambda: files.link(file, other),
            }[call]()
        except OSError:
            pass
        else:
            assert call == "names"
    assert snapshot(victim) == before
    assert sorted(path.name for path in victim.iterdir()) == names
    assert not certs.path("other").exists()


def test_nothing_is_left_open(certs: Certs) -> None:
    before = set(os.listdir("/proc/self/fd")) if sys.platform == "linux" else set()
    for _unused in range(3):
        certs.run(hosts=HOSTS, regenerate="always")
        certs.run(hosts=HOSTS, check=True)
    if sys.platform == "linux":
        assert set(os.listdir("/proc/self/fd")) == before
