# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The expressions of templates: ``[concat(parameters('name'), '-nic')]``.

An expression is parsed into nodes; a node evaluates itself with the functions that a :data:`Functions` offers.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from .errors import TemplateError

Function = t.Callable[..., t.Any]
Functions = t.Mapping[str, Function]
"""Functions by their names in lower case."""
_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<number>-?\d+)|(?P<name>[A-Za-z_][\w.]*(?=\s*\())|(?P<member>\.\s*\w+)"
    r"|(?P<mark>[()\[\],]))"
)


class Node(t.Protocol):
    """A part of an expression."""

    def value(self, functions: Functions) -> t.Any:
        """Return its value."""


@dataclass(frozen=True)
class Literal:
    """A text or a number."""

    literal: str | int

    def value(self, functions: Functions) -> t.Any:
        """Return the literal."""
        return self.literal


@dataclass(frozen=True)
class Call:
    """A call of a function."""

    name: str
    arguments: tuple[Node, ...]

    def value(self, functions: Functions) -> t.Any:
        """Return what the function returns. Only the branch of ``if`` that counts is evaluated."""
        name = self.name.lower()
        if name == "if" and len(self.arguments) == 3:
            return self.arguments[1 if self.arguments[0].value(functions) else 2].value(functions)
        function = functions.get(name)
        if function is None:
            raise TemplateError(
                f"The template function '{self.name}' is not valid. Please see https://aka.ms/arm-functions for usage "
                "details."
            )
        arguments = [argument.value(functions) for argument in self.arguments]
        try:
            return function(*arguments)
        except TypeError as error:
            raise TemplateError(
                f"Unable to evaluate template language function '{self.name}': the type or number of arguments is not "
                "valid. Please see https://aka.ms/arm-functions for usage details."
            ) from error


@dataclass(frozen=True)
class Member:
    """A member of an object, or an entry of an array."""

    of: Node
    key: Node

    def value(self, functions: Functions) -> t.Any:
        """Return the member; names of members are compared without regard to case."""
        whole, key = self.of.value(functions), self.key.value(functions)
        if isinstance(whole, dict):
            for name, item in whole.items():
                if name.lower() == str(key).lower():
                    return item
            raise TemplateError(
                f"The language expression property '{key}' doesn't exist, available properties are "
                f"'{', '.join(whole)}'. Please see https://aka.ms/arm-functions for usage details."
            )
        if isinstance(whole, list) and isinstance(key, int) and 0 <= key < len(whole):
            return whole[key]
        raise TemplateError(
            f"The language expression property array index '{key}' is out of bounds. Please see "
            "https://aka.ms/arm-functions for usage details."
        )


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = self._split(text)

    def _split(self, text: str) -> list[tuple[str, str]]:
        tokens, at = [], 0
        text = text.rstrip()
        while at < len(text):
            match = _TOKEN.match(text, at)
            if match is None:
                raise self._broken()
            kind = str(match.lastgroup)
            tokens.append((kind, match[kind]))
            at = match.end()
        return tokens

    def _broken(self) -> TemplateError:
        return TemplateError(
            f"The template language expression '{self._text}' is not valid. Please see "
            "https://aka.ms/arm-functions for usage details."
        )

    def _next(self, mark: str = "") -> tuple[str, str]:
        if not self._tokens or (mark and self._tokens[0] != ("mark", mark)):
            raise self._broken()
        return self._tokens.pop(0)

    def _at(self, mark: str) -> bool:
        return bool(self._tokens) and self._tokens[0] == ("mark", mark)

    def whole(self) -> Node:
        """Return the node of the whole text."""
        node = self._expression()
        if self._tokens:
            raise self._broken()
        return node

    def _expression(self) -> Node:
        node = self._first()
        while self._tokens and (self._at("[") or self._tokens[0][0] == "member"):
            kind, text = self._next()
            if kind == "member":
                node = Member(node, Literal(text[1:].strip()))
            else:
                node = Member(node, self._expression())
                self._next("]")
        return node

    def _first(self) -> Node:
        kind, text = self._next()
        if kind == "text":
            return Literal(text[1:-1].replace("''", "'"))
        if kind == "number":
            return Literal(int(text))
        if kind == "name":
            return Call(text, self._arguments())
        raise self._broken()

    def _arguments(self) -> tuple[Node, ...]:
        self._next("(")
        found: list[Node] = []
        while not self._at(")"):
            if found:
                self._next(",")
            found.append(self._expression())
        self._next(")")
        return tuple(found)


def evaluate(value: t.Any, functions: Functions) -> t.Any:
    """Return a JSON value with every expression in it evaluated.

    :raises TemplateError: an expression is invalid.
    """
    if isinstance(value, dict):
        return {name: evaluate(item, functions) for name, item in value.items()}
    if isinstance(value, list):
        return [evaluate(item, functions) for item in value]
    return _text(value, functions) if isinstance(value, str) else value


def _text(text: str, functions: Functions) -> t.Any:
    if not (text.startswith("[") and text.endswith("]")):
        return text
    if text.startswith("[["):
        return text[1:]
    return _Parser(text[1:-1]).whole().value(functions)
