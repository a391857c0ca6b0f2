# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options by which every Azure module signs in.

The fragment ``_azure`` documents them. Environment variables are read by :mod:`settings`, not as fallbacks of the
argument spec: which of several sources is used depends on what they contain together.
"""

from __future__ import annotations

from .._argspec import ArgumentSpec


def azure_argument_spec() -> ArgumentSpec:
    """Return the options that say who signs in, where, and to which subscription."""
    return ArgumentSpec(
        argument_spec={
            "auth_source": {"type": "str", "choices": ["auto", "cli", "credential_file", "env", "msi"]},
            "profile": {"type": "str"},
            "subscription_id": {"type": "str"},
            "client_id": {"type": "str"},
            "secret": {"type": "str", "no_log": True},
            "tenant": {"type": "str"},
            "x509_certificate_path": {"type": "path"},
            "thumbprint": {"type": "str"},
            "federated_token_path": {"type": "path"},
            "cloud_environment": {"type": "str"},
            "cloud_ca_path": {"type": "path"},
            "disable_instance_discovery": {"type": "bool"},
        },
        required_by={"thumbprint": ["x509_certificate_path"]},
    )
