# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The bytecode that the tests' processes share is that of the sources, wherever these are."""

from __future__ import annotations

import os
import subprocess
import sys
import traceback
import typing as t
import zipfile
from pathlib import Path

import pytest

from .loading import TOP, load

HERE = TOP / "tests/bytecode"
LOADER = "ansible.utils.collection_loader._collection_finder"
OF_A_COLLECTION = f"""
from {LOADER} import _AnsibleCollectionFinder
_AnsibleCollectionFinder(paths=['PATH'])._install()
from ansible_collections.some.thing.plugins.module_utils import words
"""
OF_AN_ARCHIVE = """
import sys
sys.path.insert(0, 'PATH/words.zip')
import words
"""


def say(program: str, path: Path, source: str) -> str:
    """Write the module, import it in a new process, and return its word and the file that its code names."""
    plugins = path / "ansible_collections/some/thing/plugins/module_utils"
    plugins.mkdir(parents=True, exist_ok=True)
    (plugins / "words.py").write_text(source)
    with zipfile.ZipFile(path / "words.zip", "w") as archive:
        archive.writestr("words.py", source)
    asks = "\nprint(words.WORD, words.fail.__code__.co_filename)"
    environment = {**os.environ, "PYTHONPATH": str(HERE), "DOCKERHOST_BUILD": str(path / "build")}
    command = [sys.executable, "-c", program.replace("PATH", str(path)) + asks]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.strip()


def source_of(word: str) -> str:
    return f"WORD = '{word}'\ndef fail():\n    raise ValueError\n"


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> t.Iterator[t.Any]:
    """The program, which keeps bytecode below ``tmp_path``, without what it does to this process."""
    monkeypatch.delenv("DOCKERHOST_BUILD", raising=False)
    program = load("tests/bytecode/sitecustomize.py")
    monkeypatch.setattr(program, "FOLDER", str(tmp_path))
    return program


@pytest.mark.parametrize("program", [OF_A_COLLECTION, OF_AN_ARCHIVE], ids=["collection", "archive"])
def test_a_module_is_compiled_once_until_its_source_changes(tmp_path: Path, program: str) -> None:
    assert say(program, tmp_path, source_of("one")).startswith("one ")
    files = {path: path.stat().st_mtime_ns for path in (tmp_path / "build/bytecode").iterdir()}
    assert files
    assert say(program, tmp_path, source_of("one")).startswith("one ")
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "build/bytecode").iterdir()} == files
    assert say(program, tmp_path, source_of("two")).startswith("two ")


@pytest.mark.parametrize("program", [OF_A_COLLECTION, OF_AN_ARCHIVE], ids=["collection", "archive"])
def test_code_names_the_file_that_was_imported(tmp_path: Path, program: str) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    told = say(program, first, source_of("one"))
    assert f" {first}/" in told
    second.mkdir()
    (first / "build").rename(second / "build")
    assert say(program, second, source_of("one")) == told.replace(str(first), str(second))


def test_a_traceback_names_the_file_that_was_imported(kept: t.Any) -> None:
    for name in ("/here/words.py", "/there/words.py"):
        namespace: dict[str, t.Any] = {}
        exec(kept.compile_once(source_of("one"), name), namespace)
        with pytest.raises(ValueError) as caught:
            namespace["fail"]()
        assert traceback.extract_tb(caught.tb)[-1].filename == name


@pytest.mark.parametrize("content", [b"", b"\x00", b"not bytecode"])
def test_a_damaged_file_is_made_anew(kept: t.Any, tmp_path: Path, content: bytes) -> None:
    kept.compile_once("a = 1", "a.py")
    (file,) = tmp_path.iterdir()
    good = file.read_bytes()
    file.write_bytes(content)
    assert isinstance(kept.compile_once("a = 1", "a.py"), type(compile("", "", "exec")))
    assert file.read_bytes() == good


def test_what_is_no_program_is_an_error_each_time(kept: t.Any, tmp_path: Path) -> None:
    for _once_more in range(2):
        with pytest.raises(SyntaxError):
            kept.compile_once("a = ", "a.py")
    assert list(tmp_path.iterdir()) == []


def test_no_process_pays_for_more_than_it_needs() -> None:
    show = "import sys, sitecustomize; print(*sys.modules)"
    environment = {**os.environ, "PYTHONPATH": str(HERE), "DOCKERHOST_BUILD": "/dev/null"}
    command = [sys.executable, "-S", "-c", show]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert {"typing", "collections", "re"}.isdisjoint(ran.stdout.split())


def test_only_what_imports_collections_looks_for_garbage_more_rarely() -> None:
    """A server runs for long: what nobody refers to must not stay in its memory."""
    show = f"import gc; print(*gc.get_threshold()); import {LOADER}; print(*gc.get_threshold())"
    usual, changed = (
        subprocess.run([sys.executable, "-c", show], env=environment, capture_output=True, text=True, check=True).stdout
        for environment in (
            dict(os.environ, PYTHONPATH=""),
            {**os.environ, "PYTHONPATH": str(HERE), "DOCKERHOST_BUILD": "/dev/null"},
        )
    )
    assert changed.splitlines()[0] == usual.splitlines()[0] == usual.splitlines()[1]
    assert int(changed.splitlines()[1].split()[0]) > 10 * int(usual.split()[0])


def test_without_a_place_to_keep_it_everything_is_compiled(kept: t.Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "FOLDER", "/dev/null/bytecode")
    namespace: dict[str, t.Any] = {}
    exec(kept.compile_once("a = 1", "a.py"), namespace)
    assert namespace["a"] == 1
