# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The types of Microsoft.Compute; see :mod:`azure_emulator.schema.grammar` for the notation."""

from __future__ import annotations

TYPES = """
VirtualMachine
  id- name- type- location!:str tags:map plan:Plan properties:VirtualMachineProperties resources-
  identity:VirtualMachineIdentity zones:[str] extendedLocation:ExtendedLocation managedBy- etag-
Plan
  name:str publisher:str product:str promotionCode:str
VirtualMachineProperties
  hardwareProfile:HardwareProfile scheduledEventsPolicy:ScheduledEventsPolicy storageProfile:StorageProfile
  additionalCapabilities:AdditionalCapabilities osProfile:OSProfile networkProfile:NetworkProfile
  securityProfile:SecurityProfile diagnosticsProfile:DiagnosticsProfile availabilitySet:SubResource
  virtualMachineScaleSet:SubResource proximityPlacementGroup:SubResource priority:Regular|Low|Spot
  evictionPolicy:Deallocate|Delete billingProfile:BillingProfile host:SubResource hostGroup:SubResource
  provisioningState- instanceView- licenseType:str vmId- extensionsTimeBudget:str platformFaultDomain:int
  scheduledEventsProfile:ScheduledEventsProfile userData:str capacityReservation:CapacityReservationProfile
  applicationProfile:ApplicationProfile timeCreated-
HardwareProfile
  vmSize:str
  vmSizeProperties:VMSizeProperties
VMSizeProperties
  vCPUsAvailable:int vCPUsPerCore:int
ScheduledEventsPolicy
  userInitiatedRedeploy:UserInitiatedRedeploy userInitiatedReboot:UserInitiatedReboot
  scheduledEventsAdditionalPublishingTargets:ScheduledEventsAdditionalPublishingTargets
UserInitiatedRedeploy
  automaticallyApprove:bool
UserInitiatedReboot
  automaticallyApprove:bool
ScheduledEventsAdditionalPublishingTargets
  eventGridAndResourceGraph:EventGridAndResourceGraph
EventGridAndResourceGraph
  enable:bool
StorageProfile
  imageReference:ImageReference osDisk:OSDisk dataDisks:[DataDisk] diskControllerType:SCSI|NVMe
ImageReference
  id:str publisher:str offer:str sku:str version:str exactVersion- sharedGalleryImageId:str
  communityGalleryImageId:str
OSDisk
  osType:Windows|Linux encryptionSettings:DiskEncryptionSettings name:str vhd:VirtualHardDisk
  image:VirtualHardDisk caching:None|ReadOnly|ReadWrite writeAcceleratorEnabled:bool
  diffDiskSettings:DiffDiskSettings createOption!:FromImage|Empty|Attach|Copy|Restore diskSizeGB:int
  managedDisk:ManagedDiskParameters deleteOption:Delete|Detach
DiskEncryptionSettings
  diskEncryptionKey:KeyVaultSecretReference keyEncryptionKey:KeyVaultKeyReference enabled:bool
KeyVaultSecretReference
  secretUrl!:str sourceVault!:SubResource
SubResource
  id:str
KeyVaultKeyReference
  keyUrl!:str sourceVault!:SubResource
VirtualHardDisk
  uri:str
DiffDiskSettings
  option:Local placement:CacheDisk|ResourceDisk|NvmeDisk
ManagedDiskParameters
  id:str
  storageAccountType:Standard_LRS|Premium_LRS|StandardSSD_LRS|UltraSSD_LRS|Premium_ZRS|StandardSSD_ZRS|PremiumV2_LRS
  diskEncryptionSet:DiskEncryptionSetParameters securityProfile:VMDiskSecurityProfile
DiskEncryptionSetParameters
  id:str
VMDiskSecurityProfile
  securityEncryptionType:VMGuestStateOnly|DiskWithVMGuestState|NonPersistedTPM
  diskEncryptionSet:DiskEncryptionSetParameters
DataDisk
  lun!:int name:str vhd:VirtualHardDisk image:VirtualHardDisk caching:None|ReadOnly|ReadWrite
  writeAcceleratorEnabled:bool createOption!:FromImage|Empty|Attach|Copy|Restore diskSizeGB:int
  managedDisk:ManagedDiskParameters sourceResource:ApiEntityReference toBeDetached:bool diskIOPSReadWrite-
  diskMBpsReadWrite- detachOption:ForceDetach deleteOption:Delete|Detach
ApiEntityReference
  id:str
AdditionalCapabilities
  ultraSSDEnabled:bool hibernationEnabled:bool
OSProfile
  computerName:str adminUsername:str adminPassword:str customData:str windowsConfiguration:WindowsConfiguration
  linuxConfiguration:LinuxConfiguration secrets:[VaultSecretGroup] allowExtensionOperations:bool
  requireGuestProvisionSignal:bool
WindowsConfiguration
  provisionVMAgent:bool enableAutomaticUpdates:bool timeZone:str
  additionalUnattendContent:[AdditionalUnattendContent] patchSettings:PatchSettings winRM:WinRMConfiguration
  enableVMAgentPlatformUpdates:bool
AdditionalUnattendContent
  passName:str componentName:str settingName:AutoLogon|FirstLogonCommands
  content:str
PatchSettings
  patchMode:Manual|AutomaticByOS|AutomaticByPlatform enableHotpatching:bool
  assessmentMode:ImageDefault|AutomaticByPlatform
  automaticByPlatformSettings:WindowsVMGuestPatchAutomaticByPlatformSettings
WindowsVMGuestPatchAutomaticByPlatformSettings
  rebootSetting:Unknown|IfRequired|Never|Always bypassPlatformSafetyChecksOnUserSchedule:bool
WinRMConfiguration
  listeners:[WinRMListener]
WinRMListener
  protocol:Http|Https certificateUrl:str
LinuxConfiguration
  disablePasswordAuthentication:bool ssh:SshConfiguration provisionVMAgent:bool patchSettings:LinuxPatchSettings
  enableVMAgentPlatformUpdates:bool
SshConfiguration
  publicKeys:[SshPublicKey]
SshPublicKey
  path:str keyData:str
LinuxPatchSettings
  patchMode:ImageDefault|AutomaticByPlatform assessmentMode:ImageDefault|AutomaticByPlatform
  automaticByPlatformSettings:LinuxVMGuestPatchAutomaticByPlatformSettings
LinuxVMGuestPatchAutomaticByPlatformSettings
  rebootSetting:Unknown|IfRequired|Never|Always bypassPlatformSafetyChecksOnUserSchedule:bool
VaultSecretGroup
  sourceVault:SubResource vaultCertificates:[VaultCertificate]
VaultCertificate
  certificateUrl:str certificateStore:str
NetworkProfile
  networkInterfaces:[NetworkInterfaceReference] networkApiVersion:str
  networkInterfaceConfigurations:[VirtualMachineNetworkInterfaceConfiguration]
NetworkInterfaceReference
  id:str properties:NetworkInterfaceReferenceProperties
NetworkInterfaceReferenceProperties
  primary:bool deleteOption:Delete|Detach
VirtualMachineNetworkInterfaceConfiguration
  name!:str properties:VirtualMachineNetworkInterfaceConfigurationProperties
VirtualMachineNetworkInterfaceConfigurationProperties
  primary:bool deleteOption:Delete|Detach enableAcceleratedNetworking:bool disableTcpStateTracking:bool
  enableFpga:bool enableIPForwarding:bool networkSecurityGroup:SubResource
  dnsSettings:VirtualMachineNetworkInterfaceDnsSettingsConfiguration
  ipConfigurations!:[VirtualMachineNetworkInterfaceIPConfiguration] dscpConfiguration:SubResource
  auxiliaryMode:None|AcceleratedConnections|Floating auxiliarySku:None|A1|A2|A4|A8
VirtualMachineNetworkInterfaceDnsSettingsConfiguration
  dnsServers:[str]
VirtualMachineNetworkInterfaceIPConfiguration
  name!:str properties:VirtualMachineNetworkInterfaceIPConfigurationProperties
VirtualMachineNetworkInterfaceIPConfigurationProperties
  subnet:SubResource primary:bool publicIPAddressConfiguration:VirtualMachinePublicIPAddressConfiguration
  privateIPAddressVersion:IPv4|IPv6 applicationSecurityGroups:[SubResource]
  applicationGatewayBackendAddressPools:[SubResource] loadBalancerBackendAddressPools:[SubResource]
VirtualMachinePublicIPAddressConfiguration
  name!:str properties:VirtualMachinePublicIPAddressConfigurationProperties sku:PublicIPAddressSku
VirtualMachinePublicIPAddressConfigurationProperties
  idleTimeoutInMinutes:int deleteOption:Delete|Detach
  dnsSettings:VirtualMachinePublicIPAddressDnsSettingsConfiguration ipTags:[VirtualMachineIpTag]
  publicIPPrefix:SubResource publicIPAddressVersion:IPv4|IPv6 publicIPAllocationMethod:Dynamic|Static
VirtualMachinePublicIPAddressDnsSettingsConfiguration
  domainNameLabel!:str domainNameLabelScope:TenantReuse|SubscriptionReuse|ResourceGroupReuse|NoReuse
VirtualMachineIpTag
  ipTagType:str tag:str
PublicIPAddressSku
  name:Basic|Standard tier:Regional|Global
SecurityProfile
  uefiSettings:UefiSettings encryptionAtHost:bool securityType:TrustedLaunch|ConfidentialVM
  encryptionIdentity:EncryptionIdentity proxyAgentSettings:ProxyAgentSettings
UefiSettings
  secureBootEnabled:bool vTpmEnabled:bool
EncryptionIdentity
  userAssignedIdentityResourceId:str
ProxyAgentSettings
  enabled:bool mode:Audit|Enforce keyIncarnationId:int
DiagnosticsProfile
  bootDiagnostics:BootDiagnostics
BootDiagnostics
  enabled:bool storageUri:str
BillingProfile
  maxPrice:num
ScheduledEventsProfile
  terminateNotificationProfile:TerminateNotificationProfile
  osImageNotificationProfile:OSImageNotificationProfile
TerminateNotificationProfile
  notBeforeTimeout:str enable:bool
OSImageNotificationProfile
  notBeforeTimeout:str enable:bool
CapacityReservationProfile
  capacityReservationGroup:SubResource
ApplicationProfile
  galleryApplications:[VMGalleryApplication]
VMGalleryApplication
  tags:str order:int packageReferenceId!:str configurationReference:str treatFailureAsDeploymentFailure:bool
  enableAutomaticUpgrade:bool
VirtualMachineIdentity
  principalId- tenantId- type:str
  userAssignedIdentities:object
ExtendedLocation
  name:str type:EdgeZone
VirtualMachineUpdate
  tags:map plan:Plan properties:VirtualMachineProperties identity:VirtualMachineIdentity zones:[str]
VirtualMachineExtension
  location:str id- name- type- tags:map properties:VirtualMachineExtensionProperties
VirtualMachineExtensionProperties
  forceUpdateTag:str publisher:str type:str typeHandlerVersion:str autoUpgradeMinorVersion:bool
  enableAutomaticUpgrade:bool settings:any protectedSettings:any provisioningState- instanceView-
  suppressFailures:bool protectedSettingsFromKeyVault:KeyVaultSecretReference provisionAfterExtensions:[str]
VirtualMachineExtensionUpdate
  tags:map properties:VirtualMachineExtensionUpdateProperties
VirtualMachineExtensionUpdateProperties
  forceUpdateTag:str publisher:str type:str typeHandlerVersion:str autoUpgradeMinorVersion:bool
  enableAutomaticUpgrade:bool settings:any protectedSettings:any suppressFailures:bool
  protectedSettingsFromKeyVault:KeyVaultSecretReference
VirtualMachineRunCommand
  id- name- type- location!:str tags:map properties:VirtualMachineRunCommandProperties
VirtualMachineRunCommandProperties
  source:VirtualMachineRunCommandScriptSource parameters:[RunCommandInputParameter]
  protectedParameters:[RunCommandInputParameter] asyncExecution:bool runAsUser:str runAsPassword:str
  timeoutInSeconds:int outputBlobUri:str errorBlobUri:str outputBlobManagedIdentity:RunCommandManagedIdentity
  errorBlobManagedIdentity:RunCommandManagedIdentity provisioningState- instanceView-
  treatFailureAsDeploymentFailure:bool
VirtualMachineRunCommandScriptSource
  script:str scriptUri:str commandId:str scriptUriManagedIdentity:RunCommandManagedIdentity
RunCommandManagedIdentity
  clientId:str objectId:str
RunCommandInputParameter
  name!:str value!:str
VirtualMachineRunCommandUpdate
  tags:map properties:VirtualMachineRunCommandProperties
RunCommandInput
  commandId!:str script:[str] parameters:[RunCommandInputParameter]
Disk
  id- name- type- location!:str tags:map managedBy- managedByExtended- sku:DiskSku zones:[str]
  extendedLocation:ExtendedLocation properties:DiskProperties
DiskSku
  name:Standard_LRS|Premium_LRS|StandardSSD_LRS|UltraSSD_LRS|Premium_ZRS|StandardSSD_ZRS|PremiumV2_LRS tier-
DiskProperties
  timeCreated- osType:Windows|Linux hyperVGeneration:V1|V2 purchasePlan:PurchasePlan
  supportedCapabilities:SupportedCapabilities creationData!:CreationData diskSizeGB:int diskSizeBytes- uniqueId-
  encryptionSettingsCollection:EncryptionSettingsCollection provisioningState- diskIOPSReadWrite:int
  diskMBpsReadWrite:int diskIOPSReadOnly:int diskMBpsReadOnly:int diskState- encryption:Encryption maxShares:int
  shareInfo- networkAccessPolicy:AllowAll|AllowPrivate|DenyAll diskAccessId:str burstingEnabledTime- tier:str
  burstingEnabled:bool propertyUpdatesInProgress- supportsHibernation:bool securityProfile:DiskSecurityProfile
  completionPercent:num publicNetworkAccess:Enabled|Disabled dataAccessAuthMode:AzureActiveDirectory|None
  optimizedForFrequentAttach:bool LastOwnershipUpdateTime-
PurchasePlan
  name!:str publisher!:str product!:str promotionCode:str
SupportedCapabilities
  diskControllerTypes:str acceleratedNetwork:bool architecture:x64|Arm64
CreationData
  createOption!:str
  storageAccountId:str imageReference:ImageDiskReference galleryImageReference:ImageDiskReference sourceUri:str
  sourceResourceId:str sourceUniqueId- uploadSizeBytes:int logicalSectorSize:int securityDataUri:str
  performancePlus:bool elasticSanResourceId:str provisionedBandwidthCopySpeed:None|Enhanced
ImageDiskReference
  id:str sharedGalleryImageId:str communityGalleryImageId:str lun:int
EncryptionSettingsCollection
  enabled!:bool encryptionSettings:[EncryptionSettingsElement] encryptionSettingsVersion:str
EncryptionSettingsElement
  diskEncryptionKey:KeyVaultAndSecretReference keyEncryptionKey:KeyVaultAndKeyReference
KeyVaultAndSecretReference
  sourceVault!:SourceVault secretUrl!:str
SourceVault
  id:str
KeyVaultAndKeyReference
  sourceVault!:SourceVault keyUrl!:str
Encryption
  diskEncryptionSetId:str
  type:EncryptionAtRestWithPlatformKey|EncryptionAtRestWithCustomerKey|EncryptionAtRestWithPlatformAndCustomerKeys
DiskSecurityProfile
  securityType:str
  secureVMDiskEncryptionSetId:str
DiskUpdate
  properties:DiskUpdateProperties tags:map sku:DiskSku
DiskUpdateProperties
  osType:Windows|Linux diskSizeGB:int encryptionSettingsCollection:EncryptionSettingsCollection
  diskIOPSReadWrite:int diskMBpsReadWrite:int diskIOPSReadOnly:int diskMBpsReadOnly:int maxShares:int
  encryption:Encryption networkAccessPolicy:AllowAll|AllowPrivate|DenyAll diskAccessId:str tier:str
  burstingEnabled:bool purchasePlan:PurchasePlan supportedCapabilities:SupportedCapabilities
  propertyUpdatesInProgress- supportsHibernation:bool publicNetworkAccess:Enabled|Disabled
  dataAccessAuthMode:AzureActiveDirectory|None optimizedForFrequentAttach:bool
Snapshot
  id- name- type- location!:str tags:map managedBy- sku:SnapshotSku extendedLocation:ExtendedLocation
  properties:SnapshotProperties
SnapshotSku
  name:Standard_LRS|Premium_LRS|Standard_ZRS tier-
SnapshotProperties
  timeCreated- osType:Windows|Linux hyperVGeneration:V1|V2 purchasePlan:PurchasePlan
  supportedCapabilities:SupportedCapabilities creationData!:CreationData diskSizeGB:int diskSizeBytes- diskState-
  uniqueId- encryptionSettingsCollection:EncryptionSettingsCollection provisioningState- incremental:bool
  incrementalSnapshotFamilyId- encryption:Encryption networkAccessPolicy:AllowAll|AllowPrivate|DenyAll
  diskAccessId:str securityProfile:DiskSecurityProfile supportsHibernation:bool
  publicNetworkAccess:Enabled|Disabled completionPercent:num copyCompletionError:CopyCompletionError
  dataAccessAuthMode:AzureActiveDirectory|None
CopyCompletionError
  errorCode!:CopySourceNotFound errorMessage!:str
SnapshotUpdate
  properties:SnapshotUpdateProperties tags:map sku:SnapshotSku
SnapshotUpdateProperties
  osType:Windows|Linux diskSizeGB:int encryptionSettingsCollection:EncryptionSettingsCollection
  encryption:Encryption networkAccessPolicy:AllowAll|AllowPrivate|DenyAll diskAccessId:str supportsHibernation:bool
  publicNetworkAccess:Enabled|Disabled dataAccessAuthMode:AzureActiveDirectory|None
  supportedCapabilities:SupportedCapabilities
InstanceViewStatus
  code:str level:Info|Warning|Error displayStatus:str message:str time:str
AvailabilitySet
  id- name- type- location!:str tags:map properties:AvailabilitySetProperties sku:Sku
AvailabilitySetProperties
  platformUpdateDomainCount:int platformFaultDomainCount:int virtualMachines:[SubResource]
  proximityPlacementGroup:SubResource statuses- scheduledEventsPolicy:ScheduledEventsPolicy
Sku
  name:str tier:str capacity:int
AvailabilitySetUpdate
  tags:map properties:AvailabilitySetProperties sku:Sku
ProximityPlacementGroup
  id- name- type- location!:str tags:map properties:ProximityPlacementGroupProperties zones:[str]
ProximityPlacementGroupProperties
  proximityPlacementGroupType:Standard|Ultra virtualMachines- virtualMachineScaleSets- availabilitySets-
  colocationStatus:InstanceViewStatus intent:PlacementIntent
PlacementIntent
  vmSizes:[str]
ProximityPlacementGroupUpdate
  tags:map
SshPublicKeyResource
  id- name- type- location!:str tags:map properties:SshPublicKeyResourceProperties
SshPublicKeyResourceProperties
  publicKey:str
SshPublicKeyUpdateResource
  tags:map properties:SshPublicKeyResourceProperties
AttachDetachDataDisksRequest
  dataDisksToAttach:[DataDisksToAttach] dataDisksToDetach:[DataDisksToDetach]
DataDisksToAttach
  diskId!:str lun:int caching:None|ReadOnly|ReadWrite deleteOption:Delete|Detach diskEncryptionSet:SubResource
  writeAcceleratorEnabled:bool
DataDisksToDetach
  diskId!:str detachOption:ForceDetach
Image
  id- name- type- location!:str tags:map properties:ImageProperties extendedLocation:ExtendedLocation
ImageProperties
  sourceVirtualMachine:SubResource storageProfile:ImageStorageProfile provisioningState- hyperVGeneration:V1|V2
ImageStorageProfile
  osDisk:ImageOSDisk dataDisks:[ImageDataDisk] zoneResilient:bool
ImageOSDisk
  osType!:Windows|Linux osState!:Generalized|Specialized snapshot:SubResource managedDisk:SubResource blobUri:str
  caching:None|ReadOnly|ReadWrite diskSizeGB:int diskEncryptionSet:DiskEncryptionSetParameters
  storageAccountType:Standard_LRS|Premium_LRS|StandardSSD_LRS|UltraSSD_LRS|Premium_ZRS|StandardSSD_ZRS|PremiumV2_LRS
ImageDataDisk
  lun!:int snapshot:SubResource managedDisk:SubResource blobUri:str caching:None|ReadOnly|ReadWrite diskSizeGB:int
  storageAccountType:Standard_LRS|Premium_LRS|StandardSSD_LRS|UltraSSD_LRS|Premium_ZRS|StandardSSD_ZRS|PremiumV2_LRS
  diskEncryptionSet:DiskEncryptionSetParameters
ImageUpdate
  tags:map properties:ImageProperties
"""
