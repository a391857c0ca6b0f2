# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The daily shutdown of a host: the schedule in Azure, from its creation to its deletion."""

from __future__ import annotations

import json
import typing as t

import pytest

from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.plan.model import OwnershipError

from .conftest import Cloud

SCHEDULE = "/providers/Microsoft.DevTestLab/schedules/shutdown-computevm-web1"
SECRET = "https://example.com/hook?sig=s3cr3tsignature"
EVENING = {"time": "19:00", "time_zone": "W. Europe Standard Time", "notification_email": "ops@example.com"}


def properties(cloud: Cloud) -> dict[str, t.Any]:
    found = cloud.arm("GET", SCHEDULE)
    return t.cast("dict[str, t.Any]", found["properties"])


def run_as_predicted(cloud: Cloud, **options: t.Any) -> dict[str, t.Any]:
    """A run that does what check mode predicted, sends only valid requests, and has nothing to do a second time."""
    predicted = cloud.run(check=True, **options)
    assert cloud.writes == []
    result = cloud.run(**options)
    assert (predicted["changes"], predicted["diff"]) == (result["changes"], result["diff"])
    assert cloud.refused == []
    assert not cloud.run(**options)["changed"]
    return result


def test_life_of_a_daily_shutdown(cloud: Cloud) -> None:
    cloud.run()
    created = run_as_predicted(cloud, auto_shutdown=EVENING)
    assert created["changes"] == [
        "create auto-shutdown schedule shutdown-computevm-web1: each day at 19:00 W. Europe Standard Time, notification"
        " 30 minutes before"
    ]
    shown = properties(cloud)
    assert (shown["taskType"], shown["dailyRecurrence"]) == ("ComputeVmShutdownTask", {"time": "1900"})
    assert shown["targetResourceId"].lower().endswith("/virtualmachines/web1")
    assert not cloud.run()["changed"], "a host keeps its schedule if the option is left out"

    moved = run_as_predicted(cloud, auto_shutdown={"time": "20:30", "notification_minutes": 60})
    assert moved["changes"] == [
        "auto-shutdown schedule shutdown-computevm-web1: notification minutes 30 -> 60",
        "auto-shutdown schedule shutdown-computevm-web1: time 19:00 -> 20:30",
    ]
    kept = properties(cloud)
    assert (kept["timeZoneId"], kept["notificationSettings"]["emailRecipient"]) == (
        EVENING["time_zone"],
        EVENING["notification_email"],
    )

    hooked = run_as_predicted(cloud, auto_shutdown={"time": "20:30", "notification_webhook": SECRET})
    assert properties(cloud)["notificationSettings"]["webhookUrl"] == SECRET
    assert "s3cr3tsignature" not in json.dumps(hooked)

    gone = run_as_predicted(cloud, auto_shutdown={"enabled": False})
    assert gone["changes"] == ["delete auto-shutdown schedule shutdown-computevm-web1"]


def test_a_new_host_comes_with_its_schedule_and_takes_it_along(cloud: Cloud) -> None:
    created = cloud.run(auto_shutdown={"time": "07:05", "notification_webhook": SECRET})
    assert "s3cr3tsignature" not in json.dumps(created)
    assert properties(cloud)["timeZoneId"] == "UTC"
    deleted = cloud.run(state="absent")
    assert "delete auto-shutdown schedule shutdown-computevm-web1" in deleted["changes"]
    assert cloud.arm("GET", SCHEDULE) is None
    assert not cloud.run(state="absent")["changed"]


def test_a_schedule_of_somebody_else_stays_unless_it_is_taken_over(cloud: Cloud) -> None:
    cloud.run()
    theirs = {"dailyRecurrence": {"time": "2200"}, "timeZoneId": "UTC", "status": "Enabled"}
    cloud.arm("PUT", SCHEDULE, {"location": "westeurope", "properties": theirs})
    with pytest.raises(OwnershipError, match="auto-shutdown schedule"):
        cloud.run(auto_shutdown=EVENING)
    assert cloud.writes == []
    cloud.run(auto_shutdown=EVENING, adopt=True)
    assert properties(cloud)["dailyRecurrence"] == {"time": "1900"}


@pytest.mark.parametrize("exists", [True, False])
def test_the_resource_provider_of_schedules_is_registered_first(cloud: Cloud, *, exists: bool) -> None:
    if exists:
        cloud.run()
    cloud.azure.switch("unregistered", ["Microsoft.DevTestLab"])
    try:
        predicted = cloud.run(check=True, auto_shutdown=EVENING)
        assert "register resource provider Microsoft.DevTestLab" in predicted["changes"]
        assert cloud.writes == []
        result = cloud.run(auto_shutdown=EVENING)
        assert "register resource provider Microsoft.DevTestLab" in result["changes"]
        assert cloud.refused == []
    finally:
        cloud.azure.switch("unregistered", [])
