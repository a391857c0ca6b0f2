# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Make a virtual environment and install packages into it, with uv where it can be installed and with pip elsewhere.

usage: python3 tools/venv.py DIRECTORY [--python PYTHON] [--cache CACHE] [PIP-OPTION ...] REQUIREMENT ...

Everything behind the options goes to ``pip install``: requirement specifiers, ``-r FILE``, ``-e FOLDER``. uv and the
packages that either of them downloads are kept below CACHE (by default ``.cache`` of the checkout). The index and the
certificates that pip is configured with apply to uv, too. Runs on the standard library alone.
"""

from __future__ import annotations

import argparse
import ast
import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parents[1]
UV = "uv>=0.5"
OLDEST = (3, 10)
FROM_PIP = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "trusted-host": "UV_INSECURE_HOST",
    "constraint": "UV_CONSTRAINT",
    "cert": "SSL_CERT_FILE",
    "default-timeout": "UV_HTTP_TIMEOUT",
}
"""Options of pip and the environment variables of uv that mean the same."""


class VenvError(Exception):
    """The environment could not be made; the text says what the installer said."""


def make(venv: Path, python: str, cache: Path, requirements: list[str]) -> None:
    """Make the environment unless it exists, and install into it what it lacks.

    Targets of a parallel make that need the same environment wait for each other.

    :param python: the interpreter that the environment is for: a path, or a name on PATH.
    :raises VenvError: neither uv nor pip could install the requirements.
    """
    environment = {**os.environ, "UV_CACHE_DIR": str(cache / "uv"), "PIP_CACHE_DIR": str(cache / "pip")}
    uv = _uv(cache, environment)
    with (cache / f"{venv.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _make(venv, python, uv, requirements, environment)


def _make(venv: Path, python: str, uv: Path | None, requirements: list[str], environment: dict[str, str]) -> None:
    program = venv / "bin/python"
    if not program.exists():
        _run([python, "-m", "venv", *(["--without-pip"] if uv else []), str(venv)], environment)
    if uv is not None:
        install = [str(uv), "pip", "install", "--quiet", "--python", str(program)]
        try:
            _run([*install, *requirements], {**_configuration_of_pip(), **environment})
        except VenvError as error:
            print(f"uv could not install them, pip tries: {error}", file=sys.stderr)
            _run([str(program), "-m", "ensurepip"], environment)
        else:
            return
    pip = [str(program), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    _run([*pip, *requirements], environment)


def _uv(cache: Path, environment: dict[str, str]) -> Path | None:
    """uv: the one on PATH, or one that pip installs below the cache; None where neither exists."""
    home = cache / "uv-program"
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "uv.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        found = shutil.which("uv") or shutil.which("uv", path=str(home / "bin"))
        if found is None:
            try:
                _install_uv(home, environment)
            except VenvError:
                return None
            found = shutil.which("uv", path=str(home / "bin"))
    return Path(found) if found else None


def _install_uv(home: Path, environment: dict[str, str]) -> None:
    """Install uv with this interpreter's pip, or with that of an environment made for it where it has none."""
    install = ["-m", "pip", "install", "-qq", "--no-compile", "--disable-pip-version-check", UV]
    try:
        _run([sys.executable, *install, "--target", str(home)], environment)
    except VenvError:
        _run([sys.executable, "-m", "venv", "--clear", str(home)], environment)
        _run([str(home / "bin/python"), *install], environment)


def _configuration_of_pip() -> dict[str, str]:
    """What pip is configured with (files and environment), as environment variables of uv."""
    done = subprocess.run([sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False)
    found: dict[str, str] = {}
    for line in done.stdout.splitlines():
        name, sign, value = line.partition("=")
        variable = FROM_PIP.get(name.rpartition(".")[2])
        if sign and variable:
            found[variable] = str(ast.literal_eval(value)).replace("\n", " ").strip()
    if "UV_FIND_LINKS" in found:
        found["UV_FIND_LINKS"] = ",".join(found["UV_FIND_LINKS"].split())
    # As pip does: the best version of all indexes.
    return {"UV_INDEX_STRATEGY": "unsafe-best-match", **found}


def _run(command: list[str], environment: dict[str, str]) -> None:
    done = subprocess.run(
        command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise VenvError(f"{' '.join(command)}: {(done.stderr or done.stdout).strip()[-3000:]}")


def main() -> int:
    """The program; return its exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("venv", type=Path, metavar="DIRECTORY")
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--cache", type=Path, default=TOP / ".cache")
    options, requirements = parser.parse_known_args()
    if sys.version_info < OLDEST:
        parser.error(
            f"Python must be 3.10 or newer, got {sys.version.split()[0]}; name another: make PYTHON=python3.12 ..."
        )
    try:
        make(options.venv.absolute(), options.python, options.cache.resolve(), requirements)
    except VenvError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
