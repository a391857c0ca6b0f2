# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Azure's side of the agent's protocols: the WireServer, the host's plugin and the metadata service.

Inside every virtual network they answer at 168.63.129.16 and 169.254.169.254, where Microsoft's unmodified agent
expects them. A machine is known by its network and its address.
"""
