# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Links of Markdown pages, and whether they lead somewhere. Nothing is asked of the internet."""

from __future__ import annotations

import collections
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from .conftest import REPOSITORY

ONLINE = re.compile(r"https://github\.com/dockerhost/dockerhost\.azure/(?:blob|tree)/main/")
"""Where the repository's files are for whoever has no clone; ``repository`` in galaxy.yml, and the branch."""
LINK = re.compile(r"(?<!\\)\[(?:[^\[\]]|\[[^\]]*\])*\]\((?P<target>[^)\s]+)(?: \"[^\"]*\")?\)")
BARE = re.compile(r"<(?P<target>https?://[^>\s]+)>")


def prose(page: Path) -> str:
    """A page without its blocks and code spans, which hold no links."""
    text = re.sub(r"^ *```.*?^ *```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"`[^`\n]*`", lambda match: "x" * len(match[0]), text)


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives to headings, the second of a name with -1."""
    text = re.sub(r"^ *```.*?^ *```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    seen: collections.Counter[str] = collections.Counter()
    found = set()
    for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        anchor = re.sub(r"[^\w\- ]", "", plain.lower()).replace(" ", "-")
        found.add(f"{anchor}-{seen[anchor]}" if seen[anchor] else anchor)
        seen[anchor] += 1
    return found


def dead_links(page: Path, root: Path) -> list[str]:
    """Links of a page that lead nowhere.

    :param root: the tree that the page belongs to, which its relative links do not leave.
    """
    text = prose(page)
    # Markdown takes a backslash before punctuation away; antsibull-changelog puts one before every dot.
    targets = [
        re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", match["target"]) for match in [*LINK.finditer(text), *BARE.finditer(text)]
    ]
    return [target for target in targets if not _leads_somewhere(target, page, root)]


def _leads_somewhere(target: str, page: Path, root: Path) -> bool:
    home = page.parent
    if ONLINE.match(target):
        target, home, root = ONLINE.sub("", target), REPOSITORY, REPOSITORY
    parts = urlsplit(target)
    if parts.scheme:
        host = re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)+", parts.netloc)
        return (parts.scheme == "https" and host is not None) or parts.scheme == "mailto"
    found = (home / unquote(parts.path)).resolve() if parts.path else page
    if parts.path.startswith("/") or not found.exists() or not found.is_relative_to(root.resolve()):
        return False
    return not parts.fragment or parts.fragment in anchors(found)
