# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A guest's data disks: which loop devices it has, and what the guest is told of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from azure_emulator.machines import loops
from azure_emulator.machines.base import DataDisk, MachineError
from azure_emulator.machines.layer import PROGRAMS_IN_GUEST
from azure_emulator.machines.nspawn import Guest

GIB = 1024**3


class DataDisks:
    """The disks of one machine while it has power.

    :param folder: bound into the guest as ``/run/azure-fabric``.
    :param image_of: the file of a disk, by its id.
    """

    def __init__(self, folder: Path, image_of: Callable[[str], Path]) -> None:
        self._folder, self._image_of = folder, image_of
        self._loops: dict[str, tuple[int, loops.Loop]] = {}

    def names(self) -> set[str]:
        """Return the kernel's names of the devices, for example ``loop3``."""
        return {loop.path.name for _lun, loop in self._loops.values()}

    def apply(self, wanted: Sequence[DataDisk]) -> bool:
        """Attach, grow and detach; return whether the list changed. :raises MachineError: no loop device."""
        before = self._lines()
        by_id = {disk.id.lower(): disk for disk in wanted}
        for key in [key for key in self._loops if key not in by_id]:
            self._loops.pop(key)[1].close()
        try:
            for key, disk in by_id.items():
                self._attach(key, disk)
        except OSError as error:
            raise MachineError(f"no loop device for a data disk: {error}") from None
        self._folder.mkdir(parents=True, exist_ok=True)
        temporary = self._folder / "disks.new"
        temporary.write_text(self._lines(), encoding="utf-8")
        temporary.replace(self._folder / "disks")
        return before != self._lines()

    def _attach(self, key: str, disk: DataDisk) -> None:
        size, image = disk.size_gb * GIB, self._image_of(disk.id)
        if key in self._loops:
            loop = self._loops[key][1]
            loop.grow(size)
        else:
            loops.make_image(image, size)
            loop = loops.attach(image)
        self._loops[key] = (disk.lun, loop)

    def _lines(self) -> str:
        return "".join(f"{lun} {loop.path.name}\n" for lun, loop in sorted(self._loops.values(), key=lambda it: it[0]))

    def close(self) -> None:
        """Detach everything; the content stays."""
        self.apply(())


async def show_disks(guest: Guest) -> None:
    """Make the device nodes in a running guest what its list of disks says."""
    code, _output, errors = await guest.run([f"/{PROGRAMS_IN_GUEST}/disks"])
    if code:
        raise MachineError(f"data disks cannot be shown to the guest: {errors.decode(errors='replace')[-500:]}")
