# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An ASGI application at sockets that listen already, for example in the network namespace of guests."""

from __future__ import annotations

import asyncio
import socket
import ssl
import typing as t

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState


class AppServer:
    """uvicorn's HTTP protocol without its server, which would handle signals and could not be one of several.

    :param app: an ASGI 3 application.
    """

    def __init__(self, app: t.Any) -> None:
        self._app = app
        self._state = ServerState()
        self._servers: list[asyncio.Server] = []

    async def listen(self, listeners: t.Iterable[socket.socket], context: ssl.SSLContext | None = None) -> None:
        """Answer at the sockets, over TLS if there is a context."""
        config = uvicorn.Config(
            self._app, interface="asgi3", http=HttpToolsProtocol, lifespan="off", access_log=False, log_config=None
        )
        config.load()
        loop = asyncio.get_running_loop()

        def protocol() -> HttpToolsProtocol:
            return HttpToolsProtocol(config=config, server_state=self._state, app_state={}, _loop=loop)

        self._servers += [await loop.create_server(protocol, sock=listener, ssl=context) for listener in listeners]

    async def close(self) -> None:
        """Listen no longer, end the connections and wait for the answers that are under way."""
        for server in self._servers:
            server.close()
        self._servers = []
        for connection in list(self._state.connections):
            transport: t.Any = getattr(connection, "transport", None)
            if transport is not None:
                transport.abort()
        if self._state.tasks:
            await asyncio.wait(self._state.tasks)
