# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The guests' tree can be made before any package is installed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

EMULATOR = Path(__file__).resolve().parents[3] / "emulator"
DEMO = EMULATOR.parents[1] / "tools/demo.sh"


def run_with_the_standard_library(*arguments: str) -> str:
    """Run Python as the machine's own, which has none of the project's packages."""
    environment = {**os.environ, "PYTHONPATH": str(EMULATOR)}
    command = [sys.executable, "-S", *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_demo_runs_python_before_its_environment_exists() -> None:
    """Whatever it runs with the machine's own Python needs the standard library alone."""
    script = DEMO.read_text(encoding="utf-8")
    statements = re.findall(r"python3 -c '([^']+)'", script)
    programs = re.findall(r"python3 -u -m (\S+)", script)
    assert statements
    assert programs
    for statement in statements:
        run_with_the_standard_library("-c", statement)
    for program in programs:
        assert "usage" in run_with_the_standard_library("-m", program, "--help")
