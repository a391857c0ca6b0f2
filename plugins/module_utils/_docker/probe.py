# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Query an engine once, and report precisely why it did not answer.

Only the standard library is used: the engine's answers are plain HTTP, and environment variables such as
``REQUESTS_CA_BUNDLE``, which break other clients, have no effect here. Proxies are not used.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import io
import json
import socket
import ssl
import typing as t
from dataclasses import replace
from time import monotonic

from .connection import Connection
from .failures import NOT_DOCKER, SPEAKS_TLS, EndpointError, explain

MAX_ANSWER = 16 * 1024 * 1024
"""Bytes; an answer to ``/info`` has a few thousand."""
CLIENT_CERTIFICATE_KINDS = ("client_certificate_required", "client_certificate_refused")


class Answer(t.NamedTuple):
    """The answer of an engine.

    :param version: its answer to ``/version``.
    :param info: its answer to ``/info``.
    :param certificate: its certificate, described; None without TLS.
    """

    version: dict[str, t.Any]
    info: dict[str, t.Any]
    certificate: dict[str, t.Any] | None


def ask(connection: Connection, timeout: float) -> Answer:
    """Query ``/version`` and ``/info`` over one connection.

    :param timeout: seconds for the connection, and for each answer as a whole.
    :raises EndpointError: the engine did not answer, or not as an engine does.
    """
    with contextlib.closing(_Conversation(connection, timeout)) as conversation:
        try:
            conversation.open()
            version = conversation.get("/version")
            if "ApiVersion" not in version:
                raise EndpointError("not_docker", connection, NOT_DOCKER)
            info = conversation.get("/info")
            return Answer(version, info, conversation.certificate())
        except (OSError, http.client.HTTPException, EndpointError) as error:
            raise _failure(error, conversation) from error


def require_client_certificate(connection: Connection, timeout: float) -> None:
    """Check that the engine rejects a client without a certificate.

    Only a TLS alert proves that: a connection can be closed for any reason.

    :raises EndpointError: of kind ``client_certificate_not_required`` if the engine accepts the client, of another kind
        if it gave no proof.
    """
    stranger = replace(connection, client_cert=None, client_key=None)
    with contextlib.closing(_Conversation(stranger, timeout)) as conversation:
        try:
            conversation.open()
            conversation.get("/_ping", parse=False)
        except (OSError, http.client.HTTPException, EndpointError) as error:
            failure = _failure(error, conversation)
            if failure.kind in CLIENT_CERTIFICATE_KINDS:
                return
            if failure.kind != "closed":
                raise failure from error
            problem = (
                "the engine closed the connection of a client without a certificate, but gave no TLS alert that proves"
                " that it requires one"
            )
            raise EndpointError("closed", connection, problem) from error
    problem = "the engine answers clients that have no certificate; anybody who reaches the port is root there"
    raise EndpointError("client_certificate_not_required", connection, problem)


def _failure(error: Exception, conversation: _Conversation) -> EndpointError:
    """Return why the engine did not answer.

    Under TLS 1.3 a server judges the client's certificate after the client's handshake is over, and its reset can
    overtake its alert. Under TLS 1.2 it answers within the handshake, so a closed connection is repeated with 1.2.
    """
    failure = explain(error, conversation.connection)
    if failure.kind == "closed" and conversation.secured and conversation.tls_version == "TLSv1.3":
        return _reason_under_tls12(conversation.connection, conversation.timeout) or failure
    return failure


class _TimedSocket:
    """The part of a socket that ``http.client`` uses, with one deadline for a whole request and its answer.

    A socket's own timeout starts again with each byte, so a slow answer could last forever.
    """

    def __init__(self, plain: socket.socket, seconds: float) -> None:
        self._socket = plain
        self._end = monotonic() + seconds

    def _arm(self) -> socket.socket:
        left = self._end - monotonic()
        if left <= 0:
            raise TimeoutError
        self._socket.settimeout(left)
        return self._socket

    def sendall(self, data: bytes) -> None:
        """Send everything."""
        self._arm().sendall(data)

    def recv_into(self, buffer: t.Any) -> int:
        """Receive what has arrived."""
        return self._arm().recv_into(buffer)

    def makefile(self, *_args: t.Any) -> io.BufferedReader:
        """Return a file to read the answer from."""
        return io.BufferedReader(_TimedReader(self))

    def close(self) -> None:
        """Leave the socket open for the next request."""


class _TimedReader(io.RawIOBase):
    def __init__(self, timed: _TimedSocket) -> None:
        super().__init__()
        self._timed = timed

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: t.Any) -> int:
        return self._timed.recv_into(buffer)


class _Conversation:
    """One connection to an engine, closed by its user.

    :param timeout: seconds for connecting, and for each answer.
    :ivar secured: whether the TLS handshake succeeded.
    """

    def __init__(self, connection: Connection, timeout: float) -> None:
        self.connection = connection
        self.timeout = timeout
        self.context = connection.tls_context if connection.tls else None
        self.secured = False
        self.tls_version: str | None = None
        self._socket: socket.socket | None = None

    def open(self) -> None:
        """Connect, over TLS if the connection has it."""
        connection = self.connection
        if connection.host is None:
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self._socket.settimeout(self.timeout)
            self._socket.connect(connection.socket_path or "")
        else:
            self._socket = socket.create_connection((connection.host, connection.port), timeout=self.timeout)
        if self.context is not None:
            self._socket = self.context.wrap_socket(self._socket, server_hostname=connection.server_name)
            self.secured = True
            self.tls_version = self._socket.version()

    def get(self, path: str, parse: bool = True) -> dict[str, t.Any]:
        """Return the JSON object at a path of the engine's API, an empty one without ``parse``.

        :raises EndpointError: the answer is an error, or not an object.
        """
        if self._socket is None:
            raise ValueError("not open")
        connection = http.client.HTTPConnection(self.connection.host or "localhost", self.connection.port or None)
        connection.sock = t.cast("socket.socket", _TimedSocket(self._socket, self.timeout))
        connection.request("GET", path, headers={"User-Agent": "ansible-dockerhost.azure"})
        response = connection.getresponse()
        body = response.read(MAX_ANSWER)
        if response.status != http.HTTPStatus.OK:
            raise self._refusal(response.status, body)
        if not parse:
            return {}
        try:
            value = json.loads(body)
        except (ValueError, RecursionError):
            value = None
        if not isinstance(value, dict):
            raise EndpointError("not_docker", self.connection, NOT_DOCKER)
        return value

    def _refusal(self, status: int, body: bytes) -> EndpointError:
        text = body[:300].decode("utf-8", "replace").strip()
        if status == http.HTTPStatus.BAD_REQUEST and "HTTPS server" in text:
            problem = SPEAKS_TLS
            return EndpointError("tls_required", self.connection, problem)
        kind = "engine_error" if status >= http.HTTPStatus.INTERNAL_SERVER_ERROR else "not_docker"
        return EndpointError(kind, self.connection, f"the answer was HTTP {status}: {text}")

    def certificate(self) -> dict[str, t.Any] | None:
        """Return the server's certificate as the result describes it, None without TLS."""
        if not isinstance(self._socket, ssl.SSLSocket):
            return None
        encoded = self._socket.getpeercert(binary_form=True)
        if encoded is None:
            return None
        described: dict[str, t.Any] = {"fingerprint": hashlib.sha256(encoded).hexdigest()}
        decoded = t.cast("dict[str, t.Any]", self._socket.getpeercert() or {})
        if decoded:
            names = decoded.get("subjectAltName", ())
            described.update(
                not_after=int(ssl.cert_time_to_seconds(decoded["notAfter"])),
                dns_names=[value for kind, value in names if kind == "DNS"],
                ip_addresses=[value for kind, value in names if kind == "IP Address"],
            )
        return described

    def close(self) -> None:
        """Close the connection, if it was opened."""
        if self._socket is not None:
            self._socket.close()


def _reason_under_tls12(connection: Connection, timeout: float) -> EndpointError | None:
    with contextlib.closing(_Conversation(connection, timeout)) as conversation:
        if conversation.context is not None:
            conversation.context = connection.new_tls_context()
            conversation.context.maximum_version = ssl.TLSVersion.TLSv1_2
        try:
            conversation.open()
        except OSError as error:
            failure = explain(error, connection)
            return failure if failure.kind.startswith("client_certificate") else None
    return None
