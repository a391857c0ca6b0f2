# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each option: predicted, carried out, compared with the requests, done again, changed in place, deleted."""

from __future__ import annotations

import re
import typing as t

import pytest

from ansible_collections.dockerhost.azure.plugins.module_utils._role.options import RESETS, RoleVariables

from .conftest import Cloud
from .support import COMPUTE, D2S, SPOT, STOP, Json, check_host, check_kept, check_prediction, filled, without_times

IDENTITY = "vm_identity"
# First options, then (for a change) second ones.
SCENARIOS: dict[str, tuple[Json, ...]] = {
    "availability set": ({"availability_set": "set"},),
    "placement group": (
        {"proximity_placement_group": "others:near"},
        {"proximity_placement_group": "others:nearer", **STOP},
    ),
    "gallery": ({"image": "gallery:mine"},),
    "shared gallery": ({"image": "gallery:ours"},),
    "community gallery": ({"image": "gallery:everybodys"},),
    "ephemeral disk": ({"ephemeral_os_disk": True, "vm_size": D2S}, {"state": "stopped"}),
    "ephemeral spot": ({**SPOT, "ephemeral_os_disk": True},),
    "spot price": ({**SPOT, "max_price": 0.5, "eviction_policy": "Delete"}, {**SPOT, "max_price": 0.7, **STOP}),
    "standard": (
        {"security_profile": {"security_type": "Standard"}},
        {"security_profile": {"security_type": "TrustedLaunch"}, **STOP},
    ),
    "firmware": (
        {"security_profile": {"security_type": "TrustedLaunch"}},
        {"security_profile": {"secure_boot_enabled": False, "v_tpm_enabled": True}, **STOP},
    ),
    "encryption at host": (
        {"security_profile": {"encryption_at_host": True}},
        {"security_profile": {"encryption_at_host": False}, **STOP},
    ),
    "disk type": ({"managed_disk_type": "Standard_LRS"}, {"managed_disk_type": "Premium_LRS", **STOP}),
    "disk types": (
        {"data_disks": [{"lun": 0, "disk_size_gb": 8, "managed_disk_type": "Standard_LRS"}]},
        {"data_disks": [{"lun": 0, "disk_size_gb": 16, "managed_disk_type": "StandardSSD_LRS"}], **STOP},
    ),
    "disk caching": (
        {"data_disks": [{"lun": 0, "disk_size_gb": 8}, {"lun": 2, "disk_size_gb": 8}]},
        {"data_disks": [{"lun": 0, "disk_size_gb": 8, "caching": "ReadWrite"}], **STOP},
    ),
    "a disk too large for its cache": (
        {"data_disks": [{"lun": 0, "disk_size_gb": 8, "caching": "ReadOnly"}]},
        {"data_disks": [{"lun": 0, "disk_size_gb": 4096, "caching": "None"}], **STOP},
    ),
    "identities": (
        {IDENTITY: {"type": "UserAssigned", "user_assigned_identities": ["a", "b"]}},
        {IDENTITY: {"type": "SystemAssigned, UserAssigned", "user_assigned_identities": ["b", "others:c"]}},
        {IDENTITY: {"type": "SystemAssigned"}},
        {IDENTITY: {"type": "None"}},
    ),
    "license": ({}, {"license_type": "RHEL_BYOS"}, {"license_type": "None"}),
    "accelerated": (
        {"vm_size": D2S, "enable_accelerated_networking": False},
        {"vm_size": D2S, "enable_accelerated_networking": True},
    ),
    "accelerated by a new size": (
        {"enable_accelerated_networking": False},
        {"vm_size": "Standard_D4s_v5", "enable_accelerated_networking": True, **STOP},
    ),
    "static address": ({}, {"private_ip_address": "10.0.0.77"}),
    "another subnet": ({}, {"subnet_name": "more", "subnet_prefix": "10.0.9.0/24"}),
    "made public": ({"assign_public_ip": False}, {"assign_public_ip": True}),
    "tags merged": ({"tags": {"a": "1"}}, {"tags": {"b": "2"}}),
    "given network": ({"virtual_network": "others:net", "subnet_name": "s", "private_ip_address": "10.9.1.9"},),
    "given everything": (
        {
            "virtual_network": "others:net",
            "subnet_name": "s",
            "security_group": "others:nsg",
            "public_ip_address": "ip",
        },
    ),
    "password": ({"admin_password": "Abcdefghij12", "admin_username": "jo"},),
    "label": ({"dns_label": "some-label-of-ours"}, {"assign_dns_label": False}),
    "everything grows while stopped": (
        {"os_disk_size_gb": 32},
        {"state": "stopped"},
        {"os_disk_size_gb": 64, "managed_disk_type": "Premium_LRS", "vm_size": "Standard_D2s_v5"},
        {"state": "started"},
    ),
}


# Those that are like one of the others.
ALIKE = (
    "gallery",
    "shared gallery",
    "ephemeral spot",
    "disk type",
    "tags merged",
    "label",
    "password",
    "given network",
)


def named(names: t.Iterable[str], slow: t.Container[str]) -> list[t.Any]:
    """Names as parameters, some of them marked as slow: not each is, but their number."""
    return [pytest.param(name, marks=[pytest.mark.slow] if name in slow else []) for name in names]


@pytest.mark.parametrize("name", named(SCENARIOS, ALIKE))
def test_an_option(place: Cloud, name: str) -> None:
    for action in SCENARIOS[name]:
        given = filled(place, action)
        predicted = place.run(check=True, **given)
        assert place.writes == []
        real = place.run(**given)
        assert not place.refused
        assert real["actions"] == predicted["actions"]
        assert real["diff"]["before"].keys() == predicted["diff"]["before"].keys()
        assert real["changed"] is predicted["changed"] is True
        check_prediction(place, predicted["actions"])
        check_host(real["host"], predicted["host"])
        again = place.run(**given)
        assert (again["changed"], again["actions"], place.writes) == (False, [], [])
        check_kept(place, again["host"])


OFTEN = ("availability set", "shared gallery", "ephemeral disk", "given everything", "disk types")
WHATEVER = [
    name for name in SCENARIOS if name not in ("tags merged", "label", "license", "everything grows while stopped")
]


@pytest.mark.parametrize("name", named(WHATEVER, set(WHATEVER) - set(OFTEN)))
def test_deleting_leaves_no_rest_whatever_the_options_were(place: Cloud, name: str) -> None:
    before = place.azure.dump()
    first = filled(place, SCENARIOS[name][0])
    place.run(**first)
    named = {
        key: first[key]
        for key in ("virtual_network", "subnet_name", "security_group", "public_ip_address")
        if key in first
    }
    predicted = place.run(check=True, state="absent", **named)
    gone = place.run(state="absent", **named)
    assert gone["actions"] == predicted["actions"]
    assert without_times(place.azure.dump()) == without_times(before)
    assert place.run(state="absent", **named)["changed"] is False


def test_default_gives_an_address_its_default_label_again(place: Cloud) -> None:
    """The word is no label, whether the host is new or there."""
    new = place.run(dns_label="default")["host"]["fqdn"]
    label = new.partition(".")[0]
    assert re.fullmatch("web1-[0-9a-f]{8}", label), new
    other = f"other-{label}"
    assert place.run(dns_label=other)["host"]["fqdn"].startswith(f"{other}.")
    assert place.run()["changed"] is False, "left out, it stays"
    predicted = place.run(check=True, dns_label="default")["host"]
    assert (predicted["fqdn"], predicted["unknown"]) == (new, [])
    assert (
        place.run(check=True, assign_dns_label=False)["host"]["docker_host"]
        == f"tcp://{predicted['public_ip_address']}:4243"
    )
    assert place.run(dns_label="default")["host"]["fqdn"] == new
    assert place.run(dns_label="default")["changed"] is False


def test_default_applies_the_default_of_each_variable_again(place: Cloud) -> None:
    variables = {f"docker_host_{name}": "default" for name in RESETS}
    options = RoleVariables({"docker_host_name": "web1", **variables}.get).options("create", "docker_vm_host")
    defaults = {**options, "resource_group": place.group, "setup_program": "#", **STOP}
    new = place.run(**defaults)["host"]
    place.run(
        vm_size=D2S,
        docker_port=2376,
        boot_diagnostics=False,
        license_type="UBUNTU_PRO",
        managed_disk_type="Premium_LRS",
        vm_identity={"type": "SystemAssigned"},
        auto_shutdown={"time": "19:00", "time_zone": "UTC"},
        security_group="others:nsg",
        public_ip_address="ip",
        **STOP,
    )
    reset = place.run(**defaults)["host"]
    assert {**reset, "public_ip_address": None, "ip_addresses": None} == {
        **new,
        "public_ip_address": None,
        "ip_addresses": None,
    }
    assert place.run(**defaults)["changed"] is False
    check_kept(place, reset)


def test_a_managed_image(place: Cloud) -> None:
    given = filled(place, {"image": "own:"})
    assert place.run(**given)["changed"]
    assert place.run(**given)["changed"] is False
    machine = place.arm("GET", f"{COMPUTE}/virtualMachines/web1")["properties"]
    # The image does not say that it supports Trusted Launch.
    assert "securityProfile" not in machine


def test_a_new_host_has_trusted_launch_where_image_and_size_allow(cloud: Cloud) -> None:
    cloud.run()
    machine = cloud.arm("GET", f"{COMPUTE}/virtualMachines/web1")["properties"]
    settings = {"secureBootEnabled": True, "vTpmEnabled": True}
    assert machine["securityProfile"] == {"uefiSettings": settings, "securityType": "TrustedLaunch"}
