# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lookup of the role docker_host."""

from __future__ import annotations

DOCUMENTATION = r"""
name: docker_host_rotation
short_description: A host's part in a rotation of the role docker_host
version_added: 0.1.0
author: The dockerhost.azure authors (@dockerhost)
description:
  - Private to the role P(dockerhost.azure.docker_host#role).
  - Returns what a host of the play has to know while the certificates of all hosts are renewed together.
options:
  _terms:
    description:
      - What to return, for example V(leads), whether this host renews the certificates of all hosts that share a
        directory.
    required: true
    type: list
    elements: str
"""

EXAMPLES = r"""
- name: Show whether this host renews for all others
  ansible.builtin.debug:
    msg: "{{ lookup('dockerhost.azure.docker_host_rotation', 'leads') }}"
"""

RETURN = r"""
_raw:
  description: The answer.
  type: list
  elements: raw
"""

import typing as t

from ansible.errors import AnsibleError
from ansible.plugins.lookup import LookupBase

from ansible_collections.dockerhost.azure.plugins.module_utils._errors import DockerHostError
from ansible_collections.dockerhost.azure.plugins.plugin_utils._role_variables import rotation


class LookupModule(LookupBase):
    """See the documentation above."""

    def run(self, terms: list[str], variables: t.Mapping[str, t.Any] | None = None, **_options: t.Any) -> list[t.Any]:
        part = rotation(variables or {}, self._templar.template)
        try:
            return [part.answer(question) for question in terms]
        except DockerHostError as error:
            raise AnsibleError(str(error)) from error
