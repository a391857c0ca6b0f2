# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Errors as the Resource Manager and its providers word them.

Texts and statuses come from recorded traffic and from reports that quote the service's answer.
"""

from __future__ import annotations

import typing as t

Json = dict[str, t.Any]


class ApiError(Exception):
    """An error answer: status, code, message, and what else its body and headers carry.

    :param target: the property that is wrong; left out of the body if None, as ``details`` is.
    :param extra: further keys of the object below ``error``.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        target: str | None = None,
        details: list[Json] | None = None,
        extra: Json | None = None,
        headers: t.Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.target = target
        self.details = details
        self.extra = extra or {}
        self.headers = dict(headers or {})

    def error(self) -> Json:
        """Return the object below ``error``."""
        body: Json = {"code": self.code, "message": self.message}
        if self.target is not None:
            body["target"] = self.target
        if self.details is not None:
            body["details"] = self.details
        body.update(self.extra)
        return body

    def body(self) -> Json:
        """Return the whole body of the answer."""
        return {"error": self.error()}


def network_error(code: str, message: str, status: int = 400, details: list[Json] | None = None) -> ApiError:
    """Return an error of the network provider: its bodies carry ``details`` even when there are none."""
    return ApiError(status, code, message, details=details or [])


GATEWAY = {"x-ms-failure-cause": "gateway"}


def resource_not_found(path: str, group: str) -> ApiError:
    """Return 404 for a resource; ``path`` is what follows ``providers/`` in its id."""
    return ApiError(
        404,
        "ResourceNotFound",
        f"The Resource '{path}' under resource group '{group}' was not found. "
        "For more details please go to https://aka.ms/ARMResourceNotFoundFix",
        headers=GATEWAY,
    )


def location_required(target: str | None = None) -> ApiError:
    """Return 400 for a request without a location."""
    text = "The location property is required for this definition."
    return ApiError(400, "LocationRequired", text, target=target)


def group_not_found(group: str) -> ApiError:
    """Return 404 for a resource group."""
    return ApiError(404, "ResourceGroupNotFound", f"Resource group '{group}' could not be found.", headers=GATEWAY)


def subscription_not_found(subscription: str) -> ApiError:
    """Return 404 for a subscription."""
    return ApiError(
        404, "SubscriptionNotFound", f"The subscription '{subscription}' could not be found.", headers=GATEWAY
    )


def invalid_parameter(message: str, target: str | None = None) -> ApiError:
    """Return 400 of the compute provider for a value it cannot take."""
    return ApiError(400, "InvalidParameter", message, target=target)


def operation_not_allowed(message: str) -> ApiError:
    """Return 409 of the compute provider for something the machine's state does not allow."""
    return ApiError(409, "OperationNotAllowed", message)


def conflict() -> ApiError:
    """Return 409 of the compute provider for two writes at once (Azure/azure-cli#15765)."""
    return ApiError(
        409,
        "Conflict",
        "The request failed due to conflict with a concurrent request. To resolve it, please refer to "
        "https://aka.ms/activitylog to get more details on the conflicting requests.",
    )
