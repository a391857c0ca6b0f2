# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Loop devices over files; only as root on Linux."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from azure_emulator.machines import loops
from azure_emulator.machines.possible import guests_possible

pytestmark = pytest.mark.skipif(guests_possible() is not None, reason=f"no loop devices: {guests_possible()}")

MIB = 1024**2


def in_a_namespace(script: str, *words: str) -> list[str]:
    """A shell script in a mount namespace of its own."""
    return ["unshare", "--mount", "--propagation", "private", "sh", "-euc", script, "sh", *words]


def test_a_disk_that_is_still_mounted_somewhere_shows_what_was_written_there(tmp_path: Path) -> None:
    image, folder = tmp_path / "disk.img", tmp_path / "mounted"
    folder.mkdir()
    loops.make_image(image, 64 * MIB)
    first = loops.attach(image)
    subprocess.run(["mkfs.ext4", "-q", str(first.path)], check=True)
    writer = subprocess.Popen(
        in_a_namespace(
            'mount "$1" "$2"; echo kept >"$2/file"; echo written; read -r line', str(first.path), str(folder)
        ),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert writer.stdout is not None
    assert writer.stdout.readline() == "written\n"
    first.close()

    loops.make_image(image, 128 * MIB)
    second = loops.attach(image)
    size = subprocess.run(["blockdev", "--getsize64", str(second.path)], check=True, capture_output=True, text=True)
    assert int(size.stdout) == 128 * MIB
    read = in_a_namespace('mount "$1" "$2"; cat "$2/file"', str(second.path), str(folder))
    assert subprocess.run(read, check=True, capture_output=True, text=True).stdout == "kept\n"
    writer.communicate("\n", timeout=60)
    second.close()


def test_two_files_have_two_devices(tmp_path: Path) -> None:
    images = [tmp_path / "first.img", tmp_path / "second.img"]
    for image in images:
        loops.make_image(image, MIB)
    first, second = (loops.attach(image) for image in images)
    assert first.number != second.number
    first.close()
    second.close()
