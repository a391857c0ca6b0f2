# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Points in time as the options write them."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

from .._errors import OptionError

RELATIVE = re.compile(
    r"^(?P<sign>[+-])"
    r"(?:(?P<weeks>\d+)[wW])?(?:(?P<days>\d+)[dD])?(?:(?P<hours>\d+)[hH])?"
    r"(?:(?P<minutes>\d+)[mM])?(?:(?P<seconds>\d+)[sS]?)?\Z",
    re.ASCII,
)
ABSOLUTE = ("%Y%m%d%H%M%SZ", "%y%m%d%H%M%SZ", "%Y%m%d%H%M%S%z", "%Y%m%d%H%MZ", "%y%m%d%H%MZ")
EXPECTED = (
    "use a relative time such as +397d or +32w1d2h3m4s, or an absolute one such as 20301231235959Z,"
    " as community.crypto does"
)


def utc_now() -> datetime:
    """Return the current time in whole seconds, UTC."""
    return datetime.now(timezone.utc).replace(microsecond=0)


def parse_span(option: str, text: str) -> timedelta:
    """Return the time span of a text such as ``+30d`` or ``+4w``.

    :raises OptionError: it is not one, or it is negative.
    """
    span = _relative(option, text)
    if span is None or span < timedelta(0):
        raise OptionError(option, f"{text!r} is not a time span; use one such as +30d or +4w")
    return span


def parse_time(option: str, text: str, now: datetime) -> datetime:
    """Return a point in time (UTC), which the text gives relative to ``now`` or in the absolute forms of ASN.1.

    :raises OptionError: it is neither.
    """
    span = _relative(option, text)
    if span is not None:
        try:
            return now + span
        except OverflowError as error:
            raise OptionError(option, f"{text!r} is after the year 9999") from error
    for form in ABSOLUTE:
        try:
            parsed = datetime.strptime(text, form)
        except ValueError:
            continue
        return parsed.replace(tzinfo=timezone.utc) if parsed.tzinfo is None else parsed.astimezone(timezone.utc)
    raise OptionError(option, f"{text!r} is not a time; {EXPECTED}")


def _relative(option: str, text: str) -> timedelta | None:
    match = RELATIVE.match(text)
    if match is None:
        return None
    parts = {name: int(value) for name, value in match.groupdict().items() if name != "sign" and value}
    if not parts:
        raise OptionError(option, f"{text!r} is not a time; {EXPECTED}")
    try:
        span = timedelta(**parts)
    except OverflowError as error:
        raise OptionError(option, f"{text!r} is too long") from error
    return -span if match["sign"] == "-" else span


def iso(moment: datetime) -> str:
    """Return a time as ISO 8601 with whole seconds and the letter Z."""
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def whole_days(span: timedelta) -> int:
    """Return a time span in days, rounded down: half a day left is 0, half a day ago is -1."""
    return span // timedelta(days=1)
