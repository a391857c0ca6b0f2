# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A small HTTP proxy on loopback that makes tunnels (CONNECT) and remembers where to."""

from __future__ import annotations

import base64
import selectors
import socket
import socketserver
import threading
import typing as t


class Proxy:
    """Use as a context manager.

    :param user: ``name:password`` that it asks for; empty asks for nothing.
    :param refuses: answer 403 to everything, and connect nowhere.
    """

    def __init__(self, user: str = "", refuses: bool = False) -> None:
        self.user = user
        self.refuses = refuses
        self.asked: list[str] = []
        """Where a tunnel was asked to, ``host:port``, in order."""
        self._server = _Server(("127.0.0.1", 0), _Tunnel)
        self._server.proxy = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def address(self) -> str:
        """``host:port``."""
        return "{}:{}".format(*self._server.server_address)

    @property
    def url(self) -> str:
        """Its URL, with the name and password that it asks for."""
        return f"http://{self.user}@{self.address}" if self.user else f"http://{self.address}"

    def __enter__(self) -> Proxy:
        self._thread.start()
        return self

    def __exit__(self, *_details: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    proxy: Proxy


class _Tunnel(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        proxy = t.cast("_Server", self.server).proxy
        method, target, _version = self.rfile.readline().decode().split(maxsplit=2)
        headers: dict[str, str] = {}
        while line := self.rfile.readline().decode().strip():
            name, _colon, value = line.partition(":")
            headers[name.lower()] = value.strip()
        if method != "CONNECT":
            self._answer("405 Method Not Allowed")
            return
        expected = "Basic " + base64.b64encode(proxy.user.encode()).decode()
        if proxy.user and headers.get("proxy-authorization") != expected:
            self._answer("407 Proxy Authentication Required")
            return
        proxy.asked.append(target)
        if proxy.refuses:
            self._answer("403 Forbidden")
            return
        host, _colon, port = target.rpartition(":")
        with socket.create_connection((host.strip("[]"), int(port))) as there:
            self._answer("200 Connection established")
            _relay(self.connection, there)

    def _answer(self, status: str) -> None:
        self.wfile.write(f"HTTP/1.1 {status}\r\n\r\n".encode())


def _relay(one: socket.socket, other: socket.socket) -> None:
    with selectors.DefaultSelector() as selector:
        selector.register(one, selectors.EVENT_READ, other)
        selector.register(other, selectors.EVENT_READ, one)
        while True:
            for key, _events in selector.select():
                data = t.cast("socket.socket", key.fileobj).recv(65536)
                if not data:
                    return
                key.data.sendall(data)
