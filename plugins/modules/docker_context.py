#!/usr/bin/python
# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: docker_context
short_description: Make, change, select and remove contexts of the docker CLI
version_added: 0.1.0
description:
  - Writes contexts in the docker CLI's own format, so that C(docker --context NAME) works at once.
  - The docker CLI need not be installed.
  - A context holds copies of the client's certificate and key. Run this again when they were renewed.
  - A context that this collection did not make is never touched, unless O(adopt=true).
author:
  - The dockerhost.azure authors (@dockerhost)
extends_documentation_fragment:
  - dockerhost.azure._attributes
attributes:
  check_mode:
    support: full
    details:
      - Files of certificates and keys that are not there yet are taken for files that an earlier task would have made.
  diff_mode:
    support: full
    details:
      - Of certificates and keys the diff shows the start of a hash.
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
      - Name of the context. It must have two or more letters, digits and V(_), V(.), V(+), V(-),
        and must start with a letter or digit.
    type: str
    required: true
  state:
    description:
      - V(present) makes or changes the context.
      - V(absent) removes it, with the keys in O(known_hosts_path) that were written for it.
        If it was selected, the CLI's default context is selected. A context that this module did not make stays, with a
        warning, unless O(adopt=true).
    type: str
    default: present
    choices: [present, absent]
  docker_host:
    description:
      - What the context leads to, V(tcp://ADDRESS:PORT), V(ssh://USER@ADDRESS) or V(unix:///PATH).
      - Required if O(state=present).
    type: str
  description:
    description: Text that C(docker context ls) shows.
    type: str
  ca_path:
    description: The CA that signed the server's certificate, a file in PEM. It is copied.
    type: path
  client_cert:
    description: The client's certificate, a file in PEM. It is copied. Requires O(client_key).
    type: path
  client_key:
    description: The client's private key, a file in PEM without a passphrase. It is copied. Requires O(client_cert).
    type: path
  validate_certs:
    description: Whether the CLI verifies the server's certificate.
    type: bool
    default: true
  ssh_host_keys:
    description:
      - The server's public SSH keys, each as C(/etc/ssh/ssh_host_ed25519_key.pub) holds it, for a O(docker_host) that
        is C(ssh://). They are written to O(known_hosts_path), so that not even the first connection trusts a stranger.
      - Keys that this module wrote before for the same context, or for the same server, are replaced. If a line of the
        user's names another key for that server, this fails.
      - Without this option O(known_hosts_path) is left alone.
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
    description: Take over a context of that name that this collection did not make.
    type: bool
    default: false
  pending_files:
    description:
      - Paths of certificates and keys that a task before this one would have written, were this not check mode; for
        example RV(dockerhost.azure.docker_tls_certs#module:changed_files).
      - Check mode takes them for changed; otherwise this option has no meaning.
    type: list
    elements: path
    default: []
  docker_config:
    description:
      - The docker CLI's configuration directory.
      - If it is not given, the environment variable E(DOCKER_CONFIG) is used.
    type: path
    default: ~/.docker
seealso:
  - module: dockerhost.azure.docker_tls_certs
  - module: community.docker.docker_context_info
"""

EXAMPLES = r"""
- name: Make a context of a Docker host
  dockerhost.azure.docker_context:
    name: web1
    description: web1 in westeurope
    docker_host: tcp://web1-4f1c.westeurope.cloudapp.azure.com:4243
    ca_path: ~/.docker/ca.pem
    client_cert: ~/.docker/cert.pem
    client_key: ~/.docker/key.pem
  register: made

- name: Show what to type to use it in this shell only
  ansible.builtin.debug:
    msg: "{{ made.shell_lines.sh }}"

- name: Make a context over SSH that trusts only keys which are known already, and select it
  dockerhost.azure.docker_context:
    name: web2
    docker_host: ssh://azureuser@10.0.0.5
    ssh_host_keys:
      - ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHr1tTPkhx0vUJ8Iw0b0k8m1J8j1cR3vCNmU7m0Bz0pE
    current: true

- name: Remove a context
  dockerhost.azure.docker_context:
    name: web1
    state: absent
"""

RETURN = r"""
found:
  description: The context as it was before the task. V(null) if there was none.
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
      description: What it led to.
      returned: success
      type: str
    ours:
      description: Whether this collection made it.
      returned: success
      type: bool
context:
  description: The context as it is now, or would be. V(null) if O(state=absent).
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
      description: What it leads to.
      returned: success
      type: str
    skip_tls_verify:
      description: Whether the CLI leaves the server's certificate unverified.
      returned: success
      type: bool
    meta_path:
      description: The file that says what it is.
      returned: success
      type: str
    tls_directory:
      description: The directory of its certificates and key, or V(null) if it has none.
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
  description: Name of the context that is selected now, or would be.
  returned: success
  type: str
  sample: default
docker_env:
  description: The same connection as environment variables of the docker CLI.
  returned: O(state=present)
  type: dict
  sample:
    DOCKER_HOST: tcp://web1-4f1c.westeurope.cloudapp.azure.com:4243
    DOCKER_TLS_VERIFY: "1"
    DOCKER_CERT_PATH: /home/me/.docker
shell_lines:
  description: Lines that set RV(docker_env) in a shell, by the shell.
  returned: O(state=present)
  type: dict
  contains:
    sh:
      description: For sh, bash, zsh and their like.
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
