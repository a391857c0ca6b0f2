# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A note about a volume that images and containers fill at once."""

import os

from .desired import wanted_daemon

SMALL = 15 * 1024**3


def note_small_volume(machine, settings, facts):
    """Note that the engine's data is on a small logical volume, whatever the size of the disk.

    RHEL's images with LVM give /var 8 GiB and leave the rest of the disk unused ("Expand virtual hard disks on a Linux
    VM", learn.microsoft.com).
    """
    if not machine.alive or settings.disk or settings.certs_only:
        return
    folder = wanted_daemon(settings, facts).get("data-root", "/var/lib/docker")
    device, mount = mounted_from(machine, folder)
    place = machine.path(mount or "/")
    if not device.startswith("/dev/mapper/") or not os.path.isdir(place):
        return
    found = os.statvfs(place)
    size = found.f_blocks * found.f_frsize
    if size < SMALL:
        machine.notes.append(
            "images and containers are on {}, a logical volume of {:.0f} GiB at {}: grow it (lvextend -r), or set "
            "docker.data_disk".format(device, size / 1024**3, mount)
        )


def mounted_from(machine, folder):
    """Return the device and the mount point of the file system that has the folder; both empty if unknown."""
    lines = [line.split() for line in machine.text("/proc/mounts").splitlines()]
    mounts = {words[1]: words[0] for words in lines if len(words) > 1}
    while folder not in mounts and folder not in ("", "/"):
        folder = os.path.dirname(folder)
    return mounts.get(folder, ""), folder if folder in mounts else ""
