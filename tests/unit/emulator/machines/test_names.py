# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names on the host: blocks in a hosts file, and commands with a hosts file of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from azure_emulator.machines.names import main, remove_block, remove_stale, set_block

BASE = "127.0.0.1 localhost\n10.9.9.9 something-of-the-user\n"


@pytest.fixture
def hosts(tmp_path: Path) -> Path:
    path = tmp_path / "hosts"
    path.write_text(BASE)
    return path


def test_block_is_written_replaced_and_removed_in_place(hosts: Path) -> None:
    inode = hosts.stat().st_ino
    set_block("demo", {"web1.example": "198.18.0.1", "a.example": "198.18.0.2"}, path=hosts)
    assert hosts.read_text().startswith(BASE)
    assert "\n198.18.0.2 a.example\n198.18.0.1 web1.example\n" in hosts.read_text()
    set_block("demo", {"web2.example": "198.18.0.3"}, path=hosts)
    assert "web1" not in hosts.read_text()
    assert hosts.read_text().count("BEGIN") == 1
    remove_block("demo", path=hosts)
    assert hosts.read_text() == BASE
    assert hosts.stat().st_ino == inode


def test_blocks_of_living_owners_stay_and_stale_ones_go(hosts: Path) -> None:
    with subprocess.Popen(["sleep", "60"]) as other:
        set_block("other", {"x.example": "198.18.0.5"}, pid=other.pid, path=hosts)
        set_block("mine", {"y.example": "198.18.0.6"}, path=hosts)
        assert "x.example" in hosts.read_text()
        other.kill()
    remove_stale(path=hosts)
    assert "x.example" not in hosts.read_text()
    assert "y.example" in hosts.read_text()


def test_process_number_used_again_is_another_owner(hosts: Path) -> None:
    block = f"# BEGIN azure_emulator old pid={os.getpid()} start=1\n198.18.0.5 x.example\n# END azure_emulator old\n"
    hosts.write_text(BASE + block)
    remove_stale(path=hosts)
    assert hosts.read_text() == BASE


def test_file_without_final_newline_and_with_foreign_bytes_survives(hosts: Path) -> None:
    hosts.write_bytes(b"127.0.0.1 localhost # caf\xe9")
    set_block("demo", {"a.example": "198.18.0.2"}, path=hosts)
    remove_block("demo", path=hosts)
    assert hosts.read_bytes() == b"127.0.0.1 localhost # caf\xe9\n"


def test_command_sees_the_hosts_file_and_nobody_else_does(hosts: Path) -> None:
    hosts.write_text(BASE + "198.18.0.1 only-inside.example\n")
    command = [sys.executable, "-m", "azure_emulator.machines.names", "--hosts", str(hosts), "--"]
    done = subprocess.run(
        [*command, "getent", "hosts", "only-inside.example"], text=True, capture_output=True, check=False
    )
    if "unshare failed" in done.stderr or "Operation not permitted" in done.stderr:
        pytest.skip(f"no mount namespaces here: {done.stderr.strip()}")
    assert done.stdout.split() == ["198.18.0.1", "only-inside.example"]
    assert subprocess.run([*command, "sh", "-c", "exit 7"], check=False).returncode == 7
    assert subprocess.run(["getent", "hosts", "only-inside.example"], capture_output=True, check=False).returncode != 0


def test_missing_file_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--hosts", str(tmp_path / "none"), "--", "true"])
    assert "there is no file" in capsys.readouterr().err
