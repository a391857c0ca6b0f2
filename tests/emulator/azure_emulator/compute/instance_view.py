# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The run-time state of a VM: power, agent, handlers, extensions, disks."""

from __future__ import annotations

import typing as t

from ..arm.resource import Json, Resource, timestamp, utc_now
from ..machines.base import AgentStatus, HandlerState
from . import sources
from .names import EXTENSION

if t.TYPE_CHECKING:
    from ..cloud import Cloud

POWER = {
    "running": "VM running",
    "starting": "VM starting",
    "stopped": "VM stopped",
    "stopping": "VM stopping",
    "deallocated": "VM deallocated",
    "deallocating": "VM deallocating",
}


def status(code: str, display: str, message: str | None = None, time: str | None = None, level: str = "Info") -> Json:
    """Return one status as instance views carry it."""
    body: Json = {"code": code, "level": level, "displayStatus": display}
    if message is not None:
        body["message"] = message
    if time is not None:
        body["time"] = time
    return body


def provisioning_status(resource: Resource, failure: Json | None = None) -> Json:
    """Return the status that says how the last operation on a resource ended."""
    state = resource.provisioning_state.lower()
    words = {"succeeded": "Provisioning succeeded", "failed": "Provisioning failed"}
    level = "Error" if state == "failed" else "Info"
    code = f"ProvisioningState/{state}"
    if state == "failed" and failure:
        code += f"/{failure.get('code', '')}"
    return status(
        code, words.get(state, resource.provisioning_state), (failure or {}).get("message"), resource.changed, level
    )


async def _agent_status(cloud: Cloud, vm: Resource) -> AgentStatus:
    """Return what the agent reports. A machine that is stopped but allocated still shows its last report."""
    last = vm.hidden.get("lastAgent")
    if vm.hidden.get("power") == "stopped" and last:
        return AgentStatus(*last)
    return await cloud.machines.agent_status(vm)


async def instance_view(cloud: Cloud, vm: Resource) -> Json:
    """Return the instance view of a VM."""
    view: Json = {}
    power = vm.hidden.get("power", "running")
    agent = await _agent_status(cloud, vm)
    has_agent = power == "running" or (power == "stopped" and agent.state != "absent")
    profile = vm.properties.get("osProfile") or {}
    if has_agent and agent.state == "ready":
        image = sources.image_of(cloud, vm, vm.properties["storageProfile"].get("imageReference") or {})
        view["computerName"] = profile.get("computerName", vm.name)
        view["osName"] = image.os_name if image else "linux"
        view["osVersion"] = image.os_version if image else ""
        if agent.system is not None:
            view["computerName"], view["osName"], view["osVersion"] = agent.system
    if has_agent and (profile.get("linuxConfiguration") or {}).get("provisionVMAgent", True):
        view["vmAgent"] = _agent(cloud, vm, agent)
    view["disks"] = [_disk(disk, vm) for disk in _disks(vm)]
    if (vm.properties.get("diagnosticsProfile") or {}).get("bootDiagnostics", {}).get("enabled"):
        view["bootDiagnostics"] = {}
    extensions = cloud.store.children(vm.id, EXTENSION)
    if extensions and has_agent:
        # What an extension's handler says comes from the agent: without a report there is only its name.
        ready = agent.state == "ready"
        view["extensions"] = [extension_view(cloud, e) if ready else {"name": e.name} for e in extensions]
    reference = vm.properties["storageProfile"].get("imageReference") or {}
    found = sources.image_of(cloud, vm, reference)
    view["hyperVGeneration"] = found.generation if found else "V1"
    view["statuses"] = [provisioning_status(vm)]
    if vm.hidden.get("generalized"):
        view["statuses"].append(status("OSState/generalized", "VM generalized"))
    view["statuses"].append(status(f"PowerState/{power}", POWER.get(power, f"VM {power}")))
    return view


def _agent(cloud: Cloud, vm: Resource, agent: AgentStatus) -> Json:
    time = f"{utc_now():%Y-%m-%dT%H:%M:%S}+00:00"
    if agent.state == "ready":
        own = status("ProvisioningState/succeeded", "Ready", agent.message or "Guest Agent is running", time)
        handlers = _handlers(cloud, vm) if agent.handlers is None else [_reported(h) for h in agent.handlers]
        return {"vmAgentVersion": agent.version or "Unknown", "statuses": [own], "extensionHandlers": handlers}
    text = agent.message or "VM status blob is found but not yet populated."
    own = status("ProvisioningState/Unavailable", "Not Ready", text, time, "Warning")
    return {"vmAgentVersion": "Unknown", "statuses": [own]}


def _reported(handler: HandlerState) -> Json:
    """Return a handler's state as the agent reports it."""
    own = status("ProvisioningState/succeeded", "Ready", handler.message or "Plugin enabled")
    if not handler.is_ready:
        own = status(f"ProvisioningState/failed/{handler.code}", "Not Ready", handler.message, level="Error")
    return {"type": handler.name, "typeHandlerVersion": handler.version, "status": own}


def _handlers(cloud: Cloud, vm: Resource) -> list[Json]:
    """Return the handlers of the extensions, for an agent that reports none."""
    handlers = [_handler(e) for e in cloud.store.children(vm.id, EXTENSION) if e.hidden.get("handlerVersion")]
    return list({handler["type"]: handler for handler in handlers}.values())


def _handler(extension: Resource) -> Json:
    properties = extension.properties
    return {
        "type": f"{properties['publisher']}.{properties['type']}",
        "typeHandlerVersion": extension.hidden["handlerVersion"],
        "status": status("ProvisioningState/succeeded", "Ready", "Plugin enabled"),
    }


def extension_view(cloud: Cloud, extension: Resource) -> Json:
    """Return the instance view of an extension.

    An update of a handler replaces the message of its last run, as the real CustomScript handler 2.1 does.
    """
    properties = extension.properties
    view: Json = {
        "name": extension.name,
        "type": f"{properties['publisher']}.{properties['type']}",
        "typeHandlerVersion": extension.hidden.get("handlerVersion") or properties.get("typeHandlerVersion", ""),
    }
    substatuses = extension.hidden.get("substatuses")
    if substatuses:
        view["substatuses"] = substatuses
    statuses = extension.hidden.get("statuses")
    view["statuses"] = statuses or [provisioning_status(extension)]
    if statuses and cloud.switches["updated_handlers"]:
        view["statuses"] = [{**entry, "message": "Update succeeded"} for entry in statuses]
    return view


def _disks(vm: Resource) -> list[Json]:
    storage = vm.properties["storageProfile"]
    return [storage["osDisk"], *storage["dataDisks"]]


def _disk(disk: Json, vm: Resource) -> Json:
    time = vm.hidden.get("provisioned") or timestamp()
    return {
        "name": disk["name"],
        "statuses": [status("ProvisioningState/succeeded", "Provisioning succeeded", time=time)],
    }
