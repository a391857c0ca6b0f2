# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults: requests that fail on purpose, selected by position or pattern."""

from __future__ import annotations

import json
import re
import typing as t
from dataclasses import dataclass, field

from .errors import ApiError, Json
from .settings import new_guid

ACTIONS = (
    "reset",
    "reset_after",
    "slow",
    "truncate",
    "status",
    "throttle",
    "operation",
    "lost_poll",
)
STATUS_BODIES: t.Mapping[int, tuple[str, str]] = {
    401: ("InvalidAuthenticationToken", "The access token is invalid."),
    403: ("AuthorizationFailed", "The client does not have authorization to perform action over scope."),
    404: ("NotFound", "The entity was not found."),
    409: ("Conflict", "The request failed due to conflict with a concurrent request."),
    412: ("PreconditionFailed", "Precondition failed."),
    429: (
        "SubscriptionRequestsThrottled",
        "Number of requests for the subscription exceeded the backend storage limit.",
    ),
    500: ("InternalServerError", "Encountered internal server error."),
    502: ("BadGateway", "Bad gateway."),
    503: ("ServiceUnavailable", "The service is unavailable."),
    504: ("GatewayTimeout", "The gateway did not receive a response within the specified time period."),
}


@dataclass
class Fault:
    """One fault.

    :param action: ``reset`` (the connection breaks, nothing has happened), ``reset_after`` (it breaks when the
        request has had its effect), ``slow`` (``seconds``), ``truncate`` (half the body, then the connection breaks),
        ``status`` (``status``, ``retry_after``, ``code``, ``message``; with 401 ``claims``, which a new token is to
        have), ``throttle`` (429 of the compute provider, ``retry_after``), ``operation`` (the operation that the
        request starts ends ``Failed``, ``Canceled`` or ``never``, see ``ends``), ``lost_poll`` (the operation goes on,
        but polling it answers 404).
    :param method: only requests with this method.
    :param path: only requests whose path matches this regular expression, in any case.
    :param nth: only from the nth matching request on; 1 is the first.
    :param times: how many requests it strikes; 0 means every one.
    """

    action: str
    method: str | None = None
    path: str | None = None
    nth: int = 1
    times: int = 1
    status: int = 500
    retry_after: int | None = None
    code: str | None = None
    message: str | None = None
    seconds: float = 1.0
    ends: str = "Failed"
    claims: str | None = None
    id: str = field(default_factory=new_guid)
    seen: int = 0
    struck: int = 0

    def __post_init__(self) -> None:
        if self.action not in ACTIONS:
            raise ValueError(f"fault action {self.action!r}: expected one of {', '.join(ACTIONS)}")
        if self.ends not in ("Failed", "Canceled", "never"):
            raise ValueError(f"fault ends {self.ends!r}: expected Failed, Canceled or never")
        if not 100 <= self.status <= 599:
            raise ValueError(f"fault status {self.status!r}: expected 100 to 599")
        re.compile(self.path or "")

    def strikes(self, method: str, path: str) -> bool:
        """Count a matching request, and return whether the fault strikes it."""
        if self.method is not None and self.method.upper() != method:
            return False
        if self.path is not None and not re.search(self.path, path, re.IGNORECASE):
            return False
        self.seen += 1
        if self.seen < self.nth or (self.times and self.struck >= self.times):
            return False
        self.struck += 1
        return True

    def error(self) -> ApiError:
        """Return the answer of ``status`` and ``throttle``."""
        headers = {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}
        if self.action == "throttle":
            return throttled(headers)
        code, message = STATUS_BODIES.get(self.status, ("InternalServerError", "Encountered internal server error."))
        return ApiError(self.status, self.code or code, self.message or message, headers=headers)

    def end(self) -> Json | None:
        """Return how the operation ends that the request starts."""
        if self.action == "lost_poll":
            return {"status": "lost"}
        if self.action != "operation":
            return None
        code = self.code or ("OperationCanceled" if self.ends == "Canceled" else "InternalExecutionError")
        message = self.message or "An internal execution error occurred. Please retry later."
        return {"status": self.ends, "error": {"code": code, "message": message}}


def throttled(headers: t.Mapping[str, str]) -> ApiError:
    """Return 429 of the compute provider (hashicorp/terraform-provider-azurerm#19146)."""
    measured = {"operationGroup": "HighCostGet3Min", "allowedRequestCount": 162, "measuredRequestCount": 191}
    return ApiError(
        429,
        "OperationNotAllowed",
        "The server rejected the request because too many requests have been received for this subscription.",
        details=[{"code": "TooManyRequests", "target": "HighCostGet3Min", "message": json.dumps(measured)}],
        extra={"innererror": {"internalErrorCode": "TooManyRequestsReceived"}},
        headers=headers,
    )


class Faults:
    """The faults that are waiting to strike.

    :param texts: JSON objects with the fields of :class:`Fault`.
    """

    def __init__(self, texts: t.Iterable[str] = ()) -> None:
        self._faults: list[Fault] = []
        for text in texts:
            self.add(json.loads(text))

    def add(self, fields: Json) -> Fault:
        """Add a fault.

        :raises ValueError: a field is unknown or has no sensible value.
        """
        unknown = set(fields) - set(Fault.__dataclass_fields__)
        if unknown:
            raise ValueError(f"unknown fault field: {', '.join(sorted(unknown))}")
        fault = Fault(**fields)
        self._faults.append(fault)
        return fault

    def clear(self) -> None:
        """Forget all faults."""
        self._faults.clear()

    def all(self) -> list[Fault]:
        """Return the faults, oldest first."""
        return list(self._faults)

    def match(self, method: str, path: str) -> Fault | None:
        """Return the fault that strikes this request."""
        struck = [fault for fault in self._faults if fault.strikes(method, path)]
        return struck[0] if struck else None
