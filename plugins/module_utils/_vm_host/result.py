# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Describe a host as docker_vm_host returns it. Nothing here talks to Azure."""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace

from .._azure.resource_ids import group_in, with_group
from .._azure.wire import Json, dig, primary_ip_configuration, private_ip, properties_of, public_ip_id, subnet_id
from .current.listing import own_group
from .current.ports import current_port
from .current.state import HostState
from .desired.names import ExtraNames
from .desired.topology import HostResources
from .plan.model import Action, Plan

ADDRESSES = ("fqdn", "public_ip_address", "private_ip_address")


@dataclass(frozen=True)
class KnownValues:
    """The properties of a host that are known without Azure.

    :param location: the region of a host that does not exist yet; likewise vm_size and admin_username.
    :param docker_port: the port of the engine; None for the one that the host has. Likewise ssh_port.
    :param names: the names that the user adds; None if that was not decided.
    """

    location: str | None = None
    vm_size: str | None = None
    admin_username: str | None = None
    docker_port: int | None = None
    ssh_port: int | None = None
    names: ExtraNames | None = None


def describe_host(resources: HostResources, current: HostState, known: KnownValues) -> Json:
    """Return the host with the keys of :data:`~.._host_keys.HOST_KEYS`; a value that does not exist is None."""
    machine, address = current.virtual_machine, current.public_ip_address
    group = _group(resources, current)
    host: Json = {
        "name": resources.names.name,
        "resource_group": group,
        "subscription_id": resources.names.subscription_id,
        "location": dig(machine, "location") or known.location,
        "id": _in_spelling(group, resources.virtual_machine),
        "vm_size": dig(machine, "properties", "hardwareProfile", "vmSize") or known.vm_size,
        "power_state": current.power_state,
        "fqdn": dig(address, "properties", "dnsSettings", "fqdn"),
        "public_ip_address": dig(address, "properties", "ipAddress"),
        "private_ip_address": private_ip(current.network_interface),
        "docker_port": known.docker_port or current_port("docker_port", current),
        "ssh_port": known.ssh_port or current_port("ssh_port", current),
        "admin_username": dig(machine, "properties", "osProfile", "adminUsername") or known.admin_username,
        "tags": dict(dig(machine, "tags") or {}),
        "resources": {kind: _in_spelling(group, path) for kind, path in _ids(resources, current).items()},
        "unknown": [],
    }
    return with_names(host, known.names)


def _group(resources: HostResources, current: HostState) -> str:
    """Return the resource group in its own spelling, as far as anything was read in it."""
    if current.resource_group and current.resource_group.get("name"):
        return str(current.resource_group["name"])
    if current.virtual_machine:
        return own_group(current.virtual_machine, current.network_interface)
    return resources.names.resource_group


def _in_spelling(group: str, resource_id: str | None) -> str | None:
    """Return an id of the group with the group's name spelled in this way."""
    is_inside = resource_id and group_in(resource_id).lower() == group.lower()
    return with_group(resource_id, group) if resource_id and is_inside else resource_id


def with_names(host: Json, added: ExtraNames | None) -> Json:
    """Return the host with everything that follows from its addresses: all its names, and its URLs.

    :param added: the names that the user adds; None if that was not decided.
    """
    names = added or ExtraNames()
    dns_names = [*names.dns_names, host["fqdn"]]
    ip_addresses = [*names.ip_addresses, host["public_ip_address"], host["private_ip_address"]]
    address = names.address or host["fqdn"] or host["public_ip_address"] or host["private_ip_address"]
    if not names.address and set(ADDRESSES[:2]).intersection(host["unknown"]):
        address = None
    return {
        **host,
        "dns_names": list(dict.fromkeys(str(name).lower() for name in dns_names if name)),
        "ip_addresses": list(dict.fromkeys(str(text) for text in ip_addresses if text)),
        "extra_names": added.as_dict() if added else None,
        "docker_host": f"tcp://{_in_url(address)}:{host['docker_port']}" if address else None,
        "ssh_url": _ssh_url(host, address),
    }


def _ssh_url(host: Json, address: str | None) -> str | None:
    if not address:
        return None
    user = f"{host['admin_username']}@" if host["admin_username"] else ""
    return f"ssh://{user}{_in_url(address)}:{host['ssh_port']}"


def _in_url(address: str) -> str:
    """Return an address as it is written in a URL (RFC 3986, section 3.2.2)."""
    return f"[{address}]" if ":" in address else address


def _ids(resources: HostResources, current: HostState) -> dict[str, str | None]:
    network = resources.virtual_network or (subnet_id(current.network_interface) or "").rpartition("/subnets/")[0]
    return {
        "resource_group": resources.names.group_id,
        "virtual_network": network or None,
        "subnet": resources.subnet,
        "security_group": resources.security_group,
        "public_ip_address": resources.public_ip_address or public_ip_id(current.network_interface),
        "network_interface": resources.network_interface,
        "virtual_machine": resources.virtual_machine,
    }


def expected_state(current: HostState, plan: Plan) -> HostState:
    """Return the current state with the changes of the plan's updates."""
    machine = plan.action("virtual_machine")
    if machine and machine.verb == "update" and current.virtual_machine and machine.body:
        properties = {**properties_of(current.virtual_machine), **properties_of(machine.body)}
        changed = {**current.virtual_machine, **machine.body, "properties": properties}
        current = replace(current, virtual_machine=changed)
    if plan.action("delete_public_ip_address") or _loses_address(plan):
        interface = _without_public_ip(current.network_interface)
        current = replace(current, public_ip_address=None, network_interface=interface)
    return current


def _without_public_ip(interface: Json | None) -> Json | None:
    result = copy.deepcopy(interface)
    for entry in properties_of(result).get("ipConfigurations") or []:
        entry["properties"].pop("publicIPAddress", None)
    return result


def _loses_address(plan: Plan) -> bool:
    interface = plan.action("network_interface")
    if not interface or interface.verb != "update" or not interface.body:
        return False
    return "publicIPAddress" not in properties_of(primary_ip_configuration(interface.body))


@dataclass(frozen=True)
class _Effect:
    """The effect of an action on the known properties of a host.

    :param when: the changed property that has this effect; None for any.
    :param power_state: the power state afterwards.
    :param unknown: the addresses that are not known before the action.
    """

    kind: str
    verb: str
    when: str | None = None
    power_state: str | None = None
    unknown: tuple[str, ...] = ()


_EFFECTS = (
    _Effect("public_ip_address", "create", unknown=("public_ip_address",)),
    _Effect("public_ip_address", "create", when="dns_label", unknown=("fqdn",)),
    _Effect("network_interface", "create", unknown=("private_ip_address",)),
    _Effect("network_interface", "update", when="subnet", unknown=("private_ip_address",)),
    _Effect("virtual_machine", "create", power_state="running"),
    _Effect("virtual_machine", "power off", power_state="stopped"),
    _Effect("virtual_machine", "deallocate", power_state="deallocated"),
    _Effect("virtual_machine", "restart", power_state="running"),
    _Effect("virtual_machine", "start", power_state="running"),
)
_FOLLOWING = (
    ("dns_names", {"fqdn"}),
    ("ip_addresses", {"public_ip_address", "private_ip_address"}),
)
"""Keys of a host with the keys that their values follow from."""


def predict_host(host: Json, plan: Plan, known: KnownValues, private_address: str | None) -> Json:
    """Return the host as check mode knows it: addresses that Azure has not chosen yet are unknown.

    :param private_address: the desired private address.
    """
    host, unknown = dict(host), []
    for action in plan.actions:
        if (action.kind, action.verb) == ("public_ip_address", "update"):
            unknown += _rename(host, action)
        for effect in _EFFECTS:
            if _has_effect(effect, action):
                host["power_state"] = effect.power_state or host["power_state"]
                unknown += [key for key in effect.unknown if key not in unknown]
    if private_address and plan.action("network_interface"):
        host["private_ip_address"] = private_address
        unknown = [key for key in unknown if key != "private_ip_address"]
    host.update({**dict.fromkeys(unknown), "unknown": unknown})
    host = with_names(host, known.names)
    # The list in the result: what follows from unknown values is unknown, too.
    unknown += [key for key, sources in _FOLLOWING if not sources.isdisjoint(unknown)]
    if unknown:
        unknown += [key for key in ("docker_host", "ssh_url") if host[key] is None]
    return host


def _rename(host: Json, action: Action) -> list[str]:
    """Set the host's FQDN to the one with another DNS label, and return the keys that stay unknown."""
    label = next((entry for entry in action.differences if entry.path == "dns_label"), None)
    if not label:
        return []
    suffix = str(host["fqdn"] or "").removeprefix(f"{label.before}.")
    if label.after and not suffix.startswith(f"{host['location']}."):
        return ["fqdn"]
    host["fqdn"] = f"{label.after}.{suffix}" if label.after else None
    return []


def _has_effect(effect: _Effect, action: Action) -> bool:
    if (effect.kind, effect.verb) != (action.kind, action.verb):
        return False
    changed = {entry.path for entry in action.differences}
    if action.verb == "create" and dig(action.body, "properties", "dnsSettings", "domainNameLabel"):
        changed.add("dns_label")
    return effect.when is None or effect.when in changed
