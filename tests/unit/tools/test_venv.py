# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The virtual environments that the Makefile's targets make, side by side where make runs several."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from .loading import TOP


def write_program(path: Path, text: str) -> Path:
    """Write a shell script that can be run."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def test_targets_that_need_the_same_environment_make_it_one_after_the_other(tmp_path: Path) -> None:
    log = tmp_path / "log"
    write_program(tmp_path / "bin/uv", f'echo "begin installing" >>{log}; sleep 0.3; echo "end installing" >>{log}')
    python = write_program(
        tmp_path / "python", f'echo "begin making" >>{log}; sleep 0.3; {sys.executable} "$@"; echo "end making" >>{log}'
    )
    command = [sys.executable, str(TOP / "tools/venv.py"), str(tmp_path / "venv"), "--python", str(python)]
    environment = {**os.environ, "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}"}
    needed = ("a-package", "another-package")
    targets = [
        subprocess.Popen([*command, "--cache", str(tmp_path / "cache"), package], env=environment) for package in needed
    ]
    assert [target.wait(60) for target in targets] == [0, 0]
    installing = ["begin installing", "end installing"]
    assert log.read_text().splitlines() == ["begin making", "end making", *installing, *installing]
