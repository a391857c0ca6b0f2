# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which handler answers which path. Paths are compared without regard to case, as the Resource Manager does."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from .messages import ArmRequest, Params, Reply

if t.TYPE_CHECKING:
    from ..cloud import Cloud

Handler = t.Callable[["Cloud", ArmRequest], t.Awaitable[Reply]]


@dataclass
class _Node:
    words: dict[str, _Node] = field(default_factory=dict)
    wildcard: _Node | None = None
    handlers: dict[str, tuple[Handler, tuple[str, ...], str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Match:
    """A path that is served.

    :param handlers: by method: the handler and the resource type that the route belongs to.
    """

    handlers: t.Mapping[str, tuple[Handler, str]]
    params: t.Mapping[str, Params]


class Router:
    """A tree of path segments; ``{name}`` in a template matches one segment."""

    def __init__(self) -> None:
        self._root = _Node()
        self._anywhere = _Node()

    def add(self, method: str, template: str, handler: Handler, type_: str = "", *, at_any_scope: bool = False) -> None:
        """Serve a method on a path template. ``type_`` is the resource type whose api-versions apply.

        :param at_any_scope: whether the template is what follows ``SCOPE/providers/``.
        """
        names: list[str] = []
        node = self._anywhere if at_any_scope else self._root
        for segment in template.strip("/").split("/"):
            if segment.startswith("{"):
                names.append(segment[1:-1])
                node.wildcard = node.wildcard or _Node()
                node = node.wildcard
            else:
                node = node.words.setdefault(segment.lower(), _Node())
        node.handlers[method] = (handler, tuple(names), type_)

    def find(self, path: str) -> Match | None:
        """Return the handlers of a path; None if it is not served."""
        scope, marker, rest = path.rstrip("/").rpartition("/providers/")
        found = self._walk(self._anywhere, rest.split("/"), 0, []) if marker and scope else None
        if found is not None:
            parts = scope.split("/")
            own = {"scope": scope, "subscription": parts[2] if len(parts) > 2 else ""}
            return self._match(*found, own)
        found = self._walk(self._root, path.strip("/").split("/"), 0, [])
        return self._match(*found, {}) if found is not None else None

    def _match(self, node: _Node, values: list[str], own: Params) -> Match:
        handlers = {method: (handler, type_) for method, (handler, _names, type_) in node.handlers.items()}
        params = {
            method: {**own, **dict(zip(names, values, strict=True))}
            for method, (_h, names, _t) in node.handlers.items()
        }
        return Match(handlers, params)

    def _walk(self, node: _Node, segments: list[str], at: int, values: list[str]) -> tuple[_Node, list[str]] | None:
        if at == len(segments):
            return (node, values) if node.handlers else None
        segment = segments[at]
        child = node.words.get(segment.lower())
        if child is not None:
            found = self._walk(child, segments, at + 1, values)
            if found is not None:
                return found
        if node.wildcard is not None and segment:
            return self._walk(node.wildcard, segments, at + 1, [*values, segment])
        return None


ROUTER = Router()


def route(method: str, template: str, type_: str = "") -> t.Callable[[Handler], Handler]:
    """Register the decorated function as the handler of ``method`` on ``template``."""

    def register(handler: Handler) -> Handler:
        ROUTER.add(method, template, handler, type_)
        return handler

    return register


def route_at_any_scope(method: str, template: str, type_: str) -> t.Callable[[Handler], Handler]:
    """Register the decorated function for a type that is part of any other: ``SCOPE/providers/TEMPLATE``.

    The path parameter ``scope`` is the id of a subscription, a group or a resource.
    """

    def register(handler: Handler) -> Handler:
        ROUTER.add(method, template, handler, type_, at_any_scope=True)
        return handler

    return register


SUBSCRIPTION = "/subscriptions/{subscription}"
GROUP = SUBSCRIPTION + "/resourceGroups/{group}"
