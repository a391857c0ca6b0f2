# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a stand-in machine runs instead of dockerd: ``standin_engine.py ROOT ADDRESS NAME``.

Reads the daemon's configuration below ROOT (the unit's drop-ins, else daemon.json), listens on ADDRESS with the ports
and the TLS files given there, and answers ``/_ping``, ``/version`` and ``/info``. It says everywhere that it is a
stand-in, and refuses everything else. Ends when its standard input does. Standard library only.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import ssl
import sys
import threading
import typing as t
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

VERSION = "20.10.24+stand-in"
API_VERSION, MIN_API_VERSION = "1.47", "1.24"
WHAT = "a stand-in of the local Azure, not a Docker engine: it runs no containers"
UNIT = "etc/systemd/system/docker.service"
_FLAGS = {"-H": "hosts", "--host": "hosts", "--label": "labels"}
_FILES = ("tlscacert", "tlscert", "tlskey")


@dataclass
class Daemon:
    """The daemon's settings that matter to a client.

    :param hosts: as in dockerd's ``-H``.
    :param tls: encrypted; with ``tlsverify`` clients must show a certificate of ``tlscacert``.
    """

    hosts: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    tls: bool = False
    tlsverify: bool = False
    files: dict[str, str] = field(default_factory=dict)

    @property
    def ports(self) -> list[int]:
        found = [re.fullmatch(r"(?:tcp://)?[^/]*:(\d+)/?", host) for host in self.hosts]
        return [int(match.group(1)) for match in found if match]


def read_daemon(root: Path) -> Daemon:
    """Return the settings of the daemon configured below ``root``; without any, it listens nowhere."""
    daemon = Daemon()
    config = root / "etc/docker/daemon.json"
    if config.exists():
        values = json.loads(config.read_text(encoding="utf-8"))
        daemon.hosts += values.get("hosts", [])
        daemon.labels += values.get("labels", [])
        daemon.tlsverify = bool(values.get("tlsverify"))
        daemon.tls = bool(values.get("tls")) or daemon.tlsverify
        daemon.files.update({name: values[name] for name in _FILES if values.get(name)})
    words = iter(exec_start(root)[1:])
    for word in words:
        flag, equals, value = word.partition("=")
        if flag in _FLAGS:
            getattr(daemon, _FLAGS[flag]).append(value if equals else next(words))
        elif flag.lstrip("-") in _FILES:
            daemon.files[flag.lstrip("-")] = value if equals else next(words)
        elif flag in ("--tls", "--tlsverify"):
            wanted = value.lower() not in ("false", "0")
            daemon.tls = wanted
            daemon.tlsverify = wanted and flag == "--tlsverify"
    return daemon


def exec_start(root: Path) -> list[str]:
    """Return the words of the unit's last ``ExecStart=``; an empty one clears what stood before, as systemd has it."""
    files = [root / "lib/systemd/system/docker.service", root / UNIT, *sorted((root / f"{UNIT}.d").glob("*.conf"))]
    command = ""
    for file in files:
        if file.exists():
            text = file.read_text(encoding="utf-8").replace("\\\n", " ")
            for match in re.finditer(r"^ExecStart=(.*)$", text, re.MULTILINE):
                command = match.group(1).strip()
    return shlex.split(command)


def tls_context(daemon: Daemon, root: Path) -> ssl.SSLContext | None:
    if not daemon.tls:
        return None
    inside = {name: root / path.lstrip("/") for name, path in daemon.files.items()}
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(inside["tlscert"], inside["tlskey"])
    if daemon.tlsverify:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(inside["tlscacert"])
    return context


def answers(name: str, daemon: Daemon) -> dict[str, t.Any]:
    """Return the documents by path, of Docker's Engine API 1.47."""
    common = {"Os": "linux", "Arch": "amd64", "KernelVersion": os.uname().release}
    version: dict[str, t.Any] = {
        "Version": VERSION,
        "ApiVersion": API_VERSION,
        "MinAPIVersion": MIN_API_VERSION,
        **common,
    }
    version["Platform"] = {"Name": WHAT}
    version["Components"] = [{"Name": "Engine", "Version": VERSION, "Details": dict(common, ApiVersion=API_VERSION)}]
    info: dict[str, t.Any] = {
        "ID": f"stand-in-{name}", "Name": name, "ServerVersion": VERSION, "OperatingSystem": WHAT, "OSType": "linux",
        "Architecture": os.uname().machine, "KernelVersion": os.uname().release, "NCPU": os.cpu_count(), "MemTotal": 0,
        "Containers": 0, "ContainersRunning": 0, "ContainersPaused": 0, "ContainersStopped": 0, "Images": 0,
        "Driver": "none", "DriverStatus": [["Stand-in", WHAT]], "Plugins": {"Volume": [], "Network": [], "Log": []},
        "Labels": [*daemon.labels, "stand-in=true"], "SecurityOptions": [], "Warnings": [f"This is {WHAT}."],
        "Swarm": {"LocalNodeState": "inactive"}, "DockerRootDir": "", "ExperimentalBuild": False,
        "IndexServerAddress": "", "RegistryConfig": {"InsecureRegistryCIDRs": [], "IndexConfigs": {}, "Mirrors": []},
    }  # fmt: skip
    return {"/version": version, "/info": info}


class Handler(BaseHTTPRequestHandler):
    """Answers what a Docker client asks first; everything else is refused.

    :param documents: by path, what is answered.
    """

    documents: t.ClassVar[dict[str, t.Any]] = {}
    protocol_version = "HTTP/1.1"
    server_version = "Docker/stand-in"
    timeout = 60
    # As every socket of a program in Go, dockerd's among them.
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        path = re.sub(r"^/v1\.\d+(?=/)", "", self.path.partition("?")[0])
        if path == "/_ping":
            self._send(200, b"OK", "text/plain; charset=utf-8")
        elif path in self.documents:
            self._send(200, json.dumps(self.documents[path]).encode())
        else:
            self._refuse()

    do_HEAD = do_GET  # noqa: N815

    def _refuse(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        self.rfile.read(length)
        self._send(501, json.dumps({"message": f"this is {WHAT}"}).encode())

    do_POST = do_PUT = do_DELETE = _refuse  # noqa: N815

    def _send(self, status: int, body: bytes, kind: str = "application/json") -> None:
        self.send_response(status)
        headers = {"Content-Type": kind, "Content-Length": str(len(body)), "Api-Version": API_VERSION}
        headers |= {"Ostype": "linux", "Docker-Experimental": "false", "Builder-Version": "1"}
        for key, value in headers.items():
            self.send_header(key, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: t.Any) -> None:
        """Keep quiet."""


def make_handler(documents: dict[str, t.Any]) -> type[Handler]:
    """Return a handler class for one engine's documents."""
    return type("EngineHandler", (Handler,), {"documents": documents})


class Server(ThreadingHTTPServer):
    """Shakes hands in the thread of each connection, so that a silent client holds up nobody."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler], tls: ssl.SSLContext | None):
        self.tls = tls
        super().__init__(address, handler)

    def finish_request(self, request: t.Any, client_address: t.Any) -> None:
        request.settimeout(60)
        try:
            wrapped = self.tls.wrap_socket(request, server_side=True) if self.tls else request
            super().finish_request(wrapped, client_address)
            wrapped.close()
        except OSError:
            return


def main(root: Path, address: str, name: str) -> int:
    daemon = read_daemon(root)
    tls = tls_context(daemon, root)
    handler = make_handler(answers(name, daemon))
    servers = [Server((address, port), handler, tls) for port in daemon.ports]
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"listening on {', '.join(f'{address}:{port}' for port in daemon.ports) or 'nothing'}", flush=True)
    while sys.stdin.buffer.read(4096):
        pass
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2], sys.argv[3]))
