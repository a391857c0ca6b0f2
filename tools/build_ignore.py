# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write ``build_ignore`` of galaxy.yml, so that an artifact contains only files that git tracks.

usage: python tools/build_ignore.py [--names]

``ansible-galaxy collection build`` packs every file of a clone that no pattern of ``build_ignore`` matches: keys and
credentials of its user, too. (``manifest``, the other way to choose, needs distlib wherever the collection is installed
from a clone.) The patterns that this program writes match every path except those of the artifact, whatever it is
called. ``--names`` prints the names of the artifact's files instead, each followed by NUL.

For each beginning of a path, one pattern says which characters may follow, ``*docs/[!acdl]*``. It begins with as little
of the path as decides that, so that most patterns serve many paths. Patterns of a second kind say where a path may end,
``*[!.]py``.
"""

from __future__ import annotations

import re
import subprocess
import sys
import typing as t
from collections import defaultdict
from pathlib import Path, PurePosixPath

TOP = Path(__file__).resolve().parents[1]
PACKED = frozenset(
    ("CHANGELOG.md", "CHANGELOG.rst", "LICENSE", "README.md", "SECURITY.md")
    + ("changelogs", "docs", "meta", "playbooks", "plugins", "roles")
)
"""What users need of the repository's top."""
LEFT_OUT = (
    *("changelogs/config.yaml", "changelogs/fragments", "docs/clients.md", "docs/local-azure.md", "docs/real-azure.md"),
    "playbooks/collections",
)
"""What only the repository has a use for, in directories that are packed."""
BEGIN = "build_ignore:\n"


def tracked(top: Path) -> list[str]:
    """Return the names of the files that git tracks and that exist, relative to the top."""
    listing = subprocess.run(["git", "ls-files", "-z", "--cached"], cwd=top, check=True, capture_output=True, text=True)
    return [name for name in listing.stdout.split("\0") if name and (top / name).exists()]


def packed(names: t.Iterable[str]) -> list[str]:
    """Return those of the names that an artifact contains.

    :raises ValueError: a name has a character with a meaning in patterns.
    """
    chosen = [
        name
        for name in sorted(names)
        if name.split("/")[0] in PACKED and not any(f"{name}/".startswith(f"{left}/") for left in LEFT_OUT)
    ]
    for name in chosen:
        if not re.fullmatch(r"[\w./-]+", name, re.ASCII):
            raise ValueError(f"A packed file's name must consist of letters, digits and _ . - only, got {name}")
    return chosen


def patterns(names: t.Iterable[str]) -> list[str]:
    """Return patterns of fnmatch that match every path below the top except these files and their directories.

    A path below a directory that is matched may be matched or not: ansible-galaxy does not read such a directory.
    """
    files = set(names)
    paths = files | {str(parent) for name in files for parent in PurePosixPath(name).parents} - {"."}
    return sorted({*_continuations(paths), *_endings(paths)})


def _continuations(paths: t.Collection[str]) -> t.Iterator[str]:
    """Yield patterns that match every path that is no beginning of one of these paths."""
    followers: dict[str, set[str]] = defaultdict(set)
    for path in paths:
        for end in range(len(path) + 1):
            for head in _heads(path[:end]):
                followers[head].update(path[end : end + 1])
    for path in paths:
        for end in range(len(path) + 1):
            allowed = followers[path[:end]]
            yield f"{_shortest(path[:end], followers)}{_other_than(allowed)}*"


def _shortest(beginning: str, followers: t.Mapping[str, set[str]]) -> str:
    """Return the head with the least of this beginning after which the same characters may follow."""
    for head in _heads(beginning):
        if followers[head] == followers[beginning]:
            return head
    return beginning


def _endings(paths: t.Collection[str]) -> t.Iterator[str]:
    """Yield patterns that match every beginning of one of these paths that is not one of them."""
    before: dict[str, set[str]] = defaultdict(set)
    for path in paths:
        for start in range(len(path) + 1):
            before[path[start:]].update(path[start - 1 : start] if start else "")
    for path in paths:
        for end in range(1, len(path)):
            beginning = path[:end]
            if beginning in paths or beginning.endswith("/"):
                continue
            unused = [beginning[start:] for start in range(1, end + 1) if beginning[start - 1 :] not in before]
            yield f"*{_other_than(before[unused[-1]])}{unused[-1]}" if unused else beginning


def _heads(beginning: str) -> t.Iterator[str]:
    """Yield the patterns that match this beginning, those with less of it first."""
    for start in range(len(beginning), -1, -1):
        yield f"*{beginning[start:]}"
    yield beginning


def _other_than(characters: t.Collection[str]) -> str:
    # A hyphen means itself as the last one only.
    return f"[!{''.join(sorted(characters, key=lambda one: (one == '-', one)))}]" if characters else "?"


def with_patterns(text: str, names: t.Iterable[str]) -> str:
    """Return the text of a galaxy.yml with the patterns for these files at its end.

    :raises ValueError: the text has no ``build_ignore``.
    """
    before, begin, _old = text.partition(BEGIN)
    if not begin:
        raise ValueError(f"galaxy.yml must have the line {BEGIN.strip()}")
    return before + begin + "".join(f'  - "{pattern}"\n' for pattern in patterns(names))


def main() -> None:
    """Write the patterns, or print the names."""
    names = packed(tracked(TOP))
    if sys.argv[1:] == ["--names"]:
        sys.stdout.write("".join(f"{name}\0" for name in names))
        return
    galaxy = TOP / "galaxy.yml"
    galaxy.write_text(with_patterns(galaxy.read_text(encoding="utf-8"), names), encoding="utf-8")


if __name__ == "__main__":
    main()
