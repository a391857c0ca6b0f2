# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hold package managers' locks for a while, as what a distribution runs after a boot does.

``hold_locks.py NAME:SECONDS...`` returns when every lock is held, each by a process of its own.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import time
from pathlib import Path

# Each lock's file, and the name of the program that usually holds it.
LOCKS = {
    "dpkg-frontend": ("/var/lib/dpkg/lock-frontend", "unattended-upgr"),
    "apt-lists": ("/var/lib/apt/lists/lock", "apt-get"),
    "apt-archives": ("/var/cache/apt/archives/lock", "apt.systemd.dai"),
    "rpm": ("/var/lib/rpm/.rpm.lock", "dnf-automatic"),
    "dnf": ("/var/cache/dnf/metadata_lock.pid", "dnf"),
    "zypper": ("/run/zypp.pid", "zypper"),
}


def hold(name: str, seconds: float) -> None:
    """Take one lock, say so on standard output, and keep it."""
    path, program = LOCKS[name]
    Path("/proc/self/comm").write_text(program, encoding="ascii")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "a+", encoding="ascii") as file:
        fcntl.lockf(file, fcntl.LOCK_EX)
        if path.endswith(".pid"):
            # The lock is the number of a process that runs. The file itself is locked only to read and write it.
            file.truncate(0)
            file.write(f"{os.getpid()}")
            file.flush()
            fcntl.lockf(file, fcntl.LOCK_UN)
        os.write(1, b"held")
        os.close(1)
        time.sleep(seconds)


def main(orders: list[str]) -> None:
    """Start the holders, each under the name of the program that it stands for, and wait until they hold."""
    for order in orders:
        name, _colon, seconds = order.partition(":")
        command = [LOCKS[name][1], __file__, "--hold", name, seconds]
        holder = subprocess.Popen(command, executable=sys.executable, stdout=subprocess.PIPE)
        if holder.stdout is None or holder.stdout.read() != b"held":
            raise SystemExit(f"the lock {name} could not be taken")


if __name__ == "__main__":
    if sys.argv[1] == "--hold":
        hold(sys.argv[2], float(sys.argv[3]))
    else:
        main(sys.argv[1:])
