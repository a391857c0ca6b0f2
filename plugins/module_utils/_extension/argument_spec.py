# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of docker_vm_extension."""

from __future__ import annotations

import typing as t

from .._argspec import ArgumentSpec
from .._azure.argument_spec import azure_argument_spec

Option = dict[str, t.Any]

HANDLERS = ("custom_script", "run_command", "docker_extension")
DOCKER_SECTIONS = {
    "port": "port",
    "options": "options",
    "daemon": "daemon",
    "live_restore": "live-restore",
    "users": "users",
    "proxies": "proxies",
    "data_disk": "data-disk",
}
"""By suboption of ``docker``, the section of the settings document."""
OTHER_SECTIONS = ("engine", "certs", "logins", "compose")
"""Options that are one section of the settings document each, of the same name."""
RESETTABLE = ("docker", *(f"docker.{name}" for name in DOCKER_SECTIONS), *OTHER_SECTIONS)
"""What the option ``reset`` takes."""
SERVER_KEYS = (
    "csr_path",
    "fingerprint",
    "not_before",
    "not_after",
    "days_left",
    "key_type",
    "dns_names",
    "ip_addresses",
    "reasons",
)
"""Keys of an entry of docker_tls_certs' ``servers`` that ``certs`` accepts and ignores."""
CONNECTION_KEYS = ("tls", "validate_certs")
"""Keys of ``docker_connection`` that ``client`` accepts and ignores: it always verifies the server."""


def _docker() -> Option:
    return {
        "type": "dict",
        "options": {
            "port": {"type": "int"},
            "options": {"type": "list", "elements": "str"},
            "daemon": {"type": "dict"},
            "live_restore": {"type": "bool"},
            "users": {"type": "list", "elements": "str"},
            "proxies": {
                "type": "dict",
                "options": {
                    "http": {"type": "str", "no_log": True},
                    "https": {"type": "str", "no_log": True},
                    "no": {"type": "str"},
                },
            },
            "data_disk": {
                "type": "dict",
                "options": {
                    "lun": {"type": "int", "default": 0},
                    "path": {"type": "str", "default": "/srv/docker"},
                    "filesystem": {"type": "str", "choices": ["ext4", "xfs"], "default": "ext4"},
                },
            },
        },
    }


def engine_option() -> Option:
    """Return the option ``engine``, which docker_vm_host has too."""
    return {
        "type": "dict",
        "options": {
            "source": {"type": "str", "choices": ["auto", "docker", "distribution", "keep"], "default": "auto"},
            "version": {"type": "str"},
            "channel": {"type": "str", "default": "stable"},
            "mirror": {"type": "str"},
            "key": {"type": "str", "no_log": False},
            "hold": {"type": "bool", "default": False},
            "at_boot": {"type": "bool"},
        },
    }


def _certs() -> Option:
    return {
        "type": "dict",
        "options": {
            "ca_path": {"type": "path"},
            "cert_path": {"type": "path"},
            "key_path": {"type": "path", "no_log": False},
            "ca": {"type": "str"},
            "cert": {"type": "str"},
            "key": {"type": "str", "no_log": True},
            **{name: {"type": "raw", "no_log": False} for name in SERVER_KEYS},
        },
        "mutually_exclusive": [["ca_path", "ca"], ["cert_path", "cert"], ["key_path", "key"]],
    }


def _client() -> Option:
    return {
        "type": "dict",
        "options": {
            "docker_host": {"type": "str"},
            "tls_hostname": {"type": "str"},
            "ca_path": {"type": "path"},
            "client_cert": {"type": "path"},
            "client_key": {"type": "path", "no_log": False},
            **{name: {"type": "raw"} for name in CONNECTION_KEYS},
        },
    }


def _logins() -> Option:
    return {
        "type": "list",
        "elements": "dict",
        "options": {
            "server": {"type": "str"},
            "username": {"type": "str", "required": True},
            "password": {"type": "str", "required": True, "no_log": True},
            "ca": {"type": "str"},
            "ca_path": {"type": "path"},
        },
        "mutually_exclusive": [["ca_path", "ca"]],
    }


def _compose() -> Option:
    return {
        "type": "list",
        "elements": "dict",
        "options": {
            "name": {"type": "str", "required": True},
            "definition": {"type": "dict"},
            "content": {"type": "str"},
            "path": {"type": "path"},
            "environment": {"type": "dict", "default": {}},
            "secrets": {"type": "dict", "default": {}, "no_log": True},
        },
        "mutually_exclusive": [["definition", "content", "path"]],
        "required_one_of": [["definition", "content", "path"]],
    }


def extension_argument_spec() -> ArgumentSpec:
    """Return the argument spec of docker_vm_extension."""
    own = ArgumentSpec(
        argument_spec={
            "resource_group": {"type": "str"},
            "virtual_machine_name": {"type": "str"},
            "virtual_machine": {"type": "raw"},
            "name": {"type": "str", "default": "docker-host"},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "handler": {"type": "str", "choices": ["auto", *HANDLERS]},
            "docker": _docker(),
            "engine": engine_option(),
            "certs": _certs(),
            "pending_files": {"type": "list", "elements": "path", "default": []},
            "logins": _logins(),
            "compose": _compose(),
            "compose_purge": {"type": "bool", "default": False},
            "reset": {"type": "list", "elements": "str", "choices": list(RESETTABLE), "default": []},
            "remove": {"type": "list", "elements": "str", "choices": ["engine", "data"], "default": []},
            "replace_ca": {"type": "bool", "default": False},
            "certs_only": {"type": "bool", "default": False},
            "keep_certs": {"type": "bool", "default": False},
            "allow_other_purposes": {"type": "bool", "default": False},
            "docker_host": {"type": "str"},
            "client": _client(),
            "start": {"type": "bool", "default": False},
            "verify": {"type": "bool", "default": False},
            "force": {"type": "bool", "default": False},
            "agent_timeout": {"type": "int", "default": 300},
            "wait_timeout": {"type": "int", "default": 5700},
            # Not a secret: this keeps its 80 KB out of logs and out of the shown arguments.
            "setup_program": {"type": "str", "no_log": True},
        },
        mutually_exclusive=[["virtual_machine", "virtual_machine_name"], ["virtual_machine", "resource_group"]],
        required_one_of=[["virtual_machine", "virtual_machine_name"]],
        required_by={"virtual_machine_name": ["resource_group"]},
    )
    return own.merge(azure_argument_spec())
