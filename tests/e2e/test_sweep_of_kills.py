# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the sweep of kills relies on: its ledger, and copies of disks that tell states from one another."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from . import kills_sweep
from .disk_copies import DiskCopy
from .kills_sweep import CASES, Ledger

pytestmark = pytest.mark.guests


def test_a_sweep_goes_on_where_it_was_interrupted_and_begins_anew_for_another_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case, other = CASES[:2]
    monkeypatch.setattr(kills_sweep, "KEPT", tmp_path / "kills")
    ledger = Ledger()
    ledger.note(case, 3, 0.1, "passed", kind="apt-get install")
    ledger.note(case, 4, 0.1, "failed", kind="apt-mark hold")
    again = Ledger()
    found = again.passed(case, 3, 0.1)
    assert found is not None
    assert found["kind"] == "apt-get install"
    assert [again.passed(case, 4, 0.1), again.passed(case, 3, 0.5), again.passed(other, 3, 0.1)] == [None] * 3
    monkeypatch.setattr(kills_sweep, "digest", lambda: "another")
    assert Ledger().passed(case, 3, 0.1) is None


def test_a_sweep_begins_with_what_no_other_one_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case, other = CASES[:2]
    monkeypatch.setattr(kills_sweep, "KEPT", tmp_path / "earlier")
    monkeypatch.setattr(kills_sweep, "digest", lambda: "earlier")
    ledger = Ledger()
    ledger.note(case, 3, 0.1, "passed", kind="apt-get install")
    ledger.note(case, 4, 0.1, "failed", kind="apt-mark hold")
    monkeypatch.setattr(kills_sweep, "KEPT", tmp_path / "kills")
    monkeypatch.setattr(kills_sweep, "digest", lambda: "present")
    assert Ledger().settled(case, 3, 0.1) is None
    monkeypatch.setenv("KILLS_LATER", str(tmp_path / "earlier/ledger"))
    first = Ledger()
    found = first.settled(case, 3, 0.1)
    assert found is not None
    assert found["kind"] == "apt-get install"
    assert [first.passed(case, 3, 0.1), first.settled(case, 4, 0.1), first.settled(other, 3, 0.1)] == [None] * 3
    assert [first.leaves_out(case), first.leaves_out(other)] == [True, False]
    first.note(case, 4, 0.1, "passed")
    assert first.settled(case, 4, 0.1)


def test_copies_of_a_disk_differ_where_a_run_can_see_it(guests: None, tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / "upper/etc").mkdir(parents=True)
    (home / "upper/var/log").mkdir(parents=True)
    kept, changing = home / "upper/etc/kept", home / "upper/etc/changing"
    kept.write_text("the same", encoding="utf-8")
    changing.write_text("before", encoding="utf-8")
    changing.chmod(0o600)
    os.mknod(home / "upper/etc/removed", stat.S_IFCHR, 0)  # overlay's mark of what the layer below has
    (home / "upper/etc/link").symlink_to("kept")
    os.setxattr(home / "upper/etc", "trusted.overlay.opaque", b"y")

    copies = [DiskCopy.take(home, tmp_path / "1", below=None, previous=None)]
    (home / "upper/var/log/x.log").write_text("a line", encoding="utf-8")
    copies.append(DiskCopy.take(home, tmp_path / "2", below=None, previous=copies[-1]))
    changing.write_text("after!", encoding="utf-8")
    copies.append(DiskCopy.take(home, tmp_path / "3", below=None, previous=copies[-1]))
    kept.unlink()
    copies.append(DiskCopy.take(home, tmp_path / "4", below=copies[0], previous=copies[-1]))

    assert copies[0].content == copies[1].content
    assert len({copy.content for copy in copies}) == 3
    files = [[copy.folder / "upper/etc" / name for copy in copies[:3]] for name in ("kept", "changing")]
    assert [path.stat().st_ino == files[0][0].stat().st_ino for path in files[0]] == [True, True, True]
    assert [path.read_text(encoding="utf-8") for path in files[1]] == ["before", "before", "after!"]
    assert stat.S_IMODE(files[1][0].stat().st_mode) == 0o600
    assert stat.S_ISCHR((tmp_path / "4/upper/etc/removed").stat().st_mode)
    assert os.getxattr(tmp_path / "4/upper/etc", "trusted.overlay.opaque") == b"y"
    assert copies[-1].layers == (tmp_path / "4/upper", tmp_path / "1/upper")
