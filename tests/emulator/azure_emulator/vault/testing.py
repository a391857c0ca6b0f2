# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""For tests: making vaults, and finding them in a process that does not use the server's hosts file."""

from __future__ import annotations

import base64
import contextlib
import itertools
import json
import socket
import ssl
import typing as t
import urllib.request

from ..launcher import LocalAzure
from .names import SUFFIX

Json = dict[str, t.Any]
ALL = ["get", "list", "set", "delete", "recover", "purge", "backup", "restore"]
_numbers = itertools.count(1)


def _token(azure: LocalAzure, scope: str = "") -> str:
    form = f"grant_type=client_credentials&client_id={azure.client_id}&client_secret={azure.secret}"
    form += f"&scope={scope or azure.url + '/.default'}"
    with _opener(azure).open(f"{azure.url}/{azure.tenant}/oauth2/v2.0/token", form.encode()) as answer:
        return str(json.load(answer)["access_token"])


def _opener(azure: LocalAzure) -> urllib.request.OpenerDirector:
    context = ssl.create_default_context(cafile=azure.ca_file)
    return urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))


def _arm(azure: LocalAzure, method: str, path: str, version: str, body: Json | None = None) -> Json:
    """Return one request to the Resource Manager."""
    request = urllib.request.Request(
        f"{azure.url}/subscriptions/{azure.subscription_id}{path}?api-version={version}",
        None if body is None else json.dumps(body).encode(),
        {"Authorization": f"Bearer {_token(azure)}", "Content-Type": "application/json"},
        method=method,
    )
    with _opener(azure).open(request) as answer:
        return t.cast(Json, json.loads(answer.read() or b"{}"))


def object_id(azure: LocalAzure) -> str:
    """Return the id by which access policies name the client."""
    payload = _token(azure).split(".")[1]
    return str(json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["oid"])


def make_vault(azure: LocalAzure, name: str | None = None, **properties: t.Any) -> str:
    """Return a vault that gives the client every right by an access policy; its name."""
    name = name or f"vault{next(_numbers)}"
    client = object_id(azure)
    _arm(azure, "PUT", "/resourceGroups/vaults", "2022-09-01", {"location": "westeurope"})
    properties = {
        "tenantId": azure.tenant,
        "sku": {"family": "A", "name": "standard"},
        "accessPolicies": [{"tenantId": azure.tenant, "objectId": client, "permissions": {"secrets": list(ALL)}}],
        **properties,
    }
    path = f"/resourceGroups/vaults/providers/Microsoft.KeyVault/vaults/{name}"
    _arm(azure, "PUT", path, "2023-07-01", {"location": "westeurope", "properties": properties})
    return name


def secret_values(azure: LocalAzure, vault: str, name: str) -> list[str]:
    """Return the values of all enabled versions of a secret."""
    domain = f"{SUFFIX}:{azure.url.rpartition(':')[2]}"
    token = _token(azure, f"https://{domain}/.default")

    def get(path: str) -> Json:
        headers = {"Authorization": f"Bearer {token}", "Host": f"{vault}.{domain}"}
        request = urllib.request.Request(f"{azure.url}{path}?api-version=7.4", headers=headers)
        with _opener(azure).open(request) as answer:
            return t.cast(Json, json.load(answer))

    listed = get(f"/secrets/{name}/versions")["value"]
    enabled = [entry["id"].rpartition("/")[2] for entry in listed if entry["attributes"]["enabled"]]
    return [str(get(f"/secrets/{name}/{version}")["value"]) for version in enabled]


@contextlib.contextmanager
def resolved() -> t.Iterator[None]:
    """Names of vaults lead to this machine, as every name below localhost should (RFC 6761)."""
    real = socket.getaddrinfo

    def getaddrinfo(host: t.Any, *arguments: t.Any, **keywords: t.Any) -> t.Any:
        if isinstance(host, str) and host.endswith(f".{SUFFIX}") and not host.startswith("nowhere"):
            host = "127.0.0.1"
        return real(host, *arguments, **keywords)

    socket.getaddrinfo = getaddrinfo
    try:
        yield
    finally:
        socket.getaddrinfo = real
