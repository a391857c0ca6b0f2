# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Kill a process with everything that it has started, for tests of runs that are killed."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import typing as t

from .machines.supervisor import children


def kill_tree(process: subprocess.Popen[t.Any]) -> None:
    """Kill a process and its descendants, and wait for its end.

    A signal to its process group is not enough: Ansible's workers have sessions of their own.
    """
    with contextlib.suppress(ProcessLookupError):
        os.kill(process.pid, signal.SIGSTOP)  # so that it starts no others meanwhile
    for pid in (process.pid, *descendants(process.pid)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.wait()


def descendants(pid: int) -> t.Iterator[int]:
    """Yield the processes that a process has started and that have not ended, and theirs."""
    for child in children(pid):
        yield from (child, *descendants(child))
