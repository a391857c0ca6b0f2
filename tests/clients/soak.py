# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Docker hosts made, changed, rotated, stopped and deleted at random while faults strike; then all is deleted.

``python -m clients.soak --seconds 1800 --seed 1``. Every round, each worker runs one playbook with faults switched on.
A run may fail then, with a clear error; the same run without faults must bring the host where it was to be. At the end
nothing may be left: in the cloud, of processes, of mounts, of namespaces; and the server's memory must not have grown.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import json
import random
import statistics
import sys
import tempfile
import time
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

from azure_emulator.launcher import LocalAzure

from .leftovers import Family, mounts_below
from .support import CACHE, Playbooks, ours

GROUP = "soak"
HOSTS_PER_WORKER = 3
PATHS = (r"/virtualMachines/", r"/extensions/", r"/publicIPAddresses/", r"/networkInterfaces/", r"/operations/", r".*")
STATUSES = (429, 500, 502, 503, 504)
BEGIN, END = "<!-- soak: begin -->", "<!-- soak: end -->"
GROWTH = 12.0
"""MiB that the server's memory may grow from the middle of a soak to its end."""


class SoakError(Exception):
    """What must hold does not."""


@dataclass
class Host:
    """A host as it is to be. ``port`` is None while there is none."""

    name: str
    port: int | None = None
    stopped: bool = False
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Step:
    """One playbook run."""

    playbook: str
    host: str
    variables: dict[str, t.Any]
    after: Host


class Soak:
    """One soak.

    :param seed: decides every step and fault.
    """

    def __init__(self, azure: LocalAzure, home: Path, seed: int, workers: int, guests: bool) -> None:
        self.azure, self.home, self.guests = azure, home, guests
        self.random = random.Random(seed)
        self.hosts = [[Host(f"w{w}-{n}") for n in range(HOSTS_PER_WORKER)] for w in range(workers)]
        self.family = Family(azure.pid)
        self.memory: list[float] = []
        counted = ("rounds", "hosts made", "hosts deleted", "failed under faults", "faults struck")
        self.counts: dict[str, int] = dict.fromkeys(counted, 0)

    # --- what is done ---

    def step(self, host: Host) -> Step:
        """Something to do with a host."""
        if host.port is None:
            after = Host(host.name, port=self.random.choice([2376, 4243]))
            return self._present(after)
        what = self.random.choice(["port", "tags", "rotate", "stop", "delete", "same"])
        if host.stopped:
            return self._run("start_docker_host", Host(host.name, host.port, False, host.tags))
        if what == "port":
            return self._present(Host(host.name, 4243 if host.port == 2376 else 2376, False, host.tags))
        if what == "tags":
            return self._present(Host(host.name, host.port, False, {"colour": self.random.choice("rgb")}))
        if what == "rotate":
            return self._run("rotate_docker_certs", host)
        if what == "stop":
            return self._run("stop_docker_host", Host(host.name, host.port, True, host.tags))
        if what == "delete":
            return self._run("delete_docker_host", Host(host.name))
        return self._present(host)

    def _present(self, after: Host) -> Step:
        return self._run("create_docker_host", after)

    def _run(self, playbook: str, after: Host) -> Step:
        variables: dict[str, t.Any] = {
            "docker_host_name": after.name,
            "docker_host_resource_group": GROUP,
            "docker_host_location": "westeurope",
            "docker_host_wait_timeout": 120,
        }
        if after.port is not None:
            variables |= {"docker_host_port": after.port, "docker_host_tags": after.tags}
        if self.guests:
            variables["docker_host_engine"] = {"source": "distribution"}
        return Step(f"dockerhost.azure.{playbook}", after.name, variables, after)

    def fault(self) -> dict[str, t.Any]:
        """Something that goes wrong."""
        action = self.random.choice(
            ["reset", "reset_after", "truncate", "slow", "status", "throttle", "operation", "lost_poll"]
        )
        fields: dict[str, t.Any] = {
            "action": action,
            "path": self.random.choice(PATHS[-1:] if action in ("operation", "lost_poll") else PATHS),
            "nth": self.random.randint(1, 8),
            "times": self.random.randint(1, 3),
        }
        if action == "status":
            fields |= {"status": self.random.choice(STATUSES), "retry_after": 1}
        elif action == "throttle":
            fields["retry_after"] = 1
        elif action == "operation":
            fields |= {"ends": self.random.choice(["Failed", "Canceled"]), "method": "PUT", "times": 1}
        elif action == "lost_poll":
            fields |= {"method": self.random.choice(["PUT", "DELETE"]), "times": 1}
        return fields

    def round(self) -> None:
        """One step of every worker with faults, and again without where it failed."""
        chosen = [self.random.randrange(HOSTS_PER_WORKER) for _worker in self.hosts]
        steps = [self.step(hosts[index]) for hosts, index in zip(self.hosts, chosen, strict=True)]
        for _number in range(self.random.randint(1, 6)):
            self.azure.fault(**self.fault())
        failed = self._side_by_side(steps)
        self.counts["faults struck"] += sum(fault["struck"] for fault in self.azure.faults())
        self.azure.faults_clear()
        self.counts["failed under faults"] += len(failed)
        still = self._side_by_side(failed)
        if still:
            raise SoakError(f"{still[0].playbook} of {still[0].host} fails without faults: {self._said(still[0].host)}")
        for hosts, index, step in zip(self.hosts, chosen, steps, strict=True):
            self.counts["hosts made"] += hosts[index].port is None
            self.counts["hosts deleted"] += step.after.port is None
            hosts[index] = step.after
            self.counts[step.playbook] = self.counts.get(step.playbook, 0) + 1
        self.counts["rounds"] += 1
        self._look()

    def _side_by_side(self, steps: list[Step]) -> list[Step]:
        with concurrent.futures.ThreadPoolExecutor(max(1, len(steps))) as pool:
            worked = list(pool.map(self._succeeds, steps))
        return [step for step, good in zip(steps, worked, strict=True) if not good]

    def _succeeds(self, step: Step) -> bool:
        playbooks: Playbooks = ours(self.azure, self.home)
        try:
            playbooks(step.playbook, step.variables)
        except AssertionError:
            number = self.counts["rounds"]
            with open(self.home / f"{step.host}.{number}.log", "a") as log:
                log.write(playbooks.output)
            if "Traceback (most recent call last)" in playbooks.output or "MODULE FAILURE" in playbooks.output:
                raise SoakError(f"{step.playbook} of {step.host}: {playbooks.output[-6000:]}") from None
            return False
        return True

    def _said(self, host: str) -> str:
        """What the last failing runs of a host said."""
        logs = sorted(self.home.glob(f"{host}.*.log"), key=lambda path: path.stat().st_mtime)
        return logs[-1].read_text()[-12000:] if logs else ""

    # --- what must hold ---

    def _look(self) -> None:
        self.azure.settle()
        wrong = [e for e in self.azure.requests() if e["status"] == 500 and not e["fault"]]
        if wrong:
            raise SoakError(f"the server failed: {wrong[0]}")
        self.azure.clear_requests()
        self.family.note()
        self.memory.append(self.family.resident())
        machines = {id_.rpartition("/")[2].lower() for id_ in self.azure.dump() if _is_machine(id_)}
        wanted = {host.name for hosts in self.hosts for host in hosts if host.port is not None}
        if machines != wanted:
            raise SoakError(f"there are the machines {sorted(machines)}, there should be {sorted(wanted)}")

    def delete_everything(self) -> None:
        """Delete every host, and the group with the last."""
        for hosts in self.hosts:
            for host in hosts:
                self.counts["hosts deleted"] += host.port is not None
                step = self._run("delete_docker_host", Host(host.name))
                step.variables["docker_host_remove_on_absent"] = ["all", "resource_group"]
                if not self._succeeds(step):
                    raise SoakError(f"{host.name} cannot be deleted: {self._said(host.name)}")
        self.azure.settle()
        left = self.azure.dump()
        if left:
            raise SoakError(f"left in the cloud: {sorted(left)}")

    def check_memory(self) -> dict[str, float]:
        """Compare the server's memory in the middle and at the end."""
        third = len(self.memory) // 3
        if third < 2:
            return {"start": self.memory[0], "end": self.memory[-1]} if self.memory else {}
        middle, last = statistics.median(self.memory[third:-third]), statistics.median(self.memory[-third:])
        if last - middle > GROWTH:
            raise SoakError(f"the server's memory grew from {middle:.1f} to {last:.1f} MiB")
        return {"start": self.memory[0], "middle": middle, "end": last}


def _is_machine(resource_id: str) -> bool:
    parts = resource_id.lower().split("/")
    return len(parts) > 1 and parts[-2] == "virtualmachines"


def soak(seconds: float, seed: int, machines: str, workers: int) -> dict[str, t.Any]:
    """Run one soak and return what it counted.

    :raises SoakError: what must hold does not.
    """
    with tempfile.TemporaryDirectory(prefix="dockerhost-soak-") as scratch:
        state, home = Path(scratch) / "state", Path(scratch) / "home"
        home.mkdir()
        with LocalAzure(machines=machines, state_dir=state, seed=seed, options=["--cache-dir", str(CACHE)]) as azure:
            run = Soak(azure, home, seed, workers, azure.machines == "guest")
            end = time.monotonic() + seconds
            try:
                while time.monotonic() < end:
                    run.round()
                run.delete_everything()
                run.family.note()
            except SoakError as error:
                raise SoakError(f"seed {seed}: {error}\n{azure.output()}\n{run.counts}") from error
        left = [*run.family.survivors(), *mounts_below(scratch)]
        if left:
            raise SoakError(f"seed {seed}: left after the end: {left}; {run.counts}, memory {run.memory}")
        return {
            "seconds": round(seconds),
            "seed": seed,
            "machines": azure.machines,
            **run.counts,
            **{f"server's memory, {when}": f"{size:.1f} MiB" for when, size in run.check_memory().items()},
            "left after the end": 0,
        }


def write_docs(path: Path, found: t.Mapping[str, t.Any]) -> None:
    """Put the figures between the markers of a Markdown file."""
    before, begin, rest = path.read_text(encoding="utf-8").partition(BEGIN)
    _old, end, after = rest.partition(END)
    if not end:
        raise SoakError(f"{path} has no lines {BEGIN} and {END}")
    rows = [f"| {name.removeprefix('dockerhost.azure.')} | {value} |" for name, value in found.items()]
    table = "\n".join(["| what | how much |", "|---|---|", *rows])
    path.write_text(f"{before}{begin}\n{table}\n{end}{after}", encoding="utf-8")


def main() -> int:
    """The command line."""
    arguments = argparse.ArgumentParser(prog="python -m clients.soak", description=__doc__)
    arguments.add_argument("--seconds", type=float, default=1800, help="how long hosts come and go (default: 1800)")
    arguments.add_argument("--seed", type=int, help="decides every step and fault (default: a new one)")
    arguments.add_argument("--machines", default="auto", choices=("auto", "guests", "stand-in"))
    arguments.add_argument("--workers", type=int, default=2)
    arguments.add_argument("--write-docs", type=Path, metavar="FILE", help="put the figures between FILE's markers")
    options = arguments.parse_args()
    seed = random.SystemRandom().randrange(10**6) if options.seed is None else options.seed
    sys.stdout.write(f"soak: seed {seed}, {options.seconds:.0f} s, {options.machines}\n")
    sys.stdout.flush()
    try:
        found = soak(options.seconds, seed, options.machines, options.workers)
        if options.write_docs is not None:
            write_docs(options.write_docs, found)
    except SoakError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(json.dumps(found, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
