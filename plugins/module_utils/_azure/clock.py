# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The clock of this machine, compared with Azure's.

Every answer of Azure has the header ``Date`` (RFC 9110, section 6.6.1). The VM's clock is right, because Azure sets it.
A certificate that this machine issues is valid from five minutes before its own time on.
"""

from __future__ import annotations

import email.utils
import typing as t
from datetime import timedelta

from .._errors import DockerHostError

TOLERANCE_SECONDS = 300
"""As long as a certificate is valid before the time at which it is issued."""
_ADVICE = "Set the clock, for example with `timedatectl set-ntp true`"


def seconds_ahead(date: str | None, now: float) -> float | None:
    """Return by how many seconds this machine's clock is ahead of a server's, None if the server does not say.

    :param date: the answer's header ``Date``.
    :param now: this machine's time in seconds since 1970.
    """
    try:
        return now - email.utils.parsedate_to_datetime(date or "").timestamp()
    except (TypeError, ValueError):
        return None


def check_clock(ahead: float | None, warn: t.Callable[[str], None]) -> None:
    """Check that certificates of this machine are valid on a VM.

    :param ahead: see :func:`seconds_ahead`.
    :param warn: receives a warning if the clock is late.
    :raises DockerHostError: the clock is early.
    """
    if ahead is None or abs(ahead) <= TOLERANCE_SECONDS:
        return
    span = timedelta(seconds=round(abs(ahead)))
    if ahead < 0:
        warn(f"The clock of this machine is {span} behind Azure's, so that certificates expire too early. {_ADVICE}.")
        return
    raise DockerHostError(
        f"The clock of this machine is {span} ahead of Azure's, so that its certificates would not be valid on the VM"
        f" yet. Nothing was changed. {_ADVICE}, and run again."
    )
