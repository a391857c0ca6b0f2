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
    description: What to return.
    required: true
    type: list
    elements: str
    choices:
      url: The URL of the engine as text, empty while it is not known yet in check mode.
      server: The certificate of the host, as its entry of RV(dockerhost.azure.docker_tls_certs#module:servers).
      certificates: The result of M(dockerhost.azure.docker_tls_certs), or of M(dockerhost.azure.docker_tls_certs_info).
      validity: The same, if no certificate is due for renewal and the engine shows the one of the host.
"""

EXAMPLES = r"""
- name: Show the address of the engine
  ansible.builtin.debug:
    msg: "{{ lookup('dockerhost.azure.docker_host_result', 'url') }}"
"""

RETURN = r"""
_raw:
  description: One item for each term, a text for V(url) and a dictionary for all others.
  type: list
  elements: raw
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
