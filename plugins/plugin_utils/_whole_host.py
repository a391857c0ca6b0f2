# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The steps of the role docker_host, looked at one after another in one process. Private to this collection.

Each step is the check mode of the task that would do it, with the same options, so "nothing to do" means the same here
and there. What several steps derive from one another (addresses, paths) comes from the role's own variables.
"""

from __future__ import annotations

import contextlib
import typing as t
from urllib.parse import urlsplit

from ansible.errors import AnsibleError
from ansible.module_utils.common.parameters import remove_values

from ansible_collections.dockerhost.azure.plugins.module_utils._azure.clients import shared_sessions
from ansible_collections.dockerhost.azure.plugins.module_utils._docker.context_task import TASK as CONTEXT
from ansible_collections.dockerhost.azure.plugins.module_utils._docker.endpoint_task import TASK as ENDPOINT
from ansible_collections.dockerhost.azure.plugins.module_utils._extension.task import TASK as EXTENSION
from ansible_collections.dockerhost.azure.plugins.module_utils._task import Task
from ansible_collections.dockerhost.azure.plugins.module_utils._vault.task import TASK as CERTIFICATES
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.task import TASK as HOST
from ansible_collections.dockerhost.azure.plugins.plugin_utils._local_action import carry_out, plain
from ansible_collections.dockerhost.azure.plugins.plugin_utils._program import read_program

Json = dict[str, t.Any]
SAID = "_docker_host_ssh_said"
RESULTS = ("_docker_host_vm", "_docker_host_certs", "_docker_host_push", "_docker_host_answer")
EMPTY: tuple[t.Any, ...] = ("", None, [""])
# What the role derives, in the order in which one needs another, from the moment when it does not change any more.
AT_ONCE = (
    *("on_controller", "used_name", "used_resource_group", "default_port", "used_port", "used_docker"),
    *("used_wait", "with_context", "context_name", "over_ssh", "known_context", "known_url", "known_tcp_port"),
    *("given_address", "address_is_ip"),
)
AFTER_HOST = ("vm_any", "vm_found", "real_port", "ssh_user")
AFTER_CERTIFICATES = ("server", "cert_dir", "tls", "known_address", "any_address", "url")
NO_ADDRESS = "no address of the host is known"
GUEST = "docker_host_check_guest: only the step itself asks the guest"
ANSWER_SECONDS = 10


class NotConvergedError(Exception):
    """A step has something to do, or cannot be looked at. The text says which and why."""


class WholeHost:
    """One host as the role's variables describe it.

    :param variables: all variables of the host, templates among them.
    :param templating: gives, for variables that may change later, a function that gives a template's value.
    """

    def __init__(
        self, variables: t.Mapping[str, t.Any], templating: t.Callable[[Json], t.Callable[[t.Any], t.Any]]
    ) -> None:
        self.variables: Json = dict(variables)
        self.warnings: list[str] = []
        self._template = templating(self.variables)
        self._settle(*AT_ONCE)

    def look(self) -> None:
        """Look whether every step finds what it would make.

        :raises NotConvergedError: one of them does not, or cannot tell.
        """
        for name in RESULTS:
            self.variables.pop(name, None)
        if self._wish("check_guest", otherwise=False):
            raise NotConvergedError(GUEST)
        with shared_sessions():
            self._look()

    def _look(self) -> None:
        self.variables["_docker_host_vm"] = self._step(HOST, self._host())
        self._settle(*AFTER_HOST)
        self.variables["_docker_host_certs"] = self._step(CERTIFICATES, self._certificates())
        self._settle(*AFTER_CERTIFICATES)
        if self._wish("wait"):
            self.variables["_docker_host_answer"] = self._step(ENDPOINT, self._endpoint())
        self.variables["_docker_host_push"] = self._step(EXTENSION, self._extension())
        if self._derived("with_context"):
            self._step(CONTEXT, self._context())

    def facts(self) -> Json:
        """What later tasks and plays need; the value of the fact ``docker_host_facts``."""
        vm, certs, push, answer = (self._value(name, {}) or {} for name in RESULTS)
        url, connection = self._derived("url"), self._derived("tls")
        return {
            "name": self._option("name"),
            "docker_host": url,
            "connection": {"docker_host": url, **connection},
            "env": {"DOCKER_HOST": url, **(certs.get("docker_env") or {})},
            "context": self._derived("context_name") if self._derived("with_context") else None,
            "host": vm.get("host") or {},
            "engine": answer.get("version") or push.get("engine") or {},
            "certificates": {
                "cert_dir": self._derived("cert_dir"),
                "ca": certs.get("ca") or {},
                "client": certs.get("client") or {},
                "server": self._derived("server"),
            },
        }

    def ssh_host_keys(self) -> list[str]:
        """The keys of the host's SSH server, for a context that goes over SSH."""
        return list(self._derived("ssh_keys")) if self._derived("over_ssh") else []

    def own_variables(self, facts: Json, given: t.Mapping[str, t.Any]) -> Json:
        """What the host itself gets in later plays. On localhost that is for the host that is added, not for this one.

        What the inventory says counts, not what this role said earlier in the run, maybe of a host that was deleted
        since.

        :param facts: what :meth:`facts` gave.
        :param given: the variables that the inventory and earlier tasks give to the host, templates among them.
        """
        if self._derived("on_controller"):
            return {}
        defaults, host = self._derived("defaults"), facts["host"]
        ssh = {
            "host": urlsplit(facts["docker_host"]).hostname or "",
            "user": host.get("admin_username") or defaults["admin_username"],
            "port": int(host.get("ssh_port") or defaults["ssh_port"]),
        }
        before = self._value(SAID, {})
        connection = {f"ansible_docker_{name}": value for name, value in facts["connection"].items()}
        known = {name: self._template(given.get(f"ansible_{name}")) for name in ssh}
        own = {f"ansible_{name}": ssh[name] for name in ssh if known[name] in ("", None, before.get(name))}
        return {SAID: ssh, **own, **connection}

    def _step(self, task: Task, args: Json) -> Json:
        try:
            ran = carry_out(task, plain(args), check_mode=True, diff=False)
        except Exception as error:
            # The step itself comes next, and tells it as its own error.
            raise NotConvergedError(f"{task.name}: {type(error).__name__}") from error
        result = t.cast("Json", remove_values(ran.result, ran.secrets))
        if result.get("failed") or result.get("changed"):
            why = result.get("msg") or ", ".join(result.get("actions") or result.get("reasons") or []) or "changes"
            raise NotConvergedError(f"{task.name}: {why}")
        self.warnings += result.pop("warnings", [])
        return result

    def _host(self) -> Json:
        return {
            **self._options("azure", "vm"),
            **self._named("name", "resource_group"),
            "docker_port": self._derived("used_port"),
            "state": "started" if self._wish("start", False) else "present",
            # A host that is not there is not looked at any further.
            "preflight": False,
        }

    def _certificates(self) -> Json:
        dns_names, ip_addresses = self._derived("all_dns_names"), self._derived("all_ip_addresses")
        if not dns_names and not ip_addresses:
            raise NotConvergedError(NO_ADDRESS)
        host = {"name": self._option("name"), "dns_names": dns_names, "ip_addresses": ip_addresses}
        adopt = self._option("adopt_certificates") or False
        return {**self._options("certificate"), "hosts": [host], "adopt": adopt}

    def _endpoint(self) -> Json:
        return {
            "docker_host": self._derived("url"),
            **self._tls("ca_path", "client_cert", "client_key"),
            "tls": True,
            "validate_certs": True,
            "wait": False,
            "timeout": ANSWER_SECONDS,
            "require_mutual_tls": self._wish("demand_mutual_tls"),
        }

    def _extension(self) -> Json:
        server = f"{self._derived('cert_dir')}/servers/{self._option('name')}"
        if not isinstance(self._option("docker") or {}, t.Mapping):
            raise NotConvergedError("docker_host_docker: a dictionary is needed")
        timeout = self._option("extension_timeout")
        return {
            **self._options("azure", "extension"),
            **({"wait_timeout": timeout} if timeout else {}),
            "resource_group": self._option("resource_group"),
            "virtual_machine_name": self._option("name"),
            "docker": self._derived("settings"),
            "certs": {f"{part}_path": f"{server}/{part}.pem" for part in ("ca", "cert", "key")},
            "keep_certs": (self._option("keep_certs") or False) if self._wish("wait") else False,
            "setup_program": read_program(),
        }

    def _context(self) -> Json:
        name, group = self._option("name"), self._option("resource_group")
        wanted = {
            **self._options("context"),
            "name": self._derived("context_name"),
            "description": f"{name} ({group})",
            "adopt": self._option("adopt_context") or False,
        }
        current = self._option("context_current")
        if current is not None:
            wanted["current"] = current
        if self._derived("over_ssh"):
            keys = self._derived("ssh_keys")
            return {**wanted, "docker_host": self._derived("ssh_url"), **({"ssh_host_keys": keys} if keys else {})}
        return {**wanted, "docker_host": self._derived("url"), **self._tls("ca_path", "client_cert", "client_key")}

    def _tls(self, *names: str) -> Json:
        connection = self._derived("tls")
        return {name: connection[name] for name in names}

    def _options(self, *lists: str) -> Json:
        """The options of these lists in the role's ``vars/main.yml`` that have a value."""
        names = [name for one in lists for name in self.variables[f"_docker_host_{one}_options"]]
        values = {name: self._option(name) for name in names if f"docker_host_{name}" in self.variables}
        return {name: value for name, value in values.items() if value is not None}

    def _named(self, *names: str) -> Json:
        return {name: self._option(name) for name in names}

    def _option(self, name: str) -> t.Any:
        """The value of one of the role's variables, as it counts; an empty one counts as unset."""
        used = f"_docker_host_used_{name}"
        value = self._value(used if used in self.variables else f"docker_host_{name}")
        return None if value in EMPTY else value

    def _wish(self, name: str, otherwise: bool = True) -> bool:
        """A boolean, which may be said in words."""
        value = self._option(name)
        return otherwise if value is None else str(value).strip().lower() in ("true", "yes", "y", "on", "1", "t")

    def _derived(self, name: str) -> t.Any:
        """What the role derives from variables and from the results of earlier steps."""
        return self._value(f"_docker_host_{name}")

    def _settle(self, *names: str) -> None:
        """Put values in the place of templates, which would be compiled for each use.

        What is wrong with one of them is said where it is used.
        """
        for name in names:
            with contextlib.suppress(AnsibleError):
                self.variables[f"_docker_host_{name}"] = self._derived(name)

    def _value(self, name: str, default: t.Any = None) -> t.Any:
        return self._template(self.variables[name]) if name in self.variables else default
