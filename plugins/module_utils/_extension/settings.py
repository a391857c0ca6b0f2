# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the agent is told: the settings, in the Docker extension's published schema and our additions to it.

Private to this collection. Everything that can be known to be wrong is refused here, before the first request.
"""

from __future__ import annotations

import json
import re
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

from .._azure.wire import Json
from .._errors import OptionError
from .argument_spec import DEFAULT_PORT, is_default
from .certificates import ServerCertificates, load_certificates
from .compose import Project, load_projects
from .engine_rules import option_fault, option_name, own_keys

Params = t.Mapping[str, t.Any]

_USER = re.compile(r"[a-z_][a-z0-9_-]{0,31}")
_VERSION = re.compile(r"[0-9][0-9A-Za-z.:~+_-]*")
_CHANNEL = re.compile(r"[a-z]+")
_URL = re.compile(r"(https?://[^\s/]+\S*|file:///\S+)")
_SERVER = re.compile(r"[A-Za-z0-9.-]+(:[0-9]+)?(/\S*)?|https?://\S+|\[[0-9a-fA-F:]+\](:[0-9]+)?")


@dataclass(frozen=True)
class Settings:
    """The settings of one host, checked.

    :param unknown_certs: a check-mode run whose certificates are not made yet.
    :param certs_only: everything but the certificates stays as the VM has it.
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

    def public(self) -> Json:
        """The public settings."""
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
        """The protected settings."""
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
        """What the program on the VM is given, without the marks of one push. This is what the digest is of."""
        document: Json = {"format": 1, "state": self.state}
        if self.state == "absent":
            return {**document, "remove": list(self.remove)}
        if self.certs_only:
            return {**document, "certs-only": True, "protectedSettings": self.protected()}
        return {**document, "settings": self.public(), "protectedSettings": self.protected()}

    def canonical(self) -> bytes:
        """The document as the same bytes for the same settings."""
        return _canonical(self.document())

    @property
    def guessable(self) -> bool:
        """Tell whether :meth:`canonical` holds nothing that is as hard to guess as a private key."""
        return self.certs is None

    def canonical_without_certs(self) -> bytes:
        """The same without the certificates: what stays when only they are other ones."""
        document = self.document()
        if self.certs:
            document["protectedSettings"] = {**self.protected(), "certs": True}
        return _canonical(document)

    def canonical_certs(self) -> bytes:
        """The certificates and the key alone."""
        return _canonical(self.certs.settings() if self.certs else {})


def _canonical(document: Json) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


def read_settings(params: Params, *, check_mode: bool = False) -> Settings:
    """The settings that a task's options ask for.

    :raises OptionError: one of them cannot be right.
    """
    if params["state"] == "absent":
        return Settings("absent", {}, None, None, remove=tuple(params["remove"]))
    if params["remove"]:
        raise OptionError("remove", "only state=absent removes; with state=present leave it out")
    if params["certs_only"]:
        return _read_certs_only(params, check_mode)
    docker, engine = params["docker"] or {}, params["engine"] or {}
    certs, unknown = _certs(params, check_mode)
    port = _port(docker.get("port"), certs is not None or unknown)
    proxies = {name: value for name, value in (docker.get("proxies") or {}).items() if value}
    for name, value in proxies.items():
        if name != "no" and not re.fullmatch(r"(https?|socks5)://\S+", value):
            raise OptionError(f"docker.proxies.{name}", "is not a URL such as http://proxy.example.com:3128")
        if re.search(r"[\s\0]", value):
            raise OptionError(f"docker.proxies.{name}", "holds a space or line break")
    return Settings(
        state="present",
        docker=_docker(docker, engine, port),
        port=port,
        certs=certs,
        logins=tuple(_logins(params["logins"])),
        projects=tuple(load_projects(params["compose"])),
        proxies=proxies,
        purge=params["compose_purge"],
        unknown_certs=unknown,
    )


def _certs(params: Params, check_mode: bool) -> tuple[ServerCertificates | None, bool]:
    """The certificates, and whether there are some that check mode cannot know."""
    pending = params["pending_files"] if check_mode else ()
    certs = load_certificates(params["certs"], may_be_missing=check_mode, pending=pending)
    return certs, certs is None and any((params["certs"] or {}).values())


def _read_certs_only(params: Params, check_mode: bool) -> Settings:
    for name in ("docker", "engine", "logins", "compose", "compose_purge", "keep_certs"):
        if not is_default(name, params[name]):
            raise OptionError(name, "contradicts certs_only, which leaves everything else as the VM has it")
    if params["handler"] == "docker_extension":
        raise OptionError("handler", "docker_extension takes all settings at once, and cannot bring certificates only")
    certs, unknown = _certs(params, check_mode)
    if certs is None and not unknown:
        raise OptionError("certs", "is missing; certs_only brings just them")
    return Settings("present", {}, None, certs, unknown_certs=unknown, certs_only=True)


def _port(port: int | None, with_certs: bool) -> int | None:
    if port is None:
        return DEFAULT_PORT if with_certs else None
    if not 1 <= port <= 65535:
        raise OptionError("docker.port", f"{port} is not a port; use 1 to 65535")
    if port == 22:
        raise OptionError("docker.port", "22 is SSH's port")
    if not with_certs:
        raise OptionError("docker.port", "needs certs: the engine never listens on TCP without certificates")
    return port


def _docker(docker: Params, engine: Params, port: int | None) -> Json:
    """The public setting ``docker``."""
    _refuse_daemon(docker.get("daemon") or {}, docker)
    _refuse_options(docker)
    result: Json = {"options": list(docker.get("options") or []), "engine": _engine(engine)}
    if port is not None:
        result["port"] = str(port)
    if docker.get("daemon"):
        result["daemon"] = docker["daemon"]
    if docker.get("live_restore") is not None:
        result["live-restore"] = docker["live_restore"]
    users = docker.get("users") or []
    for place, user in enumerate(users):
        if not _USER.fullmatch(user):
            raise OptionError(f"docker.users[{place}]", f"{user!r} is not the name of a Linux user")
    if users:
        result["users"] = sorted(set(users))
    disk = docker.get("data_disk")
    if disk:
        result["data-disk"] = _data_disk(disk, docker)
    return result


def _data_disk(disk: Params, docker: Params) -> Json:
    if not 0 <= disk["lun"] <= 63:
        raise OptionError("docker.data_disk.lun", f"{disk['lun']} is not a LUN; use 0 to 63")
    path = disk["path"].rstrip("/")
    if not re.fullmatch(r"(/[A-Za-z0-9._-]+)+", path) or ".." in path.split("/"):
        raise OptionError("docker.data_disk.path", f"{disk['path']!r} is not an absolute path of plain characters")
    root = (docker.get("daemon") or {}).get("data-root")
    if root and not f"{root}/".startswith(path + "/"):
        raise OptionError(
            "docker.daemon", f"data-root {root} does not lie on the data disk, which is mounted at {path}"
        )
    return {"lun": disk["lun"], "path": path, "filesystem": disk["filesystem"]}


def _refuse_daemon(daemon: t.Mapping[str, t.Any], docker: Params) -> None:
    own = own_keys(daemon)
    if own:
        raise OptionError("docker.daemon", f"must not hold {', '.join(own)}: docker.port and certs decide it")
    if "live-restore" in daemon and docker.get("live_restore") is not None:
        raise OptionError("docker.daemon", "live-restore is also given by docker.live_restore")
    try:
        json.dumps(daemon)
    except (TypeError, ValueError) as error:
        raise OptionError("docker.daemon", f"is not JSON: {error}") from error


def _refuse_options(docker: Params) -> None:
    keys = set(docker.get("daemon") or {}) | {"live-restore"}
    if docker.get("data_disk"):
        keys.add("data-root")
    for place, text in enumerate(docker.get("options") or []):
        option = f"docker.options[{place}]"
        fault, name = option_fault(text), option_name(text)
        if fault:
            raise OptionError(option, fault)
        if name in keys:
            where = "docker.live_restore" if name == "live-restore" else "docker.daemon or docker.data_disk"
            raise OptionError(option, f"{text} fights with {where}: dockerd takes each setting from one place only")


def _engine(engine: Params) -> Json:
    source = engine.get("source") or "docker"
    result: Json = {"source": source}
    if source != "docker":
        for name in ("mirror", "key", "channel"):
            if engine.get(name) and (name, engine[name]) != ("channel", "stable"):
                raise OptionError(f"engine.{name}", f"has no meaning with engine.source={source}")
    for name, pattern, example in (
        ("version", _VERSION, "28.1.1, or 28 for the newest of that series"),
        ("channel", _CHANNEL, "stable or test"),
        ("mirror", _URL, "https://mirror.example.com/docker"),
    ):
        value = engine.get(name)
        if value and not pattern.fullmatch(value):
            raise OptionError(f"engine.{name}", f"{value!r} is not usable; write for example {example}")
        if value and (name, value) != ("channel", "stable"):
            result[name] = value
    if source == "keep" and engine.get("version"):
        raise OptionError("engine.version", "has no meaning with engine.source=keep, which installs nothing")
    if engine.get("key"):
        if "-----BEGIN PGP PUBLIC KEY BLOCK-----" not in engine["key"]:
            raise OptionError("engine.key", "is not an armoured OpenPGP public key")
        result["key"] = engine["key"]
    if engine.get("hold"):
        result["hold"] = True
    return result


def _logins(given: t.Sequence[Params]) -> t.Iterator[Json]:
    seen: set[str] = set()
    for place, login in enumerate(given):
        option = f"logins[{place}]"
        server = login.get("server") or ""
        if server and not _SERVER.fullmatch(server):
            raise OptionError(f"{option}.server", f"{server!r} is not a registry such as registry.example.com:5000")
        if server in seen:
            raise OptionError(f"{option}.server", f"two logins to {server or 'Docker Hub'}")
        seen.add(server)
        for name in ("username", "password"):
            if not login[name]:
                raise OptionError(f"{option}.{name}", "is empty")
        entry: Json = {"username": login["username"], "password": login["password"]}
        if server:
            entry["server"] = server
        if login.get("ca_path"):
            try:
                entry["ca"] = Path(login["ca_path"]).read_text(encoding="ascii")
            except (OSError, UnicodeDecodeError) as error:
                raise OptionError(f"{option}.ca_path", f"cannot be read: {error}") from error
        elif login.get("ca"):
            entry["ca"] = login["ca"].strip() + "\n"
        if "ca" in entry and ("-----BEGIN CERTIFICATE-----" not in entry["ca"] or not server or "/" in server):
            raise OptionError(f"{option}.ca", "is not PEM, or server is not HOST or HOST:PORT")
        yield entry
