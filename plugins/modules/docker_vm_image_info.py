#!/usr/bin/python
# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: docker_vm_image_info
short_description: Find images for Docker hosts on Azure
version_added: 0.1.0
description:
  - Lists publishers, the offers of a publisher, the SKUs of offers, or the images of SKUs, one level below the
    options that are set.
  - Returns the properties of each image that decide whether it is suitable - operating system, generation,
    architecture, Trusted Launch, plan.
author:
  - The dockerhost.azure authors (@dockerhost)
extends_documentation_fragment:
  - dockerhost.azure._attributes
  - dockerhost.azure._azure
  - dockerhost.azure._azure.requirements
attributes:
  check_mode:
    support: full
    details:
      - This action does not modify state.
  diff_mode:
    support: N/A
    details:
      - This action does not modify state.
  idempotent:
    support: full
    details:
      - This action does not modify state.
  action:
    support: full
  async:
    support: full
  safe_file_operations:
    support: N/A
    details:
      - This action writes no files.
options:
  location:
    description:
      - The region.
    type: str
    required: true
  family:
    description:
      - A predefined family, such as V(ubuntu) or V(debian-12); RV(families) lists them. It selects publisher, offer and
        SKU.
    type: str
  publisher:
    description:
      - The publisher, or a pattern (V(*), V(?)). The publishers that match are listed, unless O(offer) is given.
    type: str
  offer:
    description:
      - The offer, or a pattern. The SKUs of those that match are listed.
    type: str
  sku:
    description:
      - The SKU, or a pattern. The images of those that match are listed.
      - Defaults to all SKUs if O(generation), O(architecture) or O(version) is set, because only images have those.
    type: str
  version:
    description:
      - Which versions to list, V(latest) for the newest of each SKU, or a pattern. Needs O(offer) or O(family).
    type: str
    default: latest
  generation:
    description:
      - Only images of this generation. Needs O(offer) or O(family).
    type: str
    choices: [V1, V2]
  architecture:
    description:
      - Only images for this architecture. Needs O(offer) or O(family).
    type: str
    choices: [x64, Arm64]
seealso:
  - module: dockerhost.azure.docker_vm_host
"""

EXAMPLES = r"""
- name: What does Canonical offer
  dockerhost.azure.docker_vm_image_info:
    location: westeurope
    publisher: Canonical

- name: The newest image of each SKU of Ubuntu 24.04
  dockerhost.azure.docker_vm_image_info:
    location: westeurope
    publisher: Canonical
    offer: ubuntu-24_04-lts
    sku: "*"
  register: found

- name: Every version of Debian 12 for Arm processors
  dockerhost.azure.docker_vm_image_info:
    location: westeurope
    publisher: Debian
    offer: debian-12
    sku: "*"
    version: "*"
    architecture: Arm64

- name: What is behind a family's name
  dockerhost.azure.docker_vm_image_info:
    location: westeurope
    family: debian-12
"""

RETURN = r"""
families:
  description: The names that O(dockerhost.azure.docker_vm_host#module:image) knows, with their C(urn).
  returned: success
  type: list
  elements: dict
publishers:
  description: The publishers, when no publisher is given.
  returned: success
  type: list
  elements: str
offers:
  description: The publisher's offers, when no offer is given.
  returned: success
  type: list
  elements: str
skus:
  description: The URNs of the newest image of each SKU, when no SKU is given.
  returned: success
  type: list
  elements: str
  sample: ["Canonical:ubuntu-24_04-lts:server:latest"]
images:
  description: The images, when a SKU or family is given.
  returned: success
  type: list
  elements: dict
  contains:
    urn:
      description: What to give as O(dockerhost.azure.docker_vm_host#module:image).
      type: str
    publisher:
      description: The publisher.
      type: str
    offer:
      description: The offer.
      type: str
    sku:
      description: The SKU.
      type: str
    version:
      description: The version.
      type: str
    os:
      description: V(Linux) or V(Windows).
      type: str
    generation:
      description: V(V1) or V(V2).
      type: str
    architecture:
      description: V(x64) or V(Arm64).
      type: str
    trusted_launch:
      description: Whether it can have Trusted Launch.
      type: bool
    state:
      description: V(Active), or that Azure is going to withdraw it.
      type: str
    plan:
      description: The plan under which it is sold, V(null) without one.
      type: dict
signed_in_with:
  description: How the task signed in to Azure.
  returned: success
  type: str
"""

from ansible_collections.dockerhost.azure.plugins.module_utils._backend import run_as_module
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.image_info_task import BACKEND


def main() -> None:
    """Run the task as a module."""
    run_as_module(BACKEND)


if __name__ == "__main__":
    main()
