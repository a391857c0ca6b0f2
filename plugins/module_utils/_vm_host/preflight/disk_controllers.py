# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The disk controllers of sizes, images and VMs: most sizes of generation 6 and later boot from NVMe only.

A size, or an image, that does not name its controllers has SCSI only (Azure/SAP-on-Azure-Scripts-and-Utilities#131,
kubernetes-sigs/image-builder#1875). Azure takes the one that both support ("Enable NVMe and SCSI interface on virtual
machine", learn.microsoft.com). It refuses the VM if there is none, after its network was created.
"""

from __future__ import annotations

from ..._azure.wire import Json, dig
from ..._errors import OptionError
from ..bodies.virtual_machine import image_of
from ..desired.host_spec import HostSpec
from .sizes import Size, image_controllers, read_controllers


def check_image_controllers(desired: HostSpec, size: Size, image: Json | None) -> None:
    """Refuse a size that cannot boot from the image's disk controllers.

    :raises OptionError: they have none in common.
    """
    supported = image_controllers(image)
    if supported and not supported & size.controllers:
        raise OptionError(
            "image",
            f"{image_of(desired)} supports only the disk controller {_shown(supported)}, but the size {size.name}"
            f" supports only {_shown(size.controllers)}: choose another O(vm_size), or an image whose feature"
            " DiskControllerTypes has it",
        )


def check_machine_controller(desired: HostSpec, size: Size, machine: Json, before: Size | None) -> None:
    """Refuse a new size that does not have the disk controller of an existing VM.

    :param before: the size that the VM has now, None if it is unknown.
    :raises OptionError: it does not.
    """
    shown = dig(machine, "properties", "storageProfile", "diskControllerType")
    present = read_controllers(str(shown)) if shown else before.controllers if before else size.controllers
    if not present & size.controllers:
        raise OptionError(
            "vm_size",
            f"must support the disk controller {_shown(present)} of {desired.name}, but {size.name} supports only"
            f" {_shown(size.controllers)}: choose another size, or convert the VM first"
            " (learn.microsoft.com/azure/virtual-machines/nvme-linux)",
        )


def _shown(controllers: frozenset[str]) -> str:
    names = {"scsi": "SCSI", "nvme": "NVMe"}
    return ", ".join(names.get(name, name) for name in sorted(controllers))
