# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Connections to a Docker engine, described by community.docker's connection options."""

from __future__ import annotations

import os
import ssl
import typing as t
from dataclasses import dataclass
from functools import cached_property

from ansible.module_utils.errors import AnsibleFallbackNotFound

from .._argspec import ArgumentSpec
from .._errors import OptionError
from .._files import read_option_file
from .urls import is_host, parse_docker_host

DEFAULT_DOCKER_HOST = "unix:///var/run/docker.sock"
PLAIN_PORT = 2375
TLS_PORT = 2376


def environment_fallback(name: str) -> str:
    """Return an environment variable's value. As for the Docker CLI, an empty one is unset.

    :raises AnsibleFallbackNotFound: the variable is unset.
    """
    value = os.environ.get(name)
    if not value:
        raise AnsibleFallbackNotFound
    return value


def cert_path_fallback(file_name: str) -> str:
    """Return the path of a file in the directory ``DOCKER_CERT_PATH``.

    :raises AnsibleFallbackNotFound: the variable is unset.
    """
    return os.path.join(environment_fallback("DOCKER_CERT_PATH"), file_name)


CONNECTION_SPEC = ArgumentSpec(
    argument_spec={
        "docker_host": {
            "type": "str",
            "default": DEFAULT_DOCKER_HOST,
            "fallback": (environment_fallback, ["DOCKER_HOST"]),
            "aliases": ["docker_url"],
        },
        "tls": {"type": "bool", "default": False, "fallback": (environment_fallback, ["DOCKER_TLS"])},
        "validate_certs": {
            "type": "bool",
            "default": False,
            "fallback": (environment_fallback, ["DOCKER_TLS_VERIFY"]),
            "aliases": ["tls_verify"],
        },
        "tls_hostname": {"type": "str", "fallback": (environment_fallback, ["DOCKER_TLS_HOSTNAME"])},
        "ca_path": {
            "type": "path",
            "fallback": (cert_path_fallback, ["ca.pem"]),
            "aliases": ["ca_cert", "tls_ca_cert", "cacert_path"],
        },
        "client_cert": {
            "type": "path",
            "fallback": (cert_path_fallback, ["cert.pem"]),
            "aliases": ["tls_client_cert", "cert_path"],
        },
        "client_key": {
            "type": "path",
            "fallback": (cert_path_fallback, ["key.pem"]),
            "aliases": ["tls_client_key", "key_path"],
        },
        "timeout": {"type": "int", "default": 60, "fallback": (environment_fallback, ["DOCKER_TIMEOUT"])},
    },
)


@dataclass(frozen=True)
class Connection:
    """A connection to an engine.

    :param docker_host: as given, for example ``tcp://203.0.113.7:4243``.
    :param host: DNS name or IP address without brackets; None for a unix socket.
    :param port: TCP port; 0 for a unix socket.
    :param socket_path: the path of the unix socket; None for TCP.
    :param tls: whether the connection uses TLS.
    :param verify: whether the server's certificate is verified.
    :param server_name: the name or address that the certificate must be valid for.
    :param timeout: seconds for one connection attempt, and for each answer.
    """

    docker_host: str
    host: str | None
    port: int
    socket_path: str | None
    tls: bool
    verify: bool
    server_name: str | None
    ca_path: str | None
    client_cert: str | None
    client_key: str | None
    timeout: float

    @property
    def shown(self) -> str:
        """The endpoint in progress lines and errors."""
        if self.host is None:
            return self.docker_host
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @cached_property
    def tls_context(self) -> ssl.SSLContext:
        """The TLS context with the files of this connection, as they were at its first use.

        :raises OptionError: as :meth:`new_tls_context`.
        """
        return self.new_tls_context()

    def new_tls_context(self) -> ssl.SSLContext:
        """Return a TLS context of its own with the files of this connection.

        :raises OptionError: a file cannot be read, or does not contain what its option requires.
        """
        context = load_context(self.ca_path if self.verify else None)
        if not self.verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if self.client_cert:
            load_client_certificate(context, self.client_cert, self.client_key)
        return context

    def docker_connection(self) -> dict[str, t.Any]:
        """Return the connection as options of community.docker's modules."""
        options: dict[str, t.Any] = {"docker_host": self.docker_host}
        if self.tls:
            options.update(
                tls=True,
                validate_certs=self.verify,
                ca_path=self.ca_path,
                client_cert=self.client_cert,
                client_key=self.client_key,
            )
            if self.server_name != self.host:
                options["tls_hostname"] = self.server_name
        return {key: value for key, value in options.items() if value is not None}

    def docker_env(self) -> dict[str, str]:
        """Return the connection as the environment of the Docker CLI.

        ``DOCKER_CERT_PATH`` is set only if the files are in one directory under the CLI's own names.
        """
        env = {"DOCKER_HOST": self.docker_host}
        if not self.tls:
            return env
        env["DOCKER_TLS_VERIFY" if self.verify else "DOCKER_TLS"] = "1"
        files = {"ca.pem": self.ca_path, "cert.pem": self.client_cert, "key.pem": self.client_key}
        directories = {
            os.path.dirname(path) if path and os.path.basename(path) == name else None for name, path in files.items()
        }
        if len(directories) == 1 and (directory := directories.pop()):
            env["DOCKER_CERT_PATH"] = directory
        return env


def connection_of(params: t.Mapping[str, t.Any]) -> Connection:
    """Return the connection that options describe. It reads files only if the connection uses TLS.

    :raises OptionError: the options are not a usable connection.
    """
    if params["timeout"] <= 0:
        raise OptionError("timeout", f"must be at least 1 second, got {params['timeout']}")
    verify = bool(params["validate_certs"])
    tls = verify or bool(params["tls"])
    url = parse_docker_host("docker_host", params["docker_host"], ("tcp", "http", "https", "unix"))
    if url.scheme == "unix":
        return Connection(url.text, None, 0, url.path, False, False, None, None, None, None, params["timeout"])
    if not tls and url.scheme == "https":
        raise OptionError("docker_host", "https:// needs TLS: set O(validate_certs=true), or write tcp://")
    if tls and params["tls_hostname"] and not is_host(params["tls_hostname"]):
        raise OptionError("tls_hostname", f"must be a DNS name or an IP address, got {params['tls_hostname']!r}")
    connection = Connection(
        docker_host=url.text,
        host=url.host,
        port=url.port or (TLS_PORT if tls else PLAIN_PORT),
        socket_path=None,
        tls=tls,
        verify=verify,
        server_name=(params["tls_hostname"] or url.host) if tls else None,
        ca_path=params["ca_path"] if tls else None,
        client_cert=params["client_cert"] if tls else None,
        client_key=params["client_key"] if tls else None,
        timeout=params["timeout"],
    )
    if tls:
        _check_files(connection)
    return connection


def _check_files(connection: Connection) -> ssl.SSLContext:
    """Check that the files of a connection belong together, and return the TLS context that they make."""
    if (connection.client_cert is None) != (connection.client_key is None):
        missing, given = ("client_key", "client_cert") if connection.client_cert else ("client_cert", "client_key")
        raise OptionError(missing, f"is required together with O({given})")
    return connection.tls_context


def load_context(ca_path: str | None) -> ssl.SSLContext:
    """Return a TLS context that trusts only this CA, or without one the system's CAs.

    :raises OptionError: the file contains no certificates, or is not a regular file.
    """
    if ca_path is not None:
        _check_readable("ca_path", ca_path)
    try:
        return ssl.create_default_context(cafile=ca_path)
    except OSError as error:
        raise OptionError("ca_path", f"no certificates could be read from {ca_path} ({_reason(error)})") from error


class _EncryptedKeyError(Exception):
    """The client key has a passphrase."""


def _refuse_passphrase() -> str:
    raise _EncryptedKeyError


def load_client_certificate(context: ssl.SSLContext, client_cert: str, client_key: str | None) -> None:
    """Load a client certificate into a TLS context.

    :raises OptionError: the files are not a certificate and a key that belong together, without a passphrase.
    """
    for option, path in (("client_cert", client_cert), ("client_key", client_key)):
        if path is not None:
            _check_readable(option, path)
    try:
        context.load_cert_chain(client_cert, client_key, password=_refuse_passphrase)
    except _EncryptedKeyError as error:
        problem = f"{client_key} is encrypted; Docker clients accept only keys without a passphrase"
        raise OptionError("client_key", problem) from error
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            problem = f"{client_key} does not belong to the certificate {client_cert}"
            raise OptionError("client_key", problem) from error
        problem = f"{client_cert} and {client_key} must be a certificate and a key in PEM ({_reason(error)})"
        raise OptionError("client_cert", problem) from error


def _check_readable(option: str, path: str) -> None:
    read_option_file(option, path)


def _reason(error: OSError) -> str:
    if isinstance(error, ssl.SSLError):
        return (error.reason or "not PEM").replace("_", " ").lower()
    return error.strerror or str(error)
