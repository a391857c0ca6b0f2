# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The resources that a template names, with their ids and what they wait for."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ..errors import Json
from .errors import TemplateError
from .expressions import Functions, evaluate
from .scope import Scope, pairs
from .template import Planned, Template, with_index

MOST_COPIES = 800


def planned(template: Template) -> list[Planned]:
    """Return the resources of a template in the order of its text.

    :raises TemplateError: a name or a dependency is invalid.
    """
    resources = template.document.get("resources") or []
    found: list[Planned] = []
    if isinstance(resources, dict):
        for symbol, entry in resources.items():
            found += _entries(template, entry, Parent("", "", template.functions), symbol)
    else:
        for entry in resources:
            found += _entries(template, entry, Parent("", "", template.functions))
    _resolve(found, template)
    return found


@dataclass(frozen=True)
class Parent:
    """What an entry is nested in, if it is: its type and name, and the functions that it is evaluated with."""

    type: str
    name: str
    functions: Functions


def _entries(template: Template, entry: Json, parent: Parent, symbol: str = "") -> list[Planned]:
    """Return the resources of one entry: copies, and those that are nested in it."""
    if not isinstance(entry, dict) or entry.get("existing"):
        return []
    loop = entry.get("copy")
    if not isinstance(loop, dict):
        return _one(template, entry, parent, symbol)
    count = evaluate(loop.get("count"), parent.functions)
    if not isinstance(count, int) or not 0 <= count <= MOST_COPIES:
        raise TemplateError(
            f"The copy count '{count}' of the template resource '{entry.get('name')}' must be an integer between 0 "
            f"and {MOST_COPIES}. Please see https://aka.ms/arm-copy for usage details."
        )
    found: list[Planned] = []
    for number in range(count):
        functions = with_index(parent.functions, str(loop.get("name", "")), number)
        copies = _one(template, entry, Parent(parent.type, parent.name, functions), symbol)
        for copy in copies:
            copy.loop = str(loop.get("name", ""))
        found += copies
    return found


def _one(template: Template, entry: Json, parent: Parent, symbol: str) -> list[Planned]:
    functions = parent.functions
    if not evaluate(entry.get("condition", True), functions):
        return []
    own = {key: evaluate(entry.get(key), functions) for key in ("type", "name", "apiVersion")}
    for key, value in own.items():
        if not isinstance(value, str) or not value:
            raise TemplateError(
                f"The template resource '{entry.get('name', '')}' is not valid: the required property '{key}' is "
                "missing. Please see https://aka.ms/arm-syntax-resources for usage details."
            )
    whole_type = f"{parent.type}/{own['type']}" if parent.type else str(own["type"])
    whole_name = f"{parent.name}/{own['name']}" if parent.name else str(own["name"])
    resource = Planned(
        id=_id_of(template.scope, entry, whole_type, whole_name, functions),
        type=whole_type,
        name=whole_name,
        api_version=str(own["apiVersion"]),
        body=entry,
        functions=functions,
        depends_on=[str(evaluate(text, functions)) for text in entry.get("dependsOn") or []],
        symbol=symbol,
    )
    found = [resource]
    for nested in entry.get("resources") or []:
        found += _entries(template, nested, Parent(whole_type, whole_name, functions))
    return found


def _id_of(scope: Scope, entry: Json, type_: str, name: str, functions: Functions) -> str:
    tail = pairs(type_, name)
    if entry.get("scope"):
        of = str(evaluate(entry["scope"], functions))
        within = of if of.startswith("/subscriptions/") else f"{scope.id}/providers/{of}"
        return f"{within}/providers/{tail}"
    if type_.lower() == "microsoft.resources/resourcegroups":
        return Scope(scope.subscription, name).id
    if type_.lower() == "microsoft.resources/deployments":
        subscription = str(evaluate(entry.get("subscriptionId") or scope.subscription, functions))
        group = evaluate(entry.get("resourceGroup") or scope.group, functions)
        scope = Scope(subscription, group)
    return f"{scope.id}/providers/{tail}"


def _resolve(resources: list[Planned], template: Template) -> None:
    """Replace what ``dependsOn`` names by ids: ids, ``TYPE/NAME``, names, symbols, and names of loops."""
    symbols = template.document.get("resources")
    existing = {
        name.lower()
        for name, entry in (symbols.items() if isinstance(symbols, dict) else ())
        if isinstance(entry, dict) and (entry.get("existing") or "condition" in entry)
    }
    skipped = _skipped(template)
    for resource in resources:
        found: list[str] = []
        for text in resource.depends_on:
            matches = [other.id for other in resources if _is_named(other, text)]
            if not matches and text.lower() not in existing and not skipped:
                raise TemplateError(
                    f"The resource '{text}' is not defined in the template. Please see https://aka.ms/arm-syntax for "
                    "usage details."
                )
            found += matches
        resource.depends_on = found


def _skipped(template: Template) -> bool:
    """Return whether a condition or an empty loop leaves out a resource, which others may still wait for."""
    entries: t.Any = template.document.get("resources") or []
    entries = entries.values() if isinstance(entries, dict) else entries
    return any(isinstance(entry, dict) and ("condition" in entry or "copy" in entry) for entry in entries)


def _is_named(resource: Planned, text: str) -> bool:
    wanted = text.lower()
    names = (
        resource.id,
        resource.name,
        resource.symbol,
        resource.loop,
        f"{resource.type}/{resource.name}",
        pairs(resource.type, resource.name),
    )
    return any(name and name.lower() == wanted for name in names)
