# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A host is made, made again and deleted by somebody who has the role of docs/rights.md and nothing else."""

from __future__ import annotations

import json
import re
import typing as t
from pathlib import Path

from azure_emulator.launcher import LocalAzure

from .conftest import REPOSITORY, User

TEXT = (REPOSITORY / "docs" / "rights.md").read_text(encoding="utf-8")
ROLE = json.loads(re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL)[0])["Actions"]


def test_the_role_is_enough(azure: LocalAzure, user: User) -> None:
    user.play("create_docker_host", name="first")
    azure.switch("role", ROLE)
    azure.clear_requests()
    try:
        for playbook in OF_A_HOST:
            user.play(playbook, name="second")
        listed = list_inventory(user)
        for playbook in OF_ALL_HOSTS:
            user.play(playbook)
        user.play("delete_docker_host", name="second")
    finally:
        azure.switch("role", [])
    assert {"first", "second"} <= set(listed["_meta"]["hostvars"])
    check_refused(azure)


# In an order in which a host can go through them.
OF_A_HOST = (
    "create_docker_host", "create_docker_host", "verify_docker_host", "docker_host_env", "rotate_docker_certs",
    "stop_docker_host", "start_docker_host", "restart_docker_host",
)  # fmt: skip
OF_ALL_HOSTS = ("list_docker_hosts",)
# What these need is not in the role; test_scenarios_permissions.py has the first, and the second asks no Azure.
OTHERS = {"list_docker_images", "sign_docker_client"}


def test_no_playbook_is_left_out() -> None:
    names = {path.stem for path in (REPOSITORY / "playbooks").glob("*.yml")}
    assert names == {*OF_A_HOST, *OF_ALL_HOSTS, "delete_docker_host", *OTHERS}


def list_inventory(user: User) -> dict[str, t.Any]:
    """What the inventory plugin finds."""
    path = user.home / "docker_vm_host.yml"
    groups = [user.variables["docker_host_resource_group"]]
    path.write_text(json.dumps({"plugin": "dockerhost.azure.docker_vm_host", "resource_groups": groups}))
    ran = user.run("ansible-inventory", "-i", str(path), "--list")
    assert ran.code == 0, ran.output
    found: dict[str, t.Any] = json.loads(ran.output[ran.output.index("{") :])
    return found


def check_refused(azure: LocalAzure) -> None:
    """Only checks beforehand were refused, which are left out then, and the document names what they need."""
    refused = {right for entry in azure.requests() if entry["status"] == 403 for right in entry["rights"]}
    assert all(f"`{right}`" in TEXT for right in refused), refused
    assert all(right.endswith("/read") for right in refused), refused


# Everything that the modules do to one host, in this order: the module's short name and its options.
HOST: t.Final = {"name": "second", "resource_group": "{{ group }}", "location": "westeurope"}
PUSH: t.Final = {
    "virtual_machine_name": "second",
    "resource_group": "{{ group }}",
    "docker": {"port": 4243},
    "engine": {"source": "distribution"},
    "certs": {
        "ca_path": "{{ certs.servers.second.ca_path }}",
        "cert_path": "{{ certs.servers.second.cert_path }}",
        "key_path": "{{ certs.servers.second.key_path }}",
    },
}
FEATURES: t.Final[list[tuple[str, dict[str, t.Any]]]] = [
    ("docker_vm_host", {**HOST, "data_disks": [{"lun": 0, "disk_size_gb": 8}], "dns_label": "second-with-rights"}),
    ("docker_tls_certs", {"cert_dir": "{{ directory }}", "hosts": [{"name": "second", "dns_names": ["second"]}]}),
    ("docker_vm_extension", PUSH),
    ("docker_vm_extension", {**PUSH, "verify": True}),
    ("docker_vm_extension", {**PUSH, "handler": "run_command"}),
    ("docker_vm_extension", {**PUSH, "handler": "run_command", "verify": True}),
    ("docker_vm_host", {**HOST, "tags": {"team": "build"}, "docker_port": 2376}),
    ("docker_vm_host", {**HOST, "vm_size": "Standard_D4s_v5", "allow_stop": True}),
    ("docker_vm_host", {**HOST, "state": "stopped"}),
    ("docker_vm_host", {**HOST, "state": "deallocated"}),
    ("docker_vm_host", {**HOST, "data_disks": [{"lun": 0, "disk_size_gb": 16}]}),
    ("docker_vm_host", {**HOST, "state": "started"}),
    ("docker_vm_host", {**HOST, "state": "restarted"}),
    ("docker_vm_host_info", {"resource_group": "{{ group }}"}),
    ("docker_vm_extension", {"state": "absent", "virtual_machine_name": "second", "resource_group": "{{ group }}"}),
    ("docker_vm_host", {**HOST, "state": "absent"}),
]


def test_the_role_is_enough_for_every_feature(azure: LocalAzure, user: User, tmp_path: Path) -> None:
    user.play("create_docker_host", name="first")
    tasks = [
        {
            "name": f"{module}: {', '.join(map(str, options))}",
            f"dockerhost.azure.{module}": options,
            **({"register": "certs"} if module == "docker_tls_certs" else {}),
        }
        for module, options in FEATURES
    ]
    variables = {"group": user.variables["docker_host_resource_group"], "directory": str(tmp_path / "certs")}
    play = {"hosts": "localhost", "gather_facts": False, "vars": variables, "tasks": tasks}
    (tmp_path / "features.yml").write_text(json.dumps([play]), encoding="utf-8")
    azure.switch("role", ROLE)
    azure.clear_requests()
    try:
        user.play(str(tmp_path / "features.yml"))
    finally:
        azure.switch("role", [])
    check_refused(azure)
    used = {right for entry in azure.requests() for right in entry["rights"]}
    assert "Microsoft.Compute/virtualMachines/runCommand/action" in used
