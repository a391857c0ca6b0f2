# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rights that a request needs, and whether the client has them."""

from __future__ import annotations

import fnmatch
import typing as t

from .arm.messages import ArmRequest, Reply
from .arm.resource import Json
from .arm.routing import GROUP, SUBSCRIPTION, route
from .errors import ApiError

if t.TYPE_CHECKING:
    from .cloud import Cloud

PERMISSIONS = "Microsoft.Authorization/permissions"
_VERBS = {"GET": "read", "HEAD": "read", "PUT": "write", "PATCH": "write", "DELETE": "delete"}
_RESOURCES = "Microsoft.Resources/subscriptions"
_SUBNETS = "Microsoft.Network/virtualNetworks/subnets/join/action"


class Right(t.NamedTuple):
    """An action, for example ``Microsoft.Compute/virtualMachines/write``, and the id of what it is done to."""

    action: str
    scope: str


def right_of(method: str, path: str) -> Right | None:
    """Return the right that a request needs by its path; None if it needs none.

    Actions are named after the types in the path, as in Microsoft's list of provider operations.
    """
    parts = path.strip("/").split("/")
    lowered = [part.lower() for part in parts]
    scope = "/" + "/".join(parts)
    if lowered[0] != "subscriptions" or len(parts) == 1:
        return None
    at = len(lowered) - 1 - lowered[::-1].index("providers") if "providers" in lowered else 0
    if at and (len(parts) <= at + 2 or lowered[-1] == "register"):
        if method == "POST":
            return Right(f"{parts[at + 1]}/register/action", "/" + "/".join(parts[:2]))
        return Right(f"{_RESOURCES}/providers/read", "/" + "/".join(parts[:2]))
    if not at:
        types = [name[:1].lower() + name[1:] for name in parts[2::2]]
        types = ["resourceGroups" if name.lower() == "resourcegroups" else name for name in types]
        return Right("/".join([_RESOURCES, *types, _VERBS.get(method, "action")]), scope)
    types = [name[:1].lower() + name[1:] for name in parts[at + 2 :: 2]]
    if method == "POST":
        return Right("/".join([parts[at + 1], *types, "action"]), "/" + "/".join(parts[:-1]))
    return Right("/".join([parts[at + 1], *types, _VERBS[method]]), scope)


def linked_rights(method: str, path: str, body: t.Any) -> list[Right]:
    """Return the rights on what a body refers to ("Azure Virtual Network permissions", and Azure's error messages)."""
    if method not in ("PUT", "PATCH") or not isinstance(body, dict):
        return []
    found: list[Right] = []
    lowered = path.lower()
    for key, value in _references(body):
        action = {
            "subnet": _SUBNETS,
            "networksecuritygroup": "Microsoft.Network/networkSecurityGroups/join/action",
            "publicipaddress": "Microsoft.Network/publicIPAddresses/join/action",
            "networkinterfaces": "Microsoft.Network/networkInterfaces/join/action",
        }.get(key.lower())
        if action:
            found.append(Right(action, value))
    if "/virtualmachines/" in lowered and lowered.count("/", lowered.index("/virtualmachines/") + 1) == 1:
        found += _of_machine(method, path, body)
    return list(dict.fromkeys(found))


def _of_machine(method: str, path: str, body: Json) -> list[Right]:
    """Disks that are made with a VM, its image, and its identities."""
    found: list[Right] = []
    storage = _inner(_inner(body, "properties"), "storageProfile")
    further = storage.get("dataDisks")
    disks = [_inner(storage, "osDisk"), *(further if isinstance(further, list) else [])]
    options = [str(disk.get("createOption")).lower() for disk in disks if isinstance(disk, dict)]
    if method == "PUT" and ("fromimage" in options or "empty" in options):
        group = path[: path.lower().index("/providers/")]
        found.append(Right("Microsoft.Compute/disks/write", group))
    image = str(_inner(storage, "imageReference").get("id") or "")
    if image:
        kind = "galleries/images/versions" if "/galleries/" in image.lower() else "images"
        found.append(Right(f"Microsoft.Compute/{kind}/read", image))
    for identity in _inner(_inner(body, "identity"), "userAssignedIdentities"):
        found.append(Right("Microsoft.ManagedIdentity/userAssignedIdentities/assign/action", identity))
    return found


def _inner(value: Json, key: str) -> Json:
    """Return an object in an object; anything else becomes empty, and the handler refuses it."""
    inner = value.get(key)
    return inner if isinstance(inner, dict) else {}


def _references(value: t.Any, key: str = "") -> t.Iterator[tuple[str, str]]:
    """Yield every ``{"id": ...}`` in a body with its key; items of a list have the list's key."""
    if isinstance(value, dict):
        if isinstance(value.get("id"), str) and value["id"].startswith("/subscriptions/"):
            yield key, value["id"]
        for name, item in value.items():
            yield from _references(item, name)
    elif isinstance(value, list):
        for item in value:
            yield from _references(item, key)


def allows(cloud: Cloud, action: str) -> bool:
    """Return whether the client's role has an action."""
    role, forbidden = cloud.switches["role"], cloud.switches["forbidden"]
    return (not role or _matches(action, role)) and not _matches(action, forbidden)


def _matches(action: str, patterns: t.Iterable[str]) -> bool:
    return any(fnmatch.fnmatchcase(action.lower(), pattern.lower()) for pattern in patterns)


def check(cloud: Cloud, request: ArmRequest) -> None:
    """Note the rights that a request needs, and refuse it when one is missing.

    :raises ApiError: 403.
    """
    own = right_of(request.method, request.path)
    if own is None:
        return
    request.rights.append(own.action)
    identity = cloud.identity
    who = f"The client '{identity.client_id}' with object id '{identity.object_id}'"
    if not allows(cloud, own.action):
        raise ApiError(
            403,
            "AuthorizationFailed",
            f"{who} does not have authorization to perform action '{own.action}' over scope '{own.scope}' or the scope "
            "is invalid. If access was recently granted, please refresh your credentials.",
            headers={"x-ms-failure-cause": "gateway"},
        )
    linked = linked_rights(request.method, request.path, _body(request))
    request.rights += [right.action for right in linked]
    missing = [right for right in linked if not allows(cloud, right.action)]
    if missing:
        actions = ", ".join(right.action for right in missing)
        scopes = ", ".join(right.scope for right in missing)
        raise ApiError(
            403,
            "LinkedAuthorizationFailed",
            f"{who} has permission to perform action '{own.action}' on scope '{own.scope}'; however, it does not have "
            f"permission to perform action(s) '{actions}' on the linked scope(s) '{scopes}' (respectively) or the "
            "linked scope(s) are invalid.",
        )


def _body(request: ArmRequest) -> t.Any:
    try:
        return request.json()
    except ApiError:
        # What is wrong with it, the handler says.
        return None


@route("GET", f"{SUBSCRIPTION}/providers/{PERMISSIONS}", PERMISSIONS)
@route("GET", f"{GROUP}/providers/{PERMISSIONS}", PERMISSIONS)
async def permissions(cloud: Cloud, request: ArmRequest) -> Reply:
    """Return what the client may do."""
    granted = {
        "actions": list(cloud.switches["role"]) or ["*"],
        "notActions": list(cloud.switches["forbidden"]),
        "dataActions": [],
        "notDataActions": [],
    }
    return Reply(200, {"value": [granted]})
