# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Missing permissions are reported before anything changes, and with the right to grant."""

from __future__ import annotations

import pytest

from ansible_collections.dockerhost.azure.plugins.module_utils._azure.errors import AzureError
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.preflight.permissions import (
    MissingPermissionError,
)

from ..conftest import Cloud


def test_without_the_right_to_ask_azure_decides(cloud: Cloud) -> None:
    rights = ["skus/read", "locations/usages/read", "locations/publishers/artifacttypes/offers/skus/versions/read"]
    cloud.azure.switch("forbidden", [f"Microsoft.Compute/{right}" for right in rights])
    assert cloud.run()["changed"]


def test_missing_rights_are_told_before_anything_is_changed(cloud: Cloud) -> None:
    missing = ["Microsoft.Network/publicIPAddresses/write", "Microsoft.Network/virtualNetworks/subnets/join/action"]
    cloud.azure.switch("forbidden", missing)
    for check in (True, False):
        with pytest.raises(MissingPermissionError, match=r"rights\.md") as caught:
            cloud.run(check)
        assert sorted(caught.value.details["missing_rights"]) == missing
        assert cloud.writes == []


def test_a_missing_right_that_may_not_be_asked_for(cloud: Cloud) -> None:
    missing = "Microsoft.Network/publicIPAddresses/write"
    cloud.azure.switch("forbidden", [missing, "Microsoft.Authorization/permissions/read"])
    with pytest.raises(AzureError, match="AuthorizationFailed") as caught:
        cloud.run()
    assert f"lacks the permission {missing} on /subscriptions/" in caught.value.advice
    assert "rights.md" in caught.value.advice


def test_a_missing_right_on_what_is_referred_to(cloud: Cloud) -> None:
    missing = "Microsoft.Network/networkSecurityGroups/join/action"
    cloud.azure.switch("forbidden", [missing, "Microsoft.Authorization/permissions/read"])
    with pytest.raises(AzureError, match="LinkedAuthorizationFailed") as caught:
        cloud.run()
    assert f"lacks the permission {missing} on " in caught.value.advice
    assert "/networkSecurityGroups/web1-nsg" in caught.value.advice
