# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The functions of templates that depend on the cloud: ``resourceGroup``, ``reference`` and others."""

from __future__ import annotations

import datetime
import typing as t

from ..arm.resource import Json, group_id
from ..arm.versions import LOCATIONS, versions_of
from ..endpoints import metadata
from ..errors import group_not_found
from ..groups import render_group
from ..providers import subscription_body
from ..settings import new_guid
from .errors import TemplateError
from .expressions import Function
from .scope import Scope

if t.TYPE_CHECKING:
    from ..cloud import Cloud

GROUPS = "2022-09-01"


class NeededError(Exception):
    """The state of a resource is needed that has not been read yet."""

    def __init__(self, name: str, api_version: str) -> None:
        super().__init__(name)
        self.name = name
        self.api_version = api_version


class References:
    """What the function ``reference`` has read so far."""

    def __init__(self) -> None:
        self.bodies: dict[str, Json] = {}

    def reference(self, name: str, api_version: str = "", full: str = "") -> t.Any:
        """Return the properties of a resource, or with ``Full`` all of its body.

        :raises NeededError: it has to be read first.
        """
        body = self.bodies.get(name.lower())
        if body is None:
            raise NeededError(name, api_version)
        return body if full.lower() == "full" else body.get("properties", {})

    def learn(self, name: str, body: Json) -> None:
        """Keep what was read."""
        self.bodies[name.lower()] = body


def functions(cloud: Cloud, scope: Scope, name: str, references: References) -> dict[str, Function]:
    """Return the functions for a deployment."""

    def resource_group() -> Json:
        if scope.group is None:
            raise TemplateError("The template function 'RESOURCEGROUP' is not expected at this location.")
        group = cloud.store.get(group_id(scope.subscription, scope.group))
        if group is None:
            raise group_not_found(scope.group)
        return render_group(group, GROUPS)

    def providers(namespace: str, type_: str) -> Json:
        versions = list(reversed(versions_of(f"{namespace}/{type_}")))
        return {"resourceType": type_, "locations": list(LOCATIONS), "apiVersions": versions}

    def utc_now(form: str = "") -> str:
        now = datetime.datetime.now(datetime.timezone.utc)
        return now.strftime({"d": "%m/%d/%Y", "yyyy-MM-dd": "%Y-%m-%d"}.get(form, "%Y%m%dT%H%M%SZ"))

    def subscription() -> Json:
        body = subscription_body(cloud, scope.subscription)
        return {key: body[key] for key in ("id", "subscriptionId", "tenantId", "displayName")}

    return {
        "deployment": lambda: {"name": name, "properties": {"mode": "Incremental", "provisioningState": "Accepted"}},
        "environment": lambda: metadata.endpoints(cloud, GROUPS).body,
        "newguid": new_guid,
        "providers": providers,
        "reference": references.reference,
        "resourcegroup": resource_group,
        "subscription": subscription,
        "tenant": lambda: {"tenantId": cloud.identity.tenant, "displayName": "Local Azure"},
        "utcnow": utc_now,
    }
