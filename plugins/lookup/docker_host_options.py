# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lookup of the role docker_host."""

from __future__ import annotations

DOCUMENTATION = r"""
name: docker_host_options
short_description: Options that the role docker_host passes to a module
version_added: 0.1.0
author: The dockerhost.azure authors (@dockerhost)
description:
  - Private to the role P(dockerhost.azure.docker_host#role).
  - Returns the options of a module that the role's variables set.
options:
  _terms:
    description:
      - What the options are for, V(create), V(absent), V(power), V(push_certs), V(read) or V(sign_in), and the module's
        short name.
      - V(runs) and a module's name return whether the role runs the module.
      - V(name) returns the host's name, V(context_name) the name of its Docker context, empty without one.
      - V(host_id) returns the ID of the host's virtual machine, without the subscription if that is not set.
    required: true
    type: list
    elements: str
"""

EXAMPLES = r"""
- name: Show what the role passes to a module
  ansible.builtin.debug:
    msg: "{{ lookup('dockerhost.azure.docker_host_options', 'create', 'docker_context') }}"
"""

RETURN = r"""
_raw:
  description:
    - One item, the options by name; with V(runs) a boolean, with V(name), V(context_name) and V(host_id) a text.
  type: list
  elements: raw
"""

import typing as t

from ansible.errors import AnsibleError
from ansible.plugins.lookup import LookupBase

from ansible_collections.dockerhost.azure.plugins.module_utils._errors import DockerHostError
from ansible_collections.dockerhost.azure.plugins.module_utils._role.options import RoleVariables
from ansible_collections.dockerhost.azure.plugins.plugin_utils._role_variables import ALONE, role_variables, validate


class LookupModule(LookupBase):
    """See the documentation above."""

    def run(self, terms: list[str], variables: t.Mapping[str, t.Any] | None = None, **_options: t.Any) -> list[t.Any]:
        try:
            role = role_variables(variables or {}, self._templar.template)
            if terms[0] in ALONE or terms[-1] in ALONE:
                validate(role, variables or {}, signs=terms[0] == "sign")
            return [_options_for(role, *terms)]
        except DockerHostError as error:
            raise AnsibleError(str(error)) from error


def _options_for(role: RoleVariables, purpose: str, module: str = "") -> t.Any:
    if purpose == "runs":
        return role.runs(module)
    if purpose == "name":
        return role.name
    if purpose == "context_name":
        return role.context_name if role.runs("docker_context") else ""
    if purpose == "host_id":
        return role.host_id
    return role.options(purpose, module)
