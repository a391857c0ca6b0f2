# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The SDK for Python, newest and oldest, makes, reads, changes and deletes a Docker host's resources."""

from __future__ import annotations

import json
import subprocess
import typing as t
from pathlib import Path

import pytest

from azure_emulator.launcher import LocalAzure
from azure_emulator.machines.names import command_with_hosts
from azure_emulator.vault.testing import make_vault

from . import client_venvs, figures
from .conftest import need
from .support import clean_environment

TOUR = Path(__file__).resolve().parent / "python_sdk" / "tour.py"
PACKAGES = ("azure-mgmt-compute", "azure-mgmt-network", "azure-mgmt-resource", "azure-mgmt-keyvault")
EXPECTED: dict[str, t.Any] = {
    "group": {"a": "b"},
    "group exists": True,
    "group does not": False,
    "group changed": {"a": "c"},
    "groups": ["rg-python", "vaults"],
    "provider": "Registered",
    "network": "docker-vnet",
    "subnet": "docker",
    "subnets": ["docker"],
    "peerings": [],
    "security group": "web1-nsg",
    "security rule": "docker",
    "security rules": ["docker"],
    "default rules": 6,
    "application group": "engines",
    "address": "web1-ip",
    "addresses": ["web1-ip"],
    "interface": "10.1.0.4",
    "interfaces": ["web1-nic"],
    "route tables": [],
    "load balancers": [],
    "usages of networks": True,
    "images": True,
    "usages of machines": True,
    "machine": "Succeeded",
    "machine read": "PowerState/running",
    "machines": ["web1"],
    "all machines": ["web1"],
    "sizes": True,
    "tags": {"by": "python", "more": "yes"},
    "disks": ["web1-data", "web1-os"],
    "larger disk": 64,
    "snapshot": 64,
    "snapshots": ["s1"],
    "access": True,
    "access revoked": None,
    "snapshot removed": None,
    "extension": "script",
    "extensions": ["script"],
    "extension removed": None,
    "script": ["ProvisioningState/succeeded"],
    "managed script": "who",
    "managed scripts": ["who"],
    "effective rules": True,
    "stopped": "PowerState/stopped",
    "deallocated": "PowerState/deallocated",
    "started": "PowerState/running",
    "restarted": "PowerState/running",
    "availability set": "set1",
    "scale sets": [],
    "resources": [
        "Microsoft.Compute/availabilitySets",
        "Microsoft.Compute/disks",
        "Microsoft.Compute/virtualMachines",
        "Microsoft.Compute/virtualMachines/runCommands",
        "Microsoft.Network/applicationSecurityGroups",
        "Microsoft.Network/networkInterfaces",
        "Microsoft.Network/networkSecurityGroups",
        "Microsoft.Network/publicIPAddresses",
        "Microsoft.Network/virtualNetworks",
    ],
    "resource": "web1",
    "tags of the group": {"a": "c"},
    "vault": "python-vault",
    "vaults": ["python-vault"],
    "vault removed": None,
    "secret": "password",
    "secret again": "second",
    "secret read": "second",
    "versions": 2,
    "secrets": ["password"],
    "secret removed": "password",
    "secret of before": [404, "SecretNotFound"],
    "missing machine": [404, "ResourceNotFound"],
    "missing subnet": [404, "NotFound"],
    "address in use": [400, "PublicIPAddressCannotBeDeleted"],
    "machine removed": None,
    "group removed": None,
    "groups left": ["vaults"],
}


@pytest.mark.parametrize("age", ["newest", "oldest"])
def test_tour_of_the_python_sdk(age: str, ssh_public_key: str, tmp_path: Path) -> None:
    need(f"sdk-{age}")
    python = client_venvs.python(f"sdk-{age}")
    with LocalAzure(machines="none") as azure:
        vault = make_vault(azure, "secrets-of-owner")
        environment = {
            **clean_environment(),
            "HOME": str(tmp_path),
            "REQUESTS_CA_BUNDLE": azure.ca_file,
            "AZURE_URL": azure.url,
            "AZURE_TENANT_ID": azure.tenant,
            "AZURE_CLIENT_ID": azure.client_id,
            "AZURE_CLIENT_SECRET": azure.secret,
            "AZURE_SUBSCRIPTION_ID": azure.subscription_id,
            "VAULT_URL": f"https://{vault}.vault.localhost:{azure.url.rpartition(':')[2].strip('/')}",
            "SSH_PUBLIC_KEY": ssh_public_key,
        }
        command = command_with_hosts(Path(azure.hosts_file), [str(python), str(TOUR)])
        done = subprocess.run(
            command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=600
        )
    assert done.returncode == 0, done.stderr
    steps = [json.loads(line) for line in done.stdout.splitlines()]
    failed = {name: error for name, _result, error in steps if error}
    assert not failed, failed
    results = {name: result for name, result, _error in steps}
    assert results == EXPECTED
    refused = [result for result in results.values() if isinstance(result, list) and result[:1] in ([400], [404])]
    figures.note(f"Azure SDK for Python, {age}", figures.versions(python, *PACKAGES), len(steps), len(refused))
