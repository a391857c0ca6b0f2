# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""apt's method ``file`` at the pace of a network: a file is there once its bytes would have come.

apt speaks to it as to any method ("APT Method Interface", libapt-pkg-doc). The rate is in :data:`RATE`.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

RATE = Path("/run/azure-fabric/package-rate")
"""Megabytes a second."""
METHOD = "/usr/lib/apt/methods/file"


def seconds_of(message: bytes, rate: float) -> float:
    """Return how long the download takes that a message reports as done; 0 for every other message."""
    if not message.startswith(b"201 "):
        return 0.0
    fields = dict(line.partition(b": ")[::2] for line in message.splitlines())
    return int(fields.get(b"Size", b"0")) / (rate * 1_000_000)


def main() -> int:
    """Let apt speak to the method itself, and hold back the messages that a file is there."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    rate = float(RATE.read_text(encoding="ascii"))
    message = b""
    with subprocess.Popen([METHOD], stdout=subprocess.PIPE) as method:
        for line in method.stdout or ():
            message += line
            if line.strip():
                continue
            time.sleep(seconds_of(message, rate))
            sys.stdout.buffer.write(message)
            sys.stdout.buffer.flush()
            message = b""
        return method.wait()


if __name__ == "__main__":
    sys.exit(main())
