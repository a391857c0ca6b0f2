# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All our hosts of a subscription at a few requests. Private to this collection."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Mapping

from ansible_collections.dockerhost.azure.plugins.module_utils._azure.clients import AzureSession
from ansible_collections.dockerhost.azure.plugins.module_utils._azure.operations import side_by_side

Json = dict[str, t.Any]
COMPUTE = "providers/Microsoft.Compute"
NETWORK = "providers/Microsoft.Network"
MARK = ("docker-host-collection", "dockerhost.azure")
AT_ONCE = 16
"""Requests at the same time, where each host needs one."""


def find_hosts(
    session: AzureSession, resource_groups: t.Sequence[str] = (), *, agent_state: bool = False
) -> list[Json]:
    """The hosts that carry our tags, as dicts of JSON types, by name.

    VMs, interfaces and addresses are listed side by side, page by page; no request is made for a single host unless
    its interface or address is in a group that was not listed, or its agent's state is asked for.

    :param resource_groups: only these; none given means all of the subscription.
    :raises AzureError: Azure refused, or did not answer.
    """
    base = f"/subscriptions/{session.subscription_id}"
    scopes = [f"{base}/resourceGroups/{name}" for name in resource_groups] or [base]
    machines, interfaces, addresses = _lists(session, scopes)
    ours = [machine for machine in machines if _is_ours(machine)]
    interfaces = _complete(session, interfaces, (_first_interface(machine) for machine in ours))
    configurations = {_key(machine): _configuration(interfaces, machine) for machine in ours}
    wanted = (_public_id(configuration) for configuration in configurations.values())
    addresses = _complete(session, addresses, wanted)
    agents = _agents(session, ours) if agent_state else {}
    hosts = [
        _describe(machine, configurations[_key(machine)], addresses, agents.get(_key(machine))) for machine in ours
    ]
    return sorted(hosts, key=lambda host: (host["name"], host["resource_group"]))


def _lists(session: AzureSession, scopes: list[str]) -> tuple[list[Json], dict[str, Json], dict[str, Json]]:
    arm = session.arm
    jobs: list[t.Callable[[], list[Json]]] = []
    for scope in scopes:
        # Only the list of a subscription can give run-time states; that of a group has them by expanding.
        query = {"$expand": "instanceView"} if "/resourceGroups/" in scope else {"statusOnly": "true"}
        jobs.append(lambda scope=scope, query=query: arm.list(f"{scope}/{COMPUTE}/virtualMachines", **query))  # type: ignore[misc]
        jobs.append(lambda scope=scope: arm.list(f"{scope}/{NETWORK}/networkInterfaces"))  # type: ignore[misc]
        jobs.append(lambda scope=scope: arm.list(f"{scope}/{NETWORK}/publicIPAddresses"))  # type: ignore[misc]
    found = side_by_side(jobs)
    machines = [item for part in found[0::3] for item in part]
    return machines, _by_id(found[1::3]), _by_id(found[2::3])


def _by_id(parts: Iterable[list[Json]]) -> dict[str, Json]:
    return {_key(item): item for part in parts for item in part}


def _key(item: Mapping[str, t.Any]) -> str:
    return str(item["id"]).lower()


def _is_ours(machine: Json) -> bool:
    tags = machine.get("tags") or {}
    return tags.get(MARK[0]) == MARK[1] and bool(tags.get("docker-host"))


def _first_interface(machine: Json) -> str | None:
    entries = _properties(machine).get("networkProfile", {}).get("networkInterfaces") or []
    primary = [entry for entry in entries if (entry.get("properties") or {}).get("primary")] or entries
    return str(primary[0]["id"]) if primary else None


def _configuration(interfaces: dict[str, Json], machine: Json) -> Json:
    interface = interfaces.get(str(_first_interface(machine)).lower()) or {}
    entries = _properties(interface).get("ipConfigurations") or []
    primary = [entry for entry in entries if _properties(entry).get("primary")] or entries
    return _properties(primary[0]) if primary else {}


def _public_id(configuration: Json) -> str | None:
    return (configuration.get("publicIPAddress") or {}).get("id")


def _complete(session: AzureSession, found: dict[str, Json], wanted: Iterable[str | None]) -> dict[str, Json]:
    """Add what lies in groups that were not listed."""
    missing = sorted({path for path in wanted if path and path.lower() not in found})
    read = _in_turns([lambda path=path: session.arm.find(path) for path in missing])  # type: ignore[misc]
    return {**found, **{path.lower(): item for path, item in zip(missing, read, strict=True) if item}}


def _agents(session: AzureSession, machines: list[Json]) -> dict[str, Json | None]:
    paths = [f"{machine['id']}/instanceView" for machine in machines]
    jobs: list[t.Callable[[], Json | None]] = [lambda path=path: session.arm.find(path) for path in paths]  # type: ignore[misc]
    return dict(zip((_key(machine) for machine in machines), _in_turns(jobs), strict=True))


def _in_turns(jobs: list[t.Callable[[], Json | None]]) -> list[Json | None]:
    results: list[Json | None] = []
    for start in range(0, len(jobs), AT_ONCE):
        results += side_by_side(jobs[start : start + AT_ONCE])
    return results


def _describe(machine: Json, configuration: Json, addresses: dict[str, Json], view: Json | None) -> Json:
    properties, tags = _properties(machine), dict(machine.get("tags") or {})
    address = _properties(addresses.get(str(_public_id(configuration)).lower()) or {})
    parts = str(machine["id"]).split("/")
    return {
        "name": str(tags["docker-host"]),
        "resource_group": parts[4],
        "subscription_id": parts[2],
        "location": machine.get("location"),
        "id": machine["id"],
        "vm_size": (properties.get("hardwareProfile") or {}).get("vmSize"),
        "power_state": _power_state(view or properties.get("instanceView") or {}),
        "agent_state": _agent_state(view) if view is not None else None,
        "provisioning_state": properties.get("provisioningState"),
        "fqdn": (address.get("dnsSettings") or {}).get("fqdn"),
        "public_ip_address": address.get("ipAddress"),
        "private_ip_address": configuration.get("privateIPAddress"),
        "docker_port": _number(tags.get("docker-host-port"), 4243),
        "ssh_port": _number(tags.get("docker-host-ssh-port"), 22),
        "admin_username": (properties.get("osProfile") or {}).get("adminUsername"),
        "zones": list(machine.get("zones") or []),
        "ca_fingerprint": tags.get("docker-host-ca"),
        "cert_expires": tags.get("docker-host-cert-expires"),
        "tags": tags,
    }


def _power_state(view: Json) -> str:
    codes = [str(status.get("code", "")) for status in view.get("statuses") or []]
    states = [code.removeprefix("PowerState/") for code in codes if code.startswith("PowerState/")]
    return states[0] if states else "unknown"


def _agent_state(view: Json) -> str:
    statuses = (view.get("vmAgent") or {}).get("statuses") or []
    return str(statuses[0].get("displayStatus", "unknown")).lower() if statuses else "absent"


def _number(text: t.Any, default: int) -> int:
    try:
        return int(text)
    except (TypeError, ValueError):
        return default


def _properties(item: Mapping[str, t.Any]) -> Json:
    return t.cast("Json", item.get("properties") or {})
