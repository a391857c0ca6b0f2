# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The provisioning media: ``ovf-env.xml``, which Azure gives to a new VM on a virtual DVD.

Its members are those that cloud-init (``OvfEnvXml`` of ``sources/helpers/azure.py``) and the agent
(``protocol/ovfenv.py``) read. cloud-init finds the file also in its seed directory, before the DVD, so that no kernel
needs iso9660 or udf.
"""

from __future__ import annotations

import base64
from xml.etree import ElementTree

from azure_emulator.machines.base import MachineSpec

#: Below the root of the guest's disk.
SEED = "var/lib/cloud/seed/azure"
_OVF = "http://schemas.dmtf.org/ovf/environment/1"
_AZURE = "http://schemas.microsoft.com/windowsazure"


def ovf_environment(spec: MachineSpec) -> bytes:
    """Return the file for a machine. It contains the password and the custom data."""
    root = ElementTree.Element(f"{{{_OVF}}}Environment")
    section = _below(root, "ProvisioningSection")
    _below(section, "Version", "1.0")
    settings = _below(section, "LinuxProvisioningConfigurationSet")
    _below(settings, "ConfigurationSetType", "LinuxProvisioningConfiguration")
    _below(settings, "HostName", spec.computer_name)
    _below(settings, "UserName", spec.admin_username)
    if spec.admin_password:
        _below(settings, "UserPassword", spec.admin_password)
    _below(settings, "DisableSshPasswordAuthentication", str(spec.disable_password_authentication).lower())
    keys = _below(_below(settings, "SSH"), "PublicKeys")
    for key in spec.ssh_public_keys:
        entry = _below(keys, "PublicKey")
        _below(entry, "Path", f"/home/{spec.admin_username}/.ssh/authorized_keys")
        _below(entry, "Value", key)
    if spec.custom_data:
        _below(settings, "CustomData", base64.b64encode(spec.custom_data).decode("ascii"))
    section = _below(root, "PlatformSettingsSection")
    _below(section, "Version", "1.0")
    platform = _below(section, "PlatformSettings")
    _below(platform, "ProvisionGuestAgent", str(spec.provision_agent).lower())
    _below(platform, "PreprovisionedVm", "false")
    text: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return text


def _below(parent: ElementTree.Element, name: str, text: str | None = None) -> ElementTree.Element:
    made = ElementTree.SubElement(parent, f"{{{_AZURE}}}{name}")
    made.text = text
    return made
