# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of docker_vm_host."""

from __future__ import annotations

from .._argspec import ArgumentSpec
from .._azure.argument_spec import azure_argument_spec
from .._extension.argument_spec import engine_option

DEFAULT_USER = "azureuser"
DEFAULT_KEY_PATH = "~/.ssh/docker_host_ed25519"
RESET = "default"
"""The value, or only entry of a list, with which an option has its default again."""
DEFAULT_SOURCES = ["Internet"]
DEFAULT_ACCESS = {"allowed_sources": DEFAULT_SOURCES, "ssh_allowed_sources": [], "open_ports": []}
DEFAULT_ADDRESS_SERVICE = "https://api.ipify.org"
DEFAULT_NETWORK = "10.0.0.0/16"
DEFAULT_DISK = "StandardSSD_LRS"
DISK_TYPES = ["Premium_LRS", "Premium_ZRS", "StandardSSD_LRS", "StandardSSD_ZRS", "Standard_LRS"]
RESETTABLE = [
    "admin_password",
    "availability_set",
    "custom_data",
    "enable_accelerated_networking",
    "eviction_policy",
    "max_price",
    "network_interface",
    "plan",
    "private_ip_address",
    "security_profile",
    "ssh_password_enabled",
    "ssh_public_keys",
    "user_data",
    "zone",
]
"""Options whose default no value of theirs stands for."""
REMOVABLE = [
    "all",
    "virtual_machine",
    "network_interface",
    "public_ip_address",
    "security_group",
    "disks",
    "virtual_network",
    "resource_group",
]

_HOST = ArgumentSpec(
    argument_spec={
        "name": {"type": "str", "required": True},
        "resource_group": {"type": "str", "required": True},
        "location": {"type": "str"},
        "state": {
            "type": "str",
            "default": "present",
            "choices": ["present", "started", "running", "stopped", "deallocated", "restarted", "absent"],
        },
        "tags": {"type": "dict"},
        "append_tags": {"type": "bool", "default": True},
        "reset": {"type": "list", "elements": "str", "default": [], "choices": RESETTABLE},
        "adopt": {"type": "bool", "default": False},
        "allow_stop": {"type": "bool", "default": False},
        "require_running": {"type": "bool", "default": False},
        "require_ssh": {"type": "bool", "default": False},
        "on_failure": {"type": "str", "default": "keep", "choices": ["keep", "remove"]},
        "remove_on_absent": {"type": "list", "elements": "str", "default": ["all"], "choices": REMOVABLE},
        "wait": {"type": "bool", "default": True},
        "wait_timeout": {"type": "int", "default": 1800},
        "preflight": {"type": "bool", "default": True},
    }
)

_MACHINE = ArgumentSpec(
    argument_spec={
        "vm_size": {"type": "str"},
        "image": {"type": "raw"},
        "plan": {
            "type": "dict",
            "options": {
                "name": {"type": "str", "required": True},
                "product": {"type": "str", "required": True},
                "publisher": {"type": "str", "required": True},
                "promotion_code": {"type": "str"},
            },
        },
        "admin_username": {"type": "str"},
        "admin_password": {"type": "str", "no_log": True},
        "ssh_public_keys": {"type": "list", "elements": "str", "no_log": False},
        "ssh_private_key_path": {"type": "path", "no_log": False},
        "ssh_password_enabled": {"type": "bool", "no_log": False},
        "zone": {"type": "str"},
        "availability_set": {"type": "str"},
        "proximity_placement_group": {"type": "str"},
        "priority": {"type": "str", "choices": ["Regular", "Spot"]},
        "eviction_policy": {"type": "str", "choices": ["Deallocate", "Delete"]},
        "max_price": {"type": "float"},
        "license_type": {"type": "str"},
        "boot_diagnostics": {"type": "bool"},
        "custom_data": {"type": "str", "no_log": True},
        "user_data": {"type": "str", "no_log": True},
        "engine": engine_option(),
        # Not a secret: this keeps its 160 KB out of logs and out of the shown arguments.
        "setup_program": {"type": "str", "no_log": True},
        "vm_identity": {
            "type": "dict",
            "options": {
                "type": {
                    "type": "str",
                    "required": True,
                    "choices": ["None", "SystemAssigned", "UserAssigned", "SystemAssigned, UserAssigned"],
                },
                "user_assigned_identities": {"type": "list", "elements": "str"},
            },
        },
        "security_profile": {
            "type": "dict",
            "options": {
                "security_type": {"type": "str", "choices": ["Standard", "TrustedLaunch"]},
                "secure_boot_enabled": {"type": "bool"},
                "v_tpm_enabled": {"type": "bool"},
                "encryption_at_host": {"type": "bool"},
            },
        },
        "managed_disk_type": {"type": "str", "choices": DISK_TYPES},
        "os_disk_size_gb": {"type": "int"},
        "ephemeral_os_disk": {"type": "bool"},
        "data_disks": {
            "type": "list",
            "elements": "dict",
            "options": {
                "lun": {"type": "int", "required": True},
                "disk_size_gb": {"type": "int", "required": True},
                "managed_disk_type": {"type": "str", "choices": DISK_TYPES},
                "caching": {"type": "str", "choices": ["None", "ReadOnly", "ReadWrite"]},
            },
        },
        "auto_shutdown": {
            "type": "dict",
            "options": {
                "enabled": {"type": "bool", "default": True},
                # Not str: YAML reads 19:00 as the number 1140, which would become another time.
                "time": {"type": "raw"},
                "time_zone": {"type": "str"},
                "notification_email": {"type": "str"},
                "notification_webhook": {"type": "str", "no_log": True},
                "notification_minutes": {"type": "int"},
            },
        },
    }
)

_NETWORK = ArgumentSpec(
    argument_spec={
        "docker_port": {"type": "int"},
        "allowed_sources": {"type": "list", "elements": "str"},
        "open_ports": {"type": "list", "elements": "raw"},
        "address_service": {"type": "str", "default": DEFAULT_ADDRESS_SERVICE},
        "ssh_port": {"type": "int"},
        "ssh_allowed_sources": {"type": "list", "elements": "str"},
        "address": {"type": "str"},
        "dns_names": {"type": "list", "elements": "str", "default": []},
        "ip_addresses": {"type": "list", "elements": "str", "default": []},
        "known_names": {
            "type": "dict",
            "options": {
                "id": {"type": "str", "required": True},
                "address": {"type": "str"},
                "dns_names": {"type": "list", "elements": "str"},
                "ip_addresses": {"type": "list", "elements": "str"},
            },
        },
        "assign_public_ip": {"type": "bool"},
        "public_ip_address": {"type": "str"},
        "assign_dns_label": {"type": "bool"},
        "dns_label": {"type": "str"},
        "virtual_network": {"type": "str"},
        "subnet_name": {"type": "str"},
        "virtual_network_prefix": {"type": "str"},
        "subnet_prefix": {"type": "str"},
        "security_group": {"type": "str"},
        "network_interface": {"type": "str"},
        "private_ip_address": {"type": "str"},
        "enable_accelerated_networking": {"type": "bool"},
    },
)

_GIVEN = "an existing interface has its own, and never changes"
_SHARED = "it is for the shared network, which is created only without another one"
# Pairs of options that contradict each other, and why.
EXCLUSIVE: tuple[tuple[str, str, str], ...] = (
    # NetworkInterfacePropertiesFormat and NetworkInterfaceIPConfigurationPropertiesFormat of the Network API: an
    # interface has its subnet, security group and addresses.
    ("network_interface", "virtual_network", _GIVEN),
    ("network_interface", "subnet_name", _GIVEN),
    ("network_interface", "security_group", _GIVEN),
    ("network_interface", "public_ip_address", _GIVEN),
    ("network_interface", "private_ip_address", _GIVEN),
    ("network_interface", "dns_label", _GIVEN),
    ("network_interface", "virtual_network_prefix", _GIVEN),
    ("network_interface", "subnet_prefix", _GIVEN),
    # PublicIPAddressPropertiesFormat.dnsSettings: the label belongs to the address.
    ("public_ip_address", "dns_label", "an existing address keeps its label"),
    # VirtualNetworkPropertiesFormat.addressSpace and subnets: a network has its addresses.
    ("virtual_network", "virtual_network_prefix", _SHARED),
    ("virtual_network", "subnet_prefix", _SHARED),
    # "Availability options for Azure Virtual Machines" (learn.microsoft.com): a set has no zone.
    ("zone", "availability_set", "Azure deploys no availability set to an availability zone"),
)

SPEC = azure_argument_spec().merge(_HOST, _MACHINE, _NETWORK)
