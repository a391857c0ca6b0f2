#!/usr/bin/python
# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: docker_context
short_description: Create, update, select and delete contexts of the Docker CLI
version_added: 0.1.0
description:
  - Writes contexts in the Docker CLI's own format, so that C(docker --context NAME) works at once.
  - The Docker CLI need not be installed.
  - A context contains copies of the client's certificate and key. Run this module again after they are renewed.
  - A context that this collection did not create is never changed, unless O(adopt=true).
author:
  - The dockerhost.azure authors (@dockerhost)
extends_documentation_fragment:
  - dockerhost.azure._attributes
attributes:
  check_mode:
    support: full
    details:
      - Certificates and keys that do not exist yet, and a host's address that is not known yet, are predicted as
        changes.
  diff_mode:
    support: full
    details:
      - For certificates and keys the diff shows only the start of a hash.
  idempotent:
    support: full
  action:
    support: full
  async:
    support: full
  safe_file_operations:
    support: full
options:
  name:
    description:
      - Name of the context. It must have at least two characters, start with a letter or digit, and consist of letters,
        digits, V(_), V(.), V(+) and V(-).
    type: str
    required: true
  state:
    description:
      - V(present) creates or updates the context.
      - V(absent) deletes it, together with the keys in O(known_hosts_path) that were written for it. If it was
        selected, the CLI's default context is selected. A context that this collection did not create stays, with a
        warning, unless O(adopt=true).
    type: str
    default: present
    choices: [present, absent]
  docker_host:
    description:
      - The engine's URL, V(tcp://ADDRESS:PORT), V(ssh://USER@ADDRESS) or V(unix:///PATH).
      - This or O(host) is required if O(state=present).
    type: str
  host:
    description:
      - The Docker host, RV(dockerhost.azure.docker_vm_host#module:host) as it is, instead of O(docker_host).
        O(transport) decides which of its URLs the context gets.
      - A dictionary with any other key is refused.
      - With O(state=absent), a context that leads to a host with another C(id) stays, with a warning.
    type: raw
  transport:
    description:
      - How the CLI reaches O(host).
      - V(tls) uses its C(docker_host), V(ssh) its C(ssh_url). With V(ssh) O(tls) is not used, and with V(tls)
        O(ssh_host_keys) is not.
      - Without O(host) this option has no effect.
      - Defaults to V(tls) for a new context. An existing context of the same host keeps its transport.
    type: str
    choices: [tls, ssh]
  description:
    description: Text that C(docker context ls) shows.
    type: str
  tls:
    description:
      - The certificates of the context, instead of O(ca_path), O(client_cert) and O(client_key).
      - RV(dockerhost.azure.docker_tls_certs#module:docker_connection) can be given as it is.
    type: dict
    suboptions:
      ca_path:
        description: As O(ca_path). Required.
        type: path
      client_cert:
        description: As O(client_cert). Required.
        type: path
      client_key:
        description: As O(client_key). Required.
        type: path
      docker_host:
        description: Ignored. O(docker_host) or O(host) decides.
        type: raw
      tls:
        description: Ignored. A context with certificates always uses TLS.
        type: raw
      validate_certs:
        description: Ignored. O(validate_certs) decides.
        type: raw
  ca_path:
    description: The file (PEM) with the CA that signed the server's certificate. It is copied.
    type: path
  client_cert:
    description: The file (PEM) with the client's certificate. It is copied. Requires O(client_key).
    type: path
  client_key:
    description:
      - The file (PEM) with the client's private key, without a passphrase. It is copied. Requires O(client_cert).
    type: path
  validate_certs:
    description: Whether the CLI verifies the server's certificate.
    type: bool
    default: true
  ssh_host_keys:
    description:
      - The server's public SSH keys, each as C(/etc/ssh/ssh_host_ed25519_key.pub) contains it, for a URL C(ssh://).
        They are written to O(known_hosts_path), so that even the first connection verifies the server.
      - Keys that this module wrote before for the same context, or for the same server, are replaced. If the user's own
        line names another key for that server, the module fails.
      - Without this option O(known_hosts_path) is not changed.
    type: list
    elements: str
  known_hosts_path:
    description: The file of OpenSSH for O(ssh_host_keys).
    type: path
    default: ~/.ssh/known_hosts
  current:
    description:
      - V(true) selects the context, as C(docker context use) does.
      - V(false) selects the CLI's default context if this one is selected.
      - Without this option the selection stays.
    type: bool
  adopt:
    description:
      - Whether to take over a context of that name that this collection did not create, or that leads to another VM
        than O(host).
    type: bool
    default: false
  pending_files:
    description:
      - Paths of certificates and keys that an earlier task would have written, were this not check mode; for example
        RV(dockerhost.azure.docker_tls_certs#module:changed_files).
      - Check mode predicts them as changed. Outside check mode this option has no effect.
    type: list
    elements: path
    default: []
  docker_config:
    description:
      - The Docker CLI's configuration directory.
      - If it is not given, the environment variable E(DOCKER_CONFIG) is used.
    type: path
    default: ~/.docker
seealso:
  - module: dockerhost.azure.docker_context_info
  - module: dockerhost.azure.docker_tls_certs
  - module: dockerhost.azure.docker_vm_host
"""

EXAMPLES = r"""
- name: Create a context
  dockerhost.azure.docker_context:
    name: web1
    description: web1 in westeurope
    docker_host: tcp://web1-4f1c.westeurope.cloudapp.azure.com:4243
    ca_path: ~/.docker/ca.pem
    client_cert: ~/.docker/cert.pem
    client_key: ~/.docker/key.pem
  register: context

- name: Show what to type to use it in this shell only
  ansible.builtin.debug:
    msg: "{{ context.shell_lines.sh }}"

- name: Create a context for a host of this collection
  dockerhost.azure.docker_context:
    name: web1
    host: "{{ vm.host }}"
    tls: "{{ certificates.docker_connection }}"

- name: Create a context over SSH that trusts only the given keys, and select it
  dockerhost.azure.docker_context:
    name: web2
    docker_host: ssh://azureuser@10.0.0.5
    ssh_host_keys:
      - ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHr1tTPkhx0vUJ8Iw0b0k8m1J8j1cR3vCNmU7m0Bz0pE
    current: true

- name: Delete a context
  dockerhost.azure.docker_context:
    name: web1
    state: absent
"""

RETURN = r"""
actions:
  description: One line for each change that the task made or, in check mode, would make.
  returned: success
  type: list
  elements: str
  sample: [create Docker context web1]
previous:
  description: The context before the task. V(null) if there was none.
  returned: success
  type: dict
  contains:
    name:
      description: Its name.
      returned: success
      type: str
      sample: web1
    description:
      description: Its description.
      returned: success
      type: str
    docker_host:
      description: Its URL.
      returned: success
      type: str
      sample: tcp://web1-4f1c.westeurope.cloudapp.azure.com:4243
    managed:
      description: Whether this collection created it or took it over.
      returned: success
      type: bool
of_another_host:
  description: Whether the context stays with O(state=absent), because it leads to another host than O(host).
  returned: success
  type: bool
context:
  description: The context after the task, or as check mode predicts it. V(null) if O(state=absent).
  returned: success
  type: dict
  contains:
    name:
      description: Its name.
      returned: success
      type: str
    description:
      description: Its description.
      returned: success
      type: str
    docker_host:
      description: Its URL. V(null) in check mode if it is not known yet.
      returned: success
      type: str
    skip_tls_verify:
      description: Whether the CLI does not verify the server's certificate.
      returned: success
      type: bool
    meta_path:
      description: The file with its properties.
      returned: success
      type: str
    tls_directory:
      description: The directory with its certificates and key, or V(null) if it has none.
      returned: success
      type: str
  sample:
    name: web1
    description: web1 in westeurope
    docker_host: tcp://web1-4f1c.westeurope.cloudapp.azure.com:4243
    skip_tls_verify: false
    meta_path: /home/me/.docker/contexts/meta/6b86b2/meta.json
    tls_directory: /home/me/.docker/contexts/tls/6b86b2/docker
current_context:
  description: Name of the context that is selected after the task, or as check mode predicts it.
  returned: success
  type: str
  sample: default
docker_env:
  description:
    - The same connection as environment variables of the Docker CLI.
    - C(DOCKER_HOST) is missing in check mode if the URL is not known yet.
  returned: O(state=present)
  type: dict
  sample:
    DOCKER_HOST: tcp://web1-4f1c.westeurope.cloudapp.azure.com:4243
    DOCKER_TLS_VERIFY: "1"
    DOCKER_CERT_PATH: /home/me/.docker
shell_lines:
  description: Commands that set RV(docker_env) in a shell, by shell.
  returned: O(state=present)
  type: dict
  contains:
    sh:
      description: For sh, bash, zsh and similar shells.
      returned: success
      type: str
    fish:
      description: For fish.
      returned: success
      type: str
    powershell:
      description: For PowerShell.
      returned: success
      type: str
"""

from ansible_collections.dockerhost.azure.plugins.module_utils._backend import run_as_module
from ansible_collections.dockerhost.azure.plugins.module_utils._docker.context_task import BACKEND


def main() -> None:
    """Run the task as a module."""
    run_as_module(BACKEND)


if __name__ == "__main__":
    main()
