# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run the server: socket, TLS, ready file, signals."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import logging
import os
import shutil
import signal
import socket
import tempfile
import time
import typing as t
from pathlib import Path

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from .app import TRANSPORT, create_app
from .authority import Authority, write_private
from .cloud import Cloud
from .settings import Settings
from .vault.names import SUFFIX as VAULT_SUFFIX

LOG = logging.getLogger(__name__)
STDIN = 0
TEMPORARY = "azure-emulator-"
"""How the names of temporary state directories begin."""
BEGINNING = 60.0
"""Seconds after which a server surely holds the lock that it made."""


def _watch(loop: asyncio.AbstractEventLoop, stopping: asyncio.Event) -> None:
    """Stop the server at the end of standard input."""
    if not os.read(STDIN, 4096):
        loop.remove_reader(STDIN)
        stopping.set()


class Protocol(HttpToolsProtocol):
    """HTTP as uvicorn speaks it; requests know their connection, which faults need to break it."""

    def on_message_begin(self) -> None:
        """Note that a request begins."""
        super().on_message_begin()
        self.scope[TRANSPORT] = self.transport  # type: ignore[literal-required]


def _locked(directory: Path) -> t.IO[bytes]:
    """Hold a directory for this process alone, until the file that is returned is closed.

    :raises RuntimeError: another server holds it.
    """
    file = open(directory / "lock", "ab")  # noqa: SIM115
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.close()
        raise RuntimeError(f"another server is running with the state directory {directory}") from error
    return file


def remove_abandoned() -> None:
    """Remove the temporary state directories of killed servers, whose locks are free."""
    mounts = Path("/proc/self/mountinfo")
    mounted = mounts.read_text(encoding="utf-8") if mounts.exists() else ""
    for directory in Path(tempfile.gettempdir()).glob(f"{TEMPORARY}*"):
        try:
            if directory.lstat().st_uid != os.getuid() or str(directory) in mounted:
                continue
            with open(directory / "lock", "rb") as lock:
                if time.time() - os.fstat(lock.fileno()).st_mtime < BEGINNING:
                    continue
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(directory, ignore_errors=True)
        except OSError:
            continue


class Server:
    """One running server."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        if settings.ready_fd is not None:
            os.set_inheritable(settings.ready_fd, False)
        self._temporary: Path | None = None
        try:
            self.directory = self._make_directory()
            self._lock = _locked(self.directory)
            self.authority = Authority(self.directory)
            self.cloud = Cloud(settings, self.directory, durable=self._temporary is None)
        except BaseException:
            self._remove()
            raise

    def _make_directory(self) -> Path:
        """Return the directory of the server's state, which exists then."""
        if self.settings.state_dir is not None:
            directory = self.settings.state_dir.absolute()
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            return directory
        remove_abandoned()
        # A signal that ended the start between these two would leave the directory behind.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
        try:
            self._temporary = Path(tempfile.mkdtemp(prefix=TEMPORARY))
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        return self._temporary

    def _remove(self) -> None:
        """Remove the directory, if it is temporary."""
        if self._temporary is not None:
            shutil.rmtree(self._temporary, ignore_errors=True)

    async def run(self) -> None:
        """Serve until SIGTERM or SIGINT."""
        stopping = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stopping.set)
        if self.settings.until_stdin_closes:
            loop.add_reader(STDIN, _watch, loop, stopping)
        try:
            listener = socket.create_server(("127.0.0.1", self.settings.port), backlog=1024, reuse_port=False)
        except OSError:
            self._remove()
            raise
        port = listener.getsockname()[1]
        self.cloud.origin = f"https://localhost:{port}"
        config = uvicorn.Config(
            create_app(self.cloud),
            http=Protocol,
            lifespan="off",
            ssl_certfile=str(self.authority.certificate_file),
            ssl_keyfile=str(self.authority.key_file),
            access_log=False,
            log_config=None,
            server_header=False,
            date_header=False,
            timeout_keep_alive=75,
        )
        server = _Uvicorn(config)
        try:
            await self.cloud.open()
            serving = loop.create_task(server.serve([listener]))
            while not server.started and not serving.done():
                await asyncio.sleep(0.005)
            self._announce(port)
            waiting = loop.create_task(stopping.wait())
            await asyncio.wait([serving, waiting], return_when=asyncio.FIRST_COMPLETED)
            server.should_exit = True
            server.force_exit = True
            await serving
        finally:
            await self.cloud.close()
            listener.close()
            self._lock.close()
            if self.settings.ready_file is not None:
                self.settings.ready_file.unlink(missing_ok=True)
            self._remove()

    def _announce(self, port: int) -> None:
        identity = self.cloud.identity
        facts = {
            "url": self.cloud.origin,
            "ca_file": str(self.authority.ca_file),
            "tenant": identity.tenant,
            "subscription_id": identity.subscription_id,
            "client_id": identity.client_id,
            "secret": identity.secret,
            "control_url": f"{self.cloud.origin}/_control",
            "control_token": identity.control_token,
            "hosts_file": str(self.directory / "hosts"),
            "state_dir": str(self.directory),
            "pid": os.getpid(),
            "machines": self.cloud.machines.kind,
            "no_proxy": ",".join(self._local_names()),
        }
        text = json.dumps(facts, indent=2).encode()
        if self.settings.ready_file is not None:
            write_private(self.settings.ready_file, text)
        if self.settings.ready_fd is not None:
            with os.fdopen(self.settings.ready_fd, "wb") as pipe:
                pipe.write(text)
        LOG.info("serving %s with machines of kind %s", self.cloud.origin, self.cloud.machines.kind)

    def _local_names(self) -> list[str]:
        """Return what needs no proxy: the endpoints, the vaults, and the machines by name and address."""
        endpoints = ["localhost", "127.0.0.1", f".{VAULT_SUFFIX}"]
        return [*endpoints, f".{self.settings.dns_suffix}", self.cloud.machines.public_pool]


class _Uvicorn(uvicorn.Server):
    """uvicorn without its own signal handlers: ours close the machines first."""

    @contextlib.contextmanager
    def capture_signals(self) -> t.Generator[None, None, None]:
        """Leave signals alone."""
        yield


def serve(settings: Settings) -> None:
    """Run a server until it is told to stop."""
    server = Server(settings)
    try:
        import uvloop
    except ImportError:
        asyncio.run(server.run())
        return
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) if hasattr(asyncio, "Runner") else _Plain(uvloop) as runner:
        runner.run(server.run())


class _Plain:
    """``asyncio.Runner`` for Python 3.10."""

    def __init__(self, uvloop: t.Any) -> None:
        self._loop = uvloop.new_event_loop()

    def __enter__(self) -> _Plain:
        return self

    def run(self, main: t.Coroutine[t.Any, t.Any, None]) -> None:
        """Run to the end."""
        self._loop.run_until_complete(main)

    def __exit__(self, *_details: object) -> None:
        self._loop.close()
