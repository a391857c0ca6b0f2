# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""azure.azcollection's modules, as they are."""

from __future__ import annotations

import pytest

from azure_emulator.launcher import LocalAzure

from .support import PLAYS, Playbooks


@pytest.mark.timeout(1800)
def test_a_host_from_beginning_to_end(azure: LocalAzure, azcollection: Playbooks, ssh_public_key: str) -> None:
    variables = {"resource_group": "rg-azcollection", "ssh_public_key": ssh_public_key}
    changed = azcollection(PLAYS / "azcollection.yml", variables)
    assert changed >= 20, azcollection.output
    assert azure.dump() == {}
