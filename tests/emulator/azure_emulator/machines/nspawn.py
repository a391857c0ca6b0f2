# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One running guest: a systemd of its own over an overlay, in the supervisor's namespaces."""

from __future__ import annotations

import asyncio
import os
import signal
import typing as t
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from azure_emulator.machines import cgroups
from azure_emulator.machines.base import MachineError
from azure_emulator.machines.supervisor import Supervisor, children, given
from azure_emulator.machines.tree import POOL_IN_GUEST, Tree

_MOUNT = """
mkdir -p "$4/upper" "$4/work" "$4/root" "$4/docker" "$4/containerd" "$4/fabric"
mount -t overlay overlay -o "lowerdir=$1,upperdir=$2,workdir=$3" "$4/root"
"""
_ENTER = 'while [ "$1" != -- ]; do echo 0 > "$1/cgroup.procs"; shift; done; shift; exec "$@"'
#: nspawn's exit code for "start me again".
_REBOOT = 133
#: Seconds that a guest gets to shut down: its systemd allows each service 90 s, and a slow host needs more. A guest is
#: asked again meanwhile, because early in its boot it ignores the signal.
SHUTDOWN_LIMIT, _ASK_AGAIN = 300.0, 10.0
_ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}


@dataclass(frozen=True)
class Place:
    """What a guest is made of on the host.

    :param home: its folder; ``upper`` there is its system disk.
    :param name: unique on this host; also the name of its control groups.
    :param host_name: with which it boots.
    :param lower: the layers below its system disk, the uppermost first.
    """

    home: Path
    name: str
    host_name: str
    tree: Tree
    lower: tuple[Path, ...]


class Guest:
    """A guest that was started; when it ends it cannot be started again, a new one takes its place.

    :param on_ended: called when it has ended by itself.
    """

    def __init__(self, supervisor: Supervisor, place: Place, on_ended: Callable[[], None]) -> None:
        self._supervisor = supervisor
        self._place = place
        self._on_ended = on_ended
        self._process: asyncio.subprocess.Process | None = None
        self._watch: asyncio.Task[None] | None = None
        self._stopping = False
        self._groups: list[Path] = []

    async def start(self, network: str) -> None:
        """Mount its disk and boot. :param network: its network namespace."""
        place = self._place
        lower = ":".join(_escape(path) for path in place.lower)
        upper = [_escape(place.home / name) for name in ("upper", "work")]
        await self._supervisor.script(_MOUNT, lower, *upper, str(place.home), what="mount a guest's disk")
        self._groups = cgroups.make_group(self._supervisor.groups, place.name)
        self._process = await self._spawn(network)
        self._watch = asyncio.create_task(self._boot_again(network))

    async def _spawn(self, network: str) -> asyncio.subprocess.Process:
        command = [*map(str, self._groups), "--", *self._nspawn(network)]
        with open(self._place.home / "console.log", "wb") as console:
            return await asyncio.create_subprocess_exec(
                *self._supervisor.argv(["sh", "-euc", _ENTER, "sh", *command]),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=console,
                stderr=asyncio.subprocess.STDOUT,
                env={**os.environ, "SYSTEMD_NSPAWN_API_VFS_WRITABLE": "network"},
            )

    async def _boot_again(self, network: str) -> None:
        """Boot whenever the guest asked for a reboot; what it has on the host stays."""
        while self._process is not None and await self._process.wait() == _REBOOT and not self._stopping:
            self._process = await self._spawn(network)
        if not self._stopping:
            self._on_ended()

    def _nspawn(self, network: str) -> list[str]:
        place = self._place
        binds = [f"--bind={_colons(place.home / name)}:/var/lib/{name}" for name in ("docker", "containerd")]
        # fmt: off
        return [
            "systemd-nspawn", "--quiet", "--settings=no", "--register=no", "--keep-unit", f"--machine={place.name}",
            f"--hostname={place.host_name}", "--kill-signal=SIGRTMIN+3",
            f"--network-namespace-path=/run/netns/{network}",
            "--capability=all", "--system-call-filter=@known add_key keyctl bpf", "--resolv-conf=off", "--timezone=off",
            "--link-journal=no", "--console=read-only", *binds,
            f"--bind-ro={_colons(place.tree.pool)}:{POOL_IN_GUEST}",
            f"--bind-ro={_colons(place.home / 'fabric')}:/run/azure-fabric", "--boot",
            f"--directory={place.home / 'root'}",
            "systemd.show_status=1",
            # Without it, systemd 256 and later does not boot on a host that still has control groups of version 1.
            "SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1",
        ]
        # fmt: on

    @property
    def running(self) -> bool:
        return self._watch is not None and not self._watch.done()

    def leader(self) -> int | None:
        """Return the guest's PID 1 as the host sees it; None when there is none. It changes when the guest reboots."""
        if self._process is None or self._process.returncode is not None:
            return None
        inside = children(self._process.pid)
        found = [pid for nspawn in inside for pid in children(nspawn) if _is_init(pid)]
        return found[0] if found else None

    def has(self, path: str) -> bool:
        """Return whether a path is there in the running guest."""
        leader = self.leader()
        try:
            return leader is not None and Path(f"/proc/{leader}/root", path.lstrip("/")).exists()
        except OSError:
            return False

    async def run(self, command: Sequence[str], *, stdin: bytes = b"") -> tuple[int, bytes, bytes]:
        """Run a command inside as root, with a clean environment; give exit code, output and errors."""
        leader = self.leader()
        if leader is None:
            raise MachineError(f"the guest {self._place.host_name} is not running")
        argv = ["nsenter", "-t", str(leader), "-m", "-u", "-i", "-n", "-p", "-C", "-r", "-w", "--", *command]
        with given(stdin) as source:
            process = await asyncio.create_subprocess_exec(
                *argv,
                stdin=source,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env=_ENVIRONMENT,
            )
        output, errors = await process.communicate()
        return t.cast(int, process.returncode), output, errors

    async def _shut_down(self, process: asyncio.subprocess.Process, patience: float) -> None:
        """Ask the guest to shut down, and wait until it has ended or the patience has."""
        ended = asyncio.ensure_future(process.wait())
        while patience > 0 and not ended.done() and (leader := self.leader()) is not None:
            _signal(leader, signal.SIGRTMIN + 3)
            await asyncio.wait({ended}, timeout=min(patience, _ASK_AGAIN))
            patience -= _ASK_AGAIN

    async def stop(self, *, hard: bool, patience: float = SHUTDOWN_LIMIT) -> None:
        """Shut down, or pull the plug, and take the disk down. :param patience: seconds until the plug is pulled."""
        self._stopping = True
        process = self._process
        if process is not None:
            if not hard:
                await self._shut_down(process, patience)
            while process.returncode is None:
                for group in self._groups:
                    _kill_group(group)
                await asyncio.wait({asyncio.ensure_future(process.wait())}, timeout=0.2)
        script = 'mountpoint -q "$1" || exit 0; umount "$1" 2>/dev/null || umount -l "$1"'
        await self._supervisor.script(script, str(self._place.home / "root"), what="take a guest's disk down")
        await asyncio.to_thread(cgroups.remove, self._groups)


def _escape(path: Path) -> str:
    """Return a path in overlay's mount options."""
    return str(path).replace("\\", "\\\\").replace(":", "\\:").replace(",", "\\,")


def _colons(path: Path) -> str:
    return str(path).replace(":", "\\:")


def _is_init(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except OSError:
        return False
    for line in status.splitlines():
        if line.startswith("NSpid:"):
            return line.split()[-1] == "1"
    return False


def _kill_group(group: Path) -> None:
    for procs in group.rglob("cgroup.procs"):
        try:
            pids = procs.read_text(encoding="utf-8").split()
        except OSError:
            continue
        for pid in pids:
            _signal(int(pid), signal.SIGKILL)


def _signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass
