# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The first minutes of a machine, in which its distribution works with packages itself."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

from azure_emulator.machines.guests import GuestMachine

from .machines import DISTRIBUTION, Machines

pytestmark = pytest.mark.guests

HELD = ("apt-lists", "apt-archives", "dpkg-frontend")
LOG = Path("var/log/docker-host-setup.log")


async def release_when_told(machine: GuestMachine) -> list[str]:
    """End each process that the program names as the holder of a lock; return their names in that order."""
    names: list[str] = []
    log = machine.home / "upper" / LOG
    while len(names) < len(HELD):
        found = re.findall(r"wait for the package manager's lock, held by (\S+) \(pid (\d+)\)", said(log))
        for name, number in dict.fromkeys(found):
            if name not in names:
                names.append(name)
                assert (await machine.execute(["kill", number]))[0] == 0
        await asyncio.sleep(0.2)
    return names


def said(log: Path) -> str:
    """What the program has written until now."""
    return log.read_text(encoding="utf-8") if log.exists() else ""


def test_every_lock_is_waited_for_and_its_holder_is_named(machines: Machines) -> None:
    """The locks would be held for an hour: the run ends well only because it names the processes that hold them."""
    web = machines.start("web", 4, package_locks=tuple(f"{name}:3600" for name in HELD))

    async def push() -> list[str]:
        watcher = asyncio.create_task(release_when_told(web))
        await machines.pushed(web, {"engine": DISTRIBUTION})
        return await asyncio.wait_for(watcher, 1)

    assert sorted(machines.loop.run_until_complete(push())) == ["apt-get", "apt.systemd.dai", "unattended-upgr"]
