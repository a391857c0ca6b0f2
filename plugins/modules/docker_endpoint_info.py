#!/usr/bin/python
# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: docker_endpoint_info
short_description: Wait for a Docker engine over mutual TLS and read its version and state
version_added: 0.1.0
description:
  - Queries the version and state of a Docker engine, and waits for it if it is still starting.
  - Needs nothing but Python's standard library, and reports exactly why an engine does not answer.
  - On the controller it shows what it is waiting for.
author:
  - The dockerhost.azure authors (@dockerhost)
extends_documentation_fragment:
  - dockerhost.azure._attributes
  - dockerhost.azure._docker_connection
attributes:
  check_mode:
    support: full
    details:
      - This action does not modify state.
      - The engine is also queried in check mode, unless O(after) shows that its settings or address would change first.
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
  wait:
    description:
      - Whether to retry failures that may be temporary while the engine is starting.
      - These are refused or dropped connections, time-outs, an unknown name, no route, a missing socket, and internal
        errors of the engine.
      - All others, such as a certificate of another CA, fail at once.
    type: bool
    default: true
  wait_timeout:
    description: Seconds to wait at most.
    type: int
    default: 300
  require_mutual_tls:
    description:
      - Also check that the engine rejects a client that presents no certificate, and fail if it does not.
      - Requires O(validate_certs=true).
    type: bool
    default: false
  after:
    description:
      - Registered results of earlier tasks, in their order, such as those of M(dockerhost.azure.docker_vm_host),
        M(dockerhost.azure.docker_tls_certs) and M(dockerhost.azure.docker_vm_extension).
      - In check mode the engine is not queried if one of them is changed, or says that the host's address is not known
        yet; RV(predicted) is then V(true).
      - If the last C(power_state) in them, of RV(dockerhost.azure.docker_vm_host#module:host) or of
        RV(dockerhost.azure.docker_vm_extension#module:power_state), says that the VM is off, the module fails at once.
    type: list
    elements: raw
    default: []
seealso:
  - module: dockerhost.azure.docker_vm_extension
  - module: dockerhost.azure.docker_tls_certs
  - module: community.docker.docker_host_info
"""

EXAMPLES = r"""
- name: Wait until the engine of a new host answers
  dockerhost.azure.docker_endpoint_info:
    docker_host: tcp://web1-4f1c.westeurope.cloudapp.azure.com:4243
    validate_certs: true
    ca_path: ~/.docker/ca.pem
    client_cert: ~/.docker/cert.pem
    client_key: ~/.docker/key.pem
  register: engine

- name: Show its version
  ansible.builtin.debug:
    msg: "Docker {{ engine.version.Version }} runs {{ engine.info.ContainersRunning }} containers"

- name: Give the same connection to a module of community.docker
  community.docker.docker_container:
    name: web
    image: nginx
  module_defaults:
    group/community.docker.docker: "{{ engine.docker_connection }}"

- name: Check that the port is closed to everybody without a certificate
  dockerhost.azure.docker_endpoint_info:
    docker_host: "{{ engine.docker_connection.docker_host }}"
    validate_certs: true
    require_mutual_tls: true
    wait: false
  environment:
    DOCKER_CERT_PATH: /home/me/.docker
"""

RETURN = r"""
predicted:
  description:
    - Whether this is check mode and the engine was not queried because of O(after). Then all values but RV(attempts)
      and RV(timings) are V(null).
  returned: success
  type: bool
version:
  description: The engine's answer to C(/version), unchanged.
  returned: success
  type: dict
  sample: {"Version": "28.2.2", "ApiVersion": "1.50", "Os": "linux", "Arch": "amd64"}
info:
  description: The engine's answer to C(/info), unchanged.
  returned: success
  type: dict
  sample: {"Name": "web1", "ServerVersion": "28.2.2", "Containers": 3, "ContainersRunning": 2}
server_certificate:
  description: The certificate that the engine presented, or V(null) without TLS.
  returned: success
  type: dict
  contains:
    fingerprint:
      description: SHA-256 of the certificate in hexadecimal digits.
      returned: with TLS
      type: str
    not_after:
      description: When it expires, in seconds since 1970 (UTC).
      returned: when it was verified
      type: int
    dns_names:
      description: The DNS names that it is valid for.
      returned: when it was verified
      type: list
      elements: str
    ip_addresses:
      description: The IP addresses that it is valid for.
      returned: when it was verified
      type: list
      elements: str
docker_connection:
  description: The connection, as options of community.docker's modules.
  returned: success
  type: dict
  sample:
    docker_host: tcp://203.0.113.7:4243
    tls: true
    validate_certs: true
    ca_path: /home/me/.docker/ca.pem
    client_cert: /home/me/.docker/cert.pem
    client_key: /home/me/.docker/key.pem
docker_env:
  description:
    - The connection, as environment variables of the docker CLI.
    - C(DOCKER_CERT_PATH) is set only if the files are in one directory as C(ca.pem), C(cert.pem) and C(key.pem).
  returned: success
  type: dict
  sample: {"DOCKER_HOST": "tcp://203.0.113.7:4243", "DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": "/home/me/.docker"}
attempts:
  description: How many times the engine was queried.
  returned: success
  type: int
  sample: 3
timings:
  description: Durations in seconds. C(waited) is the time until the engine answered.
  returned: success
  type: dict
  sample: {"waited": 4.2}
power_state:
  description: The VM's power state.
  returned: when O(after) shows that the VM is off
  type: str
  sample: deallocated
kind:
  description:
    - Why the engine did not answer.
    - Kinds that may be temporary - V(refused), V(timeout), V(unreachable), V(name_unknown),
      V(closed), V(engine_error), V(no_socket).
    - Permanent kinds - V(not_permitted), V(not_tls), V(tls_required), V(unknown_authority), V(wrong_host),
      V(expired), V(not_yet_valid), V(bad_certificate), V(client_certificate_required), V(client_certificate_refused),
      V(client_certificate_not_required), V(tls_failed), V(not_docker).
  returned: failure of the connection
  type: str
  sample: unknown_authority
"""

from ansible_collections.dockerhost.azure.plugins.module_utils._backend import run_as_module
from ansible_collections.dockerhost.azure.plugins.module_utils._docker.endpoint_task import BACKEND


def main() -> None:
    """Run the task as a module."""
    run_as_module(BACKEND)


if __name__ == "__main__":
    main()
