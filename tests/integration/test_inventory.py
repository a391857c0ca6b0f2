# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The inventory plugin, as ansible-inventory shows it, over hosts in a local Azure."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest

from azure_emulator.launcher import LocalAzure
from azure_emulator.state import StateFile

from .conftest import REPOSITORY, User

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"


@pytest.fixture(scope="module")
def azure() -> t.Iterator[LocalAzure]:
    with LocalAzure(machines="none") as running:
        yield running


@pytest.fixture(scope="module")
def fleet(azure: LocalAzure, tmp_path_factory: pytest.TempPathFactory) -> User:
    """A private host, two with one name, one that is off, and a VM that is not ours."""
    user = User(azure, tmp_path_factory.mktemp("fleet") / "owner")
    module = "dockerhost.azure.docker_vm_host"
    options: list[dict[str, t.Any]] = [
        {"name": "web1", "resource_group": "west", "location": "westeurope", "tags": {"stage": "production"}},
        {"name": "web1", "resource_group": "north", "location": "northeurope", "docker_port": 5000, "ssh_port": 2222},
        {"name": "db1", "resource_group": "west", "location": "westeurope", "assign_public_ip": False},
        {"name": "off1", "resource_group": "west", "location": "westeurope"},
    ]
    tasks: list[dict[str, t.Any]] = [{module: {**option, "ssh_public_keys": [KEY]}} for option in options]
    tasks.append({module: {"name": "off1", "resource_group": "west", "state": "deallocated"}})
    playbook = user.home / "fleet.yml"
    playbook.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]))
    user.play(str(playbook))
    return user


def listed(user: User, *arguments: str, fails: bool = False, **options: t.Any) -> dict[str, t.Any]:
    """What ansible-inventory shows, with the marks for strings from outside taken off."""
    path = user.home / "docker_vm_host.yml"
    path.write_text(json.dumps({"plugin": "dockerhost.azure.docker_vm_host", **options}))
    ran = user.run(
        "ansible-inventory",
        "-i",
        str(path),
        "--list",
        *arguments,
        environment={"ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "true"},
    )
    assert (ran.code != 0) == fails, ran.output
    if fails:
        return {"output": ran.output}
    return t.cast("dict[str, t.Any]", _plain(json.loads(ran.output[ran.output.index("{") :])))


def _plain(value: t.Any) -> t.Any:
    if isinstance(value, dict):
        return (
            value["__ansible_unsafe"]
            if set(value) == {"__ansible_unsafe"}
            else {k: _plain(v) for k, v in value.items()}
        )
    return [_plain(item) for item in value] if isinstance(value, list) else value


def test_all_hosts_with_their_variables(fleet: User) -> None:
    shown = listed(fleet)
    hosts = shown["_meta"]["hostvars"]
    assert sorted(hosts) == ["db1", "off1", "web1.north", "web1.west"]
    assert sorted(shown["docker_hosts"]["hosts"]) == sorted(hosts)
    north = hosts["web1.north"]
    assert north["docker_host_name"] == "web1"
    assert north["docker_host_resource_group"] == "north"
    assert north["docker_host_port"] == 5000
    assert north["ansible_port"] == 2222
    assert north["ansible_user"] == "azureuser"
    assert north["ansible_host"].startswith("web1-")
    url = f"tcp://{north['ansible_host']}:5000"
    assert north["ansible_docker_docker_host"] == url
    facts = north["docker_host_facts"]
    directory = str(fleet.home / ".docker")
    assert facts["env"] == {"DOCKER_HOST": url, "DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": directory}
    assert facts["connection"] == {
        "docker_host": url,
        "tls": True,
        "validate_certs": True,
        "ca_path": f"{directory}/ca.pem",
        "client_cert": f"{directory}/cert.pem",
        "client_key": f"{directory}/key.pem",
    }
    assert hosts["off1"]["docker_host_facts"]["host"]["power_state"] == "deallocated"
    assert north["docker_host_facts"]["host"]["power_state"] == "running"
    private = hosts["db1"]
    assert private["ansible_host"] == private["docker_host_facts"]["host"]["private_ip_address"]
    assert private["docker_host_facts"]["host"]["public_ip_address"] is None


def test_no_request_for_a_single_host(fleet: User) -> None:
    fleet.azure.clear_requests()
    listed(fleet)
    assert fleet.writes_and_reads() == 4
    listed(fleet, agent_state=True)
    assert fleet.writes_and_reads() == 4 + 4
    listed(fleet, resource_groups=["west", "north", "WEST"])
    assert fleet.writes_and_reads() == 1 + 2 * 3
    # Without the right to list states of the whole subscription, each host of ours is asked for its own.
    fleet.azure.fault(
        "status", method="GET", path="/subscriptions/[^/]+/providers/.*/virtualMachines$", nth=1, status=403
    )
    hosts = listed(fleet, resource_groups=["west"])["_meta"]["hostvars"]
    assert fleet.writes_and_reads() == 4 + 3
    assert hosts["off1"]["docker_host_facts"]["host"]["power_state"] == "deallocated"
    assert hosts["off1"]["docker_host_facts"]["host"]["agent_state"] is None


def test_five_hundred_hosts(tmp_path: Path) -> None:
    """However many there are, the lists are asked for once. The hosts are copies of one, in the state of the cloud."""
    directory = tmp_path / "cloud"
    options = {"name": "crowd0", "resource_group": "crowd", "location": "westeurope"}
    with LocalAzure(machines="none", state_dir=directory) as azure:
        user = User(azure, tmp_path / "crowd")
        playbook = user.home / "one.yml"
        tasks = [{"dockerhost.azure.docker_vm_host": options}]
        playbook.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]))
        user.play(str(playbook))
        address = next(iter(azure.names().values()))
    _multiply(directory / "state.sqlite", 500, address)
    with LocalAzure(machines="none", state_dir=directory) as azure:
        user = User(azure, tmp_path / "crowd")
        azure.clear_requests()
        grouped: dict[str, t.Any] = {
            "keyed_groups": [{"prefix": "size", "key": "vm_size"}],
            "groups": {"on": "power_state == 'running'"},
        }
        shown = listed(user, **grouped)
        assert user.writes_and_reads() == 4
        assert len(shown["_meta"]["hostvars"]) == 500
        assert len(shown["on"]["hosts"]) == 500
        assert len({variables["ansible_host"] for variables in shown["_meta"]["hostvars"].values()}) == 500
        azure.switch("page_size", 100)
        assert listed(user, **grouped) == shown
        assert user.writes_and_reads() == 4 * 5


def _multiply(state: Path, number: int, address: str) -> None:
    file = StateFile(state)
    originals = [(key, json.dumps(value)) for key, value in file.load("resources").items() if "crowd0" in key]
    assert len(originals) >= 4
    for n in range(1, number):
        for key, text in originals:
            there = text.replace("crowd0", f"crowd{n}").replace(address, f"198.18.{10 + n // 250}.{1 + n % 250}")
            file.put("resources", key.replace("crowd0", f"crowd{n}"), json.loads(there))
    file.close()


def test_groups_and_filters(fleet: User) -> None:
    shown = listed(
        fleet,
        resource_groups=["west"],
        keyed_groups=[{"prefix": "location", "key": "location"}],
        groups={"off": "power_state != 'running'"},
        compose={"region": "location", "ansible_port": "ssh_port + 1"},
        group="engines",
    )
    assert sorted(shown["_meta"]["hostvars"]) == ["db1", "off1", "web1"]
    assert shown["off"]["hosts"] == ["off1"]
    assert sorted(shown["location_westeurope"]["hosts"]) == ["db1", "off1", "web1"]
    assert sorted(shown["engines"]["hosts"]) == ["db1", "off1", "web1"]
    assert shown["_meta"]["hostvars"]["web1"]["region"] == "westeurope"
    # Before 2.19, ansible-core makes text of whatever is composed.
    assert int(shown["_meta"]["hostvars"]["web1"]["ansible_port"]) == 23
    assert list(listed(fleet, host_tags={"stage": "production"})["_meta"]["hostvars"]) == ["web1"]
    private = listed(fleet, private_addresses=True)["_meta"]["hostvars"]["web1.west"]
    assert private["ansible_host"].startswith("10.")


def test_agent_state(fleet: User) -> None:
    hosts = listed(fleet, agent_state=True)["_meta"]["hostvars"]
    assert hosts["web1.west"]["docker_host_facts"]["host"]["agent_state"] == "ready"


def test_strict(fleet: User) -> None:
    listed(fleet, compose={"x": "no_such_thing.at_all"})
    assert "no_such_thing" in listed(fleet, fails=True, strict=True, compose={"x": "no_such_thing.at_all"})["output"]


def test_cache(fleet: User) -> None:
    options: dict[str, t.Any] = {
        "cache": True,
        "cache_plugin": "ansible.builtin.jsonfile",
        "cache_connection": str(fleet.home / "cache"),
    }
    first = listed(fleet, **options)
    fleet.azure.clear_requests()
    assert listed(fleet, **options) == first
    assert fleet.writes_and_reads() == 0
    # ansible-inventory has --flush-cache since ansible-core 2.19, ansible-playbook has always had it.
    inventory = str(fleet.home / "docker_vm_host.yml")
    playbook = "dockerhost.azure.list_docker_images"
    flushed = fleet.run("ansible-playbook", "-i", inventory, "--flush-cache", "--list-hosts", playbook)
    assert flushed.code == 0, flushed.output
    assert fleet.writes_and_reads() > 0
    assert listed(fleet, **options) == first


def test_several_subscriptions(tmp_path: Path) -> None:
    """Two hosts of one name in groups of one name; a group that is in one of the subscriptions only."""
    other = "0b1f6471-1bf0-4dda-aec3-cb9272f09590"
    with LocalAzure(machines="none", switches={"extra_subscriptions": [other]}) as azure:
        user = User(azure, tmp_path / "two")
        first = azure.subscription_id
        common = {"location": "westeurope", "ssh_public_keys": [KEY]}
        options = [
            {"name": "web1", "resource_group": "west", **common},
            {"name": "web1", "resource_group": "west", "subscription_id": other, **common},
            {"name": "db1", "resource_group": "north", "subscription_id": other, **common},
        ]
        tasks = [{"dockerhost.azure.docker_vm_host": option} for option in options]
        playbook = user.home / "fleet.yml"
        playbook.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]))
        user.play(str(playbook))
        azure.clear_requests()
        both = [first, other, other.upper()]
        hosts = listed(user, subscriptions=both)["_meta"]["hostvars"]
        assert user.writes_and_reads() == 2 * 4
        assert sorted(hosts) == sorted(["db1", f"web1.west.{first}", f"web1.west.{other}"])
        assert hosts[f"web1.west.{other}"]["docker_host_subscription_id"] == other
        assert list(listed(user, subscriptions=both, resource_groups=["north"])["_meta"]["hostvars"]) == ["db1"]
        assert list(listed(user)["_meta"]["hostvars"]) == ["web1"]


def test_as_awx_asks(fleet: User) -> None:
    """An inventory source: a project's file, an Azure credential in the environment, nothing else."""
    source = REPOSITORY / "examples" / "awx" / "inventory" / "docker_vm_host.yml"
    empty = {"AZURE_AD_USER": "", "AZURE_PASSWORD": "", "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "true"}
    ran = fleet.run("ansible-inventory", "-i", str(source), "--list", "--export", environment=empty)
    assert ran.code == 0, ran.output
    assert len(json.loads(ran.output)["docker_hosts"]["hosts"]) == 4


def test_role_runs_against_it(fleet: User, tmp_path: Path) -> None:
    path = fleet.home / "west.docker_vm_host.yml"
    path.write_text(json.dumps({"plugin": "dockerhost.azure.docker_vm_host", "resource_groups": ["west"]}))
    ran = fleet.run(
        "ansible-playbook",
        "-i",
        str(path),
        "dockerhost.azure.stop_docker_host",
        "-e",
        "docker_host_targets=web1",
        "--check",
    )
    assert ran.code == 0, ran.output
    assert ran.changed == {"web1": 1}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"auth_source": "pigeon"}, "auth_source"),
        ({"subscription_id": "00000000-0000-0000-0000-000000000000"}, "00000000"),
        ({"unknown": 1, "group": ["a"]}, "group"),
        ({"resource_groups": ["west", "nowhere"]}, "resource_groups: there is no resource group nowhere"),
    ],
)
def test_bad_configuration(fleet: User, options: dict[str, t.Any], message: str) -> None:
    # Older ansible-core breaks lines.
    assert message in " ".join(listed(fleet, fails=True, **options)["output"].split())
