# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the Resource Manager itself answers: sign-in, versions, paths, groups, bad input."""

from __future__ import annotations

import typing as t

import pytest

if t.TYPE_CHECKING:
    from .conftest import Arm

VNET = "Microsoft.Network/virtualNetworks/vnet"


def test_a_request_without_token_gets_the_challenge(arm: Arm) -> None:
    response = arm.http.get(arm.group, params={"api-version": "2022-09-01"}, headers={"Authorization": ""})
    assert arm.code(response) == (401, "AuthenticationFailed")
    challenge = response.headers["www-authenticate"]
    assert f'authorization_uri="{arm.azure.url}/{arm.azure.tenant}"' in challenge


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("Basic abc", "AuthenticationFailedInvalidHeader"),
        ("Bearer", "AuthenticationFailedInvalidHeader"),
        ("Bearer abc", "InvalidAuthenticationToken"),
        ("Bearer a.b.c", "InvalidAuthenticationToken"),
    ],
)
def test_wrong_tokens_are_refused(arm: Arm, header: str, code: str) -> None:
    response = arm.http.get(arm.group, params={"api-version": "2022-09-01"}, headers={"Authorization": header})
    assert arm.code(response) == (401, code)
    assert "error=" in response.headers["www-authenticate"]


def test_a_token_expires(arm: Arm) -> None:
    arm.azure.switch("token_lifetime", 0)
    response = arm.get(arm.group, header_Authorization=f"Bearer {arm.token()}")
    assert arm.code(response) == (401, "ExpiredAuthenticationToken")


def test_a_token_for_something_else_is_refused(arm: Arm) -> None:
    token = arm.token(scope="https://vault.azure.net/.default")
    response = arm.get(arm.group, header_Authorization=f"Bearer {token}")
    assert arm.code(response) == (401, "InvalidAuthenticationTokenAudience")


def test_the_api_version_is_required(arm: Arm) -> None:
    assert arm.code(arm.http.get(arm.group)) == (400, "MissingApiVersionParameter")


def test_unknown_api_versions_are_refused_with_those_that_are_known(arm: Arm) -> None:
    response = arm.get(VNET, **{"api-version": "2024-05-02"})
    assert arm.code(response) == (400, "NoRegisteredProviderFound")
    assert "API version '2024-05-02' for type 'virtualNetworks'" in response.json()["error"]["message"]
    assert "2024-05-01" in response.json()["error"]["message"]
    assert arm.code(arm.get(arm.group, **{"api-version": "x"})) == (400, "InvalidApiVersionParameter")


@pytest.mark.parametrize(
    "version", ["2015-06-15", "2017-10-01", "2019-11-01", "2022-01-01", "2024-05-01", "2024-07-01"]
)
def test_published_api_versions_are_served(arm: Arm, version: str) -> None:
    assert arm.get("Microsoft.Network/virtualNetworks", **{"api-version": version}).json() == {"value": []}


@pytest.mark.parametrize(
    ("path", "version"),
    [
        ("/locations", "2018-06-01"),
        ("/locations", "2019-06-01"),
        ("/locations", "2022-12-01"),
        ("/providers/Microsoft.ManagedIdentity/userAssignedIdentities", "2022-01-31-preview"),
        ("/providers/Microsoft.Compute/galleries", "2026-03-03"),
        ("/providers/Microsoft.Compute/virtualMachines", "2026-03-01"),
        ("/providers/Microsoft.KeyVault/vaults", "2026-02-01"),
    ],
)
def test_api_versions_that_clients_send_are_served(arm: Arm, path: str, version: str) -> None:
    assert arm.get(f"{arm.subscription}{path}", **{"api-version": version}).status_code == 200


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/nothing", 404, "NotFound"),
        ("/subscriptions/none", 400, "InvalidSubscriptionId"),
        ("/subscriptions/11111111-2222-3333-4444-555555555555", 404, "SubscriptionNotFound"),
        ("Microsoft.Nothing/things/x", 404, "InvalidResourceNamespace"),
        ("Microsoft.Network/things/x", 404, "InvalidResourceType"),
        (VNET, 404, "ResourceNotFound"),
    ],
)
def test_paths_that_lead_nowhere(arm: Arm, path: str, status: int, code: str) -> None:
    assert arm.code(arm.get(path)) == (status, code)


@pytest.mark.parametrize(
    ("type_", "version"),
    [
        ("Microsoft.Network/routeTables", "2024-05-01"),
        ("Microsoft.Compute/virtualMachineScaleSets", "2024-07-01"),
        ("Microsoft.Compute/diskEncryptionSets", "2024-03-02"),
        ("Microsoft.Storage/storageAccounts", "2023-05-01"),
    ],
)
def test_types_that_are_not_served_can_be_read_and_there_are_none(arm: Arm, type_: str, version: str) -> None:
    sent = {"api-version": version}
    assert arm.get(type_, **sent).json() == {"value": []}
    assert arm.get(f"{arm.subscription}/providers/{type_}", **sent).json() == {"value": []}
    assert arm.code(arm.get(f"{type_}/one", **sent)) == (404, "ResourceNotFound")
    assert arm.code(arm.get(f"{type_}/one/parts", **sent)) == (404, "ResourceNotFound")
    assert arm.delete(f"{type_}/one", **sent).status_code == 204
    refused = arm.put(f"{type_}/one", {"location": "eastus"}, **sent)
    assert (arm.code(refused), type_ in refused.text) == ((400, "NotSupported"), True)
    elsewhere = f"{arm.subscription}/resourceGroups/nobody/providers/{type_}"
    assert arm.code(arm.get(elsewhere, **sent)) == (404, "ResourceGroupNotFound")
    assert arm.code(arm.get(type_, **{"api-version": "1999-01-01"})) == (400, "NoRegisteredProviderFound")


def test_types_that_are_not_served_are_forbidden_to_those_who_may_not_read_them(arm: Arm) -> None:
    arm.azure.switch("forbidden", ["Microsoft.Network/routeTables/read"])
    try:
        assert arm.code(arm.get("Microsoft.Network/routeTables")) == (403, "AuthorizationFailed")
    finally:
        arm.azure.switch("forbidden", [])


def test_not_found_is_said_by_the_gateway(arm: Arm) -> None:
    response = arm.get("Microsoft.Compute/virtualMachines/s1")
    assert response.headers["x-ms-failure-cause"] == "gateway"
    assert response.json() == {
        "error": {
            "code": "ResourceNotFound",
            "message": f"The Resource 'Microsoft.Compute/virtualMachines/s1' under resource group '{arm.name}' was not "
            "found. For more details please go to https://aka.ms/ARMResourceNotFoundFix",
        }
    }


def test_what_is_in_a_missing_group(arm: Arm) -> None:
    path = f"{arm.subscription}/resourceGroups/none/providers/{VNET}"
    for response in (arm.get(path), arm.put(path, {}), arm.delete(path)):
        assert arm.code(response) == (404, "ResourceGroupNotFound")
        assert response.json()["error"]["message"] == "Resource group 'none' could not be found."


def test_wrong_methods_are_refused(arm: Arm) -> None:
    response = arm.post(VNET, {})
    assert arm.code(response) == (405, "HttpMethodNotAllowed")
    assert "PUT" in response.headers["allow"]


@pytest.mark.parametrize(
    "raw",
    [b"{", b"[", b"[]", b"nonsense", b'"x"', b"\xff\xfe", b"[" * 100_000, b'{"location": }', b"1", b"null", b""],
)
def test_malformed_bodies_are_refused(arm: Arm, raw: bytes) -> None:
    url = f"{arm.group}/providers/{VNET}"
    response = arm.http.put(url, params={"api-version": "2024-05-01"}, content=raw)
    assert response.status_code == 400
    assert response.json()["error"]["code"] in ("InvalidRequestContent", "MissingRequestBody")
    assert "Traceback" not in response.text


def test_a_body_that_is_too_large(arm: Arm) -> None:
    url = f"{arm.group}/providers/{VNET}"
    response = arm.http.put(url, params={"api-version": "2024-05-01"}, content=b" " * (5 * 2**20))
    assert arm.code(response) == (413, "RequestContentTooLarge")


def test_paths_are_compared_without_case(arm: Arm) -> None:
    arm.done(arm.vnet())
    path = f"{arm.group}/providers/{VNET}"
    answer = arm.get(
        path.replace("resourceGroups", "RESOURCEGROUPS").replace("virtualNetworks/vnet", "virtualnetworks/VNET")
    )
    assert answer.json()["id"] == path


def test_common_headers(arm: Arm) -> None:
    response = arm.get(arm.group, header_x_ms_client_request_id="abc", header_x_ms_return_client_request_id="true")
    for name in ("x-ms-request-id", "x-ms-correlation-request-id", "x-ms-routing-request-id"):
        assert response.headers[name]
    assert response.headers["x-ms-client-request-id"] == "abc"
    assert response.headers["cache-control"] == "no-cache"
    assert "x-ms-ratelimit-remaining-subscription-global-reads" in response.headers


def test_unregistered_providers(arm: Arm) -> None:
    arm.azure.switch("unregistered", ["Microsoft.Network"])
    response = arm.vnet()
    assert arm.code(response) == (409, "MissingSubscriptionRegistration")
    assert "'Microsoft.Network'" in response.json()["error"]["message"]
    path = f"{arm.subscription}/providers/Microsoft.Network"
    assert arm.get(path, **{"api-version": "2022-09-01"}).json()["registrationState"] == "NotRegistered"
    assert arm.post(f"{path}/register", **{"api-version": "2022-09-01"}).status_code == 200
    assert arm.vnet().status_code == 201


def test_missing_rights(arm: Arm) -> None:
    arm.azure.switch("forbidden", ["Microsoft.Network/virtualNetworks/write", "Microsoft.Compute/*"])
    response = arm.vnet()
    assert arm.code(response) == (403, "AuthorizationFailed")
    assert "'Microsoft.Network/virtualNetworks/write'" in response.json()["error"]["message"]
    assert arm.get("Microsoft.Network/virtualNetworks").status_code == 200
    assert arm.code(arm.get("Microsoft.Compute/virtualMachines")) == (403, "AuthorizationFailed")


@pytest.mark.parametrize(("value", "retry_after"), [("retry-after", "1"), ("bare", None)])
def test_throttling(arm: Arm, value: str, retry_after: str | None) -> None:
    arm.azure.switch("throttle", value)
    response = arm.get("Microsoft.Compute/virtualMachines")
    assert arm.code(response) == (429, "OperationNotAllowed")
    assert response.json()["error"]["details"][0]["code"] == "TooManyRequests"
    assert response.headers.get("retry-after") == retry_after


def test_subscriptions_and_tenants(arm: Arm) -> None:
    listed = arm.get("/subscriptions", **{"api-version": "2022-12-01"}).json()["value"]
    assert [item["subscriptionId"] for item in listed] == [arm.azure.subscription_id]
    assert arm.get(arm.subscription, **{"api-version": "2022-12-01"}).json()["state"] == "Enabled"
    assert arm.get("/tenants", **{"api-version": "2022-12-01"}).json()["value"][0]["tenantId"] == arm.azure.tenant
    regions = arm.get(f"{arm.subscription}/locations", **{"api-version": "2022-12-01"}).json()["value"]
    assert "westeurope" in [region["name"] for region in regions]


def test_lists_come_in_pages(arm: Arm) -> None:
    names = [f"page-{number}" for number in range(5)]
    for name in names:
        arm.vnet(name)
    arm.azure.switch("page_size", 2)
    pages = [arm.get("Microsoft.Network/virtualNetworks").json()]
    while link := pages[-1].get("nextLink"):
        pages.append(arm.http.get(link).json())
    assert [len(page["value"]) for page in pages] == [2, 2, 1]
    assert [entry["name"] for page in pages for entry in page["value"]] == names
    response = arm.get("Microsoft.Network/virtualNetworks", **{"$skiptoken": "x"})
    assert arm.code(response) == (400, "InvalidSkipToken")
