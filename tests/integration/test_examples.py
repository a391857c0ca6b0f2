# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The examples, run as they stand."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from azure_emulator.launcher import LocalAzure

from .conftest import REPOSITORY, User

EXAMPLES = REPOSITORY / "examples"


@pytest.fixture
def example(request: pytest.FixtureRequest, azure: LocalAzure, tmp_path: Path) -> tuple[User, Path]:
    """A user with a copy of the example that the test's name ends in."""
    name = request.node.name.removeprefix("test_").replace("_", "-")
    user = User(azure, tmp_path / name)
    directory = user.home / "project"
    shutil.copytree(EXAMPLES / name, directory)
    return user, directory


def test_single_host(example: tuple[User, Path]) -> None:
    user, directory = example
    ran = user.play(str(directory / "site.yml"))
    assert "runs Docker" in ran.output
    assert user.play(str(directory / "site.yml")).changed["localhost"] == 0


@pytest.mark.slow
def test_three_hosts(example: tuple[User, Path]) -> None:
    user, directory = example
    arguments = ("-i", str(directory / "inventory.yml"), "-f", "3")
    assert user.play(str(directory / "site.yml"), *arguments).changed == {"front1": 4, "back1": 4, "back2": 4}
    rules = [
        resource["properties"]
        for path, resource in user.azure.dump().items()
        if "/networksecuritygroups/front1-nsg/securityrules/" in path.lower()
    ]
    sources = {
        source
        for rule in rules
        if rule["access"] == "Allow"
        and "4243" in json.dumps([rule.get("destinationPortRange"), rule.get("destinationPortRanges")])
        for source in [rule.get("sourceAddressPrefix"), *rule.get("sourceAddressPrefixes", [])]
        if source
    }
    assert sources == {"203.0.113.0/24", "10.20.0.0/16"}
    assert user.play(str(directory / "site.yml"), *arguments).changed == {"front1": 0, "back1": 0, "back2": 0}


@pytest.mark.slow
def test_existing_vm(example: tuple[User, Path]) -> None:
    user, directory = example
    group = user.variables["docker_host_resource_group"]
    options = {"name": "old1", "resource_group": group, "location": "westeurope"}
    task = {"dockerhost.azure.docker_vm_host": options, "register": "made"}
    keep = {"ansible.builtin.copy": {"content": "{{ made.host.public_ip_address }}", "dest": "address", "mode": "0600"}}
    (user.home / "made.yml").write_text(
        json.dumps([{"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": [task, keep]}])
    )
    user.play(str(user.home / "made.yml"))
    address = (user.home / "address").read_text()
    arguments = ("-e", f"vm=old1 group={group} address={address}")
    ran = user.play(str(directory / "site.yml"), *arguments)
    assert f"tcp://{address}:4243" in ran.output
    assert user.play(str(directory / "site.yml"), *arguments).changed == {"localhost": 0}


@pytest.mark.slow
def test_private_host(example: tuple[User, Path]) -> None:
    user, directory = example
    arguments = ("-e", '{"jump_sources": ["203.0.113.0/24"]}')
    ran = user.play(str(directory / "site.yml"), *arguments)
    assert "127.0.0.1:14243:10.0.0." in ran.output
    addresses = [path for path in user.azure.dump() if "publicipaddresses/db1" in path.lower()]
    assert addresses == []
    assert user.play(str(directory / "site.yml"), *arguments).changed["localhost"] == 0


@pytest.mark.slow
def test_compose(example: tuple[User, Path]) -> None:
    user, directory = example
    # Stand-ins run no containers; with real guests the end-to-end tests wait for the application's answer.
    arguments = ("-e", "check_http=false")
    assert user.play(str(directory / "site.yml"), *arguments).changed["localhost"] == 4
    assert user.play(str(directory / "site.yml"), *arguments).changed["localhost"] == 0


def test_every_example_is_tested() -> None:
    here = Path(__file__).read_text() + (Path(__file__).parent / "test_awx.py").read_text()
    for path in EXAMPLES.iterdir():
        if path.is_dir():
            assert f"def test_{path.name.replace('-', '_')}" in here, path.name
