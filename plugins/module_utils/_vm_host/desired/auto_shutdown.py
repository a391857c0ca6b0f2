# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When Azure deallocates a host each day, read from the options and checked."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, field

from ..._azure.origins import is_url
from ..._errors import OptionError

Params = t.Mapping[str, t.Any]
OPTION = "auto_shutdown"
DEFAULT_TIME_ZONE = "UTC"
DEFAULT_MINUTES = 30

_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
# "Default Time Zones" (learn.microsoft.com): letters, digits, blanks and . + - ( ), such as "W. Europe Standard Time".
_TIME_ZONE = re.compile(r"[A-Za-z][A-Za-z0-9 .+()-]{1,62}[A-Za-z0-9)]")
_EMAIL = re.compile(r"[^\s@;,]+@[^\s@;,]+")


@dataclass(frozen=True)
class AutoShutdown:
    """A daily shutdown. None means that the option was not set: an existing schedule keeps what it has.

    :param enabled: whether the host has such a schedule.
    :param time: the time of day, ``HH:MM``.
    :param time_zone: a name that Windows gives to a time zone.
    :param minutes: minutes between the notification and the shutdown.
    """

    enabled: bool
    time: str | None = None
    time_zone: str | None = None
    email: str | None = None
    webhook: str | None = field(default=None, repr=False)
    minutes: int | None = None


def read_auto_shutdown(params: Params) -> AutoShutdown | None:
    """Return the daily shutdown that the options describe; None if they do not set it.

    :raises OptionError: one is wrong, or contradicts another one.
    """
    given = params[OPTION]
    if given is None:
        return None
    settings = {name: value for name, value in given.items() if value not in (None, "") and name != "enabled"}
    if not given["enabled"]:
        for name in settings:
            raise OptionError(f"{OPTION}.{name}", f"contradicts O({OPTION}.enabled=false): leave out one of the two")
        return AutoShutdown(enabled=False)
    return AutoShutdown(
        enabled=True,
        time=_time(settings.get("time")),
        time_zone=_matching(
            "time_zone", settings, _TIME_ZONE, "a time zone as Windows names it", "W. Europe Standard Time"
        ),
        email=_matching("notification_email", settings, _EMAIL, "one e-mail address", "ops@example.com"),
        webhook=_webhook(settings.get("notification_webhook")),
        minutes=_minutes(settings.get("notification_minutes")),
    )


def _time(value: t.Any) -> str:
    if value is None:
        raise OptionError(f"{OPTION}.time", 'is required: give the time of day, for example "19:00"')
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        # YAML 1.1 reads 19:00 without quotes as the number 1140.
        raise OptionError(f"{OPTION}.time", f'must be a time of day as text in quotes, such as "19:00", got {value!r}')
    return value


def _matching(name: str, settings: Params, pattern: re.Pattern[str], what: str, example: str) -> str | None:
    value = settings.get(name)
    if value is not None and not pattern.fullmatch(value):
        raise OptionError(f"{OPTION}.{name}", f"must be {what}, such as {example}, got {value!r}")
    return value


def _webhook(value: str | None) -> str | None:
    if value is not None and not is_url(value, "https"):
        raise OptionError(f"{OPTION}.notification_webhook", "must be a URL that starts with https://")
    return value


def _minutes(value: int | None) -> int | None:
    # NotificationSettings.timeInMinutes of the DevTest Labs API; the portal allows 15 to 120.
    if value is not None and not 15 <= value <= 120:
        raise OptionError(f"{OPTION}.notification_minutes", f"must be 15 to 120 minutes, got {value}")
    return value
