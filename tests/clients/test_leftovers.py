# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The soak finds what a server would leave behind: it is shown an orphan that holds a namespace."""

from __future__ import annotations

import os
import signal
import subprocess
import time
import typing as t

import pytest

from .leftovers import Family

UNSHARE = ["unshare", "--net"]
POSSIBLE = subprocess.run([*UNSHARE, "true"], capture_output=True, check=False).returncode == 0
pytestmark = pytest.mark.skipif(not POSSIBLE, reason="this user cannot make namespaces here")


def until(holds: t.Callable[[], bool]) -> bool:
    """Wait up to ten seconds until something holds."""
    for _attempt in range(500):
        if holds():
            return True
        time.sleep(0.02)
    return False


def test_an_orphan_with_a_namespace_is_found() -> None:
    script = "unshare --net sleep 600 & echo $!; read line"
    with subprocess.Popen(
        ["sh", "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as parent:
        assert parent.stdout is not None
        orphan = int(parent.stdout.readline())
        root = os.readlink("/proc/self/ns/net")
        assert until(lambda: os.readlink(f"/proc/{orphan}/ns/net") != root)
        namespace = os.readlink(f"/proc/{orphan}/ns/net")
        family = Family(parent.pid)
        parent.kill()
    try:
        assert until(lambda: f"namespace {namespace}" in family.survivors())
        assert f"process {orphan}" in family.survivors()
    finally:
        os.kill(orphan, signal.SIGKILL)
    assert until(lambda: family.survivors() == []), family.survivors()
