# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the Resource Manager's parser (Newtonsoft.Json) reads beyond JSON.

Templates may contain comments and text of several lines ("Understand the structure and syntax of ARM templates",
learn.microsoft.com). ``az deployment group create`` sends them as they are, below a name without quotation marks
(``JsonCTemplatePolicy`` of the az CLI).
"""

from __future__ import annotations

import json
import re
import typing as t

_TOKEN = re.compile(
    r"""
      (?P<text>"(?:[^"\\]|\\.)*")
    | (?P<quoted>'(?:[^'\\]|\\.)*')
    | (?P<comment>//[^\r\n]*|/\*.*?\*/)
    | (?P<name>[A-Za-z_$][\w$]*)(?=\s*:)
    | (?P<comma>,)(?=\s*[]}])
    """,
    re.VERBOSE | re.DOTALL,
)


def parse(text: str) -> t.Any:
    """Return the value of a text with comments, single quotes, names without quotes, or text of several lines.

    :raises ValueError: it is not even that.
    :raises RecursionError: it is nested too deeply.
    """
    without_comments = _TOKEN.sub(lambda token: "" if token["comment"] else token[0], text)
    return json.loads(_TOKEN.sub(_strict, without_comments), strict=False)


def _strict(token: re.Match[str]) -> str:
    if token["name"]:
        return f'"{token["name"]}"'
    if token["quoted"]:
        content = token["quoted"][1:-1].replace("\\'", "'")
        return '"' + re.sub(r'(?<!\\)"', r"\"", content) + '"'
    return "" if token["comma"] else token[0]
