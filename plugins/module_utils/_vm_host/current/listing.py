# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All our hosts of a subscription at a few requests. Private to this collection."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Mapping

from ansible_collections.dockerhost.azure.plugins.module_utils._azure.clients import AzureSession
from ansible_collections.dockerhost.azure.plugins.module_utils._azure.errors import AzureError
from ansible_collections.dockerhost.azure.plugins.module_utils._azure.operations import run_parallel
from ansible_collections.dockerhost.azure.plugins.module_utils._azure.tags import (
    CA_TAG,
    CERT_EXPIRES_TAG,
    PORT_TAG,
    SSH_PORT_TAG,
    owner_of,
    tag_of,
)
from ansible_collections.dockerhost.azure.plugins.module_utils._azure.wire import (
    Json,
    dig,
    instance_view,
    power_state,
    primary_nic_id,
    private_ip,
    public_ip_id,
)

T = t.TypeVar("T")
COMPUTE = "providers/Microsoft.Compute"
NETWORK = "providers/Microsoft.Network"
AT_ONCE = 16
"""Requests at the same time, where each host needs one."""


class Hosts(t.NamedTuple):
    """What was found in one subscription.

    :param missing: names of the resource groups that were asked for and do not exist there.
    """

    hosts: list[Json]
    missing: list[str]


def find_hosts(session: AzureSession, resource_groups: t.Sequence[str] = (), *, agent_state: bool = False) -> Hosts:
    """The hosts that carry our tags, as dicts of JSON types, by name.

    VMs, their run-time states, interfaces and addresses are listed side by side, page by page; no request is made for a
    single host unless its interface or address is in a group that was not listed, its agent's state is asked for, or
    the sign-in may not list the subscription's run-time states.

    :param resource_groups: only these; none given means all of the subscription.
    :raises AzureError: Azure refused, or did not answer.
    """
    found = _Lists(session, resource_groups)
    ours = [machine for machine in found.machines if _is_ours(machine)]
    interfaces = _complete(session, found.interfaces, (primary_nic_id(machine) for machine in ours))
    nics = {_key(machine): _nic_of(interfaces, machine) for machine in ours}
    addresses = _complete(session, found.addresses, (public_ip_id(nic) for nic in nics.values()))
    views = _views(session, ours) if agent_state or found.states is None else {}
    states = found.states or {}
    hosts = [
        _describe(
            machine,
            nics[_key(machine)],
            addresses,
            views.get(_key(machine)) or states.get(_key(machine)) or {},
            agent_state,
        )
        for machine in ours
    ]
    return Hosts(sorted(hosts, key=lambda host: (host["name"], host["resource_group"])), found.missing)


class _Lists:
    """Everything that is listed, at once.

    :ivar machines: the VMs as they are described.
    :ivar states: instance views by id, None when the sign-in may not list them.
    """

    def __init__(self, session: AzureSession, resource_groups: t.Sequence[str]) -> None:
        self._arm = session.arm
        base = f"/subscriptions/{session.subscription_id}"
        groups = list({name.lower(): name for name in resource_groups}.values())
        self.missing: list[str] = []
        jobs: list[t.Callable[[], list[Json]]] = []
        for kind in (f"{COMPUTE}/virtualMachines", f"{NETWORK}/networkInterfaces", f"{NETWORK}/publicIPAddresses"):
            if not groups:
                jobs.append(lambda kind=kind: self._arm.list(f"{base}/{kind}"))  # type: ignore[misc]
            for name in groups:
                jobs.append(lambda kind=kind, name=name: self._of_group(base, name, kind))  # type: ignore[misc]
        # The list of a group cannot give run-time states (it expands only what a filter narrows down to a scale set),
        # and what else the list with them holds is not promised.
        parts = in_turns([self._states_of(base), *jobs])
        each = max(1, len(groups))
        self.states = None if parts[0] is None else _by_id([parts[0]])
        self.machines = [item for part in parts[1 : 1 + each] for item in part or []]
        self.interfaces = _by_id(part or [] for part in parts[1 + each : 1 + 2 * each])
        self.addresses = _by_id(part or [] for part in parts[1 + 2 * each :])

    def _of_group(self, base: str, name: str, kind: str) -> list[Json]:
        try:
            return self._arm.list(f"{base}/resourceGroups/{name}/{kind}")
        except AzureError as error:
            if not error.not_found:
                raise
            if kind.startswith(COMPUTE):
                self.missing.append(name)
            return []

    def _states_of(self, base: str) -> t.Callable[[], list[Json] | None]:
        def states() -> list[Json] | None:
            try:
                listed = self._arm.list(f"{base}/{COMPUTE}/virtualMachines", statusOnly="true")
            except AzureError as error:
                if error.status == 403:
                    return None
                raise
            return [{"id": item["id"], **instance_view(item)} for item in listed]

        return states


def _by_id(parts: Iterable[list[Json]]) -> dict[str, Json]:
    return {_key(item): item for part in parts for item in part}


def _key(item: Mapping[str, t.Any]) -> str:
    return str(item["id"]).lower()


def _is_ours(machine: Json) -> bool:
    return owner_of(machine) is not None


def _nic_of(nics: dict[str, Json], machine: Json) -> Json:
    return nics.get(str(primary_nic_id(machine)).lower()) or {}


def _complete(session: AzureSession, found: dict[str, Json], wanted: Iterable[str | None]) -> dict[str, Json]:
    """Add what lies in groups that were not listed."""
    missing = sorted({path for path in wanted if path and path.lower() not in found})
    read = in_turns([lambda path=path: session.arm.find(path) for path in missing])  # type: ignore[misc]
    return {**found, **{path.lower(): item for path, item in zip(missing, read, strict=True) if item}}


def _views(session: AzureSession, machines: list[Json]) -> dict[str, Json | None]:
    paths = [f"{machine['id']}/instanceView" for machine in machines]
    jobs: list[t.Callable[[], Json | None]] = [lambda path=path: session.arm.find(path) for path in paths]  # type: ignore[misc]
    return dict(zip((_key(machine) for machine in machines), in_turns(jobs), strict=True))


def in_turns(jobs: t.Sequence[t.Callable[[], T]]) -> list[T]:
    """Run jobs, some at a time.

    :returns: their results in the order given.
    :raises DockerHostError: the first error.
    """
    results: list[T] = []
    for start in range(0, len(jobs), AT_ONCE):
        results += run_parallel(jobs[start : start + AT_ONCE])
    return results


def _describe(machine: Json, nic: Json, addresses: dict[str, Json], view: Json, agent_state: bool) -> Json:
    address = addresses.get(str(public_ip_id(nic)).lower())
    parts = str(machine["id"]).split("/")
    return {
        "name": owner_of(machine),
        "resource_group": parts[4],
        "subscription_id": parts[2],
        "location": machine.get("location"),
        "id": machine["id"],
        "vm_size": dig(machine, "properties", "hardwareProfile", "vmSize"),
        "power_state": power_state(view),
        "agent_state": _agent_state(view) if agent_state else None,
        "provisioning_state": dig(machine, "properties", "provisioningState"),
        "fqdn": dig(address, "properties", "dnsSettings", "fqdn"),
        "public_ip_address": dig(address, "properties", "ipAddress"),
        "private_ip_address": private_ip(nic),
        "docker_port": _number(tag_of(machine, PORT_TAG), 4243),
        "ssh_port": _number(tag_of(machine, SSH_PORT_TAG), 22),
        "admin_username": dig(machine, "properties", "osProfile", "adminUsername"),
        "zones": list(machine.get("zones") or []),
        "ca_fingerprint": tag_of(machine, CA_TAG),
        "cert_expires": tag_of(machine, CERT_EXPIRES_TAG),
        "tags": dict(machine.get("tags") or {}),
    }


def _agent_state(view: Json) -> str:
    statuses = dig(view, "vmAgent", "statuses") or []
    return str(statuses[0].get("displayStatus", "unknown")).lower() if statuses else "absent"


def _number(text: t.Any, default: int) -> int:
    try:
        return int(text)
    except (TypeError, ValueError):
        return default
