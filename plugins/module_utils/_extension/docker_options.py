# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The option ``docker``: what dockerd, its users and its disk are configured with."""

from __future__ import annotations

import json
import os
import re
import typing as t

from .._azure.origins import is_url
from .._azure.wire import Json
from .._errors import OptionError
from .engine_options import read_engine
from .engine_rules import option_fault, option_name, own_keys

_USER = re.compile(r"[a-z_][a-z0-9_-]{0,31}")
_DAEMON_KEY = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
# Directories on which nothing can be mounted without hiding the system's own files (Filesystem Hierarchy Standard 3.0).
_SYSTEM_DIRECTORY = re.compile(
    r"/(bin|boot|dev|etc|lib\w*|proc|root|run|sbin|sys|tmp|usr)(/.*)?|/(home|opt|var|var/lib)"
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def proxy_settings(docker: t.Mapping[str, t.Any]) -> dict[str, str]:
    """Return the proxies by name; empty ones do not count.

    :raises OptionError: one is not the URL of a proxy.
    """
    proxies = {name: value for name, value in (docker.get("proxies") or {}).items() if value}
    for name, value in proxies.items():
        if name != "no" and not is_url(value, "http", "https", "socks5", with_user=True):
            raise OptionError(f"docker.proxies.{name}", "must be a URL such as http://proxy.example.com:3128")
        if re.search(r"[\s\0]", value):
            raise OptionError(f"docker.proxies.{name}", "must not contain a space, line break or NUL")
    return proxies


def docker_settings(docker: t.Mapping[str, t.Any], engine: t.Mapping[str, t.Any], port: int | None) -> Json:
    """Return the public setting ``docker``.

    :param docker: the option of that name.
    :param engine: the option ``engine``.
    :param port: on which the engine listens, None if it does not listen on TCP or keeps its port.
    :raises OptionError: a value cannot be used, or contradicts another.
    """
    _refuse_daemon(docker.get("daemon") or {}, docker)
    _refuse_options(docker)
    result: Json = {"options": list(docker.get("options") or []), "engine": read_engine(engine)}
    if port is not None:
        result["port"] = str(port)
    if docker.get("daemon"):
        result["daemon"] = docker["daemon"]
    if docker.get("live_restore") is not None:
        result["live-restore"] = docker["live_restore"]
    users = docker.get("users") or []
    for index, user in enumerate(users):
        if not _USER.fullmatch(user):
            raise OptionError(f"docker.users[{index}]", f"must be the name of a Linux user, got {user!r}")
    if users:
        result["users"] = sorted(set(users))
    disk = docker.get("data_disk")
    if disk:
        result["data-disk"] = _data_disk(disk, docker)
    return result


def _data_disk(disk: t.Mapping[str, t.Any], docker: t.Mapping[str, t.Any]) -> Json:
    if not 0 <= disk["lun"] <= 63:
        raise OptionError("docker.data_disk.lun", f"must be a LUN from 0 to 63, got {disk['lun']}")
    path = disk["path"].rstrip("/")
    if not re.fullmatch(r"(/[A-Za-z0-9._-]+)+", path) or {".", ".."} & set(path.split("/")):
        raise OptionError(
            "docker.data_disk.path", f"must be an absolute path of letters, digits, . _ and -, got {disk['path']!r}"
        )
    if _SYSTEM_DIRECTORY.fullmatch(path):
        raise OptionError(
            "docker.data_disk.path", f"must not be a directory of the system, whose files it would hide, got {path}"
        )
    root = (docker.get("daemon") or {}).get("data-root")
    if root and not f"{root}/".startswith(path + "/"):
        raise OptionError(
            "docker.daemon", f"data-root {root} is not below {path}, where O(docker.data_disk) is mounted"
        )
    return {"lun": disk["lun"], "path": path, "filesystem": disk["filesystem"]}


def _refuse_daemon(daemon: t.Mapping[str, t.Any], docker: t.Mapping[str, t.Any]) -> None:
    own = own_keys(daemon)
    if own:
        raise OptionError(
            "docker.daemon", f"must not contain {', '.join(own)}: O(docker.port) and O(certs) decide that"
        )
    for key in daemon:
        if not _DAEMON_KEY.fullmatch(str(key)):
            raise OptionError("docker.daemon", f"must contain keys of daemon.json such as log-level, got {key!r}")
        if any(_CONTROL.search(text) for text in _texts(daemon[key])):
            raise OptionError(
                "docker.daemon", f"must not contain control characters such as line breaks, but {key} does"
            )
    root = daemon.get("data-root")
    if root is not None and (not str(root).startswith("/") or _is_systems(str(root))):
        raise OptionError(
            "docker.daemon", f"data-root must be an absolute path of a directory for the engine alone, got {root!r}"
        )
    if "live-restore" in daemon and docker.get("live_restore") is not None:
        raise OptionError("docker.daemon", "must not contain live-restore together with O(docker.live_restore)")
    try:
        json.dumps(daemon)
    except (TypeError, ValueError) as error:
        raise OptionError("docker.daemon", f"must consist of JSON types: {error}") from error


def _is_systems(path: str) -> bool:
    """Return whether a path is the root directory or one of the system's own, not one below it."""
    path = os.path.normpath(path)
    is_top = os.path.dirname(path) in ("/", "//") or path == "/var/lib"
    return path in ("/", "//") or (is_top and _SYSTEM_DIRECTORY.fullmatch(path) is not None)


def _texts(value: t.Any) -> t.Iterator[str]:
    """Yield every text in a value of JSON types, keys included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, (t.Mapping, list, tuple)):
        for entry in value:
            yield from _texts(entry)
        for entry in value.values() if isinstance(value, t.Mapping) else ():
            yield from _texts(entry)


def _refuse_options(docker: t.Mapping[str, t.Any]) -> None:
    keys = set(docker.get("daemon") or {}) | {"live-restore"}
    if docker.get("data_disk"):
        keys.add("data-root")
    for index, text in enumerate(docker.get("options") or []):
        option = f"docker.options[{index}]"
        fault, name = option_fault(text), option_name(text)
        if fault:
            raise OptionError(option, fault)
        if name in keys:
            where = "O(docker.live_restore)" if name == "live-restore" else "O(docker.daemon) or O(docker.data_disk)"
            raise OptionError(
                option, f"{text} conflicts with {where}: dockerd accepts each setting from one source only"
            )
