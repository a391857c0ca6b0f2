# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The hosts of one play sign in to Azure once."""

from __future__ import annotations

from pathlib import Path

from azure_emulator.launcher import LocalAzure

from .plays import Plays

HOSTS = 20


def test_the_hosts_of_one_play_sign_in_once_and_leave_no_token(tmp_path: Path) -> None:
    with LocalAzure(machines="none") as azure:
        plays = Plays(azure, tmp_path)
        ran = plays.run({f"web{number}": {} for number in range(HOSTS)}, "--check")
        assert ran.code == 0, ran.output
        assert len(ran.changed) == HOSTS
        assert len([entry for entry in azure.requests() if "/oauth2/" in entry["path"]]) == 1
    assert not list((tmp_path / ".ansible" / "tmp").iterdir())
