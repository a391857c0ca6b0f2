# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Managed Run Command: scripts as resources of a VM."""

from __future__ import annotations

import typing as t

from ..arm.messages import ArmRequest, Reply
from ..arm.replies import found, listing
from ..arm.resource import Json, Resource, timestamp
from ..arm.routing import SUBSCRIPTION, route
from ..errors import ApiError, conflict, invalid_parameter
from ..machines.base import AgentUnreachable, CommandResult, MachineError, RunCommandSpec
from ..operations import Operation, action
from .children import ChildKind, RemoveChild, Write, child_routes, settle_vm
from .common import refuse_while_off, touch
from .names import RUN_COMMAND
from .power import agent_lost

if t.TYPE_CHECKING:
    from ..cloud import Cloud

SECRETS = ("protectedParameters", "runAsPassword")
OUTPUT_LIMIT = 4096
"""Bytes of output that the instance view keeps; the last ones."""
DEFAULT_TIMEOUT = 5400


def _shown(command: Resource) -> Json:
    return dict(command.properties)


def _view(_cloud: Cloud, command: Resource) -> Json:
    return dict(command.hidden.get("instanceView", {}))


def _check(cloud: Cloud, write: Write) -> None:
    """Refuse what Azure refuses before anything starts."""
    source = write.properties.get("source") or {}
    if not any(source.get(name) for name in ("script", "scriptUri", "commandId")):
        raise invalid_parameter("Required parameter 'runCommand.properties.source' is missing (null).", "source")
    refuse_while_off(write.vm, "extensions")
    if write.current is not None and cloud.operations.under_way(write.current.id):
        raise conflict()


def _stored(properties: Json) -> Json:
    return {
        **properties,
        "asyncExecution": bool(properties.get("asyncExecution")),
        "timeoutInSeconds": properties.get("timeoutInSeconds") or 0,
    }


def _started(_cloud: Cloud, write: Write) -> tuple[str, Json, str | None]:
    return "runCommand.create" if write.is_new else "runCommand.update", {}, None


def _reset(command: Resource) -> None:
    view = {"executionState": "Pending", "executionMessage": "", "exitCode": 0, "output": "", "error": ""}
    command.hidden["instanceView"] = view


@action("runCommand.create", "runCommand.update")
class Run:
    """The agent runs the script; the instance view shows the result."""

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
        if view["executionState"] != "Succeeded" and command.properties.get("treatFailureAsDeploymentFailure"):
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
                name=command.name,
            )
        )


def _pairs(parameters: list[Json] | None) -> tuple[tuple[str, str], ...]:
    return tuple((str(p.get("name") or ""), str(p.get("value") or "")) for p in parameters or [])


def _note(view: Json, result: CommandResult) -> None:
    state = "TimedOut" if result.timed_out else "Succeeded" if result.exit_code == 0 else "Failed"
    state = result.state or state
    messages = {
        "Succeeded": "",
        "Failed": f"Execution failed with exit code {result.exit_code}.",
        "TimedOut": "Execution timed out.",
    }
    view.update(
        executionState=state,
        executionMessage=result.message if result.state else messages[state],
        exitCode=result.exit_code,
        output=result.output[-OUTPUT_LIMIT:],
        error=result.error[-OUTPUT_LIMIT:],
        endTime=timestamp(),
    )


@action("runCommand.delete")
class Remove(RemoveChild):
    """A run command is forgotten."""

    async def work(self, cloud: Cloud, operation: Operation) -> None:
        """Let the agent forget it, if the machine runs."""
        command = cloud.store.get(operation.target)
        vm = cloud.store.get(command.container) if command is not None else None
        if command is None or vm is None or (await cloud.machines.agent_status(vm)).state != "ready":
            return
        async with cloud.machines.lock(vm):
            await (await cloud.machines.machine(vm)).forget_run_command(command.name)


RUN_COMMANDS = ChildKind(
    type=RUN_COMMAND,
    operation="runCommand",
    secrets=SECRETS,
    shown=_shown,
    view=_view,
    check=_check,
    stored=_stored,
    started=_started,
    reset=_reset,
    deletable_while_busy=True,
)
child_routes(RUN_COMMANDS)


SCHEMA = "http://schema.management.azure.com/schemas/2016-11-17/runcommands.json"
DOCUMENTS: t.Mapping[str, Json] = {
    str(document["id"]): document
    for document in (
        {
            "$schema": SCHEMA,
            "id": "RunShellScript",
            "osType": "Linux",
            "label": "Executes a Linux shell script",
            "description": "Custom multiline shell script should be defined in script property. Optional parameters "
            "can be set in parameters property.",
            "script": ["echo $arg1 $arg2"],
        },
        {
            "$schema": SCHEMA,
            "id": "RunPowerShellScript",
            "osType": "Windows",
            "label": "Executes a PowerShell script",
            "description": "Custom multiline PowerShell script should be defined in script property. Optional "
            "parameters can be set in parameters property.",
            "script": [
                "param(",
                "    [string]$arg1,",
                "    [string]$arg2",
                ")",
                "Write-Host This is a sample script with parameters $arg1 $arg2",
            ],
        },
    )
}
"""The scripts of the older run command that are served, by id."""
PARAMETERS = [
    {"name": "arg1", "type": "string", "required": False},
    {"name": "arg2", "type": "string", "required": False},
]


@route("GET", f"{SUBSCRIPTION}/providers/Microsoft.Compute/locations/{{location}}/runCommands", RUN_COMMAND)
async def list_documents(cloud: Cloud, request: ArmRequest) -> Reply:
    """List the documents of the older run command."""
    return listing([{k: v for k, v in document.items() if k != "script"} for document in DOCUMENTS.values()])


@route("GET", f"{SUBSCRIPTION}/providers/Microsoft.Compute/locations/{{location}}/runCommands/{{command}}", RUN_COMMAND)
async def get_document(cloud: Cloud, request: ArmRequest) -> Reply:
    """Return one document with its script."""
    for id_, document in DOCUMENTS.items():
        if id_.lower() == request.params["command"].lower():
            return found({**document, "parameters": PARAMETERS})
    raise ApiError(404, "NotFound", f"The entity was not found. Command id '{request.params['command']}'.")
