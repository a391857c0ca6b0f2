# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The functions of templates that depend on their arguments alone ("ARM template functions", learn.microsoft.com)."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import typing as t
import urllib.parse
import uuid

from .errors import TemplateError
from .expressions import Function

GUIDS = uuid.UUID("11fb06fb-712d-4ddd-98c7-e71bbd588830")
"""The namespace of names in ``guid``: the one of the Resource Manager (Azure/bicep)."""
LETTERS = "abcdefghijklmnopqrstuvwxyz234567"


def _concat(*values: t.Any) -> t.Any:
    if values and isinstance(values[0], list):
        return [item for value in values for item in value]
    return "".join(_string(value) for value in values)


def _string(value: t.Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "True" if value else "False"
    return json.dumps(value, separators=(",", ":"))


def _format(text: str, *values: t.Any) -> str:
    def insert(match: re.Match[str]) -> str:
        return _string(values[int(match[1])])

    return re.sub(r"\{(\d+)(?::[^}]*)?\}", insert, text).replace("{{", "{").replace("}}", "}")


def _equals(one: t.Any, other: t.Any) -> bool:
    return type(one) is type(other) and bool(one == other)


def _contains(container: t.Any, item: t.Any) -> bool:
    if isinstance(container, dict):
        return str(item).lower() in {name.lower() for name in container}
    return item in container


def _empty(value: t.Any) -> bool:
    return value is None or len(value) == 0


def _first(value: t.Any) -> t.Any:
    return value[0] if value else ("" if isinstance(value, str) else None)


def _last(value: t.Any) -> t.Any:
    return value[-1] if value else ("" if isinstance(value, str) else None)


def _union(*values: t.Any) -> t.Any:
    if isinstance(values[0], dict):
        merged: dict[str, t.Any] = {}
        for value in values:
            merged.update(value)
        return merged
    joined: list[t.Any] = []
    for item in _concat(*values):
        if item not in joined:
            joined.append(item)
    return joined


def _intersection(first: t.Any, *others: t.Any) -> t.Any:
    if isinstance(first, dict):
        return {k: v for k, v in first.items() if all(k in other and other[k] == v for other in others)}
    return [item for item in first if all(item in other for other in others)]


def _coalesce(*values: t.Any) -> t.Any:
    return next((value for value in values if value is not None), None)


def _json(text: str) -> t.Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise TemplateError(f"The template function 'json' cannot read its argument: {error}") from error


def _split(text: str, at: str | list[str]) -> list[str]:
    marks = [at] if isinstance(at, str) else at
    return re.split("|".join(re.escape(mark) for mark in marks), text)


def _substring(text: str, start: int, length: int | None = None) -> str:
    end = len(text) if length is None else start + length
    if not 0 <= start <= end <= len(text):
        raise TemplateError("The template function 'substring' parameters are not within the bounds of the string.")
    return text[start:end]


def _create_object(*pairs: t.Any) -> dict[str, t.Any]:
    return dict(zip(pairs[0::2], pairs[1::2], strict=True))


def _items(value: t.Mapping[str, t.Any]) -> list[dict[str, t.Any]]:
    return [{"key": key, "value": value[key]} for key in sorted(value)]


def _unique_string(*parts: str) -> str:
    """Return 13 letters and digits that depend on the arguments. Azure's own hash is not published."""
    number = int.from_bytes(hashlib.sha256("-".join(parts).encode()).digest()[:9], "big")
    return "".join(LETTERS[(number >> 5 * place) & 31] for place in range(13))


def _numbers(values: tuple[t.Any, ...]) -> list[int]:
    return values[0] if values and isinstance(values[0], list) else list(values)


def _decode(text: str) -> str:
    return base64.b64decode(text).decode()


FUNCTIONS: t.Mapping[str, Function] = {
    "add": lambda a, b: a + b,
    "and": lambda *values: all(values),
    "array": lambda value: value if isinstance(value, list) else [value],
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64tojson": lambda text: _json(_decode(text)),
    "base64tostring": _decode,
    "bool": lambda value: str(value).lower() in ("true", "1"),
    "coalesce": _coalesce,
    "concat": _concat,
    "contains": _contains,
    "createarray": lambda *values: list(values),
    "createobject": _create_object,
    "datauri": lambda text: "data:text/plain;charset=utf8;base64," + base64.b64encode(text.encode()).decode(),
    "div": lambda a, b: int(a / b),
    "empty": _empty,
    "endswith": lambda text, end: text.lower().endswith(end.lower()),
    "equals": _equals,
    "false": lambda: False,
    "first": _first,
    "format": _format,
    "greater": lambda a, b: a > b,
    "greaterorequals": lambda a, b: a >= b,
    "guid": lambda *parts: str(uuid.uuid5(GUIDS, "-".join(parts))),
    "indexof": lambda text, part: text.lower().find(part.lower()),
    "int": int,
    "intersection": _intersection,
    "items": _items,
    "join": lambda parts, mark: mark.join(_string(part) for part in parts),
    "json": _json,
    "last": _last,
    "lastindexof": lambda text, part: text.lower().rfind(part.lower()),
    "length": len,
    "less": lambda a, b: a < b,
    "lessorequals": lambda a, b: a <= b,
    "max": lambda *values: max(_numbers(values)),
    "min": lambda *values: min(_numbers(values)),
    "mod": lambda a, b: a % b,
    "mul": lambda a, b: a * b,
    "not": lambda value: not value,
    "null": lambda: None,
    "or": lambda *values: any(values),
    "padleft": lambda value, width, mark=" ": _string(value).rjust(width, mark),
    "range": lambda start, count: list(range(start, start + count)),
    "replace": lambda text, old, new: text.replace(old, new),
    "skip": lambda value, count: value[max(0, count) :],
    "split": _split,
    "startswith": lambda text, begin: text.lower().startswith(begin.lower()),
    "string": _string,
    "sub": lambda a, b: a - b,
    "substring": _substring,
    "take": lambda value, count: value[: max(0, count)],
    "tolower": lambda text: text.lower(),
    "toupper": lambda text: text.upper(),
    "trim": lambda text: text.strip(),
    "true": lambda: True,
    "union": _union,
    "uniquestring": _unique_string,
    "uri": urllib.parse.urljoin,
    "uricomponent": lambda text: urllib.parse.quote(text, safe=""),
    "uricomponenttostring": urllib.parse.unquote,
}
"""By their names in lower case."""
