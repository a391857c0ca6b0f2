# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""PID 1 of the namespaces that hold every guest of one server.

It ends when its standard input does, that is when the server closes it or dies in whatever way. The kernel then kills
every process of the namespace, and mounts, network namespaces and interfaces go with them. The control groups that it
was told on its standard input, one a line, would stay: it removes them. Run by path, standard library only.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time


def remove_groups(groups: list[str]) -> None:
    """Remove empty control groups, deepest first; what is busy for long stays for the next start."""
    for _attempt in range(100):
        for group in groups:
            for folder, _folders, _files in os.walk(group, topdown=False):
                try:
                    os.rmdir(folder)
                except OSError:
                    pass
        if not any(os.path.isdir(group) for group in groups):
            return
        time.sleep(0.05)


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, lambda *_ignored: None)
    os.write(1, b"ready\n")
    ended = threading.Event()
    groups: list[str] = []

    def watch() -> None:
        groups.extend(line.rstrip("\n") for line in iter(sys.stdin.readline, ""))
        ended.set()

    threading.Thread(target=watch, daemon=True).start()
    while not ended.wait(0.5):
        reap(os.WNOHANG)
    try:
        os.kill(-1, signal.SIGKILL)
    except ProcessLookupError:
        pass
    reap(0)
    remove_groups(groups)


def reap(flags: int) -> None:
    """Collect children that ended; with flags 0, wait for all of them."""
    try:
        while os.waitpid(-1, flags)[0]:
            pass
    except ChildProcessError:
        pass


if __name__ == "__main__":
    main()
