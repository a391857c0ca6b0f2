#!/usr/bin/python
# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: docker_vm_host_info
short_description: Find Docker hosts on Azure and return their state
version_added: 0.1.0
description:
  - Reads one host, or all hosts of a resource group or subscription, if this collection created them.
  - Returns addresses, power state, the state of the agent and of the extensions, the engine's port, the fingerprint of
    the CA that the engine trusts, and when its certificate expires.
author:
  - The dockerhost.azure authors (@dockerhost)
extends_documentation_fragment:
  - dockerhost.azure._attributes
  - dockerhost.azure._azure
  - dockerhost.azure._azure.requirements
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
      - The name of one host. Needs O(resource_group). A host that does not exist is not an error.
    type: str
  resource_group:
    description:
      - Only hosts of this group. Without it, those of the whole subscription.
    type: str
  tags:
    description:
      - Only hosts with all of these tags, each a name or C(name:value). As in Azure, names are not case-sensitive.
    type: list
    elements: str
seealso:
  - module: dockerhost.azure.docker_vm_host
"""

EXAMPLES = r"""
- name: One host
  dockerhost.azure.docker_vm_host_info:
    name: web1
    resource_group: docker
  register: found

- name: All hosts of a team in the subscription
  dockerhost.azure.docker_vm_host_info:
    tags: ["team:build"]
  register: found

- name: Show when the certificates expire
  ansible.builtin.debug:
    msg: "{{ found.hosts | items2dict(key_name='name', value_name='cert_expires') }}"
"""

RETURN = r"""
hosts:
  description:
    - The hosts, sorted by group and name. Each has the keys of RV(dockerhost.azure.docker_vm_host#module:host), and
      these.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Its name.
      type: str
      sample: web1
    docker_host:
      description: The URL of its engine.
      type: str
      sample: tcp://web1-1a2b3c4d.westeurope.cloudapp.azure.com:4243
    power_state:
      description: Its power state.
      type: str
      sample: running
    provisioning_state:
      description: The state of Azure's last operation on it.
      type: str
      sample: Succeeded
    image:
      description: The image that it was created from.
      type: str
      sample: Canonical:ubuntu-24_04-lts:server:latest
    zone:
      description: Its availability zone, V(null) without one.
      type: str
    priority:
      description: V(Regular) or V(Spot).
      type: str
    data_disks:
      description: Its data disks, with C(lun), C(name) and C(disk_size_gb).
      type: list
      elements: dict
    agent:
      description: The Linux agent's C(state), C(version) and C(message).
      type: dict
    extensions:
      description: Its extensions, with C(name), C(type), C(provisioning_state), C(status) and C(message).
      type: list
      elements: dict
    run_commands:
      description:
        - The managed Run Commands that carry its Docker settings, with C(name), C(provisioning_state), C(status) and
          C(message). Empty if an extension carries them.
      type: list
      elements: dict
    ca_fingerprint:
      description: The SHA-256 fingerprint of the CA that its engine trusts, V(null) when it is not known.
      type: str
    cert_expires:
      description: When its engine's certificate expires, V(null) when it is not known.
      type: str
signed_in_with:
  description: How the task signed in to Azure.
  returned: success
  type: str
"""

from ansible_collections.dockerhost.azure.plugins.module_utils._backend import run_as_module
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.info_task import BACKEND


def main() -> None:
    """Run the task as a module."""
    run_as_module(BACKEND)


if __name__ == "__main__":
    main()
