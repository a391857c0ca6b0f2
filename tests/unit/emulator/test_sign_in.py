# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ways to sign in, and the endpoints that clients of a private cloud ask."""

from __future__ import annotations

import typing as t

import httpx
import pytest

from azure_emulator.self_signed import rsa_key, self_signed

from .conftest import sdk_credential

if t.TYPE_CHECKING:
    from .conftest import Arm

pytestmark = pytest.mark.usefixtures("no_ca_bundles")


def _works(arm: Arm, token: str) -> bool:
    return arm.get(arm.group, header_Authorization=f"Bearer {token}").status_code == 200


@pytest.mark.parametrize(
    ("form", "status", "error", "number"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client", 7000215),
        ({"client_secret": ""}, 401, "invalid_client", 7000218),
        ({"client_id": "wrong"}, 400, "unauthorized_client", 700016),
        ({"grant_type": "password"}, 400, "unsupported_grant_type", 70003),
        ({"grant_type": ""}, 400, "invalid_request", 900144),
        ({"scope": ""}, 400, "invalid_request", 900144),
        ({"scope": "https://somewhere.invalid/.default"}, 400, "invalid_resource", 500011),
    ],
)
def test_refusals_of_the_token_endpoint(arm: Arm, form: dict[str, str], status: int, error: str, number: int) -> None:
    response = arm.sign_in(**form)
    body = response.json()
    assert (response.status_code, body["error"], body["error_codes"]) == (status, error, [number])
    assert body["error_description"].startswith(f"AADSTS{number}: ")
    assert arm.azure.secret not in response.text


def test_an_unknown_tenant(arm: Arm) -> None:
    response = arm.http.post("/11111111-2222-3333-4444-555555555555/oauth2/v2.0/token", data={"grant_type": "x"})
    assert response.json()["error_codes"] == [90002]


def test_the_first_version_of_the_endpoint(arm: Arm) -> None:
    data = {
        "grant_type": "client_credentials",
        "client_id": arm.azure.client_id,
        "client_secret": arm.azure.secret,
        "resource": arm.azure.url,
    }
    body = arm.http.post(f"/{arm.azure.tenant}/oauth2/token", data=data).json()
    assert isinstance(body["expires_in"], str)
    assert body["resource"] == arm.azure.url
    assert _works(arm, body["access_token"])


def test_the_sdk_with_a_secret(arm: Arm) -> None:
    assert _works(arm, sdk_credential(arm.azure).get_token(f"{arm.azure.url}/.default").token)


def test_the_sdk_with_a_certificate(arm: Arm) -> None:
    identity = pytest.importorskip("azure.identity")
    made = self_signed("client", key=rsa_key())
    options: dict[str, t.Any] = {
        "certificate_data": made.pem,
        "authority": arm.azure.url,
        "disable_instance_discovery": True,
        "connection_verify": arm.azure.ca_file,
    }
    scope = f"{arm.azure.url}/.default"
    stranger = identity.CertificateCredential(arm.azure.tenant, arm.azure.client_id, **options)
    with pytest.raises(Exception, match="AADSTS700027"):
        stranger.get_token(scope)
    arm.azure.register_certificate(made.cert_pem.decode())
    known = identity.CertificateCredential(arm.azure.tenant, arm.azure.client_id, **options)
    assert _works(arm, known.get_token(scope).token)


def test_federated_tokens(arm: Arm) -> None:
    form = {
        "client_secret": "",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": arm.azure.federated_token(),
    }
    assert _works(arm, arm.sign_in(**form).json()["access_token"])
    form["client_assertion"] = arm.token()
    assert arm.sign_in(**form).json()["error_codes"] == [700211]


def test_managed_identity(arm: Arm) -> None:
    path = "/metadata/identity/oauth2/token"
    query = {"api-version": "2018-02-01", "resource": arm.azure.url}
    body = arm.http.get(path, params=query, headers={"Metadata": "true"}).json()
    assert _works(arm, body["access_token"])
    assert arm.http.get(path, params=query).status_code == 400
    assert arm.http.get(path, params={"api-version": "2018-02-01"}, headers={"Metadata": "true"}).status_code == 400
    header = {"X-IDENTITY-HEADER": arm.azure.control_token}
    assert _works(arm, arm.http.get("/msi/token", params=query, headers=header).json()["access_token"])
    assert arm.http.get("/msi/token", params=query).status_code == 401


def test_metadata_of_the_cloud(arm: Arm) -> None:
    body = arm.http.get(
        "/metadata/endpoints", params={"api-version": "2022-09-01"}, headers={"Authorization": ""}
    ).json()
    assert body["resourceManager"].rstrip("/") == arm.azure.url
    assert body["authentication"]["loginEndpoint"] == arm.azure.url
    assert arm.azure.url in body["authentication"]["audiences"]
    assert body["suffixes"]["storage"]
    old = arm.http.get("/metadata/endpoints", params={"api-version": "2015-01-01"}).json()
    assert old["authentication"]["loginEndpoint"].rstrip("/") == arm.azure.url
    assert arm.http.get("/metadata/endpoints").status_code == 400


def test_openid_configuration(arm: Arm) -> None:
    for version in ("/v2.0", ""):
        body = arm.http.get(f"/{arm.azure.tenant}{version}/.well-known/openid-configuration").json()
        assert body["token_endpoint"] == f"{arm.azure.url}/{arm.azure.tenant}/oauth2/v2.0/token"
        assert arm.http.get(body["jwks_uri"]).json()["keys"]


def test_only_loopback_is_served(arm: Arm) -> None:
    assert arm.azure.url.startswith("https://localhost:")
    with pytest.raises(httpx.ConnectError):
        httpx.get(arm.azure.url, trust_env=False)
