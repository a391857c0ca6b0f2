# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plans from the current to the desired state of a host."""

from __future__ import annotations

import copy
import typing as t
from dataclasses import replace

import pytest

from ansible_collections.dockerhost.azure.plugins.module_utils._errors import OptionError
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.current.state import HostState
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.desired.host_spec import HostSpec
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.desired.topology import resolve_resources
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.plan.model import OwnershipError

from ..conftest import KEY, SUBSCRIPTION, changed, created, desired, plan_of


def test_a_new_host_is_made_of_six_resources_in_order(host: HostSpec) -> None:
    plan = plan_of(host, HostState())
    assert plan.lines == [
        "create resource group rg",
        "create virtual network docker-vnet",
        "create network security group web1-nsg",
        "create public IP address web1-ip",
        "create network interface web1-nic",
        "create virtual machine web1",
    ]
    needs = {action.key: set(action.needs) for action in plan.actions}
    assert needs["virtual_network"] == needs["security_group"] == needs["public_ip_address"] == {"resource_group"}
    assert needs["network_interface"] >= {"virtual_network", "security_group", "public_ip_address"}
    assert needs["virtual_machine"] == {"network_interface"}


def test_everything_carries_the_owners_tags(host: HostSpec) -> None:
    owners = {action.kind: (action.body or {})["tags"]["docker-host"] for action in plan_of(host, HostState()).actions}
    assert owners.pop("resource_group") == owners.pop("virtual_network") == "shared"
    assert set(owners.values()) == {"web1"}


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"tags": {"a": "b"}, "ssh_allowed_sources": ["10.0.0.0/8"], "open_ports": [80, "53/udp"]},
        {"assign_public_ip": False},
        {"assign_dns_label": False, "zone": "1", "ssh_port": 2222},
        {"data_disks": [{"lun": 0, "disk_size_gb": 8}], "os_disk_size_gb": 64, "managed_disk_type": "Premium_LRS"},
        {"priority": "Spot", "max_price": 0.5, "vm_size": "Standard_D2s_v5", "image": "debian-12"},
        {"vm_identity": {"type": "UserAssigned", "user_assigned_identities": ["me"]}, "boot_diagnostics": False},
        {"private_ip_address": "10.0.0.9", "enable_accelerated_networking": True, "license_type": "RHEL_BYOS"},
        {"ssh_public_keys": [KEY], "admin_username": "jo", "security_profile": {"security_type": "TrustedLaunch"}},
        {"proximity_placement_group": "ppg", "availability_set": "as", "admin_password": "Abcdefghij12"},
    ],
)
def test_what_was_made_needs_nothing_more(given: dict[str, t.Any]) -> None:
    host = desired(**given)
    plan = plan_of(host, created(host))
    assert plan.lines == []
    assert plan.diff == {"before": {}, "after": {}}


def test_no_secret_is_in_the_diff() -> None:
    host = desired(admin_password="Abcdefghij12", custom_data="very-secret", user_data="also-secret")
    text = str(plan_of(host, HostState()).diff) + repr(plan_of(host, HostState()))
    for secret in ("Abcdefghij12", "very-secret", "dmVyeS1zZWNyZXQ", "YWxzby1zZWNyZXQ"):
        assert secret not in text


def test_a_group_that_exists_gives_the_location() -> None:
    host = desired(location=None)
    group = {"id": "/subscriptions/s/resourceGroups/rg", "name": "rg", "location": "northeurope"}
    plan = plan_of(host, HostState(resource_group=group))
    assert "create resource group rg" not in plan.lines
    assert {(action.body or {}).get("location") for action in plan.actions} == {"northeurope"}


def test_without_group_and_location_there_is_a_clear_error() -> None:
    with pytest.raises(OptionError, match="location"):
        plan_of(desired(location=None), HostState())


def test_drift_in_our_rules_comes_back_and_foreign_rules_stay(host: HostSpec) -> None:
    current = created(host)
    properties: dict[str, t.Any] = {"priority": 300, "direction": "Inbound", "access": "Allow", "protocol": "Tcp"}
    properties.update(sourcePortRange="*", destinationPortRange="5000", provisioningState="Succeeded")
    properties.update(sourceAddressPrefix="*", destinationAddressPrefix="*")
    foreign = {"name": "theirs", "properties": properties}
    stale = {"name": "docker-host-open-99-tcp", "properties": {"priority": 301, "direction": "Inbound"}}
    plan = plan_of(host, changed(current, "security_group", securityRules=[foreign, stale]))
    assert plan.lines == ["update network security group web1-nsg"]
    rules = {rule["name"]: rule["properties"] for rule in (plan.actions[0].body or {})["properties"]["securityRules"]}
    assert set(rules) == {"theirs", "docker-host-docker"}
    assert rules["docker-host-docker"]["priority"] != 300
    assert "provisioningState" not in rules["theirs"]


def test_another_docker_port_changes_rule_and_tag_only(host: HostSpec) -> None:
    plan = plan_of(desired(docker_port=2376), created(host))
    assert plan.lines == ["update network security group web1-nsg", "update virtual machine web1"]
    assert (plan.actions[1].body or {}).keys() == {"tags"}
    assert (plan.actions[1].body or {})["tags"]["docker-host-port"] == "2376"


def test_tags_of_others_stay_unless_they_are_to_go(host: HostSpec) -> None:
    current = created(host)
    machine = copy.deepcopy(current.virtual_machine)
    assert machine
    machine["tags"].update({"theirs": "x", "docker-host-ca": "fingerprint"})
    current = replace(current, virtual_machine=machine)
    assert plan_of(host, current).lines == []
    plan = plan_of(desired(append_tags=False), current)
    assert plan.lines == ["update virtual machine web1"]
    tags = (plan.actions[0].body or {})["tags"]
    assert "theirs" not in tags
    assert tags["docker-host-ca"] == "fingerprint"


@pytest.mark.parametrize("kind", ["virtual_network", "security_group", "public_ip_address", "network_interface"])
def test_what_is_not_ours_is_left_alone(host: HostSpec, kind: str) -> None:
    resource = {**getattr(created(host), kind), "tags": {"docker-host": "web1"}}
    found: dict[str, t.Any] = {kind: resource}
    current = HostState(**found)
    with pytest.raises(OwnershipError) as caught:
        plan_of(host, current)
    assert caught.value.details["foreign"] == [resource["id"]]


def test_a_resource_of_another_host_is_not_ours(host: HostSpec) -> None:
    current = created(host)
    group = {
        **(current.security_group or {}),
        "tags": {"docker-host": "web2", "docker-host-collection": "dockerhost.azure"},
    }
    with pytest.raises(OwnershipError, match="created for web2"):
        plan_of(host, replace(current, security_group=group))


def test_adopting_writes_our_tags(host: HostSpec) -> None:
    current = created(host)
    group = {**(current.security_group or {}), "tags": {"theirs": "x"}}
    plan = plan_of(desired(adopt=True), replace(current, security_group=group))
    assert plan.lines == ["update network security group web1-nsg"]
    assert (plan.actions[0].body or {})["tags"]["theirs"] == "x"


def test_tag_names_differ_not_by_case() -> None:
    host = desired(tags={"Team": "build"})
    current = created(host)
    for kind in ("virtual_machine", "network_interface", "public_ip_address", "security_group"):
        resource = getattr(current, kind)
        tags = {name.swapcase(): value for name, value in resource["tags"].items()}
        current = replace(current, **{kind: {**resource, "tags": tags}})
    for given in ({}, {"append_tags": False}):
        assert plan_of(desired(tags={"Team": "build"}, **given), current).lines == []
    plan = plan_of(desired(tags={"team": "web"}, append_tags=False), current)
    assert (plan.actions[0].body or {})["tags"]["tEAM"] == "web"
    assert not {"team", "Team"} & set((plan.actions[0].body or {})["tags"])


def test_an_adopted_network_gets_its_tags_and_nothing_else(host: HostSpec) -> None:
    network = {**(created(host).virtual_network or {}), "tags": {"theirs": "x"}}
    plan = plan_of(desired(adopt=True), HostState(virtual_network=network))
    action = plan.action("virtual_network")
    assert action
    assert (action.line, action.differences[0].path) == ("tag virtual network docker-vnet", "tags")
    tags = {"theirs": "x", "docker-host": "shared", "docker-host-collection": "dockerhost.azure"}
    assert action.body == {"tags": tags}
    assert plan_of(host, HostState(virtual_network={**network, "tags": tags})).action("virtual_network") is None


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ({"properties": {"publicIPAddressVersion": "IPv6"}}, "IPv6"),
        ({"sku": {"name": "Basic"}}, "Basic"),
        ({"zones": ["2"]}, "zone 2"),
        ({"zones": ["1", "2", "3"]}, None),
        ({}, None),
    ],
)
def test_a_given_address_must_fit(more: dict[str, t.Any], problem: str | None) -> None:
    host = desired(public_ip_address="ip", zone="1")
    path = resolve_resources(host, SUBSCRIPTION).public_ip_address
    address = {"id": path, "location": "westeurope", "sku": {"name": "Standard"}, "properties": {}, **more}
    if problem is None:
        assert plan_of(host, HostState(public_ip_address=address)).action("public_ip_address") is None
        return
    with pytest.raises(OptionError, match=problem) as caught:
        plan_of(host, HostState(public_ip_address=address))
    assert caught.value.option == "public_ip_address"


def test_a_label_stays_until_another_is_asked_for(host: HostSpec) -> None:
    current = changed(created(host), "public_ip_address", dnsSettings={"domainNameLabel": "older", "fqdn": "older.x"})
    assert plan_of(host, current).lines == []
    for given in ({"dns_label": "newer"}, {"assign_dns_label": False}):
        assert plan_of(desired(**given), current).lines == ["update public IP address web1-ip"]


def test_a_failed_vm_is_made_again_with_its_keys(host: HostSpec) -> None:
    current = changed(created(host), "virtual_machine", provisioningState="Failed")
    plan = plan_of(host, current)
    assert plan.lines == ["create virtual machine web1 again, since it failed"]
    stopped = changed(current, "virtual_machine", instanceView={"statuses": [{"code": "PowerState/stopped"}]})
    assert plan_of(host, stopped).lines == [*plan.lines, "start virtual machine web1"]
    profile = (plan.actions[0].body or {})["properties"]["osProfile"]
    assert profile["linuxConfiguration"]["ssh"]["publicKeys"][0]["keyData"] == KEY


def test_a_host_that_is_to_be_private_loses_its_address(host: HostSpec) -> None:
    plan = plan_of(desired(assign_public_ip=False), created(host))
    assert plan.lines == ["update network interface web1-nic", "delete public IP address web1-ip"]
    assert plan.actions[1].needs == ("network_interface",)


def test_what_was_given_must_exist_and_is_never_touched() -> None:
    host = desired(security_group="theirs:nsg", public_ip_address="ip", virtual_network="net", subnet_name="s")
    with pytest.raises(OptionError, match="public_ip_address"):
        plan_of(host, HostState())
    resources = resolve_resources(host, SUBSCRIPTION)
    current = HostState(
        resource_group={"id": "x", "name": "rg", "location": "westeurope"},
        security_group={"id": resources.security_group, "location": "westeurope", "properties": {}},
        public_ip_address={"id": resources.public_ip_address, "location": "westeurope", "properties": {}},
        virtual_network={
            "id": resources.virtual_network,
            "location": "westeurope",
            "properties": {"subnets": [{"id": resources.subnet, "name": "s"}]},
        },
    )
    plan = plan_of(host, current)
    assert plan.lines == ["create network interface web1-nic", "create virtual machine web1"]
    assert "4243" in plan.notes[0]


def test_a_subnet_that_is_missing_in_a_given_network_is_an_error() -> None:
    host = desired(virtual_network="net", subnet_name="s")
    resources = resolve_resources(host, SUBSCRIPTION)
    network = {"id": resources.virtual_network, "location": "westeurope", "properties": {"subnets": [{"name": "t"}]}}
    with pytest.raises(OptionError, match="only: t"):
        plan_of(host, HostState(virtual_network=network))


def test_a_shared_network_that_is_there_is_not_written(host: HostSpec) -> None:
    current = HostState(virtual_network=created(host).virtual_network)
    assert not any(action.kind == "virtual_network" for action in plan_of(host, current).actions)


def test_new_subnets_say_that_their_hosts_may_download(host: HostSpec) -> None:
    found = created(host)
    (first,) = (found.virtual_network or {})["properties"]["subnets"]
    second = plan_of(
        desired(name="web2", subnet_name="more"), replace(HostState(), virtual_network=found.virtual_network)
    )
    for body in (first, second.action("subnet").body or {}):
        assert body["properties"]["defaultOutboundAccess"] is True


@pytest.mark.parametrize(("more", "warned"), [({}, True), ({"natGateway": {"id": "x"}}, False)])
def test_a_private_host_without_a_way_out_is_told(more: dict[str, t.Any], warned: bool) -> None:
    host = desired(virtual_network="net", subnet_name="s", assign_public_ip=False)
    resources = resolve_resources(host, SUBSCRIPTION)
    subnet = {"id": resources.subnet, "name": "s", "properties": {"defaultOutboundAccess": False, **more}}
    network = {"id": resources.virtual_network, "location": "westeurope", "properties": {"subnets": [subnet]}}
    assert bool(plan_of(host, HostState(virtual_network=network)).notes) is warned


@pytest.mark.parametrize(
    ("more", "again"),
    [({}, True), ({"ipConfigurations": [{"id": "/x"}]}, False), ({"routeTable": {"id": "/x"}}, False)],
)
def test_a_subnet_that_failed_is_made_again_while_nothing_is_in_it(
    host: HostSpec, more: dict[str, t.Any], again: bool
) -> None:
    found = created(host)
    broken = copy.deepcopy(found.virtual_network or {})
    broken["properties"]["provisioningState"] = "Failed"
    subnet = broken["properties"]["subnets"][0]
    subnet["properties"] = {**subnet["properties"], "provisioningState": "Failed", **more}
    plan = plan_of(host, HostState(resource_group=found.resource_group, virtual_network=broken))
    action = plan.action("subnet")
    assert (action is not None) is again
    assert plan.action("virtual_network") is None
    if action:
        assert action.line == "create subnet docker again, since it failed"
        assert action.body == {"properties": {"addressPrefix": "10.0.0.0/24", "defaultOutboundAccess": True}}
        assert action.differences[0].path == "provisioning_state"
