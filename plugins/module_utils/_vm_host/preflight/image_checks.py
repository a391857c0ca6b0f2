# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check what Azure answers about an image: its system, plan, disk, and whether its publisher withdraws it."""

from __future__ import annotations

from ..._azure.wire import Json, properties_of
from ..._errors import OptionError
from ..bodies.virtual_machine import image_of
from ..desired.host_spec import HostSpec
from ..desired.image_reference import registration_of


def check_registration(desired: HostSpec) -> None:
    """Refuse an image whose VM would have no package sources, because nothing registers it.

    :raises OptionError: it is such an image, and no custom data could register the VM.
    """
    registration = registration_of(image_of(desired))
    if registration and not desired.custom_data:
        program, paid = registration
        raise OptionError(
            "image",
            f"has no package sources before the VM is registered with a subscription of your own: register it in"
            f" O(custom_data) ({program}), use an image with a subscription ({paid}), or set O(preflight=false) and"
            " register the VM before Docker is installed",
        )


def notes_on_image(desired: HostSpec, image: Json | None) -> tuple[str, ...]:
    """Return a warning for an image that Azure withdraws (ImageDeprecationStatus of the Compute API)."""
    status = properties_of(image).get("imageDeprecationStatus") or {}
    state = str(status.get("imageState") or "Active")
    if state == "Active":
        return ()
    when = f" on {str(status['scheduledDeprecationTime'])[:10]}" if status.get("scheduledDeprecationTime") else ""
    other = (status.get("alternativeOption") or {}).get("value")
    instead = f"Azure suggests {other}" if other else "docker_vm_image_info lists others"
    is_over = state == "Deprecated"
    text = "has withdrawn this image, so that new hosts may fail" if is_over else f"will withdraw this image{when}"
    return (f"O(image): the publisher of {image_of(desired)} {text}: choose another one; {instead}.",)


def check_image(desired: HostSpec, image: Json) -> None:
    """Refuse an image that does not suit the host.

    :param image: as the Compute API describes it.
    :raises OptionError: it is not for Linux, needs another plan, or is larger than the OS disk.
    """
    properties = properties_of(image)
    system = (properties.get("osDiskImage") or {}).get("operatingSystem") or (
        (properties.get("storageProfile") or {}).get("osDisk") or {}
    ).get("osType")
    if system and str(system).lower() != "linux":
        raise OptionError("image", f"must be a Linux image, but {image_of(desired)} is {system}")
    _check_plan(desired, properties.get("plan"))
    of_image, asked = image_disk_size(image), desired.os_disk.size_gb
    # "Error messages for VM creation": the OS disk has at least the size of the image's.
    if asked and asked < of_image:
        raise OptionError(
            "os_disk_size_gb",
            f"must be {of_image} to 4095 GiB for {image_of(desired)}, got {asked}",
        )


def image_disk_size(image: Json | None) -> int:
    """Return the size of an image's OS disk in GiB, 0 if it is unknown."""
    disk = properties_of(image).get("osDiskImage") or {}
    # Azure answers one or both, of which its specification knows neither.
    return int(disk.get("sizeInGb") or int(disk.get("sizeInBytes") or 0) // 2**30)


def _check_plan(desired: HostSpec, plan: Json | None) -> None:
    """Check the plan of an image that is sold, which its VMs must name (PurchasePlan of the Compute API)."""
    image = image_of(desired)
    if plan and not desired.plan:
        raise OptionError(
            "plan",
            f"is required for {image}: set name {plan.get('name')}, product {plan.get('product')},"
            f" publisher {plan.get('publisher')}, and accept its terms once (`az vm image terms accept --publisher"
            f" {plan.get('publisher')} --offer {plan.get('product')} --plan {plan.get('name')}`).",
        )
    if not desired.plan:
        return
    keys = ("publisher", "product", "name")
    asked = ":".join(desired.plan[key] for key in keys)
    if plan and any(plan.get(key) != desired.plan[key] for key in keys):
        shown = ":".join(str(plan.get(key)) for key in keys)
        raise OptionError("plan", f"must be {shown} (publisher:product:name) for {image}, got {asked}")
    # A custom image may be created from one that is sold, without saying so.
    if not plan and image.is_platform:
        raise OptionError("plan", f"must be left out, because {image} has no plan, got {asked}")
