# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Managed identity: the endpoints that issue tokens to a process in Azure."""

from __future__ import annotations

import time
import typing as t

from ..arm.messages import Reply
from ..settings import new_guid
from .tokens import Tokens, form_of

if t.TYPE_CHECKING:
    from ..cloud import Cloud


def from_metadata_service(
    cloud: Cloud, tokens: Tokens, query: t.Mapping[str, str], headers: t.Mapping[str, str]
) -> Reply:
    """``/metadata/identity/oauth2/token``, as in a VM; the header ``Metadata: true`` is required."""
    if headers.get("metadata", "").lower() != "true":
        return _refused("invalid_request", "Required metadata header not specified")
    return _answer(cloud, tokens, query)


def from_app_service(
    cloud: Cloud, tokens: Tokens, query: t.Mapping[str, str], headers: t.Mapping[str, str], raw: bytes
) -> Reply:
    """``/msi/token``, as in App Service: by ``X-IDENTITY-HEADER``, or by POST with ``Metadata: true`` (Cloud Shell)."""
    if raw:
        return (
            _answer(cloud, tokens, form_of(raw)) if headers.get("metadata") else _refused("invalid_request", "Metadata")
        )
    if headers.get("x-identity-header") != cloud.identity.control_token:
        return _refused("unauthorized", "X-IDENTITY-HEADER is missing or wrong", 401)
    return _answer(cloud, tokens, query)


def _refused(error: str, text: str, status: int = 400) -> Reply:
    return Reply(status, {"error": error, "error_description": text, "correlationId": new_guid()})


def _answer(cloud: Cloud, tokens: Tokens, query: t.Mapping[str, str]) -> Reply:
    resource = query.get("resource", "")
    if not resource:
        return _refused("invalid_request", "Required query variable 'resource' is missing")
    wanted = query.get("client_id")
    if wanted is not None and wanted.lower() != cloud.identity.client_id.lower():
        return _refused("invalid_request", "Identity not found")
    lifetime, now = int(cloud.switches["token_lifetime"]), int(time.time())
    return Reply(
        200,
        {
            "access_token": tokens.issue(resource, lifetime),
            "client_id": cloud.identity.client_id,
            "expires_in": str(lifetime),
            "expires_on": str(now + lifetime),
            "ext_expires_in": str(lifetime),
            "not_before": str(now),
            "resource": resource,
            "token_type": "Bearer",
        },
    )
