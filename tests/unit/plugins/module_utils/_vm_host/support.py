# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Shared by the tests of hosts: things of others, and comparisons of predictions with what happened."""

from __future__ import annotations

import typing as t

from .conftest import Cloud

Json = dict[str, t.Any]
COMPUTE, NETWORK = "/providers/Microsoft.Compute", "/providers/Microsoft.Network"
IDENTITIES = "/providers/Microsoft.ManagedIdentity/userAssignedIdentities"
PLACE = {"location": "westeurope"}
ADDRESS = {**PLACE, "sku": {"name": "Standard"}, "properties": {"publicIPAllocationMethod": "Static"}}
OTHERS = "others"
# A size that can do much, a spot VM, and leave to stop.
D2S = "Standard_D2ds_v5"
SPOT = {"priority": "Spot", "vm_size": D2S}
STOP = {"allow_stop": True}


def surround(cloud: Cloud) -> None:
    """Things of others that hosts can be put into, made from, or connected with."""
    cloud.arm("PUT", "", {**PLACE, "tags": {"theirs": "x"}})
    cloud.arm("PUT", f"{IDENTITIES}/c", PLACE)
    for name in ("near", "nearer"):
        cloud.arm("PUT", f"{COMPUTE}/proximityPlacementGroups/{name}", PLACE)
    disk = {"osType": "Linux", "osState": "Generalized", "blobUri": "https://x/y.vhd"}
    image = {"storageProfile": {"osDisk": disk}, "hyperVGeneration": "V2"}
    cloud.arm("PUT", f"{COMPUTE}/images/own", {**PLACE, "properties": image})
    for name, permissions in (("mine", None), ("ours", "Groups"), ("everybodys", "Community")):
        gallery(cloud, name, permissions)
    subnets = [{"name": "s", "properties": {"addressPrefix": "10.9.1.0/24"}}]
    space = {"addressSpace": {"addressPrefixes": ["10.9.0.0/16"]}, "subnets": subnets}
    cloud.arm("PUT", f"{NETWORK}/virtualNetworks/net", {**PLACE, "properties": space})
    cloud.arm("PUT", f"{NETWORK}/networkSecurityGroups/nsg", {**PLACE, "properties": {}})
    cloud.arm("PUT", f"{NETWORK}/publicIPAddresses/ip", ADDRESS)


def gallery(cloud: Cloud, name: str, permissions: str | None, system: str = "Linux") -> None:
    """A gallery with one image in one version."""
    base = f"{COMPUTE}/galleries/{name}"
    sharing = {"permissions": permissions, "communityGalleryInfo": {"publicNamePrefix": name}}
    cloud.arm("PUT", base, {**PLACE, "properties": {"sharingProfile": sharing} if permissions else {}})
    definition = {
        "osType": system,
        "osState": "Generalized",
        "hyperVGeneration": "V2",
        "identifier": {"publisher": "me", "offer": "debian", "sku": "12"},
        "features": [{"name": "SecurityType", "value": "TrustedLaunchSupported"}],
    }
    cloud.arm("PUT", f"{base}/images/debian", {**PLACE, "properties": definition})
    version = {"storageProfile": {"source": {"id": "/subscriptions/x/y"}}}
    cloud.arm("PUT", f"{base}/images/debian/versions/1.0.0", {**PLACE, "properties": version})


def others(cloud: Cloud) -> Cloud:
    """The group of others."""
    found = Cloud(cloud.azure, cloud.key.parent)
    found.group = OTHERS
    return found


OWN_ADDRESS = "10.9.1.9"


def filled(cloud: Cloud, given: Json) -> Json:
    """Options with the ids of images of others."""
    if given.get("private_ip_address") == OWN_ADDRESS:
        # In the network of others, each test's host has an address of its own.
        given = {**given, "private_ip_address": f"10.9.1.{10 + int(cloud.group[-6:], 16) % 240}"}
    kind, _colon, name = str(given.get("image", "")).partition(":")
    base = f"/subscriptions/{cloud.azure.subscription_id}/resourceGroups/{OTHERS}{COMPUTE}"
    if kind == "own":
        return {**given, "image": f"{base}/images/own"}
    if kind != "gallery":
        return given
    path = f"{base}/galleries/{name}"
    shown = others(cloud).arm("GET", f"{COMPUTE}/galleries/{name}")["properties"]
    sharing = shown.get("sharingProfile") or {}
    if sharing.get("permissions") == "Groups":
        path = f"/SharedGalleries/{shown['identifier']['uniqueName']}"
    elif sharing.get("permissions") == "Community":
        path = f"/CommunityGalleries/{sharing['communityGalleryInfo']['publicNames'][0]}"
    version = "/versions/1.0.0" if name == "mine" else ""
    return {**given, "image": f"{path}/images/debian{version}"}


VERBS = {"PUT": ("create", "update"), "PATCH": ("update", "tag", "grow", "convert"), "DELETE": ("delete",), "POST": ()}


def check_prediction(cloud: Cloud, actions: list[str]) -> None:
    """Compare predicted actions with the writing requests that a run then sent."""
    lines = [line for line in actions if not line.startswith("generate")]
    for write in cloud.writes:
        method, name = write.split(" ")
        if method == "POST":
            verb = {"powerOff": "power off"}.get(name, name)
            matching = [line for line in lines if line.startswith(f"{verb} ")]
        else:
            name = "docker-vnet" if name == "docker" else name
            matching = [line for line in lines if line.startswith(VERBS[method]) and name in line.split()]
        assert matching, f"{write} was not predicted by {actions}"
        lines.remove(matching[0])
    # Azure deletes the interface and the address with the VM.
    with_vm = ("delete network interface ", "delete public IP address ")
    assert [line for line in lines if not line.startswith(with_vm)] == []


def check_kept(cloud: Cloud, host: Json | None) -> None:
    """An existing host that is run without any option stays as it is."""
    if host:
        left_out = cloud.run()
        assert (left_out["actions"], cloud.writes) == ([], [])
        # A change of the power state does not decide about the names that users add.
        assert {**left_out["host"], "extra_names": host["extra_names"]} == host


def without_keys(value: t.Any) -> t.Any:
    """A diff without the public key, which check mode does not make."""
    if isinstance(value, dict):
        return {key: "a key" if key == "keyData" else without_keys(item) for key, item in value.items()}
    return [without_keys(item) for item in value] if isinstance(value, list) else value


def check_host(real: dict[str, t.Any], predicted: dict[str, t.Any]) -> None:
    """What check mode said of the host is so, but for what it said it could not know."""
    unknown = set(predicted["unknown"])
    for key, value in real.items():
        if key in ("dns_names", "ip_addresses") and key in unknown:
            assert set(predicted[key]) <= set(value)
        elif key in unknown:
            assert predicted[key] is None
        elif key != "unknown":
            assert predicted[key] == value, key
    assert real["unknown"] == []
    assert real["docker_host"].startswith("tcp://")


def without_times(value: t.Any) -> t.Any:
    """A dump without what changes by itself."""
    if isinstance(value, dict):
        hidden = ("etag", "timeCreated", "changedTime", "lastModified")
        return {key: without_times(item) for key, item in value.items() if key not in hidden}
    return [without_times(item) for item in value] if isinstance(value, list) else value
