# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Suggest alternatives after Azure has refused a size, or a quota was used up."""

from __future__ import annotations

from ..._azure.clients import AzureSession
from ..._azure.errors import AzureError
from ..._azure.wire import Json
from ..._errors import DockerHostError
from ..bodies.virtual_machine import size_of
from ..desired.host_spec import HostSpec
from .queries import query_sizes, query_usages
from .sizes import similar_sizes, sizes_in

_NO_ROOM = frozenset(
    (
        "AllocationFailed",
        "OverconstrainedAllocationRequest",
        "OverconstrainedZonalAllocationRequest",
        "SkuNotAvailable",
        "ZonalAllocationFailed",
    )
)


def suggest_alternatives(session: AzureSession, desired: HostSpec, location: str, error: DockerHostError) -> str:
    """Return alternatives after Azure refused a size or a quota was used up; empty if there are none.

    :param error: why the run failed.
    """
    if not isinstance(error, AzureError):
        return ""
    try:
        codes = {error.code, *error.error.detail_codes}
        if codes & _NO_ROOM:
            sizes = sizes_in(location, query_sizes(session, location) or [])
            match = next((size for size in sizes if size.name.lower() == size_of(desired).lower()), None)
            others = [size for size in sizes if size is not match]
            return (
                f"Similar sizes in {location}: {similar_sizes(size_of(desired), match, others, desired.zone)}."
                if others
                else ""
            )
        if codes & {"OperationNotAllowed", "QuotaExceeded"} and "quota" in error.error.message.lower():
            rows = [_shown_usage(usage) for usage in query_usages(session, location) or [] if usage.get("currentValue")]
            return f"In use in {location}: {', '.join(rows)}." if rows else ""
    except DockerHostError:
        return ""
    return ""


def _shown_usage(usage: Json) -> str:
    name = usage.get("name") or {}
    return f"{name.get('localizedValue') or name.get('value')} {usage.get('currentValue')} of {usage.get('limit')}"
