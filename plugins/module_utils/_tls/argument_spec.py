# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The argument spec of ``docker_tls_certs``."""

from __future__ import annotations

import typing as t

from .._argspec import ArgumentSpec
from .keys import KEY_TYPES
from .renewal import REGENERATE


def _kind_spec(kind: str, not_after: str) -> dict[str, dict[str, t.Any]]:
    return {
        f"{kind}_key_type": {"type": "str", "choices": list(KEY_TYPES), "no_log": False},
        f"{kind}_not_after": {"type": "str", "default": not_after},
        f"{kind}_renew_before": {"type": "str", "default": "+30d"},
    }


SPEC = ArgumentSpec(
    argument_spec={
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "cert_dir": {"type": "path"},
        "temporary": {"type": "bool"},
        "store": {"type": "str", "choices": ["directory", "key_vault"], "default": "directory"},
        "key_vault": {"type": "str", "no_log": False},
        "key_vault_secret": {"type": "str", "default": "docker-ca", "no_log": False},
        # Its keys are checked here, so that a host of docker_vm_host is accepted as it is.
        "hosts": {"type": "list", "elements": "dict", "default": []},
        "clients": {"type": "list", "elements": "str", "default": []},
        "ca_path": {"type": "path"},
        "ca_content": {"type": "str"},
        "ca_key_path": {"type": "path", "no_log": False},
        "ca_key_content": {"type": "str", "no_log": True},
        "ca_key_passphrase": {"type": "str", "no_log": True},
        **_kind_spec("ca", "+3650d"),
        **_kind_spec("server", "+397d"),
        **_kind_spec("client", "+397d"),
        "ca_common_name": {"type": "str", "default": "Docker CA"},
        "client_common_name": {"type": "str"},
        "subject": {"type": "dict", "default": {}},
        "regenerate": {"type": "str", "choices": list(REGENERATE), "default": "full_idempotence"},
        "new_keys": {"type": "bool", "default": False, "no_log": False},
        "adopt": {"type": "bool", "default": False},
        "backup": {"type": "bool", "default": False},
        "signing": {"type": "str", "choices": ["local", "external"], "default": "local"},
        "signed_certificates": {
            "type": "list",
            "elements": "dict",
            "default": [],
            "options": {"path": {"type": "path"}, "content": {"type": "str"}},
            "mutually_exclusive": [["path", "content"]],
            "required_one_of": [["path", "content"]],
        },
        "client_requests": {
            "type": "list",
            "elements": "dict",
            "default": [],
            "options": {
                "name": {"type": "str", "required": True},
                "path": {"type": "path"},
                "content": {"type": "str"},
            },
            "mutually_exclusive": [["path", "content"]],
            "required_one_of": [["path", "content"]],
        },
        "allow_other_purposes": {"type": "bool", "default": False},
        "rotate_ca": {"type": "str", "choices": ["start", "advance", "cancel"]},
        "host_trust": {
            "type": "list",
            "elements": "dict",
            "default": [],
            "options": {
                "name": {"type": "str", "required": True},
                "ca_fingerprints": {"type": "list", "elements": "str", "required": True},
                "fingerprint": {"type": "str"},
            },
        },
        "remove_ca": {"type": "bool", "default": False},
    },
)
