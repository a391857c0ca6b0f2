# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A size must suit the image, the disks, the security profile, the zone and the quota."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.dockerhost.azure.plugins.module_utils._errors import OptionError
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.bodies.virtual_machine import (
    Findings,
    machine_body,
)
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.desired.topology import resolve_resources
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.preflight.checks import check_answers
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.preflight.queries import Answers
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.preflight.size_checks import check_change

from ..conftest import KEY, SUBSCRIPTION, Cloud, desired
from .conftest import IMAGE, SIZE, image, size


def test_trusted_launch_where_image_and_size_allow_it() -> None:
    assert check_answers(desired(), "westeurope", Answers(size(), None, IMAGE)) == Findings(SIZE["name"], True)
    without = Answers(size(TrustedLaunchDisabled="True"), None, IMAGE)
    assert check_answers(desired(), "westeurope", without) == Findings(SIZE["name"])
    assert check_answers(desired(), "westeurope", Answers(size(), None, image(features=[]))) == Findings(SIZE["name"])
    assert check_answers(desired(), "westeurope", Answers()) == Findings(SIZE["name"])


@pytest.mark.parametrize(
    ("given", "answers", "option"),
    [
        ({}, Answers(size(), None, image(osDiskImage={"operatingSystem": "Windows"})), "image"),
        ({"vm_size": SIZE["name"]}, Answers(size(HyperVGenerations="V1"), None, IMAGE), "image"),
        ({}, Answers(size(), None, image(plan={"name": "a", "product": "b", "publisher": "c"})), "plan"),
        ({"zone": "2", "vm_size": SIZE["name"]}, Answers(size(), None, IMAGE), "zone"),
        ({"ephemeral_os_disk": True}, Answers(size(EphemeralOSDiskSupported="False")), "ephemeral_os_disk"),
        ({"priority": "Spot"}, Answers(size(LowPriorityCapable="False")), "priority"),
        (
            {"enable_accelerated_networking": True},
            Answers(size(AcceleratedNetworkingEnabled="False")),
            "enable_accelerated_networking",
        ),
        (
            {"data_disks": [{"lun": 0, "disk_size_gb": 1}, {"lun": 1, "disk_size_gb": 1}]},
            Answers(size(MaxDataDiskCount="1")),
            "data_disks",
        ),
        (
            {"security_profile": {"security_type": "TrustedLaunch"}},
            Answers(size(TrustedLaunchDisabled="True")),
            "security_profile.security_type",
        ),
        (
            {"security_profile": {"secure_boot_enabled": True}},
            Answers(size(TrustedLaunchDisabled="True"), None, IMAGE),
            "security_profile.secure_boot_enabled",
        ),
        (
            {"security_profile": {"v_tpm_enabled": True}},
            Answers(size(), None, image(features=[])),
            "security_profile.v_tpm_enabled",
        ),
    ],
)
def test_what_does_not_fit(given: dict[str, t.Any], answers: Answers, option: str) -> None:
    with pytest.raises(OptionError) as caught:
        check_answers(desired(**given), "westeurope", answers)
    assert caught.value.option == option


def test_a_firmware_setting_is_never_dropped_silently() -> None:
    """Where nobody may ask, Azure judges: it is told what was asked for."""
    host = desired(security_profile={"v_tpm_enabled": True})
    body = machine_body(
        host,
        resolve_resources(host, SUBSCRIPTION),
        "westeurope",
        {},
        [KEY],
        check_answers(host, "westeurope", Answers()),
    )
    security = body["properties"]["securityProfile"]
    assert (security["securityType"], security["uefiSettings"]["vTpmEnabled"]) == ("TrustedLaunch", True)


def test_types_of_disks_that_the_region_has() -> None:
    there = [{"resourceType": "disks", "name": name} for name in ("Premium_LRS", "StandardSSD_LRS")]
    for option, given in (
        ("managed_disk_type", {"managed_disk_type": "Premium_ZRS"}),
        ("data_disks[lun 4].managed_disk_type", {"data_disks": [a_disk("Premium_ZRS")]}),
    ):
        with pytest.raises(OptionError, match=r"westeurope .Premium_LRS, StandardSSD_LRS") as caught:
            check_answers(desired(**given), "westeurope", Answers([*size(), *there], None, IMAGE))
        assert caught.value.option == option
    check_answers(desired(data_disks=[a_disk("Premium_LRS")]), "westeurope", Answers([*size(), *there], None, IMAGE))


def a_disk(kind: str) -> dict[str, t.Any]:
    """A data disk of a type."""
    return {"lun": 4, "disk_size_gb": 8, "managed_disk_type": kind}


def resized(vcpus: int, limit: int, **current: t.Any) -> None:
    """Judge a change from two to some vCPUs, of which ten are in use."""
    larger = {**size()[0], "name": "Standard_B99s", "capabilities": [{"name": "vCPUs", "value": str(vcpus)}]}
    usages = [
        {"name": {"value": value}, "currentValue": 10, "limit": limit} for value in ("cores", "standardBasv2Family")
    ]
    machine = {"properties": {"hardwareProfile": {"vmSize": "Standard_B2als_v2"}}, **current}
    check_change(desired(vm_size="Standard_B99s"), "westeurope", [*size(), larger], machine, usages)


def test_a_new_size_needs_quota_for_what_is_more() -> None:
    resized(8, limit=16)
    resized(1, limit=10)
    with pytest.raises(OptionError, match=r"needs 6 more vCPUs, but 10 of 15 cores in westeurope are used") as caught:
        resized(8, limit=15)
    assert caught.value.option == "vm_size"


def test_a_quota_without_a_limit_or_a_use() -> None:
    names = [{"value": "cores"}, {"value": "standardBasv2Family"}]
    endless = [{"name": name, "currentValue": None, "limit": -1} for name in names]
    assert check_answers(desired(), "westeurope", Answers(size(), endless)).vm_size == SIZE["name"]
    unused = [{"name": name, "currentValue": None, "limit": 2} for name in names]
    assert check_answers(desired(), "westeurope", Answers(size(), unused)).vm_size == SIZE["name"]
    nothing = [{"name": name, "currentValue": None, "limit": None} for name in names]
    with pytest.raises(OptionError, match="0 of 0"):
        check_answers(desired(), "westeurope", Answers(size(), nothing))


def test_a_new_size_must_be_in_the_zone_of_the_vm() -> None:
    resized(4, limit=99, zones=["3"])
    with pytest.raises(OptionError, match="zone 2 of westeurope; zones with it: 1, 3") as caught:
        resized(4, limit=99, zones=["2"])
    assert caught.value.option == "vm_size"


def test_a_resize_beyond_the_quota_is_refused_before_the_host_stops(cloud: Cloud) -> None:
    cloud.run()
    cloud.azure.switch("cores_quota", 3)
    with pytest.raises(OptionError, match=r"more vCPUs.*of 3 .* are used") as caught:
        cloud.run(vm_size="Standard_D4s_v5", allow_stop=True)
    assert (caught.value.option, cloud.writes) == ("vm_size", [])


def test_zone_redundant_disks_where_there_are_no_zones(cloud: Cloud) -> None:
    with pytest.raises(OptionError, match=r"westus .Premium_LRS, .*got Premium_ZRS"):
        cloud.run(location="westus", managed_disk_type="Premium_ZRS")
    assert cloud.writes == []


def test_spot_has_a_quota_of_its_own() -> None:
    usages = [
        {"name": {"value": "cores"}, "currentValue": 10, "limit": 10},
        {"name": {"value": "lowPriorityCores"}, "currentValue": 0, "limit": 10},
    ]
    check_answers(desired(priority="Spot"), "westeurope", Answers(size(), usages))
    with pytest.raises(OptionError, match="10 of 10"):
        check_answers(desired(), "westeurope", Answers(size(), usages))
