# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What each client did in the last run, in a table of docs/local-azure.md.

``make test-clients`` names the document in ``CLIENTS_DOCS``; other runs write nothing.
"""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
from pathlib import Path

BEGIN, END = "<!-- clients: begin -->", "<!-- clients: end -->"
HEAD = ("| client | packages | steps | of these refused, as Azure refuses them |", "|---|---|---|---|")


def note(client: str, packages: str, steps: int, refused: int) -> None:
    """Write a client's row; those of the others stay."""
    document = os.environ.get("CLIENTS_DOCS")
    if not document:
        return
    with Path(document).open("r+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        text = with_row(file.read(), [client, packages, str(steps), str(refused)])
        file.seek(0)
        file.truncate()
        file.write(text)


def with_row(text: str, row: list[str]) -> str:
    """Return a document with a row added to its table, or changed in it.

    :raises ValueError: the document has no markers.
    """
    before, begin, rest = text.partition(BEGIN)
    table, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the document has no lines {BEGIN} and {END}")
    kept = {cells[0]: cells for cells in rows(table)}
    kept[row[0]] = row
    lines = [*HEAD, *(f"| {' | '.join(kept[name])} |" for name in sorted(kept))]
    return "\n".join([before + begin, *lines, end + after])


def rows(table: str) -> list[list[str]]:
    """Return the cells of a table's rows, without its head."""
    lines = [line for line in table.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[len(HEAD) :]]


def versions(python: Path, *packages: str) -> str:
    """Return the packages of a virtual environment with their versions."""
    program = (
        "import importlib.metadata, json, sys; print(json.dumps(list(map(importlib.metadata.version, sys.argv[1:]))))"
    )
    done = subprocess.run([str(python), "-c", program, *packages], capture_output=True, text=True, check=True)
    return ", ".join(f"{name} {version}" for name, version in zip(packages, json.loads(done.stdout), strict=True))
