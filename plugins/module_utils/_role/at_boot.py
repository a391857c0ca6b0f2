# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What other variables of the role mean for the installation of the engine at the first boot of a new host.

docker_vm_host, whose custom data starts the installation, does not have the options of the settings that follow.
"""

from __future__ import annotations

import typing as t

from .._errors import OptionError

Values = t.Mapping[str, t.Any]

ENGINES_DIRECTORIES = ("/var/lib/docker", "/var/lib/containerd")
"""Where the engine and containerd keep their data from their first start on, if nothing else is configured."""


def with_default(engine: t.Any, docker: t.Any, handler: t.Any) -> t.Any:
    """Return the option ``engine`` of docker_vm_host, with ``at_boot`` where the settings that follow decide it.

    :param engine: the variable's value, None for the default.
    :param docker: the variable with the settings of the daemon.
    :param handler: how the settings are pushed.
    """
    engine = {} if engine is None else engine
    if not isinstance(engine, dict) or engine.get("at_boot") is not None:
        return engine
    return engine if _fits(docker, handler) else {**engine, "at_boot": False}


def _fits(docker: t.Any, handler: t.Any) -> bool:
    """Return whether an engine that is installed at boot fits the settings that follow."""
    settings = docker or {}
    if not isinstance(settings, dict):
        return False  # text of a survey, which is not parsed here, or a value that docker_vm_extension refuses
    if handler == "docker_extension":
        return False  # installs an engine itself, and does not wait for another installation
    if settings.get("proxies"):
        return False  # may contain a password, which must not be in custom data
    return not hides_engine(settings.get("data_disk"))


def hides_engine(disk: t.Any) -> bool:
    """Return whether the data disk is mounted where an engine has its data from its first start on."""
    path = str(disk.get("path") or "") if isinstance(disk, dict) else ""
    return f"{path}/".startswith(tuple(f"{directory}/" for directory in ENGINES_DIRECTORIES))


def check_engine_at_boot(host: Values, settings: Values) -> None:
    """Refuse settings that cannot be applied to an engine that the host has installed at its first boot.

    :param host: the options of docker_vm_host.
    :param settings: the options of docker_vm_extension.
    :raises OptionError: there are such settings, and the installation at boot is requested.
    """
    if not (host.get("engine") or {}).get("at_boot"):
        return
    disk = (settings.get("docker") or {}).get("data_disk") or {}
    if hides_engine(disk):
        raise OptionError(
            "docker_host_engine",
            f"must not contain at_boot=true with the data disk at {disk['path']}, because that directory must be empty"
            " when the disk is mounted: leave out at_boot, or the path",
        )
    if settings.get("handler") == "docker_extension":
        raise OptionError(
            "docker_host_engine",
            "must not contain at_boot=true with docker_host_handler=docker_extension, which installs an engine itself:"
            " leave out one of the two",
        )
