# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bundle the parts of the setup program into the one file that a VM gets.

A VM gets one script that needs only Python's standard library; the source is a package. Each part has the same layout:
licence, docstring, imports, code. The bundle has the docstring of the last part (``main``), every ``import`` once, and
the code of each part after that of the parts it imports. All parts then share one namespace, so a top-level name
belongs to one part only.

Run as a program, it prints the bundle: ``python3 plugins/plugin_utils/_bundle.py > docker_setup.py``.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path

MAIN = Path(__file__).parent / "_guest" / "setup" / "main.py"

_HEAD = re.compile(r'(?P<licence>(?:#.*\n)+)\n"""(?P<doc>.*?)"""\n', re.DOTALL)
_IMPORT = re.compile(r"^import [\w., ]+\n", re.MULTILINE)
_PART = re.compile(r"^from (?P<dots>\.+)(?P<name>[\w.]+) import (?:\([^)]*\)|[^\n(]+)\n", re.MULTILINE)


@dataclass(frozen=True)
class Part:
    """One file of the program, split into its parts."""

    path: Path
    licence: str
    doc: str
    imports: frozenset[str]
    needs: tuple[Path, ...]
    code: str


def read_part(path: Path) -> Part:
    """Split a file of the program into its parts.

    :raises OSError: the file cannot be read.
    :raises ValueError: the file is not laid out as the module's documentation says.
    """
    text = path.read_text(encoding="utf-8")
    head = _HEAD.match(text)
    if head is None:
        raise ValueError(f"{path} must begin with its licence and a docstring")
    rest = text[head.end() :]
    code = _PART.sub("", _IMPORT.sub("", rest)).strip("\n") + "\n"
    return Part(
        path,
        head["licence"],
        head["doc"],
        frozenset(_IMPORT.findall(rest)),
        tuple(_path_of(path, found["dots"], found["name"]) for found in _PART.finditer(rest)),
        code,
    )


def _path_of(importer: Path, dots: str, name: str) -> Path:
    return importer.parents[len(dots) - 1].joinpath(*name.split(".")).with_suffix(".py")


def read_parts(main: Path = MAIN) -> list[Part]:
    """Return every part that ``main`` needs, each one after those that it imports, ``main`` last.

    :raises OSError: a part cannot be read.
    :raises ValueError: a part is not laid out as expected, or parts import each other.
    """
    ordered: dict[Path, Part] = {}

    def visit(path: Path, importers: tuple[Path, ...]) -> None:
        if path in importers:
            raise ValueError(f"{path} imports itself by way of others")
        if path in ordered:
            return
        part = read_part(path)
        for needed in part.needs:
            visit(needed, (*importers, path))
        ordered[path] = part

    visit(main, ())
    return list(ordered.values())


def bundle(main: Path = MAIN) -> str:
    """Return the program as one file: the same parts give the same text.

    :raises OSError: a part cannot be read.
    :raises ValueError: a part is not laid out as expected, or parts import each other.
    """
    parts = read_parts(main)
    imports = sorted(frozenset[str]().union(*(part.imports for part in parts)))
    sections = [f"# --- {part.path.stem}: {part.doc.strip().splitlines()[0]}\n\n\n{part.code}" for part in parts]
    return f'{parts[-1].licence}\n"""{parts[-1].doc}"""\n\n{"".join(imports)}\n' + "\n\n".join(sections)


if __name__ == "__main__":
    sys.stdout.write(bundle())
