#!/usr/bin/python
# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: docker_context_info
short_description: List contexts of the Docker CLI
version_added: 0.1.0
description:
  - Reads the Docker CLI's contexts, and whether this collection manages them.
  - The Docker CLI need not be installed.
author:
  - The dockerhost.azure authors (@dockerhost)
extends_documentation_fragment:
  - dockerhost.azure._attributes
attributes:
  check_mode:
    support: full
    details:
      - This action does not modify state.
  diff_mode:
    support: N/A
    details:
      - This action does not modify state.
  idempotent:
    support: full
    details:
      - This action does not modify state.
  action:
    support: full
  async:
    support: full
  safe_file_operations:
    support: N/A
    details:
      - This action writes no files.
options:
  name:
    description:
      - Name of one context. Without this option all contexts are listed.
      - The CLI's own context V(default) has no files, so it is not listed.
    type: str
  docker_config:
    description:
      - The Docker CLI's configuration directory. It need not exist.
      - If it is not given, the environment variable E(DOCKER_CONFIG) is used.
    type: path
    default: ~/.docker
seealso:
  - module: dockerhost.azure.docker_context
  - module: community.docker.docker_context_info
"""

EXAMPLES = r"""
- name: List all contexts
  dockerhost.azure.docker_context_info:
  register: listed

- name: Show the contexts that this collection manages
  ansible.builtin.debug:
    msg: "{{ listed.contexts | selectattr('managed') | map(attribute='name') }}"

- name: Read one context
  dockerhost.azure.docker_context_info:
    name: web1
  register: web1

- name: Show its URL
  ansible.builtin.debug:
    msg: "{{ web1.contexts[0].docker_host }}"
  when: web1.exists
"""

RETURN = r"""
exists:
  description: Whether there is at least one context, or the one that O(name) names.
  returned: success
  type: bool
contexts:
  description: The contexts, sorted by name. Empty if there are none.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Its name.
      returned: success
      type: str
      sample: web1
    description:
      description: Its description, empty if it has none.
      returned: success
      type: str
    docker_host:
      description: Its URL.
      returned: success
      type: str
      sample: tcp://web1-4f1c.westeurope.cloudapp.azure.com:4243
    skip_tls_verify:
      description: Whether the CLI does not verify the server's certificate.
      returned: success
      type: bool
    current:
      description: Whether it is the selected context.
      returned: success
      type: bool
    managed:
      description: Whether this collection created it or took it over.
      returned: success
      type: bool
    meta_path:
      description: The file with its properties.
      returned: success
      type: str
    ca_path:
      description: Its copy of the CA, or V(null).
      returned: success
      type: str
    client_cert:
      description: Its copy of the client's certificate, or V(null).
      returned: success
      type: str
    client_key:
      description: Its copy of the client's private key, or V(null).
      returned: success
      type: str
current_context:
  description: Name of the selected context.
  returned: success
  type: str
  sample: default
"""

from ansible_collections.dockerhost.azure.plugins.module_utils._backend import run_as_module
from ansible_collections.dockerhost.azure.plugins.module_utils._docker.context_info_task import BACKEND


def main() -> None:
    """Run the task as a module."""
    run_as_module(BACKEND)


if __name__ == "__main__":
    main()
