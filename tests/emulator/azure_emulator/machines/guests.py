# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Real Linux guests: systemd-nspawn over a cached Debian tree, on virtual networks."""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import os
import shutil
import time
import typing as t
from pathlib import Path

from azure_emulator.machines import provisioning
from azure_emulator.machines.base import (
    AgentStatus,
    AgentUnreachable,
    CommandResult,
    ExtensionSettings,
    HandlerReference,
    HandlerResult,
    Interface,
    MachineError,
    MachineSpec,
    RunCommandSpec,
)
from azure_emulator.machines.disks import DataDisks, show_disks
from azure_emulator.machines.fabric import SLOTS, Fabric, Socket, slot_range
from azure_emulator.machines.layer import PROVISIONED, SLOW_PACKAGES, slow_packages
from azure_emulator.machines.mirror.layer import HOST
from azure_emulator.machines.mirror.server import Mirror
from azure_emulator.machines.nspawn import SHUTDOWN_LIMIT, Guest, Place
from azure_emulator.machines.releases import DEBIAN_12, release_on
from azure_emulator.machines.supervisor import Supervisor, to_the_end
from azure_emulator.machines.trees import Trees
from azure_emulator.machines.wireserver.agent import LinuxAgent
from azure_emulator.machines.wireserver.handlers import Handlers, supplied_handlers
from azure_emulator.machines.wireserver.server import WireServer

RUN = Path("/run/azure-emulator")
BOOT_LIMIT = 300.0


def _digest(text: str) -> str:
    return hashlib.sha256(text.lower().encode()).hexdigest()[:16]


class GuestProvider:
    """Guests of one server.

    :param state_dir: where disks live; the same one takes its machines up again.
    :param cache_dir: where the Debian trees and the package pools are kept. Debian 12's is made at :meth:`open`,
        Debian 13's for the first guest that runs it. By default environment variable ``DOCKERHOST_CACHE``, else
        ``.cache`` in the working directory.
    :param handlers: a directory with packages of extension handlers for the guests' agent.
    :param provision: who provisions new guests.
    :raises MachineError: another server uses the directory.
    :raises ValueError: a package of a handler is not one.
    """

    kind: t.Literal["guest", "stand-in", "none"] = "guest"

    def __init__(
        self,
        state_dir: Path,
        cache_dir: Path | None = None,
        *,
        handlers: Path | None = None,
        provision: provisioning.Kind = "fast",
    ) -> None:
        self.wire_server = WireServer(Handlers(supplied_handlers(handlers) if handlers is not None else []))
        cache_dir = cache_dir or Path(os.environ.get("DOCKERHOST_CACHE") or ".cache")
        self.state_dir, self.cache_dir = Path(state_dir).resolve(), Path(cache_dir).resolve()
        self.state_dir.mkdir(parents=True, exist_ok=True)
        self._slot, self._lock = self._take_slot()
        self.public_pool = str(next(slot_range(self._slot).subnets(1)))
        self.boots = asyncio.Semaphore(4)
        self.machines: dict[str, GuestMachine] = {}
        self.counter = 0
        self.trees = Trees(self.cache_dir)
        self.mirror = Mirror(self.state_dir / "mirror")
        self.provision = provision
        self.provisioning = {kind: provisioning.make(kind, self.state_dir) for kind in provisioning.KINDS}

    def _take_slot(self) -> tuple[int, t.TextIO]:
        """Return an address range that no other server on this host uses; the state directory remembers it."""
        RUN.mkdir(exist_ok=True)
        note = self.state_dir / "slot"
        known = note.exists()
        first = int(note.read_text(encoding="utf-8")) if known else int(_digest(str(self.state_dir)), 16) % SLOTS
        for offset in range(1 if known else SLOTS):
            slot = (first + offset) % SLOTS
            handle = (RUN / f"slot{slot}.lock").open("w")
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                handle.close()
                continue
            note.write_text(str(slot), encoding="utf-8")
            return slot, handle
        raise MachineError(f"another server uses the state directory {self.state_dir}, or its address range {first}")

    async def open(self) -> None:
        """Build the tree if necessary, and create the namespaces. :raises MachineError: the host refuses."""
        tree = await self.trees.get(DEBIAN_12)
        await self.provisioning[self.provision].lower(tree, DEBIAN_12)
        self.supervisor = Supervisor(f"azure-emulator-{self._slot}", RUN / f"slot{self._slot}.groups")
        await self.supervisor.start()
        self.fabric = Fabric(self.supervisor, self._slot, self.wire_server)
        await self.fabric.open()
        await self.mirror.open(Path(f"/proc/{self.supervisor.pid}/ns/net"), self.fabric.core_address)
        self.wire_server.names[HOST] = self.fabric.core_address

    async def close(self) -> None:
        """Shut every guest down and leave nothing on the host but the disks."""
        await asyncio.gather(
            *(machine.halt(patience=5.0) for machine in self.machines.values()), return_exceptions=True
        )
        await self.wire_server.close_all()
        await self.mirror.close()
        await self.supervisor.stop()
        self.trees.close()
        self._lock.close()

    async def create(self, spec: MachineSpec) -> GuestMachine:
        machine = await asyncio.to_thread(GuestMachine, self, spec)
        self.machines[spec.id.lower()] = machine
        return machine

    async def delete_disk(self, disk_id: str) -> None:
        self.disk_image(disk_id).unlink(missing_ok=True)

    def disk_image(self, disk_id: str) -> Path:
        """Return the file behind a managed data disk."""
        return self.state_dir / "disks" / f"{_digest(disk_id)}.img"

    @property
    def name_prefix(self) -> str:
        return f"azure{self._slot}"


class GuestMachine:
    """One virtual machine that is a guest."""

    def __init__(self, provider: GuestProvider, spec: MachineSpec) -> None:
        self.spec = spec
        self.on_ended: t.Callable[[], None] | None = None
        self._provider = provider
        self._guest: Guest | None = None
        self._namespace: str | None = None
        self._plugged: dict[str, Interface] = {}
        self.home = provider.state_dir / "machines" / _digest(spec.os_disk_id or spec.id)
        self.disks = DataDisks(self.home / "fabric", provider.disk_image)
        self.agent = LinuxAgent(provider.wire_server, self.home / "wire", spec.name)

    @property
    def running(self) -> bool:
        return self._guest is not None and self._guest.running

    async def start(self) -> None:
        """Boot, and wait until the guest is provisioned and its agent reports."""
        if self.running:
            return
        async with self._provider.boots:
            await self.halt(hard=True)
            await to_the_end(asyncio.to_thread(self._prepare_disk))
            try:
                await self._boot()
            except BaseException:
                await self.halt(hard=True)
                raise
        (self.home / "provisioned").touch()

    def _is_provisioned(self) -> bool:
        return (self.home / "provisioned").exists()

    def _provisioning(self) -> provisioning.Provisioning:
        return self._provider.provisioning[provisioning.kind_on(self.home, self._provider.provision)]

    def _prepare_disk(self) -> None:
        upper = self.home / "upper"
        for folder in (self.home, upper):
            folder.mkdir(parents=True, exist_ok=True)
        self.home.chmod(0o700)
        upper.chmod(0o755)
        self._provisioning().prepare(self.spec, self.home, first=not self._is_provisioned())
        (self.home / "fabric").mkdir(exist_ok=True)
        _note(self.home / "fabric/package-locks", " ".join(self.spec.package_locks))
        _note(self.home / "fabric/package-rate", str(self.spec.package_rate or ""))
        _note(upper / SLOW_PACKAGES, slow_packages(self.spec.package_rate))
        absent = upper / "etc/azure-no-agent"
        absent.parent.mkdir(parents=True, exist_ok=True)
        if self.spec.provision_agent:
            absent.unlink(missing_ok=True)
        else:
            absent.touch()

    async def _boot(self) -> None:
        provider, spec, way = self._provider, self.spec, self._provisioning()
        provider.counter += 1
        name = f"{provider.name_prefix}-{provider.counter}"
        self._namespace = namespace = f"vm{provider.counter}"
        for index, interface in enumerate(spec.interfaces):
            key = f"{namespace}/{interface.id}".lower()
            self._plugged[key] = interface
            into = Socket(namespace, f"eth{index}", by_dhcp=way.by_dhcp)
            await provider.fabric.plug(key, interface, spec.rules, into)
        self.agent.attach(spec)
        await to_the_end(asyncio.to_thread(self.disks.apply, spec.data_disks))
        release = release_on(self.home, spec.image)
        tree = await provider.trees.get(release)
        mirror = await provider.mirror.layer(tree, release)
        *layers, root = await way.lower(tree, release)
        place = Place(self.home, name, way.host_name(spec), tree, (*layers, mirror, root))
        self._guest = guest = Guest(provider.supervisor, place, self._ended)
        await to_the_end(guest.start(namespace))
        await self._wait_until_up(guest)
        if not self._is_provisioned():
            await way.finish(guest)

    async def _wait_until_up(self, guest: Guest) -> None:
        limit = time.monotonic() + BOOT_LIMIT
        while time.monotonic() < limit and guest.running:
            if guest.has(PROVISIONED) and (self.agent.is_ready() or not self.spec.provision_agent):
                return
            if self.agent.provisioning_failure:
                raise MachineError(f"the guest {self.spec.name} was not provisioned: {self.agent.provisioning_failure}")
            await asyncio.sleep(0.05)
        what = "did not come up" if guest.running else "ended while booting"
        raise MachineError(f"the guest {self.spec.name} {what}; its console: {self.console_log()[-1500:]}")

    def _ended(self) -> None:
        self.agent.detach()
        if self.on_ended is not None:
            self.on_ended()

    async def power_off(self, *, skip_shutdown: bool = False) -> None:
        await self.halt(hard=skip_shutdown)

    async def halt(self, *, hard: bool = False, patience: float = SHUTDOWN_LIMIT) -> None:
        """Stop the guest, and release its resources on the host."""
        guest, self._guest = self._guest, None
        if guest is not None:
            await guest.stop(hard=hard, patience=patience)
        self.agent.detach()
        while self._plugged:
            await self._provider.fabric.unplug(*self._plugged.popitem())
        namespace, self._namespace = self._namespace, None
        if namespace is not None:
            await self._provider.fabric.release(namespace)
            await asyncio.to_thread(self.disks.close)

    async def restart(self) -> None:
        await self.power_off()
        await self.start()

    async def delete(self) -> None:
        await self.halt(hard=True)
        self._provider.machines.pop(self.spec.id.lower(), None)
        await asyncio.to_thread(shutil.rmtree, self.home, ignore_errors=True)

    async def reconfigure(self, spec: MachineSpec) -> None:
        self.spec = spec
        guest = self._guest
        if guest is None:
            return
        now = {interface.id.lower(): interface for interface in spec.interfaces}
        for key, plugged in self._plugged.items():
            interface = now.get(plugged.id.lower(), plugged)
            await self._provider.fabric.change(key, plugged, interface.public_address, spec.rules)
        if await asyncio.to_thread(self.disks.apply, spec.data_disks) and guest.running:
            await show_disks(guest)

    async def agent_status(self) -> AgentStatus:
        guest = self._guest
        if guest is None or guest.leader() is None or not self.spec.provision_agent:
            return AgentStatus("absent")
        return self.agent.status()

    async def _agent(self) -> LinuxAgent:
        status = await self.agent_status()
        if status.state != "ready":
            raise AgentUnreachable(f"the agent of {self.spec.name} does not report ({status.state})")
        return self.agent

    async def enable_extension(self, extension: ExtensionSettings) -> HandlerResult:
        return await (await self._agent()).enable(extension)

    async def remove_extension(self, handler: HandlerReference) -> None:
        await (await self._agent()).remove(handler)

    async def run_command(self, command: RunCommandSpec) -> CommandResult:
        return await (await self._agent()).run(command)

    async def forget_run_command(self, name: str) -> None:
        await (await self._agent()).forget(name)

    def console_log(self) -> str:
        path = self.home / "console.log"
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    async def execute(self, command: t.Sequence[str], *, stdin: bytes = b"") -> tuple[int, bytes, bytes]:
        """Run a command inside as root, past network and agent: for tests."""
        if self._guest is None:
            raise MachineError(f"the guest {self.spec.name} is not running")
        return await self._guest.run(command, stdin=stdin)


def _note(path: Path, text: str) -> None:
    """Write a file, or remove it if it would be empty."""
    if text:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    else:
        path.unlink(missing_ok=True)
