# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook of docs/local-azure.md with guests, which install their engine with default options."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest

from user_command import output_of

from .paths import COLLECTIONS, TOP

pytestmark = pytest.mark.guests
PLAYBOOK = re.compile(r"^<!-- file: site.yml -->\n```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_the_documented_example_with_guests(guests: None, tmp_path: Path) -> None:
    (playbook,) = PLAYBOOK.findall((TOP / "docs/local-azure.md").read_text())
    assert "engine" not in playbook, "the default is what the page promises"
    (tmp_path / "site.yml").write_text(playbook)
    environment = {**os.environ, "HOME": str(tmp_path), "ANSIBLE_COLLECTIONS_PATH": COLLECTIONS}
    here = Path(sys.executable)
    command = [str(here), "-m", "azure_emulator", "run", "--machines", "guests", "--"]
    output = output_of([*command, str(here.with_name("ansible-playbook")), "site.yml"], cwd=tmp_path, env=environment)
    assert re.search(r"localhost +: ok=\d+ +changed=[1-9]\d* +unreachable=0 +failed=0", output), output
