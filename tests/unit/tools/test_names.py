# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tests and files that the spreading of tests and the matrix name exist: another name would have no effect."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from .loading import TOP, load

TARGETS = {path.name for path in (TOP / "tests/integration/targets").iterdir() if (path / "tasks/main.yml").exists()}


def functions(path: Path) -> set[str]:
    """The functions and methods of a file."""
    return {node.name for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef)}


def test_the_spreading_of_tests_names_what_exists() -> None:
    spreading = load("tests/conftest.py")
    assert [path for path in spreading.TOGETHER if not (TOP / path).exists()] == []
    tests = {name for path in (TOP / "tests").rglob("test_*.py") for name in functions(path)}
    assert [name for name in spreading.LONGEST if name.partition("[")[0] not in tests] == []
    targets = re.findall(r"^test_target\[(\w+)-\w+\]$", "\n".join(spreading.LONGEST), re.MULTILINE)
    assert set(targets) <= TARGETS


def test_the_matrix_names_what_exists() -> None:
    matrix = load("tools/matrix.py")
    named = {*matrix.NEVER, *matrix.BACKENDS, *matrix.LONG, *matrix.INTEGRATION}
    named |= {path for row in matrix.ROWS for path in (*row.without, *row.unit, *row.integration)}
    for name in sorted(named):
        path, _colons, function = name.partition("::")
        assert (TOP / path).exists(), name
        assert not function or function in functions(TOP / path), name
