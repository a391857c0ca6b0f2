# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The controller's surroundings: what is set for all hosts, strategies, no HOME, and values as text."""

from __future__ import annotations

import json
import sys
import typing as t

import pytest

from .conftest import User

# Where the hosts of the inventory are reached, and as whom, says nothing about where the role's tasks run.
CONNECTION = {
    "ansible_become": True,
    "ansible_become_method": "sudo",
    "ansible_become_user": "nobody",
    "ansible_become_exe": "/no/such/sudo",
    "ansible_connection": "ssh",
    "ansible_host": "192.0.2.1",
    "ansible_port": 1,
    "ansible_user": "nobody",
    "ansible_password": "wrong password",
    "ansible_ssh_private_key_file": "/no/such/key",
    "ansible_ssh_common_args": "-o ConnectTimeout=1",
    "ansible_python_interpreter": "/no/such/python",
    "ansible_remote_tmp": "/no/such/directory",
    "ansible_shell_executable": "/no/such/shell",
}
# As they are typed: -e docker_host_tags='team=build'.
TEXT = (
    "docker_host_tags=team=build",
    "docker_host_allowed_sources=192.0.2.0/24,198.51.100.7",
    "docker_host_context=no",
)

# A proxy that leads nowhere, and what is reached without it, as a network, too.
PROXIES = {
    **dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), "http://127.0.0.1:9"),
    **dict.fromkeys(("NO_PROXY", "no_proxy"), "localhost,127.0.0.0/8"),
}

SURROUNDINGS: dict[str, dict[str, t.Any]] = {
    "connection variables and text": {"variables": CONNECTION, "text": TEXT},
    "free without a home, behind a proxy": {"strategy": "free", "environment": {"HOME": "", **PROXIES}},
    "host_pinned with become": {"strategy": "host_pinned", "variables": {"ansible_become": True}},
}


@pytest.mark.parametrize(
    "surroundings",
    [
        pytest.param(given, id=name, marks=[] if "text" in given else [pytest.mark.slow])
        for name, given in SURROUNDINGS.items()
    ],
)
def test_a_hosts_life_is_the_same_in_all_surroundings(user: User, surroundings: dict[str, t.Any]) -> None:
    places = {
        "docker_host_cert_dir": str(user.home / "certs"),
        "docker_host_docker_config": str(user.home / "docker"),
        "docker_host_known_hosts_path": str(user.home / "known_hosts"),
        "docker_host_ssh_private_key_path": str(user.home / "key"),
    }
    group = {"hosts": {"n1": {}, "n2": {}}, "vars": {**places, **surroundings.get("variables", {})}}
    (user.home / "inventory.json").write_text(json.dumps({"docker_hosts": group}))
    text = [part for value in surroundings.get("text", ()) for part in ("-e", value)]
    arguments = ("-i", "inventory.json", "-e", "docker_host_targets=docker_hosts", *text)
    strategy = surroundings.get("strategy", "linear")
    environment = {
        "ANSIBLE_STRATEGY": strategy,
        "ANSIBLE_HOME": str(user.home / "ansible"),
        **surroundings.get("environment", {}),
    }
    made = user.play("create_docker_host", *arguments, environment=environment).changed
    assert set(made) == {"n1", "n2"}
    assert all(made.values())
    assert (user.home / "certs/ca.pem").is_file()
    again = user.play("create_docker_host", *arguments, environment=environment)
    assert again.changed == {"n1": 0, "n2": 0}
    before = user.azure.dump()
    rotated = user.run(
        "ansible-playbook",
        "dockerhost.azure.rotate_docker_certs",
        *("-e", json.dumps(user.variables)),
        *arguments,
        environment=environment,
    )
    if rotated.code:
        assert "The strategy must be linear" in rotated.output, rotated.output[-4000:]
        assert strategy != "linear"
        assert user.azure.dump() == before
    gone = user.play("delete_docker_host", *arguments, environment=environment).changed
    assert all(gone[name] for name in ("n1", "n2"))


# How localhost is in the inventory, and how the role's tasks get there.
LOCALHOSTS = {
    "in no inventory": ("", "locally"),
    "without a word about it": ("localhost", "locally"),
    "by address": ("127.0.0.1", "locally"),
    "with another variable": ("localhost docker_host_vm_size=Standard_B2s", "locally"),
    "with another interpreter": ("localhost ansible_python_interpreter={interpreter}", "by the other interpreter"),
    "with a connection": ("localhost ansible_connection=ssh", "as the inventory says"),
    "with a forwarded port": ("localhost ansible_port=9", "as the inventory says"),
    "with another address": ("localhost ansible_host=127.0.0.2", "as the inventory says"),
}


def test_localhost_is_the_controller_unless_the_inventory_says_otherwise(user: User) -> None:
    """A program in place of ssh says that it was asked; one in place of Python says so and runs the module."""
    ssh = user.home / "ssh"
    ssh.write_text("#!/bin/sh\necho 'asked for ssh' >&2\nexit 255\n")
    interpreter = user.home / "another-python"
    interpreter.write_text(f'#!/bin/sh\ntouch {user.home}/ran\nexec {sys.executable} "$@"\n')
    for program in (ssh, interpreter):
        program.chmod(0o755)
    stage = {"name": "dockerhost.azure.docker_host", "tasks_from": "certificates"}
    tasks = [
        {
            "ansible.builtin.import_role": stage,
            "vars": {"docker_host_name": "here", "docker_host_ip_addresses": ["192.0.2.1"]},
        }
    ]
    (user.home / "show.yml").write_text(
        json.dumps([{"hosts": "localhost:127.0.0.1", "gather_facts": False, "tasks": tasks}])
    )
    got = {}
    for case, (line, _expected) in LOCALHOSTS.items():
        (user.home / "inventory").write_text(line.format(interpreter=interpreter) + "\n")
        delegate = ("-e", "docker_host_delegate_to=127.0.0.1") if case == "by address" else ()
        arguments = ("-i", "inventory", "show.yml", "--check", *delegate)
        ran = user.run("ansible-playbook", *arguments, environment={"ANSIBLE_SSH_EXECUTABLE": str(ssh)})
        if ran.code == 0:
            got[case] = "by the other interpreter" if (user.home / "ran").exists() else "locally"
        else:
            assert "UNREACHABLE" in ran.output, ran.output
            got[case] = "as the inventory says"
        (user.home / "ran").unlink(missing_ok=True)
    assert got == {case: expected for case, (_line, expected) in LOCALHOSTS.items()}


def test_a_bastion_is_reached_as_the_inventory_says(user: User) -> None:
    """Only localhost is the controller: whoever runs the tasks elsewhere has said where."""
    (user.home / "inventory").write_text("bastion ansible_port=9\nlocalhost\n")
    arguments = ["-i", "inventory", "dockerhost.azure.create_docker_host", "-e", json.dumps(user.variables)]
    ran = user.run("ansible-playbook", *arguments, "-e", "docker_host_delegate_to=bastion")
    assert "localhost -> bastion" in ran.output, ran.output
    assert "UNREACHABLE" in ran.output, ran.output


@pytest.mark.parametrize("playbook", ["list_docker_hosts", "list_docker_images", "create_docker_host"])
def test_an_inventory_that_is_only_localhost(user: User, playbook: str) -> None:
    """``-i localhost,`` is how people avoid the warning that there is no inventory."""
    variables = json.dumps({**user.variables, "docker_host_name": "only1"})
    arguments = ("-i", "localhost,", f"dockerhost.azure.{playbook}", "-e", variables)
    ran = user.run("ansible-playbook", *arguments, *(["--check"] if playbook == "create_docker_host" else []))
    assert ran.code == 0, ran.output
