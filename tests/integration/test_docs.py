# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every command and playbook of the documentation, in the order of the page, against a local Azure of its own.

In a page, ``<!-- file: NAME -->`` before a block writes it to a file; ``<!-- not run: REASON -->`` before a block of
shell commands keeps it from being run. Blocks of shell commands without such a remark are run.
"""

from __future__ import annotations

import re
import typing as t
from pathlib import Path

import pytest

from azure_emulator.launcher import LocalAzure

from .conftest import REPOSITORY, User

PAGES = sorted((REPOSITORY / "docs").glob("*.md"))
BLOCK = re.compile(
    r"^(?:<!-- (?P<remark>file|not run): (?P<text>[^\n]+) -->\n)?```(?P<language>\w*)\n(?P<content>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
LINK = re.compile(r"\[[^\]]*\]\((?P<target>[^)\s]+)\)")
OURS = ("ansible-playbook ", "ansible-inventory ", "docker ", "export ", "ls ", "ansible-doc ")


class Block(t.NamedTuple):
    """One block of a page."""

    remark: str
    text: str
    language: str
    content: str


def blocks(page: Path) -> list[Block]:
    return [
        Block(match["remark"] or "", match["text"] or "", match["language"], match["content"])
        for match in BLOCK.finditer(page.read_text())
    ]


def runs(block: Block) -> bool:
    return block.language == "shell" and block.remark != "not run"


def with_commands() -> t.Iterator[t.Any]:
    """Pages with commands; of these only the first that a newcomer reads is run every time."""
    for page in PAGES:
        if any(map(runs, blocks(page))):
            marks = [] if page.stem == "getting-started" else [pytest.mark.slow]
            yield pytest.param(page, id=page.stem, marks=marks)


@pytest.mark.parametrize("page", list(with_commands()))
def test_commands(page: Path, tmp_path: Path) -> None:
    with LocalAzure(machines="stand-in") as azure:
        user = User(azure, tmp_path / "home")
        for block in blocks(page):
            if block.remark == "file":
                (user.home / block.text).write_text(block.content)
            elif runs(block):
                ran = user.run("bash", "-euo", "pipefail", "-c", block.content)
                assert ran.code == 0, f"{block.content}\n{ran.output[-6000:]}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_lead_somewhere(page: Path) -> None:
    for match in LINK.finditer(page.read_text()):
        target = match["target"]
        if "://" in target:
            continue
        path, _unused, anchor = target.partition("#")
        found = (page.parent / path) if path else page
        assert found.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.+)$", found.read_text(), re.MULTILINE)
            anchors = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
            assert anchor in anchors, target


def test_every_shell_block_is_run_or_says_why_not() -> None:
    for page in PAGES:
        for block in blocks(page):
            if block.language in ("bash", "sh", "console"):
                raise AssertionError(f"{page.name}: write ```shell, so that it is run: {block.content[:80]}")
            if block.language == "text":
                assert not block.content.startswith(OURS), f"{page.name}: a command that nobody runs: {block.content}"
