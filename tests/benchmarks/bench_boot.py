# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From the command to a Docker engine that answers, with and without two changes that shorten the wait, in one run.

usage: python tests/benchmarks/bench_boot.py COLLECTIONS_PATH [DOCUMENT]

The changes: nobody waits for the end of operations whose result Azure shows already (the push of the settings, the last
write of tags), and the engine is installed at the first boot. For each
seed, four playbooks create the same host at the same time, each in a local Azure of its own with a real guest, which
Debian's cloud-init provisions: before, with either change, and with both. With DOCUMENT, tables and bars are written
there, too.
"""

from __future__ import annotations

import contextlib
import datetime
import itertools
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import typing as t
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TOP), str(TOP / "tests" / "emulator")]

from azure_emulator.launcher import CLEARED, LocalAzure  # noqa: E402
from azure_emulator.machines.names import command_with_hosts  # noqa: E402
from tests.benchmarks import measured  # noqa: E402

SEEDS = (1, 2, 3, 4, 5)
PACKAGE_RATE = 12
"""Megabytes a second: about 100 Mbit/s."""
NAME = "web1"
SIDES: t.Mapping[str, tuple[bool, bool]] = {
    "before": (False, False),
    "waits": (True, False),
    "boot": (False, True),
    "both": (True, True),
}
"""By side, whether each change is in effect: that of the waits, and the installation at boot."""
PHASES = ("network", "VM", "Docker settings", "tags, and the first answer")
WITH_WAITS: t.Mapping[str, tuple[str, str]] = {
    "virtual_machine.py": (
        'self.session.arm.patch(self.id, {"tags": tags}, headers=headers, operation=work.operation)',
        "self.session.begin(work, self.session.compute.virtual_machines.begin_update, self.resource_group, self.name,"
        ' {"tags": tags}, headers=headers).wait()',
    ),
    "handlers.py": (
        'self._do(work, "PUT", body, result.is_over, enough=result.is_good)',
        'self._do(work, "PUT", body, watch_resource(self._find))',
    ),
}
"""By file of the extension's backend: a line of it, and what was there before nobody waited for Azure any more."""
WIDTH = 60
"""Characters of the longest bar."""


@dataclass(frozen=True)
class Waited:
    """One run.

    :param phases: seconds of each of :data:`PHASES`.
    :param idle: seconds between the end of the installation at boot and the push; below 0 if the push waited for it.
    """

    phases: tuple[float, ...]
    idle: float | None = None

    @property
    def seconds(self) -> float:
        """From the command to its end, when the engine has answered."""
        return sum(self.phases)


def with_waits(collections: Path, target: Path) -> Path:
    """Return a copy of the installed collection that waits for the end of each operation, as it did before.

    :raises SystemExit: a line that must be replaced is another one now.
    """
    shutil.copytree(collections, target)
    for name, (line, before) in WITH_WAITS.items():
        source = target / "ansible_collections/dockerhost/azure/plugins/module_utils/_extension" / name
        text = source.read_text(encoding="utf-8")
        if text.count(line) != 1:
            raise SystemExit(f"{name} must contain once: {line}")
        source.write_text(text.replace(line, before), encoding="utf-8")
    return target


@dataclass(frozen=True)
class Side:
    """One way to create the host.

    :param at_boot: whether the engine is installed at the first boot.
    """

    name: str
    collections: Path
    at_boot: bool

    def begin(self, azure: LocalAzure, work: Path) -> Run:
        """Start the playbook."""
        work.mkdir()
        variables = {
            "docker_host_name": NAME,
            "docker_host_resource_group": "bench",
            "docker_host_location": "westeurope",
            "docker_host_engine": {"source": "distribution", "at_boot": self.at_boot},
        }
        command = [str(Path(sys.executable).with_name("ansible-playbook")), "dockerhost.azure.create_docker_host"]
        environment = {
            **measured.environment(*CLEARED),
            **azure.environment,
            "HOME": str(work),
            "ANSIBLE_HOME": str(work / ".ansible"),
            "ANSIBLE_COLLECTIONS_PATH": str(self.collections),
            "ANSIBLE_LOCALHOST_WARNING": "false",
        }
        with (work / "output").open("wb") as output:
            process = subprocess.Popen(
                command_with_hosts(Path(azure.hosts_file), [*command, "-e", json.dumps(variables)]),
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        return Run(self, azure, process, work / "output", time.time())


@dataclass
class Run:
    """A playbook that runs.

    :param begun: when it was started, in seconds since the epoch.
    """

    side: Side
    azure: LocalAzure
    process: subprocess.Popen[bytes]
    output: Path
    begun: float
    ended: float = 0.0

    def note_end(self) -> bool:
        """Return whether it has ended, and note when. A failure ends the benchmark."""
        if not self.ended and self.process.poll() is not None:
            self.ended = time.time()
            if self.process.returncode:
                raise SystemExit(f"{self.side.name} failed:\n{self.output.read_text(errors='replace')[-4000:]}")
        return bool(self.ended)

    def waited(self) -> Waited:
        """Return how long each phase took, by the requests with which the next one began."""
        machine, push, tags = self._began("PUT", f"/{NAME}"), self._began("PUT", "/docker-host"), self._tags()
        moments = (self.begun, machine, push, tags, self.ended)
        phases = tuple(later - earlier for earlier, later in itertools.pairwise(moments))
        return Waited(phases, push - self._installed() if self.side.at_boot else None)

    def _requests(self, method: str, end: str) -> Iterator[float]:
        for entry in self.azure.requests():
            if entry["method"] == method and entry["path"].lower().endswith(end):
                yield datetime.datetime.fromisoformat(entry["time"]).timestamp() - entry["seconds"]

    def _began(self, method: str, end: str) -> float:
        return min(self._requests(method, end))

    def _tags(self) -> float:
        return max(self._requests("PATCH", f"/virtualmachines/{NAME}"))

    def _installed(self) -> float:
        """Return when the engine ran for the first time, which ends its installation."""
        (engine,) = Path(self.azure.state_dir).glob("machines/machines/*/docker/buildkit")
        return engine.stat().st_mtime


def measure(seed: int, sides: t.Sequence[Side], work: Path) -> dict[str, Waited]:
    """Create the host in every way at the same time; the durations that are drawn are the same."""
    with contextlib.ExitStack() as stack:
        azures = [
            stack.enter_context(
                LocalAzure(
                    machines="guests",
                    latency="handlers",
                    seed=seed,
                    switches={"package_rate": PACKAGE_RATE},
                    options=["--provision", "cloud-init"],
                )
            )
            for _side in sides
        ]
        runs = [side.begin(azure, work / f"{side.name}{seed}") for side, azure in zip(sides, azures, strict=True)]
        while [run for run in runs if not run.note_end()]:
            time.sleep(0.1)
        return {run.side.name: run.waited() for run in runs}


def table(results: t.Mapping[int, t.Mapping[str, Waited]]) -> list[str]:
    """A row for each seed, and one of the medians."""
    lines = [
        "| seed | before | not waiting | installed at boot | both | both: shorter by | idle before the push |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for seed, sides in results.items():
        seconds = [sides[name].seconds for name in SIDES]
        lines.append(_row(str(seed), seconds, f"{sides['both'].idle:.0f} s"))
    medians = [statistics.median(sides[name].seconds for sides in results.values()) for name in SIDES]
    return [*lines, _row("median", medians, "")]


def _row(label: str, seconds: t.Sequence[float], idle: str) -> str:
    shown = " | ".join(f"{value:.0f} s" for value in seconds)
    return f"| {label} | {shown} | {_shorter(seconds[0], seconds[-1]):.0%} | {idle} |"


def _shorter(before: float, after: float) -> float:
    return (before - after) / before


def bars(results: t.Mapping[int, t.Mapping[str, Waited]]) -> list[str]:
    """A bar for each phase: the median of the seeds, before and with both changes."""
    medians = {
        (phase, name): statistics.median(sides[name].phases[number] for sides in results.values())
        for number, phase in enumerate(PHASES)
        for name in ("before", "both")
    }
    longest, indent = max(medians.values()), max(map(len, PHASES))
    lines = ["Median of each phase:", "", "```text"]
    for (phase, name), seconds in medians.items():
        label = phase if name == "before" else ""
        blocks = "█" * max(1, round(WIDTH * seconds / longest))
        lines.append(f"{label:<{indent}}  {name:<6} {seconds:>4.0f} s  {blocks}")
    return [*lines, "```"]


def expected(results: t.Mapping[int, t.Mapping[str, Waited]]) -> list[tuple[str, float, str, float]]:
    """What the changes must achieve."""
    before, both = ([sides[name].seconds for sides in results.values()] for name in ("before", "both"))
    longer = max(later - earlier for earlier, later in zip(before, both, strict=True))
    return [
        ("median of both changes: part of the time before", statistics.median(both) / statistics.median(before))
        + ("at most", 0.7),
        ("the seed with the least gain: seconds longer than before", longer, "at most", 0),
    ]


def main() -> int:
    collections = Path(sys.argv[1]).resolve()
    results: dict[int, dict[str, Waited]] = {}
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        places = {True: collections, False: with_waits(collections, work / "collections")}
        sides = [Side(label, places[changed], at_boot) for label, (changed, at_boot) in SIDES.items()]
        for seed in SEEDS:
            results[seed] = measure(seed, sides, work)
            print(f"seed {seed}: {results[seed]}", flush=True)
    lines = [f"Python {platform.python_version()}, {os.cpu_count()} processors, four guests at a time.", ""]
    lines += [*table(results), "", *bars(results), "", *measured.judged(expected(results))]
    print("\n".join(lines))
    if len(sys.argv) > 2:
        measured.write(Path(sys.argv[2]), "measured boot", "\n".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
