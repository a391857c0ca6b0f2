# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Types of the compute provider."""

from __future__ import annotations

VM = "Microsoft.Compute/virtualMachines"
EXTENSION = "Microsoft.Compute/virtualMachines/extensions"
RUN_COMMAND = "Microsoft.Compute/virtualMachines/runCommands"
DISK = "Microsoft.Compute/disks"
SNAPSHOT = "Microsoft.Compute/snapshots"
LOCATION = "Microsoft.Compute/locations"
AVAILABILITY_SET = "Microsoft.Compute/availabilitySets"
PLACEMENT_GROUP = "Microsoft.Compute/proximityPlacementGroups"
SSH_KEY = "Microsoft.Compute/sshPublicKeys"
IMAGE = "Microsoft.Compute/images"
GALLERY = "Microsoft.Compute/galleries"
GALLERY_IMAGE = "Microsoft.Compute/galleries/images"
GALLERY_VERSION = "Microsoft.Compute/galleries/images/versions"
