# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A tour of everything that the local Azure serves, errors included, to be recorded and validated.

Each step says which status it expects, so that the tour also fails when an operation stops working.
"""

from __future__ import annotations

import typing as t

from azure_conformance.bodies import SSH_KEY
from azure_conformance.compare import Answer
from azure_conformance.local import LocalCloud

Json = dict[str, t.Any]
NETWORK, COMPUTE, DISKS, SKUS = "2024-05-01", "2024-07-01", "2024-03-02", "2021-07-01"
RESOURCES, SUBSCRIPTIONS = "2022-09-01", "2022-12-01"
GALLERIES = "2023-07-03"
KEY_VAULT, MANAGED_IDENTITY = "2023-07-01", "2023-01-31"
AUTHORIZATION, MARKETPLACE, LOCKS = "2022-04-01", "2021-01-01", "2020-05-01"
SCHEDULES = "2018-09-15"
PLACE = "westeurope"
IMAGE = {"publisher": "Debian", "offer": "debian-12", "sku": "12-gen2", "version": "latest"}


class Tour:
    """The steps, in an order in which they work."""

    def __init__(self, azure: LocalCloud) -> None:
        self._azure = azure
        self.visited: list[tuple[str, str]] = []
        self.subscription = f"/subscriptions/{azure.subscription}"
        self.group = f"{self.subscription}/resourceGroups/tour"
        self.network = f"{self.group}/providers/Microsoft.Network"
        self.compute = f"{self.group}/providers/Microsoft.Compute"
        self.vm = f"{self.compute}/virtualMachines/vm1"

    async def go(
        self, method: str, path: str, version: str, *expected: int, body: t.Any = None, query: str = "", **headers: str
    ) -> Answer:
        """One request; its operation, if it starts one, is followed to the end."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = await self._azure.request(method, f"{path}?api-version={version}{query}", body, sent)
        self.visited.append((method, path))
        assert answer.status in (expected or (200,)), f"{method} {path}: {answer.status} {answer.body}"
        for header in ("azure-asyncoperation", "location"):
            if header in answer.headers:
                await self._poll(answer.headers[header])
                await self._azure.settle()
                await self._poll(answer.headers[header])
        return answer

    async def _poll(self, url: str) -> None:
        answer = await self._azure.request("GET", url)
        self.visited.append(("GET", url.partition("?")[0].partition("://")[2].partition("/")[2]))
        assert answer.status in (200, 202, 204, 409), f"{url}: {answer.status} {answer.body}"

    async def all(self) -> None:
        """Everything."""
        await self.subscriptions()
        await self.groups()
        await self.networks()
        await self.addresses()
        await self.interfaces()
        await self.catalogues()
        await self.disks()
        await self.placement()
        await self.ssh_keys()
        await self.images()
        await self.galleries()
        await self.vaults()
        await self.identities()
        await self.rights_and_terms()
        await self.deployments()
        await self.schedules()
        await self.tags_and_locks()
        await self.machines()
        await self.power()
        await self.extensions()
        await self.run_commands()
        await self.mistakes()
        await self.unserved()
        await self.removal()

    async def unserved(self) -> None:
        """Types that can be read, and of which there are none."""
        for type_, version in (
            ("Microsoft.Network/routeTables", NETWORK),
            ("Microsoft.Compute/virtualMachineScaleSets", COMPUTE),
            ("Microsoft.Compute/diskEncryptionSets", DISKS),
        ):
            await self.go("GET", f"{self.subscription}/providers/{type_}", version)
            await self.go("GET", f"{self.group}/providers/{type_}", version)
            await self.go("GET", f"{self.group}/providers/{type_}/one", version, 404)

    async def subscriptions(self) -> None:
        """Subscriptions, regions, providers."""
        for path in ("/subscriptions", self.subscription, f"{self.subscription}/locations", "/tenants"):
            await self.go("GET", path, SUBSCRIPTIONS)
        for path in (
            f"{self.subscription}/providers",
            f"{self.subscription}/providers/Microsoft.Network",
        ):
            await self.go("GET", path, RESOURCES)
        await self.go("POST", f"{self.subscription}/providers/Microsoft.Network/register", RESOURCES)
        await self.go("GET", "/subscriptions/11111111-1111-1111-1111-111111111111", SUBSCRIPTIONS, 404)

    async def groups(self) -> None:
        """Resource groups."""
        await self.go("GET", self.group, RESOURCES, 404)
        await self.go("HEAD", self.group, RESOURCES, 404)
        await self.go("PUT", self.group, RESOURCES, 201, body={"location": PLACE, "tags": {"a": "b"}})
        await self.go("PUT", self.group, RESOURCES, 200, body={"location": PLACE, "tags": {"a": "c"}})
        await self.go("PUT", self.group, RESOURCES, 409, body={"location": "eastus"})
        await self.go("PATCH", self.group, RESOURCES, 200, body={"tags": {"a": "d"}})
        await self.go("HEAD", self.group, RESOURCES, 204)
        await self.go("GET", self.group, "2024-07-01")
        await self.go("GET", f"{self.subscription}/resourcegroups", RESOURCES)
        await self.go("GET", f"{self.group}/resources", RESOURCES)
        await self.go("GET", f"{self.subscription}/resources", RESOURCES)

    async def networks(self) -> None:
        """Virtual networks, subnets, security groups, rules."""
        asg = f"{self.network}/applicationSecurityGroups/asg1"
        await self.go("PUT", asg, NETWORK, 201, body={"location": PLACE})
        await self.go("PUT", asg, NETWORK, 200, body={"location": PLACE, "tags": {"x": "y"}})
        await self.family(asg)
        await self.go("DELETE", asg, NETWORK, 202)
        nsg, vnet = f"{self.network}/networkSecurityGroups/nsg1", f"{self.network}/virtualNetworks/vnet1"
        await self.go(
            "PUT",
            nsg,
            NETWORK,
            201,
            body={"location": PLACE, "properties": {"securityRules": [rule("ssh", 100, "22")]}},
        )
        await self.go(
            "PUT",
            nsg,
            NETWORK,
            200,
            body={"location": PLACE, "properties": {"securityRules": [rule("ssh", 110, "22")]}},
        )
        await self.go("GET", f"{self.subscription}/providers/Microsoft.Network/locations/{PLACE}/usages", NETWORK)
        await self.go("PUT", f"{nsg}/securityRules/web", NETWORK, 201, body=rule("web", 200, "443"))
        await self.go("PUT", f"{nsg}/securityRules/web", NETWORK, 200, body=rule("web", 210, "443"))
        await self.go("PUT", f"{nsg}/securityRules/clash", NETWORK, 400, body=rule("clash", 210, "444"))
        for path in (
            "securityRules",
            "securityRules/web",
            "defaultSecurityRules",
            "defaultSecurityRules/AllowVnetInBound",
        ):
            await self.go("GET", f"{nsg}/{path}", NETWORK)
        await self.go("GET", f"{nsg}/securityRules/none", NETWORK, 404)
        await self.go("DELETE", f"{nsg}/securityRules/web", NETWORK, 202)
        await self.go("DELETE", f"{nsg}/securityRules/web", NETWORK, 204)
        await self.family(nsg)
        space = {"addressSpace": {"addressPrefixes": ["10.1.0.0/16"]}}
        inner = {"name": "s1", "properties": {"addressPrefix": "10.1.0.0/24", "networkSecurityGroup": {"id": nsg}}}
        await self.go("PUT", vnet, NETWORK, 201, body={"location": PLACE, "properties": {**space, "subnets": [inner]}})
        await self.go(
            "PUT",
            vnet,
            NETWORK,
            200,
            body={"location": PLACE, "tags": {"x": "y"}, "properties": {**space, "subnets": [inner]}},
        )
        await self.go("PUT", f"{vnet}/subnets/s2", NETWORK, 201, body={"properties": {"addressPrefix": "10.1.1.0/24"}})
        await self.go("PUT", f"{vnet}/subnets/s2", NETWORK, 200, body={"properties": {"addressPrefix": "10.1.2.0/24"}})
        await self.go("PUT", f"{vnet}/subnets/s3", NETWORK, 400, body={"properties": {"addressPrefix": "10.9.0.0/24"}})
        await self.go("PUT", f"{vnet}/subnets/s3", NETWORK, 400, body={"properties": {"addressPrefix": "10.1.2.0/25"}})
        services = {
            "addressPrefix": "10.1.2.0/24",
            "serviceEndpoints": [{"service": "Microsoft.Storage"}],
            "delegations": [{"name": "web", "properties": {"serviceName": "Microsoft.Web/serverFarms"}}],
        }
        await self.go("PUT", f"{vnet}/subnets/s2", NETWORK, 200, body={"properties": services})
        await self.go("GET", f"{vnet}/subnets", NETWORK)
        await self.go("GET", f"{vnet}/subnets/s1", NETWORK)
        await self.go("GET", f"{vnet}/usages", NETWORK)
        await self.go("GET", f"{vnet}/virtualNetworkPeerings", NETWORK)
        await self.go("GET", f"{vnet}/virtualNetworkPeerings/none", NETWORK, 404)
        for address, status in (("10.1.0.9", 200), ("10.1.0.1", 200), ("10.9.0.9", 400)):
            await self.go("GET", f"{vnet}/CheckIPAddressAvailability", NETWORK, status, query=f"&ipAddress={address}")
        await self.go("DELETE", f"{vnet}/subnets/s2", NETWORK, 202)
        await self.go("DELETE", nsg, NETWORK, 400)
        await self.family(vnet)

    async def family(self, path: str) -> None:
        """What every top-level type of the network provider answers."""
        for listed in (path.rpartition("/")[0], path.rpartition("/")[0].replace("/resourceGroups/tour", "")):
            await self.go("GET", listed, NETWORK)
        answer = await self.go("GET", path, NETWORK)
        await self.go("PATCH", path, NETWORK, 200, body={"tags": {"tour": "yes"}})
        await self.go("GET", f"{path}-none", NETWORK, 404)
        await self.go("DELETE", f"{path}-none", NETWORK, 204)
        await self.go("PUT", path, NETWORK, 412, body={"location": PLACE, **answer.body}, if_match='W/"no"')

    async def addresses(self) -> None:
        """Public addresses."""
        pip = f"{self.network}/publicIPAddresses/ip1"
        body: Json = {
            "location": PLACE,
            "sku": {"name": "Standard"},
            "properties": {"publicIPAllocationMethod": "Static"},
        }
        await self.go("PUT", pip, NETWORK, 201, body=body)
        body["properties"]["dnsSettings"] = {"domainNameLabel": "tour-label"}
        await self.go("PUT", pip, NETWORK, 200, body=body)
        await self.go("PUT", f"{pip}b", NETWORK, 400, 409, body=body)
        await self.go("PUT", f"{pip}c", NETWORK, 400, body={**body, "sku": {"name": "Basic"}})
        await self.family(pip)
        available = f"{self.subscription}/providers/Microsoft.Network/locations/{PLACE}/CheckDnsNameAvailability"
        for label in ("tour-label", "tour-free"):
            await self.go("GET", available, NETWORK, query=f"&domainNameLabel={label}")

    async def interfaces(self) -> None:
        """Network interfaces."""
        nic = f"{self.network}/networkInterfaces/nic1"
        body = self.nic("ip1")
        await self.go("PUT", nic, NETWORK, 201, body=body)
        await self.go("PUT", nic, NETWORK, 200, body=body)
        body["properties"]["networkSecurityGroup"] = {"id": f"{self.network}/networkSecurityGroups/nsg1"}
        await self.go("PUT", nic, NETWORK, 200, body=body)
        await self.go("PUT", f"{nic}x", NETWORK, 400, body=self.nic("unknown"))
        await self.go("GET", f"{nic}/ipConfigurations", NETWORK)
        await self.go("GET", f"{nic}/ipConfigurations/main", NETWORK)
        await self.family(nic)
        await self.go("DELETE", f"{self.network}/virtualNetworks/vnet1", NETWORK, 400)
        await self.go("DELETE", f"{self.network}/virtualNetworks/vnet1/subnets/s1", NETWORK, 400)
        await self.go("DELETE", f"{self.network}/publicIPAddresses/ip1", NETWORK, 400)
        await self.go("DELETE", f"{self.network}/networkSecurityGroups/nsg1", NETWORK, 400)

    def nic(self, address: str) -> Json:
        """The body of an interface."""
        inner: Json = {
            "subnet": {"id": f"{self.network}/virtualNetworks/vnet1/subnets/s1"},
            "publicIPAddress": {"id": f"{self.network}/publicIPAddresses/{address}"},
        }
        return {"location": PLACE, "properties": {"ipConfigurations": [{"name": "main", "properties": inner}]}}

    async def catalogues(self) -> None:
        """Images, sizes, quotas, extension types."""
        base = f"{self.subscription}/providers/Microsoft.Compute/locations/{PLACE}"
        images = f"{base}/publishers/Debian/artifacttypes/vmimage/offers"
        for path in (
            f"{base}/publishers",
            images,
            f"{images}/debian-12/skus",
            f"{images}/debian-12/skus/12-gen2/versions",
        ):
            await self.go("GET", path, COMPUTE)
        newest = await self.go(
            "GET", f"{images}/debian-12/skus/12-gen2/versions", COMPUTE, query="&$top=1&$orderby=name%20desc"
        )
        await self.go("GET", f"{images}/debian-12/skus/12-gen2/versions/{newest.body[0]['name']}", COMPUTE)
        await self.go("GET", f"{images}/debian-12/skus/12-gen2/versions/1.2.3", COMPUTE, 404)
        await self.go("GET", f"{images}/none/skus", COMPUTE, 404)
        types = f"{base}/publishers/Microsoft.Azure.Extensions/artifacttypes/vmextension/types"
        await self.go("GET", types, COMPUTE)
        versions = await self.go("GET", f"{types}/CustomScript/versions", COMPUTE)
        await self.go("GET", f"{types}/CustomScript/versions/{versions.body[0]['name']}", COMPUTE)
        await self.go("GET", f"{types}/DockerExtension/versions", COMPUTE, 404)
        for path in ("vmSizes", "usages", "virtualMachines"):
            await self.go("GET", f"{base}/{path}", COMPUTE)
        await self.go(
            "GET",
            f"{self.subscription}/providers/Microsoft.Compute/skus",
            SKUS,
            query=f"&$filter=location%20eq%20'{PLACE}'",
        )
        await self.go("GET", f"{base}/runCommands", COMPUTE)
        await self.go("GET", f"{base}/runCommands/RunShellScript", COMPUTE)

    async def disks(self) -> None:
        """Managed disks."""
        disk = f"{self.compute}/disks/data1"
        body = {
            "location": PLACE,
            "sku": {"name": "StandardSSD_LRS"},
            "properties": {"creationData": {"createOption": "Empty"}, "diskSizeGB": 8},
        }
        await self.go("PUT", disk, DISKS, 200, 201, 202, body=body)
        await self.go("PATCH", disk, DISKS, 200, 202, body={"properties": {"diskSizeGB": 16}})
        await self.go("PATCH", disk, DISKS, 200, 202, 400, 409, body={"properties": {"diskSizeGB": 8}})
        for path in (disk, f"{self.compute}/disks", f"{self.subscription}/providers/Microsoft.Compute/disks"):
            await self.go("GET", path, DISKS)
        access = {"access": "Read", "durationInSeconds": 300}
        await self.go("POST", f"{disk}/beginGetAccess", DISKS, 202, body=access)
        await self.go("POST", f"{disk}/endGetAccess", DISKS, 202)
        await self.go("GET", f"{disk}-none", DISKS, 404)
        place = f"{self.subscription}/Providers/Microsoft.Compute/Locations/{PLACE}/Publishers/Debian/ArtifactTypes"
        image = {"id": f"{place}/VMImage/Offers/debian-12/Skus/12-gen2/Versions/0.20250115.1993"}
        body["properties"] = {"creationData": {"createOption": "FromImage", "imageReference": image}}
        await self.go("PUT", f"{disk}-image", DISKS, 202, body=body)
        await self.go("GET", f"{disk}-image", DISKS)
        await self.snapshots(disk)

    async def snapshots(self, disk: str) -> None:
        """A snapshot of a disk."""
        snapshot = f"{self.compute}/snapshots/data1-1"
        source = {"createOption": "Copy", "sourceResourceId": disk}
        body: Json = {"location": PLACE, "properties": {"creationData": source, "incremental": True}}
        await self.go("PUT", snapshot, DISKS, 200, 202, body=body)
        await self.go("PATCH", snapshot, DISKS, 200, 202, body={"tags": {"of": "data1"}})
        for path in (
            snapshot,
            f"{self.compute}/snapshots",
            f"{self.subscription}/providers/Microsoft.Compute/snapshots",
        ):
            await self.go("GET", path, DISKS)
        access = {"access": "Read", "durationInSeconds": 300}
        await self.go("POST", f"{snapshot}/beginGetAccess", DISKS, 202, body=access)
        await self.go("POST", f"{snapshot}/endGetAccess", DISKS, 202)
        await self.go("DELETE", snapshot, DISKS, 202)
        await self.go("GET", snapshot, DISKS, 404)

    async def ssh_keys(self) -> None:
        """SSH public keys."""
        kind = f"{self.compute}/sshPublicKeys"
        for path, key_type in ((f"{kind}/rsa", "RSA"), (f"{kind}/ed25519", "Ed25519")):
            await self.go("PUT", path, COMPUTE, 201, body={"location": PLACE})
            await self.go("PATCH", path, COMPUTE, 200, body={"tags": {"a": "b"}})
            body = {"encryptionType": key_type}
            await self.go("POST", f"{path}/generateKeyPair", COMPUTE, 200, body=body)
            await self.go("POST", f"{path}/generateKeyPair", COMPUTE, 409, body=body)
            for found in (path, kind, kind.replace("/resourceGroups/tour", "")):
                await self.go("GET", found, COMPUTE)
            await self.go("DELETE", path, COMPUTE, 200)
            await self.go("DELETE", path, COMPUTE, 204)

    async def placement(self) -> None:
        """Availability sets and proximity placement groups, alone and with a machine in them."""
        near = f"{self.compute}/proximityPlacementGroups/near"
        await self.go("PUT", near, COMPUTE, 201, body={"location": PLACE})
        await self.go("PUT", near, COMPUTE, 200, body={"location": PLACE, "tags": {"a": "b"}})
        one = f"{self.compute}/availabilitySets/set"
        body: Json = {"location": PLACE, "sku": {"name": "Aligned"}, "properties": {"platformFaultDomainCount": 2}}
        body["properties"]["proximityPlacementGroup"] = {"id": near}
        await self.go("PUT", one, COMPUTE, 200, body=body)
        changed = {**body, "properties": {"platformFaultDomainCount": 3}}
        await self.go("PUT", one, COMPUTE, 409, body=changed)
        await self.go("PUT", f"{one}-bad", COMPUTE, 400, body={**body, "properties": {"platformUpdateDomainCount": 99}})
        for path in (one, near):
            await self.go("PATCH", path, COMPUTE, 200, body={"tags": {"a": "c"}})
            listed = path.rpartition("/")[0]
            for found in (path, listed, listed.replace("/resourceGroups/tour", "")):
                await self.go("GET", found, COMPUTE)
            await self.go("GET", f"{path}-none", COMPUTE, 404)
        await self.go("GET", f"{one}/vmSizes", COMPUTE)
        await self.go("DELETE", near, COMPUTE, 409)
        await self.go("DELETE", one, COMPUTE, 200)
        await self.go("DELETE", one, COMPUTE, 204)
        await self.go("DELETE", near, COMPUTE, 200)

    async def images(self) -> None:
        """Managed images."""
        one = f"{self.compute}/images/own"
        disk = {"osType": "Linux", "osState": "Generalized", "managedDisk": {"id": f"{self.compute}/disks/data1"}}
        body = {"location": PLACE, "properties": {"storageProfile": {"osDisk": disk}, "hyperVGeneration": "V2"}}
        await self.go("PUT", one, COMPUTE, 201, body=body)
        await self.go("PUT", one, COMPUTE, 200, body=body)
        await self.go("PATCH", one, COMPUTE, 200, body={"tags": {"a": "b"}})
        await self.go("PUT", f"{one}-bad", COMPUTE, 400, body={"location": PLACE, "properties": {}})
        listed = one.rpartition("/")[0]
        for path in (one, listed, listed.replace("/resourceGroups/tour", "")):
            await self.go("GET", path, COMPUTE)
        await self.go("GET", f"{one}-none", COMPUTE, 404)
        await self.go("DELETE", one, COMPUTE, 202)
        await self.go("DELETE", one, COMPUTE, 204)

    async def rights_and_terms(self) -> None:
        """What the client may do, and the terms of images that are sold."""
        for scope in (self.subscription, self.group):
            await self.go("GET", f"{scope}/providers/Microsoft.Authorization/permissions", AUTHORIZATION)
        plan = "publishers/Example/offers/sold/plans/one/agreements/current"
        agreement = f"{self.subscription}/providers/Microsoft.MarketplaceOrdering/offerTypes/VirtualMachine/{plan}"
        shown = await self.go("GET", agreement, MARKETPLACE)
        accepted = {**shown.body, "properties": {**shown.body["properties"], "accepted": True}}
        await self.go("PUT", agreement, MARKETPLACE, body=accepted)

    async def schedules(self) -> None:
        """The shutdown of a machine at a time of day."""
        one = f"{self.group}/providers/Microsoft.DevTestLab/schedules/shutdown-computevm-vm1"
        properties = {"taskType": "ComputeVmShutdownTask", "dailyRecurrence": {"time": "1900"}, "timeZoneId": "UTC"}
        body = {"location": PLACE, "properties": properties}
        await self.go("PUT", one, SCHEDULES, 201, body=body)
        for path in (one, one.rpartition("/")[0], f"{self.subscription}/providers/Microsoft.DevTestLab/schedules"):
            await self.go("GET", path, SCHEDULES)
        await self.go("DELETE", one, SCHEDULES)

    async def deployments(self) -> None:
        """Template deployments to a group and to the subscription."""
        asg = {"type": "Microsoft.Network/applicationSecurityGroups", "name": "made", "apiVersion": NETWORK}
        body: Json = {"properties": {"mode": "Incremental", "template": {"resources": [{**asg, "location": PLACE}]}}}
        wrong: Json = {"properties": {"mode": "Incremental", "template": {"resources": [{**asg, "dependsOn": ["x"]}]}}}
        for scope in (self.group, self.subscription):
            deployments = f"{scope}/providers/Microsoft.Resources/deployments"
            one = f"{deployments}/d1"
            if scope == self.subscription:
                more = {"type": "Microsoft.Resources/resourceGroups", "name": "tour", "apiVersion": RESOURCES}
                body = {
                    "location": PLACE,
                    "properties": {"mode": "Incremental", "template": {"resources": [{**more, "location": PLACE}]}},
                }
            await self.go("POST", f"{one}/validate", RESOURCES, 200, body=body)
            await self.go("PUT", one, RESOURCES, 201, body=body)
            await self.go("PUT", one, RESOURCES, 200, body=body)
            await self.go("PUT", one, RESOURCES, 400, body={**body, **wrong})
            for path in (one, deployments, f"{one}/operations"):
                await self.go("GET", path, RESOURCES)
            listed = await self.go("GET", f"{one}/operations", RESOURCES)
            await self.go("GET", f"{one}/operations/{listed.body['value'][0]['operationId']}", RESOURCES)
            await self.go("HEAD", one, RESOURCES, 204)
            await self.go("POST", f"{one}/exportTemplate", RESOURCES, 200)
            self._azure.hold(True)
            await self.go("PUT", f"{deployments}/d2", RESOURCES, 201, body=body)
            await self.go("POST", f"{deployments}/d2/cancel", RESOURCES, 204)
            self._azure.hold(False)
            await self.go("DELETE", one, RESOURCES, 202)
            await self.go("GET", one, RESOURCES, 404)

    async def tags_and_locks(self) -> None:
        """Tags and locks of a group."""
        tags = f"{self.group}/providers/Microsoft.Resources/tags/default"
        await self.go("PUT", tags, RESOURCES, 200, body={"properties": {"tags": {"a": "b"}}})
        await self.go("PATCH", tags, RESOURCES, 200, body={"operation": "Merge", "properties": {"tags": {"c": "d"}}})
        await self.go("GET", tags, RESOURCES)
        await self.go("GET", f"{self.subscription}/tagNames", RESOURCES)
        await self.go("DELETE", tags, RESOURCES)
        locks = f"{self.group}/providers/Microsoft.Authorization/locks"
        lock = {"properties": {"level": "CanNotDelete"}}
        await self.go("PUT", f"{locks}/l1", LOCKS, 201, body=lock)
        await self.go("GET", f"{locks}/l1", LOCKS)
        await self.go("GET", locks, LOCKS)
        await self.go("DELETE", self.group, RESOURCES, 409)
        await self.go("DELETE", f"{locks}/l1", LOCKS)

    async def vaults(self) -> None:
        """Key vaults; their secrets are at another endpoint."""
        vaults = f"{self.group}/providers/Microsoft.KeyVault/vaults"
        sku = {"family": "A", "name": "standard"}
        body = {"location": PLACE, "properties": {"tenantId": "11111111-1111-1111-1111-111111111111", "sku": sku}}
        await self.go("PUT", f"{vaults}/tour-vault", KEY_VAULT, body=body)
        await self.go("PUT", f"{vaults}/tour-vault", KEY_VAULT, 400, body={"location": PLACE})
        for path in (f"{vaults}/tour-vault", vaults, f"{self.subscription}/providers/Microsoft.KeyVault/vaults"):
            await self.go("GET", path, KEY_VAULT)
        await self.go("DELETE", f"{vaults}/tour-vault", KEY_VAULT)
        await self.go("GET", f"{vaults}/tour-vault", KEY_VAULT, 404)

    async def identities(self) -> None:
        """User-assigned identities."""
        kind = "providers/Microsoft.ManagedIdentity/userAssignedIdentities"
        await self.go("GET", f"{self.subscription}/{kind}", MANAGED_IDENTITY)
        identities = f"{self.group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities"
        body = {"location": PLACE}
        await self.go("PUT", f"{identities}/tour", MANAGED_IDENTITY, 201, body=body)
        await self.go("PUT", f"{identities}/tour", MANAGED_IDENTITY, body=body)
        for path in (f"{identities}/tour", identities):
            await self.go("GET", path, MANAGED_IDENTITY)
        await self.go("DELETE", f"{identities}/tour", MANAGED_IDENTITY)
        await self.go("GET", f"{identities}/tour", MANAGED_IDENTITY, 404)

    async def galleries(self) -> None:
        """Galleries, and how others see them."""
        gallery = f"{self.compute}/galleries/gallery"
        image, version = f"{gallery}/images/debian", f"{gallery}/images/debian/versions/1.0.0"
        sharing = {"permissions": "Community", "communityGalleryInfo": {"publicNamePrefix": "tour"}}
        identifier = {"publisher": "me", "offer": "debian", "sku": "12"}
        definition = {"osType": "Linux", "osState": "Generalized", "hyperVGeneration": "V2", "identifier": identifier}
        content = {"storageProfile": {"osDiskImage": {"source": {"id": f"{self.compute}/disks/data1"}}}}
        for path, properties in ((gallery, {"sharingProfile": sharing}), (image, definition), (version, content)):
            body = {"location": PLACE, "properties": properties}
            await self.go("PUT", path, GALLERIES, 201, body=body)
            await self.go("PUT", path, GALLERIES, 200, body=body)
            await self.go("PATCH", path, GALLERIES, 200, body={"tags": {"x": "y"}})
            await self.go("GET", path, GALLERIES)
            await self.go("GET", path.rpartition("/")[0], GALLERIES)
            await self.go("GET", f"{path}9", GALLERIES, 404)
        await self.go("GET", f"{self.subscription}/providers/Microsoft.Compute/galleries", GALLERIES)
        shown = await self.go("GET", gallery, GALLERIES)
        name = shown.body["properties"]["sharingProfile"]["communityGalleryInfo"]["publicNames"][0]
        place = f"{self.subscription}/providers/Microsoft.Compute/locations/{PLACE}"
        await self.shared_gallery(f"{place}/communityGalleries/{name}")
        properties = {"sharingProfile": {"permissions": "Groups"}}
        shown = await self.go("PUT", gallery, GALLERIES, 200, body={"location": PLACE, "properties": properties})
        await self.shared_gallery(f"{place}/sharedGalleries/{shown.body['properties']['identifier']['uniqueName']}")
        await self.go("GET", f"{place}/sharedGalleries/none", GALLERIES, 404)
        await self.go("DELETE", gallery, GALLERIES, 409)
        for path in (version, image, gallery):
            await self.go("DELETE", path, GALLERIES, 202)

    async def shared_gallery(self, path: str) -> None:
        """A gallery as others see it."""
        for rest in ("", "/images", "/images/debian", "/images/debian/versions", "/images/debian/versions/1.0.0"):
            await self.go("GET", f"{path}{rest}", GALLERIES)
        await self.go("GET", f"{path}/images/none", GALLERIES, 404)
        await self.go("GET", path.rpartition("/")[0], GALLERIES)

    def machine(self, **changes: t.Any) -> Json:
        """The body of a VM."""
        properties: Json = {
            "hardwareProfile": {"vmSize": "Standard_B2s_v2"},
            "storageProfile": {
                "imageReference": dict(IMAGE),
                "osDisk": {"createOption": "FromImage", "managedDisk": {"storageAccountType": "StandardSSD_LRS"}},
            },
            "osProfile": {
                "computerName": "vm1",
                "adminUsername": "azureuser",
                "linuxConfiguration": {
                    "disablePasswordAuthentication": True,
                    "ssh": {"publicKeys": [{"path": "/home/azureuser/.ssh/authorized_keys", "keyData": SSH_KEY}]},
                },
            },
            "networkProfile": {
                "networkInterfaces": [
                    {
                        "id": f"{self.network}/networkInterfaces/nic1",
                        "properties": {"primary": True, "deleteOption": "Delete"},
                    }
                ]
            },
            "diagnosticsProfile": {"bootDiagnostics": {"enabled": True}},
        }
        return {"location": PLACE, "tags": {"a": "b"}, "properties": {**properties, **changes}}

    async def machines(self) -> None:
        """Virtual machines."""
        await self.go("PUT", self.vm, COMPUTE, 201, body=self.machine())
        await self.go("PUT", self.vm, COMPUTE, 200, body=self.machine())
        await self.go("PATCH", self.vm, COMPUTE, 200, body={"tags": {"a": "c"}})
        attached = {"lun": 0, "createOption": "Attach", "managedDisk": {"id": f"{self.compute}/disks/data1"}}
        await self.go(
            "PATCH", self.vm, COMPUTE, 200, body={"properties": {"storageProfile": {"dataDisks": [attached]}}}
        )
        disk = f"{self.compute}/disks/data1"
        for changed in (
            {"dataDisksToDetach": [{"diskId": disk}]},
            {"dataDisksToAttach": [{"diskId": disk, "lun": 0, "caching": "ReadOnly"}]},
        ):
            await self.go("POST", f"{self.vm}/attachDetachDataDisks", COMPUTE, 202, body=changed)
        await self.go("PATCH", self.vm, COMPUTE, 409, body={"properties": {"priority": "Spot"}})
        await self.go(
            "PUT",
            self.vm,
            COMPUTE,
            409,
            body=self.machine(
                osProfile={"computerName": "other", "adminUsername": "u", "adminPassword": "Tour-1234-Tour"}
            ),
        )
        await self.go("DELETE", f"{self.compute}/disks/data1", DISKS, 409)
        await self.go("DELETE", f"{self.network}/networkInterfaces/nic1", NETWORK, 400)
        for query in ("", "&$expand=instanceView"):
            await self.go("GET", self.vm, COMPUTE, query=query)
        for path in (
            f"{self.vm}/instanceView",
            f"{self.vm}/vmSizes",
            f"{self.compute}/virtualMachines",
            f"{self.subscription}/providers/Microsoft.Compute/virtualMachines",
            f"{self.subscription}/providers/Microsoft.Compute/locations/{PLACE}/virtualMachines",
        ):
            await self.go("GET", path, COMPUTE)
        await self.go("GET", f"{self.vm}-none", COMPUTE, 404)
        await self.go("GET", f"{self.network}/networkInterfaces/nic1", NETWORK)
        await self.go("GET", f"{self.network}/publicIPAddresses/ip1", NETWORK)
        await self.go("GET", f"{self.network}/virtualNetworks/vnet1", NETWORK)

    async def power(self) -> None:
        """Power actions, and what they refuse."""
        nic = f"{self.network}/networkInterfaces/nic1"
        for name in ("effectiveNetworkSecurityGroups", "effectiveRouteTable"):
            await self.go("POST", f"{nic}/{name}", NETWORK, 202)
        for action in ("restart", "powerOff", "start", "deallocate", "start", "redeploy", "reapply"):
            await self.go("POST", f"{self.vm}/{action}", COMPUTE, 202)
            await self.go("GET", f"{self.vm}/instanceView", COMPUTE)
        await self.go("POST", f"{self.vm}/generalize", COMPUTE, 200, 409)
        await self.go("POST", f"{self.vm}/retrieveBootDiagnosticsData", COMPUTE, 200)
        # Only of a Spot VM.
        await self.go("POST", f"{self.vm}/simulateEviction", COMPUTE, 409)
        await self.go("POST", f"{self.vm}-none/start", COMPUTE, 404)

    async def extensions(self) -> None:
        """VM extensions."""
        one = f"{self.vm}/extensions/script"
        body = extension("echo one")
        await self.go("PUT", one, COMPUTE, 201, body=body)
        await self.go("PUT", one, COMPUTE, 200, body=extension("echo two"))
        await self.go("PATCH", one, COMPUTE, 200, body={"tags": {"x": "y"}})
        for query in ("", "&$expand=instanceView"):
            await self.go("GET", one, COMPUTE, query=query)
            await self.go("GET", f"{self.vm}/extensions", COMPUTE, query=query)
            await self.go("GET", self.vm, COMPUTE, query=query)
        await self.go("GET", f"{one}-none", COMPUTE, 404)
        wrong = {**body, "properties": {**body["properties"], "type": "NoSuchType"}}
        await self.go("PUT", f"{one}-wrong", COMPUTE, 201, 400, 404, body=wrong)
        await self.go("POST", f"{self.vm}/deallocate", COMPUTE, 202)
        await self.go("PUT", one, COMPUTE, 409, body=extension("echo three"))
        await self.go("POST", f"{self.vm}/start", COMPUTE, 202)
        await self.go("DELETE", one, COMPUTE, 202)
        await self.go("DELETE", one, COMPUTE, 204, 404)

    async def run_commands(self) -> None:
        """Run Command: the action, and the managed resource."""
        await self.go(
            "POST", f"{self.vm}/runCommand", COMPUTE, 200, 202, body={"commandId": "RunShellScript", "script": ["true"]}
        )
        one = f"{self.vm}/runCommands/task"
        body = {
            "location": PLACE,
            "properties": {
                "source": {"script": "echo hello"},
                "parameters": [{"name": "a", "value": "1"}],
                "protectedParameters": [{"name": "b", "value": "secret"}],
                "treatFailureAsDeploymentFailure": True,
                "timeoutInSeconds": 60,
            },
        }
        await self.go("PUT", one, COMPUTE, 201, body=body)
        await self.go("PUT", one, COMPUTE, 200, body=body)
        await self.go("PATCH", one, COMPUTE, 200, body={"tags": {"x": "y"}})
        for query in ("", "&$expand=instanceView"):
            await self.go("GET", one, COMPUTE, query=query)
        await self.go("GET", f"{self.vm}/runCommands", COMPUTE)
        await self.go("DELETE", one, COMPUTE, 202)
        await self.go("GET", one, COMPUTE, 404)

    async def mistakes(self) -> None:
        """Requests that are refused before any resource is looked at."""
        nsg = f"{self.network}/networkSecurityGroups/bad"
        await self.go("PUT", nsg, NETWORK, 400, body=b"{nonsense")
        await self.go("PUT", nsg, NETWORK, 400, body={"location": PLACE, "properties": {"unknown": 1}})
        await self.go("PUT", nsg, NETWORK, 400, body={"properties": {}})
        await self.go("PUT", nsg, "2019-13-01", 400, body={"location": PLACE})
        await self.go(
            "PUT", f"{self.compute}/virtualMachines/bad", COMPUTE, 400, body={"location": PLACE, "properties": {"x": 1}}
        )
        await self.go(
            "PUT",
            f"{self.compute}/virtualMachines/bad",
            COMPUTE,
            404,
            body=self.machine(
                storageProfile={"imageReference": {**IMAGE, "sku": "no"}, "osDisk": {"createOption": "FromImage"}}
            ),
        )
        gone = self.network.replace("/tour/", "/nowhere/")
        await self.go("PUT", f"{gone}/networkSecurityGroups/a", NETWORK, 404, body={"location": PLACE})

    async def removal(self) -> None:
        """Deleting: one by one, then a whole group."""
        await self.go("DELETE", self.vm, COMPUTE, 202)
        await self.go("DELETE", self.vm, COMPUTE, 204)
        await self.go("DELETE", f"{self.compute}/disks/data1", DISKS, 202)
        await self.go("DELETE", f"{self.network}/networkInterfaces/nic1", NETWORK, 202, 204)
        await self.go("DELETE", f"{self.network}/publicIPAddresses/ip1", NETWORK, 202)
        await self.go("DELETE", f"{self.network}/virtualNetworks/vnet1", NETWORK, 202)
        await self.go("DELETE", f"{self.network}/networkSecurityGroups/nsg1", NETWORK, 202)
        await self.go("DELETE", self.group, RESOURCES, 202)
        await self.go("DELETE", self.group, RESOURCES, 404)


def rule(name: str, priority: int, port: str) -> Json:
    """The body of a security rule."""
    return {
        "name": name,
        "properties": {
            "protocol": "Tcp",
            "access": "Allow",
            "direction": "Inbound",
            "priority": priority,
            "sourceAddressPrefix": "Internet",
            "sourcePortRange": "*",
            "destinationAddressPrefix": "*",
            "destinationPortRange": port,
        },
    }


def extension(command: str) -> Json:
    """The body of a CustomScript extension."""
    return {
        "location": PLACE,
        "properties": {
            "publisher": "Microsoft.Azure.Extensions",
            "type": "CustomScript",
            "typeHandlerVersion": "2.1",
            "autoUpgradeMinorVersion": True,
            "settings": {"timestamp": 1},
            "protectedSettings": {"commandToExecute": command},
        },
    }
