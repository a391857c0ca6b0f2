# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the Makefile promises of its targets, and what else names them."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[3]
TEXT = (TOP / "Makefile").read_text()
TARGETS = {name for line in re.findall(r"^\.PHONY: (.*)$", TEXT, re.MULTILINE) for name in line.split()} - {"$(CHECKS)"}
LISTS = {name: set(words.split()) for name, words in re.findall(r"^(CHECKS|TEST) := (.*)$", TEXT, re.MULTILINE)}
EVERY = TARGETS | LISTS["CHECKS"]


def recipe(target: str) -> list[str]:
    """The commands of a target."""
    rules = re.findall(rf"^{re.escape(target)}:(?! export)[^\n]*\n((?:\t[^\n]*\n)*)", TEXT, re.MULTILINE)
    return [line for rule in rules for line in rule.splitlines()]


def test_help_shows_every_target() -> None:
    done = subprocess.run(["make", "--no-print-directory", "help"], cwd=TOP, capture_output=True, text=True, check=True)
    assert set(re.findall(r"^  make (\S+) +\S", done.stdout, re.MULTILINE)) == EVERY


@pytest.mark.parametrize("target", sorted(LISTS["CHECKS"] | LISTS["TEST"] | {"check", "quick", "test"}))
def test_a_check_or_test_ends_with_a_line_that_says_what_passed(target: str) -> None:
    assert re.fullmatch(r'\t@echo "\$@: passed, .+"', recipe(target)[-1])


def test_nox_has_a_session_for_every_check_and_test() -> None:
    tree = ast.parse((TOP / "noxfile.py").read_text())
    lists = [node.value for node in tree.body if isinstance(node, ast.Assign) and isinstance(node.value, ast.Tuple)]
    sessions = {name for found in lists for name in ast.literal_eval(found)}
    assert LISTS["CHECKS"] | LISTS["TEST"] <= sessions <= EVERY
    assert {name for name in EVERY if name.startswith("test-")} - {"test-times"} <= sessions


def test_ci_runs_every_test() -> None:
    run = (TOP / ".ci/run").read_text()
    wanted = {"test", *(name for name in EVERY if name.startswith("test-"))} - {"test-times"}
    commands = re.findall(r"^make (.*)$", run, re.MULTILINE)
    assert {word for command in commands for word in command.split()} & EVERY == wanted
