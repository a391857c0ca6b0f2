# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Key Vault of the local Azure, by Microsoft's own client for secrets."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError, ServiceRequestError

from azure_emulator.launcher import LocalAzure
from azure_emulator.vault.testing import make_vault, resolved

from ..conftest import sdk_credential

if t.TYPE_CHECKING:
    from ..conftest import Arm

secrets = pytest.importorskip("azure.keyvault.secrets")


class Vaults:
    """Clients for vaults of one server."""

    def __init__(self, azure: LocalAzure) -> None:
        self.azure = azure

    def url(self, name: str) -> str:
        return f"https://{name}.vault.localhost:{self.azure.url.rpartition(':')[2]}"

    def client(self, name: str | None = None, **properties: t.Any) -> t.Any:
        """A client for a new vault, or for one of this name."""
        azure = self.azure
        name = make_vault(azure, name, **properties)
        return self.connect(self.url(name))

    def connect(self, url: str) -> t.Any:
        credential = sdk_credential(self.azure)
        return secrets.SecretClient(url, credential, connection_verify=self.azure.ca_file, api_version="7.4")


@pytest.fixture
def vaults(arm: Arm, no_ca_bundles: None) -> t.Iterator[Vaults]:
    with resolved():
        yield Vaults(arm.azure)


def inner(error: HttpResponseError) -> tuple[int | None, str]:
    """Status and inner code."""
    body = json.loads(t.cast(t.Any, error.response).text())["error"]
    return error.status_code, body.get("innererror", {}).get("code", body["code"])


def test_versions(vaults: Vaults) -> None:
    client = vaults.client()
    first = client.set_secret("name", "one", tags={"a": "b"}, content_type="text/plain")
    second = client.set_secret("Name", "two")
    assert client.get_secret("name").value == "two"
    assert client.get_secret("name", first.properties.version).value == "one"
    listed = list(client.list_properties_of_secret_versions("name"))
    assert [entry.version for entry in listed] == sorted([first.properties.version, second.properties.version])
    kept = next(entry for entry in listed if entry.version == first.properties.version)
    assert (kept.tags, kept.content_type, kept.enabled) == ({"a": "b"}, "text/plain", True)
    assert kept.recovery_level == "Recoverable+Purgeable"
    assert kept.created_on.microsecond == 0
    assert list(client.list_properties_of_secret_versions("other")) == []
    with pytest.raises(ResourceNotFoundError, match="SecretNotFound"):
        client.get_secret("other")
    assert [entry.name for entry in client.list_properties_of_secrets()] == ["name"]


def test_pages(vaults: Vaults) -> None:
    client = vaults.client()
    made = {client.set_secret("many", str(number)).properties.version for number in range(60)}
    pages = [list(page) for page in client.list_properties_of_secret_versions("many").by_page()]
    assert [len(page) for page in pages] == [25, 25, 10]
    assert {entry.version for page in pages for entry in page} == made
    assert [
        len(list(page)) for page in client.list_properties_of_secret_versions("many", max_page_size=20).by_page()
    ] == [
        20,
        20,
        20,
    ]


def test_attributes(vaults: Vaults) -> None:
    client = vaults.client()
    version = client.set_secret("name", "one", tags={"a": "b"}).properties.version
    updated = client.update_secret_properties("name", version, enabled=False, tags={"c": "d"})
    assert (updated.enabled, updated.tags) == (False, {"c": "d"})
    for wanted in (None, version):
        with pytest.raises(HttpResponseError, match="disabled secret") as caught:
            client.get_secret("name", wanted)
        assert inner(caught.value) == (403, "SecretDisabled")
    client.update_secret_properties("name", version, enabled=True)
    assert client.get_secret("name").properties.tags == {"c": "d"}


def test_deleting_and_recovering(vaults: Vaults) -> None:
    client = vaults.client()
    client.set_secret("name", "one")
    client.begin_delete_secret("name").wait()
    with pytest.raises(ResourceNotFoundError):
        client.get_secret("name")
    assert list(client.list_properties_of_secret_versions("name")) == []
    with pytest.raises(ResourceExistsError) as caught:
        client.set_secret("name", "two")
    assert inner(caught.value) == (409, "ObjectIsDeletedButRecoverable")
    gone = client.get_deleted_secret("name")
    assert (gone.scheduled_purge_date - gone.deleted_date).days == 90
    assert [entry.name for entry in client.list_deleted_secrets()] == ["name"]
    client.begin_recover_deleted_secret("name").wait()
    assert client.get_secret("name").value == "one"
    client.begin_delete_secret("name").wait()
    client.purge_deleted_secret("name")
    with pytest.raises(ResourceNotFoundError, match="Deleted Secret not found"):
        client.get_deleted_secret("name")
    client.set_secret("name", "three")


def test_purge_protection(vaults: Vaults) -> None:
    client = vaults.client(enablePurgeProtection=True, softDeleteRetentionInDays=7)
    assert client.set_secret("name", "one").properties.recovery_level == "CustomizedRecoverable"
    client.begin_delete_secret("name").wait()
    with pytest.raises(HttpResponseError, match="purge protection is enabled") as caught:
        client.purge_deleted_secret("name")
    assert caught.value.status_code == 403


def test_backup(vaults: Vaults) -> None:
    client, other = vaults.client(), vaults.client()
    client.set_secret("name", "one")
    client.set_secret("name", "two")
    blob = client.backup_secret("name")
    with pytest.raises(ResourceExistsError):
        client.restore_secret_backup(blob)
    other.restore_secret_backup(blob)
    assert other.get_secret("name").value == "two"
    assert len(list(other.list_properties_of_secret_versions("name"))) == 2
    with pytest.raises(HttpResponseError, match="corrupted"):
        other.restore_secret_backup(blob[:-1] + b"x")


@pytest.mark.parametrize(
    ("name", "value", "keywords"),
    [
        ("a_b", "x", {}),
        ("name", "x" * 25601, {}),
        ("name", "", {}),
        ("name", "x", {"tags": {str(number): "" for number in range(16)}}),
        ("name", "x", {"tags": {"a": "b" * 257}}),
        ("name", "x", {"content_type": "x" * 256}),
    ],
)
def test_refused(vaults: Vaults, name: str, value: str, keywords: t.Any) -> None:
    client = vaults.client()
    with pytest.raises(HttpResponseError) as caught:
        client.set_secret(name, value, **keywords)
    assert inner(caught.value) == (400, "BadParameter")
    assert client.set_secret("name", "x" * 25600).properties.version


def test_access_policies(vaults: Vaults) -> None:
    client = vaults.client(accessPolicies=[])
    with pytest.raises(HttpResponseError, match="does not have secrets set permission on key vault") as caught:
        client.set_secret("name", "one")
    assert inner(caught.value) == (403, "AccessDenied")


def test_roles(vaults: Vaults) -> None:
    client = vaults.client(enableRbacAuthorization=True, accessPolicies=[])
    client.set_secret("name", "one")
    vaults.azure.switch("forbidden", ["Microsoft.KeyVault/vaults/secrets/setSecret/action"])
    assert client.get_secret("name").value == "one"
    with pytest.raises(HttpResponseError, match="setSecret/action") as caught:
        client.set_secret("name", "two")
    assert inner(caught.value) == (403, "ForbiddenByRbac")


def test_sign_in(vaults: Vaults, arm: Arm) -> None:
    name = make_vault(vaults.azure)
    url = f"{vaults.url(name)}/secrets/name"
    answer = arm.http.get(url, params={"api-version": "7.4"}, headers={"Authorization": ""})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == (
        f'Bearer authorization="{vaults.azure.url}/{vaults.azure.tenant}", resource='
        f'"{vaults.url("x").replace("x.", "", 1)}"'
    )
    assert "AKV10000" in answer.json()["error"]["message"]
    wrong = arm.http.get(url, params={"api-version": "7.4"})
    assert "AKV10022" in wrong.json()["error"]["message"]
    scope = vaults.url("x").replace("x.", "", 1) + "/.default"
    headers = {"Authorization": f"Bearer {arm.token(scope=scope)}"}
    assert arm.http.get(url, params={"api-version": "7.4"}, headers=headers).status_code == 404
    assert arm.http.get(url, params={"api-version": "1.0"}, headers=headers).status_code == 400
    assert arm.http.post(url, params={"api-version": "7.4"}, headers=headers).status_code == 405
    assert arm.http.get(vaults.url(name) + "/keys", params={"api-version": "7.4"}, headers=headers).status_code == 404


def test_a_vault_that_is_not_there(vaults: Vaults) -> None:
    client = vaults.connect(vaults.url("nowhere1"))
    with pytest.raises(ServiceRequestError):
        client.get_secret("name", retry_total=0)


def test_vaults_as_resources(vaults: Vaults, arm: Arm) -> None:
    path = "Microsoft.KeyVault/vaults"
    properties = {"tenantId": vaults.azure.tenant, "sku": {"family": "A", "name": "standard"}}
    rules = {"bypass": "AzureServices", "defaultAction": "Allow"}
    body = {"location": "West Europe", "properties": {**properties, "networkAcls": rules}}
    version = {"api-version": "2023-07-01"}
    made = arm.put(f"{path}/keys1", body, **version)
    assert made.status_code == 200, made.text
    assert made.json()["properties"]["provisioningState"] == "RegisteringDns"
    shown = arm.get(f"{path}/keys1", **version).json()
    assert shown["properties"]["provisioningState"] == "Succeeded"
    assert shown["systemData"]["createdAt"] == made.json()["systemData"]["lastModifiedAt"]
    assert not shown["properties"].keys() & {"enableRbacAuthorization", "networkAcls"}
    assert shown["properties"]["vaultUri"] == vaults.url("keys1") + "/"
    assert shown["properties"]["softDeleteRetentionInDays"] == 90
    assert arm.get(path, **version).json()["value"] == [shown]
    assert "keys1.vault.localhost" in Path(vaults.azure.hosts_file).read_text()
    for name, wrong, code in (
        ("a", body, "VaultNameNotValid"),
        ("keys2", {"location": "westeurope"}, "BadRequest"),
        ("keys2", {"location": "westeurope", "properties": {"tenantId": "x"}}, "BadRequest"),
        ("keys2", {**body, "properties": {**properties, "enableSoftDelete": False}}, "BadRequest"),
    ):
        assert arm.code(arm.put(f"{path}/{name}", wrong, **version)) == (400, code)
    other = f"{arm.subscription}/resourceGroups/{arm.name}-2"
    arm.put(other, {"location": "eastus"})
    taken = arm.put(f"{other}/providers/{path}/keys1", body, **version)
    assert arm.code(taken) == (409, "VaultAlreadyExists")
    assert arm.delete(f"{path}/keys1", **version).status_code == 200
    assert arm.delete(f"{path}/keys1", **version).status_code == 204
    assert arm.code(arm.get(f"{path}/keys1", **version)) == (404, "ResourceNotFound")
    assert "keys1.vault.localhost" not in Path(vaults.azure.hosts_file).read_text()
    arm.delete(other)


def test_secrets_outlive_the_server(tmp_path: t.Any, no_ca_bundles: None) -> None:
    with resolved():
        with LocalAzure(state_dir=tmp_path / "state") as azure:
            Vaults(azure).client("lasting").set_secret("name", "one")
        with LocalAzure(state_dir=tmp_path / "state") as azure:
            vaults = Vaults(azure)
            assert vaults.connect(vaults.url("lasting")).get_secret("name").value == "one"
