# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The trial for a real subscription, on a local Azure."""

from __future__ import annotations

import json
import sys

import pytest

from .conftest import COLLECTIONS, REPOSITORY, Ran, User

TOOL = REPOSITORY / "tools" / "real_azure.py"


def trial(user: User, **environment: str) -> Ran:
    """Run the tool as make does."""
    command = (sys.executable, str(TOOL), "--collections", COLLECTIONS, "--work", str(user.home / "work"))
    return user.run(*command, environment=environment)


def test_the_cost_is_shown_and_nothing_happens_without_confirmation(user: User) -> None:
    refused = trial(user)
    assert refused.code == 2
    assert "the expected total is below" in refused.output
    assert "run again with CONFIRM=yes" in refused.output
    assert user.writes_and_reads() == 0
    assert not (user.home / "work").exists()


@pytest.mark.slow
def test_every_step_is_as_expected_and_the_report_has_no_secrets(user: User) -> None:
    variables = json.dumps({"docker_host_engine": {"source": "distribution"}})
    ran = trial(user, CONFIRM="yes", VARIABLES=variables)
    assert ran.code == 0, ran.output
    (path,) = (user.home / "work").glob("docker-host-trial-*/report.md")
    report = path.read_text()
    assert report.count("| as expected |") == 9
    assert "- Virtual machine: Standard_B2als_v2 in westeurope\n" in report
    for name, value in user.azure.environment.items():
        assert not (name.startswith("AZURE_") and len(value) > 3) or value not in report
    assert not [entry for entry in user.azure.dump() if path.parent.name in entry]
    assert user.files() == []


def test_a_step_that_fails_is_reported_and_everything_is_deleted(user: User) -> None:
    user.azure.fault("operation", method="PUT", path="/virtualMachines/trial1$", times=0)
    ran = trial(user, CONFIRM="yes")
    assert ran.code == 1, ran.output
    (path,) = (user.home / "work").glob("docker-host-trial-*/report.md")
    report = path.read_text()
    assert "| Create the first host |" in report
    assert "ansible-playbook ended with 2" in report
    assert "| Run again without a change |" not in report
    assert user.azure.subscription_id not in report
    assert not [entry for entry in user.azure.dump() if path.parent.name in entry]
