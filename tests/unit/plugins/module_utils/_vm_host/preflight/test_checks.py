# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What cannot be had is refused before anything is made."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.dockerhost.azure.plugins.module_utils._azure.errors import AzureError
from ansible_collections.dockerhost.azure.plugins.module_utils._errors import OptionError
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.bodies.virtual_machine import (
    Findings,
    machine_body,
)
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.desired.topology import resolve_resources
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.desired.vm_sizes import (
    DEFAULT_ARM_SIZES,
    DEFAULT_SIZES,
)
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.preflight.checks import (
    check_answers,
    check_change,
    check_registration,
)
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.preflight.permissions import (
    MissingPermissionError,
)
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.preflight.queries import Answers
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.preflight.resource_providers import (
    RegistrationError,
)

from ..conftest import KEY, SUBSCRIPTION, Cloud, desired

LISTS = (
    "accepted_terms",
    "extra_images",
    "forbidden",
    "sku_not_available",
    "sold_images",
    "taken_labels",
    "unregistered",
    "withdrawn_images",
)
DEFAULTS: dict[str, t.Any] = {"cores_quota": 1_000_000, **{name: [] for name in LISTS}}


@pytest.fixture(autouse=True)
def switched_back(cloud: Cloud) -> t.Iterator[None]:
    """Leave the local Azure as it was."""
    yield
    for name, value in DEFAULTS.items():
        cloud.azure.switch(name, value)


@pytest.mark.parametrize(
    ("switch", "given", "option", "says"),
    [
        (
            {"sku_not_available": [*DEFAULT_SIZES]},
            {},
            "vm_size",
            "must be set, because none of the default sizes .* Av",
        ),
        (
            {"sku_not_available": ["Standard_B4as_v2"]},
            {"vm_size": "Standard_B4as_v2"},
            "vm_size",
            "is not available in westeurope for this subscription. Available are Standard_B4",
        ),
        ({}, {"vm_size": "Standard_B2s"}, "vm_size", "Standard_B2s is not available in westeurope"),
        ({}, {"vm_size": "Standard_B99x"}, "vm_size", "does not exist"),
        ({"taken_labels": ["taken-label"]}, {"dns_label": "taken-label"}, "dns_label", "taken"),
        ({"cores_quota": 1}, {}, "vm_size", "must be set.*of 1 .* are used"),
        ({}, {"image": "Canonical:ubuntu-24_04-lts:nothing:latest"}, "image", "does not exist"),
        ({}, {"image": "Canonical:ubuntu-24_04-lts:server:1.2.3"}, "image", "does not exist"),
        ({}, {"vm_size": "Standard_D2ps_v5"}, "image", "x64"),
        ({}, {"vm_size": "Standard_D2_v5", "managed_disk_type": "Premium_LRS"}, "managed_disk_type", "PremiumIO"),
        (
            {},
            {"image": "/subscriptions/OWN/resourceGroups/g/providers/Microsoft.Compute/images/none"},
            "image",
            "does not exist",
        ),
    ],
)
def test_what_cannot_be_had(
    cloud: Cloud, switch: dict[str, t.Any], given: dict[str, t.Any], option: str, says: str
) -> None:
    for name, value in switch.items():
        cloud.azure.switch(name, value)
    with pytest.raises(OptionError, match=says) as caught:
        cloud.run(False, **{key: str(item).replace("OWN", cloud.azure.subscription_id) for key, item in given.items()})
    assert caught.value.option == option
    assert cloud.writes == []
    assert not cloud.key.exists()


def test_without_the_right_to_ask_azure_decides(cloud: Cloud) -> None:
    rights = ["skus/read", "locations/usages/read", "locations/publishers/artifacttypes/offers/skus/versions/read"]
    cloud.azure.switch("forbidden", [f"Microsoft.Compute/{right}" for right in rights])
    assert cloud.run()["changed"]


def test_preflight_can_be_left_out(cloud: Cloud) -> None:
    cloud.azure.switch("cores_quota", 1)
    with pytest.raises(AzureError, match="quota") as caught:
        cloud.run(preflight=False)
    assert "smaller vm_size" in caught.value.advice
    assert any("networkInterfaces/web1-nic" in path for path in caught.value.details["exists"])
    cloud.azure.switch("cores_quota", 1_000_000)
    cloud.run(state="absent")


def test_what_azure_knows_of_usage_is_told(cloud: Cloud) -> None:
    cloud.run(name="other")
    cloud.azure.switch("cores_quota", 2)
    with pytest.raises(AzureError, match=r"Total Regional vCPUs \d+ of 2.*Exists so far"):
        cloud.run(preflight=False)


def test_a_size_that_has_run_out_meanwhile(cloud: Cloud) -> None:
    text = "The requested VM size for resource 'Standard_B2als_v2' is currently not available in location 'westeurope'."
    cloud.azure.fault(
        "status", method="PUT", path="/virtualMachines/", status=409, code="SkuNotAvailable", message=text
    )
    with pytest.raises(AzureError, match=r"Similar sizes in .*: Standard_.*Exists so far") as caught:
        cloud.run(vm_size="Standard_B2als_v2")
    assert "Standard_B2als_v2," not in str(caught.value).partition("alike:")[2]


def test_missing_rights_are_told_before_anything_is_changed(cloud: Cloud) -> None:
    missing = ["Microsoft.Network/publicIPAddresses/write", "Microsoft.Network/virtualNetworks/subnets/join/action"]
    cloud.azure.switch("forbidden", missing)
    for check in (True, False):
        with pytest.raises(MissingPermissionError, match=r"rights\.md") as caught:
            cloud.run(check)
        assert sorted(caught.value.details["missing_rights"]) == missing
        assert cloud.writes == []


def test_a_missing_right_that_may_not_be_asked_for(cloud: Cloud) -> None:
    missing = "Microsoft.Network/publicIPAddresses/write"
    cloud.azure.switch("forbidden", [missing, "Microsoft.Authorization/permissions/read"])
    with pytest.raises(AzureError, match="AuthorizationFailed") as caught:
        cloud.run()
    assert f"lacks the permission {missing} on /subscriptions/" in caught.value.advice
    assert "rights.md" in caught.value.advice


def test_a_missing_right_on_what_is_referred_to(cloud: Cloud) -> None:
    missing = "Microsoft.Network/networkSecurityGroups/join/action"
    cloud.azure.switch("forbidden", [missing, "Microsoft.Authorization/permissions/read"])
    with pytest.raises(AzureError, match="LinkedAuthorizationFailed") as caught:
        cloud.run()
    assert f"lacks the permission {missing} on " in caught.value.advice
    assert "/networkSecurityGroups/web1-nsg" in caught.value.advice


@pytest.mark.parametrize("missing", [["Microsoft.Network"], ["Microsoft.Compute", "Microsoft.Network"]])
def test_providers_that_are_not_registered_are_registered_first(cloud: Cloud, missing: list[str]) -> None:
    cloud.azure.switch("unregistered", missing)
    predicted = cloud.run(check=True)
    assert cloud.writes == []
    assert any("not registered" in warning for warning in cloud.warnings)
    done = cloud.run()
    assert predicted["actions"] == done["actions"]
    assert done["actions"][: len(missing)] == [f"register resource provider {name}" for name in missing]
    assert cloud.writes[: len(missing)] == ["POST register"] * len(missing)


def test_a_provider_that_may_not_be_registered(cloud: Cloud) -> None:
    cloud.azure.switch("unregistered", ["Microsoft.Network"])
    cloud.azure.switch("forbidden", ["Microsoft.Network/register/action"])
    with pytest.raises(RegistrationError, match=r"az provider register --namespace Microsoft\.Network"):
        cloud.run()
    assert cloud.writes == ["POST register"]


def test_an_unregistered_provider_is_nothing_to_wait_for(cloud: Cloud) -> None:
    cloud.azure.switch("unregistered", ["Microsoft.Network"])
    cloud.azure.switch("forbidden", ["Microsoft.Network/register/action"])
    with pytest.raises(AzureError, match="MissingSubscriptionRegistration"):
        cloud.run(preflight=False)
    assert cloud.writes.count("PUT docker-vnet") == 1


def test_nothing_is_registered_for_what_cannot_be_had(cloud: Cloud) -> None:
    cloud.azure.switch("unregistered", ["Microsoft.Network"])
    with pytest.raises(OptionError, match="does not exist"):
        cloud.run(image="Canonical:ubuntu-24_04-lts:nothing:latest")
    assert cloud.writes == []


def test_the_terms_of_an_image_that_is_sold(cloud: Cloud) -> None:
    cloud.azure.switch("extra_images", ["acme:linux:pro:1.0.0"])
    cloud.azure.switch("sold_images", ["acme:linux:pro"])
    given: dict[str, t.Any] = {"image": "acme:linux:pro:latest"}
    with pytest.raises(OptionError, match="set name pro, product linux, publisher acme") as caught:
        cloud.run(**given)
    assert caught.value.option == "plan"
    given["plan"] = {"name": "pro", "product": "linux", "publisher": "acme"}
    command = "az vm image terms accept --publisher acme --offer linux --plan pro"
    for check in (True, False):
        with pytest.raises(OptionError, match=command):
            cloud.run(check, **given)
        assert cloud.writes == []
    with pytest.raises(AzureError, match=r"MarketplacePurchaseEligibilityFailed.*az vm image terms accept"):
        cloud.run(preflight=False, **given)
    cloud.azure.switch("accepted_terms", ["acme:linux:pro"])
    assert cloud.run(**given)["host"]["power_state"] == "running"


def test_a_family_with_a_plan_needs_its_terms_only(cloud: Cloud) -> None:
    with pytest.raises(OptionError, match=r"az vm image terms accept --publisher resf .*--plan 9-base"):
        cloud.run(image="rocky-9")
    cloud.azure.switch("accepted_terms", ["resf:rockylinux-x86_64:9-base"])
    assert cloud.run(image="rocky-9")["changed"]
    assert not cloud.run(image="rocky-9")["changed"]


def test_an_image_whose_end_is_announced(cloud: Cloud) -> None:
    cloud.azure.switch("withdrawn_images", ["Debian:debian-13:13-gen2"])
    cloud.run(check=True, image="debian-13")
    assert [note for note in cloud.warnings if "13-gen2:latest will withdraw this image on 2027-03-31" in note]
    cloud.run(check=True, image="debian-12")
    assert not [note for note in cloud.warnings if "withdraw" in note]


SIZE: dict[str, t.Any] = {
    "resourceType": "virtualMachines",
    "name": "Standard_B2als_v2",
    "family": "standardBasv2Family",
    "locationInfo": [{"location": "westeurope", "zones": ["1", "3"]}],
    "capabilities": [{"name": "vCPUs", "value": "2"}, {"name": "HyperVGenerations", "value": "V1,V2"}],
}
IMAGE = {
    "properties": {
        "hyperVGeneration": "V2",
        "osDiskImage": {"operatingSystem": "Linux"},
        "features": [{"name": "SecurityType", "value": "TrustedLaunchSupported"}],
    }
}


def image(**properties: t.Any) -> dict[str, t.Any]:
    """The image with other properties."""
    return {"properties": {**IMAGE["properties"], **properties}}


def size(**capabilities: str) -> list[dict[str, t.Any]]:
    """The one size, with further capabilities."""
    more = [{"name": name, "value": value} for name, value in capabilities.items()]
    return [{**SIZE, "capabilities": [*SIZE["capabilities"], *more]}]


def test_trusted_launch_where_image_and_size_allow_it() -> None:
    assert check_answers(desired(), "westeurope", Answers(size(), None, IMAGE)) == Findings(SIZE["name"], True)
    without = Answers(size(TrustedLaunchDisabled="True"), None, IMAGE)
    assert check_answers(desired(), "westeurope", without) == Findings(SIZE["name"])
    assert check_answers(desired(), "westeurope", Answers(size(), None, image(features=[]))) == Findings(SIZE["name"])
    assert check_answers(desired(), "westeurope", Answers()) == Findings(SIZE["name"])


@pytest.mark.parametrize(
    ("given", "answers", "option"),
    [
        ({}, Answers(size(), None, image(osDiskImage={"operatingSystem": "Windows"})), "image"),
        ({"vm_size": SIZE["name"]}, Answers(size(HyperVGenerations="V1"), None, IMAGE), "image"),
        ({}, Answers(size(), None, image(plan={"name": "a", "product": "b", "publisher": "c"})), "plan"),
        ({"zone": "2", "vm_size": SIZE["name"]}, Answers(size(), None, IMAGE), "zone"),
        ({"ephemeral_os_disk": True}, Answers(size(EphemeralOSDiskSupported="False")), "ephemeral_os_disk"),
        ({"priority": "Spot"}, Answers(size(LowPriorityCapable="False")), "priority"),
        (
            {"enable_accelerated_networking": True},
            Answers(size(AcceleratedNetworkingEnabled="False")),
            "enable_accelerated_networking",
        ),
        (
            {"data_disks": [{"lun": 0, "disk_size_gb": 1}, {"lun": 1, "disk_size_gb": 1}]},
            Answers(size(MaxDataDiskCount="1")),
            "data_disks",
        ),
        (
            {"security_profile": {"security_type": "TrustedLaunch"}},
            Answers(size(TrustedLaunchDisabled="True")),
            "security_profile.security_type",
        ),
        (
            {"security_profile": {"secure_boot_enabled": True}},
            Answers(size(TrustedLaunchDisabled="True"), None, IMAGE),
            "security_profile.secure_boot_enabled",
        ),
        (
            {"security_profile": {"v_tpm_enabled": True}},
            Answers(size(), None, image(features=[])),
            "security_profile.v_tpm_enabled",
        ),
    ],
)
def test_what_does_not_fit(given: dict[str, t.Any], answers: Answers, option: str) -> None:
    with pytest.raises(OptionError) as caught:
        check_answers(desired(**given), "westeurope", answers)
    assert caught.value.option == option


def test_a_firmware_setting_is_never_dropped_silently() -> None:
    """Where nobody may ask, Azure judges: it is told what was asked for."""
    host = desired(security_profile={"v_tpm_enabled": True})
    body = machine_body(
        host,
        resolve_resources(host, SUBSCRIPTION),
        "westeurope",
        {},
        [KEY],
        check_answers(host, "westeurope", Answers()),
    )
    security = body["properties"]["securityProfile"]
    assert (security["securityType"], security["uefiSettings"]["vTpmEnabled"]) == ("TrustedLaunch", True)


PLAN = {"name": "pro", "product": "linux", "publisher": "acme"}


@pytest.mark.parametrize(
    ("given", "has", "says"),
    [
        ({"plan": PLAN}, None, "must be left out.*acme:linux:pro"),
        ({"plan": {**PLAN, "name": "free"}}, PLAN, "must be acme:linux:pro .*got acme:linux:free"),
        ({"plan": {**PLAN, "name": "Pro"}}, PLAN, "must be acme:linux:pro .*got acme:linux:Pro"),
        ({}, PLAN, "set name pro, product linux, publisher acme"),
    ],
)
def test_the_plan_is_the_one_of_the_image(given: dict[str, t.Any], has: t.Any, says: str) -> None:
    with pytest.raises(OptionError, match=says) as caught:
        check_answers(desired(**given), "westeurope", Answers(size(), None, image(plan=has)))
    assert caught.value.option == "plan"


def test_an_image_of_ones_own_does_not_tell_its_plan() -> None:
    own = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/images/i"
    check_answers(desired(plan=PLAN, image=own), "westeurope", Answers(size(), None, image(plan=None)))


def test_an_os_disk_is_no_smaller_than_its_image() -> None:
    big = image(osDiskImage={"operatingSystem": "Linux", "sizeInBytes": 64 * 2**30 + 512})
    check_answers(desired(os_disk_size_gb=64), "westeurope", Answers(size(), None, big))
    with pytest.raises(OptionError, match=r"must be 64 to 4095 GiB .*got 63") as caught:
        check_answers(desired(os_disk_size_gb=63), "westeurope", Answers(size(), None, big))
    assert caught.value.option == "os_disk_size_gb"


def test_types_of_disks_that_the_region_has() -> None:
    there = [{"resourceType": "disks", "name": name} for name in ("Premium_LRS", "StandardSSD_LRS")]
    for option, given in (
        ("managed_disk_type", {"managed_disk_type": "Premium_ZRS"}),
        ("data_disks[lun 4].managed_disk_type", {"data_disks": [a_disk("Premium_ZRS")]}),
    ):
        with pytest.raises(OptionError, match=r"westeurope .Premium_LRS, StandardSSD_LRS") as caught:
            check_answers(desired(**given), "westeurope", Answers([*size(), *there], None, IMAGE))
        assert caught.value.option == option
    check_answers(desired(data_disks=[a_disk("Premium_LRS")]), "westeurope", Answers([*size(), *there], None, IMAGE))


def a_disk(kind: str) -> dict[str, t.Any]:
    """A data disk of a type."""
    return {"lun": 4, "disk_size_gb": 8, "managed_disk_type": kind}


def resized(vcpus: int, limit: int, **current: t.Any) -> None:
    """Judge a change from two to some vCPUs, of which ten are in use."""
    larger = {**size()[0], "name": "Standard_B99s", "capabilities": [{"name": "vCPUs", "value": str(vcpus)}]}
    usages = [
        {"name": {"value": value}, "currentValue": 10, "limit": limit} for value in ("cores", "standardBasv2Family")
    ]
    machine = {"properties": {"hardwareProfile": {"vmSize": "Standard_B2als_v2"}}, **current}
    check_change(desired(vm_size="Standard_B99s"), "westeurope", [*size(), larger], machine, usages)


def test_a_new_size_needs_quota_for_what_is_more() -> None:
    resized(8, limit=16)
    resized(1, limit=10)
    with pytest.raises(OptionError, match=r"needs 6 more vCPUs, but 10 of 15 cores in westeurope are used") as caught:
        resized(8, limit=15)
    assert caught.value.option == "vm_size"


NVME = {"DiskControllerTypes": "NVMe"}
BOTH = [{"name": "DiskControllerTypes", "value": "SCSI, NVMe"}]


@pytest.mark.parametrize(
    ("capabilities", "features", "fits"),
    [
        ({}, [], True),
        ({}, BOTH, True),
        ({}, [{"name": "diskControllerTypes", "value": "nvme"}], False),
        (NVME, None, True),
        (NVME, [], False),
        (NVME, [{"name": "DiskControllerTypes", "value": "SCSI"}], False),
        (NVME, BOTH, True),
        ({"DiskControllerTypes": "NVMe,SCSI"}, [], True),
    ],
)
def test_size_and_image_have_a_disk_controller_in_common(
    capabilities: dict[str, str], features: list[t.Any] | None, fits: bool
) -> None:
    given, answers = desired(vm_size=SIZE["name"]), Answers(size(**capabilities), None, image(features=features))
    if fits:
        assert check_answers(given, "westeurope", answers).vm_size == SIZE["name"]
        return
    with pytest.raises(OptionError, match="supports only the disk controller") as caught:
        check_answers(given, "westeurope", answers)
    assert caught.value.option == "image"


def moved(before: dict[str, str], after: dict[str, str], **storage: str) -> None:
    """Judge a change to a size with other capabilities."""
    larger = {**size(**after)[0], "name": "Standard_B99s"}
    hardware = {"vmSize": "Standard_B2als_v2"}
    machine = {"properties": {"hardwareProfile": hardware, "storageProfile": storage}}
    check_change(desired(vm_size="Standard_B99s"), "westeurope", [*size(**before), larger], machine)


def test_a_new_size_must_boot_from_the_vms_disk() -> None:
    moved({}, {})
    moved(NVME, NVME, diskControllerType="NVMe")
    moved(NVME, NVME)
    moved({"CpuArchitectureType": "x64"}, {"CpuArchitectureType": "X64"})
    for before, after, present in (({}, NVME, {"diskControllerType": "SCSI"}), ({}, NVME, {}), (NVME, {}, {})):
        with pytest.raises(OptionError, match="must support the disk controller") as caught:
            moved(before, after, **present)
        assert caught.value.option == "vm_size"
    with pytest.raises(OptionError, match=r"must be a size for the architecture x64 of .*is arm64"):
        moved({"CpuArchitectureType": "x64"}, {"CpuArchitectureType": "Arm64"})


def test_a_quota_without_a_limit_or_a_use() -> None:
    names = [{"value": "cores"}, {"value": "standardBasv2Family"}]
    endless = [{"name": name, "currentValue": None, "limit": -1} for name in names]
    assert check_answers(desired(), "westeurope", Answers(size(), endless)).vm_size == SIZE["name"]
    unused = [{"name": name, "currentValue": None, "limit": 2} for name in names]
    assert check_answers(desired(), "westeurope", Answers(size(), unused)).vm_size == SIZE["name"]
    nothing = [{"name": name, "currentValue": None, "limit": None} for name in names]
    with pytest.raises(OptionError, match="0 of 0"):
        check_answers(desired(), "westeurope", Answers(size(), nothing))


@pytest.mark.parametrize(
    "restriction",
    [
        {"type": "location", "values": ["West Europe"]},
        {"type": "Location", "restrictionInfo": {"locations": ["WestEurope"]}},
        {"type": "zone", "values": ["West Europe"], "restrictionInfo": {"locations": ["westeurope"], "zones": ["1"]}},
    ],
)
def test_restrictions_in_any_spelling(restriction: dict[str, t.Any]) -> None:
    place = {"location": "West Europe", "zones": ["1", "3"]}
    entry = {**size()[0], "locationInfo": [place], "restrictions": [restriction]}
    with pytest.raises(OptionError, match="is not available"):
        check_answers(desired(vm_size=SIZE["name"], zone="1"), "westeurope", Answers([entry]))
    if restriction["type"] == "zone":
        chosen = check_answers(desired(vm_size=SIZE["name"], zone="3"), "westeurope", Answers([entry]))
        assert chosen.vm_size == SIZE["name"]


def test_a_new_size_must_be_in_the_zone_of_the_vm() -> None:
    resized(4, limit=99, zones=["3"])
    with pytest.raises(OptionError, match="zone 2 of westeurope; zones with it: 1, 3") as caught:
        resized(4, limit=99, zones=["2"])
    assert caught.value.option == "vm_size"


def test_a_resize_beyond_the_quota_is_refused_before_the_host_stops(cloud: Cloud) -> None:
    cloud.run()
    cloud.azure.switch("cores_quota", 3)
    with pytest.raises(OptionError, match=r"more vCPUs.*of 3 .* are used") as caught:
        cloud.run(vm_size="Standard_D4s_v5", allow_stop=True)
    assert (caught.value.option, cloud.writes) == ("vm_size", [])


def test_a_small_os_disk_is_refused_by_azure_as_well(cloud: Cloud) -> None:
    with pytest.raises(OptionError, match="30 to 4095 GiB"):
        cloud.run(os_disk_size_gb=29)
    assert cloud.writes == []
    with pytest.raises(AzureError, match=r"29 GB is smaller than .* in the VM image: 30 GB"):
        cloud.run(os_disk_size_gb=29, preflight=False)


def test_zone_redundant_disks_where_there_are_no_zones(cloud: Cloud) -> None:
    with pytest.raises(OptionError, match=r"westus .Premium_LRS, .*got Premium_ZRS"):
        cloud.run(location="westus", managed_disk_type="Premium_ZRS")
    assert cloud.writes == []


def test_spot_has_a_quota_of_its_own() -> None:
    usages = [
        {"name": {"value": "cores"}, "currentValue": 10, "limit": 10},
        {"name": {"value": "lowPriorityCores"}, "currentValue": 0, "limit": 10},
    ]
    check_answers(desired(priority="Spot"), "westeurope", Answers(size(), usages))
    with pytest.raises(OptionError, match="10 of 10"):
        check_answers(desired(), "westeurope", Answers(size(), usages))


def offered(name: str, zones: str = "123", family: str = "standardDv5Family", **capabilities: str) -> dict[str, t.Any]:
    """A size that is offered in zones."""
    shown = {"vCPUs": "2", "HyperVGenerations": "V1,V2", "CpuArchitectureType": "x64", **capabilities}
    return {
        **SIZE,
        "name": name,
        "family": family,
        "locationInfo": [{"location": "westeurope", "zones": list(zones)}],
        "capabilities": [{"name": key, "value": value} for key, value in shown.items()],
    }


OFFERED = [
    offered("Standard_B2a"),
    offered("Standard_B2zone3", zones="3"),
    offered("Standard_B2arm", CpuArchitectureType="Arm64"),
    offered("Standard_B2old", HyperVGenerations="V1"),
    offered("Standard_B2nvme", DiskControllerTypes="NVMe"),
]


@pytest.mark.parametrize(
    ("given", "answer", "fitting"),
    [
        ({}, None, {"B2a", "B2zone3", "B2arm", "B2old", "B2nvme"}),
        ({"zone": "1"}, None, {"B2a", "B2arm", "B2old", "B2nvme"}),
        ({"zone": "1"}, image(features=BOTH), {"B2a", "B2arm", "B2nvme"}),
        ({}, image(architecture="x64", hyperVGeneration="V2"), {"B2a", "B2zone3"}),
        ({}, image(architecture="Arm64", hyperVGeneration="V2"), {"B2arm"}),
        ({"zone": "1"}, image(architecture="x64", hyperVGeneration="V1"), {"B2a", "B2old"}),
    ],
)
def test_sizes_that_are_suggested_would_do(
    given: dict[str, t.Any], answer: dict[str, t.Any] | None, fitting: set[str]
) -> None:
    with pytest.raises(OptionError, match="Available are") as caught:
        check_answers(desired(vm_size="Standard_B2none", **given), "westeurope", Answers(OFFERED, None, answer))
    suggested = str(caught.value).partition("Available are ")[2].rstrip(".").split(", ")
    assert {name.removeprefix("Standard_") for name in suggested} == fitting


def test_sizes_that_are_suggested_are_for_the_same_processor() -> None:
    blocked = {**offered("Standard_B2none"), "restrictions": [{"type": "Location", "values": ["westeurope"]}]}
    with pytest.raises(OptionError, match="Available are") as caught:
        check_answers(desired(vm_size="Standard_B2none"), "westeurope", Answers([*OFFERED, blocked]))
    assert "B2arm" not in str(caught.value)
    assert "B2a" in str(caught.value)


ARM_IMAGE = "Canonical:ubuntu-24_04-lts:server-arm64:latest"
NO_BURST = {"LowPriorityCapable": "False", "EphemeralOSDiskSupported": "False", "MaxDataDiskCount": "4"}
DEFAULTS_OFFERED = [
    *(offered(name, family="standardBasv2Family", **NO_BURST) for name in DEFAULT_SIZES[:2]),
    offered(DEFAULT_SIZES[2], zones="3", family="standardBsv2Family", **NO_BURST),
    offered(DEFAULT_SIZES[4], HyperVGenerations="V2", EphemeralOSDiskSupported="False"),
    offered(DEFAULT_SIZES[5], EphemeralOSDiskSupported="False"),
    offered(DEFAULT_SIZES[6]),
    *(offered(name, CpuArchitectureType="Arm64") for name in DEFAULT_ARM_SIZES),
]
NVME_ONLY = [
    offered(DEFAULT_SIZES[4], DiskControllerTypes="NVMe") if entry["name"] == DEFAULT_SIZES[4] else entry
    for entry in DEFAULTS_OFFERED
]
FULL = [{"name": {"value": "standardBasv2Family"}, "currentValue": 9, "limit": 10}]


def blocked_first(**restriction: t.Any) -> list[dict[str, t.Any]]:
    """The default sizes, of which the first is restricted."""
    return [{**DEFAULTS_OFFERED[0], "restrictions": [restriction]}, *DEFAULTS_OFFERED[1:]]


@pytest.mark.parametrize(
    ("given", "answers", "chosen"),
    [
        ({}, Answers(DEFAULTS_OFFERED), DEFAULT_SIZES[0]),
        ({}, Answers(blocked_first(type="Location", values=["westeurope"])), DEFAULT_SIZES[1]),
        (
            {"zone": "2"},
            Answers(blocked_first(type="Zone", restrictionInfo={"zones": ["2"]})),
            DEFAULT_SIZES[1],
        ),
        ({}, Answers(DEFAULTS_OFFERED[1:]), DEFAULT_SIZES[1]),
        ({}, Answers(DEFAULTS_OFFERED, FULL), DEFAULT_SIZES[2]),
        ({"zone": "1"}, Answers(DEFAULTS_OFFERED, FULL), DEFAULT_SIZES[4]),
        ({"priority": "Spot"}, Answers(DEFAULTS_OFFERED), DEFAULT_SIZES[4]),
        ({"priority": "Spot"}, Answers(NVME_ONLY, None, IMAGE), DEFAULT_SIZES[5]),
        ({"priority": "Spot"}, Answers(DEFAULTS_OFFERED, None, image(hyperVGeneration="V1")), DEFAULT_SIZES[5]),
        ({"ephemeral_os_disk": True}, Answers(DEFAULTS_OFFERED), DEFAULT_SIZES[6]),
        ({}, Answers(DEFAULTS_OFFERED, None, image(architecture="Arm64")), DEFAULT_ARM_SIZES[0]),
        ({"image": ARM_IMAGE}, Answers(DEFAULTS_OFFERED), DEFAULT_ARM_SIZES[0]),
        ({"image": ARM_IMAGE}, Answers(DEFAULTS_OFFERED, None, image(architecture="x64")), DEFAULT_SIZES[0]),
        ({"image": ARM_IMAGE}, Answers(), DEFAULT_ARM_SIZES[0]),
        ({"image": "acme:alarm-charm:swarm:latest"}, Answers(), DEFAULT_SIZES[0]),
        ({"vm_size": "Standard_X9"}, Answers(), "Standard_X9"),
    ],
)
def test_a_new_host_gets_the_first_default_size_that_suits(
    given: dict[str, t.Any], answers: Answers, chosen: str
) -> None:
    assert check_answers(desired(**given), "westeurope", answers).vm_size == chosen


def test_why_no_default_size_suits() -> None:
    with pytest.raises(OptionError, match=r"B2als_v2, Standard_B2ls_v2: needs 2 vCPUs") as caught:
        check_answers(desired(), "westeurope", Answers([*DEFAULTS_OFFERED[:2], offered("Standard_D2s_v5")], FULL))
    assert caught.value.option == "vm_size"
    assert "Standard_B2as_v2, Standard_B2s_v2" in caught.value.problem
    assert "Available are Standard_D2s_v5." in caught.value.problem


def test_the_chosen_size_is_predicted_made_and_kept(cloud: Cloud) -> None:
    cloud.azure.switch("sku_not_available", [*DEFAULT_SIZES[:1]])
    assert cloud.run(check=True)["host"]["vm_size"] == DEFAULT_SIZES[1]
    made = cloud.run()
    assert made["host"]["vm_size"] == DEFAULT_SIZES[1]
    cloud.azure.switch("sku_not_available", [])
    again = cloud.run()
    assert (again["changed"], again["host"]["vm_size"]) == (False, DEFAULT_SIZES[1])
    assert not [entry for entry in cloud.azure.requests() if "skus" in entry["path"] or "usages" in entry["path"]]


def test_a_version_of_an_image_that_was_withdrawn(cloud: Cloud) -> None:
    cloud.azure.fault("status", path="/versions/[^/]+$", status=404, code="ImageVersionDeprecated")
    with pytest.raises(OptionError, match="is withdrawn in westeurope: choose a newer version") as caught:
        cloud.run(location="westeurope", image="Debian:debian-12:12-gen2:0.20241004.1890")
    assert (caught.value.option, cloud.writes) == ("image", [])


@pytest.mark.parametrize("code", ["SkuNotAvailable", "OverconstrainedZonalAllocationRequest"])
def test_azure_runs_out_of_the_chosen_size(cloud: Cloud, code: str) -> None:
    cloud.azure.switch("sku_not_available", [*DEFAULT_SIZES[:1]])
    cloud.azure.fault("status", method="PUT", path="/virtualMachines/", status=409, code=code)
    with pytest.raises(AzureError, match="Similar sizes in westeurope") as caught:
        cloud.run()
    assert f"{DEFAULT_SIZES[1]}," not in str(caught.value).partition("Similar sizes")[2]


@pytest.mark.parametrize(
    "given",
    [
        {"image": "SUSE:sles-15-sp7-byos:gen2:latest", "custom_data": "#cloud-config\nruncmd: [registercloudguest]\n"},
        {"image": "SUSE:sles-15-sp7:gen2:latest"},
        {"image": "sles-15"},
        {"image": "example:byos:x:1.0.0"},
        {"image": f"/subscriptions/{SUBSCRIPTION}/resourceGroups/g/providers/Microsoft.Compute/images/byos"},
        {},
    ],
    ids=["registered by custom data", "with a subscription", "alias", "another publisher", "own image", "default"],
)
def test_images_with_package_sources_are_accepted(given: dict[str, t.Any]) -> None:
    check_registration(desired(**given))
