# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The trial for a real subscription: what its report must not contain, and when it refuses to begin."""

from __future__ import annotations

from pathlib import Path

import pytest

from .loading import load

real_azure = load("tools/real_azure.py")


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("id /subscriptions/0b1f6471-1bf0-4dda-aec3-cb9272f09590/x", "id /subscriptions/(GUID)/x"),
        ("at web1-ab12.westeurope.cloudapp.azure.com:5000", "at (NAME):5000"),
        ("tenant me.onmicrosoft.com", "tenant (NAME)"),
        ("from 198.51.100.7/32", "from (ADDRESS)/32"),
        ("for somebody@example.com", "for (ACCOUNT)"),
        ("secret s3cr3t-value", "secret (AZURE_SECRET)"),
        ("-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----\nrest", "(PEM)\nrest"),
        ("-----BEGIN PRIVATE KEY-----\nabc", "(PEM)"),
        ("token " + "aB3_" * 20, "token (DATA)"),
        ("in /tmp/work/docker-host-trial-1/certs", "in (WORK)/certs"),
        ("TASK [dockerhost.azure.docker_host : Create the virtual machine]",) * 2,
    ],
)
def test_what_identifies_the_user_is_replaced(text: str, kept: str) -> None:
    environment = {"AZURE_SECRET": "s3cr3t-value", "AZURE_X": "on", "OTHER": "rest"}
    assert real_azure.redacted(text, environment, Path("/tmp/work/docker-host-trial-1")) == kept


@pytest.mark.parametrize(
    ("environment", "says"),
    [
        ({"CONFIRM": "yes"}, "Set AZURE_SUBSCRIPTION_ID"),
        ({"AZURE_SUBSCRIPTION_ID": "s"}, "run again with CONFIRM=yes"),
        ({"AZURE_SUBSCRIPTION_ID": "s", "CONFIRM": "no"}, "run again with CONFIRM=yes"),
        ({"AZURE_SUBSCRIPTION_ID": "s", "CONFIRM": "yes", "VARIABLES": "[1]"}, "VARIABLES must be a dictionary"),
        ({"AZURE_SUBSCRIPTION_ID": "s", "CONFIRM": "yes", "VARIABLES": "a=b"}, "got 'a=b'"),
        ({"AZURE_SUBSCRIPTION_ID": "s", "CONFIRM": "yes", "VARIABLES": "{}"}, ""),
    ],
)
def test_what_it_needs_before_it_begins(environment: dict[str, str], says: str) -> None:
    reason = real_azure.refusal(environment)
    assert says in reason
    assert bool(reason) == bool(says)


RECAP = "localhost                  : ok=5    changed={}    unreachable=0    failed=0    skipped=1"


@pytest.mark.parametrize(
    ("changes", "code", "changed", "problem"),
    [
        (True, 0, 2, ""),
        (True, 0, 0, "0 tasks changed something, expected some"),
        (False, 0, 0, ""),
        (False, 0, 1, "1 tasks changed something, expected none"),
        (None, 0, 3, ""),
        (None, 2, 0, "ansible-playbook ended with 2"),
    ],
)
def test_how_a_step_is_judged(changes: bool | None, code: int, changed: int, problem: str) -> None:
    step = real_azure.Step("x", "create_docker_host", "web1", changes=changes)
    assert real_azure._problem(step, code, RECAP.format(changed)) == problem
