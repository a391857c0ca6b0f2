# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The keys of the result ``host`` of docker_vm_host, which other modules accept as it is."""

from __future__ import annotations

HOST_KEYS = (
    "name",
    "resource_group",
    "subscription_id",
    "location",
    "id",
    "vm_size",
    "power_state",
    "fqdn",
    "public_ip_address",
    "private_ip_address",
    "dns_names",
    "ip_addresses",
    "docker_port",
    "docker_host",
    "ssh_port",
    "ssh_url",
    "admin_username",
    "tags",
    "resources",
    "unknown",
)
