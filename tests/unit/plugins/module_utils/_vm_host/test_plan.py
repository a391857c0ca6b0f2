# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From what is there to what is wanted."""

from __future__ import annotations

import copy
import typing as t
from dataclasses import replace

import pytest

from ansible_collections.dockerhost.azure.plugins.module_utils._azure.tags import owner_tags
from ansible_collections.dockerhost.azure.plugins.module_utils._errors import DockerHostError, OptionError
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.current.state import HostState
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.desired.host_spec import HostSpec
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.desired.topology import resolve_resources
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.plan.model import (
    ImmutableError,
    OwnershipError,
    Plan,
)
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.plan.planner import plan_power

from .conftest import KEY, SUBSCRIPTION, created, plan_of, wanted


def changed(facts: HostState, kind: str, **properties: t.Any) -> HostState:
    """The facts with properties of one resource changed."""
    resource = copy.deepcopy(getattr(facts, kind))
    resource["properties"].update(properties)
    return replace(facts, **{kind: resource})


def test_a_new_host_is_made_of_six_resources_in_order(host: HostSpec) -> None:
    plan = plan_of(host, HostState())
    assert plan.actions == [
        "create resource group rg",
        "create virtual network docker-vnet",
        "create network security group web1-nsg",
        "create public IP address web1-ip",
        "create network interface web1-nic",
        "create virtual machine web1",
    ]
    needs = {step.key: set(step.needs) for step in plan.steps}
    assert needs["virtual_network"] == needs["security_group"] == needs["public_ip_address"] == {"resource_group"}
    assert needs["network_interface"] >= {"virtual_network", "security_group", "public_ip_address"}
    assert needs["virtual_machine"] == {"network_interface"}


def test_everything_carries_the_owners_tags(host: HostSpec) -> None:
    owners = {step.kind: (step.body or {})["tags"]["docker-host"] for step in plan_of(host, HostState()).steps}
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
    host = wanted(**given)
    plan = plan_of(host, created(host))
    assert plan.actions == []
    assert plan.diff == {"before": {}, "after": {}}


def test_no_secret_is_in_the_diff() -> None:
    host = wanted(admin_password="Abcdefghij12", custom_data="very-secret", user_data="also-secret")
    text = str(plan_of(host, HostState()).diff) + repr(plan_of(host, HostState()))
    for secret in ("Abcdefghij12", "very-secret", "dmVyeS1zZWNyZXQ", "YWxzby1zZWNyZXQ"):
        assert secret not in text


def test_a_group_that_exists_gives_the_location() -> None:
    host = wanted(location=None)
    group = {"id": "/subscriptions/s/resourceGroups/rg", "name": "rg", "location": "northeurope"}
    plan = plan_of(host, HostState(resource_group=group))
    assert "create resource group rg" not in plan.actions
    assert {(step.body or {}).get("location") for step in plan.steps} == {"northeurope"}


def test_without_group_and_location_there_is_a_clear_error() -> None:
    with pytest.raises(OptionError, match="location"):
        plan_of(wanted(location=None), HostState())


def test_drift_in_our_rules_comes_back_and_foreign_rules_stay(host: HostSpec) -> None:
    facts = created(host)
    properties: dict[str, t.Any] = {"priority": 300, "direction": "Inbound", "access": "Allow", "protocol": "Tcp"}
    properties.update(sourcePortRange="*", destinationPortRange="5000", provisioningState="Succeeded")
    properties.update(sourceAddressPrefix="*", destinationAddressPrefix="*")
    foreign = {"name": "theirs", "properties": properties}
    stale = {"name": "docker-host-open-99-tcp", "properties": {"priority": 301, "direction": "Inbound"}}
    plan = plan_of(host, changed(facts, "security_group", securityRules=[foreign, stale]))
    assert plan.actions == ["update network security group web1-nsg"]
    rules = {rule["name"]: rule["properties"] for rule in (plan.steps[0].body or {})["properties"]["securityRules"]}
    assert set(rules) == {"theirs", "docker-host-docker"}
    assert rules["docker-host-docker"]["priority"] != 300
    assert "provisioningState" not in rules["theirs"]


def test_another_docker_port_changes_rule_and_tag_only(host: HostSpec) -> None:
    plan = plan_of(wanted(docker_port=2376), created(host))
    assert plan.actions == ["update network security group web1-nsg", "update virtual machine web1"]
    assert (plan.steps[1].body or {}).keys() == {"tags"}
    assert (plan.steps[1].body or {})["tags"]["docker-host-port"] == "2376"


def test_tags_of_others_stay_unless_they_are_to_go(host: HostSpec) -> None:
    facts = created(host)
    machine = copy.deepcopy(facts.virtual_machine)
    assert machine
    machine["tags"].update({"theirs": "x", "docker-host-ca": "fingerprint"})
    facts = replace(facts, virtual_machine=machine)
    assert plan_of(host, facts).actions == []
    plan = plan_of(wanted(append_tags=False), facts)
    assert plan.actions == ["update virtual machine web1"]
    tags = (plan.steps[0].body or {})["tags"]
    assert "theirs" not in tags
    assert tags["docker-host-ca"] == "fingerprint"


@pytest.mark.parametrize("kind", ["virtual_network", "security_group", "public_ip_address", "network_interface"])
def test_what_is_not_ours_is_left_alone(host: HostSpec, kind: str) -> None:
    resource = {**getattr(created(host), kind), "tags": {"docker-host": "web1"}}
    found: dict[str, t.Any] = {kind: resource}
    facts = HostState(**found)
    with pytest.raises(OwnershipError) as caught:
        plan_of(host, facts)
    assert caught.value.details["foreign"] == [resource["id"]]


def test_a_resource_of_another_host_is_not_ours(host: HostSpec) -> None:
    facts = created(host)
    group = {
        **(facts.security_group or {}),
        "tags": {"docker-host": "web2", "docker-host-collection": "dockerhost.azure"},
    }
    with pytest.raises(OwnershipError, match="made for web2"):
        plan_of(host, replace(facts, security_group=group))


def test_adopting_writes_our_tags(host: HostSpec) -> None:
    facts = created(host)
    group = {**(facts.security_group or {}), "tags": {"theirs": "x"}}
    plan = plan_of(wanted(adopt=True), replace(facts, security_group=group))
    assert plan.actions == ["update network security group web1-nsg"]
    assert (plan.steps[0].body or {})["tags"]["theirs"] == "x"


def test_tag_names_differ_not_by_case() -> None:
    host = wanted(tags={"Team": "build"})
    facts = created(host)
    for kind in ("virtual_machine", "network_interface", "public_ip_address", "security_group"):
        resource = getattr(facts, kind)
        tags = {name.swapcase(): value for name, value in resource["tags"].items()}
        facts = replace(facts, **{kind: {**resource, "tags": tags}})
    for given in ({}, {"append_tags": False}):
        assert plan_of(wanted(tags={"Team": "build"}, **given), facts).actions == []
    plan = plan_of(wanted(tags={"team": "web"}, append_tags=False), facts)
    assert (plan.steps[0].body or {})["tags"]["tEAM"] == "web"
    assert not {"team", "Team"} & set((plan.steps[0].body or {})["tags"])


def test_an_adopted_network_gets_its_tags_and_nothing_else(host: HostSpec) -> None:
    network = {**(created(host).virtual_network or {}), "tags": {"theirs": "x"}}
    plan = plan_of(wanted(adopt=True), HostState(virtual_network=network))
    step = plan.step("virtual_network")
    assert step
    assert (step.line, step.differences[0].path) == ("tag virtual network docker-vnet", "tags")
    tags = {"theirs": "x", "docker-host": "shared", "docker-host-collection": "dockerhost.azure"}
    assert step.body == {"tags": tags}
    assert plan_of(host, HostState(virtual_network={**network, "tags": tags})).step("virtual_network") is None


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
    host = wanted(public_ip_address="ip", zone="1")
    path = resolve_resources(host, SUBSCRIPTION).public_ip_address
    address = {"id": path, "location": "westeurope", "sku": {"name": "Standard"}, "properties": {}, **more}
    if problem is None:
        assert plan_of(host, HostState(public_ip_address=address)).step("public_ip_address") is None
        return
    with pytest.raises(OptionError, match=problem) as caught:
        plan_of(host, HostState(public_ip_address=address))
    assert caught.value.option == "public_ip_address"


def test_a_label_stays_until_another_is_asked_for(host: HostSpec) -> None:
    facts = changed(created(host), "public_ip_address", dnsSettings={"domainNameLabel": "older", "fqdn": "older.x"})
    assert plan_of(host, facts).actions == []
    for given in ({"dns_label": "newer"}, {"assign_dns_label": False}):
        assert plan_of(wanted(**given), facts).actions == ["update public IP address web1-ip"]


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"location": "northeurope"}, "location"),
        ({"zone": "2"}, "zone"),
        ({"image": "debian-12"}, "image"),
        ({"admin_username": "jo"}, "admin_username"),
        ({"ssh_port": 2222}, "ssh_port"),
        ({"priority": "Spot"}, "priority"),
        ({"availability_set": "as"}, "availability_set"),
        ({"managed_disk_type": "Premium_ZRS"}, "managed_disk_type"),
        ({"security_profile": {"security_type": "TrustedLaunch"}}, "security_profile.security_type"),
        ({"security_profile": {"secure_boot_enabled": True}}, "security_profile.secure_boot_enabled"),
        ({"security_profile": {"v_tpm_enabled": True}}, "security_profile.v_tpm_enabled"),
        ({"admin_password": "Abcdefghij12"}, "admin_password"),
        ({"ephemeral_os_disk": True}, "ephemeral_os_disk"),
        ({"ssh_public_keys": [KEY.replace("8d me", "8e me")]}, "ssh_public_keys"),
    ],
)
def test_what_azure_cannot_change_is_an_error(host: HostSpec, given: dict[str, t.Any], path: str) -> None:
    with pytest.raises(ImmutableError) as caught:
        plan_of(wanted(**given), created(host))
    assert [entry["property"] for entry in caught.value.details["immutable"]] == [path]


def test_a_password_is_not_shown(host: HostSpec) -> None:
    with pytest.raises(ImmutableError, match=r"admin_password is 'none.*off', asked is '.not shown.'") as caught:
        plan_of(wanted(admin_password="Abcdefghij12"), created(host))
    assert "Abcdefghij12" not in f"{caught.value} {caught.value.details}"


def test_keys_for_a_host_that_has_a_password_only() -> None:
    host = wanted(admin_password="Abcdefghij12")
    facts = created(host)
    (facts.virtual_machine or {})["properties"]["osProfile"]["linuxConfiguration"].pop("ssh", None)
    with pytest.raises(ImmutableError) as caught:
        plan_of(wanted(ssh_public_keys=[KEY]), facts)
    (entry,) = caught.value.details["immutable"]
    assert (entry["property"], entry["present"], entry["wanted"]) == ("ssh_public_keys", [], [KEY.rpartition(" ")[0]])
    bare = changed(facts, "virtual_machine", osProfile={})
    assert not plan_of(wanted(ssh_public_keys=[KEY]), bare)


def test_other_custom_data_is_noticed_and_not_shown() -> None:
    host = wanted(custom_data="#!/bin/sh\necho secret1\n")
    facts = created(host)
    tag = (facts.virtual_machine or {})["tags"]["docker-host-custom-data"]
    # The same in check mode and in a real run, and another for another host.
    assert (created(host).virtual_machine or {})["tags"]["docker-host-custom-data"] == tag
    other = created(wanted(name="web2", custom_data="#!/bin/sh\necho secret1\n")).virtual_machine or {}
    assert other["tags"]["docker-host-custom-data"] != tag
    assert not plan_of(host, facts)
    assert not plan_of(wanted(), facts)
    with pytest.raises(ImmutableError) as caught:
        plan_of(wanted(custom_data="#!/bin/sh\necho secret2\n"), facts)
    assert [entry["property"] for entry in caught.value.details["immutable"]] == ["custom_data"]
    assert "secret" not in f"{caught.value} {caught.value.details} {tag}"


def test_custom_data_of_a_host_without_the_tag_cannot_be_seen(host: HostSpec) -> None:
    plan = plan_of(wanted(custom_data="#!/bin/sh\n"), created(host))
    assert not plan.steps
    assert ["custom_data" in note for note in plan.notes] == [True]


def test_all_that_cannot_be_changed_is_in_one_error(host: HostSpec) -> None:
    with pytest.raises(ImmutableError, match=r"zone.*image.*admin_username"):
        plan_of(wanted(zone="2", image="debian-12", admin_username="jo"), created(host))


def test_a_size_needs_leave_to_stop(host: HostSpec) -> None:
    with pytest.raises(OptionError, match="allow_stop"):
        plan_of(wanted(vm_size="Standard_D2s_v5"), created(host))


def test_a_size_at_hand_restarts_and_another_deallocates(host: HostSpec) -> None:
    bigger = wanted(vm_size="Standard_D2s_v5", allow_stop=True)
    facts = replace(created(host), available_sizes=frozenset({"standard_d2s_v5"}))
    assert plan_of(bigger, facts).actions == ["update virtual machine web1 (restarts it)"]
    facts = replace(facts, available_sizes=frozenset({"Standard_B1s"}))
    assert plan_of(bigger, facts).actions == [
        "deallocate virtual machine web1",
        "update virtual machine web1",
        "start virtual machine web1",
    ]


def test_a_size_of_a_stopped_host_needs_no_leave(host: HostSpec) -> None:
    view = {"statuses": [{"code": "PowerState/deallocated"}]}
    facts = changed(created(host), "virtual_machine", instanceView=view)
    assert plan_of(wanted(vm_size="Standard_D2s_v5"), facts).actions == ["update virtual machine web1"]


OWN_DISK = f"web1_disk2_{'0f' * 16}"


def with_disk(name: str, **more: t.Any) -> HostState:
    """A host with one data disk of 8 GiB at lun 0."""
    facts = created(wanted(data_disks=[{"lun": 0, "disk_size_gb": 8}]))
    storage = (facts.virtual_machine or {})["properties"]["storageProfile"]
    managed = {"id": f"/disks/{name}", "storageAccountType": "StandardSSD_LRS"}
    disk = {**storage["dataDisks"][0], "name": name, "managedDisk": managed, **more}
    return changed(facts, "virtual_machine", storageProfile={**storage, "dataDisks": [disk]})


def disk_asked(size: int = 8, **more: t.Any) -> HostSpec:
    """A host that is to have one data disk at lun 0, and may be stopped."""
    caching = {"caching": more.pop("caching")} if "caching" in more else {}
    return wanted(data_disks=[{"lun": 0, "disk_size_gb": size, **caching}], **{"allow_stop": True, **more})


def test_disks_are_added_and_grown_and_never_shrunk() -> None:
    facts = with_disk(OWN_DISK)
    more = wanted(data_disks=[{"lun": 0, "disk_size_gb": 16}, {"lun": 1, "disk_size_gb": 4}])
    plan = plan_of(more, facts)
    assert plan.actions == [f"grow disk {OWN_DISK}", "update virtual machine web1"]
    disks = (plan.steps[1].body or {})["properties"]["storageProfile"]["dataDisks"]
    assert [(entry["lun"], entry["createOption"]) for entry in disks] == [(0, "Attach"), (1, "Empty")]
    with pytest.raises(ImmutableError, match="lun 0"):
        plan_of(wanted(data_disks=[{"lun": 0, "disk_size_gb": 4}]), facts)


def test_another_caching_is_given_to_a_disk_while_nothing_uses_it() -> None:
    facts = with_disk(OWN_DISK)
    with pytest.raises(OptionError, match="allow_stop") as caught:
        plan_of(disk_asked(caching="ReadOnly", allow_stop=False), facts)
    assert caught.value.option == "data_disks[lun 0].caching"
    plan = plan_of(disk_asked(caching="ReadOnly"), facts)
    assert plan.actions == [
        "deallocate virtual machine web1",
        "update virtual machine web1",
        "start virtual machine web1",
    ]
    (disk,) = (plan.steps[1].body or {})["properties"]["storageProfile"]["dataDisks"]
    assert (disk["lun"], disk["createOption"], disk["caching"]) == (0, "Attach", "ReadOnly")
    assert not plan_of(disk_asked(caching="None"), facts)
    assert not plan_of(disk_asked(), with_disk(OWN_DISK, caching="ReadOnly"))


def test_a_disk_that_grows_out_of_its_cache_loses_it_first() -> None:
    facts = with_disk(OWN_DISK, caching="ReadOnly")
    with pytest.raises(OptionError, match=r"caching ReadOnly.*up to 4095 GiB.*caching: None") as caught:
        plan_of(disk_asked(5000), facts)
    assert caught.value.option == "data_disks[lun 0].disk_size_gb"
    plan = plan_of(disk_asked(5000, caching="None"), facts)
    grow = next(step for step in plan.steps if step.verb == "grow")
    assert {"stop", "virtual_machine"} <= set(grow.needs)
    assert grow.key in next(step for step in plan.steps if step.verb == "start").needs


@pytest.mark.parametrize("given", [{"size": 16}, {"caching": "ReadOnly"}])
def test_a_disk_of_others_is_left_alone(given: dict[str, t.Any]) -> None:
    for name in ("theirs", f"web10_disk2_{'0f' * 16}"):
        facts = with_disk(name)
        with pytest.raises(OwnershipError, match=f"lun 0.*/disks/{name} was not made for the host web1.*another lun"):
            plan_of(disk_asked(**given), facts)
        assert plan_of(disk_asked(**given, adopt=True), facts)
        assert not plan_of(disk_asked(), facts)
        assert plan_of(disk_asked(**given), with_disk(name, tags=owner_tags("web1")))


def test_a_failed_vm_is_made_again_with_its_keys(host: HostSpec) -> None:
    facts = changed(created(host), "virtual_machine", provisioningState="Failed")
    plan = plan_of(host, facts)
    assert plan.actions == ["create virtual machine web1 again, since it failed"]
    stopped = changed(facts, "virtual_machine", instanceView={"statuses": [{"code": "PowerState/stopped"}]})
    assert plan_of(host, stopped).actions == [*plan.actions, "start virtual machine web1"]
    profile = (plan.steps[0].body or {})["properties"]["osProfile"]
    assert profile["linuxConfiguration"]["ssh"]["publicKeys"][0]["keyData"] == KEY


def test_a_host_that_is_to_be_private_loses_its_address(host: HostSpec) -> None:
    plan = plan_of(wanted(assign_public_ip=False), created(host))
    assert plan.actions == ["update network interface web1-nic", "delete public IP address web1-ip"]
    assert plan.steps[1].needs == ("network_interface",)


def test_what_was_given_must_exist_and_is_never_touched() -> None:
    host = wanted(security_group="theirs:nsg", public_ip_address="ip", virtual_network="net", subnet_name="s")
    with pytest.raises(OptionError, match="public_ip_address"):
        plan_of(host, HostState())
    layout = resolve_resources(host, SUBSCRIPTION)
    facts = HostState(
        resource_group={"id": "x", "name": "rg", "location": "westeurope"},
        security_group={"id": layout.security_group, "location": "westeurope", "properties": {}},
        public_ip_address={"id": layout.public_ip_address, "location": "westeurope", "properties": {}},
        virtual_network={
            "id": layout.virtual_network,
            "location": "westeurope",
            "properties": {"subnets": [{"id": layout.subnet, "name": "s"}]},
        },
    )
    plan = plan_of(host, facts)
    assert plan.actions == ["create network interface web1-nic", "create virtual machine web1"]
    assert "4243" in plan.notes[0]


def test_a_subnet_that_is_missing_in_a_given_network_is_an_error() -> None:
    host = wanted(virtual_network="net", subnet_name="s")
    layout = resolve_resources(host, SUBSCRIPTION)
    network = {"id": layout.virtual_network, "location": "westeurope", "properties": {"subnets": [{"name": "t"}]}}
    with pytest.raises(OptionError, match="only: t"):
        plan_of(host, HostState(virtual_network=network))


def test_a_shared_network_that_is_there_is_not_written(host: HostSpec) -> None:
    facts = HostState(virtual_network=created(host).virtual_network)
    assert not any(step.kind == "virtual_network" for step in plan_of(host, facts).steps)


def power(state: str, actual: str) -> Plan:
    """The plan for a power state."""
    view = {"statuses": [{"code": f"PowerState/{actual}"}]}
    facts = changed(created(wanted()), "virtual_machine", instanceView=view)
    host = wanted(state=state)
    if state == "started":
        return plan_of(host, facts)
    return plan_power(host, resolve_resources(host, SUBSCRIPTION), facts)


@pytest.mark.parametrize(
    ("state", "actual", "actions"),
    [
        ("started", "running", []),
        ("started", "deallocated", ["start virtual machine web1"]),
        ("started", "stopped", ["start virtual machine web1"]),
        ("stopped", "running", ["power off virtual machine web1"]),
        ("stopped", "stopped", []),
        ("stopped", "deallocated", []),
        ("deallocated", "running", ["deallocate virtual machine web1"]),
        ("deallocated", "stopped", ["deallocate virtual machine web1"]),
        ("deallocated", "deallocated", []),
        ("restarted", "running", ["restart virtual machine web1"]),
        ("restarted", "deallocated", ["start virtual machine web1"]),
    ],
)
def test_power_states(state: str, actual: str, actions: list[str]) -> None:
    assert power(state, actual).actions == actions


@pytest.mark.parametrize("state", ["stopped", "deallocated", "restarted"])
def test_power_states_need_a_host(state: str) -> None:
    host = wanted(state=state)
    with pytest.raises(DockerHostError, match="no host web1"):
        plan_power(host, resolve_resources(host, SUBSCRIPTION), HostState())


@pytest.mark.parametrize(("more", "warned"), [({}, True), ({"natGateway": {"id": "x"}}, False)])
def test_a_private_host_without_a_way_out_is_told(more: dict[str, t.Any], warned: bool) -> None:
    host = wanted(virtual_network="net", subnet_name="s", assign_public_ip=False)
    layout = resolve_resources(host, SUBSCRIPTION)
    subnet = {"id": layout.subnet, "name": "s", "properties": {"defaultOutboundAccess": False, **more}}
    network = {"id": layout.virtual_network, "location": "westeurope", "properties": {"subnets": [subnet]}}
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
    step = plan.step("subnet")
    assert (step is not None) is again
    assert plan.step("virtual_network") is None
    if step:
        assert step.line == "create subnet docker again, since it failed"
        assert step.body == {"properties": {"addressPrefix": "10.0.0.0/24"}}
        assert step.differences[0].path == "provisioning_state"
