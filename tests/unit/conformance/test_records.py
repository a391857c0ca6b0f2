# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading recordings."""

from __future__ import annotations

import datetime
import json
import typing as t
from pathlib import Path

import pytest

from azure_conformance.records import Flow, read_directory, read_file


def write(path: Path, *interactions: dict[str, t.Any], bare: bool = False) -> Path:
    path.write_text(json.dumps(list(interactions) if bare else {"note": "", "interactions": list(interactions)}))
    return path


def entry(**changes: t.Any) -> dict[str, t.Any]:
    given: dict[str, t.Any] = {
        "id": 7,
        "source": "azure-xplat-cli",
        "file": "a.js",
        "date": "Fri, 02 Jun 2017 18:56:24 GMT",
        "request": {
            "method": "get",
            "url": "https://management.azure.com/a/b?api-version=1",
            "headers": {},
            "body": None,
        },
        "response": {"status": 200, "headers": {"ETag": ["x"]}, "body": None},
    }
    for name, value in changes.items():
        side, _dummy, member = name.partition("__")
        if member:
            given[side] = {**given[side], member: value}
        else:
            given[name] = value
    return given


def one(path: Path) -> Flow:
    (flow,) = read_file(path)
    return flow


def test_an_interaction_is_read_whole(tmp_path: Path) -> None:
    (record,) = one(write(tmp_path / "f.json", entry())).interactions
    assert (record.method, record.host, record.path, record.status) == ("GET", "management.azure.com", "/a/b", 200)
    assert record.query == {"api-version": "1"}
    assert record.date == datetime.date(2017, 6, 2)
    assert record.response.headers == {"etag": "x"}


@pytest.mark.parametrize(
    ("url", "host", "path"),
    [
        ("http://localhost:1234/subscriptions/x?a=1", "localhost:1234", "/subscriptions/x"),
        ("/subscriptions/x", "", "/subscriptions/x"),
        ("https://h/resources?$filter=name%20eq%20%27a%27", "h", "/resources"),
    ],
)
def test_hosts_of_every_kind_are_taken(tmp_path: Path, url: str, host: str, path: str) -> None:
    (record,) = one(write(tmp_path / "f.json", entry(request__url=url))).interactions
    assert (record.host, record.path) == (host, path)


@pytest.mark.parametrize("body", ["*", None, ""])
def test_a_body_that_the_recorder_lost_is_unknown(tmp_path: Path, body: str | None) -> None:
    (record,) = one(write(tmp_path / "f.json", entry(request__method="PUT", request__body=body))).interactions
    assert not record.body_known


def test_bodies_that_are_json_texts_are_parsed_and_others_kept(tmp_path: Path) -> None:
    flow = one(write(tmp_path / "f.json", entry(response__body='{"a": 1}'), entry(response__body="<a/>")))
    assert [record.response.body for record in flow.interactions] == [{"a": 1}, "<a/>"]


@pytest.mark.parametrize(
    ("source", "kept"),
    [("azure-cli-2025-02", False), ("azure-libraries-for-java", False), ("azure-libraries-for-net", True)],
)
def test_a_source_says_whether_it_kept_retry_after(tmp_path: Path, source: str, kept: bool) -> None:
    (record,) = one(write(tmp_path / "f.json", entry(source=source))).interactions
    assert record.keeps("retry-after") is kept
    assert record.keeps("location")


def test_recordings_in_one_file_are_flows_of_their_own(tmp_path: Path) -> None:
    path = write(tmp_path / "f.json", entry(), entry(file="b.js"), entry(), bare=True)
    assert [len(flow.interactions) for flow in read_file(path)] == [2, 1]


@pytest.mark.parametrize("content", ["", "{}", "[1]", '{"interactions": [{"request": {}}]}', "\x00"])
def test_what_is_no_recording_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "bad.json").write_text(content)
    with pytest.raises(ValueError, match=r"bad\.json: not a recording"):
        read_directory(tmp_path)


def test_an_empty_or_missing_directory_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no \*\.json"):
        read_directory(tmp_path)
    with pytest.raises(ValueError, match="no such directory"):
        read_directory(tmp_path / "nothing")


def test_a_body_that_is_a_bytes_literal_in_another_is_parsed(tmp_path: Path) -> None:
    body = repr(repr(b'{"a": 1}').encode())
    (record,) = one(write(tmp_path / "f.json", entry(request__method="PUT", request__body=body))).interactions
    assert record.request.body == {"a": 1}


def test_random_names_that_answers_show_in_upper_case_are_the_numbered_ones(tmp_path: Path) -> None:
    group = "/subscriptions/s/resourceGroups/cli_test_000001/providers/Microsoft.Compute/virtualMachines"
    upper = "/subscriptions/s/resourceGroups/CLI_TEST_7X9QWERTY/providers/Microsoft.Compute/virtualMachines"
    url = "https://management.azure.com"
    flow = one(
        write(
            tmp_path / "f.json",
            entry(request__url=f"{url}{group}/vm-000002", response__body={"id": f"{upper}/VM-VJ3IEX6Q"}),
            entry(request__url=f"{url}{group}/vm-000003", response__body={"id": f"{upper}/VM-AKJP5F3V"}),
            entry(response__body={"id": f"{group}/OTHER", "sku": "22_04-LTS"}),
        )
    )
    assert [record.response.body["id"] for record in flow.interactions] == [
        f"{group}/vm-000002",
        f"{group}/vm-000003",
        f"{group}/OTHER",
    ]
