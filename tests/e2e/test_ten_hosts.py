# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ten machines at once: one play makes them into ten Docker hosts with one CA, and each runs a container."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from azure_emulator.launcher import LocalAzure

from .conftest import Controller

NAMES = [f"host{number}" for number in range(10)]
VARIABLES = {
    "docker_host_targets": "docker_hosts",
    "docker_host_location": "westeurope",
    "docker_host_resource_group": "ten",
    "docker_host_engine": {"source": "distribution"},
}
MEMORY_LIMIT = 150 * 2**20


@pytest.fixture(scope="module")
def inventory(controller: Controller) -> Path:
    path = controller.home / "inventory.json"
    hosts = {name: {"ansible_connection": "local"} for name in NAMES}
    path.write_text(json.dumps({"docker_hosts": {"hosts": hosts}}), encoding="utf-8")
    return path


def addresses(controller: Controller) -> dict[str, str]:
    """The public address of each host, by the label that its name begins with."""
    names: Mapping[str, str] = controller.azure.names()
    return {host: address for host in NAMES for fqdn, address in names.items() if fqdn.startswith(f"{host}-")}


def own_memory(group: Path) -> int:
    """What a guest's processes hold for themselves, in bytes: page cache is the host's to give and take."""
    stat = dict(line.split() for line in (group / "memory.stat").read_text(encoding="utf-8").splitlines())
    return int(stat["total_rss"]) if "total_rss" in stat else int(stat["anon"])


def guests_of(azure: LocalAzure) -> dict[str, Path]:
    """The memory's control group of each guest of one local Azure: other tests have guests on this machine too."""
    slot = (Path(azure.state_dir) / "machines" / "slot").read_text(encoding="utf-8")
    found = Path("/sys/fs/cgroup").rglob(f"azure-emulator-{slot}/azure{slot}-*/memory.stat")
    return {path.parent.name: path.parent for path in found}


def test_one_play_makes_ten_hosts(controller: Controller, inventory: Path) -> None:
    try:
        run = controller.playbook("create_docker_host", VARIABLES, "-i", str(inventory), "--forks", "10")
    except AssertionError:
        print(controller.azure.output())
        raise
    assert run.stats["failed"] == 0, run.output
    assert len(addresses(controller)) == 10
    assert len({path.name for path in (controller.cert_dir / "servers").iterdir()}) == 10
    assert len({path.read_bytes() for path in controller.cert_dir.rglob("ca.pem")}) == 1, "one CA"


def test_each_runs_a_container(controller: Controller, busybox_image: bytes) -> None:
    for host, address in addresses(controller).items():
        status, said = controller.docker(address, "import", "-", "busybox:test", input=busybox_image)
        assert status == 0, said
        status, said = controller.docker(address, "run", "--rm", "busybox:test", "echo", f"hello from {host}")
        assert (status, said.strip()) == (0, f"hello from {host}")
        status, said = controller.docker(address, "info", "--format", "{{.Name}}")
        assert said.strip() == host


def test_each_is_small(controller: Controller) -> None:
    used = {name: own_memory(group) for name, group in guests_of(controller.azure).items()}
    assert len(used) == 10, used
    assert max(used.values()) < MEMORY_LIMIT, used


def test_again_nothing_changes(controller: Controller, inventory: Path) -> None:
    controller.azure.clear_requests()
    run = controller.playbook("create_docker_host", VARIABLES, "-i", str(inventory), "--forks", "10")
    assert run.changed == 0, run.output
    assert controller.writing_requests() == []
