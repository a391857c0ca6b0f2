# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The owner of everything that guests need on the host: a set of namespaces whose PID 1 is ``keeper.py``."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import typing as t
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from azure_emulator.machines import cgroups, keeper
from azure_emulator.machines.base import MachineError

_PREPARE = (
    "mount -t tmpfs -o mode=755 tmpfs /run/netns && mount -t tmpfs -o mode=755 tmpfs /run/systemd/nspawn && "
    'ip link set lo up && exec "$0" "$@"'
)


R = t.TypeVar("R")


async def to_the_end(work: Coroutine[t.Any, t.Any, R]) -> R:
    """Finish work that was begun, even if the caller is cancelled meanwhile."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        raise


class Supervisor:
    """Namespaces for processes, mounts and the network, and the control groups of the guests.

    :param name: what the control groups are called; one at a time on a host.
    :param note: a file that keeps where they are, for whoever comes after a supervisor that was killed.
    """

    def __init__(self, name: str, note: Path) -> None:
        self.name = name
        self._note = note
        self.pid = 0
        self.groups: list[Path] = []
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Make the namespaces. :raises MachineError: the host refused."""
        for folder in ("/run/netns", "/run/systemd/nspawn"):
            Path(folder).mkdir(parents=True, exist_ok=True)
        if self._note.exists():
            cgroups.remove(Path(line) for line in self._note.read_text(encoding="utf-8").splitlines())
        await self._make_namespaces()
        self.groups = cgroups.make_parents(self.name, self.pid)
        self._note.write_text("".join(f"{group}\n" for group in self.groups), encoding="utf-8")
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.write("".join(f"{group}\n" for group in self.groups).encode())
            await self._process.stdin.drain()

    async def _make_namespaces(self) -> None:
        # A scope of systemd's, where there is one: it must know who manages the control groups below.
        scope = ["systemd-run", "--scope", "--quiet", "--collect", "--property=Delegate=yes", f"--unit={self.name}"]
        # fmt: off
        argv = [
            *(scope if Path("/run/systemd/system").is_dir() and shutil.which("systemd-run") else []),
            "unshare", "--pid", "--fork", "--kill-child=SIGKILL", "--mount", "--propagation", "private", "--mount-proc",
            "--net", "sh", "-c", _PREPARE, sys.executable, "-I", keeper.__file__,
        ]
        # fmt: on
        self._process = await asyncio.create_subprocess_exec(
            *argv,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        if self._process.stdout is None or self._process.stderr is None:
            raise MachineError("the supervisor has no pipes")
        if await self._process.stdout.readline() != b"ready\n":
            reason = (await self._process.stderr.read()).decode(errors="replace").strip()
            raise MachineError(f"namespaces for guests cannot be made: {reason}")
        self.pid = children(self._process.pid)[0]

    async def stop(self) -> None:
        """End every process, mount and namespace that is left."""
        process, self._process = self._process, None
        if process is not None:
            if process.stdin is not None:
                process.stdin.close()
            await process.wait()
        self.pid = 0

    def argv(self, command: Sequence[str], *, network: str | None = None) -> list[str]:
        """Return the command line that runs ``command`` inside.

        :param network: name of a network namespace made with ``ip netns add``; else the supervisor's own.
        """
        if not self.pid:
            raise MachineError("the supervisor is not running")
        net = f"--net=/proc/{self.pid}/root/run/netns/{network}" if network else "--net"
        return ["nsenter", "-t", str(self.pid), "--mount", "--pid", net, "--", *command]

    async def run(
        self, command: Sequence[str], *, network: str | None = None, stdin: str = "", what: str | None = None
    ) -> str:
        """Run a command inside to its end, even when the caller is cancelled meanwhile, and give its output.

        :param what: what it does, for the error's text.
        :raises MachineError: it failed.
        """
        status, output = await to_the_end(self._run(self.argv(command, network=network), stdin))
        if status:
            raise MachineError(f"could not {what or ' '.join(command)}: {output.strip()[-1000:]} ({status})")
        return output

    async def _run(self, argv: Sequence[str], stdin: str) -> tuple[int | None, str]:
        with given(stdin.encode()) as source:
            process = await asyncio.create_subprocess_exec(
                *argv, stdin=source, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
            )
        output, _nothing = await process.communicate()
        return process.returncode, output.decode(errors="replace")

    async def script(self, script: str, *words: str, what: str, network: str | None = None) -> str:
        """Run a shell script inside, with ``words`` as its arguments, stopping at the first error."""
        return await self.run(["sh", "-euc", script, "sh", *words], network=network, what=what)

    def path(self, inside: str | Path) -> Path:
        """Return how the server itself reaches a path of the supervisor's mount namespace."""
        return Path(f"/proc/{self.pid}/root") / str(inside).lstrip("/")


@contextmanager
def given(content: bytes) -> Iterator[int]:
    """Content as a program's standard input: in memory, and not a pipe, whose end the program may close first."""
    handle = os.memfd_create("input", os.MFD_CLOEXEC)
    try:
        with os.fdopen(os.dup(handle), "wb") as file:
            file.write(content)
        os.lseek(handle, 0, os.SEEK_SET)
        yield handle
    finally:
        os.close(handle)


def children(pid: int) -> list[int]:
    """Return the child processes of ``pid``, oldest first."""
    listed = Path(f"/proc/{pid}/task/{pid}/children")
    try:
        return [int(word) for word in listed.read_text(encoding="utf-8").split()]
    except OSError:
        # The process is gone, or the kernel has no CONFIG_PROC_CHILDREN: look at every process.
        return [int(name) for name in os.listdir("/proc") if name.isdigit() and _parent(name) == pid]


def _parent(pid: str) -> int | None:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    return int(stat.rpartition(")")[2].split()[1])


def missing_programs() -> list[str]:
    """Programs that guests need and the host lacks."""
    wanted = ("systemd-nspawn", "debootstrap", "nft", "ip", "nsenter", "unshare", "openssl")
    return [name for name in wanted if not shutil.which(name)]
