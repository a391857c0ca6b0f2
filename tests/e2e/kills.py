# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The program for the VM, with a harness that ends it at an operation, or waits there until the disk is copied.

Operations are the commands that it runs and every change of a file: creating, renaming, removing, each directory and
each entry of a directory that is removed as a whole. Python's audit events report them, so none is forgotten.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import random
import signal
import subprocess
import time
import typing as t
from pathlib import Path

from ansible_collections.dockerhost.azure.plugins.plugin_utils._bundle import bundle
from azure_emulator.machines.guests import GuestMachine
from azure_emulator.machines.provisioning import Fast
from azure_emulator.machines.releases import Release
from azure_emulator.machines.tree import Tree

from .authority import Authority
from .disk_copies import DiskCopy
from .machines import Machines

# CUT is the number of the operation to be killed at, or "kind": the first one of a kind that /root/kinds does not have.
# A command is killed AFTER seconds after its start. With RESET, everything on the machine ends with it. With RECORD the
# program stops before each operation until it gets a line. Commands that only read do not count: killing one leaves
# what killing the next operation at its start leaves. Neither do the log, temporary files outside the program's own
# directories, and making or removing what is already there or gone.
CUT = """
_operations = [0]
_harness = [False]
_READING = ("systemctl is-active", "systemctl is-enabled", "systemctl show", "apt-cache madison", "apt-mark showhold",
            "apt-config dump", "cloud-init status", "dpkg --print-architecture", "dockerd --validate", "journalctl -u",
            "iptables -S")


def _kind(argv):
    words = [word for word in argv if not word.startswith("-")]
    return " ".join((words if len(words) > 1 and argv[0] not in ("journalctl", "iptables") else argv)[:2])


def _is_foreign(path):
    return not isinstance(path, str) or path.startswith(("/var/log", "/tmp", "/dev", "/root/kinds"))


def _change_of_file(event, args):
    path, exists = args[0], os.path.lexists(args[0]) if isinstance(args[0], (str, bytes)) else True
    if event in ("os.remove", "os.rmdir") and args[1] != -1:
        return "remove what is in a directory"
    if _is_foreign(path):
        return None
    if event == "os.rename":
        return args[1]
    if event in ("os.remove", "os.rmdir"):
        return "remove " + path if exists else None
    if event == "os.mkdir":
        return None if exists else "make " + path
    if event == "open":
        return "create " + path.partition("unfinished-")[0] if args[2] & os.O_CREAT and not exists else None
    return event + " " + path


def _is_due(kind):
    _operations[0] += 1
    cut = os.environ.get("CUT") or "0"
    if cut != "kind":
        return _operations[0] == int(cut)
    kind = kind.partition("/.docker-host-")[0] if kind.startswith("create ") else kind
    with open("/root/kinds", "a+") as file:
        file.seek(0)
        if kind in file.read().splitlines():
            return False
        file.write(kind + "\\n")
    return True


def _die(kind, argv, environment):
    child = argv and subprocess.Popen(
        argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT, cwd="/",
        env=environment, preexec_fn=os.setpgrp)
    if child:
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(timeout=float(os.environ.get("AFTER") or 0))
    print("killed: {} {}".format("running" if child and child.returncode is None else "at", kind), flush=True)
    if child:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, 9)
    if os.environ.get("RESET"):
        os.kill(-1, 9)
    os.kill(os.getpid(), 9)


def _reached(kind, argv=None, environment=None):
    _harness[0] = True
    try:
        if os.environ.get("RECORD"):
            _operations[0] += 1
            print("point: {} {}".format("command" if argv else "file", kind), flush=True)
            sys.stdin.readline()
        elif _is_due(kind):
            _die(kind, argv, environment)
    finally:
        _harness[0] = False


def _on_event(event, args):
    if event in _EVENTS and not _harness[0]:
        kind = _change_of_file(event, args)
        if kind:
            _reached(kind)


_EVENTS = ("os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.chmod", "os.chown", "os.link", "os.symlink",
           "os.truncate", "open")


def _counted(function):
    def counted(machine, argv, *words, **options):
        kind = _kind(argv)
        if kind in _READING:
            return function(machine, argv, *words, **options)
        _reached(kind, argv, machine.environment)
        try:
            return function(machine, argv, *words, **options)
        finally:
            if os.environ.get("RECORD"):
                print("ended: " + kind, flush=True)
    return counted


if os.environ.get("RECORD") or os.environ.get("CUT"):
    Machine.run = _counted(Machine.run)
    sys.addaudithook(_on_event)


if __name__ =="""
SEED = int(os.environ.get("KILLS_SEED") or 1)
MOMENTS = (0.1, 0.5, 1.0, 1.5, 2.0, 3.0, 5.0, 8.0, 12.0, 20.0, 40.0)
"""Seconds after which a command is killed, one after the other until it ends by itself."""
REPAIRED = ("the last run did not end well", "finish the interrupted")
LEFT = """
ls -A /var/lib/docker-host 2>/dev/null | grep -Evx 'lock|(state|settings|before|users|logins|opened)[.]json' || true
grep -s '"\\(certs-\\)\\?unfinished": true' /var/lib/docker-host/state.json || true
dpkg --audit
"""
UNFINISHED = "find /etc /var/lib/docker-host -name '.docker-host-unfinished-*' 2>/dev/null || true"
_ENTER = ("-m", "-u", "-i", "-n", "-p", "-C", "-r", "-w", "--")


@functools.cache
def program() -> str:
    """The setup program with the harness in it, as it was when a sweep began."""
    return bundle().replace("if __name__ ==", CUT.strip("\n"), 1)


def digest() -> str:
    """What tells one program from another."""
    return hashlib.sha256(program().encode()).hexdigest()[:12]


def documents(authority: Authority, *engine: dict[str, t.Any]) -> dict[str, dict[str, t.Any]]:
    """The documents of each step. :param engine: the settings of the engine, and those of the upgrade."""
    first, renewed = ({"certs": authority.server("web", ["IP:10.0.0.4"]).settings()} for _time in range(2))
    docker = {"engine": engine[0], "port": "4243", "daemon": {"log-driver": "json-file"}}
    changed = {"engine": engine[-1], "port": "4300", "daemon": {"log-opts": {"max-size": "10m"}}}
    return {
        "install": {"settings": {"docker": docker}, "protectedSettings": first},
        "change": {"settings": {"docker": changed}, "protectedSettings": first},
        "certificates": {"certs-only": True, "protectedSettings": renewed},
        "absent": {"state": "absent", "remove": ["engine", "data"]},
        "unconfigured": {"state": "absent"},
        "older": {"settings": {"docker": {**changed, "engine": engine[0]}}, "protectedSettings": first},
        "former": {"settings": {"docker": {**docker, "engine": engine[-1]}}, "protectedSettings": first},
    }


class Killed(t.NamedTuple):
    """How a run was killed: whether its command was running, and at which kind of operation."""

    was_running: bool
    kind: str


class Point(t.NamedTuple):
    """A moment of a run at which the disk was copied."""

    number: int
    after: float
    kind: str
    disk: DiskCopy


class _OnCopies(Fast):
    """Guests whose system disk goes on from a copy."""

    below: tuple[Path, ...] = ()

    async def lower(self, tree: Tree, release: Release) -> tuple[Path, ...]:
        return (*self.below, *await super().lower(tree, release))


class Victim:
    """A guest with the program on it.

    :param steps: the document of each step.
    """

    def __init__(
        self, machines: Machines, guest: GuestMachine, steps: dict[str, dict[str, t.Any]], *, mirror: str = ""
    ) -> None:
        self.machines = machines
        self.guest = guest
        self.steps = steps
        self.mirror = mirror
        self.below: DiskCopy | None = None
        self._on_copies = _OnCopies(machines.provider.state_dir)
        machines.provider.provisioning["fast"] = self._on_copies
        self.lay_out()

    def lay_out(self) -> None:
        """Put the program and the documents into the guest, and name the mirror's address: each sweep has its own."""
        self.sh("cat > /root/cut.py", stdin=program().encode())
        for name, document in self.steps.items():
            self.sh(f"cat > /root/{name}.json", stdin=json.dumps(document).encode())
        if self.mirror:
            hosts = f"grep -v mirror.example /etc/hosts > /run/hosts || true; echo {self.mirror} mirror.example"
            self.sh(f"({hosts}) >> /run/hosts; cat /run/hosts > /etc/hosts")

    def sh(self, script: str, *, stdin: bytes = b"") -> str:
        """Run a script in the guest."""
        return self.machines.sh(self.guest, script, stdin=stdin)

    def run(self, step: str) -> dict[str, t.Any]:
        """Run one step to its end, which must be good."""
        result = json.loads(self.sh(f"python3 /root/cut.py --settings /root/{step}.json || true").splitlines()[-1])
        assert result["ok"], result
        return t.cast("dict[str, t.Any]", result)

    def kill(self, step: str, cut: int | str, after: float) -> Killed | None:
        """Run one step and kill it; None if it ended before."""
        environment = f"CUT={cut} AFTER={after}"
        command = ["sh", "-c", f"{environment} python3 /root/cut.py --settings /root/{step}.json"]
        execution = self.guest.execute(command)
        _code, output, _errors = self.machines.loop.run_until_complete(execution)
        lines = output.decode(errors="replace").splitlines()
        killed = [line.split(" ", 2)[1:] for line in lines if line.startswith("killed: ")]
        return Killed(killed[0][0] == "running", killed[0][1]) if killed else None

    def finish(self, step: str) -> None:
        """Run one step to its end, which must be good and complete, and say what it repaired."""
        left = self.sh(LEFT)
        result = self.run(step)
        said = [line for line in [*result["changes"], *result.get("notes", ())] if line.startswith(REPAIRED)]
        assert said or not left, (left, result)
        assert len([note for note in result.get("notes", ()) if note.startswith(REPAIRED)]) < 2, result
        assert self.sh(UNFINISHED) == ""
        again = self.run(step)
        assert again["changes"] == [], (result, again)
        if step != "absent":
            verified = self.sh("python3 /root/cut.py --verify").splitlines()[-1]
            assert json.loads(verified)["differences"] == []
        else:
            remaining = "ls /etc/docker /var/lib/docker /var/lib/docker-host 2>/dev/null | grep -v ':$' || true"
            assert set(self.sh(remaining).split()) <= {"lock", "key.json"}  # dockerd writes key.json

    def kill_at_every_kind(self, step: str) -> list[str]:
        """Kill the step at each kind of operation once, each run going on from where the last was killed."""
        chance = random.Random(f"{SEED} {step}")
        kinds: list[str] = []
        self.sh("rm -f /root/kinds")
        while (killed := self.kill(step, "kind", chance.choice((0.05, 0.5, 2.0)))) is not None:
            kinds.append(killed.kind)
        self.finish(step)
        return kinds

    def boot(self, disk: DiskCopy, *, settled: bool = False) -> None:
        """Boot from a copy of a disk. :param settled: wait until everything that starts at boot has."""
        loop = self.machines.loop
        loop.run_until_complete(self.guest.power_off(skip_shutdown=True))
        disk.lay_under(self.guest.home)
        self.below, self._on_copies.below = disk, disk.layers
        loop.run_until_complete(self.guest.start())
        self.lay_out()
        if settled:
            self.sh("systemctl is-system-running --wait >/dev/null || true")

    def copy(self, folder: Path, previous: DiskCopy | None = None) -> DiskCopy:
        """Copy the disk as it is."""
        return DiskCopy.take(self.guest.home, folder, below=self.below, previous=previous)

    def shut_down(self) -> None:
        """Shut the guest down in order."""
        self.machines.loop.run_until_complete(self.guest.power_off())

    def record(self, step: str, folder: Path, until: str = "") -> t.Iterator[Point]:
        """Run one step and copy the disk before each operation, and at moments of commands: what a reset leaves."""
        assert self.guest._guest is not None
        leader = self.guest._guest.leader()
        inside = ["nsenter", "-t", str(leader), *_ENTER]
        command = [*inside, "sh", "-c", f"RECORD=yes exec python3 /root/cut.py --settings /root/{step}.json"]
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
        )
        recording = _Recording(self, process, inside, folder)
        try:
            yield from recording.points(until)
        finally:
            process.kill()
            process.wait()


class _Recording:
    """A run that waits before each operation."""

    def __init__(self, victim: Victim, process: subprocess.Popen[bytes], inside: list[str], folder: Path) -> None:
        self.victim = victim
        self.process = process
        self.inside = inside
        self.folder = folder
        self.copied: DiskCopy | None = None
        self.lines = Lines(process)

    def _copy(self, number: int, after: float, kind: str) -> Point:
        self.copied = self.victim.copy(self.folder / f"{number}-{after}", self.copied)
        return Point(number, after, kind, self.copied)

    def _frozen(self, number: int, after: float, kind: str) -> Point:
        """Copy the disk while nothing in the guest runs."""
        subprocess.run([*self.inside, "sh", "-c", "kill -STOP -1"], check=True)
        try:
            return self._copy(number, after, kind)
        finally:
            subprocess.run([*self.inside, "sh", "-c", "kill -CONT -1"], check=True)
            self.process.send_signal(signal.SIGCONT)  # nsenter stops with its child

    def points(self, until: str) -> t.Iterator[Point]:
        number = 0
        while (line := self.lines.next(None)) is not None and not line.startswith("{"):
            if not line.startswith("point: "):
                continue
            number += 1
            what, kind = line.split(" ", 2)[1:]
            yield self._frozen(number, 0.0, kind)
            if kind == until:
                return
            self._go_on()
            if what == "command":
                yield from self._moments(number, kind)

    def _go_on(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(b"\n")
        self.process.stdin.flush()

    def _moments(self, number: int, kind: str) -> t.Iterator[Point]:
        waited = 0.0
        for moment in MOMENTS:
            while waited < moment:
                begun = time.monotonic()
                line = self.lines.next(moment - waited)
                waited = moment if line == "" else waited + time.monotonic() - begun
                if line is None or line.startswith("ended: "):
                    return
            yield self._frozen(number, moment, kind)


class Lines:
    """The lines that a process prints, waited for with patience."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        self._handle = process.stdout.fileno()
        os.set_blocking(self._handle, False)
        self._rest = b""

    def next(self, patience: float | None) -> str | None:
        """The next line; an empty one after that many seconds without, None at the end."""
        limit = None if patience is None else time.monotonic() + patience
        while b"\n" not in self._rest:
            if limit is not None and time.monotonic() >= limit:
                return ""
            try:
                read = os.read(self._handle, 65536)
            except BlockingIOError:
                time.sleep(0.01)
                continue
            if not read:
                return None
            self._rest += read
        line, _end, self._rest = self._rest.partition(b"\n")
        return line.decode(errors="replace") or " "
