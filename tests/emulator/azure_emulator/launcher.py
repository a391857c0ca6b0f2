# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Start a local Azure from tests and scripts."""

from __future__ import annotations

import http.client
import json
import os
import select
import signal
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import typing as t
import urllib.parse
from pathlib import Path

START_TIMEOUT = 600.0
"""Seconds; the first start with guests builds what they are made of."""
STOP_TIMEOUT = 60.0
OUTPUT_LIMIT = 2**26
IDLE_LIMIT = 30.0
"""Seconds without a request after which a connection is not used again; the server closes it after 75."""
CLEARED = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")


def _read(descriptor: int, seconds: float) -> bytes:
    """Return what comes through a pipe until its other end closes or the time is over, and close it."""
    content, deadline = b"", time.monotonic() + seconds
    with os.fdopen(descriptor, "rb", buffering=0) as pipe:
        while select.select([pipe], [], [], max(0.0, deadline - time.monotonic()))[0]:
            part = pipe.read(65536)
            if not part:
                return content
            content += part
    return b""


class StartError(RuntimeError):
    """A server did not start. :param said: what it wrote until then."""

    def __init__(self, said: str) -> None:
        super().__init__(f"the local Azure did not start: {said}")
        lines = said.strip().splitlines() or [f"no answer within {START_TIMEOUT:.0f} s"]
        #: One line: the last that it wrote, which says why.
        self.reason = lines[-1].removeprefix("azure_emulator: ")


class LocalAzure:
    """A server in a process and session of its own, as a context manager.

    A Ctrl-C in the terminal therefore does not end it before its users.

    :param machines: ``auto``, ``guests``, ``stand-in`` or ``none``.
    :param latency: ``instant``, ``recorded[:SCALE]`` or ``handlers[:SCALE]``.
    :param state_dir: where state outlives the server; None for a server that leaves nothing behind.
    :param options: further command-line options, passed on unchanged.
    :raises StartError: it did not start; the text ends with its output.
    """

    def __init__(
        self,
        machines: str = "none",
        latency: str = "instant",
        state_dir: str | os.PathLike[str] | None = None,
        *,
        port: int = 0,
        seed: int | None = None,
        switches: t.Mapping[str, t.Any] | None = None,
        options: t.Sequence[str] = (),
    ) -> None:
        self._arguments = ["--machines", machines, "--latency", latency, "--port", str(port), *options]
        if state_dir is not None:
            self._arguments += ["--state-dir", os.fspath(state_dir)]
        if seed is not None:
            self._arguments += ["--seed", str(seed)]
        self._switches = dict(switches or {})
        self._process: subprocess.Popen[bytes] | None = None
        self._kept = threading.local()
        self.url = self.ca_file = self.tenant = self.subscription_id = self.client_id = self.secret = ""
        self.control_url = self.control_token = self.hosts_file = self.machines = self.no_proxy = ""
        self.state_dir = ""
        self.pid = 0

    @classmethod
    def running(cls, ready_file: Path) -> LocalAzure:
        """Return a server that runs already, by the ready file that it wrote. It is not stopped from here.

        :raises StartError: the file cannot be read, or a server did not write it.
        """
        azure = cls()
        try:
            azure._set(ready_file.read_text(encoding="utf-8"))
        except (OSError, ValueError, AttributeError) as error:
            raise StartError(f"{ready_file} must be the ready file of a running server: {error}") from error
        return azure

    def _set(self, told: str | bytes) -> None:
        for name, value in json.loads(told).items():
            setattr(self, name, value)

    def start(self) -> LocalAzure:
        """Start the server and wait until it answers."""
        self._said = tempfile.TemporaryFile(prefix="azure-emulator-")  # noqa: SIM115
        try:
            told = self._told()
            if not told:
                raise StartError(self.output())
            self._set(told)
            if self._switches:
                self.control("PUT", "switches", self._switches)
        except BaseException:
            self.stop()
            raise
        return self

    def _told(self) -> bytes:
        """Start the process and return its ready message; empty if it ended instead."""
        package = str(Path(__file__).resolve().parent.parent)
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([package, os.environ.get("PYTHONPATH", "")])}
        facts, ready = os.pipe()
        command = [sys.executable, "-m", "azure_emulator", "--ready-fd", str(ready), "--until-stdin-closes"]
        try:
            self._process = subprocess.Popen(
                [*command, *self._arguments],
                stdin=subprocess.PIPE,
                stdout=self._said,
                stderr=subprocess.STDOUT,
                env=environment,
                pass_fds=(ready,),
                start_new_session=True,
            )
        finally:
            os.close(ready)
        return _read(facts, START_TIMEOUT)

    def output(self) -> str:
        """Return what the server has written to its standard output and error."""
        return os.pread(self._said.fileno(), OUTPUT_LIMIT, 0).decode(errors="replace")[-4000:]

    def stop(self) -> None:
        """End the server and its machines."""
        process, self._process = self._process, None
        if process is not None and process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(STOP_TIMEOUT)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if process is not None and process.stdin is not None:
            process.stdin.close()
        self._close_connection()
        self._said.close()

    def kill(self) -> None:
        """End the server as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def __enter__(self) -> LocalAzure:
        return self.start()

    def __exit__(self, *_details: object) -> None:
        self.stop()

    @property
    def environment(self) -> dict[str, str]:
        """Environment variables for a client."""
        return {
            "AZURE_CLOUD_ENVIRONMENT": self.url,
            "AZURE_CLOUD_CA_PATH": self.ca_file,
            "AZURE_TENANT": self.tenant,
            "AZURE_CLIENT_ID": self.client_id,
            "AZURE_SECRET": self.secret,
            "AZURE_SUBSCRIPTION_ID": self.subscription_id,
        }

    def control(self, method: str, name: str, body: t.Any = None) -> t.Any:
        """Return one request to the control interface.

        :raises RuntimeError: the request was refused; the text says why.
        """
        headers = {"Authorization": f"Bearer {self.control_token}"}
        content = None if body is None else json.dumps(body)
        connection = self._connection()
        try:
            connection.request(method, f"{urllib.parse.urlsplit(self.control_url).path}/{name}", content, headers)
            answer = connection.getresponse()
            said = answer.read()
        except BaseException:
            self._close_connection()
            raise
        if answer.status >= 400:
            raise RuntimeError(f"{method} {name}: {said.decode(errors='replace')}")
        return json.loads(said or b"null")

    def _connection(self) -> http.client.HTTPSConnection:
        """Return this thread's connection to the control interface.

        Each new one costs both sides a TLS handshake. After a while without requests the server closes it, so one that
        may be closed at the same time is not used any more.
        """
        now, kept = time.monotonic(), self._kept
        if getattr(kept, "process", None) != os.getpid() or now - kept.used > IDLE_LIMIT:
            self._close_connection()
            parts = urllib.parse.urlsplit(self.control_url)
            context = ssl.create_default_context(cafile=self.ca_file)
            kept.connection = http.client.HTTPSConnection(parts.netloc, context=context, timeout=60)
            kept.process = os.getpid()
        kept.used = now
        return t.cast("http.client.HTTPSConnection", kept.connection)

    def _close_connection(self) -> None:
        connection = getattr(self._kept, "connection", None)
        if connection is not None:
            connection.close()
        self._kept.process = None

    def requests(self) -> list[dict[str, t.Any]]:
        """Return the entries of the request log, oldest first."""
        return t.cast("list[dict[str, t.Any]]", self.control("GET", "requests")["value"])

    def clear_requests(self) -> None:
        """Forget the requests so far."""
        self.control("DELETE", "requests")

    def fault(self, action: str, **fields: t.Any) -> dict[str, t.Any]:
        """Add a fault; see :class:`azure_emulator.faults.Fault` for the fields."""
        return t.cast("dict[str, t.Any]", self.control("POST", "faults", {"action": action, **fields}))

    def faults(self) -> list[dict[str, t.Any]]:
        """Return the faults with how often they struck."""
        return t.cast("list[dict[str, t.Any]]", self.control("GET", "faults")["value"])

    def faults_clear(self) -> None:
        """Forget all faults."""
        self.control("DELETE", "faults")

    def switch(self, name: str, value: t.Any) -> None:
        """Set a switch; see :mod:`azure_emulator.switches`."""
        self.control("PUT", "switches", {name: value})

    def dump(self) -> dict[str, t.Any]:
        """Return every resource by its id, to compare before and after."""
        return t.cast("dict[str, t.Any]", self.control("GET", "dump"))

    def names(self) -> dict[str, str]:
        """Public address by DNS name."""
        return t.cast("dict[str, str]", self.control("GET", "names"))

    def settle(self) -> None:
        """Wait until no operation is under way."""
        self.control("POST", "settle")

    def hold(self, hold: bool = True) -> None:
        """Let operations that begin from now on stay InProgress until :meth:`release`."""
        self.control("PUT", "hold", {"hold": hold})

    def operations(self) -> list[dict[str, t.Any]]:
        """Return the long-running operations, oldest first: id, kind, target, status, times, error."""
        return t.cast("list[dict[str, t.Any]]", self.control("GET", "operations")["value"])

    def release(self, operation_id: str, status: str | None = None, error: dict[str, t.Any] | None = None) -> None:
        """Let a held operation end: as its work ended, or as ``Failed`` or ``Canceled`` with an error."""
        self.control("POST", "release", {"id": operation_id, "status": status, "error": error})

    def register_certificate(self, pem: str) -> None:
        """Let the client sign in with this certificate too."""
        self.control("POST", "certificates", {"pem": pem})

    def federated_token(self, subject: str = "system:serviceaccount:awx:awx") -> str:
        """Return a workload's own token, which can be exchanged for one of Azure's."""
        return str(self.control("POST", "federated-token", {"subject": subject})["token"])

    def console_log(self, vm_id: str) -> str:
        """Return the console of a machine since its last boot."""
        return str(self.control("POST", "console", {"id": vm_id})["log"])
