# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A home directory for commands that run against a local Azure, so that they leave the user's own files alone."""

from __future__ import annotations

from pathlib import Path

SHARED = (".ansible.cfg", ".ansible/collections", ".ansible/plugins", ".ansible/roles", ".local")
"""What commands still find of the user's own: configuration, and what the user installed."""


def make_home(home: Path, own: Path) -> dict[str, str]:
    """Create a home directory, unless it exists, and return the variables that lead to it.

    :param own: the user's own home directory.
    """
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in SHARED:
        link, target = home / name, own / name
        if target.exists() and not link.is_symlink():
            link.parent.mkdir(mode=0o700, exist_ok=True)
            link.symlink_to(target)
    return {"HOME": str(home), **docker_variables(home)}


def docker_variables(home: Path) -> dict[str, str]:
    """Return the variables that lead the Docker CLI, and the certificates of the collection, to a home directory."""
    docker = str(home / ".docker")
    return {"DOCKER_CONFIG": docker, "DOCKER_CERT_PATH": docker}
