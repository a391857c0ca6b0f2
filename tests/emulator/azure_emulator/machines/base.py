# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The contract between the ARM side and the machines behind its virtual machines.

The ARM side decides names, addresses, rules and times; a provider makes them real. Every method is a
coroutine of the server's one event loop and must not block it. Calls for one machine come one at a time.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Interface:
    """One network interface as the machine sees it.

    :param private_address: the address in the subnet, for example ``10.0.0.4``.
    :param subnet_prefix: the subnet in CIDR form; its first host address is the gateway.
    :param network: key of the virtual network (its resource id in lower case); networks may overlap.
    :param public_address: an address from the provider's :attr:`MachineProvider.public_pool`, mapped 1:1.
    :param fqdn: the public address's DNS name.
    """

    id: str
    mac_address: str
    private_address: str
    subnet_prefix: str
    network: str
    public_address: str | None = None
    fqdn: str | None = None


@dataclass(frozen=True)
class Rule:
    """One effective security rule; the lowest priority that matches decides.

    Prefixes are CIDRs, addresses, ``*`` or the service tags Internet, VirtualNetwork, AzureLoadBalancer.
    :param ports: destination ports, ``*``, ``80`` or ``8000-8010``.
    """

    priority: int
    direction: t.Literal["Inbound", "Outbound"]
    access: t.Literal["Allow", "Deny"]
    protocol: t.Literal["*", "Tcp", "Udp", "Icmp", "Esp", "Ah"]
    sources: tuple[str, ...]
    destinations: tuple[str, ...]
    source_ports: tuple[str, ...] = ("*",)
    ports: tuple[str, ...] = ("*",)


@dataclass(frozen=True)
class DataDisk:
    """A managed disk. Its content lives as long as the disk resource, whatever happens to machines."""

    id: str
    name: str
    lun: int
    size_gb: int


#: The locks that a guest can be told to hold.
PACKAGE_LOCKS = ("dpkg-frontend", "apt-lists", "apt-archives", "rpm", "dnf", "zypper")


@dataclass(frozen=True)
class MachineSpec:
    """The specification of a machine. Secrets stay out of every log.

    :param package_locks: package managers' locks that something in the guest holds from its boot on, as
        ``NAME:SECONDS`` with a name of :data:`PACKAGE_LOCKS`.
    :param package_rate: megabytes a second at which apt in the guest gets packages; 0 is as fast as it can.
    """

    id: str
    name: str
    computer_name: str
    admin_username: str
    image: t.Mapping[str, str]
    interfaces: tuple[Interface, ...]
    rules: tuple[Rule, ...] = ()
    admin_password: str | None = field(default=None, repr=False)
    ssh_public_keys: tuple[str, ...] = ()
    disable_password_authentication: bool = True
    custom_data: bytes | None = field(default=None, repr=False)
    user_data: bytes | None = field(default=None, repr=False)
    os_disk_id: str = ""
    data_disks: tuple[DataDisk, ...] = ()
    provision_agent: bool = True
    package_locks: tuple[str, ...] = ()
    package_rate: int = 0
    vcpus: int = 2
    memory_mb: int = 4096
    location: str = ""
    size: str = ""
    vm_id: str = ""


@dataclass(frozen=True)
class HandlerState:
    """What the agent reports about a handler.

    :param name: the full one, ``Publisher.Type``.
    :param code: of the agent's error; 0 for a handler that is ready.
    """

    name: str
    version: str
    is_ready: bool
    code: int
    message: str


@dataclass(frozen=True)
class AgentStatus:
    """The report of the guest agent. ``version`` is None without an agent.

    :param handlers: None if it reports none, as a stand-in; Azure then shows those of the extensions.
    :param system: computer name, distribution and its version; None if the agent does not report them.
    """

    state: t.Literal["ready", "not_ready", "absent"]
    version: str | None = None
    message: str = ""
    handlers: tuple[HandlerState, ...] | None = None
    system: tuple[str, str, str] | None = None


@dataclass(frozen=True)
class HandlerReference:
    """An extension resource and the handler that serves it.

    :param name: of the extension resource.
    """

    name: str
    publisher: str
    type: str

    @property
    def handler(self) -> str:
        """The handler's full name: ``Microsoft.Azure.Extensions.CustomScript``."""
        return f"{self.publisher}.{self.type}"


@dataclass(frozen=True)
class ExtensionSettings(HandlerReference):
    """What the agent passes to an extension handler.

    :param version: the full version that was resolved from the requested one, for example ``2.1.19``.
    :param protected: the protected settings; they stay out of every log.
    """

    version: str
    settings: t.Mapping[str, t.Any] = field(default_factory=dict)
    protected: t.Mapping[str, t.Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class RunCommandSpec:
    """A script for the agent to run. Named parameters become environment variables, unnamed ones arguments.

    :param parameters: pairs of name (empty for an unnamed one) and value.
    :param timeout: in seconds.
    :param name: of the managed run command; empty for the action.
    """

    script: str = field(repr=False)
    parameters: tuple[tuple[str, str], ...] = ()
    protected_parameters: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    run_as_user: str | None = None
    run_as_password: str | None = field(default=None, repr=False)
    timeout: float = 5400.0
    name: str = ""

    @property
    def variables(self) -> dict[str, str]:
        """The named parameters, protected ones included."""
        return {name: value for name, value in (*self.parameters, *self.protected_parameters) if name}

    @property
    def arguments(self) -> tuple[str, ...]:
        """The values of the unnamed parameters, in order."""
        return tuple(value for name, value in (*self.parameters, *self.protected_parameters) if not name)


@dataclass(frozen=True)
class HandlerResult:
    """The status that an extension handler reported (N.status of the handler contract).

    :param code: the handler's own code; 0 is success.
    :param message: ``formattedMessage.message``.
    :param handler_version: the full version, for example ``2.1.19``.
    """

    status: t.Literal["success", "error"]
    message: str
    handler_version: str
    code: int = 0
    substatus: tuple[t.Mapping[str, t.Any], ...] = ()


@dataclass(frozen=True)
class CommandResult:
    """The result of a managed or action run command.

    :param state: the execution state in the handler's own words, and its message; None if only the code is known.
    """

    exit_code: int
    output: str
    error: str
    timed_out: bool = False
    state: str | None = None
    message: str = ""


class MachineError(Exception):
    """A machine failed; the text says what happened on the host."""


class AgentUnreachable(MachineError):  # noqa: N818 (the thing, not only the error)
    """The agent is missing or does not report: Azure's VMAgentStatusCommunicationError."""


class Machine(t.Protocol):
    """One virtual machine, running or not. Its disks stay until :meth:`delete`.

    :param on_ended: called in the event loop when the machine has ended by itself, for example after ``poweroff``.
    """

    spec: MachineSpec
    on_ended: t.Callable[[], None] | None

    @property
    def running(self) -> bool:
        """Whether it was started and has not ended since."""

    async def start(self) -> None:
        """Boot and return when the guest is provisioned (first boot) and its agent reports."""

    async def power_off(self, *, skip_shutdown: bool = False) -> None:
        """Stop. The disks stay."""

    async def restart(self) -> None:
        """Stop and boot."""

    async def delete(self) -> None:
        """Stop and remove the machine and its OS disk. Data disks are the provider's to delete."""

    async def reconfigure(self, spec: MachineSpec) -> None:
        """Apply changed addresses, rules and data disks, live where Azure does it live."""

    async def agent_status(self) -> AgentStatus:
        """Return the agent's present state; absent if the machine is off."""

    async def enable_extension(self, extension: ExtensionSettings) -> HandlerResult:
        """Give the handler a new sequence number with these settings and wait for its final status.

        :raises AgentUnreachable: the agent does not report.
        """

    async def remove_extension(self, handler: HandlerReference) -> None:
        """Disable and uninstall the handler."""

    async def run_command(self, command: RunCommandSpec) -> CommandResult:
        """Run a shell script through the agent and wait for its end."""

    async def forget_run_command(self, name: str) -> None:
        """Let the agent forget a managed run command."""

    def console_log(self) -> str:
        """Return the console since the last boot (boot diagnostics)."""


class MachineProvider(t.Protocol):
    """Makes machines of one kind.

    :param kind: ``guest`` (a real Linux), ``stand-in`` (answers like an engine), or ``none`` (nothing behind).
    :param public_pool: CIDR from which the ARM side hands out public addresses that are really reachable.
    """

    kind: t.Literal["guest", "stand-in", "none"]
    public_pool: str

    async def open(self) -> None:
        """Prepare, and clean up what a killed predecessor left."""

    async def close(self) -> None:
        """Stop every machine and leave no process, mount or namespace behind. Disks stay in the state directory."""

    async def create(self, spec: MachineSpec) -> Machine:
        """Create a machine without starting it. Known disks (after a restart of the server) are reused."""

    async def delete_disk(self, disk_id: str) -> None:
        """Remove a managed disk's content. Unknown ones are ignored."""
