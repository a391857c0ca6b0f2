# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What docker_vm_host returns. Private to this collection. Pure."""

from __future__ import annotations

import copy
import typing as t
from dataclasses import replace

from .._azure.tags import PORT_TAG, SSH_PORT_TAG, tag_of
from .._azure.wire import Json, primary_ip_configuration, properties_of, public_ip_id
from .current.state import HostState
from .desired.topology import HostResources
from .plan.model import Plan

UNKNOWN_BEFORE_CREATION = ("fqdn", "public_ip_address", "private_ip_address", "docker_host")


def describe_host(layout: HostResources, facts: HostState, defaults: t.Mapping[str, t.Any]) -> Json:
    """The host as other steps need it; values that there are not are None.

    :param defaults: values of a host that is not there yet: location, vm_size, docker_port, ssh_port, admin_username.
    """
    machine = facts.virtual_machine or {}
    properties = properties_of(machine)
    address = properties_of(facts.public_ip_address) if facts.public_ip_address else {}
    fqdn = (address.get("dnsSettings") or {}).get("fqdn")
    public = address.get("ipAddress")
    private = _private_address(facts)
    port = int(tag_of(machine, PORT_TAG) or defaults["docker_port"])
    reach = fqdn or public or private
    return {
        "name": layout.names.name,
        "resource_group": layout.names.resource_group,
        "subscription_id": layout.names.subscription_id,
        "location": machine.get("location") or defaults["location"],
        "id": layout.virtual_machine,
        "vm_size": (properties.get("hardwareProfile") or {}).get("vmSize") or defaults["vm_size"],
        "power_state": facts.power_state,
        "fqdn": fqdn,
        "public_ip_address": public,
        "private_ip_address": private,
        "dns_names": [name for name in (fqdn,) if name],
        "ip_addresses": [item for item in (public, private) if item],
        "docker_port": port,
        "docker_host": f"tcp://{reach}:{port}" if reach else None,
        "ssh_port": int(tag_of(machine, SSH_PORT_TAG) or defaults["ssh_port"]),
        "admin_username": (properties.get("osProfile") or {}).get("adminUsername") or defaults["admin_username"],
        "tags": dict(machine.get("tags") or {}),
        "resources": _resources(layout, facts),
        "unknown": [],
    }


def expected_facts(facts: HostState, plan: Plan) -> HostState:
    """The facts with what the plan's updates will change in them."""
    machine = plan.step("virtual_machine")
    if machine and machine.verb == "update" and facts.virtual_machine and machine.body:
        properties = {**properties_of(facts.virtual_machine), **(machine.body.get("properties") or {})}
        changed = {**facts.virtual_machine, **machine.body, "properties": properties}
        facts = replace(facts, virtual_machine=changed)
    if plan.step("delete_public_ip_address") or _loses_address(plan):
        facts = replace(facts, public_ip_address=None, network_interface=_without_address(facts.network_interface))
    return facts


def _without_address(interface: Json | None) -> Json | None:
    bare = copy.deepcopy(interface)
    for entry in properties_of(bare).get("ipConfigurations") or []:
        entry["properties"].pop("publicIPAddress", None)
    return bare


def _loses_address(plan: Plan) -> bool:
    interface = plan.step("network_interface")
    if not interface or interface.verb != "update" or not interface.body:
        return False
    return "publicIPAddress" not in properties_of(primary_ip_configuration(interface.body))


def predict_host(host: Json, layout: HostResources, plan: Plan, private: str | None) -> Json:
    """The host as check mode knows it: what is to be created has addresses that nobody knows yet."""
    unknown: list[str] = []
    makes_address = plan.step("public_ip_address")
    if makes_address and makes_address.verb == "create":
        unknown += ["public_ip_address"] + (["fqdn"] if layout.dns_label else [])
    elif makes_address and any(entry.path == "dns_label" for entry in makes_address.differences):
        unknown += ["fqdn"]
    makes_interface = plan.step("network_interface")
    if makes_interface and makes_interface.verb == "create":
        if private:
            host = {**host, "private_ip_address": private}
        else:
            unknown.append("private_ip_address")
    elif makes_interface and not private and any(e.path == "subnet" for e in makes_interface.differences):
        unknown.append("private_ip_address")
    elif makes_interface and private and any(e.path == "private_ip_address" for e in makes_interface.differences):
        old = host["private_ip_address"]
        addresses = [private if address == old else address for address in host["ip_addresses"]]
        host = {**host, "private_ip_address": private, "ip_addresses": addresses}
        if host["docker_host"] == f"tcp://{old}:{host['docker_port']}":
            host = {**host, "docker_host": f"tcp://{private}:{host['docker_port']}"}
    if unknown:
        unknown += ["docker_host", "dns_names", "ip_addresses"]
    blank: t.Mapping[str, t.Any] = {key: [] if key in ("dns_names", "ip_addresses") else None for key in unknown}
    power = plan.step("virtual_machine") or plan.step("start") or plan.step("power") or plan.step("stop")
    if power and power.verb != "update":
        states = {"power off": "stopped", "deallocate": "deallocated"}
        host = {**host, "power_state": states.get(power.verb, "running")}
    if plan.step("stop"):
        host = {**host, "power_state": "deallocated"}
    if plan.step("start"):
        host = {**host, "power_state": "running"}
    return {**host, **blank, "unknown": unknown}


def _private_address(facts: HostState) -> str | None:
    if not facts.network_interface:
        return None
    return properties_of(primary_ip_configuration(facts.network_interface)).get("privateIPAddress")


def _resources(layout: HostResources, facts: HostState) -> dict[str, str | None]:
    attached = public_ip_id(facts.network_interface) if facts.network_interface else None
    network = layout.virtual_network
    if not network and facts.network_interface:
        subnet = (properties_of(primary_ip_configuration(facts.network_interface)).get("subnet") or {}).get("id") or ""
        network = subnet.rpartition("/subnets/")[0] or None
    return {
        "resource_group": layout.names.group_id,
        "virtual_network": network,
        "subnet": layout.subnet,
        "security_group": layout.security_group,
        "public_ip_address": layout.public_ip_address or attached,
        "network_interface": layout.network_interface,
        "virtual_machine": layout.virtual_machine,
    }
