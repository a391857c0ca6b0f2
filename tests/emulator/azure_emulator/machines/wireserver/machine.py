# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One machine as the WireServer sees it: its goal state, and what its agent reported last."""

from __future__ import annotations

import asyncio
import time
import typing as t
from collections.abc import Callable
from pathlib import Path

from azure_emulator.machines.wireserver.goal import Goal, load, save
from azure_emulator.machines.wireserver.report import Report
from azure_emulator.machines.wireserver.tenant import Tenant, open_tenant

#: Seconds that a poll for the goal state is held while nothing is new; the agent itself gives up after 10.
HOLD = 8.0
#: Seconds between two polls while an extension is under way.
PACE = 0.2

R = t.TypeVar("R")


class WireMachine:
    """The goal state of one machine and the reports about it.

    :param folder: where both are kept: the key of the tenant certificate and the settings of the handlers.
    :param name: of the virtual machine.
    """

    def __init__(self, folder: Path, name: str) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.name = name
        self.address = ""
        self.metadata: dict[str, t.Any] = {}
        self.tenant: Tenant = open_tenant(folder)
        self.goal: Goal = load(folder / "goal.json")
        self.report: Report | None = None
        self.health = self.provisioning_failure = ""
        self._file = folder / "goal.json"
        self._reported_at = 0.0
        self._news = asyncio.Event()
        self._off = False
        # Only the poll after an upload is held: an agent that starts asks several times, and must not wait each time.
        self._may_hold = False

    def boots(self) -> None:
        """Forget what the agent reported before the machine was off."""
        self.report, self._may_hold, self._off = None, False, False
        self.health = self.provisioning_failure = ""
        self._reported_at = time.monotonic()

    def ends(self) -> None:
        """Give up what waits: the machine is off."""
        self._off = True
        self._tell()

    def _tell(self) -> None:
        """Wake whatever waits for news."""
        news, self._news = self._news, asyncio.Event()
        news.set()

    async def until(self, happened: Callable[[], bool], limit: float) -> None:
        """Return when that has happened, the machine is off, or ``limit`` seconds have passed."""
        ends = time.monotonic() + limit
        while not happened() and not self._off and (left := ends - time.monotonic()) > 0:
            try:
                await asyncio.wait_for(self._news.wait(), left)
            except asyncio.TimeoutError:
                return

    @property
    def silence(self) -> float:
        """Seconds since the last report."""
        return time.monotonic() - self._reported_at

    @property
    def reported_goal(self) -> Report | None:
        """The last report, if it is about the present goal state."""
        report = self.report
        return report if report is not None and report.incarnation == str(self.goal.incarnation) else None

    async def change(self, change: Callable[[Goal], R]) -> R:
        """Change the goal state, keep it, and let the agent know at once."""
        result = change(self.goal)
        await asyncio.to_thread(save, self.goal, self._file)
        self._tell()
        return result

    def reported(self, report: Report) -> None:
        """Take a report."""
        self.report, self._reported_at, self._may_hold = report, time.monotonic(), True
        self._tell()

    async def poll(self) -> None:
        """Return when the agent's next poll for the goal state may be answered.

        The agent polls without a pause of its own, so this sets its pace: as long as it may be held while it has
        nothing to do, and a short moment while an extension is under way.
        """
        may_hold, self._may_hold = self._may_hold, False
        report = self.reported_goal
        if may_hold and report is not None:
            await self.until(lambda: self.reported_goal is None, HOLD if report.is_settled else PACE)

    async def wait_for_report(self, limit: float) -> None:
        """Return at the next report, or after ``limit`` seconds without one."""
        before = self._reported_at
        await self.until(lambda: self._reported_at != before, limit)
