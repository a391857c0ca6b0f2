#!/usr/bin/python
# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: docker_vm_extension
short_description: Set up a Docker engine on an Azure VM through the VM's agent
version_added: 0.1.0
description:
  - Pushes Docker settings to a VM through the Azure Linux agent, which installs the engine and makes it listen over
    mutual TLS. SSH is not needed.
  - The settings reach the VM in the protected settings of a VM extension, or of a managed Run Command. On the VM a
    program applies them, restarts the engine only if necessary, restores the last configuration if the engine does not
    start with the new one, and reports what it did.
  - Settings that were applied are not pushed again.
  - A setting that is left out stays as the VM has it; a new VM gets its default. That holds for O(engine), O(certs),
    O(logins), O(compose), and each suboption of O(docker). The program on the VM keeps a copy of the settings for that,
    readable only by root; the module needs no access to it. O(reset) applies defaults again. With
    O(handler=docker_extension), which has no such program, everything that is left out gets its default.
  - Works on every Linux VM with the agent, whether M(dockerhost.azure.docker_vm_host) created it or not.
author:
  - The dockerhost.azure authors (@dockerhost)
extends_documentation_fragment:
  - dockerhost.azure._attributes
  - dockerhost.azure._azure
  - dockerhost.azure._azure.requirements
  - dockerhost.azure._engine
attributes:
  check_mode:
    support: full
    details:
      - Predicts whether the settings would be pushed, not what they would change on the VM.
      - With O(verify=true) check mode also queries the VM; that changes nothing on it.
  diff_mode:
    support: full
  idempotent:
    support: full
  action:
    support: full
  async:
    support: full
  safe_file_operations:
    support: N/A
    details:
      - This action writes no files.
options:
  resource_group:
    description: The resource group of the VM. Required with O(virtual_machine_name).
    type: str
  virtual_machine_name:
    description: The name of the VM.
    type: str
  virtual_machine:
    description:
      - The VM, instead of O(resource_group) and O(virtual_machine_name). It can belong to another subscription.
      - Either its resource id as text, or RV(dockerhost.azure.docker_vm_host#module:host) as it is. A host without
        an C(id) is found by its C(name) and C(resource_group). A dictionary with any other key is refused.
    type: raw
  name:
    description: The name of the extension resource, or of the Run Command, that contains the settings.
    type: str
    default: docker-host
  state:
    description:
      - V(present) sets up the engine as the other options describe it.
      - V(absent) removes what this module configured - certificates, port, Compose projects, registry logins, its
        entries in C(daemon.json) - and the extension resource. The engine and its data stay, unless O(remove) contains
        them.
    type: str
    choices: [present, absent]
    default: present
  handler:
    description:
      - How the settings are delivered.
      - V(custom_script) is the CustomScript extension, version 2.1. A VM can have only one.
      - V(run_command) is a managed Run Command. A VM can have several.
      - V(docker_extension) is the Docker extension, for clouds that still have it. It was retired on public Azure in
        November 2018, and supports only O(docker.port), O(docker.options), O(certs), and one entry of O(compose). It
        requires O(engine.source=auto) or V(docker), and a VM without settings of the other handlers.
      - V(auto) is V(custom_script), or V(run_command) if the VM has somebody else's CustomScript extension.
      - Defaults to V(auto) for a new host. A VM keeps the handler with which this collection pushed its settings.
    type: str
    choices: [auto, custom_script, run_command, docker_extension]
  docker:
    description: The engine's configuration. Each suboption that is left out stays as the VM has it.
    type: dict
    suboptions:
      port:
        description:
          - The port on which the engine listens over mutual TLS. With O(certs), it is the C(docker_port) of the host in
            O(virtual_machine) if that is given. Otherwise the engine keeps its port, and a new one listens on V(4243).
          - Without O(certs) the engine does not listen on TCP at all.
        type: int
      options:
        description:
          - Further arguments of the daemon, each with its value, such as V(--log-level=debug).
          - Arguments for hosts and TLS are refused, because O(docker.port) and O(certs) decide them.
          - An empty list removes those that the engine has.
        type: list
        elements: str
      daemon:
        description:
          - Entries of C(daemon.json), merged with the existing ones. Entries that this module wrote earlier are removed
            if they are no longer listed; an empty dictionary removes all of them.
          - For example C(log-driver), C(log-opts), C(registry-mirrors), C(insecure-registries), C(labels),
            C(default-address-pools).
        type: dict
      live_restore:
        description:
          - Whether containers keep running while the daemon is restarted.
          - On by default, unless the engine is part of a swarm, which cannot be combined with it.
        type: bool
      users:
        description:
          - Users of the VM to add to the group C(docker), so that they need no C(sudo). That gives them the permissions
            of root.
          - Users whom an earlier run added leave the group when they are no longer listed. Sessions that are open keep
            the permission until they end.
        type: list
        elements: str
      proxies:
        description: The proxies for the daemon and for installing the engine.
        type: dict
        suboptions:
          http:
            description: The URL of the proxy for HTTP.
            type: str
          https:
            description: The URL of the proxy for HTTPS.
            type: str
          "no":
            description: Hosts that are reached without a proxy, separated by commas.
            type: str
      data_disk:
        description:
          - A data disk for the engine's data. It is partitioned and formatted if it is blank, mounted by UUID, and its
            file system grows with the disk. A disk with any other content is never changed.
        type: dict
        suboptions:
          lun:
            description: The logical unit number (LUN) of the disk.
            type: int
            default: 0
          path:
            description: The mount point. The engine's C(data-root) is the directory C(data) below it.
            type: str
            default: /srv/docker
          filesystem:
            description: The file system that is created on a blank disk.
            type: str
            choices: [ext4, xfs]
            default: ext4
  engine:
    description:
      - Where the engine comes from. An installed engine is kept, unless O(engine.version) is another version.
      - This is one setting - a dictionary replaces all of the former one.
    type: dict
  certs:
    description:
      - The certificates with which the engine listens, by path or by content (PEM).
        M(dockerhost.azure.docker_tls_certs) issues them, and one entry of
        RV(dockerhost.azure.docker_tls_certs#module:servers) can be given as it is.
      - If they are left out, the engine keeps those that it has. Without any it does not listen on TCP, and
        O(reset=certs) stops it.
    type: dict
    suboptions:
      ca_path:
        description: The file with the CA whose clients the engine accepts.
        type: path
      cert_path:
        description: The file with the server's certificate.
        type: path
      key_path:
        description: The file with the server's private key, not encrypted.
        type: path
      ca:
        description: The content of the CA, instead of O(certs.ca_path).
        type: str
      cert:
        description: The content of the server's certificate, instead of O(certs.cert_path).
        type: str
      key:
        description: The content of the server's private key, instead of O(certs.key_path).
        type: str
      csr_path:
        description: Ignored. An entry of RV(dockerhost.azure.docker_tls_certs#module:servers) has this key.
        type: raw
      fingerprint:
        description: Ignored. An entry of RV(dockerhost.azure.docker_tls_certs#module:servers) has this key.
        type: raw
      not_before:
        description: Ignored. An entry of RV(dockerhost.azure.docker_tls_certs#module:servers) has this key.
        type: raw
      not_after:
        description: Ignored. An entry of RV(dockerhost.azure.docker_tls_certs#module:servers) has this key.
        type: raw
      days_left:
        description: Ignored. An entry of RV(dockerhost.azure.docker_tls_certs#module:servers) has this key.
        type: raw
      key_type:
        description: Ignored. An entry of RV(dockerhost.azure.docker_tls_certs#module:servers) has this key.
        type: raw
      dns_names:
        description: Ignored. An entry of RV(dockerhost.azure.docker_tls_certs#module:servers) has this key.
        type: raw
      ip_addresses:
        description: Ignored. An entry of RV(dockerhost.azure.docker_tls_certs#module:servers) has this key.
        type: raw
      reasons:
        description: Ignored. An entry of RV(dockerhost.azure.docker_tls_certs#module:servers) has this key.
        type: raw
  logins:
    description:
      - The registries to which root on the VM is logged in. Root is logged out of earlier ones that are no longer
        listed, or gets back the login that one of them replaced; an empty list does so for all of them.
    type: list
    elements: dict
    suboptions:
      server:
        description: The registry, such as V(registry.example.com:5000). By default Docker Hub.
        type: str
      username:
        description: The user name.
        type: str
        required: true
      password:
        description: The password, or a token.
        type: str
        required: true
      ca:
        description: The CA (PEM) of a registry with a private CA.
        type: str
      ca_path:
        description: The file with the CA of the registry, instead of O(logins[].ca).
        type: path
  compose:
    description:
      - Compose projects to start with C(docker compose), version 2.
      - What becomes of projects that are no longer listed is decided by O(compose_purge). The projects stay if this
        option is left out.
    type: list
    elements: dict
    suboptions:
      name:
        description: The project's name.
        type: str
        required: true
      definition:
        description: The Compose file as a dictionary.
        type: dict
      content:
        description: The Compose file as text.
        type: str
      path:
        description: The path of the Compose file.
        type: path
      environment:
        description: Variables that are interpolated into the Compose file.
        type: dict
        default: {}
      secrets:
        description:
          - As O(compose[].environment), for secret values.
          - They must have at least 4 characters, because Ansible masks them wherever they occur in a result.
        type: dict
        default: {}
  compose_purge:
    description:
      - Whether to stop and remove projects that this module started earlier and that are no longer listed. Volumes
        stay. It has no effect if O(compose) is left out.
    type: bool
    default: false
  reset:
    description:
      - Settings that get their defaults again, by the names of their options. V(docker) is all suboptions of O(docker)
        that are not set.
      - V(docker.port) needs O(certs).
    type: list
    elements: str
    choices:
      - docker
      - docker.port
      - docker.options
      - docker.daemon
      - docker.live_restore
      - docker.users
      - docker.proxies
      - docker.data_disk
      - engine
      - certs
      - logins
      - compose
    default: []
  remove:
    description:
      - With O(state=absent), what to remove besides the configuration.
      - V(engine) removes the engine's packages; V(data) permanently removes containers, images and volumes.
    type: list
    elements: str
    choices: [engine, data]
    default: []
  pending_files:
    description:
      - Paths of certificates and keys that an earlier task would have written, were this not check mode; for example
        RV(dockerhost.azure.docker_tls_certs#module:changed_files).
      - Check mode predicts them as changed. Outside check mode this option has no effect.
    type: list
    elements: path
    default: []
  replace_ca:
    description:
      - Whether to push certificates of a CA that the engine does not trust. That locks out all clients with
        certificates of the old CA.
      - Without it such a push is refused, because another CA nearly always means a lost directory.
    type: bool
    default: false
  certs_only:
    description:
      - Whether to push only O(certs) and leave everything else as the last push left it - port, C(daemon.json),
        options, users, proxies, registry logins, Compose projects. That is for renewing certificates where the other
        settings are not available.
      - The handler that delivered the settings is used. It is an error if the VM has no settings, or if
        O(handler=docker_extension) delivered them.
      - A later push of the same settings as before changes nothing.
    type: bool
    default: false
  allow_other_purposes:
    description:
      - Whether the certificate in O(certs) may also be valid for clients, or for any purpose (the extended key usages
        C(clientAuth) and C(anyExtendedKeyUsage), or no extended key usage at all).
      - Such a certificate is refused by default. Root on the VM could use its key to connect to every other host as a
        client, which has the permissions of root there.
    type: bool
    default: false
  keep_certs:
    description:
      - Whether the host may keep its certificate, so that nothing is pushed if nothing else differs.
      - It does so if the certificate comes from the same CA and is valid for 30 more days, and the engine at
        O(docker_host) answers O(client) over mutual TLS.
      - This is for runs that issue new certificates each time because they keep none, such as jobs in containers.
    type: bool
    default: false
  docker_host:
    description:
      - The URL at which O(keep_certs) queries the engine, such as V(tcp://203.0.113.7:4243).
      - By default C(docker_host) of O(virtual_machine), or of O(client).
    type: str
  client:
    description:
      - The client's certificate with which O(keep_certs) queries the engine. Required with O(keep_certs=true).
      - RV(dockerhost.azure.docker_tls_certs#module:docker_connection) can be given as it is.
    type: dict
    suboptions:
      docker_host:
        description: The engine's URL, if neither O(docker_host) nor O(virtual_machine) has one.
        type: str
      tls_hostname:
        description: The name or address that the engine's certificate must contain, if it is not the one in the URL.
        type: str
      ca_path:
        description: The file with the CA that the engine's certificate must come from.
        type: path
      client_cert:
        description: The file with the client's certificate.
        type: path
      client_key:
        description: The file with the client's private key, not encrypted.
        type: path
      tls:
        description: Ignored. The engine is always queried over TLS.
        type: raw
      validate_certs:
        description: Ignored. The engine's certificate is always verified.
        type: raw
  start:
    description:
      - Whether to start the VM if it does not run. Otherwise a VM that does not run is an error if there is something
        to push.
    type: bool
    default: false
  verify:
    description:
      - Whether to check on the VM itself, through the agent, that it is still as the last push left it, and to push
        again if it is not.
      - That takes some seconds in each run.
    type: bool
    default: false
  force:
    description: Whether to push even if the same settings were applied already.
    type: bool
    default: false
  agent_timeout:
    description: Seconds to wait for the VM's agent to be ready. At least 1.
    type: int
    default: 300
  wait_timeout:
    description:
      - Seconds to wait for operations of Azure, at least 1. The operation continues in Azure afterwards, and another
        run waits for it.
    type: int
    default: 5700
  setup_program:
    description: The program that runs on the VM. The action of this module sets it.
    type: str
notes:
  - The VM's tags C(docker-host-ca), C(docker-host-ca-key) and C(docker-host-cert-expires) record the certificates.
  - The program's full log is on the VM in C(/var/log/docker-host-setup.log), readable only by root.
seealso:
  - module: dockerhost.azure.docker_vm_host
  - module: dockerhost.azure.docker_tls_certs
  - module: dockerhost.azure.docker_endpoint_info
"""

EXAMPLES = r"""
- name: Set up an engine that listens on port 4243 over mutual TLS
  dockerhost.azure.docker_vm_extension:
    resource_group: docker
    virtual_machine_name: web1
    certs:
      ca_path: ~/.docker/servers/web1/ca.pem
      cert_path: ~/.docker/servers/web1/cert.pem
      key_path: ~/.docker/servers/web1/key.pem

- name: Use a data disk, rotate logs, and log in to a registry
  dockerhost.azure.docker_vm_extension:
    virtual_machine: "{{ vm.host }}"
    docker:
      data_disk:
        lun: 0
      daemon:
        log-driver: json-file
        log-opts:
          max-size: 10m
          max-file: "3"
        registry-mirrors:
          - https://mirror.example.com
      users:
        - azureuser
    engine:
      version: "28"
      hold: true
    certs: "{{ certificates.servers.web1 }}"
    logins:
      - server: registry.example.com
        username: ci
        password: "{{ registry_password }}"

- name: Run a Compose project
  dockerhost.azure.docker_vm_extension:
    resource_group: docker
    virtual_machine_name: web1
    certs: "{{ certs }}"
    compose:
      - name: shop
        definition:
          services:
            web:
              image: nginx:${NGINX}
              restart: always
              ports:
                - "80:80"
              environment:
                API_KEY: ${API_KEY}
        environment:
          NGINX: "1.27"
        secrets:
          API_KEY: "{{ api_key }}"

- name: Repair the configuration if somebody changed it by hand
  dockerhost.azure.docker_vm_extension:
    resource_group: docker
    virtual_machine_name: web1
    certs: "{{ certs }}"
    verify: true

- name: Remove the configuration, the engine, and its data
  dockerhost.azure.docker_vm_extension:
    resource_group: docker
    virtual_machine_name: web1
    state: absent
    remove:
      - engine
      - data
"""

RETURN = r"""
extension:
  description: The resource that contains the settings. V(null) if there is none.
  returned: success
  type: dict
  contains:
    id:
      description: Its id.
      returned: success
      type: str
    name:
      description: Its name.
      returned: success
      type: str
      sample: docker-host
    handler:
      description: The handler that delivers the settings.
      returned: success
      type: str
      sample: custom_script
    provisioning_state:
      description: >-
        Its state; V(Succeeded) when the program on the VM has reported success, even if Azure has not ended its
        operation. V(null) in check mode if it does not exist yet.
      returned: success
      type: str
      sample: Succeeded
    digest:
      description: The salted digest of the settings.
      returned: success
      type: str
engine:
  description: The engine after the last run of the program on the VM. V(null) with O(state=absent).
  returned: success
  type: dict
  contains:
    port:
      description: The port, V(null) if it does not listen on TCP.
      returned: success
      type: int
      sample: 4243
    version:
      description: The engine's version.
      returned: when the engine ran
      type: str
      sample: 28.1.1
    api_version:
      description: The version of its API.
      returned: when the engine ran
      type: str
      sample: "1.49"
    package:
      description: The package that contains it.
      returned: when the program has run
      type: str
      sample: docker-ce
    source:
      description: Where the package comes from - V(docker), V(distribution) or V(other).
      returned: when the program has run
      type: str
      sample: docker
    installed:
      description: Whether it is installed.
      returned: when the program has run
      type: bool
    running:
      description: Whether it runs.
      returned: when the program has run
      type: bool
    data_root:
      description: Its data directory.
      returned: when the engine ran
      type: str
      sample: /var/lib/docker
    live_restore:
      description: Whether containers keep running while it restarts.
      returned: when the engine ran
      type: bool
    ssh_host_keys:
      description: The VM's public SSH host keys, each as its type and base64, as C(known_hosts) contains them.
      returned: when the program has run
      type: list
      elements: str
    containers_running:
      description: The number of running containers.
      returned: when the engine ran
      type: int
pushed:
  description: Whether settings were pushed to the VM.
  returned: success
  type: bool
reasons:
  description:
    - Why they were pushed, or would be pushed. V(other certificates) if nothing else differs from the last push.
    - Other settings are named by their options. Their values are not shown, since Azure returns no protected settings,
      and digests do not contain values.
  returned: success
  type: list
  elements: str
  sample: ["other settings: docker.daemon"]
kept_certs:
  description: Whether the host keeps its certificate because of O(keep_certs).
  returned: success
  type: bool
actions:
  description:
    - What the program changed on the VM, one line each. Empty if nothing was pushed.
    - In check mode, C(restart the engine) if it is certain that the settings need that; what else it would do is not
      known.
  returned: success
  type: list
  elements: str
  sample: ["write /etc/docker/cert.pem", "restart the engine"]
power_state:
  description: The VM's power state after this task, or the one that check mode predicts. V(null) if there is no VM.
  returned: success
  type: str
  sample: running
output:
  description: The end of the program's output. Also returned on failure.
  returned: success
  type: str
signed_in_with:
  description: The sign-in method that was used, and where it was configured.
  returned: success
  type: str
  sample: service principal 00000000-0000-0000-0000-000000000000 by secret, from environment variables
stage:
  description: The stage in which the program on the VM failed, such as V(install) or V(configure).
  returned: when the program failed
  type: str
exit_code:
  description: The exit code of the program on the VM.
  returned: when the program failed and the handler reports it
  type: int
log:
  description: The path of the full log on the VM.
  returned: when the program failed
  type: str
"""

from ansible_collections.dockerhost.azure.plugins.module_utils._backend import run_as_module
from ansible_collections.dockerhost.azure.plugins.module_utils._extension.task import BACKEND


def main() -> None:
    run_as_module(BACKEND)


if __name__ == "__main__":
    main()
