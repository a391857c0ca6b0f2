# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The schedule that deallocates a host each day, in wire format.

It is a resource of Azure DevTest Labs (Microsoft.DevTestLab/schedules, API version 2018-09-15) whose name and target
bind it to the VM, as the Azure portal and ``az vm auto-shutdown`` create it. Nothing here talks to Azure.
"""

from __future__ import annotations

from ..._azure.wire import Json, dig, properties_of
from ..._diff import Differences
from ..desired.auto_shutdown import DEFAULT_MINUTES, DEFAULT_TIME_ZONE, AutoShutdown

_HIDDEN = "(not shown)"


def schedule_body(desired: AutoShutdown, virtual_machine: str, location: str, tags: Json, current: Json | None) -> Json:
    """Return the body that creates the schedule or, with the current one, changes what the options set."""
    kept = properties_of(current)
    properties: Json = {
        "status": "Enabled",
        "taskType": "ComputeVmShutdownTask",
        "dailyRecurrence": {"time": str(desired.time).replace(":", "")},
        "timeZoneId": desired.time_zone or kept.get("timeZoneId") or DEFAULT_TIME_ZONE,
        "notificationSettings": _notification(desired, kept.get("notificationSettings") or {}),
        "targetResourceId": virtual_machine,
    }
    return {"location": (current or {}).get("location") or location, "tags": tags, "properties": properties}


def _notification(desired: AutoShutdown, kept: Json) -> Json:
    settings = {
        "emailRecipient": desired.email or kept.get("emailRecipient"),
        "webhookUrl": desired.webhook or kept.get("webhookUrl"),
        "notificationLocale": kept.get("notificationLocale"),
    }
    receivers = {name: value for name, value in settings.items() if value}
    if not receivers.keys() & {"emailRecipient", "webhookUrl"}:
        return {"status": "Disabled"}
    minutes = desired.minutes or kept.get("timeInMinutes") or DEFAULT_MINUTES
    return {"status": "Enabled", "timeInMinutes": minutes, **receivers}


def compare_schedule(changes: Differences, body: Json, current: Json) -> None:
    """Note what a body changes in an existing schedule. Webhooks are not shown, because their URLs contain keys."""
    for label, path in (
        ("status", ("status",)),
        ("time_zone", ("timeZoneId",)),
        ("notification", ("notificationSettings", "status")),
        ("notification_email", ("notificationSettings", "emailRecipient")),
        ("notification_minutes", ("notificationSettings", "timeInMinutes")),
    ):
        before, after = dig(properties_of(current), *path), dig(properties_of(body), *path)
        if after is not None or label == "status":
            changes.compare(label, before, after)
    changes.compare("time", _time(current), _time(body))
    before, after = (dig(properties_of(each), "notificationSettings", "webhookUrl") for each in (current, body))
    if after and before != after:
        changes.add("notification_webhook", _HIDDEN if before else None, "another, not shown" if before else _HIDDEN)
    target = dig(properties_of(current), "targetResourceId")
    if str(target).lower() != str(dig(properties_of(body), "targetResourceId")).lower():
        changes.add("target", target, dig(properties_of(body), "targetResourceId"))


def shown_schedule(body: Json) -> str:
    """Return a schedule in words: "19:00 UTC, notification 30 minutes before"."""
    properties = properties_of(body)
    words = f"each day at {_time(body)} {properties.get('timeZoneId')}"
    minutes = dig(properties, "notificationSettings", "timeInMinutes")
    return f"{words}, notification {minutes} minutes before" if minutes else words


def _time(resource: Json) -> str | None:
    """Return the time of a schedule, ``HH:MM``; None for one that is not daily."""
    clock = dig(properties_of(resource), "dailyRecurrence", "time")
    return f"{str(clock)[:2]}:{str(clock)[2:]}" if clock else None
