# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A command as a user types it: nothing to read from, and one output to look at."""

from __future__ import annotations

import subprocess
import typing as t
from pathlib import Path

_SHOWN = 20_000


def output_of(command: t.Sequence[str], *, env: t.Mapping[str, str], cwd: Path | None = None) -> str:
    """Run a command, which must succeed, and return its output with its errors.

    :raises AssertionError: it failed; with the end of its output.
    """
    done = subprocess.run(
        command,
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout[-_SHOWN:]}"
    return done.stdout
