# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Images: plans and terms, the size of the disk, withdrawal, package sources."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.dockerhost.azure.plugins.module_utils._azure.errors import AzureError
from ansible_collections.dockerhost.azure.plugins.module_utils._errors import OptionError
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.preflight.checks import check_answers
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.preflight.image_checks import check_registration
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.preflight.queries import Answers

from ..conftest import SUBSCRIPTION, Cloud, desired
from .conftest import image, size


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


def test_a_small_os_disk_is_refused_by_azure_as_well(cloud: Cloud) -> None:
    with pytest.raises(OptionError, match="30 to 4095 GiB"):
        cloud.run(os_disk_size_gb=29)
    assert cloud.writes == []
    with pytest.raises(AzureError, match=r"29 GB is smaller than .* in the VM image: 30 GB"):
        cloud.run(os_disk_size_gb=29, preflight=False)


def test_a_version_of_an_image_that_was_withdrawn(cloud: Cloud) -> None:
    cloud.azure.fault("status", path="/versions/[^/]+$", status=404, code="ImageVersionDeprecated")
    with pytest.raises(OptionError, match="is withdrawn in westeurope: choose a newer version") as caught:
        cloud.run(location="westeurope", image="Debian:debian-12:12-gen2:0.20241004.1890")
    assert (caught.value.option, cloud.writes) == ("image", [])


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
