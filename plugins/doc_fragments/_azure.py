# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How the Azure modules sign in. Keep in step with ``module_utils/_azure/argument_spec.py``."""

from __future__ import annotations


class ModuleDocFragment:
    """The options of C(azure_argument_spec)."""

    DOCUMENTATION = r"""
options:
  auth_source:
    description:
      - Where the credentials are taken from. Defaults to the environment variable E(ANSIBLE_AZURE_AUTH_SOURCE),
        else V(auto).
      - V(auto) uses the first of these that exists - the task's options, the environment variables, the profile in
        C(~/.azure/credentials), the account of the Azure CLI.
      - V(env) uses the environment variables only, V(credential_file) the profile only, V(cli) the account that
        C(az login) signed in.
      - V(msi) uses the managed identity of the Azure machine that the task runs on; with O(client_id) a
        user-assigned one.
      - An empty option or environment variable counts as unset.
    type: str
    choices: [auto, cli, credential_file, env, msi]
  profile:
    description:
      - The section of C(~/.azure/credentials) to use. Defaults to the environment variable E(AZURE_PROFILE), else
        V(default). When given with O(auth_source=auto), no other source is used.
    type: str
  subscription_id:
    description:
      - The subscription. Defaults to the environment variable E(AZURE_SUBSCRIPTION_ID), else to that of the profile
        or of the Azure CLI.
    type: str
  client_id:
    description:
      - The application (client) id of the service principal, or of a user-assigned managed identity. Environment
        variable E(AZURE_CLIENT_ID).
    type: str
  secret:
    description:
      - The service principal's secret. Environment variable E(AZURE_SECRET), else E(AZURE_CLIENT_SECRET).
    type: str
  tenant:
    description:
      - The tenant of the service principal. Environment variable E(AZURE_TENANT), else E(AZURE_TENANT_ID).
    type: str
  x509_certificate_path:
    description:
      - The file with the service principal's certificate and its private key (PEM or PKCS#12), instead of O(secret).
        Environment variable E(AZURE_X509_CERTIFICATE_PATH), else E(AZURE_CLIENT_CERTIFICATE_PATH).
      - The password of an encrypted file comes from the environment variable
        E(AZURE_CLIENT_CERTIFICATE_PASSWORD), or from C(certificate_password) in the profile.
    type: path
  thumbprint:
    description:
      - The SHA-1 thumbprint that the certificate in O(x509_certificate_path) must have. Environment variable
        E(AZURE_THUMBPRINT).
    type: str
  federated_token_path:
    description:
      - The file with the token of a workload identity, instead of O(secret). Environment variable
        E(AZURE_FEDERATED_TOKEN_FILE).
    type: path
  cloud_environment:
    description:
      - The cloud, V(AzureCloud), V(AzureChinaCloud) or V(AzureUSGovernment), or the https URL of a private cloud's
        Resource Manager, which returns its endpoints (the URL of its C(/metadata/endpoints) works too). Defaults to the
        environment variable E(AZURE_CLOUD_ENVIRONMENT), else, with the account of the Azure CLI, to the cloud of the
        CLI's subscription, else public Azure.
    type: str
  cloud_ca_path:
    description:
      - A PEM file with the CA certificates of a private cloud's endpoints. It is used for
        requests to Azure only, unlike E(REQUESTS_CA_BUNDLE), which would break the TLS of Docker clients in the same
        play. Environment variable E(AZURE_CLOUD_CA_PATH).
    type: path
  disable_instance_discovery:
    description:
      - Do not check with Microsoft that the token service is one of its own. Defaults to the environment variable
        E(AZURE_DISABLE_INSTANCE_DISCOVERY); always so for a private cloud given by its URL.
    type: bool
notes:
  - Proxies for requests to Azure are taken from the environment variables E(HTTPS_PROXY), E(HTTP_PROXY) and
    E(NO_PROXY).
"""

    # For every module and plugin that needs Azure.
    REQUIREMENTS = r"""
options: {}
requirements:
  - azure-identity >= 1.16.0
  - azure-mgmt-compute >= 33.0.0
  - azure-mgmt-core >= 1.4.0
notes:
  - Azure packages are needed on the machine that the task runs on, which is nearly always the controller.
"""
