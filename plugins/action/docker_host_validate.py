# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action of docker_host_validate: it adds the play's variables and hosts, which only the controller knows."""

from __future__ import annotations

import typing as t

from ansible_collections.dockerhost.azure.plugins.module_utils._backend import failure
from ansible_collections.dockerhost.azure.plugins.module_utils._errors import OptionError
from ansible_collections.dockerhost.azure.plugins.module_utils._role.options import IMAGES_PREFIX, PREFIX, RoleVariables
from ansible_collections.dockerhost.azure.plugins.module_utils._role.validate_task import BACKEND
from ansible_collections.dockerhost.azure.plugins.plugin_utils import _preload
from ansible_collections.dockerhost.azure.plugins.plugin_utils._program import prepare_program, read_program
from ansible_collections.dockerhost.azure.plugins.plugin_utils._role_variables import role_variables
from ansible_collections.dockerhost.azure.plugins.plugin_utils._stage_action import StageAction

_preload.warm_up()
_preload.load_lookups("docker_host_options", "docker_host_result")
_preload.load(*_preload.CERTIFICATES)
_preload.read_once(prepare_program)


class ActionModule(StageAction):
    """See the module of the same name."""

    BACKEND = BACKEND

    def prepare(self, args: dict[str, t.Any]) -> dict[str, t.Any]:
        """Add the names of the role's variables, this host's identity and those of the play's other hosts."""
        if not self._in_the_role():
            return args
        task_vars = self._host_vars
        own = role_variables(task_vars, self._templar.template)
        variables = [name for name in task_vars if name.startswith((PREFIX, IMAGES_PREFIX))]
        return {
            "variables": variables,
            "strategy": self._strategy(task_vars),
            "known_from": own.places,
            # Two names for one host matter where both would create it.
            **(self._identities(own, task_vars) if args.get("stages") else {}),
            **_with_program(args),
        }

    def _identities(self, own: RoleVariables, task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        here = str(task_vars["inventory_hostname"])
        hosts = [str(host) for host in task_vars.get("ansible_play_hosts_all") or []]
        # Comparing every host with every other takes long, and the inventory's names differ already. A loop on
        # localhost adds one host after another to the play's own.
        if own.on_controller or not _may_clash(own, here, hosts):
            return {}
        others = [_identity(RoleVariables(self._variables_of(host, task_vars)), host) for host in hosts if host != here]
        return {"identity": _identity(own, here), "others": others}

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        if self._in_the_role():
            try:
                role_variables(task_vars or {}, self._templar.template).check()
            except OptionError as error:
                return {"failed": True, **failure(error)}
        return super().run(tmp, task_vars)

    def _run_here(self, args: dict[str, t.Any], task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        result = super()._run_here(args, task_vars)
        # The options of all stages are in it.
        result.pop("invocation", None)
        return result


def _with_program(args: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return the arguments with the program for the VM: its size counts for what is pushed, and for custom data."""
    stages = dict(args.get("stages") or {})
    for module, options in stages.items():
        if module == "docker_vm_extension" or (module == "docker_vm_host" and options.get("engine") is not None):
            stages[module] = {**options, "setup_program": read_program()}
    return {**args, "stages": stages}


def _may_clash(own: RoleVariables, here: str, hosts: list[str]) -> bool:
    same = [host for host in hosts if host.lower() == here.lower()]
    return len(hosts) > 1 and (own.name != here or own.context_name != here or len(same) > 1)


def _identity(role: RoleVariables, host: str) -> dict[str, t.Any]:
    """Return what identifies a Docker host: its place in Azure, and the places of its files on the controller."""
    text = {name: str(role.value(name) or "") for name in ("resource_group", "subscription_id", "cert_dir")}
    # With a configuration directory of its own, a context of the same name is another one.
    with_context = role.is_true("context") and not role.value("docker_config")
    context = role.context_name if with_context else ""
    return {"inventory_name": host, "name": role.name or host, "context": context, **text}
