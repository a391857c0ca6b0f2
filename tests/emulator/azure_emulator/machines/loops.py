# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Loop devices over files: how a managed disk becomes a block device. Linux's ioctl numbers are from linux/loop.h."""

from __future__ import annotations

import errno
import fcntl
import os
import struct
import time
from dataclasses import dataclass
from pathlib import Path

_GET_STATUS64, _SET_CAPACITY, _CONFIGURE, _GET_FREE = 0x4C05, 0x4C07, 0x4C0A, 0x4C82
_AUTOCLEAR, _PARTSCAN = 4, 8
_CONFIG_SIZE, _INFO_OFFSET, _FLAGS_OFFSET, _INFO_SIZE = 304, 8, 8 + 52, 232
_SYSFS = Path("/sys/block")


@dataclass
class Loop:
    """A loop device that exists as long as somebody holds it open: it does not outlive a killed server."""

    path: Path
    number: int
    handle: int
    image: Path

    def close(self) -> None:
        """Let go; the device goes when nobody uses it any more."""
        if self.handle >= 0:
            os.close(self.handle)
            self.handle = -1

    def grow(self, size: int) -> None:
        """Make the disk larger while it is in use."""
        if size > self.image.stat().st_size:
            os.truncate(self.image, size)
            fcntl.ioctl(self.handle, _SET_CAPACITY)


def make_image(path: Path, size: int) -> None:
    """A sparse file of ``size`` bytes; an existing one only grows."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.stat().st_size < size:
        with path.open("ab") as file:
            file.truncate(size)


def attach(image: Path) -> Loop:
    """Connect a file to a loop device, with partitions: the one that it still has, or a free one.

    The kernel unmounts the file systems of a guest some time after the guest's last process has ended. Until then, what
    the guest wrote last may be in the cache of its own loop device only; a second device would not show it.

    :raises OSError: the host has none left, or forbids it.
    """
    return _still_attached(image) or _attach_to_free(image)


def _still_attached(image: Path) -> Loop | None:
    """Open the loop device that the file still has; None when it has none."""
    for entry in _SYSFS.glob("loop*/loop/backing_file"):
        device = Path("/dev", entry.parts[-3])
        try:
            if entry.read_text(encoding="utf-8").rstrip("\n") != str(image.resolve()):
                continue
            handle = os.open(device, os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            continue
        if _backed_by(handle, image):
            fcntl.ioctl(handle, _SET_CAPACITY)
            return Loop(device, int(device.name.removeprefix("loop")), handle, image)
        os.close(handle)
    return None


def _backed_by(handle: int, image: Path) -> bool:
    """Return whether an open loop device shows this file: it may have let go, or have been given to another one."""
    info = bytearray(_INFO_SIZE)
    try:
        fcntl.ioctl(handle, _GET_STATUS64, info)
    except OSError:
        return False
    return int(struct.unpack_from("=Q", info, 8)[0]) == image.stat().st_ino


def _attach_to_free(image: Path) -> Loop:
    backing = os.open(image, os.O_RDWR | os.O_CLOEXEC)
    try:
        for attempt in range(50):
            with open("/dev/loop-control", "rb") as control:
                number = fcntl.ioctl(control, _GET_FREE)
            device = Path(f"/dev/loop{number}")
            if not device.exists():
                os.mknod(device, 0o60660, os.makedev(7, number))
            handle = os.open(device, os.O_RDWR | os.O_CLOEXEC)
            config = bytearray(_CONFIG_SIZE)
            struct.pack_into("=I", config, 0, backing)
            struct.pack_into("=I", config, _FLAGS_OFFSET, _AUTOCLEAR | _PARTSCAN)
            try:
                fcntl.ioctl(handle, _CONFIGURE, bytes(config))
                return Loop(device, number, handle, image)
            except OSError as error:
                os.close(handle)
                if error.errno != errno.EBUSY or attempt == 49:
                    raise
                time.sleep(0.02)
    finally:
        os.close(backing)
    raise OSError("no loop device")
