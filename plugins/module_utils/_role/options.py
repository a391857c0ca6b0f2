# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How the variables of the role docker_host become options of its stages' modules.

One table per module classifies every option of the module: set by a variable of the role, or by the role itself. The
variable of an option is called ``docker_host_`` and the option's name, unless the table gives it another name.
"""

from __future__ import annotations

import difflib
import functools
import json
import os
import re
import typing as t
from dataclasses import dataclass, field

from .._argspec import ArgumentSpec, check_values
from .._azure.argument_spec import azure_argument_spec
from .._docker.context_spec import SPEC as CONTEXT
from .._docker.endpoint_task import SPEC as ENDPOINT
from .._errors import OptionError
from .._extension.argument_spec import OTHER_SECTIONS, extension_argument_spec
from .._files import read_option_file
from .._ports import DEFAULT_PORT, DEFAULT_SSH_PORT
from .._tls.keys import DEFAULT_KEY_TYPE
from .._tls.names import check_identity_name
from .._vault.task import SPEC as CERTIFICATES
from .._vm_host.argument_spec import DEFAULT_ACCESS, DEFAULT_DISK, DEFAULT_NETWORK, DEFAULT_USER, RESETTABLE
from .._vm_host.argument_spec import SPEC as VIRTUAL_MACHINE
from .._vm_host.desired.image_reference import DEFAULT_IMAGE
from .._vm_host.desired.resource_names import SHARED_SUBNET
from .._vm_host.desired.vm_sizes import DEFAULT_SIZES
from . import at_boot

Purpose = t.Literal["create", "absent", "power", "push_certs", "read", "list", "sign", "sign_in"]
Values = dict[str, t.Any]
Get = t.Callable[[str], t.Any]
"""Gives a variable's value by its whole name, None when it is not defined."""

PREFIX = "docker_host_"
RESET = "default"
"""The value of a variable with which an existing host gets the default again."""
REGISTERED = "_docker_host_"
"""What the names of the stages' registered results start with."""
CONTROLLERS = ("localhost", "127.0.0.1")
UNSET: tuple[t.Any, ...] = ("", None, [""])
"""What a variable may hold without counting as set: surveys of AWX send blanks."""
DEFAULTS: t.Mapping[str, t.Any] = {
    "delegate_to": "localhost",
    "resource_group": "docker-hosts",
    "context": True,
    "wait": True,
    "require_mutual_tls": True,
    "rotate": "leaves",
    "output": "text",
    "env_shell": "sh",
}
"""Defaults of the role itself, by variable without prefix. Every other variable has the default of its option."""
RESETS: t.Mapping[str, t.Any] = {
    **dict.fromkeys(RESETTABLE),
    "address": None,
    "admin_username": DEFAULT_USER,
    "assign_dns_label": True,
    "assign_public_ip": True,
    "auto_shutdown": {"enabled": False},
    "boot_diagnostics": True,
    "client_key_type": DEFAULT_KEY_TYPE,
    "context_current": False,
    "context_transport": "tls",
    "dns_names": [],
    "ephemeral_os_disk": False,
    "handler": "auto",
    "image": DEFAULT_IMAGE,
    "ip_addresses": [],
    "license_type": "None",
    "managed_disk_type": DEFAULT_DISK,
    "port": DEFAULT_PORT,
    "priority": "Regular",
    "public_ip_address": None,
    "security_group": None,
    "server_key_type": DEFAULT_KEY_TYPE,
    "ssh_port": DEFAULT_SSH_PORT,
    "subnet_prefix": None,
    "tags": {},
    "virtual_network": None,
    "virtual_network_prefix": DEFAULT_NETWORK,
    "vm_identity": {"type": "None"},
    "vm_size": DEFAULT_SIZES[0],
}
"""What ``default`` means, by variable without prefix; for access, DNS label and Docker settings, the modules know it.

Other variables take it literally, because it can be the name of a subnet, for example.
"""
KNOWN = ("context_transport",)
"""Variables that an existing host keeps from what only the controller knows, without prefix."""
REFUSED: t.Mapping[str, str] = {"docker_host_docker.port": "docker_host_port"}
"""Suboptions that the role refuses, and the variables that set them instead."""
RETURNED = ("facts", "images", "deletion", "list", "signed")
"""Variables that the role sets."""
OF_THE_ROLE = frozenset(
    (
        *DEFAULTS,
        *RETURNED,
        "name",
        "allow_ca_lockout",
        "power",
        "targets",
        "env_file",
        "client_name",
        "client_request",
        "data_disk_gb",
    )
)
"""Variables that the role or its playbooks read themselves, and those that it returns."""
IMAGES_PREFIX = "docker_images_"
IMAGE_FILTERS = ("family", "publisher", "offer", "sku")
"""The variables of the playbook list_docker_images, without that prefix."""
CHOICES: t.Mapping[str, tuple[str, ...]] = {
    "rotate": ("leaves", "ca"),
    "power": ("running", "restarted", "deallocated"),
    "context_transport": ("tls", "ssh"),
    "output": ("text", "json", "ssh_config"),
    "env_shell": ("sh", "fish", "powershell"),
}
"""The choices of variables that the role or its playbooks read themselves."""
BOOLEANS = ("context", "wait", "start", "allow_ca_lockout")
"""Booleans that the role reads itself; those that it passes on are checked with the module's options."""
READ_TIMEOUT = 30
"""Seconds that a check of an existing engine waits by default. A new one is given longer."""
_TRUE = ("true", "yes", "y", "on", "1", "t", "1.0")
_FALSE = ("false", "no", "n", "off", "0", "f", "0.0")
AZURE = frozenset(azure_argument_spec().argument_spec)
# Options whose text form has one entry on each line, since an entry may hold blanks.
_LINES = frozenset(("ssh_public_keys",))
# Options whose blank text, as a survey sends it, never opens a port, not even if the security group is missing.
_SOURCES = frozenset(("allowed_sources", "ssh_allowed_sources"))
_BLANK = [""]
_WORD = re.compile(r"[^\s,]+")
_LINE = re.compile(r"[^\s,][^\n,]*")


@dataclass(frozen=True)
class Stage:
    """The classification of one module's options.

    :param module: the module's short name.
    :param spec: its argument spec.
    :param by_role: options that the role sets itself, whatever the variables say.
    :param renamed: by option, the variable without prefix, where it differs from the option's name.
    :param purposes: by purpose, the options that are taken from variables; a missing purpose means that the module is
    not
        used for it, None means all options.
    """

    module: str
    spec: ArgumentSpec
    by_role: frozenset[str]
    renamed: t.Mapping[str, str] = field(default_factory=dict)
    purposes: t.Mapping[str, frozenset[str] | None] = field(default_factory=dict)

    @property
    def options(self) -> frozenset[str]:
        """The options that variables set."""
        return frozenset(self.spec.argument_spec) - self.by_role

    def variable(self, option: str) -> str:
        """Return the name of the variable that sets an option."""
        return PREFIX + self.renamed.get(option, option)

    def variables(self) -> dict[str, str]:
        """Return the variables by the options that they set, for texts that name options."""
        return {option: self.variable(option) for option in self.options}

    def options_for(self, purpose: str) -> frozenset[str]:
        """Return the options that variables set for a purpose."""
        chosen = self.purposes[purpose]
        return self.options if chosen is None else chosen


def _stages() -> tuple[Stage, ...]:
    host = frozenset(("name", "resource_group"))
    client = frozenset(
        ("ca_path", "client_cert", "client_key", "validate_certs", "tls", "tls_hostname", "docker_host", "timeout")
    )
    certs_only = frozenset(("handler", "replace_ca", "start", "force", "agent_timeout", "wait_timeout"))
    context = frozenset(("name", "docker_config", "known_hosts_path"))
    authority = frozenset(
        ("cert_dir", "store", "key_vault", "key_vault_secret", "ca_path", "ca_content", "ca_key_path")
        + ("ca_key_content", "ca_key_passphrase", "subject", "client_not_after", "temporary")
    )
    return (
        Stage(
            "docker_vm_host",
            VIRTUAL_MACHINE,
            by_role=frozenset(
                ("state", "wait", "require_running", "require_ssh", "setup_program", "known_names", "reset")
            ),
            renamed={"docker_port": "port"},
            purposes={
                "create": frozenset(VIRTUAL_MACHINE.argument_spec)
                - {
                    "state",
                    "wait",
                    "require_running",
                    "require_ssh",
                    "remove_on_absent",
                    "setup_program",
                    "known_names",
                    "reset",
                },
                "absent": AZURE | host | {"wait_timeout", "remove_on_absent"},
                "power": AZURE | host | {"wait_timeout"},
            },
        ),
        Stage(
            "docker_tls_certs",
            CERTIFICATES,
            by_role=frozenset(
                ("state", "hosts", "host_trust", "rotate_ca", "remove_ca", "signing", "signed_certificates")
                + ("client_common_name", "client_requests")
            ),
            renamed={"adopt": "adopt_certificates", "temporary": "keep_certs"},
            purposes={"create": None, "absent": frozenset(("cert_dir",)), "sign": AZURE | authority},
        ),
        Stage(
            "docker_vm_extension",
            extension_argument_spec(),
            by_role=frozenset(
                ("resource_group", "virtual_machine", "virtual_machine_name", "name", "state")
                + ("certs", "remove", "reset", "certs_only", "pending_files", "setup_program", "docker_host", "client")
            ),
            renamed={"wait_timeout": "extension_wait_timeout", "verify": "verify_guest"},
            purposes={"create": None, "push_certs": AZURE | certs_only},
        ),
        Stage(
            "docker_context",
            CONTEXT,
            by_role=(client - {"timeout", "tls_hostname"})
            | {"state", "description", "pending_files", "ssh_host_keys", "host"},
            renamed={
                "name": "context_name",
                "current": "context_current",
                "adopt": "adopt_context",
                "transport": "context_transport",
            },
            purposes={"create": None, "absent": context},
        ),
        Stage(
            "docker_endpoint_info",
            ENDPOINT,
            by_role=client | {"wait", "after"},
            renamed={"wait_timeout": "endpoint_wait_timeout"},
            purposes={"create": None, "read": None},
        ),
    )


STAGES: t.Mapping[str, Stage] = {stage.module: stage for stage in _stages()}
"""The modules of the role's stages, in the order in which they run."""
READERS: t.Mapping[str, frozenset[str]] = {
    "docker_vm_host_info": AZURE | {"name", "resource_group"},
    "docker_vm_image_info": AZURE | {"location"},
    "docker_tls_certs_info": AZURE | {"cert_dir", "store", "key_vault", "key_vault_secret"},
    "docker_context_info": frozenset(("context_name", "docker_config")),
}
"""The modules that the role reads with, and the variables (without prefix) that they take."""


def variable_names() -> frozenset[str]:
    """Return every variable of the role, with its prefix."""
    own = {PREFIX + name for name in OF_THE_ROLE}
    return frozenset(own.union(*(stage.variables().values() for stage in STAGES.values())))


def unknown_variables(names: t.Iterable[str]) -> list[str]:
    """Return a warning for each variable that looks like one of the role's and is not."""
    known = variable_names() | {IMAGES_PREFIX + name for name in IMAGE_FILTERS}
    warnings = []
    for name in sorted(names):
        if name in known or not name.startswith((PREFIX, IMAGES_PREFIX)):
            continue
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.75)
        hint = f"did you mean {near[0]}?" if near else "see 'ansible-doc -t role dockerhost.azure.docker_host'."
        warnings.append(f"The role has no variable {name}, so it has no effect: {hint}")
    return warnings


@functools.cache
def _options_with_choices() -> dict[str, t.Mapping[str, t.Any]]:
    """Return the spec of each variable that has choices, by its name without prefix."""
    of_modules = {
        stage.renamed.get(option, option): stage.spec.argument_spec[option]
        for stage in STAGES.values()
        for option in stage.options
        if stage.spec.argument_spec[option].get("choices")
    }
    return {**of_modules, **{name: {"type": "str", "choices": choices} for name, choices in CHOICES.items()}}


def _check_choice(variable: str, spec: t.Mapping[str, t.Any], value: t.Any) -> None:
    is_list = spec["type"] == "list"
    entries = _as_list("", value) if is_list else [value]
    if not isinstance(entries, list):
        raise OptionError(variable, f"must be a list, got {value!r}")
    for index, entry in enumerate(entries):
        if entry not in spec["choices"]:
            place = f"{variable}[{index}]" if is_list else variable
            raise OptionError(place, f"must be one of {', '.join(spec['choices'])}, got {entry!r}")


class RoleVariables:
    """The role's variables of one host, as they count.

    :param get: gives a variable's value by its whole name, None when it is not defined.
    :param is_defined: returns whether a variable is defined, be it as null; without it, null counts as not defined.
    """

    def __init__(self, get: Get, is_defined: t.Callable[[str], bool] | None = None) -> None:
        self._get = get
        self._is_defined = is_defined or (lambda name: get(name) is not None)

    def value(self, name: str) -> t.Any:
        """Return the value of ``docker_host_NAME``, or the role's default; None when it is unset."""
        value = self._get(PREFIX + name)
        if name in RESETS and self._is_reset(name):
            return RESETS[name]
        if value not in UNSET:
            return value
        return self.known.get(name) if name in KNOWN else DEFAULTS.get(name)

    def _is_reset(self, name: str) -> bool:
        return self._get(PREFIX + name) in (RESET, [RESET])

    def is_left_out(self, name: str) -> bool:
        """Return whether ``docker_host_NAME`` is unset, so that an existing host keeps what it has."""
        return self._get(PREFIX + name) in UNSET

    @property
    def known(self) -> Values:
        """What the validation of this host found on the controller; empty without it."""
        registered = self._get(f"{REGISTERED}validation")
        known = (registered.get("known") if isinstance(registered, dict) else None) or {}
        return known if str(known.get("name")).lower() == self.name.lower() else {}

    def is_true(self, name: str) -> bool:
        """Return whether a boolean variable is true, which may be given as text.

        What is not a boolean is false here; :meth:`check` refuses it before the first change.
        """
        return str(self.value(name)).strip().lower() in _TRUE

    def check(self) -> None:
        """Check the variables that the role reads itself.

        :raises OptionError: one is not a boolean, or a name is not text.
        """
        names = {PREFIX + name: self.value(name) for name in ("name", "context_name")}
        check_values({name: {"type": "str"} for name in names}, names)
        for name in BOOLEANS:
            value = self.value(name)
            if value is not None and str(value).strip().lower() not in _TRUE + _FALSE:
                raise OptionError(PREFIX + name, f"must be true or false, got {value!r}")
        self._check_choices()
        self._check_data_disk()

    def check_request(self) -> None:
        """Check the variables that say whose request is signed.

        :raises OptionError: one is not set or invalid.
        """
        for name, example in (("client_name", "anna"), ("client_request", "anna.csr")):
            if self.value(name) is None:
                raise OptionError(PREFIX + name, f"must be set, for example with -e {PREFIX}{name}={example}")
        # This imports cryptography; the other playbooks of one stage need none of it.
        from .._tls.client_request import read_client_request

        client = check_identity_name(f"{PREFIX}client_name", self.value("client_name"))
        option, given = f"{PREFIX}client_request", str(self.value("client_request"))
        is_text = "-----BEGIN" in given
        path = os.path.expanduser(os.path.expandvars(given))
        read_client_request(option, client, given.encode() if is_text else read_option_file(option, path))

    def _check_choices(self) -> None:
        """Check variables with choices before the first change, even if only a later stage reads them.

        The role's argument specs leave that out: Ansible shows the whole specs when a value does not match them.
        """
        for name, spec in _options_with_choices().items():
            value = self.value(name)
            if value is not None:
                _check_choice(PREFIX + name, spec, value)

    def _check_data_disk(self) -> None:
        name, size = f"{PREFIX}data_disk_gb", self.value("data_disk_gb")
        if size is None:
            return
        # "Scalability targets for VM disks" (learn.microsoft.com): managed disks have 1 to 32767 GiB.
        if isinstance(size, bool) or not re.fullmatch("[0-9]{1,5}", str(size)) or not 1 <= int(size) <= 32767:
            raise OptionError(name, f"must be 1 to 32767 GiB, got {size!r}")
        if self.value("data_disks") is not None:
            raise OptionError(name, "contradicts O(docker_host_data_disks): leave out one of the two")

    @property
    def on_controller(self) -> bool:
        """Whether the play's host is the controller itself, not the Docker host."""
        return self._get("inventory_hostname") in CONTROLLERS

    @property
    def name(self) -> str:
        """The Docker host's name, empty when it is unknown."""
        own = "" if self.on_controller else self._get("inventory_hostname")
        return str(self.value("name") or own or "")

    @property
    def context_name(self) -> str:
        """The name of the Docker CLI's context."""
        return str(self.value("context_name") or self.name)

    @property
    def over_ssh(self) -> bool:
        """Whether the context reaches the engine over SSH."""
        return self.is_true("context") and self.value("context_transport") == "ssh"

    def runs(self, module: str) -> bool:
        """Return whether the role runs the stage of a module for this host."""
        if module == "docker_context":
            return self.is_true("context")
        if module == "docker_endpoint_info":
            # Where contexts go over SSH, the TLS port may be closed; the agent has seen the engine answer on the VM.
            return self.is_true("wait") and self.value("context_transport") != "ssh"
        return True

    def stages(self, purpose: str) -> dict[str, Values]:
        """Return the options of all modules that the role runs for this host."""
        return {module: self.options(purpose, module) for module in STAGES if self.runs(module)}

    def options(self, purpose: str, module: str) -> Values:
        """Return the options of a module for a purpose."""
        if purpose == "sign_in":
            return {name: self.value(name) for name in sorted(AZURE) if self.value(name) is not None}
        if purpose == "list":
            # All hosts of the subscription, unless a group is named.
            group = self._get(f"{PREFIX}resource_group")
            named = {} if group in UNSET else {"resource_group": group}
            return {**self.options("sign_in", module), **named}
        if module in READERS:
            return self._reading(module)
        stage = STAGES[module]
        given = {option: self._option(stage, option) for option in sorted(stage.options_for(purpose))}
        values = {option: value for option, value in given.items() if value is not None}
        return {**values, **self._computed(purpose, module, values)}

    def _option(self, stage: Stage, option: str) -> t.Any:
        variable = stage.variable(option)
        if option in _SOURCES and self._is_defined(variable):
            return _sources(option, self._get(variable))
        value = self.value(variable[len(PREFIX) :])
        spec = stage.spec.argument_spec[option]
        return _as_list(option, value, spec.get("elements") == "dict") if spec.get("type") == "list" else value

    def _reading(self, module: str) -> Values:
        given = {name: self.value(name) for name in sorted(READERS[module])}
        values = {name.removeprefix("context_"): value for name, value in given.items() if value is not None}
        if module == "docker_context_info":
            values["name"] = self.context_name
        elif module == "docker_vm_host_info":
            values["name"] = self.name
        elif module == "docker_vm_image_info":
            values.setdefault("location", "westeurope")
        return values

    def _computed(self, purpose: str, module: str, values: Values) -> Values:
        if module == "docker_vm_host":
            if purpose != "create":
                return {"name": self.name}
            # All or nothing: the next stages need a host that runs.
            state = "started" if self.is_true("start") else "present"
            size = self.value("data_disk_gb")
            disks = {"data_disks": [{"lun": 0, "disk_size_gb": size}]} if size is not None else {}
            required = {"require_running": True, **({"require_ssh": True} if self.over_ssh else {})}
            engine = {"engine": self._engine_at_boot(values.get("engine"))}
            return {"name": self.name, "state": state, **required, **disks, **engine, **self._own_resources(values)}
        if module == "docker_context":
            return {"name": self.context_name}
        if module == "docker_vm_extension":
            return self._extension(purpose, values)
        if module == "docker_endpoint_info" and purpose == "read":
            return {"wait_timeout": READ_TIMEOUT, **values}
        return {}

    @property
    def places(self) -> Values:
        """The options that say where the host, its certificates and its context are, by module."""
        keys = {"docker_vm_host": ("resource_group", "subscription_id"), "docker_tls_certs": ("cert_dir",)}
        places = {module: {key: self.value(key) for key in keys[module]} for module in keys}
        places["docker_vm_host"]["name"] = self.name
        if self.is_true("context"):
            places["docker_context"] = self.options("read", "docker_context_info")
        return places

    @property
    def host_id(self) -> str:
        """Return the ID of the VM, without its subscription if that is not set here."""
        subscription = self.value("subscription_id")
        path = f"/resourceGroups/{self.value('resource_group')}/providers/Microsoft.Compute/virtualMachines/{self.name}"
        return f"/subscriptions/{subscription}{path}" if subscription else path

    def _engine_at_boot(self, engine: t.Any) -> t.Any:
        """Return the engine that a new host installs at its first boot."""
        # A new host has no settings that it could keep: what is left out, and what is reset, is the default.
        docker = self.value("docker")
        return at_boot.with_default(
            None if engine == RESET else engine, None if docker == RESET else docker, self.value("handler")
        )

    def _own_resources(self, values: Values) -> Values:
        """Return the options with which a host gets defaults again that no value of the option itself stands for."""
        reset = [option for option in RESETTABLE if self._is_reset(option)]
        computed: Values = {"reset": reset} if reset else {}
        if self._is_reset("tags"):
            computed["append_tags"] = False
        if self._is_reset("virtual_network"):
            computed["subnet_name"] = values.get("subnet_name", SHARED_SUBNET)
        if self._get(f"{PREFIX}public_ip_address") == RESET:
            computed["assign_public_ip"] = values.get("assign_public_ip", True)
        if self._get(f"{PREFIX}security_group") == RESET and not any(values.get(option) for option in DEFAULT_ACCESS):
            computed["allowed_sources"] = [RESET]
        return computed

    def _extension(self, purpose: str, values: Values) -> Values:
        if purpose == "push_certs":
            if values.get("handler") != "docker_extension":
                return {"certs_only": True}
            # That handler takes all settings or none.
            return self.options("create", "docker_vm_extension")
        reset = [option for option in OTHER_SECTIONS if values.get(option) == RESET]
        computed: Values = dict.fromkeys(reset)
        docker = values.get("docker") or {}
        if docker == RESET:
            reset.append("docker")
            docker = {}
        if isinstance(docker, dict):
            settings = self._docker({name: value for name, value in docker.items() if value != RESET})
            reset += [f"docker.{name}" for name, value in docker.items() if value == RESET and name not in settings]
            computed.update({"docker": settings or None} if settings or "docker" in values else {})
        return {**computed, "reset": reset} if reset else computed

    def _docker(self, settings: Values) -> Values:
        """Return the settings of the daemon with what other variables ask for."""
        computed: Values = {}
        if self.value("data_disk_gb") is not None and settings.get("data_disk") is None:
            computed["data_disk"] = {"lun": 0}
        if self.over_ssh:
            # The context signs in as the administrator, who may use the engine as a member of the group docker.
            computed["users"] = [*dict.fromkeys([*as_list(settings.get("users")), self._administrator])]
        return {**settings, **computed}

    @property
    def _administrator(self) -> str:
        registered = self._get(f"{REGISTERED}virtual_machine")
        host = (registered.get("host") if isinstance(registered, dict) else None) or {}
        return str(host.get("admin_username") or self.value("admin_username") or DEFAULT_USER)


def as_list(value: t.Any) -> list[str]:
    """Return a list of words that may be given as text; empty when it is unset."""
    words = _as_list("", value)
    return list(words) if isinstance(words, list) else []


def _sources(option: str, value: t.Any) -> t.Any:
    """Return sources as a list. A blank stays one; separators without an entry between them are refused later."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return _BLANK
    sources = _as_list(option, value)
    return sources if sources or not isinstance(value, str) or "[" in value else re.split(r"\s*,\s*", value.strip())


def _as_list(option: str, value: t.Any, of_dictionaries: bool = False) -> t.Any:
    """Return a list that may be given as text: JSON, or words with commas, blanks or line ends, in brackets or not.

    :param of_dictionaries: words cannot be entries; such text stays as it is.
    """
    if not isinstance(value, str):
        return value
    text = value.strip()
    if text.startswith(("[", "{")):
        try:
            parsed = json.loads(text)
        except ValueError:
            if of_dictionaries or not re.fullmatch(r"\[[^][{}\"]*\]", text):
                return value
            text = text[1:-1].replace("'", "")  # [me], ['10.0.0.0/8']
        else:
            return parsed if isinstance(parsed, list) else [parsed]
    return value if of_dictionaries else (_LINE if option in _LINES else _WORD).findall(text)
