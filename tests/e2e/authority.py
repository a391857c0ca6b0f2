# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A CA of the tests' own, by openssl, independent of the collection's certificates."""

from __future__ import annotations

import base64
import subprocess
import typing as t
from pathlib import Path


class Server(t.NamedTuple):
    """PEM texts: what a server shows and whom it trusts."""

    ca: str
    cert: str
    key: str

    def settings(self) -> dict[str, str]:
        """As the protected setting ``certs``."""
        return {name: base64.b64encode(text.encode()).decode() for name, text in self._asdict().items()}


class Authority:
    """A CA in a directory."""

    def __init__(self, directory: Path, name: str = "test CA") -> None:
        self.directory = directory
        self._number = 0
        self._openssl(
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
            "-subj", f"/CN={name}", "-keyout", "ca-key.pem", "-out", "ca.pem",
        )  # fmt: skip
        self.ca = (directory / "ca.pem").read_text(encoding="ascii")

    def _openssl(self, *words: str) -> None:
        subprocess.run(["openssl", *words], cwd=self.directory, check=True, capture_output=True)

    def issue(self, name: str, use: str, names: t.Sequence[str] = ()) -> Path:
        """A directory with ``ca.pem``, ``cert.pem`` and ``key.pem``, as the docker CLI expects them.

        :param use: ``serverAuth`` or ``clientAuth``.
        """
        self._number += 1
        folder = self.directory / f"{name}-{self._number}"
        folder.mkdir()
        lines = [f"extendedKeyUsage={use}", *([f"subjectAltName={','.join(names)}"] if names else [])]
        (folder / "extensions").write_text("\n".join(lines), encoding="ascii")
        self._openssl(
            "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
            "-keyout", f"{folder}/key.pem", "-out", f"{folder}/request.pem",
        )  # fmt: skip
        self._openssl(
            "x509", "-req", "-in", f"{folder}/request.pem", "-CA", "ca.pem", "-CAkey", "ca-key.pem", "-CAcreateserial",
            "-days", "20", "-extfile", f"{folder}/extensions", "-out", f"{folder}/cert.pem",
        )  # fmt: skip
        (folder / "ca.pem").write_text(self.ca, encoding="ascii")
        return folder

    def server(self, name: str, names: t.Sequence[str]) -> Server:
        """A server's certificate for names such as ``IP:10.0.0.4``."""
        folder = self.issue(name, "serverAuth", names)
        return Server(self.ca, (folder / "cert.pem").read_text(), (folder / "key.pem").read_text())
