# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The task of ``docker_context``. Private to this collection."""

from __future__ import annotations

import contextlib
import os
import typing as t
from dataclasses import replace
from urllib.parse import urlsplit

from .._argspec import ArgumentSpec
from .._backend import Backend, Request
from .._diff import Differences
from .._errors import DockerHostError, OptionError
from .._files import read_if_there
from .connection import environment_fallback
from .context_store import TLS_FILES, Context, ContextStore, check_name
from .known_hosts import KnownHosts, host_field, parse_key
from .pem import check_pair, fingerprint_of
from .shells import shell_lines

SPEC = ArgumentSpec(
    argument_spec={
        "name": {"type": "str", "required": True},
        "state": {"type": "str", "default": "present", "choices": ["present", "absent"]},
        "docker_host": {"type": "str"},
        "description": {"type": "str"},
        "ca_path": {"type": "path"},
        "client_cert": {"type": "path"},
        "client_key": {"type": "path"},
        "validate_certs": {"type": "bool", "default": True},
        "ssh_host_keys": {"type": "list", "elements": "str", "no_log": False},
        "known_hosts_path": {"type": "path", "default": "~/.ssh/known_hosts"},
        "current": {"type": "bool"},
        "adopt": {"type": "bool", "default": False},
        "pending_files": {"type": "list", "elements": "path", "default": []},
        "docker_config": {
            "type": "path",
            "default": "~/.docker",
            "fallback": (environment_fallback, ["DOCKER_CONFIG"]),
        },
    },
    required_together=[["client_cert", "client_key"]],
    required_if=[["state", "present", ["docker_host"]]],
)

_TLS_OPTIONS = {"ca.pem": "ca_path", "cert.pem": "client_cert", "key.pem": "client_key"}


def run(request: Request) -> dict[str, t.Any]:
    """Make, change, select or remove a context.

    :raises OptionError: an option is no good.
    :raises DockerHostError: a context or a file is there that we did not make, or cannot be read or written.
    """
    params = request.params
    check_name(params["name"])
    store = ContextStore(os.path.abspath(params["docker_config"]))
    wanted = _wanted(params, request.check_mode) if params["state"] == "present" else None
    guard = contextlib.nullcontext() if request.check_mode else store.changing()
    with guard:
        return _Run(request, store, wanted).run()


class _Run:
    def __init__(self, request: Request, store: ContextStore, wanted: Context | None) -> None:
        self.params = request.params
        self.name: str = request.params["name"]
        self.store = store
        self.wanted = wanted
        self.foreign = False
        self.differences = Differences()
        self.request = request

    def run(self) -> dict[str, t.Any]:
        actual = self._actual()
        known_hosts = self._known_hosts(actual)
        self._compare(actual)
        before, after = self.store.current(), self._selected()
        if self.differences and not self.request.check_mode:
            if self.wanted is None:
                self.store.remove(self.name)
            elif actual is None or _facts(actual) != _facts(self.wanted) or not actual.ours:
                document = actual.document if actual else {}
                self.store.write(replace(self.wanted, document=document))
        selection = self.differences.compare("current_context", before or "default", after or "default")
        hosts = self.differences.compare("known_hosts", *_known_hosts_diff(known_hosts))
        if not self.request.check_mode:
            if selection:
                self.store.select(after)
            if hosts and known_hosts:
                known_hosts.save()
        self._warn_about_environment(after)
        return self._result(actual, after)

    def _actual(self) -> Context | None:
        actual = self.store.read(self.name)
        if actual and not actual.ours and not self.params["adopt"]:
            if self.wanted is None:
                self.foreign = True
                self.request.warn(
                    f"The docker context {self.name} was not made by this collection, so it stays as it is."
                )
                return None
            raise DockerHostError(
                f"The docker context {self.name} exists and was not made by this collection, so it stays as it is. "
                "Choose another name, or set adopt to true to take it over."
            )
        return actual

    def _compare(self, actual: Context | None) -> None:
        self.differences.compare("exists", actual is not None, self.wanted is not None)
        if self.wanted is None:
            return
        before = _facts(actual) if actual else {}
        for key, after in _facts(self.wanted).items():
            self.differences.compare(key, before.get(key), after)
        if actual:
            self.differences.compare("made_by_this_collection", actual.ours, True)

    def _selected(self) -> str | None:
        """The context that is to be selected."""
        selected = self.store.current()
        if self.wanted is not None and self.params["current"]:
            return self.name
        if selected == self.name and not self.foreign and (self.wanted is None or self.params["current"] is False):
            return None
        return selected

    def _known_hosts(self, actual: Context | None) -> KnownHosts | None:
        wanted = self.wanted.host if self.wanted and self.wanted.host.startswith("ssh://") else ""
        was_ssh = actual is not None and actual.host.startswith("ssh://")
        keys = self.params["ssh_host_keys"]
        if (wanted and keys is None) or (self.wanted and not wanted and not was_ssh):
            return None
        known_hosts = KnownHosts(os.path.abspath(self.params["known_hosts_path"]), self.name)
        if not wanted:
            known_hosts.drop()
            return known_hosts
        url = urlsplit(wanted)
        known_hosts.set(
            host_field(url.hostname or "", url.port or 22),
            [parse_key(f"ssh_host_keys[{number}]", key) for number, key in enumerate(keys)],
        )
        return known_hosts

    def _warn_about_environment(self, selected: str | None) -> None:
        if not self.params["current"] or selected != self.name:
            return
        for variable in ("DOCKER_HOST", "DOCKER_CONTEXT"):
            if os.environ.get(variable):
                self.request.warn(f"{variable} is set here; while it is, docker does not look at the selected context.")

    def _result(self, actual: Context | None, selected: str | None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = {
            "changed": bool(self.differences),
            "found": _described(self.name, actual),
            "context": None,
            "current_context": selected or "default",
        }
        if self.wanted:
            env = _env(self.params, self.wanted, self.store)
            result["context"] = {
                "name": self.name,
                "description": self.wanted.description,
                "docker_host": self.wanted.host,
                "skip_tls_verify": self.wanted.skip_tls_verify,
                "meta_path": self.store.meta_path(self.name),
                "tls_directory": self.store.tls_directory(self.name) if self.wanted.tls else None,
            }
            result["docker_env"] = env
            result["shell_lines"] = shell_lines(env)
        if self.request.diff:
            result["diff"] = self.differences.as_diff()
        return result


def _described(name: str, found: Context | None) -> dict[str, t.Any] | None:
    """The context as it was before the task."""
    if found is None:
        return None
    return {"name": name, "description": found.description, "docker_host": found.host, "ours": found.ours}


def _known_hosts_diff(known_hosts: KnownHosts | None) -> tuple[str, str]:
    changed = known_hosts is not None and known_hosts.changed
    return ("other keys of this server" if changed else "as wanted", "as wanted")


def _facts(context: Context) -> dict[str, t.Any]:
    """What is compared, and shown in a diff: of files the start of a hash."""
    facts: dict[str, t.Any] = {
        "docker_host": context.host,
        "description": context.description,
        "skip_tls_verify": context.skip_tls_verify,
    }
    for file in TLS_FILES:
        facts[file] = fingerprint_of(context.tls.get(file))
    return facts


def _env(params: t.Mapping[str, t.Any], context: Context, store: ContextStore) -> dict[str, str]:
    env = {"DOCKER_HOST": context.host}
    if not context.tls:
        return env
    env["DOCKER_TLS" if context.skip_tls_verify else "DOCKER_TLS_VERIFY"] = "1"
    paths = {file: params[option] for file, option in _TLS_OPTIONS.items() if params[option]}
    directories = {os.path.dirname(path) for path in paths.values()}
    named_as_the_cli_wants = all(os.path.basename(path) == file for file, path in paths.items())
    if len(directories) == 1 and named_as_the_cli_wants:
        env["DOCKER_CERT_PATH"] = os.path.abspath(directories.pop())
    else:
        env["DOCKER_CERT_PATH"] = store.tls_directory(context.name)
    return env


NOT_MADE_YET = b""
"""Stands in check mode for a file that an earlier task would have made, or made anew."""


def _wanted(params: t.Mapping[str, t.Any], check_mode: bool) -> Context:
    host: str = params["docker_host"]
    scheme = _check_host(host)
    tls: dict[str, bytes] = {}
    pending = {os.path.abspath(file) for file in params["pending_files"]} if check_mode else set()
    for file, option in _TLS_OPTIONS.items():
        path = params[option]
        if not path:
            continue
        if scheme != "tcp":
            raise OptionError(option, f"belongs to tcp://; a {scheme}:// context has no certificates")
        content = NOT_MADE_YET if os.path.abspath(path) in pending else read_if_there(path)
        if content is None and not check_mode:
            raise OptionError(option, f"there is no file {path}")
        tls[file] = content or NOT_MADE_YET
    if NOT_MADE_YET not in tls.values():
        check_pair(params["ca_path"], params["client_cert"], params["client_key"])
    if params["ssh_host_keys"] is not None and scheme != "ssh":
        raise OptionError("ssh_host_keys", "belongs to a docker_host that is ssh://")
    return Context(
        name=params["name"],
        host=host,
        description=params["description"] or "",
        skip_tls_verify=scheme == "tcp" and not params["validate_certs"],
        tls=tls,
    )


def _check_host(host: str) -> str:
    advice = "write tcp://ADDRESS:PORT, ssh://USER@ADDRESS or unix:///PATH"
    try:
        url = urlsplit(host)
        port = url.port
    except ValueError as error:
        raise OptionError("docker_host", f"{host!r} is no usable URL ({error}); {advice}") from error
    if url.scheme not in ("tcp", "ssh", "unix"):
        raise OptionError("docker_host", f"{host!r} is nothing that the docker CLI can talk to; {advice}")
    if url.scheme == "unix" and not url.path.startswith("/"):
        raise OptionError("docker_host", f"{host!r} names no absolute path; {advice}")
    if url.scheme != "unix" and not url.hostname:
        raise OptionError("docker_host", f"{host!r} names no host; {advice}")
    if url.password is not None:
        raise OptionError("docker_host", f"must hold no password; {advice}")
    if url.scheme == "tcp" and not port:
        raise OptionError("docker_host", f"{host!r} names no port; {advice}")
    return url.scheme


BACKEND = Backend("docker_context", SPEC, run)
