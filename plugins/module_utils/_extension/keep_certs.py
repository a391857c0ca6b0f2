# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The option ``keep_certs``: a host may keep its certificate while its engine answers over mutual TLS with it."""

from __future__ import annotations

import os
import typing as t

from .._docker.connection import Connection, connection_of
from .._docker.failures import EndpointError
from .._docker.probe import ask
from .._errors import OptionError

Params = t.Mapping[str, t.Any]

PROBE_SECONDS = 10
_FILES = ("ca_path", "client_cert", "client_key")


def read_endpoint(params: Params, *, check_mode: bool) -> Connection | None:
    """Return how to reach the engine whose certificate may be kept.

    :returns: None without ``keep_certs``, and in check mode where the address or the client's files are not known yet.
    :raises OptionError: the address or the client's certificate is missing or not usable.
    """
    if not params["keep_certs"]:
        return None
    client = params["client"] or {}
    option, docker_host = _docker_host(params, client)
    if check_mode and (not docker_host or _pending(params, client)):
        return None
    _require(option, docker_host, client)
    connection = {
        **{name: client[name] for name in _FILES},
        "tls_hostname": client.get("tls_hostname"),
        "docker_host": docker_host,
        "tls": True,
        "validate_certs": True,
        "timeout": PROBE_SECONDS,
    }
    try:
        return connection_of(connection)
    except OptionError as error:
        raise (
            OptionError(option, error.problem) if error.option == "docker_host" else error.below("client")
        ) from error


def _require(option: str, docker_host: str | None, client: Params) -> None:
    if not docker_host:
        raise OptionError(option, "is required with O(keep_certs=true): the URL of the engine, tcp://ADDRESS:PORT")
    if not docker_host.startswith("tcp://"):
        raise OptionError(option, "must be a URL tcp://ADDRESS:PORT")
    for name in _FILES:
        if not client.get(name):
            raise OptionError(f"client.{name}", "is required with O(keep_certs=true), to query the engine")


def answers(connection: Connection | None) -> bool:
    """Return whether the engine answers over mutual TLS; one that cannot be queried yet does not."""
    if connection is None:
        return False
    try:
        ask(connection, connection.timeout)
    except EndpointError:
        return False
    return True


def _docker_host(params: Params, client: Params) -> tuple[str, str | None]:
    """Return the engine's URL, and the option that it comes from."""
    host = params["virtual_machine"]
    if params["docker_host"]:
        return "docker_host", params["docker_host"]
    if isinstance(host, t.Mapping) and host.get("docker_host"):
        return "virtual_machine.docker_host", str(host["docker_host"])
    if client.get("docker_host"):
        return "client.docker_host", client["docker_host"]
    return "docker_host", None


def _pending(params: Params, client: Params) -> bool:
    """Return whether an earlier task would have written one of the client's files, were this not check mode."""
    pending = {os.path.abspath(path) for path in params["pending_files"]}
    paths = [client.get(name) for name in _FILES]
    return any(not path or os.path.abspath(path) in pending or not os.path.exists(path) for path in paths)
