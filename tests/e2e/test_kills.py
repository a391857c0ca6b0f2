# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The program for the VM, killed in a real guest together with what it runs: the next run finishes the work.

A run is killed before its file operations, and in the middle of its commands. The brief tests kill run after run, each
at a kind of operation that none before was killed at, and let each go on from where the last one ended. The exhaustive
ones kill at every operation, by count, and have the next run finish; a command that takes time is killed at several
moments. Each is done twice: once only the program and its command end, once the machine is reset.
"""

from __future__ import annotations

import itertools
import json
import os
import random
import typing as t

import pytest

from ansible_collections.dockerhost.azure.plugins.plugin_utils._bundle import bundle
from azure_emulator.machines import tree
from azure_emulator.machines.guests import GuestMachine

from .authority import Authority
from .docker_repository import DockerRepository, missing_programs
from .machines import DISTRIBUTION, Machines
from .paths import CACHE

pytestmark = pytest.mark.guests

# CUT is the number of the operation to be killed at, or "kind": the first one of a kind that /root/kinds does not have.
# A command is killed AFTER seconds after its start. With RESET, everything on the machine ends with it. Commands that
# only read do not count: killing one leaves what killing the next operation at its start leaves.
CUT = """
_operations = [0]
_READING = ("systemctl is-active", "systemctl is-enabled", "systemctl show", "apt-cache madison", "apt-mark showhold",
            "apt-config dump", "cloud-init status", "dpkg --print-architecture", "dockerd --validate", "journalctl -u")


def _kind(argument):
    if isinstance(argument, str):
        return argument
    words = [word for word in argument if not word.startswith("-")]
    return " ".join((words if len(words) > 1 and argument[0] != "journalctl" else argument)[:2])


def _is_due(argument):
    if _kind(argument) in _READING:
        return False
    _operations[0] += 1
    cut = os.environ.get("CUT") or "0"
    if cut != "kind":
        return _operations[0] == int(cut)
    with open("/root/kinds", "a+") as file:
        file.seek(0)
        if _kind(argument) in file.read().splitlines():
            return False
        file.write(_kind(argument) + "\\n")
    return True


def _counted(function, within):
    def counted(machine, argument, *words, **options):
        if _is_due(argument):
            child = within and subprocess.Popen(
                argument, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT, cwd="/",
                env=machine.environment, preexec_fn=os.setpgrp)
            if child:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    child.wait(timeout=float(os.environ.get("AFTER") or 0))
            print("killed: {} {}".format("running" if child and child.returncode is None else "at", _kind(argument)),
                  flush=True)
            if child:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(child.pid, 9)
            if os.environ.get("RESET"):
                os.kill(-1, 9)
            os.kill(os.getpid(), 9)
        return function(machine, argument, *words, **options)
    return counted


Machine.run, Machine.write = _counted(Machine.run, True), _counted(Machine.write, False)


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


class Killed(t.NamedTuple):
    """How a run was killed: whether its command was running, and at which kind of operation."""

    was_running: bool
    kind: str


class Victim:
    """A guest with the program on it.

    :param engine: the settings of the engine, and those of the upgrade.
    """

    def __init__(
        self, machines: Machines, guest: GuestMachine, authority: Authority, *engine: dict[str, t.Any]
    ) -> None:
        self.machines = machines
        self.guest = guest
        first, renewed = ({"certs": authority.server("web", ["IP:10.0.0.4"]).settings()} for _time in range(2))
        docker = {"engine": engine[0], "port": "4243", "daemon": {"log-driver": "json-file"}}
        changed = {"engine": engine[-1], "port": "4300", "daemon": {"log-opts": {"max-size": "10m"}}}
        self.steps: dict[str, dict[str, t.Any]] = {
            "install": {"settings": {"docker": docker}, "protectedSettings": first},
            "change": {"settings": {"docker": changed}, "protectedSettings": first},
            "certificates": {"certs-only": True, "protectedSettings": renewed},
            "absent": {"state": "absent", "remove": ["engine", "data"]},
            "unconfigured": {"state": "absent"},
            "older": {"settings": {"docker": {**changed, "engine": engine[0]}}, "protectedSettings": first},
            "former": {"settings": {"docker": {**docker, "engine": engine[-1]}}, "protectedSettings": first},
        }
        program = bundle().replace("if __name__ ==", CUT.strip("\n"), 1)
        self.sh("cat > /root/cut.py", stdin=program.encode())
        for name, document in self.steps.items():
            self.sh(f"cat > /root/{name}.json", stdin=json.dumps(document).encode())

    def sh(self, script: str, *, stdin: bytes = b"") -> str:
        """Run a script in the guest."""
        return self.machines.sh(self.guest, script, stdin=stdin)

    def run(self, step: str) -> dict[str, t.Any]:
        """Run one step to its end, which must be good."""
        result = json.loads(self.sh(f"python3 /root/cut.py --settings /root/{step}.json || true").splitlines()[-1])
        assert result["ok"], result
        return t.cast("dict[str, t.Any]", result)

    def kill(self, step: str, cut: int | str, after: float, *, reset: bool = False) -> Killed | None:
        """Run one step and kill it; None if it ended before."""
        environment = f"CUT={cut} AFTER={after}" + (" RESET=yes" if reset else "")
        command = ["sh", "-c", f"{environment} python3 /root/cut.py --settings /root/{step}.json"]
        execution = self.guest.execute(command)  # which ends with the machine's other programs
        _code, output, _errors = self.machines.loop.run_until_complete(execution)
        lines = output.decode(errors="replace").splitlines()
        killed = [line.split(" ", 2)[1:] for line in lines if line.startswith("killed: ")]
        if killed and reset:
            self.machines.loop.run_until_complete(self.guest.power_off(skip_shutdown=True))
            self.machines.loop.run_until_complete(self.guest.start())
        return Killed(killed[0][0] == "running", killed[0][1]) if killed else None

    def finish(self, step: str) -> None:
        """Run one step to its end, which must be good and complete, and say what it repaired."""
        left = self.sh(LEFT)
        result = self.run(step)
        said = [line for line in [*result["changes"], *result.get("notes", ())] if line.startswith(REPAIRED)]
        assert said or not left, (left, result)
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


@pytest.fixture(scope="module")
def victim(guests: None, tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Victim]:
    """A fresh guest, for the distribution's engine."""
    machines = Machines(tmp_path_factory.mktemp("kills"))
    authority = Authority(tmp_path_factory.mktemp("authority"))
    yield Victim(machines, machines.start("web", 4), authority, DISTRIBUTION)
    machines.close()


@pytest.fixture(scope="module")
def upgraded(guests: None, tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Victim]:
    """A fresh guest, for an engine of Docker's that is upgraded."""
    if reason := missing_programs():
        pytest.skip(reason)
    build = tree.find_tree(CACHE)
    assert build is not None
    packages = [*(path for path in build.pool.rglob("pool") if path.is_dir()), build.extras]
    repository = DockerRepository(tmp_path_factory.mktemp("mirror") / "mirror", packages)
    repository.build()
    machines = Machines(tmp_path_factory.mktemp("kills"))
    source = {"source": "docker", "mirror": machines.serve(repository.root), "key": repository.key, "hold": True}
    authority = Authority(tmp_path_factory.mktemp("authority"))
    engines = ({**source, "version": "27"}, {**source, "version": "28"})
    yield Victim(machines, machines.start("web", 4), authority, *engines)
    machines.close()


@pytest.mark.parametrize(
    ("step", "operation"),
    [
        ("install", "apt-get install"),
        ("change", "systemctl restart"),
        ("certificates", "/etc/docker/key.pem"),
        ("absent", "apt-get purge"),
    ],
)
def test_runs_that_are_killed_one_after_the_other(victim: Victim, step: str, operation: str) -> None:
    assert operation in victim.kill_at_every_kind(step)


@pytest.mark.slow
def test_an_upgrade_that_is_killed_at_every_kind_of_operation(upgraded: Victim) -> None:
    upgraded.run("install")
    assert "apt-get install" in upgraded.kill_at_every_kind("change")
    upgraded.run("absent")


@pytest.mark.slow
@pytest.mark.skipif(not os.environ.get("KILLS"), reason="takes half an hour: make soak-kills")
@pytest.mark.parametrize(
    ("before", "step", "until"),
    [
        # What is configured once the packages are there needs no new packages each time.
        ("absent", "install", "/var/lib/docker-host/state.json"),
        ("unconfigured", "install", ""),
        ("older", "change", ""),
        ("former", "change", ""),
        ("install", "certificates", ""),
        ("install", "absent", ""),
    ],
)
@pytest.mark.parametrize("reset", [False, True], ids=["killed", "reset"])
def test_a_run_that_is_killed_anywhere(upgraded: Victim, before: str, step: str, until: str, reset: bool) -> None:
    """Every operation of each step, by count; the run before it gives the machine its state."""
    upgraded.run("absent" if before == "absent" else "install")
    for cut in itertools.count(1):
        for after in MOMENTS:
            upgraded.run(before)
            killed = upgraded.kill(step, cut, after, reset=reset)
            print(step, cut, after, killed, flush=True)
            upgraded.finish(step)
            if killed is None or not killed.was_running:
                break
        if killed is None or killed.kind == until:
            break
    assert cut > 5
