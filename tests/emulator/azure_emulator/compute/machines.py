# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The bridge to the machines: resources become specifications, power states become calls."""

from __future__ import annotations

import asyncio
import base64
import binascii
import logging
import typing as t
from pathlib import Path

from ..arm.resource import Json, Resource
from ..machines.base import AgentStatus, DataDisk, Interface, Machine, MachineError, MachineProvider, MachineSpec
from ..network.names import NIC, NSG, PUBLIC_IP, RULE, SUBNET, VNET
from . import catalogue
from .names import VM
from .rules import effective_rules

if t.TYPE_CHECKING:
    from ..cloud import Cloud
    from ..settings import Settings

LOG = logging.getLogger(__name__)


def make_provider(kind: str, directory: Path | None, settings: Settings) -> MachineProvider:
    """Return a provider by its name on the command line; ``auto`` selects real guests where they are possible.

    :raises RuntimeError: guests were asked for and are not possible here, or what only guests have without them.
    """
    if settings.handlers is not None and kind not in ("auto", "guests"):
        raise RuntimeError(f"--handlers must come with --machines guests, whose agent installs packages, got {kind}")
    if settings.provision == "cloud-init" and kind not in ("auto", "guests"):
        raise RuntimeError(f"--provision cloud-init must come with --machines guests, got {kind}")
    if kind == "none":
        from ..machines.null_machine import NullProvider

        return NullProvider(directory)
    if directory is None:
        raise RuntimeError("machines need a directory")
    directory.mkdir(mode=0o700, exist_ok=True)
    if kind in ("auto", "guests"):
        from ..machines.guests import GuestProvider
        from ..machines.possible import guests_possible

        reason = guests_possible()
        if reason is None:
            provider = GuestProvider(
                directory, settings.cache_dir, handlers=settings.handlers, provision=settings.provision
            )
            return t.cast(MachineProvider, provider)
        if kind == "guests":
            raise RuntimeError(f"guests are not possible here: {reason}")
        LOG.info("guests are not possible here (%s): stand-ins instead", reason)
    from ..machines.standin import StandInProvider

    return t.cast(MachineProvider, StandInProvider(directory))


class MachineRoom:
    """All machines of one server, one call at a time for each."""

    def __init__(self, cloud: Cloud, kind: str, directory: Path | None) -> None:
        self._cloud = cloud
        place = directory / "machines" if directory is not None else None
        self._provider = make_provider(kind, place, cloud.settings)
        self._machines: dict[str, Machine] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    @property
    def kind(self) -> str:
        """What the machines are: ``guest``, ``stand-in`` or ``none``."""
        return self._provider.kind

    @property
    def public_pool(self) -> str:
        """CIDR of the public addresses."""
        return self._provider.public_pool

    async def open(self) -> None:
        """Start the provider, and the machines that ran when the server stopped."""
        await self._provider.open()
        waiting = []
        for vm in self._cloud.store.of_type(VM):
            if vm.hidden.get("power") == "running" and not self._cloud.operations.under_way(vm.id):
                waiting.append(self._resume(vm))
        await asyncio.gather(*waiting)

    async def _resume(self, vm: Resource) -> None:
        try:
            await self.start(vm)
        except MachineError:
            LOG.exception("machine %s did not come up again", vm.name)
            vm.hidden["power"] = "stopped"
            self._cloud.store.save(vm)

    async def close(self) -> None:
        """Stop the provider and all its machines."""
        await self._provider.close()

    def lock(self, vm: Resource) -> asyncio.Lock:
        """Guards the calls for one machine."""
        return self._locks.setdefault(vm.key, asyncio.Lock())

    async def machine(self, vm: Resource) -> Machine:
        """Return the machine of a VM, created if necessary. Hold the lock."""
        machine = self._machines.get(vm.key)
        if machine is None:
            made = machine = self._machines[vm.key] = await self._provider.create(self.spec(vm))
            machine.on_ended = lambda: self._cloud.soon(self._ended(vm.id, made))
        return machine

    async def _ended(self, vm_id: str, machine: Machine) -> None:
        """Mark a machine that ended by itself as stopped, but allocated, like one that was powered off."""
        vm = self._cloud.store.get(vm_id)
        if vm is None:
            return
        async with self.lock(vm):
            present = self._machines.get(vm.key) is machine
            if present and not machine.running and vm.hidden.get("power") == "running":
                await machine.power_off()
                vm.hidden["power"] = "stopped"
                self._cloud.store.save(vm)

    async def start(self, vm: Resource) -> None:
        """Boot."""
        async with self.lock(vm):
            machine = await self.machine(vm)
            await machine.reconfigure(self.spec(vm))
            await machine.start()

    async def stop(self, vm: Resource, *, skip_shutdown: bool = False) -> None:
        """Power off; the disks stay."""
        async with self.lock(vm):
            await (await self.machine(vm)).power_off(skip_shutdown=skip_shutdown)

    async def restart(self, vm: Resource) -> None:
        """Power off and boot."""
        async with self.lock(vm):
            await (await self.machine(vm)).restart()

    async def delete(self, vm: Resource) -> None:
        """Remove the machine and its OS disk."""
        async with self.lock(vm):
            machine = self._machines.get(vm.key) or await self.machine(vm)
            await machine.delete()
            self._machines.pop(vm.key, None)
        self._locks.pop(vm.key, None)

    async def delete_disk(self, disk_id: str) -> None:
        """Remove a managed disk's content."""
        await self._provider.delete_disk(disk_id)

    async def agent_status(self, vm: Resource) -> AgentStatus:
        """Return the status that the agent of a VM reports, as far as the switch ``agent`` shows it."""
        forced = self._cloud.switches["agent"]
        if vm.hidden.get("power") != "running" or forced == "absent":
            return AgentStatus("absent")
        if forced == "not_ready":
            return AgentStatus("not_ready", "Unknown", "VM status blob is found but not yet populated.")
        machine = self._machines.get(vm.key)
        return await machine.agent_status() if machine is not None else AgentStatus("absent")

    def console_log(self, vm: Resource) -> str:
        """Return the console since the last boot."""
        machine = self._machines.get(vm.key)
        return machine.console_log() if machine is not None else ""

    async def network_changed(self, target: str) -> None:
        """Reconfigure every machine that a change of this network resource affects."""
        for vm in self._concerned(target):
            await self.reconfigure(vm)

    async def reconfigure(self, vm: Resource) -> None:
        """Apply the present addresses, rules and disks to a machine."""
        if vm.key in self._machines:
            async with self.lock(vm):
                await self._machines[vm.key].reconfigure(self.spec(vm))

    def _concerned(self, target: str) -> list[Resource]:
        """Return the VMs that a network resource matters to, directly or through what uses it."""
        found: dict[str, Resource] = {}
        waiting, seen = [target.lower()], set()
        while waiting:
            key = waiting.pop()
            resource = self._cloud.store.get(key)
            if key in seen or resource is None:
                continue
            seen.add(key)
            if resource.type == VM:
                found[key] = resource
            waiting += self._affected(resource)
        return list(found.values())

    def _affected(self, resource: Resource) -> list[str]:
        """Keys of what a network resource matters to directly."""
        store = self._cloud.store
        if resource.type == NIC:
            return [resource.hidden.get("virtualMachine", "").lower()]
        if resource.type == RULE:
            return [resource.container]
        if resource.type == VNET:
            return [subnet.key for subnet in store.children(resource.key, SUBNET)]
        if resource.type in (SUBNET, NSG, PUBLIC_IP):
            return [user.key for user in store.user_resources(resource.key)]
        return []

    def spec(self, vm: Resource) -> MachineSpec:
        """Return the specification of a VM's machine, from the resources in their present state."""
        properties = vm.properties
        profile: Json = properties.get("osProfile", {})
        linux: Json = profile.get("linuxConfiguration") or {}
        keys = tuple(key["keyData"] for key in (linux.get("ssh") or {}).get("publicKeys") or [])
        nics = [self._cloud.store.get(ref["id"]) for ref in properties["networkProfile"]["networkInterfaces"]]
        present = [nic for nic in nics if nic is not None]
        size = catalogue.size_of(self._cloud, properties["hardwareProfile"]["vmSize"])
        os_disk = properties["storageProfile"]["osDisk"]
        image: Json = properties["storageProfile"].get("imageReference") or {}
        return MachineSpec(
            id=vm.id,
            name=vm.name,
            computer_name=profile.get("computerName", vm.name),
            admin_username=profile.get("adminUsername", ""),
            admin_password=vm.hidden.get("adminPassword"),
            image={key: str(value) for key, value in image.items()},
            interfaces=tuple(self._interface(nic) for nic in present),
            rules=effective_rules(self._cloud, present[0]) if present else (),
            ssh_public_keys=keys,
            disable_password_authentication=bool(linux.get("disablePasswordAuthentication", False)),
            custom_data=_decoded(vm.hidden.get("customData")),
            user_data=_decoded(vm.hidden.get("userData")),
            os_disk_id=(os_disk.get("managedDisk") or {}).get("id") or vm.hidden.get("osDiskId", ""),
            data_disks=tuple(self._data_disks(properties)),
            provision_agent=bool(linux.get("provisionVMAgent", True)),
            package_locks=tuple(self._cloud.switches["package_locks"]),
            package_rate=self._cloud.switches["package_rate"],
            vcpus=size.vcpus,
            memory_mb=size.memory_mb,
            location=vm.location or "",
            size=properties["hardwareProfile"]["vmSize"],
            vm_id=properties.get("vmId", ""),
        )

    def _data_disks(self, properties: Json) -> t.Iterator[DataDisk]:
        for disk in properties["storageProfile"].get("dataDisks", []):
            id_ = (disk.get("managedDisk") or {}).get("id", "")
            resource = self._cloud.store.get(id_)
            size = resource.properties.get("diskSizeGB") if resource is not None else disk.get("diskSizeGB")
            yield DataDisk(id=id_, name=disk["name"], lun=disk["lun"], size_gb=size or 0)

    def _interface(self, nic: Resource) -> Interface:
        items = nic.properties["ipConfigurations"]
        primary = next((item for item in items if item["properties"].get("primary")), items[0])["properties"]
        subnet = self._cloud.store.get(primary["subnet"]["id"])
        public = self._cloud.store.get((primary.get("publicIPAddress") or {}).get("id", ""))
        prefix = ""
        if subnet is not None:
            prefix = subnet.properties.get("addressPrefix") or subnet.properties["addressPrefixes"][0]
        return Interface(
            id=nic.id,
            mac_address=nic.hidden.get("macAddress", "").replace("-", ":").lower(),
            private_address=primary["privateIPAddress"],
            subnet_prefix=prefix,
            network=subnet.container if subnet is not None else "",
            public_address=public.properties.get("ipAddress") if public is not None else None,
            fqdn=public.properties.get("dnsSettings", {}).get("fqdn") if public is not None else None,
        )


def _decoded(text: str | None) -> bytes | None:
    if not text:
        return None
    try:
        return base64.b64decode(text)
    except binascii.Error:
        return text.encode()
