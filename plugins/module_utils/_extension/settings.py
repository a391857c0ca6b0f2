# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The desired settings, in the Docker extension's published schema with additions of this collection.

Everything that can be known to be wrong is refused here, before the first request.
"""

from __future__ import annotations

import json
import os
import re
import typing as t
from dataclasses import dataclass, field, replace

from .._azure.origins import is_url
from .._azure.wire import Json
from .._errors import OptionError
from .._files import read_option_file
from .._ports import DEFAULT_PORT, DEFAULT_SSH_PORT
from .argument_spec import DOCKER_SECTIONS, OTHER_SECTIONS
from .certificates import ServerCertificates, load_certificates
from .compose import Project, load_projects
from .engine_options import read_engine
from .engine_rules import option_fault, option_name, own_keys, registry_name
from .sections import SECTIONS, section_of, with_section

Params = t.Mapping[str, t.Any]

NEEDS_CERTS = "needs O(certs): the engine never listens on TCP without certificates"

_USER = re.compile(r"[a-z_][a-z0-9_-]{0,31}")
_DAEMON_KEY = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
# Directories on which nothing can be mounted without hiding the system's own files (Filesystem Hierarchy Standard 3.0).
_SYSTEM_DIRECTORY = re.compile(
    r"/(bin|boot|dev|etc|lib\w*|proc|root|run|sbin|sys|tmp|usr)(/.*)?|/(home|opt|var|var/lib)"
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


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
        """Return what the program on the VM is given, apart from what marks one push. The digest covers it."""
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
        docker=_docker(docker, engine, port),
        port=port,
        certs=certs,
        logins=tuple(_logins(params["logins"] or ())),
        projects=tuple(load_projects(params["compose"] or ())),
        proxies=_proxies(docker),
        purge=params["compose_purge"],
        unknown_certs=unknown,
        keep=frozenset(keep),
    )


def _proxies(docker: Params) -> dict[str, str]:
    """Return the proxies by name; empty ones do not count."""
    proxies = {name: value for name, value in (docker.get("proxies") or {}).items() if value}
    for name, value in proxies.items():
        if name != "no" and not is_url(value, "http", "https", "socks5", with_user=True):
            raise OptionError(f"docker.proxies.{name}", "must be a URL such as http://proxy.example.com:3128")
        if re.search(r"[\s\0]", value):
            raise OptionError(f"docker.proxies.{name}", "must not contain a space, line break or NUL")
    return proxies


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
    """Return the port that the network of a host is open for, when a host of docker_vm_host is given."""
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


def _docker(docker: Params, engine: Params, port: int | None) -> Json:
    """Return the public setting ``docker``."""
    _refuse_daemon(docker.get("daemon") or {}, docker)
    _refuse_options(docker)
    result: Json = {"options": list(docker.get("options") or []), "engine": read_engine(engine)}
    if port is not None:
        result["port"] = str(port)
    if docker.get("daemon"):
        result["daemon"] = docker["daemon"]
    if docker.get("live_restore") is not None:
        result["live-restore"] = docker["live_restore"]
    users = docker.get("users") or []
    for index, user in enumerate(users):
        if not _USER.fullmatch(user):
            raise OptionError(f"docker.users[{index}]", f"must be the name of a Linux user, got {user!r}")
    if users:
        result["users"] = sorted(set(users))
    disk = docker.get("data_disk")
    if disk:
        result["data-disk"] = _data_disk(disk, docker)
    return result


def _data_disk(disk: Params, docker: Params) -> Json:
    if not 0 <= disk["lun"] <= 63:
        raise OptionError("docker.data_disk.lun", f"must be a LUN from 0 to 63, got {disk['lun']}")
    path = disk["path"].rstrip("/")
    if not re.fullmatch(r"(/[A-Za-z0-9._-]+)+", path) or {".", ".."} & set(path.split("/")):
        raise OptionError(
            "docker.data_disk.path", f"must be an absolute path of letters, digits, . _ and -, got {disk['path']!r}"
        )
    if _SYSTEM_DIRECTORY.fullmatch(path):
        raise OptionError(
            "docker.data_disk.path", f"must not be a directory of the system, whose files it would hide, got {path}"
        )
    root = (docker.get("daemon") or {}).get("data-root")
    if root and not f"{root}/".startswith(path + "/"):
        raise OptionError(
            "docker.daemon", f"data-root {root} is not below {path}, where O(docker.data_disk) is mounted"
        )
    return {"lun": disk["lun"], "path": path, "filesystem": disk["filesystem"]}


def _refuse_daemon(daemon: t.Mapping[str, t.Any], docker: Params) -> None:
    own = own_keys(daemon)
    if own:
        raise OptionError(
            "docker.daemon", f"must not contain {', '.join(own)}: O(docker.port) and O(certs) decide that"
        )
    for key in daemon:
        if not _DAEMON_KEY.fullmatch(str(key)):
            raise OptionError("docker.daemon", f"must contain keys of daemon.json such as log-level, got {key!r}")
        if any(_CONTROL.search(text) for text in _texts(daemon[key])):
            raise OptionError(
                "docker.daemon", f"must not contain control characters such as line breaks, but {key} does"
            )
    root = daemon.get("data-root")
    if root is not None and (not str(root).startswith("/") or _is_systems(str(root))):
        raise OptionError(
            "docker.daemon", f"data-root must be an absolute path of a directory for the engine alone, got {root!r}"
        )
    if "live-restore" in daemon and docker.get("live_restore") is not None:
        raise OptionError("docker.daemon", "must not contain live-restore together with O(docker.live_restore)")
    try:
        json.dumps(daemon)
    except (TypeError, ValueError) as error:
        raise OptionError("docker.daemon", f"must consist of JSON types: {error}") from error


def _is_systems(path: str) -> bool:
    """Return whether a path is the root directory or one of the system's own, not one below it."""
    path = os.path.normpath(path)
    is_top = os.path.dirname(path) in ("/", "//") or path == "/var/lib"
    return path in ("/", "//") or (is_top and _SYSTEM_DIRECTORY.fullmatch(path) is not None)


def _texts(value: t.Any) -> t.Iterator[str]:
    """Yield every text in a value of JSON types, keys included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, (t.Mapping, list, tuple)):
        for entry in value:
            yield from _texts(entry)
        for entry in value.values() if isinstance(value, t.Mapping) else ():
            yield from _texts(entry)


def _refuse_options(docker: Params) -> None:
    keys = set(docker.get("daemon") or {}) | {"live-restore"}
    if docker.get("data_disk"):
        keys.add("data-root")
    for index, text in enumerate(docker.get("options") or []):
        option = f"docker.options[{index}]"
        fault, name = option_fault(text), option_name(text)
        if fault:
            raise OptionError(option, fault)
        if name in keys:
            where = "O(docker.live_restore)" if name == "live-restore" else "O(docker.daemon) or O(docker.data_disk)"
            raise OptionError(
                option, f"{text} conflicts with {where}: dockerd accepts each setting from one source only"
            )


def _logins(logins: t.Sequence[Params]) -> t.Iterator[Json]:
    """Return the protected setting ``logins``."""
    servers: set[str] = set()
    for index, login in enumerate(logins):
        option = f"logins[{index}]"
        server = login.get("server") or ""
        if server and not is_url(server if "://" in server else f"https://{server}", "http", "https"):
            raise OptionError(f"{option}.server", "must be a registry such as registry.example.com:5000")
        if registry_name(server) in servers:
            raise OptionError(f"{option}.server", f"must be unique, but {server or 'Docker Hub'} has a login already")
        servers.add(registry_name(server))
        for name in ("username", "password"):
            if not login[name].strip():
                raise OptionError(f"{option}.{name}", "must not be empty")
        # Basic authentication (RFC 7617): the name ends at the first colon.
        if re.search(r"[:\x00-\x1f]", login["username"]):
            raise OptionError(f"{option}.username", "must not contain a colon or a line break")
        entry: Json = {"username": login["username"], "password": login["password"]}
        if server:
            entry["server"] = server
        ca = _registry_ca(option, server, login)
        yield {**entry, "ca": ca} if ca else entry


def _registry_ca(option: str, server: str, login: Params) -> str | None:
    """Return the CA (PEM) of a registry, None if it needs none of its own."""
    if login.get("ca_path"):
        try:
            ca = read_option_file(f"{option}.ca_path", login["ca_path"]).decode("ascii")
        except UnicodeDecodeError as error:
            raise OptionError(f"{option}.ca_path", f"cannot be read: {error}") from error
    elif login.get("ca"):
        ca = login["ca"].strip() + "\n"
    else:
        return None
    if "-----BEGIN CERTIFICATE-----" not in ca:
        raise OptionError(f"{option}.ca", "must be a certificate in PEM")
    if not server or "/" in server:
        raise OptionError(f"{option}.ca", f"needs O({option}.server) to be HOST or HOST:PORT")
    return ca
