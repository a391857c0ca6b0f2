# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The reasons why an engine does not answer, in the user's terms."""

from __future__ import annotations

import errno
import http.client
import socket
import ssl

from .._errors import DockerHostError, printable
from .connection import Connection

SPEAKS_TLS = "the engine speaks TLS there; set O(validate_certs=true), O(ca_path), O(client_cert) and O(client_key)"
NOT_DOCKER = "something answers there, but it is not a Docker engine"

TRANSIENT = frozenset({"refused", "timeout", "unreachable", "name_unknown", "closed", "engine_error", "no_socket"})
"""Kinds of failure that may pass while an engine starts. All others last until somebody changes something."""


class EndpointError(DockerHostError):
    """The engine did not answer as it should.

    :param kind: one of :data:`TRANSIENT`, or ``not_permitted``, ``not_tls``, ``tls_required``,
        ``unknown_authority``, ``wrong_host``, ``expired``, ``not_yet_valid``, ``bad_certificate``,
        ``client_certificate_required``, ``client_certificate_refused``, ``client_certificate_not_required``,
        ``tls_failed``, ``not_docker``.
    """

    def __init__(self, kind: str, connection: Connection, problem: str) -> None:
        problem = printable(problem)
        super().__init__(f"{connection.shown}: {problem}", kind=kind, docker_host=connection.docker_host)
        self.kind = kind
        self.problem = problem

    @property
    def transient(self) -> bool:
        """Whether the failure may pass by itself."""
        return self.kind in TRANSIENT


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
    """Return what went wrong, in the user's terms."""
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
        return EndpointError("no_socket", connection, "the socket does not exist; is the engine running?")
    if isinstance(error, PermissionError):
        return EndpointError("not_permitted", connection, f"this user may not connect ({error.strerror})")
    if isinstance(error, (ConnectionError, http.client.RemoteDisconnected)):
        return EndpointError("closed", connection, "the other side closed the connection")
    if error.errno in (errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EADDRNOTAVAIL):
        return EndpointError("unreachable", connection, "no route leads to that address")
    return EndpointError("unreachable", connection, error.strerror or str(error))


def _explain_certificate(error: ssl.SSLCertVerificationError, connection: Connection) -> EndpointError:
    kind = _VERIFY_CODES.get(error.verify_code, "bad_certificate")
    problems = {
        "unknown_authority": (
            "the server's certificate does not come from a CA in "
            f"{connection.ca_path or 'this system'} ({error.verify_message}); was the host created with another CA?"
        ),
        "wrong_host": (
            f"the server's certificate is not valid for {connection.server_name} ({error.verify_message}); "
            "renew it with this name or address, or set O(tls_hostname) to one that it is valid for"
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
        problem = "the engine requires a client certificate; set O(client_cert) and O(client_key)"
        return EndpointError("client_certificate_required", connection, problem)
    if any(word in reason for word in ("UNKNOWN_CA", "BAD_CERTIFICATE", "CERTIFICATE_", "UNSUPPORTED_CERTIFICATE")):
        if not connection.client_cert:
            problem = "the engine requires a client certificate; set O(client_cert) and O(client_key)"
            return EndpointError("client_certificate_required", connection, problem)
        problem = (
            f"the engine refuses the client certificate {connection.client_cert} "
            f"({reason.replace('_', ' ').lower()}): it is not valid, or not from the CA that the engine trusts"
        )
        return EndpointError("client_certificate_refused", connection, problem)
    if isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError)) or "UNEXPECTED_EOF" in reason:
        return EndpointError("closed", connection, "the other side closed the connection during TLS")
    return EndpointError("tls_failed", connection, f"TLS failed: {error.reason or error}")


def _not_http(error: http.client.BadStatusLine, connection: Connection) -> EndpointError:
    if not connection.tls and "\x15\x03" in str(error):
        problem = SPEAKS_TLS
        return EndpointError("tls_required", connection, problem)
    return EndpointError("not_docker", connection, "what listens there does not speak HTTP")
