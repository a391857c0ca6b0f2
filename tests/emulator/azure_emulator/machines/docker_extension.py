# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The handler of the Docker extension 1.2.2 (https://github.com/Azure/azure-docker-extension), as a stand-in has it.

It writes the certificates, edits the packaged unit, and restarts the engine only if that changed the unit. It passes
``--email`` to ``docker login``, which Docker no longer knows. Disabling it stops the engine and removes no file.
Nothing is installed, and Compose projects are not started.
"""

from __future__ import annotations

import base64
import binascii
import typing as t
from pathlib import Path

HANDLER = "microsoft.azure.extensions.dockerextension"
UNIT = "lib/systemd/system/docker.service"
FOLDER = "/etc/docker"
CERTIFICATES = {"ca": "ca.pem", "cert": "cert.pem", "key": "key.pem"}
_TLS = ["--tlsverify", *(f"--tls{option}={FOLDER}/{file}" for option, file in (
    ("cacert", "ca.pem"), ("cert", "cert.pem"), ("key", "key.pem"),
))]  # fmt: skip

Settings = t.Mapping[str, t.Any]


def configure(root: Path, public: Settings, protected: Settings) -> bool:
    """Write certificates and unit below ``root``, and return whether the engine needs a restart."""
    certs = protected.get("certs") or {}
    complete = all(certs.get(name) for name in CERTIFICATES)
    if complete:
        for name, file in CERTIFICATES.items():
            _write(root / FOLDER.lstrip("/") / file, _decoded(str(certs[name]).strip()), 0o600)
    docker = public.get("docker") or {}
    words = ["/usr/bin/dockerd", "-H=fd://", *(_TLS if complete else [])]
    words += [f"-H=0.0.0.0:{docker['port']}"] if docker.get("port") else []
    words += docker.get("options") or []
    unit = root / UNIT
    content = f"[Service]\nExecStart={' '.join(words)}\n".encode()
    if unit.exists() and unit.read_bytes() == content:
        return False
    _write(unit, content, 0o644)
    return True


def logs_in(protected: Settings) -> bool:
    """Return whether the handler calls ``docker login``, which fails."""
    login = protected.get("login") or {}
    return bool(login.get("username") and login.get("password"))


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        return text.encode()


def _write(path: Path, content: bytes, mode: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode)
    path.chmod(mode)
    path.write_bytes(content)
