# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A server that answers like a Docker engine, on loopback, with certificates made on the spot.

As a program: ``python small_engine.py DIRECTORY [MODE ...]`` writes ``ca.pem``, ``cert.pem``, ``key.pem`` (the
client's) and ``other/`` (of another authority) to DIRECTORY, then serves each mode and keeps ``ports.json`` with
their ports until its standard input ends or SIGTERM comes.
"""

from __future__ import annotations

import contextlib
import datetime
import http.server
import ipaddress
import json
import pathlib
import re
import signal
import socket
import ssl
import sys
import threading
import typing as t

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

VERSION = {"Version": "0.0.0-test", "ApiVersion": "1.50", "Os": "linux", "Arch": "amd64"}
INFO = {"Name": "small-engine", "ServerVersion": "0.0.0-test", "Containers": 0, "ContainersRunning": 0}
DAY = datetime.timedelta(days=1)


class Authority:
    """A CA of the tests."""

    def __init__(self, name: str = "test CA") -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        now = datetime.datetime.now(datetime.timezone.utc)
        usage = dict.fromkeys(
            ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement")
            + ("crl_sign", "encipher_only", "decipher_only"),
            False,
        )
        self.certificate = (
            x509.CertificateBuilder()
            .subject_name(self.name)
            .issuer_name(self.name)
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - 400 * DAY)
            .not_valid_after(now + 400 * DAY)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(x509.KeyUsage(key_cert_sign=True, **usage), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self.key.public_key()), critical=False)
            .sign(self.key, hashes.SHA256())
        )

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def issue(
        self, directory: pathlib.Path, *, names: t.Sequence[str] = (), server: bool, starts: int = -1, ends: int = 30
    ) -> None:
        """Write ``cert.pem``, ``key.pem`` and ``ca.pem``. ``starts`` and ``ends`` are days from now."""
        key = ec.generate_private_key(ec.SECP256R1())
        now = datetime.datetime.now(datetime.timezone.utc)
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "server" if server else "client")]))
            .issuer_name(self.name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + starts * DAY)
            .not_valid_after(now + ends * DAY)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False)
            .add_extension(
                x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH if server else ExtendedKeyUsageOID.CLIENT_AUTH]),
                critical=False,
            )
        )
        if names:
            builder = builder.add_extension(
                x509.SubjectAlternativeName([general_name(n) for n in names]), critical=False
            )
        directory.mkdir(parents=True, exist_ok=True)
        certificate = builder.sign(self.key, hashes.SHA256())
        (directory / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        (directory / "key.pem").write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        (directory / "ca.pem").write_bytes(self.pem)


def general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


class Handler(http.server.BaseHTTPRequestHandler):
    """``/version``, ``/info`` and ``/_ping``; everything else is 404."""

    protocol_version = "HTTP/1.1"
    server: SmallEngine

    def handle(self) -> None:
        with contextlib.suppress(OSError):
            super().handle()

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path = re.sub(r"^/v1\.[0-9]+(?=/)", "", self.path)
        self.server.requests.append(path)
        if self.server.failures > 0:
            self.server.failures -= 1
            return self.answer(503, b'{"message": "starting"}')
        answers: dict[str, dict[str, t.Any]] = {"/version": VERSION, "/info": INFO, "/_ping": {}}
        if self.server.mode == "other_api":
            answers = {path: {"hello": "world"} for path in answers}
        if self.server.mode == "html":
            return self.answer(200, b"<html></html>")
        if path not in answers:
            return self.answer(404, b'{"message": "page not found"}')
        return self.answer(200, json.dumps(answers[path]).encode())

    def answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Api-Version", VERSION["ApiVersion"])
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: t.Any) -> None:
        pass


class SmallEngine(http.server.ThreadingHTTPServer):
    """An engine in a mode: ``mutual``, ``tls`` (no client certificates), ``plain``, ``other_api``, ``html``."""

    daemon_threads = True

    def __init__(
        self,
        mode: str = "mutual",
        *,
        certificates: pathlib.Path | None = None,
        failures: int = 0,
        tls12_only: bool = False,
        port: int = 0,
    ) -> None:
        self.mode = mode
        self.failures = failures
        self.requests: list[str] = []
        self.context: ssl.SSLContext | None = None
        if mode in ("mutual", "tls"):
            assert certificates is not None
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(certificates / "cert.pem", certificates / "key.pem")
            if tls12_only:
                self.context.maximum_version = ssl.TLSVersion.TLSv1_2
            if mode == "mutual":
                self.context.load_verify_locations(certificates / "ca.pem")
                self.context.verify_mode = ssl.CERT_REQUIRED
        super().__init__(("127.0.0.1", port), Handler)
        self.thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def finish_request(self, request: t.Any, client_address: t.Any) -> None:
        if self.context is not None:
            try:
                request.settimeout(10)
                request = self.context.wrap_socket(request, server_side=True)
            except OSError:
                return
        super().finish_request(request, client_address)
        with contextlib.suppress(OSError):
            request.close()

    def __enter__(self) -> t.Any:
        self.thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.shutdown()
        self.server_close()


@contextlib.contextmanager
def talker(message: bytes) -> t.Iterator[int]:
    """A TCP server that says ``message`` to everybody (nothing: it closes at once). Gives its port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _address = listener.accept()
                    with connection:
                        connection.sendall(message)
                        connection.shutdown(socket.SHUT_WR)
                        connection.settimeout(1)
                        while message and connection.recv(4096):
                            pass

        threading.Thread(target=serve, daemon=True).start()
        yield int(listener.getsockname()[1])
        listener.shutdown(socket.SHUT_RDWR)


def main() -> None:
    """See the top of this file."""
    directory = pathlib.Path(sys.argv[1])
    authority, other = Authority(), Authority("another CA")
    authority.issue(directory, server=False)
    other.issue(directory / "other", server=False)
    authority.issue(directory / "server", names=("localhost", "127.0.0.1"), server=True)
    with contextlib.ExitStack() as stack:
        ports = {
            mode: stack.enter_context(SmallEngine(mode, certificates=directory / "server")).port
            for mode in sys.argv[2:]
        }
        (directory / "ports.json").write_text(json.dumps(ports))
        stopped = threading.Event()
        signal.signal(signal.SIGTERM, lambda *_args: stopped.set())
        stopped.wait()


if __name__ == "__main__":
    main()
