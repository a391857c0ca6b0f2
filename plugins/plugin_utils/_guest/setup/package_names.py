# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names of packages: engines, where they come from, and what is installed with them."""

DOCKER_PACKAGES = ("docker-ce", "docker-ce-cli", "containerd.io", "docker-buildx-plugin", "docker-compose-plugin")
ROOTLESS = "docker-ce-rootless-extras"
FROM_DOCKER = (*DOCKER_PACKAGES, ROOTLESS)
# Every package that brings a dockerd, and where it comes from.
ENGINE_PACKAGES = (
    ("docker-ce", "docker"),
    ("docker.io", "distribution"),
    ("moby-engine", "distribution"),
    ("docker-stable", "distribution"),
    ("docker", "distribution"),
)
# The packages that have the engine's version.
VERSIONED = (
    "docker-ce",
    "docker-ce-cli",
    ROOTLESS,
    "docker.io",
    "moby-engine",
    "docker-stable",
    "docker",
)
# What is held, and removed, with the engine. Debian's "docker" is another program.
ENGINE_NAMES = (
    *DOCKER_PACKAGES, ROOTLESS, "docker.io", "docker-cli", "moby-engine", "moby-cli",
    "docker-stable", "docker", "containerd", "containerd2",
)  # fmt: skip
DEBIAN_ENGINE_NAMES = tuple(name for name in ENGINE_NAMES if name != "docker")


def engine_names(manager):
    """Return the names of an engine's packages as far as they mean an engine to this package manager."""
    return DEBIAN_ENGINE_NAMES if manager == "apt" else ENGINE_NAMES


def source_of(settings, facts):
    """Return where the engine comes from; where Docker builds no packages, ``auto`` is the distribution."""
    if settings.source != "auto":
        return settings.source
    return "distribution" if facts.manager in ("tdnf", "zypper") else "docker"


def distribution_packages(facts):
    """Return the distribution's own packages for an engine: ``?`` marks optional ones, ``>=2`` a least version.

    The first one is the engine's: the one that is installed, of those that a distribution has.
    """
    names = default_packages(facts)
    return [facts.package, *names[1:]] if names and facts.source == "distribution" else names


def default_packages(facts):
    if facts.manager == "apt":
        return ["docker.io", "docker-cli?", "docker-compose-v2?", "docker-compose>=2?"]
    if facts.manager == "tdnf":
        return ["moby-engine", "moby-cli", "docker-compose?"]
    if facts.manager == "zypper":
        return ["docker", "docker-compose?"]
    if facts.id == "fedora":
        return ["moby-engine", "docker-cli?", "docker-compose?"]
    return []
