# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the benchmarks share: what a command costs, medians, and the part of a document that a benchmark writes."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import time
import typing as t
from dataclasses import dataclass, field, fields, replace
from pathlib import Path

Tasks = list[dict[str, t.Any]]
CLEAN = ("ANSIBLE_", "AZURE_", "DOCKER_", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE")


@dataclass(frozen=True)
class Cost:
    """A run: seconds by the clock and of the processors, the largest process in MiB, and the requests sent."""

    wall: float
    cpu: float
    memory: float = 0.0
    requests: float = 0.0
    log: list[dict[str, t.Any]] = field(default_factory=list)

    def over(self, other: Cost) -> Cost:
        """The seconds that it took more than another."""
        return replace(self, wall=self.wall - other.wall, cpu=self.cpu - other.cpu)


def environment(*dropped: str) -> dict[str, str]:
    """The environment without what would steer Ansible, Azure's SDK or the docker CLI.

    :param dropped: what further names begin with.
    """
    return {key: value for key, value in os.environ.items() if not key.startswith((*CLEAN, *dropped))}


def run(command: t.Sequence[str], variables: dict[str, str], output: Path) -> Cost:
    """Run a command to its end; its children count, too. A failure ends the benchmark."""
    begun = time.monotonic()
    with output.open("wb") as stream:
        process = subprocess.Popen(
            command, env=variables, stdin=subprocess.DEVNULL, stdout=stream, stderr=subprocess.STDOUT
        )
        status, usage = os.wait4(process.pid, 0)[1:]
    wall = time.monotonic() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{Path(command[0]).name} failed:\n{output.read_text()[-4000:]}")
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def playbook(path: Path, tasks: Tasks, **play: t.Any) -> str:
    """Write a playbook of one play on all hosts, run on the controller; its path."""
    path.write_text(
        json.dumps([{"hosts": "all", "connection": "local", "gather_facts": False, "tasks": tasks, **play}])
    )
    return str(path)


def median(costs: t.Sequence[Cost]) -> Cost:
    """The median of each figure."""
    figures = [entry.name for entry in fields(Cost) if entry.name != "log"]
    return Cost(**{name: statistics.median(getattr(cost, name) for cost in costs) for name in figures})


def judged(rows: t.Sequence[tuple[str, float, str, float]]) -> list[str]:
    """A table of what is expected.

    :param rows: label, what was measured, ``at least`` or ``at most``, and the limit.
    """
    lines = ["| expected | measured | |", "| --- | ---: | --- |"]
    for label, value, relation, limit in rows:
        kept = value >= limit if relation == "at least" else value <= limit
        lines.append(f"| {label}: {relation} {limit:g} | {value:.3g} | {'met' if kept else '**not met**'} |")
    return lines


def write(document: Path, name: str, text: str) -> None:
    """Put the text between a document's marks ``<!-- NAME: begin -->`` and ``<!-- NAME: end -->``."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    old = document.read_text()
    before, after = old[: old.index(begin) + len(begin)], old[old.index(end) :]
    document.write_text(f"{before}\n\n{text}\n\n{after}")
