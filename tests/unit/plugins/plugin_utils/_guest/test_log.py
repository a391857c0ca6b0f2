# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The log: readable by root only, written into no file of others, and no reason for a run to fail."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from .conftest import Scratch

LOG = "var/log/docker-host-setup.log"


def obstruct(root: Path, kind: str) -> None:
    """Put something into the log's place."""
    log, theirs = root / LOG, root / "theirs"
    log.parent.mkdir(parents=True)
    theirs.write_text("theirs", encoding="utf-8")
    if kind == "link":
        log.symlink_to(theirs)
    elif kind == "dangling link":
        log.symlink_to(root / "nowhere")
    elif kind == "hard link":
        os.link(theirs, log)
    elif kind == "FIFO":
        os.mkfifo(log)
    elif kind == "folder":
        log.mkdir()
    elif kind == "full device":
        log.symlink_to("/dev/full")
    elif kind == "file in the place of the folder":
        log.parent.rmdir()
        log.parent.write_text("theirs", encoding="utf-8")


@pytest.mark.parametrize(
    "kind",
    ["link", "dangling link", "hard link", "FIFO", "folder", "full device", "file in the place of the folder"],
)
def test_what_is_in_the_logs_place_is_left_alone_and_the_run_goes_on(scratch: Scratch, kind: str) -> None:
    obstruct(scratch.root, kind)
    result = scratch.run({"settings": {"docker": {"daemon": {"debug": True}}}})
    assert result["ok"]
    assert [note for note in result["notes"] if "docker-host-setup.log could not be written" in note]
    assert len(result["notes"]) == 1
    assert scratch.text("/theirs") == "theirs"
    assert not scratch.exists("/nowhere")


def test_a_log_that_others_could_read_is_closed_to_them(scratch: Scratch) -> None:
    log = scratch.put(LOG, "old\n")
    log.chmod(0o664)
    assert scratch.run({})["ok"]
    assert log.stat().st_mode & 0o7777 == 0o600
    assert log.read_text(encoding="utf-8").startswith("old\n")


def test_a_failed_run_ends_with_its_line_although_the_log_cannot_be_written(scratch: Scratch) -> None:
    obstruct(scratch.root, "full device")
    result = scratch.run({"settings": {"docker": {"port": "4243"}}})
    assert "without certs" in result["error"]
