# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A host is made, made again and deleted by somebody who has the role of docs/rights.md and nothing else."""

from __future__ import annotations

import json
import re

from azure_emulator.launcher import LocalAzure

from .conftest import REPOSITORY, User


def test_the_role_is_enough(azure: LocalAzure, user: User) -> None:
    text = (REPOSITORY / "docs" / "rights.md").read_text()
    role = json.loads(re.findall(r"```json\n(.*?)```", text, re.DOTALL)[0])["Actions"]
    user.play("create_docker_host", name="first")
    azure.switch("role", role)
    azure.clear_requests()
    try:
        user.play("create_docker_host", name="second")
        user.play("create_docker_host", name="second")
        user.play("delete_docker_host", name="second")
    finally:
        azure.switch("role", [])
    refused = {right for entry in azure.requests() if entry["status"] == 403 for right in entry["rights"]}
    # Checks beforehand, which are left out when they may not be made.
    assert all(f"`{right}`" in text for right in refused), refused
    assert all(right.endswith("/read") for right in refused), refused
