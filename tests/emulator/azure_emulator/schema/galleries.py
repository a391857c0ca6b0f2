# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The types of Microsoft.Compute's galleries; see :mod:`azure_emulator.schema.grammar` for the notation."""

from __future__ import annotations

TYPES = """
Gallery
  id- name- type- location!:str tags:map properties:GalleryProperties
GalleryProperties
  description:str identifier:GalleryIdentifier provisioningState- sharingProfile:SharingProfile
  softDeletePolicy:SoftDeletePolicy sharingStatus-
GalleryIdentifier
  uniqueName-
SharingProfile
  permissions:Private|Groups|Community groups- communityGalleryInfo:CommunityGalleryInfo
CommunityGalleryInfo
  publisherUri:str publisherContact:str eula:str publicNamePrefix:str communityGalleryEnabled- publicNames-
SoftDeletePolicy
  isSoftDeleteEnabled:bool
GalleryImage
  id- name- type- location!:str tags:map properties:GalleryImageProperties
GalleryImageProperties
  description:str eula:str privacyStatementUri:str releaseNoteUri:str osType!:Windows|Linux
  osState!:Generalized|Specialized hyperVGeneration:V1|V2 endOfLifeDate:str identifier!:GalleryImageIdentifier
  recommended:RecommendedMachineConfiguration disallowed:Disallowed purchasePlan:ImagePurchasePlan provisioningState-
  features:[GalleryImageFeature] architecture:x64|Arm64
GalleryImageIdentifier
  publisher!:str offer!:str sku!:str
RecommendedMachineConfiguration
  vCPUs:ResourceRange memory:ResourceRange
ResourceRange
  min:int max:int
Disallowed
  diskTypes:[str]
ImagePurchasePlan
  name:str publisher:str product:str
GalleryImageFeature
  name:str value:str
GalleryImageVersion
  id- name- type- location!:str tags:map properties:GalleryImageVersionProperties
GalleryImageVersionProperties
  publishingProfile:GalleryArtifactPublishingProfileBase provisioningState-
  storageProfile!:GalleryImageVersionStorageProfile safetyProfile:GalleryImageVersionSafetyProfile replicationStatus-
  securityProfile:object
GalleryArtifactPublishingProfileBase
  targetRegions:[TargetRegion] replicaCount:int excludeFromLatest:bool publishedDate- endOfLifeDate:str
  storageAccountType:Standard_LRS|Standard_ZRS|Premium_LRS replicationMode:Full|Shallow targetExtendedLocations:[object]
TargetRegion
  name!:str regionalReplicaCount:int storageAccountType:Standard_LRS|Standard_ZRS|Premium_LRS encryption:object
  excludeFromLatest:bool
GalleryImageVersionStorageProfile
  source:GalleryArtifactVersionFullSource osDiskImage:GalleryDiskImage dataDiskImages:[GalleryDataDiskImage]
GalleryArtifactVersionFullSource
  id:str communityGalleryImageId:str virtualMachineId:str
GalleryDiskImage
  sizeInGB- hostCaching:None|ReadOnly|ReadWrite source:GalleryDiskImageSource
GalleryDiskImageSource
  id:str uri:str storageAccountId:str
GalleryDataDiskImage
  sizeInGB- hostCaching:None|ReadOnly|ReadWrite source:GalleryDiskImageSource lun!:int
GalleryImageVersionSafetyProfile
  reportedForPolicyViolation- policyViolations- allowDeletionOfReplicatedLocations:bool
"""
