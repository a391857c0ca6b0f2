# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The actions of a VM (POST): start, stop, deallocate and others."""

from __future__ import annotations

import typing as t

from ..arm.messages import ArmRequest, Reply
from ..arm.replies import accepted, begin
from ..arm.resource import Json, Resource
from ..arm.routing import route
from ..errors import ApiError, conflict, invalid_parameter, operation_not_allowed
from ..machines.base import AgentUnreachable, MachineError, RunCommandSpec
from ..operations import Operation, OperationSpec, action
from ..schema import accept
from . import catalogue, checks, vm_disks
from .common import preempt_children, refuse_while_busy, touch
from .features import is_ephemeral
from .names import VM
from .vm_interfaces import dynamic_addresses
from .vms import ONE, begin_removal, vm_of

if t.TYPE_CHECKING:
    from ..cloud import Cloud


STOPPING = frozenset({"vm.powerOff", "vm.deallocate", "vm.restart", "vm.redeploy"})


def _ready(cloud: Cloud, request: ArmRequest) -> Resource:
    vm = vm_of(cloud, request)
    if vm.provisioning_state == "Deleting":
        refuse_while_busy(cloud, vm)
    if any(o.kind in ("vm.create", "vm.delete") for o in cloud.operations.under_way(vm.id)):
        raise conflict()
    return vm


def _begin(cloud: Cloud, request: ArmRequest, vm: Resource, kind: str, args: dict[str, t.Any] | None = None) -> Reply:
    if kind in STOPPING:
        preempt_children(cloud, vm)
    touch(vm, "Updating")
    cloud.store.save(vm)
    # Recorded with the header for deallocate and start, without it for powerOff (.NET SDK record of 2019-12).
    retry_after = None if kind == "vm.powerOff" else 10
    spec = OperationSpec("compute", kind, vm.id, vm.location or "", args or {}, retry_after=retry_after)
    return accepted(cloud, request, begin(cloud, request, spec))


@route("POST", f"{ONE}/start", VM)
async def start(cloud: Cloud, request: ArmRequest) -> Reply:
    """Boot a machine that is stopped or deallocated."""
    vm = _ready(cloud, request)
    if vm.hidden.get("generalized"):
        raise operation_not_allowed(f"Operation 'start' is not allowed on VM '{vm.name}' since the VM is generalized.")
    if vm.hidden.get("power") == "deallocated":
        checks.check_size(cloud, vm, vm.properties["hardwareProfile"]["vmSize"])
        cores = catalogue.size_of(cloud, vm.properties["hardwareProfile"]["vmSize"]).vcpus
        checks.check_quota(cloud, vm, cores)
    return _begin(cloud, request, vm, "vm.start")


@route("POST", f"{ONE}/powerOff", VM)
async def power_off(cloud: Cloud, request: ArmRequest) -> Reply:
    """Stop a machine; it stays allocated and is billed."""
    skip = request.query.get("skipshutdown", "").lower() == "true"
    return _begin(cloud, request, _ready(cloud, request), "vm.powerOff", {"skip": skip})


@route("POST", f"{ONE}/deallocate", VM)
async def deallocate(cloud: Cloud, request: ArmRequest) -> Reply:
    """Stop a machine and release its capacity; the disks stay."""
    vm = _ready(cloud, request)
    if is_ephemeral(vm):
        # "Ephemeral OS disks" (learn.microsoft.com): stop-deallocate is not supported.
        raise operation_not_allowed(
            f"Operation 'deallocate' is not supported for VM '{vm.name}' with an ephemeral OS disk."
        )
    return _begin(cloud, request, vm, "vm.deallocate")


@route("POST", f"{ONE}/simulateEviction", VM)
async def simulate_eviction(cloud: Cloud, request: ArmRequest) -> Reply:
    """Evict a Spot machine as its eviction policy says. Nobody waits for that: the reply names no operation."""
    vm = _ready(cloud, request)
    if vm.properties.get("priority") != "Spot":
        raise operation_not_allowed(
            f"Operation 'simulateEviction' is not allowed on VM '{vm.name}': it is not a Spot VM."
        )
    if vm.properties.get("evictionPolicy") == "Delete":
        begin_removal(cloud, request, vm)
    else:
        _begin(cloud, request, vm, "vm.deallocate")
    return Reply(204)


def _running(vm: Resource, doing: str) -> Resource:
    if vm.hidden.get("power") != "running":
        raise operation_not_allowed(f"Cannot {doing} VM '{vm.name}' because it is not running.")
    return vm


@route("POST", f"{ONE}/restart", VM)
async def restart(cloud: Cloud, request: ArmRequest) -> Reply:
    """Boot again."""
    return _begin(cloud, request, _running(_ready(cloud, request), "restart"), "vm.restart")


@route("POST", f"{ONE}/redeploy", VM)
async def redeploy(cloud: Cloud, request: ArmRequest) -> Reply:
    """Move to another host: a restart for the guest."""
    return _begin(cloud, request, _ready(cloud, request), "vm.redeploy")


@route("POST", f"{ONE}/reapply", VM)
async def reapply(cloud: Cloud, request: ArmRequest) -> Reply:
    """Apply the VM's state again."""
    return _begin(cloud, request, _ready(cloud, request), "vm.reapply")


@route("POST", f"{ONE}/generalize", VM)
async def generalize(cloud: Cloud, request: ArmRequest) -> Reply:
    """Mark a stopped VM as a source of images. There is no operation to follow."""
    vm = _ready(cloud, request)
    if vm.hidden.get("power") == "running":
        raise operation_not_allowed(
            f"Operation 'generalize' is not allowed on VM '{vm.name}' since the VM is not stopped or deallocated. "
            "Please "
            "stop the VM before performing this operation."
        )
    vm.hidden["generalized"] = True
    touch(vm)
    cloud.store.save(vm)
    return Reply(200)


@action("vm.start", "vm.powerOff", "vm.deallocate", "vm.restart", "vm.redeploy", "vm.reapply")
class Power:
    """The machine is booted or stopped, which decides its power state."""

    async def work(self, cloud: Cloud, operation: Operation) -> None:
        """Act on the machine."""
        vm = cloud.store.get(operation.target)
        if vm is None:
            return
        try:
            await self._act(cloud, vm, operation)
        except MachineError as error:
            raise ApiError(500, "InternalExecutionError", f"An internal execution error occurred. {error}") from error

    async def _act(self, cloud: Cloud, vm: Resource, operation: Operation) -> None:
        running = vm.hidden.get("power") == "running"
        verb = operation.kind.partition(".")[2]
        if verb == "start" and not running:
            vm.hidden["power"] = "starting"
            dynamic_addresses(cloud, vm, held=True)
            await cloud.machines.start(vm)
        elif verb in ("powerOff", "deallocate"):
            if running:
                agent = await cloud.machines.agent_status(vm)
                vm.hidden["lastAgent"] = [agent.state, agent.version, agent.message] if verb == "powerOff" else None
                vm.hidden["power"] = "stopping" if verb == "powerOff" else "deallocating"
                await cloud.machines.stop(vm, skip_shutdown=bool(operation.args.get("skip")))
        elif verb == "restart" or (verb == "redeploy" and running):
            await cloud.machines.restart(vm)
        elif verb == "reapply":
            await cloud.machines.reconfigure(vm)

    def done(self, cloud: Cloud, operation: Operation) -> None:
        """Set the power state."""
        vm = cloud.store.get(operation.target)
        if vm is None:
            return
        ok = operation.status == "Succeeded"
        verb = operation.kind.partition(".")[2]
        after = {"start": "running", "powerOff": "stopped", "deallocate": "deallocated"}.get(verb)
        if ok and after is not None and not (verb == "powerOff" and vm.hidden.get("power") == "deallocated"):
            vm.hidden["power"] = after
        elif not ok and vm.hidden.get("power") not in ("running", "stopped", "deallocated"):
            vm.hidden["power"] = "stopped" if verb == "start" else "running"
        if ok and verb == "deallocate":
            dynamic_addresses(cloud, vm, held=False)
        if ok and verb in ("deallocate", "start"):
            vm.hidden["lastAgent"] = None
            for disk in vm_disks.disks_of(cloud, vm):
                vm_disks.note_ownership(disk)
                cloud.store.save(disk)
        if vm.provisioning_state != "Deleting":
            touch(vm, operation.status)
        cloud.store.save(vm)


@route("POST", f"{ONE}/runCommand", VM)
async def run_command(cloud: Cloud, request: ArmRequest) -> Reply:
    """Run a script through the agent and give back its output (the older way, without a resource)."""
    vm = _ready(cloud, request)
    if vm.hidden.get("power") != "running":
        raise operation_not_allowed("Cannot modify extensions in the VM when the VM is not running.")
    body = accept(request, f"{VM}/runCommand")
    command = body.get("commandId")
    if not command:
        raise invalid_parameter("Required parameter 'commandId' is missing (null).", "commandId")
    windows = vm.properties["storageProfile"]["osDisk"]["osType"] == "Windows"
    if command != ("RunPowerShellScript" if windows else "RunShellScript"):
        raise ApiError(404, "NotFound", f"The run command '{command}' was not found.", target="commandId")
    args = {
        "script": "\n".join(body.get("script") or []),
        "parameters": body.get("parameters") or [],
        "windows": windows,
    }
    spec = OperationSpec("compute", "vm.runCommand", vm.id, vm.location or "", args, retry_after=10)
    return accepted(cloud, request, begin(cloud, request, spec))


@action("vm.runCommand")
class RunCommand:
    """The script's output is the operation's output."""

    async def work(self, cloud: Cloud, operation: Operation) -> t.Any:
        """Run it."""
        vm = cloud.store.get(operation.target)
        if vm is None:
            raise ApiError(409, "OperationNotAllowed", "The VM was deleted.")
        command = RunCommandSpec(operation.args["script"], _parameters(operation.args["parameters"]))
        try:
            async with cloud.machines.lock(vm):
                machine = await cloud.machines.machine(vm)
                result = await machine.run_command(command)
        except AgentUnreachable as error:
            raise agent_lost(vm) from error
        if operation.args.get("windows"):
            statuses = [
                _status("ComponentStatus/StdOut", result.output),
                _status("ComponentStatus/StdErr", result.error),
            ]
            return {"value": statuses}
        text = f"Enable succeeded: \n[stdout]\n{result.output}\n[stderr]\n{result.error}"
        return {"value": [_status("ProvisioningState", text)]}

    def done(self, cloud: Cloud, operation: Operation) -> None:
        """Do nothing: only the output matters."""


def _status(code: str, message: str) -> Json:
    return {
        "code": f"{code}/succeeded",
        "level": "Info",
        "displayStatus": "Provisioning succeeded",
        "message": message,
    }


def _parameters(given: list[Json]) -> tuple[tuple[str, str], ...]:
    """Return every value as an argument of the script, and a named one also as a variable.

    The Azure CLI names what it is given without a name ``arg1``, ``arg2`` and so on, and a script finds it in ``$1``.
    """
    pairs = [(str(item.get("name") or ""), str(item.get("value", ""))) for item in given]
    return (*((name, value) for name, value in pairs if name), *(("", value) for _name, value in pairs))


def agent_lost(vm: Resource) -> ApiError:
    """Return the error of an extension whose agent does not report."""
    return ApiError(
        409,
        "VMAgentStatusCommunicationError",
        f"VM '{vm.name}' has not reported status for VM agent or extensions. Verify that the OS is up and healthy, the "
        "VM has a running VM agent, and that it can establish outbound connections to Azure storage. Please refer to "
        "https://aka.ms/vmextensionlinuxtroubleshoot for additional VM agent troubleshooting information.",
    )


@route("POST", f"{ONE}/retrieveBootDiagnosticsData", VM)
async def boot_diagnostics(cloud: Cloud, request: ArmRequest) -> Reply:
    """Return where the console's log can be read."""
    vm = vm_of(cloud, request)
    if not (vm.properties.get("diagnosticsProfile") or {}).get("bootDiagnostics", {}).get("enabled"):
        raise operation_not_allowed(f"Boot diagnostics is not enabled on VM '{vm.name}'.")
    return Reply(200, {"serialConsoleLogBlobUri": console_url(cloud, request.origin, vm)}, pretty=True)


def console_url(cloud: Cloud, origin: str, vm: Resource) -> str:
    """Return where a console's log can be read for some time without a token, as from a storage account."""
    path = f"/_console{vm.id}/serialconsole.log"
    return f"{origin}{path}?sig={cloud.signature(path)}"


def read_console(cloud: Cloud, path: str, signature: str) -> Reply:
    """Return the log behind such a URL."""
    if signature != cloud.signature(path):
        raise ApiError(403, "AuthenticationFailed", "Server failed to authenticate the request.")
    vm = cloud.resource(path.removeprefix("/_console").rpartition("/")[0])
    return Reply(200, cloud.machines.console_log(vm).encode(), media_type="text/plain; charset=utf-8")


@route("GET", f"{ONE}/vmSizes", VM)
async def sizes(cloud: Cloud, request: ArmRequest) -> Reply:
    """Return the sizes that the VM could have."""
    vm_of(cloud, request)
    return Reply(200, {"value": [catalogue.size_body(size) for size in catalogue.SIZES.values()]}, pretty=True)
