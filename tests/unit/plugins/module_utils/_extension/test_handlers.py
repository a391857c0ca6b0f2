# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the resource of a push says about it while Azure's operation goes on."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.dockerhost.azure.plugins.module_utils._errors import DockerHostError
from ansible_collections.dockerhost.azure.plugins.module_utils._extension.handlers import (
    CurrentSettings,
    Push,
    _AwaitedResult,
)
from ansible_collections.dockerhost.azure.plugins.module_utils._extension.settings import read_settings
from ansible_collections.dockerhost.azure.plugins.module_utils._extension.setup_result import SetupResult

from .conftest import options

GOOD = {"docker_setup": 1, "ok": True, "push": "7", "digest": "new"}


def shown(report: dict[str, t.Any] | None, state: str = "Creating", digest: str = "new") -> CurrentSettings:
    """A resource whose instance view has a report of the program."""
    return CurrentSettings("id", state, digest, SetupResult(report))


@pytest.mark.parametrize(
    ("current", "over", "good"),
    [
        (shown(None), False, False),
        (shown(GOOD), True, True),
        (shown(GOOD, "Updating"), True, True),
        (shown({**GOOD, "push": "6"}, "Updating"), False, False),
        (shown({**GOOD, "ok": False}), False, False),
        (shown({**GOOD, "ok": False}, "Failed"), True, False),
        (shown(None, "Succeeded"), True, False),
        (None, True, False),
    ],
)
def test_only_success_of_this_very_push_ends_the_wait(current: CurrentSettings | None, over: bool, good: bool) -> None:
    push = Push(read_settings(options(), check_mode=False), "new", "print()", stamp=7)
    result = _AwaitedResult(lambda: current, push)
    assert (result.is_over(), result.is_good()) == (over, good)


def test_a_resource_that_cannot_be_read_has_no_result() -> None:
    def read() -> CurrentSettings | None:
        raise DockerHostError("no")

    push = Push(read_settings(options(), check_mode=False), "new", "print()", stamp=7)
    result = _AwaitedResult(read, push)
    assert (result.is_over(), result.is_good()) == (False, False)


@pytest.mark.parametrize(
    ("current", "in_progress", "succeeded"),
    [
        (shown(None), True, False),
        (shown(GOOD), False, True),
        (shown({**GOOD, "ok": False}), True, False),
        (shown(GOOD, digest="newer"), True, False),
        (shown(GOOD, "Failed"), False, False),
        (shown(None, "Succeeded"), False, True),
    ],
)
def test_a_push_has_ended_when_the_program_reports_its_digest(
    current: CurrentSettings, in_progress: bool, succeeded: bool
) -> None:
    assert (current.in_progress, current.succeeded) == (in_progress, succeeded)
