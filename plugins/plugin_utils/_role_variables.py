# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role's variables, for plugins on the controller."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleError
from ansible.utils.display import Display

from ansible_collections.dockerhost.azure.plugins.module_utils._backend import Backend
from ansible_collections.dockerhost.azure.plugins.module_utils._role.options import (
    REGISTERED,
    RoleVariables,
    Values,
    unknown_variables,
)
from ansible_collections.dockerhost.azure.plugins.module_utils._role.results import StageResults
from ansible_collections.dockerhost.azure.plugins.module_utils._role.rotation import Rotation
from ansible_collections.dockerhost.azure.plugins.plugin_utils._local_action import carry_out, plain

PURPOSE = f"{REGISTERED}purpose"
ALONE = ("list", "sign", "docker_vm_image_info")
"""Purposes and modules of playbooks whose only stage they are: no stage before has validated the variables."""


class HostVariables:
    """The variables of one host, each templated once.

    The role's own variables contain results, not templates, and are taken as they are: searching a stage's result for
    templates takes longer than everything else that is done for an option.

    :param variables: all variables of the host, templates among them.
    :param template: returns the value of a template.
    """

    def __init__(self, variables: t.Mapping[str, t.Any], template: t.Callable[[t.Any], t.Any]) -> None:
        self._variables = variables
        self._template = template
        self._values: Values = {}

    def has(self, name: str) -> bool:
        """Return whether a variable is defined, be it as null."""
        return name in self._variables

    def get(self, name: str) -> t.Any:
        """Return a variable's value, None when it is not defined."""
        if name not in self._values:
            self._values[name] = self._read(name) if name in self._variables else None
        return self._values[name]

    def _read(self, name: str) -> t.Any:
        value = self._variables[name]
        return value if name.startswith(REGISTERED) else self._template(value)


def role_variables(variables: t.Mapping[str, t.Any], template: t.Callable[[t.Any], t.Any]) -> RoleVariables:
    """Return the role's variables of a host."""
    host = HostVariables(variables, template)
    return RoleVariables(host.get, host.has)


def stage_results(variables: t.Mapping[str, t.Any], template: t.Callable[[t.Any], t.Any]) -> StageResults:
    """Return the results of a host's stages."""
    host = HostVariables(variables, template)
    return StageResults(RoleVariables(host.get, host.has), host.get, read)


def stage_options(module: str, variables: t.Mapping[str, t.Any], template: t.Callable[[t.Any], t.Any]) -> Values:
    """Return the options of a stage's module, for the purpose that the task file around it gives."""
    purpose = template(variables.get(PURPOSE)) or "create"
    if purpose in ALONE:
        role = role_variables(variables, template)
        validate(role, variables)
        return role.options(purpose, module)
    return stage_results(variables, template).options(purpose, module)


def validate(role: RoleVariables, names: t.Iterable[str], *, signs: bool = False) -> None:
    """Check the variables of a playbook that has a single stage, and warn about those that the role does not have.

    :param names: the names of all variables of the host.
    :param signs: whether the stage signs somebody's request.
    :raises OptionError: one is invalid.
    """
    for warning in unknown_variables(names):
        Display().warning(warning)
    role.check()
    if signs:
        role.check_request()


def rotation(variables: t.Mapping[str, t.Any], template: t.Callable[[t.Any], t.Any]) -> Rotation:
    """Return the state of a host in a rotation."""
    host = HostVariables(variables, template)
    role = RoleVariables(host.get, host.has)

    def get_of(name: str, variable: str) -> t.Any:
        theirs = variables["hostvars"][name]
        return theirs.get(variable)

    return Rotation(role, StageResults(role, host.get, read), host.get, get_of)


def read(backend: Backend, args: Values) -> Values:
    """Return the result of a backend that reads something on the controller.

    :raises AnsibleError: it cannot be read.
    """
    ran = carry_out(backend, plain(args), check_mode=True)
    if ran.result.get("failed"):
        raise AnsibleError(ran.result["msg"])
    return ran.result
