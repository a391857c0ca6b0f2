# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lookup of the role docker_host."""

from __future__ import annotations

DOCUMENTATION = r"""
name: docker_host_result
short_description: What earlier stages of the role docker_host returned for this host
version_added: 0.1.0
author: The dockerhost.azure authors (@dockerhost)
description:
  - Private to the role P(dockerhost.azure.docker_host#role).
  - Returns what the stages before this one returned for the same host. Where they did not run, it reads the certificate
    directory and the Docker context, and does not ask Azure.
options:
  _terms:
    description: One of V(host), V(named_host), V(url), V(server), V(client), V(certificates) and V(validity).
    required: true
    type: list
    elements: str
"""

EXAMPLES = r"""
- name: Show the address of the engine
  ansible.builtin.debug:
    msg: "{{ lookup('dockerhost.azure.docker_host_result', 'host').docker_host }}"
"""

RETURN = r"""
_raw:
  description: The result.
  type: list
  elements: dict
"""

import typing as t

from ansible.errors import AnsibleError
from ansible.plugins.lookup import LookupBase

from ansible_collections.dockerhost.azure.plugins.module_utils._errors import DockerHostError
from ansible_collections.dockerhost.azure.plugins.plugin_utils._role_variables import stage_results


class LookupModule(LookupBase):
    """See the documentation above."""

    def run(self, terms: list[str], variables: t.Mapping[str, t.Any] | None = None, **_options: t.Any) -> list[t.Any]:
        results = stage_results(variables or {}, self._templar.template)
        try:
            return [results.get(what) for what in terms]
        except DockerHostError as error:
            raise AnsibleError(str(error)) from error
