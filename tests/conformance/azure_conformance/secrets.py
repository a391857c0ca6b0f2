# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Key Vault's data plane in recorded traffic: which requests can be replayed, and sending them."""

from __future__ import annotations

import re
import typing as t
import urllib.parse

from azure_emulator.vault.names import SUFFIX
from azure_emulator.vault.vaults import find_vault

from .compare import Answer
from .local import LocalCloud
from .mapping import Mapping
from .records import Interaction

_HOST = re.compile(r"^(?P<name>[a-z0-9-]+)\.vault\.azure\.net(?::443)?$", re.IGNORECASE)
_SECRETS = re.compile(r"^/(deleted)?secrets(/|$)", re.IGNORECASE)


def vault_of(record: Interaction) -> str | None:
    """Return the name of the vault that a request went to; None if it did not go to the secrets of one."""
    found = _HOST.match(record.host)
    return found["name"].lower() if found is not None and _SECRETS.match(record.path) else None


def learn_client(cloud: LocalCloud, body: t.Any, mapping: Mapping) -> None:
    """Take the first one who may use a vault that is made for the client of the record."""
    properties = body.get("properties") if isinstance(body, dict) else None
    policies = (properties.get("accessPolicies") or []) if isinstance(properties, dict) else []
    identity = cloud.cloud.identity
    for policy in policies[:1]:
        for name, ours in (("objectId", identity.object_id), ("tenantId", identity.tenant)):
            if isinstance(policy, dict) and isinstance(policy.get(name), str):
                mapping.pair(policy[name], ours)


async def replay_secret(cloud: LocalCloud, record: Interaction, vault: str, mapping: Mapping) -> Answer | None:
    """Send a request to a vault as recorded; None if the record does not show how the vault was made.

    A recorded 401 was the answer to a request without a token: recorders drop that header, clients ask for the
    challenge first.
    """
    if find_vault(cloud.cloud, vault) is None:
        return None
    path = urllib.parse.quote(mapping.path(record.path), safe="/:@!$&'()*+,;=~")
    query = urllib.parse.urlencode({key: mapping.text(value) for key, value in record.query.items()})
    known = record.body_known and isinstance(record.request.body, dict)
    body: t.Any = mapping.value(record.request.body) if known else None
    url = f"{path}?{query}" if query else path
    return await cloud.request_secret(
        record.method, url, body, host=f"{vault}.{SUFFIX}", is_signed_in=record.status != 401
    )
