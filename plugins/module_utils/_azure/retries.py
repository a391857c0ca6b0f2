# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The SDK's retries, which outlast Azure's throttling."""

from __future__ import annotations

import functools
import typing as t

from .._backend import silent

THROTTLED = 429
LONGEST_PAUSE_SECONDS = 60
WAITING = "Waiting, because Azure limits the number of requests"


def retry_policy(progress: t.Callable[[str], None] = silent) -> t.Any:
    """Return a policy that repeats failed requests as the SDK does, but throttled ones for longer.

    Compute counts requests over 3 minutes and more, and often refuses them without ``Retry-After``
    (hashicorp/terraform-provider-azurerm#19146). Then the SDK repeats reads, PUT and DELETE three times within 5 s,
    and PATCH and POST not at all. A throttled request had no effect, so any method can be repeated; all ten attempts
    take up to 5 minutes, or until the session's time to wait is over, see :func:`transport.make_transport`.

    :param progress: shows a line for the user before each pause.
    """
    return _policy_class()(progress, retry_backoff_max=LONGEST_PAUSE_SECONDS)


@functools.cache
def _policy_class() -> type[t.Any]:
    from azure.core.pipeline.policies import RetryPolicy

    class PatientRetryPolicy(RetryPolicy):  # type: ignore[misc]
        """The SDK's policy; throttled requests of every method count as attempts only."""

        def __init__(self, progress: t.Callable[[str], None], **settings: t.Any) -> None:
            super().__init__(**settings)
            self._progress = progress

        def is_retry(self, settings: dict[str, t.Any], response: t.Any) -> bool:
            return bool(settings["total"] and is_throttled(response)) or bool(super().is_retry(settings, response))

        def increment(self, settings: dict[str, t.Any], response: t.Any = None, error: t.Any = None) -> bool:
            throttled = error is None and is_throttled(response)
            if throttled:
                settings["status"] += 1
            again = bool(super().increment(settings, response=response, error=error))
            if throttled and again:
                self._progress(WAITING)
            return again

    return PatientRetryPolicy


def is_throttled(answer: t.Any) -> bool:
    """Return whether an answer in the SDK's pipeline says that there were too many requests."""
    return getattr(getattr(answer, "http_response", None), "status_code", None) == THROTTLED
