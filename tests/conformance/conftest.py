# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the tests against Microsoft's specifications need; they skip, saying what is missing, when it is absent."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import typing as t
from dataclasses import dataclass
from pathlib import Path

import pytest

from azure_conformance import specifications

CHECKOUT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("DOCKERHOST_BUILD", CHECKOUT / ".build")) / "conformance"


@pytest.fixture(scope="session")
def specs() -> Path:
    """The folder of the specifications."""
    found = specifications.find(CHECKOUT)
    if found is None:
        pytest.skip("skipped: no specifications")
    return found


@dataclass(frozen=True)
class Validation:
    """What the validator found.

    :param lines: what it said about single exchanges.
    :param operations: how often each operation of the specifications was validated.
    """

    lines: list[str]
    validated: int
    failed: int
    unspecified: int
    operations: dict[str, int]


@pytest.fixture(scope="session")
def validate(specs: Path, tmp_path_factory: pytest.TempPathFactory) -> t.Callable[[Path], Validation]:
    """Validates a file of recorded traffic."""
    modules = _validator()

    def run(traffic: Path) -> Validation:
        home = tmp_path_factory.mktemp("validator")
        done = subprocess.run(
            ["node", str(Path(__file__).with_name("validate.js")), str(specs), str(traffic)],
            env={**os.environ, "HOME": str(home), "NODE_PATH": str(modules)},
            cwd=home,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        *lines, summary = done.stdout.splitlines()
        return Validation(lines, **json.loads(summary))

    return run


def _validator() -> Path:
    """Microsoft's validator, installed once below the build directory; the ``node_modules`` that it is in."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("skipped: no node and npm")
    packages = Path(__file__).with_name("package.json")
    command = [sys.executable, str(CHECKOUT / "tools/npm.py"), str(packages), str(BUILD)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"skipped: npm could not install the validator: {done.stderr.strip()}")
    return BUILD / "node_modules"
