# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Application security groups: names for sets of interfaces. Rules may refer to them; machines do not enforce those."""

from __future__ import annotations

import typing as t

from ..arm.resource import Json, Resource
from . import common
from .names import APPLICATION_GROUP
from .writes import NO_CHILDREN, Change, Children, Progress, Writer, serve_put

if t.TYPE_CHECKING:
    from ..cloud import Cloud


def render_group(_cloud: Cloud, group: Resource, _api_version: str) -> Json:
    """Return the body of a group."""
    return {**common.base_body(group), "properties": {"provisioningState": group.provisioning_state}}


def describe_group(_cloud: Cloud, _group: Resource, _body: Json) -> Children:
    """Take a request's body into a group, which has nothing but tags."""
    return NO_CHILDREN


def _progress(change: Change) -> Progress:
    return Progress("Updating" if change.is_change else "Succeeded", first_poll_waits=False)


common.RENDERERS[APPLICATION_GROUP] = render_group
common.serve(APPLICATION_GROUP)
serve_put(Writer(APPLICATION_GROUP, "applicationSecurityGroup", describe_group, _progress))
