# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What cannot be had or changed: one error, with nothing written."""

from __future__ import annotations

import typing as t
from dataclasses import replace

import pytest

from ansible_collections.dockerhost.azure.plugins.module_utils._azure.errors import AzureError
from ansible_collections.dockerhost.azure.plugins.module_utils._errors import (
    DockerHostError,
    MissingLibraryError,
    OptionError,
)
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.current.reader import StateReader
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.current.state import HostState
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.plan.model import ImmutableError

from .conftest import KEY, Cloud
from .support import COMPUTE, D2S, PLACE, SPOT, STOP, Json, filled, others

OTHER_KEY = KEY.replace("8d me", "8e me")
REFUSED: tuple[tuple[str, Json, str], ...] = (
    ("location", {"location": "nowhere"}, "region of this subscription"),
    ("image", {"image": "gallery:windows"}, "Windows"),
    ("image", {"image": "SUSE:sles-15-sp7-byos:gen2:latest"}, "no package sources.*registercloudguest.*sles-15"),
    (
        "image",
        {"image": "RedHat:rhel-byos:rhel-lvm95-gen2:latest"},
        "no package sources.*subscription-manager.*rhel-10",
    ),
    ("image", {"image": "gallery:mine", "location": "northeurope"}, "no such version in northeurope"),
    ("image", {"image": "/SharedGalleries/none/images/x"}, "not shared"),
    ("image", {"image": "/CommunityGalleries/none/images/x/versions/1.0.0"}, "does not exist"),
    (
        "image",
        {"vm_size": "Standard_D2s_v6", "image": "Canonical:ubuntu-24_04-lts:server-gen1:latest"},
        "generation V1",
    ),
    (
        "image",
        {"vm_size": "Standard_D2s_v6", "image": "Canonical:0001-com-ubuntu-server-focal:20_04-lts-gen2:latest"},
        "disk controller SCSI, but the size Standard_D2s_v6 supports only NVMe",
    ),
    ("image", {"vm_size": "Standard_D2s_v6", "image": "gallery:mine"}, "disk controller SCSI"),
    ("ephemeral_os_disk", {"ephemeral_os_disk": True, "vm_size": "Standard_B2s_v2"}, "EphemeralOSDiskSupported"),
    ("ephemeral_os_disk", {"ephemeral_os_disk": True, "vm_size": "Standard_D2s_v5"}, "EphemeralOSDiskSupported"),
    ("ephemeral_os_disk", {"ephemeral_os_disk": True, "vm_size": D2S, "os_disk_size_gb": 64}, "only 49"),
    ("priority", {"priority": "Spot", "vm_size": "Standard_B2s_v2"}, "LowPriorityCapable"),
    ("security_profile", {"security_profile": {"encryption_at_host": True}, "vm_size": "Standard_D2_v5"}, "Encryption"),
    (
        "security_profile.security_type",
        {"security_profile": {"security_type": "TrustedLaunch"}, "image": "own:"},
        "do not support together",
    ),
    (
        "virtual_network",
        {"virtual_network": "others:net", "subnet_name": "s", "location": "northeurope"},
        "one location",
    ),
    ("security_group", {"security_group": "others:nsg", "location": "northeurope"}, "one location"),
    ("subnet_name", {"virtual_network": "others:net", "subnet_name": "none"}, "only: s"),
    (
        "private_ip_address",
        {"virtual_network": "others:net", "subnet_name": "s", "private_ip_address": "10.9.1.3"},
        "Azure reserves",
    ),
    ("public_ip_address", {"public_ip_address": "none"}, "does not exist"),
    ("availability_set", {"availability_set": "none"}, "availabilitySets/none does not exist"),
    ("availability_set", {"availability_set": "set", "location": "northeurope"}, "is in westeurope, .* northeurope"),
    ("availability_set", {"availability_set": "classic"}, "SKU Classic.*SKU Aligned"),
    ("proximity_placement_group", {"proximity_placement_group": "others:none"}, "Groups/none does not exist"),
    (
        "proximity_placement_group",
        {"proximity_placement_group": "others:near", "location": "northeurope"},
        "one location",
    ),
    (
        "vm_identity.user_assigned_identities",
        {"vm_identity": {"type": "UserAssigned", "user_assigned_identities": ["a", "others:none"]}},
        "userAssignedIdentities/none does not exist",
    ),
)


@pytest.mark.parametrize(("option", "given", "says"), REFUSED)
def test_what_cannot_be_is_refused_before_anything_is_written(
    place: Cloud, option: str, given: Json, says: str
) -> None:
    if given.get("availability_set") == "classic":
        place.arm("PUT", f"{COMPUTE}/availabilitySets/classic", PLACE)
    for check in (True, False):
        with pytest.raises(OptionError, match=says) as caught:
            place.run(check=check, **filled(place, given))
        assert caught.value.option == option
        assert place.writes == []


@pytest.mark.parametrize(
    ("option", "given"),
    [
        ("proximity_placement_group", {"proximity_placement_group": "none", **STOP}),
        (
            "vm_identity.user_assigned_identities",
            {"vm_identity": {"type": "UserAssigned", "user_assigned_identities": ["none"]}},
        ),
    ],
)
def test_a_host_is_given_nothing_that_does_not_exist(place: Cloud, option: str, given: Json) -> None:
    place.run()
    for check in (True, False):
        with pytest.raises(OptionError, match="/none does not exist") as caught:
            place.run(check=check, **given)
        assert (caught.value.option, place.writes) == (option, [])


def test_what_may_not_be_asked_azure_decides(place: Cloud) -> None:
    given = {"vm_identity": {"type": "UserAssigned", "user_assigned_identities": ["none"]}}
    place.azure.switch("forbidden", ["Microsoft.ManagedIdentity/userAssignedIdentities/read"])
    try:
        with pytest.raises(AzureError, match=r"FailedIdentityOperation.*userAssignedIdentities/none' was not found"):
            place.run(**given)
    finally:
        place.azure.switch("forbidden", [])


def test_an_availability_set_of_another_group(place: Cloud) -> None:
    others(place).arm("PUT", f"{COMPUTE}/availabilitySets/set", {**PLACE, "sku": {"name": "Aligned"}})
    with pytest.raises(OptionError, match="group of the host") as caught:
        place.run(availability_set="others:set")
    assert (caught.value.option, place.writes) == ("availability_set", [])


def test_a_private_address_that_others_have(place: Cloud) -> None:
    place.run(name="web0", private_ip_address="10.0.0.50")
    with pytest.raises(OptionError, match="taken") as caught:
        place.run(name="web1", private_ip_address="10.0.0.50")
    assert (caught.value.option, place.writes) == ("private_ip_address", [])
    place.run(name="web1")
    with pytest.raises(OptionError, match="taken"):
        place.run(name="web1", private_ip_address="10.0.0.50")
    assert place.writes == []


def test_an_address_that_others_use_is_refused(place: Cloud) -> None:
    place.run(name="web0", public_ip_address="ip")
    with pytest.raises(OptionError, match="in use by"):
        place.run(name="web1", public_ip_address="ip")
    assert place.writes == []


# Changes of a host that runs, without leave to stop it: one error, and nothing is written.
STOPPING: tuple[tuple[str, Json, Json], ...] = (
    ("vm_size", {}, {"vm_size": D2S}),
    ("os_disk_size_gb", {"os_disk_size_gb": 32}, {"os_disk_size_gb": 64}),
    ("managed_disk_type", {}, {"managed_disk_type": "Premium_LRS"}),
    ("security_profile.encryption_at_host", {}, {"security_profile": {"encryption_at_host": True}}),
    ("security_profile.secure_boot_enabled", {}, {"security_profile": {"secure_boot_enabled": False}}),
    ("proximity_placement_group", {}, {"proximity_placement_group": "others:near"}),
    ("max_price", SPOT, {**SPOT, "max_price": 0.9}),
)


def some(cases: t.Sequence[tuple[t.Any, ...]]) -> list[t.Any]:
    """The first three, and the others as slow ones."""
    return [pytest.param(*case, marks=[pytest.mark.slow] if at > 2 else []) for at, case in enumerate(cases)]


@pytest.mark.parametrize(("option", "first", "then"), some(STOPPING))
def test_a_change_that_stops_the_host_needs_leave(place: Cloud, option: str, first: Json, then: Json) -> None:
    place.run(**first)
    for check in (True, False):
        with pytest.raises(OptionError, match="allow_stop") as caught:
            place.run(check=check, **then)
        assert (caught.value.option, place.writes) == (option, [])


IMMUTABLE: tuple[tuple[str, Json, Json], ...] = (
    ("availability_set", {}, {"availability_set": "set"}),
    ("priority", {}, SPOT),
    ("eviction_policy", SPOT, {**SPOT, "eviction_policy": "Delete"}),
    ("security_profile.security_type", {}, {"security_profile": {"security_type": "Standard"}}),
    ("image", {"image": "gallery:mine"}, {"image": "gallery:ours"}),
    ("ephemeral_os_disk", {}, {"ephemeral_os_disk": True}),
    ("vm_size", {"ephemeral_os_disk": True, "vm_size": D2S}, {"vm_size": "Standard_D4ds_v5", **STOP}),
    (
        "proximity_placement_group",
        {"ephemeral_os_disk": True, "vm_size": D2S},
        {"proximity_placement_group": "others:near", **STOP},
    ),
    ("managed_disk_type", {}, {"managed_disk_type": "Premium_ZRS"}),
    ("plan", {}, {"plan": {"name": "a", "product": "b", "publisher": "c"}}),
    ("ssh_public_keys", {"ssh_public_keys": [KEY]}, {"ssh_public_keys": [OTHER_KEY]}),
)


@pytest.mark.parametrize(("option", "first", "then"), some(IMMUTABLE))
def test_what_azure_cannot_change_is_named_with_both_values(place: Cloud, option: str, first: Json, then: Json) -> None:
    place.run(**filled(place, first))
    for check in (True, False):
        with pytest.raises(ImmutableError) as caught:
            place.run(check=check, **filled(place, then))
        entries = caught.value.details["immutable"]
        assert [entry["property"] for entry in entries if entry["property"] == option] == [option]
        assert all(entry.keys() == {"property", "current", "desired"} for entry in entries)
        assert place.writes == []


def test_a_host_with_an_ephemeral_disk_is_not_deallocated(place: Cloud) -> None:
    place.run(ephemeral_os_disk=True, vm_size=D2S)
    with pytest.raises(OptionError, match="stopped") as caught:
        place.run(state="deallocated")
    assert (caught.value.option, place.writes) == ("state", [])


def test_a_missing_sdk_is_told_before_anything_is_made(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    def find_spec(name: str) -> None:
        raise ModuleNotFoundError(f"No module named {name!r}")

    monkeypatch.setattr("importlib.util.find_spec", find_spec)
    with pytest.raises(MissingLibraryError, match="azure-mgmt-compute>=33"):
        cloud.run(location="westeurope", preflight=False)
    assert cloud.writes == []
    assert not cloud.key.exists()


def test_a_label_that_the_hosts_own_address_got_meanwhile(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last request of a run that was killed arrives when the next run has looked already."""
    cloud.azure.fault("status", method="PUT", path="virtualMachines/web1$", status=400, times=0)
    with pytest.raises(DockerHostError):
        cloud.run(location="westeurope")
    cloud.azure.faults_clear()
    read = StateReader.read

    def early(self: StateReader, everything: bool = False) -> HostState:
        current = read(self, everything)
        return replace(current, public_ip_address=None) if not cloud.writes else current

    monkeypatch.setattr(StateReader, "read", early)
    assert "create virtual machine web1" in cloud.run()["actions"]
