# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: docker_host_check
short_description: Look whether a whole Docker host is as the variables of the role docker_host ask
version_added: 0.1.0
description:
  - Runs the check mode of every step of the role P(dockerhost.azure.docker_host#role) in one process, and asks the
    engine once. It stops at the first step that has something to do.
  - The role begins with it, and takes its steps only when there is something to do. A run without change then costs a
    fraction of the time, and for many hosts a fraction of the processor time.
  - It takes no options for the host but reads the variables C(docker_host_*) of the host that it runs for, and the
    role's own ones. So it is used inside the role.
  - It never fails because of the host. Whatever is wrong, the role's steps tell it.
  - This is an action; there is nothing that would run on another machine. When the role's steps do not run on the
    controller (O(dockerhost.azure.docker_host#role:main:docker_host_delegate_to), C(become), another Python), or when
    C(module_defaults) has options for this collection, nothing is looked at and RV(converged) is V(false).
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
  action_group:
    support: none
    details:
      - It has no options that could have a default.
  action:
    support: full
  async:
    support: none
  safe_file_operations:
    support: N/A
    details:
      - This action writes no files.
options:
  look:
    description:
      - Whether to look. With V(false), only RV(facts) are made of what the role's steps have just returned.
    type: bool
    default: true
seealso:
  - module: dockerhost.azure.docker_vm_host
  - module: dockerhost.azure.docker_tls_certs
  - module: dockerhost.azure.docker_vm_extension
  - module: dockerhost.azure.docker_context
  - module: dockerhost.azure.docker_endpoint_info
"""

EXAMPLES = r"""
- name: Look whether anything is to be done
  dockerhost.azure.docker_host_check:
    look: true
  delegate_to: localhost
  register: look

- name: Say what is to be done first
  ansible.builtin.debug:
    var: look.reason
  when: not look.converged
"""

RETURN = r"""
converged:
  description: Whether every step would change nothing, and the engine answers.
  returned: always
  type: bool
  sample: true
reason:
  description: The first step that has something to do or cannot tell, and what.
  returned: when O(look=true) and RV(converged) is V(false)
  type: str
  sample: "docker_vm_host: create VM web1"
add_host:
  description:
    - What Ansible adds to the variables of the host itself, for later tasks and plays, as M(ansible.builtin.add_host)
      does it. These are RV(facts) as C(docker_host_facts), and C(ansible_host) and C(ansible_docker_ca_path) for
      example, where the inventory does not say them.
  returned: >-
    when there are RV(facts), and the host is not localhost; from ansible-core 2.21 on, the task itself gives the host
    the same, as C(set_fact) would
  type: dict
ssh_host_keys:
  description: The keys of the host's SSH server, when the docker CLI's context goes over SSH.
  returned: always
  type: list
  elements: str
  sample: []
facts:
  description: The value of the role's variable C(docker_host_facts).
  returned: when RV(converged), or O(look=false)
  type: dict
  contains:
    name:
      description: The host's name.
      type: str
    docker_host:
      description: The engine's URL.
      type: str
      sample: tcp://web1-4f1a2b.westeurope.cloudapp.azure.com:4243
    connection:
      description: Options of community.docker's modules.
      type: dict
    env:
      description: Environment of the docker CLI.
      type: dict
    context:
      description: The docker CLI's context, if one is kept.
      type: str
    host:
      description: RV(dockerhost.azure.docker_vm_host#module:host).
      type: dict
    engine:
      description:
        - RV(dockerhost.azure.docker_endpoint_info#module:version), or else
          RV(dockerhost.azure.docker_vm_extension#module:engine).
      type: dict
    certificates:
      description: C(cert_dir), C(ca), C(client) and C(server), as M(dockerhost.azure.docker_tls_certs) returns them.
      type: dict
"""
