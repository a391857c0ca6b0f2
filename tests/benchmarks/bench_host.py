# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One Docker host by docker_vm_host and by azure.azcollection's modules, side by side in one run.

usage: python tests/benchmarks/bench_host.py COLLECTIONS_PATH [DOCUMENT]

Both are playbooks against a local Azure. azure.azcollection has an environment of its own, with all that it asks for
(``tests/clients/client_venvs.py``), and its tasks are those of its documentation: group, network, subnet, security
group, address, interface, VM. It cannot be pointed at a private cloud, so both reach the local Azure by public Azure's
names, through the same proxy. With DOCUMENT, tables and plot are written there, too.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
import typing as t
from dataclasses import dataclass
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TOP), str(TOP / "tests" / "emulator")]

from azure_emulator.launcher import CLEARED, LocalAzure  # noqa: E402
from tests.clients import client_venvs  # noqa: E402
from tests.clients.public_names import PublicNames  # noqa: E402

RUNS = 3
PEER_RUNS = 2
FLEET = (1, 5, 10, 20)
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIK0wmN/Cr3JXqmLW7u+g9pTh+wyqDHpSQEIQczXkVx9q nobody"
Tasks = list[dict[str, t.Any]]
Log = list[dict[str, t.Any]]


@dataclass(frozen=True)
class Cost:
    """A run: seconds by the clock and of the processors, the largest process in MiB, and the requests sent."""

    wall: float
    cpu: float
    memory: float
    requests: int
    log: Log


def own_tasks(name: str = "{{ inventory_hostname }}") -> Tasks:
    """One task."""
    host = {"name": name, "resource_group": "bench", "location": "westeurope", "ssh_public_keys": [KEY]}
    return [{"dockerhost.azure.docker_vm_host": host}]


def peer_tasks(name: str = "{{ inventory_hostname }}") -> Tasks:
    """The tasks of azure.azcollection's documentation."""
    group = {"resource_group": "bench"}
    rule = {"name": "docker", "protocol": "Tcp", "destination_port_range": 4243, "access": "Allow", "priority": 300}
    key = {"path": "/home/azureuser/.ssh/authorized_keys", "key_data": KEY}
    image = {"publisher": "Canonical", "offer": "ubuntu-24_04-lts", "sku": "server", "version": "latest"}
    address = {"allocation_method": "Static", "sku": "Standard", "domain_name": f"{name}-of-the-benchmark"}
    configuration = {"name": "primary", "public_ip_address_name": f"{name}-ip", "primary": True}
    return [
        {"azure.azcollection.azure_rm_resourcegroup": {"name": "bench", "location": "westeurope"}},
        {
            "azure.azcollection.azure_rm_virtualnetwork": {
                **group,
                "name": "docker-vnet",
                "address_prefixes_cidr": ["10.0.0.0/16"],
            }
        },
        {
            "azure.azcollection.azure_rm_subnet": {
                **group,
                "virtual_network_name": "docker-vnet",
                "name": "docker",
                "address_prefix_cidr": "10.0.0.0/24",
            }
        },
        {"azure.azcollection.azure_rm_securitygroup": {**group, "name": f"{name}-nsg", "rules": [rule]}},
        {"azure.azcollection.azure_rm_publicipaddress": {**group, "name": f"{name}-ip", **address}},
        {
            "azure.azcollection.azure_rm_networkinterface": {
                **group,
                "name": f"{name}-nic",
                "virtual_network": "docker-vnet",
                "subnet_name": "docker",
                "security_group": f"{name}-nsg",
                "ip_configurations": [configuration],
            }
        },
        {
            "azure.azcollection.azure_rm_virtualmachine": {
                **group,
                "name": name,
                "vm_size": "Standard_B2s",
                "admin_username": "azureuser",
                "ssh_password_enabled": False,
                "ssh_public_keys": [key],
                "network_interface_names": [f"{name}-nic"],
                "managed_disk_type": "StandardSSD_LRS",
                "image": image,
            }
        },
    ]


class Side:
    """Runs playbooks of one collection in its own environment against one local Azure."""

    def __init__(self, python: Path, azure: LocalAzure, names: PublicNames, work: Path, collections: str) -> None:
        self.python, self.azure, self.work = python, azure, work
        dropped = ("ANSIBLE_", "AZURE_", "PYTHONPATH", *CLEARED)
        self.environment = {key: value for key, value in os.environ.items() if not key.startswith(dropped)}
        credentials = {k: v for k, v in azure.environment.items() if not k.startswith("AZURE_CLOUD")}
        self.environment.update(
            credentials,
            **names.environment,
            AZURE_DISABLE_INSTANCE_DISCOVERY="true",
            HOME=str(work),
            ANSIBLE_HOME=str(work / ".ansible"),
            ANSIBLE_LOCALHOST_WARNING="false",
            ANSIBLE_PYTHON_INTERPRETER=str(python),
        )
        if collections:
            self.environment["ANSIBLE_COLLECTIONS_PATH"] = collections

    def run(self, tasks: Tasks, hosts: int = 1) -> Cost:
        """The cost of a playbook with these tasks, for that many hosts at once."""
        playbook, output = self.work / "playbook.yml", self.work / "output"
        play = {"hosts": "all", "connection": "local", "gather_facts": False, "tasks": tasks}
        playbook.write_text(json.dumps([play]))
        inventory = "".join(f"bench{number}," for number in range(hosts))
        self.azure.clear_requests()
        begun = time.monotonic()
        with output.open("wb") as stream:
            process = subprocess.Popen(
                [str(self.python.with_name("ansible-playbook")), "-i", inventory, "-f", str(hosts), str(playbook)],
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
        log = self.azure.requests()
        return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, len(log), log)


def median(costs: t.Sequence[Cost]) -> Cost:
    """The median of each figure."""
    figures = [statistics.median(getattr(cost, key) for cost in costs) for key in ("wall", "cpu", "memory", "requests")]
    return Cost(figures[0], figures[1], figures[2], int(figures[3]), [])


def critical_path(log: Log) -> float:
    """Seconds that the drawn operations need at least: network, address and rules side by side, then the rest."""
    longest: dict[str, float] = {}
    for entry in log:
        if entry["writing"] and entry.get("duration"):
            kind = entry["path"].rstrip("/").split("/")[-2].lower()
            longest[kind] = longest.get(kind, 0.0) + float(entry["duration"])
    network = longest.get("virtualnetworks", 0.0) + longest.get("subnets", 0.0)
    wave = max(network, longest.get("networksecuritygroups", 0.0), longest.get("publicipaddresses", 0.0))
    return wave + longest.get("networkinterfaces", 0.0) + longest.get("virtualmachines", 0.0)


class Bench:
    """Both sides, each with a local Azure of its own."""

    def __init__(self, collections: str, work: Path, latency: str) -> None:
        self.collections, self.work, self.latency = collections, work, latency
        self._open: list[t.Any] = []

    def __enter__(self) -> tuple[Side, Side]:
        sides = []
        for name in ("own", "peer"):
            directory = self.work / f"{name}-{self.latency.replace(':', '-')}"
            directory.mkdir()
            azure = LocalAzure(machines="none", latency=self.latency, seed=1, switches={"cores_quota": 10_000}).start()
            names = PublicNames(azure.url, azure.ca_file, directory)
            self._open += [azure, names]
            names.__enter__()
            python = Path(sys.executable) if name == "own" else client_venvs.python("ansible")
            sides.append(Side(python, azure, names, directory, self.collections if name == "own" else ""))
        return sides[0], sides[1]

    def __exit__(self, *_details: object) -> None:
        for thing in reversed(self._open):
            thing.__exit__(None, None, None)


def rerun(own: Side, peer: Side) -> list[str]:
    """The same playbook again, without change."""
    for side, tasks in ((own, own_tasks()), (peer, peer_tasks())):
        side.run(tasks)
    empty = median([own.run([]) for _time in range(RUNS)])
    peer_empty = median([peer.run([]) for _time in range(RUNS)])
    mine = median([own.run(own_tasks()) for _time in range(RUNS)])
    theirs = median([peer.run(peer_tasks()) for _time in range(PEER_RUNS)])
    lines = [
        "## Run again, without change",
        "",
        "| | docker_vm_host | azure.azcollection | ratio |",
        "| --- | ---: | ---: | ---: |",
    ]
    rows = (
        ("wall time", mine.wall, theirs.wall, "s"),
        ("wall time over an empty playbook", mine.wall - empty.wall, theirs.wall - peer_empty.wall, "s"),
        ("processor time", mine.cpu, theirs.cpu, "s"),
        ("requests sent", mine.requests, theirs.requests, ""),
        ("largest process", mine.memory, theirs.memory, "MiB"),
    )
    for label, one, other, unit in rows:
        shown = (f"{one:.2f}", f"{other:.2f}") if unit == "s" else (f"{one:.0f}", f"{other:.0f}")
        lines.append(f"| {label} | {shown[0]} {unit} | {shown[1]} {unit} | {other / max(one, 0.01):.1f} |")
    return lines


def create(own: Side, peer: Side) -> list[str]:
    """A new host with recorded latencies, unscaled."""
    lines = ["", "## Create, with the durations of recorded traffic", ""]
    lines += ["| | docker_vm_host | azure.azcollection |", "| --- | ---: | ---: |"]
    costs = [side.run(tasks) for side, tasks in ((own, own_tasks()), (peer, peer_tasks()))]
    paths = [critical_path(cost.log) for cost in costs]
    for label, values in (
        ("wall time", [cost.wall for cost in costs]),
        ("critical path of the operations that were drawn", paths),
        ("wall time above it", [cost.wall - path for cost, path in zip(costs, paths, strict=True)]),
    ):
        lines.append(f"| {label} | {values[0]:.1f} s | {values[1]:.1f} s |")
    return lines


def fleet(own: Side) -> list[str]:
    """Several hosts in one play, run again."""
    own.run(own_tasks(), max(FLEET))
    costs = {number: median([own.run(own_tasks(), number) for _time in range(3)]) for number in FLEET}
    lines = ["", "## Several hosts in one play, run again", ""]
    lines += [
        "| hosts | wall time | processor time | requests | processor time for each more host |",
        "| ---: " * 5 + "|",
    ]
    first = costs[FLEET[0]]
    for number, cost in costs.items():
        slope = (cost.cpu - first.cpu) / (number - 1) if number > 1 else None
        more = f"{slope:.3f} s" if slope is not None else ""
        lines.append(f"| {number} | {cost.wall:.2f} s | {cost.cpu:.2f} s | {cost.requests} | {more} |")
    values = ", ".join(f"{cost.cpu:.2f}" for cost in costs.values())
    hosts = ", ".join(f'"{number}"' for number in costs)
    top = max(cost.cpu for cost in costs.values())
    lines += ["", "```mermaid", "xychart-beta", '  title "Processor time by hosts"', f"  x-axis [{hosts}]"]
    return [*lines, f'  y-axis "seconds" 0 --> {top:.1f}', f"  bar [{values}]", "```"]


def main() -> int:
    collections = os.path.abspath(sys.argv[1])
    client_venvs.make("ansible")
    lines = [f"Python {platform.python_version()}, {os.cpu_count()} processors, local Azure without machines.", ""]
    with tempfile.TemporaryDirectory() as name:
        with Bench(collections, Path(name), "instant") as (own, peer):
            lines += rerun(own, peer)
            lines += fleet(own)
        print("\n".join(lines), flush=True)
        with Bench(collections, Path(name), "recorded:1") as (own, peer):
            created = create(own, peer)
            print("\n".join(created), flush=True)
            lines += created
    if len(sys.argv) > 2:
        document = Path(sys.argv[2])
        old = document.read_text()
        before, after = old[: old.index(BEGIN) + len(BEGIN)], old[old.index(END) :]
        text = "\n".join(lines)
        document.write_text(f"{before}\n\n{text}\n\n{after}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
