# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One run of docker_vm_extension on one VM: its input, and what it changes."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from .._azure.clients import AzureSession
from .._backend import Request
from .._diff import Differences
from .._docker.connection import Connection
from .handlers import Handler
from .settings import Settings
from .virtual_machine import VirtualMachine


@dataclass
class Run:
    """One run of the task on one VM.

    :param endpoint: how to reach the engine with ``keep_certs``; None if it is not needed, or not known yet.
    :param changes: what differs from the options.
    :param reasons: why to push; empty if nothing has to be pushed.
    :param differing: the sections of the settings that are not as the VM has them, as far as they were compared.
    :param pushed: whether settings reached the VM.
    :param kept_certs: whether the host keeps another certificate than the given one.
    :param started: whether the VM was started, or in check mode would be.
    """

    request: Request
    settings: Settings
    vm: VirtualMachine
    handler: Handler
    endpoint: Connection | None = None
    changes: Differences = field(default_factory=Differences)
    reasons: list[str] = field(default_factory=list)
    differing: list[str] = field(default_factory=list)
    pushed: bool = False
    kept_certs: bool = False
    started: bool = False

    @property
    def params(self) -> t.Mapping[str, t.Any]:
        """The options."""
        return self.request.params

    @property
    def check_mode(self) -> bool:
        """Whether to predict only."""
        return self.request.check_mode

    @property
    def session(self) -> AzureSession:
        """The session with Azure."""
        return self.vm.session

    def make_ready(self) -> None:
        """Start the VM if it must be, and wait until its agent is ready.

        :raises VirtualMachineError: the VM is off and must not be started, or its agent is not ready in time.
        """
        if self.vm.must_start(self.params["start"]):
            self.changes.add("vm.power_state", self.vm.power_state, "running")
            self.started = True
            if not self.check_mode:
                self.vm.start()
        if not self.check_mode:
            self.vm.wait_for_agent(float(self.params["agent_timeout"]))
