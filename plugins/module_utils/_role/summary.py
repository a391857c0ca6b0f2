# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The summary at the end of a run of the role docker_host: first what changed, then how to connect."""

from __future__ import annotations

import os
import shlex
import typing as t
from urllib.parse import urlsplit

from .._awx import is_discarded
from .._vm_host.argument_spec import DEFAULT_KEY_PATH, DEFAULT_SOURCES
from .options import RoleVariables, Values

_CREATES_MACHINE = "create virtual machine "
_COLUMNS = ("HOST", "RESULT", "ENGINE", "ADDRESS", "EXPIRES")


def host_entry(role: RoleVariables, facts: Values, *, applied: bool, machine: Values) -> Values:
    """Return what the summary says of one host, as docker_host_summary takes it.

    :param facts: the result of docker_host_facts.
    :param applied: whether the run applied the options of the host, so that they say who may connect.
    :param machine: the result of docker_vm_host, empty if it did not run.
    """
    return {
        "facts": facts,
        "ports": _ports(role, facts["host"], machine, applied),
        "widened_access": list(machine.get("widened_access") or []),
        "commands": _commands(role, facts, machine),
    }


def summary(entries: t.Sequence[Values], *, check_mode: bool) -> list[str]:
    """Return the summary of hosts, line by line: a block for one, a table for several."""
    if len(entries) == 1:
        return _block(entries[0], check_mode)
    return _table_of_hosts(entries, check_mode) if entries else []


def artifacts_of(entries: t.Sequence[Values]) -> Values:
    """Return by name what later jobs of a workflow need of hosts that exist: no paths, which end with a job."""
    return {
        facts["name"]: _artifact(facts) for facts in (entry["facts"] for entry in entries) if not facts["predicted"]
    }


def _artifact(facts: Values) -> Values:
    host = facts["host"]
    return {
        "changed": facts["changed"],
        "docker_host": facts["docker_host"],
        "engine": _version(facts),
        "resource_group": host.get("resource_group"),
        "subscription_id": host.get("subscription_id"),
        "cert_expires": facts["certificates"]["server"].get("not_after"),
    }


def table(columns: t.Sequence[str], rows: t.Iterable[t.Sequence[t.Any]]) -> list[str]:
    """Return rows as lines with aligned columns; what is empty or None is shown as a dash."""
    cells = [list(columns), *([_in_line(cell) or "-" for cell in row] for row in rows)]
    widths = [max(len(row[index]) for row in cells) for index in range(len(columns))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]


def _in_line(value: t.Any) -> str:
    """Return a value as text on one line, so that what a machine reports of itself adds no line to a summary."""
    return "" if value is None else " ".join(str(value).split())


def _block(entry: Values, check_mode: bool) -> list[str]:
    facts = entry["facts"]
    lines = [_headline(facts, check_mode), *(f"  {action}" for action in facts["actions"]), *entry["widened_access"]]
    # What a run would leave is not how to connect now.
    return lines if facts["predicted"] else [*lines, *_connection(entry)]


def _headline(facts: Values, check_mode: bool) -> str:
    name = facts["name"]
    if facts["predicted"]:
        verb = "created" if _is_new(facts) else "changed"
        return f"Check mode: nothing was changed. {name} would be {verb}:"
    if not facts["changed"]:
        return f"{'Check mode: ' if check_mode else ''}{name} is as desired: nothing {_needed(check_mode)} to change."
    return f"{name} was {'created' if _is_new(facts) else 'changed'}:"


def _needed(check_mode: bool) -> str:
    return "needs" if check_mode else "needed"


def _is_new(facts: Values) -> bool:
    return any(action.startswith(_CREATES_MACHINE) for action in facts["actions"])


def _connection(entry: Values) -> list[str]:
    facts = entry["facts"]
    server, certificates = facts["certificates"]["server"], facts["certificates"]
    names = [*(server.get("dns_names") or []), *(server.get("ip_addresses") or [])]
    dates = ", ".join(
        f"{label} {_date(certificates[key])}" for label, key in (("host", "server"), ("client", "client"), ("CA", "ca"))
    )
    lines = [
        f"Docker {_version(facts)} at {facts['docker_host']}".replace("  ", " "),
        f"Addresses: {', '.join(names)}" if names else "",
        entry["ports"],
        f"Certificates in {certificates['cert_dir']} expire: {dates}",
    ]
    return [*filter(None, lines), *entry["commands"]]


def _version(facts: Values) -> str:
    return _in_line(facts["engine"].get("Version") or facts["engine"].get("version"))


def _date(certificate: Values) -> str:
    return str(certificate.get("not_after") or "unknown").split("T", maxsplit=1)[0]


def _table_of_hosts(entries: t.Sequence[Values], check_mode: bool) -> list[str]:
    every = [entry["facts"] for entry in entries]
    lines = ["Check mode: nothing was changed."] if check_mode else []
    lines += table(_COLUMNS, (_row(facts) for facts in every))
    # The user asked for the properties of a new host and knows them. A change and a preview need their lines.
    for entry, facts in zip(entries, every, strict=True):
        if facts["actions"] and (facts["predicted"] or not _is_new(facts)):
            lines += [_headline(facts, check_mode=False), *(f"  {action}" for action in facts["actions"])]
        lines += entry["widened_access"]
    contexts = [facts["context"] for facts in every if facts["context"] and not facts["predicted"]]
    command = next((line for entry in entries for line in entry["commands"] if "--context" in line), "")
    if contexts and command:
        lines += ["Connect with:", command.replace(f"--context {contexts[0]} ", "--context HOST ")]
    return lines


def _row(facts: Values) -> tuple[str, ...]:
    verb = "created" if _is_new(facts) else "changed"
    result = (f"would be {verb}" if facts["predicted"] else verb) if facts["changed"] else "unchanged"
    if facts["predicted"]:
        return str(facts["name"]), result, "", "", ""
    ends = sorted(_date(facts["certificates"][kind]) for kind in ("server", "client", "ca"))
    return str(facts["name"]), result, _version(facts), str(facts["docker_host"]), ends[0]


def _ports(role: RoleVariables, host: Values, machine: Values, applied: bool) -> str:
    docker, ssh = host.get("docker_port"), host.get("ssh_port")
    if not docker or not ssh:
        return ""
    others_decide = "widened_access" in machine and "allowed_sources" not in machine
    if not applied or others_decide or role.value("security_group") or role.value("network_interface"):
        return f"Ports: {docker} (Docker) and {ssh} (SSH); the network security group controls access"
    # What the module returned counts: an option that was left blank kept the sources that the host had.
    options = {**role.options("create", "docker_vm_host"), **machine}
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


def _commands(role: RoleVariables, facts: Values, machine: Values) -> list[str]:
    """Return the commands that reach the host, as far as they work outside of this run."""
    connection, config = facts["connection"], docker_config(role)
    lines = []
    if facts["context"] and not is_discarded(config):
        lines.append(f"  docker {_config_option(config)}--context {facts['context']} info")
    key = connection.get("client_key")
    if key and not is_discarded(key):
        paths = {"tlscacert": "ca_path", "tlscert": "client_cert", "tlskey": "client_key"}
        options = " ".join(f"--{option} {shlex.quote(str(connection[path]))}" for option, path in paths.items())
        lines.append(f"  docker --tlsverify {options} -H {facts['docker_host']} info")
    if machine.get("ssh_allowed_sources", role.value("ssh_allowed_sources")):
        lines.append(f"  {ssh_command(role, facts)}")
    if lines:
        return ["Connect with:", *lines]
    return ["The files of this job are discarded at its end: connect with a client certificate of the same CA."]


def docker_config(role: RoleVariables) -> str:
    """Return the directory of the Docker CLI's configuration that the role uses."""
    given = role.value("docker_config") or os.environ.get("DOCKER_CONFIG") or "~/.docker"
    return os.path.abspath(os.path.expanduser(str(given)))


def _config_option(directory: str) -> str:
    """Return the option that the Docker CLI needs to find its contexts; none for its default directory."""
    usual = os.path.abspath(os.path.expanduser("~/.docker"))
    return "" if directory == usual else f"--config {shlex.quote(directory)} "


def ssh_command(role: RoleVariables, facts: Values) -> str:
    """Return the command that opens a shell on a host."""
    host = facts["host"]
    own_key = not role.value("ssh_public_keys") and not role.value("admin_password")
    key = f"-i {_quoted(role.value('ssh_private_key_path') or DEFAULT_KEY_PATH)} " if own_key else ""
    address = urlsplit(str(facts["docker_host"])).hostname
    user = f"{host['admin_username']}@" if host.get("admin_username") else ""
    return f"ssh {key}-p {host.get('ssh_port')} {user}{address}"


def _quoted(path: t.Any) -> str:
    """Return a path for a shell, which still replaces a leading ``~/``."""
    text = str(path)
    return f"~/{shlex.quote(text[2:])}" if text.startswith("~/") else shlex.quote(text)
