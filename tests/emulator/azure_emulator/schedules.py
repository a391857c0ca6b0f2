# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Microsoft.DevTestLab/schedules: what ``az vm auto-shutdown`` writes. Schedules are kept; nothing is shut down."""

from __future__ import annotations

import re
import typing as t

from .arm.messages import ArmRequest, Reply
from .arm.reading import serve_reads
from .arm.replies import written
from .arm.resource import Json, Resource, timestamp
from .arm.routing import GROUP, route
from .arm.tracked import check_location, take_tags
from .errors import ApiError, location_required
from .settings import new_guid

if t.TYPE_CHECKING:
    from .cloud import Cloud

TYPE = "Microsoft.DevTestLab/schedules"
ONE = f"{GROUP}/providers/{TYPE}/{{name}}"
TIME = re.compile(r"([01]\d|2[0-3])[0-5]\d")


def _render(_cloud: Cloud, schedule: Resource, _version: str) -> Json:
    body: Json = {"id": schedule.id, "name": schedule.name, "type": TYPE, "location": schedule.location}
    if schedule.tags is not None:
        body["tags"] = schedule.tags
    return {**body, "properties": schedule.properties}


serve_reads(TYPE, _render)


@route("PUT", ONE, TYPE)
async def put_schedule(cloud: Cloud, request: ArmRequest) -> Reply:
    """Create or change a schedule."""
    body = request.required_json()
    take_tags(body)
    if not isinstance(body.get("location"), str):
        raise location_required()
    location = check_location(body["location"], TYPE)
    requested: Json = body.get("properties") or {}
    clock = str((requested.get("dailyRecurrence") or {}).get("time"))
    if not TIME.fullmatch(clock):
        raise ApiError(400, "InvalidScheduleTime", f"The time of a schedule must have the form HHmm, got '{clock}'.")
    id_ = request.id_of(TYPE, request.params["name"])
    current = cloud.store.get(id_)
    group = cloud.group(request.subscription, request.group)
    schedule = Resource(id_, TYPE, request.params["name"], group.name, request.subscription, location)
    schedule.tags = body.get("tags")
    kept = current.properties if current is not None else {"createdDate": timestamp(), "uniqueIdentifier": new_guid()}
    schedule.properties = {"status": "Enabled", **kept, **requested, "provisioningState": "Succeeded"}
    cloud.store.save(schedule)
    return written(200 if current is not None else 201, _render(cloud, schedule, request.api_version))


@route("DELETE", ONE, TYPE)
async def delete_schedule(cloud: Cloud, request: ArmRequest) -> Reply:
    """Delete a schedule, at once."""
    schedule = cloud.store.get(request.id_of(TYPE, request.params["name"]))
    if schedule is None:
        return Reply(204)
    cloud.store.remove(schedule)
    return Reply(200)
