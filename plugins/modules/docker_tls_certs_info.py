#!/usr/bin/python
# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: docker_tls_certs_info
short_description: Read the certificates of Docker hosts and their clients
version_added: 0.1.0
description:
  - Reads the set of certificates that M(dockerhost.azure.docker_tls_certs) keeps in a directory. It changes nothing,
    creates nothing and predicts nothing.
  - To learn which certificates would be renewed, run M(dockerhost.azure.docker_tls_certs) in check mode.
author:
  - The dockerhost.azure authors (@dockerhost)
requirements:
  - cryptography >= 42.0.0
  - azure-keyvault-secrets >= 4.7.0 and azure-identity >= 1.16.0, with O(store=key_vault) only
extends_documentation_fragment:
  - dockerhost.azure._attributes
  - dockerhost.azure._azure
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
  cert_dir:
    description:
      - Directory of the set. It need not exist.
      - Defaults to the environment variable E(DOCKER_CERT_PATH), else to C(~/.docker).
    type: path
  store:
    description: Where the CA is, as for M(dockerhost.azure.docker_tls_certs).
    type: str
    choices: [directory, key_vault]
    default: directory
  key_vault:
    description: Name or URL of the key vault, with O(store=key_vault).
    type: str
  key_vault_secret:
    description: Name of the secret, with O(store=key_vault).
    type: str
    default: docker-ca
  hosts:
    description:
      - Names of the hosts whose certificates are read. A host without a certificate is left out of the result.
      - By default the certificates of all hosts are read.
    type: list
    elements: str
seealso:
  - module: dockerhost.azure.docker_tls_certs
"""

EXAMPLES = r"""
- name: Read all certificates
  dockerhost.azure.docker_tls_certs_info:
  register: certificates

- name: Show when each host's certificate expires
  ansible.builtin.debug:
    msg: "{{ item.key }} expires in {{ item.value.days_left }} days"
  loop: "{{ certificates.servers | dict2items }}"

- name: Read the certificate of one host
  dockerhost.azure.docker_tls_certs_info:
    cert_dir: /srv/docker-certs
    hosts: [web1]
"""

RETURN = r"""
cert_dir:
  description: The directory, as an absolute path.
  type: str
  returned: success
ca:
  description:
    - The CA, with the same keys as RV(client). All values are V(null) if there is no CA.
    - C(key_path) is V(null) as well when the key is not in O(cert_dir).
  type: dict
  returned: success
  contains:
    own:
      description: Whether it is the user's own CA, whose key is not kept in O(cert_dir).
      type: bool
key_vault:
  description: Where the CA is, V(null) with O(store=directory).
  type: dict
  returned: success
  contains:
    url:
      description: URL of the key vault.
      type: str
      sample: https://contoso-docker.vault.azure.net
    secret:
      description: Name of the secret.
      type: str
    version:
      description: The version of the secret that is in use, V(null) without one.
      type: str
      sample: 4387e9f3d6e14c459867679a90fd0f79
client:
  description: The default client. What does not exist is V(null).
  type: dict
  returned: success
  contains:
    cert_path:
      description: Path of its certificate.
      type: str
    key_path:
      description: Path of its private key.
      type: str
    ca_path:
      description: Path of the CA certificates that it trusts.
      type: str
    csr_path:
      description: Path of a certificate request that waits to be signed.
      type: str
    fingerprint:
      description: SHA-256 fingerprint of the certificate, 64 hexadecimal digits.
      type: str
    not_before:
      description: Start of the certificate's validity, ISO 8601.
      type: str
      sample: "2026-11-23T22:10:00Z"
    not_after:
      description: End of the certificate's validity, ISO 8601.
      type: str
      sample: "2027-12-25T22:15:00Z"
    days_left:
      description: Whole days until the end of the validity, negative after it.
      type: int
    key_type:
      description: Type of the certificate's key.
      type: str
      sample: ecdsa_p256
    dns_names:
      description: DNS names that the certificate is valid for.
      type: list
      elements: str
    ip_addresses:
      description: IP addresses that the certificate is valid for.
      type: list
      elements: str
clients:
  description: All further clients by name, each with the keys of RV(client).
  type: dict
  returned: success
servers:
  description: The hosts by name, each with the keys of RV(client).
  type: dict
  returned: success
trusted_cas:
  description: SHA-256 fingerprints of the CAs that every host must trust now, two of them during a rotation.
  type: list
  elements: str
  returned: success
rotation:
  description: The rotation of the CA that is under way. All values are V(null) without one.
  type: dict
  returned: success
  contains:
    phase:
      description: V(trust), V(servers) or V(clients), as RV(dockerhost.azure.docker_tls_certs#module:rotation.phase).
      type: str
    old_fingerprint:
      description: SHA-256 fingerprint of the CA that is replaced.
      type: str
    new_fingerprint:
      description: SHA-256 fingerprint of the CA that replaces it.
      type: str
    hosts:
      description: The hosts that have to follow the rotation. The list is empty without one.
      type: list
      elements: str
docker_env:
  description: Environment variables for the docker CLI with the default client, without E(DOCKER_HOST).
  type: dict
  returned: success
  sample: {"DOCKER_CERT_PATH": "/home/me/.docker", "DOCKER_TLS_VERIFY": "1"}
docker_connection:
  description: Connection options of the community.docker collection for the default client, without C(docker_host).
  type: dict
  returned: success
  contains:
    tls:
      description: Always V(true).
      type: bool
    validate_certs:
      description: Always V(true).
      type: bool
    ca_path:
      description: Path of the CA certificates that the client trusts.
      type: str
    client_cert:
      description: Path of the client's certificate.
      type: str
    client_key:
      description: Path of the client's private key.
      type: str
"""

from ansible_collections.dockerhost.azure.plugins.module_utils._backend import run_as_module
from ansible_collections.dockerhost.azure.plugins.module_utils._vault.info_task import BACKEND


def main() -> None:
    """Run the task as a module."""
    run_as_module(BACKEND)


if __name__ == "__main__":
    main()
