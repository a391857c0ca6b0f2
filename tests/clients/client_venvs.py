# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Virtual environments of the clients that others wrote: made once, each with what its makers ask for.

``python tests/clients/client_venvs.py`` makes those that are missing, side by side (with names, only those).
"""

from __future__ import annotations

import concurrent.futures
import hashlib
import os
import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
REQUIREMENTS = HERE / "requirements"
VENVS = Path(os.environ.get("DOCKERHOST_VENVS") or HERE.parents[1] / ".venvs")
INSTALLER = HERE.parents[1] / "tools/venv.py"
NAMES = ("az", "ansible", "sdk-newest", "sdk-oldest")
FURTHER = {"ansible": "azcollection.names"}
"""By environment: the file, besides its requirements, that decides what is installed."""


class VenvError(Exception):
    """A virtual environment could not be made; the text says what the installer said."""


def python(name: str) -> Path:
    """The interpreter of an environment."""
    return VENVS / name / "bin" / "python"


def ready(name: str) -> bool:
    """Whether an environment is whole and made from the present requirements."""
    stamp = VENVS / name / "ready"
    return stamp.exists() and stamp.read_text() == _digest(name)


def _digest(name: str) -> str:
    files = [f"{name}.txt", *([FURTHER[name]] if name in FURTHER else [])]
    texts = [(REQUIREMENTS / file).read_bytes() for file in files]
    return hashlib.sha256(b"\0".join([sys.version.encode(), *texts])).hexdigest()


def make(name: str) -> None:
    """Make an environment, unless it is there.

    :raises VenvError: an installation failed.
    """
    if ready(name):
        return
    print(f"Installing the client {name} into {VENVS / name}", flush=True)
    _install(name, "-r", str(REQUIREMENTS / f"{name}.txt"))
    if name == "ansible":
        _install(name, *azcollection_requirements())
    (VENVS / name / "ready").write_text(_digest(name))


def _install(name: str, *requirements: str) -> None:
    command = [sys.executable, str(INSTALLER), str(VENVS / name), *requirements]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise VenvError(f"{name}: {done.stderr.strip()[-2000:]}")


def azcollection_requirements() -> list[str]:
    """What azure.azcollection asks for itself, as far as the modules that are tested import it."""
    collection = "lib/python*/site-packages/ansible_collections/azure/azcollection"
    (asked,) = (VENVS / "ansible").glob(f"{collection}/requirements*.txt")
    wanted = set((REQUIREMENTS / "azcollection.names").read_text().split())
    return [line for line in asked.read_text().split() if re.split(r"[=<>~!\[]", line)[0] in wanted]


def main() -> int:
    """Make the environments; return the exit status."""
    with concurrent.futures.ThreadPoolExecutor() as pool:
        outcomes = [pool.submit(make, name) for name in sys.argv[1:] or NAMES]
    status = 0
    for outcome in outcomes:
        try:
            outcome.result()
        except VenvError as error:
            print(error, file=sys.stderr)
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
