# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Docker hosts made, changed, rotated, stopped and deleted at random while faults strike; then all is deleted.

``python -m clients.soak --seconds 1800 --seed 1``. Every round, each worker runs one playbook with faults switched on.
A run may fail then, with a clear error; the same run without faults must bring the host where it was to be: its tags,
its open port, its power, its engine's certificate. When all is deleted the server must hold what it held at its start,
and when it has ended nothing may be left: in the cloud, of processes, mounts, namespaces and control groups. The
server's memory must not grow.
"""

from __future__ import annotations

import argparse
import collections
import concurrent.futures
import json
import random
import sys
import tempfile
import time
import typing as t
from pathlib import Path

from azure_emulator.launcher import LocalAzure

from .leftovers import Family, Holdings, mounts_below
from .soak_checks import Memory, address_of, differences, engine_says
from .soak_plan import NECESSARY, Host, Plan, Step, telling_seed
from .support import CACHE, Playbooks, ours

GROUP = "soak"
BEGIN, END = "<!-- soak: begin -->", "<!-- soak: end -->"
DOCUMENTED = 1800.0
"""Seconds of the shortest soak whose figures are written into the documentation."""
PATIENCE = 15.0
"""Seconds that the server gets for what it tidies up in the background."""
LONG = 600.0
"""Seconds from which on the growth of the memory can be told from its beginning."""
GROWTH = 2.0
"""MiB in ten minutes that the server's memory may grow in a long soak."""
SHORT_GROWTH = 8.0
"""MiB that it may grow in a short one after the first round, which loads what the server uses."""


class SoakError(Exception):
    """What must hold does not."""


class Soak:
    """One soak.

    :param home: of the user who runs the playbooks.
    :param plan: what is done.
    """

    def __init__(self, azure: LocalAzure, home: Path, plan: Plan) -> None:
        self.azure, self.home, self.plan = azure, home, plan
        slot = Path(azure.state_dir) / "machines" / "slot"
        self.family = Family(azure.pid, f"azure-emulator-{slot.read_text()}" if slot.exists() else None)
        self.before = self.family.note()
        self.began = time.monotonic()
        self.memory = Memory([(0.0, self.family.resident())])
        self.rounds = 0
        self.done: collections.Counter[str] = collections.Counter(dict.fromkeys(NECESSARY, 0))
        self.counts: collections.Counter[str] = collections.Counter()

    # --- what is done ---

    def round(self) -> None:
        """One step of every worker with faults, and again without where it failed."""
        planned = self.plan.round()
        for fault in planned.faults:
            self.azure.fault(**fault)
        failed = self._side_by_side(planned.steps)
        self.counts["faults struck"] += sum(fault["struck"] for fault in self.azure.faults())
        self.azure.faults_clear()
        self.counts["failed under faults"] += len(failed)
        still = self._side_by_side(failed)
        if still:
            name = still[0].after.name
            raise SoakError(f"{still[0].playbook} of {name} fails without faults: {self._said(name)}")
        self.done.update(step.done for step in planned.steps)
        self.rounds += 1
        self.look(planned.steps)

    def _side_by_side(self, steps: t.Sequence[Step]) -> list[Step]:
        """Run playbooks at the same time; those that failed."""
        with concurrent.futures.ThreadPoolExecutor(max(1, len(steps))) as pool:
            worked = list(pool.map(self._succeeds, steps))
        return [step for step, good in zip(steps, worked, strict=True) if not good]

    def _succeeds(self, step: Step) -> bool:
        playbooks: Playbooks = ours(self.azure, self.home)
        try:
            playbooks(f"dockerhost.azure.{step.playbook}", {**self._variables(step.after), **step.variables})
        except AssertionError:
            with open(self.home / f"{step.after.name}.{self.rounds}.log", "a") as log:
                log.write(playbooks.output)
            if "Traceback (most recent call last)" in playbooks.output or "MODULE FAILURE" in playbooks.output:
                raise SoakError(f"{step.playbook} of {step.after.name}: {playbooks.output[-6000:]}") from None
            return False
        return True

    def _variables(self, after: Host) -> dict[str, t.Any]:
        variables: dict[str, t.Any] = {
            "docker_host_name": after.name,
            "docker_host_resource_group": GROUP,
            "docker_host_location": "westeurope",
            "docker_host_wait_timeout": 120,
        }
        if after.port is not None:
            variables |= {"docker_host_port": after.port, "docker_host_tags": after.tags}
        if self.azure.machines == "guest":
            variables["docker_host_engine"] = {"source": "distribution"}
        return variables

    def _said(self, host: str) -> str:
        """What the last failing runs of a host said."""
        logs = sorted(self.home.glob(f"{host}.*.log"), key=lambda path: path.stat().st_mtime)
        return logs[-1].read_text()[-12000:] if logs else ""

    def delete_everything(self) -> None:
        """Delete every host that there is, side by side, and then the group."""
        there = [host for host in self.plan.hosts if host.port is not None]
        steps = [Step("deleted", "delete_docker_host", Host(host.name)) for host in there]
        with_group = {"docker_host_remove_on_absent": ["all", "resource_group"]}
        last = Step("deleted", "delete_docker_host", Host(self.plan.hosts[0].name), with_group)
        for together in (steps, [last]):
            for step in self._side_by_side(together):
                raise SoakError(f"{step.after.name} cannot be deleted: {self._said(step.after.name)}")
        self.counts["deleted at the end"] = len(there)

    # --- what must hold ---

    def look(self, steps: t.Sequence[Step]) -> None:
        """Compare every host with what it is to be, and ask one engine, that of a host that has just been touched."""
        self.azure.settle()
        wrong = [e for e in self.azure.requests() if e["status"] == 500 and not e["fault"]]
        if wrong:
            raise SoakError(f"the server failed: {wrong[0]}")
        self.azure.clear_requests()
        self.family.note()
        self.memory.samples.append((time.monotonic() - self.began, self.family.resident()))
        cloud = self.azure.dump()
        found = [text for host in self.plan.hosts for text in differences(host, cloud)]
        hosts = [*(step.after for step in steps), *self.plan.hosts]
        running = next((host for host in hosts if host.port is not None and not host.stopped), None)
        if running is not None and not found:
            found = [engine_says(running, address_of(running, cloud), self.home / ".docker")]
            self.counts["engines asked"] += 1
        if any(found):
            raise SoakError(f"round {self.rounds} ({', '.join(map(str, steps))}): {found}; {self._said_by(steps)}")

    def _said_by(self, steps: t.Sequence[Step]) -> str:
        return "\n".join(self._said(step.after.name)[-4000:] for step in steps)

    def check_nothing_stays(self) -> None:
        """When everything is deleted, the server must hold what it held at its start."""
        self.azure.settle()
        cloud = self.azure.dump()
        if cloud:
            raise SoakError(f"left in the cloud: {sorted(cloud)}")
        left = still_held(self.family, self.before, self.azure.state_dir)
        if left:
            raise SoakError(f"everything is deleted, and the server still holds: {left}")
        self.memory.samples.append((time.monotonic() - self.began, self.family.resident()))

    def check_counts(self) -> None:
        """Everything that is necessary has happened."""
        missing = [done for done in NECESSARY if not self.done[done]]
        if missing:
            raise SoakError(f"too short to show anything: no host was {' or '.join(missing)}")

    def check_memory(self) -> None:
        """The server's memory is flat: by its slope in a long soak, after the first round in a short one."""
        (_first, warm), (seconds, end) = self.memory.samples[1], self.memory.samples[-1]
        grown = self.memory.growth() if seconds >= LONG else end - warm
        if grown > (GROWTH if seconds >= LONG else SHORT_GROWTH):
            raise SoakError(f"the server's memory grew by {grown:.1f} MiB: {self.memory.samples}")

    def figures(self) -> dict[str, t.Any]:
        """What the soak was and what it counted."""
        (_zero, start), (seconds, end) = self.memory.samples[0], self.memory.samples[-1]
        growth = {"server's memory, growth in ten minutes": f"{self.memory.growth():.1f} MiB"}
        return {
            "rounds": self.rounds,
            **{f"hosts {done}": count for done, count in self.done.items()},
            **self.counts,
            "server's memory, start": f"{start:.1f} MiB",
            "server's memory, end": f"{end:.1f} MiB",
            **(growth if seconds >= LONG else {}),
        }


def still_held(family: Family, before: Holdings, directory: str) -> list[str]:
    """What a server holds beyond what it held before, once it has had the time to tidy up.

    :param directory: where its state lies.
    """
    deadline = time.monotonic() + PATIENCE
    while True:
        left = [*family.note().beyond(before), *mounts_below(directory)]
        if not left or time.monotonic() > deadline:
            return left
        time.sleep(0.2)


def soak(seconds: float, rounds: int, plan: Plan, seed: int, machines: str) -> dict[str, t.Any]:
    """Run one soak and return what it counted.

    :param seconds: how long hosts come and go; the last round begins only when it is likely to end in time.
    :param rounds: how many there are at least, however long they take.
    :raises SoakError: what must hold does not.
    """
    with tempfile.TemporaryDirectory(prefix="dockerhost-soak-") as scratch:
        state, home = Path(scratch) / "state", Path(scratch) / "home"
        home.mkdir()
        with LocalAzure(machines=machines, state_dir=state, seed=seed, options=["--cache-dir", str(CACHE)]) as azure:
            run = Soak(azure, home, plan)
            try:
                come_and_go(run, seconds, rounds)
                run.delete_everything()
                run.check_nothing_stays()
            except SoakError as error:
                raise SoakError(f"seed {seed}: {error}\n{azure.output()}\n{run.figures()}") from error
        left = [*run.family.survivors(), *mounts_below(scratch)]
        if left:
            raise SoakError(f"seed {seed}: left after the end: {left}; {run.figures()}")
        run.check_counts()
        run.check_memory()
        what = {"seconds": round(seconds), "seed": seed, "machines": azure.machines}
        return {**what, **run.figures(), "left after the end": 0}


def come_and_go(run: Soak, seconds: float, rounds: int) -> None:
    """As many rounds as the time allows."""
    spent = 0.0
    while run.rounds < rounds or spent * (run.rounds + 1) <= seconds * run.rounds:
        run.round()
        spent = time.monotonic() - run.began


def write_docs(path: Path, found: t.Mapping[str, t.Any]) -> None:
    """Put the figures between the markers of a Markdown file."""
    before, begin, rest = path.read_text(encoding="utf-8").partition(BEGIN)
    _old, end, after = rest.partition(END)
    if not end:
        raise SoakError(f"{path} has no lines {BEGIN} and {END}")
    rows = [f"| {name} | {value} |" for name, value in found.items()]
    table = "\n".join(["| what | how much |", "|---|---|", *rows])
    path.write_text(f"{before}{begin}\n{table}\n{end}{after}", encoding="utf-8")


def arguments() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m clients.soak", description=__doc__)
    parser.add_argument("--seconds", type=float, default=1800, help="how long hosts come and go (default: 1800)")
    seeds = parser.add_mutually_exclusive_group()
    seeds.add_argument("--seed", type=int, help="decides every step and fault (default: a new one)")
    seeds.add_argument(
        "--all-within", type=int, metavar="ROUNDS", help=f"the lowest seed with hosts {', '.join(NECESSARY)} in ROUNDS"
    )
    parser.add_argument("--machines", default="auto", choices=("auto", "guests", "stand-in"))
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument(
        "--write-docs", type=Path, metavar="FILE", help=f"put the figures of {DOCUMENTED:.0f} s or more into FILE"
    )
    return parser


def main(given: t.Sequence[str] | None = None) -> int:
    """The program; returns its exit status."""
    parser = arguments()
    options = parser.parse_args(given)
    rounds = options.all_within or 1
    try:
        seed = telling_seed(options.workers, rounds) if options.all_within else options.seed
    except ValueError as error:
        parser.error(str(error))
    seed = random.SystemRandom().randrange(10**6) if seed is None else seed
    sys.stdout.write(f"soak: seed {seed}, {options.seconds:.0f} s, {options.machines}\n")
    sys.stdout.flush()
    try:
        found = soak(options.seconds, rounds, Plan(seed, options.workers), seed, options.machines)
        if options.write_docs is not None and options.seconds >= DOCUMENTED:
            write_docs(options.write_docs, found)
    except SoakError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(json.dumps(found, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
