# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a deployment goes: a resource group or a subscription; and the ids of what a template names."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .errors import TemplateError

_GUID = re.compile(r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$")


@dataclass(frozen=True)
class Scope:
    """A resource group, or with ``group`` None a subscription."""

    subscription: str
    group: str | None

    @property
    def id(self) -> str:
        """The id of the group or the subscription."""
        base = f"/subscriptions/{self.subscription}"
        return base if self.group is None else f"{base}/resourceGroups/{self.group}"


def pairs(type_: str, name: str) -> str:
    """Return ``PROVIDER/TYPE/NAME/TYPE/NAME``, which ends the id of a resource.

    :raises TemplateError: the type and the name have not as many segments as each other.
    """
    namespace, *types = type_.split("/")
    names = name.split("/")
    if not types or len(types) != len(names):
        raise TemplateError(
            f"The template resource '{name}' for type '{type_}' has incorrect segment lengths. A nested resource type "
            "must have identical number of segments as its resource name. A root resource type must have segment "
            "length one greater than its resource name. Please see https://aka.ms/arm-syntax-resources for usage "
            "details."
        )
    return "/".join([namespace, *(f"{level}/{own}" for level, own in zip(types, names, strict=True))])


def resource_id(scope: Scope, arguments: tuple[str, ...]) -> str:
    """Return what the function ``resourceId`` returns: ``([subscription], [group], type, name, ...)``.

    :raises TemplateError: there is no type among the arguments, or there are too many names.
    """
    at = next((n for n, word in enumerate(arguments) if "/" in word), None)
    if at is None or at > 2:
        raise TemplateError(
            "Unable to evaluate template language function 'resourceId': function requires fully qualified resource "
            "type 'containing namespace and types segments'. Please see https://aka.ms/arm-functions-resource for "
            "usage details."
        )
    before, type_, names = arguments[:at], arguments[at], arguments[at + 1 :]
    subscription, group = scope.subscription, scope.group
    for word in before:
        if _GUID.match(word) and (len(before) == 2 or group is None):
            subscription = word
        else:
            group = word
    return f"{Scope(subscription, group).id}/providers/{pairs(type_, '/'.join(names))}"
