# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The handler ``docker_extension`` against the faults that the extension of this name has."""

from __future__ import annotations

import json
import typing as t

from .conftest import User

GROUP = {"resource_group": "rg-extension", "virtual_machine_name": "web1"}
CERTS = {
    "ca_path": "{{ made.servers.web1.ca_path }}",
    "cert_path": "{{ made.servers.web1.cert_path }}",
    "key_path": "{{ made.servers.web1.key_path }}",
}
Task = dict[str, t.Any]


def push(register: str, *, refused: bool = False, **options: t.Any) -> Task:
    """Push the settings, by default with the Docker extension."""
    given = {**GROUP, "certs": CERTS, "handler": "docker_extension", "name": "old", **options}
    task: Task = {"name": f"Push {register}", "dockerhost.azure.docker_vm_extension": given, "register": register}
    return {**task, "ignore_errors": True} if refused else task


def certificates(register: str, **options: t.Any) -> Task:
    """Make certificates; the newest are ``made``."""
    host = {
        "name": "web1",
        "dns_names": "{{ vm.host.dns_names }}",
        "ip_addresses": "{{ vm.host.ip_addresses }}",
    }
    given = {"cert_dir": "certs", "hosts": [host], **options}
    return {"name": f"Make {register}", "dockerhost.azure.docker_tls_certs": given, "register": register}


def ask(register: str, port: int = 4243) -> Task:
    """Ask the engine for its certificate."""
    given = {
        "docker_host": f"tcp://{{{{ vm.host.ip_addresses[0] }}}}:{port}",
        "validate_certs": True,
        "ca_path": "{{ made.client.ca_path }}",
        "client_cert": "{{ made.client.cert_path }}",
        "client_key": "{{ made.client.key_path }}",
        "wait": False,
    }
    return {"name": f"Ask {register}", "dockerhost.azure.docker_endpoint_info": given, "register": register}


def test_what_the_docker_extension_gets_wrong_is_avoided_or_refused(user: User) -> None:
    user.azure.switch("docker_extension", True)
    machine = {"resource_group": "rg-extension", "name": "web1", "location": "westeurope"}
    login = {"server": "registry.example.com", "username": "me", "password": "Correct-Horse-9"}
    expected = [
        "first.pushed",
        "seen_first.server_certificate.fingerprint == old_certificates",
        # The handler restarts the engine only for other arguments.
        "second.pushed",
        "made.servers.web1.fingerprint != old_certificates",
        "seen_second.server_certificate.fingerprint == made.servers.web1.fingerprint",
        "logins is failed and logins.msg is search('logins')",
        # Deleting the extension stops the engine.
        "third.extension.handler == 'custom_script'",
        "seen_third.server_certificate.fingerprint == made.servers.web1.fingerprint",
        # The drop-in of the other handlers overrides the unit that the extension edits.
        "fourth is failed and fourth.msg is search('cannot replace')",
        "seen_fourth.server_certificate.fingerprint == made.servers.web1.fingerprint",
    ]
    create = {**machine, "admin_username": "azureuser", "ssh_private_key_path": "key"}
    tasks: list[Task] = [
        {"name": "Create the host", "dockerhost.azure.docker_vm_host": create, "register": "vm"},
        certificates("made"),
        push("first"),
        ask("seen_first"),
        {
            "name": "Keep the fingerprint",
            "ansible.builtin.set_fact": {"old_certificates": "{{ made.servers.web1.fingerprint }}"},
        },
        certificates("made", regenerate="always"),
        push("second"),
        ask("seen_second"),
        push("logins", refused=True, logins=[login]),
        push("third", handler="custom_script", name="new"),
        ask("seen_third"),
        push("fourth", refused=True, docker={"port": 4555}),
        ask("seen_fourth"),
        {"name": "Compare", "ansible.builtin.assert": {"that": expected}},
    ]
    play = {"hosts": "localhost", "gather_facts": False, "tasks": tasks}
    playbook = user.home / "extension.yml"
    playbook.write_text(json.dumps([play]))
    user.play(str(playbook))
