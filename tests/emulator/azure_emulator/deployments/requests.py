# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Requests to deploy a template: read, evaluated as far as possible, and checked."""

from __future__ import annotations

import re
import typing as t

from ..arm.messages import ArmRequest
from ..arm.resource import Json, Resource, group_id
from ..arm.routing import ROUTER
from ..arm.tracked import check_location
from ..arm.versions import check_version
from ..errors import ApiError, group_not_found, location_required
from ..settings import new_guid
from ..unserved import refusal
from .bodies import TYPE, dependencies, providers, template_hash, zulu
from .context import NeededError, References, functions
from .errors import TemplateError, invalid_template
from .planning import planned
from .scope import Scope
from .template import Planned, Template

if t.TYPE_CHECKING:
    from ..cloud import Cloud

NAME = re.compile(r"^[-\w._()]{1,64}$")


def scope_in(request: ArmRequest) -> Scope:
    """Return the group or subscription in the path."""
    return Scope(request.subscription, request.params.get("group"))


def id_in(request: ArmRequest) -> str:
    """Return the id of the deployment in the path."""
    return f"{scope_in(request).id}/providers/{TYPE}/{request.params['name']}"


def _template(cloud: Cloud, request: ArmRequest, body: Json) -> tuple[Template, References]:
    """Return the template of a request, evaluated as far as it can be before anything is deployed."""
    properties: Json = body.get("properties") or {}
    mode = str(properties.get("mode") or "")
    if mode.lower() not in ("incremental", "complete"):
        raise ApiError(
            400,
            "InvalidDeployment",
            "The 'mode' property of the deployment must be 'Incremental' or 'Complete'. Please see "
            "https://aka.ms/arm-deploy for usage details.",
        )
    if mode.lower() == "complete":
        raise ApiError(
            400,
            "NotSupported",
            "The local Azure does not serve deployments with the mode 'Complete': use 'Incremental'.",
        )
    return make_template(cloud, scope_in(request), request.params["name"], properties)


def make_template(cloud: Cloud, scope: Scope, name: str, properties: Json) -> tuple[Template, References]:
    """Return the template in the properties of a deployment.

    :raises ApiError: 400, the template or its parameters are invalid.
    """
    for link in ("templateLink", "parametersLink"):
        uri = (properties.get(link) or {}).get("uri") or (properties.get(link) or {}).get("id")
        if uri:
            raise ApiError(
                400,
                "InvalidContentLink",
                f"Unable to download deployment content from '{uri}'. The tracking Id is '{new_guid()}'. Please see "
                "https://aka.ms/arm-deploy for usage details.",
            )
    document = properties.get("template")
    if not isinstance(document, dict):
        raise ApiError(
            400,
            "InvalidRequestContent",
            "The request content was invalid and could not be deserialized: 'Required property 'template' not found in "
            "JSON. Path 'properties', line 1, position 1.'.",
        )
    references = References()
    try:
        context = functions(cloud, scope, name, references)
        return Template(document, properties.get("parameters") or {}, scope, context), references
    except TemplateError as error:
        raise invalid_template(error) from error


def plan(template: Template) -> list[Planned]:
    """Return the resources of a template.

    :raises ApiError: 400.
    """
    try:
        resources = planned(template)
    except TemplateError as error:
        raise invalid_template(error) from error
    except NeededError as needed:
        wrong = TemplateError(
            "The template function 'reference' is not expected at this location. Please see "
            "https://aka.ms/arm-functions for usage details."
        )
        raise invalid_template(wrong) from needed
    return resources


def _preflight(cloud: Cloud, scope: Scope, resources: list[Planned]) -> None:
    """Refuse types that are not served, unpublished api-versions, and groups that neither exist nor are made."""
    made = {resource.id.lower() for resource in resources}
    for resource in resources:
        match = ROUTER.find(resource.id)
        if match is None or "PUT" not in match.handlers:
            refused = refusal(resource.id, resource.api_version)
            raise ApiError(400, refused.code, refused.message)
        check_version(resource.type, resource.api_version)
        parts = resource.id.strip("/").split("/")
        if len(parts) < 5 or parts[2].lower() != "resourcegroups":
            continue
        group = group_id(parts[1], parts[3])
        if group not in cloud.store and group.lower() not in made:
            raise group_not_found(parts[3])


def draft(cloud: Cloud, request: ArmRequest, body: Json) -> Resource:
    """Return the deployment that a request describes."""
    template, _references = _template(cloud, request, body)
    resources = plan(template)
    _preflight(cloud, scope_in(request), resources)
    name = request.params["name"]
    if not NAME.match(name):
        raise ApiError(
            400,
            "InvalidDeploymentName",
            f"The provided deployment name '{name}' is invalid: at most 64 letters, digits and any of '-_().'.",
        )
    made = Resource(id_in(request), TYPE, name, request.params.get("group", ""), request.subscription)
    made.tags = body.get("tags")
    if scope_in(request).group is None:
        if not body.get("location"):
            raise location_required()
        made.hidden["location"] = check_location(str(body["location"]), TYPE)
    made.hidden["sent"] = body["properties"]
    made.properties = {
        "templateHash": template_hash(template.document),
        "parameters": template.shown_parameters(),
        "mode": "Incremental",
        "provisioningState": "Accepted",
        "timestamp": zulu(),
        "duration": "PT0S",
        "correlationId": new_guid(),
        "providers": providers(resources),
        "dependencies": dependencies(resources),
    }
    return made
