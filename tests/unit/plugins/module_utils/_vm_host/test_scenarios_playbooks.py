# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whole runs of ansible-playbook: killed at each request, many at once, and watched while they go on."""

from __future__ import annotations

import concurrent.futures
import json
import os
import subprocess
import sys
import threading
import time
import typing as t
from pathlib import Path

import pytest

from azure_emulator.process_trees import kill_tree

from .conftest import KEY, Cloud
from .test_scenarios_failures import COMPLETE, disks, names

COLLECTIONS = os.environ.get("DOCKERHOST_COLLECTIONS_PATH", str(Path(__file__).parents[5] / ".build" / "dev"))


def playbook(cloud: Cloud, directory: Path) -> Path:
    """A playbook with the one task."""
    options = {"name": "web1", "resource_group": cloud.group, "location": "westeurope", "ssh_public_keys": [KEY]}
    tasks = [{"dockerhost.azure.docker_vm_host": options}]
    path = directory / "site.yml"
    path.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]))
    return path


def environment(cloud: Cloud, directory: Path) -> dict[str, str]:
    """What a user sets."""
    return {
        **{key: value for key, value in os.environ.items() if not key.startswith("ANSIBLE_")},
        **cloud.azure.environment,
        "ANSIBLE_COLLECTIONS_PATH": COLLECTIONS,
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "ANSIBLE_NOCOLOR": "true",
        "HOME": str(directory),
    }


@pytest.mark.parametrize(
    "writes",
    [pytest.param(1, marks=pytest.mark.slow), *[pytest.param(n, marks=pytest.mark.slow) for n in (2, 3, 5)], 6],
)
def test_a_run_that_is_killed_can_be_run_again(cloud: Cloud, tmp_path: Path, writes: int) -> None:
    cloud.azure.clear_requests()
    program = str(Path(sys.executable).with_name("ansible-playbook"))
    command = [program, "-i", "localhost,", "-c", "local", str(playbook(cloud, tmp_path))]
    with (tmp_path / "output").open("wb") as output:
        process = subprocess.Popen(command, env=environment(cloud, tmp_path), stdout=output, stderr=output)
        deadline = time.monotonic() + 120
        while len(cloud.writes) < writes and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.005)
        kill_tree(process)
    assert len(cloud.writes) >= writes, (tmp_path / "output").read_text()
    done = cloud.run(ssh_public_keys=[KEY])
    assert done["host"]["power_state"] == "running"
    assert names(cloud) == COMPLETE
    assert len(disks(cloud)) == 1
    assert cloud.run(ssh_public_keys=[KEY])["changed"] is False


def test_many_hosts_at_once_make_one_network(cloud: Cloud, tmp_path: Path) -> None:
    count = 8
    clouds = [Cloud(cloud.azure, tmp_path) for _place in range(count)]
    for place, one in enumerate(clouds):
        one.group, one.name = cloud.group, f"web{place}"  # type: ignore[attr-defined]
    with concurrent.futures.ThreadPoolExecutor(count) as pool:
        runs = [pool.submit(one.run, name=f"web{place}") for place, one in enumerate(clouds)]
        results = [run.result() for run in runs]
    networks = [key for key in names(cloud) if key == "docker-vnet"]
    assert networks == ["docker-vnet"]
    assert all(result["host"]["private_ip_address"] for result in results)
    assert len({result["host"]["private_ip_address"] for result in results}) == count
    assert len(disks(cloud)) == count
    assert len({one.key.read_bytes() for one in clouds}) == 1


@pytest.mark.slow
def test_fifty_at_once_wait_out_conflicts_and_throttling(cloud: Cloud, tmp_path: Path) -> None:
    """Fifty processes' worth of runs that all find no network, some of them refused for a while."""
    count = 50
    for status, code in ((409, "AnotherOperationInProgress"), (429, "TooManyRequests")):
        cloud.azure.fault(
            "status", method="PUT", path="/virtualNetworks/docker-vnet$", status=status, code=code, times=3
        )
    cloud.azure.fault("throttle", method="PUT", path="/resourcegroups/[^/]+$", retry_after=1, times=3)
    clouds = [Cloud(cloud.azure, tmp_path) for _place in range(count)]
    for one in clouds:
        one.group = cloud.group
    with concurrent.futures.ThreadPoolExecutor(count) as pool:
        runs = [pool.submit(one.run, name=f"web{place}", ssh_public_keys=[KEY]) for place, one in enumerate(clouds)]
        results = [run.result() for run in runs]
    assert [key for key in names(cloud) if "vnet" in key] == ["docker-vnet"]
    assert len({result["host"]["private_ip_address"] for result in results}) == count
    assert len(disks(cloud)) == count
    made = [result for result in results if "create virtual network docker-vnet" in result["actions"]]
    assert made
    assert all(fault["struck"] for fault in cloud.azure.faults())
    # What is there is never written again.
    again = Cloud(cloud.azure, tmp_path)
    again.group = cloud.group
    assert again.run(name="web51", ssh_public_keys=[KEY])["host"]["private_ip_address"]
    assert not [write for write in again.writes if "docker-vnet" in write]


def test_progress_arrives_while_azure_still_works(cloud: Cloud, tmp_path: Path) -> None:
    runner = pytest.importorskip("ansible_runner")
    seen: list[str] = []
    arrived = threading.Event()

    def listen(event: dict[str, t.Any]) -> None:
        seen.append(str(event.get("stdout", "")))
        if "VM Creating" in seen[-1]:
            arrived.set()

    playbook(cloud, tmp_path)
    (tmp_path / "project").mkdir()
    (tmp_path / "site.yml").rename(tmp_path / "project" / "site.yml")
    cloud.run(name="web0")
    cloud.azure.hold()
    given = {
        "playbook": "site.yml",
        "envvars": environment(cloud, tmp_path),
        "inventory": "localhost ansible_connection=local",
    }
    thread, run = runner.run_async(private_data_dir=str(tmp_path), event_handler=listen, quiet=True, **given)
    try:
        while not arrived.is_set() and thread.is_alive():
            held = [entry for entry in cloud.going() if "virtualMachines" not in str(entry["target"])]
            for entry in held:
                cloud.azure.release(entry["id"])
            time.sleep(0.05)
        assert arrived.is_set(), seen
        assert cloud.going()
    finally:
        cloud.azure.hold(False)
        for entry in cloud.going():
            cloud.azure.release(entry["id"])
        thread.join(60)
    assert run.status == "successful", seen
