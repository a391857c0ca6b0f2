# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run the collection's unit and integration tests with both ends of every package that it stands on.

usage: python tools/matrix.py BUILD_DIR VENVS_DIR

Each row has a virtual environment of its own below VENVS_DIR, kept for the next run. A row whose interpreter is not on
this machine is reported as skipped, never silently left out.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

TOP = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Row:
    """One environment: an interpreter and the versions that are held fixed in it."""

    name: str
    python: str
    pins: tuple[str, ...]


ROWS = (
    Row(
        "core 2.16, oldest SDK",
        "3.10",
        ("ansible-core~=2.16.0", "azure-mgmt-compute==33.0.0", "azure-identity==1.16.0", "azure-mgmt-core==1.4.0")
        + ("cryptography==42.0.0",),
    ),
    Row("core 2.18, compute 34", "3.11", ("ansible-core~=2.18.0", "azure-mgmt-compute~=34.0")),
    Row("core 2.19, newest SDK", "3.11", ("ansible-core~=2.19.0",)),
    Row("core 2.20, newest SDK", "3.12", ("ansible-core~=2.20.0",)),
    Row("core 2.21, newest SDK", "3.13", ("ansible-core~=2.21.0",)),
)


def interpreter(version: str) -> str | None:
    """A real interpreter of this version: on PATH, or under pyenv (whose shims on PATH may lead nowhere)."""
    candidates = [shutil.which(f"python{version}")]
    candidates += [str(path) for path in sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python{version}"))]
    for candidate in candidates:
        if candidate and subprocess.run([candidate, "-c", ""], capture_output=True, check=False).returncode == 0:
            return candidate
    return None


def prepare(row: Row, python: str, venv: Path) -> None:
    """Make the row's environment, unless it is there with the same content."""
    wanted = "\n".join(
        [python, *row.pins]
        + [(TOP / name).read_text() for name in ("meta/ee-requirements.txt", "tests/requirements.txt")]
        + [(TOP / "tests/emulator/pyproject.toml").read_text()]
    )
    stamp = venv / "ready.stamp"
    if stamp.exists() and stamp.read_text() == wanted:
        return
    shutil.rmtree(venv, ignore_errors=True)
    subprocess.run([python, "-m", "venv", str(venv)], check=True)
    tests = [line for line in (TOP / "tests/requirements.txt").read_text().splitlines() if _needed(line)]
    subprocess.run(
        [str(venv / "bin/python"), "-m", "pip", "install", "-qq", "--disable-pip-version-check", *row.pins, *tests]
        + ["-r", str(TOP / "meta/ee-requirements.txt"), "-e", str(TOP / "tests/emulator")],
        check=True,
    )
    stamp.write_text(wanted)


def _needed(line: str) -> bool:
    """The checkers run once, in the checkout's own environment."""
    checkers = ("#", "ansible-core", "ansible-lint", "antsibull", "mypy", "ruff", "types-", "yamllint", "shellcheck")
    return bool(line) and not line.startswith(checkers)


def run(venv: Path, build: Path) -> int:
    """Unit and integration tests in this environment; the exit status of the first that fails."""
    environment = {
        **{key: value for key, value in os.environ.items() if key not in ("VIRTUAL_ENV", "PYTHONPATH")},
        "PATH": f"{venv / 'bin'}{os.pathsep}{os.environ['PATH']}",
    }
    python = str(venv / "bin/python")
    for suite, collections in (("tests/unit/plugins", build / "dev"), ("tests/integration", build / "collections")):
        environment["DOCKERHOST_COLLECTIONS_PATH"] = str(build / "collections")
        environment["PYTHONPATH"] = f"{collections}{os.pathsep}{TOP / 'tests/emulator'}"
        status = subprocess.run(
            [python, "-m", "pytest", "-q", "-n", "2", "-p", "no:cacheprovider", suite],
            env=environment,
            cwd=TOP,
            check=False,
        ).returncode
        if status:
            return status
    return 0


def main() -> int:
    """Every row; the table at the end says what was run and what was not."""
    build, venvs = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
    venvs.mkdir(parents=True, exist_ok=True)
    table: list[tuple[str, str]] = []
    failed = False
    for row in ROWS:
        python = interpreter(row.python)
        if python is None:
            table.append((row.name, f"skipped: no Python {row.python} on this machine"))
            continue
        begin = time.monotonic()
        print(f"== {row.name} on Python {row.python}: {', '.join(row.pins)}", flush=True)
        venv = venvs / f"matrix-{row.name.replace(',', '').replace(' ', '-')}"
        prepare(row, python, venv)
        status = run(venv, build)
        failed = failed or status != 0
        table.append((row.name, f"{'passed' if status == 0 else 'FAILED'} in {time.monotonic() - begin:.0f} s"))
    for name, outcome in table:
        print(f"{name:30} {outcome}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
