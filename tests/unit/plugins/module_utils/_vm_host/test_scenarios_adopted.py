# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What others made: adopted, in another subscription, or to stay."""

from __future__ import annotations

import copy
import typing as t

import pytest

from ansible_collections.dockerhost.azure.plugins.module_utils._errors import DockerHostError, OptionError
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.plan.model import OwnershipError

from .conftest import Cloud
from .support import COMPUTE, D2S, NETWORK, PLACE, Json, surround, without_times


def test_disks_that_are_to_stay_stay_but_an_ephemeral_one(place: Cloud) -> None:
    place.run(ephemeral_os_disk=True, vm_size=D2S, data_disks=[{"lun": 0, "disk_size_gb": 8}])
    place.run(state="absent", remove_on_absent=["virtual_machine", "network_interface", "public_ip_address"])
    kept = [key for key in place.resources() if "/disks/" in key]
    assert len(kept) == 1
    assert "_disk2_" in kept[0]


def test_an_adopted_address_keeps_its_label_and_what_others_set(cloud: Cloud) -> None:
    cloud.arm("PUT", "", PLACE)
    label = f"others-{cloud.group}"
    properties: Json = {"publicIPAllocationMethod": "Static", "dnsSettings": {"domainNameLabel": label}}
    properties["idleTimeoutInMinutes"] = 17
    body = {**PLACE, "sku": {"name": "Standard"}, "tags": {"a": "b"}, "zones": ["2"], "properties": properties}
    cloud.arm("PUT", f"{NETWORK}/publicIPAddresses/web1-ip", body)
    made = cloud.run(adopt=True)
    assert made["host"]["fqdn"] == f"{label}.westeurope.cloudapp.azure.com"
    found = cloud.arm("GET", f"{NETWORK}/publicIPAddresses/web1-ip")
    assert found["properties"]["idleTimeoutInMinutes"] == 17
    assert found["zones"] == ["2"]
    assert found["tags"]["a"] == "b"
    for given in ({}, {"adopt": True}):
        assert cloud.run(**given)["changed"] is False
    changed = cloud.run(dns_label=f"newer-{cloud.group}")
    assert changed["actions"] == ["update public IP address web1-ip"]


def test_an_adopted_interface_keeps_what_others_set(cloud: Cloud) -> None:
    cloud.run()
    path = f"{NETWORK}/networkInterfaces/web1-nic"
    found = cloud.arm("GET", path)
    pool = {"id": f"/subscriptions/x/resourceGroups/y{NETWORK}/loadBalancers/z/backendAddressPools/p"}
    body = {key: copy.deepcopy(found[key]) for key in ("location", "properties")}
    body["properties"].update(enableIPForwarding=True)
    body["properties"]["ipConfigurations"][0]["properties"]["loadBalancerBackendAddressPools"] = [pool]
    cloud.arm("PUT", path, body)
    assert cloud.run(adopt=True)["actions"] == ["update network interface web1-nic"]
    after = cloud.arm("GET", path)["properties"]
    assert after["enableIPForwarding"] is True
    assert after["ipConfigurations"][0]["properties"]["loadBalancerBackendAddressPools"] == [pool]


def test_a_given_interface_is_used_and_never_changed(place: Cloud) -> None:
    place.run(name="web0")
    subnet = place.arm("GET", f"{NETWORK}/virtualNetworks/docker-vnet")["properties"]["subnets"][0]["id"]
    address = {"id": f"{subnet.partition('/virtualNetworks/')[0]}/publicIPAddresses/ip"}
    inner = {"subnet": {"id": subnet}, "publicIPAddress": address}
    body = {**PLACE, "properties": {"ipConfigurations": [{"name": "theirs", "properties": inner}]}}
    place.arm("PUT", f"{NETWORK}/networkInterfaces/nic", body)
    before = place.azure.dump()
    made = place.run(network_interface="nic")
    assert [line for line in made["actions"] if not line.startswith("generate")] == ["create virtual machine web1"]
    assert made["host"]["public_ip_address"]
    assert made["host"]["resources"]["virtual_network"].endswith("/docker-vnet")
    assert place.run(network_interface="nic")["changed"] is False
    with pytest.raises(OptionError, match="in use by"):
        place.run(name="web2", network_interface="nic")
    gone = place.run(state="absent", network_interface="nic")
    assert gone["actions"] == ["delete virtual machine web1"]
    assert without_times(place.azure.dump()) == without_times(before)


def test_a_host_made_by_other_means_is_adopted(place: Cloud) -> None:
    place.run(network_interface=made_interface(place))
    machine = place.arm("GET", f"{COMPUTE}/virtualMachines/web1")
    body = {key: copy.deepcopy(machine[key]) for key in ("location", "properties")}
    for key in ("vmId", "timeCreated", "provisioningState"):
        body["properties"].pop(key)
    place.arm("PUT", f"{COMPUTE}/virtualMachines/web1", {**body, "tags": {"theirs": "x"}})
    with pytest.raises(OwnershipError):
        place.run(network_interface="nic")
    adopted = place.run(network_interface="nic", adopt=True)
    assert adopted["actions"] == ["update virtual machine web1"]
    assert adopted["host"]["tags"]["theirs"] == "x"
    assert place.run(network_interface="nic")["changed"] is False
    assert place.run(state="deallocated", network_interface="nic")["changed"]


def made_interface(place: Cloud) -> str:
    """An interface of others in a network of others; its name."""
    path = f"/subscriptions/{place.azure.subscription_id}/resourceGroups/others{NETWORK}/virtualNetworks/net/subnets/s"
    inner = {"subnet": {"id": path}}
    body = {**PLACE, "properties": {"ipConfigurations": [{"name": "theirs", "properties": inner}]}}
    place.arm("PUT", f"{NETWORK}/networkInterfaces/nic", body)
    return "nic"


OTHER = "99999999-8888-7777-6666-555555555555"


@pytest.fixture
def elsewhere(cloud: Cloud) -> t.Iterator[str]:
    """The id of a group in another subscription, with a network, a security group and an image in it."""
    cloud.azure.switch("extra_subscriptions", [OTHER])
    group = f"/subscriptions/{OTHER}/resourceGroups/{cloud.group}-other"
    cloud.arm("PUT", "", PLACE)
    away = Cloud(cloud.azure, cloud.key.parent)
    away.group = f"{cloud.group}-other"
    away.subscription = OTHER
    surround(away)
    yield group
    cloud.azure.switch("cross_subscription_networks", False)
    cloud.azure.switch("extra_subscriptions", [])


def test_what_is_in_another_subscription(cloud: Cloud, elsewhere: str) -> None:
    given = {
        "virtual_network": f"{elsewhere}{NETWORK}/virtualNetworks/net",
        "subnet_name": "s",
        "security_group": f"{elsewhere}{NETWORK}/networkSecurityGroups/nsg",
        "public_ip_address": f"{elsewhere}{NETWORK}/publicIPAddresses/ip",
        "image": f"{elsewhere}{COMPUTE}/galleries/mine/images/debian",
    }
    cloud.azure.switch("cross_subscription_networks", True)
    before = cloud.azure.dump()
    made = cloud.run(False, **given)
    assert made["host"]["public_ip_address"]
    assert any("another subscription" in line for line in cloud.warnings)
    assert cloud.run(False, **given)["changed"] is False
    cloud.run(False, state="absent", **{key: value for key, value in given.items() if key != "image"})
    assert without_times(cloud.azure.dump()) == without_times(before)


def test_a_network_of_another_subscription_where_azure_wants_one(cloud: Cloud, elsewhere: str) -> None:
    given = {"virtual_network": f"{elsewhere}{NETWORK}/virtualNetworks/net", "subnet_name": "s"}
    with pytest.raises(DockerHostError, match="InvalidResourceReference"):
        cloud.run(False, **given)
    assert any("is in another subscription than the host" in line for line in cloud.warnings)
