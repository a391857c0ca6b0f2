# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The task of ``docker_context``."""

from __future__ import annotations

import contextlib
import os
import typing as t
from dataclasses import replace

from .._backend import Backend, Request
from .._diff import Differences
from .._errors import DockerHostError
from .._files import absolute_path, check_can_be_directory
from .context_spec import SPEC, Endpoint, check_files, read_context, read_endpoint, tls_sources
from .context_store import TLS_FILES, Context, ContextStore, check_name
from .known_hosts import KnownHosts, host_field, parse_key
from .pem import fingerprint_of
from .shells import shell_lines


def run(request: Request) -> dict[str, t.Any]:
    """Create, update, select or remove a context.

    :raises OptionError: the value of an option cannot be used.
    :raises DockerHostError: a context or a file exists that this collection did not create, or cannot be read or
        written.
    """
    params = request.params
    check_name(params["name"])
    directory = absolute_path("docker_config", params["docker_config"])
    check_can_be_directory(directory, "docker_config")
    store = ContextStore(directory)
    endpoint = desired = None
    if params["state"] == "present":
        request = _with_transport(request, store)
        params = request.params
        endpoint = read_endpoint(params, check_mode=request.check_mode)
        desired = read_context(params, endpoint, check_mode=request.check_mode)
    guard = contextlib.nullcontext() if request.check_mode else store.changing()
    with guard:
        return _Run(request, store, endpoint, desired).run()


def _with_transport(request: Request, store: ContextStore) -> Request:
    """Return the request with the transport of the existing context of the same VM, where the options leave it out."""
    params = request.params
    if params["transport"] is not None or not isinstance(params["host"], t.Mapping):
        return request
    current, host_id = store.read(params["name"]), str(params["host"].get("id") or "").lower()
    is_kept = current and current.managed and host_id in ("", str(current.host_id).lower())
    over_ssh = bool(is_kept and current and str(current.host).startswith("ssh://"))
    return replace(request, params={**params, "transport": "ssh" if over_ssh else "tls"})


class _Run:
    """One run of the task.

    :param endpoint: the engine's URL; None with ``state=absent``, as ``desired``.
    """

    def __init__(
        self, request: Request, store: ContextStore, endpoint: Endpoint | None, desired: Context | None
    ) -> None:
        self.params = request.params
        self.name: str = request.params["name"]
        self.store = store
        self.endpoint = endpoint
        self.desired = desired
        self.unmanaged = False
        self.of_another_host = False
        self.changes = Differences()
        self.request = request

    def run(self) -> dict[str, t.Any]:
        """Compare, apply unless in check mode, and return the result."""
        current = self._current()
        # What this collection put into the context was checked then.
        if self.desired and not (current and current.managed and current.tls == self.desired.tls):
            check_files(self.params, self.desired)
        known_hosts = self._known_hosts(current)
        self._compare(current)
        selected_before, selected = self.store.current(), self._selected()
        if self.changes and not self.request.check_mode:
            self._apply(current)
        selection = self.changes.compare("current_context", selected_before or "default", selected or "default")
        keys = self.changes.compare("known_hosts", *_known_hosts_diff(known_hosts))
        if not self.request.check_mode:
            if selection:
                self.store.select(selected)
            if keys and known_hosts:
                known_hosts.save()
        self._warn_about_environment(selected)
        return self._result(current, selected)

    def _current(self) -> Context | None:
        current = self.store.read(self.name)
        if current is None or self.params["adopt"]:
            return current
        if current.managed:
            self._check_not_redirected(current)
            return None if self._is_of_another_host(current) else current
        if self.desired is not None:
            raise DockerHostError(
                f"The Docker context {self.name} exists and was not created by this collection, so it stays as it is."
                " Choose another name, or take it over with O(adopt=true)."
            )
        self.unmanaged = True
        self.request.warn(
            f"The Docker context {self.name} was not created by this collection, so it stays as it is."
            " To remove it nevertheless, set O(adopt=true)."
        )
        return None

    def _is_of_another_host(self, current: Context) -> bool:
        """Return whether the context leads to another VM than the one that is removed; then it stays.

        The end of an ID is enough, because the subscription need not be known.
        """
        host = self.params["host"] if self.desired is None else None
        given = str(host.get("id") or "") if isinstance(host, t.Mapping) else ""
        if not given or not current.host_id or current.host_id.lower().endswith(given.lower()):
            return False
        self.unmanaged = self.of_another_host = True
        self.request.warn(
            f"The Docker context {self.name} leads to another host, {current.host_id}, so it stays as it is."
        )
        return True

    def _check_not_redirected(self, current: Context) -> None:
        """Check that the context does not lead to another VM; the same one may have got another address.

        :raises DockerHostError: it does.
        """
        desired = self.desired.host_id if self.desired else None
        if desired and current.host_id and desired.lower() != current.host_id.lower():
            raise redirection_error(self.name, current, desired)

    def _compare(self, current: Context | None) -> None:
        self.changes.compare("exists", current is not None, self.desired is not None)
        if self.desired is None:
            return
        before = _properties(current) if current else {}
        for key, after in _properties(self.desired).items():
            if key != "docker_host" or not _is_same_url(before.get(key), after):
                self.changes.compare(key, before.get(key), after)
        if self.desired.host_id:
            known = current.host_id if current else None
            # Azure's IDs are case-insensitive.
            if (known or "").lower() != self.desired.host_id.lower():
                self.changes.compare("host_id", known, self.desired.host_id)
        if current:
            self.changes.compare("managed", current.managed, True)

    def _apply(self, current: Context | None) -> None:
        if self.desired is None:
            self.store.remove(self.name)
            return
        document, host_id = (current.document, current.host_id) if current else ({}, None)
        # A host that does not say its id is taken for the one before, a URL of its own is not.
        host_id = self.desired.host_id or (host_id if self.params["host"] is not None else None)
        self.store.write(replace(self.desired, document=document, host_id=host_id))

    def _selected(self) -> str | None:
        """Return the context that is selected after this run, None for the CLI's default."""
        selected = self.store.current()
        if self.desired is not None and self.params["current"]:
            return self.name
        deselects = self.desired is None or self.params["current"] is False
        return None if selected == self.name and not self.unmanaged and deselects else selected

    def _known_hosts(self, current: Context | None) -> KnownHosts | None:
        """Return the file of known hosts with this context's keys set or dropped, None to leave it alone."""
        over_ssh = self.endpoint is not None and self.endpoint.scheme == "ssh"
        was_over_ssh = current is not None and (current.host or "").startswith("ssh://")
        keys = self.params["ssh_host_keys"]
        if (over_ssh and keys is None) or (self.desired and not over_ssh and not was_over_ssh):
            return None
        known_hosts = KnownHosts(absolute_path("known_hosts_path", self.params["known_hosts_path"]), self.name)
        if not over_ssh:
            known_hosts.drop()
            return known_hosts
        url = self.endpoint.url if self.endpoint else None
        if url is None:
            return None
        known_hosts.set(
            host_field(url.host, url.port or 22),
            [parse_key(f"ssh_host_keys[{index}]", key) for index, key in enumerate(keys)],
        )
        return known_hosts

    def _warn_about_environment(self, selected: str | None) -> None:
        if not self.params["current"] or selected != self.name:
            return
        for variable in ("DOCKER_HOST", "DOCKER_CONTEXT"):
            if os.environ.get(variable):
                self.request.warn(f"{variable} is set here and overrides the selected Docker context: unset it.")

    def _actions(self, current: Context | None) -> list[str]:
        """Return one line for each change."""
        paths = [entry.path for entry in self.changes.entries]
        after = self.desired.host if self.desired else None
        special = {"exists", "docker_host", "current_context", "known_hosts"}
        lines = []
        if "exists" in paths:
            lines.append(f"{'create' if self.desired else 'remove'} Docker context {self.name}")
        elif "docker_host" in paths and current:
            lines.append(
                f"Docker context {self.name}: {current.host} -> {after or 'an address that Azure has yet to choose'}"
            )
        elif set(paths) - special:
            lines.append(f"update Docker context {self.name}")
        if "current_context" in paths:
            lines.append(f"select Docker context {self._selected() or 'default'}")
        if "known_hosts" in paths:
            lines.append(f"update the SSH keys of {self.name} in {self.params['known_hosts_path']}")
        return lines

    def _result(self, current: Context | None, selected: str | None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = {
            "changed": bool(self.changes),
            "actions": self._actions(current),
            "previous": _described(current),
            "context": None,
            "of_another_host": self.of_another_host,
            "current_context": selected or "default",
        }
        if self.desired:
            env = _env(tls_sources(self.params), self.desired, self.store)
            result["context"] = {
                "name": self.name,
                "description": self.desired.description,
                "docker_host": self.desired.host,
                "skip_tls_verify": self.desired.skip_tls_verify,
                "meta_path": self.store.meta_path(self.name),
                "tls_directory": self.store.tls_directory(self.name) if self.desired.tls else None,
            }
            result["docker_env"] = env
            result["shell_lines"] = shell_lines(env)
        if self.request.diff:
            result["diff"] = self.changes.as_diff()
        return result


def redirection_error(name: str, current: Context, desired: str) -> DockerHostError:
    """Return the error about a context that leads to another host.

    :param desired: the id of the host that it would lead to, or what is known of it.
    """
    return DockerHostError(
        f"The Docker context {name} leads to another host, {current.host_id} at {current.host}, so it is not redirected"
        f" to {desired}. Choose another O(name), or redirect it with O(adopt=true)."
    )


def _described(context: Context | None) -> dict[str, t.Any] | None:
    """Return the context as it was before the task."""
    if context is None:
        return None
    return {
        "name": context.name,
        "description": context.description,
        "docker_host": context.host,
        "managed": context.managed,
    }


def _known_hosts_diff(known_hosts: KnownHosts | None) -> tuple[str, str]:
    changed = known_hosts is not None and known_hosts.changed
    return ("other keys of this server" if changed else "as desired", "as desired")


def _properties(context: Context) -> dict[str, t.Any]:
    """Return the properties that are compared and shown in a diff; files by the start of a hash."""
    properties: dict[str, t.Any] = {
        "docker_host": context.host,
        "description": context.description,
        "skip_tls_verify": context.skip_tls_verify,
    }
    for file in TLS_FILES:
        properties[file] = fingerprint_of(context.tls.get(file))
    return properties


def _is_same_url(one: str | None, other: str | None) -> bool:
    """Return whether two URLs lead to one engine: names of hosts are case-insensitive, paths of sockets are not."""
    if not one or not other or one.startswith("unix:"):
        return one == other
    return one.lower() == other.lower()


def _env(sources: t.Mapping[str, str | None], context: Context, store: ContextStore) -> dict[str, str]:
    """Return the context's connection as environment variables, without the URL while it is not known."""
    env = {"DOCKER_HOST": context.host} if context.host else {}
    if not context.tls:
        return env
    env["DOCKER_TLS" if context.skip_tls_verify else "DOCKER_TLS_VERIFY"] = "1"
    directory = _cert_path(sources)
    env["DOCKER_CERT_PATH"] = os.path.abspath(directory) if directory else store.tls_directory(context.name)
    return env


def _cert_path(sources: t.Mapping[str, str | None]) -> str | None:
    """Return the directory of the files if the CLI finds all of them there under its own names."""
    names = {"ca_path": "ca.pem", "client_cert": "cert.pem", "client_key": "key.pem"}
    directories = set()
    for option, path in sources.items():
        if not path or os.path.basename(path) != names[option.rpartition(".")[2]]:
            return None
        directories.add(os.path.dirname(path))
    return directories.pop() if len(directories) == 1 else None


BACKEND = Backend("docker_context", SPEC, run)
