# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Schedules that shut a machine down."""

from __future__ import annotations

from .conftest import Arm

VERSION = {"api-version": "2018-09-15"}
SCHEDULE = "Microsoft.DevTestLab/schedules/shutdown-computevm-vm"


def test_life_of_a_schedule(arm: Arm) -> None:
    properties = {"taskType": "ComputeVmShutdownTask", "dailyRecurrence": {"time": "1900"}, "timeZoneId": "UTC"}
    body = {"location": "eastus", "properties": properties}
    assert arm.put(SCHEDULE, body, **VERSION).status_code == 201
    later = {**properties, "dailyRecurrence": {"time": "2030"}}
    assert arm.put(SCHEDULE, {**body, "properties": later}, **VERSION).status_code == 200
    shown = arm.get(SCHEDULE, **VERSION).json()["properties"]
    assert (shown["dailyRecurrence"], shown["status"]) == ({"time": "2030"}, "Enabled")
    wrong = {**properties, "dailyRecurrence": {"time": "2560"}}
    assert arm.put(SCHEDULE, {**body, "properties": wrong}, **VERSION).status_code == 400
    assert arm.delete(SCHEDULE, **VERSION).status_code == 200
    assert arm.delete(SCHEDULE, **VERSION).status_code == 204
    assert arm.get(SCHEDULE, **VERSION).status_code == 404
