# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What makes a guest look like a virtual machine of Azure's to the unmodified cloud-init, and Debian's settings for it.

cloud-init does not read the firmware's tables in a container, so these files hide the container from it, and stand in
for the firmware: everything in the guest that looks at PATH or at the environment of PID 1 sees a virtual machine of
Microsoft's. systemd itself, and with it the conditions of units, knows better.
"""

from __future__ import annotations

#: Below the root of the guest; made by the host before it boots.
VM_ID = "run/azure-fabric/vm-id"
#: The chassis of every virtual machine on Azure ("asset tag", cloud-init's ``ds-identify``).
CHASSIS = "7783-7084-3265-9085-8269-3286-77"

FILES = {
    # As Debian's images for Azure, except for locale, network and root: an overlay cannot be resized.
    "etc/cloud/cloud.cfg.d/90_azure.cfg": """datasource_list: [Azure]
manage_etc_hosts: true
apt: {preserve_sources_list: true}
locale: C.UTF-8
network: {config: disabled}
resize_rootfs: false
""",
    "etc/cloud/ds-identify.cfg": "policy: enabled\n",
    "etc/systemd/network/10-eth0.network": "[Match]\nName=eth0\n\n[Network]\nDHCP=ipv4\n",
    "etc/systemd/network/20-others.network": """[Match]
Name=eth*

[Network]
DHCP=ipv4

[DHCPv4]
RouteMetric=2048

[Link]
RequiredForOnline=no
""",
}

PROGRAMS = {
    "usr/local/bin/systemd-detect-virt": """#!/bin/sh
for word in "$@"; do
  case $word in
    --quiet | -q) exec >/dev/null ;;
    --container | -c) echo none; exit 1 ;;
  esac
done
echo microsoft
""",
    "usr/local/sbin/dmidecode": f"""#!/bin/sh
case "$*" in
  *system-uuid*) cat /{VM_ID} ;;
  *chassis-asset-tag*) echo {CHASSIS} ;;
  *system-manufacturer* | *chassis-manufacturer*) echo 'Microsoft Corporation' ;;
  *system-product-name*) echo 'Virtual Machine' ;;
esac
""",
}

UNITS = {
    "azure-firmware.service": """[Unit]
Description=Hide from cloud-init that this is a container
DefaultDependencies=no
Before=cloud-init-main.service cloud-init-local.service

[Service]
Type=oneshot
ExecStart=/bin/mount --bind /dev/null /proc/1/environ

[Install]
WantedBy=sysinit.target
""",
    "azure-provisioned.service": """[Unit]
Description=Note that this machine is provisioned
After=cloud-init.service cloud-init-network.service
Before=walinuxagent.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -c 'mkdir -p /run/azure && touch /run/azure/provisioned'

[Install]
WantedBy=multi-user.target
""",
}

#: Units of the tree that run besides, below the target that wants them.
ENABLED = {
    "systemd-networkd.service": "multi-user.target",
    "systemd-networkd-wait-online.service": "network-online.target",
}
