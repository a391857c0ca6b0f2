# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lookup of the role docker_host."""

from __future__ import annotations

DOCUMENTATION = r"""
name: docker_host_summary
short_description: What the role docker_host shows at the end
version_added: 0.1.0
author: The dockerhost.azure authors (@dockerhost)
description:
  - Private to the role P(dockerhost.azure.docker_host#role). Returns how to use the host, one line an item.
options:
  _terms:
    description: Not used.
    type: list
    elements: str
"""

EXAMPLES = r"""
- name: Show how to use the host
  ansible.builtin.debug:
    msg: "{{ query('dockerhost.azure.docker_host_summary') }}"
"""

RETURN = r"""
_raw:
  description: The lines of the summary.
  type: list
  elements: str
"""

import typing as t

from ansible.errors import AnsibleError
from ansible.plugins.lookup import LookupBase

from ansible_collections.dockerhost.azure.plugins.module_utils._role.summary import summary
from ansible_collections.dockerhost.azure.plugins.plugin_utils._role_variables import HostVariables, role_variables


class LookupModule(LookupBase):
    """See the documentation above."""

    def run(self, _terms: list[str], variables: t.Mapping[str, t.Any] | None = None, **_options: t.Any) -> list[str]:
        role = role_variables(variables or {}, self._templar.template)
        host = HostVariables(variables or {}, self._templar.template)
        facts = host.get("docker_host_facts") or {}
        if not role.name or facts.get("name") != role.name:
            raise AnsibleError(
                f'Nothing is known about the host {role.name}: run the task file "main", "rotate" or "facts" of this'
                ' role before "summary".'
            )
        # Only a run that validated the host's options also applied its rules; others leave them as they are.
        stages = (host.get("_docker_host_validation") or {}).get("stages") or []
        machine = host.get("_docker_host_virtual_machine") or {}
        return summary(role, facts, applied="docker_vm_host" in stages, actions=machine.get("actions") or [])
