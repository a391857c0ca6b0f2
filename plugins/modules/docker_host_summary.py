#!/usr/bin/python
# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: docker_host_summary
short_description: Print what changed on Docker hosts, how to connect, or a list of hosts
version_added: 0.1.0
description:
  - Prints plain lines that can be copied. They are printed unchanged, even with C(ANSIBLE_DISPLAY_OK_HOSTS=false).
  - In the role P(dockerhost.azure.docker_host#role), its action adds O(hosts) - the host of the task or, when the
    strategy runs all hosts together, all hosts of the play at the first of them.
  - For existing O(hosts), it also sets the custom statistic C(docker_hosts), a dictionary by name with C(changed),
    C(docker_host), C(engine), C(resource_group), C(subscription_id) and C(cert_expires). AWX passes it to the next jobs
    of a workflow as a variable.
  - It changes nothing except the file O(path), if it is set.
author:
  - The dockerhost.azure authors (@dockerhost)
extends_documentation_fragment:
  - dockerhost.azure._attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
    details:
      - The lines themselves are printed.
  idempotent:
    support: full
  action:
    support: full
  async:
    support: none
    details:
      - It prints lines.
  safe_file_operations:
    support: full
options:
  hosts:
    description:
      - Hosts with C(facts) (as RV(dockerhost.azure.docker_host_facts#module:facts)), C(ports) (a line) and
        C(commands) (lines). One host gets a block of lines, several get a table.
    type: list
    elements: dict
    default: []
  lines:
    description: Lines to print as they are, before all others.
    type: list
    elements: str
    default: []
  listing:
    description: Hosts to list, as RV(dockerhost.azure.docker_vm_host_info#module:hosts).
    type: list
    elements: dict
  output:
    description:
      - How to list O(listing) - V(text) is a table, V(json) one line with a list of dictionaries, and V(ssh_config) a
        part of a configuration of C(ssh).
    type: str
    default: text
    choices: [text, json, ssh_config]
  env:
    description: Environment variables to print as commands of O(shell).
    type: dict
  shell:
    description: The shell for O(env).
    type: str
    default: sh
    choices: [sh, fish, powershell]
  path:
    description:
      - File to write the lines to as well, readable by its owner only. A relative path is relative to the directory in
        which Ansible was started.
    type: path
seealso:
  - module: dockerhost.azure.docker_host_facts
"""

EXAMPLES = r"""
- name: Print two lines
  dockerhost.azure.docker_host_summary:
    lines:
      - "Connect with:"
      - docker --context web1 info

- name: Find all hosts
  dockerhost.azure.docker_vm_host_info:
  register: found

- name: Print them as a table
  dockerhost.azure.docker_host_summary:
    listing: "{{ found.hosts }}"
"""

RETURN = r"""
lines:
  description: The lines.
  returned: success
  type: list
  elements: str
  sample: ["web1 was changed:", "  Docker port 4243 -> 2376"]
"""

from ansible_collections.dockerhost.azure.plugins.module_utils._backend import run_as_module
from ansible_collections.dockerhost.azure.plugins.module_utils._role.summary_task import BACKEND


def main() -> None:
    """Run the task as a module."""
    run_as_module(BACKEND)


if __name__ == "__main__":
    main()
