# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The mirror's server: HTTPS at an address that guests reach as they reach the internet."""

from __future__ import annotations

import asyncio
import socket
import ssl
import typing as t
from collections.abc import Iterator
from pathlib import Path

from azure_emulator.authority import Authority
from azure_emulator.machines.app_server import AppServer
from azure_emulator.machines.base import MachineError
from azure_emulator.machines.mirror.layer import HOST, write_layer
from azure_emulator.machines.mirror.repository import Repository, ensure_repository
from azure_emulator.machines.namespaces import inside
from azure_emulator.machines.packages import TreeError
from azure_emulator.machines.releases import Release
from azure_emulator.machines.tree import Tree

PREFIX = "/linux/debian"
_CHUNK = 1024 * 1024


class Mirror:
    """The repositories of the releases that guests run, and the server that shows them.

    :param home: where its CA and the guests' layers are kept.
    """

    def __init__(self, home: Path) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self._home = home
        self._authority = Authority(home, names=(HOST,), addresses=())
        self._repositories: dict[str, Repository] = {}
        self._layers: dict[str, Path] = {}
        self._lock = asyncio.Lock()
        self._server = AppServer(self._answer)

    async def layer(self, tree: Tree, release: Release) -> Path:
        """Return the layer for guests of a release, whose packages are served from now on.

        :raises MachineError: they cannot be made.
        """
        async with self._lock:
            if release.suite not in self._layers:
                try:
                    repository = await asyncio.to_thread(ensure_repository, tree, release, _say)
                    made = await asyncio.to_thread(write_layer, self._home, tree, repository, self._authority.ca_file)
                except TreeError as error:
                    raise MachineError(str(error)) from None
                self._repositories[release.suite], self._layers[release.suite] = repository, made
            return self._layers[release.suite]

    async def open(self, namespace: Path, address: str) -> None:
        """Listen at an address of a network namespace. :raises MachineError: that is impossible."""
        try:
            listener = await asyncio.to_thread(
                inside, namespace, lambda: socket.create_server((address, 443), backlog=128)
            )
        except OSError as error:
            raise MachineError(f"the mirror of Docker's packages cannot listen at {address}: {error}") from error
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._authority.certificate_file, self._authority.key_file)
        await self._server.listen([listener], context)

    async def close(self) -> None:
        """Listen no longer. The guests are off."""
        await self._server.close()

    def find(self, path: str) -> bytes | Path | None:
        """Return what is at a path of https://download.docker.com: a file, other content, or None for nothing."""
        if path == f"{PREFIX}/gpg":
            return "".join(repository.key for repository in self._repositories.values()).encode()
        parts = path.removeprefix(f"{PREFIX}/dists/").split("/")
        repository = self._repositories.get(parts[0]) if path.startswith(f"{PREFIX}/dists/") else None
        if repository is None or not set(parts).isdisjoint({"", ".", ".."}):
            return None
        file = repository.root.joinpath(*parts[1:])
        return file if file.is_file() else None

    async def _answer(self, scope: t.Any, _receive: t.Any, send: t.Any) -> None:
        found = self.find(scope["path"]) if scope["method"] in ("GET", "HEAD") else None
        size = found.stat().st_size if isinstance(found, Path) else len(found or b"")
        headers = [(b"content-length", str(size).encode()), (b"content-type", b"application/octet-stream")]
        await send({"type": "http.response.start", "status": 404 if found is None else 200, "headers": headers})
        for chunk in _chunks(found) if found is not None and scope["method"] == "GET" else ():
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


def _chunks(content: bytes | Path) -> Iterator[bytes]:
    if isinstance(content, bytes):
        yield content
        return
    with content.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk


def _say(line: str) -> None:
    print(f"guest tree: {line}", flush=True)
