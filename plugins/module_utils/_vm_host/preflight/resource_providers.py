# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The resource providers that a host needs, and their registration.

The SDK registers a provider when a request fails without it: after other changes, without a message, and without a time
limit. So the collection checks and registers providers first.
"""

from __future__ import annotations

import typing as t
from functools import partial

from ..._azure.advice import registration_help
from ..._azure.clients import AzureSession
from ..._azure.errors import AzureError
from ..._azure.operations import OperationInfo, ProgressReporter, poll, run_parallel
from ..._azure.wire import Json
from ..._errors import DockerHostError

NEEDED = ("Microsoft.Compute", "Microsoft.Network")
FOR_SCHEDULES = ("Microsoft.DevTestLab",)
"""What a host with O(auto_shutdown) needs too."""
_THERE = ("registered", "registering")


class RegistrationError(DockerHostError):
    """A resource provider is not registered, and the signed-in identity may not register it."""


def find_unregistered(session: AzureSession, needed: t.Sequence[str] = NEEDED) -> list[str]:
    """Return the needed providers that are not registered in the subscription, as far as the identity may read that."""

    def missing(namespace: str) -> bool:
        try:
            provider = session.arm.get(_path(session, namespace))
        except AzureError as error:
            if error.status in (403, 404):
                return False
            raise
        return str(provider.get("registrationState") or "Registered").lower() not in _THERE

    answers = run_parallel([partial(missing, name) for name in needed])
    return [name for name, is_missing in zip(needed, answers, strict=True) if is_missing]


def register(session: AzureSession, host: str, namespaces: t.Sequence[str]) -> None:
    """Register the subscription for providers, and wait until it is registered.

    :raises RegistrationError: the identity may not register it.
    """
    run_parallel([partial(_register, session, host, name) for name in namespaces])


def _register(session: AzureSession, host: str, namespace: str) -> None:
    path = _path(session, namespace)
    watch = ProgressReporter(
        OperationInfo(
            host, f"resource provider {namespace}", "Registering", "register the resource provider", namespace, 60
        ),
        session.progress,
    )
    try:
        answer = session.arm.post(f"{path}/register")
    except AzureError as error:
        if error.status != 403:
            raise
        raise RegistrationError(
            f"The subscription is not registered for the resource provider {namespace}, and the signed-in identity"
            f" may not register it ({error.code}). {registration_help(namespace)}",
            **error.details,
        ) from error
    poll(
        partial(session.arm.get, path),
        lambda provider: _state(provider).lower() == "registered",
        watch,
        session.deadline,
        current=answer,
        state=_state,
    )


def _state(provider: Json) -> str:
    return str(provider.get("registrationState"))


def _path(session: AzureSession, namespace: str) -> str:
    return f"/subscriptions/{session.subscription_id}/providers/{namespace}"
