# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Azure does not show a resource at once after it was made: a run waits for it instead of failing or returning half."""

from __future__ import annotations

import pytest

from ansible_collections.dockerhost.azure.plugins.module_utils._azure.errors import AzureError

from .conftest import KEY, Cloud

RESOURCES = (
    "virtualNetworks/docker-vnet",
    "networkSecurityGroups/web1-nsg",
    "publicIPAddresses/web1-ip",
    "networkInterfaces/web1-nic",
    "virtualMachines/web1",
)
ALWAYS = ("fqdn", "public_ip_address", "private_ip_address", "power_state", "docker_host", "admin_username")


def hide(cloud: Cloud, resource: str, nth: int, times: int) -> None:
    """Let reads of a resource find nothing, from the nth one on; the first is before it is made."""
    cloud.azure.fault("status", method="GET", path=f"/{cloud.group}/.*{resource}$", nth=nth, times=times, status=404)


@pytest.mark.parametrize("resource", RESOURCES)
@pytest.mark.parametrize("nth", [2, 3])
def test_a_new_resource_is_waited_for(cloud: Cloud, resource: str, nth: int) -> None:
    hide(cloud, resource, nth, times=3)
    host = cloud.run(ssh_public_keys=[KEY])["host"]
    assert [key for key in ALWAYS if not host[key]] == []
    cloud.azure.faults_clear()
    again = cloud.run(ssh_public_keys=[KEY])
    assert (again["changed"], again["host"]) == (False, host)


def test_a_resource_that_never_appears_is_an_error(cloud: Cloud) -> None:
    hide(cloud, "virtualMachines/web1", 2, times=0)
    with pytest.raises(AzureError, match="Could not create the virtual machine"):
        cloud.run(ssh_public_keys=[KEY])
    cloud.azure.faults_clear()
    assert cloud.run(ssh_public_keys=[KEY])["host"]["power_state"] == "running"
