# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action of docker_host_check: every step's check mode in Ansible's own process, one after another."""

from __future__ import annotations

import typing as t

from ansible.module_utils.common.parameters import remove_values
from ansible.utils.unsafe_proxy import wrap_var

from ansible_collections.dockerhost.azure.plugins.plugin_utils import _preload
from ansible_collections.dockerhost.azure.plugins.plugin_utils._local_action import LocalAction
from ansible_collections.dockerhost.azure.plugins.plugin_utils._whole_host import NotConvergedError, WholeHost

try:
    from ansible.plugins.action import VariableLayer
except ImportError:  # ansible-core before 2.21, where the module add_host returns what gives variables to a host
    VariableLayer = None

_preload.warm_up()
_preload.load_azure()
_preload.load(*_preload.CERTIFICATES)

ELSEWHERE = "the steps run elsewhere"
DEFAULTS = "module_defaults may say more than the variables do"


class ActionModule(LocalAction):
    """See the module of the same name."""

    _supports_async = False
    _VALID_ARGS = frozenset({"look"})

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        task_vars = task_vars or {}
        result: dict[str, t.Any] = super(LocalAction, self).run(tmp, task_vars)
        args = self.validate_argument_spec(argument_spec={"look": {"type": "bool", "default": True}})[1]
        host = WholeHost(task_vars, self._templating)
        result.update(changed=False, converged=False, reason=None, facts=None, ssh_host_keys=[])
        try:
            if args["look"]:
                self._refuse(task_vars)
                with self._task_environment():
                    host.look()
                result.update(converged=True)
                if host.warnings:
                    result["warnings"] = host.warnings
            result.update(facts=host.facts(), ssh_host_keys=host.ssh_host_keys())
        except NotConvergedError as reason:
            result["reason"] = str(reason)
        if host.secrets:
            result = t.cast("dict[str, t.Any]", remove_values(result, host.secrets))
        if result["facts"] is not None and not host.on_controller:
            self._give_variables(host, result, task_vars)
        return result

    def _give_variables(self, host: WholeHost, result: dict[str, t.Any], task_vars: dict[str, t.Any]) -> None:
        """Give the host its variables with this task: ``set_fact`` would be one more for every host."""
        name = task_vars["inventory_hostname"]
        own = host.own_variables(result["facts"], task_vars["hostvars"].get(name) or {})
        # What comes from Azure is no template.
        variables = wrap_var({"docker_host_facts": result["facts"], **own})
        if VariableLayer is not None:
            self.register_host_variables(variables, VariableLayer.EPHEMERAL_FACT)
        else:
            result["add_host"] = {"host_name": name, "groups": [], "host_vars": variables}

    def _refuse(self, task_vars: dict[str, t.Any]) -> None:
        if not self._runs_here(task_vars):
            raise NotConvergedError(ELSEWHERE)
        if any("dockerhost.azure" in name for defaults in self._task.module_defaults or [] for name in defaults):
            raise NotConvergedError(DEFAULTS)

    def _templating(self, variables: dict[str, t.Any]) -> t.Callable[[t.Any], t.Any]:
        template: t.Callable[[t.Any], t.Any] = self._templar.copy_with_new_env(available_variables=variables).template
        return template
