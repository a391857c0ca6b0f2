# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How an engine is reached. The same options as in ``module_utils/_docker/connection.py``."""

from __future__ import annotations


class ModuleDocFragment:
    """The options have the names of community.docker's, so that one set of variables serves both."""

    DOCUMENTATION = r"""
options:
  docker_host:
    description:
      - Where the engine listens, V(tcp://ADDRESS:PORT) or V(unix:///PATH).
      - Without a port it is V(2376) with TLS and V(2375) without.
      - If it is not given, the environment variable E(DOCKER_HOST) is used.
    type: str
    default: unix:///var/run/docker.sock
    aliases: [docker_url]
  tls:
    description:
      - Use TLS. The server's certificate is verified only if O(validate_certs=true).
      - If it is not given, the environment variable E(DOCKER_TLS) is used.
    type: bool
    default: false
  validate_certs:
    description:
      - Use TLS and verify the server's certificate. This is what the docker CLI calls C(--tlsverify).
      - If it is not given, the environment variable E(DOCKER_TLS_VERIFY) is used.
    type: bool
    default: false
    aliases: [tls_verify]
  tls_hostname:
    description:
      - The name or address that the server's certificate must be valid for, if it is not the one in O(docker_host).
      - If it is not given, the environment variable E(DOCKER_TLS_HOSTNAME) is used.
    type: str
  ca_path:
    description:
      - The CA that signed the server's certificate, a file in PEM. Without it the CAs of the system are trusted.
      - If it is not given and the environment variable E(DOCKER_CERT_PATH) is set, C(ca.pem) in it is used.
    type: path
    aliases: [ca_cert, tls_ca_cert, cacert_path]
  client_cert:
    description:
      - The client's certificate, a file in PEM.
      - If it is not given and the environment variable E(DOCKER_CERT_PATH) is set, C(cert.pem) in it is used.
    type: path
    aliases: [tls_client_cert, cert_path]
  client_key:
    description:
      - The client's private key, a file in PEM without a passphrase.
      - If it is not given and the environment variable E(DOCKER_CERT_PATH) is set, C(key.pem) in it is used.
    type: path
    aliases: [tls_client_key, key_path]
  timeout:
    description:
      - The longest time for one connection attempt, and for one answer, in seconds.
      - If it is not given, the environment variable E(DOCKER_TIMEOUT) is used.
    type: int
    default: 60
notes:
  - As for the docker CLI, an environment variable with an empty value counts as unset.
  - Proxies are not used.
"""
