# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A guest's real agent, driven through its goal state and read from its reports."""

from __future__ import annotations

import json
import time
import typing as t
from collections.abc import Mapping
from pathlib import Path

from azure_emulator.machines.base import (
    AgentStatus,
    AgentUnreachable,
    CommandResult,
    ExtensionSettings,
    HandlerReference,
    HandlerResult,
    HandlerState,
    MachineSpec,
    RunCommandSpec,
)
from azure_emulator.machines.wireserver.goal import Plugin, Settings
from azure_emulator.machines.wireserver.handlers import RUN_COMMAND
from azure_emulator.machines.wireserver.machine import WireMachine
from azure_emulator.machines.wireserver.metadata import instance
from azure_emulator.machines.wireserver.report import ExtensionReport, HandlerReport
from azure_emulator.machines.wireserver.server import WireServer

#: Seconds without a report after which the agent is Not Ready. Every command of a handler holds up the reports.
SILENCE_LIMIT = 120.0
#: Seconds that Azure waits for the end of an extension.
EXTENSION_LIMIT = 90 * 60.0
REMOVAL_LIMIT = 15 * 60.0
RUN_COMMAND_VERSION = "1.3.9"
#: The name under which scripts of the action Run Command are given to the handler of the managed ones.
ACTION = "RunShellScript"


class LinuxAgent:
    """The agent of one machine.

    :param folder: where the machine's goal state is kept.
    """

    def __init__(self, server: WireServer, folder: Path, name: str) -> None:
        self._server = server
        self._wire = WireMachine(folder, name)
        self._places: list[tuple[str, str]] = []
        for plugin in self._wire.goal.plugins.values():
            server.handlers.want(plugin.name, plugin.version)

    def attach(self, spec: MachineSpec) -> None:
        """Answer the machine, which boots."""
        self.detach()
        self._wire.boots()
        self._wire.metadata = instance(spec)
        for interface in spec.interfaces:
            self._server.attach(interface.network, interface.private_address, self._wire)
            self._places.append((interface.network, interface.private_address))

    def detach(self) -> None:
        """Answer the machine no longer."""
        self._wire.ends()
        while self._places:
            self._server.detach(*self._places.pop())

    def is_ready(self) -> bool:
        """Return whether it has carried out the present goal state since the machine booted."""
        report = self._wire.reported_goal
        return report is not None and report.is_ready

    @property
    def provisioning_failure(self) -> str:
        """What the machine reported about its failed provisioning since it booted; empty if it has not."""
        return self._wire.provisioning_failure

    def status(self) -> AgentStatus:
        """Return its state, as it reported last."""
        report = self._wire.report
        if report is None or not report.is_ready or self._wire.silence > SILENCE_LIMIT:
            return AgentStatus("not_ready", report.version if report else None, report.message if report else "")
        handlers = {
            entry.name: HandlerState(entry.name, entry.version, entry.is_ready, entry.code, entry.message)
            for entry in report.handlers
        }
        return AgentStatus("ready", report.version, report.message, tuple(handlers.values()), report.system)

    async def enable(self, extension: ExtensionSettings) -> HandlerResult:
        """Give a handler new settings and wait for its final status. :raises AgentUnreachable: it falls silent."""
        plugin = Plugin(extension.handler, extension.version)
        plugin.several = self._server.handlers.serves_several(extension.handler, extension.version)
        name = extension.name if plugin.several else ""
        _settings, report = await self._push(plugin, name, extension.settings, extension.protected, EXTENSION_LIMIT)
        if report is None:
            text = f"Timeout: the handler has not reported an end within {EXTENSION_LIMIT / 60:.0f} minutes"
            return HandlerResult("error", text, extension.version, -1)
        if not report.is_ready or report.extension is None:
            return HandlerResult("error", report.message, report.version, report.code)
        said = report.extension
        status: t.Literal["success", "error"] = "success" if said.status == "success" else "error"
        return HandlerResult(status, said.message, report.version, said.code, said.substatus)

    async def _push(
        self, plugin: Plugin, name: str, public: Mapping[str, t.Any], protected: Mapping[str, t.Any], limit: float
    ) -> tuple[Settings, HandlerReport | None]:
        """Push settings, and return them with the handler's last word, or None after ``limit`` seconds."""
        self._server.handlers.want(plugin.name, plugin.version)
        secret = await self._wire.tenant.encrypt(protected) if protected else None
        settings = await self._wire.change(lambda goal: goal.put(plugin, name, public, secret))
        ends = time.monotonic() + limit
        while time.monotonic() < ends:
            said = self._last_word(plugin.name, name, settings.sequence)
            if said is not None:
                return settings, said
            await self._next_report()
        return settings, None

    def _last_word(self, handler: str, name: str, sequence: int) -> HandlerReport | None:
        """Return the report of a handler that is done with a sequence number, or failed to start; else None."""
        report = self._wire.reported_goal
        said = report.of(handler, name) if report is not None else None
        if said is None:
            return None
        done = said.extension is not None and said.extension.sequence == sequence and said.extension.is_final
        return said if done or not said.is_ready else None

    async def _next_report(self) -> None:
        await self._wire.wait_for_report(SILENCE_LIMIT)
        if self._wire.silence > SILENCE_LIMIT or not self._places:
            raise AgentUnreachable(f"the agent of {self._wire.name} does not report")

    async def remove(self, handler: HandlerReference) -> None:
        """Have a handler disabled and uninstalled, or one extension of it disabled."""
        present = self._wire.goal.plugins.get(handler.handler.lower())
        if present is not None and present.several:
            await self._disable(handler.handler, handler.name)
        elif await self._wire.change(lambda goal: goal.uninstall(handler.handler)):
            await self._until_gone(handler.handler, "")
            await self._wire.change(lambda goal: goal.forget(handler.handler))

    async def _disable(self, handler: str, name: str) -> None:
        if await self._wire.change(lambda goal: goal.disable(handler, name)):
            await self._until_gone(handler, name)
            await self._wire.change(lambda goal: goal.forget(handler, name))

    async def _until_gone(self, handler: str, name: str) -> None:
        """Wait until the agent has carried the goal state out and does not name the extension any more."""
        ends = time.monotonic() + REMOVAL_LIMIT
        while time.monotonic() < ends:
            report = self._wire.reported_goal
            said = report.of(handler, name) if report is not None else None
            if report is not None and (said is None or (name and _named(said) != name)):
                return
            await self._next_report()

    async def run(self, command: RunCommandSpec) -> CommandResult:
        """Run a script through the handler of managed run commands."""
        public: dict[str, t.Any] = {"source": {"script": command.script}, "timeoutInSeconds": int(command.timeout)}
        public["parameters"] = _pairs(command.parameters)
        if command.run_as_user:
            public["runAsUser"] = command.run_as_user
        protected: dict[str, t.Any] = {}
        if command.protected_parameters:
            protected["protectedParameters"] = _pairs(command.protected_parameters)
        if command.run_as_password:
            protected["runAsPassword"] = command.run_as_password
        version = self._server.handlers.newest(RUN_COMMAND, RUN_COMMAND_VERSION)
        plugin = Plugin(RUN_COMMAND, version, several=True)
        name = command.name or ACTION
        _settings, report = await self._push(plugin, name, public, protected, command.timeout + EXTENSION_LIMIT)
        if report is None or not report.is_ready or report.extension is None:
            text = report.message if report is not None else "the handler has not reported an end"
            return CommandResult(1, "", text)
        return _command_result(report.extension)

    async def forget(self, command: str) -> None:
        """Have a managed run command disabled."""
        await self._disable(RUN_COMMAND, command)


def _named(report: HandlerReport) -> str:
    return report.extension.name if report.extension is not None else ""


def _pairs(parameters: tuple[tuple[str, str], ...]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in parameters]


def _command_result(report: ExtensionReport) -> CommandResult:
    """Return what the handler says: its message is the instance view of the run command, as JSON."""
    try:
        view = json.loads(report.message)
        exit_code, state = int(view["exitCode"]), str(view["executionState"])
    except (ValueError, KeyError, TypeError):
        return CommandResult(1, "", report.message)
    return CommandResult(
        exit_code,
        str(view.get("output") or ""),
        str(view.get("error") or ""),
        state=state,
        message=str(view.get("executionMessage") or ""),
    )
