# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""community.docker, taken out of the package ``ansible`` from PyPI, which holds it as Galaxy does."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

INSTALLER = Path(__file__).resolve().parents[2] / "tools/venv.py"
WANTED = ("docker", "library_inventory_filtering_v1")


class NotFetchedError(Exception):
    """The package could not be installed from PyPI; the text says what the installer said."""


def community_docker(cache: Path) -> Path:
    """A collections path with community.docker, fetched once and kept in ``cache``.

    :raises NotFetchedError: there is no way to PyPI.
    """
    found = cache / "collections"
    if found.exists():
        return found
    with tempfile.TemporaryDirectory(dir=cache, prefix="collections-") as scratch:
        venv = Path(scratch) / "venv"
        install = [sys.executable, str(INSTALLER), str(venv), "--cache", str(cache), "--no-deps", "ansible"]
        done = subprocess.run(install, capture_output=True, text=True, check=False)
        if done.returncode:
            raise NotFetchedError(done.stderr.strip()[-500:])
        (community,) = venv.glob("lib/python*/site-packages/ansible_collections/community")
        partial = Path(scratch) / "collections"
        wanted = partial / "ansible_collections/community"
        wanted.mkdir(parents=True)
        for name in WANTED:
            (community / name).rename(wanted / name)
        try:
            os.rename(partial, found)
        except OSError:
            if not found.exists():
                raise
    return found
