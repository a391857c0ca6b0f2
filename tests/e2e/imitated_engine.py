# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A dockerd of a few lines, which packages of tests/e2e/rpm_repositories.py and deb_repositories.py bring.

It answers on its socket, and on ports with mutual TLS, with the version of its package. Where ``/root/cut`` exists, its
installation is cut short once.
"""

from __future__ import annotations

from pathlib import Path

ENGINE = """import http.server, json, os, signal, socketserver, ssl, sys, threading
VERSION = "@VERSION@"
ANSWERS = {
    "/_ping": b"OK",
    "/info": json.dumps({"DockerRootDir": "/var/lib/docker", "Swarm": {"LocalNodeState": "inactive"}}).encode(),
    "/version": json.dumps({"Version": VERSION, "ApiVersion": "1.51"}).encode(),
}
if "--validate" in sys.argv:
    sys.exit(print("configuration OK"))


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(ANSWERS.get(self.path, b"{}"))

    def log_message(self, *_words):
        pass


class Socket(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    pass


class Port(socketserver.ThreadingMixIn, socketserver.TCPServer):
    allow_reuse_address = True


def listen(place, options):
    address, _colon, port = place.rpartition(":")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(options["--tlscert"], options["--tlskey"])
    context.load_verify_locations(options["--tlscacert"])
    context.verify_mode = ssl.CERT_REQUIRED
    server = Port((address, int(port)), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()


signal.signal(signal.SIGHUP, signal.SIG_IGN)
if os.path.exists("/run/docker.sock"):
    os.unlink("/run/docker.sock")
for word in sys.argv:
    if word.startswith("tcp://"):
        listen(word[6:], dict(pair.split("=", 1) for pair in sys.argv if "=" in pair))
Socket("/run/docker.sock", Handler).serve_forever()
"""
UNIT = """[Unit]
Description=Docker Application Container Engine
[Service]
ExecStart=/usr/bin/dockerd -H unix:///run/docker.sock
ExecReload=/bin/kill -s HUP $MAINPID
[Install]
WantedBy=multi-user.target
"""
CUT = """if test -e /root/cut; then
  rm /root/cut
  pkill -9 -x 'dnf|zypper|apt-get|dpkg'
  kill -9 $PPID
fi
"""
# A program of its own, as dockerd is: an upgrade replaces it below the daemon that runs.
START = """#!/bin/sh
exec /usr/libexec/dockerd-python /usr/libexec/dockerd.py "$@"
"""
ENGINE_FILES = {
    "/usr/bin/dockerd": "dockerd.sh",
    "/usr/libexec/dockerd-python": "/usr/bin/python3",
    "/usr/libexec/dockerd.py": "dockerd-@VERSION@.py",
    "/usr/lib/systemd/system/docker.service": "docker.service",
}
GROUP = "getent group docker >/dev/null || groupadd --system docker\n"
RESTART = "test $1 -lt 1 || systemctl try-restart docker.service || :\n"


def write_engine(folder: Path, version: str) -> None:
    """Write the sources of :data:`ENGINE_FILES`."""
    (folder / f"dockerd-{version}.py").write_text(ENGINE.replace("@VERSION@", version), encoding="utf-8")
    (folder / "dockerd.sh").write_text(START, encoding="utf-8")
    (folder / "docker.service").write_text(UNIT, encoding="utf-8")
