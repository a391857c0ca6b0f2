# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Commands that set environment variables, for users to paste into their shells."""

from __future__ import annotations

import shlex
import typing as t


def shell_lines(env: t.Mapping[str, str]) -> dict[str, str]:
    """Return the commands that set these variables, by shell: ``sh``, ``fish`` and ``powershell``."""
    return {
        "sh": "\n".join(f"export {name}={shlex.quote(value)}" for name, value in env.items()),
        "fish": "\n".join(f"set -gx {name} {_fish(value)}" for name, value in env.items()),
        "powershell": "\n".join(f"$Env:{name} = {_powershell(value)}" for name, value in env.items()),
    }


def _fish(value: str) -> str:
    # In fish's single quotes only \ and ' are special, each escaped by a backslash.
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _powershell(value: str) -> str:
    # PowerShell treats typographic quotes as quotes too. A doubled one is the character itself.
    for quote in "'\u2018\u2019\u201a\u201b":
        value = value.replace(quote, quote * 2)
    return f"'{value}'"
