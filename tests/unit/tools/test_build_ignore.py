# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The patterns that keep files of a clone out of the artifact, which tools/build_ignore.py writes."""

from __future__ import annotations

import fnmatch
import itertools
import typing as t
from pathlib import PurePosixPath

import pytest

from .loading import TOP, load

build_ignore = load("tools/build_ignore.py")


@pytest.mark.skipif(not (TOP / ".git").exists(), reason="not a clone")
def test_galaxy_yml_names_what_git_tracks() -> None:
    text = (TOP / "galaxy.yml").read_text()
    current = build_ignore.with_patterns(text, build_ignore.packed(build_ignore.tracked(TOP)))
    assert current == text, "run `make build-ignore` after `git add`"


def walk(names: t.Iterable[str], patterns: t.Sequence[str]) -> set[str]:
    """Return those of the names that ansible-galaxy packs: no pattern matches them or a directory above."""
    kept: dict[str, bool] = {".": True}

    def is_kept(name: str) -> bool:
        if name not in kept:
            kept[name] = is_kept(str(PurePosixPath(name).parent)) and not any(
                fnmatch.fnmatch(name.encode(), pattern.encode()) for pattern in patterns
            )
        return kept[name]

    return {name for name in names if is_kept(name)}


@pytest.mark.parametrize(
    "files",
    [
        ["a"],
        ["ab", "ba"],
        ["a.b", "a/a.b", "a-b"],
        ["a/b/a", "a/b/b", "b"],
        ["aab", "bab", "a/ba"],
        ["b-a", "b/b-a", "ba/b"],
    ],
    ids=" ".join,
)
def test_of_all_short_names_only_the_chosen_files_and_their_directories_are_packed(files: list[str]) -> None:
    parents = {str(parent) for name in files for parent in PurePosixPath(name).parents} - {"."}
    names = {"".join(name) for length in range(1, 6) for name in itertools.product("ab/.-\n", repeat=length)}
    # What a directory's listing cannot contain: empty names, and the directory itself and the one above.
    names = {name for name in names if not {"", ".", ".."} & set(name.split("/"))}
    assert walk(names, build_ignore.patterns(files)) == {*files, *parents}


def test_tests_and_links_for_the_clone_are_not_packed() -> None:
    names = ["README.md", "tests/a.py", "docs/a.md", "docs/local-azure.md", "changelogs/fragments/.keep", "docsx/a.md"]
    assert build_ignore.packed(names) == ["README.md", "docs/a.md"]


def test_a_name_with_a_character_of_patterns_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"must consist of letters, digits and _ \. - only, got docs/a\[b\]\.md"):
        build_ignore.packed(["docs/a[b].md"])
