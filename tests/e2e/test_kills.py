# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The program for the VM, killed in a real guest together with what it runs: the next run finishes the work.

A run is killed before each of its file operations, and in the middle of each of its commands, by count. The brief test
goes through the counts in strides and lets each run go on from where the last one was killed. The slow one kills each
run once, at every count, and has the next one finish; after each it gives the machine back.
"""

from __future__ import annotations

import itertools
import json
import os
import random
import typing as t

import pytest

from ansible_collections.dockerhost.azure.plugins.plugin_utils._bundle import bundle
from azure_emulator.machines.guests import GuestMachine

from .authority import Authority
from .test_setup_program import DISTRIBUTION, Machines

pytestmark = pytest.mark.guests

# Counts what the program does; before that many file operations, or within that command, all its processes end.
CUT = """
_left = [int(os.environ.get("CUT") or 0)]


def _counted(function, within):
    def counted(machine, argument, *words, **options):
        _left[0] -= 1
        if _left[0] == 0:
            print("killed: {}".format(argument if isinstance(argument, str) else " ".join(argument)), flush=True)
            if within:
                child = subprocess.Popen(argument, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, cwd="/",
                                         stderr=subprocess.STDOUT, env=machine.environment, preexec_fn=os.setpgrp)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    child.wait(timeout=float(os.environ.get("AFTER") or 0))
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(child.pid, 9)
            os.kill(os.getpid(), 9)
        return function(machine, argument, *words, **options)
    return counted


Machine.run, Machine.write = _counted(Machine.run, True), _counted(Machine.write, False)


if __name__ =="""
SEED = int(os.environ.get("KILLS_SEED") or 1)


class Victim:
    """A guest with the program on it."""

    def __init__(self, machines: Machines, guest: GuestMachine, certs: dict[str, str]) -> None:
        self.machines = machines
        self.guest = guest
        docker = {"engine": DISTRIBUTION, "port": "4243", "daemon": {"log-driver": "json-file"}}
        changed = {**docker, "port": "4300", "daemon": {"log-opts": {"max-size": "10m"}}}
        protected = {"certs": certs}
        self.steps: dict[str, dict[str, t.Any]] = {
            "install": {"settings": {"docker": docker}, "protectedSettings": protected},
            "change": {"settings": {"docker": changed}, "protectedSettings": protected},
            "certificates": {"certs-only": True, "protectedSettings": protected},
            "absent": {"state": "absent", "remove": ["engine", "data"]},
        }
        self.certs = protected
        program = bundle().replace("if __name__ ==", CUT.strip("\n"), 1)
        machines.sh(guest, "cat > /root/cut.py", stdin=program.encode())
        for name, document in self.steps.items():
            machines.sh(guest, f"cat > /root/{name}.json", stdin=json.dumps(document).encode())

    def run(self, step: str, cut: int = 0, after: float = 0.0) -> dict[str, t.Any] | None:
        """Run one step; its result, or None if it was killed."""
        command = f"CUT={cut} AFTER={after} python3 /root/cut.py --settings /root/{step}.json || true"
        lines = self.machines.sh(self.guest, command).splitlines()
        return None if any(line.startswith("killed: ") for line in lines) else json.loads(lines[-1])

    def finish(self, step: str) -> dict[str, t.Any]:
        """Run one step to its end, which must be good and complete."""
        result = self.run(step)
        assert result
        assert result["ok"], result
        again = self.run(step)
        assert again
        assert again["changes"] == [], again
        if step != "absent":
            verified = self.machines.sh(self.guest, "python3 /root/cut.py --verify").splitlines()[-1]
            assert json.loads(verified)["differences"] == []
        else:
            left = "ls /etc/docker /var/lib/docker /var/lib/docker-host 2>/dev/null | grep -v ':$' || true"
            assert set(self.machines.sh(self.guest, left).split()) <= {"lock", "key.json"}  # dockerd writes key.json
        return result


@pytest.fixture(scope="module")
def victim(guests: None, tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Victim]:
    """A fresh guest."""
    machines = Machines(tmp_path_factory.mktemp("kills"))
    certs = Authority(tmp_path_factory.mktemp("authority")).server("web", ["IP:10.0.0.4"]).settings()
    yield Victim(machines, machines.start("web", 4), certs)
    machines.close()


@pytest.mark.parametrize("step", ["install", "change", "certificates", "absent"])
def test_runs_that_are_killed_one_after_the_other(victim: Victim, step: str) -> None:
    chance = random.Random(f"{SEED} {step}")
    for number in itertools.count(1):
        cut = 6 * number - chance.randrange(6)
        if victim.run(step, cut, chance.choice((0.05, 0.5, 2.0))) is not None:
            break
    victim.finish(step)


@pytest.mark.slow
@pytest.mark.skipif(not os.environ.get("KILLS_AFTER"), reason="takes an hour: make soak-kills")
def test_a_run_that_is_killed_anywhere(victim: Victim) -> None:
    """Every count; a command is killed KILLS_AFTER seconds after its start."""
    after = float(os.environ["KILLS_AFTER"])
    for step in victim.steps:
        for cut in itertools.count(1):
            for before in list(victim.steps)[: list(victim.steps).index(step)]:
                result = victim.run(before)
                assert result
                assert result["ok"], (step, cut, before, result)
            killed = victim.run(step, cut, after) is None
            victim.finish(step)
            victim.run("absent")
            if not killed:
                break
