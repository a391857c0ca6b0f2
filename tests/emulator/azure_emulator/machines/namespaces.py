# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Work inside a network's namespace. A socket stays in the namespace where it was made, whoever uses it later."""

from __future__ import annotations

import ctypes
import os
import threading
import typing as t
from collections.abc import Callable
from pathlib import Path

R = t.TypeVar("R")
_NEW_NETWORK = 0x40000000
"""CLONE_NEWNET of sched.h."""


def inside(namespace: Path, make: Callable[[], R]) -> R:
    """Return what ``make`` returns there.

    :param namespace: the file of a network namespace, below ``/run/netns``.
    :raises OSError: the namespace is not there, the kernel refuses, or ``make`` raises it.
    """
    made: list[R] = []
    failed: list[OSError] = []

    def enter() -> None:
        try:
            _enter(namespace)
            made.append(make())
        except OSError as error:
            failed.append(error)

    # A thread of its own, which ends: it never comes back from that namespace.
    thread = threading.Thread(target=enter, name="enter a network namespace")
    thread.start()
    thread.join()
    if failed:
        raise failed[0]
    return made[0]


def _enter(namespace: Path) -> None:
    """Move the calling thread into a network namespace. :raises OSError: the kernel refused."""
    libc = ctypes.CDLL(None, use_errno=True)
    with namespace.open("rb") as file:
        if libc.setns(file.fileno(), _NEW_NETWORK):
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
