# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Conflicts that pass by themselves: another request on the same resource is still in progress."""

from __future__ import annotations

import math
import time
import typing as t
from dataclasses import replace

from .._backend import silent
from .errors import AzureError
from .operations import Deadline, OperationInfo, ProgressReporter

CONCURRENT = frozenset(
    (
        "AnotherOperationInProgress",
        "Conflict",
        "ConflictingConcurrentWriteNotAllowed",
        "OperationPreempted",
        "RetryableError",
        "TooManyRequests",
    )
)
"""Azure's codes while another request on the same resource is in progress, or when it has replaced this one."""
CHANGED_SECONDS = 240.0
"""For how long a write is planned again because others changed the resource after it was read."""
FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 10.0

T = t.TypeVar("T")


def conflict_patience(error: AzureError) -> float:
    """Return for how many seconds an error is worth another attempt: a conflict as long as the caller can wait.

    Another extension, or a Run Command of the first kind, keeps a VM busy for up to 90 minutes ("Run scripts in your
    Linux VM by using action Run Commands", learn.microsoft.com). After 412, when the ETag in ``If-Match`` is no longer
    the current one, an attempt reads the resource again; that ends after :data:`CHANGED_SECONDS`.
    """
    if error.code in CONCURRENT:
        return math.inf
    return CHANGED_SECONDS if error.status == 412 or error.code == "PreconditionFailed" else 0.0


def retry_on_conflict(
    act: t.Callable[[], T],
    work: OperationInfo,
    deadline: Deadline,
    progress: t.Callable[[str], None] = silent,
    patience: t.Callable[[AzureError], float] = conflict_patience,
) -> T:
    """Send a request for a resource, and try again while other requests on it are in progress.

    :param work: the operation, for the progress lines while it waits.
    :param deadline: ends all attempts.
    :param patience: for how many seconds after the first attempt an error is worth another one.
    :raises AzureError: it failed for another reason, or the conflict outlasted deadline or patience.
    """
    begun = time.monotonic()
    reporter = ProgressReporter(replace(work, doing="Waiting for another operation to end", usual=None), progress)
    pause = FIRST_PAUSE_SECONDS
    while True:
        try:
            return act()
        except AzureError as error:
            left = patience(error) - (time.monotonic() - begun)
            if deadline.left is not None:
                left = min(left, deadline.left)
            if left <= 0:
                raise
        reporter.rest(min(pause, left))
        pause = min(LONGEST_PAUSE_SECONDS, pause * 1.6)
