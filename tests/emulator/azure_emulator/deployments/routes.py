# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Routes of deployments to groups and subscriptions."""

from __future__ import annotations

import re
import typing as t

from ..arm.messages import ArmRequest, Reply
from ..arm.replies import begin
from ..arm.resource import Json, Resource
from ..arm.routing import GROUP, SUBSCRIPTION, route
from ..arm.tracked import take_tags
from ..errors import ApiError
from ..operations import Operation, OperationSpec, action, deployment_operation_id
from ..schema import accept
from .bodies import TYPE, operations, render, scope_of, zulu
from .requests import draft, id_in, make_template, plan, scope_in
from .run import Run, Step

if t.TYPE_CHECKING:
    from ..cloud import Cloud

ENDED = ("Succeeded", "Failed", "Canceled")


def deployment_of(cloud: Cloud, request: ArmRequest) -> Resource:
    """Return the deployment in the path.

    :raises ApiError: 404.
    """
    found = cloud.store.get(id_in(request))
    if found is None:
        name = request.params["name"]
        raise ApiError(404, "DeploymentNotFound", f"Deployment '{name}' could not be found.")
    return found


async def put(cloud: Cloud, request: ArmRequest) -> Reply:
    """Start a deployment."""
    body = accept(request, TYPE)
    take_tags(body)
    current = cloud.store.get(id_in(request))
    if current is not None and current.properties["provisioningState"] not in ENDED:
        raise ApiError(
            409,
            "DeploymentActive",
            f"Unable to edit or replace deployment '{current.name}': previous deployment from "
            f"'{current.properties['timestamp']}' is still active (expiration time is "
            f"'{current.properties['timestamp']}'). Please see https://aka.ms/arm-deploy for usage details.",
        )
    deployment = draft(cloud, request, body)
    cloud.store.save(deployment)
    spec = OperationSpec("deployment", "deployment", deployment.id, "", id=deployment_operation_id())
    operation = begin(cloud, request, spec)
    headers = {"Azure-AsyncOperation": cloud.operations.url(request.origin, operation), **_wait(cloud)}
    return Reply(201 if current is None else 200, render(deployment), headers)


def _wait(cloud: Cloud) -> dict[str, str]:
    """Return the time after which to poll. Azure names none, so that SDKs wait 30 s; instant operations take less."""
    return {"Retry-After": "1"} if cloud.latencies.instant else {}


@action("deployment")
class Deploy:
    """The work of a deployment."""

    async def work(self, cloud: Cloud, operation: Operation) -> None:
        """Write the resources."""
        deployment = cloud.store.get(operation.target)
        if deployment is None:
            return
        template, references = make_template(cloud, scope_of(deployment), deployment.name, deployment.hidden["sent"])

        def changed(steps: list[Step]) -> None:
            deployment.properties["provisioningState"] = "Running"
            deployment.hidden["operations"] = operations(deployment, steps)
            if deployment.id in cloud.store:
                cloud.store.save(deployment)

        run = Run(cloud, template, references, changed)
        try:
            outputs = await run.all()
        except ApiError as error:
            error.target = deployment.id
            raise
        deployment.properties["outputs"] = outputs
        deployment.properties["outputResources"] = [{"id": i} for i in sorted(s.resource.id for s in run.steps)]

    def done(self, cloud: Cloud, operation: Operation) -> None:
        """Show how it ended."""
        deployment = cloud.store.get(operation.target)
        if deployment is None:
            return
        deployment.properties.update(provisioningState=operation.status, timestamp=zulu())
        if operation.error is not None:
            deployment.properties["error"] = operation.error
        cloud.store.save(deployment)


async def get(cloud: Cloud, request: ArmRequest) -> Reply:
    """Return a deployment."""
    return Reply(200, render(deployment_of(cloud, request)))


async def head(cloud: Cloud, request: ArmRequest) -> Reply:
    """Return whether a deployment exists."""
    return Reply(204 if id_in(request) in cloud.store else 404)


async def list_all(cloud: Cloud, request: ArmRequest) -> Reply:
    """List the deployments of a group or subscription; ``provisioningState eq '...'`` is obeyed."""
    found = cloud.store.children(scope_in(request).id, TYPE)
    wanted = re.search(r"provisioningState\s+eq\s+'(\w+)'", request.query.get("$filter", ""), re.IGNORECASE)
    if wanted is not None:
        found = [d for d in found if d.properties["provisioningState"].lower() == wanted[1].lower()]
    top = request.query.get("$top", "")
    return Reply(200, {"value": [render(d) for d in (found[: int(top)] if top.isdigit() else found)]})


async def remove(cloud: Cloud, request: ArmRequest) -> Reply:
    """Forget a deployment, not its resources."""
    deployment = cloud.store.get(id_in(request))
    if deployment is None:
        return Reply(204)
    if deployment.properties["provisioningState"] not in ENDED:
        raise ApiError(
            409, "DeploymentActive", f"The deployment '{deployment.name}' is still active and cannot be deleted."
        )
    location = deployment.hidden.get("location", "")
    spec = OperationSpec("group", "deployment.delete", deployment.id, location)
    operation = begin(cloud, request, spec)
    headers = {"Location": cloud.operations.url(request.origin, operation, location=True)}
    return Reply(202, None, {**headers, "Retry-After": str(cloud.latencies.retry_after(15))})


@action("deployment.delete")
class Forget:
    """The deletion of a deployment."""

    async def work(self, cloud: Cloud, operation: Operation) -> None:
        """Do nothing: its resources stay."""

    def done(self, cloud: Cloud, operation: Operation) -> None:
        """Forget it."""
        deployment = cloud.store.get(operation.target)
        if deployment is not None and operation.status == "Succeeded":
            cloud.store.remove(deployment)


async def cancel(cloud: Cloud, request: ArmRequest) -> Reply:
    """Stop a deployment that is under way; what it has made stays."""
    deployment = deployment_of(cloud, request)
    if deployment.properties["provisioningState"] in ENDED:
        raise ApiError(
            409,
            "DeploymentCannotBeCancelled",
            f"The deployment '{deployment.name}' cannot be cancelled: its provisioning state is "
            f"'{deployment.properties['provisioningState']}'.",
        )
    for operation in cloud.operations.under_way(deployment.id):
        error = {"code": "DeploymentCanceled", "message": f"The deployment '{deployment.name}' was canceled."}
        cloud.operations.cancel(operation, error)
        Deploy().done(cloud, operation)
    return Reply(204)


async def validate(cloud: Cloud, request: ArmRequest) -> Reply:
    """Return what a deployment would be, or what is wrong with it."""
    found = draft(cloud, request, accept(request, TYPE))
    found.properties["provisioningState"] = "Succeeded"
    template, _references = make_template(cloud, scope_in(request), found.name, found.hidden["sent"])
    found.properties["validatedResources"] = [{"id": resource.id} for resource in plan(template)]
    body = render(found)
    # Ids in this answer are newer than the specification of 2022-09-01.
    return Reply(200, body if request.api_version >= "2024-07-01" else {"properties": body["properties"]})


async def export(cloud: Cloud, request: ArmRequest) -> Reply:
    """Return the template of a deployment."""
    return Reply(200, {"template": deployment_of(cloud, request).hidden["sent"]["template"]})


async def list_operations(cloud: Cloud, request: ArmRequest) -> Reply:
    """List what a deployment does or has done."""
    return Reply(200, {"value": deployment_of(cloud, request).hidden.get("operations", [])})


async def get_operation(cloud: Cloud, request: ArmRequest) -> Reply:
    """Return one operation of a deployment."""
    wanted = request.params["operation"].lower()
    for operation in deployment_of(cloud, request).hidden.get("operations", []):
        if operation["operationId"].lower() == wanted:
            return Reply(200, operation)
    raise ApiError(404, "DeploymentOperationNotFound", f"The deployment operation '{wanted}' could not be found.")


async def poll(cloud: Cloud, request: ArmRequest) -> Reply:
    """Return how a deployment is doing."""
    operation = cloud.operations.find(request.params["operation"], request.query)
    going_on = operation.status == "InProgress"
    status: str = "Running" if going_on else operation.status
    body: Json = {"status": status}
    if operation.error is not None and not going_on:
        body["error"] = operation.error
    cloud.operations.note_poll(operation)
    return Reply(200, body, _wait(cloud) if going_on else {})


for scope in (GROUP, SUBSCRIPTION):
    collection = f"{scope}/providers/{TYPE}"
    one = f"{collection}/{{name}}"
    route("GET", collection, TYPE)(list_all)
    route("PUT", one, TYPE)(put)
    route("GET", one, TYPE)(get)
    route("HEAD", one, TYPE)(head)
    route("DELETE", one, TYPE)(remove)
    route("POST", f"{one}/cancel", TYPE)(cancel)
    route("POST", f"{one}/validate", TYPE)(validate)
    route("POST", f"{one}/exportTemplate", TYPE)(export)
    route("GET", f"{one}/operations", TYPE)(list_operations)
    route("GET", f"{one}/operations/{{operation}}", TYPE)(get_operation)
    route("GET", f"{one}/operationStatuses/{{operation}}", TYPE)(poll)

# The specification has these two without the provider, for groups only.
route("GET", f"{GROUP}/deployments/{{name}}/operations", TYPE)(list_operations)
route("GET", f"{GROUP}/deployments/{{name}}/operations/{{operation}}", TYPE)(get_operation)
