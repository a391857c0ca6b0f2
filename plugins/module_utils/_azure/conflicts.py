# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What passes by itself: somebody else's request on the same resource is still going on. Private to this collection."""

from __future__ import annotations

import time
import typing as t

from .errors import AzureError
from .operations import Deadline

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
"""Azure's codes when another request on the same resource is still going on, or has taken the place of this one."""
PATIENCE_SECONDS = 240.0
FIRST_PAUSE_SECONDS = 1.0

T = t.TypeVar("T")


def retry_on_conflict(act: t.Callable[[], T], deadline: Deadline, patience: float = PATIENCE_SECONDS) -> T:
    """Do something to a resource, again while others are at it.

    :param patience: seconds after which it is not tried again; nor is it when the deadline is over.
    :raises AzureError: it failed for another reason, or others are at it still.
    """
    end, pause = Deadline(patience), FIRST_PAUSE_SECONDS
    while True:
        try:
            return act()
        except AzureError as error:
            left = min(entry.left for entry in (end, deadline) if entry.left is not None)
            if error.code not in CONCURRENT or not left:
                raise
        time.sleep(min(pause, left))
        pause = min(10.0, pause * 1.6)
