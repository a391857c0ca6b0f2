# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role docker_host derives from its variables and from its steps' results. Private to this collection.

The role's own ``vars/main.yml`` says the same in templates, for the steps. The look, which every run has for every
host, says it here: Ansible compiles each template anew in each worker, and three dozen of them were half of what the
look cost. A test compares both.
"""

from __future__ import annotations

import re
import typing as t
from urllib.parse import urlsplit

Json = dict[str, t.Any]
Get = t.Callable[[str], t.Any]
TRUE = ("yes", "on", "1", "true")
LINES = ("ssh_public_keys",)
"""Lists whose text form may have blanks in an entry."""


class Derived:
    """The names without ``_docker_host_`` are those of ``vars/main.yml``.

    :param get: gives a variable's value, None when there is none.
    """

    def __init__(self, get: Get) -> None:
        self._get = get

    @property
    def on_controller(self) -> bool:
        return bool(self._get("inventory_hostname") in self._get("_docker_host_controllers"))

    @property
    def used_name(self) -> str:
        here = "" if self.on_controller else self._get("inventory_hostname")
        return t.cast(str, self._given("name") or here)

    @property
    def used_resource_group(self) -> str:
        return t.cast(str, self._or_default("resource_group"))

    @property
    def used_port(self) -> int:
        return _int(self._given("port") or self._default_port)

    @property
    def _default_port(self) -> t.Any:
        facts = self._get("docker_host_facts") or {}
        known = _at(facts, "host", "docker_port") if (_at(facts, "name") or "") == self.used_name else None
        return known or self.defaults["port"]

    @property
    def defaults(self) -> Json:
        return t.cast("Json", self._get("_docker_host_defaults"))

    @property
    def used_docker(self) -> t.Any:
        return self._given("docker") or {}

    @property
    def used_wait(self) -> bool:
        return self._boolean("wait")

    @property
    def used_demand_mutual_tls(self) -> bool:
        return self._boolean("demand_mutual_tls")

    def used_list(self, name: str) -> t.Any:
        """A list that may be given as text."""
        value = self._given(name)
        if not isinstance(value, str):
            return "" if value is None else value
        return re.findall(self._get("_docker_host_line" if name in LINES else "_docker_host_word"), value) or ""

    @property
    def with_context(self) -> bool:
        return self._boolean("context")

    @property
    def context_name(self) -> str:
        return self._given("context_name") or self.used_name

    @property
    def over_ssh(self) -> bool:
        return bool(self._or_default("context_transport") == "ssh")

    @property
    def given_address(self) -> str:
        return self._given("address") or ""

    @property
    def address_is_ip(self) -> bool:
        return re.search("^[0-9.]+$|:", self.given_address) is not None

    @property
    def vm_found(self) -> Json:
        found = self._get("_docker_host_vm")
        host = _at(_at(self._get("_docker_host_now"), "facts") if found is None else found, "host") or {}
        return host if str(_at(host, "name") or "").lower() == str(self.used_name).lower() else {}

    @property
    def server(self) -> Json:
        return (_at(self._get("_docker_host_certs"), "servers") or {}).get(self.used_name) or {}

    @property
    def cert_dir(self) -> str:
        return _at(self._get("_docker_host_certs"), "cert_dir") or self._given("cert_dir") or ""

    @property
    def tls(self) -> Json:
        return _at(self._get("_docker_host_certs"), "docker_connection") or {}

    @property
    def _known_url(self) -> str:
        context = _at(self._get("_docker_host_context_found"), "previous") or {}
        ours = (_at(context, "name") or "") == self.context_name and context.get("managed")
        return context["docker_host"] if ours else ""

    @property
    def _any_address(self) -> str:
        if self.given_address:
            return self.given_address
        known = [urlsplit(self._known_url).hostname] if self._known_url else []
        names = [name for kind in ("dns_names", "ip_addresses") for name in self.server.get(kind) or []]
        return t.cast(str, [*filter(None, known), *names, ""][0])

    @property
    def real_port(self) -> int:
        """The port that the host has, where it was not asked to have one."""
        known: t.Any = self.used_port
        if known == self.defaults["port"]:
            known = urlsplit(self._known_url).port if self._known_url.startswith("tcp:") else ""
        return _int(self.vm_found.get("docker_port") or known or self.used_port)

    @property
    def url(self) -> str:
        url = self.vm_found.get("docker_host")
        if url and not self.given_address:
            return str(url)
        address = self._any_address
        return f"tcp://{f'[{address}]' if ':' in address else address or self.used_name}:{self.real_port}"

    @property
    def all_dns_names(self) -> list[str]:
        return self._all("dns_names", not self.address_is_ip)

    @property
    def all_ip_addresses(self) -> list[str]:
        return self._all("ip_addresses", self.address_is_ip)

    def _all(self, kind: str, given: bool) -> list[str]:
        asked = self.used_list(kind) or []
        return _unique((self.vm_found.get(kind) or []) + asked + ([self.given_address] if given else []))

    @property
    def ssh_user(self) -> str:
        user: str = self.vm_found.get("admin_username") or self._or_default("admin_username")
        return user

    @property
    def ssh_port(self) -> t.Any:
        return self._given("ssh_port") or self.vm_found.get("ssh_port") or self.defaults["ssh_port"]

    @property
    def ssh_keys(self) -> list[str]:
        pushed = _at(self._get("_docker_host_push"), "engine", "ssh_host_keys")
        return pushed or _at(self._get("_docker_host_now"), "ssh_host_keys") or []

    @property
    def ssh_url(self) -> str:
        place = re.sub(":[0-9]+$", "", urlsplit(self.url).netloc)
        return f"ssh://{self.ssh_user}@{place}:{self.ssh_port}"

    @property
    def settings(self) -> Json:
        users = {}
        if self.over_ssh and self.with_context:
            users = {"users": _unique((self.used_docker.get("users") or []) + [self.ssh_user])}
        return {**self.used_docker, **users, "port": self.used_port}

    def _given(self, name: str) -> t.Any:
        return self._get(f"docker_host_{name}")

    def _or_default(self, name: str) -> t.Any:
        return self._given(name) or self.defaults[name]

    def _boolean(self, name: str) -> bool:
        value = self._given(name)
        value = self.defaults[name] if value in ("", None) else value
        return value.lower() in TRUE if isinstance(value, str) else value == 1


def _at(value: t.Any, *path: str) -> t.Any:
    """What is there, or None."""
    for name in path:
        value = value.get(name) if isinstance(value, t.Mapping) else None
    return value


def _int(value: t.Any) -> int:
    """As Jinja's filter ``int``: what is no number is 0."""
    try:
        return int(value)
    except (TypeError, ValueError):
        try:
            return int(float(value))
        except (TypeError, ValueError, OverflowError):
            return 0


def _unique(values: list[t.Any]) -> list[t.Any]:
    return [value for number, value in enumerate(values) if value and value not in values[:number]]
