# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each option: predicted, carried out, compared with the requests, done again, changed in place, deleted."""

from __future__ import annotations

import copy
import typing as t

import pytest

from ansible_collections.dockerhost.azure.plugins.module_utils._errors import DockerHostError, OptionError
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.steps import ImmutableError

from .conftest import KEY, Cloud
from .test_scenarios import check_host, check_prediction, without_times

Json = dict[str, t.Any]
COMPUTE, NETWORK = "/providers/Microsoft.Compute", "/providers/Microsoft.Network"
PLACE = {"location": "westeurope"}
D2S = "Standard_D2s_v3"
STOP = {"allow_stop": True}
SPOT = {"priority": "Spot", "vm_size": D2S}
ADDRESS = {**PLACE, "sku": {"name": "Standard"}, "properties": {"publicIPAllocationMethod": "Static"}}
IDENTITY = "vm_identity"
OTHER_KEY = KEY.replace("8d me", "8e me")


def surround(cloud: Cloud) -> None:
    """Things of others that hosts can be put into, made from, or connected with."""
    cloud.arm("PUT", "", {**PLACE, "tags": {"theirs": "x"}})
    for name in ("near", "nearer"):
        cloud.arm("PUT", f"{COMPUTE}/proximityPlacementGroups/{name}", PLACE)
    disk = {"osType": "Linux", "osState": "Generalized", "blobUri": "https://x/y.vhd"}
    image = {"storageProfile": {"osDisk": disk}, "hyperVGeneration": "V2"}
    cloud.arm("PUT", f"{COMPUTE}/images/own", {**PLACE, "properties": image})
    for name, permissions in (("mine", None), ("ours", "Groups"), ("everybodys", "Community")):
        gallery(cloud, name, permissions)
    subnets = [{"name": "s", "properties": {"addressPrefix": "10.9.1.0/24"}}]
    space = {"addressSpace": {"addressPrefixes": ["10.9.0.0/16"]}, "subnets": subnets}
    cloud.arm("PUT", f"{NETWORK}/virtualNetworks/net", {**PLACE, "properties": space})
    cloud.arm("PUT", f"{NETWORK}/networkSecurityGroups/nsg", {**PLACE, "properties": {}})
    cloud.arm("PUT", f"{NETWORK}/publicIPAddresses/ip", ADDRESS)


def gallery(cloud: Cloud, name: str, permissions: str | None, system: str = "Linux") -> None:
    """A gallery with one image in one version."""
    base = f"{COMPUTE}/galleries/{name}"
    sharing = {"permissions": permissions, "communityGalleryInfo": {"publicNamePrefix": name}}
    cloud.arm("PUT", base, {**PLACE, "properties": {"sharingProfile": sharing} if permissions else {}})
    definition = {
        "osType": system,
        "osState": "Generalized",
        "hyperVGeneration": "V2",
        "identifier": {"publisher": "me", "offer": "debian", "sku": "12"},
        "features": [{"name": "SecurityType", "value": "TrustedLaunchSupported"}],
    }
    cloud.arm("PUT", f"{base}/images/debian", {**PLACE, "properties": definition})
    version = {"storageProfile": {"source": {"id": "/subscriptions/x/y"}}}
    cloud.arm("PUT", f"{base}/images/debian/versions/1.0.0", {**PLACE, "properties": version})


OTHERS = "others"


def others(cloud: Cloud) -> Cloud:
    """The group of others."""
    found = Cloud(cloud.azure, cloud.key.parent)
    found.group = OTHERS
    return found


def filled(cloud: Cloud, given: Json) -> Json:
    """Options with the ids of images of others."""
    kind, _colon, name = str(given.get("image", "")).partition(":")
    base = f"/subscriptions/{cloud.azure.subscription_id}/resourceGroups/{OTHERS}{COMPUTE}"
    if kind == "own":
        return {**given, "image": f"{base}/images/own"}
    if kind != "gallery":
        return given
    path = f"{base}/galleries/{name}"
    shown = others(cloud).arm("GET", f"{COMPUTE}/galleries/{name}")["properties"]
    sharing = shown.get("sharingProfile") or {}
    if sharing.get("permissions") == "Groups":
        path = f"/SharedGalleries/{shown['identifier']['uniqueName']}"
    elif sharing.get("permissions") == "Community":
        path = f"/CommunityGalleries/{sharing['communityGalleryInfo']['publicNames'][0]}"
    version = "/versions/1.0.0" if name == "mine" else ""
    return {**given, "image": f"{path}/images/debian{version}"}


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
    "identities": (
        {IDENTITY: {"type": "UserAssigned", "user_assigned_identities": ["a", "b"]}},
        {IDENTITY: {"type": "SystemAssigned, UserAssigned", "user_assigned_identities": ["b", "other:c"]}},
        {IDENTITY: {"type": "SystemAssigned"}},
        {IDENTITY: {"type": "None"}},
    ),
    "license": ({}, {"license_type": "RHEL_BYOS"}, {"license_type": "None"}),
    "accelerated": (
        {"vm_size": D2S, "enable_accelerated_networking": False},
        {"vm_size": D2S, "enable_accelerated_networking": True},
    ),
    "accelerated by a new size": ({}, {"vm_size": "Standard_D4s_v5", "enable_accelerated_networking": True, **STOP}),
    "static address": ({}, {"private_ip_address": "10.0.0.77"}),
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


@pytest.fixture
def place(cloud: Cloud) -> t.Iterator[Cloud]:
    """A group with an availability set in it, beside one with things of others."""
    if others(cloud).arm("GET", "") is None:
        surround(others(cloud))
        gallery(others(cloud), "windows", None, "Windows")
    cloud.arm("PUT", "", PLACE)
    cloud.arm("PUT", f"{COMPUTE}/availabilitySets/set", {**PLACE, "sku": {"name": "Aligned"}})
    cloud.arm("PUT", f"{NETWORK}/publicIPAddresses/ip", ADDRESS)
    cloud.azure.switch("encryption_at_host", True)
    yield cloud
    cloud.azure.switch("encryption_at_host", False)


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
    for step in SCENARIOS[name]:
        given = filled(place, step)
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


REFUSED: tuple[tuple[str, Json, str], ...] = (
    ("location", {"location": "nowhere"}, "no region"),
    ("image", {"image": "gallery:windows"}, "Windows"),
    ("image", {"image": "gallery:mine", "location": "northeurope"}, "no such version in northeurope"),
    ("image", {"image": "/SharedGalleries/none/images/x"}, "not shared"),
    ("image", {"image": "/CommunityGalleries/none/images/x/versions/1.0.0"}, "does not exist"),
    ("image", {"vm_size": "Standard_A1_v2"}, "generation V2"),
    ("ephemeral_os_disk", {"ephemeral_os_disk": True}, "7 GiB"),
    ("ephemeral_os_disk", {"ephemeral_os_disk": True, "vm_size": "Standard_D2s_v5"}, "EphemeralOSDiskSupported"),
    ("ephemeral_os_disk", {"ephemeral_os_disk": True, "vm_size": D2S, "os_disk_size_gb": 64}, "49 GiB"),
    ("priority", {"priority": "Spot"}, "LowPriorityCapable"),
    ("enable_accelerated_networking", {"enable_accelerated_networking": True}, "AcceleratedNetworkingEnabled"),
    ("security_profile", {"security_profile": {"encryption_at_host": True}, "vm_size": "Standard_D2_v5"}, "Encryption"),
    (
        "security_profile.security_type",
        {"security_profile": {"security_type": "TrustedLaunch"}, "image": "own:"},
        "no Trusted Launch together",
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
        "own",
    ),
    ("public_ip_address", {"public_ip_address": "none"}, "does not exist"),
)


@pytest.mark.parametrize(("option", "given", "says"), REFUSED)
def test_what_cannot_be_is_refused_before_anything_is_written(
    place: Cloud, option: str, given: Json, says: str
) -> None:
    for check in (True, False):
        with pytest.raises(OptionError, match=says) as caught:
            place.run(check=check, **filled(place, given))
        assert caught.value.option == option
        assert place.writes == []


def test_an_availability_set_of_another_group(place: Cloud) -> None:
    others(place).arm("PUT", f"{COMPUTE}/availabilitySets/set", {**PLACE, "sku": {"name": "Aligned"}})
    with pytest.raises(OptionError, match="group of the host") as caught:
        place.run(availability_set="others:set")
    assert (caught.value.option, place.writes) == ("availability_set", [])


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
    ("vm_size", {"ephemeral_os_disk": True, "vm_size": D2S}, {"vm_size": "Standard_D4s_v3", **STOP}),
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
        assert all(entry.keys() == {"property", "present", "wanted"} for entry in entries)
        assert place.writes == []


def test_a_host_with_an_ephemeral_disk_is_not_deallocated(place: Cloud) -> None:
    place.run(ephemeral_os_disk=True, vm_size=D2S)
    with pytest.raises(OptionError, match="stopped") as caught:
        place.run(state="deallocated")
    assert (caught.value.option, place.writes) == ("state", [])


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
    assert any("wants an interface" in line for line in cloud.warnings)
