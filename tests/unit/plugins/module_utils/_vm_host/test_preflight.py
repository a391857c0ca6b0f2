# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What cannot be had is refused before anything is made."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.dockerhost.azure.plugins.module_utils._azure.errors import AzureError
from ansible_collections.dockerhost.azure.plugins.module_utils._errors import OptionError
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.machine import Trust
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.preflight import Answers, judge

from .conftest import Cloud, wanted

DEFAULTS = {"sku_not_available": [], "taken_labels": [], "cores_quota": 1_000_000, "forbidden": [], "unregistered": []}


@pytest.fixture(autouse=True)
def switched_back(cloud: Cloud) -> t.Iterator[None]:
    """Leave the local Azure as it was."""
    yield
    for name, value in DEFAULTS.items():
        cloud.azure.switch(name, value)


@pytest.mark.parametrize(
    ("switch", "given", "option", "says"),
    [
        ({"sku_not_available": ["Standard_B2s"]}, {}, "vm_size", "Standard_B"),
        ({}, {"vm_size": "Standard_B99x"}, "vm_size", "does not exist"),
        ({"taken_labels": ["taken-label"]}, {"dns_label": "taken-label"}, "dns_label", "taken"),
        ({"cores_quota": 1}, {}, "vm_size", "of 1 are used"),
        ({}, {"image": "Canonical:ubuntu-24_04-lts:nothing:latest"}, "image", "not there"),
        ({}, {"image": "Canonical:ubuntu-24_04-lts:server:1.2.3"}, "image", "not there"),
        ({}, {"vm_size": "Standard_D2ps_v5"}, "image", "x64"),
        ({}, {"vm_size": "Standard_B2s", "managed_disk_type": "Premium_LRS"}, "managed_disk_type", "PremiumIO"),
        (
            {},
            {"image": "/subscriptions/OWN/resourceGroups/g/providers/Microsoft.Compute/images/none"},
            "image",
            "does not exist",
        ),
    ],
)
def test_what_cannot_be_had(
    cloud: Cloud, switch: dict[str, t.Any], given: dict[str, t.Any], option: str, says: str
) -> None:
    for name, value in switch.items():
        cloud.azure.switch(name, value)
    with pytest.raises(OptionError, match=says) as caught:
        cloud.run(False, **{key: str(item).replace("OWN", cloud.azure.subscription_id) for key, item in given.items()})
    assert caught.value.option == option
    assert cloud.writes == []
    assert not cloud.key.exists()


def test_without_the_right_to_ask_azure_decides(cloud: Cloud) -> None:
    rights = ["skus/read", "locations/usages/read", "locations/publishers/artifacttypes/offers/skus/versions/read"]
    cloud.azure.switch("forbidden", [f"Microsoft.Compute/{right}" for right in rights])
    assert cloud.run()["changed"]


def test_preflight_can_be_left_out(cloud: Cloud) -> None:
    cloud.azure.switch("cores_quota", 1)
    with pytest.raises(AzureError, match="quota") as caught:
        cloud.run(preflight=False)
    assert "smaller vm_size" in caught.value.advice
    assert any("networkInterfaces/web1-nic" in path for path in caught.value.details["exists"])
    cloud.azure.switch("cores_quota", 1_000_000)
    cloud.run(state="absent")


def test_a_missing_right_gets_advice(cloud: Cloud) -> None:
    cloud.azure.switch("forbidden", ["Microsoft.Network/publicIPAddresses/write"])
    with pytest.raises(AzureError, match="AuthorizationFailed") as caught:
        cloud.run()
    assert "rights.md" in str(caught.value)


@pytest.mark.slow
def test_a_provider_that_is_not_registered_is_registered(cloud: Cloud) -> None:
    cloud.azure.switch("unregistered", ["Microsoft.Network"])
    try:
        cloud.run()
    except AzureError as error:
        assert error.code == "MissingSubscriptionRegistration"  # noqa: PT017
        assert "Register" in error.advice  # noqa: PT017


SIZE = {
    "resourceType": "virtualMachines",
    "name": "Standard_B2s",
    "family": "standardBSFamily",
    "locationInfo": [{"location": "westeurope", "zones": ["1", "3"]}],
    "capabilities": [{"name": "vCPUs", "value": "2"}, {"name": "HyperVGenerations", "value": "V1,V2"}],
}
IMAGE = {
    "properties": {
        "hyperVGeneration": "V2",
        "osDiskImage": {"operatingSystem": "Linux"},
        "features": [{"name": "SecurityType", "value": "TrustedLaunchSupported"}],
    }
}


def image(**properties: t.Any) -> dict[str, t.Any]:
    """The image with other properties."""
    return {"properties": {**IMAGE["properties"], **properties}}


def size(**capabilities: str) -> list[dict[str, t.Any]]:
    """The one size, with further capabilities."""
    more = [{"name": name, "value": value} for name, value in capabilities.items()]
    return [{**SIZE, "capabilities": [*t.cast("list[t.Any]", SIZE["capabilities"]), *more]}]


def test_trusted_launch_where_image_and_size_allow_it() -> None:
    assert judge(wanted(), "westeurope", Answers(size(), None, IMAGE)) == Trust(True)
    assert judge(wanted(), "westeurope", Answers(size(TrustedLaunchDisabled="True"), None, IMAGE)) == Trust(False)
    assert judge(wanted(), "westeurope", Answers(size(), None, image(features=[]))) == Trust(False)
    assert judge(wanted(), "westeurope", Answers()) == Trust(False)


@pytest.mark.parametrize(
    ("given", "answers", "option"),
    [
        ({}, Answers(size(), None, image(osDiskImage={"operatingSystem": "Windows"})), "image"),
        ({}, Answers(size(HyperVGenerations="V1"), None, IMAGE), "image"),
        ({}, Answers(size(), None, image(plan={"name": "a", "product": "b", "publisher": "c"})), "plan"),
        ({"zone": "2"}, Answers(size(), None, IMAGE), "zone"),
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
    ],
)
def test_what_does_not_fit(given: dict[str, t.Any], answers: Answers, option: str) -> None:
    with pytest.raises(OptionError) as caught:
        judge(wanted(**given), "westeurope", answers)
    assert caught.value.option == option


def test_spot_has_a_quota_of_its_own() -> None:
    usages = [
        {"name": {"value": "cores"}, "currentValue": 10, "limit": 10},
        {"name": {"value": "lowPriorityCores"}, "currentValue": 0, "limit": 10},
    ]
    judge(wanted(priority="Spot"), "westeurope", Answers(size(), usages))
    with pytest.raises(OptionError, match="10 of 10"):
        judge(wanted(), "westeurope", Answers(size(), usages))
