# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write the sources of the documentation site: the guides as they are in the repository, and the pages that list them.

usage: python tools/site.py SOURCES

SOURCES/reference contains what antsibull-docs wrote. Pages for those who work on the collection are not on the site.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parents[1]
ONLINE = "https://github.com/dockerhost/dockerhost.azure/blob/main/"
ROLE = "roles/docker_host/README.md"
SECTIONS = {
    "Guides": (
        *("docs/getting-started.md", "docs/own-playbooks.md", "docs/fleets.md", "docs/private-networks.md"),
        *("docs/certificates.md", "docs/extension.md", "docs/awx.md", "docs/migrating.md", "docs/troubleshooting.md"),
    ),
    "Operation": (
        *("docs/security.md", "docs/rights.md", "docs/cost.md", "docs/performance.md", "docs/performance-certs.md"),
        *("docs/local-azure.md", "docs/real-azure.md"),
    ),
}
"""The pages of the site, by section. One that does not exist is left out."""
_LINK = re.compile(r"(?P<text>(?<!\\)\[(?:[^\[\]]|\[[^\]]*\])*\])\((?P<target>[^)\s]+)\)")
_ENTRY_POINT = re.compile(
    r"^(?=\.\. _ansible_collections\.dockerhost\.azure\.docker_host_role__entrypoint-)", re.MULTILINE
)
_BLOCK = re.compile(r"(^ *```.*?^ *```$)", re.MULTILINE | re.DOTALL)


def pages() -> list[str]:
    """Return the paths of all pages of the site, relative to the repository."""
    listed = [ROLE, *(page for section in SECTIONS.values() for page in section)]
    return [page for page in listed if (TOP / page).exists()]


def convert(page: str, text: str, known: set[str]) -> str:
    """Return a page whose links lead to pages of the site, and to the repository for all other files.

    :param page: its path, relative to the repository.
    :param known: the paths of all pages of the site.
    """
    home = Path(page).parent

    def link(match: re.Match[str]) -> str:
        target = match["target"]
        if not target.startswith(ONLINE) and (re.match(r"[a-z]+:", target) or target.startswith("#")):
            return match[0]
        path, sign, anchor = target.removeprefix(ONLINE).partition("#")
        path = path if target.startswith(ONLINE) else os.path.normpath(home / path)
        if path == "README.md":
            path = "index.md"
        if path in known or path == "index.md":
            return f"{match['text']}({os.path.relpath(path, home)}{sign}{anchor})"
        return f"{match['text']}({ONLINE}{path}{sign}{anchor})"

    # Code blocks stay as they are. Nothing draws diagrams, so they are shown as text.
    return "".join(
        part.replace("```mermaid", "```text") if part.lstrip().startswith("```") else _LINK.sub(link, part)
        for part in _BLOCK.split(text)
    )


def index(known: set[str]) -> str:
    """Return the first page: the repository's own, and the tables of contents."""
    text = convert("README.md", (TOP / "README.md").read_text(), known)
    trees = [_tree("Role", ["playbooks", ROLE])]
    trees += [_tree(title, [page for page in listed if page in known]) for title, listed in SECTIONS.items()]
    trees.append(_tree("Reference", ["reference/index"]))
    return "\n\n".join([text.rstrip(), *trees]) + "\n"


def _tree(title: str, entries: list[str]) -> str:
    return "\n".join(["```{toctree}", f":caption: {title}", ":maxdepth: 1", ":hidden:", "", *entries, "```"])


def playbooks() -> str:
    """Return the page of the playbooks: their plays, and the commands in the comment at the head of each."""
    lines = ["# Playbooks", "", "Each is run as `ansible-playbook dockerhost.azure.NAME`.", ""]
    for path in sorted((TOP / "playbooks").glob("*.yml")):
        text = path.read_text()
        plays = [f"{name}." for name in re.findall(r"^- name: (.+)$", text, re.MULTILINE)]
        lines += [f"## {path.stem}", "", *plays, "", "```text", *_comment(text), "```", ""]
    return "\n".join(lines)


def _comment(text: str) -> list[str]:
    """Return the lines of a playbook's first comment behind its licence."""
    licence, _empty, rest = text.partition("\n\n")
    comment = rest.lstrip("\n").partition("\n\n")[0] if licence.startswith("---\n#") else ""
    return [re.sub("^# ?", "", line) for line in comment.splitlines() if line.startswith("#")]


def order_entry_points(text: str) -> str:
    """Return the role's page of the reference with the entry point ``main`` first: antsibull-docs sorts them by name.

    :raises ValueError: the page has no such section.
    """
    first, *sections = _ENTRY_POINT.split(text)
    main = next((section for section in sections if "__entrypoint-main:" in section.partition("\n")[0]), None)
    if main is None or main is sections[-1]:
        raise ValueError("the page has no section of the entry point main before its end")
    return "".join([first, main, *(section for section in sections if section is not main)])


def write(sources: Path) -> None:
    """Write all pages.

    :raises OSError: a file cannot be read or written.
    :raises ValueError: the reference is not as expected.
    """
    known = set(pages())
    texts = {page: convert(page, (TOP / page).read_text(), known) for page in known}
    texts |= {"index.md": index(known), "playbooks.md": playbooks()}
    for page, text in texts.items():
        path = sources / page
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    role = sources / "reference/docker_host_role.rst"
    role.write_text(order_entry_points(role.read_text()))


if __name__ == "__main__":
    write(Path(sys.argv[1]))
