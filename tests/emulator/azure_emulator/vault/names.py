# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What vaults are called."""

from __future__ import annotations

import re
import typing as t
import urllib.parse

if t.TYPE_CHECKING:
    from ..cloud import Cloud

VAULT = "Microsoft.KeyVault/vaults"
SUFFIX = "vault.localhost"
"""Of the vaults' host names: names below localhost mean this machine (RFC 6761), and one wildcard certificate fits."""
_HOST = re.compile(rf"^([A-Za-z][A-Za-z0-9-]{{1,22}}[A-Za-z0-9])\.{re.escape(SUFFIX)}(?::\d+)?$", re.IGNORECASE)


def domain(cloud: Cloud) -> str:
    """Return what follows a vault's name in its URL: the suffix, with the server's port."""
    port = urllib.parse.urlsplit(cloud.origin).port
    return f"{SUFFIX}:{port}" if port else SUFFIX


def vault_url(cloud: Cloud, name: str) -> str:
    """Return the URL of a vault, without a slash at the end."""
    return f"https://{name.lower()}.{domain(cloud)}"


def audience(cloud: Cloud) -> str:
    """Return the resource that tokens for secrets are asked for."""
    return f"https://{domain(cloud)}"


def vault_of_host(host: str) -> str | None:
    """Return the name of the vault that a Host header means; None where it means no vault."""
    found = _HOST.match(host)
    return found[1].lower() if found else None
