# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action of docker_host_facts: it also sets the host's variables for later tasks and plays.

The mechanism that reaches other tasks depends on the version of ansible-core, and only this file knows it:

- From ansible-core 2.21 on, an action registers variables of its host, and adds hosts, by methods. Before, a result
  with the key ``add_host`` does both, as that of Ansible's own module. A task ``add_host`` would abort the strategies
  free and host_pinned, even when it is skipped.
- Before 2.21, the ``ansible_facts`` of a result are variables like those of ``set_fact`` only if the worker reports
  that it ran ``set_fact``. Those of other actions depend on INJECT_FACTS_AS_VARS, and may end in a cache for later
  runs. A second task for them would cost each host another worker.
"""

from __future__ import annotations

import typing as t
from urllib.parse import urlsplit

from ansible.utils.unsafe_proxy import wrap_var

from ansible_collections.dockerhost.azure.plugins.module_utils._role.facts_task import BACKEND
from ansible_collections.dockerhost.azure.plugins.module_utils._role.options import CONTROLLERS
from ansible_collections.dockerhost.azure.plugins.plugin_utils._stage_action import StageAction

try:
    from ansible.plugins.action import VariableLayer
except ImportError:  # ansible-core before 2.21
    VariableLayer = None

GROUP = "docker_hosts"
FACTS = "docker_host_facts"
SET_BEFORE = "_docker_host_connection"
"""Variable with the SSH variables that an earlier run of the role set for a host."""


class ActionModule(StageAction):
    """See the module of the same name."""

    BACKEND = BACKEND
    # From ansible-core 2.21 on, an action that supports async cannot set variables.
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        task_vars = task_vars or {}
        result = super().run(tmp, task_vars)
        if not result.get("failed"):
            self._give_variables(result, task_vars)
            if self._in_the_role():
                # They are a variable now, and each byte of a result costs the main process time.
                del result["facts"]
        return result

    def _variables_by_option(self) -> dict[str, str]:
        return {"host": "docker_host_name"} if self._in_the_role() else {}

    def _give_variables(self, result: dict[str, t.Any], task_vars: dict[str, t.Any]) -> None:
        here = str(task_vars["inventory_hostname"])
        on_controller = here in CONTROLLERS
        # What comes from Azure is never a template.
        facts = wrap_var(result["facts"])
        name = str(result["facts"]["name"]) if on_controller else here
        given = {} if on_controller else task_vars["hostvars"].get(here) or {}
        own = {FACTS: facts}
        connection = wrap_var(connection_variables(result["facts"], given))
        # The play's host is the controller, and the Docker host is another one.
        added = {**connection, **own} if on_controller else connection
        groups = [GROUP] if on_controller else []
        if VariableLayer is None:
            result["add_host"] = {"host_name": name, "groups": groups, "host_vars": added}
            result["ansible_facts"] = own
            self._task.action = "ansible.builtin.set_fact"
            return
        self.register_host_variables(own if on_controller else {**connection, **own}, VariableLayer.EPHEMERAL_FACT)
        if on_controller:
            self.add_host(host_name=name, parent_group_names=groups, host_vars=added)


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
