# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Deleting a part, and deleting what half exists."""

from __future__ import annotations

import contextlib
import typing as t

import pytest

from ansible_collections.dockerhost.azure.plugins.module_utils._errors import DockerHostError

from .conftest import Cloud

CHOICES = ["virtual_machine", "network_interface", "public_ip_address", "security_group", "disks", "virtual_network"]


@pytest.mark.parametrize(
    "choice",
    [pytest.param(choice, marks=[] if choice == "virtual_machine" else [pytest.mark.slow]) for choice in CHOICES],
)
def test_each_choice_takes_what_it_says_and_what_is_left_goes_later(cloud: Cloud, choice: str) -> None:
    cloud.arm("PUT", "", {"location": "westeurope"})
    before = cloud.azure.dump()
    cloud.run(data_disks=[{"lun": 0, "disk_size_gb": 4}])
    whole = set(cloud.resources())
    given: dict[str, t.Any] = {"state": "absent", "remove_on_absent": [choice]}
    predicted = cloud.run(True, **given)
    assert cloud.writes == []
    gone = cloud.run(False, **given)
    assert gone["actions"] == predicted["actions"]
    missing = {key.rpartition("/")[0].rpartition("/")[2] for key in whole - set(cloud.resources())}
    # An interface, address or group that is in use stays, and so does the network.
    assert missing == ({"virtualMachines"} if choice == "virtual_machine" else set())
    assert cloud.run(False, **given)["changed"] is False
    cloud.run(state="absent")
    kept = {key for key in cloud.azure.dump() if key not in before}
    # Disks that were kept are nobody's any more.
    assert {key.rpartition("/")[0].rpartition("/")[2] for key in kept} == (
        {"disks"} if choice == "virtual_machine" else set()
    )


def test_deleting_what_half_exists(cloud: Cloud) -> None:
    for kind in (
        "networkInterfaces",
        "publicIPAddresses",
        "networkSecurityGroups",
        "virtualNetworks",
        "virtualMachines",
    ):
        cloud.azure.fault("operation", method="PUT", path=f"/{kind}/", ends="Failed", times=0)
        with contextlib.suppress(DockerHostError):
            cloud.run()
        cloud.azure.faults_clear()
        cloud.azure.settle()
        cloud.run(state="absent", remove_on_absent=["all", "resource_group"])
        assert cloud.resources() == {}
