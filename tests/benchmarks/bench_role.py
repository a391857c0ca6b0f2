# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The whole role run again without change: one host, and several in one play, over an empty playbook.

usage: python tests/benchmarks/bench_role.py COLLECTIONS_PATH [DOCUMENT]

The hosts are stand-ins on a local Azure: they answer over the TLS settings that were pushed to them. With DOCUMENT, the
table is written there, too.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import typing as t
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TOP / "tests" / "emulator")]

from azure_emulator.launcher import CLEARED, LocalAzure  # noqa: E402
from azure_emulator.machines.names import command_with_hosts  # noqa: E402

RUNS = 7
FLEET = (1, 5, 10, 20)
BEGIN, END = "<!-- measured role: begin -->", "<!-- measured role: end -->"
ROLE = [{"ansible.builtin.import_role": {"name": "dockerhost.azure.docker_host"}}]


class Cost(t.NamedTuple):
    """Medians: seconds by the clock and of the processors, and requests about resources."""

    wall: float
    cpu: float
    requests: float


class User:
    """Runs playbooks against one local Azure."""

    def __init__(self, azure: LocalAzure, work: Path, collections: str) -> None:
        self.azure, self.work = azure, work
        dropped = ("ANSIBLE_", "AZURE_", "DOCKER_", *CLEARED)
        self.environment = {key: value for key, value in os.environ.items() if not key.startswith(dropped)}
        self.environment.update(
            azure.environment,
            HOME=str(work),
            ANSIBLE_COLLECTIONS_PATH=collections,
            ANSIBLE_LOCALHOST_WARNING="false",
        )

    def run(self, tasks: list[t.Any], hosts: int) -> Cost:
        """One run of these tasks for that many hosts."""
        variables = {"docker_host_location": "westeurope", "docker_host_engine": {"source": "distribution"}}
        play = {"hosts": "all", "connection": "local", "gather_facts": False, "vars": variables, "tasks": tasks}
        playbook, output = self.work / "playbook.yml", self.work / "output"
        playbook.write_text(json.dumps([play]))
        names = "".join(f"bench{number}," for number in range(hosts))
        command = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", names, "-f", str(hosts)]
        self.azure.clear_requests()
        begun = time.monotonic()
        with output.open("wb") as stream:
            process = subprocess.Popen(
                command_with_hosts(Path(self.azure.hosts_file), [*command, str(playbook)]),
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
            )
            status, usage = os.wait4(process.pid, 0)[1:]
        process.returncode = os.waitstatus_to_exitcode(status)
        wall = time.monotonic() - begun
        if process.returncode:
            raise SystemExit(f"A playbook failed:\n{output.read_text()[-4000:]}")
        requests = [entry for entry in self.azure.requests() if "/subscriptions/" in entry["path"]]
        return Cost(wall, usage.ru_utime + usage.ru_stime, len(requests))

    def median(self, tasks: list[t.Any], hosts: int, runs: int = RUNS) -> Cost:
        """The medians of several runs."""
        costs = [self.run(tasks, hosts) for _time in range(runs)]
        return Cost(*(statistics.median(values) for values in zip(*costs, strict=True)))


def main() -> int:
    collections = os.path.abspath(sys.argv[1])
    lines = [
        "| hosts | wall time over an empty playbook | processor time in all | requests |",
        "| ---: | ---: | ---: | ---: |",
    ]
    with (
        tempfile.TemporaryDirectory() as name,
        LocalAzure(machines="stand-in", switches={"cores_quota": 1000}) as azure,
    ):
        user = User(azure, Path(name), collections)
        user.run(ROLE, max(FLEET))
        empty = user.median([], 1)
        for hosts in FLEET:
            cost = user.median(ROLE, hosts, RUNS if hosts == 1 else 3)
            lines.append(f"| {hosts} | {cost.wall - empty.wall:.2f} s | {cost.cpu:.2f} s | {cost.requests:.0f} |")
    lines.append(f"\nThe empty playbook itself: {empty.wall:.2f} s by the clock, {empty.cpu:.2f} s of processor time.")
    print("\n".join(lines))
    if len(sys.argv) > 2:
        document = Path(sys.argv[2])
        old = document.read_text()
        before, after = old[: old.index(BEGIN) + len(BEGIN)], old[old.index(END) :]
        document.write_text("\n\n".join((before, "\n".join(lines), after)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
