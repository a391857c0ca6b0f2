# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Managed Run Command: scripts as resources of a VM."""

from __future__ import annotations

import typing as t

from ..arm.messages import ArmRequest, Reply
from ..arm.replies import accepted, begin, found, listing, started
from ..arm.resource import Json, Resource, timestamp
from ..arm.routing import SUBSCRIPTION, route
from ..errors import ApiError, conflict, invalid_parameter
from ..machines.base import AgentUnreachable, CommandResult, MachineError, RunCommandSpec
from ..operations import Operation, OperationSpec, action
from ..schema import accept
from .common import child_of_vm, parent_vm, refuse_while_off, touch
from .extensions import settle_vm
from .names import RUN_COMMAND, VM
from .power import agent_lost
from .vms import ONE as VM_PATH

if t.TYPE_CHECKING:
    from ..cloud import Cloud

ONE = f"{VM_PATH}/runCommands/{{name}}"
SECRETS = ("protectedParameters", "runAsPassword")
OUTPUT_LIMIT = 4096
"""Bytes of output that the instance view keeps; the last ones."""
DEFAULT_TIMEOUT = 5400


def render_command(command: Resource, instance_view: Json | None = None) -> Json:
    """The body of a run command."""
    body: Json = {"name": command.name, "id": command.id, "type": command.type, "location": command.location}
    if command.tags is not None:
        body["tags"] = command.tags
    properties = dict(command.properties)
    if instance_view is not None:
        properties["instanceView"] = instance_view
    return {**body, "properties": properties}


def _id(request: ArmRequest) -> str:
    return f"{request.id_of(VM, request.params['vm'])}/runCommands/{request.params['name']}"


@route("GET", ONE, RUN_COMMAND)
async def get_command(cloud: Cloud, request: ArmRequest) -> Reply:
    """One run command; with ``$expand=instanceView`` its output."""
    command = child_of_vm(cloud, request, RUN_COMMAND, _id(request))
    expand = request.query.get("$expand", "").lower() == "instanceview"
    return found(render_command(command, command.hidden.get("instanceView", {}) if expand else None))


@route("GET", f"{VM_PATH}/runCommands", RUN_COMMAND)
async def list_commands(cloud: Cloud, request: ArmRequest) -> Reply:
    """The run commands of a VM."""
    vm = parent_vm(cloud, request, RUN_COMMAND)
    return listing([render_command(command) for command in cloud.store.children(vm.id, RUN_COMMAND)])


@route("PUT", ONE, RUN_COMMAND)
async def put_command(cloud: Cloud, request: ArmRequest) -> Reply:
    """Create a run command, or run another script under its name."""
    body = accept(request, RUN_COMMAND)
    return _write(cloud, request, body, dict(body.get("properties") or {}))


@route("PATCH", ONE, RUN_COMMAND)
async def patch_command(cloud: Cloud, request: ArmRequest) -> Reply:
    """Change a run command, and run it again."""
    body = accept(request, RUN_COMMAND, patch=True)
    command = child_of_vm(cloud, request, RUN_COMMAND, _id(request))
    kept = {k: v for k, v in command.properties.items() if k != "provisioningState"}
    properties = {**kept, **(body.get("properties") or {})}
    for name in SECRETS:
        properties.setdefault(name, command.hidden.get(name))
    return _write(cloud, request, {"location": command.location, "tags": command.tags, **body}, properties)


def _write(cloud: Cloud, request: ArmRequest, body: Json, properties: Json) -> Reply:
    vm = parent_vm(cloud, request, RUN_COMMAND)
    command = cloud.store.get(_id(request))
    source = properties.get("source") or {}
    if not any(source.get(name) for name in ("script", "scriptUri", "commandId")):
        raise invalid_parameter("Required parameter 'runCommand.properties.source' is missing (null).", "source")
    refuse_while_off(vm, "extensions")
    if command is not None and cloud.operations.under_way(command.id):
        raise conflict()
    created = command is None
    if command is None:
        command = Resource(_id(request), RUN_COMMAND, request.params["name"], vm.group, vm.subscription)
    command.location = str(body.get("location") or vm.location).replace(" ", "").lower()
    command.tags = body.get("tags")
    for name in SECRETS:
        command.hidden[name] = properties.pop(name, None)
    state = "Creating" if created else "Updating"
    command.properties = {
        **{k: v for k, v in properties.items() if v is not None and k != "instanceView"},
        "asyncExecution": bool(properties.get("asyncExecution")),
        "timeoutInSeconds": properties.get("timeoutInSeconds") or 0,
        "treatFailureAsDeploymentFailure": bool(properties.get("treatFailureAsDeploymentFailure")),
        "provisioningState": state,
    }
    command.hidden["instanceView"] = {
        "executionState": "Pending",
        "executionMessage": "",
        "exitCode": 0,
        "output": "",
        "error": "",
        "statuses": [],
    }
    touch(command, state)
    cloud.store.save(command)
    if vm.provisioning_state == "Succeeded":
        touch(vm, "Updating")
        cloud.store.save(vm)
    kind = "runCommand.create" if created else "runCommand.update"
    operation = begin(cloud, request, OperationSpec("compute", kind, command.id, vm.location or ""))
    return started(cloud, request, operation, 201 if created else 200, render_command(command))


@action("runCommand.create", "runCommand.update")
class Run:
    """The script is run by the agent; how it went stands in the instance view."""

    async def work(self, cloud: Cloud, operation: Operation) -> None:
        """Run it, or fail as the properties say."""
        command = cloud.store.get(operation.target)
        vm = cloud.store.get(command.container) if command is not None else None
        if command is None or vm is None:
            raise ApiError(409, "OperationNotAllowed", "The VM was deleted while the operation went on.")
        agent = await cloud.machines.agent_status(vm)
        if agent.state != "ready":
            operation.duration = cloud.latencies.draw("agent.lost")
            raise agent_lost(vm)
        view = command.hidden["instanceView"]
        view["executionState"], view["startTime"] = "Running", timestamp()
        cloud.store.save(command)
        try:
            result = await _run(cloud, vm, command)
        except AgentUnreachable as error:
            raise agent_lost(vm) from error
        except MachineError as error:
            result = CommandResult(1, "", str(error))
        _note(view, result)
        cloud.store.save(command)
        if view["executionState"] != "Succeeded" and command.properties["treatFailureAsDeploymentFailure"]:
            raise ApiError(
                409,
                "VMRunCommandExecutionFailed",
                f"RunCommand '{command.name}' ended with execution state '{view['executionState']}' and exit code "
                f"'{view['exitCode']}'. Check the instance view of the run command for its output and error.",
            )

    def done(self, cloud: Cloud, operation: Operation) -> None:
        """Set the state."""
        command = cloud.store.get(operation.target)
        if command is None:
            return
        touch(command, operation.status)
        cloud.store.save(command)
        settle_vm(cloud, command, operation)


async def _run(cloud: Cloud, vm: Resource, command: Resource) -> CommandResult:
    properties, hidden = command.properties, command.hidden
    source = properties["source"]
    if not source.get("script"):
        raise MachineError("Only scripts given in the request can be run: there is no storage to fetch one from.")
    async with cloud.machines.lock(vm):
        machine = await cloud.machines.machine(vm)
        return await machine.run_command(
            RunCommandSpec(
                script=source["script"],
                parameters=_pairs(properties.get("parameters")),
                protected_parameters=_pairs(hidden.get("protectedParameters")),
                run_as_user=properties.get("runAsUser"),
                run_as_password=hidden.get("runAsPassword"),
                timeout=float(properties.get("timeoutInSeconds") or DEFAULT_TIMEOUT),
            )
        )


def _pairs(parameters: list[Json] | None) -> tuple[tuple[str, str], ...]:
    return tuple((str(p.get("name") or ""), str(p.get("value") or "")) for p in parameters or [])


def _note(view: Json, result: CommandResult) -> None:
    state = "TimedOut" if result.timed_out else "Succeeded" if result.exit_code == 0 else "Failed"
    messages = {
        "Succeeded": "",
        "Failed": f"Execution failed with exit code {result.exit_code}.",
        "TimedOut": "Execution timed out.",
    }
    view.update(
        executionState=state,
        executionMessage=messages[state],
        exitCode=result.exit_code,
        output=result.output[-OUTPUT_LIMIT:],
        error=result.error[-OUTPUT_LIMIT:],
        endTime=timestamp(),
    )


@route("DELETE", ONE, RUN_COMMAND)
async def delete_command(cloud: Cloud, request: ArmRequest) -> Reply:
    """Remove a run command."""
    command = cloud.store.get(_id(request))
    vm = parent_vm(cloud, request, RUN_COMMAND)
    if command is None:
        return Reply(204)
    refuse_while_off(vm, "extensions")
    touch(command, "Deleting")
    cloud.store.save(command)
    spec = OperationSpec("compute", "runCommand.delete", command.id, vm.location or "", retry_after=10)
    return accepted(cloud, request, begin(cloud, request, spec))


@action("runCommand.delete")
class Remove:
    """It is forgotten."""

    async def work(self, cloud: Cloud, operation: Operation) -> None:
        """Nothing but time."""

    def done(self, cloud: Cloud, operation: Operation) -> None:
        """Forget it."""
        command = cloud.store.get(operation.target)
        if command is not None and operation.status == "Succeeded":
            cloud.store.remove(command)


DOCUMENT = {
    "$schema": "https://schema.management.azure.com/schemas/2016-11-17/runcommands.json",
    "id": "RunShellScript",
    "osType": "Linux",
    "label": "Executes a Linux shell script",
    "description": "Custom multiline shell script should be defined in script property. Optional parameters can be "
    "set in "
    "parameters property.",
}


@route("GET", f"{SUBSCRIPTION}/providers/Microsoft.Compute/locations/{{location}}/runCommands", RUN_COMMAND)
async def list_documents(cloud: Cloud, request: ArmRequest) -> Reply:
    """The documents of the older run command."""
    return listing([DOCUMENT])


@route("GET", f"{SUBSCRIPTION}/providers/Microsoft.Compute/locations/{{location}}/runCommands/{{command}}", RUN_COMMAND)
async def get_document(cloud: Cloud, request: ArmRequest) -> Reply:
    """One of them, with its script."""
    if request.params["command"].lower() != DOCUMENT["id"].lower():
        raise ApiError(404, "NotFound", f"The entity was not found. Command id '{request.params['command']}'.")
    return found({**DOCUMENT, "script": ["echo $arg1 $arg2"], "parameters": []})
