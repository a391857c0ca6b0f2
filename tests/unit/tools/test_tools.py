# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The programs that the Makefile runs: what is affected by a change, and checks that run once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from .loading import TOP, load

affected = load("tools/affected.py").affected
times = load("tools/times.py")

# --- affected ---


@pytest.mark.parametrize(
    ("changed", "affects"),
    [
        ("tests/unit/tools/test_tools.py", "tests/unit/tools/test_tools.py"),
        ("tests/emulator/azure_emulator/machines/loops.py", "tests/unit/emulator/machines/test_loops.py"),
        ("Makefile", "tests/unit/tools/test_makefile.py"),
    ],
)
def test_a_change_affects_the_tests_that_use_it(changed: str, affects: str) -> None:
    assert affected({TOP / changed})[0] == affects


def test_an_import_of_an_import_affects_the_test_too() -> None:
    (engine,) = TOP.glob("tests/emulator/azure_emulator/machines/base.py")
    assert "tests/unit/emulator/machines/test_loops.py" in affected({engine})


def test_what_nothing_uses_affects_no_test(tmp_path: Path) -> None:
    assert affected({TOP / "tests/e2e/authority.py"}) == []


def test_every_conftest_affects_the_tests_below_it() -> None:
    below = affected({TOP / "tests/unit/emulator/machines/conftest.py"})
    assert "tests/unit/emulator/machines/test_guests.py" in below
    assert "tests/unit/tools/test_tools.py" not in below


# --- the environment ---


def test_no_package_of_the_environment_delays_every_start_of_python() -> None:
    """An editable install may add a module that each of them imports."""
    shown = "import sys; print(*(name for name in sys.modules if name.startswith('__editable__')))"
    started = subprocess.run([sys.executable, "-c", shown], capture_output=True, text=True, check=True)
    assert started.stdout.split() == []


# --- once ---


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A checkout with tools/once.py in it."""
    top = tmp_path / "checkout"
    (top / "tools").mkdir(parents=True)
    (top / "tools/once.py").write_bytes((TOP / "tools/once.py").read_bytes())
    (top / "plugins").mkdir()
    (top / "plugins/a.py").write_text("first\n")
    (top / "tests.txt").write_text("first\n")
    subprocess.run(["git", "init", "-q", str(top)], check=True)
    return top


def once(top: Path, scope: str, command: str) -> tuple[int, int]:
    """The exit status of a check, and how often its command has run so far."""
    counter = top.parent / "counter"
    words = [sys.executable, "tools/once.py", str(top.parent / "cache"), "check", scope]
    done = subprocess.run([*words, "sh", "-c", f"echo x >>{counter}; {command}"], cwd=top, check=False)
    return done.returncode, len(counter.read_text().split()) if counter.exists() else 0


def test_what_passed_is_not_checked_again_until_a_file_differs(repository: Path) -> None:
    assert once(repository, "tree", "true") == (0, 1)
    assert once(repository, "tree", "true") == (0, 1)
    (repository / "tests.txt").write_text("second\n")
    assert once(repository, "tree", "true") == (0, 2)
    (repository / "new.txt").write_text("")
    assert once(repository, "tree", "true") == (0, 3)


def test_what_failed_is_checked_again(repository: Path) -> None:
    assert once(repository, "tree", "exit 3") == (3, 1)
    assert once(repository, "tree", "exit 3") == (3, 2)


def test_the_artifact_does_not_depend_on_tests(repository: Path) -> None:
    assert once(repository, "artifact", "true") == (0, 1)
    (repository / "tests.txt").write_text("second\n")
    assert once(repository, "artifact", "true") == (0, 1)
    (repository / "plugins/a.py").write_text("second\n")
    assert once(repository, "artifact", "true") == (0, 2)


# --- times ---


def test_tables_of_targets_and_files_come_between_the_markers(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n{times.BEGIN}\nold\n{times.END}\nafter\n")
    (tmp_path / "1.json").write_text('{"a.py": [3.0, 1.0], "b.py": [5.0, 6.0]}')
    (tmp_path / "2.json").write_text('{"a.py": [4.0, 1.0]}')
    files = times.slowest(tmp_path)
    assert files == [("a.py", 7.0, 2.0), ("b.py", 5.0, 6.0)]
    text = times.tables([times.Target("unit", 0, 120.0, 180.0)], files)
    times.write(page, text)
    assert "| `unit` | 2.0 | 3.0 | 1.5 |" in page.read_text()
    assert "| `a.py` | 7 | 2 | 5 |\n| `b.py` | 5 | 6 | 0 |" in page.read_text()
    assert page.read_text().startswith("before\n")
    assert page.read_text().endswith("\nafter\n")
    assert "old" not in page.read_text()
