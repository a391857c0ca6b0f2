# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The secrets of one key vault.

The vault's own challenge says where to sign in and for which resource. azure-keyvault-secrets follows it, and refuses
a challenge that names another domain than the vault's.
"""

from __future__ import annotations

import datetime
import os
import re
import typing as t
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from .._errors import DockerHostError, MissingLibraryError, OptionError
from .api_versions import KEY_VAULT
from .arm import USER_AGENT
from .clients import find_auth_target
from .credentials import AuthMethod, AuthTarget, select_auth_method
from .errors import AzureError, from_sdk
from .origins import redirect_policy
from .retries import retry_policy
from .tokens import SharedCredential
from .transport import make_transport

REQUIREMENT = "azure-keyvault-secrets>=4.7.0"
VAULT_NAME = re.compile(r"^[A-Za-z][A-Za-z0-9-]{1,22}[A-Za-z0-9]\Z")
SECRET_NAME = re.compile(r"^[0-9A-Za-z-]{1,127}\Z")
LARGEST_VALUE = 25600
"""Bytes; the limit of a secret's value, "25k bytes" (learn.microsoft.com, About Azure Key Vault secrets)."""


@dataclass(frozen=True)
class SecretVersion:
    """One version of a secret, without its value.

    :param id: the version, 32 hexadecimal digits.
    :param created: the time of its creation by the service's clock, in whole seconds.
    """

    id: str
    created: datetime.datetime
    enabled: bool = True
    expires: datetime.datetime | None = None
    not_before: datetime.datetime | None = None
    tags: t.Mapping[str, str] = field(default_factory=dict)


def check_vault(option: str, value: str) -> str:
    """Return a vault's name or URL without a slash at its end.

    :raises OptionError: the value is neither.
    """
    text = value.strip().rstrip("/")
    if "://" in text:
        parts = urlsplit(text)
        if parts.scheme.lower() != "https" or not parts.hostname or parts.path or parts.query or parts.username:
            raise OptionError(option, f"{value!r} is not the URL of a key vault, such as https://NAME.vault.azure.net")
    elif not VAULT_NAME.match(text):
        raise OptionError(
            option,
            f"must be a key vault's name (3 to 24 letters, digits and hyphens, the first of them a letter) or its URL,"
            f" got {value!r}",
        )
    return text


def check_secret_name(option: str, value: str) -> str:
    """Check the name of a secret, and return it.

    :raises OptionError: the value is not a valid name.
    """
    if not SECRET_NAME.match(value):
        raise OptionError(option, f"must have 1 to 127 letters, digits and hyphens, got {value!r}")
    return value


class KeyVault:
    """A signed-in client for one vault's secrets. Use as a context manager.

    :param vault: its name or URL, checked.
    :param token_cache: the directory in which processes share access tokens; None shares none.
    """

    def __init__(self, method: AuthMethod, target: AuthTarget, vault: str, token_cache: str | None = None) -> None:
        self.url = _url(target, vault)
        self._transport = make_transport(target.ca_path, service=self.url)
        self._credential = SharedCredential(method, target, token_cache)
        self._client = self._connect()

    @classmethod
    def from_params(cls, params: t.Mapping[str, t.Any], vault: str, token_cache: str | None = None) -> KeyVault:
        """Return a client that signs in as a task's options, or else the environment, say. It needs no subscription.

        :param token_cache: the directory in which processes share access tokens; None shares none.
        :raises AuthenticationError: nothing to sign in with was found.
        :raises OptionError: an option is wrong.
        :raises AzureError: a private cloud does not answer.
        :raises MissingLibraryError: a package is missing.
        """
        method = select_auth_method(params, os.environ)
        return cls(method, find_auth_target(params, method, token_cache), vault, token_cache)

    def _connect(self) -> t.Any:
        try:
            from azure.keyvault.secrets import SecretClient
        except ImportError as error:
            raise MissingLibraryError(REQUIREMENT, error) from error
        return SecretClient(
            self.url,
            self._credential,
            api_version=KEY_VAULT,
            transport=self._transport,
            user_agent=USER_AGENT,
            redirect_policy=redirect_policy(),
            retry_policy=retry_policy(),
        )

    def __enter__(self) -> KeyVault:
        return self

    def __exit__(self, *exception: object) -> None:
        self._transport.close()
        self._credential.close()

    def versions(self, name: str) -> list[SecretVersion]:
        """Return all versions of a secret in no particular order; none if the secret does not exist.

        :raises DockerHostError: they cannot be listed.
        """

        def listed() -> list[SecretVersion]:
            return [_version(entry) for entry in self._client.list_properties_of_secret_versions(name)]

        try:
            return t.cast("list[SecretVersion]", self._call("list the versions of the secret", name, listed))
        except AzureError as error:
            if error.not_found:
                return []
            raise

    def value(self, name: str, version: str) -> str:
        """Return the value of one version.

        :raises DockerHostError: it cannot be read.
        """
        return str(self._call("read the secret", name, lambda: self._client.get_secret(name, version).value))

    def add(self, name: str, value: str, tags: t.Mapping[str, str], content_type: str) -> SecretVersion:
        """Add a version, which becomes the latest. The service does not support a condition for that.

        :raises DockerHostError: it was refused.
        """

        def added() -> SecretVersion:
            made = self._client.set_secret(name, value, tags=dict(tags), content_type=content_type, enabled=True)
            return _version(made.properties)

        return t.cast(SecretVersion, self._call("write the secret", name, added))

    def mark(self, name: str, version: SecretVersion, *, enabled: bool, tags: t.Mapping[str, str]) -> None:
        """Change a version's tags (all others stay) and whether it is enabled.

        :raises DockerHostError: it was refused.
        """
        together = {**version.tags, **tags}
        self._call(
            "update the secret",
            name,
            lambda: self._client.update_secret_properties(name, version.id, enabled=enabled, tags=together),
        )

    def is_deleted(self, name: str) -> bool:
        """Return whether a secret of this name was deleted and can be recovered; False if the identity may not know."""
        try:
            self._call("look for the deleted secret", name, lambda: self._client.get_deleted_secret(name))
        except AzureError as error:
            # 404: it was not; 403: the identity may not look; 400: a vault of before soft delete.
            if error.status in (400, 403, 404):
                return False
            raise
        return True

    def delete(self, name: str) -> None:
        """Delete a secret with all its versions. It can be recovered while the vault keeps it.

        :raises DockerHostError: it was refused.
        """
        try:
            self._call("delete the secret", name, lambda: self._client.begin_delete_secret(name).wait())
        except AzureError as error:
            if not error.not_found:
                raise

    def _call(self, operation: str, name: str, function: t.Callable[[], t.Any]) -> t.Any:
        from azure.core.exceptions import AzureError as SdkError
        from azure.core.exceptions import ServiceRequestError

        resource = f"{name} of {self.url}"
        try:
            return function()
        except ServiceRequestError as error:
            raise DockerHostError(
                f"Could not {operation} ({resource}): the key vault cannot be reached: {_one_line(error)}. Check its"
                " name (O(key_vault)) and O(cloud_environment); a vault that was deleted, or one that has only a"
                " private endpoint, cannot be resolved here."
            ) from error
        except SdkError as error:
            raise from_sdk(operation, resource, error) from error
        except ValueError as error:
            # The challenge of something that is not a key vault of this domain.
            raise OptionError(
                "key_vault", f"must be a key vault, but {self.url} does not answer as one: {_one_line(error)}"
            ) from error


def _url(target: AuthTarget, vault: str) -> str:
    if "://" in vault:
        return vault
    suffix = target.cloud.key_vault_suffix
    if not suffix:
        raise OptionError(
            "key_vault",
            f"must be a URL, because the cloud {target.cloud.name} does not name the domain of its key vaults",
        )
    return f"https://{vault}.{suffix}"


def _version(entry: t.Any) -> SecretVersion:
    return SecretVersion(
        id=str(entry.version),
        created=entry.created_on,
        enabled=bool(entry.enabled),
        expires=entry.expires_on,
        not_before=entry.not_before,
        tags=dict(entry.tags or {}),
    )


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
