# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Errors that Azure returned for a request."""

from __future__ import annotations

import re
import typing as t
import urllib.request
from dataclasses import dataclass

from .._errors import DockerHostError
from .advice import advice_for
from .error_body import details_in, error_object, inner_code, member, policies_in
from .origins import foreign_host_error
from .vault_advice import vault_advice_for


@dataclass(frozen=True)
class ServiceError:
    """The error of one answer of Azure, whatever its spelling.

    :param status: the HTTP status; 200 for a failed long-running operation, None when nothing was answered.
    :param code: Azure's code, for example ``SkuNotAvailable``.
    :param message: Azure's message, with those of its details that add something.
    :param inner_code: the code of Key Vault's inner error, for example ``ForbiddenByRbac``.
    :param detail_codes: the codes of the details, the outermost first: the reason may be in one of them.
    """

    status: int | None
    code: str
    message: str
    target: str | None = None
    request_id: str | None = None
    inner_code: str = ""
    detail_codes: tuple[str, ...] = ()


class AzureError(DockerHostError):
    """A request to Azure, or the operation that it began, failed.

    The message names operation, resource, Azure's code and message and the request id, and ends with advice
    where there is some. The result carries the same as ``azure_error``.
    """

    def __init__(self, operation: str, resource: str, error: ServiceError) -> None:
        self.operation = operation
        self.resource = resource
        self.error = error
        self.advice = vault_advice_for(error.inner_code) or _advice(error)
        message = f"Could not {operation} ({resource}): {error.code}: {error.message}"
        if error.request_id:
            message += f" (request id {error.request_id})"
        if self.advice:
            message += f" {self.advice}"
        super().__init__(
            message,
            azure_error={
                "operation": operation,
                "resource": resource,
                "status": error.status,
                "code": error.code,
                "message": error.message,
                "target": error.target,
                "request_id": error.request_id,
                "advice": self.advice,
            },
        )

    @property
    def code(self) -> str:
        """Azure's code, for example ``SkuNotAvailable``."""
        return self.error.code

    @property
    def status(self) -> int | None:
        """The HTTP status."""
        return self.error.status

    @property
    def not_found(self) -> bool:
        """Return whether the resource, or the group or network it is in, does not exist."""
        return self.error.status == 404 and self.error.code != "SubscriptionNotFound"


def _advice(error: ServiceError) -> str:
    texts = (advice_for(code, error.message) for code in (error.code, *error.detail_codes))
    return next(filter(None, texts), "")


class WaitTimeoutError(AzureError):
    """An operation that was not finished when the time to wait was over. It continues in Azure."""


class AuthenticationError(DockerHostError):
    """No way to sign in worked, or none was configured."""


def from_sdk(operation: str, resource: str, error: Exception) -> DockerHostError:
    """Convert an exception of the SDK to the collection's own.

    :param operation: what was tried, as a phrase that follows "Could not", for example ``create the VM``.
    :param resource: a name or id.
    :param error: any exception of azure-core.
    """
    from azure.core.exceptions import ClientAuthenticationError

    response = getattr(error, "response", None)
    if isinstance(error, foreign_host_error()):
        return AzureError(operation, resource, ServiceError(None, "ForeignHost", _one_line(str(error))))
    if isinstance(error, ClientAuthenticationError) and response is None:
        return AuthenticationError(f"Could not sign in to Azure to {operation} ({resource}): {_unsent(error)}")
    if response is None:
        kind = type(error).__name__
        return AzureError(operation, resource, ServiceError(None, kind, _unsent(error)))
    return AzureError(operation, resource, _read(response, error))


def sdk_error() -> type[Exception]:
    """Return the base class of azure-core's errors, imported only when it is needed."""
    from azure.core.exceptions import AzureError as SdkError

    return t.cast("type[Exception]", SdkError)


def sign_in_error(label: str, searched: str, error: Exception) -> AuthenticationError:
    """Return the error for a way to sign in that does not work.

    :param label: the way, in words.
    :param searched: where else credentials were searched, as a sentence; empty if the source was requested.
    :param error: azure-identity's exception.
    """
    text = _unsent(error).partition(" Content: ")[0].rstrip()
    sentence = text if text.endswith((".", "!", "?")) else f"{text}."
    return AuthenticationError(f"Could not sign in to Azure with {label}: {sentence} {searched}".rstrip())


def _read(response: t.Any, error: Exception) -> ServiceError:
    headers = {str(key).lower(): str(value) for key, value in dict(response.headers).items()}
    request_id = headers.get("x-ms-request-id") or headers.get("x-ms-correlation-request-id")
    found = error_object(response)
    details = list(details_in(found))
    code = member(found, "code") or f"HTTP {response.status_code}"
    message = member(found, "message") or getattr(error, "message", error)
    more = [str(member(detail, "message") or "") for detail in details]
    more += [name for detail in (found, *details) for name in policies_in(detail)]
    return ServiceError(
        status=int(response.status_code),
        code=str(code),
        message=_joined([str(message), *more]),
        target=member(found, "target"),
        request_id=request_id,
        inner_code=inner_code(found),
        detail_codes=tuple(str(member(detail, "code")) for detail in details if member(detail, "code")),
    )


def _joined(texts: t.Sequence[str]) -> str:
    """Return the texts on one line, without those that say nothing new."""
    text = ""
    for more in map(_one_line, texts):
        if more and more not in text:
            text = f"{text} {more}".lstrip()
    return text


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _unsent(error: Exception) -> str:
    """Return the text of an error without an answer. Passwords of malformed proxy URLs in it are replaced."""
    text = _one_line(str(error))
    for url in urllib.request.getproxies().values():
        user, at, _host = url.partition("://")[2].rpartition("@")
        for part in re.split(r"[/?#@]", user) if at else ():
            secret = part.partition(":")[2] or part
            text = text.replace(secret, "***") if secret else text
    return text
