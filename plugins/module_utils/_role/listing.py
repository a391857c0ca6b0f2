# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Docker hosts of a subscription as a table, as JSON, or as part of a configuration of ssh."""

from __future__ import annotations

import json
import typing as t
from datetime import datetime, timezone
from urllib.parse import urlsplit

from .._extension.setup_result import read_setup_result
from .._tls.times import utc_now
from .options import CHOICES, Values
from .results import ISO
from .summary import table

OUTPUTS = CHOICES["output"]
_COLUMNS = ("NAME", "STATE", "ADDRESS", "ENGINE", "PORT", "DAYS LEFT", "SIZE", "GROUP")


def listing(hosts: t.Sequence[Values], output: str) -> list[str]:
    """Return hosts line by line.

    :param hosts: as docker_vm_host_info returns them.
    :param output: one of :data:`OUTPUTS`.
    """
    listed = [_listed(host) for host in hosts]
    if output == "json":
        return [json.dumps(listed, sort_keys=True)]
    if output == "ssh_config":
        return [line for host in hosts for line in _ssh_config(host)]
    if not listed:
        return ["There are no Docker hosts that this collection created."]
    return table(_COLUMNS, (list(row.values())[: len(_COLUMNS)] for row in listed))


def _listed(host: Values) -> Values:
    """Return what is listed of a host; the first keys are the columns of the table."""
    return {
        "name": host["name"],
        "power_state": host["power_state"],
        "address": _address(host),
        "engine": _engine(host),
        "docker_port": host["docker_port"],
        "days_left": _days_left(host.get("cert_expires")),
        "vm_size": host["vm_size"],
        "resource_group": host["resource_group"],
        "docker_host": host["docker_host"],
        "cert_expires": host.get("cert_expires"),
        "location": host["location"],
        "subscription_id": host["subscription_id"],
    }


def _address(host: Values) -> str | None:
    return urlsplit(str(host["docker_host"] or "")).hostname


def _engine(host: Values) -> str | None:
    """Return the version of the engine that the last push reported."""
    for carrier in [*(host.get("extensions") or []), *(host.get("run_commands") or [])]:
        report = read_setup_result(str(carrier.get("message") or "")).report or {}
        version = (report.get("engine") or {}).get("version")
        if version:
            return str(version)
    return None


def _days_left(expires: t.Any) -> int | None:
    """Return for how many days a certificate is valid, None if that is not known: others may write the VM's tag."""
    try:
        end = datetime.strptime(str(expires), ISO).replace(tzinfo=timezone.utc)
    except ValueError:
        return None
    return (end - utc_now()).days


def _ssh_config(host: Values) -> list[str]:
    address = _address(host)
    if not address:
        return []
    return [
        f"Host {host['name']}",
        f"  HostName {address}",
        *([f"  User {host['admin_username']}"] if host["admin_username"] else []),
        f"  Port {host['ssh_port']}",
    ]
