# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of docker_context, and the context that they describe."""

from __future__ import annotations

import os
import typing as t

from .._argspec import ArgumentSpec
from .._errors import DockerHostError, OptionError
from .._files import read_if_exists
from .._host_keys import check_host_keys
from .connection import environment_fallback
from .context_store import Context
from .known_hosts import parse_key
from .pem import check_pair
from .urls import DockerUrl, parse_docker_host

Params = t.Mapping[str, t.Any]

DOCKER_CONFIG: t.Mapping[str, t.Any] = {
    "type": "path",
    "default": "~/.docker",
    "fallback": (environment_fallback, ["DOCKER_CONFIG"]),
}

SPEC = ArgumentSpec(
    argument_spec={
        "name": {"type": "str", "required": True},
        "state": {"type": "str", "default": "present", "choices": ["present", "absent"]},
        "docker_host": {"type": "str"},
        "host": {"type": "raw"},
        "transport": {"type": "str", "choices": ["tls", "ssh"]},
        "description": {"type": "str"},
        "tls": {
            "type": "dict",
            "options": {
                "ca_path": {"type": "path"},
                "client_cert": {"type": "path"},
                "client_key": {"type": "path", "no_log": False},
                "docker_host": {"type": "raw"},
                "tls": {"type": "raw"},
                "validate_certs": {"type": "raw"},
            },
        },
        "ca_path": {"type": "path"},
        "client_cert": {"type": "path"},
        "client_key": {"type": "path"},
        "validate_certs": {"type": "bool", "default": True},
        "ssh_host_keys": {"type": "list", "elements": "str", "no_log": False},
        "known_hosts_path": {"type": "path", "default": "~/.ssh/known_hosts"},
        "current": {"type": "bool"},
        "adopt": {"type": "bool", "default": False},
        "pending_files": {"type": "list", "elements": "path", "default": []},
        "docker_config": DOCKER_CONFIG,
    },
    mutually_exclusive=[
        ["docker_host", "host"],
        ["tls", "ca_path"],
        ["tls", "client_cert"],
        ["tls", "client_key"],
    ],
    required_together=[["client_cert", "client_key"]],
    required_if=[["state", "present", ["docker_host", "host"], True]],
)

TLS_OPTIONS = {"ca.pem": "ca_path", "cert.pem": "client_cert", "key.pem": "client_key"}
"""The option that gives the source of each of a context's files."""

NOT_KNOWN_YET = b""
"""In check mode, the content of a file that an earlier task would have written."""

_URL_KEYS = {"tls": "docker_host", "ssh": "ssh_url"}


class Endpoint(t.NamedTuple):
    """The engine's URL in a context.

    :param option: the option that gives the URL.
    :param url: None if it is not known yet, in check mode only.
    :param scheme: ``tcp``, ``ssh`` or ``unix``.
    """

    option: str
    url: DockerUrl | None
    scheme: str


def read_endpoint(params: Params, *, check_mode: bool) -> Endpoint:
    """Return the URL of the context's engine.

    :raises OptionError: the URL is missing or not one that the docker CLI accepts.
    """
    if params["docker_host"] is not None:
        option, url = "docker_host", _parse("docker_host", params["docker_host"])
        return Endpoint(option, url, url.scheme)
    transport = params["transport"]
    key = _URL_KEYS[transport or "tls"]
    option, scheme = f"host.{key}", "ssh" if transport == "ssh" else "tcp"
    host = params["host"]
    if not isinstance(host, t.Mapping):
        raise OptionError("host", "must be the result host of docker_vm_host")
    check_host_keys("host", host)
    text = host.get(key)
    if text:
        url = _parse(option, str(text))
        if url.scheme != scheme:
            raise OptionError(option, f"must start with {scheme}:// with O(transport={transport}), got {text!r}")
        return Endpoint(option, url, scheme)
    if not check_mode:
        raise OptionError(option, "has no value: the host has no address that this transport can use")
    return Endpoint(option, None, scheme)


def _parse(option: str, text: str) -> DockerUrl:
    url = parse_docker_host(option, text, ("tcp", "ssh", "unix"))
    if url.scheme == "tcp" and url.port is None:
        raise OptionError(option, f"must contain a port, got {text!r}; write tcp://ADDRESS:PORT")
    return url


def tls_sources(params: Params) -> dict[str, str | None]:
    """Return the paths of the context's certificate files, by the option that gives them.

    With ``host`` over SSH there are none, because ``tls`` describes the connection over TCP.
    """
    tls = params["tls"]
    if tls is None:
        return {option: params[option] for option in TLS_OPTIONS.values() if params[option]}
    if params["host"] is not None and params["transport"] == "ssh":
        return {}
    return {f"tls.{option}": tls.get(option) for option in TLS_OPTIONS.values()}


def read_context(params: Params, endpoint: Endpoint, *, check_mode: bool) -> Context:
    """Return the context that the options describe.

    :raises OptionError: a file cannot be used, or an option does not fit the URL.
    """
    sources = tls_sources(params)
    if sources and endpoint.scheme != "tcp":
        raise OptionError(next(iter(sources)), f"needs a URL tcp://; {endpoint.scheme}:// uses no certificates")
    pending = {os.path.abspath(path) for path in params["pending_files"]} if check_mode else set()
    tls = {}
    for file, name in TLS_OPTIONS.items():
        for option in (name, f"tls.{name}"):
            if option in sources:
                tls[file] = _content(option, sources[option], pending, check_mode)
    if params["ssh_host_keys"] is not None and params["host"] is None and endpoint.scheme != "ssh":
        raise OptionError("ssh_host_keys", "needs a O(docker_host) that starts with ssh://")
    for index, key in enumerate(params["ssh_host_keys"] or ()):
        parse_key(f"ssh_host_keys[{index}]", key)
    return Context(
        name=params["name"],
        host=endpoint.url.text if endpoint.url else None,
        description=params["description"] or "",
        skip_tls_verify=endpoint.scheme == "tcp" and not params["validate_certs"],
        tls=tls,
        host_id=(params["host"] or {}).get("id"),
    )


def _content(option: str, path: str | None, pending: t.Collection[str], check_mode: bool) -> bytes:
    if path and os.path.abspath(path) not in pending:
        content = _read(option, path)
        if content:
            return content
    if check_mode:
        return NOT_KNOWN_YET
    raise OptionError(option, f"must be the path of a file with content, got {path!r}")


def _read(option: str, path: str) -> bytes | None:
    try:
        return read_if_exists(path)
    except DockerHostError as error:
        raise OptionError(option, f"must be the path of a readable file: {error.message}") from error


def check_files(params: Params, context: Context) -> None:
    """Check that the context's certificate files are what their options say, unless one is not known yet.

    :raises OptionError: a file is something else, or the files do not belong together.
    """
    if NOT_KNOWN_YET in context.tls.values():
        return
    paths = {option.rpartition(".")[2]: path for option, path in tls_sources(params).items()}
    try:
        check_pair(paths.get("ca_path"), paths.get("client_cert"), paths.get("client_key"))
    except OptionError as error:
        raise (error.below("tls") if params["tls"] is not None else error) from error
