# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Clouds by name, and private clouds that describe themselves."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from ansible_collections.dockerhost.azure.plugins.module_utils._azure import clouds
from ansible_collections.dockerhost.azure.plugins.module_utils._azure.clouds import find_cloud
from ansible_collections.dockerhost.azure.plugins.module_utils._azure.errors import AzureError
from ansible_collections.dockerhost.azure.plugins.module_utils._errors import OptionError
from azure_emulator.launcher import LocalAzure


@pytest.mark.parametrize(
    ("name", "host"),
    [
        (None, "management.azure.com"),
        ("AzureCloud", "management.azure.com"),
        ("AzureChinaCloud", "management.chinacloudapi.cn"),
        ("azureusgovernment", "management.usgovcloudapi.net"),
    ],
)
def test_clouds_by_name(name: str | None, host: str) -> None:
    assert find_cloud(name).resource_manager == f"https://{host}"


@pytest.mark.parametrize("name", ["AzureGermanCloud", "http://localhost:1", "localhost"])
def test_clouds_that_are_none(name: str) -> None:
    with pytest.raises(OptionError, match="cloud_environment"):
        find_cloud(name)


def test_a_private_cloud_is_asked_for_its_endpoints(place: LocalAzure) -> None:
    cloud = find_cloud(place.url, place.ca_file)
    assert cloud.private
    assert cloud.resource_manager == place.url


@pytest.mark.parametrize("ending", ["/", "/metadata/endpoints", "/metadata/endpoints?api-version=2022-09-01"])
def test_a_private_cloud_by_the_address_of_its_metadata(place: LocalAzure, ending: str) -> None:
    assert find_cloud(place.url + ending, place.ca_file).resource_manager == place.url


def test_the_processes_of_a_run_ask_a_private_cloud_once(place: LocalAzure, tmp_path: Path) -> None:
    place.clear_requests()
    found = {find_cloud(place.url, place.ca_file, str(tmp_path)) for _process in range(3)}
    assert [cloud.resource_manager for cloud in found] == [place.url]
    assert [entry["path"] for entry in place.requests() if "/metadata/" in entry["path"]] == ["/metadata/endpoints"]


def test_a_damaged_description_of_a_cloud_is_read_again(place: LocalAzure, tmp_path: Path) -> None:
    cloud = find_cloud(place.url, place.ca_file, str(tmp_path))
    (kept,) = [path for path in tmp_path.rglob("cloud-*") if path.suffix != ".lock"]
    kept.write_text('{"name": 1')
    assert find_cloud(place.url, place.ca_file, str(tmp_path)) == cloud


def described(name: str, manager: str) -> dict[str, t.Any]:
    """A cloud as a list of several describes it."""
    authentication = {"loginEndpoint": f"https://login.{name}/", "audiences": [f"https://{name}"]}
    return {"name": name, "resourceManager": manager, "authentication": authentication}


SEVERAL = [described("one", "https://one.example/"), described("two", "https://TWO.example/")]


@pytest.mark.parametrize(
    ("url", "answer", "name"),
    [
        ("https://two.example", SEVERAL, "two"),
        ("https://one.example/", SEVERAL, "one"),
        ("https://else.example", SEVERAL[:1], "one"),
    ],
)
def test_of_several_clouds_the_one_that_was_asked(
    monkeypatch: pytest.MonkeyPatch, url: str, answer: list[t.Any], name: str
) -> None:
    monkeypatch.setattr(clouds, "_metadata", lambda *_arguments: answer)
    found = find_cloud(url)
    assert (found.name, found.authority) == (name, f"https://login.{name}")


@pytest.mark.parametrize(
    ("answer", "says"), [(SEVERAL, "https://one.example/, https://TWO"), ([], "serves /metadata/endpoints")]
)
def test_clouds_that_are_described_elsewhere(monkeypatch: pytest.MonkeyPatch, answer: list[t.Any], says: str) -> None:
    monkeypatch.setattr(clouds, "_metadata", lambda *_arguments: answer)
    with pytest.raises(OptionError, match=says):
        find_cloud("https://three.example")


def test_without_its_ca_a_private_cloud_is_not_trusted(place: LocalAzure) -> None:
    with pytest.raises(AzureError, match="cloud_ca_path"):
        find_cloud(place.url)
