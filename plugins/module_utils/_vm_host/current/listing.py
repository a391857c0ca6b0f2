# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""List all Docker hosts of a subscription with a few requests."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Mapping
from functools import partial

from ..._azure.clients import AzureSession
from ..._azure.errors import AzureError
from ..._azure.operations import run_parallel
from ..._azure.resource_ids import group_in, subscription_in, with_group
from ..._azure.tags import CA_TAG, CERT_EXPIRES_TAG, PORT_TAG, SSH_PORT_TAG, owner_of, tag_of
from ..._azure.wire import Json, power_state, primary_ip_configuration, primary_nic_id, properties_of, public_ip_id
from ..._ports import DEFAULT_PORT, DEFAULT_SSH_PORT
from ..desired.validators import port_in

T = t.TypeVar("T")
COMPUTE = "providers/Microsoft.Compute"
NETWORK = "providers/Microsoft.Network"
CONCURRENT_REQUESTS = 16
LISTED_KEYS = frozenset(
    ("name", "resource_group", "subscription_id", "location", "id", "vm_size", "power_state", "provisioning_state")
    + ("fqdn", "public_ip_address", "private_ip_address", "docker_port", "ssh_port", "admin_username", "zone")
    + ("ca_fingerprint", "cert_expires", "tags", "agent_state")
)
"""The keys of a listed host."""


class HostList(t.NamedTuple):
    """The hosts of one subscription.

    :param missing: names of the requested resource groups that do not exist there.
    """

    hosts: list[Json]
    missing: list[str]


def list_hosts(session: AzureSession, resource_groups: t.Sequence[str] = (), *, agent_state: bool = False) -> HostList:
    """Return the hosts that carry the collection's tags, as dicts of JSON types, sorted by name.

    VMs, their run-time states, interfaces and addresses are listed in parallel, page by page. A single host costs a
    request of its own only if its interface or address is in a group that was not listed, if its agent's state is
    requested, or if the signed-in identity may not list the subscription's run-time states.

    :param resource_groups: only hosts of these groups; an empty sequence means all of the subscription.
    :raises AzureError: Azure refused, or did not answer.
    """
    lists = _Lists(session, resource_groups)
    machines = [machine for machine in lists.machines if owner_of(machine)]
    interfaces = _complete(session, lists.interfaces, (primary_nic_id(machine) for machine in machines))
    attached = {_key(machine): interfaces.get(str(primary_nic_id(machine)).lower()) or {} for machine in machines}
    addresses = _complete(session, lists.addresses, (public_ip_id(interface) for interface in attached.values()))
    views = _views(session, machines) if agent_state or lists.states is None else {}
    states = lists.states or {}
    spellings = _spellings(session, machines, [*interfaces.values(), *addresses.values()])
    hosts = []
    for machine in machines:
        interface = attached[_key(machine)]
        address = addresses.get(str(public_ip_id(interface)).lower()) or {}
        view = views.get(_key(machine)) or states.get(_key(machine)) or {}
        group = spellings[group_in(str(machine["id"])).lower()]
        described = describe_listed_host(machine, group, interface, address, view)
        hosts.append({**described, "agent_state": _agent_state(view) if agent_state else None})
    return HostList(sorted(hosts, key=lambda host: (host["name"], host["resource_group"])), lists.missing)


class _Lists:
    """Everything that is listed, in parallel.

    :ivar machines: the VMs in wire format.
    :ivar states: instance views by id, None when the signed-in identity may not list them.
    """

    def __init__(self, session: AzureSession, resource_groups: t.Sequence[str]) -> None:
        self._arm = session.arm
        base = f"/subscriptions/{session.subscription_id}"
        groups = list({name.lower(): name for name in resource_groups}.values())
        self.missing: list[str] = []
        jobs: list[t.Callable[[], list[Json]]] = []
        for kind in (f"{COMPUTE}/virtualMachines", f"{NETWORK}/networkInterfaces", f"{NETWORK}/publicIPAddresses"):
            if not groups:
                jobs.append(partial(self._arm.list, f"{base}/{kind}"))
            for name in groups:
                jobs.append(partial(self._in_group, base, name, kind))
        # The list of a group cannot give run-time states (it expands only what a filter narrows down to a scale set),
        # and what else the list with them contains is not promised.
        parts = run_in_batches([self._states_below(base), *jobs])
        each = max(1, len(groups))
        self.states = None if parts[0] is None else _by_id([parts[0]])
        self.machines = [item for part in parts[1 : 1 + each] for item in part or []]
        self.interfaces = _by_id(part or [] for part in parts[1 + each : 1 + 2 * each])
        self.addresses = _by_id(part or [] for part in parts[1 + 2 * each :])

    def _in_group(self, base: str, name: str, kind: str) -> list[Json]:
        try:
            return self._arm.list(f"{base}/resourceGroups/{name}/{kind}")
        except AzureError as error:
            if not error.not_found:
                raise
            if kind.startswith(COMPUTE):
                self.missing.append(name)
            return []

    def _states_below(self, base: str) -> t.Callable[[], list[Json] | None]:
        def list_states() -> list[Json] | None:
            try:
                listed = self._arm.list(f"{base}/{COMPUTE}/virtualMachines", statusOnly="true")
            except AzureError as error:
                if error.status == 403:
                    return None
                raise
            return [{"id": item["id"], **(properties_of(item).get("instanceView") or {})} for item in listed]

        return list_states


def _by_id(parts: Iterable[list[Json]]) -> dict[str, Json]:
    return {_key(item): item for part in parts for item in part}


def _key(item: Mapping[str, t.Any]) -> str:
    return str(item["id"]).lower()


def _complete(session: AzureSession, known: dict[str, Json], ids: Iterable[str | None]) -> dict[str, Json]:
    """Add the resources of groups that were not listed."""
    missing = sorted({resource_id for resource_id in ids if resource_id and resource_id.lower() not in known})
    resources = run_in_batches([partial(find_if_readable, session, resource_id) for resource_id in missing])
    pairs = zip(missing, resources, strict=True)
    return {**known, **{resource_id.lower(): resource for resource_id, resource in pairs if resource}}


def find_if_readable(session: AzureSession, resource_id: str, **query: str) -> Json | None:
    """Return a resource, None if it does not exist or must not be read: it may be in a group of others."""
    try:
        return session.arm.find(resource_id, **query)
    except AzureError as error:
        if error.status != 403:
            raise
        return None


def _views(session: AzureSession, machines: list[Json]) -> dict[str, Json | None]:
    jobs = [partial(session.arm.find, f"{machine['id']}/instanceView") for machine in machines]
    return dict(zip((_key(machine) for machine in machines), run_in_batches(jobs), strict=True))


def run_in_batches(jobs: t.Sequence[t.Callable[[], T]]) -> list[T]:
    """Run jobs, at most :data:`CONCURRENT_REQUESTS` at a time.

    :returns: their results in the order of the jobs.
    :raises DockerHostError: the first error.
    """
    results: list[T] = []
    for start in range(0, len(jobs), CONCURRENT_REQUESTS):
        results += run_parallel(jobs[start : start + CONCURRENT_REQUESTS])
    return results


def own_group(machine: Json, interface: Json | None) -> str:
    """Return the name of a VM's resource group in the group's own spelling.

    Compute's lists give the group in upper case (Azure/azure-rest-api-specs#10016); the Network API keeps its case.
    """
    group = group_in(str(machine["id"]))
    other = group_in(str((interface or {}).get("id") or ""))
    return other if other.lower() == group.lower() else group


def _spellings(session: AzureSession, machines: list[Json], of_network: list[Json]) -> dict[str, str]:
    """Return the own spelling of each VM's resource group, by the name in lower case.

    :param of_network: interfaces and addresses, whose ids have that spelling. A group without any is read.
    """
    known = {group.lower(): group for group in (group_in(str(item["id"])) for item in of_network)}
    missing = sorted({group_in(str(machine["id"])) for machine in machines} - set(known), key=str.lower)
    missing = [group for group in missing if group.lower() not in known]
    names = run_in_batches([partial(_group_name, session, group) for group in missing])
    return {**known, **{group.lower(): name for group, name in zip(missing, names, strict=True)}}


def _group_name(session: AzureSession, group: str) -> str:
    """Return a resource group's name in its own spelling; as it is when the group may not be read."""
    try:
        found = session.arm.find(session.group_id(group))
    except AzureError as error:
        if error.status != 403:
            raise
        return group
    return str((found or {}).get("name") or group)


def describe_listed_host(machine: Json, group: str, interface: Json, address: Json, view: Json) -> Json:
    """Return a listed host with the keys that the inventory publishes.

    :param group: the VM's resource group in the group's own spelling.
    :param view: the VM's instance view, empty when it is not known.
    """
    properties, configuration = properties_of(machine), properties_of(primary_ip_configuration(interface))
    public = properties_of(address)
    return {
        "name": str(owner_of(machine)),
        "resource_group": group,
        "subscription_id": subscription_in(str(machine["id"])),
        "location": machine.get("location"),
        "id": with_group(str(machine["id"]), group),
        "vm_size": (properties.get("hardwareProfile") or {}).get("vmSize"),
        "power_state": power_state(view),
        "provisioning_state": properties.get("provisioningState"),
        "fqdn": (public.get("dnsSettings") or {}).get("fqdn"),
        "public_ip_address": public.get("ipAddress"),
        "private_ip_address": configuration.get("privateIPAddress"),
        "docker_port": port_in(tag_of(machine, PORT_TAG)) or DEFAULT_PORT,
        "ssh_port": port_in(tag_of(machine, SSH_PORT_TAG)) or DEFAULT_SSH_PORT,
        "admin_username": (properties.get("osProfile") or {}).get("adminUsername"),
        "zone": next(iter(machine.get("zones") or []), None),
        "ca_fingerprint": tag_of(machine, CA_TAG),
        "cert_expires": tag_of(machine, CERT_EXPIRES_TAG),
        "tags": dict(machine.get("tags") or {}),
    }


def are_listed_hosts(value: t.Any) -> bool:
    """Return whether a value from a cache is a list of hosts as :func:`list_hosts` returns it today."""
    return isinstance(value, list) and all(isinstance(host, dict) and _is_listed_host(host) for host in value)


def _is_listed_host(host: Json) -> bool:
    texts = all(isinstance(host.get(key), str) for key in ("name", "resource_group", "subscription_id", "id"))
    ports = all(isinstance(host.get(key), int) for key in ("docker_port", "ssh_port"))
    return texts and ports and isinstance(host.get("tags"), dict) and host.keys() == LISTED_KEYS


def _agent_state(view: Json) -> str:
    statuses = (view.get("vmAgent") or {}).get("statuses") or []
    return str(statuses[0].get("displayStatus", "unknown")).lower() if statuses else "absent"
