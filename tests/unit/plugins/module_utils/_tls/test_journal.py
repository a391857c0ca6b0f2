# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A run that is killed at any of its file-system calls loses nothing, and the next run finishes.

Each case forks a process that does the real run and kills itself (SIGKILL) at its Nth call; a second round kills it in
the middle of a write. N goes up until a run gets through. At a call before which nothing has changed, a killed run
would leave what one left that was killed earlier; a run that writes such calls down comes first, and they are left out.
"""

from __future__ import annotations

import itertools
import os
import pathlib
import shutil
import signal
import tempfile
import typing as t

import pytest
from cryptography.hazmat.primitives import serialization

from ansible_collections.dockerhost.azure.plugins.module_utils._tls.filesystem import FileSystem

from .conftest import HOSTS, Syncing

if t.TYPE_CHECKING:
    from .conftest import Certs

CHANGING = (
    *("create", "write", "sync", "close", "rename", "link", "remove"),
    *("make_directory", "remove_directory", "open_lock", "try_lock"),
)
LOOKING = ("read", "status", "names", "is_current", "open_existing")
PASSPHRASE = "correct horse"


@pytest.fixture
def certs(certs: Certs) -> t.Iterator[Certs]:
    """In memory where that is possible: the same calls are made, and thousands of syncs cost nothing."""
    memory = "/dev/shm"
    place = memory if os.access(memory, os.W_OK) else str(certs.directory.parent)
    with tempfile.TemporaryDirectory(dir=place) as name:
        certs.directory = pathlib.Path(name) / "certs"
        yield certs


class Dying(FileSystem):
    """Ends the process before its Nth call, or in the middle of its Nth write."""

    def __init__(self, last: int, *, half: bool) -> None:
        self.last = last
        self.half = half
        self.calls = 0

    def __getattribute__(self, name: str) -> t.Any:
        if name == "write" and self.half:
            self.calls += 1
            if self.calls == self.last:
                return lambda descriptor, data: (os.write(descriptor, data[: len(data) // 2]), die())
        elif (name in CHANGING or name in LOOKING) and not self.half:
            self.calls += 1
            if self.calls == self.last:
                die()
        return super().__getattribute__(name)


class Noting(FileSystem):
    """Write down, one a line, each call before which the directory is as it was at none before, and the call after all.

    :param path: of the file; it must not be in the directory.
    """

    def __init__(self, certs: Certs, path: pathlib.Path) -> None:
        self.certs = certs
        self.path = path
        self.calls = 0
        self.seen: set[t.Any] = set()

    def note(self) -> None:
        self.calls += 1
        everything = frozenset(str(path) for path in self.certs.directory.rglob("*"))
        state = (everything, tuple(self.certs.tree().items()))
        if state not in self.seen:
            self.seen.add(state)
            with self.path.open("a") as file:
                file.write(f"{self.calls}\n")

    def end(self) -> None:
        """Write down a call that does not come."""
        with self.path.open("a") as file:
            file.write(f"{self.calls + 1}\n")

    def __getattribute__(self, name: str) -> t.Any:
        if name in CHANGING or name in LOOKING:
            self.note()
        return super().__getattribute__(name)


class Powered(Syncing):
    """Note what a loss of power would take away at the commit point, and when the journal goes.

    Only what was synced is safe: a file's content by the file, its name by its directory.
    """

    def __init__(self, certs: Certs) -> None:
        super().__init__()
        self.root = str(certs.directory)
        self.unsafe: set[str] = set()
        self.taken: list[set[str]] = []

    def create(self, path: str, mode: int) -> int:
        self.unsafe |= {path, os.path.dirname(path)}
        return super().create(path, mode)

    def note(self, path: str) -> None:
        self.unsafe.discard(path)

    def make_directory(self, path: str) -> None:
        super().make_directory(path)
        self.unsafe.add(os.path.dirname(path))

    def rename(self, source: str, target: str) -> None:
        if target.endswith("/journal.json"):
            self.taken.append({path for path in self.unsafe if "/stage" in path})
        super().rename(source, target)
        self.unsafe.add(os.path.dirname(target))

    def remove(self, path: str) -> None:
        if path.endswith("/journal.json"):
            private = os.path.dirname(path)
            below = {path for path in self.unsafe if path.startswith(self.root)}
            self.taken.append({path for path in below if not path.startswith(private)})
        super().remove(path)


@pytest.mark.parametrize("hosts", [1, 40], ids=["one", "many"])
def test_a_loss_of_power_takes_nothing_that_the_journal_relied_on(certs: Certs, hosts: int) -> None:
    names = [{"name": f"web{number}"} for number in range(hosts)]
    for options in ({"hosts": names[:1]}, {"hosts": names}, {"hosts": names, "new_keys": True, "backup": True}):
        powered = Powered(certs)
        certs.run(files=powered, **options)
        certs.later(days=380)
        assert powered.taken == [set(), set()] or (hosts == 1 and not powered.taken), options


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def run_and_die(certs: Certs, files: FileSystem, **options: t.Any) -> bool:
    """Do a run in a process of its own; return whether it ended by itself."""
    child = os.fork()
    if child == 0:
        try:
            certs.run(files=files, **options)
            if isinstance(files, Noting):
                files.end()
        except BaseException:  # noqa: BLE001 - the child must not go on with the test
            os._exit(3)
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return False
    assert os.WEXITSTATUS(status) == 0, "the run failed by itself"
    return True


def moments(certs: Certs, start: pathlib.Path, **options: t.Any) -> list[int]:
    """Return at which calls a killed run would leave something that it leaves at none before, then a call too many."""
    noted = certs.directory.with_name("noted")
    put_back(certs, start)
    files = Noting(certs, noted)
    assert run_and_die(certs, files, **options)
    return [int(line) for line in noted.read_text().split()]


def put_back(certs: Certs, start: pathlib.Path) -> None:
    """Make the directory what it was at the start."""
    if certs.directory.exists():
        shutil.rmtree(certs.directory)
    if start.exists():
        shutil.copytree(start, certs.directory)


def ca_keys(certs: Certs) -> set[bytes]:
    """The public keys of all CA keys that are kept anywhere in the directory."""
    found = set()
    for path in certs.directory.rglob("ca-key.pem*"):
        data = path.read_bytes()
        secret = PASSPHRASE.encode() if b"ENCRYPTED" in data else None
        key: t.Any = serialization.load_pem_private_key(data, secret)
        found.add(
            key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        )
    return found


def nothing(certs: Certs) -> None:
    """Begin with no directory at all."""


def a_set(certs: Certs) -> None:
    certs.run(hosts=HOSTS)


def an_old_set(certs: Certs) -> None:
    certs.run(hosts=HOSTS)
    certs.later(days=380)


def a_set_in_rotation(*steps: str) -> t.Callable[[Certs], None]:
    def begin(certs: Certs) -> None:
        certs.run(hosts=HOSTS)
        for step in steps:
            certs.run(hosts=HOSTS, rotate_ca=step, host_trust=reports(certs))

    return begin


def somebody_elses_set(certs: Certs) -> None:
    certs.run(hosts=HOSTS)
    shutil.rmtree(certs.directory / ".docker-tls-certs")
    certs.later(days=380)


def reports(certs: Certs) -> list[dict[str, t.Any]]:
    """What hosts report that have everything."""
    report = certs.run(check=True, hosts=HOSTS)
    return [
        {"name": name, "ca_fingerprints": report["trusted_cas"], "fingerprint": entry["fingerprint"]}
        for name, entry in report["servers"].items()
    ]


CASES: dict[str, tuple[t.Callable[[Certs], None], dict[str, t.Any]]] = {
    "first": (nothing, {}),
    "another host": (a_set, {"hosts": [*HOSTS, {"name": "web3"}]}),
    "renewal": (an_old_set, {}),
    "renewal with new keys and backup": (an_old_set, {"new_keys": True, "backup": True}),
    "encrypting": (a_set, {"ca_key_passphrase": PASSPHRASE}),
    "removing a host": (a_set, {"state": "absent", "hosts": HOSTS[:1]}),
    "adopting": (somebody_elses_set, {"adopt": True}),
    "rotation starts": (a_set, {"rotate_ca": "start"}),
    "rotation of servers": (a_set_in_rotation("start"), {"rotate_ca": "advance"}),
    "rotation of clients": (a_set_in_rotation("start", "advance"), {"rotate_ca": "advance"}),
    "rotation ends": (a_set_in_rotation("start", "advance", "advance"), {"rotate_ca": "advance"}),
    "rotation is cancelled": (a_set_in_rotation("start"), {"rotate_ca": "cancel"}),
}


SLOW = (
    *("another host", "renewal with new keys and backup", "encrypting", "adopting", "rotation of servers"),
    *("rotation of clients", "rotation ends", "rotation is cancelled"),
)


@pytest.mark.parametrize("half", [False, True], ids=["at a call", "in a write"])
@pytest.mark.parametrize("name", [pytest.param(name, marks=[pytest.mark.slow] * (name in SLOW)) for name in CASES])
def test_killed_at_every_call(certs: Certs, name: str, half: bool) -> None:
    prepare, given = CASES[name]
    prepare(certs)
    options = {"hosts": HOSTS, **given}
    if options.get("rotate_ca") == "advance":
        options["host_trust"] = reports(certs)
    start = certs.directory.with_name("start")
    if certs.directory.exists():
        certs.directory.rename(start)
    seen: set[t.Any] = set()
    for last in itertools.count(1) if half else moments(certs, start, **options):
        put_back(certs, start)
        done = run_and_die(certs, Dying(last, half=half), **options)
        state = shape(certs)
        if state not in seen:
            check_after_kill(certs, start, options)
            seen.add(state)
        if done:
            break
    assert done
    assert last > (2 if half else 40)


def shape(certs: Certs) -> t.Any:
    """What a killed run left, but for the random parts: a run that was killed while it only looked left nothing new."""
    files = sorted((path, len(data), mode) for path, (data, mode) in certs.tree().items())
    return tuple(files), tuple(sorted(str(path) for path in certs.directory.rglob("*")))


def check_after_kill(certs: Certs, start: t.Any, options: dict[str, t.Any]) -> None:
    """What holds at any moment, and what holds after the next run."""
    before = Keeper(certs.directory.with_name("start")) if start.exists() else None
    kept = ca_keys(certs)
    if before is not None:
        assert before.ca_keys <= kept, "a CA key is gone"
    phase = certs.run(check=True, hosts=HOSTS, ca_key_passphrase=options.get("ca_key_passphrase"), adopt=True)[
        "rotation"
    ]
    again = {key: value for key, value in options.items() if key not in ("rotate_ca", "host_trust")}
    certs.run(**again)
    certs.check_pairs()
    assert kept <= ca_keys(certs), "a CA key is gone"
    assert certs.run(check=True, hosts=HOSTS)["rotation"]["phase"] == phase["phase"]
    certs.settled(**again)
    leftovers = [path.name for path in (certs.directory / ".docker-tls-certs").glob("*")]
    assert not {"journal.json", "journal.new", "stage"} & set(leftovers)


class Keeper:
    """The CA keys of the set as it was before."""

    def __init__(self, directory: t.Any) -> None:
        self.directory = directory
        self.ca_keys = ca_keys(t.cast("Certs", self))


def test_a_killed_run_leaves_the_old_set_or_the_new_one(certs: Certs) -> None:
    """Before any next run: files are old, or new, or their new content stands in a journal."""
    certs.run(hosts=HOSTS)
    certs.later(days=380)
    start = certs.directory.with_name("start")
    certs.directory.rename(start)
    options = {"hosts": HOSTS, "new_keys": True}
    seen = set()
    for last in moments(certs, start, **options):
        put_back(certs, start)
        old = {path: value for path, value in certs.tree().items() if not path.startswith(".")}
        done = run_and_die(certs, Dying(last, half=False), **options)
        now = {path: value for path, value in certs.tree().items() if not path.startswith(".")}
        pending = certs.path(".docker-tls-certs/journal.json").exists()
        moved = {path for path in old if old[path] != now[path]}
        state = "pending" if pending else "old" if not moved else "new"
        if state == "new":
            certs.check_pairs()
            assert {"key.pem", "cert.pem", "servers/web1/key.pem", "servers/web1/cert.pem"} <= moved
        seen.add(state)
    assert done
    assert seen == {"old", "pending", "new"}
