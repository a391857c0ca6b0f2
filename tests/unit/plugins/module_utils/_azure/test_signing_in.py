# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every way to sign in, through azure-identity, against the local Azure's own endpoints."""

from __future__ import annotations

import json
import sys
import typing as t
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs12

from ansible_collections.dockerhost.azure.plugins.module_utils._azure import settings
from ansible_collections.dockerhost.azure.plugins.module_utils._azure.clients import AzureSession
from ansible_collections.dockerhost.azure.plugins.module_utils._azure.errors import AuthenticationError
from ansible_collections.dockerhost.azure.plugins.module_utils._backend import Request
from ansible_collections.dockerhost.azure.plugins.module_utils._errors import DockerHostError, OptionError
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.info_task import BACKEND
from azure_emulator.launcher import LocalAzure
from azure_emulator.self_signed import rsa_key, self_signed

NO_ENCRYPTION = serialization.NoEncryption()

OTHER = "00000000-0000-0000-0000-0000000000ff"
"""The ID of a subscription that nothing else uses."""


def sign_in(**options: t.Any) -> str:
    """Sign in, send a request that needs it, and tell the way that was used."""
    with AzureSession.from_params(options) as session:
        assert session.arm.list(f"/subscriptions/{session.subscription_id}/resourcegroups") == []
        return session.signed_in_with


def principal(azure: LocalAzure, **more: str) -> dict[str, str]:
    """The service principal as options."""
    return {"client_id": azure.client_id, "tenant": azure.tenant, **more}


def certificate(directory: Path) -> tuple[Path, str, str]:
    """A certificate with its key in one file, its PEM, and its thumbprint."""
    made = self_signed("test", key=rsa_key())
    path = directory / "principal.pem"
    path.write_bytes(made.pem)
    return path, made.cert_pem.decode(), made.thumbprint


def test_secret_by_options(place: LocalAzure) -> None:
    used = sign_in(**principal(place, secret=place.secret))
    assert used == f"service principal {place.client_id} by secret, from the task's options"


@pytest.mark.parametrize(
    ("tenant", "secret"), [("AZURE_TENANT", "AZURE_SECRET"), ("AZURE_TENANT_ID", "AZURE_CLIENT_SECRET")]
)
@pytest.mark.parametrize("source", ["auto", "env"])
def test_secret_by_either_spelling(
    place: LocalAzure, monkeypatch: pytest.MonkeyPatch, tenant: str, secret: str, source: str
) -> None:
    monkeypatch.setenv("AZURE_CLIENT_ID", place.client_id)
    monkeypatch.setenv(tenant, place.tenant)
    monkeypatch.setenv(secret, place.secret)
    assert sign_in(auth_source=source).endswith("from environment variables")


def test_empty_variables_count_as_unset(place: LocalAzure, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"AZURE_CLIENT_ID": place.client_id, "AZURE_TENANT_ID": place.tenant}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AZURE_CLIENT_SECRET", place.secret)
    for name in ("AZURE_SECRET", "AZURE_TENANT", "AZURE_AD_USER", "AZURE_PASSWORD", "AZURE_X509_CERTIFICATE_PATH"):
        monkeypatch.setenv(name, "")
    assert "by secret" in sign_in(secret="", tenant="", client_id="", cloud_environment="")


def test_options_are_completed_by_the_environment(place: LocalAzure, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_SECRET", place.secret)
    assert "the task's options" in sign_in(**principal(place))


def test_certificate(place: LocalAzure, tmp_path: Path) -> None:
    path, pem, thumbprint = certificate(tmp_path)
    place.register_certificate(pem)
    used = sign_in(**principal(place, x509_certificate_path=str(path), thumbprint=thumbprint))
    assert "by certificate" in used


def test_certificate_in_pkcs12(place: LocalAzure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, pem, _thumbprint = certificate(tmp_path)
    place.register_certificate(pem)
    key = serialization.load_pem_private_key(path.read_bytes(), None)
    assert isinstance(key, rsa.RSAPrivateKey)
    made = x509.load_pem_x509_certificate(pem.encode())
    packed = tmp_path / "principal.pfx"
    packed.write_bytes(pkcs12.serialize_key_and_certificates(b"x", key, made, None, NO_ENCRYPTION))
    monkeypatch.setenv("AZURE_CLIENT_CERTIFICATE_PATH", str(packed))
    monkeypatch.setenv("AZURE_CLIENT_ID", place.client_id)
    monkeypatch.setenv("AZURE_TENANT_ID", place.tenant)
    assert "by certificate, from environment variables" in sign_in()


@pytest.mark.parametrize("source", ["environment", "profile"])
def test_an_encrypted_certificate(
    place: LocalAzure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    path, pem, _thumbprint = certificate(tmp_path)
    place.register_certificate(pem)
    key = serialization.load_pem_private_key(path.read_bytes(), None)
    kind = serialization.BestAvailableEncryption(b"open sesame")
    locked = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, kind)
    path.write_bytes(locked + pem.encode())
    given = principal(place, x509_certificate_path=str(path))
    with pytest.raises(OptionError, match="x509_certificate_path"):
        sign_in(**given)
    monkeypatch.setenv("AZURE_CLIENT_CERTIFICATE_PASSWORD", "wrong sesame")
    with pytest.raises(OptionError, match="x509_certificate_path") as caught:
        sign_in(**given)
    assert "sesame" not in str(caught.value)
    if source == "environment":
        monkeypatch.setenv("AZURE_CLIENT_CERTIFICATE_PASSWORD", "open sesame")
        assert "by certificate" in sign_in(**given)
        return
    directory = tmp_path / "home" / ".azure"
    directory.mkdir()
    lines = [f"{name}={value}" for name, value in {**given, "certificate_password": "open sesame"}.items()]
    (directory / "credentials").write_text("\n".join(["[default]", *lines]))
    assert "by certificate" in sign_in(auth_source="credential_file")


def test_a_certificate_that_azure_does_not_know_is_refused(place: LocalAzure, tmp_path: Path) -> None:
    path, _pem, _thumbprint = certificate(tmp_path)
    with pytest.raises(DockerHostError, match="AADSTS"):
        sign_in(**principal(place, x509_certificate_path=str(path)))


def test_a_certificate_of_another_thumbprint_is_refused(place: LocalAzure, tmp_path: Path) -> None:
    path, _pem, thumbprint = certificate(tmp_path)
    with pytest.raises(OptionError, match=thumbprint):
        sign_in(**principal(place, x509_certificate_path=str(path), thumbprint="AB" * 20))


@pytest.mark.parametrize("content", [None, "nonsense"])
def test_a_certificate_that_is_none_is_refused(place: LocalAzure, tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "none.pem"
    if content:
        path.write_text(content)
    with pytest.raises(OptionError, match="x509_certificate_path"):
        sign_in(**principal(place, x509_certificate_path=str(path)))


def test_workload_identity(place: LocalAzure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    token = tmp_path / "token"
    token.write_text(place.federated_token())
    monkeypatch.setenv("AZURE_FEDERATED_TOKEN_FILE", str(token))
    monkeypatch.setenv("AZURE_CLIENT_ID", place.client_id)
    monkeypatch.setenv("AZURE_TENANT_ID", place.tenant)
    assert "workload identity" in sign_in()


@pytest.mark.parametrize("given", [{}, {"auth_source": "env"}])
def test_workload_identity_where_it_is_set_up(
    place: LocalAzure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: dict[str, str]
) -> None:
    token = tmp_path / "token"
    token.write_text(place.federated_token())
    for name, value in {"CLIENT_ID": place.client_id, "TENANT_ID": place.tenant, "FEDERATED_TOKEN_FILE": token}.items():
        monkeypatch.setenv(f"AZURE_{name}", str(value))
    # What a pod's webhook also sets; the cloud's own authority counts.
    monkeypatch.setenv("AZURE_AUTHORITY_HOST", "https://login.microsoftonline.com/")
    assert sign_in(**given) == f"workload identity {place.client_id}, from environment variables"


def test_workload_identity_by_options(place: LocalAzure, tmp_path: Path) -> None:
    token = tmp_path / "token"
    with pytest.raises(OptionError, match="federated_token_path"):
        sign_in(**principal(place, federated_token_path=str(token)))
    token.write_text("nonsense")
    with pytest.raises(AuthenticationError, match=f"with workload identity {place.client_id}, from .*AADSTS"):
        sign_in(**principal(place, federated_token_path=str(token)))
    token.write_text(place.federated_token())
    assert "from the task's options" in sign_in(**principal(place, federated_token_path=str(token)))


def test_managed_identity_of_the_metadata_service(place: LocalAzure, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", place.url)
    assert sign_in(auth_source="msi") == "managed identity of this machine"
    monkeypatch.setenv("AZURE_CLIENT_ID", place.client_id)
    assert sign_in(auth_source="msi") == f"user-assigned managed identity {place.client_id}"


def test_a_machine_without_identity(place: LocalAzure, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"{place.url}/nothing")
    monkeypatch.setenv("IDENTITY_HEADER", "x")
    with pytest.raises(DockerHostError, match="sign in to Azure with managed identity of this machine"):
        sign_in(auth_source="msi")


@pytest.mark.parametrize("user_assigned", [False, True])
def test_managed_identity(place: LocalAzure, monkeypatch: pytest.MonkeyPatch, user_assigned: bool) -> None:
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"{place.url}/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", place.control_token)
    used = sign_in(auth_source="msi", **({"client_id": place.client_id} if user_assigned else {}))
    assert ("user-assigned" in used) is user_assigned


def test_managed_identity_is_never_guessed(place: LocalAzure, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"{place.url}/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", place.control_token)
    with pytest.raises(AuthenticationError, match="msi"):
        sign_in()


def test_profile_of_the_credentials_file(place: LocalAzure, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("AZURE_SUBSCRIPTION_ID")
    monkeypatch.delenv("AZURE_CLOUD_ENVIRONMENT")
    values = principal(place, secret=place.secret, subscription_id=place.subscription_id, cloud_environment=place.url)
    directory = tmp_path / "home" / ".azure"
    directory.mkdir()
    lines = [f"{key}={value}" for key, value in values.items()]
    (directory / "credentials").write_text("\n".join(["[default]", "client_id=x", "[work]", *lines]))
    assert "profile [work]" in sign_in(profile="work")
    monkeypatch.setenv("AZURE_PROFILE", "work")
    assert "profile [work]" in sign_in()
    assert "profile [work]" in sign_in(auth_source="credential_file")
    with pytest.raises(OptionError, match=r"must be a section of .*\(.*work.*\), got 'other'"):
        sign_in(profile="other")


def test_azure_cli(place: LocalAzure, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("AZURE_SUBSCRIPTION_ID")
    with AzureSession.from_params({**principal(place, secret=place.secret), "subscription_id": OTHER}) as session:
        token = session.auth_method.credential(session.auth_target).get_token(session.cloud.scope).token
    answer = {"accessToken": token, "expiresOn": "2099-01-01 00:00:00.000000", "expires_on": 4070908800}
    program = tmp_path / "bin" / "az"
    program.write_text(f"#!{sys.executable}\nprint({json.dumps(json.dumps(answer))})\n")
    program.chmod(0o755)
    directory = tmp_path / "home" / ".azure"
    directory.mkdir()
    profile = {"subscriptions": [{"id": OTHER}, {"id": place.subscription_id, "isDefault": True}]}
    (directory / "azureProfile.json").write_text(json.dumps(profile), encoding="utf-8-sig")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    for options in ({}, {"auth_source": "cli"}):
        assert sign_in(**options) == "the Azure CLI's account"


CHINA, GOVERNMENT = "management.chinacloudapi.cn", "management.usgovcloudapi.net"


@pytest.mark.parametrize(
    ("entry", "files", "given", "host"),
    [
        ({"environmentName": "AzureChinaCloud"}, {}, {}, CHINA),
        ({"environmentName": "AzureCloud"}, {"config": "[cloud]\nname = AzureChinaCloud"}, {}, "management.azure.com"),
        ({}, {"config": "[cloud]\nname = AzureUSGovernment"}, {}, GOVERNMENT),
        ({}, {"config": "not an ini file"}, {}, "management.azure.com"),
        ({}, {}, {"subscription_id": OTHER}, GOVERNMENT),
        ({"environmentName": "AzureChinaCloud"}, {}, {"cloud_environment": "AzureCloud"}, "management.azure.com"),
    ],
)
def test_the_cloud_of_the_azure_cli(
    tmp_path: Path, entry: dict[str, str], files: dict[str, str], given: dict[str, str], host: str
) -> None:
    directory = tmp_path / "home" / ".azure"
    directory.mkdir()
    known = [{"id": OTHER, "environmentName": "AzureUSGovernment"}, {"id": "mine", "isDefault": True, **entry}]
    (directory / "azureProfile.json").write_text(json.dumps({"subscriptions": known}), encoding="utf-8-sig")
    for name, text in files.items():
        (directory / name).write_text(text)
    with AzureSession.from_params({"auth_source": "cli", **given}) as session:
        assert session.cloud.resource_manager == f"https://{host}"
        assert session.subscription_id == given.get("subscription_id", "mine")


@pytest.mark.parametrize("registered", [True, False])
def test_a_cloud_that_was_registered_with_the_azure_cli(
    place: LocalAzure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, registered: bool
) -> None:
    monkeypatch.delenv("AZURE_CLOUD_ENVIRONMENT")
    directory = tmp_path / "home" / ".azure"
    directory.mkdir()
    known = [{"id": place.subscription_id, "isDefault": True, "environmentName": "Ours"}]
    (directory / "azureProfile.json").write_text(json.dumps({"subscriptions": known}), encoding="utf-8-sig")
    if registered:
        (directory / "clouds.config").write_text(f"[Ours]\nendpoint_resource_manager = {place.url}/\n")
        with AzureSession.from_params({"auth_source": "cli"}) as session:
            assert session.cloud.resource_manager == place.url
        return
    with pytest.raises(OptionError, match=r"must be one of .*got 'Ours'"):
        AzureSession.from_params({"auth_source": "cli"})


def test_an_azure_cli_that_nobody_is_signed_in_with(
    place: LocalAzure, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = tmp_path / "bin" / "az"
    program.write_text("#!/bin/sh\necho \"ERROR: Please run 'az login' to setup account.\" >&2; exit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    with pytest.raises(AuthenticationError, match=r"the Azure CLI's account: .*az login") as caught:
        sign_in()
    for word in ("AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET", ".azure/credentials"):
        assert word in str(caught.value)
    with pytest.raises(AuthenticationError, match="az login") as caught:
        sign_in(auth_source="cli")
    assert "AZURE_CLIENT_ID" not in str(caught.value)


def test_the_first_spelling_wins(place: LocalAzure, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_CLIENT_ID", place.client_id)
    for first, second, value in (
        ("AZURE_SECRET", "AZURE_CLIENT_SECRET", place.secret),
        ("AZURE_TENANT", "AZURE_TENANT_ID", place.tenant),
    ):
        monkeypatch.setenv(first, value)
        monkeypatch.setenv(second, "another")
    assert "by secret" in sign_in()


@pytest.mark.parametrize("source", ["auto", "env"])
def test_a_profile_named_in_the_environment_comes_before_its_other_variables(
    place: LocalAzure, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, source: str
) -> None:
    directory = tmp_path / "home" / ".azure"
    directory.mkdir()
    lines = [f"{key} = {value}" for key, value in principal(place, secret=place.secret).items()]
    (directory / "credentials").write_text("\n".join(["[work]", "cloud_environment =", *lines]))
    monkeypatch.setenv("AZURE_PROFILE", "work")
    for name, value in principal(place, secret="wrong").items():
        monkeypatch.setenv(settings.VARIABLES[name][0], value)
    assert "profile [work]" in sign_in(auth_source=source)
    assert "task's options" in sign_in(**principal(place, secret=place.secret))


def test_the_source_by_variable(place: LocalAzure, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANSIBLE_AZURE_AUTH_SOURCE", "env")
    for name, value in principal(place, secret=place.secret).items():
        monkeypatch.setenv(settings.VARIABLES[name][0], value)
    assert "environment variables" in sign_in(**principal(place, secret="wrong"))
    monkeypatch.setenv("ANSIBLE_AZURE_AUTH_SOURCE", "nonsense")
    with pytest.raises(OptionError, match="nonsense"):
        sign_in()


@pytest.mark.parametrize("source", ["auto", "env", "credential_file", "cli", "msi"])
def test_empty_strings_are_nothing_whatever_the_source(
    place: LocalAzure, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    for names in settings.VARIABLES.values():
        for name in names:
            if name not in ("AZURE_SUBSCRIPTION_ID", "AZURE_CLOUD_ENVIRONMENT"):
                monkeypatch.setenv(name, "")
    for name in ("AZURE_PROFILE", "AZURE_AD_USER", "AZURE_PASSWORD", "ANSIBLE_AZURE_AUTH_SOURCE"):
        monkeypatch.setenv(name, "")
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"{place.url}/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", place.control_token)
    empty = dict.fromkeys((*settings.VARIABLES, "profile", "cloud_ca_path"), "")
    if source == "msi":
        assert sign_in(**{**empty, "auth_source": source}) == "managed identity of this machine"
        return
    with pytest.raises((AuthenticationError, OptionError)):
        sign_in(**{**empty, "auth_source": source})


def test_precedence(place: LocalAzure, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    directory = tmp_path / "home" / ".azure"
    directory.mkdir()
    (directory / "credentials").write_text(f"[default]\nclient_id=a\ntenant={place.tenant}\nsecret=b\n")
    for name, value in principal(place, secret=place.secret).items():
        monkeypatch.setenv(settings.VARIABLES[name][0], value)
    assert "environment" in sign_in()
    assert "options" in sign_in(**principal(place, secret=place.secret))
    with pytest.raises(DockerHostError, match="AADSTS"):
        sign_in(auth_source="credential_file")


def test_nothing_configured_says_where_it_looked(place: LocalAzure) -> None:
    with pytest.raises(AuthenticationError) as caught:
        sign_in()
    for word in (
        "AZURE_CLIENT_ID",
        "AZURE_SECRET",
        "AZURE_CLIENT_SECRET",
        ".azure/credentials",
        "az is not on PATH",
        "msi",
    ):
        assert word in str(caught.value)


def test_half_a_principal_says_what_is_missing(place: LocalAzure) -> None:
    with pytest.raises(AuthenticationError, match="set tenant too"):
        sign_in(client_id=place.client_id, secret="x")


@pytest.mark.parametrize("way", ["secret", "certificate", "workload", "cli"])
def test_a_tenant_that_cannot_be_one(place: LocalAzure, tmp_path: Path, way: str) -> None:
    given = {
        "secret": lambda: {"secret": "x", "client_id": place.client_id},
        "certificate": lambda: {
            "x509_certificate_path": str(certificate(tmp_path)[0]),
            "client_id": place.client_id,
        },
        "workload": lambda: {"federated_token_path": __file__, "client_id": place.client_id},
        "cli": lambda: {"auth_source": "cli"},
    }[way]()
    with pytest.raises(OptionError, match="must be a tenant's id or one of its domains, got 'my tenant'") as caught:
        sign_in(tenant="my tenant", **given)
    assert caught.value.option == "tenant"


def test_a_wrong_secret_is_refused_and_not_shown(place: LocalAzure) -> None:
    with pytest.raises(DockerHostError) as caught:
        sign_in(**principal(place, secret="very-secret-and-wrong"))
    assert "AADSTS7000215" in str(caught.value)
    assert "very-secret-and-wrong" not in str(caught.value) + str(caught.value.details)


def test_a_subscription_is_needed(place: LocalAzure, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AZURE_SUBSCRIPTION_ID")
    with pytest.raises(AuthenticationError, match="AZURE_SUBSCRIPTION_ID"):
        sign_in(**principal(place, secret=place.secret))


def test_the_result_says_which_of_several_ways_was_used(place: LocalAzure, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in principal(place, secret=place.secret).items():
        monkeypatch.setenv(settings.VARIABLES[name][0], value)
    params = dict.fromkeys(BACKEND.spec.argument_spec)
    for given, says in (({}, "environment variables"), (principal(place, secret=place.secret), "the task's options")):
        result = BACKEND.run(Request({**params, **given}))
        assert result["signed_in_with"] == f"service principal {place.client_id} by secret, from {says}"
