# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The running engine: its API on the unix socket, its service, its TLS port."""

import http.client
import json
import os
import re
import socket
import ssl
import time

from .certificates import fingerprints, sha256
from .paths import SOCKET


class UnixConnection(http.client.HTTPConnection):
    """HTTP to the engine's unix socket."""

    def __init__(self, path, timeout):
        super().__init__("localhost", timeout=timeout)
        self.socket_path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.socket_path)


def ask_engine(path, timeout=10):
    """Return the local engine's answer to a GET; None when it does not answer."""
    connection = UnixConnection(SOCKET, timeout)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        body = response.read()
        if response.status != 200:
            return None
        return json.loads(body.decode()) if path != "/_ping" else body.decode()
    except (OSError, ValueError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def engine_info(machine):
    """Return the running engine's /info, empty if it does not run. Asking must not start it by its socket unit."""
    if not machine.alive or not service_active(machine):
        return {}
    return ask_engine("/info", timeout=30) or {}


def service_active(machine, limit=60):
    """Return whether the engine runs. One that starts or stops, such as while the machine boots, is waited for."""
    if not machine.has("systemctl"):
        return False
    deadline = time.monotonic() + limit
    while True:
        state = machine.run(["systemctl", "is-active", "docker"], ok=None).strip()
        if not state.endswith("ing") or time.monotonic() > deadline:
            return state == "active"
        time.sleep(0.5)


def tls_answers(port, certificate):
    """Return whether the server on the port shows exactly this certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # the certificate itself is compared below
    try:
        plain = socket.create_connection(("127.0.0.1", port), timeout=20)
    except OSError:
        return False
    with plain:
        try:
            with context.wrap_socket(plain) as secure:
                shown = secure.getpeercert(binary_form=True)
        except ssl.SSLError as error:
            # TLS 1.2, on old systems: the daemon refuses us for our missing certificate before we see its own.
            return "ALERT" in (error.reason or "")
        except OSError:
            return False
    return [sha256(shown)] == fingerprints(certificate)[:1]


def runs_replaced_program(machine):
    """Return whether the running daemon's program has been replaced: an upgrade was cut short before its restart."""
    shown = machine.run(["systemctl", "show", "-p", "MainPID", "docker"], ok=None)
    found = re.search(r"^MainPID=([1-9]\d*)$", shown, re.MULTILINE)
    try:
        return bool(found) and os.readlink("/proc/{}/exe".format(found.group(1))).endswith(" (deleted)")
    except OSError:
        return False
