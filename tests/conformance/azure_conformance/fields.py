# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which member Azure's answers carry since when: it excuses differences from older records, field by field.

The local Azure answers every api-version with the members of the newest that it serves. A member that a record lacks
is excused when the record was asked for with an older api-version, or was made before the member appeared; one that
only the record has, when Azure has stopped sending it since. The api-version in a recorded URL alone does not tell:
some recorders rewrote it later, and providers add members to old api-versions; so the day counts too.
"""

from __future__ import annotations

import datetime
import fnmatch
import typing as t
from dataclasses import dataclass

from .records import Interaction

Side = t.Literal["extra", "missing", "type", "value", "count"]
CATALOGUE_CONTENT = "catalogue: which entries there are is data, the form of an entry is compared"


@dataclass(frozen=True)
class Moment:
    """When a record was made, and for which api-version."""

    api_version: str
    date: datetime.date | None

    def before(self, version: str, day: str) -> bool:
        """Return whether it is older than an api-version, or was made before a day (either may be empty)."""
        old = bool(version and self.api_version and self.api_version < version)
        return old or bool(day and self.date and self.date < datetime.date.fromisoformat(day))


@dataclass(frozen=True)
class Rule:
    """A rule about one member of one type.

    :param kinds: resource types (short, lower case), with ``*``; several with blanks.
    :param path: the way from the resource to the member, with ``*``; ``#name`` is a header.
    :param added: api-version and day since which answers carry it (day may be left out).
    :param dropped: day since which answers do not carry it any more (unless the request sets it).
    :param changed: api-version and day since which answers carry its value in another form.
    :param either: a side on which the difference means nothing at any time.
    """

    kinds: str
    path: str
    why: str = ""
    added: tuple[str, str] = ("", "")
    dropped: str = ""
    changed: tuple[str, str] = ("", "")
    either: tuple[Side, ...] = ()

    def fits(self, kind: str, path: str) -> bool:
        """Return whether the rule is about this member."""
        return fnmatch.fnmatchcase(path, self.path) and any(fnmatch.fnmatchcase(kind, k) for k in self.kinds.split())

    def excuse(self, side: Side, moment: Moment) -> str | None:
        """Return why a difference on this side is acceptable; None if it is not."""
        if side in self.either:
            return self._text("")
        if side == "extra" and any(self.added) and moment.before(*self.added):
            version, day = self.added
            words = [version and f"api-version {version}", day if day != version else ""]
            return self._text(f"in answers since {', '.join(filter(None, words))}")
        if side in ("value", "count") and any(self.changed) and moment.before(*self.changed):
            return self._text(f"another value since {self.changed[1]}")
        if side == "missing" and self.dropped and moment.before("", self.dropped):
            return self._text(f"no longer in answers since {self.dropped}")
        if side == "extra" and self.dropped and moment.date and not moment.before("", self.dropped):
            return self._text(f"no longer in answers since {self.dropped}")
        return None

    def _text(self, since: str) -> str:
        kind = self.kinds.split()[0]
        subject = " ".join(filter(None, [LABELS.get(kind, kind), self.path.lstrip("#*")]))
        return f"{subject}: {since} ({self.why})" if since and self.why else f"{subject}: {since or self.why}"


def _since(kinds: str, version: str, day: str, *paths: str, why: str = "") -> list[Rule]:
    return [Rule(kinds, path, why, added=(version, day)) for path in paths]


_NIC = "network/networkinterfaces"
_IP_CONFIG = "network/networkinterfaces/ipconfigurations"
_PIP = "network/publicipaddresses"
_VNET = "network/virtualnetworks"
_SUBNET = "network/virtualnetworks/subnets"
_NSG = "network/networksecuritygroups"
_RULE = "network/networksecuritygroups/securityrules network/networksecuritygroups/defaultsecurityrules"
_VM = "compute/virtualmachines"
_VIEW = "compute/virtualmachines/instanceview"
_LINUX = "properties.osProfile.linuxConfiguration"
_WINDOWS = "properties.osProfile.windowsConfiguration"
_IMAGE = "compute/locations/publishers/artifacttypes/offers/skus/versions"
_EXTENSION_IMAGE = "compute/locations/publishers/artifacttypes/types/versions"
_POLL = "compute/operations"
_VAULT = "keyvault/vaults"
_DISK = "compute/disks compute/snapshots"
_GALLERY = "compute/galleries compute/galleries/*"
UNDOCUMENTED = "not in Microsoft's published specifications, which the local Azure keeps to"

LABELS: t.Mapping[str, str] = {"*": "", _IMAGE: "platform image", _POLL: "polls of compute"}
RULES: tuple[Rule, ...] = (
    *_since("resources/resourcegroups", "2019-05-01", "2019-05-01", "type"),
    # network
    *_since(_PIP, "2017-08-01", "2017-09-01", "sku", why="Basic and Standard came with availability zones"),
    *_since(_PIP, "2020-08-01", "2020-08-01", "sku.tier"),
    *_since(_PIP, "2017-11-01", "2018-01-01", "properties.ipTags"),
    *_since(_PIP, "2022-05-01", "2023-08-01", "properties.ddosSettings", "properties.ddosSettings.protectionMode"),
    *_since(_PIP, "2016-03-30", "", "properties.publicIPAddressVersion"),
    *_since(_IP_CONFIG, "2018-01-01", "2018-01-01", "type"),
    *_since(_IP_CONFIG, "2016-03-30", "", "properties.privateIPAddressVersion", "properties.primary"),
    *_since(_NIC, "2022-01-01", "2022-01-01", "properties.vnetEncryptionSupported"),
    *_since(_NIC, "2022-01-01", "2023-06-01", "properties.auxiliaryMode"),
    *_since(_NIC, "2022-11-01", "", "properties.disableTcpStateTracking", "properties.auxiliarySku"),
    *_since(_NIC, "2018-12-01", "2018-12-01", "properties.hostedWorkloads", "properties.tapConfigurations"),
    *_since(_NIC, "2020-11-01", "2020-11-01", "properties.nicType"),
    *_since(_NIC, "2016-09-01", "2016-10-01", "properties.enableAcceleratedNetworking"),
    Rule(_NIC, "kind", UNDOCUMENTED, either=("missing",)),
    Rule(_NIC, "properties.allowPort25Out", UNDOCUMENTED, either=("missing",)),
    Rule(_NIC, "properties.enableAcceleratedNetworking", "when the request does not set it", dropped="2024-12-01"),
    Rule(
        _NIC,
        "#azure-asyncoperation",
        "a PUT of an interface that ends at once was recorded with the header and without, 419 to 14 times",
        either=("extra", "missing"),
    ),
    *(
        Rule("network/operationresults network/locations/operationresults", path, UNDOCUMENTED, either=("missing",))
        for path in ("*tagMap", "*hasBgpOverride", "*destinationServiceTags")
    ),
    Rule(_IP_CONFIG, "properties.isInUseWithService", dropped="2019-01-01"),
    Rule(_NIC, "properties.services", dropped="2019-01-01"),
    Rule(_NIC, "properties.virtualNetworkTapProvisioningState", dropped="2019-01-01"),
    *_since(_VNET, "2017-08-01", "2017-09-01", "properties.enableDdosProtection"),
    Rule(_VNET, "properties.enableVmProtection", dropped="2022-06-01"),
    *_since(_VNET, "2016-06-01", "2016-06-01", "properties.virtualNetworkPeerings"),
    *_since(
        _VNET, "2023-11-01", "2024-09-14", "properties.privateEndpointVNetPolicies", why="region by region until then"
    ),
    *_since(_VNET, "2024-05-01", "2025-06-01", "properties.addressSpace.ipamPoolPrefixAllocations"),
    Rule(
        f"{_VNET} {_SUBNET}",
        "*ipamPoolPrefixAllocations",
        "came region by region: in eastus2euap in 2024-09, not in westus in 2025-01",
        either=("missing",),
    ),
    *_since(_SUBNET, "2018-02-01", "2018-02-01", "type"),
    Rule(_SUBNET, "properties.subnetID", dropped="2021-06-01"),
    Rule(
        _SUBNET,
        "properties.serviceEndpoints[].locations*",
        "of storage: its regions until then, everywhere since",
        changed=("", "2024-09-01"),
    ),
    *_since(_SUBNET, "2018-08-01", "2018-10-01", "properties.delegations"),
    *_since(
        _SUBNET,
        "2019-11-01",
        "2020-01-01",
        "properties.privateEndpointNetworkPolicies",
        "properties.privateLinkServiceNetworkPolicies",
    ),
    *_since(_RULE + " " + _NSG, "2018-02-01", "2018-02-01", "type"),
    *_since(
        _RULE,
        "2017-09-01",
        "2017-10-01",
        "properties.sourcePortRanges",
        "properties.destinationPortRanges",
        "properties.sourceAddressPrefixes",
        "properties.destinationAddressPrefixes",
    ),
    # the Resource Manager's own reads
    Rule("providers", "authorizations", UNDOCUMENTED, either=("missing",)),
    Rule("resources", "sku.tier", "depends on the api-version of the last write", either=("missing", "extra")),
    Rule("*", "nextLink", "where a page ends is data", either=("missing", "extra")),
    # vaults
    *_since(_VAULT, "2021-06-01", "2021-09-01", "properties.publicNetworkAccess"),
    *_since(_VAULT, "", "2020-12-15", "properties.enableSoftDelete", "properties.softDeleteRetentionInDays"),
    *_since(_VAULT, "2021-04-01", "2021-06-01", "systemData"),
    # compute
    Rule(
        _POLL, "#retry-after", "polls of compute were recorded with the header and without", either=("extra", "missing")
    ),
    *_since(f"{_VM} {_VM}/*", "", "2018-06-01", "#retry-after"),
    *_since(_VM, "", "2020-01-01", "properties.storageProfile.osDisk.diskSizeGB", why="unless the request sets it"),
    *_since(_IMAGE, "2019-03-01", "2020-01-01", "properties.hyperVGeneration"),
    *_since(_IMAGE, "2022-03-01", "2022-03-01", "properties.architecture"),
    *_since(_IMAGE, "2020-06-01", "2020-06-01", "properties.disallowed"),
    *_since(_IMAGE, "2018-04-01", "2018-04-01", "properties.automaticOSUpgradeProperties"),
    *_since(_IMAGE, "2022-08-01", "2022-08-01", "properties.imageDeprecationStatus"),
    *_since(_IMAGE, "2021-03-01", "2021-03-01", "properties.features"),
    Rule(_IMAGE, "properties.imageDeprecationStatus.*", "depends on the image", either=("missing", "extra")),
    Rule(_IMAGE, "properties.plan", "depends on the image", either=("missing", "extra")),
    Rule(_IMAGE, "properties.features", "depends on the image", either=("missing", "extra")),
    Rule(_IMAGE, "properties.replicaType", UNDOCUMENTED, either=("missing",)),
    Rule(_IMAGE, "properties.goLiveDate", UNDOCUMENTED, either=("missing",)),
    Rule(_IMAGE, "properties.osDiskImage.sizeInGb", "of images of the first generation", dropped="2023-12-19"),
    Rule(_IMAGE.rpartition("/")[0], "[[]].properties", UNDOCUMENTED, either=("missing",)),
    Rule(_EXTENSION_IMAGE, "properties.rollbackSupported", UNDOCUMENTED, either=("missing",)),
    Rule(_EXTENSION_IMAGE, "properties.isJsonExtension", UNDOCUMENTED, either=("missing",)),
    Rule(
        _EXTENSION_IMAGE,
        "properties.handlerSchema",
        "the published specifications require it, answers of 2019 lack it",
        either=("extra",),
    ),
    *_since(_IMAGE, "2023-09-01", "2023-12-19", "properties.osDiskImage.sizeInBytes"),
    *_since(_VM, "2021-11-01", "2021-11-01", "properties.timeCreated"),
    *_since(_VM, "2024-07-01", "2024-10-01", "etag"),
    Rule(_VM, "#etag", "machines were recorded with the header and without", either=("extra", "missing")),
    *_since(_VM, "2021-07-01", "2021-08-01", "properties.storageProfile.osDisk.deleteOption"),
    *_since(_VM, "2022-08-01", "2022-11-01", "properties.storageProfile.diskControllerType"),
    *_since(_VM, "2019-12-01", "2020-01-01", "properties.storageProfile.imageReference.exactVersion"),
    *_since(_VM, "2017-03-30", "2017-02-01", "properties.storageProfile.osDisk.managedDisk"),
    *_since(_VM, "2018-10-01", "2019-03-01", "properties.osProfile.allowExtensionOperations"),
    *_since(_VM, "2019-12-01", "2019-12-01", "properties.osProfile.requireGuestProvisionSignal"),
    *_since(_VM, "2017-12-01", "2018-03-01", f"{_LINUX}.provisionVMAgent"),
    *_since(_VM, "2020-12-01", "2021-01-01", f"{_LINUX}.patchSettings"),
    *_since(_VM, "2021-03-01", "2021-06-01", f"{_LINUX}.patchSettings.assessmentMode"),
    *_since(_VM, "2023-03-01", "2023-03-01", f"{_LINUX}.enableVMAgentPlatformUpdates"),
    Rule(_VM, f"{_LINUX}.enableVMAgentPlatformUpdates", "unless the request sets it", dropped="2024-06-01"),
    *_since(_VM, "2020-06-01", "2020-09-01", f"{_WINDOWS}.patchSettings"),
    *_since(_VM, "2021-03-01", "2021-06-01", f"{_WINDOWS}.patchSettings.assessmentMode"),
    *_since(_VM, "2023-03-01", "2023-03-01", f"{_WINDOWS}.enableVMAgentPlatformUpdates"),
    Rule(_VM, f"{_WINDOWS}.enableVMAgentPlatformUpdates", "unless the request sets it", dropped="2024-06-01"),
    *_since(_DISK, "2021-04-01", "2021-06-01", "properties.publicNetworkAccess"),
    *_since(_DISK, "2020-05-01", "2020-06-01", "properties.networkAccessPolicy"),
    Rule(_DISK, "properties.supportedCapabilities.*", "depends on the image", either=("missing", "extra")),
    Rule(_DISK, "properties.supportsHibernation", "depends on the image", either=("missing", "extra")),
    Rule(_DISK, "properties.readOnly", UNDOCUMENTED, either=("missing",)),
    *_since(_DISK, "2019-07-01", "", "properties.encryption"),
    *_since(_DISK, "", "2021-01-01", "properties.LastOwnershipUpdateTime", "properties.supportedCapabilities"),
    *_since(f"{_DISK} compute/disks/* compute/snapshots/* {_GALLERY}", "", "2020-01-01", "#retry-after"),
    *_since(_DISK, "", "2022-01-01", "id", "name", "type", why="in the answers to PUT"),
    *_since("compute/snapshots", "2020-05-01", "2020-06-01", "properties.incrementalSnapshotFamilyId"),
    *(
        Rule(_DISK, f"properties.{name}", "in the answers to PUT", dropped="2022-01-01")
        for name in ("isArmResource", "creationData.sourceUniqueId", "diskSizeBytes", "diskState")
    ),
    *_since("compute/images compute/galleries/images", "2019-03-01", "2019-03-01", "properties.hyperVGeneration"),
    *_since("compute/galleries/images", "2021-10-01", "2022-03-01", "properties.architecture"),
    *_since(_GALLERY, "2019-03-01", "2019-03-01", "type"),
    Rule(
        "compute/galleries",
        "properties.provisioningState",
        "of updates, which ended at once",
        changed=("", "2022-01-01"),
    ),
    *_since("compute/galleries/images/versions", "2022-03-03", "2022-03-03", "properties.safetyProfile"),
    *_since(_VIEW, "2019-03-01", "2019-06-01", "hyperVGeneration"),
    *_since(_VIEW, "", "2021-01-01", "vmAgent.extensionHandlers", why="when there are none"),
    *_since(_VIEW, "2018-04-01", "2018-06-01", "computerName", "osName", "osVersion"),
)


def excuse(kind: str, path: str, side: Side, moment: Moment, record: Interaction) -> str | None:
    """Return why a difference is acceptable; None if it is not."""
    if (kind, path, side) == ("resources/deployments/operationstatuses", "status", "value") and _is_accepted(record):
        return "polls of deployments: how long one is Accepted before it is Running is a matter of time"
    if (kind, path, side) == (_VAULT, "properties.provisioningState", "value") and _registers(record):
        return "vaults: how long the name of one is being registered is a matter of time"
    for rule in RULES:
        if rule.fits(kind, path):
            reason = rule.excuse(side, moment)
            if reason is not None:
                return reason
    return None


def _registers(record: Interaction) -> bool:
    body = record.response.body
    properties = body.get("properties") if isinstance(body, dict) else None
    return isinstance(properties, dict) and properties.get("provisioningState") == "RegisteringDns"


def _is_accepted(record: Interaction) -> bool:
    body = record.response.body
    return isinstance(body, dict) and body.get("status") == "Accepted"


def is_catalogue(kind: str, path: str) -> bool:
    """Return whether a list in a body is catalogue data, of which only the form is compared."""
    if kind.endswith("/delegations"):
        return path == "properties.actions"
    return kind.startswith(("providers", "skus")) or path.endswith(("features", "resourceTypes", "vmSizes"))
