# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The task of docker_vm_host_info."""

from __future__ import annotations

import typing as t
from functools import partial

from .._argspec import ArgumentSpec
from .._azure.argument_spec import azure_argument_spec
from .._azure.clients import AzureSession
from .._azure.errors import AzureError
from .._azure.operations import run_parallel
from .._azure.resource_ids import group_in, name_in, with_group
from .._azure.tags import CA_TAG, CERT_EXPIRES_TAG, SETTINGS_DIGEST_TAG, has_tag, owner_of, tag_of
from .._azure.wire import Json, dig, primary_nic_id, properties_of, public_ip_id, security_group_id
from .._backend import Backend, Request
from .._errors import OptionError
from .current.listing import find_if_readable, own_group
from .current.state import HostState
from .desired import validators
from .desired.resource_names import ResourceNames
from .desired.topology import HostResources
from .plan.immutable import shown_image
from .result import KnownValues, describe_host

AT_ONCE = 8
EXPANDED = {"$expand": "instanceView"}

SPEC = azure_argument_spec().merge(
    ArgumentSpec(
        argument_spec={
            "name": {"type": "str"},
            "resource_group": {"type": "str"},
            "tags": {"type": "list", "elements": "str"},
        },
        required_by={"name": ["resource_group"]},
    )
)


def run(request: Request) -> dict[str, t.Any]:
    """Find hosts and read the state of each."""
    params = request.params
    _check(params)
    with AzureSession.from_params(params, request.progress, token_cache=request.token_cache) as session:
        machines = [machine for machine in _machines(session, params) if _is_host(machine, params["tags"] or [])]
        hosts: list[Json | None] = []
        for first in range(0, len(machines), AT_ONCE):
            batch = machines[first : first + AT_ONCE]
            hosts += run_parallel([partial(_describe, session, machine) for machine in batch])
        described = sorted((host for host in hosts if host), key=lambda host: (host["resource_group"], host["name"]))
        return {"changed": False, "hosts": described, "signed_in_with": session.signed_in_with}


def _check(params: t.Mapping[str, t.Any]) -> None:
    if params["name"]:
        validators.check_name("name", params["name"])
    if params["resource_group"]:
        validators.check_group_name("resource_group", params["resource_group"])
    for place, tag in enumerate(params["tags"] or []):
        if not tag.partition(":")[0]:
            raise OptionError(f"tags[{place}]", f"must be a tag's name, or name:value, got {tag!r}")


def _machines(session: AzureSession, params: t.Mapping[str, t.Any]) -> list[Json]:
    machines = session.compute.virtual_machines
    group = params["resource_group"]
    if params["name"]:
        machine = session.find("read the VM", params["name"], machines.get, group, params["name"])
        return [machine] if machine else []
    if group:
        if not session.arm.find(session.group_id(group)):
            return []
        return session.pages("list the VMs", group, machines.list, group)
    return session.pages("list the VMs", session.subscription_id, machines.list_all)


def _is_host(machine: Json, tags: t.Sequence[str]) -> bool:
    """Return whether the collection created a VM as a host of its name, and it has all of the tags."""
    return str(owner_of(machine)).lower() == str(machine["name"]).lower() and _has_tags(machine, tags)


def _has_tags(machine: Json, entries: t.Sequence[str]) -> bool:
    for entry in entries:
        name, colon, value = entry.partition(":")
        if not has_tag(machine, name, value if colon else None):
            return False
    return True


def _describe(session: AzureSession, listed: Json) -> Json | None:
    """Return the description of one host; None if it was deleted meanwhile."""
    machine = session.find(
        "read the VM",
        str(listed["id"]),
        session.compute.virtual_machines.get,
        group_in(str(listed["id"])),
        name_in(str(listed["id"])),
        expand="instanceView",
    )
    if not machine:
        return None
    interface_id = primary_nic_id(machine)
    interface = find_if_readable(session, interface_id) if interface_id else None
    address_id = public_ip_id(interface) if interface else None
    address = find_if_readable(session, address_id) if address_id else None
    current = HostState(virtual_machine=machine, network_interface=interface, public_ip_address=address)
    group = own_group(machine, interface)
    names = ResourceNames(session.subscription_id, group, str(owner_of(machine)))
    security_group = security_group_id(interface)
    resources = HostResources(
        names=names,
        virtual_machine=with_group(str(machine["id"]), group),
        network_interface=str(dig(interface, "id") or interface_id or ""),
        security_group=security_group,
        public_ip_address=dig(address, "id") or address_id,
        virtual_network=None,
        subnet=None,
        dns_label=None,
        given=frozenset(),
    )
    commands = _run_commands(session, machine)
    return {**describe_host(resources, current, KnownValues()), **_more(machine), "run_commands": commands}


def _more(machine: Json) -> Json:
    """Return the keys that only this module returns."""
    properties = properties_of(machine)
    storage = properties.get("storageProfile") or {}
    return {
        "provisioning_state": properties.get("provisioningState"),
        "zone": next(iter(machine.get("zones") or []), None),
        "image": shown_image(storage.get("imageReference") or {}),
        "priority": properties.get("priority") or "Regular",
        "data_disks": [
            {"lun": disk.get("lun"), "name": disk.get("name"), "disk_size_gb": disk.get("diskSizeGB")}
            for disk in storage.get("dataDisks") or []
        ],
        "agent": _agent(properties.get("instanceView") or {}),
        "extensions": _extensions(machine, properties.get("instanceView") or {}),
        "ca_fingerprint": tag_of(machine, CA_TAG),
        "cert_expires": tag_of(machine, CERT_EXPIRES_TAG),
    }


def _agent(view: Json) -> Json:
    agent = view.get("vmAgent") or {}
    status = (agent.get("statuses") or [{}])[0]
    version = agent.get("vmAgentVersion")
    return {
        "state": status.get("displayStatus") or "Unknown",
        "version": None if version in (None, "Unknown") else version,
        "message": status.get("message") or "",
    }


def _extensions(machine: Json, view: Json) -> list[Json]:
    """Return the extensions that the VM lists, with the agent's status of each."""
    reported = {str(entry.get("name")): entry for entry in view.get("extensions") or []}
    extensions = []
    for resource in machine.get("resources") or []:
        name = name_in(str(resource.get("id") or resource.get("name")))
        properties = properties_of(resource)
        status = ((reported.get(name) or {}).get("statuses") or [{}])[0]
        extensions.append(
            {
                "name": name,
                "type": f"{properties.get('publisher')}.{properties.get('type')}",
                "provisioning_state": properties.get("provisioningState"),
                "status": status.get("displayStatus"),
                "message": status.get("message"),
            }
        )
    return extensions


def _run_commands(session: AzureSession, machine: Json) -> list[Json]:
    """Return the Run Commands that carry Docker settings. A VM whose settings an extension carries has none."""
    if any(tag_of(resource, SETTINGS_DIGEST_TAG) for resource in machine.get("resources") or []):
        return []
    path = f"{machine['id']}/runCommands"
    try:
        carriers = [entry for entry in session.arm.list(path) if tag_of(entry, SETTINGS_DIGEST_TAG)]
    except AzureError as error:
        if error.status != 403 and not error.not_found:
            raise
        return []
    read = [find_if_readable(session, f"{path}/{entry['name']}", **EXPANDED) for entry in carriers]
    return [_run_command(resource) for resource in read if resource]


def _run_command(resource: Json) -> Json:
    properties = properties_of(resource)
    view = properties.get("instanceView") or {}
    return {
        "name": resource["name"],
        "provisioning_state": properties.get("provisioningState"),
        "status": view.get("executionState"),
        "message": view.get("output"),
    }


BACKEND = Backend("docker_vm_host_info", SPEC, run)
