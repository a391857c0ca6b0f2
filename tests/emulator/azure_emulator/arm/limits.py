# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The remaining requests, which the compute provider counts per minute, resource and subscription."""

from __future__ import annotations

import time
from collections import deque

WINDOW = 60.0
LIMITS: dict[str, tuple[int, int]] = {
    "PutVM": (1500, 12),
    "UpdateVM": (1500, 12),
    "DeleteVM": (1500, 12),
    "LowCostGet": (24000, 36),
    "GetOperation": (15000, 45),
    "HighCostGet": (900, 0),
}
"""Requests a minute: of the subscription, of one resource (0: not counted)."""
UPDATES = ("/poweroff", "/generalize", "/runcommand", "/start", "/restart", "/redeploy", "/reapply")


def bucket_of(method: str, path: str) -> tuple[str, str] | None:
    """Return the limit that a request counts for, and its resource; None for requests that are not counted.

    :param path: in lower case.
    """
    head, marker, rest = path.partition("/providers/microsoft.compute/")
    if not marker:
        return None
    if rest.startswith("locations/"):
        return ("GetOperation", rest) if "/operations/" in rest else None
    if not rest.startswith("virtualmachines"):
        return None
    name = rest.split("/")[1] if "/" in rest else ""
    target = f"{head}/{name}"
    if method == "GET":
        return ("LowCostGet", target) if name else ("HighCostGet", head)
    if method == "DELETE" or path.endswith("/deallocate"):
        return "DeleteVM", target
    if method == "PUT" and rest.count("/") == 1:
        return "PutVM", target
    return "UpdateVM", target


class RateLimits:
    """Counts requests and reports how many are left. It refuses none."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, str], deque[float]] = {}

    def header(self, method: str, path: str) -> str | None:
        """Return the value of ``x-ms-ratelimit-remaining-resource`` for a request, which is counted."""
        bucket = bucket_of(method, path)
        if bucket is None:
            return None
        name, target = bucket
        whole, single = LIMITS[name]
        text = f"Microsoft.Compute/{name}SubscriptionMaximum;{self._left(name, '', whole)}"
        if single:
            text += f",Microsoft.Compute/{name}Resource;{self._left(name, target, single)}"
        return text

    def _left(self, name: str, target: str, limit: int) -> int:
        now = time.monotonic()
        seen = self._seen.setdefault((name, target), deque(maxlen=limit))
        while seen and seen[0] < now - WINDOW:
            seen.popleft()
        seen.append(now)
        if len(self._seen) > 10_000:
            self._seen.clear()
        return max(0, limit - len(seen))
