# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action of docker_host_facts: it also sets the host's connection variables for later tasks and plays.

The mechanism that reaches other tasks depends on the version of ansible-core, and only this file knows it:

- The role sets ``docker_host_facts`` with a task of its own. That works everywhere, with every strategy.
- From ansible-core 2.21 on, an action registers variables of its host, and adds hosts, by methods. Before, a result
  with the key ``add_host`` does both, as that of Ansible's own module. A task ``add_host`` would abort the strategies
  free and host_pinned, even when it is skipped.
- ``ansible_facts`` would depend on INJECT_FACTS_AS_VARS.
"""

from __future__ import annotations

import typing as t
from urllib.parse import urlsplit

from ansible.utils.unsafe_proxy import wrap_var

from ansible_collections.dockerhost.azure.plugins.module_utils._role.facts_task import BACKEND
from ansible_collections.dockerhost.azure.plugins.module_utils._role.options import CONTROLLERS
from ansible_collections.dockerhost.azure.plugins.plugin_utils._local_action import LocalAction

try:
    from ansible.plugins.action import VariableLayer
except ImportError:  # ansible-core before 2.21
    VariableLayer = None

GROUP = "docker_hosts"
SET_BEFORE = "_docker_host_connection"
"""Variable with the SSH variables that an earlier run of the role set for a host."""


class ActionModule(LocalAction):
    """See the module of the same name."""

    BACKEND = BACKEND
    # From ansible-core 2.21 on, an action that supports async cannot set variables.
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        task_vars = task_vars or {}
        result = super().run(tmp, task_vars)
        if not result.get("failed"):
            self._give_variables(result, task_vars)
        return result

    def _give_variables(self, result: dict[str, t.Any], task_vars: dict[str, t.Any]) -> None:
        here = str(task_vars["inventory_hostname"])
        on_controller = here in CONTROLLERS
        facts = result["facts"]
        name = str(facts["name"]) if on_controller else here
        given = {} if on_controller else task_vars["hostvars"].get(here) or {}
        # What comes from Azure is never a template.
        variables = wrap_var(connection_variables(facts, given))
        groups = []
        if on_controller:
            # The role's own task sets the facts of the host that it runs for, which is the controller here.
            variables["docker_host_facts"] = wrap_var(facts)
            groups = [GROUP]
        if VariableLayer is None:
            result["add_host"] = {"host_name": name, "groups": groups, "host_vars": variables}
        elif on_controller:
            self.add_host(host_name=name, parent_group_names=groups, host_vars=variables)
        else:
            self.register_host_variables(variables, VariableLayer.EPHEMERAL_FACT)


def connection_variables(facts: t.Mapping[str, t.Any], given: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Return the variables with which SSH and community.docker reach a host.

    The values of the inventory win, those that the role set earlier in the run do not.

    :param facts: the result of docker_host_facts.
    :param given: the variables that the host has.
    """
    host, url = facts["host"], str(facts["docker_host"] or "")
    ssh = {"host": urlsplit(url).hostname, "user": host.get("admin_username"), "port": host.get("ssh_port")}
    known = {name: value for name, value in ssh.items() if value}
    before = given.get(SET_BEFORE) or {}
    own = {f"ansible_{name}": value for name, value in known.items() if _is_free(given, before, name)}
    connection = {f"ansible_docker_{name}": value for name, value in facts["connection"].items() if value is not None}
    return {SET_BEFORE: known, **own, **connection}


def _is_free(given: t.Mapping[str, t.Any], before: t.Mapping[str, t.Any], name: str) -> bool:
    return given.get(f"ansible_{name}") in ("", None, before.get(name))
