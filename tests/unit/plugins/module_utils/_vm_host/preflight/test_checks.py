# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What Azure would refuse is refused before the first change, unless nobody may ask or preflight is off."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.dockerhost.azure.plugins.module_utils._azure.errors import AzureError
from ansible_collections.dockerhost.azure.plugins.module_utils._errors import OptionError
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.desired.vm_sizes import DEFAULT_SIZES

from ..conftest import Cloud


@pytest.mark.parametrize(
    ("switch", "given", "option", "says"),
    [
        (
            {"sku_not_available": [*DEFAULT_SIZES]},
            {},
            "vm_size",
            "must be set, because none of the default sizes .* Av",
        ),
        (
            {"sku_not_available": ["Standard_B4as_v2"]},
            {"vm_size": "Standard_B4as_v2"},
            "vm_size",
            "is not available in westeurope for this subscription. Available are Standard_B4",
        ),
        ({}, {"vm_size": "Standard_B2s"}, "vm_size", "Standard_B2s is not available in westeurope"),
        ({}, {"vm_size": "Standard_B99x"}, "vm_size", "does not exist"),
        ({"taken_labels": ["taken-label"]}, {"dns_label": "taken-label"}, "dns_label", "taken"),
        ({"cores_quota": 1}, {}, "vm_size", "must be set.*of 1 .* are used"),
        ({}, {"image": "Canonical:ubuntu-24_04-lts:nothing:latest"}, "image", "does not exist"),
        ({}, {"image": "Canonical:ubuntu-24_04-lts:server:1.2.3"}, "image", "does not exist"),
        ({}, {"vm_size": "Standard_D2ps_v5"}, "image", "x64"),
        ({}, {"vm_size": "Standard_D2_v5", "managed_disk_type": "Premium_LRS"}, "managed_disk_type", "PremiumIO"),
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


def test_preflight_can_be_left_out(cloud: Cloud) -> None:
    cloud.azure.switch("cores_quota", 1)
    with pytest.raises(AzureError, match="quota") as caught:
        cloud.run(preflight=False)
    assert "smaller vm_size" in caught.value.advice
    assert any("networkInterfaces/web1-nic" in path for path in caught.value.details["exists"])
    cloud.azure.switch("cores_quota", 1_000_000)
    cloud.run(state="absent")
