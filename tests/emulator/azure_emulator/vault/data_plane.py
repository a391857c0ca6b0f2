# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A vault's own endpoint: who may ask, what for, and the answers' form."""

from __future__ import annotations

import typing as t
import urllib.parse

from .. import rights
from ..arm.messages import ArmRequest, Reply
from ..arm.resource import Resource
from ..arm.versions import is_newer
from ..errors import ApiError, Json
from ..settings import new_guid
from .names import audience
from .secrets import Secrets, bad_parameter
from .vaults import find_vault

if t.TYPE_CHECKING:
    from ..cloud import Cloud
    from ..endpoints.tokens import Tokens

VERSIONS = ("2016-10-01", "7.0", "7.1", "7.2", "7.3", "7.4", "7.5", "7.6", "2025-07-01")
PAGE = 25
# What each operation needs: the permission of an access policy, and the data action of a role.
RIGHTS = {
    "get": ("get", "getSecret/action"),
    "list": ("list", "readMetadata/action"),
    "set": ("set", "setSecret/action"),
    "update": ("set", "update/action"),
    "delete": ("delete", "delete"),
    "recover": ("recover", "recover/action"),
    "purge": ("purge", "purge/action"),
    "backup": ("backup", "backup/action"),
    "restore": ("restore", "restore/action"),
    "deleted": ("get", "readMetadata/action"),
    "list deleted": ("list", "readMetadata/action"),
}


def answer(cloud: Cloud, tokens: Tokens, name: str, request: ArmRequest) -> Reply | None:
    """Return the reply of the vault ``name``; None if it does not exist, since its name would not resolve.

    :raises ApiError: a refusal.
    """
    vault = find_vault(cloud, name)
    if vault is None:
        return None
    _sign_in(cloud, tokens, request)
    version = request.api_version
    if not version:
        raise bad_parameter("api-version must be specified")
    if version.partition("-preview")[0] not in VERSIONS and not is_newer(version, VERSIONS[-1:]):
        raise bad_parameter(
            f"The specified version ({version}) is not recognized. Consider using the latest supported version"
            f" ({VERSIONS[-1]})."
        )
    return Endpoint(cloud, vault, request).answer()


def decorate(request: ArmRequest, reply: Reply) -> None:
    """Add the headers of every answer of Key Vault."""
    reply.headers.update(
        {
            "Cache-Control": "no-cache",
            "Pragma": "no-cache",
            "Expires": "-1",
            "x-ms-keyvault-region": "westeurope",
            "x-ms-keyvault-service-version": "1.9.0.0",
            "x-ms-client-request-id": request.headers.get("x-ms-client-request-id", ""),
            "x-ms-request-id": new_guid(),
            "X-Content-Type-Options": "nosniff",
            "Strict-Transport-Security": "max-age=31536000;includeSubDomains",
        }
    )


def _sign_in(cloud: Cloud, tokens: Tokens, request: ArmRequest) -> None:
    """Check the token; without one, the challenge tells where to get it and for what."""
    scheme, _unused, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise _unauthorized(cloud, "AKV10000: Request is missing a Bearer or PoP token.")
    claims = tokens.claims(token)
    if claims is None:
        raise _unauthorized(
            cloud, "[BearerReadAccessTokenFailed] Error validating token: it is invalid or has expired."
        )
    if claims["aud"] != audience(cloud):
        raise _unauthorized(cloud, f"AKV10022: Invalid audience. Expected {audience(cloud)}, found: {claims['aud']}.")
    request.claims = claims


def _unauthorized(cloud: Cloud, message: str) -> ApiError:
    challenge = f'Bearer authorization="{cloud.origin}/{cloud.identity.tenant}", resource="{audience(cloud)}"'
    return ApiError(401, "Unauthorized", message, headers={"WWW-Authenticate": challenge})


class Endpoint:
    """One request to one vault."""

    def __init__(self, cloud: Cloud, vault: Resource, request: ArmRequest) -> None:
        self._cloud = cloud
        self._vault = vault
        self._request = request
        self._secrets = Secrets(cloud, vault)

    def answer(self) -> Reply:
        """Return the reply.

        :raises ApiError: a refusal.
        """
        method = self._request.method
        collection, name, rest = [*self._request.path.strip("/").split("/", 2), "", "", ""][:3]
        key = (method, collection.lower(), bool(name), rest.lower() if rest.lower() in WORDS else "*" if rest else "")
        if key == ("POST", "secrets", True, "") and name.lower() == "restore":
            return self._restore()
        handler = HANDLERS.get(key)
        if handler is None:
            if any(known[1:] == key[1:] for known in HANDLERS):
                raise ApiError(405, "MethodNotAllowed", f"The method {method} is not allowed here.")
            raise ApiError(404, "NotFound", "The requested resource does not exist.")
        return handler(self, name, rest)

    def _allow(self, operation: str, name: str = "") -> None:
        """See that the client has the right, by the vault's access policies or by its role."""
        permission, action = RIGHTS[operation]
        identity = self._cloud.identity
        who = f"appid={identity.client_id};oid={identity.object_id};iss=https://sts.windows.net/{identity.tenant}/"
        where = f"{self._vault.name};location={self._vault.location}"
        if self._vault.properties.get("enableRbacAuthorization"):
            full = f"Microsoft.KeyVault/vaults/secrets/{action}"
            if not rights.allows(self._cloud, full):
                resource = f"{self._vault.id.lower()}/secrets/{name}".rstrip("/")
                raise _forbidden(
                    "Caller is not authorized to perform action on resource.\r\nIf role assignments, deny assignments"
                    " or role definitions were changed recently, please observe propagation time.\r\n"
                    f"Caller: {who}\r\nAction: '{full}'\r\nResource: '{resource}'\r\nAssignment: (not found)\r\n"
                    f"DenyAssignmentId: null\r\nDecisionReason: 'DeniedWithNoValidRBAC' \r\nVault: {where}\r\n",
                    "ForbiddenByRbac",
                )
            return
        granted = [
            str(entry).lower()
            for policy in self._vault.properties.get("accessPolicies") or []
            if str(policy.get("objectId")).lower() == identity.object_id.lower()
            for entry in (policy.get("permissions") or {}).get("secrets") or []
        ]
        if permission not in granted and "all" not in granted:
            raise _forbidden(
                f"The user, group or application '{who}' does not have secrets {permission} permission on key vault "
                f"'{where}'. For help resolving this issue, please see https://go.microsoft.com/fwlink/?linkid=2125287",
                "AccessDenied",
            )

    def _body(self) -> Json:
        return self._request.required_json()

    def _page(self, items: list[t.Callable[[], Json]]) -> Reply:
        """Return a part of a list, with the link to the next."""
        text = self._request.query.get("maxresults", str(PAGE))
        if not text.isdigit() or not 1 <= int(text) <= PAGE:
            raise bad_parameter(f"maxresults has the value {text}; it is from 1 to {PAGE}.")
        size, token = int(text), self._request.query.get("$skiptoken", "0")
        start = int(token) if token.isdigit() else 0
        following = None
        if start + size < len(items):
            query = {"api-version": self._request.api_version, "$skiptoken": str(start + size), "maxresults": str(size)}
            following = f"{self._secrets.url}{self._request.path}?{urllib.parse.urlencode(query)}"
        return Reply(200, {"value": [item() for item in items[start : start + size]], "nextLink": following})

    # Secrets

    def _set(self, name: str, _rest: str) -> Reply:
        self._allow("set", name)
        return Reply(200, self._secrets.bundle(name, self._secrets.set(name, self._body())))

    def _get(self, name: str, rest: str) -> Reply:
        self._allow("get", name)
        version = self._secrets.version(name, rest)
        if not version["enabled"]:
            raise _forbidden("Operation get is not allowed on a disabled secret.", "SecretDisabled")
        return Reply(200, self._secrets.bundle(name, version))

    def _update(self, name: str, rest: str) -> Reply:
        self._allow("update", name)
        return Reply(200, self._secrets.item(name, self._secrets.update(name, rest, self._body())))

    def _delete(self, name: str, _rest: str) -> Reply:
        self._allow("delete", name)
        return Reply(200, self._secrets.delete(name))

    def _list(self, _name: str, _rest: str) -> Reply:
        self._allow("list")
        secrets = self._secrets

        def shown(name: str) -> t.Callable[[], Json]:
            return lambda: secrets.item(name, secrets.latest(name), with_version=False)

        return self._page([shown(name) for name in secrets.names()])

    def _versions(self, name: str, _rest: str) -> Reply:
        self._allow("list", name)
        secrets = self._secrets

        def shown(version: Json) -> t.Callable[[], Json]:
            return lambda: secrets.item(name, version)

        return self._page([shown(version) for version in secrets.versions(name)])

    def _backup(self, name: str, _rest: str) -> Reply:
        self._allow("backup", name)
        return Reply(200, {"value": self._secrets.backup(name)})

    def _restore(self) -> Reply:
        self._allow("restore")
        version = self._secrets.restore(self._body().get("value"))
        name = next(name for name in self._secrets.names() if version in self._secrets.versions(name))
        return Reply(200, self._secrets.item(name, version))

    # Deleted secrets

    def _list_deleted(self, _name: str, _rest: str) -> Reply:
        self._allow("list deleted")
        secrets = self._secrets

        def shown(name: str) -> t.Callable[[], Json]:
            return lambda: secrets.deleted_body(name, with_version=False)

        return self._page([shown(name) for name in secrets.names(deleted=True)])

    def _get_deleted(self, name: str, _rest: str) -> Reply:
        self._allow("deleted", name)
        return Reply(200, self._secrets.deleted_body(name))

    def _purge(self, name: str, _rest: str) -> Reply:
        self._allow("purge", name)
        self._secrets.purge(name)
        return Reply(204)

    def _recover(self, name: str, _rest: str) -> Reply:
        self._allow("recover", name)
        return Reply(200, self._secrets.item(name, self._secrets.recover(name)))


def _forbidden(message: str, inner: str) -> ApiError:
    return ApiError(403, "Forbidden", message, extra={"innererror": {"code": inner}})


WORDS = ("versions", "backup", "recover")
HANDLERS: t.Mapping[tuple[str, str, bool, str], t.Callable[[Endpoint, str, str], Reply]] = {
    ("PUT", "secrets", True, ""): Endpoint._set,
    ("GET", "secrets", True, ""): Endpoint._get,
    ("GET", "secrets", True, "*"): Endpoint._get,
    ("PATCH", "secrets", True, ""): Endpoint._update,
    ("PATCH", "secrets", True, "*"): Endpoint._update,
    ("DELETE", "secrets", True, ""): Endpoint._delete,
    ("GET", "secrets", False, ""): Endpoint._list,
    ("GET", "secrets", True, "versions"): Endpoint._versions,
    ("POST", "secrets", True, "backup"): Endpoint._backup,
    ("GET", "deletedsecrets", False, ""): Endpoint._list_deleted,
    ("GET", "deletedsecrets", True, ""): Endpoint._get_deleted,
    ("DELETE", "deletedsecrets", True, ""): Endpoint._purge,
    ("POST", "deletedsecrets", True, "recover"): Endpoint._recover,
}
