# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the README promises of the demo."""

from __future__ import annotations

import os
import subprocess
import typing as t
from pathlib import Path

import pytest

from user_command import output_of

from .paths import TOP


def make(target: str, home: Path) -> str:
    """Run a target as a user in the checkout, and return its output."""
    return output_of(["make", "--no-print-directory", target], cwd=TOP, env={**os.environ, "HOME": str(home)})


@pytest.fixture
def home(tmp_path: Path) -> t.Iterator[Path]:
    """An empty HOME; the demo is stopped afterwards whatever happened."""
    if (TOP / ".demo").exists():
        pytest.skip("a demo runs in this checkout: make demo-stop")
    yield tmp_path
    subprocess.run(["make", "demo-stop"], cwd=TOP, capture_output=True, check=False)


def test_demo_twice_and_stop(guests: None, home: Path) -> None:
    first = make("demo", home)
    assert "hello from" in first
    assert "make demo-stop" in first
    second = make("demo", home)
    assert "changed=0" in second
    assert list(home.iterdir()) == [], "nothing of the user's HOME is touched"
    address = second.partition("DOCKER_HOST=tcp://")[2].split()[0]
    told = {"DOCKER_CERT_PATH": str(TOP / ".demo/docker"), "DOCKER_HOST": f"tcp://{address}", "DOCKER_TLS_VERIFY": "1"}
    env = {**os.environ, **told, "HOME": str(home)}
    subprocess.run(["docker", "info"], env=env, check=True, capture_output=True)
    make("demo-stop", home)
    assert not (TOP / ".demo").exists()
    assert address.partition(":")[0] not in Path("/etc/hosts").read_text()
    processes = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert str(TOP / ".demo") not in processes
    assert str(TOP / ".demo") not in Path("/proc/mounts").read_text()
