# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The inventory plugin beside an empty inventory, in turns: hundreds of hosts on a local Azure.

usage: python tests/benchmarks/bench_inventory.py COLLECTIONS_PATH [DOCUMENT]

The hosts are copies of one, in the state of the cloud. With DOCUMENT, the table is written there, too.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import typing as t
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TOP), str(TOP / "tests" / "emulator")]

from azure_emulator.launcher import CLEARED, LocalAzure  # noqa: E402
from azure_emulator.machines.names import command_with_hosts  # noqa: E402
from azure_emulator.state import StateFile  # noqa: E402
from tests.benchmarks import measured  # noqa: E402

HOSTS = 500
RUNS = 7
PLAIN = {"plugin": "dockerhost.azure.docker_vm_host"}
GROUPED = {
    **PLAIN,
    "keyed_groups": [{"prefix": "location", "key": "location"}],
    "groups": {"off": "power_state != 'running'"},
    "compose": {"expires": "cert_expires"},
}
LIST = ("ansible-inventory", "--list")
COMMANDS = {
    "`ansible-inventory --list`": (LIST, PLAIN),
    "the same with `compose`, `groups` and `keyed_groups`": (LIST, GROUPED),
    "`ansible --list-hosts all`": (("ansible", "--list-hosts", "all"), PLAIN),
}


class User:
    """Runs commands against one local Azure."""

    def __init__(self, azure: LocalAzure, work: Path, collections: str) -> None:
        self.azure, self.work = azure, work
        self.environment = {
            **measured.environment(*CLEARED),
            **azure.environment,
            "HOME": str(work),
            "ANSIBLE_COLLECTIONS_PATH": collections,
            "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
            "ANSIBLE_LOCALHOST_WARNING": "false",
        }

    def run(self, command: t.Sequence[str], inventory: Path) -> measured.Cost:
        """One run of a command with an inventory."""
        program = str(Path(sys.executable).with_name(command[0]))
        whole = command_with_hosts(Path(self.azure.hosts_file), [program, "-i", str(inventory), *command[1:]])
        return measured.run(whole, self.environment, self.work / "output")

    def over_empty(self, command: t.Sequence[str], options: dict[str, t.Any]) -> tuple[measured.Cost, measured.Cost]:
        """Medians of runs that take turns: with an empty inventory, and what ours costs over it."""
        empty, ours = self.work / "empty.yml", self.work / "docker_vm_host.yml"
        empty.write_text("{}")
        ours.write_text(json.dumps(options))
        pairs = [(self.run(command, empty), self.run(command, ours)) for _time in range(RUNS)]
        before, after = (measured.median(side) for side in zip(*pairs, strict=True))
        return before, after.over(before)


def fill(state: Path, work: Path, collections: str) -> None:
    """Make one host, and write copies of it into the state of the cloud that made it."""
    with LocalAzure(machines="none", state_dir=state) as azure:
        user = User(azure, work, collections)
        options = {"name": "crowd0", "resource_group": "crowd", "location": "westeurope"}
        playbook = measured.playbook(work / "one.yml", [{"dockerhost.azure.docker_vm_host": options}])
        user.run(("ansible-playbook", playbook), Path("here,"))
    file = StateFile(state / "state.sqlite")
    originals = [(key, json.dumps(value)) for key, value in file.load("resources").items() if "crowd0" in key]
    for n in range(1, HOSTS):
        for key, text in originals:
            file.put("resources", key.replace("crowd0", f"crowd{n}"), json.loads(text.replace("crowd0", f"crowd{n}")))
    file.close()


def main() -> int:
    collections = os.path.abspath(sys.argv[1])
    lines = [
        f"| {HOSTS} hosts | wall time over an empty inventory | processor time over it | the empty one itself |",
        "| --- | ---: | ---: | ---: |",
    ]
    rows = []
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        fill(work / "cloud", work, collections)
        with LocalAzure(machines="none", state_dir=work / "cloud") as azure:
            user = User(azure, work, collections)
            for label, (command, options) in COMMANDS.items():
                empty, cost = user.over_empty(command, options)
                lines.append(f"| {label} | {cost.wall:.2f} s | {cost.cpu:.2f} s | {empty.wall:.2f} s |")
                rows.append((f"{label}, wall seconds over an empty inventory", cost.wall, "at most", 3.0))
    text = "\n".join([*lines, "", *measured.judged(rows)])
    print(text)
    if len(sys.argv) > 2:
        measured.write(Path(sys.argv[2]), "measured inventory", text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
