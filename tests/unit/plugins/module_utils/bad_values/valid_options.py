# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options that are valid, and what a bad value needs beside it to be the only error."""

from __future__ import annotations

import typing as t

from .modules import Options

GUID = "00000000-0000-0000-0000-000000000000"
VM = f"/subscriptions/{GUID}/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/web1"

AZURE: Options = {"auth_source": "env"}
VALID: dict[str, Options] = {
    "docker_vm_host": {**AZURE, "name": "web1", "resource_group": "g", "setup_program": "#"},
    "docker_vm_host_info": {**AZURE, "name": "web1", "resource_group": "g"},
    "docker_vm_image_info": {**AZURE, "location": "westeurope"},
    "docker_vm_extension": {**AZURE, "virtual_machine": VM, "setup_program": "#"},
    "docker_tls_certs": {"cert_dir": "{directory}"},
    "docker_tls_certs_info": {"cert_dir": "{directory}"},
    "docker_context": {"name": "web1", "docker_host": "tcp://127.0.0.1:4243", "docker_config": "{directory}"},
    "docker_context_info": {"docker_config": "{directory}"},
    "docker_endpoint_info": {"docker_host": "tcp://127.0.0.1:1", "wait": False},
    "docker_host_validate": {"name": "web1", "stages": {}},
    "docker_host_facts": {"name": "web1", "host": {"docker_host": "tcp://127.0.0.1:4243"}},
}
"""Options that are valid, to which each test adds one that is not."""

CONTAINERS: dict[str, t.Any] = {
    "plan": {"name": "a", "product": "b", "publisher": "c"},
    "vm_identity": {"type": "UserAssigned", "user_assigned_identities": ["one"]},
    "security_profile": {},
    "known_names": {"id": "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/web1"},
    "data_disks[0]": {"lun": 0, "disk_size_gb": 8},
    "auto_shutdown": {"time": "19:00"},
    "docker": {},
    "docker.proxies": {},
    "docker.data_disk": {},
    "engine": {},
    "certs": {},
    "client": {},
    "tls": {},
    "logins[0]": {"username": "me", "password": "secret"},
    "compose[0].content": {"name": "app"},
    "compose[0].path": {"name": "app"},
    "compose[0]": {"name": "app", "definition": {"services": {}}},
    "signed_certificates[0]": {},
    "client_requests[0].content": {"name": "anna"},
    "client_requests[0].path": {"name": "anna"},
    "client_requests[0]": {"name": "anna", "path": "anna.csr"},
    "host_trust[0]": {"name": "web1", "ca_fingerprints": ["a" * 64]},
}
"""What is around a suboption for it to be the only error."""

COMPANIONS: dict[str, Options] = {
    "profile": {"auth_source": "credential_file"},
    "thumbprint": {"x509_certificate_path": __file__},
    "virtual_machine_name": {"virtual_machine": None, "resource_group": "g"},
    "docker_vm_extension.resource_group": {"virtual_machine": None, "virtual_machine_name": "web1"},
    "docker_vm_host.setup_program": {"engine": {"at_boot": True}},
    "docker_vm_image_info.offer": {"publisher": "a"},
    "docker_vm_image_info.sku": {"publisher": "a", "offer": "b"},
    "docker_context.host": {"docker_host": None},
    "docker_context.client_cert": {"client_key": __file__},
    "docker_context.client_key": {"client_cert": __file__},
    "docker_context.ssh_host_keys": {"docker_host": "ssh://me@127.0.0.1"},
    "docker_context.tls": {"tls": {"ca_path": __file__, "client_cert": __file__, "client_key": __file__}},
    "docker_endpoint_info.tls_hostname": {"validate_certs": True},
    "docker_endpoint_info.ca_path": {"validate_certs": True},
    "docker_endpoint_info.client_cert": {"validate_certs": True, "client_key": __file__},
    "docker_endpoint_info.client_key": {"validate_certs": True, "client_cert": __file__},
}
"""What an option needs beside it; None removes an option of :data:`VALID`."""
