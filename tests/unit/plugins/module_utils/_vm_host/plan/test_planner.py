# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From what is there to what is wanted."""

from __future__ import annotations

import base64
import copy
import gzip
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
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.plan.power import plan_power

from ..conftest import KEY, SUBSCRIPTION, created, desired, plan_of


def changed(current: HostState, kind: str, **properties: t.Any) -> HostState:
    """The facts with properties of one resource changed."""
    resource = copy.deepcopy(getattr(current, kind))
    resource["properties"].update(properties)
    return replace(current, **{kind: resource})


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
        plan_of(desired(**given), created(host))
    assert [entry["property"] for entry in caught.value.details["immutable"]] == [path]


def test_a_password_is_not_shown(host: HostSpec) -> None:
    with pytest.raises(ImmutableError, match=r"admin_password is 'none.*off', desired is '.not shown.'") as caught:
        plan_of(desired(admin_password="Abcdefghij12"), created(host))
    assert "Abcdefghij12" not in f"{caught.value} {caught.value.details}"


def test_keys_for_a_host_that_has_a_password_only() -> None:
    host = desired(admin_password="Abcdefghij12")
    current = created(host)
    (current.virtual_machine or {})["properties"]["osProfile"]["linuxConfiguration"].pop("ssh", None)
    with pytest.raises(ImmutableError) as caught:
        plan_of(desired(ssh_public_keys=[KEY]), current)
    (entry,) = caught.value.details["immutable"]
    assert (entry["property"], entry["current"], entry["desired"]) == ("ssh_public_keys", [], [KEY.rpartition(" ")[0]])
    bare = changed(current, "virtual_machine", osProfile={})
    assert not plan_of(desired(ssh_public_keys=[KEY]), bare)


def test_other_custom_data_is_noticed_and_not_shown() -> None:
    host = desired(custom_data="#!/bin/sh\necho secret1\n")
    current = created(host)
    tag = (current.virtual_machine or {})["tags"]["docker-host-custom-data"]
    # The same in check mode and in a real run, and another for another host.
    assert (created(host).virtual_machine or {})["tags"]["docker-host-custom-data"] == tag
    other = created(desired(name="web2", custom_data="#!/bin/sh\necho secret1\n")).virtual_machine or {}
    assert other["tags"]["docker-host-custom-data"] != tag
    assert not plan_of(host, current)
    assert not plan_of(desired(), current)
    with pytest.raises(ImmutableError) as caught:
        plan_of(desired(custom_data="#!/bin/sh\necho secret2\n"), current)
    assert [entry["property"] for entry in caught.value.details["immutable"]] == ["custom_data"]
    assert "secret" not in f"{caught.value} {caught.value.details} {tag}"


def test_custom_data_of_a_host_without_the_tag_cannot_be_seen(host: HostSpec) -> None:
    plan = plan_of(desired(custom_data="#!/bin/sh\n"), created(host))
    assert not plan.actions
    assert ["custom_data" in note for note in plan.notes] == [True]


@pytest.mark.parametrize("own", [None, "#!/bin/sh\necho secret1\n"])
def test_an_installation_at_boot_is_for_new_hosts_and_counts_in_no_comparison(own: str | None) -> None:
    at_boot = {"engine": {"at_boot": True}, "setup_program": "print()"}
    host = desired(custom_data=own, **at_boot)
    plan = plan_of(host, HostState())
    creation = plan.action("virtual_machine")
    assert creation is not None
    assert creation.also == "engine at first boot"
    assert "print()" not in str(creation.differences)
    data = gzip.decompress(base64.b64decode((creation.body or {})["properties"]["osProfile"]["customData"]))
    assert b"print()" in data
    current = created(host)
    assert ("docker-host-custom-data" in (current.virtual_machine or {})["tags"]) is bool(own)
    for later in (host, desired(custom_data=own), desired(custom_data=own, **{**at_boot, "setup_program": "other"})):
        assert not plan_of(later, current)
    assert not plan_of(host, created(desired(custom_data=own)))


def test_all_that_cannot_be_changed_is_in_one_error(host: HostSpec) -> None:
    with pytest.raises(ImmutableError, match=r"zone.*image.*admin_username"):
        plan_of(desired(zone="2", image="debian-12", admin_username="jo"), created(host))


def test_a_size_needs_leave_to_stop(host: HostSpec) -> None:
    # Nothing else: the role refuses a host that is off.
    with pytest.raises(OptionError, match=r"allow that with allow_stop: true$"):
        plan_of(desired(vm_size="Standard_D2s_v5"), created(host))


def test_a_size_at_hand_restarts_and_another_deallocates(host: HostSpec) -> None:
    bigger = desired(vm_size="Standard_D2s_v5", allow_stop=True)
    current = replace(created(host), available_sizes=frozenset({"standard_d2s_v5"}))
    assert plan_of(bigger, current).lines == ["update virtual machine web1 (restarts it)"]
    current = replace(current, available_sizes=frozenset({"Standard_B2ts_v2"}))
    assert plan_of(bigger, current).lines == [
        "deallocate virtual machine web1",
        "update virtual machine web1",
        "start virtual machine web1",
    ]


def test_a_size_of_a_stopped_host_needs_no_leave(host: HostSpec) -> None:
    view = {"statuses": [{"code": "PowerState/deallocated"}]}
    current = changed(created(host), "virtual_machine", instanceView=view)
    assert plan_of(desired(vm_size="Standard_D2s_v5"), current).lines == ["update virtual machine web1"]


OWN_DISK = f"web1_disk2_{'0f' * 16}"


def with_disk(name: str, **more: t.Any) -> HostState:
    """A host with one data disk of 8 GiB at lun 0."""
    current = created(desired(data_disks=[{"lun": 0, "disk_size_gb": 8}]))
    storage = (current.virtual_machine or {})["properties"]["storageProfile"]
    managed = {"id": f"/disks/{name}", "storageAccountType": "StandardSSD_LRS"}
    disk = {**storage["dataDisks"][0], "name": name, "managedDisk": managed, **more}
    return changed(current, "virtual_machine", storageProfile={**storage, "dataDisks": [disk]})


def disk_asked(size: int = 8, **more: t.Any) -> HostSpec:
    """A host that is to have one data disk at lun 0, and may be stopped."""
    caching = {"caching": more.pop("caching")} if "caching" in more else {}
    return desired(data_disks=[{"lun": 0, "disk_size_gb": size, **caching}], **{"allow_stop": True, **more})


def test_disks_are_added_and_grown_and_never_shrunk() -> None:
    current = with_disk(OWN_DISK)
    more = desired(data_disks=[{"lun": 0, "disk_size_gb": 16}, {"lun": 1, "disk_size_gb": 4}])
    plan = plan_of(more, current)
    assert plan.lines == [f"grow disk {OWN_DISK}", "update virtual machine web1"]
    disks = (plan.actions[1].body or {})["properties"]["storageProfile"]["dataDisks"]
    assert [(entry["lun"], entry["createOption"]) for entry in disks] == [(0, "Attach"), (1, "Empty")]
    with pytest.raises(ImmutableError, match="lun 0"):
        plan_of(desired(data_disks=[{"lun": 0, "disk_size_gb": 4}]), current)


def test_another_caching_is_given_to_a_disk_while_nothing_uses_it() -> None:
    current = with_disk(OWN_DISK)
    with pytest.raises(OptionError, match="allow_stop") as caught:
        plan_of(disk_asked(caching="ReadOnly", allow_stop=False), current)
    assert caught.value.option == "data_disks[lun 0].caching"
    plan = plan_of(disk_asked(caching="ReadOnly"), current)
    assert plan.lines == [
        "deallocate virtual machine web1",
        "update virtual machine web1",
        "start virtual machine web1",
    ]
    (disk,) = (plan.actions[1].body or {})["properties"]["storageProfile"]["dataDisks"]
    assert (disk["lun"], disk["createOption"], disk["caching"]) == (0, "Attach", "ReadOnly")
    assert not plan_of(disk_asked(caching="None"), current)
    assert not plan_of(disk_asked(), with_disk(OWN_DISK, caching="ReadOnly"))


def test_a_disk_that_grows_out_of_its_cache_loses_it_first() -> None:
    current = with_disk(OWN_DISK, caching="ReadOnly")
    with pytest.raises(OptionError, match=r"4095 GiB with the caching ReadOnly.*set caching to None") as caught:
        plan_of(disk_asked(5000), current)
    assert caught.value.option == "data_disks[lun 0].disk_size_gb"
    plan = plan_of(disk_asked(5000, caching="None"), current)
    grow = next(action for action in plan.actions if action.verb == "grow")
    assert {"stop", "virtual_machine"} <= set(grow.needs)
    assert grow.key in next(action for action in plan.actions if action.verb == "start").needs


@pytest.mark.parametrize("given", [{"size": 16}, {"caching": "ReadOnly"}])
def test_a_disk_of_others_is_left_alone(given: dict[str, t.Any]) -> None:
    for name in ("theirs", f"web10_disk2_{'0f' * 16}"):
        current = with_disk(name)
        with pytest.raises(
            OwnershipError, match=f"lun 0.*/disks/{name} was not created for the host web1.*another lun"
        ):
            plan_of(disk_asked(**given), current)
        assert plan_of(disk_asked(**given, adopt=True), current)
        assert not plan_of(disk_asked(), current)
        assert plan_of(disk_asked(**given), with_disk(name, tags=owner_tags("web1")))


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


def power(state: str, state_now: str) -> Plan:
    """The plan for a power state."""
    view = {"statuses": [{"code": f"PowerState/{state_now}"}]}
    current = changed(created(desired()), "virtual_machine", instanceView=view)
    host = desired(state=state)
    if state == "started":
        return plan_of(host, current)
    return plan_power(host, resolve_resources(host, SUBSCRIPTION), current)


@pytest.mark.parametrize(
    ("state", "current", "actions"),
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
def test_power_states(state: str, current: str, actions: list[str]) -> None:
    assert power(state, current).lines == actions


@pytest.mark.parametrize("state", ["stopped", "deallocated", "restarted"])
def test_power_states_need_a_host(state: str) -> None:
    host = desired(state=state)
    with pytest.raises(DockerHostError, match="host web1 does not exist"):
        plan_power(host, resolve_resources(host, SUBSCRIPTION), HostState())


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
