# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The steps of the role docker_host, looked at one after another in one process. Private to this collection.

Each step is the check mode of the task that would do it, with the same options, so "nothing to do" means the same here
and there.
"""

from __future__ import annotations

import typing as t
from urllib.parse import urlsplit

from ansible_collections.dockerhost.azure.plugins.module_utils._azure.clients import shared_sessions
from ansible_collections.dockerhost.azure.plugins.module_utils._backend import Backend
from ansible_collections.dockerhost.azure.plugins.module_utils._docker.context_task import BACKEND as CONTEXT
from ansible_collections.dockerhost.azure.plugins.module_utils._docker.endpoint_task import BACKEND as ENDPOINT
from ansible_collections.dockerhost.azure.plugins.module_utils._extension.task import BACKEND as EXTENSION
from ansible_collections.dockerhost.azure.plugins.module_utils._vault.task import BACKEND as CERTIFICATES
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.task import BACKEND as HOST
from ansible_collections.dockerhost.azure.plugins.plugin_utils._derived import Derived
from ansible_collections.dockerhost.azure.plugins.plugin_utils._local_action import carry_out, plain
from ansible_collections.dockerhost.azure.plugins.plugin_utils._program import read_program

Json = dict[str, t.Any]
SAID = "_docker_host_ssh_said"
RESULTS = ("_docker_host_vm", "_docker_host_certs", "_docker_host_push", "_docker_host_answer")
EMPTY: tuple[t.Any, ...] = ("", None, [""])
WRONG_TYPE = "a variable has another type than is needed"
NO_ADDRESS = "no address of the host is known"
GUEST = "docker_host_check_guest: only the step itself asks the guest"
ANSWER_SECONDS = 10


class NotConvergedError(Exception):
    """A step has something to do, or cannot be looked at. The text says which and why."""


class WholeHost:
    """One host as the role's variables describe it.

    :param variables: all variables of the host, templates among them.
    :param templating: gives, for variables that may change later, a function that gives a template's value.

    What it says has still to be searched for :attr:`secrets`.
    """

    def __init__(
        self, variables: t.Mapping[str, t.Any], templating: t.Callable[[Json], t.Callable[[t.Any], t.Any]]
    ) -> None:
        self.variables: Json = dict(variables)
        self.warnings: list[str] = []
        self.secrets: set[str] = set()
        self._template = templating(self.variables)
        self._values: Json = {}
        self._derived = Derived(self._value)

    @property
    def on_controller(self) -> bool:
        """Whether it is looked at from localhost, which is not the host itself."""
        return self._derived.on_controller

    def look(self) -> None:
        """Look whether every step finds what it would make.

        :raises NotConvergedError: one of them does not, or cannot tell.
        """
        self._values.update({name: {} for name in RESULTS})
        if self._wish("check_guest"):
            raise NotConvergedError(GUEST)
        try:
            with shared_sessions():
                self._look()
        except TypeError as error:
            raise NotConvergedError(WRONG_TYPE) from error

    def _look(self) -> None:
        self._values["_docker_host_vm"] = self._step(HOST, self._host())
        self._values["_docker_host_certs"] = self._step(CERTIFICATES, self._certificates())
        if self._derived.used_wait:
            self._values["_docker_host_answer"] = self._step(ENDPOINT, self._endpoint())
        self._values["_docker_host_push"] = self._step(EXTENSION, self._extension())
        if self._derived.with_context:
            self._step(CONTEXT, self._context())

    def facts(self) -> Json:
        """What later tasks and plays need; the value of the fact ``docker_host_facts``."""
        vm, certs, push, answer = (self._value(name) or {} for name in RESULTS)
        url, connection = self._derived.url, self._derived.tls
        return {
            "name": self._derived.used_name or None,
            "docker_host": url,
            "connection": {"docker_host": url, **connection},
            "env": {"DOCKER_HOST": url, **(certs.get("docker_env") or {})},
            "context": self._derived.context_name if self._derived.with_context else None,
            "host": vm.get("host") or {},
            "engine": answer.get("version") or push.get("engine") or {},
            "certificates": {
                "cert_dir": self._derived.cert_dir,
                "ca": certs.get("ca") or {},
                "client": certs.get("client") or {},
                "server": self._derived.server,
            },
        }

    def ssh_host_keys(self) -> list[str]:
        """The keys of the host's SSH server, for a context that goes over SSH."""
        return list(self._derived.ssh_keys) if self._derived.over_ssh else []

    def own_variables(self, facts: Json, given: t.Mapping[str, t.Any]) -> Json:
        """What the host itself gets besides its facts, for later tasks and plays.

        What the inventory says counts, not what this role said earlier in the run, maybe of a host that was deleted
        since.

        :param facts: what :meth:`facts` gave.
        :param given: the variables that the inventory and earlier tasks give to the host, templates among them.
        """
        defaults, host = self._derived.defaults, facts["host"]
        ssh = {
            "host": urlsplit(facts["docker_host"]).hostname or "",
            "user": host.get("admin_username") or defaults["admin_username"],
            "port": int(host.get("ssh_port") or defaults["ssh_port"]),
        }
        before = self._value(SAID) or {}
        connection = {f"ansible_docker_{name}": value for name, value in facts["connection"].items()}
        known = {name: self._template(given.get(f"ansible_{name}")) for name in ssh}
        own = {f"ansible_{name}": ssh[name] for name in ssh if known[name] in ("", None, before.get(name))}
        return {SAID: ssh, **own, **connection}

    def _step(self, task: Backend, args: Json) -> Json:
        try:
            ran = carry_out(task, plain(args), check_mode=True, only_named=True)
        except Exception as error:
            # The step itself comes next, and tells it as its own error.
            raise NotConvergedError(f"{task.name}: {type(error).__name__}") from error
        self.secrets |= ran.secrets
        result = ran.result
        if result.get("failed") or result.get("changed"):
            why = result.get("msg") or ", ".join(result.get("actions") or result.get("reasons") or []) or "changes"
            raise NotConvergedError(f"{task.name}: {why}")
        self.warnings += result.pop("warnings", [])
        return result

    def _host(self) -> Json:
        return {
            **self._options("azure", "vm"),
            "name": self._derived.used_name,
            "resource_group": self._derived.used_resource_group,
            "docker_port": self._derived.used_port,
            "state": "started" if self._wish("start") else "present",
            # A host that is not there is not looked at any further.
            "preflight": False,
        }

    def _certificates(self) -> Json:
        dns_names, ip_addresses = self._derived.all_dns_names, self._derived.all_ip_addresses
        if not dns_names and not ip_addresses:
            raise NotConvergedError(NO_ADDRESS)
        host = {"name": self._derived.used_name, "dns_names": dns_names, "ip_addresses": ip_addresses}
        adopt = self._option("adopt_certificates") or False
        return {**self._options("certificate"), "hosts": [host], "adopt": adopt}

    def _endpoint(self) -> Json:
        return {
            "docker_host": self._derived.url,
            **self._tls("ca_path", "client_cert", "client_key"),
            "tls": True,
            "validate_certs": True,
            "wait": False,
            "timeout": ANSWER_SECONDS,
            "require_mutual_tls": self._derived.used_demand_mutual_tls,
        }

    def _extension(self) -> Json:
        name = self._derived.used_name
        server = f"{self._derived.cert_dir}/servers/{name}"
        if not isinstance(self._derived.used_docker, t.Mapping):
            raise NotConvergedError("docker_host_docker: a dictionary is needed")
        timeout = self._option("extension_timeout")
        return {
            **self._options("azure", "extension"),
            **({"wait_timeout": timeout} if timeout else {}),
            "resource_group": self._derived.used_resource_group,
            "virtual_machine_name": name,
            "docker": self._derived.settings,
            "certs": {f"{part}_path": f"{server}/{part}.pem" for part in ("ca", "cert", "key")},
            "keep_certs": self._option("keep_certs") or False,
            "docker_host": self._derived.url,
            "client": self._tls("ca_path", "client_cert", "client_key"),
            "setup_program": read_program(),
        }

    def _context(self) -> Json:
        name, group = self._derived.used_name, self._derived.used_resource_group
        wanted = {
            **self._options("context"),
            "name": self._derived.context_name,
            "description": f"{name} ({group})",
            "adopt": self._option("adopt_context") or False,
        }
        current = self._option("context_current")
        if current is not None:
            wanted["current"] = current
        if self._derived.over_ssh:
            keys = self._derived.ssh_keys
            return {**wanted, "docker_host": self._derived.ssh_url, **({"ssh_host_keys": keys} if keys else {})}
        return {**wanted, "docker_host": self._derived.url, **self._tls("ca_path", "client_cert", "client_key")}

    def _tls(self, *names: str) -> Json:
        connection = self._derived.tls
        return {name: connection[name] for name in names}

    def _options(self, *lists: str) -> Json:
        """The options of these lists in the role's ``vars/main.yml`` that have a value."""
        names = [name for one in lists for name in self.variables[f"_docker_host_{one}_options"]]
        values = {name: self._option(name) for name in names if f"docker_host_{name}" in self.variables}
        return {name: value for name, value in values.items() if value is not None}

    def _option(self, name: str) -> t.Any:
        """The value of one of the role's variables, as it counts; an empty one counts as unset."""
        variable = f"docker_host_{name}"
        text_list = variable in self.variables["_docker_host_text_lists"]
        value = self._derived.used_list(name) if text_list else self._value(variable)
        return None if value in EMPTY else value

    def _wish(self, name: str) -> bool:
        """A boolean, which may be said in words; false unless said."""
        return str(self._option(name)).strip().lower() in ("true", "yes", "y", "on", "1", "t")

    def _value(self, name: str) -> t.Any:
        """What a variable's template gives. It is worked out once."""
        if name not in self._values:
            self._values[name] = self._template(self.variables[name]) if name in self.variables else None
        return self._values[name]
