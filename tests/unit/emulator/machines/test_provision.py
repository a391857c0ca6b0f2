# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Custom data in a guest: one part or several, compressed or not, as cloud-init applies it."""

from __future__ import annotations

import gzip
import stat
import typing as t
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from pathlib import Path

import pytest

from azure_emulator.machines.agent import provision

SCRIPT = "#!/bin/sh\necho größer\n"
CONFIG = "#cloud-config\nruncmd: [[echo, {0}]]\nwrite_files: [{{path: /{0}, content: '{0}'}}]\n"


def message(*parts: tuple[str, str]) -> bytes:
    """Parts as ``cloud-init devel make-mime`` writes them."""
    whole = MIMEMultipart()
    for kind, text in parts:
        whole.attach(MIMEText(text, kind, "utf-8"))
    return whole.as_bytes()


@pytest.fixture
def done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[t.Any]:
    """What is run and written, in order, instead of doing it."""
    events: list[t.Any] = []
    write = provision.write

    def noted_write(path: str, content: str | bytes, mode: int = 0o644) -> None:
        if path.startswith(str(tmp_path)):
            write(path, content, mode)
        else:
            events.append((path, content))

    def noted_run(command: list[str]) -> list[str]:
        script = Path(command[0])
        if script.is_absolute():
            assert stat.S_IMODE(script.stat().st_mode) == 0o700
            command = [script.name, script.read_text(encoding="utf-8")]
        events.append(command)
        return []

    monkeypatch.setattr(provision, "USER_DATA", tmp_path / "user-data.txt")
    monkeypatch.setattr(provision, "write", noted_write)
    monkeypatch.setattr(provision, "run_logged", noted_run)
    return events


@pytest.mark.parametrize("packed", [False, True])
def test_a_script_alone_is_run(done: list[t.Any], packed: bool) -> None:
    data = SCRIPT.encode()
    assert provision.apply_user_data(gzip.compress(data) if packed else data) == []
    assert done == [["part-001", SCRIPT]]


@pytest.mark.parametrize("packed", [False, True])
def test_the_lists_of_parts_are_joined_and_scripts_come_before_runcmd(done: list[t.Any], packed: bool) -> None:
    data = message(
        ("cloud-config", CONFIG.format("one")), ("x-shellscript", SCRIPT), ("cloud-config", CONFIG.format("two"))
    )
    assert provision.apply_user_data(gzip.compress(data) if packed else data) == []
    files = [("/one", b"one"), ("/two", b"two")]
    assert done == [*files, ["part-002", SCRIPT], ["echo", "one"], ["echo", "two"]]


def test_a_part_can_put_its_lists_before_those_of_earlier_ones(done: list[t.Any]) -> None:
    whole = MIMEMultipart()
    for name in ("one", "two"):
        whole.attach(MIMEText(CONFIG.format(name), "cloud-config", "utf-8"))
    whole.get_payload()[1]["Merge-Type"] = "list(prepend)+dict(no_replace,recurse_list)+str()"
    assert provision.apply_user_data(whole.as_bytes()) == []
    assert done == [("/two", b"two"), ("/one", b"one"), ["echo", "two"], ["echo", "one"]]


def test_what_is_not_supported_is_named(done: list[t.Any]) -> None:
    data = message(("cloud-config", "#cloud-config\nusers: []\n"), ("x-include-url", "#include\nhttps://x\n"))
    assert provision.apply_user_data(data) == [
        "user data: users is not supported here",
        "user data: neither a script (#!) nor #cloud-config",
    ]
    assert done == []
