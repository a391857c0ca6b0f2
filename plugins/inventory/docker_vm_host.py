# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Inventory of the Docker hosts that this collection created."""

from __future__ import annotations

DOCUMENTATION = r"""
name: docker_vm_host
short_description: Docker hosts on Azure that this collection created
version_added: 0.1.0
author:
  - The dockerhost.azure authors (@dockerhost)
description:
  - Finds the virtual machines that have the tags of M(dockerhost.azure.docker_vm_host), across resource groups and
    subscriptions.
  - Gives each host the variables for SSH and for the community.docker collection, and those of the role
    P(dockerhost.azure.docker_host#role), so that the role can run against this inventory.
  - Its configuration is a YAML file whose name ends with V(docker_vm_host.yml) or V(docker_vm_host.yaml).
extends_documentation_fragment:
  - ansible.builtin.constructed
  - ansible.builtin.inventory_cache
  - dockerhost.azure._azure
  - dockerhost.azure._azure.requirements
options:
  plugin:
    description: Marks the file as a configuration of this plugin.
    type: str
    required: true
    choices: [dockerhost.azure.docker_vm_host]
  subscriptions:
    description:
      - IDs of the subscriptions to search, with the same credentials.
      - By default the one of O(subscription_id).
    type: list
    elements: str
    default: []
  resource_groups:
    description:
      - Names of the resource groups to search. By default all groups of the subscription.
      - A group that does not exist causes a warning, because its first host may not exist yet.
    type: list
    elements: str
    default: []
  host_tags:
    description:
      - Only hosts with all of these tags and values. As in Azure, names are not case-sensitive.
    type: dict
    default: {}
  private_addresses:
    description:
      - Use the private addresses of hosts, even of those that have public ones.
      - For a host without a public address, its private address is used in any case.
    type: bool
    default: false
  agent_state:
    description: Whether to also read the state of each host's Azure agent, which takes one request per host.
    type: bool
    default: false
  cert_dir:
    description:
      - The directory with C(ca.pem), C(cert.pem) and C(key.pem) for the variables of community.docker.
      - By default the environment variable E(DOCKER_CERT_PATH), else C(~/.docker).
    type: path
    env:
      - name: DOCKER_CERT_PATH
  group:
    description: Name of the group with all hosts.
    type: str
    default: docker_hosts
notes:
  - Each host has the variables C(ansible_host), C(ansible_user) and C(ansible_port) for SSH.
  - For plugins of community.docker it has C(ansible_docker_docker_host), C(ansible_docker_tls),
    C(ansible_docker_validate_certs), C(ansible_docker_ca_path), C(ansible_docker_client_cert) and
    C(ansible_docker_client_key).
  - For the role it has the variables that identify it, C(docker_host_name), C(docker_host_resource_group) and
    C(docker_host_subscription_id). Set all others in your own group and host variables. Without C(docker_host_port), a
    host keeps its port.
  - C(docker_host_facts) has C(name), C(docker_host), C(connection) (options of community.docker's modules), C(env)
    (environment variables of the docker CLI), and C(host).
  - C(docker_host_facts.host) has C(name), C(resource_group), C(subscription_id), C(location), C(id), C(vm_size),
    C(power_state), C(agent_state), C(provisioning_state), C(fqdn), C(public_ip_address), C(private_ip_address),
    C(docker_port), C(ssh_port), C(admin_username), C(zone), C(ca_fingerprint), C(cert_expires) and C(tags). The same
    keys can be used in O(compose), O(groups) and O(keyed_groups) without a prefix.
  - If hosts of several groups or subscriptions have the same name, they are called C(NAME.GROUP), or
    C(NAME.GROUP.SUBSCRIPTION) if that is not enough.
  - Nothing that Azure returns is ever evaluated as a template, because many people may be able to write tags. Curly
    brackets in a value that O(keyed_groups) uses for a group's name become underscores.
  - A virtual machine is left out with a warning if its tag C(docker-host) differs from its own name, if that name means
    something else to Ansible (such as V(localhost) or the name of a group), or if an inventory source that was read
    before already defines a host of that name. Sources that are read later cannot be checked.
"""

EXAMPLES = r"""
# docker_vm_host.yml: everything in the subscription of the environment's credentials
plugin: dockerhost.azure.docker_vm_host

---
# production.docker_vm_host.yml: two groups, and groups by region and power state
plugin: dockerhost.azure.docker_vm_host
resource_groups: [docker-west, docker-north]
host_tags:
  environment: production
keyed_groups:
  - prefix: location
    key: location
groups:
  not_running: power_state != 'running'
compose:
  expires: cert_expires
cache: true
cache_plugin: ansible.builtin.jsonfile
cache_connection: ~/.cache/docker_hosts
"""

import collections
import contextlib
import functools
import os
import typing as t

from ansible import constants
from ansible.errors import AnsibleParserError
from ansible.inventory.group import to_safe_group_name
from ansible.plugins.inventory import BaseInventoryPlugin, Cacheable, Constructable
from ansible.utils.unsafe_proxy import wrap_var

from ansible_collections.dockerhost.azure.plugins.module_utils._azure.argument_spec import azure_argument_spec
from ansible_collections.dockerhost.azure.plugins.module_utils._azure.clients import AzureSession
from ansible_collections.dockerhost.azure.plugins.module_utils._azure.resource_ids import name_in
from ansible_collections.dockerhost.azure.plugins.module_utils._azure.tags import has_tag
from ansible_collections.dockerhost.azure.plugins.module_utils._backend import failure, forget_empty_home
from ansible_collections.dockerhost.azure.plugins.module_utils._errors import DockerHostError, OptionError
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.current.listing import (
    HostList,
    are_listed_hosts,
    list_hosts,
    run_in_batches,
)
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.desired.validators import check_name

Json = dict[str, t.Any]
# Names that mean something else to Ansible: the controller, and its own groups.
NOT_HOSTS = ("localhost", "127.0.0.1", "all", "ungrouped")


class InventoryModule(BaseInventoryPlugin, Constructable, Cacheable):
    """See DOCUMENTATION."""

    NAME = "dockerhost.azure.docker_vm_host"

    @staticmethod
    def _sanitize_group_name(name: str) -> str:
        """Replace curly brackets of tags: ansible-core before 2.19 would evaluate them in ``group_names``."""
        return t.cast("str", to_safe_group_name(name.translate(str.maketrans("{}", "__"))))

    def verify_file(self, path: str) -> bool:
        """Return whether a file is a configuration of this plugin, by its name."""
        return super().verify_file(path) and path.endswith(("docker_vm_host.yml", "docker_vm_host.yaml"))

    def parse(self, inventory: t.Any, loader: t.Any, path: str, cache: bool = True) -> None:
        """Fill the inventory."""
        super().parse(inventory, loader, path, cache)
        self._read_config_data(path)
        self._check_group_names()
        hosts = self._hosts(self.get_cache_key(path), cache)
        tags = self.get_option("host_tags") or {}
        hosts = [host for host in hosts if all(has_tag(host, key, str(value)) for key, value in tags.items())]
        group = self.inventory.add_group(self.get_option("group"))
        named = list(self._named([host for host in hosts if self._has_own_name(host)]))
        for name, _host in named:
            self.inventory.add_host(name, group=group)
        # Groups come last: a variable for a host of a group's name would be the group's.
        known = [(name, self._set_variables(name, host)) for name, host in named]
        for name, variables in known:
            self._set_groups(name, variables)

    def _check_group_names(self) -> None:
        """Refuse names that YAML reads as something else than text, such as ``off``."""
        for name in (self.get_option("group"), *(self.get_option("groups") or {})):
            if not isinstance(name, str):
                raise AnsibleParserError(f"groups: the name of a group must be text, got {name!r}: write it in quotes")

    def _has_own_name(self, host: Json) -> bool:
        """Return whether a host's tag is the name of its VM, so that a tag cannot take the place of another host."""
        try:
            check_name("docker-host", host["name"])
        except OptionError:
            self._leave_out(host, "its tag docker-host is not a valid host name")
            return False
        own = name_in(host["id"])
        if host["name"].lower() != own.lower():
            self._leave_out(host, f"its tag docker-host must be the name of the virtual machine, {own}")
            return False
        return True

    def _named(self, hosts: list[Json]) -> t.Iterator[tuple[str, Json]]:
        """Yield each host with a name that nothing else in the inventory has."""
        names = _unique_names(hosts)
        counted = collections.Counter(name.lower() for name in names)
        for name, host in zip(names, hosts, strict=True):
            if name.lower() in NOT_HOSTS or name in self.inventory.groups:
                self._leave_out(host, f"{name} means something else to Ansible")
            elif name in self.inventory.hosts:
                self._leave_out(host, f"another inventory source already defines {name}")
            elif counted[name.lower()] > 1:
                self._leave_out(host, f"another virtual machine is called {name}, too")
            else:
                yield name, host

    def _leave_out(self, host: Json, reason: str) -> None:
        self.display.warning(f"{host['id']} is left out: {reason}")

    def _hosts(self, key: str, cache: bool) -> list[Json]:
        use = self.get_option("cache")
        if use and cache:
            with contextlib.suppress(KeyError):
                cached = self._cache[key]
                # An earlier version of this collection, or somebody else, may have written it.
                if are_listed_hosts(cached):
                    return t.cast("list[Json]", cached)
        hosts = self._ask_azure()
        if use:
            self._cache[key] = hosts
        return hosts

    def _ask_azure(self) -> list[Json]:
        params = {name: self._option(name) for name in azure_argument_spec().argument_spec}
        wanted = self.get_option("subscriptions") or [params["subscription_id"]]
        subscriptions = list({str(name or "").lower(): name for name in wanted}.values())
        groups = self.get_option("resource_groups") or []
        agent_state = bool(self.get_option("agent_state"))

        forget_empty_home()

        def query_azure(subscription: str | None) -> HostList:
            given = {**params, "subscription_id": subscription}
            with AzureSession.from_params(given, token_cache=constants.DEFAULT_LOCAL_TMP) as session:
                return list_hosts(session, groups, agent_state=agent_state)

        try:
            found = run_in_batches([functools.partial(query_azure, name) for name in subscriptions])
        except DockerHostError as error:
            raise AnsibleParserError(failure(error)["msg"]) from error
        # A resource group of one subscription need not exist in the others.
        nowhere = set.intersection(*(set(part.missing) for part in found))
        if nowhere:
            self.display.warning(f"resource_groups: these groups do not exist: {', '.join(sorted(nowhere))}")
        return [host for part in found for host in part.hosts]

    def _option(self, name: str) -> t.Any:
        value = self.get_option(name)
        if isinstance(value, str) and self.templar.is_template(value):
            value = self.templar.template(value)
        return value

    def _set_variables(self, name: str, host: Json) -> Json:
        """Set a host's variables, and return those from which groups can be made."""
        # Values from a cache are marked too, because others may be able to write to it.
        variables = _unsafe(self._variables(host))
        for key, value in variables.items():
            self.inventory.set_variable(name, key, value)
        known = {**variables["docker_host_facts"]["host"], **variables}
        self._set_composite_vars(self.get_option("compose"), known, name, strict=self.get_option("strict"))
        return known

    def _compose(self, template: t.Any, variables: Json, *args: t.Any, **options: t.Any) -> t.Any:
        """Evaluate an expression. The name of a plain value needs no templating, which takes most of the time."""
        if isinstance(template, str) and template in variables and not self.get_option("use_extra_vars"):
            value = variables[template]
            if isinstance(value, str) or (value is None and not _MARKS):  # Older ansible-core makes a text of None.
                return value
        return super()._compose(template, variables, *args, **options)

    def _set_groups(self, name: str, known: Json) -> None:
        strict = self.get_option("strict")
        self._add_host_to_composed_groups(self.get_option("groups"), known, name, strict=strict)
        self._add_host_to_keyed_groups(self.get_option("keyed_groups"), known, name, strict=strict)

    def _variables(self, host: Json) -> Json:
        public = host["fqdn"] or host["public_ip_address"]
        private = host["private_ip_address"]
        address = (private or public) if self.get_option("private_addresses") else (public or private)
        url = f"tcp://{address}:{host['docker_port']}" if address else None
        directory = os.path.abspath(os.path.expanduser(self.get_option("cert_dir") or "~/.docker"))
        connection = {
            "docker_host": url,
            "tls": True,
            "validate_certs": True,
            "ca_path": os.path.join(directory, "ca.pem"),
            "client_cert": os.path.join(directory, "cert.pem"),
            "client_key": os.path.join(directory, "key.pem"),
        }
        env = {"DOCKER_HOST": url, "DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": directory}
        variables: Json = {
            "ansible_host": address,
            "ansible_port": host["ssh_port"],
            "ansible_user": host["admin_username"],
            **{f"ansible_docker_{key}": value for key, value in connection.items()},
            "docker_host_name": host["name"],
            "docker_host_resource_group": host["resource_group"],
            "docker_host_subscription_id": host["subscription_id"],
            "docker_host_facts": {
                "name": host["name"],
                "docker_host": url,
                "connection": connection,
                "env": env,
                "host": host,
            },
        }
        return {key: value for key, value in variables.items() if value is not None}


_MARKS = hasattr(wrap_var(""), "__UNSAFE__")
"""Whether strings are marked as unsafe, as before ansible-core 2.19; later ones mark trusted strings by a type."""


def _unsafe(value: t.Any) -> t.Any:
    """Return a value that is never evaluated as a template, in a fraction of the time of wrap_var."""
    if isinstance(value, str):
        return wrap_var(value) if _MARKS or value.__class__ is not str else value
    if isinstance(value, dict):
        return {_unsafe(key): _unsafe(item) for key, item in value.items()}
    return [_unsafe(item) for item in value] if isinstance(value, list) else value


def _unique_names(hosts: list[Json]) -> list[str]:
    """Return a name for each host: its own, with its group's and subscription's where that is needed."""
    forms: list[t.Callable[[Json], str]] = [
        lambda host: str(host["name"]),
        lambda host: f"{host['name']}.{host['resource_group']}",
        lambda host: f"{host['name']}.{host['resource_group']}.{host['subscription_id']}",
    ]
    counters = [collections.Counter(form(host).lower() for host in hosts) for form in forms]
    names = []
    for host in hosts:
        candidates = [form(host) for form in forms]
        unique = [name for name, counted in zip(candidates, counters, strict=True) if counted[name.lower()] == 1]
        names.append((unique or candidates)[0 if unique else -1])
    return names
