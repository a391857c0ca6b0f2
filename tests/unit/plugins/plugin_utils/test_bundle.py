# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The parts of the setup program, bundled into the one file that a VM gets."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from ansible_collections.dockerhost.azure.plugins.plugin_utils import _bundle

HEAD = "# Licence\n\n"


def names_of(tree: ast.Module) -> list[str]:
    """Return what a module defines at its top level."""
    names = []
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            names.append(node.name)
        elif isinstance(node, ast.Assign):
            names += [target.id for target in node.targets if isinstance(target, ast.Name)]
    return names


def test_the_bundle_defines_each_name_of_its_parts_once() -> None:
    parts = [ast.parse(part.path.read_text(encoding="utf-8")) for part in _bundle.read_parts()]
    names = Counter(name for tree in parts for name in names_of(tree))
    assert {name: count for name, count in names.items() if count > 1} == {}
    bundled = ast.parse(_bundle.bundle(), feature_version=(3, 6))
    assert Counter(names_of(bundled)) == names
    assert not [node for node in ast.walk(bundled) if isinstance(node, ast.ImportFrom)]


def test_every_file_of_the_program_is_in_the_bundle() -> None:
    files = set(_bundle.MAIN.parent.glob("*.py"))
    assert files <= {part.path for part in _bundle.read_parts()}


def test_a_part_comes_after_those_that_it_imports() -> None:
    seen: set[Path] = set()
    for part in _bundle.read_parts():
        assert set(part.needs) <= seen
        seen.add(part.path)


def test_the_bundle_is_the_same_in_each_process() -> None:
    program = str(Path(_bundle.__file__))
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        assert subprocess.check_output([sys.executable, program], env=environment, text=True) == _bundle.bundle()


@pytest.mark.parametrize(
    ("parts", "problem"),
    [
        ({"main": '"""Main."""\n'}, "must begin with its licence and a docstring"),
        (
            {
                "main": HEAD + '"""Main."""\n\nfrom .a import x\n',
                "a": HEAD + '"""A."""\n\nfrom .main import y\n\nx = y\n',
            },
            "imports itself",
        ),
    ],
)
def test_parts_that_cannot_be_bundled(tmp_path: Path, parts: dict[str, str], problem: str) -> None:
    for name, text in parts.items():
        (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=problem):
        _bundle.bundle(tmp_path / "main.py")
