# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""examples/awx as AWX runs it: by ansible-runner, in a private data directory, with a HOME that is thrown away.

The CA comes in by the credential, or lives in a key vault.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from azure_emulator.launcher import LocalAzure
from azure_emulator.vault.testing import make_vault, secret_values

from .awx import PASSPHRASE, Controller, changed, events, stdout
from .conftest import BIN

PUBLIC_KEYS = """ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJzDbGvKxJ1lmVgQ0k8hVV0OQ9m5bC8sJkW0Cq3vFq8d anna
ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJzDbGvKxJ1lmVgQ0k8hVV0OQ9m5bC8sJkW0Cq3vFq8e ben
"""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (BIN / "ansible-runner").exists(), reason="ansible-runner is not installed"),
]


@pytest.mark.parametrize("way", ["credential", "key vault"])
@pytest.mark.parametrize("remotely", [False, True], ids=["directly", "through transmit, worker, process"])
def test_awx(azure: LocalAzure, tmp_path: Path, remotely: bool, way: str) -> None:
    name = f"job-{way[:3]}-{'remote' if remotely else 'local'}"
    vault = make_vault(azure, f"awx-{name}"[:24]) if way == "key vault" else None
    controller = Controller(azure, tmp_path, vault, passphrase="" if remotely else PASSPHRASE)
    group = f"rg-{name}"
    survey = {
        "docker_host_name": name,
        "docker_host_resource_group": group,
        "docker_host_location": "westeurope",
        "docker_host_vm_size": "",
        "docker_host_port": "",
        "docker_host_allowed_sources": "",
        "docker_host_ssh_allowed_sources": "192.0.2.0/24,198.51.100.0/24",
        "docker_host_ssh_public_keys": PUBLIC_KEYS,
        "docker_host_wait": "",
    }
    job = controller.run("create_docker_host.yml", survey, remotely=remotely)
    shown = [event["stdout"] for event in events(job) if event["event"] == "verbose"]
    assert any(f"{name}: VM" in text for text in shown), "progress is seen as events"
    assert changed(job)

    controller.owner.writes()
    second = controller.run("create_docker_host.yml", survey, remotely=remotely)
    assert controller.owner.writes() == []
    assert changed(second) == {}, stdout(second)
    assert controller.lets_in(1, name)
    assert controller.lets_in(2, name)

    moved = {**survey, "docker_host_port": "5000"}
    ports = controller.run("create_docker_host.yml", moved, remotely=remotely)
    assert any("virtualMachines" in line for line in controller.owner.writes())
    assert f"{name}: Docker" in stdout(ports)
    if vault is not None:
        neighbour = {**survey, "docker_host_name": f"beside-{name}"}
        controller.run("create_docker_host.yml", neighbour, remotely=remotely)
        rotated = controller.run("rotate_docker_certs.yml", {}, remotely=remotely)
        assert set(changed(rotated)) == {name, f"beside-{name}"}
        assert len({json.loads(value)["ca"] for value in secret_values(azure, vault, "docker-ca")}) == 2
        controller.owner.writes()
        for answers in (moved, neighbour):
            controller.run("create_docker_host.yml", answers, remotely=remotely)
        assert controller.owner.writes() == []
        # A rotation is of all hosts that there are: the next test's must not meet this one.
        gone = {"docker_host_name": f"beside-{name}", "docker_host_resource_group": group}
        controller.run("delete_docker_host.yml", gone, remotely=remotely)
    gone = {"docker_host_name": name, "docker_host_resource_group": group}
    controller.run("delete_docker_host.yml", gone, remotely=remotely)
    assert not [path for path in controller.azure.dump() if f"/virtualmachines/{name}" in path.lower()]


def test_jobs_for_all_hosts_of_the_inventory(azure: LocalAzure, tmp_path: Path) -> None:
    controller = Controller(azure, tmp_path, make_vault(azure, "awx-all-hosts"))
    host = {"docker_host_name": "all1", "docker_host_resource_group": "rg-all"}
    survey = {
        **host,
        "docker_host_location": "westeurope",
        "docker_host_ssh_public_keys": PUBLIC_KEYS,
        "docker_host_tags": "team=web,stage=test",
        "docker_host_open_ports": "80,443",
        "docker_host_data_disk_gb": "16",
    }
    controller.run("create_docker_host.yml", survey)
    for playbook in ("verify", "renew", "verify", "stop", "start", "restart"):
        name = f"{playbook}_docker_{'certs' if playbook == 'renew' else 'host'}.yml"
        controller.run(name, {"docker_host_targets": "docker_hosts"})
    controller.run("delete_docker_host.yml", host)


def test_slices_of_a_job_share_the_ca_in_a_key_vault(azure: LocalAzure, tmp_path: Path) -> None:
    vault = make_vault(azure, "awx-slices")
    controller = Controller(azure, tmp_path, vault)
    hosts = ["slice1", "slice2"]
    survey = {
        "docker_host_targets": "docker_hosts",
        "docker_host_resource_group": "rg-slices",
        "docker_host_location": "westeurope",
    }
    first = controller.run_slices("create_docker_host.yml", survey, hosts, 2)
    assert [set(changed(job)) for job in first] == [{"slice1"}, {"slice2"}]
    assert len({json.loads(value)["ca"] for value in secret_values(azure, vault, "docker-ca")}) == 1
    assert controller.lets_in(1, "slice2")
    assert controller.lets_in(2, "slice1")
    controller.run_slices("delete_docker_host.yml", survey, hosts, 1)


def test_awx_job_without_the_ca_cuts_nobody_off(azure: LocalAzure, tmp_path: Path) -> None:
    azure.clear_requests()
    controller = Controller(azure, tmp_path)
    survey = {
        "docker_host_name": "kept1",
        "docker_host_resource_group": "rg-kept",
        "docker_host_location": "westeurope",
    }
    opened = {**survey, "docker_host_ssh_allowed_sources": "192.0.2.0/24", "docker_host_ssh_public_keys": ""}
    refused = controller.run("create_docker_host.yml", opened, fails=True)
    assert "nobody could ever sign in" in stdout(refused)
    assert controller.owner.writes() == []
    secrets = len(controller.secrets)
    made = controller.run("create_docker_host.yml", survey)
    assert "discarded with this job" in " ".join(stdout(made).split())
    assert len(controller.secrets) > secrets, "the keys of the job, that for SSH among them"
    controller.owner.writes()
    job = controller.run("create_docker_host.yml", survey, fails=True, credential=False)
    assert "its engine trusts the CA" in stdout(job)
    assert controller.owner.writes() == []
