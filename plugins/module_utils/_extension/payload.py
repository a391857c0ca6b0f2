# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is sent: the program and the settings as one script.

The script is plain sh, because the path of Python 3 differs among distributions. The program reads the settings from a
file descriptor, so that they are on no command line, in no file that stays, and in no environment of a program that
the script starts. A Run Command's handler gives them to the script itself as an environment variable.
"""

from __future__ import annotations

import base64
import functools
import gzip
import json
import re
import typing as t

from .._errors import DockerHostError

SCRIPT_LIMIT = 256 * 1024
"""Bytes of CustomScript's encoded ``script``: beyond, the handler reports success and runs nothing."""
MARGIN = 2 * 1024
"""Bytes by which packing one text instead of two may differ, the lines around them included."""
PARAMETER_LIMIT = 128 * 1024
"""Bytes of one parameter of a Run Command: it becomes one environment variable, and Linux takes no longer one."""
SETTINGS_VARIABLE = "DOCKER_SETUP_SETTINGS"

_FIND_PYTHON = """\
#!/bin/sh
# Sets up a Docker engine. Made by the Ansible collection dockerhost.azure.
umask 077
for python in python3 /usr/bin/python3 /usr/libexec/platform-python /usr/local/bin/python3 python; do
  "$python" -c 'import sys; sys.exit(sys.version_info < (3, 6))' 2>/dev/null && break
  python=
done
if [ -z "$python" ]; then
  @FORGET@
  echo 'No Python of version 3.6 or later is on this machine: install it, for example as the package python3.' >&2
  exit 127
fi
"""
# A variable of the shell alone, before the first program starts.
_TAKE_SETTINGS = f"settings=${SETTINGS_VARIABLE}\nunset {SETTINGS_VARIABLE}\n"
_RUN = '"$python" - --root "${DOCKER_SETUP_ROOT:-/}"'
# The program has the same paths, in paths.py.
_BOOT_HOME = "/var/lib/docker-host"
# The installation waits until cloud-init has ended, so cloud-init must not wait for it.
_START_AT_BOOT = """\
set -- "$(command -v "$python")" "$home/boot.py" --at-boot --settings "$home/boot.json"
systemd-run --unit=docker-host-boot --description='Install the Docker engine' "$@" && exit 0
setsid "$@" </dev/null >/dev/null 2>&1 &
"""
# A test compares the syntax trees.
_DOCSTRING = re.compile(r'^( +)"""(?:[^"]|"(?!""))*"""\n', re.MULTILINE)
_COMMENT = re.compile(r"^ *#.*\n", re.MULTILINE)
_PROGRAM_END, _SETTINGS_END = "DOCKER_SETUP_PROGRAM_END", "DOCKER_SETUP_SETTINGS_END"


def check_custom_script(program: str, document: t.Mapping[str, t.Any]) -> None:
    """Refuse settings that are too large, without packing those that certainly fit.

    :raises DockerHostError: as :func:`custom_script`.
    """
    # Data that cannot be compressed costs its own length, and a thousandth more.
    longest = packed_size(program) + int(len(_one_line(document).encode()) * 1.001) + MARGIN
    if longest * 4 // 3 > SCRIPT_LIMIT:
        custom_script(program, document)


@functools.lru_cache(maxsize=1)
def packed_size(program: str) -> int:
    """Return how many bytes the compressed program has. It is compressed once for all hosts of a run."""
    return len(_pack(program))


def _pack(text: str) -> bytes:
    return gzip.compress(text.encode(), 9, mtime=0)


def custom_script(program: str, document: t.Mapping[str, t.Any]) -> str:
    """Return the value of CustomScript's protected ``script``: gzip, then base64. The script removes its own file.

    :raises DockerHostError: it is longer than the handler takes.
    """
    text = (
        _FIND_PYTHON.replace("@FORGET@", 'rm -f -- "$0"')
        + f'exec {_RUN} --settings /dev/fd/3 --forget "$0"'
        + f" 3<<'{_SETTINGS_END}' <<'{_PROGRAM_END}'\n"
        + f"{_one_line(document)}\n{_SETTINGS_END}\n{program.rstrip()}\n{_PROGRAM_END}\n"
    )
    encoded = base64.b64encode(_pack(text)).decode()
    if len(encoded) > SCRIPT_LIMIT:
        raise DockerHostError(
            f"The settings are too large for the handler custom_script: {len(encoded)} bytes encoded, and it takes"
            f" {SCRIPT_LIMIT}. Make the compose files smaller."
        )
    return encoded


def run_command_script(program: str) -> str:
    """Return the script of a Run Command, which reads the settings from the protected parameter. No secret is in it."""
    return (
        _FIND_PYTHON.replace("@FORGET@", ":").replace("umask 077\n", f"umask 077\n{_TAKE_SETTINGS}")
        + f"exec {_RUN} --settings /dev/fd/3 3<<{_SETTINGS_END} <<'{_PROGRAM_END}'\n"
        + f"$settings\n{_SETTINGS_END}\n{_loader(program)}\n{_PROGRAM_END}\n"
    )


def run_command_settings(document: t.Mapping[str, t.Any]) -> str:
    """Return the value of the protected parameter.

    :raises DockerHostError: it is longer than one parameter may be.
    """
    text = _one_line(document)
    size = len(text) + len(SETTINGS_VARIABLE) + 2
    if size > PARAMETER_LIMIT:
        raise DockerHostError(
            f"The settings are too large for the handler run_command: {size} bytes, and one protected parameter takes"
            f" {PARAMETER_LIMIT}. Make the compose files smaller, or use the handler custom_script."
        )
    return text


def boot_script(program: str, engine: t.Mapping[str, t.Any]) -> str:
    """Return the script with which custom data starts the installation of the engine. No secret is in it.

    :param engine: the public setting ``docker.engine``.
    """
    document = {"format": 1, "settings": {"docker": {"engine": engine}}}
    return (
        _FIND_PYTHON.replace("@FORGET@", ":")
        + f'home={_BOOT_HOME}\nmkdir -p "$home" && chmod 700 "$home"\n'
        + f"cat >\"$home/boot.json\" <<'{_SETTINGS_END}'\n{_one_line(document)}\n{_SETTINGS_END}\n"
        + f"cat >\"$home/boot.py\" <<'{_PROGRAM_END}'\n{without_comments(program).rstrip()}\n{_PROGRAM_END}\n"
        + _START_AT_BOOT
    )


@functools.lru_cache(maxsize=1)
def without_comments(program: str) -> str:
    """Return the program without docstrings and comments, a quarter of its compressed size: custom data has a limit."""
    return _COMMENT.sub("", _DOCSTRING.sub(r"\1pass\n", program))


def verify_script(program: str) -> str:
    """Return a script that compares the VM with its record. It contains no secret and changes nothing."""
    return (
        _FIND_PYTHON.replace("@FORGET@", ":")
        + f"exec {_RUN} --verify <<'{_PROGRAM_END}'\n{_loader(program)}\n{_PROGRAM_END}\n"
    )


def _one_line(document: t.Mapping[str, t.Any]) -> str:
    return json.dumps(document, separators=(",", ":"))


def _loader(program: str) -> str:
    packed = base64.b64encode(_pack(program)).decode()
    return (
        f'import base64, gzip\nexec(compile(gzip.decompress(base64.b64decode("{packed}")), "docker_setup.py", "exec"))'
    )
