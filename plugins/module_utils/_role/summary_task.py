# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The task behind docker_host_summary: lines for a person."""

from __future__ import annotations

import contextlib
import os
import typing as t

from .._argspec import ArgumentSpec
from .._backend import Backend, Request
from .._docker.shells import shell_lines
from .._errors import OptionError, printable
from .._files import read_if_exists, update_user_file
from .listing import OUTPUTS, listing
from .options import CHOICES
from .summary import summary

SHELLS = CHOICES["env_shell"]
SPEC = ArgumentSpec(
    argument_spec={
        "lines": {"type": "list", "elements": "str", "default": []},
        "hosts": {"type": "list", "elements": "dict", "default": []},
        "listing": {"type": "list", "elements": "dict"},
        "output": {"type": "str", "default": "text", "choices": list(OUTPUTS)},
        "env": {"type": "dict"},
        "shell": {"type": "str", "default": "sh", "choices": list(SHELLS)},
        "path": {"type": "path"},
    }
)


def run(request: Request) -> dict[str, t.Any]:
    """Return the lines of what is given, and write them to a file if one is named.

    :raises OptionError: an entry lacks a key.
    :raises DockerHostError: the file cannot be written.
    """
    params = request.params
    lines = list(params["lines"])
    with _entries_of("hosts"):
        lines += summary(params["hosts"], check_mode=request.check_mode)
    if params["listing"] is not None:
        with _entries_of("listing"):
            lines += listing(params["listing"], params["output"])
    # They name what machines and engines report of themselves, which a terminal would obey.
    lines = [printable(line) for line in lines]
    if params["env"]:
        lines += shell_lines({name: str(value) for name, value in params["env"].items()})[params["shell"]].splitlines()
    changed = bool(params["path"]) and _write(os.path.abspath(params["path"]), lines, check_mode=request.check_mode)
    return {"changed": changed, "lines": lines}


@contextlib.contextmanager
def _entries_of(option: str) -> t.Iterator[None]:
    """Name the option whose entry lacks a key."""
    try:
        yield
    except KeyError as error:
        raise OptionError(option, f"each entry must have the key {error.args[0]}, got one without it") from error


def _write(path: str, lines: t.Sequence[str], *, check_mode: bool) -> bool:
    """Write lines to a file that only its owner can read, and return whether that changes it."""
    content = "".join(f"{line}\n" for line in lines).encode()
    changed = read_if_exists(path) != content
    if changed and not check_mode:
        update_user_file(path, content, 0o600)
    return changed


BACKEND = Backend(name="docker_host_summary", spec=SPEC, run=run)
