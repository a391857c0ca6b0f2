# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Compare the local Azure with recorded traffic: ``python -m azure_conformance DIRECTORY``.

Ends with ``N compared, N agree, N disagree, N not served``. Exit status: 0 when nothing disagrees, 1 when something
does, 2 when the records cannot be read.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

from .records import read_directory
from .replay import Outcome, replay
from .report import lines, write_docs


async def _all(directory: Path) -> list[Outcome]:
    return [outcome for flow in read_directory(directory) for outcome in await replay(flow)]


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    parser = argparse.ArgumentParser(prog="python -m azure_conformance", description=__doc__.partition("\n")[0])
    parser.add_argument("directory", type=Path, help="a directory of recordings (*.json), or one of them")
    parser.add_argument("--write-docs", type=Path, metavar="FILE", help="put the figures between the markers of FILE")
    parser.add_argument("-v", "--verbose", action="store_true", help="a line for every interaction")
    options = parser.parse_args(arguments)
    try:
        outcomes = asyncio.run(_all(options.directory))
        for line in lines(outcomes, verbose=options.verbose):
            print(line)
        if options.write_docs is not None:
            write_docs(options.write_docs, outcomes)
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 1 if any(outcome.verdict == "disagree" for outcome in outcomes) else 0


if __name__ == "__main__":
    sys.exit(main())
