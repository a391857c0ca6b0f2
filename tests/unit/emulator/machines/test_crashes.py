# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A server that is killed leaves nothing, and the next one takes its machines up again."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
import typing as t
from pathlib import Path

import pytest

from azure_emulator.machines.base import DataDisk, MachineError
from azure_emulator.machines.guests import GuestProvider
from azure_emulator.machines.possible import guests_possible

from .conftest import CACHE, Guests

pytestmark = pytest.mark.guests

SERVER = """
import asyncio, sys
from pathlib import Path
sys.path[:0] = [sys.argv[3], sys.argv[4]]
from machines.conftest import Guests
guests = Guests(Path(sys.argv[1]))
from azure_emulator.machines.base import DataDisk
machine = guests.start("victim", data_disks=(DataDisk("/disks/d", "d", 0, 1),))
guests.sh(machine, "echo kept >/root/file; sync; nohup sleep 1000 >/dev/null 2>&1 &")
print("up", guests.provider.supervisor.pid, guests.provider.fabric.device, guests.provider.supervisor.name, flush=True)
guests.run(asyncio.sleep(1000))
"""


@pytest.fixture(autouse=True)
def _possible() -> None:
    reason = guests_possible()
    if reason:
        pytest.skip(reason)


def traces(supervisor: str, device: str, groups: str, state: Path) -> list[str]:
    """Whatever is still there of a server."""
    found = [f"process {supervisor}"] if Path(f"/proc/{supervisor}").exists() else []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                mounts = (entry / "mountinfo").read_text(encoding="utf-8")
            except OSError:
                continue
            if str(state) in words or f"{state}/machines" in mounts:
                found.append(f"process {entry.name}: {words}")
    found += [f"interface {device}"] if Path(f"/sys/class/net/{device}").exists() else []
    found += [folder for folder, _folders, _files in os.walk("/sys/fs/cgroup") if Path(folder).name == groups]
    for loop in Path("/sys/class/block").glob("loop*/loop/backing_file"):
        try:
            found += [str(loop)] if str(state) in loop.read_text(encoding="utf-8") else []
        except OSError:
            continue
    return found


def wait_until_gone(look: t.Callable[[], list[str]]) -> list[str]:
    limit = time.monotonic() + 20
    while time.monotonic() < limit and look():
        time.sleep(0.2)
    return look()


@pytest.fixture
def server(tmp_path: Path) -> t.Iterator[tuple[subprocess.Popen[str], list[str], Path]]:
    here = Path(__file__).parents[1]
    emulator = str(Path(sys.modules["azure_emulator"].__path__[0]).parent)
    process = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(tmp_path / "state"), str(CACHE), emulator, str(here)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "DOCKERHOST_CACHE": str(CACHE)},
    )
    assert process.stdout is not None
    words: list[str] = []
    for line in process.stdout:
        if line.startswith("up "):
            words = line.split()[1:]
            break
    assert words, "the server did not come up"
    yield process, words, tmp_path / "state"
    process.kill()
    process.wait()


def test_killed_server_leaves_nothing_and_its_machine_comes_back(server: t.Any) -> None:
    process, (supervisor, device, groups), state = server
    assert traces(supervisor, device, groups, state), "the look-out sees a running server"
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert wait_until_gone(lambda: traces(supervisor, device, groups, state)) == []
    guests = Guests(state)
    try:
        machine = guests.start("victim", data_disks=(DataDisk("/disks/d", "d", 0, 1),))
        assert guests.sh(machine, "cat /root/file") == "kept\n"
        assert guests.sh(machine, "test -b /dev/disk/azure/scsi1/lun0; pgrep -c sleep || true").strip() == "0"
    finally:
        guests.close()
    assert wait_until_gone(lambda: traces(supervisor, device, groups, state)) == []


def test_killed_supervisor_takes_everything_along(server: t.Any) -> None:
    process, (supervisor, device, groups), state = server
    os.kill(int(supervisor), signal.SIGKILL)
    process.kill()
    process.wait()
    left = wait_until_gone(lambda: [line for line in traces(supervisor, device, groups, state) if "cgroup" not in line])
    assert left == []
    guests = Guests(state)
    guests.close()
    assert wait_until_gone(lambda: traces(supervisor, device, groups, state)) == []


def test_state_directory_has_one_server_at_a_time(server: t.Any) -> None:
    _process, _words, state = server
    with pytest.raises(MachineError, match="another server"):
        GuestProvider(state, CACHE)


def test_two_servers_side_by_side(tmp_path: Path) -> None:
    pair = [Guests(tmp_path / name) for name in ("one", "two")]
    try:
        assert pair[0].provider.public_pool != pair[1].provider.public_pool
        machines = [guests.start("same") for guests in pair]
        assert [guests.sh(machine, "hostname").strip() for guests, machine in zip(pair, machines, strict=True)] == [
            "same"
        ] * 2
    finally:
        for guests in pair:
            guests.close()


def test_guest_that_cannot_boot_says_what_its_console_said(tmp_path: Path) -> None:
    guests = Guests(tmp_path / "state")
    try:
        machine = guests.run(guests.provider.create(guests.spec("broken")))
        init = machine.home / "upper/usr/lib/systemd/systemd"
        init.parent.mkdir(parents=True)
        init.write_text("#!/bin/sh\necho nothing works >&2\nexit 1\n")
        init.chmod(0o755)
        with pytest.raises(MachineError, match="ended while booting"):
            guests.run(machine.start())
        assert guests.run(machine.agent_status()).state == "absent"
        init.unlink()
        guests.run(machine.start())
        assert guests.run(machine.agent_status()).state == "ready"
    finally:
        guests.close()


@pytest.mark.parametrize(
    "step",
    [
        "make a virtual network",
        "plug a guest into its network",
        "load the security rules",
        "route a public address",
    ],
)
def test_boot_cancelled_in_each_step_of_its_network_gives_everything_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    guests = Guests(tmp_path / "state")
    supervisor = guests.provider.supervisor
    run, booting = supervisor.run, []

    async def cancelling(*words: t.Any, what: str | None = None, **options: t.Any) -> str:
        if what == step:
            while booting:
                booting.pop().cancel()
        return await run(*words, what=what, **options)

    async def start_and_cancel(machine: t.Any) -> None:
        booting.append(asyncio.ensure_future(machine.start()))
        await asyncio.wait(list(booting))
        assert not booting, f"nothing was to {step}"

    try:
        machine = guests.run(guests.provider.create(guests.spec("hasty")))
        monkeypatch.setattr(supervisor, "run", cancelling)
        guests.run(start_and_cancel(machine))
        assert not machine.running
        assert guests.run(run(["ip", "netns", "list"])) == ""
        assert guests.public_address(1) not in guests.run(run(["ip", "route"]))
        guests.run(machine.start())
        assert guests.sh(machine, "hostname") == "hasty\n"
    finally:
        guests.close()


def test_cancelled_boot_gives_everything_back(tmp_path: Path) -> None:
    guests = Guests(tmp_path / "state")

    async def start_and_cancel(machine: t.Any) -> None:
        task = asyncio.ensure_future(machine.start())
        await asyncio.sleep(0.2)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    try:
        machine = guests.run(guests.provider.create(guests.spec("hasty")))
        guests.run(start_and_cancel(machine))
        assert guests.run(guests.provider.supervisor.run(["ip", "netns", "list"])) == ""
        guests.run(machine.start())
        assert guests.sh(machine, "hostname") == "hasty\n"
    finally:
        guests.close()
