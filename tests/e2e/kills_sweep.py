# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every kill of every run, with a ledger of those that passed: a sweep that was interrupted goes on where it was.

What a reset leaves is on the disk, and nowhere else. So a run goes to its end once, is stopped before each operation
and at moments of its commands while its disk is copied, and a guest boots from each copy. Where two copies are the
same, one guest boots for both. A kill of the program alone leaves what runs, too, so that each needs a run of its own;
it begins with a guest that boots from a copy of what the run before left.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import tempfile
import time
import typing as t
from dataclasses import dataclass
from pathlib import Path

import pytest

from azure_emulator.machines import tree

from .authority import Authority
from .disk_copies import DiskCopy
from .docker_repository import DockerRepository, missing_programs
from .kills import MOMENTS, Point, Victim, digest, documents
from .paths import BUILD, CACHE

KEPT = BUILD / "kills"
_DISKS = KEPT / "disks"
_WEEK = 7 * 86400
_IN_MEMORY, _ROOM, _WORKPLACE = Path("/dev/shm"), 6 << 30, "dockerhost-kills-"
#: Which run each disk comes from: the step, and the disk that it began with.
_ORIGINS = {
    "install": ("install", ""),
    "absent": ("absent", "install"),
    "unconfigured": ("unconfigured", "install"),
    "older": ("older", "install"),
    "former": ("former", "install"),
}


class Case(t.NamedTuple):
    """A step that is killed, on the disk that another left, until an operation; by reset or the program alone."""

    before: str
    step: str
    until: str
    reset: bool

    def __str__(self) -> str:
        return f"{self.before}-{self.step}-{'reset' if self.reset else 'killed'}"


#: What is configured once the packages are there needs no new packages each time.
_RUNS = (
    ("install", "certificates", ""),
    ("install", "absent", ""),
    ("unconfigured", "install", ""),
    ("former", "change", ""),
    ("older", "change", ""),
    ("absent", "install", "/var/lib/docker-host/state.json"),
)
CASES = [Case(*run, reset) for reset in (True, False) for run in _RUNS]


class Ledger:
    """What passed, for the present program: a line for each kill, below the build directory.

    The variable KILLS_LATER names a ledger, also one of an earlier program: what passed there is left to a later sweep.
    """

    def __init__(self) -> None:
        KEPT.mkdir(parents=True, exist_ok=True)
        self._path = KEPT / "ledger"
        self._program = digest()
        self._passed = {place: line for place, line in _good(self._path) if line["program"] == self._program}
        later = os.environ.get("KILLS_LATER")
        self._later = dict(_good(Path(later))) if later else {}

    def passed(self, case: Case, number: int, after: float) -> dict[str, t.Any] | None:
        """The line of a kill that passed."""
        return self._passed.get((str(case), number, after))

    def settled(self, case: Case, number: int, after: float) -> dict[str, t.Any] | None:
        """The line of a kill that passed, or is left to a later sweep."""
        return self.passed(case, number, after) or self._later.get((str(case), number, after))

    def leaves_out(self, case: Case) -> bool:
        """Whether kills of a case are left to a later sweep."""
        return any(name == str(case) for name, _number, _after in self._later)

    def note(self, case: Case, number: int, after: float, result: str, **more: t.Any) -> None:
        """Write a line; print it as well."""
        entry = {"program": self._program, "case": str(case), "number": number, "after": after, "result": result}
        entry.update(more, time=time.strftime("%H:%M:%S"))
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")
        print(json.dumps(entry), flush=True)
        if result == "passed":
            self._passed[str(case), number, after] = entry


def _good(path: Path) -> t.Iterator[tuple[tuple[str, int, float], dict[str, t.Any]]]:
    """The lines of kills that passed in a ledger, with the place of each."""
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        entry = json.loads(line)
        if entry["result"] == "passed":
            yield (entry["case"], entry["number"], entry["after"]), entry


@dataclass
class Sweep:
    """A guest that is killed, and the disks from which its runs begin.

    :param folder: where the copies of disks are.
    """

    victim: Victim
    folder: Path
    ledger: Ledger

    def disk(self, name: str) -> DiskCopy:
        """The disk that a run to its end leaves; each program's are kept below the build directory."""
        step, before = _ORIGINS[name]
        below = self.disk(before) if before else None
        folder = _DISKS / digest() / name
        with _locked(KEPT / f"disk-{name}.lock"):
            if not folder.exists():
                if below:
                    self.victim.boot(below, settled=True)
                self.victim.run(step)
                self.victim.shut_down()
                partial = folder.with_name(f"{name}.partial")
                shutil.rmtree(partial, ignore_errors=True)
                self.victim.copy(partial)
                partial.rename(folder)
        return DiskCopy.kept(folder, below)

    def run(self, case: Case) -> tuple[int, list[str]]:
        """Kill at every operation; how many there were, and where the next run did not finish the work."""
        done = self.ledger.settled(case, 0, 0.0)
        if done:
            return int(done["count"]), []
        count, failures = self._resets(case) if case.reset else self._kills(case)
        if not failures and not self.ledger.leaves_out(case):
            self.ledger.note(case, 0, 0.0, "passed", count=count)
        return count, failures

    def _resets(self, case: Case) -> tuple[int, list[str]]:
        self.victim.boot(self.disk(case.before), settled=True)
        copies = self.folder / "copies"
        points = list(self.victim.record(case.step, copies, case.until))
        print(case, "has", len(points), "points", flush=True)
        failures: list[str] = []
        same: dict[str, Point] = {}
        for point in points:
            if self.ledger.passed(case, point.number, point.after):
                same.setdefault(point.disk.content, point)
        for point in points:
            if not self.ledger.settled(case, point.number, point.after):
                self._reset(case, point, same, failures)
        shutil.rmtree(copies)
        return len(points), failures

    def _reset(self, case: Case, point: Point, same: dict[str, Point], failures: list[str]) -> None:
        earlier = same.get(point.disk.content)
        if earlier:
            as_at = [earlier.number, earlier.after]
            self.ledger.note(case, point.number, point.after, "passed", kind=point.kind, as_at=as_at)
            return
        with self._judged(case, point.number, point.after, failures, kind=point.kind):
            self.victim.boot(point.disk)
            self.victim.finish(case.step)
            same[point.disk.content] = point

    def _kills(self, case: Case) -> tuple[int, list[str]]:
        disk, number, count = self.disk(case.before), 0, 0
        failures: list[str] = []
        entry: dict[str, t.Any] = {"kind": None}
        while "kind" in entry and entry["kind"] != case.until:
            number += 1
            for after in MOMENTS:
                entry = self.ledger.settled(case, number, after) or self._kill(case, disk, number, after, failures)
                count += "kind" in entry
                if not entry.get("running"):
                    break
        return count, failures

    def _kill(self, case: Case, disk: DiskCopy, number: int, after: float, failures: list[str]) -> dict[str, t.Any]:
        self.victim.boot(disk, settled=True)
        killed = self.victim.kill(case.step, number, after)
        entry = {"kind": killed.kind, "running": killed.was_running} if killed else {}
        with self._judged(case, number, after, failures, **entry):
            self.victim.finish(case.step)
        return entry

    @contextlib.contextmanager
    def _judged(self, case: Case, number: int, after: float, failures: list[str], **entry: t.Any) -> t.Iterator[None]:
        begun = time.monotonic()
        try:
            yield
        except Exception as error:  # noqa: BLE001  whatever it is, the sweep goes on, and tells at its end
            failures.append(f"{case} {number} {after} {entry}: {error}")
            self.ledger.note(case, number, after, "failed", why=str(error)[:3000], **entry)
        else:
            self.ledger.note(case, number, after, "passed", seconds=round(time.monotonic() - begun, 1), **entry)


@dataclass(frozen=True)
class Mirror:
    """A mirror of Docker's packages, with the documents that name it."""

    root: Path
    steps: dict[str, dict[str, t.Any]]


def kept_mirror() -> Mirror:
    """The mirror and the documents. They are kept as long as their certificates are valid: the disks contain them."""
    if reason := missing_programs():
        pytest.skip(reason)
    folder = KEPT / "mirror"
    for disks in _DISKS.glob("*"):
        if disks.name != digest():
            shutil.rmtree(disks)
    noted = folder / "steps.json"
    with _locked(KEPT / "mirror.lock"):
        if not noted.exists() or time.time() - noted.stat().st_mtime > _WEEK:
            shutil.rmtree(folder, ignore_errors=True)
            shutil.rmtree(_DISKS, ignore_errors=True)
            _make_mirror(folder, noted)
    return Mirror(folder / "mirror", json.loads(noted.read_text(encoding="utf-8")))


def _make_mirror(folder: Path, noted: Path) -> None:
    build = tree.find_tree(CACHE)
    assert build is not None
    folder.mkdir(parents=True)
    packages = [*(path for path in build.pool.rglob("pool") if path.is_dir()), build.extras]
    repository = DockerRepository(folder / "mirror", packages)
    repository.build()
    (folder / "authority").mkdir()
    source = {"source": "docker", "mirror": "http://mirror.example:8000", "key": repository.key, "hold": True}
    steps = documents(Authority(folder / "authority"), {**source, "version": "27"}, {**source, "version": "28"})
    noted.write_text(json.dumps(steps), encoding="utf-8")


@contextlib.contextmanager
def workplace() -> t.Iterator[Path]:
    """A folder for the guests' disks: in memory, where packages are unpacked faster, if there is room."""
    _remove_left()
    room = _IN_MEMORY.is_dir() and os.access(_IN_MEMORY, os.W_OK) and shutil.disk_usage(_IN_MEMORY).free > _ROOM
    prefix = f"{_WORKPLACE}{os.getpid()}-"
    with tempfile.TemporaryDirectory(prefix=prefix, dir=_IN_MEMORY if room else KEPT) as folder:
        yield Path(folder)


def _remove_left() -> None:
    """Remove what sweeps that were killed have left: in memory it would stay until the machine restarts."""
    for folder in (*_IN_MEMORY.glob(f"{_WORKPLACE}*"), *KEPT.glob(f"{_WORKPLACE}*")):
        owner = folder.name.removeprefix(_WORKPLACE).partition("-")[0]
        if not Path("/proc", owner).exists():
            shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _locked(path: Path) -> t.Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
