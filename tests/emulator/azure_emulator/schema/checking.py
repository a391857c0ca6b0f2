# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check a request's body against the tables, and bring it into canonical form."""

from __future__ import annotations

import typing as t

from ..errors import ApiError, Json, location_required, network_error
from .grammar import PLAIN, Member, Shape, is_single
from .position import position_of

Path = tuple[str | int, ...]


def dotted(path: Path) -> str:
    """Return a path as the service writes it: ``properties.ipConfigurations[0].name``."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


class Checker:
    """Walks one body.

    :param family: the provider whose error format is used: ``network``, ``compute`` or ``resources``.
    :param lenient: members that are not in the table are ignored, not refused: for api-versions that are newer than it.
    :param problems: gets a line for each read-only member that was sent.
    """

    def __init__(
        self, shapes: t.Mapping[str, Shape], family: str, raw: bytes, problems: list[str], *, lenient: bool, patch: bool
    ) -> None:
        self._shapes = shapes
        self._family = family
        self._raw = raw
        self._problems = problems
        self._lenient = lenient
        self._patch = patch

    def object(self, value: t.Any, type_: str, path: Path = ()) -> Json:
        """Return an object of a type: canonical names, without nulls and what is read-only.

        :raises ApiError: 400.
        """
        shape = self._shapes[type_]
        if not isinstance(value, dict):
            raise self._wrong_kind(value, type_, path)
        result: Json = {}
        for name, item in value.items():
            member = shape.members.get(name.lower())
            here = (*path, name)
            if member is None:
                if not self._lenient:
                    raise self._unknown(shape, here)
                self._problems.append(f"unknown: {dotted(here)}")
            elif member.read_only:
                self._problems.append(f"read-only: {dotted(here)}")
            elif item is not None:
                result[member.name] = self._value(item, member.kind, here)
        missing = [m for m in shape.members.values() if m.required and m.name not in result]
        if missing and not self._patch:
            raise self._missing(shape, missing[0], path)
        return result

    def _value(self, value: t.Any, kind: str, path: Path) -> t.Any:
        if kind.startswith("["):
            if not isinstance(value, list):
                raise self._wrong_kind(value, kind, path)
            return [self._value(item, kind[1:-1], (*path, at)) for at, item in enumerate(value)]
        if kind in PLAIN:
            return self._plain(value, kind, path)
        if "|" in kind or is_single(kind):
            return self._enumerated(value, kind.split("|"), path)
        return self.object(value, kind, path)

    def _plain(self, value: t.Any, kind: str, path: Path) -> t.Any:
        if kind == "any" or (kind == "object" and isinstance(value, dict)):
            return value
        if kind == "object":
            raise self._wrong_kind(value, kind, path)
        if kind == "map":
            if not isinstance(value, dict) or not all(isinstance(v, str) or v is None for v in value.values()):
                raise self._wrong_kind(value, kind, path)
            return {name: text or "" for name, text in value.items()}
        if kind == "str":
            if isinstance(value, (dict, list)):
                raise self._wrong_kind(value, kind, path)
            return value if isinstance(value, str) else _text(value)
        converted = _converted(value, kind)
        if converted is None:
            raise self._wrong_kind(value, kind, path)
        return converted

    def _enumerated(self, value: t.Any, allowed: list[str], path: Path) -> str:
        for one in allowed:
            if isinstance(value, str) and value.lower() == one.lower():
                return one
        if self._family == "compute" and isinstance(value, str):
            name = dotted(path).removeprefix("properties.")
            raise ApiError(400, "InvalidParameter", f"The value of parameter {name} is invalid.", target=name)
        raise self._wrong_kind(value, "enumeration", path)

    def _unknown(self, shape: Shape, path: Path) -> ApiError:
        return self._refused(f"Could not find member '{path[-1]}' on object of type '{shape.name}'.", path)

    def _missing(self, shape: Shape, member: Member, path: Path) -> ApiError:
        if not path and member.name == "location":
            return location_required()
        if self._family == "compute":
            name = dotted((*path[1:], member.name)) if path[:1] == ("properties",) else member.name
            text = f"Required parameter '{name}' is missing (null)."
            return ApiError(400, "InvalidParameter", text, target=name)
        return self._refused(f"Required property '{member.name}' not found in JSON.", path)

    def _wrong_kind(self, value: t.Any, kind: str, path: Path) -> ApiError:
        names = {"str": "System.String", "int": "System.Int32", "num": "System.Double", "bool": "System.Boolean"}
        wanted = f"System.Nullable`1[{names[kind]}]" if kind in names and kind != "str" else names.get(kind, kind)
        if isinstance(value, (dict, list)):
            what = "StartObject" if isinstance(value, dict) else "StartArray"
            return self._refused(f"Unexpected character encountered while parsing value: {what}.", path)
        return self._refused(f"Error converting value \"{value}\" to type '{wanted}'.", path)

    def _refused(self, reason: str, path: Path) -> ApiError:
        """Return the error for a body that cannot be parsed, in the format of its provider."""
        self._problems.append(f"refused: {dotted(path)}")
        line, column = position_of(self._raw, path)
        text = f"{reason} Path '{dotted(path)}', line {line}, position {column}."
        if self._family == "network":
            return network_error(
                "InvalidRequestFormat", "Cannot parse the request.", 400, [{"code": "InvalidJson", "message": text}]
            )
        if self._family == "compute" and len(path) > 1:
            return ApiError(400, "BadRequest", text, target=dotted(path))
        generic = text.replace("'VirtualMachine'", "'ResourceDefinition'").replace(
            "'ResourceGroup'", "'ResourceDefinition'"
        )
        return ApiError(
            400,
            "InvalidRequestContent",
            f"The request content was invalid and could not be deserialized: '{generic}'.",
        )


def _text(value: t.Any) -> str:
    """Convert a number or boolean to text, as the service's parser does."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _converted(value: t.Any, kind: str) -> t.Any:
    """Return a number or boolean, also from text; None if the value is neither."""
    if kind == "bool":
        if isinstance(value, str) and value.lower() in ("true", "false"):
            return value.lower() == "true"
        return value if isinstance(value, bool) else None
    if isinstance(value, bool):
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    if kind == "num":
        return number
    return int(number) if number.is_integer() and abs(number) < 2**63 else None
