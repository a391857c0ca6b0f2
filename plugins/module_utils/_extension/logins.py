# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The option ``logins``: registries, and the CAs with which they are verified."""

from __future__ import annotations

import re
import typing as t

from .._azure.origins import is_url
from .._azure.wire import Json
from .._errors import OptionError
from .._files import read_option_file
from .engine_rules import registry_name


def login_settings(logins: t.Sequence[t.Mapping[str, t.Any]]) -> t.Iterator[Json]:
    """Yield the entries of the protected setting ``logins``.

    :raises OptionError: a value cannot be used, or a registry has two logins.
    """
    servers: set[str] = set()
    for index, login in enumerate(logins):
        option = f"logins[{index}]"
        server = login.get("server") or ""
        if server and not is_url(server if "://" in server else f"https://{server}", "http", "https"):
            raise OptionError(f"{option}.server", "must be a registry such as registry.example.com:5000")
        if registry_name(server) in servers:
            raise OptionError(f"{option}.server", f"must be unique, but {server or 'Docker Hub'} has a login already")
        servers.add(registry_name(server))
        for name in ("username", "password"):
            if not login[name].strip():
                raise OptionError(f"{option}.{name}", "must not be empty")
        # Basic authentication (RFC 7617): the name ends at the first colon.
        if re.search(r"[:\x00-\x1f]", login["username"]):
            raise OptionError(f"{option}.username", "must not contain a colon or a line break")
        entry: Json = {"username": login["username"], "password": login["password"]}
        if server:
            entry["server"] = server
        ca = _registry_ca(option, server, login)
        yield {**entry, "ca": ca} if ca else entry


def _registry_ca(option: str, server: str, login: t.Mapping[str, t.Any]) -> str | None:
    """Return the CA (PEM) of a registry, None if it needs none of its own."""
    if login.get("ca_path"):
        try:
            ca = read_option_file(f"{option}.ca_path", login["ca_path"]).decode("ascii")
        except UnicodeDecodeError as error:
            raise OptionError(f"{option}.ca_path", f"cannot be read: {error}") from error
    elif login.get("ca"):
        ca = login["ca"].strip() + "\n"
    else:
        return None
    if "-----BEGIN CERTIFICATE-----" not in ca:
        raise OptionError(f"{option}.ca", "must be a certificate in PEM")
    if not server or "/" in server:
        raise OptionError(f"{option}.ca", f"needs O({option}.server) to be HOST or HOST:PORT")
    return ca
