# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The figures of the clients in docs/local-azure.md: written by the last run, and of the tours as they are now."""

from __future__ import annotations

import ast
import typing as t
from pathlib import Path

import pytest

from .loading import TOP, load

CLIENTS = TOP / "tests" / "clients"
PAGE = TOP / "docs" / "local-azure.md"
figures = load("tests/clients/figures.py")


def expected(file: str) -> dict[str, t.Any]:
    """What a test expects of the steps of its tour."""
    for node in ast.parse((CLIENTS / file).read_text(encoding="utf-8")).body:
        if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == "EXPECTED" and node.value is not None:
            return t.cast("dict[str, t.Any]", ast.literal_eval(node.value))
    raise AssertionError(f"{file} has no EXPECTED")


def refusals(results: t.Iterable[t.Any]) -> int:
    return sum(isinstance(result, list) and result[:1] in ([400], [404]) for result in results)


def test_the_figures_are_those_of_the_tours() -> None:
    """A client without a row has not passed since the table exists; the next `make test-clients` adds its row."""
    table = PAGE.read_text(encoding="utf-8").partition(figures.BEGIN)[2].partition(figures.END)[0]
    found = {client: (int(steps), int(refused)) for client, _packages, steps, refused in figures.rows(table)}
    lines = (CLIENTS / "az_commands.txt").read_text(encoding="utf-8").splitlines()
    commands = [line for line in lines if line and not line.startswith("#")]
    python, javascript = expected("test_python_sdk.py"), expected("test_javascript.py")
    steps_of_python = (len(python), refusals(python.values()))
    current = {
        "az CLI": (len(commands), sum(" ! " in command for command in commands)),
        "Azure SDK for JavaScript": (len(javascript), refusals(javascript.values())),
        "Azure SDK for Python, newest": steps_of_python,
        "Azure SDK for Python, oldest": steps_of_python,
    }
    assert found
    assert found == {client: current[client] for client in found}, "`make test-clients` writes the figures"


def test_a_run_changes_its_own_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n{figures.BEGIN}\n{figures.END}\nafter\n", encoding="utf-8")
    monkeypatch.setenv("CLIENTS_DOCS", str(page))
    figures.note("second", "b 1", 2, 1)
    figures.note("first", "a 1", 1, 0)
    figures.note("second", "b 2", 3, 1)
    lines = ["before", figures.BEGIN, *figures.HEAD, "| first | a 1 | 1 | 0 |", "| second | b 2 | 3 | 1 |"]
    assert page.read_text(encoding="utf-8") == "\n".join([*lines, figures.END, "after", ""])


def test_a_run_without_a_document_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CLIENTS_DOCS", raising=False)
    monkeypatch.chdir(tmp_path)
    figures.note("first", "a 1", 1, 0)
    assert not list(tmp_path.iterdir())


def test_a_document_without_markers_is_refused() -> None:
    with pytest.raises(ValueError, match="has no lines"):
        figures.with_row("nothing", ["a", "b", "1", "0"])
