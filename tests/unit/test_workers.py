# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How tests are spread over workers: those that depend on each other's order stay together."""

from __future__ import annotations

import ast
import re
import typing as t
from pathlib import Path

TESTS = Path(__file__).parents[1]


def spread(name: str) -> t.Any:
    """A constant of ``tests/conftest.py``."""
    tree = ast.parse((TESTS / "conftest.py").read_text(encoding="utf-8"))
    (value,) = [
        node.value for node in tree.body if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == name
    ]
    return ast.literal_eval(value)


def in_order() -> t.Iterator[tuple[Path, str]]:
    """Files of tests that go in order, as they say in their first lines."""
    for path in TESTS.rglob("test_*.py"):
        text = path.read_text(encoding="utf-8")
        if re.search(r"go\s+in\s+order", ast.get_docstring(ast.parse(text)) or ""):
            yield path, text


def test_tests_that_go_in_order_are_run_by_one_worker() -> None:
    found = [str(path.relative_to(TESTS.parent)) for path, _text in in_order()]
    assert len(found) > 3
    assert [path for path in found if not path.startswith(spread("TOGETHER"))] == []


def test_none_of_them_is_begun_before_its_turn() -> None:
    for path, text in in_order():
        names = set(re.findall(r"def (test_\w+)", text))
        assert not names & {name.partition("[")[0] for name in spread("LONGEST")}, path


def test_everything_that_is_spread_exists() -> None:
    assert [name for name in spread("TOGETHER") if not (TESTS.parent / name).exists()] == []
