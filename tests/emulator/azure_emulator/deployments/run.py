# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write the resources of a template, each as soon as those that it depends on are there."""

from __future__ import annotations

import asyncio
import functools
import json
import typing as t
from dataclasses import dataclass, field

from ..arm.messages import ArmRequest
from ..arm.resource import Json, timestamp
from ..dispatch import dispatch
from ..errors import ApiError
from .context import NeededError, References
from .errors import TemplateError, invalid_template
from .planning import planned
from .template import NOT_SENT, Planned, Template, expand

if t.TYPE_CHECKING:
    from ..cloud import Cloud

RETRIES = 100
PAUSE = 0.1
"""Writes that Azure asks to repeat (429) are repeated that often, after so many seconds."""


@dataclass
class Step:
    """One resource of a deployment and how far it is."""

    resource: Planned
    started: str = ""
    ended: str = ""
    state: str = "Pending"
    status_code: str = ""
    error: Json | None = None


@dataclass
class Run:
    """One deployment under way.

    :param changed: called after each step.
    """

    cloud: Cloud
    template: Template
    references: References
    changed: t.Callable[[list[Step]], None]
    steps: list[Step] = field(default_factory=list)

    async def all(self) -> Json:
        """Write everything; return the outputs.

        :raises ApiError: 409 DeploymentFailed, with the errors of the resources.
        """
        self.steps = [Step(resource) for resource in planned(self.template)]
        under_way: dict[asyncio.Task[None], Step] = {}
        try:
            while True:
                if not any(step.state == "Failed" for step in self.steps):
                    await self._start(under_way)
                if not under_way:
                    break
                ended, _going_on = await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
                for task in ended:
                    under_way.pop(task)
                    task.result()
                self.references.bodies.clear()
                self.changed(self.steps)
        finally:
            for task in under_way:
                task.cancel()
        self._check()
        try:
            return t.cast(Json, await self._evaluated(self.template.outputs))
        except TemplateError as error:
            raise _failed([_output_error(error)]) from error

    async def _start(self, under_way: dict[asyncio.Task[None], Step]) -> None:
        """Start every step that waits for nothing any more."""
        for step in self.steps:
            if step.state != "Pending" or not self._is_ready(step):
                continue
            try:
                body = await self._evaluated(functools.partial(_body, step.resource), step)
            except TemplateError as error:
                step.state, step.error = "Failed", invalid_template(error).error()
                return
            if body is None:
                continue
            step.state, step.started = "Running", timestamp()
            under_way[asyncio.get_running_loop().create_task(self._write(step, body))] = step
        self.changed(self.steps)

    def _is_ready(self, step: Step) -> bool:
        ended = {other.resource.id.lower() for other in self.steps if other.state == "Succeeded"}
        return all(id_.lower() in ended for id_ in step.resource.depends_on)

    async def _evaluated(self, evaluate: t.Callable[[], t.Any], step: Step | None = None) -> t.Any:
        """Evaluate, and read what ``reference`` needs.

        :return: None if a resource of the template is needed that is not there yet.
        """
        while True:
            try:
                return evaluate()
            except NeededError as needed:
                other = self._named(needed.name)
                if step is not None and other is not None and other.state != "Succeeded":
                    return None
                self.references.learn(needed.name, await self._read(needed, other))

    def _named(self, name: str) -> Step | None:
        wanted = name.lower()
        for step in self.steps:
            if wanted in (step.resource.id.lower(), step.resource.name.lower(), step.resource.symbol.lower()):
                return step
        return None

    async def _read(self, needed: NeededError, step: Step | None) -> Json:
        """Return the body of a resource as ``reference`` shows it."""
        id_ = step.resource.id if step is not None else needed.name
        version = needed.api_version or (step.resource.api_version if step is not None else "")
        if not id_.startswith("/"):
            raise TemplateError(
                f"The resource '{id_}' is not defined in the template. Please see https://aka.ms/arm-syntax for usage "
                "details."
            )
        reply = await dispatch(self.cloud, self._request("GET", id_, version))
        body: Json = dict(reply.body)
        parts = id_.strip("/").split("/")
        return {
            **body,
            "apiVersion": version,
            "subscriptionId": parts[1],
            "resourceId": id_.partition("/providers/")[2],
        }

    def _request(self, method: str, id_: str, version: str, raw: bytes = b"") -> ArmRequest:
        query = {"api-version": version}
        return ArmRequest(method, id_, {}, query, {}, raw, self.cloud.origin, is_part=True)

    async def _write(self, step: Step, body: Json) -> None:
        """PUT one resource and wait for the end of its operation."""
        raw = json.dumps(body).encode()
        try:
            await self._put(step, raw)
        except ApiError as error:
            step.state, step.error, step.status_code = "Failed", error.error(), str(error.status)
        step.ended = timestamp()

    async def _put(self, step: Step, raw: bytes) -> None:
        resource = step.resource
        for attempt in range(RETRIES):
            request = self._request("PUT", resource.id, resource.api_version, raw)
            try:
                reply = await dispatch(self.cloud, request)
                break
            except ApiError as error:
                if error.status != 429 or attempt == RETRIES - 1:
                    raise
                await asyncio.sleep(PAUSE)
        step.status_code = "Created" if reply.status == 201 else "OK"
        if request.operation is not None:
            operation = await self.cloud.operations.finished(request.operation.partition(" ")[2])
            if operation.status != "Succeeded":
                step.state, step.status_code = "Failed", "Conflict"
                step.error = operation.error or {"code": operation.status, "message": "The operation did not succeed."}
                return
        step.state = "Succeeded"

    def _check(self) -> None:
        """Refuse an end at which not everything is there."""
        errors = [step.error for step in self.steps if step.error is not None]
        waiting = [step.resource.name for step in self.steps if step.state == "Pending"]
        if not errors and waiting:
            errors = [_circular(waiting)]
        if errors:
            raise _failed(errors)


def _body(resource: Planned) -> Json:
    """Return the body of a resource's PUT.

    Expressions in a nested template are evaluated here, unless it asks to evaluate them itself.
    """
    body = {name: value for name, value in resource.body.items() if name not in NOT_SENT}
    properties = body.get("properties") or {}
    inner = (properties.get("expressionEvaluationOptions") or {}).get("scope", "outer").lower() == "inner"
    if resource.type.lower() != "microsoft.resources/deployments" or not inner:
        return t.cast(Json, expand(body, resource.functions))
    rest = {name: value for name, value in properties.items() if name != "template"}
    found = expand({**body, "properties": rest}, resource.functions)
    found["properties"]["template"] = properties["template"]
    return t.cast(Json, found)


def _failed(errors: list[Json]) -> ApiError:
    return ApiError(
        409,
        "DeploymentFailed",
        "At least one resource deployment operation failed. Please list deployment operations for details. Please see "
        "https://aka.ms/arm-deployment-operations for usage details.",
        details=errors,
    )


def _circular(names: list[str]) -> Json:
    return {
        "code": "InvalidTemplate",
        "message": f"Circular dependency detected on resource: '{names[0]}'. Please see "
        "https://aka.ms/arm-syntax-resources for usage details.",
    }


def _output_error(error: TemplateError) -> Json:
    return {
        "code": "DeploymentOutputEvaluationFailed",
        "message": f"Unable to evaluate template outputs: {error}. Please see error details and deployment operations. "
        "Please see https://aka.ms/arm-common-errors for usage details.",
    }
