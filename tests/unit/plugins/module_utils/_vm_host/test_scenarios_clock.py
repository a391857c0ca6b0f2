# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A wrong clock of the controller is found before the first change, by what Azure says the time is."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.dockerhost.azure.plugins.module_utils._azure.clock import seconds_ahead
from ansible_collections.dockerhost.azure.plugins.module_utils._errors import DockerHostError

from .conftest import KEY, Cloud


@pytest.fixture
def azures_clock(cloud: Cloud) -> t.Iterator[t.Callable[[int], None]]:
    yield lambda ahead: cloud.azure.switch("clock_ahead", ahead)
    cloud.azure.switch("clock_ahead", 0)


def test_an_early_clock_would_make_certificates_that_no_vm_accepts(
    cloud: Cloud, azures_clock: t.Callable[[int], None]
) -> None:
    azures_clock(-86400)
    with pytest.raises(DockerHostError, match=r"1 day, 0:00:0\d ahead of Azure's.*timedatectl set-ntp true"):
        cloud.run(ssh_public_keys=[KEY])
    assert cloud.writes == []
    # Deleting needs no certificate.
    assert cloud.run(state="absent")["changed"] is False


def test_a_late_clock_is_a_warning(cloud: Cloud, azures_clock: t.Callable[[int], None]) -> None:
    azures_clock(3600)
    assert cloud.run(check=True, ssh_public_keys=[KEY])["changed"]
    assert "behind Azure's" in " ".join(cloud.warnings)
    azures_clock(60)
    assert cloud.run(check=True, ssh_public_keys=[KEY])["changed"]
    assert "clock" not in " ".join(cloud.warnings)


@pytest.mark.parametrize(
    ("date", "ahead"),
    [
        ("Sun, 06 Nov 1994 08:49:37 GMT", 10.0),
        ("yesterday", None),
        ("", None),
        (None, None),
        ("Sun, 99 Nov 1994 08:49:37 GMT", None),
    ],
)
def test_a_server_that_does_not_say_the_time_proves_nothing(date: str | None, ahead: float | None) -> None:
    assert seconds_ahead(date, 784111777.0 + 10) == ahead
