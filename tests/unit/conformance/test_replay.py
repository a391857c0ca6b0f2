# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Replaying flows against the local Azure: what agrees, what does not, and what is brought about before."""

from __future__ import annotations

import copy
import json
import typing as t
from pathlib import Path

import pytest

from azure_conformance.__main__ import main

Json = dict[str, t.Any]
Entry = tuple[t.Any, ...]
SUBSCRIPTION = "/subscriptions/0b1f6471-1bf0-4dda-aec3-cb9272f09590"
GROUP = f"{SUBSCRIPTION}/resourceGroups/g1"
NETWORK = f"{GROUP}/providers/Microsoft.Network"
VM = f"{GROUP}/providers/Microsoft.Compute/virtualMachines/vm1"
ETAG = 'W/"61a1c982-0b1a-4a46-9a34-013c622f2199"'
GUID = "505b1ae8-4f3f-42da-9da3-639eb53a4302"
OLD, NEW = "Wed, 11 Dec 2019 07:11:39 GMT", "Wed, 22 Jan 2025 06:53:08 GMT"


def operation(provider: str, number: int, word: str = "operations", query: str = "") -> str:
    """The URL of an operation."""
    host = "https://management.azure.com"
    place = f"{host}{SUBSCRIPTION}/providers/Microsoft.{provider}/locations/eastus/{word}"
    return f"{place}/{number}{GUID[1:]}?{query}api-version=2024-05-01"


def address(state: str, **more: t.Any) -> Json:
    """The body of a public address, as Azure answered in 2025."""
    properties = {
        "provisioningState": state,
        "resourceGuid": GUID,
        "publicIPAddressVersion": "IPv4",
        "publicIPAllocationMethod": "Static",
        "idleTimeoutInMinutes": 4,
        "ipTags": [],
        "ddosSettings": {"protectionMode": "VirtualNetworkInherited"},
    }
    return {
        "name": "ip1",
        "id": f"{NETWORK}/publicIPAddresses/ip1",
        "etag": ETAG,
        "type": "Microsoft.Network/publicIPAddresses",
        "location": "eastus",
        "properties": {**properties, **more},
        "sku": {"name": "Standard", "tier": "Regional"},
    }


def creation() -> list[Entry]:
    """A public address is made; its request is lost; the poll has a state more."""
    url = f"{NETWORK}/publicIPAddresses/ip1?api-version=2024-05-01"
    begun = {"azure-asyncoperation": operation("Network", 1), "retry-after": "1"}
    return [
        ("PUT", url, "*", 201, begun, address("Updating")),
        ("GET", operation("Network", 1), None, 200, {"retry-after": "2"}, {"status": "InProgress"}),
        ("GET", operation("Network", 1), None, 200, {}, {"status": "Succeeded"}),
        ("GET", url, None, 200, {"etag": ETAG}, address("Succeeded", ipAddress="40.89.84.26")),
    ]


def deletion() -> list[Entry]:
    """An address that the record never made is deleted."""
    url = f"{NETWORK}/publicIPAddresses/ip1?api-version=2024-05-01"
    urls = {
        "azure-asyncoperation": operation("Network", 2),
        "location": operation("Network", 2, "operationResults"),
        "retry-after": "10",
    }
    error = {"error": {"code": "ResourceNotFound", "message": "The Resource was not found."}}
    return [
        ("DELETE", url, None, 202, urls, ""),
        ("GET", operation("Network", 2), None, 200, {}, {"status": "Succeeded"}),
        ("GET", url, None, 404, {}, error),
        ("DELETE", url, None, 204, {}, ""),
    ]


def in_use() -> list[Entry]:
    """A security group cannot be deleted while something that the record never shows uses it."""
    nic = f"{NETWORK}/networkInterfaces/nic1"
    nsg = f"{NETWORK}/networkSecurityGroups/nsg1"
    message = f"Network security group {nsg} cannot be deleted because it is in use by the following resources: {nic}."
    error = {"error": {"code": "InUseNetworkSecurityGroupCannotBeDeleted", "message": message, "details": []}}
    return [("DELETE", f"{nsg}?api-version=2024-05-01", None, 400, {}, error)]


def failed_extension() -> list[Entry]:
    """Polls of an extension whose beginning is not in the record; it fails."""
    url = operation("Compute", 3)
    name = f"3{GUID[1:]}"
    going = {"startTime": "2025-01-22T06:50:36.0764288+00:00", "status": "InProgress", "name": name}
    error = {"code": "VMExtensionProvisioningError", "message": "VM has reported a failure."}
    ended = {**going, "endTime": "2025-01-22T06:52:54.7338354+00:00", "status": "Failed", "error": error}
    return [("GET", url, None, 200, {}, going), ("GET", url, None, 200, {}, ended)]


def refusals() -> list[Entry]:
    """What the subscription, not the request, is to blame for."""
    url = f"{VM}?api-version=2024-07-01"
    quota = "Operation could not be completed as it results in exceeding approved Total Regional Cores quota."
    return [
        ("PUT", url, None, 409, {}, {"error": {"code": "OperationNotAllowed", "message": quota}}),
        (
            "PUT",
            url,
            None,
            409,
            {},
            {"error": {"code": "SkuNotAvailable", "message": "The size Standard_DS1_v2 is not available."}},
        ),
        (
            "GET",
            url,
            None,
            503,
            {},
            {"error": {"code": "ServiceUnavailable", "message": "The service is unavailable."}},
        ),
        (
            "GET",
            f"{GROUP}?api-version=2022-09-01",
            None,
            403,
            {},
            {"error": {"code": "AuthorizationFailed", "message": "The client does not have authorization."}},
        ),
    ]


FLOWS: t.Mapping[str, t.Callable[[], list[Entry]]] = {
    "creation": creation,
    "deletion": deletion,
    "in_use": in_use,
    "failed_extension": failed_extension,
    "refusals": refusals,
}


def write(path: Path, entries: list[Entry], date: str = NEW, source: str = "azure-libraries-for-net") -> Path:
    """Write a recording."""
    interactions = [
        {
            "id": number,
            "source": source,
            "file": "f",
            "date": date,
            "request": {"method": method, "url": url, "headers": {}, "body": body},
            "response": {"status": status, "headers": headers, "body": answer},
        }
        for number, (method, url, body, status, headers, answer) in enumerate(entries)
    ]
    path.write_text(json.dumps({"note": "", "interactions": interactions}))
    return path


def run(path: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, list[str]]:
    """Run the command: exit status and lines."""
    status = main([str(path)])
    return status, capsys.readouterr().out.splitlines()


@pytest.mark.parametrize("name", FLOWS)
def test_a_flow_like_azures_agrees(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    entries = FLOWS[name]()
    status, lines = run(write(tmp_path / "flow.json", entries), capsys)
    assert lines[-1] == f"{len(entries)} compared, {len(entries)} agree, 0 disagree, 0 not served", lines
    assert status == 0


def spoiled(entries: list[Entry], number: int, change: t.Callable[[list[t.Any]], None]) -> list[Entry]:
    """A flow with one answer changed."""
    changed = [list(copy.deepcopy(entry)) for entry in entries]
    change(changed[number])
    return [tuple(entry) for entry in changed]


def _status(entry: list[t.Any]) -> None:
    entry[3] = 200


def _header(entry: list[t.Any]) -> None:
    del entry[4]["azure-asyncoperation"]


def _state(entry: list[t.Any]) -> None:
    entry[5]["properties"]["provisioningState"] = "Succeeded"


def _missing(entry: list[t.Any]) -> None:
    del entry[5]["properties"]["ipTags"]


def _extra(entry: list[t.Any]) -> None:
    entry[5]["properties"]["somethingElse"] = True


def _name(entry: list[t.Any]) -> None:
    entry[5]["name"] = "ip2"


@pytest.mark.parametrize("change", [_status, _header, _state, _missing, _extra, _name])
def test_an_answer_unlike_azures_disagrees(
    change: t.Callable[[list[t.Any]], None], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The tool cannot be pleased by anything: each change of a recorded answer is found, on its own line."""
    status, lines = run(write(tmp_path / "flow.json", spoiled(creation(), 0, change)), capsys)
    assert status == 1
    assert lines[-1].endswith(", 0 not served")
    assert ", 1 disagree," in lines[-1], lines
    assert lines[0].startswith("flow 0 PUT /resourceGroups/g1/providers/Microsoft.Network/publicIPAddresses/ip1")


def test_what_is_not_served_is_counted_and_not_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    storage = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/s?api-version=2016-12-01"
    started = {"location": f"https://management.azure.com{SUBSCRIPTION}/providers/Microsoft.Storage/operations/x?a=1"}
    entries = [
        ("PUT", storage, "*", 202, started, ""),
        ("GET", started["location"], None, 200, {}, {}),
        ("GET", "https://raw.githubusercontent.com/x", None, 200, {}, {"a": 1}),
    ]
    status, lines = run(write(tmp_path / "flow.json", entries), capsys)
    assert (status, lines) == (0, ["0 compared, 0 agree, 0 disagree, 3 not served"])


def test_an_answer_that_a_served_provider_lacks_is_a_disagreement(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    body = {"name": "r1", "location": "eastus", "properties": {"provisioningState": "Succeeded"}}
    entries = [
        ("GET", f"{NETWORK}/routeTables/r1?api-version=2024-05-01", None, 200, {}, body),
        ("GET", f"{NETWORK}/loadBalancers/l1?api-version=2024-05-01", None, 200, {}, body),
        ("POST", f"{VM}/capture?api-version=2024-07-01", {}, 202, {}, ""),
        ("GET", f"{NETWORK}/routeTables/r2?api-version=2024-05-01", None, 404, {}, "<!DOCTYPE html><html></html>"),
    ]
    status, lines = run(write(tmp_path / "flow.json", entries), capsys)
    assert (status, lines[-1]) == (1, "1 compared, 0 agree, 1 disagree, 3 not served")
    assert lines[0].startswith("flow 0 GET /resourceGroups/g1/providers/Microsoft.Network/routeTables/r1")


def test_the_secrets_of_a_vault_are_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    vault = f"{GROUP}/providers/Microsoft.KeyVault/vaults/kv-recorded?api-version=2023-07-01"
    secret = "https://kv-recorded.vault.azure.net/secrets/one"
    policy = {"tenantId": GUID, "objectId": ETAG[3:-1], "permissions": {"secrets": ["get", "set"]}}
    properties = {"tenantId": GUID, "sku": {"family": "A", "name": "standard"}, "accessPolicies": [policy]}
    shown = {
        "value": "hidden",
        "id": f"{secret}/0123456789abcdef0123456789abcdef",
        "attributes": {"enabled": True, "created": 1, "updated": 1, "recoveryLevel": "x", "recoverableDays": 90},
    }
    entries: list[Entry] = [
        ("PUT", vault, {"location": "eastus", "properties": properties}, 200, {}, {}),
        ("PUT", f"{secret}?api-version=7.4", {"value": "hidden"}, 401, {}, ""),
        ("PUT", f"{secret}?api-version=7.4", {"value": "hidden"}, 200, {}, shown),
        ("GET", f"{secret}/{shown['id'][-32:]}?api-version=7.5-preview.1", None, 200, {}, shown),
        ("GET", f"{secret}?api-version=2031-01-01", None, 200, {}, {**shown, "extra": 1}),
        ("GET", "https://kv-other.vault.azure.net/secrets/one?api-version=7.4", None, 200, {}, shown),
    ]
    _status, lines = run(write(tmp_path / "flow.json", entries), capsys)
    about = [line.split()[1] for line in lines if line.startswith("flow ")]
    assert lines[-1].endswith(", 1 not served"), lines
    assert {"2", "3"}.isdisjoint(about), lines
    assert any(line.startswith("flow 4 ") and "extra" in line for line in lines), lines


def test_an_older_record_is_excused_field_by_field(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    body = address("Updating")
    del body["properties"]["ddosSettings"]
    del body["sku"]["tier"]
    entry = list(creation()[0])
    entry[1] = entry[1].replace("2024-05-01", "2019-09-01")
    entry[5] = body
    status, lines = run(write(tmp_path / "flow.json", [tuple(entry)], OLD), capsys)
    assert status == 0, lines


def test_records_grouped_by_url_are_replayed_in_the_order_of_time(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path / "flow.json", creation() + deletion()[:3])
    content = json.loads(path.read_text())
    for minute, entry in enumerate(content["interactions"]):
        entry["date"] = f"Wed, 22 Jan 2025 06:{minute:02d}:08 GMT"
    content["interactions"].sort(key=lambda entry: entry["request"]["url"])
    path.write_text(json.dumps(content))
    status, lines = run(path, capsys)
    assert (status, lines[-1]) == (0, "7 compared, 7 agree, 0 disagree, 0 not served"), lines


def test_bad_input_is_one_clear_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "nothing")]) == 2
    assert "no such directory" in capsys.readouterr().err
    (tmp_path / "bad.json").write_text("[1]")
    assert main([str(tmp_path)]) == 2
    assert "bad.json: not a recording" in capsys.readouterr().err


def test_the_figures_go_between_the_markers_of_a_document(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document = tmp_path / "doc.md"
    document.write_text("# A\n\n<!-- conformance: begin -->\nold\n<!-- conformance: end -->\n\nrest\n")
    path = write(tmp_path / "flow.json", creation())
    assert main([str(path), "--write-docs", str(document)]) == 0
    text = document.read_text()
    assert "4 compared, 4 agree, 0 disagree, 0 not served." in text
    assert "old" not in text
    assert text.startswith("# A\n")
    assert text.endswith("\n\nrest\n")
    (tmp_path / "plain.md").write_text("nothing")
    assert main([str(path), "--write-docs", str(tmp_path / "plain.md")]) == 2
