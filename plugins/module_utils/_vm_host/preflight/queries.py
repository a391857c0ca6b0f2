# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The queries to Azure before a host is created.

All queries only read. What the identity may not read stays unknown. The queries use the plain ARM client, so that
azure-mgmt-compute is loaded while Azure works (:meth:`AzureSession.load_compute`), not before.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass
from functools import partial

from ..._azure.clients import AzureSession
from ..._azure.errors import AzureError
from ..._azure.operations import run_parallel
from ..._azure.wire import Json, properties_of
from ..bodies.virtual_machine import image_of
from ..desired.host_spec import HostSpec
from ..desired.image_reference import Image
from ..desired.resource_names import ResourceNames
from .custom_images import query_custom_image
from .permissions import read_permissions
from .references import query_reference, references_of
from .resource_providers import FOR_SCHEDULES, NEEDED, find_unregistered


@dataclass(frozen=True)
class Answers:
    """The answers of Azure; None for what is unknown.

    :param sizes: the sizes and the types of disks of the region (items of ``Microsoft.Compute/skus``).
    :param usages: usage and limits in the region.
    :param image: the image's version.
    :param image_problem: why the image cannot be used, in words.
    :param label_problem: why the DNS label is not available, in words.
    :param terms_problem: that the terms of the image's plan are not accepted, in words.
    :param permissions: the permissions of the signed-in identity (items of ``Microsoft.Authorization/permissions``).
    :param reference_problems: why resources that the machine's options name cannot be used, by option, in words.
    :param unregistered: resource providers that the subscription is not registered for.
    """

    sizes: list[Json] | None = None
    usages: list[Json] | None = None
    image: Json | None = None
    image_problem: str | None = None
    label_problem: str | None = None
    terms_problem: str | None = None
    permissions: list[Json] | None = None
    reference_problems: tuple[tuple[str, str], ...] = ()
    unregistered: tuple[str, ...] = ()


def query_azure(
    session: AzureSession, desired: HostSpec, location: str, dns_label: str | None, scope: str | None = None
) -> Answers:
    """Send all queries in parallel.

    Providers that are not registered get no query, because the SDK would register them, and a query must not change
    anything.

    :param dns_label: the desired label of a public address.
    :param scope: the scope in which the signed-in identity needs permissions.
    """
    needed = NEEDED + (FOR_SCHEDULES if desired.auto_shutdown and desired.auto_shutdown.enabled else ())
    first: list[t.Callable[[], t.Any]] = [
        lambda: read_permissions(session, scope) if scope else None,
        lambda: find_unregistered(session, needed),
    ]
    permissions, unregistered = run_parallel(first)
    compute, network = (f"Microsoft.{name}" not in unregistered for name in ("Compute", "Network"))
    jobs: list[t.Callable[[], t.Any]] = [
        lambda: query_sizes(session, location) if compute else None,
        lambda: query_usages(session, location) if compute else None,
        lambda: query_dns_label(session, location, dns_label) if dns_label and network else None,
        lambda: _query_image(session, location, image_of(desired)) if compute else (None, None),
    ]
    references = references_of(desired, ResourceNames(session.subscription_id, desired.resource_group, desired.name))
    if compute:
        jobs += [partial(query_reference, session, one, location) for one in references]
    sizes, usages, label, (version, problem), *problems = run_parallel(jobs)
    return Answers(
        sizes=sizes,
        usages=usages,
        image=version,
        image_problem=problem,
        label_problem=label,
        terms_problem=_query_terms(session, desired, version),
        permissions=permissions,
        reference_problems=tuple((one.option, text) for one, text in zip(references, problems, strict=False) if text),
        unregistered=tuple(unregistered),
    )


def query_sizes(session: AzureSession, location: str) -> list[Json] | None:
    """Return the sizes and disk types of a region (items of ``Microsoft.Compute/skus``), None if they are unknown."""

    def question() -> list[Json]:
        path = f"/subscriptions/{session.subscription_id}/providers/Microsoft.Compute/skus"
        listed = session.arm.list(path, **{"$filter": f"location eq '{location}'"})
        return [entry for entry in listed if entry.get("resourceType") in ("virtualMachines", "disks")]

    return t.cast("list[Json] | None", _allowed(question))


def query_usages(session: AzureSession, location: str) -> list[Json] | None:
    """Return usage and limits in a region, None if the identity may not read them."""

    def question() -> list[Json]:
        return session.arm.list(f"{_region(session, location)}/usages")

    return t.cast("list[Json] | None", _allowed(question))


def _region(session: AzureSession, location: str) -> str:
    return f"/subscriptions/{session.subscription_id}/providers/Microsoft.Compute/locations/{location}"


def _allowed(question: t.Callable[[], t.Any]) -> t.Any:
    """Return the answer to a query, None if the identity may not send it."""
    try:
        return question()
    except AzureError as error:
        if error.status in (403, 404) or error.code == "NoRegisteredProviderFound":
            return None
        raise


def query_dns_label(session: AzureSession, location: str, label: str) -> str | None:
    """Return why a DNS label is not available in a region, in words; None if it is, or if that is unknown."""
    path = f"/subscriptions/{session.subscription_id}/providers/Microsoft.Network/locations/{location}"
    answer = _allowed(lambda: session.arm.get(f"{path}/CheckDnsNameAvailability", domainNameLabel=label)) or {}
    if answer.get("available") is not False:
        return None
    return f"{label!r} is taken in {location}: choose another, it must be unique in the region."


def query_private_address(session: AzureSession, network_id: str, address: str) -> str | None:
    """Return why a private address is not available, in words; None if it is, or if that is unknown.

    :param network_id: the existing virtual network.
    """
    path = f"{network_id}/CheckIPAddressAvailability"
    try:
        answer = _allowed(lambda: session.arm.get(path, ipAddress=address)) or {}
    except AzureError as error:
        if error.code == "PrivateIPAddressNotInAnySubnet":
            # Its subnet does not exist yet.
            return None
        raise
    if answer.get("available") is not False:
        return None
    free = ", ".join(answer.get("availableIPAddresses") or [])
    return f"{address} is taken in {network_id}." + (f" Free addresses: {free}." if free else "")


def _query_image(session: AzureSession, location: str, image: Image) -> tuple[Json | None, str | None]:
    if not image.is_platform:
        return query_custom_image(session, location, image)
    reference = image.reference
    path = (
        f"{_region(session, location)}/publishers/{reference['publisher']}/artifacttypes/vmimage"
        f"/offers/{reference['offer']}/skus/{reference['sku']}/versions"
    )
    try:
        version = reference["version"]
        if version.lower() == "latest":
            # Unlike other lists of Azure, this one is a bare array.
            newest = t.cast("list[Json]", session.arm.get(path, **{"$top": "1", "$orderby": "name desc"}))
            if not newest:
                return None, f"{image} has no version in {location}."
            version = str(newest[-1]["name"])
        return session.arm.get(f"{path}/{version}"), None
    except AzureError as error:
        if error.status == 403:
            return None, None
        if error.code == "ImageVersionDeprecated":
            return None, f"{image} is withdrawn in {location}: choose a newer version, or `latest`."
        if error.status in (400, 404):
            return None, f"{image} does not exist in {location}: docker_vm_image_info lists the images."
        raise


def _query_terms(session: AzureSession, desired: HostSpec, image: Json | None) -> str | None:
    plan = properties_of(image).get("plan") or desired.plan
    if not plan or not all(plan.get(key) for key in ("publisher", "product", "name")):
        return None
    publisher, product, name = (str(plan[key]) for key in ("publisher", "product", "name"))
    path = (
        f"/subscriptions/{session.subscription_id}/providers/Microsoft.MarketplaceOrdering/offerTypes/virtualmachine"
        f"/publishers/{publisher}/offers/{product}/plans/{name}/agreements/current"
    )
    try:
        terms = session.arm.get(path)
    except AzureError as error:
        if error.status in (400, 403, 404, 409):
            return None
        raise
    if properties_of(terms).get("accepted") is not False:
        return None
    return (
        f"the terms of the plan {publisher}:{product}:{name} are not accepted in this subscription. Accept them once:"
        f" `az vm image terms accept --publisher {publisher} --offer {product} --plan {name}`."
    )
