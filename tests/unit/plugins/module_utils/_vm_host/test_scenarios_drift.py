# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What somebody changed by hand comes back; names and labels that nearly are others'."""

from __future__ import annotations

import copy
import typing as t

import pytest

from ansible_collections.dockerhost.azure.plugins.module_utils._errors import OptionError
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.plan.model import OwnershipError

from .conftest import KEY, Cloud
from .support import ADDRESS, COMPUTE, NETWORK, PLACE, check_prediction

Json = dict[str, t.Any]
Change = t.Callable[[Json], t.Any]


def configuration(body: Json) -> Json:
    """The properties of an interface's one IP configuration."""
    return t.cast("Json", body["properties"]["ipConfigurations"][0]["properties"])


def change(cloud: Cloud, path: str, how: Change) -> None:
    """Change a resource as somebody else would."""
    found = cloud.arm("GET", path)
    body = {key: copy.deepcopy(found[key]) for key in ("location", "tags", "sku", "properties") if key in found}
    how(body)
    cloud.arm("PUT", path, body)


DRIFT: dict[str, tuple[str, Change, str]] = {
    "address detached": (
        f"{NETWORK}/networkInterfaces/web1-nic",
        lambda body: configuration(body).pop("publicIPAddress"),
        "update network interface web1-nic",
    ),
    "no security group": (
        f"{NETWORK}/networkInterfaces/web1-nic",
        lambda body: body["properties"].pop("networkSecurityGroup"),
        "update network interface web1-nic",
    ),
    "no label": (
        f"{NETWORK}/publicIPAddresses/web1-ip",
        lambda body: body["properties"].pop("dnsSettings"),
        "update public IP address web1-ip",
    ),
    "no tags of the user": (
        f"{NETWORK}/networkSecurityGroups/web1-nsg",
        lambda body: body["tags"].pop("team"),
        "update network security group web1-nsg",
    ),
}


@pytest.mark.parametrize("name", DRIFT)
def test_drift_comes_back(cloud: Cloud, name: str) -> None:
    path, how, line = DRIFT[name]
    given = {"tags": {"team": "build"}, "ssh_public_keys": [KEY]}
    made = cloud.run(**given)["host"]
    change(cloud, path, how)
    assert cloud.run(check=True, **given)["actions"] == [line]
    repaired = cloud.run(**given)
    assert repaired["actions"] == [line]
    check_prediction(cloud, [line])
    assert {key: repaired["host"][key] for key in ("fqdn", "public_ip_address", "resources")} == {
        key: made[key] for key in ("fqdn", "public_ip_address", "resources")
    }
    assert cloud.run(**given)["changed"] is False


def test_tags_of_the_machine_come_back_unless_it_is_not_ours_any_more(cloud: Cloud) -> None:
    given = {"tags": {"team": "build"}, "ssh_public_keys": [KEY]}
    tags = cloud.run(**given)["host"]["tags"]
    path = f"{COMPUTE}/virtualMachines/web1"
    owner = {key: value for key, value in tags.items() if key in ("docker-host", "docker-host-collection")}
    cloud.arm("PATCH", path, {"tags": owner})
    repaired = cloud.run(**given)
    assert (repaired["actions"], repaired["host"]["tags"]) == (["update virtual machine web1"], tags)
    cloud.arm("PATCH", path, {"tags": {}})
    with pytest.raises(OwnershipError):
        cloud.run(**given)
    assert cloud.writes == []
    assert cloud.run(adopt=True, **given)["host"]["tags"] == tags


@pytest.mark.parametrize("first", [{"assign_public_ip": False}, {"public_ip_address": "theirs"}])
def test_a_host_keeps_its_kind_of_public_address_until_the_options_decide_about_it(cloud: Cloud, first: Json) -> None:
    cloud.arm("PUT", "", PLACE)
    cloud.arm("PUT", f"{NETWORK}/publicIPAddresses/theirs", ADDRESS)
    made = cloud.run(ssh_public_keys=[KEY], **first)["host"]
    kept = cloud.run(ssh_public_keys=[KEY])
    assert (kept["changed"], kept["host"]) == (False, made)
    public = cloud.run(ssh_public_keys=[KEY], assign_public_ip=True)
    assert "create public IP address web1-ip" in public["actions"]
    assert cloud.run(ssh_public_keys=[KEY])["host"] == public["host"]


@pytest.mark.parametrize("first", [{"assign_public_ip": False}, {}])
def test_a_label_that_others_have_is_refused_for_a_host_that_is_there(cloud: Cloud, first: Json) -> None:
    label = f"taken-{cloud.group}"
    cloud.run(ssh_public_keys=[KEY], **first)
    body = {**ADDRESS, "properties": {**ADDRESS["properties"], "dnsSettings": {"domainNameLabel": label}}}
    cloud.arm("PUT", f"{NETWORK}/publicIPAddresses/theirs", body)
    for check in (True, False):
        with pytest.raises(OptionError, match="is taken in westeurope") as caught:
            cloud.run(check=check, ssh_public_keys=[KEY], dns_label=label)
        assert (caught.value.option, cloud.writes) == ("dns_label", [])
    mine = cloud.run(ssh_public_keys=[KEY], dns_label=f"free-{cloud.group}")
    assert mine["changed"]
    again = cloud.run(ssh_public_keys=[KEY], dns_label=f"free-{cloud.group}", tags={"a": "b"})
    assert "update public IP address web1-ip" in again["actions"]


def test_an_adopted_network_is_ours_for_the_next_host(cloud: Cloud) -> None:
    cloud.arm("PUT", "", PLACE)
    space = {"addressSpace": {"addressPrefixes": ["10.5.0.0/22"]}, "flowTimeoutInMinutes": 9, "subnets": []}
    path = f"{NETWORK}/virtualNetworks/docker-vnet"
    cloud.arm("PUT", path, {**PLACE, "tags": {"theirs": "x"}, "properties": space})
    with pytest.raises(OwnershipError):
        cloud.run(ssh_public_keys=[KEY])
    predicted = cloud.run(check=True, adopt=True, ssh_public_keys=[KEY])
    real = cloud.run(adopt=True, ssh_public_keys=[KEY])
    assert real["actions"] == predicted["actions"]
    assert "tag virtual network docker-vnet" in real["actions"]
    assert "PATCH docker-vnet" in cloud.writes
    assert not {"PUT docker-vnet"} & set(cloud.writes)
    found = cloud.arm("GET", path)
    assert (found["tags"]["theirs"], found["properties"]["flowTimeoutInMinutes"]) == ("x", 9)
    assert cloud.run(name="web2", ssh_public_keys=[KEY])["host"]["private_ip_address"].startswith("10.5.0.")
    assert cloud.run(adopt=True, ssh_public_keys=[KEY])["changed"] is False


def test_tags_in_another_case_are_the_same_tags(cloud: Cloud) -> None:
    cloud.run(ssh_public_keys=[KEY], tags={"team": "build"})
    assert cloud.run(ssh_public_keys=[KEY], tags={"Team": "build"})["changed"] is False
    changed = cloud.run(ssh_public_keys=[KEY], tags={"TEAM": "web"})
    assert changed["host"]["tags"]["team"] == "web"
    assert "TEAM" not in changed["host"]["tags"]
    assert cloud.run(ssh_public_keys=[KEY], tags={"team": "web"})["changed"] is False


def test_nothing_in_scope_removes_nothing(cloud: Cloud) -> None:
    cloud.run(ssh_public_keys=[KEY])
    before = sorted(cloud.resources())
    gone = cloud.run(state="absent", remove_on_absent=[])
    assert (gone["changed"], gone["actions"], cloud.writes) == (False, [], [])
    assert sorted(cloud.resources()) == before


@pytest.mark.parametrize("state", ["present", "stopped", "absent"])
def test_a_name_in_another_case_is_no_other_host(cloud: Cloud, state: str) -> None:
    cloud.run(ssh_public_keys=[KEY])
    with pytest.raises(OptionError, match="web1 already exists: use that spelling") as caught:
        cloud.run(name="WEB1", state=state, ssh_public_keys=[KEY])
    assert (caught.value.option, cloud.writes) == ("name", [])


def test_a_host_may_be_called_as_what_is_shared(cloud: Cloud) -> None:
    cloud.run(name="shared", ssh_public_keys=[KEY])
    cloud.run(name="web2", ssh_public_keys=[KEY])
    assert cloud.run(name="shared", ssh_public_keys=[KEY])["changed"] is False
    gone = cloud.run(name="shared", state="absent")
    assert "delete virtual network docker-vnet" not in gone["actions"]
    assert cloud.run(name="web2", ssh_public_keys=[KEY])["changed"] is False
    gone = cloud.run(name="web2", state="absent", remove_on_absent=["all", "resource_group"])
    assert gone["actions"][-1] == f"delete resource group {cloud.group}"
