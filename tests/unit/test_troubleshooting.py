# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""docs/troubleshooting.md has a row for every error and warning that the collection and its program on the VM show.

Errors about the value of an option say themselves what must hold, and share one row. tests/integration/test_docs.py
checks the other direction: that each quoted text exists.
"""

from __future__ import annotations

import ast
import re
import typing as t
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
PLUGINS = REPOSITORY / "plugins"
PAGE = REPOSITORY / "docs/troubleshooting.md"
# What the code catches itself, values of options, and missing packages.
INTERNAL = ("ValueError", "OSError", "KeyError", "ImportError", "SSLError", "OptionError", "MissingLibraryError")
IMPOSSIBLE = ("The actions wait for each other: {}.",)
"""Texts that only a mistake in the code could show."""
CHECKED_BEFORE = ("settings.py",)
"""Files of the program on the VM that check once more what the controller has checked."""
WARNINGS = ("warn", "warning")


class Text(t.NamedTuple):
    """One text of the code, with ``{}`` for what is filled in."""

    place: str
    text: str


def _literal(node: ast.expr) -> str:
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    if isinstance(node, ast.JoinedStr):
        return "".join(_literal(part) if isinstance(part, ast.Constant) else "{}" for part in node.values)
    if isinstance(node, ast.BinOp):
        return _literal(node.left) + _literal(node.right)
    return ""


def _called(node: ast.Call) -> str:
    function = node.func
    return function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")


def texts() -> t.Iterator[Text]:
    """Yield the texts of raised errors and of warnings on the controller."""
    for path in sorted(PLUGINS.rglob("*.py")):
        if "_guest" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or _called(node) in INTERNAL:
                continue
            if not _called(node).endswith("Error") and _called(node) not in WARNINGS:
                continue
            text = " ".join(map(_literal, node.args)).strip()
            # The words of the others come from an inner error, which is in the list itself.
            if re.search("[A-Za-z]{3}", re.sub(r"O\([^)]*\)", "", text)) and text not in IMPOSSIBLE:
                yield Text(f"{path.relative_to(REPOSITORY)}:{node.lineno}", text)


def texts_of_the_program() -> t.Iterator[Text]:
    """Yield the texts of the errors that the program on the VM raises."""
    for path in sorted((PLUGINS / "plugin_utils/_guest").rglob("*.py")):
        if path.name in CHECKED_BEFORE:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Raise) or not isinstance(node.exc, ast.Call):
                continue
            text = " ".join(map(_formatted, node.exc.args)).strip()
            if re.search("[A-Za-z]{3}", text) and not text.startswith(("internal error", "{} answers")):
                yield Text(f"{path.relative_to(REPOSITORY)}:{node.lineno}", text)


def _formatted(node: ast.expr) -> str:
    """Return the text of ``"...".format(...)`` as well: the program runs on Python 3.6."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format":
        return _literal(node.func.value)
    return _literal(node)


def notes_of_the_program() -> t.Iterator[Text]:
    """Yield what the program on the VM reports beside errors: notes, and the differences that ``--verify`` finds."""
    for path in sorted((PLUGINS / "plugin_utils/_guest").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            found = [node] if path.name == "verify.py" and isinstance(node, ast.Constant) else []
            if (
                isinstance(node, ast.Call)
                and _called(node) == "append"
                and ast.unparse(node.func).endswith("notes.append")
            ):
                found = [part for part in ast.walk(node) if isinstance(part, ast.Constant)]
            for part in found:
                text = part.value if isinstance(part.value, str) else ""
                if re.search("[a-z] ", text) and not text.endswith("."):  # docstrings are sentences
                    yield Text(f"{path.relative_to(REPOSITORY)}:{part.lineno}", text)


def quoted() -> list[str]:
    """Return the texts in the first column of the page's tables."""
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    return [text for row in rows for text in re.findall(r"`([^`]+)`", row.split(" | ")[0])]


def is_in(part: str, text: str) -> bool:
    """Return whether the page's part is found in a text. One word, such as a kind of error, must be the first one."""
    return part in text if " " in part.strip() else (text + " ").startswith(part + " ")


@pytest.mark.parametrize(("source", "least"), [(texts, 150), (texts_of_the_program, 60), (notes_of_the_program, 15)])
def test_every_error_and_warning_has_a_row(source: t.Callable[[], t.Iterator[Text]], least: int) -> None:
    fragments = quoted()
    assert len(list(source())) > least
    without = [
        f"{text.place}: {text.text}" for text in source() if not any(is_in(part, text.text) for part in fragments)
    ]
    assert not without, "\n".join(without)


def test_one_word_of_a_row_does_not_stand_for_every_text_that_has_it() -> None:
    assert is_in("closed", "closed")
    assert is_in("closed", "closed  the other side closed the connection")
    assert not is_in("docker", "{} has no engine of its own; use engine.source docker")
    assert is_in("use engine.source docker", "{} has no engine of its own; use engine.source docker")
