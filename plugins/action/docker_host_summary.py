# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action of docker_host_summary: it prints plain lines, independent of the callback."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleError
from ansible.module_utils.common.parameters import remove_values

from ansible_collections.dockerhost.azure.plugins.module_utils._role.options import RoleVariables, Values
from ansible_collections.dockerhost.azure.plugins.module_utils._role.summary import artifacts_of, host_entry
from ansible_collections.dockerhost.azure.plugins.module_utils._role.summary_task import BACKEND
from ansible_collections.dockerhost.azure.plugins.module_utils._secrets import secret_values
from ansible_collections.dockerhost.azure.plugins.plugin_utils._local_action import LOCKSTEP, LocalAction, display
from ansible_collections.dockerhost.azure.plugins.plugin_utils._role_variables import HostVariables


class ActionModule(LocalAction):
    """See the module of the same name."""

    BACKEND = BACKEND
    _supports_async = False

    def prepare(self, args: dict[str, t.Any]) -> dict[str, t.Any]:
        """Add the results of the role for its hosts."""
        if not self._in_the_role() or args:
            return args
        return {**args, "hosts": self._hosts(self._host_vars)}

    def _hosts(self, task_vars: Values) -> list[Values]:
        """Return the hosts to show: under lockstep all of the play at its first host, else this one."""
        own = self._entry(HostVariables(task_vars, self._templar.template).get)
        if own is None:
            name = RoleVariables(HostVariables(task_vars, self._templar.template).get).name
            raise AnsibleError(
                f'Nothing is known about the host {name}: run the task file "main", "rotate" or "facts" of this role'
                ' before "summary".'
            )
        batch = [str(host) for host in task_vars.get("ansible_play_batch") or []]
        if len(batch) < 2 or self._strategy(task_vars) not in LOCKSTEP:
            return [own]
        here = str(task_vars["inventory_hostname"])
        entries: dict[str, Values] = {}
        for host in batch:
            entry = own if host == here else self._entry(self._variables_of(host, task_vars))
            if entry is not None:
                entries[host] = entry
            if next(iter(entries), here) != here:
                return []
        return list(entries.values())

    def _entry(self, get: t.Callable[[str], t.Any]) -> Values | None:
        """Return what the summary says of a host; None when the role has not run for it."""
        role, facts = RoleVariables(get), get("docker_host_facts") or {}
        if not role.name or facts.get("name") != role.name:
            return None
        # Only a run that validated the host's options also applied its rules; others leave them as they are.
        stages = (get("_docker_host_validation") or {}).get("stages") or []
        machine = get("_docker_host_virtual_machine") or {}
        return host_entry(role, facts, applied="docker_vm_host" in stages, machine=machine)

    def _runs_here(self, _task_vars: dict[str, t.Any]) -> bool:
        """Return True: lines for the terminal are printed where Ansible runs."""
        return True

    def _run_here(self, args: dict[str, t.Any], task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        result = super()._run_here(args, task_vars)
        if result.get("lines"):
            # At once, so that the lines of hosts that run side by side stay together.
            display.display("\n".join(result["lines"]))
        if result.get("failed"):
            return result
        hosts = args.get("hosts") or []
        # Hosts that a user wrote as text are shown only.
        artifacts = artifacts_of(hosts) if isinstance(hosts, list) else {}
        if artifacts:
            # As Ansible's own set_stats does; AWX passes them to the next jobs of a workflow.
            data = remove_values({"docker_hosts": artifacts}, secret_values(self.BACKEND.spec.argument_spec, args))
            result["ansible_stats"] = {"data": data, "per_host": False, "aggregate": True}
        return result
