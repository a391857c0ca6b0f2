# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check Azure's answers about size, image, quota and DNS label before anything is created.

What the identity may not read is not checked: Azure checks it when the host is created.
"""

from __future__ import annotations

import typing as t
from dataclasses import replace

from ..._azure.clients import AzureSession
from ..._azure.errors import AzureError
from ..._azure.wire import Json, properties_of
from ..._errors import DockerHostError, OptionError
from ..argument_spec import DISK_TYPES
from ..bodies.virtual_machine import Findings, image_of, size_of
from ..desired.host_spec import HostSpec
from ..desired.image_reference import registration_of
from ..desired.vm_sizes import default_sizes
from .disk_controllers import check_image_controllers, check_machine_controller
from .queries import Answers, query_sizes, query_usages
from .sizes import Size, find_size, is_size, similar_sizes, size_named, sizes_in

# GiB; no Linux image of the marketplace is smaller.
_LEAST_DISK = 30
_NO_ROOM = frozenset(
    (
        "AllocationFailed",
        "OverconstrainedAllocationRequest",
        "OverconstrainedZonalAllocationRequest",
        "SkuNotAvailable",
        "ZonalAllocationFailed",
    )
)


def check_answers(desired: HostSpec, location: str, answers: Answers) -> Findings:
    """Refuse what Azure would refuse, and return the size of the new VM and what it allows.

    :raises OptionError: the first option that Azure would refuse; the text says what is possible.
    """
    _check_problems(desired, location, answers)
    return replace(_check_sizes(desired, location, answers), notes=_notes_on_image(desired, answers.image))


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
            f" custom_data ({program}), use an image with a subscription ({paid}), or set preflight=false and register"
            " the VM before Docker is installed",
        )


def _check_sizes(desired: HostSpec, location: str, answers: Answers) -> Findings:
    if answers.sizes is None:
        return Findings(desired.vm_size or _default_sizes(desired, answers)[0])
    _check_disk_types(desired, location, answers.sizes)
    if desired.vm_size:
        return _check_size(desired, location, answers, answers.sizes)
    return _choose_size(desired, location, answers, answers.sizes)


def _notes_on_image(desired: HostSpec, image: Json | None) -> tuple[str, ...]:
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


def _default_sizes(desired: HostSpec, answers: Answers) -> tuple[str, ...]:
    return default_sizes(image_of(desired), str(properties_of(answers.image).get("architecture") or ""))


def _choose_size(desired: HostSpec, location: str, answers: Answers, entries: list[Json]) -> Findings:
    """Return the first default size that region, zone, image, the other options and the quota allow.

    :raises OptionError: none of them; the text says why.
    """
    problems: dict[str, OptionError] = {}
    for name in _default_sizes(desired, answers):
        try:
            return _check_size(replace(desired, vm_size=name), location, answers, entries)
        except OptionError as error:
            problems[name] = error
    raise _no_default_size(desired, location, answers, problems)


def _no_default_size(
    desired: HostSpec, location: str, answers: Answers, problems: t.Mapping[str, OptionError]
) -> OptionError:
    """Return the error for a host that none of the default sizes suits."""
    first = next(iter(problems.values()))
    # What one size lacks, others may offer; what all that exist lack is a matter of that option.
    lacking = [error for error in problems.values() if error.option not in ("vm_size", "zone", "image")]
    if lacking:
        return lacking[0]
    if all(error.option == first.option != "vm_size" for error in problems.values()):
        return first
    reasons: dict[str, list[str]] = {}
    for name, error in problems.items():
        reasons.setdefault(error.problem.partition(". ")[0].replace(name, "").strip(), []).append(name)
    shown = "; ".join(f"{', '.join(names)}: {reason}" for reason, names in reasons.items())
    sizes = sizes_in(location, answers.sizes or [])
    similar = next((size for size in sizes if size.name in problems), None)
    others = [size for size in sizes if size.name not in problems]
    available = similar_sizes(next(iter(problems)), similar, others, desired.zone, answers.image)
    return OptionError(
        "vm_size",
        f"must be set, because none of the default sizes can be deployed in {location}. {shown}. Available are"
        f" {available}.",
    )


def _check_size(desired: HostSpec, location: str, answers: Answers, entries: list[Json]) -> Findings:
    """Refuse a size that Azure would refuse for this host, and return what it allows.

    :raises OptionError: the first option that the size does not suit.
    """
    size = find_size(desired, location, entries, desired.zone, answers.image)
    _check_fit(desired, size, answers.image)
    check_image_controllers(desired, size, answers.image)
    _check_capabilities(desired, size)
    trusted = _allows_trusted_launch(size, answers.image)
    _check_security(desired, size, answers.image, trusted)
    _check_ephemeral(desired, size, answers.image, trusted)
    if answers.usages is not None:
        _check_quota(location, size, answers.usages, desired.spot.is_spot)
    return Findings(size.name, trusted, accelerated_networking=_allows_accelerated_networking(size, answers.image))


def _check_problems(desired: HostSpec, location: str, answers: Answers) -> None:
    """Refuse what Azure does not have."""
    if answers.sizes is not None and not any(map(is_size, answers.sizes)):
        raise OptionError(
            "location",
            f"must be a region of this subscription, got {location}: `az account list-locations` lists them",
        )
    for option, problem in answers.reference_problems:
        raise OptionError(option, problem)
    if answers.label_problem:
        raise OptionError("dns_label", answers.label_problem)
    if answers.image_problem:
        raise OptionError("image", answers.image_problem)
    if answers.image:
        _check_image(desired, answers.image)
    if answers.terms_problem:
        raise OptionError("plan", answers.terms_problem)


def _check_image(desired: HostSpec, image: Json) -> None:
    properties = properties_of(image)
    system = (properties.get("osDiskImage") or {}).get("operatingSystem") or (
        (properties.get("storageProfile") or {}).get("osDisk") or {}
    ).get("osType")
    if system and str(system).lower() != "linux":
        raise OptionError("image", f"must be a Linux image, but {image_of(desired)} is {system}")
    _check_plan(desired, properties.get("plan"))
    of_image, asked = _check_image_disk(image), desired.os_disk.size_gb
    # "Error messages for VM creation": the OS disk has at least the size of the image's.
    if asked and asked < of_image:
        raise OptionError(
            "os_disk_size_gb",
            f"must be {of_image} to 4095 GiB for {image_of(desired)}, got {asked}",
        )


def _check_image_disk(image: Json | None) -> int:
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


def suggest_alternatives(session: AzureSession, desired: HostSpec, location: str, error: DockerHostError) -> str:
    """Return alternatives after Azure refused a size or a quota was used up; empty if there are none.

    :param error: why the run failed.
    """
    if not isinstance(error, AzureError):
        return ""
    try:
        codes = {error.code, *error.error.detail_codes}
        if codes & _NO_ROOM:
            sizes = sizes_in(location, query_sizes(session, location) or [])
            match = next((size for size in sizes if size.name.lower() == size_of(desired).lower()), None)
            others = [size for size in sizes if size is not match]
            return (
                f"Similar sizes in {location}: {similar_sizes(size_of(desired), match, others, desired.zone)}."
                if others
                else ""
            )
        if codes & {"OperationNotAllowed", "QuotaExceeded"} and "quota" in error.error.message.lower():
            rows = [_shown_usage(usage) for usage in query_usages(session, location) or [] if usage.get("currentValue")]
            return f"In use in {location}: {', '.join(rows)}." if rows else ""
    except DockerHostError:
        return ""
    return ""


def _shown_usage(usage: Json) -> str:
    name = usage.get("name") or {}
    return f"{name.get('localizedValue') or name.get('value')} {usage.get('currentValue')} of {usage.get('limit')}"


def _check_fit(desired: HostSpec, size: Size, image: Json | None) -> None:
    properties = properties_of(image)
    generation = str(properties.get("hyperVGeneration") or "")
    generations = [text.strip() for text in size.capabilities.get("HyperVGenerations", "").split(",") if text.strip()]
    if generation and generations and generation not in generations:
        raise OptionError(
            "image",
            f"{image_of(desired)} is of generation {generation}, but the size {size.name} supports only"
            f" {', '.join(generations)}: choose another image or vm_size.",
        )
    architecture = str(properties.get("architecture") or "").lower()
    processor = size.capabilities.get("CpuArchitectureType", "").lower()
    if architecture and processor and architecture != processor:
        raise OptionError(
            "image", f"{image_of(desired)} is for {architecture}, but the size {size.name} is {processor}."
        )


def _check_capabilities(desired: HostSpec, size: Size) -> None:
    kinds = [desired.os_disk.kind, *(disk.kind for disk in desired.data_disks)]
    security = desired.security
    checks = (
        ("managed_disk_type", any(str(kind).startswith("Premium") for kind in kinds), "PremiumIO"),
        ("ephemeral_os_disk", desired.os_disk.ephemeral, "EphemeralOSDiskSupported"),
        ("enable_accelerated_networking", desired.network.accelerated_networking, "AcceleratedNetworkingEnabled"),
        ("priority", desired.spot.is_spot, "LowPriorityCapable"),
        ("security_profile", security.encryption_at_host, "EncryptionAtHostSupported"),
    )
    for option, asked, capability in checks:
        if asked and size.denies(capability):
            raise OptionError(option, f"is not supported by the size {size.name} ({capability} is False)")
    limit = size.number("MaxDataDiskCount")
    if limit and len(desired.data_disks) > limit:
        raise OptionError(
            "data_disks", f"must be at most {limit:.0f} disks with the size {size.name}, got {len(desired.data_disks)}"
        )
    if security.security_type == "TrustedLaunch" and size.has("TrustedLaunchDisabled"):
        raise OptionError(
            "security_profile.security_type", f"must not be TrustedLaunch, which the size {size.name} does not support"
        )


def _check_security(desired: HostSpec, size: Size, image: Json | None, possible: bool) -> None:
    profile = desired.security
    for option in ("security_type", "secure_boot_enabled", "v_tpm_enabled"):
        value = getattr(profile, option)
        if image and not possible and value in ("TrustedLaunch", True):
            raise OptionError(
                f"security_profile.{option}",
                f"{value} needs Trusted Launch, which the image {image_of(desired)} and the size {size.name} do not"
                " support together. Choose a generation 2 image that supports it, or another size, or leave the"
                " option out",
            )


def _check_ephemeral(desired: HostSpec, size: Size, image: Json | None, trusted: bool) -> None:
    """Check that an ephemeral OS disk fits into the size's cache, or onto its temporary disk.

    "Ephemeral OS disks" (learn.microsoft.com): with Trusted Launch, Azure reserves one GiB of it.
    """
    if not desired.os_disk.ephemeral:
        return
    cache, temporary = size.number("CachedDiskBytes") / 2**30, size.number("MaxResourceVolumeMB") / 1024
    if not cache and not temporary:
        return
    asked = desired.security.security_type
    room = int(cache or temporary) - int(trusted and asked != "Standard")
    needed = desired.os_disk.size_gb or _check_image_disk(image) or _LEAST_DISK
    if needed > room:
        raise OptionError(
            "ephemeral_os_disk",
            f"needs {needed} GiB, but the size {size.name} has only {room}: choose a larger O(vm_size)"
            + (" or a smaller O(os_disk_size_gb)" if desired.os_disk.size_gb else ""),
        )


def check_change(
    desired: HostSpec, location: str, entries: list[Json] | None, current: Json, usages: list[Json] | None = None
) -> Findings:
    """Refuse changes of a VM that its current or desired size does not allow, and return what another size allows.

    :param entries: items of ``Microsoft.Compute/skus``, None if they are unknown.
    :param usages: use and limits in the region, None when one may not ask.
    :param current: the VM.
    :raises OptionError: the first option that the size does not suit.
    """
    properties = properties_of(current)
    before = str((properties.get("hardwareProfile") or {}).get("vmSize"))
    if entries is None:
        return Findings()
    known = size_named(before, location, entries)
    if not desired.vm_size or desired.vm_size.lower() == before.lower():
        if known:
            _check_capabilities(desired, known)
        return Findings()
    size = find_size(desired, location, entries, next(iter(current.get("zones") or []), None))
    _check_boots(desired, size, current, known)
    if known:
        _check_quota(location, size, usages or [], properties.get("priority") == "Spot", known)
    _check_capabilities(desired, size)
    return Findings(accelerated_networking=_allows_accelerated_networking(size, None))


def _check_boots(desired: HostSpec, size: Size, current: Json, before: Size | None) -> None:
    """Refuse a size on which an existing VM cannot boot.

    :param before: the size that the VM has now, None if it is unknown.
    :raises OptionError: the size does not suit the VM.
    """
    properties = properties_of(current)
    generation = (properties.get("instanceView") or {}).get("hyperVGeneration")
    allowed = size.capabilities.get("HyperVGenerations", "")
    if generation and allowed and generation not in allowed:
        raise OptionError(
            "vm_size",
            f"{desired.name} is of generation {generation}, but the size {size.name} supports only {allowed}",
        )
    if before and before.processor and size.processor not in ("", before.processor):
        raise OptionError(
            "vm_size",
            f"must be a size for the architecture {before.processor} of {desired.name}, but {size.name} is"
            f" {size.processor}",
        )
    check_machine_controller(desired, size, current, before)
    trusted = (properties.get("securityProfile") or {}).get("securityType") == "TrustedLaunch"
    if trusted and size.has("TrustedLaunchDisabled"):
        raise OptionError("vm_size", f"{desired.name} has Trusted Launch, which the size {size.name} does not support")


def _check_disk_types(desired: HostSpec, location: str, entries: list[Json]) -> None:
    """Check that the region has the disk types: "Redundancy options for managed disks" (learn.microsoft.com)."""
    there = sorted({str(entry.get("name")) for entry in entries if entry.get("resourceType") == "disks"})
    asked = [("managed_disk_type", desired.os_disk.kind)]
    asked += [(f"data_disks[lun {disk.lun}].managed_disk_type", disk.kind) for disk in desired.data_disks]
    for option, kind in asked:
        if there and kind and kind not in there:
            possible = ", ".join(name for name in DISK_TYPES if name in there)
            raise OptionError(option, f"must be available in {location} ({possible}), got {kind}")


def _check_quota(location: str, size: Size, usages: list[Json], spot: bool, before: Size | None = None) -> None:
    """Refuse a size beyond the quota.

    "Check vCPU quotas" (learn.microsoft.com): of the region and of the size's family; spot VMs have their own.

    :param before: the size that the VM has now: its vCPUs are in use already.
    """
    names = ["lowPriorityCores"] if spot else ["cores", size.family]
    for usage in usages:
        name = usage.get("name") or {}
        if str(name.get("value")).lower() not in [entry.lower() for entry in names]:
            continue
        same = before and (before.family == size.family or str(name.get("value")).lower() != size.family.lower())
        needed = size.number("vCPUs") - (before.number("vCPUs") if before and same else 0)
        used, limit = float(usage.get("currentValue") or 0), float(usage.get("limit") or 0)
        # A limit below 0 means that there is none.
        if needed > 0 and 0 <= limit < used + needed:
            shown = name.get("localizedValue") or name.get("value")
            more = " more" if before and same else ""
            raise OptionError(
                "vm_size",
                f"{size.name} needs {needed:.0f}{more} vCPUs, but {used:.0f} of {limit:.0f} {shown}"
                f" in {location} are used. Choose a smaller size, another family or location, or ask for a"
                " higher quota.",
            )


def _allows_accelerated_networking(size: Size, image: Json | None) -> bool | None:
    """Return whether size and image allow accelerated networking, None if Azure does not say it of the size.

    An image that says nothing about it allows it ("Create an Azure Image Builder and gallery image definition").
    """
    features = {str(item.get("name")): str(item.get("value")) for item in properties_of(image).get("features") or []}
    if features.get("IsAcceleratedNetworkSupported", "").lower() == "false":
        return False
    said = size.capabilities.get("AcceleratedNetworkingEnabled")
    return None if said is None else said.lower() == "true"


def _allows_trusted_launch(size: Size, image: Json | None) -> bool:
    features = {str(item.get("name")): str(item.get("value")) for item in properties_of(image).get("features") or []}
    if "TrustedLaunch" not in features.get("SecurityType", ""):
        return False
    return "V2" in size.generations and not size.has("TrustedLaunchDisabled")
