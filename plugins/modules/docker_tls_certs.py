#!/usr/bin/python
# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: docker_tls_certs
short_description: Issue, renew, rotate and remove the certificates of Docker hosts and their clients
version_added: 0.1.0
description:
  - Issues a CA certificate, client certificates, and server certificates for any number of hosts, in the layout that
    docker expects, and keeps them valid.
  - A run renews only certificates that need it, and the result says why.
  - Files that this module did not create are never overwritten.
  - The next run finishes what an interrupted run began. Any number of runs can share one directory.
  - Keys are created with mode 0600 in directories of mode 0700. No key is part of a result, a diff or a log.
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
      - In check mode the result shows the current certificates and, as C(reasons), why they would be renewed. It is a
        health report as well.
  diff_mode:
    support: full
    details:
      - The diff shows fields of certificates, never key material.
  idempotent:
    support: partial
    details:
      - O(regenerate=always) renews in every run, and O(rotate_ca=advance) starts the next phase in every run.
      - O(client_requests) are signed in every run.
  action:
    support: full
  async:
    support: full
  safe_file_operations:
    support: full
options:
  state:
    description:
      - V(present) issues missing certificates and renews those that need it.
      - V(absent) removes the files of the O(hosts) and O(clients) that are named, and with O(remove_ca) the whole set.
    type: str
    choices: [present, absent]
    default: present
  cert_dir:
    description:
      - Directory of the set.
      - Defaults to the environment variable E(DOCKER_CERT_PATH), else to C(~/.docker).
      - It contains C(ca.pem), C(ca-key.pem), and the default client's C(cert.pem) and C(key.pem), so that it can be a
        E(DOCKER_CERT_PATH). C(servers/NAME/) contains C(cert.pem), C(key.pem) and C(ca.pem) for each host, where
        C(ca.pem) is what that host trusts, and C(clients/NAME/) the same files for each further client.
      - It must belong to the user who runs the task, and so must everything in it. Nobody else may be able to write to
        it, or to a directory above it without the sticky bit. Symbolic links inside of it are refused.
    type: path
  temporary:
    description:
      - Whether the content of O(cert_dir) is temporary, as in an automation job that begins with an empty directory and
        discards it at its end.
      - If the CA is kept elsewhere (O(store=key_vault), O(ca_path) or O(ca_content)), certificates that are issued in a
        temporary directory do not count as a change, because the next job issues them again. RV(actions) still lists
        them, and a change of the CA always counts.
      - Defaults to V(true) in a job of AWX whose container discards O(cert_dir), and to V(false) elsewhere.
    type: bool
  store:
    description:
      - Where the CA is kept, with its key and the state of a rotation.
      - V(directory) keeps them in O(cert_dir) with everything else.
      - V(key_vault) keeps them in a secret of an Azure key vault and never on a disk. The content of O(cert_dir) may
        then be discarded, because it is issued again from the same CA. In this way, jobs that start with an empty home
        and people at several machines share one CA.
      - Any number of runs can work at the same time and be killed at any moment. They all use one CA. Key Vault has no
        compare-and-set, so a run that changes the CA waits some seconds to see whether another run was faster.
      - A CA in O(cert_dir) that this module created, or that O(adopt) takes over, moves into the vault if the secret
        does not exist yet. If both have a CA, it must be the same one.
      - The identity needs the role Key Vault Secrets User to use an existing CA, and Key Vault Secrets Officer to
        create or change one. With access policies it needs the secret permissions get and list, or set as well.
      - With O(rotate_ca=advance), the hosts in O(hosts) and O(host_trust) count, because a vault does not know any
        others.
    type: str
    choices: [directory, key_vault]
    default: directory
  key_vault:
    description:
      - The name of the key vault, or its URL, with O(store=key_vault). It must exist.
      - The cloud in O(cloud_environment) completes a name to a URL; the metadata of a private cloud contain the domain
        of its key vaults.
    type: str
  key_vault_secret:
    description: The name of the secret. Use one for each set of hosts with its own CA.
    type: str
    default: docker-ca
  hosts:
    description:
      - Hosts that need a server certificate. Hosts that are not named keep theirs.
      - RV(dockerhost.azure.docker_vm_host#module:host) is accepted as it is. Its other keys are ignored, and any other
        key is an error.
      - Only the named hosts are examined and returned, unless no host is named, the CA changes, or it is being rotated.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name of the host, and of its directory. Required.
        type: str
      dns_names:
        description:
          - DNS names that the certificate is for. Without these and O(hosts[].ip_addresses), it is for the host's name.
        type: list
        elements: str
        default: []
      ip_addresses:
        description: IP addresses that the certificate is for.
        type: list
        elements: str
        default: []
      unknown:
        description:
          - In check mode, the keys of the host that are not known yet, because Azure has not created the host. If
            C(dns_names) or C(ip_addresses) is one of them, additional names in the certificate do not cause a renewal.
          - Outside of check mode, a host without known names is an error.
        type: list
        elements: str
        default: []
      extra_names:
        description:
          - The names that the user added to those in Azure - C(address), C(dns_names) and C(ip_addresses). They are
            recorded in O(cert_dir), so that a later run of the role P(dockerhost.azure.docker_host#role) can keep them.
            Without this key, the record stays as it is.
        type: dict
      id:
        description: ID of the host's virtual machine, which is recorded with O(hosts[].extra_names).
        type: str
  clients:
    description:
      - Names of clients that need an identity of their own, in addition to the default client.
      - Each C(clients/NAME/) can be a E(DOCKER_CERT_PATH).
    type: list
    elements: str
    default: []
  ca_path:
    description:
      - File with the certificate of a CA of your own in PEM, with the chain above it if it is an intermediate one.
      - Clients get the whole chain. Servers trust the issuing CA alone, because a server that trusts the chain accepts
        clients of every other CA below the same root.
      - Give this or O(ca_content), not both.
    type: path
  ca_content:
    description: The certificates that O(ca_path) would contain.
    type: str
  ca_key_path:
    description:
      - File with the private key of your own CA in PEM. It is not copied into O(cert_dir), so it is needed in every run
        that signs a certificate.
      - Give this or O(ca_key_content), not both.
    type: path
  ca_key_content:
    description: The key that O(ca_key_path) would contain.
    type: str
  ca_key_passphrase:
    description:
      - Passphrase of the CA's key. The key of a new CA is encrypted with it, and so is an existing unencrypted one.
      - The keys of clients and servers are never encrypted, because Docker does not support that.
    type: str
  ca_common_name:
    description: Common name of a CA that this module creates.
    type: str
    default: Docker CA
  client_common_name:
    description: Common name of the default client. Defaults to C(docker client) for a new one.
    type: str
  subject:
    description:
      - Further fields of the subjects of all certificates, with their values.
      - The fields are C, ST, L, O, OU and emailAddress, or their long names such as organizationName.
    type: dict
    default: {}
  ca_key_type:
    description:
      - Type of a new CA key. Defaults to V(ecdsa_p256). An existing CA keeps its key until it is rotated.
    type: str
    choices: [ecdsa_p256, ecdsa_p384, ed25519, rsa_2048, rsa_3072, rsa_4096]
  server_key_type:
    description:
      - Type of the servers' keys. A key of another type is replaced.
      - By default new keys are V(ecdsa_p256) and existing ones keep their type.
    type: str
    choices: [ecdsa_p256, ecdsa_p384, ed25519, rsa_2048, rsa_3072, rsa_4096]
  client_key_type:
    description: Type of the clients' keys, as O(server_key_type).
    type: str
    choices: [ecdsa_p256, ecdsa_p384, ed25519, rsa_2048, rsa_3072, rsa_4096]
  ca_not_after:
    description:
      - The end of validity of a CA that this run creates or renews, relative to now such as V(+3650d) or
        V(+520w1d2h3m4s), or absolute such as V(20361231235959Z), in the format of
        P(community.crypto.x509_certificate#module).
      - A changed value takes effect with the next renewal.
    type: str
    default: +3650d
  server_not_after:
    description: The end of validity of new server certificates, as O(ca_not_after). It is never after that of the CA.
    type: str
    default: +397d
  client_not_after:
    description: The end of validity of new client certificates, as O(ca_not_after). It is never after that of the CA.
    type: str
    default: +397d
  ca_renew_before:
    description: A CA that this module created is renewed, with the same key, if it expires within this time.
    type: str
    default: +30d
  server_renew_before:
    description: A server's certificate is renewed if it expires within this time.
    type: str
    default: +30d
  client_renew_before:
    description: A client's certificate is renewed if it expires within this time.
    type: str
    default: +30d
  regenerate:
    description:
      - What the module does if a certificate has reasons to be renewed. It always creates missing files. The values are
        those of P(community.crypto.openssl_privatekey#module).
      - V(never) keeps it, with a warning. V(fail) fails. V(partial_idempotence) renews it, but fails when a file is
        unreadable. V(full_idempotence) renews it in any case. V(always) renews every client and server in every run.
      - A CA is only ever renewed with the same key. O(rotate_ca) replaces it with another one.
    type: str
    choices: [never, fail, partial_idempotence, full_idempotence, always]
    default: full_idempotence
  new_keys:
    description: Whether a renewed certificate gets a new key as well.
    type: bool
    default: false
  adopt:
    description:
      - Whether to take over files in O(cert_dir) that this module did not create, if they form a usable set. Weak keys
        and SHA-1 are refused.
      - Files that are replaced later are kept next to the new ones.
    type: bool
    default: false
  backup:
    description:
      - Whether to keep replaced and removed files under a name with the time and a C(~) at the end.
    type: bool
    default: false
  signing:
    description:
      - V(local) signs with the CA's key, which the module has.
      - V(external) writes requests (C(cert.csr) next to the keys). A later run takes the certificates that were signed
        elsewhere in O(signed_certificates). It needs O(ca_path) or O(ca_content).
    type: str
    choices: [local, external]
    default: local
  signed_certificates:
    description: Certificates that were signed elsewhere. The module finds the identity of each by its key.
    type: list
    elements: dict
    default: []
    suboptions:
      path:
        description: File with the certificate in PEM.
        type: path
      content:
        description: The certificate in PEM.
        type: str
  client_requests:
    description:
      - Requests of clients whose keys stay with their owners. RV(signed_requests) returns their certificates; no file
        is kept of them.
      - A certificate is for the name in O(client_requests[].name) and for clients only, whatever the request itself
        asks for. It is valid as long as O(client_not_after) says.
      - The CA must exist. Every run signs again, so do not leave requests in the options of a host.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name of the client, 1 to 64 letters, digits, periods, underscores and hyphens.
        type: str
        required: true
      path:
        description: File with the certificate signing request in PEM, as C(openssl req -new) writes it.
        type: path
      content:
        description: The certificate signing request in PEM.
        type: str
  allow_other_purposes:
    description:
      - Whether certificates that were signed elsewhere (O(signing=external), O(adopt)) may be valid for servers and
        clients at once, or for any purpose (the extended key usages C(serverAuth), C(clientAuth) and
        C(anyExtendedKeyUsage), or with O(adopt) no extended key usage at all).
      - They are refused by default. A host whose certificate is also valid for clients could connect to every other
        host as a client, which has the permissions of root there.
    type: bool
    default: false
  rotate_ca:
    description:
      - Replaces the CA in phases, so that every host stays reachable. O(cert_dir) keeps the current phase, and the
        phases can be days apart.
      - V(start) creates the new CA (or uses the one of O(ca_path) or O(ca_content)) and puts both into every trust
        list. During a rotation it changes nothing.
      - V(advance) starts the next phase. First servers get certificates of the new CA, then clients, then the old CA is
        dropped from every trust list. It fails unless O(host_trust) shows that all hosts have the files of the last
        phase.
      - V(cancel) drops the new CA again, in the first phase only.
      - Without it, the phase does not change, and the module keeps the set in the state of that phase.
    type: str
    choices: [start, advance, cancel]
  host_trust:
    description:
      - The certificates that the hosts have. Needed for every host in O(cert_dir) with O(rotate_ca=advance).
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name of the host.
        type: str
        required: true
      ca_fingerprints:
        description: SHA-256 fingerprints of the CAs in its trust list, with or without colons.
        type: list
        elements: str
        required: true
      fingerprint:
        description: SHA-256 fingerprint of its certificate. Needed once servers have certificates of the new CA.
        type: str
  remove_ca:
    description:
      - With O(state=absent), whether to remove the CA and everything that this module created in O(cert_dir). Nobody
        can then sign for the hosts that trust this CA.
      - With O(store=key_vault) the secret is deleted; it can be recovered while the vault keeps it.
    type: bool
    default: false
seealso:
  - module: dockerhost.azure.docker_tls_certs_info
  - module: dockerhost.azure.docker_vm_extension
  - module: dockerhost.azure.docker_context
  - module: community.crypto.x509_certificate
"""

EXAMPLES = r"""
- name: Issue or renew the certificates of two hosts and of the client
  dockerhost.azure.docker_tls_certs:
    hosts:
      - name: web1
        dns_names: [web1.westeurope.cloudapp.azure.com]
        ip_addresses: [203.0.113.7, 10.0.0.4]
      - name: web2
        ip_addresses: [10.0.0.5]
  register: certificates

- name: Sign the request of a person whose key stays with her
  dockerhost.azure.docker_tls_certs:
    client_requests:
      - name: anna
        path: anna.csr
    client_not_after: +90d
  register: certificates

- name: Issue the certificate of a host that docker_vm_host returned
  dockerhost.azure.docker_tls_certs:
    hosts: ["{{ created.host }}"]

- name: Reach an engine with them
  community.docker.docker_host_info:
    docker_host: tcp://203.0.113.7:4243
    tls: "{{ certificates.docker_connection.tls }}"
    validate_certs: "{{ certificates.docker_connection.validate_certs }}"
    ca_path: "{{ certificates.docker_connection.ca_path }}"
    client_cert: "{{ certificates.docker_connection.client_cert }}"
    client_key: "{{ certificates.docker_connection.client_key }}"

- name: Give the deployment robot an identity of its own
  dockerhost.azure.docker_tls_certs:
    clients: [robot]
    subject:
      O: Example
      OU: Platform

- name: Sign with an intermediate CA of the company
  dockerhost.azure.docker_tls_certs:
    cert_dir: /srv/docker-certs
    ca_path: /etc/pki/docker-issuing-ca-with-chain.pem
    ca_key_path: /etc/pki/docker-issuing-ca.key
    ca_key_passphrase: "{{ vault_ca_passphrase }}"
    hosts:
      - name: web1
        dns_names: [web1.example.org]

- name: Report on the health of all certificates
  dockerhost.azure.docker_tls_certs:
  check_mode: true
  register: health

- name: Begin to replace the CA
  dockerhost.azure.docker_tls_certs:
    rotate_ca: start

- name: Keep the CA in a key vault, for jobs whose home is discarded
  dockerhost.azure.docker_tls_certs:
    store: key_vault
    key_vault: contoso-docker
    hosts:
      - name: web1
        ip_addresses: [203.0.113.7]

- name: Remove the certificates of a host that no longer exists
  dockerhost.azure.docker_tls_certs:
    state: absent
    hosts:
      - name: web2
"""

RETURN = r"""
cert_dir:
  description: The directory, as an absolute path.
  type: str
  returned: success
ca:
  description: The CA, with the same keys as RV(client). C(key_path) is null when the key is not kept here.
  type: dict
  returned: O(state=present)
  contains:
    own:
      description: Whether it is the user's own CA, whose key is not kept here.
      type: bool
key_vault:
  description: Where the CA is, null with O(store=directory).
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
      description: The version of the secret that is in use; null if the secret does not exist yet, or was deleted.
      type: str
      sample: 4387e9f3d6e14c459867679a90fd0f79
client:
  description:
    - The default client. In check mode it shows the current certificate; values that do not exist yet are null.
  type: dict
  returned: O(state=present)
  contains:
    cert_path:
      description: Path of the certificate.
      type: str
    key_path:
      description: Path of the private key.
      type: str
    ca_path:
      description: Path of the CAs that its owner must trust.
      type: str
    csr_path:
      description: Path of a request that waits to be signed elsewhere, else null.
      type: str
    fingerprint:
      description: SHA-256 of the certificate, 64 hexadecimal digits.
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
      description: Whole days until the end, negative after it.
      type: int
    key_type:
      description: Type of the key.
      type: str
      sample: ecdsa_p256
    dns_names:
      description: DNS names that the certificate is for.
      type: list
      elements: str
    ip_addresses:
      description: IP addresses that the certificate is for.
      type: list
      elements: str
    reasons:
      description: Why the certificate was issued or renewed, or would be.
      type: list
      elements: str
      sample: ["expires in 12 days", "SAN lacks 10.0.0.5"]
clients:
  description: All further clients in O(cert_dir) by name, each with the keys of RV(client).
  type: dict
  returned: O(state=present)
servers:
  description:
    - The hosts by name, each with the keys of RV(client).
    - With O(hosts), these are the named hosts, and all hosts if the CA changed or is being rotated.
    - Without O(hosts), these are all hosts in O(cert_dir).
  type: dict
  returned: O(state=present)
trusted_cas:
  description: SHA-256 fingerprints of the CAs that every host should trust now; null for one that does not exist yet.
  type: list
  elements: str
  returned: O(state=present)
signed_requests:
  description: The certificates for O(client_requests), in their order. Nothing in it is secret.
  type: list
  elements: dict
  returned: O(state=present)
  contains:
    name:
      description: Name of the client.
      type: str
    certificate:
      description: The certificate in PEM; null in check mode.
      type: str
    ca:
      description: The CAs in PEM that the client must trust.
      type: str
    fingerprint:
      description: SHA-256 of the certificate, 64 hexadecimal digits; null in check mode.
      type: str
    not_after:
      description: End of the certificate's validity, ISO 8601; null in check mode.
      type: str
      sample: "2027-12-25T22:15:00Z"
rotation:
  description: The unfinished rotation of the CA.
  type: dict
  returned: O(state=present)
  contains:
    phase:
      description:
        - V(trust), both CAs are in every trust list, V(servers), servers have certificates of the new CA, V(clients),
          clients too, or null without a rotation.
      type: str
    old_fingerprint:
      description: SHA-256 fingerprint of the CA that is replaced.
      type: str
    new_fingerprint:
      description: SHA-256 fingerprint of the CA that replaces it.
      type: str
    waiting_for:
      description: What hosts lack before the next phase, one line for each, judged by O(host_trust).
      type: list
      elements: str
changed_files:
  description:
    - Paths of the files of clients and hosts, and of the CA's certificate, that were written or removed; in check mode
      those that would be.
    - O(dockerhost.azure.docker_vm_extension#module:pending_files) and
      O(dockerhost.azure.docker_context#module:pending_files) take them, so that check mode predicts their changes.
  type: list
  elements: str
  returned: O(state=present)
docker_env:
  description: Environment variables for the docker CLI with the default client, without E(DOCKER_HOST).
  type: dict
  returned: O(state=present)
  sample: {"DOCKER_CERT_PATH": "/home/me/.docker", "DOCKER_TLS_VERIFY": "1"}
docker_connection:
  description: Connection options of the community.docker collection for the default client, without C(docker_host).
  type: dict
  returned: O(state=present)
  contains:
    tls:
      description: Always true.
      type: bool
    validate_certs:
      description: Always true.
      type: bool
    ca_path:
      description: Path of the CAs that the client must trust.
      type: str
    client_cert:
      description: Path of the client's certificate.
      type: str
    client_key:
      description: Path of the client's private key.
      type: str
actions:
  description: One line for each change that was made, or would be made.
  type: list
  elements: str
  returned: success
  sample: ["renew certificate servers/web1 with the same key: SAN lacks 10.0.0.5"]
backup_files:
  description: Paths of the copies of replaced or removed files, by the paths of the files.
  type: dict
  returned: success
removed:
  description: What was removed, for example V(servers/web2).
  type: list
  elements: str
  returned: O(state=absent)
reasons:
  description: Why certificates would be renewed, by identity.
  type: dict
  returned: when O(regenerate) forbids a renewal that is needed
foreign_files:
  description: Files in the way that this module did not create.
  type: list
  elements: str
  returned: when there are some and O(adopt) is not set
waiting_for:
  description: What hosts lack before the next phase of a rotation.
  type: list
  elements: str
  returned: when O(rotate_ca=advance) is refused
"""

from ansible_collections.dockerhost.azure.plugins.module_utils._backend import run_as_module
from ansible_collections.dockerhost.azure.plugins.module_utils._vault.task import BACKEND


def main() -> None:
    run_as_module(BACKEND)


if __name__ == "__main__":
    main()
