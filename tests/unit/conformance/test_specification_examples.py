# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What Azure takes the local Azure takes, and what it refuses it refuses: by the examples of the specifications."""

from __future__ import annotations

import asyncio
import copy
import json
import re
import typing as t
from pathlib import Path

import pytest

from azure_conformance import specifications
from azure_conformance.bodies import PASSWORD, parent_of
from azure_conformance.compare import Answer
from azure_conformance.local import LocalCloud
from azure_conformance.mapping import Mapping
from azure_conformance.paths import Target, parse_target
from azure_conformance.records import Flow
from azure_conformance.resource_history import ResourceHistory
from azure_conformance.seeding import Seeder
from azure_conformance.specifications import Example, spoil
from azure_emulator import unserved
from azure_emulator.arm.routing import ROUTER

SPECIFICATIONS = specifications.find(Path(__file__).resolve().parents[3])
pytestmark = pytest.mark.skipif(SPECIFICATIONS is None, reason="skipped: no specifications")
SUBSCRIPTION = re.compile(r"/subscriptions/[^/\"]+")
SHARED = {"basic_public_ip": True, "encryption_at_host": True, "previous_sizes": True}

DEPENDENCIES: tuple[tuple[str, str], ...] = (
    ("ResourceNotFound", "The Image '"),
    ("GalleryImageNotFound", "The gallery image"),
    ("BadRequest", "not supported for the provided image"),
    ("NotSupported", "OS disk of Ephemeral VM"),
    ("OperationNotAllowed", "to be Generalized"),
    ("InvalidParameter", "provided for the VM size is not valid"),
    ("InvalidParameter", "cannot boot with DiskControllerType"),
    ("InvalidParameter", "Required parameter 'publisher' is missing"),
    ("InvalidParameter", "Required parameter 'creationData.uploadSizeBytes' is missing"),
    ("InvalidParameter", "Required parameter 'networkProfile' is missing"),
    ("SubnetMissingRequiredProperty", "Subnet test-1"),
    ("ResourceNotFound", "The Resource 'myPRNameSpace/VM/myVm'"),
    ("ResourceNotFound", "The Resource 'Microsoft.Compute/snapshots/mySnapshot1'"),
    ("InvalidContentLink", "Unable to download deployment content"),
    ("NotSupported", "deployments with the mode 'Complete'"),
)
"""Code and words of the refusals that an example's missing surroundings explain: images of one's own, machines that
are not generalized, sizes that are not in the catalogue or have no room for the image as an ephemeral disk, an address
pool to take a prefix from, interfaces that the machine makes for itself, a resource of another provider, snapshots of
another subscription, templates that are elsewhere, deployments that delete; and what the specification allows and the
service does not: an extension without a publisher, an upload without its size (Azure/azure-cli#25308), NVMe on an old
size (Azure/FederalAVD#20)."""


NEVER_SHOWN = ("properties.instanceView", "properties.protectedSettings")
"""Members that the examples' answers show as they were sent, and real ones do not."""


def served(method: str, template: str) -> bool:
    """Whether an operation that writes a whole resource is served."""
    match = ROUTER.find(re.sub(r"\{[^}]+\}", "x", template))
    return method == "PUT" and match is not None and method in match.handlers


def examples() -> list[Example]:
    """The examples of all writing operations that are served, in groups."""
    found = list(specifications.examples(SPECIFICATIONS, served)) if SPECIFICATIONS is not None else []
    return [example for example in found if parse_target(example.path) is not None]


def fitted(example: Example, cloud: LocalCloud) -> tuple[Target, t.Any]:
    """An example's resource and body in the cloud's subscription, with its placeholders filled in."""
    text = SUBSCRIPTION.sub(f"/subscriptions/{cloud.subscription}", json.dumps(example.body))
    text = text.replace("{your-password}", PASSWORD)
    text = re.sub(r"\{([\w-]+)\}", lambda match: match[1].replace("_", "-"), text)
    target = parse_target(SUBSCRIPTION.sub(f"/subscriptions/{cloud.subscription}", example.path))
    assert target is not None
    return target, json.loads(text)


async def surroundings(cloud: LocalCloud, target: Target, body: t.Any) -> None:
    """Make what the example takes for granted."""
    known = ResourceHistory(Flow("example"))
    known.location = str(body.get("location", known.location)).replace(" ", "").lower()
    seeder = Seeder(cloud, known, Mapping())
    if "/providers/" in target.id:
        await seeder.group(target)
    parent = parent_of(target)
    if parent is not None:
        await seeder.ensure(parent, 0)
    await seeder.needs(target, body, 0)


async def put(cloud: LocalCloud, target: Target, version: str, body: t.Any) -> Answer:
    """PUT, to the end of the operation."""
    answer = await cloud.request("PUT", f"{target.id}?api-version={version}", body)
    await cloud.settle()
    return answer


def error(answer: Answer) -> dict[str, t.Any]:
    """The error of a refusal."""
    return t.cast("dict[str, t.Any]", (answer.body or {}).get("error", {}))


def names(value: list[Example]) -> list[str]:
    return [f"{example.operation}-{example.name}" for example in value]


def test_every_type_of_the_specifications_is_served_or_can_be_read() -> None:
    assert SPECIFICATIONS is not None
    namespaces = ("microsoft.compute/", "microsoft.network/")
    found = {type_.lower() for type_ in specifications.types(SPECIFICATIONS) if type_.lower().startswith(namespaces)}
    path = "/subscriptions/x/resourceGroups/x/providers/{}/x"
    routed = {type_ for type_ in found if ROUTER.find(path.format(type_)) is not None}
    assert len(routed) > 10
    assert found - routed <= unserved.TYPES.keys()
    assert not routed & unserved.TYPES.keys()


EXAMPLES = examples()


@pytest.mark.parametrize("example", EXAMPLES, ids=names(EXAMPLES))
def test_an_example_is_taken_and_so_is_its_echo(example: Example) -> None:
    """The body is accepted; what a GET shows afterwards, read-only members included, is accepted as a PUT.

    The GET shows every member that the example's request and its answer have.
    """

    async def run() -> None:
        async with LocalCloud(SHARED) as cloud:
            target, body = fitted(example, cloud)
            await surroundings(cloud, target, body)
            answer = await put(cloud, target, example.api_version, body)
            if answer.status < 300:
                url = f"{target.id}?api-version={example.api_version}"
                shown = await cloud.request("GET", url)
                sent = set(specifications.members(body)) & set(specifications.members(example.answer))
                lost = sent - set(specifications.members(shown.body))
                assert not {path for path in lost if not path.startswith(NEVER_SHOWN)}
                again = await put(cloud, target, example.api_version, shown.body)
                assert again.status == 200, (shown.body, again)
                return
            refused = error(answer)
            known = [words for code, words in DEPENDENCIES if code == refused["code"] and words in refused["message"]]
            assert known, refused

    asyncio.run(run())


def ways_to_spoil(example: Example, body: t.Any) -> t.Iterator[specifications.Spoiled]:
    """What the schema forbids, but for members that the service takes no notice of."""
    assert example.schema is not None
    for spoiled in spoil(body, example.schema):
        if "properties.instanceView" not in spoiled.what and "ettings is " not in spoiled.what:
            yield spoiled


@pytest.mark.parametrize("example", EXAMPLES, ids=names(EXAMPLES))
def test_what_the_schema_forbids_is_refused(example: Example) -> None:
    """Unknown members, wrong types, missing members: 400 with a message about just that, and nothing is made."""

    async def run() -> None:
        async with LocalCloud(SHARED) as cloud:
            target, body = fitted(example, cloud)
            if parent_of(target) is not None:
                await surroundings(cloud, target, body)
            else:
                await Seeder(cloud, ResourceHistory(Flow("example")), Mapping()).group(target)
            for spoiled in ways_to_spoil(example, body):
                before = dict(cloud.cloud.store._resources)
                answer = await put(cloud, target, example.api_version, copy.deepcopy(spoiled.body))
                assert answer.status == 400, (spoiled.what, answer)
                text = json.dumps(answer.body)
                reasons = (
                    "Could not find member",
                    "Error converting",
                    "Unexpected character",
                    "is missing",
                    "equired",
                )
                assert any(reason in text for reason in reasons), (spoiled.what, answer)
                assert cloud.cloud.store._resources == before, spoiled.what

    asyncio.run(run())
