# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How the fabric talks to a guest's agent, and to the imitation of one: what Azure would put into the goal state."""

from __future__ import annotations

import json
import typing as t
from collections.abc import Callable

from azure_emulator.machines.base import (
    AgentStatus,
    AgentUnreachable,
    CommandResult,
    ExtensionSettings,
    HandlerReference,
    HandlerResult,
    MachineError,
    MachineSpec,
    RunCommandSpec,
)
from azure_emulator.machines.envelopes import encrypt
from azure_emulator.machines.layer import AGENT_READY, PROGRAMS_IN_GUEST
from azure_emulator.machines.nspawn import Guest

AGENT_VERSION = "2.9.1.1"


class Agent(t.Protocol):
    """The agent of one machine, which has one."""

    def attach(self, spec: MachineSpec) -> None:
        """Begin: the machine boots."""

    def detach(self) -> None:
        """End: the machine is off."""

    def is_ready(self) -> bool:
        """Return whether it has reported since the machine booted."""

    def status(self) -> AgentStatus:
        """Return its state."""

    async def enable(self, extension: ExtensionSettings) -> HandlerResult:
        """Give a handler new settings and wait for its final status. :raises AgentUnreachable: it is silent."""

    async def remove(self, handler: HandlerReference) -> None:
        """Disable and uninstall a handler. :raises AgentUnreachable: it is silent."""

    async def run(self, command: RunCommandSpec) -> CommandResult:
        """Run a script for either kind of Run Command. :raises AgentUnreachable: it is silent."""

    async def forget(self, command: str) -> None:
        """Forget a managed run command."""


class ImitatedAgent:
    """The imitation, a program in the guest that is called for every step.

    :param guest: returns the running guest, or None.
    """

    def __init__(self, guest: Callable[[], Guest | None]) -> None:
        self._running = guest

    def attach(self, spec: MachineSpec) -> None:
        """Do nothing: it is called, and asks for nothing."""

    def detach(self) -> None:
        """Do nothing."""

    def is_ready(self) -> bool:
        """Return whether it runs."""
        guest = self._running()
        return guest is not None and guest.has(AGENT_READY)

    def status(self) -> AgentStatus:
        """Return its state."""
        if self.is_ready():
            return AgentStatus("ready", AGENT_VERSION, "Guest Agent is running")
        return AgentStatus("not_ready", AGENT_VERSION, "The agent of the guest does not run")

    def _guest(self) -> Guest:
        guest = self._running()
        if guest is None or not self.is_ready():
            raise AgentUnreachable("the agent of the guest does not report")
        return guest

    async def enable(self, extension: ExtensionSettings) -> HandlerResult:
        """Give a handler new settings and wait for its final status."""
        return await enable(self._guest(), extension)

    async def remove(self, handler: HandlerReference) -> None:
        """Disable and uninstall a handler."""
        request = {"name": handler.name, "publisher": handler.publisher, "type": handler.type}
        await call_agent(self._guest(), "remove", request)

    async def run(self, command: RunCommandSpec) -> CommandResult:
        """Run a script for either kind of Run Command."""
        return await run_command(self._guest(), command)

    async def forget(self, command: str) -> None:
        """Do nothing: it keeps none."""


async def call_agent(guest: Guest, verb: str, request: t.Mapping[str, t.Any] | None = None) -> dict[str, t.Any]:
    """Call the agent as a service of the guest's own. :raises MachineError: the agent failed."""
    # fmt: off
    command = [
        "systemd-run", "--pipe", "--wait", "--quiet", "--collect", "--property=KillMode=process",
        "--slice=azure-vmextensions.slice", "--description=Azure extension handler", "--",
        "/usr/bin/python3", f"/{PROGRAMS_IN_GUEST}/waagent.py", verb,
    ]
    # fmt: on
    code, output, errors = await guest.run(command, stdin=json.dumps(request or {}).encode())
    if code:
        raise MachineError(f"the guest's agent broke off ({verb}, {code}): {errors.decode(errors='replace')[-1000:]}")
    return t.cast("dict[str, t.Any]", json.loads(output))


async def enable(guest: Guest, extension: ExtensionSettings) -> HandlerResult:
    """Give a handler new settings and wait for its final status."""
    request: dict[str, t.Any] = {
        "name": extension.name,
        "publisher": extension.publisher,
        "type": extension.type,
        "version": extension.version,
        "settings": dict(extension.settings),
    }
    if extension.protected:
        certificate = await call_agent(guest, "certificate")
        request["protected"] = await encrypt(extension.protected, certificate["pem"])
        request["thumbprint"] = certificate["thumbprint"]
    answer = await call_agent(guest, "enable", request)
    status = answer["status"]
    return HandlerResult(
        status=status["status"],
        message=status.get("formattedMessage", {}).get("message", ""),
        handler_version=answer["version"],
        code=int(status.get("code", 0)),
        substatus=tuple(status.get("substatus", ())),
    )


async def run_command(guest: Guest, command: RunCommandSpec) -> CommandResult:
    """Run a script for either kind of Run Command, action or managed."""
    request = {
        "script": command.script,
        "parameters": [*command.parameters, *command.protected_parameters],
        "timeout": command.timeout,
        "run_as_user": command.run_as_user,
    }
    answer = await call_agent(guest, "run", request)
    return CommandResult(answer["exit_code"], answer["output"], answer["error"], answer["timed_out"])
