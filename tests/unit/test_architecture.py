# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ARCHITECTURE.md lists what is there: every directory and private module of the plugins, and nothing else."""

from __future__ import annotations

import re
import typing as t
from pathlib import Path

TOP = Path(__file__).parents[2]


def listed() -> dict[str, str]:
    """The paths that the layout lists, with their descriptions."""
    text = (TOP / "ARCHITECTURE.md").read_text()
    block = re.search(r"^## Layout\n\n```\n(.*?)\n```", text, re.MULTILINE | re.DOTALL)
    assert block
    paths: dict[str, str] = {}
    parents: list[tuple[int, str]] = []
    for line in block[1].splitlines():
        indent = len(line) - len(line.lstrip())
        name, _gap, description = line.strip().partition(" ")
        parents = [parent for parent in parents if parent[0] < indent]
        path = (parents[-1][1] if parents else "") + name
        paths[path] = description.strip()
        if name.endswith("/"):
            parents.append((indent, path))
    return paths


def test_everything_that_is_listed_exists_and_is_described() -> None:
    for path, description in listed().items():
        assert (TOP / path).is_dir() if path.endswith("/") else (TOP / path).is_file(), path
        assert description or path == "tests/" or path == "plugins/", path


OPEN = ("plugins/module_utils", "plugins/plugin_utils", "plugins/module_utils/_vm_host")
"""Directories whose parts are listed one by one."""


def test_every_part_of_the_plugins_is_listed() -> None:
    named = {path.rstrip("/") for path in listed()} | _named_together()
    assert set(_parts(TOP / "plugins")) <= named


def test_every_directory_of_tests_is_listed() -> None:
    directories = {path.name for path in (TOP / "tests").iterdir() if path.is_dir() and path.name[0].isalpha()}
    assert directories == {path.split("/")[1] for path in listed() if path.startswith("tests/") and path != "tests/"}


def _named_together() -> set[str]:
    """Modules that a line of their directory describes: the tasks of _vm_host, and the bundle of the setup program."""
    tasks = {str(path.relative_to(TOP)) for path in (TOP / OPEN[2]).glob("*.py")}
    return tasks | {"plugins/plugin_utils/_bundle.py", "plugins/plugin_utils/_program.py"}


def _parts(root: Path) -> t.Iterator[str]:
    for path in sorted(root.iterdir()):
        name = str(path.relative_to(TOP))
        if path.name.startswith("__") or not (path.is_dir() or path.suffix == ".py"):
            continue
        yield name
        if name in ("plugins", *OPEN):
            yield from _parts(path)
