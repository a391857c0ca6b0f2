# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Public Azure's names, answered by the local Azure: for clients that cannot be pointed at a private cloud.

A TLS-inspecting HTTP proxy, as large firms have them: the client is given ``HTTPS_PROXY`` and a CA bundle, both
standard environment variables, and is otherwise left alone. Every other name is refused.
"""

from __future__ import annotations

import asyncio
import ssl
import threading
import urllib.parse
from pathlib import Path

from azure_emulator.self_signed import self_signed

NAMES = ("management.azure.com", "login.microsoftonline.com")
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class PublicNames:
    """The proxy, as a context manager.

    :param origin: URL of the local Azure.
    :param ca_file: its CA.
    :param directory: where the proxy's own certificate and the bundle for clients go.
    """

    def __init__(self, origin: str, ca_file: str, directory: Path) -> None:
        self._address = urllib.parse.urlsplit(origin)
        self._upstream = ssl.create_default_context(cafile=ca_file)
        self._chain = directory / "proxy.pem"
        self.bundle = directory / "bundle.pem"
        self.bundle.write_text(_certificate(self._chain) + Path(ca_file).read_text())
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._inner_port = self.port = 0

    def __enter__(self) -> PublicNames:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._open(), self._loop).result(10)
        return self

    def __exit__(self, *_details: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    @property
    def environment(self) -> dict[str, str]:
        """Environment variables for the client."""
        proxy = f"http://127.0.0.1:{self.port}"
        return {"HTTPS_PROXY": proxy, "NO_PROXY": "localhost", "REQUESTS_CA_BUNDLE": str(self.bundle)}

    async def _open(self) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._chain)
        inner = await asyncio.start_server(self._inspect, "127.0.0.1", 0, ssl=context)
        self._inner_port = inner.sockets[0].getsockname()[1]
        outer = await asyncio.start_server(self._connect, "127.0.0.1", 0)
        self.port = outer.sockets[0].getsockname()[1]

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """``CONNECT NAME:443``: lead the client to the side that speaks TLS."""
        method, target = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split(" ", 2)[:2]
        if method != "CONNECT" or target.partition(":")[0] not in NAMES:
            writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
            writer.close()
            return
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await _join((reader, writer), await asyncio.open_connection("127.0.0.1", self._inner_port))

    async def _inspect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there = await asyncio.open_connection(
            self._address.hostname, self._address.port, ssl=self._upstream, server_hostname=self._address.hostname
        )
        await _join((reader, writer), there)


async def _join(here: Streams, there: Streams) -> None:
    """Copy both ways until one side ends."""
    copies = [asyncio.ensure_future(_copy(here[0], there[1])), asyncio.ensure_future(_copy(there[0], here[1]))]
    _done, going = await asyncio.wait(copies, return_when=asyncio.FIRST_COMPLETED)
    for copy in going:
        copy.cancel()
    await asyncio.gather(*copies, return_exceptions=True)
    for writer in (here[1], there[1]):
        writer.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()


def _certificate(chain: Path) -> str:
    """Make a key and a certificate that signs itself for the names; write both, return the certificate."""
    made = self_signed("Proxy of the client tests", names=NAMES)
    chain.touch(mode=0o600)
    chain.write_text(made.pem.decode())
    return made.cert_pem.decode()
