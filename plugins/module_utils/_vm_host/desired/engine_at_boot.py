# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The installation of the engine at the first boot, while Azure still creates the VM, if the options ask for it.

Custom data is readable on the VM, so it contains only settings without a secret.
"""

from __future__ import annotations

import typing as t

from ..._errors import OptionError
from ..._extension.engine_options import read_engine
from ..._extension.payload import boot_script
from ..._ports import DEFAULT_SSH_PORT
from .custom_data import LIMIT, assemble_custom_data, is_mergeable, mergeable_formats
from .engine_source import engine_source_fault

Params = t.Mapping[str, t.Any]


def read_boot_script(params: Params) -> str | None:
    """Return the script with which custom data starts the installation of the engine; None if there is none at boot.

    :raises OptionError: the engine cannot be installed at boot, or the custom data would be too large.
    """
    engine = params["engine"]
    if engine is None:
        return None
    settings, at_boot = read_engine(engine), engine["at_boot"]
    if at_boot is False or (at_boot is None and _is_left_to_the_push(params, settings)):
        return None
    fault = _fault(params, settings)
    if fault:
        raise OptionError("engine.at_boot", fault)
    without_packages = engine_source_fault(params["image"], engine)
    if without_packages:
        raise OptionError("engine", without_packages)
    if not params["setup_program"]:
        raise OptionError("setup_program", "is required with O(engine); the action of this module sets it")
    script = boot_script(params["setup_program"], settings)
    # The setup program alone fits, and compressing it takes time.
    size = _size(params, script) if params["custom_data"] or "key" in settings else 0
    if size > LIMIT and at_boot is None:
        return None
    _check_size(params, size)
    return script


def _is_left_to_the_push(params: Params, settings: t.Mapping[str, t.Any]) -> bool:
    """Return whether nothing is installed at boot unless the options request it.

    The user's own data may prepare what the installation needs, such as a proxy, or install an engine themselves.
    """
    return bool(params["custom_data"] or params["user_data"]) or settings["source"] == "keep"


def _fault(params: Params, settings: t.Mapping[str, t.Any]) -> str:
    """Return why the engine cannot be installed at boot, empty if it can."""
    if settings["source"] == "keep":
        return "has no effect with O(engine.source=keep); leave it out"
    if params["user_data"]:
        # DataSourceAzure of cloud-init reads user data only from a VM without custom data.
        return (
            "contradicts O(user_data), because cloud-init ignores user data on a host with custom data: leave one out"
        )
    custom_data = params["custom_data"]
    if custom_data and not is_mergeable(custom_data):
        return f"needs O(custom_data) to start with {mergeable_formats()}, so that both can be in one MIME message"
    return ""


def _size(params: Params, script: str) -> int:
    """Return the bytes of the whole custom data."""
    return len(assemble_custom_data(params["custom_data"], params["ssh_port"] or DEFAULT_SSH_PORT, script) or b"")


def _check_size(params: Params, size: int) -> None:
    if size <= LIMIT:
        return
    if not params["custom_data"]:
        raise OptionError("engine.key", f"must be shorter: the custom data has {size} bytes, and Azure takes {LIMIT}")
    raise OptionError(
        "custom_data",
        f"must be smaller with O(engine.at_boot=true): together they have {size} bytes, compressed, and Azure"
        f" takes {LIMIT}. Make it smaller, or set O(engine.at_boot=false)",
    )
