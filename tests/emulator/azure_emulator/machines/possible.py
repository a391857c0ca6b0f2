# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether this machine can run guests. `make demo` asks before the environment exists: standard library only."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from azure_emulator.machines import packages
from azure_emulator.machines.supervisor import missing_programs

_PACKAGES = "debootstrap debian-archive-keyring systemd-container iproute2 nftables openssl"


def guests_possible() -> str | None:
    """Return None if guests can run, else the reason, with the command that fixes it where there is one."""
    if sys.platform != "linux":
        return "guests need Linux"
    if os.geteuid() != 0:
        return "guests need root"
    missing = missing_programs()
    if not Path(packages.KEYRING).exists():
        missing.append("Debian's archive keyring")
    if missing:
        return f"guests need {', '.join(missing)}: apt-get install -y {_PACKAGES}"
    probe = [
        "unshare",
        "--pid",
        "--fork",
        "--mount",
        "--net",
        "--mount-proc",
        "sh",
        "-c",
        "mount -t tmpfs none /mnt && nft list tables",
    ]
    done = subprocess.run(probe, capture_output=True, text=True, check=False)
    if done.returncode:
        return f"guests need namespaces, mounts and nftables, and this host refuses: {done.stderr.strip()[-200:]}"
    return None
