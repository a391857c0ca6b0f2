# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The ways to sign in to Azure, one small class each."""

from __future__ import annotations

import configparser
import json
import os
import re
import shutil
import typing as t
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from pathlib import Path

from .._errors import MissingLibraryError, OptionError
from .clouds import Cloud, is_named
from .errors import AuthenticationError
from .option_checks import check_azure_options
from .settings import (
    AUTH_SOURCE_VARIABLE,
    DISCOVERY_VARIABLE,
    PROFILE_VARIABLE,
    VARIABLES,
    Settings,
    first_set,
    from_environment,
    from_options,
    from_profile,
)
from .transport import make_transport

IDENTITY_REQUIREMENT = "azure-identity>=1.16.0"
AZURE_CLI_SECONDS = 60
"""How long ``az`` may take: one to three seconds as a rule, and more than the SDK's ten on a busy machine."""


@dataclass(frozen=True)
class AuthTarget:
    """Where to sign in.

    :param cloud: the cloud.
    :param ca_path: a PEM file with the CAs of its endpoints, for a private cloud.
    :param skip_discovery: whether to trust the token service without asking Microsoft whether it is one of theirs.
    """

    cloud: Cloud
    ca_path: str | None = None
    skip_discovery: bool = False

    def keywords(self) -> dict[str, t.Any]:
        """Return the keyword arguments of every credential that talks to the token service."""
        keywords: dict[str, t.Any] = {
            "authority": self.cloud.authority,
            "disable_instance_discovery": self.skip_discovery,
            "transport": make_transport(self.ca_path),
        }
        return keywords


@dataclass(frozen=True)
class AuthMethod(ABC):
    """A way to sign in that is fully configured."""

    settings: Settings
    searched: str = field(default="", kw_only=True)
    """The places without credentials, as a sentence; empty if the user chose this method."""

    @property
    @abstractmethod
    def label(self) -> str:
        """The way to sign in, in words and without secrets."""

    @abstractmethod
    def credential(self, target: AuthTarget) -> t.Any:
        """Return azure-identity's credential. Nothing is sent yet."""


@dataclass(frozen=True)
class ClientSecret(AuthMethod):
    """A service principal that signs in with its secret."""

    @property
    def label(self) -> str:
        return f"service principal {self.settings.client_id} by secret, from {self.settings.source}"

    def credential(self, target: AuthTarget) -> t.Any:
        own = self.settings
        return _identity().ClientSecretCredential(_tenant_of(own), own.client_id, own.secret, **target.keywords())


@dataclass(frozen=True)
class ClientCertificate(AuthMethod):
    """A service principal that signs in with a certificate (PEM or PKCS#12 file with its key)."""

    @property
    def label(self) -> str:
        return f"service principal {self.settings.client_id} by certificate, from {self.settings.source}"

    def credential(self, target: AuthTarget) -> t.Any:
        own = self.settings
        path = Path(os.path.expanduser(str(own.x509_certificate_path)))
        if not path.is_file():
            raise OptionError("x509_certificate_path", f"must be an existing file, got {path} (from {own.source})")
        tenant = _tenant_of(own)
        try:
            if own.thumbprint:
                _check_thumbprint(path, own.thumbprint)
            keywords = {**target.keywords(), "password": own.certificate_password}
            return _identity().CertificateCredential(tenant, own.client_id, str(path), **keywords)
        except (OSError, TypeError, ValueError) as error:
            raise OptionError(
                "x509_certificate_path", f"{path} must contain a certificate and its key: {error}"
            ) from error


@dataclass(frozen=True)
class WorkloadIdentity(AuthMethod):
    """A service principal that signs in with a token of another issuer, such as a Kubernetes service account."""

    @property
    def label(self) -> str:
        return f"workload identity {self.settings.client_id}, from {self.settings.source}"

    def credential(self, target: AuthTarget) -> t.Any:
        own = self.settings
        path = Path(os.path.expanduser(str(own.federated_token_path)))
        if not path.is_file():
            raise OptionError("federated_token_path", f"must be an existing file, got {path} (from {own.source})")
        return _identity().WorkloadIdentityCredential(
            tenant_id=_tenant_of(own), client_id=own.client_id, token_file_path=str(path), **target.keywords()
        )


@dataclass(frozen=True)
class ManagedIdentity(AuthMethod):
    """The managed identity of the VM on which this runs; a user-assigned one if client_id is given."""

    @property
    def label(self) -> str:
        if self.settings.client_id:
            return f"user-assigned managed identity {self.settings.client_id}"
        return "managed identity of this machine"

    def credential(self, target: AuthTarget) -> t.Any:
        given: dict[str, t.Any] = {"client_id": self.settings.client_id} if self.settings.client_id else {}
        if target.ca_path:
            given["connection_verify"] = target.ca_path
        return _identity().ManagedIdentityCredential(**given)


@dataclass(frozen=True)
class AzureCli(AuthMethod):
    """The account that is signed in with ``az``."""

    @property
    def label(self) -> str:
        return "the Azure CLI's account"

    def credential(self, target: AuthTarget) -> t.Any:  # noqa: ARG002  (asks this machine, not the token service)
        given: dict[str, t.Any] = {"tenant_id": _tenant_of(self.settings)} if self.settings.tenant else {}
        return _identity().AzureCliCredential(process_timeout=AZURE_CLI_SECONDS, **given)


def select_auth_method(params: t.Mapping[str, t.Any], environment: t.Mapping[str, str]) -> AuthMethod:
    """Return the way to sign in that the options, or else the environment, select.

    :param params: a task's options.
    :param environment: the environment variables.
    :raises AuthenticationError: no way is configured; the text lists the places that were searched.
    :raises OptionError: a way is configured in part or wrongly.
    """
    check_azure_options(params, environment)
    options = from_options(params)
    variables = from_environment(environment)
    source = str(params.get("auth_source") or first_set(environment, AUTH_SOURCE_VARIABLE) or "auto")
    profile = params.get("profile") or first_set(environment, PROFILE_VARIABLE)
    if source == "msi":
        return ManagedIdentity(options.completed_by(variables))
    if source == "cli":
        return AzureCli(_cli_settings(options, variables, environment))
    if source == "credential_file":
        return _from_file(options, profile)
    if source == "env":
        named = first_set(environment, PROFILE_VARIABLE)
        if named:
            return _from_file(options, named)
        return _principal(_without_identity(options).completed_by(variables), variables.source)
    if source != "auto":
        raise OptionError(
            "auth_source",
            f"must be auto, cli, credential_file, env or msi, got {source!r} (from {AUTH_SOURCE_VARIABLE})",
        )
    return _automatic(params, options, variables, environment)


def _automatic(
    params: t.Mapping[str, t.Any], options: Settings, variables: Settings, environment: t.Mapping[str, str]
) -> AuthMethod:
    if params.get("profile"):
        return _from_file(options, params["profile"])
    if options.names_an_identity:
        return _principal(options.completed_by(variables), options.source)
    named = first_set(environment, PROFILE_VARIABLE)
    if named:
        return _from_file(options, named)
    if variables.secret or variables.x509_certificate_path or variables.federated_token_path:
        return _principal(options.completed_by(variables), variables.source)
    profile = from_profile(None)
    if profile and profile.names_an_identity:
        return _principal(options.completed_by(profile), profile.source)
    if shutil.which("az"):
        return AzureCli(_cli_settings(options, variables, environment), searched=_searched(variables))
    raise AuthenticationError(
        f"No credentials for Azure. {_searched(variables)} The program az is not on PATH."
        " To sign in with the managed identity of a VM, set O(auth_source) to msi."
    )


def _searched(variables: Settings) -> str:
    found = [name for key in ("client_id", "tenant") if getattr(variables, key) for name in VARIABLES[key][:1]]
    partly = f" (only {' and '.join(found)} set)" if found else ""
    return (
        "These places contain none: client_id, tenant and secret (or x509_certificate_path, or"
        " federated_token_path) in the task's options; AZURE_CLIENT_ID, AZURE_TENANT (or AZURE_TENANT_ID) and"
        " AZURE_SECRET (or AZURE_CLIENT_SECRET, AZURE_X509_CERTIFICATE_PATH, AZURE_FEDERATED_TOKEN_FILE) in the"
        f" environment{partly}; a profile in"
        f" {Path(os.path.expanduser('~/.azure/credentials'))}."
    )


def _from_file(options: Settings, profile: str | None) -> AuthMethod:
    file = from_profile(profile or "default")
    if file is None:
        raise OptionError("profile", "must be a section of ~/.azure/credentials")
    return _principal(_without_identity(options).completed_by(file), file.source)


def _without_identity(options: Settings) -> Settings:
    """Return only the subscription and the cloud of the options, because another source was requested by name."""
    return Settings(options.source, options.subscription_id, cloud_environment=options.cloud_environment)


def _principal(merged: Settings, source: str) -> AuthMethod:
    values = {key: getattr(merged, key) for key in VARIABLES}
    own = Settings(source, **values)
    missing = [name for name in ("client_id", "tenant") if not getattr(own, name)]
    if not (own.secret or own.x509_certificate_path or own.federated_token_path):
        missing.append("secret (or x509_certificate_path, or federated_token_path)")
    if missing:
        raise AuthenticationError(
            f"The credentials in {source} are incomplete: set {', '.join(missing)} too. The environment variables are"
            f" {', '.join(VARIABLES['client_id'] + VARIABLES['tenant'] + VARIABLES['secret'])}."
        )
    if own.secret:
        return ClientSecret(own)
    if own.x509_certificate_path:
        return ClientCertificate(own)
    return WorkloadIdentity(own)


def _cli_settings(options: Settings, variables: Settings, environment: t.Mapping[str, str]) -> Settings:
    """Return the settings of the Azure CLI: its own choice of subscription and cloud where the options name none."""
    directory = Path(os.path.expanduser(environment.get("AZURE_CONFIG_DIR") or "~/.azure"))
    known = _cli_subscriptions(directory)
    wanted = options.subscription_id or variables.subscription_id
    chosen = next((entry for entry in known if (entry["id"] == wanted if wanted else entry.get("isDefault"))), {})
    cloud = options.cloud_environment or variables.cloud_environment or _cli_cloud(directory, chosen)
    subscription = wanted or (str(chosen["id"]) if chosen else None)
    return Settings("the Azure CLI", subscription, tenant=options.tenant, cloud_environment=cloud)


def _cli_subscriptions(directory: Path) -> list[dict[str, t.Any]]:
    """Return the subscriptions that the CLI knows, in the CLI's own form."""
    try:
        # The CLI writes the file with a byte order mark.
        profile = json.loads((directory / "azureProfile.json").read_text(encoding="utf-8-sig"))
        return [entry for entry in profile["subscriptions"] if isinstance(entry, dict) and entry.get("id")]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return []


def _cli_cloud(directory: Path, subscription: t.Mapping[str, t.Any]) -> str | None:
    """Return the cloud of a subscription, else the one that ``az cloud set`` chose; a registered one by its URL."""
    name = subscription.get("environmentName") or _cli_setting(directory / "config", "cloud", "name")
    if not name or is_named(str(name)):
        return str(name) if name else None
    return _cli_setting(directory / "clouds.config", str(name), "endpoint_resource_manager") or str(name)


def _cli_setting(path: Path, section: str, key: str) -> str | None:
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read(path, encoding="utf-8")
    except (OSError, UnicodeDecodeError, configparser.Error):
        return None
    return parser.get(section, key, fallback=None)


def _tenant_of(own: Settings) -> str:
    """Return the tenant, checked by the rules of azure-identity.

    :raises OptionError: azure-identity would not accept it.
    """
    tenant = str(own.tenant)
    if not re.fullmatch(r"[A-Za-z0-9.-]+", tenant):
        raise OptionError("tenant", f"must be a tenant's id or one of its domains, got {tenant!r} (from {own.source})")
    return tenant


def _check_thumbprint(path: Path, thumbprint: str) -> None:
    """Check that the thumbprint is the certificate's SHA-1 fingerprint, as Azure's portal shows it."""
    try:
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes
    except ImportError as error:
        raise MissingLibraryError("cryptography>=42.0.0", error) from error

    content = path.read_bytes()
    if b"-----BEGIN CERTIFICATE-----" not in content:
        return
    actual = x509.load_pem_x509_certificate(content).fingerprint(hashes.SHA1()).hex()  # noqa: S303
    if thumbprint.replace(":", "").lower() != actual:
        raise OptionError("thumbprint", f"must be {actual.upper()}, the thumbprint of {path}")


def _identity() -> t.Any:
    try:
        import azure.identity
    except ImportError as error:
        raise MissingLibraryError(IDENTITY_REQUIREMENT, error) from error
    return azure.identity


def skips_discovery(params: t.Mapping[str, t.Any], cloud: Cloud) -> bool:
    """Return whether to skip instance discovery, because Microsoft's does not know private clouds."""
    chosen = params.get("disable_instance_discovery")
    if chosen is None:
        chosen = str(os.environ.get(DISCOVERY_VARIABLE, "")).lower() in ("1", "true", "yes", "on")
    return bool(chosen) or cloud.private
