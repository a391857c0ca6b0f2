# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the bodies of Azure's errors, in all their spellings."""

from __future__ import annotations

import json
import typing as t

from .wire import Json

_POLICY = {
    "policyDefinitionDisplayName": "Policy",
    "policyAssignmentDisplayName": "Assignment",
    "policyAssignmentId": "Assignment ID",
}
"""The members of a policy violation that are shown, and the words for them."""


def error_object(response: t.Any) -> Json:
    """Return the ``error`` of an answer's body, empty without any.

    A group deletion's last answer spells all keys in PascalCase: ``Error``.
    """
    try:
        body = json.loads(response.text())
    except (ValueError, TypeError, AttributeError, RecursionError):
        return {}
    if not isinstance(body, dict):
        return {}
    inner = member(body, "error")
    return inner if isinstance(inner, dict) else body


def member(found: t.Mapping[str, t.Any], key: str) -> t.Any:
    """Return a member in any case, None if it is missing."""
    return next((value for name, value in found.items() if name.lower() == key.lower()), None)


def inner_code(found: t.Mapping[str, t.Any]) -> str:
    """Return the code of an error's inner error, empty without any."""
    inner = member(found, "innererror")
    return str(member(inner, "code") or "") if isinstance(inner, dict) else ""


def details_in(found: t.Mapping[str, t.Any]) -> t.Iterator[Json]:
    """Yield the details of an error, and theirs. The message of a detail may be the JSON of another error."""
    for detail in _objects(found, "details"):
        nested = _parsed_error(member(detail, "message"))
        if nested is None:
            yield detail
        else:
            yield {"code": member(detail, "code")}
            yield nested
            yield from details_in(nested)
        yield from details_in(detail)


def policies_in(found: t.Mapping[str, t.Any]) -> t.Iterator[str]:
    """Yield the names of the policies that forbid a request, which its message may lack.

    They are in ``additionalInfo``, entries of the type ``PolicyViolation`` (error responses of common-types/v5).
    """
    for entry in _objects(found, "additionalInfo"):
        info = member(entry, "info")
        if isinstance(info, dict):
            names = ((word, member(info, key)) for key, word in _POLICY.items())
            yield from (f"{word}: {name}." for word, name in names if name)


def _objects(found: t.Mapping[str, t.Any], key: str) -> list[Json]:
    entries = member(found, key)
    return [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []


def _parsed_error(message: t.Any) -> Json | None:
    """Return the error whose JSON a message is, None if it is other text."""
    if not str(message).lstrip().startswith("{"):
        return None
    try:
        inner = member(json.loads(message), "error")
    except (ValueError, AttributeError, RecursionError):
        return None
    return inner if isinstance(inner, dict) else None
