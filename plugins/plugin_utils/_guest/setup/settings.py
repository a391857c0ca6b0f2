# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The settings file: its schema, and the form in which the other parts read it."""

import base64
import binascii
import json
import re

from ....module_utils._extension.engine_rules import option_fault, own_keys, registry_name, requested_source
from ....module_utils._extension.sections import SECTIONS
from .machine import Problem
from .paths import DOCKER_URL, HUB
from .sources import same_address

SHAPE = {
    "format": int,
    "digest": str,
    "push": str,
    "state": ("present", "absent"),
    "remove": ["engine", "data"],
    "replace-ca": bool,
    "certs-only": bool,
    "keep": sorted(SECTIONS),
    "settings": {
        "docker": {
            "port": str,
            "options": [str],
            "daemon": dict,
            "live-restore": bool,
            "users": [str],
            "data-disk": {"lun": int, "path": str, "filesystem": ("ext4", "xfs")},
            "engine": {
                "source": ("auto", "docker", "distribution", "keep"),
                "version": str,
                "channel": str,
                "mirror": str,
                "key": str,
                "hold": bool,
            },
        },
        "compose": dict,
        "compose-environment": dict,
        "compose-projects": dict,
        "compose-purge": bool,
    },
    "protectedSettings": {
        "certs": {"ca": str, "cert": str, "key": str},
        "login": {"server": str, "username": str, "password": str, "email": str},
        "logins": list,
        "environment": dict,
        "compose-secrets": dict,
        "proxies": {"http": str, "https": str, "no": str},
    },
}


def examine(value, shape, where):
    """Refuse an unknown key, a wrong type, and a value that is not among the choices."""
    if isinstance(shape, dict):
        examine_object(value, shape, where)
    elif isinstance(shape, list):
        examine_list(value, shape, where)
    elif isinstance(shape, tuple):
        if value not in shape:
            raise Problem("{} is {!r}, not one of {}".format(where, value, ", ".join(shape)))
    elif not isinstance(value, shape) or (shape is int and isinstance(value, bool)):
        raise Problem("{} is not of type {}".format(where, shape.__name__))


def examine_object(value, shape, where):
    if not isinstance(value, dict):
        raise Problem("{} is not an object".format(where))
    for key, entry in value.items():
        if key not in shape:
            raise Problem("{} has no setting {!r}; it has {}".format(where, key, ", ".join(sorted(shape))))
        if entry is not None:
            examine(entry, shape[key], "{}.{}".format(where, key).replace("the settings.", ""))


def examine_list(value, shape, where):
    """Refuse anything but a list of strings (``[str]``), or of the strings in the shape."""
    strings = shape == [str]
    if not isinstance(value, list) or any(
        not isinstance(entry, str) or not (strings or entry in shape) for entry in value
    ):
        raise Problem("{} is not a list of {}".format(where, "strings" if strings else ", ".join(shape)))


class Settings:
    """The settings file in the form in which the other parts read it."""

    def __init__(self, document):
        examine(document, SHAPE, "the settings")
        self.document = document
        self.keep = document.get("keep") or []
        public, protected = document.get("settings") or {}, document.get("protectedSettings") or {}
        docker = public.get("docker") or {}
        engine = docker.get("engine") or {}
        self.digest = document.get("digest") or ""
        self.push = document.get("push") or ""
        self.absent = document.get("state") == "absent"
        self.remove = document.get("remove") or []
        self.replace_ca = bool(document.get("replace-ca"))
        self.certs_only = bool(document.get("certs-only"))
        self.port = port_number(docker.get("port"))
        self.options = docker.get("options") or []
        self.daemon = docker.get("daemon") or {}
        self.live_restore = docker.get("live-restore")
        self.users = docker.get("users") or []
        self.disk = docker.get("data-disk")
        self.mirror = same_address(engine.get("mirror") or DOCKER_URL)
        if self.mirror == DOCKER_URL:
            engine = dict(engine, mirror="")  # Docker's own address says no more than none
        self.source = "keep" if self.certs_only else requested_source(engine)
        self.version = engine.get("version") or ""
        self.channel = engine.get("channel") or "stable"
        self.key = engine.get("key")
        self.hold = bool(engine.get("hold"))
        self.proxies = {name: value for name, value in (protected.get("proxies") or {}).items() if value}
        self.certs = decode_certificates(protected.get("certs") or {})
        self.logins = list(protected.get("logins") or [])
        if protected.get("login"):
            self.logins.append(protected["login"])
        self.projects = projects(public, protected)
        self.purge = bool(public.get("compose-purge"))
        self.refuse()
        self.logins = [dict(login, server=registry_name(login.get("server") or "") or HUB) for login in self.logins]

    def refuse(self):
        """Stop at what cannot be right on any machine."""
        if self.port and len(self.certs) != 3 and "certs" not in self.keep:
            raise Problem("docker.port is set without certs: the engine never listens on TCP without certificates")
        if self.certs_only and len(self.certs) != 3:
            raise Problem("certs-only is set without certs")
        self.refuse_engine_settings()
        for login in self.logins:
            examine(login, dict(SHAPE["protectedSettings"]["login"], ca=str), "logins[]")
            if not login.get("username") or not login.get("password"):
                raise Problem("a login to {} lacks username or password".format(login.get("server") or "Docker Hub"))
        for name in self.projects:
            if not re.match(r"^[a-z0-9][a-z0-9_-]*$", name):
                raise Problem("compose project {!r}: use lower case letters, digits, - and _".format(name))

    def refuse_engine_settings(self):
        """Stop at options and entries of daemon.json that decide what the program decides."""
        for place, option in enumerate(self.options):
            fault = option_fault(option)
            if fault:
                raise Problem("docker.options[{}]: {}".format(place, fault))
        own = own_keys(self.daemon)
        if own:
            raise Problem("docker.daemon: must not contain {}: docker.port and certs decide it".format(", ".join(own)))

    def secrets(self):
        """Return every text that must not be seen, the longest first."""
        found = [login["password"] for login in self.logins]
        found += [value for project in self.projects.values() for value in project["secrets"].values()]
        found += [value for name, value in self.proxies.items() if name != "no"]
        if "key" in self.certs:
            found.append(self.certs["key"].decode("utf-8", "replace"))
        found = {form for secret in found for form in spellings(secret)}
        return sorted((form for form in found if len(form) > 3), key=len, reverse=True)


def spellings(secret):
    """Yield the forms in which programs show a secret: as it is, line by line, and escaped in quotes."""
    yield secret.strip()
    yield json.dumps(secret)[1:-1]
    yield json.dumps(secret, ensure_ascii=False)[1:-1]
    yield from (line.strip() for line in secret.splitlines() if len(line.strip()) > 7 and line[:5] != "-----")


def port_number(text):
    if text in (None, ""):
        return None
    if not re.match(r"^[1-9][0-9]{0,4}$", text) or int(text) > 65535:
        raise Problem("docker.port is {!r}, not a port number".format(text))
    return int(text)


def decode_certificates(certs):
    """Return PEM bytes by name, from base64 (or from PEM itself, as the Docker extension allowed)."""
    found = {}
    for name, value in certs.items():
        if not value:
            continue
        try:
            pem = value.encode() if "-----BEGIN" in value else base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError):
            raise Problem("certs.{} is not base64".format(name)) from None
        if b"-----BEGIN" not in pem:
            raise Problem("certs.{} is not PEM".format(name))
        found[name] = pem
    if found and len(found) != 3:
        raise Problem("certs needs ca, cert and key; it has {}".format(", ".join(sorted(found))))
    return found


def projects(public, protected):
    """Return the Compose projects by name: ``{"file": text, "environment": {}, "secrets": {}}``."""
    found = {}
    secrets = protected.get("compose-secrets") or {}
    if public.get("compose"):
        found["compose"] = {
            "file": yaml_text(public["compose"]),
            "environment": public.get("compose-environment") or {},
            "secrets": protected.get("environment") or {},
        }
    for name, project in (public.get("compose-projects") or {}).items():
        examine(project, {"file": str, "environment": dict}, "compose-projects." + name)
        found[name] = {
            "file": project.get("file") or "",
            "environment": project.get("environment") or {},
            "secrets": secrets.get(name) or {},
        }
    for project in found.values():
        for kind in ("environment", "secrets"):
            project[kind] = {key: str(value) for key, value in project[kind].items()}
    return found


def yaml_text(value):
    """Return JSON that is YAML too: JSON writes characters beyond U+FFFF as two escapes, which YAML does not know."""
    text = json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False)
    return re.sub(r"[^\x00-\x7e]", lambda found: "\\U{:08x}".format(ord(found.group())), text)


def read_settings(path):
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    except OSError as error:
        raise Problem("the settings cannot be read: {}".format(error)) from None
    except ValueError as error:
        raise Problem("the settings are not JSON: {}".format(error)) from None
