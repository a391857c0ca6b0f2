# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The option ``engine``: where the engine comes from, and whether it is installed at boot.

docker_vm_extension pushes it with all settings. docker_vm_host has it installed at the first boot.
"""

from __future__ import annotations

import re
import typing as t

from .._azure.origins import is_url
from .._azure.wire import Json
from .._errors import OptionError
from .engine_rules import requested_source

Params = t.Mapping[str, t.Any]

_VERSION = re.compile(r"[0-9][0-9A-Za-z.:~+_-]*")
_CHANNEL = re.compile(r"[a-z]+")


def _is_mirror(text: str) -> bool:
    """Return whether a text is the URL of a mirror. It has no password, since public settings can be read by others."""
    if re.search("[?#]", text):
        return False
    return is_url(text, "http", "https") or re.fullmatch("file:///[!-~]+", text) is not None


_ENGINE_VALUES: tuple[tuple[str, t.Callable[[str], t.Any], str], ...] = (
    ("version", _VERSION.fullmatch, "28.1.1, or 28 for the newest of that series"),
    ("channel", _CHANNEL.fullmatch, "stable or test"),
    ("mirror", _is_mirror, "https://mirror.example.com/docker"),
)


def _without_password(value: str) -> str:
    return "a URL with a user name" if "@" in value else repr(value)


def read_engine(engine: Params) -> Json:
    """Return the public setting ``docker.engine`` that the option ``engine`` describes.

    :raises OptionError: a part of the option cannot be used.
    """
    values = {name: value for name, value in engine.items() if value and (name, value) != ("channel", "stable")}
    source = requested_source(engine)
    _refuse_without_effect(source, values)
    result: Json = {"source": source}
    for name, is_valid, example in _ENGINE_VALUES:
        if name in values and not is_valid(values[name]):
            raise OptionError(f"engine.{name}", f"must be for example {example}, got {_without_password(values[name])}")
    if "key" in values and "-----BEGIN PGP PUBLIC KEY BLOCK-----" not in values["key"]:
        raise OptionError("engine.key", "must be an armoured OpenPGP public key")
    result.update({name: values[name] for name in ("version", "channel", "mirror", "key") if name in values})
    if engine.get("hold"):
        result["hold"] = True
    return result


def _refuse_without_effect(source: str, values: Params) -> None:
    without_effect = [] if source in ("auto", "docker") else ["mirror", "key", "channel"]
    if source == "keep":
        without_effect.append("version")
    for name in without_effect:
        if name in values:
            raise OptionError(f"engine.{name}", f"has no effect with O(engine.source={source}); leave it out")
