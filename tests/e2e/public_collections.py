# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""community.docker, taken out of the package ``ansible`` from PyPI, which holds it as Galaxy does."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

WANTED = ("ansible_collections/community/docker/", "ansible_collections/community/library_inventory_filtering_v1/")


class NotFetchedError(Exception):
    """PyPI could not be asked; the text says what pip said."""


def community_docker(cache: Path) -> Path:
    """A collections path with community.docker, fetched once and kept in ``cache``.

    :raises NotFetchedError: there is no way to PyPI.
    """
    found = cache / "collections"
    if found.exists():
        return found
    with tempfile.TemporaryDirectory(dir=cache, prefix="collections-") as scratch:
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", "-d", scratch]
        done = subprocess.run([*pip, "ansible"], capture_output=True, text=True, check=False)
        if done.returncode:
            raise NotFetchedError(done.stderr.strip()[-500:])
        (wheel,) = Path(scratch).glob("ansible-*.whl")
        partial = Path(scratch) / "collections"
        with zipfile.ZipFile(wheel) as archive:
            names = [name for name in archive.namelist() if name.startswith(WANTED)]
            archive.extractall(partial, names)
        try:
            os.rename(partial, found)
        except OSError:
            if not found.exists():
                raise
    return found
