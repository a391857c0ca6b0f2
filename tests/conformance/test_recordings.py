# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The local Azure against recorded traffic, if there is any: below ``AZURE_RECORDINGS``, or beside the checkout.

The figures go into the document that ``CONFORMANCE_DOCS`` names.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from azure_conformance.records import read_directory
from azure_conformance.replay import Outcome, replay
from azure_conformance.report import lines, write_docs

from .conftest import CHECKOUT

GIVEN = os.environ.get("AZURE_RECORDINGS")
DIRECTORIES = [Path(GIVEN)] if GIVEN else sorted((CHECKOUT.parent / "shared").glob("recordings*"))
pytestmark = pytest.mark.skipif(not any(map(Path.is_dir, DIRECTORIES)), reason="skipped: no recordings")


async def outcomes() -> list[Outcome]:
    """Return the outcome of every recorded interaction."""
    flows = [flow for directory in DIRECTORIES for flow in read_directory(directory)]
    return [outcome for flow in flows for outcome in await replay(flow)]


def test_the_local_azure_answers_as_recorded() -> None:
    """Nothing disagrees, and much is compared."""
    compared = asyncio.run(outcomes())
    assert not [outcome for outcome in compared if outcome.verdict == "disagree"], "\n".join(lines(compared))
    assert [outcome for outcome in compared if outcome.verdict == "agree"]
    if document := os.environ.get("CONFORMANCE_DOCS"):
        write_docs(Path(document), compared)
