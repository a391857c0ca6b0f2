# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The guests' tree can be made before any package is installed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

EMULATOR = Path(__file__).resolve().parents[3] / "emulator"


def test_the_tree_is_made_with_the_standard_library_alone() -> None:
    """`make demo` begins with it while the virtual environment is still being made."""
    command = [sys.executable, "-S", "-m", "azure_emulator.machines.build", "--help"]
    environment = {**os.environ, "PYTHONPATH": str(EMULATOR)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
