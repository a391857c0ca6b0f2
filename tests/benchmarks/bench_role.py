# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The whole role run again without change: one host, and several in one play, over an empty playbook.

usage: python tests/benchmarks/bench_role.py COLLECTIONS_PATH [DOCUMENT]

The hosts are stand-ins on a local Azure: they answer over the TLS settings that were pushed to them. With DOCUMENT, the
table is written there, too.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TOP), str(TOP / "tests" / "emulator")]

from azure_emulator.launcher import CLEARED, LocalAzure  # noqa: E402
from azure_emulator.machines.names import command_with_hosts  # noqa: E402
from tests.benchmarks import measured  # noqa: E402

RUNS = 7
FLEET = (1, 5, 10, 20)
ROLE: measured.Tasks = [{"ansible.builtin.import_role": {"name": "dockerhost.azure.docker_host"}}]
# As many tasks as the role's rerun has for a host.
NOTHING: measured.Tasks = [{"ansible.builtin.set_fact": {"nothing": number}} for number in range(3)]
VARIABLES = {"docker_host_location": "westeurope", "docker_host_engine": {"source": "distribution"}}


class User:
    """Runs playbooks against one local Azure."""

    def __init__(self, azure: LocalAzure, work: Path, collections: str) -> None:
        self.azure, self.work = azure, work
        self.environment = {
            **measured.environment(*CLEARED),
            **azure.environment,
            "HOME": str(work),
            "ANSIBLE_COLLECTIONS_PATH": collections,
            "ANSIBLE_LOCALHOST_WARNING": "false",
        }

    def run(self, tasks: measured.Tasks, hosts: int) -> measured.Cost:
        """One run of these tasks for that many hosts, with the requests about resources."""
        playbook = measured.playbook(self.work / "playbook.yml", tasks, vars=VARIABLES)
        names = "".join(f"bench{number}," for number in range(hosts))
        command = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", names, "-f", str(hosts), playbook]
        self.azure.clear_requests()
        command = command_with_hosts(Path(self.azure.hosts_file), command)
        cost = measured.run(command, self.environment, self.work / "output")
        requests = [entry for entry in self.azure.requests() if "/subscriptions/" in entry["path"]]
        return measured.Cost(cost.wall, cost.cpu, cost.memory, len(requests))

    def median(self, tasks: measured.Tasks, hosts: int, runs: int = RUNS) -> measured.Cost:
        """The medians of several runs."""
        return measured.median([self.run(tasks, hosts) for _time in range(runs)])


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
        nothing = user.median(NOTHING, max(FLEET), 3)
        costs = {hosts: user.median(ROLE, hosts, RUNS if hosts == 1 else 3) for hosts in FLEET}
    for hosts, cost in costs.items():
        lines.append(f"| {hosts} | {cost.wall - empty.wall:.2f} s | {cost.cpu:.2f} s | {cost.requests:.0f} |")
    lines.append(f"\nThe empty playbook itself: {empty.wall:.2f} s by the clock, {empty.cpu:.2f} s of processor time.")
    lines.append(
        f"{len(NOTHING)} tasks that set a number, for {max(FLEET)} hosts: {nothing.cpu:.2f} s of processor time."
    )
    rows = (
        ("one host, wall seconds over an empty playbook", costs[1].wall - empty.wall, "at most", 1.5),
        ("20 hosts, processor seconds in all", costs[20].cpu, "at most", 8.0),
    )
    text = "\n".join([*lines, "", *measured.judged(rows)])
    print(text)
    if len(sys.argv) > 2:
        measured.write(Path(sys.argv[2]), "measured role", text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
