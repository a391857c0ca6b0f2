# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The settings for signing in, and where they were found.

Names and precedence are those of azure.azcollection; the SDK's own environment names are understood as well.
An empty value counts as unset: automation controllers set variables that nobody filled in to empty strings.
"""

from __future__ import annotations

import configparser
import os
import typing as t
from dataclasses import dataclass
from pathlib import Path

from .._errors import OptionError

AUTH_SOURCE_VARIABLE = "ANSIBLE_AZURE_AUTH_SOURCE"
CA_VARIABLE = "AZURE_CLOUD_CA_PATH"
DISCOVERY_VARIABLE = "AZURE_DISABLE_INSTANCE_DISCOVERY"
PROFILE_VARIABLE = "AZURE_PROFILE"

# Option, environment variables in order, and the key in ~/.azure/credentials are kept together.
VARIABLES: t.Mapping[str, tuple[str, ...]] = {
    "subscription_id": ("AZURE_SUBSCRIPTION_ID",),
    "client_id": ("AZURE_CLIENT_ID",),
    "secret": ("AZURE_SECRET", "AZURE_CLIENT_SECRET"),
    "tenant": ("AZURE_TENANT", "AZURE_TENANT_ID"),
    "x509_certificate_path": ("AZURE_X509_CERTIFICATE_PATH", "AZURE_CLIENT_CERTIFICATE_PATH"),
    "certificate_password": ("AZURE_CLIENT_CERTIFICATE_PASSWORD",),
    "thumbprint": ("AZURE_THUMBPRINT",),
    "federated_token_path": ("AZURE_FEDERATED_TOKEN_FILE",),
    "cloud_environment": ("AZURE_CLOUD_ENVIRONMENT",),
}


@dataclass(frozen=True)
class Settings:
    """The settings for signing in that one place has.

    :param source: the place, as it is named to the user.
    """

    source: str
    subscription_id: str | None = None
    client_id: str | None = None
    secret: str | None = None
    tenant: str | None = None
    x509_certificate_path: str | None = None
    certificate_password: str | None = None
    thumbprint: str | None = None
    federated_token_path: str | None = None
    cloud_environment: str | None = None

    def __repr__(self) -> str:
        return f"Settings({self.source!r})"

    def completed_by(self, other: Settings) -> Settings:
        """Return these settings, with missing values taken from another place."""
        values = {key: getattr(self, key) or getattr(other, key) for key in VARIABLES}
        return Settings(source=self.source, **values)

    @property
    def names_an_identity(self) -> bool:
        """Return whether anything here says who signs in (a subscription or a cloud alone does not)."""
        return any((self.client_id, self.secret, self.x509_certificate_path, self.federated_token_path))


def from_options(params: t.Mapping[str, t.Any]) -> Settings:
    """Return the settings in the task's options."""
    return Settings("the task's options", **{key: _text(params.get(key)) for key in VARIABLES})


def from_environment(environment: t.Mapping[str, str]) -> Settings:
    """Return the settings in the environment."""
    values = {key: first_set(environment, *names) for key, names in VARIABLES.items()}
    return Settings("environment variables", **values)


def from_profile(name: str | None, path: Path | None = None) -> Settings | None:
    """Return the settings in a profile of ``~/.azure/credentials``.

    :param name: the section; None means ``default`` if there is one.
    :raises OptionError: the file cannot be read, or the named profile is not in it.
    """
    path = path or Path(os.path.expanduser("~/.azure/credentials"))
    section = name or "default"
    if not path.is_file():
        if name:
            raise OptionError("profile", f"must be a section of {path}, got {name!r}, but that file does not exist")
        return None
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read(path, encoding="utf-8")
    except (OSError, UnicodeDecodeError, configparser.Error) as error:
        raise OptionError("profile", f"{path} cannot be read: {type(error).__name__}") from error
    if not parser.has_section(section):
        if name:
            known = ", ".join(parser.sections())
            raise OptionError("profile", f"must be a section of {path} ({known}), got {name!r}")
        return None
    values = {key: _text(parser.get(section, key, fallback=None)) for key in VARIABLES}
    return Settings(f"profile [{section}] of {path}", **values)


def first_set(environment: t.Mapping[str, str], *names: str) -> str | None:
    """Return the value of the first variable that is not empty."""
    for name in names:
        value = _text(environment.get(name))
        if value:
            return value
    return None


def option_or_variable(params: t.Mapping[str, t.Any], option: str, variable: str) -> str | None:
    """Return an option's value, else that of its environment variable."""
    return _text(params.get(option)) or first_set(os.environ, variable)


def _text(value: t.Any) -> str | None:
    text = "" if value is None else str(value).strip()
    return text or None
