# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The desired settings, in the Docker extension's published schema with additions of this collection.

Everything that can be known to be wrong is refused here, before the first request.
"""

from __future__ import annotations

import json
import typing as t
from dataclasses import dataclass, field, replace

from .._azure.wire import Json
from .._errors import OptionError
from .._ports import DEFAULT_PORT, DEFAULT_SSH_PORT
from .argument_spec import DOCKER_SECTIONS, OTHER_SECTIONS
from .certificates import ServerCertificates, load_certificates
from .compose import Project, load_projects
from .docker_options import docker_settings, proxy_settings
from .logins import login_settings
from .sections import SECTIONS, section_of, with_section

Params = t.Mapping[str, t.Any]

NEEDS_CERTS = "needs O(certs): the engine never listens on TCP without certificates"


@dataclass(frozen=True)
class Settings:
    """The settings of one host, checked.

    :param docker: the public setting ``docker``.
    :param port: on which the engine listens; None if it does not listen on TCP, or keeps its port.
    :param unknown_certs: there are certificates, and check mode does not know them yet.
    :param certs_only: everything but the certificates stays as the VM has it, and is not applied again.
    :param keep: the names of the sections that were left out: the VM keeps them, a new one has their defaults.
    """

    state: str
    docker: Json
    port: int | None
    certs: ServerCertificates | None
    logins: tuple[Json, ...] = field(default=(), repr=False)
    projects: tuple[Project, ...] = ()
    proxies: Json = field(default_factory=dict, repr=False)
    purge: bool = False
    remove: tuple[str, ...] = ()
    unknown_certs: bool = False
    certs_only: bool = False
    keep: frozenset[str] = frozenset()

    def public(self) -> Json:
        """Return the public settings."""
        public: Json = {"docker": self.docker}
        if self.projects:
            public["compose-projects"] = {
                project.name: {"file": project.file, "environment": dict(project.environment)}
                for project in self.projects
            }
        if self.purge:
            public["compose-purge"] = True
        return public

    def protected(self) -> Json:
        """Return the protected settings."""
        protected: Json = {}
        if self.certs:
            protected["certs"] = self.certs.settings()
        if self.logins:
            protected["logins"] = list(self.logins)
        if self.proxies:
            protected["proxies"] = self.proxies
        secrets = {project.name: dict(project.secrets) for project in self.projects if project.secrets}
        if secrets:
            protected["compose-secrets"] = secrets
        return protected

    def document(self) -> Json:
        """Return the input of the program on the VM without what marks one push. The digest covers it."""
        document: Json = {"format": 1, "state": self.state}
        if self.state == "absent":
            return {**document, "remove": list(self.remove)}
        if self.certs_only:
            return {**document, "certs-only": True, "protectedSettings": self.protected()}
        document.update(settings=self.public(), protectedSettings=self.protected())
        if self.keep:
            document["keep"] = sorted(self.keep)
        for name in self.keep:
            document = with_section(document, name, {})
        return document

    def sections(self) -> dict[str, bytes]:
        """Return the sections that were not left out, each as bytes that are the same for the same settings."""
        document = self.document()
        return {name: canonical(section_of(document, name)) for name in SECTIONS if name not in self.keep}

    def in_full(self) -> Settings:
        """Return the settings with the defaults of all that was left out, for a handler that cannot keep anything."""
        port = self.port or (DEFAULT_PORT if self.certs or self.unknown_certs else None)
        docker = {**self.docker, **({"port": str(port)} if port else {})}
        return replace(self, keep=frozenset(), port=port, docker=docker)

    def canonical(self) -> bytes:
        """Return the document as bytes, the same for the same settings."""
        return canonical(self.document())

    @property
    def guessable(self) -> bool:
        """Whether :meth:`canonical` contains nothing as hard to guess as a private key."""
        return self.certs is None


def canonical(document: Json) -> bytes:
    """Return a document as bytes, the same for the same content."""
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


def read_settings(params: Params, *, check_mode: bool = False) -> Settings:
    """Return the settings that a task's options describe.

    :raises OptionError: the value of an option cannot be used.
    """
    if params["state"] == "absent":
        return Settings("absent", {}, None, None, remove=tuple(params["remove"]))
    if params["remove"]:
        raise OptionError("remove", "needs O(state=absent); leave it out with O(state=present)")
    if params["certs_only"]:
        return _read_certs_only(params, check_mode)
    given, reset = _given_sections(params), _reset_sections(params)
    keep = set(SECTIONS) - given - reset
    docker, engine = params["docker"] or {}, params["engine"] or {}
    certs, unknown = _certs(params, check_mode)
    port = _port(params, given, reset)
    if port is not None or "certs" in reset:
        keep.discard("port")
    elif "certs" not in given:
        keep.add("port")
    return Settings(
        state="present",
        docker=docker_settings(docker, engine, port),
        port=port,
        certs=certs,
        logins=tuple(login_settings(params["logins"] or ())),
        projects=tuple(load_projects(params["compose"] or ())),
        proxies=proxy_settings(docker),
        purge=params["compose_purge"],
        unknown_certs=unknown,
        keep=frozenset(keep),
    )


def _given_sections(params: Params) -> set[str]:
    docker = params["docker"] or {}
    given = {section for option, section in DOCKER_SECTIONS.items() if docker.get(option) is not None}
    given |= {option for option in OTHER_SECTIONS if params[option] is not None}
    return given if any((params["certs"] or {}).values()) else given - {"certs"}


def _reset_sections(params: Params) -> set[str]:
    """Return the sections that get their defaults again.

    :raises OptionError: one of them is set as well, or cannot be reset alone.
    """
    given = _given_sections(params)
    reset: set[str] = set()
    for option in params["reset"]:
        if option == "docker":
            reset |= set(DOCKER_SECTIONS.values()) - given
            continue
        section = DOCKER_SECTIONS.get(option.partition(".")[2], option)
        if section in given:
            raise OptionError("reset", f"must not contain {option} together with O({option}): leave out one of the two")
        if option == "docker.port" and "certs" not in given:
            raise OptionError("reset", "must not contain docker.port without O(certs): set O(docker.port) instead")
        reset.add(section)
    return reset


def _certs(params: Params, check_mode: bool) -> tuple[ServerCertificates | None, bool]:
    """Return the certificates, and whether there are some that check mode does not know yet."""
    pending = params["pending_files"] if check_mode else ()
    certs = load_certificates(params["certs"], may_be_missing=check_mode, pending=pending)
    if certs and certs.other_purposes and not params["allow_other_purposes"]:
        raise OptionError(
            "certs.cert",
            f"must be for servers only, but is also for {', '.join(certs.other_purposes)}. With its"
            " key, root on this VM could connect to every other host as a client, with the permissions of root."
            " Issue another certificate, or accept that with O(allow_other_purposes=true)",
        )
    return certs, certs is None and any((params["certs"] or {}).values())


def _read_certs_only(params: Params, check_mode: bool) -> Settings:
    given = {name: params[name] is not None for name in ("engine", "logins", "compose")}
    given["docker"] = any(value is not None for value in (params["docker"] or {}).values())
    given.update({name: bool(params[name]) for name in ("compose_purge", "keep_certs", "reset")})
    for name, is_given in given.items():
        if is_given:
            raise OptionError(name, "contradicts O(certs_only=true), which leaves everything else as the VM has it")
    if params["handler"] == "docker_extension":
        raise OptionError(
            "handler", "docker_extension takes all settings at once, so it contradicts O(certs_only=true)"
        )
    certs, unknown = _certs(params, check_mode)
    if certs is None and not unknown:
        raise OptionError("certs", "is required with O(certs_only=true)")
    keep = frozenset(SECTIONS) - {"certs"}
    return Settings("present", {}, None, certs, unknown_certs=unknown, certs_only=True, keep=keep)


def _port_of_host(params: Params) -> int | None:
    """Return the port that the network of a host is open for, if the option is a host of docker_vm_host."""
    machine = params.get("virtual_machine")
    return machine.get("docker_port") if isinstance(machine, t.Mapping) else None


def _port(params: Params, given: set[str], reset: set[str]) -> int | None:
    """Return the port on which the engine listens; None without certificates, or if the engine keeps its port."""
    port: int | None = (params["docker"] or {}).get("port")
    if port is None:
        default = DEFAULT_PORT if "port" in reset else None
        return _port_of_host(params) or default if "certs" in given else None
    if not 1 <= port <= 65535:
        raise OptionError("docker.port", f"must be 1 to 65535, got {port}")
    if port == DEFAULT_SSH_PORT:
        raise OptionError("docker.port", f"must not be {port}, which is the port of SSH")
    if "certs" in reset:
        raise OptionError("docker.port", NEEDS_CERTS)
    return port
