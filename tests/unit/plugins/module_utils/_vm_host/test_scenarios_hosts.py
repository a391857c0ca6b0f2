# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every scenario is predicted by check mode, carried out, compared with the requests, and done again."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.dockerhost.azure.plugins.module_utils._errors import OptionError
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.plan.model import ImmutableError

from .conftest import KEY, Cloud
from .support import check_host, check_kept, check_prediction, without_keys, without_times

FULL: dict[str, t.Any] = {
    "vm_size": "Standard_D2s_v5",
    "image": "debian-12",
    "admin_username": "jo",
    "admin_password": "Abcdefghij12",
    "ssh_allowed_sources": ["10.0.0.0/8", "192.168.0.0/16"],
    "open_ports": [80, "53/udp", {"port": "8000-8010", "allowed_sources": ["VirtualNetwork"]}],
    "tags": {"team": "build"},
    "zone": "1",
    "private_ip_address": "10.0.0.9",
    "managed_disk_type": "Premium_LRS",
    "os_disk_size_gb": 64,
    "data_disks": [{"lun": 0, "disk_size_gb": 8}, {"lun": 3, "disk_size_gb": 16, "caching": "ReadOnly"}],
    "boot_diagnostics": False,
    "custom_data": "#cloud-config\n{}\n",
    "user_data": "hello",
    "ssh_port": 2222,
    "enable_accelerated_networking": True,
}
SPOT = {"priority": "Spot", "max_price": 0.5, "vm_size": "Standard_D2s_v5", "ssh_public_keys": [KEY]}
# First options, then (for a change) second ones.
SCENARIOS: dict[str, tuple[dict[str, t.Any], ...]] = {
    "defaults": ({},),
    "everything": (FULL,),
    "spot": (SPOT,),
    "private": ({"assign_public_ip": False},),
    "no label": ({"assign_dns_label": False},),
    "closed": ({"allowed_sources": []},),
    "another port": ({}, {"docker_port": 2376}),
    "ssh opened": ({}, {"ssh_allowed_sources": ["203.0.113.0/24"]}),
    "ports closed": ({"open_ports": [80, 443]}, {"open_ports": [443]}),
    "tags": ({"tags": {"a": "1"}}, {"tags": {"b": "2"}, "append_tags": False}),
    "made private": ({}, {"assign_public_ip": False}),
    "label changed": ({}, {"dns_label": "another-label-here"}),
    "disks": (
        {"data_disks": [{"lun": 0, "disk_size_gb": 8}]},
        {"data_disks": [{"lun": 0, "disk_size_gb": 16}, {"lun": 1, "disk_size_gb": 4}]},
    ),
    "bigger": ({}, {"vm_size": "Standard_D2s_v5", "allow_stop": True}),
    "bigger os disk": ({"os_disk_size_gb": 32}, {"os_disk_size_gb": 64, "allow_stop": True}),
    "identity": ({}, {"vm_identity": {"type": "SystemAssigned"}}),
    "diagnostics": ({}, {"boot_diagnostics": False}),
    "user data": ({"user_data": "a"}, {"user_data": "b"}),
    "stopped": ({}, {"state": "stopped"}),
    "deallocated": ({}, {"state": "deallocated"}),
    "started": ({}, {"state": "deallocated"}, {"state": "started"}),
    "started with a change": (
        {},
        {"state": "deallocated"},
        {"state": "started", "vm_size": "Standard_D2s_v5", "docker_port": 2376, "tags": {"a": "1"}},
    ),
    "deleted": ({}, {"state": "absent"}),
    "deleted with everything": (FULL, {"state": "absent", "remove_on_absent": ["all", "resource_group"]}),
    "address kept": ({}, {"state": "absent", "remove_on_absent": ["virtual_machine", "disks", "network_interface"]}),
    "disks kept": (FULL, {"state": "absent", "remove_on_absent": ["virtual_machine", "network_interface"]}),
}


@pytest.mark.parametrize("name", SCENARIOS)
def test_scenario(cloud: Cloud, name: str) -> None:
    for given in SCENARIOS[name]:
        predicted = cloud.run(check=True, **given)
        assert cloud.writes == []
        assert not cloud.key.exists() or predicted["actions"][0].startswith("generate") is False
        real = cloud.run(**given)
        assert not cloud.refused
        assert real["actions"] == predicted["actions"]
        assert without_keys(real["diff"]) == without_keys(predicted["diff"])
        assert real["changed"] is predicted["changed"] is True
        check_prediction(cloud, predicted["actions"])
        if real["host"]:
            check_host(real["host"], predicted["host"])
        again = cloud.run(**given)
        assert (again["changed"], again["actions"], cloud.writes) == (False, [], [])
        check_kept(cloud, again["host"])


@pytest.mark.parametrize("given", [{}, FULL, SPOT, {"assign_public_ip": False}])
def test_deleting_leaves_the_cloud_as_it_was(cloud: Cloud, given: dict[str, t.Any]) -> None:
    cloud.arm("PUT", "", {"location": "westeurope", "tags": {"theirs": "x"}})
    network = {"location": "westeurope", "properties": {"addressSpace": {"addressPrefixes": ["10.9.0.0/16"]}}}
    cloud.arm("PUT", "/providers/Microsoft.Network/virtualNetworks/theirs", network)
    before = cloud.azure.dump()
    cloud.run(**given)
    assert cloud.azure.dump() != before
    cloud.run(state="absent")
    assert without_times(cloud.azure.dump()) == without_times(before)


def test_two_hosts_share_a_network_that_goes_with_the_last(cloud: Cloud) -> None:
    cloud.run(name="web1")
    made = cloud.run(name="web2")
    assert "create virtual network docker-vnet" not in made["actions"]
    gone = cloud.run(name="web1", state="absent")
    assert "delete virtual network docker-vnet" not in gone["actions"]
    gone = cloud.run(name="web2", state="absent")
    assert "delete virtual network docker-vnet" in gone["actions"]
    assert [key for key in cloud.resources() if "/providers/" in key] == []


def test_restarting_always_acts(cloud: Cloud) -> None:
    cloud.run()
    for _time in range(2):
        assert cloud.run(state="restarted", check=True)["actions"] == ["restart virtual machine web1"]
        assert cloud.run(state="restarted")["changed"]
        assert cloud.writes == ["POST restart"]


@pytest.mark.parametrize("state", ["stopped", "deallocated"])
def test_restarting_starts_what_does_not_run(cloud: Cloud, state: str) -> None:
    cloud.run()
    cloud.run(state=state)
    predicted = cloud.run(state="restarted", check=True)
    assert (predicted["actions"], cloud.writes) == (["start virtual machine web1"], [])
    real = cloud.run(state="restarted")
    assert (real["actions"], real["diff"]) == (predicted["actions"], predicted["diff"])
    check_prediction(cloud, predicted["actions"])
    check_host(real["host"], predicted["host"])
    assert real["host"]["power_state"] == "running"


def test_adopting_is_predicted(cloud: Cloud) -> None:
    cloud.run()
    for entry in ("Compute/virtualMachines/web1", "Network/networkInterfaces/web1-nic"):
        cloud.arm("PATCH", f"/providers/Microsoft.{entry}", {"tags": {"theirs": "x"}})
    given = {"adopt": True, "ssh_allowed_sources": ["203.0.113.0/24"]}
    predicted = cloud.run(check=True, **given)
    assert cloud.writes == []
    real = cloud.run(False, **given)
    assert (real["actions"], real["diff"]) == (predicted["actions"], predicted["diff"])
    assert sorted(real["actions"]) == [
        "update network interface web1-nic",
        "update network security group web1-nsg",
        "update virtual machine web1",
    ]
    check_prediction(cloud, predicted["actions"])
    check_host(real["host"], predicted["host"])
    assert cloud.run(ssh_allowed_sources=["203.0.113.0/24"])["changed"] is False


def test_a_host_with_an_interface_that_was_given(cloud: Cloud) -> None:
    base, place = "/providers/Microsoft.Network", {"location": "westeurope"}
    cloud.arm("PUT", "", place)
    subnets = [{"name": "s", "properties": {"addressPrefix": "10.9.1.0/24"}}]
    space = {"addressSpace": {"addressPrefixes": ["10.9.0.0/16"]}, "subnets": subnets}
    network = cloud.arm("PUT", f"{base}/virtualNetworks/net", {**place, "properties": space})
    subnet = {"subnet": {"id": f"{network['id']}/subnets/s"}}
    configuration = {"ipConfigurations": [{"name": "one", "properties": subnet}]}
    cloud.arm("PUT", f"{base}/networkInterfaces/given", {**place, "properties": configuration})
    predicted = cloud.run(check=True, network_interface="given")
    made = cloud.run(network_interface="given")
    assert made["actions"] == predicted["actions"]
    check_host(made["host"], predicted["host"])
    address = made["host"]["private_ip_address"]
    assert address
    # The VM tells which interface it was given.
    for state in ("stopped", "deallocated", "restarted"):
        predicted, real = cloud.run(state=state, check=True), cloud.run(state=state)
        check_prediction(cloud, predicted["actions"])
        check_host(real["host"], predicted["host"])
        assert real["host"]["private_ip_address"] == address
        assert real["host"]["resources"]["network_interface"].endswith("/networkInterfaces/given")
    assert cloud.run(network_interface="given")["changed"] is False
    check_kept(cloud, cloud.run(network_interface="given")["host"])
    with pytest.raises(ImmutableError, match="network_interface"):
        cloud.run(allowed_sources=["10.0.0.0/8"])
    assert cloud.writes == []


def test_what_was_given_is_used_and_left_alone(cloud: Cloud) -> None:
    place = {"location": "westeurope"}
    cloud.arm("PUT", "", place)
    base = "/providers/Microsoft.Network"
    subnets = [{"name": "s", "properties": {"addressPrefix": "10.9.1.0/24"}}]
    space = {"addressSpace": {"addressPrefixes": ["10.9.0.0/16"]}, "subnets": subnets}
    cloud.arm("PUT", f"{base}/virtualNetworks/net", {**place, "properties": space})
    cloud.arm("PUT", f"{base}/networkSecurityGroups/nsg", {**place, "properties": {}})
    address = {"sku": {"name": "Standard"}, "properties": {"publicIPAllocationMethod": "Static"}}
    cloud.arm("PUT", f"{base}/publicIPAddresses/ip", {**place, **address})
    given = {
        "virtual_network": "net",
        "subnet_name": "s",
        "security_group": f"{cloud.group}:nsg",
        "public_ip_address": "ip",
    }
    made = cloud.run(False, **given)
    assert made["actions"][-2:] == ["create network interface web1-nic", "create virtual machine web1"]
    assert len(made["actions"]) == 2 + (made["actions"][0].startswith("generate"))
    assert "4243" in cloud.warnings[0]
    assert made["host"]["public_ip_address"]
    assert cloud.run(False, **given)["changed"] is False
    gone = cloud.run(False, state="absent", **given)
    assert gone["actions"] == ["delete virtual machine web1", "delete network interface web1-nic"]
    names = sorted(key.rsplit("/", 1)[-1] for key in cloud.resources() if "/providers/" in key.lower())
    assert {"net", "nsg", "ip"} <= set(names)
    assert not [name for name in names if name.startswith("web1")]


def test_ssh_that_is_required_is_open_or_keeps_being_open(cloud: Cloud) -> None:
    given = {"require_ssh": True}
    for check in (True, False):
        with pytest.raises(OptionError, match="must be set, because SSH would be closed") as caught:
            cloud.run(check, **given)
        assert (caught.value.option, cloud.writes) == ("ssh_allowed_sources", [])
    for way in ({"assign_public_ip": False}, {"address": "10.0.0.1"}):
        assert cloud.run(check=True, **given, **way)["changed"]
    cloud.run(**given, ssh_allowed_sources=["198.51.100.0/24"])
    assert cloud.run(**given)["changed"] is False
    with pytest.raises(OptionError, match="SSH would be closed"):
        cloud.run(**given, ssh_allowed_sources=[])


def test_progress_is_told_while_it_goes_on(cloud: Cloud) -> None:
    cloud.run()
    assert "web1: VM Creating 0 s, usually 95 s" in cloud.lines
    assert any(line.startswith("web1: VM Succeeded") for line in cloud.lines)


def test_the_key_is_made_once_and_kept(cloud: Cloud) -> None:
    made = cloud.run()
    content = cloud.key.read_bytes()
    assert made["ssh_private_key_path"] == str(cloud.key)
    assert cloud.key.stat().st_mode & 0o777 == 0o600
    assert content.startswith(b"-----BEGIN OPENSSH PRIVATE KEY-----")
    cloud.run(name="web2")
    assert cloud.key.read_bytes() == content


def test_without_waiting_the_task_ends_while_azure_goes_on(cloud: Cloud) -> None:
    cloud.run()
    cloud.azure.hold()
    try:
        left = cloud.run(state="stopped", wait=False)
        assert left["actions"] == ["power off virtual machine web1"]
        going = cloud.going()
        assert len(going) == 1
        cloud.azure.release(going[0]["id"])
    finally:
        cloud.azure.hold(False)
    assert cloud.run(state="stopped")["changed"] is False
