# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How long operations take.

The distributions come from recorded traffic (seconds; minimum, median, 90th percentile, maximum).
"""

from __future__ import annotations

import random
import typing as t

RECORDED: t.Mapping[str, tuple[float, float, float, float]] = {
    "vm.create": (16, 95, 146, 1312),
    "vm.update": (0.1, 7, 27, 477),
    "vm.patch": (0.1, 4, 16, 20),
    "vm.attachDetach": (0.1, 4, 16, 20),
    "vm.delete": (0.4, 42, 144, 327),
    "vm.deallocate": (9, 31, 262, 1405),
    "vm.powerOff": (3, 10, 30, 36),
    "vm.start": (0.4, 13, 26, 80),
    "vm.restart": (0.2, 0.5, 21, 36),
    "vm.redeploy": (0.4, 13, 26, 80),
    "vm.reapply": (0.1, 4, 16, 20),
    "vm.runCommand": (10, 30, 101, 113),
    "extension.create": (10, 80, 286, 1433),
    "extension.update": (0.1, 43, 75, 83),
    "extension.patch": (0.1, 0.3, 43, 75),
    "extension.delete": (10, 30, 101, 113),
    "runCommand.create": (10, 80, 286, 1433),
    "runCommand.update": (0.1, 43, 75, 83),
    "runCommand.delete": (10, 30, 101, 113),
    "publicIPAddress.create": (0, 1.5, 6, 31),
    "publicIPAddress.update": (0, 1.5, 6, 31),
    "networkSecurityGroup.create": (0, 2, 6, 15),
    "networkSecurityGroup.update": (0, 2, 6, 15),
    "securityRule.create": (0, 2, 6, 15),
    "virtualNetwork.create": (0, 4, 12, 56),
    "virtualNetwork.update": (0, 4, 12, 56),
    "subnet.create": (0, 4, 12, 56),
    "networkInterface.update": (30, 62, 93, 198),
    "network.delete": (0, 5, 11, 102),
    "disk.create": (0.5, 2, 4, 10),
    "disk.update": (0.5, 2, 4, 10),
    "disk.delete": (0.2, 1, 4, 10),
    "disk.beginAccess": (0.2, 1, 4, 10),
    "disk.endAccess": (0.2, 1, 4, 10),
    "group.delete": (46, 347, 902, 1505),
    "agent.lost": (1510, 1510, 1510, 1510),
}

MAXIMUM_RETRY_AFTER = 3600
OF_HANDLERS = frozenset(
    ("extension.create", "extension.update", "extension.patch", "runCommand.create", "runCommand.update")
    + ("vm.runCommand",)
)
"""Operations that end when a handler in the machine has ended. What was recorded includes the handler's own time."""
LEAST = 0.1
"""The share of the recorded durations in which a handler does next to nothing: what is left is Azure's own time."""


class Latencies:
    """Draws durations and scales waiting times.

    :param mode: ``instant``, ``recorded[:SCALE]``, or ``handlers[:SCALE]``: as recorded, but :data:`OF_HANDLERS` end
        when their handler has ended, and Azure's own time after it.
    :raises ValueError: the mode is none of these.
    """

    def __init__(self, mode: str = "instant", seed: int | None = None) -> None:
        kind, _unused, scale = mode.partition(":")
        if kind == "instant" and not scale:
            self.scale = 0.0
        elif kind in ("recorded", "handlers"):
            self.scale = float(scale or 1)
            if not 0 < self.scale <= 1000:
                raise ValueError(f"latency {mode!r}: the scale must be above 0")
        else:
            raise ValueError(f"latency {mode!r}: expected instant, recorded[:SCALE] or handlers[:SCALE]")
        self.mode = mode
        self._of_handlers = OF_HANDLERS if kind == "handlers" else frozenset[str]()
        self._random = random.Random(seed)

    @property
    def instant(self) -> bool:
        """Whether operations end as soon as their work is done."""
        return self.scale == 0

    def draw(self, operation: str) -> float:
        """Return a duration in seconds for an operation, already scaled; 0 when instant or unknown."""
        if self.instant:
            return 0.0
        share = self._random.random() * (LEAST if self.counts_from_end(operation) else 1)
        return self.scale * _quantile(RECORDED.get(operation, (0, 0, 0, 0)), share)

    def counts_from_end(self, operation: str) -> bool:
        """Return whether the duration of an operation counts from the end of its handler, not from its own start."""
        return operation in self._of_handlers

    def retry_after(self, recorded: int | None) -> int | None:
        """Return the Retry-After for a recorded one. It is never 0, which clients treat as no answer at all."""
        if recorded is None:
            return None
        if self.instant:
            return 1
        return min(MAXIMUM_RETRY_AFTER, max(1, round(recorded * self.scale)))


def _quantile(points: tuple[float, float, float, float], share: float) -> float:
    """Return the quantile ``share`` of the recorded durations, interpolated linearly."""
    minimum, median, ninetieth, maximum = points
    for low, high, start, end in ((0.0, 0.5, minimum, median), (0.5, 0.9, median, ninetieth)):
        if share <= high:
            return start + (end - start) * (share - low) / (high - low)
    return ninetieth + (maximum - ninetieth) * ((share - 0.9) / 0.1) ** 3
