# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The settings of CustomScript, and how its JSON schemas refuse others: in the words of the library gojsonschema."""

from __future__ import annotations

import re
import typing as t
from urllib.parse import urlsplit

from azure_emulator.machines.agent.handler import BAD_CONFIGURATION, failure

_GUID = "^(?:[0-9A-Fa-f]{8}[-][0-9A-Fa-f]{4}[-][0-9A-Fa-f]{4}[-][0-9A-Fa-f]{4}[-][0-9A-Fa-f]{12})$"
_BASE64 = "^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})$"
#: The types of the settings, and for texts a pattern.
_COMMON = {"commandToExecute": ("string", ""), "script": ("string", ""), "fileUris": ("array", "")}
_SCHEMAS: dict[str, dict[str, tuple[str, str]]] = {
    "public": {**_COMMON, "skipDos2Unix": ("boolean", ""), "timestamp": ("integer", "")},
    "protected": {
        **_COMMON,
        "storageAccountName": ("string", "^[a-z0-9]{3,24}$"),
        "storageAccountKey": ("string", _BASE64),
        "managedIdentity": ("object", ""),
    },
}
_IDENTITY = {"objectId": ("string", _GUID), "clientId": ("string", _GUID)}
_TYPES: dict[type, str] = {
    str: "string", bool: "boolean", int: "integer", float: "number", list: "array", dict: "object", type(None): "null",
}  # fmt: skip


def checked(public: dict[str, t.Any], protected: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return public and protected settings as one dictionary; a key may be in both, and options may repeat each other.

    As in Azure's handler, whose check for that never takes effect: a command wins over a script, public settings win
    over protected ones, and without either nothing runs.

    :raises HandlerError: they are not what the handler's JSON schemas want.
    """
    for kind, part in (("public", public), ("protected", protected)):
        problem = _problem(kind, part)
        if problem:
            reason = f"json validation error: invalid {kind} settings JSON: {problem}"
            raise failure(f"failed to get configuration: {reason}", BAD_CONFIGURATION)
    both = {**protected, **{name: value for name, value in public.items() if value}}
    if both.get("commandToExecute"):
        both.pop("script", None)
    return both


def _problem(kind: str, settings: dict[str, t.Any]) -> str:
    """Return the first violation of a schema; empty if there is none."""
    schema = _SCHEMAS[kind]
    for name in sorted(settings.keys() - schema.keys()):
        return f"(root): Additional property {name} is not allowed"
    return next(filter(None, (_value_problem(name, *schema[name], value) for name, value in settings.items())), "")


def _value_problem(name: str, expected: str, pattern: str, value: t.Any) -> str:
    given = "integer" if isinstance(value, float) and value.is_integer() else _TYPES[type(value)]
    if given != expected:
        return f"{name}: Invalid type. Expected: {expected}, given: {given}"
    if pattern and not re.search(pattern, value):
        return f"{name}: Does not match pattern '{pattern}'"
    return next(filter(None, _inner_problems(name, value)), "")


def _inner_problems(name: str, value: t.Any) -> t.Iterator[str]:
    if isinstance(value, list):
        for index, item in enumerate(value):
            problem = _value_problem(f"{name}.{index}", "string", "", item)
            yield problem or ("" if _is_uri(item) else f"{name}.{index}: Does not match format 'uri'")
    if isinstance(value, dict):
        for key in sorted(value.keys() & _IDENTITY.keys()):
            yield _value_problem(f"{name}.{key}", *_IDENTITY[key], value[key])


def _is_uri(text: str) -> bool:
    try:
        return bool(urlsplit(text).scheme) and "\\" not in text
    except ValueError:
        return False
