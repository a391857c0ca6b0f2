# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""GET of top-level resources: one, those of a group, and those of a subscription."""

from __future__ import annotations

import typing as t

from .messages import ArmRequest, Reply
from .replies import found, listing
from .resource import Json, Resource
from .routing import GROUP, SUBSCRIPTION, route

if t.TYPE_CHECKING:
    from ..cloud import Cloud

Render = t.Callable[["Cloud", Resource, str], Json]
"""The body of a resource as an api-version shows it."""


def serve_reads(type_: str, render: Render, *, has_etag: bool = False) -> None:
    """Serve the three reads of a type; the name is the path parameter ``name``.

    :param has_etag: whether the answer for one resource has the header ``ETag``.
    """
    collection = f"providers/{type_}"

    @route("GET", f"{GROUP}/{collection}/{{name}}", type_)
    async def get(cloud: Cloud, request: ArmRequest) -> Reply:
        resource = cloud.resource(request.id_of(type_, request.params["name"]))
        return found(render(cloud, resource, request.api_version), resource.etag if has_etag else None)

    @route("GET", f"{GROUP}/{collection}", type_)
    async def list_group(cloud: Cloud, request: ArmRequest) -> Reply:
        group = cloud.group(request.subscription, request.group)
        return listing([render(cloud, r, request.api_version) for r in cloud.store.children(group.id, type_)])

    @route("GET", f"{SUBSCRIPTION}/{collection}", type_)
    async def list_all(cloud: Cloud, request: ArmRequest) -> Reply:
        resources = cloud.store.of_type(type_, f"/subscriptions/{request.subscription}")
        return listing([render(cloud, resource, request.api_version) for resource in resources])
