# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The results that a stage of the role docker_host takes from earlier stages.

A stage reads the registered results of earlier stages. A stage that is used alone reads the certificate directory and
the Docker context instead, without asking Azure.
"""

from __future__ import annotations

import re
import typing as t
from datetime import datetime, timezone
from functools import cached_property
from urllib.parse import urlsplit

from .._docker.context_info_task import BACKEND as CONTEXT_INFO
from .._errors import DockerHostError, OptionError
from .._host_keys import HOST_KEYS
from .._ports import DEFAULT_PORT
from .._tls.options import cert_dir
from .._tls.recorded_names import KINDS, read_recorded_names
from .._tls.times import parse_span, utc_now
from .._vault.info_task import BACKEND as CERTIFICATES_INFO
from .facts_task import STAGES
from .options import REGISTERED, RoleVariables, Values, as_list

READ_BY_AFTER = ("changed", "name", "power_state", "unknown")
RENEW_BEFORE = "+30d"
"""How long before their end docker_tls_certs renews certificates by default."""
ISO = "%Y-%m-%dT%H:%M:%SZ"
READ_BY_FACTS = frozenset(
    ("changed", "changes", "actions", "reasons", "version", "engine")
    + ("cert_dir", "ca", "client", "docker_connection", "docker_env")
)
"""Keys of the stages' results that docker_host_facts reads, besides the entry of the host in ``servers``."""
_IP_ADDRESS = re.compile(r"^[0-9.]+$|:")


class StageResults:
    """The results of one host's stages.

    :param variables: the role's variables of the host.
    :param get: gives a variable's value by its whole name, None when it is not defined.
    :param read: validates options of a backend and runs it, without changes.
    """

    def __init__(
        self,
        variables: RoleVariables,
        get: t.Callable[[str], t.Any],
        read: t.Callable[[t.Any, Values], Values],
    ) -> None:
        self._variables = variables
        self._get = get
        self._read = read

    def registered(self, stage: str) -> Values:
        """Return the result that a stage registered, empty when there is none."""
        result = self._get(REGISTERED + stage)
        return result if isinstance(result, dict) and not result.get("skipped") else {}

    @cached_property
    def host(self) -> Values:
        """The host with the keys of docker_vm_host's result; only those that are known."""
        host = self.registered("virtual_machine").get("host") or {}
        if self._is_this_host(host.get("name")):
            return self._at_address({key: host[key] for key in HOST_KEYS if key in host})
        return self._known_host()

    @cached_property
    def extra_names(self) -> Values:
        """The names that the user adds to those in Azure: those of the variables, else those that the host has.

        A stage that created or updated the host decided that already.
        """
        host = self.registered("virtual_machine").get("host") or {}
        if self._is_this_host(host.get("name")) and host.get("extra_names"):
            return dict(host["extra_names"])
        variables, recorded = self._variables, self._recorded_names
        names: Values = {kind: as_list(variables.value(kind)) for kind in ("dns_names", "ip_addresses")}
        names["address"] = variables.value("address")
        return {
            kind: recorded.get(kind) or names[kind] if variables.is_left_out(kind) else names[kind] for kind in KINDS
        }

    @cached_property
    def _recorded_names(self) -> Values:
        """The names that the certificate directory has for this host, with the ID of its VM; empty without any."""
        variables = self._variables
        if variables.known:
            return variables.known.get("extra_names") or {}
        options = {"cert_dir": variables.value("cert_dir"), "state": "present"}
        names = read_recorded_names(cert_dir(options), variables.name) or {}
        recorded_id = str(names.get("id") or "")
        return names if recorded_id.lower().endswith(variables.host_id.lower()) or not recorded_id else {}

    def _at_address(self, host: Values) -> Values:
        """Return the host, reached by the address that the variables give."""
        address = self.extra_names["address"]
        if not address:
            return host
        shown = f"[{address}]" if ":" in str(address) else address
        user = f"{host['admin_username']}@" if host.get("admin_username") else ""
        ssh = f"ssh://{user}{shown}:{host.get('ssh_port')}"
        return {**host, "docker_host": f"tcp://{shown}:{host.get('docker_port')}", "ssh_url": ssh}

    @property
    def named_host(self) -> Values:
        """The host, with at least one name for its certificate.

        :raises DockerHostError: no name is known.
        """
        own = self._known_names()
        names = {kind: [*dict.fromkeys([*(self.host.get(kind) or []), *own[kind]])] for kind in own}
        if not any(names.values()) and "dns_names" not in (self.host.get("unknown") or []):
            raise self._no_address()
        return {**self.host, **names, "extra_names": self.extra_names}

    @property
    def url(self) -> str:
        """The engine's URL; empty in check mode, when the host does not exist yet.

        :raises DockerHostError: no address is known.
        """
        url = self.host.get("docker_host")
        if not url and "docker_host" not in (self.host.get("unknown") or []):
            # Without a certificate, the directory is the first thing to check.
            self._require_certificate()
            raise self._no_address()
        return str(url or "")

    def _no_address(self) -> DockerHostError:
        return DockerHostError(
            f"No address of {self._variables.name} is known. Set docker_host_address, docker_host_dns_names or"
            ' docker_host_ip_addresses, or run the task file "virtual_machine" of the role first.'
        )

    def _is_this_host(self, name: t.Any) -> bool:
        """Return whether a result is of this host: a loop on localhost registers those of one after another."""
        return bool(name) and str(name).lower() == self._variables.name.lower()

    def _known_host(self) -> Values:
        variables = self._variables
        group = variables.value("resource_group")
        host: Values = {"name": variables.name, "resource_group": group, **self._known_names()}
        reach, port = self._reach()
        if reach:
            shown = f"[{reach}]" if ":" in reach else reach
            host.update(docker_host=f"tcp://{shown}:{port}", docker_port=port)
        return host

    def _known_names(self) -> dict[str, list[str]]:
        """Return the names that the user adds."""
        names = {kind: [*self.extra_names[kind]] for kind in ("dns_names", "ip_addresses")}
        address = self.extra_names["address"]
        if address:
            names["ip_addresses" if _IP_ADDRESS.search(str(address)) else "dns_names"].append(str(address))
        return names

    def _reach(self) -> tuple[str, int]:
        """Return the address and port of the engine: as the user says, else the context, else the certificate."""
        url = self._context_url()
        parts = urlsplit(url) if url.startswith("tcp:") else None
        server = self.server
        names = [*(server.get("dns_names") or []), *(server.get("ip_addresses") or [])]
        given = self.extra_names["address"]
        address = str(given or (parts and parts.hostname) or next(iter(names), ""))
        return address, self._port((parts and parts.port) or DEFAULT_PORT)

    def _port(self, known: int) -> int:
        value = self._variables.value("port")
        try:
            return int(value) if value is not None else known
        except (TypeError, ValueError) as error:
            raise OptionError("docker_host_port", f"must be a port number, got {value!r}") from error

    def _context_url(self) -> str:
        if not self._variables.is_true("context"):
            return ""
        contexts = self._read(CONTEXT_INFO, self._variables.options("read", "docker_context_info"))["contexts"]
        managed = [context for context in contexts if context["managed"]]
        return str(managed[0]["docker_host"]) if managed else ""

    @cached_property
    def certificates(self) -> Values:
        """The result of docker_tls_certs, else what docker_tls_certs_info finds."""
        registered = self.registered("certificates")
        if self._is_certified(registered):
            return registered
        return self._read(CERTIFICATES_INFO, self._variables.options("read", "docker_tls_certs_info"))

    def _is_certified(self, certificates: Values) -> bool:
        return self._variables.name in (certificates.get("servers") or {})

    @property
    def server(self) -> Values:
        """The host's certificate, as an entry of ``servers``; empty when there is none."""
        return dict((self.certificates.get("servers") or {}).get(self._variables.name) or {})

    @property
    def known_server(self) -> Values:
        """The host's certificate.

        :raises DockerHostError: the certificate directory has none.
        """
        self._require_certificate()
        return self.server

    @property
    def client(self) -> Values:
        """The options of a TLS connection with the client's certificate, as docker_tls_certs returns them.

        :raises DockerHostError: the certificate directory has no certificate for the host.
        """
        self._require_certificate()
        return dict(self.certificates.get("docker_connection") or {})

    def options(self, purpose: str, module: str) -> Values:
        """Return the options of a stage's module: those that variables set, and those that earlier stages give."""
        if module == "docker_host_facts":
            return self.docker_host_facts
        if module == "docker_host_validate":
            return {"name": self._variables.name, "stages": self._variables.stages(purpose)}
        own = self._variables.options(purpose, module)
        return {**own, **self.get(module)}

    # The options of each stage's module that earlier stages give. Those that are not known are left out.

    @property
    def docker_vm_host(self) -> Values:
        """The names that an existing host keeps, because their variables are left out."""
        names = self._recorded_names
        kept = {kind: names[kind] for kind in KINDS if names.get(kind) and self._variables.is_left_out(kind)}
        return {"known_names": {"id": names.get("id") or "", **kept}} if kept else {}

    @property
    def docker_tls_certs(self) -> Values:
        """The host that the certificate is for."""
        return {"hosts": [self.named_host]}

    @property
    def docker_vm_extension(self) -> Values:
        """The virtual machine, and the certificates that are pushed to it."""
        return {
            "virtual_machine": self.host,
            "certs": self.known_server,
            "client": self.client,
            **self._pending_files,
        }

    @property
    def docker_context(self) -> Values:
        """The engine that the context leads to, and how its client signs in."""
        keys = (self.registered("extension").get("engine") or {}).get("ssh_host_keys")
        known = {} if keys is None else {"ssh_host_keys": keys}
        return {"host": self.host, "tls": self.client, **known, **self._pending_files}

    @property
    def docker_endpoint_info(self) -> Values:
        """The engine's URL, how its client signs in, and of the earlier results what the option ``after`` reads."""
        results = [self.registered(stage) for stage in ("virtual_machine", "certificates", "extension")]
        after = []
        for result in results:
            host = result.get("host")
            after.append(_part(result, READ_BY_AFTER) | ({"host": _part(host, READ_BY_AFTER)} if host else {}))
        known = {"docker_host": self.url} if self.url else {}
        return {**self.client, **known, "after": after}

    @property
    def docker_host_facts(self) -> Values:
        """The name, the host, and of all results what the module reads."""
        self._check_spelling()
        variables = self._variables
        results = {stage: self.registered(stage) for stage in STAGES}
        results["certificates"] = self.certificates
        stages = {stage: _part(result, READ_BY_FACTS) for stage, result in results.items()}
        stages["certificates"]["servers"] = {variables.name: self.server}
        name = variables.context_name if variables.runs("docker_context") else None
        return {"name": variables.name, "host": self.host, "context_name": name, **stages}

    @property
    def _pending_files(self) -> Values:
        files = self.registered("certificates").get("changed_files")
        return {} if files is None else {"pending_files": files}

    @property
    def validity(self) -> Values:
        """The host's certificates, all of which are valid for long enough, and shown by the engine.

        :raises DockerHostError: one should be renewed.
        """
        certificates, server = self.certificates, self.known_server
        parts = {"ca": certificates.get("ca") or {}, "client": certificates.get("client") or {}, "server": server}
        reasons = {part: self._reason(part, entry) for part, entry in parts.items()}
        shown = (self.registered("endpoint").get("server_certificate") or {}).get("fingerprint")
        other = bool(shown) and shown != server.get("fingerprint")
        if other or any(reason != "valid" for reason in reasons.values()):
            text = "; ".join(f"{part}: {reason}" for part, reason in reasons.items())
            text += f"; the engine shows another certificate than {certificates.get('cert_dir')} has" if other else ""
            raise DockerHostError(
                f"The certificates of {self._variables.name} must be renewed ({text}). Run the playbook"
                " dockerhost.azure.create_docker_host again."
            )
        return certificates

    def _require_certificate(self) -> None:
        """Check that the certificate directory has a certificate for the host.

        :raises DockerHostError: it has none.
        """
        if not self.server.get("fingerprint") and not self._is_certified(self.registered("certificates")):
            self._check_spelling()
            raise DockerHostError(
                f"{self.certificates.get('cert_dir')} has no certificate for {self._variables.name}. Set"
                " docker_host_cert_dir to the directory that the host was created with, or create the host with the"
                " playbook dockerhost.azure.create_docker_host."
            )

    def _check_spelling(self) -> None:
        """Check that the name is not that of a certificate in another case.

        :raises OptionError: it is.
        """
        name = self._variables.name
        for other in self.certificates.get("servers") or {}:
            if other != name and other.lower() == name.lower():
                raise OptionError("docker_host_name", f"must be spelled as the host's certificate: {other}, got {name}")

    def _reason(self, kind: str, certificate: Values) -> str:
        """Return why a certificate should be renewed, or that it is valid."""
        option = f"{kind}_renew_before"
        margin = parse_span(f"docker_host_{option}", str(self._variables.value(option) or RENEW_BEFORE))
        if not certificate.get("not_after"):
            return "missing"
        end = datetime.strptime(certificate["not_after"], ISO).replace(tzinfo=timezone.utc)
        return "valid" if end - margin > utc_now() else f"expires on {end:%Y-%m-%d}"

    def get(self, what: str) -> t.Any:
        """Return one of the values that a stage passes on.

        :param what: url, server, certificates or validity, or a module, for the options that earlier stages give it.
        """
        return self.known_server if what == "server" else getattr(self, what)


def _part(values: Values, keys: t.Collection[str]) -> Values:
    return {key: values[key] for key in keys if key in values}
