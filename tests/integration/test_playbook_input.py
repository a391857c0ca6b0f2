# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What users give the playbooks: no name, empty answers of a survey, bad values, names that clash."""

from __future__ import annotations

import json
import re
import typing as t

import pytest

from .conftest import REPOSITORY, User


def test_without_a_name(user: User) -> None:
    for path in (REPOSITORY / "playbooks").glob("*.yml"):
        if not path.stem.startswith(("list_", "sign_")):
            assert "docker_host_name: must be set" in user.play(path.stem, fails=True).output, path.stem
    assert user.writes() == []


@pytest.mark.slow
def test_empty_answers_of_a_survey(user: User) -> None:
    import yaml

    specs = yaml.safe_load((REPOSITORY / "roles/docker_host/meta/argument_specs.yml").read_text())
    options = specs["argument_specs"]["main"]["options"]
    # Of these, something must be said; they are asked for below.
    answers = {key.removeprefix("docker_host_"): "" for key in options if key not in SAID}
    assert user.play("create_docker_host", name="web1", **answers).changed == {"localhost": 4}
    # The tests' own variables name an engine.
    again = user.play("create_docker_host", "--diff", name="web1", engine="")
    assert again.changed == {"localhost": 0}, again.output


# The host's name on localhost, and the region and group of the tests' own.
SAID = ("docker_host_name", "docker_host_location", "docker_host_resource_group")


def test_empty_names_of_a_survey(user: User) -> None:
    """An inventory's host with empty answers is the host of its name in the default group, and runs on localhost."""
    user.write_inventory(["survey1"])
    empty = {
        "name": "",
        "resource_group": "",
        "delegate_to": "",
        "tags": "",
        "logins": "",
        "context_name": "",
        "port": "",
    }
    text = {"open_ports": "80\n443", "dns_names": "a.example.com, b.example.com", "allowed_sources": "Internet\n"}
    arguments = ("-i", "inventory.json", "-e", "docker_host_targets=docker_hosts")
    made = user.play("create_docker_host", *arguments, **empty, **text)
    assert made.changed == {"survey1": 4}
    assert "; 80 from Internet; 443 from Internet" in " ".join(made.output.split())
    assert re.search(r"Addresses: .*a\.example\.com, b\.example\.com", made.output)
    machines = [path for path in user.azure.dump() if path.lower().endswith("/virtualmachines/survey1")]
    groups = {path.split("/")[4].lower() for path in machines}
    assert groups == {"docker-hosts"}
    lists = {
        "open_ports": ["80", "443"],
        "dns_names": ["a.example.com", "b.example.com"],
        "resource_group": "docker-hosts",
    }
    assert user.play("create_docker_host", *arguments, **lists).changed == {"survey1": 0}
    assert user.play("create_docker_host", *arguments, **empty, **text).changed == {"survey1": 0}
    assert user.play("stop_docker_host", *arguments, **empty).changed == {"survey1": 1}
    assert user.play("delete_docker_host", *arguments, **empty).changed == {"survey1": 3}


KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"

# Variables of one host, and what its one error must say.
BAD: list[tuple[dict[str, t.Any], str]] = [
    ({"name": "web_1!"}, "docker_host_name: "),
    ({"port": "no"}, "docker_host_port"),
    ({"port": 22}, "docker_host_port: must differ from the SSH port"),
    ({"port": 70000}, "docker_host_port: "),
    ({"wait": "perhaps"}, "docker_host_wait"),
    ({"context_transport": "pigeon"}, "docker_host_context_transport"),
    ({"handler": "docker_machine"}, "docker_host_handler"),
    ({"ca_key_type": "rot13"}, "docker_host_ca_key_type"),
    ({"allowed_sources": {"a": 1}}, "docker_host_allowed_sources: must be a list"),
    ({"admin_username": "docker"}, "docker_host_admin_username: "),
    ({"admin_password": "Password1"}, "docker_host_admin_password: "),
    ({"ca_not_after": "+1d"}, "docker_host_ca_renew_before: "),
    ({"docker": "options"}, "docker_host_docker: "),
    ({"tags": "stage"}, "docker_host_tags: must be a dictionary"),
    ({"logins": "me"}, "docker_host_logins: "),
    ({"context_name": "default"}, "docker_host_context_name: "),
    ({"ca_path": "/nowhere/ca.pem"}, "docker_host_ca_path: "),
    ({"ca_key_content": "no key"}, "docker_host_ca_key_content: "),
    ({"ssh_allowed_sources": ["everywhere!"]}, "docker_host_ssh_allowed_sources[0]: "),
    ({"docker": {"options": ["--host=tcp://0.0.0.0:2375"]}}, "docker_host_docker.options[0]: "),
    ({"engine": {"source": "nowhere"}}, "docker_host_engine: "),
    ({"compose": [{"name": "Not Good", "content": "services: {}"}]}, "docker_host_compose[0].name: "),
    ({"location": ""}, "docker_host_location: "),
    # Contradictions.
    ({"assign_public_ip": False, "dns_label": "abc"}, "docker_host_dns_label: "),
    ({"assign_dns_label": False, "dns_label": "abc"}, "docker_host_dns_label: "),
    ({"ssh_public_keys": [KEY], "ssh_private_key_path": "~/.ssh/key"}, "docker_host_ssh_private_key_path: "),
    ({"ssh_password_enabled": True}, "docker_host_ssh_password_enabled: "),
    ({"open_ports": [4243]}, "docker_host_open_ports[0]: "),
    ({"max_price": 0.1}, "docker_host_max_price: "),
    ({"network_interface": "nic1", "private_ip_address": "10.0.0.9"}, "docker_host_private_ip_address: "),
    ({"subnet_prefix": "192.168.0.0/24"}, "docker_host_subnet_prefix: "),
]


def test_bad_input_is_one_error_and_changes_nothing(user: User) -> None:
    """Many hosts in one run, each with something wrong: nothing is asked of Azure but reads, and no file is made."""
    good = {"location": "westeurope", "resource_group": "nowhere", "engine": {"source": "distribution"}}
    hosts = {
        f"case{number}": {f"docker_host_{key}": value for key, value in {**good, **case}.items()}
        for number, (case, _message) in enumerate(BAD)
    }
    (user.home / "inventory.json").write_text(json.dumps({"docker_hosts": {"hosts": hosts}}))
    targets = ("-e", "docker_host_targets=docker_hosts", "-f", "4")
    ran = user.run("ansible-playbook", "-i", "inventory.json", "dockerhost.azure.create_docker_host", *targets)
    assert ran.code != 0
    said: dict[str, list[str]] = {}
    for host, result in re.findall(r"^fatal: \[(case\d+)[^]]*\]: FAILED! => (.*)$", ran.output, re.MULTILINE):
        said.setdefault(host, []).append(json.loads(result)["msg"])
    others = {
        f"case{number}": (case, said.get(f"case{number}"))
        for number, (case, message) in enumerate(BAD)
        if [message in text for text in said.get(f"case{number}", [])] != [True]
    }
    assert others == {}
    assert user.writes() == []
    assert user.files() == []


# Names and variables of two hosts, variables of the play, and what is said.
CLASHES: list[tuple[dict[str, dict[str, str]], dict[str, str], str]] = [
    ({"n1": {}, "n2": {}}, {"name": "web1"}, "docker_host_name: n1 and n2 are both called web1"),
    ({"web1": {}, "n2": {"name": "web1"}}, {}, "docker_host_name: n2 and web1 are both called web1"),
    ({"web1": {}, "WEB1": {}}, {}, "are both called WEB1 (Azure names are case-insensitive)"),
    (
        {"n1": {}, "n2": {}},
        {"context_name": "ours"},
        "docker_host_context_name: n1 and n2 both have the context ours",
    ),
    (
        {"n1": {"name": "web1", "cert_dir": "~/a", "context_name": "a"}, "n2": {"name": "Web1", "cert_dir": "~/b"}},
        {},
        "docker_host_name: n2 and n1 are both called Web1",
    ),
]


@pytest.mark.parametrize(("hosts", "common", "message"), CLASHES)
def test_names_that_clash(user: User, hosts: dict[str, dict[str, str]], common: dict[str, str], message: str) -> None:
    """By inventory or by the play, in another case, in one group of Azure: one error, and no host is made twice."""
    given = {host: {f"docker_host_{key}": value for key, value in own.items()} for host, own in hosts.items()}
    (user.home / "inventory.json").write_text(json.dumps({"docker_hosts": {"hosts": given}}))
    targets = ("-i", "inventory.json", "-e", "docker_host_targets=docker_hosts")
    play = {"hosts": "docker_hosts", "gather_facts": False, "vars": {f"docker_host_{k}": v for k, v in common.items()}}
    role = {"ansible.builtin.import_role": {"name": "dockerhost.azure.docker_host"}}
    (user.home / "site.yml").write_text(json.dumps([{**play, "tasks": [role]}]))
    ran = user.play(str(user.home / "site.yml"), *targets, "--check", fails=True)
    assert message in " ".join(ran.output.split())
    assert "Give each a docker_host_name of its own" in " ".join(ran.output.split())
    assert user.writes() == []


def test_names_that_do_not_clash(user: User) -> None:
    """One name in two groups, with nothing in common."""
    hosts = {
        host: {
            "docker_host_name": "web1",
            "docker_host_resource_group": f"rg-{host}",
            "docker_host_cert_dir": f"~/{host}",
            "docker_host_context_name": host,
            "docker_host_location": "westeurope",
        }
        for host in ("n1", "n2")
    }
    (user.home / "inventory.json").write_text(json.dumps({"docker_hosts": {"hosts": hosts}}))
    targets = ("-i", "inventory.json", "-e", "docker_host_targets=docker_hosts", "--check")
    ran = user.run("ansible-playbook", "dockerhost.azure.create_docker_host", *targets)
    assert ran.code == 0, ran.output
    assert ran.changed == {"n1": 4, "n2": 4}
