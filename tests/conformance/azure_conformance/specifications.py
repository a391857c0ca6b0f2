# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Microsoft's published specifications: their examples, and ways to spoil a request body that their schemas forbid.

They are looked for at ``AZURE_REST_API_SPECS``, else beside the checkout, in ``../shared/azure-specs``.
"""

from __future__ import annotations

import copy
import functools
import json
import os
import re
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

Json = dict[str, t.Any]
Way = tuple[str | int, ...]
METHODS = ("get", "put", "patch", "post", "delete", "head")


def find(checkout: Path) -> Path | None:
    """Return the folder that holds ``specification/``, or None."""
    given = os.environ.get("AZURE_REST_API_SPECS")
    root = Path(given) if given else checkout.parent / "shared" / "azure-specs"
    return root if (root / "specification").is_dir() else None


@dataclass(frozen=True)
class Example:
    """One example of an operation.

    :param path: with the example's own names filled in; without a query.
    :param body: what is sent, None when nothing is.
    :param schema: of the body, resolved on demand by :class:`Schema`.
    :param answer: the body of the first answer that shows the resource, None where there is none.
    """

    name: str
    operation: str
    method: str
    template: str
    path: str
    api_version: str
    body: t.Any
    schema: Schema | None = field(repr=False, default=None)
    answer: t.Any = field(repr=False, default=None)


class Schema:
    """A schema in a file, with references followed and ``allOf`` merged."""

    def __init__(self, file: Path, raw: Json) -> None:
        while "$ref" in raw:
            file, raw = _follow(file, raw["$ref"])
        self._file = file
        self._raw = raw

    @functools.cached_property
    def parts(self) -> list[Schema]:
        """This schema's own part, and those that it inherits from."""
        return [self, *(part for raw in self._raw.get("allOf", ()) for part in Schema(self._file, raw).parts)]

    @functools.cached_property
    def properties(self) -> dict[str, Schema]:
        """The members by name; empty for what is no object or takes any member."""
        found: dict[str, Schema] = {}
        for part in reversed(self.parts):
            for name, raw in part._raw.get("properties", {}).items():
                found[name] = Schema(part._file, raw)
        return found

    @property
    def open(self) -> bool:
        """Whether members that it does not name are allowed."""
        return any("additionalProperties" in part._raw for part in self.parts) or not self.properties

    @property
    def polymorphic(self) -> bool:
        """Whether a member decides which schema holds."""
        return any("discriminator" in part._raw for part in self.parts)

    @property
    def required(self) -> frozenset[str]:
        """The members that must be there."""
        return frozenset(name for part in self.parts for name in part._raw.get("required", ()))

    @property
    def read_only(self) -> bool:
        """Whether clients cannot set it."""
        return bool(self._raw.get("readOnly"))

    @property
    def type(self) -> str:
        """``object``, ``array``, ``string``, ``integer``, ``number`` or ``boolean``."""
        if "type" in self._raw:
            return str(self._raw["type"])
        return "object" if self.properties or "allOf" in self._raw else ""

    @functools.cached_property
    def items(self) -> Schema | None:
        """The schema of an array's entries."""
        return Schema(self._file, self._raw["items"]) if "items" in self._raw else None


def _follow(file: Path, reference: str) -> tuple[Path, Json]:
    name, _dummy, pointer = reference.partition("#")
    target = (file.parent / name).resolve() if name else file
    raw = _load(target)
    for step in pointer.strip("/").split("/"):
        if step:
            raw = raw[step.replace("~1", "/").replace("~0", "~")]
    return target, raw


@functools.cache
def _load(path: Path) -> Json:
    return t.cast(Json, json.loads(path.read_text(encoding="utf-8-sig")))


def examples(root: Path, wanted: t.Callable[[str, str], bool]) -> t.Iterator[Example]:
    """Yield the examples of the selected operations."""
    for file in sorted((root / "specification").glob("**/resource-manager/**/*.json")):
        if "examples" in file.parts or "common-types" in file.parts:
            continue
        document = _load(file)
        for template, operations in document.get("paths", {}).items():
            for method in METHODS:
                operation = operations.get(method)
                if operation is not None and wanted(method.upper(), template):
                    yield from _examples_of(file, document, template, method, operation, operations)


def _examples_of(
    file: Path, document: Json, template: str, method: str, operation: Json, operations: Json
) -> t.Iterator[Example]:
    parameters = [
        _parameter(file, raw) for raw in [*operation.get("parameters", ()), *operations.get("parameters", ())]
    ]
    body = next(((at, raw) for at, raw in parameters if raw.get("in") == "body"), None)
    schema = Schema(body[0], body[1]["schema"]) if body is not None else None
    for name, reference in operation.get("x-ms-examples", {}).items():
        example = _follow(file, reference["$ref"])[1]
        given = example.get("parameters", {})
        path = template
        for _dummy, raw in parameters:
            if raw.get("in") == "path":
                path = path.replace("{" + raw["name"] + "}", str(given.get(raw["name"], "example")))
        content = copy.deepcopy(given.get(body[1]["name"])) if body is not None else None
        version = str(given.get("api-version") or document["info"]["version"])
        answers = (answer.get("body") for answer in example.get("responses", {}).values())
        shown = next((answer for answer in answers if isinstance(answer, dict)), None)
        yield Example(name, operation["operationId"], method.upper(), template, path, version, content, schema, shown)


def members(value: t.Any, before: str = "") -> t.Iterator[str]:
    """Yield the path of every member in a JSON value: ``properties.subnets[].name``."""
    if isinstance(value, list):
        for item in value:
            yield from members(item, f"{before}[]")
    elif isinstance(value, dict):
        for name, item in value.items():
            path = f"{before}.{name}" if before else name
            yield path
            yield from members(item, path)


def types(root: Path) -> set[str]:
    """Return the types of the resources that groups have, as the paths of the specifications write them."""
    files = (root / "specification").glob("**/resource-manager/**/*.json")
    documents = [_load(file) for file in files if "examples" not in file.parts and "common-types" not in file.parts]
    one = re.compile(r"/subscriptions/\{\w+\}/resourceGroups/\{\w+\}/providers/([\w.]+/\w+)/\{\w+\}", re.IGNORECASE)
    paths = [path for document in documents for path in document.get("paths", {})]
    return {match[1] for path in paths if (match := one.fullmatch(path)) is not None}


def _parameter(file: Path, raw: Json) -> tuple[Path, Json]:
    return _follow(file, raw["$ref"]) if "$ref" in raw else (file, raw)


# --- spoiled bodies ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Spoiled:
    """A body that the schema forbids, and what is wrong with it."""

    what: str
    body: t.Any


def spoil(body: t.Any, schema: Schema) -> t.Iterator[Spoiled]:
    """Yield every way to add one unknown member, give one wrong type, or leave out one required member."""
    for way, node, value in _nodes(body, schema, ()):
        shown = ".".join(map(str, way)) or "the body"
        if isinstance(value, dict) and not node.open and not node.polymorphic:
            yield Spoiled(f"unknown member in {shown}", _changed(body, (*way, "notAMember"), 1))
            for name in sorted(node.required & value.keys()):
                if not node.properties[name].read_only:
                    yield Spoiled(f"without {shown}.{name}", _changed(body, (*way, name), _GONE))
        wrong = _wrong(node, value)
        if way and wrong is not None:
            yield Spoiled(f"{shown} is {json.dumps(wrong)}", _changed(body, way, wrong))


def _nodes(value: t.Any, schema: Schema, way: Way) -> t.Iterator[tuple[Way, Schema, t.Any]]:
    yield way, schema, value
    if isinstance(value, dict) and not schema.polymorphic:
        for name, item in value.items():
            inner = schema.properties.get(name)
            if inner is not None and not inner.read_only:
                yield from _nodes(item, inner, (*way, name))
    elif isinstance(value, list) and schema.items is not None:
        for index, item in enumerate(value[:1]):
            yield from _nodes(item, schema.items, (*way, index))


def _wrong(schema: Schema, value: t.Any) -> t.Any:
    """Return a value of another type than the schema's."""
    if value is None:
        return None
    return {
        "object": "text",
        "array": "text",
        "string": {"an": "object"},
        "boolean": "perhaps",
        "integer": "many",
        "number": "many",
    }.get(schema.type)


_GONE = object()


def _changed(body: t.Any, way: Way, value: t.Any) -> t.Any:
    """Return a copy of a body with one place changed (or taken out)."""
    body = copy.deepcopy(body)
    place = body
    for step in way[:-1]:
        place = place[step]
    if value is _GONE:
        del place[way[-1]]
    else:
        place[way[-1]] = value
    return body
