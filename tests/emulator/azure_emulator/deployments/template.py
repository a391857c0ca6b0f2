# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A template with its parameters: what it says about parameters, variables, resources and outputs."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ..errors import Json
from .errors import TemplateError
from .expressions import Function, Functions, evaluate
from .functions import FUNCTIONS
from .scope import Scope, pairs, resource_id

TYPES: t.Mapping[str, tuple[str, tuple[type, ...]]] = {
    "string": ("String", (str,)),
    "securestring": ("SecureString", (str,)),
    "int": ("Int", (int,)),
    "bool": ("Bool", (bool,)),
    "object": ("Object", (dict,)),
    "secureobject": ("SecureObject", (dict,)),
    "array": ("Array", (list,)),
}
"""Of the types of parameters and outputs: their names in answers, and the values that they have."""
NOT_SENT = frozenset(
    {
        "type",
        "name",
        "apiVersion",
        "dependsOn",
        "condition",
        "copy",
        "comments",
        "resources",
        "scope",
        "metadata",
        "existing",
        "import",
        "resourceGroup",
        "subscriptionId",
    }
)
"""Members of a template's resource that the Resource Manager itself reads. The rest is the body of its PUT."""


@dataclass
class Planned:
    """One resource that a template names.

    :param functions: those with which its body is evaluated.
    :param depends_on: ids of other resources of the template.
    """

    id: str
    type: str
    name: str
    api_version: str
    body: Json
    functions: Functions
    depends_on: list[str] = field(default_factory=list)
    symbol: str = ""
    loop: str = ""


class Template:
    """A template that is evaluated for one deployment.

    :param document: the template.
    :param given: parameters as a request gives them: ``{"name": {"value": VALUE}}``.
    :param context: functions that depend on the cloud.
    :raises TemplateError: parameters are missing, unknown or invalid.
    """

    def __init__(self, document: Json, given: Json, scope: Scope, context: Functions) -> None:
        self.document = document
        self.scope = scope
        self._variables: dict[str, t.Any] = {}
        own: dict[str, Function] = {
            "parameters": self._parameter,
            "variables": self._variable,
            "resourceid": lambda *words: resource_id(scope, words),
            "subscriptionresourceid": lambda *words: resource_id(Scope(scope.subscription, None), words),
            "tenantresourceid": lambda type_, *names: f"/providers/{pairs(type_, '/'.join(names))}",
            "extensionresourceid": lambda of, type_, *names: f"{of}/providers/{pairs(type_, '/'.join(names))}",
        }
        self.functions: dict[str, Function] = {**FUNCTIONS, **context, **own}
        self.parameters: dict[str, tuple[str, t.Any]] = {}
        self._take(given)

    def _take(self, given: Json) -> None:
        """Take type and value of each parameter."""
        declared: Json = self.document.get("parameters") or {}
        known = {name.lower(): name for name in declared}
        unknown = [name for name in given if name.lower() not in known]
        if unknown:
            raise TemplateError(
                f"The template parameters '{', '.join(unknown)}' in the parameters file are not valid; they are not "
                "present in the original template and can therefore not be provided at deployment time. The only "
                f"supported parameters for this template are '{', '.join(declared)}'. Please see "
                "https://aka.ms/arm-pass-parameter-values for usage details."
            )
        values = {known[name.lower()]: item for name, item in given.items()}
        for name, declaration in declared.items():
            self.parameters[name] = (str(declaration.get("type", "")).lower(), self._value(name, declaration, values))

    def _value(self, name: str, declaration: Json, given: Json) -> t.Any:
        if isinstance(given.get(name), dict) and "value" in given[name]:
            value = given[name]["value"]
        elif "defaultValue" in declaration:
            value = evaluate(declaration["defaultValue"], self.functions)
        else:
            raise TemplateError(
                f"The value for the template parameter '{name}' at line '1' and column '1' is not provided. Please "
                "see https://aka.ms/arm-create-parameter-file for usage details."
            )
        _check_value(name, declaration, value)
        return value

    def _parameter(self, name: str) -> t.Any:
        for known, (_type, value) in self.parameters.items():
            if known.lower() == name.lower():
                return value
        raise TemplateError(
            f"The template parameter '{name}' is not found. Please see https://aka.ms/arm-syntax-parameters for usage "
            "details."
        )

    def _variable(self, name: str) -> t.Any:
        declared: Json = self.document.get("variables") or {}
        loops = [{"copy": [loop]} for loop in declared.get("copy") or []]
        for known, value in [*declared.items(), *((loop["copy"][0]["name"], loop) for loop in loops)]:
            if known.lower() == name.lower():
                if known not in self._variables:
                    found = expand(value, self.functions)
                    self._variables[known] = found[known] if value in loops else found
                return self._variables[known]
        raise TemplateError(
            f"The template variable '{name}' is not found. Please see https://aka.ms/arm-syntax-variables for usage "
            "details."
        )

    def outputs(self) -> Json:
        """Return the outputs, each with type and value."""
        found: Json = {}
        for name, output in (self.document.get("outputs") or {}).items():
            if evaluate(output.get("condition", True), self.functions):
                shown = TYPES.get(str(output.get("type", "")).lower(), (output.get("type"), ()))[0]
                found[name] = {"type": shown, "value": evaluate(output.get("value"), self.functions)}
                if str(shown).startswith("Secure"):
                    del found[name]["value"]
        return found

    def shown_parameters(self) -> Json:
        """Return the parameters as answers show them: without secrets."""
        shown: Json = {}
        for name, (type_, value) in self.parameters.items():
            secret = type_.startswith("secure")
            shown[name] = {"type": TYPES[type_][0], **({} if secret else {"value": value})}
        return shown


def _check_value(name: str, declaration: Json, value: t.Any) -> None:
    type_ = str(declaration.get("type", "")).lower()
    if type_ not in TYPES:
        raise TemplateError(f"The type '{declaration.get('type')}' of the template parameter '{name}' is not valid.")
    fits = isinstance(value, TYPES[type_][1]) and (type_ == "bool") == isinstance(value, bool)
    if value is not None and not fits:
        raise TemplateError(
            f"Template parameter JToken type is not valid. Expected '{TYPES[type_][0]}'. Actual "
            f"'{type(value).__name__}'. Please see https://aka.ms/arm-create-parameter-file for usage details."
        )
    allowed = declaration.get("allowedValues")
    if allowed and value not in allowed:
        raise TemplateError(
            f"The provided value for the template parameter '{name}' is not valid. The value '{value}' is not part of "
            f"the allowed value(s): '{','.join(map(str, allowed))}'."
        )


def expand(value: t.Any, functions: Functions) -> t.Any:
    """Return a value with its expressions evaluated, and with the arrays that its ``copy`` members describe."""
    if isinstance(value, list):
        return [expand(item, functions) for item in value]
    if not isinstance(value, dict):
        return evaluate(value, functions)
    found: Json = {}
    for name, item in value.items():
        if name == "copy" and isinstance(item, list):
            for loop in item:
                found[loop["name"]] = _repeated(loop, functions)
        else:
            found[name] = expand(item, functions)
    return found


def _repeated(loop: Json, functions: Functions) -> list[t.Any]:
    count = evaluate(loop.get("count"), functions)
    return [expand(loop.get("input"), with_index(functions, str(loop["name"]), number)) for number in range(count)]


def with_index(functions: Functions, loop: str, number: int) -> Functions:
    """Return the functions with ``copyIndex`` for one round of a loop."""
    outer = functions.get("copyindex")

    def copy_index(*arguments: t.Any) -> int:
        names = [argument for argument in arguments if isinstance(argument, str)]
        if names and names[0].lower() != loop.lower() and outer is not None:
            return int(outer(*arguments))
        return number + sum(argument for argument in arguments if isinstance(argument, int))

    return {**functions, "copyindex": copy_index}
