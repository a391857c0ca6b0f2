#!/usr/bin/python
# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: docker_host_facts
short_description: Combine the results of the modules that create a Docker host
version_added: 0.1.0
description:
  - Combines the results of the collection's modules for one host into what later tasks and plays need, such as the
    connection options of the community.docker collection.
  - Sets variables of the host for later tasks and plays - C(docker_host_facts) with the result RV(facts),
    C(ansible_host), C(ansible_user) and C(ansible_port), unless the inventory sets them, and C(ansible_docker_*) for
    the connection plugin and the modules of community.docker. When the task runs for C(localhost), it adds the host to
    the inventory's group C(docker_hosts).
  - Nothing is read and nothing is changed.
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
    support: none
    details:
      - It sets variables of the host.
  safe_file_operations:
    support: N/A
    details:
      - No file is written.
options:
  name:
    description: Name of the host.
    type: str
    required: true
  host:
    description: The host, as RV(dockerhost.azure.docker_vm_host#module:host).
    type: dict
    default: {}
  virtual_machine:
    description: The result of M(dockerhost.azure.docker_vm_host).
    type: dict
    default: {}
  certificates:
    description: The result of M(dockerhost.azure.docker_tls_certs).
    type: dict
    default: {}
  extension:
    description: The result of M(dockerhost.azure.docker_vm_extension).
    type: dict
    default: {}
  context:
    description: The result of M(dockerhost.azure.docker_context).
    type: dict
    default: {}
  endpoint:
    description: The result of M(dockerhost.azure.docker_endpoint_info).
    type: dict
    default: {}
  context_name:
    description: Name of the Docker context, if the host has one.
    type: str
seealso:
  - module: dockerhost.azure.docker_vm_host
"""

EXAMPLES = r"""
- name: Create the virtual machine
  dockerhost.azure.docker_vm_host:
    name: web1
    resource_group: web
    location: westeurope
  register: machine

- name: Issue the certificates
  dockerhost.azure.docker_tls_certs:
    hosts: ["{{ machine.host }}"]
  register: certificates

- name: Combine what is known about the host
  dockerhost.azure.docker_host_facts:
    name: web1
    host: "{{ machine.host }}"
    virtual_machine: "{{ machine }}"
    certificates: "{{ certificates }}"
  register: combined

- name: Show the URL of the engine
  ansible.builtin.debug:
    msg: "{{ combined.facts.docker_host }}"
"""

RETURN = r"""
facts:
  description: What is known about the host.
  returned: success
  type: dict
  contains:
    changed:
      description: Whether one of the combined tasks changed something or, in check mode, would change it.
      type: bool
    name:
      description: Name of the host.
      type: str
      sample: web1
    docker_host:
      description: URL of the engine. V(null) in check mode while the host does not exist.
      type: str
      sample: tcp://web1-1a2b3c4d.westeurope.cloudapp.azure.com:4243
    connection:
      description: Connection options of the community.docker collection's modules.
      type: dict
      contains:
        docker_host:
          description: As RV(facts.docker_host).
          type: str
        tls:
          description: Always true. This and the following keys come from O(certificates), and are missing without it.
          type: bool
        validate_certs:
          description: Always true.
          type: bool
        ca_path:
          description: Path of the CA certificates that the client trusts.
          type: str
        client_cert:
          description: Path of the client's certificate.
          type: str
        client_key:
          description: Path of the client's key.
          type: str
    env:
      description: Environment variables of the Docker CLI.
      type: dict
      contains:
        DOCKER_HOST:
          description: As RV(facts.docker_host).
          type: str
        DOCKER_CERT_PATH:
          description: Directory of the client's certificate. Missing without O(certificates).
          type: str
        DOCKER_TLS_VERIFY:
          description: Always V(1). Missing without O(certificates).
          type: str
      sample:
        DOCKER_CERT_PATH: /home/me/.docker
        DOCKER_HOST: tcp://web1-1a2b3c4d.westeurope.cloudapp.azure.com:4243
        DOCKER_TLS_VERIFY: "1"
    context:
      description: Name of the Docker context, V(null) without one.
      type: str
      sample: web1
    host:
      description: The host in Azure, as O(host).
      type: dict
    engine:
      description:
        - The engine, as RV(dockerhost.azure.docker_endpoint_info#module:version) of O(endpoint), else as
          RV(dockerhost.azure.docker_vm_extension#module:engine) of O(extension). Empty without both.
      type: dict
    certificates:
      description: The certificates of the host and its clients, from O(certificates).
      type: dict
      contains:
        cert_dir:
          description: The certificate directory, V(null) without O(certificates).
          type: str
        ca:
          description: The CA, as RV(dockerhost.azure.docker_tls_certs#module:ca).
          type: dict
        client:
          description: The certificate of the default client, as RV(dockerhost.azure.docker_tls_certs#module:client).
          type: dict
        server:
          description:
            - The certificate of the host, as its entry of RV(dockerhost.azure.docker_tls_certs#module:servers).
          type: dict
    actions:
      description: What the combined tasks changed or, in check mode, would change, in the same words.
      type: list
      elements: str
      sample: ["Docker port 4243 -> 2376", "push the Docker settings (other settings: docker.daemon)"]
    changed_stages:
      description: The stages that changed something or, in check mode, would change it.
      type: list
      elements: str
      sample: [virtual_machine, certificates]
    predicted:
      description:
        - Whether the values are those that a run would leave, in check mode with changes. Later plays can skip such
          hosts.
      type: bool
"""

from ansible_collections.dockerhost.azure.plugins.module_utils._backend import run_as_module
from ansible_collections.dockerhost.azure.plugins.module_utils._role.facts_task import BACKEND


def main() -> None:
    """Run the task as a module."""
    run_as_module(BACKEND)


if __name__ == "__main__":
    main()
