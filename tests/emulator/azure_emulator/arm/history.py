# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bodies as an older api-version shows them: without the members that came later."""

from __future__ import annotations

import copy
import typing as t

from .resource import Json

Introduced = t.Mapping[str, str]
"""By path, the first api-version that shows a member. ``dataDisks[].lun`` is in every entry of a list."""


def without_newer(body: Json, introduced: Introduced, api_version: str) -> Json:
    """Return a copy of a body without the members that an api-version does not have."""
    body = copy.deepcopy(body)
    for path, since in introduced.items():
        if api_version < since:
            _drop(body, path.split("."))
    return body


def _drop(value: t.Any, steps: list[str]) -> None:
    step, *rest = steps
    if not isinstance(value, dict):
        return
    name = step.removesuffix("[]")
    if not rest:
        value.pop(name, None)
        return
    inner = value.get(name)
    for item in inner if step.endswith("[]") and isinstance(inner, list) else [inner]:
        _drop(item, rest)
