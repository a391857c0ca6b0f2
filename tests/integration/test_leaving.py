# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hosts of one group that are deleted by one play, at the same time."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from azure_emulator.launcher import LocalAzure

from .plays import Options, Plays

NAMES = ("web1", "web2", "web3")
LEAVING: dict[str, Options] = {
    "network": {"state": "absent"},
    "group": {"state": "absent", "remove_on_absent": ["resource_group"]},
}


def hosts(**given: t.Any) -> dict[str, Options]:
    """Hosts of one group, with options."""
    return {name: {"name": name, "resource_group": "common", **given} for name in NAMES}


@pytest.mark.parametrize("what", list(LEAVING))
def test_hosts_that_leave_in_one_play_leave_nothing_behind(tmp_path: Path, what: str) -> None:
    with LocalAzure() as azure:
        plays = Plays(azure, tmp_path)
        before = azure.dump()
        made = plays.run(hosts())
        assert made.code == 0, made.output
        left = plays.run(hosts(**LEAVING[what]))
        assert left.code == 0, left.output
        gone = {key: value for key, value in azure.dump().items() if key not in before}
        assert [key.rsplit("/", 1)[-1] for key in gone] == (["common"] if what == "network" else [])
        again = plays.run(hosts(**LEAVING[what]))
        assert again.changed == dict.fromkeys(NAMES, 0), again.output
