# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The task of ``docker_endpoint_info``."""

from __future__ import annotations

import typing as t
from time import monotonic, sleep

from .._argspec import ArgumentSpec
from .._backend import Backend, Request
from .._errors import OptionError
from .after import EarlierResults
from .connection import CONNECTION_SPEC, Connection, connection_of
from .failures import EndpointError
from .probe import Answer, ask, require_client_certificate

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 5.0
LONGEST_ATTEMPT = 10.0
"""Seconds that a step of one attempt may take while more can follow."""
SHORTEST_ATTEMPT = 1.0
"""Seconds that a step of the last attempt may take, even if less is left."""
PROGRESS_INTERVAL = 30.0

SPEC = CONNECTION_SPEC.merge(
    ArgumentSpec(
        argument_spec={
            "wait": {"type": "bool", "default": True},
            "wait_timeout": {"type": "int", "default": 300},
            "require_mutual_tls": {"type": "bool", "default": False},
            "after": {"type": "list", "elements": "raw", "default": []},
        }
    )
)

PREDICTED: t.Mapping[str, t.Any] = {
    "changed": False,
    "predicted": True,
    "version": None,
    "info": None,
    "server_certificate": None,
    "docker_connection": None,
    "docker_env": None,
    "attempts": 0,
    "timings": {"waited": 0.0},
}
"""The result in check mode when an earlier task would still have to make or change what is asked."""


def run(request: Request) -> dict[str, t.Any]:
    """Query the engine until it answers.

    :raises OptionError: the options are not a usable connection.
    :raises DockerHostError: an earlier result says that the host is off.
    :raises EndpointError: the engine did not answer (in time).
    """
    params = request.params
    if params["wait_timeout"] < 0:
        raise OptionError("wait_timeout", f"must be at least 0 seconds, got {params['wait_timeout']}")
    earlier = EarlierResults(params["after"])
    earlier.refuse_host_that_is_off(check_mode=request.check_mode)
    if request.check_mode and earlier.is_predicted:
        return dict(PREDICTED)
    connection = connection_of(params)
    if params["require_mutual_tls"] and not connection.verify:
        raise OptionError(
            "require_mutual_tls", "needs O(validate_certs=true) and a O(docker_host) that starts with tcp://"
        )
    patience = float(params["wait_timeout"]) if params["wait"] else 0.0
    answer, waited, attempts = _Wait(connection, patience, request.progress).run()
    if params["require_mutual_tls"]:
        require_client_certificate(connection, connection.timeout)
    return {
        "changed": False,
        "predicted": False,
        "version": answer.version,
        "info": answer.info,
        "server_certificate": answer.certificate,
        "docker_connection": connection.docker_connection(),
        "docker_env": connection.docker_env(),
        "attempts": attempts,
        "timings": {"waited": round(waited, 1)},
    }


class _Wait:
    """Query the engine until it answers, and show progress whenever the reason changes and every 30 s.

    :param patience: seconds; 0 for one attempt.
    """

    def __init__(self, connection: Connection, patience: float, progress: t.Callable[[str], None]) -> None:
        self.connection = connection
        self.patience = patience
        self.progress = progress
        self.started = monotonic()
        self.spoken_at = 0.0
        self.spoken_kind = ""

    def _attempt(self) -> Answer | EndpointError:
        try:
            return ask(self.connection, self._timeout())
        except EndpointError as error:
            return error

    def run(self) -> tuple[Answer, float, int]:
        """Return the answer, the seconds until it came, and the number of attempts.

        :raises EndpointError: the reason is final, or the time is over.
        """
        attempts = 0
        pause = FIRST_PAUSE
        while True:
            attempts += 1
            answer = self._attempt()
            if isinstance(answer, EndpointError):
                left = self.started + self.patience - monotonic()
                if not answer.transient or left <= 0:
                    raise self._final(answer, attempts)
                self._speak(answer)
                sleep(min(pause, left))
                pause = min(pause * 1.5, LONGEST_PAUSE)
                continue
            waited = monotonic() - self.started
            if attempts > 1:
                self.progress(f"{self.connection.shown}: the engine answers after {waited:.0f} s")
            return answer, waited, attempts

    def _timeout(self) -> float:
        """Return the seconds that each step of an attempt may take."""
        if not self.patience:
            return self.connection.timeout
        left = self.started + self.patience - monotonic()
        return min(self.connection.timeout, LONGEST_ATTEMPT, max(SHORTEST_ATTEMPT, left))

    def _speak(self, error: EndpointError) -> None:
        waited = monotonic() - self.started
        if error.kind != self.spoken_kind or waited - self.spoken_at >= PROGRESS_INTERVAL:
            self.spoken_kind, self.spoken_at = error.kind, waited
            self.progress(f"{error} (waited {waited:.0f} s of at most {self.patience:.0f} s)")

    def _final(self, error: EndpointError, attempts: int) -> EndpointError:
        if attempts == 1:
            return error
        waited = monotonic() - self.started
        problem = f"{error.problem} (after {attempts} attempts in {waited:.0f} s)"
        return EndpointError(error.kind, self.connection, problem)


BACKEND = Backend("docker_endpoint_info", SPEC, run)
