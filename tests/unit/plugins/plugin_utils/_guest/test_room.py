# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The note about a small logical volume below the engine's data."""

from __future__ import annotations

import types
import typing as t
from pathlib import Path

import pytest

from .conftest import OS_RELEASES, Recorder

LVM = "/dev/mapper/rootvg-rootlv / xfs rw 0 0\n/dev/mapper/rootvg-varlv /var xfs rw 0 0\n/dev/sdb1 /mnt ext4 rw 0 0\n"
RAW = "/dev/sda4 / xfs rw 0 0\n"
ROOT = {"daemon": {"data-root": "/mnt/docker"}}


@pytest.mark.parametrize(
    ("mounts", "gib", "docker", "noted"),
    [
        (LVM, 8, {}, "/dev/mapper/rootvg-varlv, a logical volume of 8 GiB at /var: grow it"),
        (LVM, 64, {}, ""),
        (RAW, 8, {}, ""),
        (LVM, 8, ROOT, ""),
        (LVM, 8, {"data-disk": {"lun": 0}}, ""),
        ("", 8, {}, ""),
    ],
)
def test_a_small_logical_volume_is_noted(
    setup: t.Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    mounts: str,
    gib: int,
    docker: dict[str, t.Any],
    noted: str,
) -> None:
    recorder = Recorder(setup, tmp_path / "root", OS_RELEASES["rhel9"])
    recorder.put("/proc/mounts", mounts)
    recorder.put("/var/lib/docker/x", "")
    volume = types.SimpleNamespace(f_blocks=gib * 2**18, f_frsize=4096)
    monkeypatch.setattr(setup.os, "statvfs", lambda _path: volume)
    setup.note_small_volume(recorder.machine, setup.Settings({"settings": {"docker": docker}}), recorder.facts())
    assert [note for note in recorder.machine.notes if noted in note] == recorder.machine.notes
    assert bool(recorder.machine.notes) is bool(noted)
