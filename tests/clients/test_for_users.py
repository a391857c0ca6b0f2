# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A user's own playbook in CI, outside the checkout, exactly as docs/local-azure.md tells."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from .support import TOP, clean_environment

PAGE = TOP / "docs" / "local-azure.md"
PLAYBOOK = re.compile(r"^<!-- file: site.yml -->\n```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMANDS = re.compile(r"^```shell\n(python3 -m venv venv\n.*?)^```$", re.MULTILINE | re.DOTALL)
OF_A_CHECKOUT = shutil.ignore_patterns(".*", "*.egg-info", "__pycache__", "build")


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A user's directory with the page's playbook, beside a clone of the repository."""
    shutil.copytree(TOP, tmp_path / "clone", symlinks=True, ignore=OF_A_CHECKOUT)
    directory = tmp_path / "own"
    directory.mkdir()
    (playbook,) = PLAYBOOK.findall(PAGE.read_text())
    (directory / "site.yml").write_text(playbook)
    return directory


def test_a_playbook_of_ones_own(directory: Path) -> None:
    (commands,) = COMMANDS.findall(PAGE.read_text())
    environment = {**clean_environment(), "HOME": str(directory), "CLONE": str(directory.parent / "clone")}
    environment |= {name: os.environ[name] for name in os.environ if name.lower().startswith(("pip_", "http", "ssl_"))}
    environment |= {"ANSIBLE_NOCOLOR": "true", "PIP_NO_COMPILE": "1"}
    script = ["bash", "-euo", "pipefail", "-c", commands]
    done = subprocess.run(script, env=environment, cwd=directory, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-6000:]
    assert re.search(r"localhost +: ok=\d+ +changed=[1-9]\d* +unreachable=0 +failed=0", done.stdout), done.stdout
    installed = directory / "venv" / "bin" / "python"
    where = subprocess.run(
        [str(installed), "-c", "import azure_emulator; print(azure_emulator.__file__)"],
        env=clean_environment(), cwd=directory, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert where.stdout.startswith(str(directory / "venv"))
    # The commands had a home directory of their own.
    assert not (directory / ".docker").exists()
