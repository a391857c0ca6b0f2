#!/usr/bin/python
# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: docker_host_validate
short_description: Validate the options of a Docker host before the first change
version_added: 0.1.0
description:
  - Validates the options of the modules that create a Docker host against the modules' own specifications, without
    querying Azure.
  - Also checks what the controller must allow - the certificate directory, the name of the Docker context, and that
    no two hosts of a play are the same host.
  - The role P(dockerhost.azure.docker_host#role) runs it first. There, its action adds O(known_from), O(variables),
    O(identity), O(others) and O(strategy), and errors name the role's variables.
author:
  - The dockerhost.azure authors (@dockerhost)
extends_documentation_fragment:
  - dockerhost.azure._attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: N/A
    details:
      - Nothing is changed.
  idempotent:
    support: full
  action:
    support: full
  async:
    support: full
  safe_file_operations:
    support: N/A
    details:
      - No file is written.
options:
  name:
    description: Name of the Docker host.
    type: str
    default: ""
  stages:
    description:
      - Options by module, for each of V(docker_vm_host), V(docker_tls_certs), V(docker_vm_extension),
        V(docker_context) and V(docker_endpoint_info). A module that is left out is not validated.
      - Each takes the options of its module, without those that come from an earlier module's result.
      - Values of secret options are never shown.
    type: dict
    required: true
  known_from:
    description:
      - Where the host, its certificates and its context are, for RV(known) - by module, C(name), C(resource_group) and
        C(subscription_id) of V(docker_vm_host), C(cert_dir) of V(docker_tls_certs), C(name) and C(docker_config) of
        V(docker_context).
    type: dict
    default: {}
  variables:
    description:
      - Names of variables. Each that starts with C(docker_host_) and is not a variable of the role
        P(dockerhost.azure.docker_host#role) causes a warning with the nearest name.
    type: list
    elements: str
    default: []
  identity:
    description:
      - What distinguishes this host from others - C(inventory_name), C(name), C(resource_group), C(subscription_id),
        C(cert_dir) and C(context).
    type: dict
  others:
    description: The same for the other hosts that are created together with this one.
    type: list
    elements: dict
    default: []
  lockstep:
    description: Whether all hosts must run each task together, because one acts for several.
    type: bool
    default: false
  strategy:
    description: The strategy of the play, for O(lockstep).
    type: str
    default: linear
seealso:
  - module: dockerhost.azure.docker_vm_host
  - module: dockerhost.azure.docker_tls_certs
  - module: dockerhost.azure.docker_vm_extension
"""

EXAMPLES = r"""
- name: Validate the size and the certificates of a host that does not exist yet
  dockerhost.azure.docker_host_validate:
    name: web1
    stages:
      docker_vm_host:
        name: web1
        resource_group: docker-hosts
        vm_size: Standard_D2s_v5
        open_ports: [80, 443]
      docker_tls_certs:
        server_not_after: +90d
"""

RETURN = r"""
stages:
  description: Names of the modules whose options were validated.
  returned: success
  type: list
  elements: str
  sample: [docker_vm_host, docker_tls_certs]
known:
  description:
    - What the controller knows of an existing host that Azure does not know, as far as O(known_from) says where it is.
      The role uses it where its variables are left out.
  returned: success
  type: dict
  contains:
    name:
      description: O(name).
      type: str
    extra_names:
      description:
        - The names that earlier runs added to those in Azure, with the ID of the virtual machine, from the certificate
          directory. Missing without such names.
      type: dict
    context_transport:
      description: How the existing Docker context of the host reaches the engine. Missing without a context.
      type: str
      sample: ssh
"""

from ansible_collections.dockerhost.azure.plugins.module_utils._backend import run_as_module
from ansible_collections.dockerhost.azure.plugins.module_utils._role.validate_task import BACKEND


def main() -> None:
    """Run the task as a module."""
    run_as_module(BACKEND)


if __name__ == "__main__":
    main()
