# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Machines with nothing behind them: they run at once, their agent is ready, every handler succeeds."""

from __future__ import annotations

import typing as t
from pathlib import Path

from .base import (
    AgentStatus,
    CommandResult,
    ExtensionSettings,
    HandlerReference,
    HandlerResult,
    MachineSpec,
    RunCommandSpec,
)


class NullMachine:
    """A machine that only says it is there."""

    def __init__(self, spec: MachineSpec) -> None:
        self.spec = spec
        self.on_ended: t.Callable[[], None] | None = None
        self._running = False

    @property
    def running(self) -> bool:
        """Whether it was started."""
        return self._running

    async def start(self) -> None:
        """It runs."""
        self._running = True

    async def power_off(self, *, skip_shutdown: bool = False) -> None:
        """It does not run."""
        self._running = False

    async def restart(self) -> None:
        """It runs."""
        self._running = True

    async def delete(self) -> None:
        """It does not run."""
        self._running = False

    async def reconfigure(self, spec: MachineSpec) -> None:
        """Take note of the new specification."""
        self.spec = spec

    async def agent_status(self) -> AgentStatus:
        """Ready while it runs, if it was to have an agent."""
        if not self._running or not self.spec.provision_agent:
            return AgentStatus("absent")
        return AgentStatus("ready", "2.11.1.12", "Guest Agent is running")

    async def enable_extension(self, extension: ExtensionSettings) -> HandlerResult:
        """Success, with empty output."""
        parts = (extension.version.split(".") + ["0", "0"])[:3]
        is_script = extension.type == "CustomScript"
        message = "Enable succeeded: \n[stdout]\n\n[stderr]\n" if is_script else "Enable succeeded."
        return HandlerResult("success", message, ".".join(parts))

    async def remove_extension(self, handler: HandlerReference) -> None:
        """Nothing is there to remove."""

    async def run_command(self, command: RunCommandSpec) -> CommandResult:
        """Success, with empty output."""
        return CommandResult(0, "", "")

    def console_log(self) -> str:
        """There is no console."""
        return ""


class NullProvider:
    """Makes such machines. Their addresses are from the range that is set aside for benchmarks (RFC 2544)."""

    kind: t.Literal["guest", "stand-in", "none"] = "none"
    public_pool = "198.18.0.0/15"

    def __init__(self, directory: Path | None = None) -> None:
        self.directory = directory

    async def open(self) -> None:
        """Nothing to get ready."""

    async def close(self) -> None:
        """Nothing to stop."""

    async def create(self, spec: MachineSpec) -> NullMachine:
        """A machine that does not run yet."""
        return NullMachine(spec)

    async def delete_disk(self, disk_id: str) -> None:
        """Nothing is stored."""
