# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The task behind docker_host_summary: lines for a person."""

from __future__ import annotations

import typing as t

from .._argspec import ArgumentSpec
from .._backend import Backend, Request
from .summary import summary

SPEC = ArgumentSpec(
    argument_spec={
        "hosts": {"type": "list", "elements": "dict", "default": []},
        "lines": {"type": "list", "elements": "str", "default": []},
    }
)


def run(request: Request) -> dict[str, t.Any]:
    """Return the given lines, then the summary of the hosts. Nothing is read and nothing is changed."""
    params = request.params
    return {"changed": False, "lines": [*params["lines"], *summary(params["hosts"], check_mode=request.check_mode)]}


BACKEND = Backend(name="docker_host_summary", spec=SPEC, run=run)
