# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Resource providers that are not registered are registered first."""

from __future__ import annotations

import pytest

from ansible_collections.dockerhost.azure.plugins.module_utils._azure.errors import AzureError
from ansible_collections.dockerhost.azure.plugins.module_utils._errors import OptionError
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.preflight.resource_providers import (
    RegistrationError,
)

from ..conftest import Cloud


@pytest.mark.parametrize("missing", [["Microsoft.Network"], ["Microsoft.Compute", "Microsoft.Network"]])
def test_providers_that_are_not_registered_are_registered_first(cloud: Cloud, missing: list[str]) -> None:
    cloud.azure.switch("unregistered", missing)
    predicted = cloud.run(check=True)
    assert cloud.writes == []
    assert any("not registered" in warning for warning in cloud.warnings)
    done = cloud.run()
    assert predicted["actions"] == done["actions"]
    assert done["actions"][: len(missing)] == [f"register resource provider {name}" for name in missing]
    assert cloud.writes[: len(missing)] == ["POST register"] * len(missing)


def test_a_provider_that_may_not_be_registered(cloud: Cloud) -> None:
    cloud.azure.switch("unregistered", ["Microsoft.Network"])
    cloud.azure.switch("forbidden", ["Microsoft.Network/register/action"])
    with pytest.raises(RegistrationError, match=r"az provider register --namespace Microsoft\.Network"):
        cloud.run()
    assert cloud.writes == ["POST register"]


def test_an_unregistered_provider_is_nothing_to_wait_for(cloud: Cloud) -> None:
    cloud.azure.switch("unregistered", ["Microsoft.Network"])
    cloud.azure.switch("forbidden", ["Microsoft.Network/register/action"])
    with pytest.raises(AzureError, match="MissingSubscriptionRegistration"):
        cloud.run(preflight=False)
    assert cloud.writes.count("PUT docker-vnet") == 1


def test_nothing_is_registered_for_what_cannot_be_had(cloud: Cloud) -> None:
    cloud.azure.switch("unregistered", ["Microsoft.Network"])
    with pytest.raises(OptionError, match="does not exist"):
        cloud.run(image="Canonical:ubuntu-24_04-lts:nothing:latest")
    assert cloud.writes == []
