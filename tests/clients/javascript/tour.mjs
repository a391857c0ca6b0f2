// Copyright (c) 2026, The dockerhost.azure authors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// What the owner of a Docker host does with the JavaScript SDK, against the cloud that the environment names:
// AZURE_URL, AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_CLIENT_SECRET, AZURE_SUBSCRIPTION_ID. Each step prints one line of
// JSON, [name, result] or [name, null, error]; a step that fails does not stop the tour.

import { ComputeManagementClient } from "@azure/arm-compute";
import { NetworkManagementClient } from "@azure/arm-network";
import { ResourceManagementClient } from "@azure/arm-resources";
import { ClientSecretCredential } from "@azure/identity";

const env = process.env;
const url = env.AZURE_URL;
const credential = new ClientSecretCredential(env.AZURE_TENANT_ID, env.AZURE_CLIENT_ID, env.AZURE_CLIENT_SECRET, {
  authorityHost: url,
  disableInstanceDiscovery: true,
});
const options = { endpoint: url, credentials: { scopes: [`${url}/.default`] } };
const subscription = env.AZURE_SUBSCRIPTION_ID;
const compute = new ComputeManagementClient(credential, subscription, options);
const network = new NetworkManagementClient(credential, subscription, options);
const resources = new ResourceManagementClient(credential, subscription, options);

const group = "rg-javascript";
const location = "westeurope";
const reference = (type, name) => ({
  id: `/subscriptions/${subscription}/resourceGroups/${group}/providers/Microsoft.Network/${type}/${name}`,
});
const rule = (name, priority, port) => ({
  name, priority, protocol: "Tcp", access: "Allow", direction: "Inbound", sourceAddressPrefix: "10.0.0.0/8",
  sourcePortRange: "*", destinationAddressPrefix: "*", destinationPortRange: port,
});
const names = async (pages) => {
  const found = [];
  for await (const item of pages) found.push(item.name);
  return found.sort();
};
const power = async () => {
  const view = await compute.virtualMachines.instanceView(group, "web1");
  return view.statuses.map((status) => status.code).find((code) => code.startsWith("PowerState/"));
};

const steps = {
  group: async () => (await resources.resourceGroups.createOrUpdate(group, { location, tags: { by: "js" } })).tags,
  groupExists: async () => resources.resourceGroups.checkExistence(group),
  virtualNetwork: async () => {
    const body = { location, addressSpace: { addressPrefixes: ["10.1.0.0/16"] } };
    body.subnets = [{ name: "docker", addressPrefix: "10.1.0.0/24" }];
    return (await network.virtualNetworks.createOrUpdate(group, "docker-vnet", body)).subnets.map((item) => item.name);
  },
  subnets: async () => names(network.subnets.list(group, "docker-vnet")),
  securityGroup: async () => {
    const body = { location, securityRules: [rule("docker", 1010, "2376")] };
    return (await network.networkSecurityGroups.createOrUpdate(group, "web1-nsg", body)).provisioningState;
  },
  securityRule: async () => {
    const made = await network.securityRules.createOrUpdate(group, "web1-nsg", "ssh", rule("ssh", 1020, "22"));
    return made.destinationPortRange;
  },
  securityRules: async () => names(network.securityRules.list(group, "web1-nsg")),
  publicAddress: async () => {
    const body = { location, sku: { name: "Standard" }, publicIPAllocationMethod: "Static" };
    body.dnsSettings = { domainNameLabel: "web1-javascript" };
    return (await network.publicIPAddresses.createOrUpdate(group, "web1-ip", body)).dnsSettings.fqdn;
  },
  networkInterface: async () => {
    const subnet = { id: `${reference("virtualNetworks", "docker-vnet").id}/subnets/docker` };
    const address = { name: "primary", subnet, publicIPAddress: reference("publicIPAddresses", "web1-ip") };
    const body = { location, ipConfigurations: [address] };
    body.networkSecurityGroup = reference("networkSecurityGroups", "web1-nsg");
    const made = await network.networkInterfaces.createOrUpdate(group, "web1-nic", body);
    return made.ipConfigurations[0].privateIPAddress;
  },
  availableSizes: async () => {
    for await (const sku of compute.resourceSkus.list({ filter: `location eq '${location}'` })) {
      if (sku.resourceType === "virtualMachines") return sku.locations;
    }
    return [];
  },
  imageVersions: async () => {
    const found = await compute.virtualMachineImages.list(location, "Debian", "debian-12", "12-gen2");
    return found.length > 0;
  },
  virtualMachine: async () => {
    const publicKeys = [{ path: "/home/azureuser/.ssh/authorized_keys", keyData: env.SSH_PUBLIC_KEY }];
    const made = await compute.virtualMachines.createOrUpdate(group, "web1", {
      location,
      tags: { by: "js" },
      hardwareProfile: { vmSize: "Standard_B2als_v2" },
      storageProfile: {
        imageReference: { publisher: "Debian", offer: "debian-12", sku: "12-gen2", version: "latest" },
        osDisk: { name: "web1-os", createOption: "FromImage", managedDisk: { storageAccountType: "StandardSSD_LRS" } },
        dataDisks: [{ lun: 0, name: "web1-data", createOption: "Empty", diskSizeGB: 32 }],
      },
      osProfile: {
        computerName: "web1",
        adminUsername: "azureuser",
        linuxConfiguration: { disablePasswordAuthentication: true, ssh: { publicKeys } },
      },
      networkProfile: { networkInterfaces: [reference("networkInterfaces", "web1-nic")] },
    });
    return [made.provisioningState, made.storageProfile.dataDisks.map((disk) => disk.diskSizeGB)];
  },
  running: power,
  virtualMachines: async () => names(compute.virtualMachines.list(group)),
  allVirtualMachines: async () => names(compute.virtualMachines.listAll()),
  sizesOfVirtualMachine: async () => (await names(compute.virtualMachines.listAvailableSizes(group, "web1"))).length > 0,
  disks: async () => (await names(compute.disks.listByResourceGroup(group))).length,
  largerDisk: async () => (await compute.disks.update(group, "web1-data", { diskSizeGB: 64 })).diskSizeGB,
  extension: async () => {
    const made = await compute.virtualMachineExtensions.createOrUpdate(group, "web1", "script", {
      location,
      publisher: "Microsoft.Azure.Extensions",
      typePropertiesType: "CustomScript",
      typeHandlerVersion: "2.1",
      settings: { commandToExecute: "true" },
      protectedSettings: { script: "" },
    });
    return [made.provisioningState, made.protectedSettings ?? null];
  },
  extensions: async () => {
    const found = await compute.virtualMachineExtensions.list(group, "web1");
    return found.value.map((extension) => extension.name);
  },
  runCommand: async () => {
    const done = await compute.virtualMachines.runCommand(group, "web1", {
      commandId: "RunShellScript",
      script: ["true"],
    });
    return done.value.map((part) => part.code);
  },
  tags: async () => (await compute.virtualMachines.update(group, "web1", { tags: { by: "js", more: "yes" } })).tags,
  powerOff: async () => [await compute.virtualMachines.powerOff(group, "web1"), await power()].at(-1),
  deallocate: async () => [await compute.virtualMachines.deallocate(group, "web1"), await power()].at(-1),
  largerMachine: async () => {
    const body = { hardwareProfile: { vmSize: "Standard_B4als_v2" } };
    return (await compute.virtualMachines.update(group, "web1", body)).hardwareProfile.vmSize;
  },
  start: async () => [await compute.virtualMachines.start(group, "web1"), await power()].at(-1),
  restart: async () => [await compute.virtualMachines.restart(group, "web1"), await power()].at(-1),
  bootDiagnostics: async () => {
    const body = { diagnosticsProfile: { bootDiagnostics: { enabled: true } } };
    await compute.virtualMachines.update(group, "web1", body);
    return Object.keys(await compute.virtualMachines.retrieveBootDiagnosticsData(group, "web1")).sort();
  },
  effectiveRules: async () => {
    const found = await network.networkInterfaces.listEffectiveNetworkSecurityGroups(group, "web1-nic");
    return found.value.length > 0;
  },
  usage: async () => (await names(compute.usage.list(location))).length > 0,
  resourcesOfGroup: async () => names(resources.resources.listByResourceGroup(group)),
  missing: async () => {
    try {
      await compute.virtualMachines.get(group, "nobody");
    } catch (error) {
      return [error.statusCode, error.code];
    }
    return [];
  },
  removeExtension: async () => compute.virtualMachineExtensions.delete(group, "web1", "script").then(() => "removed"),
  removeMachine: async () => compute.virtualMachines.delete(group, "web1").then(() => "removed"),
  removeGroup: async () => resources.resourceGroups.delete(group).then(() => "removed"),
  groups: async () => names(resources.resourceGroups.list()),
};

for (const [name, step] of Object.entries(steps)) {
  try {
    console.log(JSON.stringify([name, (await step()) ?? null]));
  } catch (error) {
    console.log(JSON.stringify([name, null, `${error.name} ${error.code ?? ""}: ${error.message}`]));
  }
}
