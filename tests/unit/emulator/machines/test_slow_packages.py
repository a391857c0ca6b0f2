# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Packages that come at the pace of a network."""

from __future__ import annotations

import io
import sys
import typing as t
from pathlib import Path

import pytest

from azure_emulator.machines.agent import slow_packages

STARTED = b"200 URI Start\nURI: file:/pool/a.deb\nSize: 5000000\n\n"
DONE = b"201 URI Done\nURI: file:/pool/a.deb\nFilename: /pool/a.deb\nSize: 5000000\n\n"
WITHOUT_SIZE = b"201 URI Done\nURI: file:/pool/InRelease\nIMS-Hit: true\n\n"


@pytest.mark.parametrize(
    ("message", "rate", "expected"),
    [(DONE, 10, 0.5), (DONE, 2.5, 2.0), (STARTED, 10, 0.0), (WITHOUT_SIZE, 10, 0.0), (b"100 Capabilities\n\n", 1, 0.0)],
)
def test_a_file_takes_its_size_at_the_rate(message: bytes, rate: float, expected: float) -> None:
    assert slow_packages.seconds_of(message, rate) == expected


def test_messages_pass_unchanged_after_their_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = tmp_path / "said"
    said.write_bytes(STARTED + DONE + WITHOUT_SIZE)
    method = tmp_path / "method"
    method.write_text(f"#!/bin/sh\ncat {said}\nexit 3\n")
    method.chmod(0o755)
    rate = tmp_path / "rate"
    rate.write_text("10")
    output, waited = io.BytesIO(), list[t.Any]()

    class Output:
        buffer = output

    monkeypatch.setattr(slow_packages, "METHOD", str(method))
    monkeypatch.setattr(slow_packages, "RATE", rate)
    monkeypatch.setattr(slow_packages.time, "sleep", lambda seconds: waited.append((seconds, output.getvalue())))
    monkeypatch.setattr(sys, "stdout", Output)
    assert slow_packages.main() == 3
    assert output.getvalue() == STARTED + DONE + WITHOUT_SIZE
    assert (0.5, STARTED) in waited
