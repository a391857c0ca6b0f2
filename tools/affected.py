# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Print the unit test files that a change affects, the most closely related first.

usage: python tools/affected.py BASE

A test file is affected when it, or a file that it imports directly or indirectly, differs from the point where the
working tree left BASE (a branch; ``origin/BASE`` where only that exists). A ``conftest.py`` counts as imported by every
test below it. A changed file that nothing imports, such as a role's, affects the test files that name it.
"""

from __future__ import annotations

import ast
import functools
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

TOP = Path(__file__).resolve().parents[1]
PACKAGES = {
    "ansible_collections.dockerhost.azure": TOP,
    "azure_conformance": TOP / "tests/conformance/azure_conformance",
    "azure_emulator": TOP / "tests/emulator/azure_emulator",
    "image_systems": TOP / "tests/shared/image_systems",
    "user_command": TOP / "tests/shared/user_command",
    "tests": TOP / "tests",
}
FARTHEST = 99
"""The distance of a test that only names a changed file."""


def git(*words: str) -> list[str]:
    """The lines that a git command prints; none when it fails."""
    done = subprocess.run(["git", *words], cwd=TOP, capture_output=True, text=True, check=False)
    return done.stdout.splitlines() if done.returncode == 0 else []


def changed(base: str) -> set[Path]:
    """The files that differ from the base, and those that git does not know yet."""
    start = git("merge-base", "HEAD", f"origin/{base}") or git("merge-base", "HEAD", base)
    if not start:
        sys.exit(
            f"{base} must be a branch of this repository or of its remote origin; name another: make quick BASE=..."
        )
    names = git("diff", "--name-only", start[0]) + git("ls-files", "--others", "--exclude-standard")
    return {TOP / name for name in names}


@functools.cache
def imports(path: Path) -> frozenset[Path]:
    """The files of this repository that a Python file imports itself; for a test file, with those of its conftests."""
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except (OSError, SyntaxError):
        return frozenset()
    found = {file for node in ast.walk(tree) for place in _imported(node, path) for file in _files(place)}
    return frozenset({*found, *(_conftests(path) if path.name.startswith("test_") else ())})


def _imported(node: ast.AST, path: Path) -> Iterator[Path | None]:
    """Where the modules are that a statement of a file imports."""
    if isinstance(node, ast.Import):
        yield from (_absolute(alias.name) for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        base = path.parents[node.level - 1].joinpath(*(node.module or "").split(".")) if node.level else None
        base = base or _absolute(node.module or "")
        if base is not None:
            yield from [base, *(base / alias.name for alias in node.names)]


def _absolute(name: str) -> Path | None:
    """Where a module of this repository is; None for a foreign one."""
    for package, folder in PACKAGES.items():
        if name == package or name.startswith(f"{package}."):
            return folder.joinpath(*name[len(package) :].strip(".").split("."))
    return None


def _files(place: Path | None) -> Iterator[Path]:
    """The file of a module, and what importing it runs before."""
    if place is None:
        return
    for candidate in (place.with_name(f"{place.name}.py"), place / "__init__.py"):
        if candidate.is_file():
            yield candidate


def distance(test: Path, targets: set[Path]) -> int | None:
    """How many imports lead from a test to the nearest of the targets; None when none leads there."""
    seen: set[Path] = set()
    border, steps = {test}, 0
    while border:
        if border & targets:
            return steps
        seen |= border
        border = {imported for path in border for imported in imports(path)} - seen
        steps += 1
    return None


def _conftests(test: Path) -> Iterator[Path]:
    for folder in test.parents:
        if folder == TOP:
            return
        if (folder / "conftest.py").is_file():
            yield folder / "conftest.py"


def affected(files: set[Path]) -> list[str]:
    """The affected test files, nearest first."""
    found = []
    others = [path.name for path in files if path.suffix != ".py"]
    for test in sorted((TOP / "tests/unit").rglob("test_*.py")):
        steps = distance(test, files)
        if steps is None and others:
            text = test.read_text(encoding="utf-8")
            steps = FARTHEST if any(name in text for name in others) else None
        if steps is not None:
            found.append((steps, str(test.relative_to(TOP))))
    return [name for _steps, name in sorted(found)]


def main() -> int:
    """The program; return its exit status."""
    files = changed(sys.argv[1])
    found = affected(files)
    print(f"{len(files)} files differ from {sys.argv[1]}, {len(found)} unit test files are affected", file=sys.stderr)
    print("\n".join(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
