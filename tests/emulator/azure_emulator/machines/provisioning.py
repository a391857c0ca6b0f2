# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who gives a guest its user, keys, host name and custom data: a small program of the local Azure's, or cloud-init."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import shutil
import typing as t
import uuid
from pathlib import Path

from azure_emulator.machines.base import MachineError, MachineSpec
from azure_emulator.machines.cloudinit import firmware, media
from azure_emulator.machines.cloudinit.program import ensure_cloud_init
from azure_emulator.machines.layer import write_layer
from azure_emulator.machines.nspawn import Guest
from azure_emulator.machines.packages import TreeError
from azure_emulator.machines.releases import Release
from azure_emulator.machines.tree import Tree

Kind = t.Literal["fast", "cloud-init"]
KINDS: tuple[Kind, ...] = ("fast", "cloud-init")
#: Before cloud-init gives a guest its own.
_IMAGE_NAME = "debian"


class Provisioning(t.Protocol):
    """One way to provision guests.

    :param by_dhcp: whether a guest asks for its address, instead of finding its interfaces configured.
    """

    by_dhcp: bool

    async def lower(self, tree: Tree, release: Release) -> tuple[Path, ...]:
        """Return the layers below a guest's disk, the uppermost first. :raises MachineError: they cannot be made."""

    def host_name(self, spec: MachineSpec) -> str:
        """Return the name with which a guest boots."""

    def prepare(self, spec: MachineSpec, home: Path, *, first: bool) -> None:
        """Lay out what the next boot needs. :param first: whether it provisions the guest."""

    async def finish(self, guest: Guest) -> None:
        """Clear up in a guest that was provisioned."""


class Fast:
    """A small program in the guest (``agent/provision.py``), which reads an order and removes it."""

    by_dhcp = False

    def __init__(self, state_dir: Path) -> None:
        self._state_dir = state_dir
        self._lock = asyncio.Lock()

    async def lower(self, tree: Tree, release: Release) -> tuple[Path, ...]:
        async with self._lock:
            return (await asyncio.to_thread(write_layer, self._state_dir), tree.root)

    def host_name(self, spec: MachineSpec) -> str:
        return spec.computer_name

    def prepare(self, spec: MachineSpec, home: Path, *, first: bool) -> None:
        if first:
            _write_secret(home / "upper/var/lib/waagent/provision.json", json.dumps(_order(spec)).encode())

    async def finish(self, guest: Guest) -> None:
        return


class CloudInit:
    """Debian's cloud-init, which finds Azure's provisioning media, metadata service, DHCP and WireServer."""

    by_dhcp = True

    def __init__(self, state_dir: Path) -> None:
        self._state_dir = state_dir
        self._lock = asyncio.Lock()

    async def lower(self, tree: Tree, release: Release) -> tuple[Path, ...]:
        async with self._lock:
            layer = await asyncio.to_thread(write_layer, self._state_dir, with_cloud_init=True)
            try:
                program = await asyncio.to_thread(ensure_cloud_init, tree, release, _say)
            except TreeError as error:
                raise MachineError(str(error)) from None
        return (layer, program, tree.root)

    def host_name(self, spec: MachineSpec) -> str:
        return _IMAGE_NAME

    def prepare(self, spec: MachineSpec, home: Path, *, first: bool) -> None:
        vm_id = home / "fabric" / Path(firmware.VM_ID).name
        vm_id.parent.mkdir(exist_ok=True)
        vm_id.write_text(f"{spec.vm_id or uuid.uuid5(uuid.NAMESPACE_URL, spec.id)}\n", encoding="utf-8")
        seed = home / "upper" / media.SEED
        shutil.rmtree(seed, ignore_errors=True)
        if first:
            _write_secret(seed / "ovf-env.xml", media.ovf_environment(spec))

    async def finish(self, guest: Guest) -> None:
        """Eject the provisioning media, which have the password and the custom data."""
        await guest.run(["rm", "-rf", f"/{media.SEED}"])


def make(kind: Kind, state_dir: Path) -> Provisioning:
    """Return a way to provision by its name."""
    return CloudInit(state_dir) if kind == "cloud-init" else Fast(state_dir)


def kind_on(disk: Path, kind: Kind) -> Kind:
    """Return how the system disk is provisioned: a new one as the server says, others as they were.

    :param disk: the folder of the disk, where a note is kept.
    """
    note = disk / "provision"
    if not note.exists():
        note.write_text(kind, encoding="utf-8")
    return "cloud-init" if note.read_text(encoding="utf-8") == "cloud-init" else "fast"


def _order(spec: MachineSpec) -> dict[str, t.Any]:
    """Return what ``agent/provision.py`` is told."""
    data = spec.custom_data or spec.user_data
    return {
        "computer_name": spec.computer_name,
        "admin_username": spec.admin_username,
        "admin_password": spec.admin_password,
        "disable_password_authentication": spec.disable_password_authentication,
        "ssh_public_keys": list(spec.ssh_public_keys),
        "user_data": base64.b64encode(data).decode("ascii") if data else None,
    }


def _write_secret(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.parent.chmod(0o700)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)


def _say(line: str) -> None:
    print(f"guest tree: {line}", flush=True)
