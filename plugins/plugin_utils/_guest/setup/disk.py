# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The stage ``disk``: partition, format, mount and grow the data disk."""

import glob
import os
import re
import time

from .machine import Problem
from .paths import FORMATTING, GROWING

# The type of a partition with Linux data; its name "linux" is unknown to util-linux before 2.36.
LINUX_DATA = "0FC63DAF-8483-4772-8E79-3D69D8477DE4"
DISK_WAIT = 60
# After a program has written to a disk, udev reads its partitions again: for a moment they are missing or busy.
DEVICE_WAIT = 30


def data_disk(machine, settings, facts):
    """Partition, format, mount and grow the data disk; a disk that holds anything is never formatted."""
    if not settings.disk or not machine.alive:
        return
    where = settings.disk.get("path") or "/srv/docker"
    kind = settings.disk.get("filesystem") or "ext4"
    disk = find_disk(machine, settings.disk.get("lun") or 0)
    partition = usable_partition(machine, disk)
    if partition is None:
        machine.change("partition the blank data disk {}".format(disk), lambda: make_partition(machine, disk))
        if machine.check:
            return
        partition = partitions(disk)[0]
    if "TYPE" not in signature(machine, partition) or is_half_formatted(machine, partition):
        machine.change(
            "make an {} file system on {}".format(kind, partition),
            lambda: make_file_system(machine, facts, kind, partition),
        )
        if machine.check:
            return
    mount(machine, partition, where)
    grow(machine, disk, partition, where)


def refuse_hiding(machine, settings, facts):
    """Stop where mounting the disk for the first time would hide files of somebody else."""
    where = settings.disk.get("path") or "/srv/docker"
    place = machine.path(where)
    if facts.state.get("disk") == where or os.path.ismount(place) or not os.path.isdir(place):
        return
    names = sorted(os.listdir(place))
    if names:
        raise Problem(
            "docker.data_disk: {} must be empty before the disk is mounted there, but has {}: move it away, or give "
            "another path".format(where, ", ".join(names[:3]))
        )


def find_disk(machine, lun):
    """Return the block device of an attached data disk; one that was attached just now may take a moment to appear."""
    deadline = time.monotonic() + DISK_WAIT
    while True:
        disk = linked_disk(machine, lun) or nvme_disk(machine, lun)
        if disk:
            return disk
        if time.monotonic() >= deadline:
            raise Problem("docker.data_disk: no data disk with LUN {} is attached to this machine".format(lun))
        if machine.has("udevadm"):
            machine.run(["udevadm", "settle", "--timeout=30"], ok=None)
        time.sleep(1)


def linked_disk(machine, lun):
    """Return the disk by the links that Azure's udev rules make; empty without them."""
    for link in ("/dev/disk/azure/data/by-lun/{}".format(lun), "/dev/disk/azure/scsi1/lun{}".format(lun)):
        if os.path.exists(machine.path(link)):
            return os.path.realpath(machine.path(link))
    return ""


def nvme_disk(machine, lun):
    """Return the remote NVMe disk, for images without Azure's udev rules; empty without one.

    Data disks are namespaces of one controller, numbered from 2 on (the OS disk is 1):
    https://learn.microsoft.com/azure/virtual-machines/nvme-linux
    """
    for model in machine.glob("/sys/class/nvme/nvme*/model"):
        if machine.text(model).strip() != "MSFT NVMe Accelerator v1.0":
            continue
        for number in machine.glob(os.path.dirname(model) + "/nvme*n*/nsid"):
            if machine.text(number).strip() == str(lun + 2):
                # With native multipath, nvme0c0n2 is one path to the namespace, whose device is nvme0n2.
                return "/dev/" + re.sub(r"c\d+n", "n", os.path.basename(os.path.dirname(number)))
    return ""


def partitions(disk):
    """Return the partitions of a disk, in order."""
    base = os.path.basename(disk)
    found = [
        (int(open_text(os.path.join(os.path.dirname(name), "start"))), os.path.basename(os.path.dirname(name)))
        for name in glob.glob("/sys/class/block/{0}/{0}*/partition".format(base))
    ]
    return ["/dev/" + name for _start, name in sorted(found)]


def open_text(path):
    with open(path, encoding="ascii") as file:
        return file.read().strip()


def signature(machine, device):
    """Return what blkid finds on the device (``TYPE``, ``UUID``, ``PTTYPE`` ...); empty when it is blank.

    blkid has one exit code for a blank device and for one that it cannot open.
    """
    wait_until_readable(machine, device)
    output = machine.run(["blkid", "-p", "-o", "export", device], ok=(0, 2))
    return dict(line.split("=", 1) for line in output.splitlines() if "=" in line and not line.startswith("DEVNAME"))


def wait_until_readable(machine, device):
    """Wait until the device can be opened: one that cannot must never be taken for a blank one.

    :raises Problem: it cannot be opened for half a minute.
    """
    deadline = time.monotonic() + DEVICE_WAIT
    while True:
        try:
            with open(machine.path(device), "rb"):
                return
        except OSError as error:
            if time.monotonic() >= deadline:
                raise Problem("docker.data_disk: {} cannot be opened ({})".format(device, error.strerror)) from None
        time.sleep(0.5)


def usable_partition(machine, disk):
    """Return the device to mount: the only partition, or the disk if it holds a file system. None: it is blank."""
    found = partitions(disk)
    if len(found) > 1:
        raise Problem("docker.data_disk: {} has {} partitions; give an empty disk".format(disk, len(found)))
    if found:
        return refuse_strange(machine, found[0])
    present = signature(machine, disk)
    if present.get("USAGE") == "filesystem":
        return disk
    if present or not blank(disk):
        raise Problem(
            "docker.data_disk: {} is not empty ({}); it was not changed".format(disk, present.get("TYPE", "data"))
        )
    return None


def refuse_strange(machine, partition):
    present = signature(machine, partition)
    ours = present.get("PART_ENTRY_NAME") == "docker-data"
    if is_half_formatted(machine, partition):
        return partition
    if present.get("USAGE") == "filesystem" or (ours and not present.get("TYPE") and blank(partition)):
        return partition
    kind = present.get("TYPE", "unknown data")
    raise Problem("docker.data_disk: {} contains {}; it was not changed".format(partition, kind))


def blank(device):
    """Return whether the first and last MiB are zero."""
    with open(device, "rb") as file:
        size = file.seek(0, os.SEEK_END)
        for position in (0, max(0, size - 1024 * 1024)):
            file.seek(position)
            if file.read(1024 * 1024).strip(b"\0"):
                return False
    return True


def make_partition(machine, disk):
    machine.run(["sfdisk", "--quiet", "--label", "gpt", disk], stdin="type={}, name=docker-data\n".format(LINUX_DATA))
    if machine.has("udevadm"):
        machine.run(["udevadm", "settle", "--timeout=30"], ok=None)
    for _attempt in range(30):
        if partitions(disk) and os.path.exists(partitions(disk)[0]):
            return
        time.sleep(1)
    raise Problem("the kernel shows no partition on {} after partitioning it".format(disk))


def make_file_system(machine, facts, kind, partition):
    """Make the file system, with the package that has the program for it where an image lacks it."""
    if kind == "xfs" and not machine.has("mkfs.xfs") and facts.packages is not None:
        facts.packages.refresh()
        facts.packages.install(["xfsprogs"])
    identity = signature(machine, partition).get("PART_ENTRY_UUID", "")
    force = {"ext4": "-F", "xfs": "-f"}[kind]  # over what a killed run has left of a file system
    with machine.noted(FORMATTING, identity.encode()):
        machine.run(["mkfs." + kind, "-q", force, "-L", "docker-data", partition])


def is_half_formatted(machine, partition):
    """Return whether an earlier run was killed while it made the file system on this partition."""
    identity = machine.text(FORMATTING).strip()
    return bool(identity) and signature(machine, partition).get("PART_ENTRY_UUID") == identity


def mount(machine, device, where):
    found = signature(machine, device)
    fstab = machine.text("/etc/fstab")
    entry = "UUID={} {} {} defaults,nofail 0 2".format(found["UUID"], where, found["TYPE"])
    taken = [line.split() for line in fstab.splitlines() if line.strip() and not line.startswith("#")]
    others = [words for words in taken if len(words) > 1 and words[1] == where and words[0] != "UUID=" + found["UUID"]]
    if others:
        raise Problem("docker.data_disk: /etc/fstab mounts {} at {}".format(others[0][0], where))
    if not any(words[:2] == ["UUID=" + found["UUID"], where] for words in taken):
        text = (fstab.rstrip("\n") + "\n" if fstab.strip() else "") + entry + "\n"
        machine.change(
            "mount the data disk at {} in /etc/fstab".format(where),
            lambda: machine.write("/etc/fstab", text.encode(), machine.mode("/etc/fstab")),
        )
    if not os.path.ismount(where):

        def act():
            os.makedirs(where, mode=0o711, exist_ok=True)
            machine.run(["systemctl", "daemon-reload"])
            mount_now(machine, where)

        machine.change("mount {} at {}".format(device, where), act)


def stay_mounted(machine, settings):
    """Mount the disk again if reloading systemd took it away: an engine on an empty directory loses its containers."""
    where = settings.disk and settings.disk.get("path", "/srv/docker")
    if where and not os.path.ismount(where):
        mount_now(machine, where)


def mount_now(machine, where):
    """Mount a disk as /etc/fstab says, once udev has linked its device and nobody reads its partitions anew.

    With nofail, mount reports success also without a device.

    :raises Problem: it is not mounted after half a minute.
    """
    deadline = time.monotonic() + DEVICE_WAIT
    problem = Problem("docker.data_disk: {} is not mounted, because no device has the UUID in /etc/fstab".format(where))
    while True:
        try:
            machine.run(["mount", where])
        except Problem as error:
            problem = error
        if os.path.ismount(where):
            return
        if time.monotonic() >= deadline:
            raise problem
        time.sleep(0.5)


def grow(machine, disk, partition, where):
    """Let a partition and its file system fill a disk that has become larger."""
    if partition == disk or machine.check:
        return
    base = "/sys/class/block/" + os.path.basename(partition)
    used = int(open_text(base + "/start")) + int(open_text(base + "/size"))
    total = int(open_text("/sys/class/block/{}/size".format(os.path.basename(disk))))
    has_room = total - used >= 16384  # 8 MiB in sectors: the rest of a GPT and alignment
    if not has_room and machine.read(GROWING) is None:
        return
    number = open_text(base + "/partition")

    def act():
        with machine.noted(GROWING):
            if has_room:
                machine.run(["sfdisk", "--quiet", "--no-reread", "--force", "-N", number, disk], stdin=", +\n")
            machine.run(["partx", "-u", disk])
            if signature(machine, partition).get("TYPE") == "xfs":
                machine.run(["xfs_growfs", where])
            else:
                machine.run(["resize2fs", partition])

    machine.change("grow {} to the size of its disk".format(partition), act)
