# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The types of Microsoft.Network; see :mod:`azure_emulator.schema.grammar` for the notation."""

from __future__ import annotations

TYPES = """
VirtualNetwork
  id:str name- type- location:str tags:map extendedLocation:ExtendedLocation
  properties:VirtualNetworkPropertiesFormat etag-
ExtendedLocation
  name:str type:EdgeZone
VirtualNetworkPropertiesFormat
  addressSpace:AddressSpace dhcpOptions:DhcpOptions flowTimeoutInMinutes:int subnets:[Subnet]
  virtualNetworkPeerings:[any] resourceGuid- provisioningState- enableDdosProtection:bool
  enableVmProtection:bool ddosProtectionPlan:SubResource bgpCommunities:VirtualNetworkBgpCommunities
  encryption:VirtualNetworkEncryption
  ipAllocations:[SubResource] flowLogs- privateEndpointVNetPolicies:Disabled|Basic
AddressSpace
  addressPrefixes:[str] ipamPoolPrefixAllocations:[IpamPoolPrefixAllocation]
IpamPoolPrefixAllocation
  pool:any numberOfIpAddresses:str allocatedAddressPrefixes-
DhcpOptions
  dnsServers:[str]
Subnet
  id:str properties:SubnetPropertiesFormat name:str etag- type:str
SubnetPropertiesFormat
  addressPrefix:str addressPrefixes:[str] networkSecurityGroup:NetworkSecurityGroup routeTable:any
  natGateway:SubResource serviceEndpoints:[ServiceEndpointPropertiesFormat]
  serviceEndpointPolicies:[ServiceEndpointPolicy]
  privateEndpoints- ipConfigurations- ipConfigurationProfiles- ipAllocations:[SubResource]
  resourceNavigationLinks- serviceAssociationLinks- delegations:[Delegation] purpose- provisioningState-
  privateEndpointNetworkPolicies:Enabled|Disabled|NetworkSecurityGroupEnabled|RouteTableEnabled
  privateLinkServiceNetworkPolicies:Enabled|Disabled applicationGatewayIPConfigurations:[any]
  sharingScope:Tenant|DelegatedServices defaultOutboundAccess:bool
  ipamPoolPrefixAllocations:[IpamPoolPrefixAllocation]
NetworkSecurityGroup
  id:str name- type- location:str tags:map properties:NetworkSecurityGroupPropertiesFormat etag-
NetworkSecurityGroupPropertiesFormat
  flushConnection:bool securityRules:[SecurityRule] defaultSecurityRules- networkInterfaces- subnets- flowLogs-
  resourceGuid- provisioningState-
ApplicationSecurityGroup
  id:str name- type- location:str tags:map properties:ApplicationSecurityGroupPropertiesFormat etag-
ApplicationSecurityGroupPropertiesFormat
  resourceGuid- provisioningState-
SecurityRule
  id:str properties:SecurityRulePropertiesFormat name:str etag- type:str
SecurityRulePropertiesFormat
  description:str protocol!:Tcp|Udp|Icmp|Esp|*|Ah sourcePortRange:str destinationPortRange:str
  sourceAddressPrefix:str sourceAddressPrefixes:[str] sourceApplicationSecurityGroups:[any]
  destinationAddressPrefix:str destinationAddressPrefixes:[str] destinationApplicationSecurityGroups:[any]
  sourcePortRanges:[str] destinationPortRanges:[str] access!:Allow|Deny priority!:int
  direction!:Inbound|Outbound provisioningState-
SubResource
  id:str
ServiceEndpointPropertiesFormat
  service:str networkIdentifier:SubResource locations:[str] provisioningState-
Delegation
  id:str properties:ServiceDelegationPropertiesFormat name:str etag- type:str
ServiceDelegationPropertiesFormat
  serviceName:str actions- provisioningState-
VirtualNetworkEncryption
  enabled!:bool enforcement:DropUnencrypted|AllowUnencrypted
PublicIPAddress
  id:str name- type- location:str tags:map extendedLocation:ExtendedLocation sku:PublicIPAddressSku
  properties:PublicIPAddressPropertiesFormat etag- zones:[str]
PublicIPAddressSku
  name:Basic|Standard tier:Regional|Global
PublicIPAddressPropertiesFormat
  publicIPAllocationMethod:Static|Dynamic publicIPAddressVersion:IPv4|IPv6 ipConfiguration-
  dnsSettings:PublicIPAddressDnsSettings ddosSettings:DdosSettings ipTags:[IpTag] ipAddress:str
  publicIPPrefix:SubResource idleTimeoutInMinutes:int resourceGuid- provisioningState-
  servicePublicIPAddress:PublicIPAddress natGateway:any migrationPhase:None|Prepare|Commit|Abort|Committed
  linkedPublicIPAddress:PublicIPAddress deleteOption:Delete|Detach
PublicIPAddressDnsSettings
  domainNameLabel:str domainNameLabelScope:TenantReuse|SubscriptionReuse|ResourceGroupReuse|NoReuse fqdn:str
  reverseFqdn:str
DdosSettings
  protectionMode:VirtualNetworkInherited|Enabled|Disabled ddosProtectionPlan:SubResource
IpTag
  ipTagType:str tag:str
NetworkInterface
  id:str name- type- location:str tags:map extendedLocation:ExtendedLocation
  properties:NetworkInterfacePropertiesFormat etag- kind-
NetworkInterfacePropertiesFormat
  virtualMachine- networkSecurityGroup:NetworkSecurityGroup privateEndpoint-
  ipConfigurations:[NetworkInterfaceIPConfiguration] tapConfigurations- dnsSettings:NetworkInterfaceDnsSettings
  macAddress- primary- vnetEncryptionSupported- defaultOutboundConnectivityEnabled-
  enableAcceleratedNetworking:bool disableTcpStateTracking:bool enableIPForwarding:bool hostedWorkloads- allowPort25Out-
  dscpConfiguration- resourceGuid- provisioningState- workloadType:str nicType:Standard|Elastic
  privateLinkService:any migrationPhase:None|Prepare|Commit|Abort|Committed
  auxiliaryMode:None|MaxConnections|Floating|AcceleratedConnections auxiliarySku:None|A1|A2|A4|A8
NetworkInterfaceIPConfiguration
  id:str properties:NetworkInterfaceIPConfigurationPropertiesFormat name:str etag- type:str
NetworkInterfaceIPConfigurationPropertiesFormat
  gatewayLoadBalancer:SubResource virtualNetworkTaps:[any] applicationGatewayBackendAddressPools:[any]
  loadBalancerBackendAddressPools:[any] loadBalancerInboundNatRules:[any] privateIPAddress:str
  privateIPAddressPrefixLength:int privateIPAllocationMethod:Static|Dynamic privateIPAddressVersion:IPv4|IPv6
  subnet:Subnet primary:bool publicIPAddress:PublicIPAddress applicationSecurityGroups:[any] provisioningState-
  privateLinkConnectionProperties-
NetworkInterfaceDnsSettings
  dnsServers:[str] appliedDnsServers- internalDnsNameLabel:str internalFqdn- internalDomainNameSuffix-
TagsObject
  tags:map
VirtualNetworkBgpCommunities
  virtualNetworkCommunity!:str regionalCommunity-
ServiceEndpointPolicy
  id:str name- type- etag- kind- location:str tags:map properties:any
"""
