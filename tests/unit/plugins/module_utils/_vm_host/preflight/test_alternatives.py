# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""After Azure has refused a size or a quota is used up, the error suggests alternatives."""

from __future__ import annotations

import pytest

from ansible_collections.dockerhost.azure.plugins.module_utils._azure.errors import AzureError
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.desired.vm_sizes import DEFAULT_SIZES

from ..conftest import Cloud


def test_what_azure_knows_of_usage_is_told(cloud: Cloud) -> None:
    cloud.run(name="other")
    cloud.azure.switch("cores_quota", 2)
    with pytest.raises(AzureError, match=r"Total Regional vCPUs \d+ of 2.*Exists so far"):
        cloud.run(preflight=False)


def test_a_size_that_has_run_out_meanwhile(cloud: Cloud) -> None:
    text = "The requested VM size for resource 'Standard_B2als_v2' is currently not available in location 'westeurope'."
    cloud.azure.fault(
        "status", method="PUT", path="/virtualMachines/", status=409, code="SkuNotAvailable", message=text
    )
    with pytest.raises(AzureError, match=r"Similar sizes in .*: Standard_.*Exists so far") as caught:
        cloud.run(vm_size="Standard_B2als_v2")
    assert "Standard_B2als_v2," not in str(caught.value).partition("alike:")[2]


@pytest.mark.parametrize("code", ["SkuNotAvailable", "OverconstrainedZonalAllocationRequest"])
def test_azure_runs_out_of_the_chosen_size(cloud: Cloud, code: str) -> None:
    cloud.azure.switch("sku_not_available", [*DEFAULT_SIZES[:1]])
    cloud.azure.fault("status", method="PUT", path="/virtualMachines/", status=409, code=code)
    with pytest.raises(AzureError, match="Similar sizes in westeurope") as caught:
        cloud.run()
    assert f"{DEFAULT_SIZES[1]}," not in str(caught.value).partition("Similar sizes")[2]
