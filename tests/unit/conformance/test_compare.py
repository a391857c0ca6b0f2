# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Comparing answers."""

from __future__ import annotations

import datetime
import typing as t

import pytest

from azure_conformance.compare import Answer, Comparison, compare
from azure_conformance.records import Interaction, Message

Json = dict[str, t.Any]
GROUP = "/subscriptions/S/resourceGroups/g"
NIC = f"{GROUP}/providers/Microsoft.Network/networkInterfaces/n"
VM = f"{GROUP}/providers/Microsoft.Compute/virtualMachines/v"
NOW = datetime.date(2025, 2, 1)


def record(
    path: str,
    body: t.Any,
    *,
    status: int = 200,
    headers: Json | None = None,
    version: str = "2024-05-01",
    date: datetime.date = NOW,
    method: str = "GET",
    source: str = "azure-libraries-for-net",
) -> Interaction:
    query = {"api-version": version}
    time = datetime.datetime.combine(date, datetime.time(), datetime.timezone.utc)
    answer = Message(headers or {}, body)
    return Interaction(0, "1", source, time, method, "", path, query, Message({}, None), status, answer)


def check(recorded: Interaction, body: t.Any, status: int = 200, headers: Json | None = None) -> Comparison:
    return compare(recorded, Answer(status, headers or {}, body))


def test_equal_answers_agree() -> None:
    body = {"id": NIC, "properties": {"provisioningState": "Succeeded", "ipConfigurations": []}}
    assert check(record(NIC, body), body) == Comparison()


@pytest.mark.parametrize(
    ("recorded", "local", "said"),
    [
        ({"a": 1}, {}, "a: recorded 1, local has none"),
        ({}, {"a": 1}, "a: recorded has none, local 1"),
        ({"a": 1}, {"a": "1"}, "a: recorded number, local string"),
        ({"a": []}, {"a": {}}, "a: recorded array, local object"),
        ({"a": None}, {"a": True}, "a: recorded null, local boolean"),
        (
            {"properties": {"provisioningState": "Updating"}},
            {"properties": {"provisioningState": "Succeeded"}},
            "Updating",
        ),
        ({"a": [{"name": "x"}]}, {"a": [{"name": "y"}]}, "a[x]: recorded, local has none"),
        ({"a": [1, 2]}, {"a": [1]}, "recorded 2 entries, local 1"),
        ({"error": {"code": "A"}}, {"error": {"code": "B"}}, "error.code: recorded 'A', local 'B'"),
        ("", {"a": 1}, "body: recorded empty, local JSON"),
        ("<html>", {"a": 1}, "body: recorded text, local JSON"),
    ],
)
def test_what_differs_is_said_with_both_sides(recorded: t.Any, local: t.Any, said: str) -> None:
    differences = check(record(NIC, recorded), local).differences
    assert any(said in text for text in differences), differences


def test_values_that_are_data_are_not_compared() -> None:
    assert not check(record(NIC, {"a": "x", "b": 1}), {"a": "y", "b": 2}).differences


def test_a_status_that_differs_says_both_codes_and_nothing_else() -> None:
    recorded = record(NIC, {"error": {"code": "NicInUse", "message": "m"}}, status=400)
    differences = check(recorded, {"error": {"code": "Conflict", "message": "why"}, "a": 1}, 409).differences
    assert differences == ["status: recorded 400 NicInUse, local 409 Conflict (why)"]


def test_a_protocol_header_that_is_missing_is_a_difference() -> None:
    recorded = record(VM, {}, headers={"azure-asyncoperation": "https://x/y"}, version="2024-07-01", method="PUT")
    assert any("azure-asyncoperation" in text for text in check(recorded, {}).differences)


@pytest.mark.parametrize(("source", "agrees"), [("azure-libraries-for-net", False), ("azure-cli-2025-02", True)])
def test_retry_after_counts_only_where_the_recorder_kept_it(source: str, agrees: bool) -> None:
    result = check(record(VM, {}, source=source, method="PUT"), {}, headers={"retry-after": "10"})
    assert (not result.differences) is agrees
    assert bool(result.excuses) is agrees


def test_operation_urls_are_compared_by_form() -> None:
    base = "https://management.azure.com/subscriptions/S/providers/Microsoft.Network/locations/l/"
    recorded = record(
        NIC, "", status=202, headers={"location": f"{base}operationResults/1?api-version=2"}, method="DELETE"
    )
    same = {"location": "https://localhost/subscriptions/T/providers/Microsoft.Network/locations/m/operationResults/2"}
    other = {"location": "https://localhost/subscriptions/T/providers/Microsoft.Network/locations/m/operations/2"}
    assert not check(recorded, None, 202, same).differences
    assert check(recorded, None, 202, other).differences


def test_a_member_added_later_is_excused_by_version_and_by_day() -> None:
    body = {"id": VM, "properties": {"provisioningState": "Succeeded"}}
    local = {"id": VM, "properties": {**body["properties"], "timeCreated": "2026"}}  # type: ignore[dict-item]
    for version, date in (("2021-03-01", NOW), ("2023-03-01", datetime.date(2021, 7, 7))):
        result = check(record(VM, body, version=version, date=date), local)
        assert not result.differences
        assert any("timeCreated" in reason for reason in result.excuses)
    assert check(record(VM, body, version="2023-03-01"), local).differences


def test_a_resource_inside_another_is_looked_up_under_its_own_type() -> None:
    inner = {"id": f"{NIC}/ipConfigurations/c", "name": "c", "properties": {}}
    recorded = record(NIC, {"id": NIC, "properties": {"ipConfigurations": [inner]}}, version="2017-10-01")
    local = {"id": NIC, "properties": {"ipConfigurations": [{**inner, "type": "T"}]}}
    assert not check(recorded, local).differences


def test_tags_and_settings_belong_to_the_user() -> None:
    assert not check(record(NIC, {"tags": {"a": "1"}}), {"tags": {}}).differences
    assert check(record(NIC, {"tags": {}}), {}).differences


@pytest.mark.parametrize(
    ("recorded", "local", "agrees"),
    [
        ("Enable succeeded: \n[stdout]\nhello\n\n[stderr]\n", "Enable succeeded: \n[stdout]\n\n[stderr]\n", True),
        ("Enable succeeded: \n[stdout]\nhello\n\n[stderr]\nx", "Enable succeeded: \n[stderr]\n", False),
        ("Enable succeeded: \n[stdout]\n\n[stderr]\n", "", False),
        ("This is what a Windows machine wrote", "", True),
    ],
)
def test_the_frame_around_the_output_of_a_script_counts(recorded: str, local: str, agrees: bool) -> None:
    poll = "/subscriptions/S/providers/Microsoft.Compute/locations/x/operations/1"

    def body(message: str) -> Json:
        return {"status": "Succeeded", "properties": {"output": {"value": [{"message": message}]}}}

    assert (check(record(poll, body(recorded)), body(local)).differences == []) is agrees


def test_catalogues_are_compared_by_form() -> None:
    images = "/subscriptions/S/providers/Microsoft.Compute/locations/l/publishers/P/artifacttypes/vmimage"
    path = f"{images}/offers/O/skus/K/versions"
    recorded = record(path, [{"name": "1", "id": "x", "location": "l"}] * 3, version="2024-07-01")
    result = check(recorded, [{"name": "2", "id": "y", "location": "l"}])
    assert not result.differences
    assert result.excuses
    assert check(recorded, [{"name": "2"}]).differences


def test_the_body_of_a_head_answer_is_not_looked_at() -> None:
    assert not check(record(GROUP, "", status=204, method="HEAD"), {"a": 1}, 204).differences
