# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The soak finds what a server would leave behind, or hold for too long: it is shown such things, one at a time."""

from __future__ import annotations

import os
import signal
import subprocess
import time
import typing as t
from pathlib import Path

import pytest

from .leftovers import CGROUPS, Family

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


class Holder:
    """A process in a mount namespace of its own, and what it holds beyond what it held at first."""

    def __init__(self, group: str | None = None) -> None:
        self._shell = subprocess.Popen(
            ["unshare", "--mount", "--propagation", "private", "sh"], stdin=subprocess.PIPE, text=True, bufsize=1
        )
        root = os.readlink("/proc/self/ns/mnt")
        assert until(lambda: os.readlink(f"/proc/{self._shell.pid}/ns/mnt") != root)
        self.family = Family(self._shell.pid, group)
        self._before = self.family.note()

    def tell(self, command: str) -> None:
        assert self._shell.stdin is not None
        self._shell.stdin.write(f"{command}\n")

    def beyond(self) -> list[str]:
        return self.family.note().beyond(self._before)

    def close(self) -> None:
        self._shell.kill()
        self._shell.communicate()


@pytest.fixture
def holder() -> t.Iterator[Holder]:
    holder = Holder()
    assert holder.beyond() == []
    yield holder
    holder.close()


def test_a_process_and_its_namespace_are_found_while_the_parent_lives(holder: Holder) -> None:
    holder.tell("unshare --net sleep 600 &")
    assert until(lambda: any(line.startswith("namespaces: net:[") for line in holder.beyond())), holder.beyond()
    (process,) = [line for line in holder.beyond() if line.startswith("processes: ")]
    assert process.endswith(" sleep 600")
    holder.tell("kill $!; wait")
    assert until(lambda: holder.beyond() == []), holder.beyond()


def test_a_mount_is_found_where_only_the_family_sees_it(holder: Holder, tmp_path: Path) -> None:
    holder.tell(f"mount -t tmpfs none {tmp_path}")
    assert until(lambda: len(holder.beyond()) == 1)
    (found,) = holder.beyond()
    assert found.startswith("mounts: mnt:[")
    assert found.endswith(f" tmpfs {tmp_path}")
    holder.tell(f"umount {tmp_path}")
    assert until(lambda: holder.beyond() == [])


def test_a_namespace_is_found_that_only_a_mount_keeps(holder: Holder, tmp_path: Path) -> None:
    holder.tell(f"touch {tmp_path}/net; unshare --net={tmp_path}/net true")
    assert until(lambda: len(holder.beyond()) == 2), holder.beyond()
    assert any(line.startswith("namespaces: net:[") for line in holder.beyond())
    holder.tell(f"umount {tmp_path}/net")
    assert until(lambda: holder.beyond() == []), holder.beyond()


def test_a_control_group_is_found_during_and_after() -> None:
    writable = [path for path in (CGROUPS, *CGROUPS.glob("*")) if (path / "cgroup.procs").exists()]
    name = f"test-leftovers-{os.getpid()}"
    top = next(iter(writable), CGROUPS) / name
    try:
        top.mkdir()
    except OSError as error:
        pytest.skip(f"this user cannot make control groups here: {error}")
    try:
        holder = Holder(name)
        (top / "guest").mkdir()
        assert holder.beyond() == [f"groups: {top}/guest"]
        holder.close()
        assert holder.family.survivors() == [f"control group {top}", f"control group {top}/guest"]
        (top / "guest").rmdir()
    finally:
        top.rmdir()
    assert holder.family.survivors() == []
