# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check the options by which every Azure module signs in, before the first request."""

from __future__ import annotations

import os
import re
import typing as t

from .._errors import OptionError
from .clouds import check_cloud_environment
from .settings import AUTH_SOURCE_VARIABLE, first_set, from_profile

# Subscription.subscriptionId of the Resources API is a GUID. Tenants are GUIDs or domain names; azure-identity accepts
# these characters. Private clouds have their own forms of application IDs.
_GUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_FORMS: t.Mapping[str, tuple[re.Pattern[str], str]] = {
    "subscription_id": (_GUID, "the ID of a subscription (a GUID, not its name)"),
    "client_id": (re.compile(r"[A-Za-z0-9._-]+"), "the ID of an application or a managed identity"),
    "tenant": (re.compile(r"[A-Za-z0-9._-]+"), "a tenant's id or one of its domains"),
    "thumbprint": (
        re.compile(r"[0-9a-fA-F]{40}|[0-9a-fA-F]{2}(?::[0-9a-fA-F]{2}){19}"),
        "a SHA-1 thumbprint of 40 hexadecimal digits",
    ),
}
_FILES = ("x509_certificate_path", "federated_token_path", "cloud_ca_path")


def check_azure_options(params: t.Mapping[str, t.Any], environment: t.Mapping[str, str] | None = None) -> None:
    """Check everything that can be known to be wrong without asking Azure.

    A profile counts only where the task may sign in with one.

    :param params: options of :func:`~.argument_spec.azure_argument_spec`; absent and blank ones count as unset.
    :param environment: the environment variables, which can choose the way to sign in; None means this process's own.
    :raises OptionError: one of them cannot be right.
    """
    given = {name: str(value).strip() for name, value in params.items() if isinstance(value, str) and value.strip()}
    for name, (form, words) in _FORMS.items():
        if name in given and not form.fullmatch(given[name]):
            raise OptionError(name, f"must be {words}, got {given[name]!r}")
    for name in _FILES:
        if name in given and not os.path.isfile(os.path.expanduser(given[name])):
            raise OptionError(name, f"{given[name]} does not exist: give the path of a file")
    if "cloud_environment" in given:
        check_cloud_environment(given["cloud_environment"])
    source = (
        given.get("auth_source")
        or first_set(os.environ if environment is None else environment, AUTH_SOURCE_VARIABLE)
        or "auto"
    )
    if "profile" in given and source in ("auto", "credential_file"):
        from_profile(given["profile"])
