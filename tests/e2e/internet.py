# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A server where guests find a server on the Internet: files, and a registry that has every image anybody asks for.

All images are one busybox: ``hello-world`` says hello, every other one serves a page on port 80.

``python internet.py ADDRESS PORT DIRECTORY BUSYBOX`` is the server.
"""

from __future__ import annotations

import functools
import gzip
import hashlib
import http.server
import io
import ipaddress
import json
import subprocess
import sys
import tarfile
import typing as t
from pathlib import Path

PORT = 8000
PAGE = b"It answers.\n"
HELLO = "Hello from Docker!"
MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"


class Registry:
    """What ``docker pull`` asks for (https://distribution.github.io/distribution/spec/api/)."""

    def __init__(self, busybox: Path) -> None:
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w") as tar:
            tar.add(busybox, arcname="bin/busybox")
            link = tarfile.TarInfo("bin/sh")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(link)
            page = tarfile.TarInfo("www/index.html")
            page.size, page.mode = len(PAGE), 0o644
            tar.addfile(page, io.BytesIO(PAGE))
        layer = gzip.compress(archive.getvalue(), 1)
        self.blobs: dict[str, bytes] = {}
        self.manifests: dict[bool, bytes] = {}
        for hello in (False, True):
            command = ["/bin/busybox", *(["echo", HELLO] if hello else ["httpd", "-f", "-p", "80", "-h", "/www"])]
            config = {
                "architecture": "amd64",
                "os": "linux",
                "config": {"Cmd": command, "Env": ["PATH=/bin"]},
                "rootfs": {"type": "layers", "diff_ids": [digest(archive.getvalue())]},
            }
            manifest = {
                "schemaVersion": 2,
                "mediaType": MANIFEST,
                "config": self._blob("application/vnd.docker.container.image.v1+json", json.dumps(config).encode()),
                "layers": [self._blob("application/vnd.docker.image.rootfs.diff.tar.gzip", layer)],
            }
            self.manifests[hello] = json.dumps(manifest).encode()

    def _blob(self, media_type: str, content: bytes) -> dict[str, t.Any]:
        self.blobs[digest(content)] = content
        return {"mediaType": media_type, "size": len(content), "digest": digest(content)}

    def find(self, path: str) -> tuple[str, bytes] | None:
        """Media type and content of what is at a path, None for nothing."""
        if path == "/v2/":
            return "application/json", b"{}"
        name, kind, reference = path.removeprefix("/v2/").rsplit("/", 2)
        if kind == "manifests":
            by_digest = {digest(content): content for content in self.manifests.values()}
            return MANIFEST, by_digest.get(reference, self.manifests[name.endswith("hello-world")])
        found = self.blobs.get(reference)
        return ("application/octet-stream", found) if found is not None else None


def digest(content: bytes) -> str:
    """The name of a blob."""
    return "sha256:" + hashlib.sha256(content).hexdigest()


class Handler(http.server.SimpleHTTPRequestHandler):
    """Files, and the registry below ``/v2/``."""

    protocol_version = "HTTP/1.1"

    def __init__(self, *args: t.Any, registry: Registry, **keywords: t.Any) -> None:
        self.registry = registry
        super().__init__(*args, **keywords)

    def _image(self) -> None:
        found = self.registry.find(self.path)
        self.send_response(200 if found else 404)
        media_type, content = found or ("application/json", b"{}")
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Docker-Content-Digest", digest(content))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)

    def do_GET(self) -> None:
        if self.path.startswith("/v2/"):
            return self._image()
        return super().do_GET()

    def do_HEAD(self) -> None:
        if self.path.startswith("/v2/"):
            return self._image()
        return super().do_HEAD()

    def log_message(self, *_arguments: t.Any) -> None:
        """Say nothing."""


class Internet:
    """The server, beside the guests of a local Azure.

    :param server: process of that local Azure.
    :param directory: the files.
    """

    def __init__(self, server: int, directory: Path, busybox: Path) -> None:
        self.directory = directory
        supervisor = _supervisor(server)
        inside = ["nsenter", "-t", str(supervisor), "--mount", "--pid", "--net", "--"]
        shown = subprocess.run([*inside, "ip", "-j", "-4", "address"], check=True, capture_output=True, text=True)
        addresses = [info["local"] for link in json.loads(shown.stdout) for info in link["addr_info"]]
        self.address = next(a for a in addresses if not ipaddress.ip_address(a).is_loopback)
        self._process = subprocess.Popen(
            [*inside, sys.executable, __file__, self.address, str(PORT), str(directory), str(busybox)],
            stdin=subprocess.DEVNULL,
        )

    @property
    def url(self) -> str:
        """Where it is, for guests."""
        return f"http://{self.address}:{PORT}"

    def close(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait()


def _supervisor(server: int) -> int:
    """The first process of the namespace in which the networks of a local Azure are."""
    (unshare,) = (
        child for child in _children(server) if Path(f"/proc/{child}/cmdline").read_bytes().startswith(b"unshare\0")
    )
    (supervisor,) = _children(unshare)
    return supervisor


def _children(pid: int) -> list[int]:
    listed = subprocess.run(["pgrep", "-P", str(pid)], check=False, capture_output=True, text=True)
    return [int(word) for word in listed.stdout.split()]


def main(address: str, port: str, directory: str, busybox: str) -> None:
    """Serve until the end."""
    handler = functools.partial(Handler, directory=directory, registry=Registry(Path(busybox)))
    http.server.ThreadingHTTPServer((address, int(port)), handler).serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
