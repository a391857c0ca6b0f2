# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where the engine comes from. The same suboptions as in ``module_utils/_extension/argument_spec.py``."""

from __future__ import annotations


class ModuleDocFragment:
    """The modules describe the option itself and its default."""

    DOCUMENTATION = r"""
options:
  engine:
    type: dict
    suboptions:
      source:
        description:
          - V(auto) is V(distribution) on SLES, openSUSE and Azure Linux, for which Docker builds no packages, and
            V(docker) on all others, or if O(engine.mirror), O(engine.key) or another O(engine.channel) is given.
          - V(docker) is Docker's own repository, for Debian, Ubuntu, the RHEL family and Fedora, or a mirror of it.
          - V(distribution) is the distribution's own package. RHEL has none.
          - V(keep) installs nothing and only configures the engine that is installed.
        type: str
        choices: [auto, docker, distribution, keep]
        default: auto
      version:
        description:
          - The version, such as V(28.1.1), or a series such as V(28), whose newest version is installed.
          - An installed engine of another version is upgraded or downgraded to it.
        type: str
      channel:
        description: The channel of Docker's repository.
        type: str
        default: stable
      mirror:
        description:
          - The URL of a mirror of Docker's repository, for closed networks. It must have the layout of
            C(https://download.docker.com).
        type: str
      key:
        description:
          - The public key (armoured OpenPGP) with which the repository is signed. By default the key that the
            repository offers is used, provided that it is Docker's.
        type: str
      hold:
        description: Whether to prevent the package manager from upgrading the engine.
        type: bool
        default: false
      at_boot:
        description:
          - Whether a new host installs the engine at its first boot, while Azure still creates the virtual machine. The
            image must have cloud-init; on others this has no effect.
          - M(dockerhost.azure.docker_vm_host) then adds to the custom data the program that
            M(dockerhost.azure.docker_vm_extension) runs later. It only installs the engine, which does not listen on
            TCP, and the custom data contains neither secrets nor certificates.
          - By default it does, unless it has custom data or user data of its own, or O(engine.source=keep). V(true)
            also installs the engine beside custom data, V(false) never does.
          - An existing host ignores it, and so does M(dockerhost.azure.docker_vm_extension), which finds the engine
            installed, waits for the end of the installation, or installs the engine itself.
        type: bool
"""
