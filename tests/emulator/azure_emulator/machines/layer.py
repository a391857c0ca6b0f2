# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The layer of files that makes a plain Debian tree a guest: units, settings of the agent, and programs."""

from __future__ import annotations

import hashlib
import shutil
import typing as t
from dataclasses import dataclass
from pathlib import Path

from azure_emulator.machines.cloudinit import firmware

PROGRAMS = Path(__file__).parent / "agent"
PROGRAMS_IN_GUEST = "usr/lib/azure"
#: Made by the guest once it is provisioned.
PROVISIONED = "run/azure/provisioned"
#: Where a file makes apt read packages at the pace of a network.
SLOW_PACKAGES = "etc/apt/apt.conf.d/91-slow-packages"
#: For Debian's package of Microsoft's agent. Its unit wants a virtual machine of Azure's, and is skipped silently
#: without; a script that runs outlives a restart of the agent.
_AGENT = {
    "etc/systemd/system/walinuxagent.service.d/guest.conf": """[Unit]
After=cloud-init.service
ConditionVirtualization=
ConditionPathExists=!/etc/azure-no-agent

[Service]
KillMode=process
""",
}
# The server sets the pace of the polls. The agent leaves users, host name and keys to others; if they are cloud-init's,
# it waits for them, as in Azure's images.
_AGENT_SETTINGS = """Provisioning.Agent={provisioned_by}
Provisioning.MonitorHostName=n
ResourceDisk.Format=n
Extensions.GoalStatePeriod=0
Extensions.InitialGoalStatePeriod=0
Logs.Collect=n
OS.EnableFirewall=n
AutoUpdate.Enabled=n
"""

_UNITS = {
    "cgroup-writable.service": """[Unit]
Description=Make the control group hierarchies writable
DefaultDependencies=no
Before=sysinit.target

[Service]
Type=oneshot
ExecStart=-/bin/sh -c 'for folder in /sys/fs/cgroup/*/; do mount -o remount,bind,rw "$folder" 2>/dev/null; done; true'

[Install]
WantedBy=sysinit.target
""",
    "azure-disks.service": """[Unit]
Description=Device nodes of the attached data disks
DefaultDependencies=no
Before=local-fs-pre.target
Wants=local-fs-pre.target
StartLimitIntervalSec=0

[Service]
Type=oneshot
ExecStart=/usr/lib/azure/disks

[Install]
WantedBy=sysinit.target
""",
    "azure-mounts.service": """[Unit]
Description=Mount data disks: systemd itself ignores their fstab entries in a container
DefaultDependencies=no
After=azure-disks.service systemd-remount-fs.service
Before=local-fs.target

[Service]
Type=oneshot
ExecStart=-/bin/mount -a

[Install]
WantedBy=local-fs.target
""",
    "package-locks.service": """[Unit]
Description=Hold package managers' locks
ConditionPathExists=/run/azure-fabric/package-locks
After=local-fs.target
Before=walinuxagent.service

[Service]
Type=forking
GuessMainPID=no
ExecStart=/bin/sh -c 'exec /usr/bin/python3 /usr/lib/azure/hold_locks.py $(cat /run/azure-fabric/package-locks)'

[Install]
WantedBy=multi-user.target
""",
    "azure-disk@.path": """[Unit]
Description=Partitions of %i
DefaultDependencies=no

[Path]
PathChanged=/dev/%i
Unit=azure-disks.service
""",
}
#: The imitation of cloud-init.
_PROVISIONING_UNITS = {
    "cloud-init.service": """[Unit]
Description=Initial cloud-init job
After=local-fs.target
Before=ssh.service network-online.target sysinit.target multi-user.target walinuxagent.service
DefaultDependencies=no

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/bin/cloud-init init
ExecStartPost=/bin/sh -c 'mkdir -p /run/azure && touch /run/azure/provisioned'

[Install]
WantedBy=multi-user.target
""",
    "cloud-final.service": """[Unit]
Description=Execute cloud user/final scripts
After=multi-user.target
Wants=network-online.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/bin/cloud-init final

[Install]
WantedBy=default.target
""",
}
_MASKED = (
    "apt-daily.timer", "apt-daily-upgrade.timer", "e2scrub_all.timer", "e2scrub_reap.service", "fstrim.timer",
    "dpkg-db-backup.timer", "console-getty.service", "getty.target", "systemd-journal-flush.service",
)  # fmt: skip
#: What udev does on a real machine: nodes of disks and partitions, and Azure's links by logical unit number.
#: partx is for kernels that read no partition tables themselves, and only for what differs: it replaces each partition
#: that is not in use, and whoever is about to open one would get an error, or that of another guest, which now has its
#: number. Like udev, it never takes away a link that stays: mount, told nofail, would report success without it.
_DISKS = """#!/bin/sh
exec 9>/run/azure-disks.lock && flock 9
link() {
  echo "$2" >> /run/azure-links
  test "$(readlink "$2")" = "$1" || ln -sfn "$1" "$2"
}
# Leave a right node alone: whoever watches it would be called again.
node() {
  echo "$1" >> /run/azure-disks
  IFS=: read -r major minor < "/sys/class/block/$1/dev"
  if test "$(stat -c %t:%T "/dev/$1" 2>/dev/null)" != "$(printf '%x:%x' "$major" "$minor")"; then
    rm -f "/dev/$1"
    mknod -m 660 "/dev/$1" b "$major" "$minor"
  fi
  uuid=$(blkid -p -o value -s UUID "/dev/$1")
  test -z "$uuid" || link "../../$1" "/dev/disk/by-uuid/$uuid"
  systemctl start --no-block "azure-disk@$1.path"
}
on_disk() {
  partx --raw --noheadings --output NR,START,SECTORS "/dev/$1" 2>/dev/null | sort
}
in_kernel() {
  for entry in /sys/class/block/"$1"/"$1"p*; do
    test -e "$entry/partition" && echo "$(cat "$entry/partition") $(cat "$entry/start") $(cat "$entry/size")"
  done | sort
}
links=/dev/disk/azure/scsi1
mkdir -p $links /dev/disk/by-uuid
: > /run/azure-disks
: > /run/azure-links
while read -r lun name; do
  node "$name"
  if test "$(on_disk "$name")" != "$(in_kernel "$name")"; then
    rm -f "/dev/$name"p*
    partx -u "/dev/$name" 2>/dev/null
  fi
  link "../../../$name" "$links/lun$lun"
  for entry in /sys/class/block/"$name"/"$name"p*; do
    test -e "$entry/partition" || continue
    node "${entry##*/}"
    link "../../../${entry##*/}" "$links/lun$lun-part$(cat "$entry/partition")"
  done
done < /run/azure-fabric/disks
for link in $links/* /dev/disk/by-uuid/*; do
  grep -qxF "$link" /run/azure-links || rm -f "$link"
done
for node in /dev/loop[0-9]*; do
  name=${node#/dev/}
  if test -b "$node" && ! grep -qx "$name" /run/azure-disks; then
    systemctl stop --no-block "azure-disk@$name.path"
    rm "$node"
  fi
done
"""
_FILES = {
    **_AGENT,
    "etc/resolv.conf": "nameserver 168.63.129.16\n",
    "etc/systemd/journald.conf.d/guest.conf": "[Journal]\nStorage=volatile\nRuntimeMaxUse=16M\nForwardToConsole=no\n",
    "etc/apt/apt.conf.d/90-guest": 'Acquire::Languages "none";\nAcquire::Retries "3";\n',
}


_CALL = f'#!/bin/sh\nexec /usr/bin/python3 /{PROGRAMS_IN_GUEST}/{{program}} "$@"\n'


@dataclass(frozen=True)
class _Content:
    """What a layer has.

    :param units: of systemd, by name, enabled where their ``[Install]`` says.
    :param enabled: units of the tree, and the targets that want them.
    :param programs: executables.
    """

    files: t.Mapping[str, str]
    units: t.Mapping[str, str]
    enabled: t.Mapping[str, str]
    programs: t.Mapping[str, str]


def slow_packages(rate: int) -> str:
    """Return what that file must be. :param rate: megabytes a second; 0 is as fast as it can."""
    if not rate:
        return ""
    return f'Dir::Bin::Methods::file "/usr/lib/azure/slow-packages";\nAcquire::https::Dl-Limit "{rate * 1000}";\n'


def _content(*, with_cloud_init: bool) -> _Content:
    programs = {
        f"{PROGRAMS_IN_GUEST}/disks": _DISKS,
        f"{PROGRAMS_IN_GUEST}/slow-packages": _CALL.format(program="slow_packages.py"),
    }
    settings = _AGENT_SETTINGS.format(provisioned_by="cloud-init" if with_cloud_init else "disabled")
    files = {**_FILES, "etc/waagent.conf": settings}
    if with_cloud_init:
        return _Content(
            files={**files, **firmware.FILES},
            units={**_UNITS, **firmware.UNITS},
            enabled=firmware.ENABLED,
            programs={**programs, **firmware.PROGRAMS},
        )
    return _Content(
        files=files,
        units={**_UNITS, **_PROVISIONING_UNITS},
        enabled={},
        programs={**programs, "usr/bin/cloud-init": _CALL.format(program="provision.py")},
    )


def write_layer(home: Path, *, with_cloud_init: bool = False) -> Path:
    """Make the layer below ``home``, or find it there, named by its content; what is mounted is never changed.

    :param with_cloud_init: for guests that the real cloud-init provisions, not its imitation.
    """
    content = _content(with_cloud_init=with_cloud_init)
    sources = sorted(path for path in PROGRAMS.glob("*.py") if path.name != "__init__.py")
    text = repr((content, _MASKED)).encode() + b"".join(path.read_bytes() for path in sources)
    layer = home / f"layer-{hashlib.sha256(text + Path(__file__).read_bytes()).hexdigest()[:12]}"
    if layer.exists():
        return layer
    partial = layer.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    _write_content(partial, content)
    for source in sources:
        _write(partial / PROGRAMS_IN_GUEST / source.name, source.read_text(encoding="utf-8"))
    partial.rename(layer)
    return layer


def _write_content(root: Path, content: _Content) -> None:
    for name, text in content.files.items():
        _write(root / name, text)
    for name, text in content.programs.items():
        _write(root / name, text, 0o755)
    units = root / "etc/systemd/system"
    for name, text in content.units.items():
        _write(units / name, text)
        if "WantedBy=" in text:
            _link(units / f"{text.rpartition('WantedBy=')[2].strip()}.wants" / name, f"../{name}")
    for name, target in content.enabled.items():
        _link(units / f"{target}.wants" / name, f"/lib/systemd/system/{name}")
    for name in _MASKED:
        _link(units / name, "/dev/null")


def _write(path: Path, text: str, mode: int = 0o644) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)


def _link(path: Path, target: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(target)
