# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Two people with homes of their own share the hosts whose CA is in a key vault, through a rotation of the CA."""

from __future__ import annotations

import json
import shutil
import typing as t
from pathlib import Path

import pytest

from azure_emulator.launcher import LocalAzure
from azure_emulator.vault.testing import make_vault, secret_values

from .conftest import User


def somebody(azure: LocalAzure, home: Path, vault: str) -> User:
    user = User(azure, home)
    user.variables.update(
        docker_host_resource_group="rg-shared",
        docker_host_name="shared1",
        docker_host_store="key_vault",
        docker_host_key_vault=vault,
        docker_host_context=False,
        docker_host_keep_certs=True,
    )
    return user


def fingerprint(user: User) -> str:
    return (user.docker_directory / "ca.pem").read_text()


def answers(user: User, host: str = "shared1") -> bool:
    """Whether the engine lets this user in."""
    (name,) = (name for name in user.azure.names() if name.startswith(host))
    connection = {
        "docker_host": f"tcp://{name}:4243",
        "tls": True,
        "validate_certs": True,
        "ca_path": str(user.docker_directory / "ca.pem"),
        "client_cert": str(user.docker_directory / "cert.pem"),
        "client_key": str(user.docker_directory / "key.pem"),
        "timeout": 30,
    }
    arguments = ("-m", "dockerhost.azure.docker_endpoint_info", "-a", json.dumps(connection))
    return user.run("ansible", "localhost", "-c", "local", *arguments).code == 0


@pytest.mark.slow
def test_two_people_and_a_rotation(azure: LocalAzure, tmp_path: Path) -> None:
    vault = make_vault(azure, "two-people")
    anna, ben = (somebody(azure, tmp_path / name, vault) for name in ("anna", "ben"))
    anna.play("create_docker_host")
    anna.writes()
    ben.play("create_docker_host")
    assert anna.writes() == []
    assert fingerprint(anna) == fingerprint(ben)
    assert answers(anna)
    assert answers(ben)

    ben.play("rotate_docker_certs", rotate="ca")
    assert answers(ben)
    # Anna's own certificates are of the old CA; her next run brings her those of the new one.
    assert fingerprint(anna) != fingerprint(ben)
    anna.play("create_docker_host")
    assert fingerprint(anna) == fingerprint(ben)
    assert answers(anna)

    shutil.rmtree(anna.docker_directory)
    anna.writes()
    anna.play("create_docker_host")
    assert anna.writes() == []
    for user in (anna, ben):
        assert not [name for name in user.files() if Path(name).name == "ca-key.pem"]
    documents: list[dict[str, t.Any]] = [json.loads(text) for text in secret_values(azure, vault, "docker-ca")]
    assert len({entry["ca"] for entry in documents}) == 2
    anna.play("delete_docker_host")


@pytest.mark.slow
def test_a_rotation_leaves_no_host_behind(azure: LocalAzure, tmp_path: Path) -> None:
    """Whoever rotates the CA need not know the hosts of others: Azure does."""
    vault = make_vault(azure, "left-behind")
    anna, ben = (somebody(azure, tmp_path / name, vault) for name in ("anna", "ben"))
    for name in ("left1", "left2"):
        anna.play("create_docker_host", name=name)
    versions = secret_values(azure, vault, "docker-ca")
    anna.writes()
    refused = ben.play("rotate_docker_certs", name="left1", rotate="ca", fails=True)
    assert "lacks left2 (rg-shared)" in refused.output
    # A sign-in with rights in the group only.
    everywhere = f"/subscriptions/{azure.subscription_id}/providers/Microsoft.Compute/virtualMachines"
    azure.fault("status", method="GET", path=everywhere, status=403, times=0)
    refused = ben.play("rotate_docker_certs", name="left1", rotate="ca", fails=True)
    assert "lacks left2 (rg-shared)" in refused.output
    assert anna.writes() == []
    assert secret_values(azure, vault, "docker-ca") == versions

    (ben.home / "docker_vm_host.yml").write_text(
        "plugin: dockerhost.azure.docker_vm_host\nresource_groups: [rg-shared]\n"
    )
    del ben.variables["docker_host_name"]
    hosts = ("-i", "docker_vm_host.yml", "-e", "docker_host_targets=docker_hosts")
    shutil.rmtree(ben.docker_directory)
    ran = ben.play("rotate_docker_certs", *hosts, rotate="ca")
    azure.faults_clear()
    assert set(ran.changed) == {"left1", "left2"}
    # What the sign-in did not allow to search is named.
    assert "Only the resource groups rg-shared of the subscription" in " ".join(ran.output.split())
    assert len({json.loads(text)["ca"] for text in secret_values(azure, vault, "docker-ca")}) == 2
    assert [answers(ben, name) for name in ("left1", "left2")] == [True, True]

    # What the directory itself knows, it does not leave behind.
    shutil.rmtree(ben.docker_directory)
    ben.play("rotate_docker_certs", name="left1", rotate="ca", allow_ca_lockout=True)
    assert [answers(ben, name) for name in ("left1", "left2")] == [True, False]
