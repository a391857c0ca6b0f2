# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The layer of files that makes a plain Debian tree a guest: units, the agent and the provisioning program."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

PROGRAMS = Path(__file__).parent / "agent"
PROGRAMS_IN_GUEST = "usr/lib/azure"
#: Made by the guest once it is provisioned, and once its agent runs.
PROVISIONED = "run/azure/provisioned"
AGENT_READY = "run/azure/agent"

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

[Service]
Type=oneshot
ExecStart=/usr/lib/azure/disks

[Install]
WantedBy=sysinit.target
""",
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
    "walinuxagent.service": """[Unit]
Description=Azure Linux Agent
After=cloud-init.service
ConditionPathExists=!/etc/azure-no-agent

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/bin/python3 /usr/lib/azure/waagent.py start
ExecStartPost=/bin/sh -c 'mkdir -p /run/azure && touch /run/azure/agent'
ExecStop=/bin/rm -f /run/azure/agent

[Install]
WantedBy=multi-user.target
""",
}
_MASKED = (
    "apt-daily.timer", "apt-daily-upgrade.timer", "e2scrub_all.timer", "e2scrub_reap.service", "fstrim.timer",
    "dpkg-db-backup.timer", "console-getty.service", "getty.target", "systemd-journal-flush.service",
)  # fmt: skip
#: What udev does on a real machine: nodes of disks and partitions, and Azure's links by logical unit number.
_DISKS = """#!/bin/sh
links=/dev/disk/azure/scsi1
mkdir -p $links
rm -f $links/* /dev/loop[0-9]*
while read -r lun name; do
  for entry in /sys/class/block/"$name" /sys/class/block/"$name"/"$name"p*; do
    test -e "$entry/dev" || continue
    device=${entry##*/}
    IFS=: read -r major minor < "$entry/dev"
    mknod -m 660 "/dev/$device" b "$major" "$minor"
    part=$(cat "$entry/partition" 2>/dev/null)
    ln -sfn "../../../$device" "$links/lun$lun${part:+-part$part}"
  done
done < /run/azure-fabric/disks
"""
_FILES = {
    "etc/resolv.conf": "nameserver 168.63.129.16\n",
    "etc/systemd/journald.conf.d/guest.conf": "[Journal]\nStorage=volatile\nRuntimeMaxUse=16M\nForwardToConsole=no\n",
    "etc/apt/apt.conf.d/90-guest": 'Acquire::Languages "none";\nAcquire::Retries "3";\n',
}


def write_layer(home: Path) -> Path:
    """Make the layer below ``home``, or find it there, named by its content; what is mounted is never changed."""
    sources = sorted(path for path in PROGRAMS.glob("*.py") if path.name != "__init__.py")
    content = repr((_UNITS, _MASKED, _FILES, _DISKS)).encode() + b"".join(path.read_bytes() for path in sources)
    layer = home / f"layer-{hashlib.sha256(content + Path(__file__).read_bytes()).hexdigest()[:12]}"
    if layer.exists():
        return layer
    partial = layer.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    for name, text in _FILES.items():
        _write(partial / name, text)
    units = partial / "etc/systemd/system"
    for name, text in _UNITS.items():
        _write(units / name, text)
        _link(units / f"{text.rpartition('WantedBy=')[2].strip()}.wants" / name, f"../{name}")
    for name in _MASKED:
        _link(units / name, "/dev/null")
    for source in sources:
        target = partial / PROGRAMS_IN_GUEST / source.name
        _write(target, source.read_text(encoding="utf-8"))
    _write(partial / PROGRAMS_IN_GUEST / "disks", _DISKS, 0o755)
    program = f"/{PROGRAMS_IN_GUEST}/provision.py"
    _write(partial / "usr/bin/cloud-init", f'#!/bin/sh\nexec /usr/bin/python3 {program} "$@"\n', 0o755)
    partial.rename(layer)
    return layer


def _write(path: Path, text: str, mode: int = 0o644) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)


def _link(path: Path, target: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(target)
