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

import os
import platform
import statistics
import sys
import tempfile
import typing as t
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TOP), str(TOP / "tests" / "emulator")]

from azure_emulator.launcher import CLEARED, LocalAzure  # noqa: E402
from tests.benchmarks import measured  # noqa: E402
from tests.benchmarks.measured import Cost, Tasks  # noqa: E402
from tests.clients import client_venvs  # noqa: E402
from tests.clients.public_names import PublicNames  # noqa: E402

RUNS = 3
CREATIONS = 3
PEER_CREATIONS = 1
FLEET = (1, 5, 10, 20)
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIK0wmN/Cr3JXqmLW7u+g9pTh+wyqDHpSQEIQczXkVx9q nobody"
NAME = "{{ inventory_hostname }}"
Log = list[dict[str, t.Any]]


def own_tasks(name: str = NAME, resource_group: str = "bench") -> Tasks:
    """One task."""
    host = {"name": name, "resource_group": resource_group, "location": "westeurope", "ssh_public_keys": [KEY]}
    return [{"dockerhost.azure.docker_vm_host": host}]


def peer_tasks(name: str = NAME, resource_group: str = "bench") -> Tasks:
    """The tasks of azure.azcollection's documentation."""
    group = {"resource_group": resource_group}
    rule = {"name": "docker", "protocol": "Tcp", "destination_port_range": 4243, "access": "Allow", "priority": 300}
    key = {"path": "/home/azureuser/.ssh/authorized_keys", "key_data": KEY}
    image = {"publisher": "Canonical", "offer": "ubuntu-24_04-lts", "sku": "server", "version": "latest"}
    address = {"allocation_method": "Static", "sku": "Standard", "domain_name": f"{name}-of-the-benchmark"}
    configuration = {"name": "primary", "public_ip_address_name": f"{name}-ip", "primary": True}
    return [
        {"azure.azcollection.azure_rm_resourcegroup": {"name": resource_group, "location": "westeurope"}},
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
                "vm_size": "Standard_B2s_v2",
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
        self.environment = measured.environment(*CLEARED)
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
        playbook = measured.playbook(self.work / "playbook.yml", tasks)
        inventory = "".join(f"bench{number}," for number in range(hosts))
        command = [str(self.python.with_name("ansible-playbook")), "-i", inventory, "-f", str(hosts), playbook]
        self.azure.clear_requests()
        cost = measured.run(command, self.environment, self.work / "output")
        log = self.azure.requests()
        return Cost(cost.wall, cost.cpu, cost.memory, len(log), log)


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


Rows = list[tuple[str, float, str, float]]


def rerun(own: Side, peer: Side) -> tuple[list[str], Rows]:
    """The same playbook again, without change: in turns, so that both meet the same moods of the machine."""
    turns = []
    for side, tasks in ((own, own_tasks()), (peer, peer_tasks())):
        side.run(tasks)
    for _turn in range(RUNS):
        turns.append((own.run([]), own.run(own_tasks()), peer.run([]), peer.run(peer_tasks())))
    empty, mine, peer_empty, theirs = (measured.median(costs) for costs in zip(*turns, strict=True))
    over, peer_over = mine.wall - empty.wall, theirs.wall - peer_empty.wall
    lines = [
        "## Run again, without change",
        "",
        "| | docker_vm_host | azure.azcollection | ratio |",
        "| --- | ---: | ---: | ---: |",
    ]
    rows = (
        ("wall time", mine.wall, theirs.wall, "s"),
        ("wall time over an empty playbook", over, peer_over, "s"),
        ("processor time", mine.cpu, theirs.cpu, "s"),
        ("requests sent", mine.requests, theirs.requests, ""),
        ("largest process", mine.memory, theirs.memory, "MiB"),
    )
    for label, one, other, unit in rows:
        shown = (f"{one:.2f}", f"{other:.2f}") if unit == "s" else (f"{one:.0f}", f"{other:.0f}")
        lines.append(f"| {label} | {shown[0]} {unit} | {shown[1]} {unit} | {other / max(one, 0.01):.1f} |")
    return lines, [
        ("run again: times less wall time than the peer", theirs.wall / mine.wall, "at least", 10),
        ("run again: part of the peer's requests", mine.requests / theirs.requests, "at most", 0.5),
        ("run again: wall seconds over an empty playbook", over, "at most", 0.9),
        ("largest process, MiB", mine.memory, "at most", 100),
    ]


def create(own: Side, peer: Side) -> tuple[list[str], Rows]:
    """A new host with recorded latencies, unscaled: each time with a group and a network of its own."""
    sides = ((own, own_tasks, CREATIONS), (peer, peer_tasks, PEER_CREATIONS))
    runs = [[side.run(tasks(f"new{n}", f"new{n}")) for n in range(number)] for side, tasks, number in sides]
    costs = [measured.median(side) for side in runs]
    paths = [statistics.median(critical_path(cost.log) for cost in side) for side in runs]
    above = [statistics.median(cost.wall - critical_path(cost.log) for cost in side) for side in runs]
    lines = ["", "## Create, with the durations of recorded traffic", ""]
    lines += ["| | docker_vm_host | azure.azcollection |", "| --- | ---: | ---: |"]
    for label, values in (
        ("wall time", [cost.wall for cost in costs]),
        ("critical path of the operations that were drawn", paths),
        ("wall time above it", above),
    ):
        lines.append(f"| {label} | {values[0]:.1f} s | {values[1]:.1f} s |")
    return lines, [
        ("create: wall seconds above the critical path", above[0], "at most", 3),
        ("create: wall seconds above it that the peer needs more", above[1] - above[0], "at least", 20),
    ]


def fleet(own: Side) -> tuple[list[str], Rows]:
    """Several hosts in one play, run again."""
    own.run(own_tasks(), max(FLEET))
    turns = [{number: own.run(own_tasks(), number) for number in FLEET} for _turn in range(RUNS)]
    costs = {number: measured.median([turn[number] for turn in turns]) for number in FLEET}
    empty = measured.median([own.run([]) for _turn in range(RUNS)])
    lines = ["", "## Several hosts in one play, run again", ""]
    lines += ["| hosts | wall time | processor time | a host, over an empty playbook | requests a host |"]
    lines += ["| ---: " * 5 + "|"]
    for number, cost in costs.items():
        each = (cost.cpu - empty.cpu) / number
        lines.append(
            f"| {number} | {cost.wall:.2f} s | {cost.cpu:.2f} s | {each:.3f} s | {cost.requests / number:.1f} |"
        )
    cpu = [cost.cpu for cost in costs.values()]
    slope, start = statistics.linear_regression(list(costs), cpu)
    furthest = max(abs(start + slope * number - cost.cpu) for number, cost in costs.items())
    lines += [
        "",
        f"The line through these: {start:.2f} s and {slope:.3f} s of processor time for each host; no point is further"
        f" from it than {furthest:.2f} s.",
    ]
    values = ", ".join(f"{seconds:.2f}" for seconds in cpu)
    hosts = ", ".join(f'"{number}"' for number in costs)
    lines += ["", "```mermaid", "xychart-beta", '  title "Processor time by hosts"', f"  x-axis [{hosts}]"]
    lines += [f'  y-axis "seconds" 0 --> {max(cpu):.1f}', f"  bar [{values}]", "```"]
    most = max(FLEET)
    each = (costs[most].cpu - empty.cpu) / most
    return lines, [(f"{most} hosts in one play: processor seconds a host", each, "at most", 0.15)]


def main() -> int:
    collections = os.path.abspath(sys.argv[1])
    client_venvs.make("ansible")
    lines = [f"Python {platform.python_version()}, {os.cpu_count()} processors, local Azure without machines.", ""]
    expected: Rows = []
    with tempfile.TemporaryDirectory() as name:
        with Bench(collections, Path(name), "instant") as (own, peer):
            for more, rows in (rerun(own, peer), fleet(own)):
                lines, expected = lines + more, expected + rows
        print("\n".join(lines), flush=True)
        with Bench(collections, Path(name), "recorded:1") as (own, peer):
            more, rows = create(own, peer)
            lines, expected = lines + more, expected + rows
    lines += ["", "## What was expected", "", *measured.judged(expected)]
    print("\n".join(lines), flush=True)
    if len(sys.argv) > 2:
        measured.write(Path(sys.argv[2]), "measured", "\n".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
