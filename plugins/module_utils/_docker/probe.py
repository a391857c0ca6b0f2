# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ask an engine once, and say precisely why it did not answer. Private to this collection.

Only the standard library is used: the engine's answers are plain HTTP, and environment variables such as
``REQUESTS_CA_BUNDLE``, which break other clients, mean nothing here. Proxies are not used.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import http.client
import json
import socket
import ssl
import typing as t

from .._errors import DockerHostError
from .connection import Connection

MAX_ANSWER = 16 * 1024 * 1024
"""Bytes; an answer to ``/info`` has a few thousand."""

TRANSIENT = frozenset({"refused", "timeout", "unreachable", "name_unknown", "closed", "engine_error", "no_socket"})
"""Kinds of failure that may pass while an engine starts. All others stay until somebody changes something."""


class EndpointError(DockerHostError):
    """The engine did not answer as it should.

    :param kind: one of :data:`TRANSIENT`, or ``not_permitted``, ``not_tls``, ``tls_required``,
        ``unknown_authority``, ``wrong_host``, ``expired``, ``not_yet_valid``, ``bad_certificate``,
        ``client_certificate_required``, ``client_certificate_refused``, ``client_certificate_not_required``,
        ``tls_failed``, ``not_docker``.
    """

    def __init__(self, kind: str, connection: Connection, problem: str) -> None:
        super().__init__(f"{connection.shown}: {problem}", kind=kind, docker_host=connection.docker_host)
        self.kind = kind
        self.problem = problem

    @property
    def transient(self) -> bool:
        """Whether waiting may help."""
        return self.kind in TRANSIENT


class Answer(t.NamedTuple):
    """What an engine said.

    :param certificate: what its certificate says, or None where none was verified.
    """

    version: dict[str, t.Any]
    info: dict[str, t.Any]
    certificate: dict[str, t.Any] | None


def ask(connection: Connection, timeout: float) -> Answer:
    """Ask the engine for ``/version`` and ``/info`` over one connection.

    :param timeout: seconds for each step.
    :raises EndpointError: it did not answer, or not as an engine does.
    """
    with contextlib.closing(_Conversation(connection, timeout)) as conversation:
        try:
            conversation.open()
            version = conversation.get("/version")
            if "ApiVersion" not in version:
                raise EndpointError("not_docker", connection, "something answers there, but it is no Docker engine")
            info = conversation.get("/info")
            return Answer(version, info, conversation.certificate())
        except (OSError, http.client.HTTPException, EndpointError) as error:
            failure = explain(error, connection)
            if failure.kind == "closed" and conversation.secured and conversation.tls_version == "TLSv1.3":
                # Under TLS 1.3 a server judges the client's certificate after the client's handshake is over, and
                # its reset can overtake its alert. TLS 1.2 tells within the handshake.
                failure = _reason_under_tls12(connection, timeout) or failure
            raise failure from error


def demand_client_certificate(connection: Connection, timeout: float) -> None:
    """Check that the engine turns away a client without a certificate.

    :raises EndpointError: of kind ``client_certificate_not_required`` if it does not.
    """
    with contextlib.closing(_Conversation(connection, timeout, with_client_certificate=False)) as conversation:
        try:
            conversation.open()
            conversation.get("/_ping", parse=False)
        except (OSError, http.client.HTTPException, EndpointError) as error:
            failure = explain(error, connection)
            if failure.kind in ("client_certificate_required", "client_certificate_refused", "closed"):
                return
            raise failure from error
    problem = "the engine answers clients that have no certificate; anybody who reaches the port is root there"
    raise EndpointError("client_certificate_not_required", connection, problem)


class _Conversation:
    """One connection to an engine, closed by its user."""

    def __init__(self, connection: Connection, timeout: float, with_client_certificate: bool = True) -> None:
        self.connection = connection
        self.timeout = timeout
        self.context: ssl.SSLContext | None = None
        if connection.tls:
            self.context = connection.ssl_context(with_client_certificate=with_client_certificate)
        self.secured = False
        self.tls_version: str | None = None
        self._socket: socket.socket | None = None
        self._http: http.client.HTTPConnection | None = None

    def open(self) -> None:
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
        self._http = http.client.HTTPConnection(connection.host or "localhost", connection.port or None, self.timeout)
        self._http.sock = self._socket

    def get(self, path: str, parse: bool = True) -> dict[str, t.Any]:
        if self._http is None:
            raise ValueError("not open")
        self._http.request("GET", path, headers={"User-Agent": "ansible-dockerhost.azure"})
        response = self._http.getresponse()
        body = response.read(MAX_ANSWER)
        if response.status != http.HTTPStatus.OK:
            raise self._refusal(response.status, body)
        if not parse:
            return {}
        try:
            value = json.loads(body)
        except ValueError:
            value = None
        if not isinstance(value, dict):
            raise EndpointError("not_docker", self.connection, "something answers there, but it is no Docker engine")
        return value

    def _refusal(self, status: int, body: bytes) -> EndpointError:
        text = body[:300].decode("utf-8", "replace").strip()
        if status == http.HTTPStatus.BAD_REQUEST and "HTTPS server" in text:
            problem = "the engine speaks TLS there; set validate_certs and give ca_path, client_cert and client_key"
            return EndpointError("tls_required", self.connection, problem)
        kind = "engine_error" if status >= http.HTTPStatus.INTERNAL_SERVER_ERROR else "not_docker"
        return EndpointError(kind, self.connection, f"the answer was HTTP {status}: {text}")

    def certificate(self) -> dict[str, t.Any] | None:
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
        if self._socket is not None:
            self._socket.close()


def _reason_under_tls12(connection: Connection, timeout: float) -> EndpointError | None:
    with contextlib.closing(_Conversation(connection, timeout)) as conversation:
        if conversation.context is not None:
            conversation.context.maximum_version = ssl.TLSVersion.TLSv1_2
        try:
            conversation.open()
        except OSError as error:
            failure = explain(error, connection)
            return failure if failure.kind.startswith("client_certificate") else None
    return None


_VERIFY_CODES = {
    # Numbers of OpenSSL's X509_V_ERR_* (x509_vfy.h).
    2: "unknown_authority",  # unable to get issuer certificate
    18: "unknown_authority",  # self-signed certificate
    19: "unknown_authority",  # self-signed certificate in chain
    20: "unknown_authority",  # unable to get local issuer certificate
    21: "unknown_authority",  # unable to verify the first certificate
    7: "unknown_authority",  # signature failure: another authority of the same name
    9: "not_yet_valid",
    10: "expired",
    62: "wrong_host",  # host name
    64: "wrong_host",  # IP address
}


def explain(error: Exception, connection: Connection) -> EndpointError:
    """What went wrong, in the user's terms."""
    if isinstance(error, EndpointError):
        return error
    if isinstance(error, ssl.SSLCertVerificationError):
        return _explain_certificate(error, connection)
    if isinstance(error, ssl.SSLError):
        return _explain_tls(error, connection)
    if isinstance(error, http.client.BadStatusLine) and not isinstance(error, http.client.RemoteDisconnected):
        return _not_http(error, connection)
    if isinstance(error, OSError):
        return _explain_network(error, connection)
    return EndpointError("closed", connection, "the connection was closed before the answer was complete")


def _explain_network(error: OSError, connection: Connection) -> EndpointError:
    if isinstance(error, socket.gaierror):
        return EndpointError("name_unknown", connection, f"the name {connection.host} cannot be resolved")
    if isinstance(error, TimeoutError):
        problem = "no answer in time; a firewall or security group that drops packets looks like this"
        return EndpointError("timeout", connection, problem)
    if isinstance(error, ConnectionRefusedError):
        return EndpointError("refused", connection, "the connection was refused: nothing listens there yet")
    if isinstance(error, FileNotFoundError):
        return EndpointError("no_socket", connection, "there is no such socket; is the engine running?")
    if isinstance(error, PermissionError):
        return EndpointError("not_permitted", connection, f"this user may not connect ({error.strerror})")
    if isinstance(error, (ConnectionError, http.client.RemoteDisconnected)):
        return EndpointError("closed", connection, "the other side closed the connection")
    if error.errno in (errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EADDRNOTAVAIL):
        return EndpointError("unreachable", connection, "there is no route to that address")
    return EndpointError("unreachable", connection, error.strerror or str(error))


def _explain_certificate(error: ssl.SSLCertVerificationError, connection: Connection) -> EndpointError:
    kind = _VERIFY_CODES.get(error.verify_code, "bad_certificate")
    problems = {
        "unknown_authority": (
            "the server's certificate is not from an authority that "
            f"{connection.ca_path or 'this system'} holds ({error.verify_message}); was the host made with another CA?"
        ),
        "wrong_host": (
            f"the server's certificate does not carry {connection.server_name} ({error.verify_message}); "
            "renew it with this name or address, or set tls_hostname to one that it carries"
        ),
        "expired": "the server's certificate has expired; renew it (or this machine's clock is wrong)",
        "not_yet_valid": "the server's certificate is not valid yet; the clock here or where it was made is wrong",
        "bad_certificate": f"the server's certificate is not acceptable: {error.verify_message}",
    }
    return EndpointError(kind, connection, problems[kind])


def _explain_tls(error: ssl.SSLError, connection: Connection) -> EndpointError:
    reason = (error.reason or "").upper()
    if reason in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG"):
        problem = "what listens there does not speak TLS; an engine without certificates is open to everybody"
        return EndpointError("not_tls", connection, problem)
    if "CERTIFICATE_REQUIRED" in reason or ("HANDSHAKE_FAILURE" in reason and not connection.client_cert):
        problem = "the engine wants a client certificate; give client_cert and client_key"
        return EndpointError("client_certificate_required", connection, problem)
    if any(word in reason for word in ("UNKNOWN_CA", "BAD_CERTIFICATE", "CERTIFICATE_", "UNSUPPORTED_CERTIFICATE")):
        if not connection.client_cert:
            problem = "the engine wants a client certificate; give client_cert and client_key"
            return EndpointError("client_certificate_required", connection, problem)
        problem = (
            f"the engine refuses the client certificate {connection.client_cert} "
            f"({reason.replace('_', ' ').lower()}): it is not from the authority that the engine trusts, or not valid"
        )
        return EndpointError("client_certificate_refused", connection, problem)
    if isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError)) or "UNEXPECTED_EOF" in reason:
        return EndpointError("closed", connection, "the other side closed the connection during TLS")
    return EndpointError("tls_failed", connection, f"TLS failed: {error.reason or error}")


def _not_http(error: http.client.BadStatusLine, connection: Connection) -> EndpointError:
    if not connection.tls and "\x15\x03" in str(error):
        problem = "the engine speaks TLS there; set validate_certs and give ca_path, client_cert and client_key"
        return EndpointError("tls_required", connection, problem)
    return EndpointError("not_docker", connection, "what listens there does not speak HTTP")
