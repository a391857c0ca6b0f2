# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The types of Microsoft.Resources; see :mod:`azure_emulator.schema.grammar` for the notation."""

from __future__ import annotations

TYPES = """
ResourceGroup
  id- name- type- properties:ResourceGroupProperties location!:str managedBy:str tags:map
ResourceGroupProperties
  provisioningState-
ResourceGroupPatchable
  name:str properties:ResourceGroupProperties managedBy:str tags:map
TagsResource
  id- name- type- properties!:Tags
Tags
  tags:map
TagsPatchResource
  operation:Replace|Merge|Delete properties:Tags
Deployment
  location:str properties!:DeploymentProperties tags:map
DeploymentProperties
  template:object templateLink:TemplateLink parameters:object parametersLink:ParametersLink
  mode!:Incremental|Complete debugSetting:DebugSetting onErrorDeployment:OnErrorDeployment
  expressionEvaluationOptions:ExpressionEvaluationOptions
TemplateLink
  uri:str id:str relativePath:str contentVersion:str queryString:str
ParametersLink
  uri!:str contentVersion:str
DebugSetting
  detailLevel:str
OnErrorDeployment
  type:LastSuccessful|SpecificDeployment deploymentName:str
ExpressionEvaluationOptions
  scope:NotSpecified|Outer|Inner
"""
