# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a person wants to read at the end of a run of the role docker_host."""

from __future__ import annotations

import typing as t
from urllib.parse import urlsplit

from .._vm_host.argument_spec import DEFAULT_KEY_PATH, DEFAULT_SOURCES
from .options import RoleVariables, Values


def summary(role: RoleVariables, facts: Values, *, applied: bool, actions: t.Sequence[str]) -> list[str]:
    """Return how to use a host, line by line.

    :param facts: the result of docker_host_facts.
    :param applied: whether the run applied the options of the host, so that they say who may connect.
    :param actions: what the run changed in Azure.
    """
    if facts["predicted"] and facts["host"].get("unknown"):
        return _prediction(role, facts)
    would = f"Check mode: would {', '.join(actions)}" if facts["predicted"] and actions else ""
    return [line for line in (would, *_host_lines(role, facts, applied), *_commands(role, facts)) if line]


def _prediction(role: RoleVariables, facts: Values) -> list[str]:
    host = facts["host"]
    where = (
        f"{host.get('resource_group')} ({host.get('location')})"
        if host.get("location")
        else role.value("resource_group")
    )
    return [f"Check mode: {facts['name']} would be created in the resource group {where}."]


def _host_lines(role: RoleVariables, facts: Values, applied: bool) -> list[str]:
    engine, certificates = facts["engine"], facts["certificates"]
    version = engine.get("Version") or engine.get("version") or ""
    server = certificates["server"]
    names = [*(server.get("dns_names") or []), *(server.get("ip_addresses") or [])]
    dates = ", ".join(
        f"{label} {(certificates[key].get('not_after') or 'unknown').split('T')[0]}"
        for label, key in (("host", "server"), ("client", "client"), ("CA", "ca"))
    )
    return [
        f"{facts['name']}: Docker {version} at {facts['docker_host']}".replace("  ", " "),
        f"Addresses: {', '.join(names)}" if names else "",
        _ports(role, facts["host"], applied),
        f"Certificates in {certificates['cert_dir']} expire: {dates}",
    ]


def _ports(role: RoleVariables, host: Values, applied: bool) -> str:
    docker, ssh = host.get("docker_port"), host.get("ssh_port")
    if not docker or not ssh:
        return ""
    if not applied or role.value("security_group") or role.value("network_interface"):
        return f"Ports: {docker} (Docker) and {ssh} (SSH); the network security group controls access"
    options = role.options("create", "docker_vm_host")
    ssh_sources = _words(options.get("ssh_allowed_sources"))
    parts = [
        f"{docker} (Docker) from {_joined(options.get('allowed_sources', DEFAULT_SOURCES))}",
        f"{ssh} (SSH) {'from ' + ', '.join(ssh_sources) if ssh_sources else 'closed'}",
        *(_open_port(entry) for entry in _entries(options.get("open_ports"))),
    ]
    return f"Ports: {'; '.join(parts)}"


def _open_port(entry: t.Any) -> str:
    if not isinstance(entry, dict):
        return f"{entry} from Internet"
    return f"{entry['port']} from {_joined(entry.get('allowed_sources', DEFAULT_SOURCES))}"


def _entries(value: t.Any) -> list[t.Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, list) else [value]


def _words(value: t.Any) -> list[str]:
    return [str(each) for each in _entries(value)]


def _joined(sources: t.Any) -> str:
    return ", ".join(_words(sources)) or "its own network"


def _commands(role: RoleVariables, facts: Values) -> list[str]:
    connection = facts["connection"]
    lines = ["Connect with:"]
    if facts["context"]:
        lines.append(f"  docker --context {facts['context']} info")
    if connection.get("client_key"):
        lines.append(
            f"  docker --tlsverify --tlscacert {connection['ca_path']} --tlscert {connection['client_cert']}"
            f" --tlskey {connection['client_key']} -H {facts['docker_host']} info"
        )
    if role.value("ssh_allowed_sources"):
        lines.append(_ssh_command(role, facts))
    return lines


def _ssh_command(role: RoleVariables, facts: Values) -> str:
    host = facts["host"]
    own_key = not role.value("ssh_public_keys") and not role.value("admin_password")
    key = f"-i {role.value('ssh_private_key_path') or DEFAULT_KEY_PATH} " if own_key else ""
    address = urlsplit(str(facts["docker_host"])).hostname
    return f"  ssh {key}-p {host.get('ssh_port')} {host.get('admin_username')}@{address}"
