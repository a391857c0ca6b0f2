# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Null machines: they run at once, their agent is ready, and every handler succeeds."""

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
    """A machine that only keeps its state."""

    def __init__(self, spec: MachineSpec) -> None:
        self.spec = spec
        self.on_ended: t.Callable[[], None] | None = None
        self._running = False

    @property
    def running(self) -> bool:
        """Whether it was started."""
        return self._running

    async def start(self) -> None:
        """Mark the machine as running."""
        self._running = True

    async def power_off(self, *, skip_shutdown: bool = False) -> None:
        """Mark the machine as stopped."""
        self._running = False

    async def restart(self) -> None:
        """Mark the machine as running."""
        self._running = True

    async def delete(self) -> None:
        """Mark the machine as stopped."""
        self._running = False

    async def reconfigure(self, spec: MachineSpec) -> None:
        """Store the new specification."""
        self.spec = spec

    async def agent_status(self) -> AgentStatus:
        """Return ready while the machine runs, if it was created with an agent."""
        if not self._running or not self.spec.provision_agent:
            return AgentStatus("absent")
        return AgentStatus("ready", "2.11.1.12", "Guest Agent is running")

    async def enable_extension(self, extension: ExtensionSettings) -> HandlerResult:
        """Return success with empty output."""
        parts = (extension.version.split(".") + ["0", "0"])[:3]
        is_script = extension.type == "CustomScript"
        message = "Enable succeeded: \n[stdout]\n\n[stderr]\n" if is_script else "Enable succeeded."
        return HandlerResult("success", message, ".".join(parts))

    async def remove_extension(self, handler: HandlerReference) -> None:
        """Do nothing: no handler was installed."""

    async def run_command(self, command: RunCommandSpec) -> CommandResult:
        """Return success with empty output."""
        return CommandResult(0, "", "")

    async def forget_run_command(self, name: str) -> None:
        """Do nothing: nothing is kept."""

    def console_log(self) -> str:
        """Return an empty log."""
        return ""


class NullProvider:
    """Creates null machines. Their addresses are from the range reserved for benchmarks (RFC 2544)."""

    kind: t.Literal["guest", "stand-in", "none"] = "none"
    public_pool = "198.18.0.0/15"

    def __init__(self, directory: Path | None = None) -> None:
        self.directory = directory

    async def open(self) -> None:
        """Do nothing."""

    async def close(self) -> None:
        """Do nothing."""

    async def create(self, spec: MachineSpec) -> NullMachine:
        """Return a machine that does not run yet."""
        return NullMachine(spec)

    async def delete_disk(self, disk_id: str) -> None:
        """Do nothing: disks have no content."""
