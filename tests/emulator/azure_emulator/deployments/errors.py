# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Errors in templates, in the Resource Manager's words."""

from __future__ import annotations

from ..errors import ApiError, Json


class TemplateError(Exception):
    """What is wrong with a template or its parameters."""


def invalid_template(error: TemplateError) -> ApiError:
    """Return 400 for a template that cannot be evaluated."""
    violation: Json = {"type": "TemplateViolation", "info": {"lineNumber": 0, "linePosition": 0, "path": ""}}
    return ApiError(
        400,
        "InvalidTemplate",
        f"Deployment template validation failed: '{error}'.",
        extra={"additionalInfo": [violation]},
    )
