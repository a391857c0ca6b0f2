# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The layer that makes a guest's image trust the mirror, as a company's images trust theirs."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

from azure_emulator.machines.mirror.repository import Repository
from azure_emulator.machines.packages import architecture, run
from azure_emulator.machines.tree import Tree

HOST = "download.docker.com"
_KEY = "etc/apt/keyrings/docker.asc"
_BUNDLE = "etc/ssl/certs/ca-certificates.crt"


def write_layer(home: Path, tree: Tree, repository: Repository, ca_file: Path) -> Path:
    """Make the layer below ``home``, or find it there, named by its content; what is mounted is never changed.

    :param ca_file: the CA of the mirror's server.
    :raises TreeError: openssl failed.
    """
    suite, authority = repository.suite, ca_file.read_text(encoding="ascii")
    source = f"deb [arch={architecture()} signed-by=/{_KEY}] https://{HOST}/linux/debian {suite} stable\n"
    files = {
        _KEY: repository.key,
        "etc/apt/sources.list.d/docker.list": source,
        "usr/local/share/ca-certificates/local-azure.crt": authority,
        "etc/ssl/certs/local-azure.pem": authority,
        _BUNDLE: (tree.root / _BUNDLE).read_text(encoding="ascii") + authority,
    }
    layer = home / f"mirror-{suite}-{hashlib.sha256(repr(files).encode()).hexdigest()[:12]}"
    if layer.exists():
        return layer
    partial = layer.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    for name, text in files.items():
        path = partial / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="ascii")
        path.chmod(0o644)
    # OpenSSL finds a CA by the hash of its name, as c_rehash(1) links it.
    found = run(["openssl", "x509", "-in", ca_file, "-noout", "-subject_hash"]).strip()
    (partial / "etc/ssl/certs" / f"{found}.0").symlink_to("local-azure.pem")
    partial.rename(layer)
    return layer
