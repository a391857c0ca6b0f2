# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run a check, unless it has passed with exactly these files and these tools.

usage: python tools/once.py CACHE NAME tree|artifact COMMAND...

``tree`` stands for every file of the checkout that git does not ignore, ``artifact`` for those that the collection's
artifact is built from. What passed is noted below CACHE, by a digest of names, contents, the command, the interpreter
and the packages of the virtual environment on PATH. A check that fails is not noted.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

TOP = Path(__file__).resolve().parents[1]
ARTIFACT = ("plugins", "roles", "playbooks", "meta", "docs", "changelogs", "galaxy.yml", "README.md", "CHANGELOG.md")
KEPT = 5
"""How many notes of one check are kept."""


def files(scope: str) -> Iterator[Path]:
    """The files that the check may read."""
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", "tools"]
    listing += ["."] if scope == "tree" else [*ARTIFACT, "LICENSE"]
    names = subprocess.run(listing, cwd=TOP, check=True, capture_output=True, text=True).stdout
    for name in sorted(set(names.split("\0")) - {""}):
        path = TOP / name
        if path.is_file() and not path.is_symlink():
            yield path


def digest(scope: str, command: list[str]) -> str:
    """What decides the outcome, as one word."""
    found = hashlib.sha256(repr((command, sys.version)).encode())
    for package in sorted(Path(sysconfig.get_paths()["purelib"]).glob("*.dist-info")):
        found.update(f"{package.name}\0".encode())
    for path in files(scope):
        found.update(f"{path.relative_to(TOP)}\0{os.access(path, os.X_OK)}\0".encode())
        found.update(hashlib.sha256(path.read_bytes()).digest())
    return found.hexdigest()[:32]


def main() -> int:
    """The program; return its exit status."""
    cache, name, scope, *command = sys.argv[1:]
    notes = Path(cache)
    note = notes / f"{name}-{digest(scope, command)}"
    if note.exists():
        note.touch()
        print(f"{name}: the same files have passed already")
        return 0
    status = subprocess.run(command, check=False).returncode
    if status == 0:
        notes.mkdir(parents=True, exist_ok=True)
        note.touch()
        for old in sorted(notes.glob(f"{name}-*"), key=lambda path: -path.stat().st_mtime)[KEPT:]:
            old.unlink(missing_ok=True)
    return status


if __name__ == "__main__":
    sys.exit(main())
