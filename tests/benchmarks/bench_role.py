# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The whole role, creating hosts and run again without change, beside as many tasks that do nothing, in one run.

usage: python tests/benchmarks/bench_role.py COLLECTIONS_PATH [DOCUMENT]

The hosts are stand-ins on a local Azure: they answer over the TLS settings that were pushed to them. With DOCUMENT, the
table is written there, too.
"""

from __future__ import annotations

import os
import sys
import tempfile
import typing as t
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TOP), str(TOP / "tests" / "emulator")]

from azure_emulator.launcher import CLEARED, LocalAzure  # noqa: E402
from azure_emulator.machines.names import command_with_hosts  # noqa: E402
from tests.benchmarks import measured  # noqa: E402

RUNS = 3
FLEET = (1, 10, 20, 80)
ROLE: measured.Tasks = [
    {"ansible.builtin.import_role": {"name": "dockerhost.azure.docker_host", "rolespec_validate": False}}
]
# As many tasks as the role has for a host.
TASKS = 7
# Ten hosts and eighty are served by equally many workers, so that nothing but the number of hosts differs.
FORKS = 10
NOTHING: measured.Tasks = [{"ansible.builtin.set_fact": {"nothing": number}} for number in range(TASKS)]
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

    def run(self, tasks: measured.Tasks, hosts: int, group: str = "bench") -> measured.Cost:
        """One run of these tasks for that many hosts, with the requests about resources."""
        variables = {
            **VARIABLES,
            "docker_host_resource_group": group,
            "docker_host_cert_dir": str(self.work / group),
            "docker_host_docker_config": str(self.work / group),
        }
        playbook = measured.playbook(self.work / "playbook.yml", tasks, vars=variables)
        names = "".join(f"{group}{number}," for number in range(hosts))
        command = [
            str(Path(sys.executable).with_name("ansible-playbook")),
            "-i",
            names,
            "-f",
            str(min(hosts, FORKS)),
            playbook,
        ]
        self.azure.clear_requests()
        command = command_with_hosts(Path(self.azure.hosts_file), command)
        cost = measured.run(command, self.environment, self.work / "output")
        requests = [entry for entry in self.azure.requests() if "/subscriptions/" in entry["path"]]
        return measured.Cost(cost.wall, cost.cpu, cost.memory, len(requests))

    def measure(self, hosts: int) -> Row:
        """Create hosts in a group of their own, and run again; the fewer hosts, the more often."""
        times = RUNS if hosts <= 1 else 2 if hosts <= 10 else 1
        groups = [f"b{hosts}x{number}" for number in range(times)]
        created = measured.median([self.run(ROLE, hosts, group) for group in groups])
        again = measured.median([self.run(ROLE, hosts, groups[0]) for _time in range(times)])
        nothing = measured.median([self.run(NOTHING, hosts, groups[0]) for _time in range(times)])
        return Row(hosts, created, again, nothing)


class Row(t.NamedTuple):
    """What a number of hosts cost."""

    hosts: int
    created: measured.Cost
    again: measured.Cost
    nothing: measured.Cost

    def line(self) -> str:
        """The row of the table."""
        return (
            f"| {self.hosts} | {self.created.cpu:.1f} s | {self.created.cpu / self.nothing.cpu:.1f} |"
            f" {self.again.cpu:.1f} s | {self.again.cpu / self.nothing.cpu:.1f} |"
            f" {self.created.requests / self.hosts:.1f} | {self.again.requests / self.hosts:.1f} |"
        )


def per_host(rows: t.Mapping[int, Row], kind: str, many: int, few: int) -> float:
    """Return the CPU time per host of many hosts over that of few, without what a run costs in any case."""
    empty = rows[1].nothing.cpu
    times = {hosts: (getattr(rows[hosts], kind).cpu - empty) / hosts for hosts in (many, few)}
    return times[many] / times[few]


def main() -> int:
    collections = os.path.abspath(sys.argv[1])
    lines = [
        f"| hosts | create: CPU | ratio to {TASKS} empty tasks | second run: CPU | ratio to {TASKS} empty tasks"
        " | requests per host, create | requests per host, second run |",
        "| ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    with (
        tempfile.TemporaryDirectory() as name,
        LocalAzure(machines="stand-in", switches={"cores_quota": 10000}) as azure,
    ):
        user = User(azure, Path(name), collections)
        user.run(ROLE, 1, "warm")
        rows = {hosts: user.measure(hosts) for hosts in FLEET}
    lines += [row.line() for row in rows.values()]
    judged = (
        ("CPU time per host, 80 hosts against 10, create", per_host(rows, "created", 80, 10), "at most", 1.1),
        ("CPU time per host, 80 hosts against 10, second run", per_host(rows, "again", 80, 10), "at most", 1.1),
    )
    text = "\n".join([*lines, "", *measured.judged(judged)])
    print(text)
    if len(sys.argv) > 2:
        measured.write(Path(sys.argv[2]), "measured role", text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
