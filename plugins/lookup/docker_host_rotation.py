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
  - Returns what a host of the play needs to know while the certificates of all hosts are renewed together.
options:
  _terms:
    description:
      - What to return. Hosts that share a certificate directory are peers, of which the first one leads.
    required: true
    type: list
    elements: str
    choices:
      has_external_ca: Whether the CA is kept elsewhere, so that the certificate directory may be empty.
      lacks_certificate: Whether the host's certificate must be issued first, because an earlier job discarded it.
      shared: What the other hosts of the play need to know about this one.
      check: Nothing, if nothing would stop the rotation halfway; else the lookup fails.
      check_nobody_failed: Nothing, if no host of the play has failed; else the lookup fails.
      check_nobody_is_locked_out: Nothing, if every host that trusts the CA is in the play; else the lookup fails.
      searches: Whether this host searches its subscription for hosts that trust the CA, as the first one in it.
      resource_groups: The resource groups of the play's hosts in this host's subscription.
      leads: Whether this host renews for its peers.
      hosts: The peers, with the names that their certificates have.
      trust: What each peer trusts and shows since the last push.
      pushed: What this host trusts and shows since the last push.
      renewed: The leader's result; the lookup fails if the leader did.
"""

EXAMPLES = r"""
- name: Show whether this host renews for all others
  ansible.builtin.debug:
    msg: "{{ lookup('dockerhost.azure.docker_host_rotation', 'leads') }}"
"""

RETURN = r"""
_raw:
  description: One item for each term.
  type: list
  elements: raw
"""

import typing as t

from ansible.errors import AnsibleError
from ansible.plugins.lookup import LookupBase
from ansible.utils.display import Display

from ansible_collections.dockerhost.azure.plugins.module_utils._errors import DockerHostError
from ansible_collections.dockerhost.azure.plugins.plugin_utils._role_variables import rotation


class LookupModule(LookupBase):
    """See the documentation above."""

    def run(self, terms: list[str], variables: t.Mapping[str, t.Any] | None = None, **_options: t.Any) -> list[t.Any]:
        part = rotation(variables or {}, self._templar.template)
        try:
            answers = [part.answer(question) for question in terms]
        except DockerHostError as error:
            raise AnsibleError(str(error)) from error
        for text in part.warnings:
            Display().warning(text)
        return answers
