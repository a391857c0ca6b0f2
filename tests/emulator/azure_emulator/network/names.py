# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Types of the network provider."""

from __future__ import annotations

VNET = "Microsoft.Network/virtualNetworks"
SUBNET = "Microsoft.Network/virtualNetworks/subnets"
NSG = "Microsoft.Network/networkSecurityGroups"
RULE = "Microsoft.Network/networkSecurityGroups/securityRules"
DEFAULT_RULE = "Microsoft.Network/networkSecurityGroups/defaultSecurityRules"
PUBLIC_IP = "Microsoft.Network/publicIPAddresses"
NIC = "Microsoft.Network/networkInterfaces"
PEERING = "Microsoft.Network/virtualNetworks/virtualNetworkPeerings"
APPLICATION_GROUP = "Microsoft.Network/applicationSecurityGroups"
IP_CONFIGURATION = "Microsoft.Network/networkInterfaces/ipConfigurations"
