# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a record requires of the cloud: the catalogue that it shows."""

from __future__ import annotations

import asyncio
import typing as t

from azure_conformance.local import LocalCloud
from azure_conformance.paths import Target, parse_target
from azure_conformance.preconditions import add_to_catalogue, starting_switches
from azure_conformance.records import Flow, Interaction, Message

PUBLISHERS = "/subscriptions/s/providers/Microsoft.Compute/locations/eastus/publishers"
IMAGE = f"{PUBLISHERS}/P/artifacttypes/vmimage/offers/o/skus/k/versions"
TYPE = f"{PUBLISHERS}/P.Q/artifacttypes/vmextension/types/T/versions"


def flow(*answers: tuple[str, t.Any], status: int = 200) -> Flow:
    """A flow of GETs."""
    nothing = Message({}, None)
    return Flow(
        "f",
        [
            Interaction(n, str(n), "s", None, "GET", "", path, {}, nothing, status, Message({}, body))
            for n, (path, body) in enumerate(answers)
        ],
    )


def test_images_that_a_record_shows() -> None:
    features = [{"name": "SecurityType", "value": "TrustedLaunchSupported"}]
    second = {"properties": {"hyperVGeneration": "V2", "features": features}}
    switches = starting_switches(
        flow((IMAGE, [{"name": "1.0.0"}, {"name": "2.0.0"}]), (f"{IMAGE}/2.0.0", second), (f"{IMAGE}/3.0.0", {}))
    )
    assert switches["extra_images"] == ["P:o:k:1.0.0", "P:o:k:2.0.0:V2:TrustedLaunch", "P:o:k:3.0.0"]


def machine() -> Target:
    """A virtual machine."""
    found = parse_target("/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/vm")
    assert found is not None
    return found


def disk(version: str, **properties: t.Any) -> dict[str, t.Any]:
    """The answer for a disk that was made of an image."""
    creation = {"createOption": "FromImage", "imageReference": {"id": f"{IMAGE}/{version}"}}
    return {"properties": {"creationData": creation, **properties}}


def test_images_of_which_disks_were_made() -> None:
    of_lun = disk("3.0.0")
    of_lun["properties"]["creationData"]["imageReference"]["lun"] = 0
    switches = starting_switches(
        flow(
            ("/a", disk("1.0.0", hyperVGeneration="V2", osType="Windows")),
            (
                f"{IMAGE}/2.0.0",
                {"properties": {"hyperVGeneration": "V2", "osDiskImage": {"operatingSystem": "Windows"}}},
            ),
            ("/b", disk("2.0.0", osType="Linux")),
            ("/c", of_lun),
        )
    )
    assert switches["extra_images"] == ["P:o:k:1.0.0:V2:Windows", "P:o:k:2.0.0:V2:Windows"]


def test_a_machine_with_trusted_launch_makes_its_image_one_that_has_it() -> None:
    reference = {"publisher": "P", "offer": "o", "sku": "k", "version": "latest"}
    secure = {"securityProfile": {"securityType": "TrustedLaunch"}, "storageProfile": {"imageReference": reference}}
    plain = {"storageProfile": {"imageReference": reference}}

    async def run() -> list[str]:
        async with LocalCloud({"extra_images": ["P:o:k:1.0.0:V2"]}) as cloud:
            for properties in (plain, secure, secure):
                add_to_catalogue(cloud.cloud, machine(), {"properties": properties})
            return list(cloud.cloud.switches["extra_images"])

    assert asyncio.run(run()) == ["P:o:k:1.0.0:V2:TrustedLaunch", "P:o:k:1.0.0:V2"]


def test_an_answer_says_of_which_system_an_image_is() -> None:
    reference = {"publisher": "P", "offer": "o", "sku": "k", "version": "1.0.0"}
    asked = {"properties": {"storageProfile": {"imageReference": reference}}}
    answer = {"properties": {"storageProfile": {"osDisk": {"osType": "Windows"}}}}

    async def run() -> list[str]:
        async with LocalCloud() as cloud:
            add_to_catalogue(cloud.cloud, machine(), asked, answer)
            return list(cloud.cloud.switches["extra_images"])

    assert asyncio.run(run()) == ["P:o:k:1.0.0:Windows"]


def test_extension_types_that_a_record_shows() -> None:
    switches = starting_switches(flow((TYPE, [{"name": "1.0.1"}]), (f"{TYPE}/2.0.0", {"name": "2.0.0"})))
    assert switches["extra_extensions"] == ["P.Q.T:1.0.1", "P.Q.T:2.0.0"]


def test_errors_show_nothing() -> None:
    switches = starting_switches(flow((f"{IMAGE}/2.0.0", {}), (TYPE, [{"name": "1"}]), status=404))
    assert not {"extra_images", "extra_extensions"} & switches.keys()
