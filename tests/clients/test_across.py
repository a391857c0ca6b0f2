# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What one client makes, another reads, changes and deletes."""

from __future__ import annotations

from pathlib import Path

from azure_emulator.launcher import LocalAzure

from .support import PLAYS, Az, Playbooks
from .test_az import make_machine, make_network, names


def of_group(azure: LocalAzure, group: str) -> list[str]:
    """Return the resources of a group."""
    return [id_ for id_ in azure.dump() if f"/resourcegroups/{group}/" in f"{id_}/".lower()]


def test_we_take_over_what_az_made(
    azure: LocalAzure, az: Az, user: Playbooks, ssh_public_key: str, tmp_path: Path
) -> None:
    group = "rg-by-az"
    make_network(az, group, "web1")
    make_machine(az, group, "web1", ssh_public_key, tmp_path)
    variables = {"group": group, "ssh_public_key": ssh_public_key, "subscription_id": azure.subscription_id}
    assert user(PLAYS / "take_over.yml", variables) >= 2, user.output
    tags = az(f"vm show -g {group} -n web1")["tags"]
    assert tags["made-by"] == "az"
    assert tags["docker-host"] == "web1"
    assert names(az(f"vm extension list -g {group} --vm-name web1")) == ["docker-host"]
    rules = az(f"network nsg rule list -g {group} --nsg-name web1-nsg")
    assert any(rule["destinationPortRange"] == "4243" for rule in rules)
    az(f"group delete --yes -n {group}")
    assert of_group(azure, group) == []


def test_az_shows_and_deletes_what_we_made(azure: LocalAzure, az: Az, user: Playbooks) -> None:
    group = "rg-by-us"
    variables = {"docker_host_name": "web2", "docker_host_resource_group": group}
    variables["docker_host_location"] = "westeurope"
    assert user("dockerhost.azure.create_docker_host", variables) >= 4, user.output
    shown = az(f"vm show -d -g {group} -n web2")
    assert shown["powerState"] == "VM running"
    assert shown["tags"]["docker-host"] == "web2"
    assert shown["publicIps"] in azure.names().values()
    assert shown["fqdns"] in azure.names()
    (extension,) = az(f"vm extension list -g {group} --vm-name web2")
    assert extension["provisioningState"] == "Succeeded"
    assert not extension.get("protectedSettings")
    assert "4243" in str(az(f"network nsg show -g {group} -n web2-nsg")["securityRules"])
    nic = az(f"network nic show -g {group} -n web2-nic")
    assert nic["ipConfigurations"][0]["privateIPAddress"] == shown["privateIps"]
    az(f"vm delete --yes -g {group} -n web2")
    az(f"group delete --yes -n {group}")
    assert of_group(azure, group) == []


def test_azcollection_reads_and_deletes_what_we_made(
    azure: LocalAzure, azcollection: Playbooks, user: Playbooks
) -> None:
    group = "rg-by-us-too"
    variables = {"docker_host_name": "web3", "docker_host_resource_group": group}
    variables["docker_host_location"] = "westeurope"
    assert user("dockerhost.azure.create_docker_host", variables) >= 4, user.output
    assert azcollection(PLAYS / "read_and_delete.yml", {"group": group, "host": "web3"}) == 2, azcollection.output
    assert of_group(azure, group) == []
