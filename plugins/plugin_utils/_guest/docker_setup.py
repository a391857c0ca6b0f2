# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Set up a Docker engine on this machine as one settings file says. Private to this collection.

The story: gather facts, refuse what cannot be, then stage by stage plan and apply (disk, install,
access, configure, firewall, registries, compose), then verify, then one line of JSON on standard output:
``{"docker_setup": 1, "ok": true, "digest": ..., "changes": [...], "engine": {...}, ...}``.
Run twice it changes nothing the second time; killed midway the next run mends what was left.

    docker_setup.py --settings FILE [--check]   apply the settings, or only say what would be done
    docker_setup.py --verify                    compare the machine with what the last run left

With ``--root DIR`` (or the environment variable ``DOCKER_SETUP_ROOT``) the tree below DIR is
configured, as when an image is built: nothing is installed, started or asked there.

Standard library only, Python 3.6 and later. Secrets are never printed, logged or put on a command line.
"""

import argparse
import base64
import binascii
import contextlib
import fcntl
import glob
import grp
import hashlib
import http.client
import json
import os
import pwd
import re
import shlex
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import traceback
import urllib.error
import urllib.request

FORMAT = 1
LOG = "/var/log/docker-host-setup.log"
HOME = "/var/lib/docker-host"
STATE = HOME + "/state.json"
PENDING = HOME + "/restart-pending"
DROP_IN = "/etc/systemd/system/docker.service.d/50-docker-host.conf"
PROXY_FILE = "/etc/docker/docker-host-proxy.env"
DAEMON_JSON = "/etc/docker/daemon.json"
COMPOSE_DIR = "/etc/docker/compose"
SOCKET = "/var/run/docker.sock"
CERTIFICATES = (("ca", "/etc/docker/ca.pem", 0o644), ("cert", "/etc/docker/cert.pem", 0o644))
KEY = "/etc/docker/key.pem"
MARK = "# Written by dockerhost.azure. Changes made here are replaced by its next run.\n"
DOCKER_URL = "https://download.docker.com"
# The keys of Docker's repositories: https://docs.docker.com/engine/install/ (deb, rpm).
DOCKER_KEYS = ("9DC858229FC7DD38854AE2D88D81803C0EBFCD88", "060A61C51B558A7F742B77AAC52FEB6B621E9F35")
DOCKER_PACKAGES = ("docker-ce", "docker-ce-cli", "containerd.io", "docker-buildx-plugin", "docker-compose-plugin")
# Every package that brings a dockerd, and where it comes from.
ENGINE_PACKAGES = (
    ("docker-ce", "docker"),
    ("docker.io", "distribution"),
    ("moby-engine", "distribution"),
    ("docker", "distribution"),
)
# What the daemon takes over on SIGHUP: https://docs.docker.com/reference/cli/dockerd/#configuration-reload-behavior
RELOADABLE = (
    "debug", "labels", "live-restore", "max-concurrent-downloads", "max-concurrent-uploads",
    "max-download-attempts", "default-runtime", "runtimes", "authorization-plugins",
    "insecure-registries", "registry-mirrors", "shutdown-timeout", "features",
)  # fmt: skip
LOCK_WAIT = 600
LINE_LIMIT = 3000


class Problem(Exception):  # noqa: N818  it ends a run, it is not always an error of this program
    """An end with a reason. ``detail`` is the tail of some program's output."""

    def __init__(self, text, detail=""):
        super().__init__(text)
        self.text = text
        self.detail = detail


# ---------------------------------------------------------------- the machine


class Machine:
    """The machine below ``root``: its files and programs, the log, and the changes made so far.

    Programs run only on the running system itself (``root`` is ``/``): ``alive`` tells.
    """

    def __init__(self, root="/", check=False):
        self.root = os.path.abspath(root)
        self.alive = self.root == "/"
        self.check = check
        self.stage = "facts"
        self.changes = []
        self.notes = []
        self.secrets = []
        self.environment = {
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": "/root",
            "LC_ALL": "C",
            "DEBIAN_FRONTEND": "noninteractive",
            "NEEDRESTART_MODE": "l",
            "ZYPP_LOCK_TIMEOUT": str(LOCK_WAIT),
        }

    def path(self, path):
        return path if self.root == "/" else os.path.join(self.root, path.lstrip("/"))

    def log(self, text):
        """Append to the full log, which only root can read, without any known secret."""
        if self.check:
            return
        text = self.redact(text)
        path = self.path(LOG)
        os.makedirs(os.path.dirname(path), mode=0o755, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(handle, "a", encoding="utf-8", errors="replace") as log:
            log.write("{} {}: {}\n".format(time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), self.stage, text))

    def redact(self, text):
        for secret in self.secrets:
            text = text.replace(secret, "********")
        return text

    def tail(self, output, size=1200):
        """The end of a program's output without any known secret, also where the cut goes through one."""
        if isinstance(output, bytes):
            output = output.decode("utf-8", "replace")
        return tail(self.redact(output or ""), size)

    def change(self, text, act=None):
        """Report one change and, unless only checking, make it."""
        self.changes.append(text)
        self.log(text)
        if not self.check:
            print("{}: {}".format(self.stage, text), flush=True)
            if act is not None:
                act()

    def read(self, path):
        """The file's bytes, None when there is none."""
        try:
            with open(self.path(path), "rb") as file:
                return file.read()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return None

    def glob(self, pattern):
        """The files that fit, by their paths on the machine."""
        skip = 0 if self.root == "/" else len(self.root)
        return sorted(name[skip:] for name in glob.glob(self.path(pattern)))

    def text(self, path):
        return (self.read(path) or b"").decode("utf-8", "replace")

    def differs(self, path, content, mode):
        """Tell whether the file is not as wanted; ``content`` None means that none is wanted."""
        present = self.read(path)
        if content is None or present is None:
            return (content is None) != (present is None)
        return present != content or self.mode(path) != mode

    def mode(self, path):
        """The file's permissions, 0644 when there is none."""
        try:
            return os.stat(self.path(path)).st_mode & 0o7777
        except FileNotFoundError:
            return 0o644

    def write(self, path, content, mode=0o644):
        """Put the file in place in one step: after a crash it is the old one or the new one."""
        target = self.path(path)
        if content is None:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(target)
            return
        os.makedirs(os.path.dirname(target), mode=0o755, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=".", suffix=".new", dir=os.path.dirname(target))
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                os.fchmod(file.fileno(), mode)
                file.flush()
                os.fsync(file.fileno())
            os.rename(name, target)
        except BaseException:
            os.unlink(name)
            raise

    def run(self, argv, stdin=None, timeout=900, ok=(0,), extra=None):
        """Run a program and return its output (both streams).

        :raises Problem: it is missing, takes too long, or ends with a code that is not in ``ok``
            (``ok`` None takes any).
        """
        if not self.alive:
            raise Problem("internal error: {} was to run outside the running system".format(argv[0]))
        self.log("$ " + " ".join(shlex.quote(word) for word in argv))
        try:
            done = subprocess.run(
                argv,
                input=stdin.encode() if stdin is not None else None,
                stdin=subprocess.DEVNULL if stdin is None else None,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env=dict(self.environment, **(extra or {})),
                timeout=timeout,
                cwd="/",
                check=False,
            )
        except FileNotFoundError:
            raise Problem("the program {} is not installed".format(argv[0])) from None
        except subprocess.TimeoutExpired as error:
            raise Problem("{} took longer than {} s".format(argv[0], timeout), self.tail(error.output)) from None
        output = done.stdout.decode("utf-8", "replace")
        self.log("exit {}\n{}".format(done.returncode, output.rstrip()))
        if ok is not None and done.returncode not in ok:
            words = " ".join(argv[:3])
            raise Problem("{} ended with exit code {}".format(words, done.returncode), self.tail(output))
        return output

    def has(self, program):
        return self.alive and shutil.which(program, path=self.environment["PATH"]) is not None


def tail(output, size=1200):
    """The end of a text, at most ``size`` characters of it."""
    text = (output or "").strip()
    return text if len(text) <= size else "..." + text[-size:]


# ---------------------------------------------------------------- the settings

SHAPE = {
    "format": int,
    "digest": str,
    "push": str,
    "state": ("present", "absent"),
    "remove": ["engine", "data"],
    "replace-ca": bool,
    "certs-only": bool,
    "settings": {
        "docker": {
            "port": str,
            "options": [str],
            "daemon": dict,
            "live-restore": bool,
            "users": [str],
            "data-disk": {"lun": int, "path": str, "filesystem": ("ext4", "xfs")},
            "engine": {
                "source": ("docker", "distribution", "keep"),
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
    """Refuse what is not of the shape: an unknown key, a wrong type, a value not among the choices."""
    if isinstance(shape, dict):
        if not isinstance(value, dict):
            raise Problem("{} is not an object".format(where))
        for key, entry in value.items():
            if key not in shape:
                raise Problem("{} has no setting {!r}; it has {}".format(where, key, ", ".join(sorted(shape))))
            if entry is not None:
                examine(entry, shape[key], "{}.{}".format(where, key).replace("the settings.", ""))
    elif isinstance(shape, list):
        allowed = (lambda entry: isinstance(entry, str)) if shape == [str] else (lambda entry: entry in shape)
        if not isinstance(value, list) or not all(allowed(entry) for entry in value):
            raise Problem("{} is not a list of {}".format(where, "strings" if shape == [str] else shape))
    elif isinstance(shape, tuple):
        if value not in shape:
            raise Problem("{} is {!r}, not one of {}".format(where, value, ", ".join(shape)))
    elif not isinstance(value, shape) or (shape is int and isinstance(value, bool)):
        raise Problem("{} is not of type {}".format(where, shape.__name__))


class Settings:
    """The settings file in the form in which the rest of the program asks for them."""

    def __init__(self, document):
        examine(document, SHAPE, "the settings")
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
        self.source = "keep" if self.certs_only else engine.get("source") or "docker"
        self.version = engine.get("version") or ""
        self.channel = engine.get("channel") or "stable"
        self.mirror = (engine.get("mirror") or DOCKER_URL).rstrip("/")
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

    def refuse(self):
        """Stop at what cannot be right on any machine."""
        if self.port and len(self.certs) != 3:
            raise Problem("docker.port is set without certs: the engine never listens on TCP without certificates")
        if self.certs_only and len(self.certs) != 3:
            raise Problem("certs-only is set without certs")
        for option in self.options:
            if re.match(r"-H|--(host|tls\w*)(=|$)", option):
                raise Problem("docker.options has {}: hosts and TLS are set by docker.port and certs".format(option))
        fighting = {"hosts", "tls", "tlsverify", "tlscacert", "tlscert", "tlskey"} & set(self.daemon)
        if fighting:
            raise Problem("docker.daemon has {}: docker.port and certs set it".format(", ".join(sorted(fighting))))
        for login in self.logins:
            examine(login, dict(SHAPE["protectedSettings"]["login"], ca=str), "logins[]")
            if not login.get("username") or not login.get("password"):
                raise Problem("a login to {} lacks username or password".format(login.get("server") or "Docker Hub"))
        for name in self.projects:
            if not re.match(r"^[a-z0-9][a-z0-9_-]*$", name):
                raise Problem("compose project {!r}: use lower case letters, digits, - and _".format(name))

    def secrets(self):
        """Every text that must not be seen, the longest first."""
        found = [login["password"] for login in self.logins]
        found += [value for project in self.projects.values() for value in project["secrets"].values()]
        found += [value for name, value in self.proxies.items() if name != "no"]
        if "key" in self.certs:
            found.append(self.certs["key"].decode("utf-8", "replace").strip())
        return sorted((secret for secret in found if len(secret) > 3), key=len, reverse=True)


def port_number(text):
    if text in (None, ""):
        return None
    if not re.match(r"^[1-9][0-9]{0,4}$", text) or int(text) > 65535:
        raise Problem("docker.port is {!r}, not a port number".format(text))
    return int(text)


def decode_certificates(certs):
    """PEM bytes by name, from base64 (or from PEM itself, as the Docker extension allowed)."""
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
    """Compose projects by name: ``{"file": text, "environment": {}, "secrets": {}}``."""
    found = {}
    secrets = protected.get("compose-secrets") or {}
    if public.get("compose"):
        found["compose"] = {
            "file": json.dumps(public["compose"], indent=2, sort_keys=True),
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


def read_settings(path):
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    except OSError as error:
        raise Problem("the settings cannot be read: {}".format(error)) from None
    except ValueError as error:
        raise Problem("the settings are not JSON: {}".format(error)) from None


# ---------------------------------------------------------------- gather facts


class Facts:
    """What the machine is and what runs on it, as far as it can be told without changing it."""

    def __init__(self, machine):
        release = os_release(machine)
        self.id = release.get("ID", "")
        self.like = [self.id, *release.get("ID_LIKE", "").split()]
        self.name = release.get("PRETTY_NAME") or self.id or "unknown"
        self.major = release.get("VERSION_ID", "").split(".")[0]
        self.ubuntu_codename = release.get("UBUNTU_CODENAME", "")
        self.codename = release.get("VERSION_CODENAME", "")
        self.manager = package_manager(machine, self.like)
        self.state = load_json(machine, STATE, {}) or left_behind(machine)
        self.daemon = load_json(machine, DAEMON_JSON, {})
        self.refresh(machine)

    def refresh(self, machine):
        """Look again at what an installation changes."""
        self.package, self.version = installed_engine(machine, self.manager)
        self.command = exec_start(machine)
        self.installed = bool(self.package or self.command)
        self.info = engine_info(machine) if self.installed else {}

    @property
    def swarm(self):
        return (self.info.get("Swarm") or {}).get("LocalNodeState") in ("active", "locked", "pending")

    @property
    def source(self):
        return dict(ENGINE_PACKAGES).get(self.package, "other" if self.installed else None)


def os_release(machine):
    text = machine.text("/etc/os-release") or machine.text("/usr/lib/os-release")
    found = {}
    for line in text.splitlines():
        key, equals, value = line.partition("=")
        if equals and not key.startswith("#"):
            words = shlex.split(value)
            found[key.strip()] = words[0] if words else ""
    return found


def package_manager(machine, like):
    """``apt``, ``dnf``, ``yum``, ``zypper``, ``tdnf`` or None for a distribution that we do not know."""
    names = set(like)
    if names & {"debian", "ubuntu"}:
        return "apt"
    if names & {"azurelinux", "mariner"}:
        return "tdnf"
    if names & {"rhel", "centos", "fedora"}:
        old = machine.alive and not machine.has("dnf")
        return "yum" if old else "dnf"
    if any(re.match("sles?$|suse|opensuse", name) for name in names):
        return "zypper"
    return None


def load_json(machine, path, default):
    text = machine.text(path)
    if not text.strip():
        return default
    try:
        value = json.loads(text)
    except ValueError as error:
        raise Problem("{} on the machine is not JSON ({}): mend or remove it".format(path, error)) from None
    if not isinstance(value, dict):
        raise Problem("{} on the machine is not a JSON object: mend or remove it".format(path))
    return value


def left_behind(machine):
    """What our drop-in tells where the record is missing: that port and certificates are ours. Empty without it."""
    text = machine.text(DROP_IN)
    port = re.search(r"-H tcp://0\.0\.0\.0:(\d+) --tlsverify", text) if text.startswith(MARK) else None
    if port is None:
        return {}
    paths = [*(entry[1] for entry in CERTIFICATES), KEY]
    return {
        "unfinished": True,
        "port": int(port.group(1)),
        "ca": fingerprints(machine.read(CERTIFICATES[0][1]) or b""),
        "files": {path: "" for path in paths if machine.read(path) is not None},
    }


def installed_engine(machine, manager):
    """The installed package that brings dockerd, and its version: ``("docker-ce", "5:28.1.1-1~debian...")``."""
    if manager == "apt":
        installed = dpkg_status(machine)
        for package, _source in ENGINE_PACKAGES[:3]:
            if package in installed:
                return package, installed[package]
    elif manager and machine.has("rpm"):
        for package, _source in ENGINE_PACKAGES:
            output = machine.run(["rpm", "-q", "--qf", "%{VERSION}-%{RELEASE}\n", package], ok=None)
            if "not installed" not in output and output.strip():
                return package, output.split()[0]
    return None, ""


def dpkg_status(machine):
    """Installed Debian packages with their versions, read from dpkg's database."""
    found = {}
    for paragraph in machine.text("/var/lib/dpkg/status").split("\n\n"):
        fields = dict(re.findall(r"^(Package|Status|Version): (.*)$", paragraph, re.MULTILINE))
        if fields.get("Status", "").endswith(" installed"):
            found[fields.get("Package")] = fields.get("Version", "")
    return found


UNIT_DIRS = ("/etc", "/run", "/usr/local/lib", "/usr/lib", "/lib")


def exec_start(machine):
    """The words of the engine's ``ExecStart=`` without our drop-in; empty when there is no such unit."""
    files = [name for name in (d + "/systemd/system/docker.service" for d in UNIT_DIRS) if machine.read(name)][:1]
    if not files:
        return []
    drop_ins = {}
    for directory in reversed(UNIT_DIRS):
        found = machine.glob(directory + "/systemd/system/docker.service.d/*.conf")
        drop_ins.update({os.path.basename(name): name for name in found})
    drop_ins.pop(os.path.basename(DROP_IN), None)
    texts = [machine.text(files[0]), *(machine.text(name) for _base, name in sorted(drop_ins.items()))]
    command = ""
    for text in texts:
        for value in re.findall(r"^ExecStart=(.*)$", text.replace("\\\n", " "), re.MULTILINE):
            command = value.strip()
    return command.split()


class UnixConnection(http.client.HTTPConnection):
    """HTTP to the engine's unix socket."""

    def __init__(self, path, timeout):
        super().__init__("localhost", timeout=timeout)
        self.socket_path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.socket_path)


def ask_engine(path, timeout=10):
    """GET from the local engine; None when it does not answer."""
    connection = UnixConnection(SOCKET, timeout)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        body = response.read()
        if response.status != 200:
            return None
        return json.loads(body.decode()) if path != "/_ping" else body.decode()
    except (OSError, ValueError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def engine_info(machine):
    """The running engine's /info; empty when there is none. Asking must not start it by its socket unit."""
    if not machine.alive or not service_active(machine):
        return {}
    return ask_engine("/info", timeout=30) or {}


def service_active(machine):
    return machine.has("systemctl") and machine.run(["systemctl", "is-active", "docker"], ok=None).strip() == "active"


# ---------------------------------------------------------------- refuse what cannot be


def refuse(machine, settings, facts):
    """Find everything that can be known to fail before the first change."""
    if machine.alive and os.geteuid() != 0:
        raise Problem("this program must run as root")
    if machine.alive and not os.path.isdir("/run/systemd/system"):
        raise Problem("systemd does not run on this machine; only systems with systemd are supported")
    refuse_engine(machine, settings, facts)
    if not settings.certs_only:
        refuse_configuration(machine, settings, facts)
    for user in settings.users:
        if machine.alive and not user_exists(user):
            raise Problem("docker.users: there is no user {} on this machine".format(user))
    if settings.certs:
        check_pair(settings.certs)
        fence(machine, settings, facts)


def fence(machine, settings, facts):
    """Let no other CA take the place of the engine's by accident. One that was renewed with its key is the same CA."""
    recorded, wanted = set(facts.state.get("ca") or []), set(fingerprints(settings.certs["ca"]))
    if not recorded or recorded & wanted or settings.replace_ca:
        return
    trusted = [der for der in certificates(machine.read(CERTIFICATES[0][1]) or b"") if sha256(der) in recorded]
    if {key_fingerprint(der) for der in trusted} & {key_fingerprint(der) for der in certificates(settings.certs["ca"])}:
        return
    raise Problem(
        "this engine trusts the CA {} and the settings bring another one, {}: clients of the first would be "
        "cut off; ask for it with replace-ca".format(short(recorded), short(wanted))
    )


def keep_settings(settings, state):
    """Take from the record of the last run what bringing certificates alone must know."""
    if not state.get("port"):
        raise Problem(
            "this machine has no record of settings with a port, so certificates alone cannot be brought to it: "
            "push all settings"
        )
    settings.port = state["port"]


def refuse_engine(machine, settings, facts):
    if not machine.alive:
        return
    if settings.source == "keep":
        if not facts.installed:
            raise Problem("engine.source is keep, but no engine is installed (no docker.service)")
        return
    if facts.manager is None:
        known = "Debian, Ubuntu, RHEL and its family, Fedora, SLES, openSUSE and Azure Linux"
        raise Problem("{} is not a distribution that this program knows; known are {}".format(facts.name, known))
    if facts.package and settings.version and not matches(facts.version, settings.version):
        if facts.source != settings.source:
            raise Problem(
                "{} {} is installed, and version {} is asked of the source {}: remove the installed one first "
                "(state: absent with remove: engine)".format(
                    facts.package, upstream(facts.version), settings.version, settings.source
                )
            )
    elif facts.installed and not facts.package and settings.version:
        raise Problem("an engine is installed, but by no package: its version cannot be changed")
    elif not facts.installed and settings.source == "docker":
        Repository(machine, settings, facts).probe()
    elif not facts.installed and not distribution_packages(facts):
        raise Problem("{} has no engine of its own; use engine.source docker".format(facts.name))


def refuse_configuration(machine, settings, facts):
    ours = facts.state.get("daemon") or {}
    fighting = {"hosts", "tls", "tlsverify", "tlscacert", "tlscert", "tlskey"} & (set(facts.daemon) - set(ours))
    if settings.port and fighting:
        raise Problem(
            "{} on the machine has {}, which fights with the port and certificates that are wanted: "
            "remove it there".format(DAEMON_JSON, ", ".join(sorted(fighting)))
        )
    for name in ("/etc/default/docker", "/etc/sysconfig/docker"):
        lines = re.findall(r"^\s*(?:DOCKER_OPTS|OPTIONS)=.*", machine.text(name), re.MULTILINE)
        if settings.port and any(re.search(r"(^|[\s\"'=])(-H|--host|--tls)", line) for line in lines):
            raise Problem("{} on the machine sets hosts or TLS options: remove them there".format(name))
    if settings.live_restore and facts.swarm:
        raise Problem("docker.live_restore: this engine is part of a swarm, which cannot be combined with it")
    root = wanted_daemon(settings, facts).get("data-root", "/var/lib/docker")
    present = facts.info.get("DockerRootDir")
    kept = (facts.info.get("Containers") or 0) + (facts.info.get("Images") or 0)
    if present and kept and os.path.realpath(present) != os.path.realpath(root):
        raise Problem(
            "the engine's data is to move from {} to {}, but there are {} containers and {} images in the first: "
            "move or remove them yourself".format(present, root, facts.info.get("Containers"), facts.info.get("Images"))
        )


def user_exists(user):
    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True


def check_pair(certs):
    """Stop when the key does not belong to the certificate or the CA cannot be read."""
    with tempfile.TemporaryDirectory() as directory:  # 0700
        names = {}
        for name, pem in certs.items():
            names[name] = os.path.join(directory, name)
            with open(names[name], "wb") as file:
                file.write(pem)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        try:
            context.load_verify_locations(names["ca"])
        except (ssl.SSLError, ValueError):
            raise Problem("certs.ca holds no certificate that can be read") from None
        try:
            context.load_cert_chain(names["cert"], names["key"])
        except (ssl.SSLError, ValueError) as error:
            reason = getattr(error, "reason", None) or "unreadable"
            raise Problem("certs.cert and certs.key do not belong together ({})".format(reason)) from None


def certificates(pem):
    """The certificates in a PEM file, as DER."""
    blocks = re.findall(
        r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", pem.decode("ascii", "replace"), re.DOTALL
    )
    found = []
    for block in blocks:
        with contextlib.suppress(ValueError):  # somebody's damaged file
            found.append(ssl.PEM_cert_to_DER_cert(block))
    return found


def sha256(content):
    return hashlib.sha256(content).hexdigest()


def fingerprints(pem):
    """SHA-256 fingerprints of the certificates in a PEM file, lower-case hex."""
    return [sha256(der) for der in certificates(pem)]


def key_fingerprint(der):
    """SHA-256 of a certificate's public key (its SubjectPublicKeyInfo: RFC 5280, 4.1), lower-case hex."""
    place = element(der, element(der, 0)[0])[0]  # the first field of the TBSCertificate
    # Before the key come version (which may be left out), serialNumber, signature, issuer, validity and subject.
    for _field in range(6 if der[place] == 0xA0 else 5):
        place = element(der, place)[1]
    return sha256(der[place : element(der, place)[1]])


def element(der, place):
    """Where the contents of the DER element at a place begin and end (X.690, 8.1.3)."""
    begin, length = place + 2, der[place + 1]
    if length > 0x7F:
        begin += length - 0x80
        length = int.from_bytes(der[place + 2 : begin], "big")
    return begin, begin + length


def short(values):
    return ", ".join(value[:16] for value in sorted(values))


# ---------------------------------------------------------------- stage: data disk


def data_disk(machine, settings, _facts):
    """Partition, format, mount and grow the data disk; a disk that holds anything is never formatted."""
    if not settings.disk or not machine.alive:
        return
    where = settings.disk.get("path") or "/srv/docker"
    kind = settings.disk.get("filesystem") or "ext4"
    disk = find_disk(settings.disk.get("lun") or 0)
    partition = usable_partition(machine, disk)
    if partition is None:
        machine.change("partition the blank data disk {}".format(disk), lambda: make_partition(machine, disk))
        if machine.check:
            return
        partition = partitions(disk)[0]
    if "TYPE" not in signature(machine, partition):
        machine.change(
            "make a {} file system on {}".format(kind, partition),
            lambda: machine.run(["mkfs." + kind, "-q", "-L", "docker-data", partition]),
        )
        if machine.check:
            return
    mount(machine, partition, where)
    grow(machine, disk, partition, where)


def find_disk(lun):
    """The block device of an attached data disk, by the links that Azure's udev rules make."""
    for link in ("/dev/disk/azure/data/by-lun/{}".format(lun), "/dev/disk/azure/scsi1/lun{}".format(lun)):
        if os.path.exists(link):
            return os.path.realpath(link)
    raise Problem("docker.data_disk: no data disk with LUN {} is attached to this machine".format(lun))


def partitions(disk):
    """The partitions of a disk, in order."""
    base = os.path.basename(disk)
    found = [
        (int(open_text(os.path.join(os.path.dirname(name), "start"))), os.path.basename(os.path.dirname(name)))
        for name in glob.glob("/sys/class/block/{0}/{0}*/partition".format(base))
    ]
    return ["/dev/" + name for _start, name in sorted(found)]


def open_text(path):
    with open(path, encoding="ascii") as file:
        return file.read().strip()


def signature(machine, device):
    """What is on the device as blkid tells it (``TYPE``, ``UUID``, ``PTTYPE`` ...); empty when blank."""
    output = machine.run(["blkid", "-p", "-o", "export", device], ok=(0, 2))
    return dict(line.split("=", 1) for line in output.splitlines() if "=" in line and not line.startswith("DEVNAME"))


def usable_partition(machine, disk):
    """What to mount: the only partition, or the disk itself if it holds a file system. None: the disk is blank."""
    found = partitions(disk)
    if len(found) > 1:
        raise Problem("docker.data_disk: {} has {} partitions; give an empty disk".format(disk, len(found)))
    if found:
        return refuse_strange(machine, found[0])
    present = signature(machine, disk)
    if present.get("USAGE") == "filesystem":
        return disk
    if present or not blank(disk):
        raise Problem(
            "docker.data_disk: {} is not empty ({}); it is not touched".format(disk, present.get("TYPE", "data"))
        )
    return None


def refuse_strange(machine, partition):
    present = signature(machine, partition)
    ours = present.get("PART_ENTRY_NAME") == "docker-data"
    if present.get("USAGE") == "filesystem" or (ours and not present.get("TYPE") and blank(partition)):
        return partition
    kind = present.get("TYPE", "unknown data")
    raise Problem("docker.data_disk: {} holds {}; it is not touched".format(partition, kind))


def blank(device):
    """Tell whether the first and last MiB are zero."""
    with open(device, "rb") as file:
        size = file.seek(0, os.SEEK_END)
        for position in (0, max(0, size - 1024 * 1024)):
            file.seek(position)
            if file.read(1024 * 1024).strip(b"\0"):
                return False
    return True


def make_partition(machine, disk):
    machine.run(["sfdisk", "--quiet", "--label", "gpt", disk], stdin="type=linux, name=docker-data\n")
    if machine.has("udevadm"):
        machine.run(["udevadm", "settle", "--timeout=30"], ok=None)
    for _attempt in range(30):
        if partitions(disk) and os.path.exists(partitions(disk)[0]):
            return
        time.sleep(1)
    raise Problem("the kernel shows no partition on {} after partitioning it".format(disk))


def mount(machine, device, where):
    found = signature(machine, device)
    fstab = machine.text("/etc/fstab")
    entry = "UUID={} {} {} defaults,nofail 0 2".format(found["UUID"], where, found["TYPE"])
    taken = [line.split() for line in fstab.splitlines() if line.strip() and not line.startswith("#")]
    others = [words for words in taken if len(words) > 1 and words[1] == where and words[0] != "UUID=" + found["UUID"]]
    if others:
        raise Problem("docker.data_disk: /etc/fstab mounts {} at {}".format(others[0][0], where))
    if not any(words[:2] == ["UUID=" + found["UUID"], where] for words in taken):
        text = (fstab.rstrip("\n") + "\n" if fstab.strip() else "") + entry + "\n"
        machine.change(
            "mount the data disk at {} in /etc/fstab".format(where), lambda: machine.write("/etc/fstab", text.encode())
        )
    if not os.path.ismount(where):

        def act():
            os.makedirs(where, mode=0o711, exist_ok=True)
            machine.run(["systemctl", "daemon-reload"])
            machine.run(["mount", where])

        machine.change("mount {} at {}".format(device, where), act)


def stay_mounted(machine, settings):
    """Mount the disk again if reloading systemd took it away: an engine on an empty directory loses its containers."""
    where = settings.disk and settings.disk.get("path", "/srv/docker")
    if where and not os.path.ismount(where):
        machine.run(["mount", where])


def grow(machine, disk, partition, where):
    """Let a partition and its file system fill a disk that has become larger."""
    if partition == disk or machine.check:
        return
    base = "/sys/class/block/" + os.path.basename(partition)
    used = int(open_text(base + "/start")) + int(open_text(base + "/size"))
    total = int(open_text("/sys/class/block/{}/size".format(os.path.basename(disk))))
    if total - used < 16384:  # 8 MiB in sectors: the rest of a GPT and alignment
        return
    number = open_text(base + "/partition")

    def act():
        machine.run(["sfdisk", "--quiet", "--no-reread", "--force", "-N", number, disk], stdin=", +\n")
        machine.run(["partx", "-u", disk])
        if signature(machine, partition).get("TYPE") == "xfs":
            machine.run(["xfs_growfs", where])
        else:
            machine.run(["resize2fs", partition])

    machine.change("grow {} to the size of its disk".format(partition), act)


# ---------------------------------------------------------------- stage: install


def install(machine, settings, facts):
    """Install the engine if none is there, or bring it to the version that was asked for."""
    if not machine.alive or settings.source == "keep":
        return
    wanted = not facts.installed or (
        facts.package and settings.version and not matches(facts.version, settings.version)
    )
    if wanted:
        packager = Packager(machine, settings, facts)
        what = "Docker's repository" if settings.source == "docker" else facts.name
        text = "install the engine from {}".format(what)
        if facts.installed:
            text = "bring {} from {} to {}".format(facts.package, upstream(facts.version), settings.version)
        elif settings.version:
            text += ", version {}".format(settings.version)
        machine.change(text, packager.install)
        facts.refresh(machine)
        if not machine.check and not facts.command:
            raise Problem("the engine was installed, but there is no docker.service")
    if settings.hold and facts.package:
        Packager(machine, settings, facts).hold()


def upstream(version):
    """``5:28.1.1-1~debian.12~bookworm`` -> ``28.1.1``."""
    return re.split(r"[-+~]", version.split(":", 1)[-1])[0]


def matches(version, wanted):
    """Tell whether a package's version is the wanted one (``28.1.1``) or of the wanted series (``28``)."""
    return version == wanted or upstream(version) == wanted or upstream(version).startswith(wanted + ".")


def newest(versions, wanted):
    """The newest of the packages' versions that matches; None when none does."""
    fitting = [version for version in versions if not wanted or matches(version, wanted)]
    return (
        max(fitting, key=lambda version: [int(number) for number in re.findall(r"\d+", version)]) if fitting else None
    )


def distribution_packages(facts):
    """The distribution's own packages for an engine; compose is added where it is of version 2."""
    if facts.manager == "apt":
        return ["docker.io", "docker-cli?", "docker-compose-v2?", "docker-compose>=2?"]
    if facts.manager == "tdnf":
        return ["moby-engine", "moby-cli", "docker-compose?"]
    if facts.manager == "zypper":
        return ["docker", "docker-compose?"]
    if facts.id == "fedora":
        return ["moby-engine", "docker-cli?", "docker-compose?"]
    return []


class Packager:
    """The machine's package manager. It waits for whoever holds its locks, and retries what the network spoils."""

    def __init__(self, machine, settings, facts):
        self.machine = machine
        self.settings = settings
        self.facts = facts
        self.manager = facts.manager

    def install(self):
        self.wait_for_cloud_init()
        if self.manager == "apt":
            self.patiently(["dpkg", "--configure", "-a"])  # somebody's interrupted installation
        if self.settings.source == "docker":
            Repository(self.machine, self.settings, self.facts).add(self)
            names = list(DOCKER_PACKAGES)
        else:
            self.refresh()
            names = [name for name in map(self.available, distribution_packages(self.facts)) if name]
        self.patiently(self.command("install") + self.pinned(names) + self.also())

    def wait_for_cloud_init(self):
        if self.machine.has("cloud-init"):
            with contextlib.suppress(Problem):
                self.machine.run(["cloud-init", "status", "--wait"], ok=None, timeout=LOCK_WAIT)

    def command(self, verb):
        if self.manager == "apt":
            options = ["-o", "DPkg::Lock::Timeout={}".format(LOCK_WAIT), "-o", "Acquire::Retries=3"]
            options += ["-o", "Dpkg::Options::=--force-confdef", "-o", "Dpkg::Options::=--force-confold"]
            if verb == "install":
                options += ["--no-install-recommends", "--allow-downgrades", "--allow-change-held-packages"]
            return ["apt-get", "-y", "-q", *options, verb]
        if self.manager == "zypper":
            extra = ["--no-recommends", "--oldpackage"] if verb == "install" else []
            return ["zypper", "--non-interactive", verb, *extra]
        return [self.manager, "-y", "-q", verb]

    def refresh(self):
        if self.manager == "apt":
            self.patiently(self.command("update"))
        elif self.manager == "zypper":
            self.patiently(self.command("refresh"))

    def patiently(self, argv, limit=4):
        """Run it, again after a while when a lock or the network was in the way."""
        for attempt in range(1, limit + 1):
            try:
                return self.machine.run(argv, timeout=3000)
            except Problem as problem:
                passing = re.search(
                    r"lock|Temporary failure|Could not resolve|timed? ?out|Connection (failed|reset|refused)|"
                    r"Hash Sum mismatch|Undetermined Error|Cannot download|Failed to fetch",
                    problem.detail,
                    re.IGNORECASE,
                )
                if attempt == limit or not passing:
                    raise
                self.machine.log("waiting {} s before the next attempt".format(20 * attempt))
                time.sleep(20 * attempt)
        return ""

    def available(self, name):
        """The package's name if it can be installed; ``?`` marks optional ones, ``>=2`` a least version."""
        if not name.endswith("?"):
            return name
        name, _sign, least = name[:-1].partition(">=")
        versions = self.versions(name)
        if not versions or (least and int(upstream(newest(versions, "")).split(".")[0]) < int(least)):
            return None
        return name

    def versions(self, name):
        """Every version of a package that the configured repositories offer."""
        if self.manager == "apt":
            output = self.machine.run(["apt-cache", "madison", name], ok=None)
            return [line.split("|")[1].strip() for line in output.splitlines() if line.count("|") == 2]
        if self.manager == "zypper":
            output = self.machine.run(["zypper", "--non-interactive", "search", "-s", "-x", name], ok=None)
            return [line.split("|")[3].strip() for line in output.splitlines() if line.count("|") == 5 and name in line]
        output = self.machine.run([self.manager, "-q", "list", "--showduplicates", name], ok=None)
        return re.findall(r"^{}\.\S+\s+(\S+)".format(re.escape(name)), output, re.MULTILINE)

    def pinned(self, names):
        """The packages as the install command wants them, the engine's with the version that was asked for."""
        if not self.settings.version:
            return names
        result = []
        for name in names:
            if name in ("docker-ce", "docker-ce-cli", "docker.io", "moby-engine", "docker"):
                version = newest(self.versions(name), self.settings.version)
                if version is None:
                    offered = ", ".join(sorted({upstream(one) for one in self.versions(name)})) or "none"
                    raise Problem(
                        "no version {} of {} is offered; offered: {}".format(self.settings.version, name, offered)
                    )
                if self.manager == "apt":
                    name += "=" + version
                else:
                    name += ("=" if self.manager == "zypper" else "-") + version.split(":", 1)[-1]
            result.append(name)
        return result

    def also(self):
        """What containers need where the kernel has AppArmor: without its parser no container starts."""
        enabled = self.machine.text("/sys/module/apparmor/parameters/enabled").startswith("Y")
        return ["apparmor"] if self.manager == "apt" and enabled and not self.machine.has("apparmor_parser") else []

    def installed(self):
        names = [*DOCKER_PACKAGES, "docker.io", "docker-cli", "moby-engine", "moby-cli", "docker", "containerd"]
        if self.manager == "apt":
            present = dpkg_status(self.machine)
            return [name for name in names if name in present]
        output = self.machine.run(["rpm", "-q", "--qf", "%{NAME}\n", *names], ok=None)
        return [line for line in output.splitlines() if line in names]

    def hold(self):
        """Keep the engine's packages at their versions."""
        names = [name for name in self.installed() if name.startswith(("docker", "moby", "containerd"))]
        if self.manager == "apt":
            held = self.machine.run(["apt-mark", "showhold"]).split()
            names = [name for name in names if name not in held]
            command = ["apt-mark", "hold", *names]
        elif self.manager == "zypper":
            held = self.machine.run(["zypper", "--non-interactive", "locks"], ok=None)
            names = [name for name in names if not re.search(r"\| {} +\|".format(re.escape(name)), held)]
            command = ["zypper", "--non-interactive", "addlock", *names]
        else:
            held = self.machine.text("/etc/dnf/plugins/versionlock.list") + self.machine.text(
                "/etc/yum/pluginconf.d/versionlock.list"
            )
            names = [name for name in names if name + "-" not in held]
            command = [self.manager, "-y", "versionlock", "add", *names]

        def act():
            if self.manager in ("dnf", "yum") and "versionlock" not in self.machine.run(
                [self.manager, "--help"], ok=None
            ):
                plugin = "python3-dnf-plugin-versionlock" if self.manager == "dnf" else "yum-plugin-versionlock"
                self.patiently([*self.command("install"), plugin])
            self.machine.run(command)

        if names:
            self.machine.change("hold {}".format(", ".join(names)), act)

    def purge(self):
        """Remove the engine's packages."""
        names = self.installed()
        if self.manager == "apt":
            self.machine.run(["apt-mark", "unhold", *names], ok=None)
            self.patiently([*self.command("purge"), "--allow-change-held-packages", *names])
        else:
            self.patiently(self.command("remove") + names)


class Repository:
    """Docker's own package repository, or a mirror of it with the same layout."""

    def __init__(self, machine, settings, facts):
        self.machine = machine
        self.settings = settings
        self.facts = facts
        self.apt = facts.manager == "apt"
        self.base = "{}/linux/{}".format(settings.mirror, self.distribution())

    def distribution(self):
        like = self.facts.like
        for name, served in (
            ("ubuntu", "ubuntu"), ("raspbian", "raspbian"), ("debian", "debian"), ("fedora", "fedora")
        ):  # fmt: skip
            if self.facts.id == name or (self.apt and name in like):
                return served
        if self.facts.manager == "zypper":
            return "sles"
        if self.facts.manager in ("dnf", "yum"):
            return "rhel" if self.facts.id == "rhel" else "centos"
        raise Problem("Docker has no repository for {}; use engine.source distribution".format(self.facts.name))

    def codename(self):
        if self.distribution() == "ubuntu" and self.facts.ubuntu_codename:
            return self.facts.ubuntu_codename
        return self.facts.codename

    def index(self):
        """The address of the repository's index: it is there if the distribution is served."""
        if self.apt:
            return "{}/dists/{}/Release".format(self.base, self.codename())
        return "{}/{}/{}/{}/repodata/repomd.xml".format(
            self.base, self.facts.major, os.uname().machine, self.settings.channel
        )

    def probe(self):
        """Stop when the repository does not serve this machine, or cannot be reached."""
        if self.lacks_authorities():
            return  # nothing can be asked over https before they are installed
        try:
            self.fetch(self.index())
        except urllib.error.HTTPError as error:
            if error.code not in (403, 404):
                raise Problem("{} answers {}".format(self.index(), error.code)) from None
            raise Problem(
                "Docker's repository does not serve {} ({}); use engine.source distribution".format(
                    self.facts.name, self.index()
                )
            ) from None
        except (OSError, http.client.HTTPException) as error:
            raise Problem("{} cannot be reached: {}".format(self.index(), error)) from None
        if self.settings.key is None:
            self.key()

    def lacks_authorities(self):
        """Tell whether Debian's or Ubuntu's package of public CAs is missing, which minimal images leave out."""
        bundle = "/etc/ssl/certs/ca-certificates.crt"
        return self.apt and self.base.startswith("https") and self.machine.read(bundle) is None

    def fetch(self, url, attempts=4):
        """GET, again after a while when the network fails."""
        proxies = {kind: self.settings.proxies[kind] for kind in ("http", "https") if kind in self.settings.proxies}
        handlers = [urllib.request.ProxyHandler(proxies)] if proxies else []
        opener = urllib.request.build_opener(*handlers)
        for attempt in range(1, attempts + 1):
            try:
                with opener.open(url, timeout=30) as response:
                    return response.read()
            except urllib.error.HTTPError as error:
                if error.code < 500 or attempt == attempts:
                    raise
            except (OSError, http.client.HTTPException):
                if attempt == attempts or url.startswith("file:"):
                    raise
            time.sleep(3 * attempt)
        return b""

    def key(self):
        """The repository's signing key: as given in the settings, else the repository's own if it is Docker's."""
        if self.settings.key is not None:
            return self.settings.key.encode()
        url = self.base + "/gpg"
        try:
            key = self.fetch(url)
        except (OSError, http.client.HTTPException) as error:
            raise Problem("{} cannot be read: {}".format(url, error)) from None
        found = openpgp_fingerprint(key)
        if found not in DOCKER_KEYS:
            raise Problem(
                "the key at {} has fingerprint {}, which is not Docker's: give it in engine.key".format(url, found)
            )
        return key

    def add(self, packager):
        """Write key and source unless the administrator has already configured this repository."""
        if self.lacks_authorities():
            packager.refresh()
            packager.patiently([*packager.command("install"), "ca-certificates"])
        key, source, text = self.source()
        others = [name for name in self.machine.glob(os.path.dirname(source) + "/*") if name != source]
        others += ["/etc/apt/sources.list"] if self.apt else []
        if not any(self.base in self.machine.text(name) for name in others):
            self.machine.write(key, self.key())
            self.machine.write(source, (MARK + text).encode())
            if not self.apt:
                self.machine.run(["rpm", "--import", self.machine.path(key)])
        packager.refresh()

    def source(self):
        """The key's path, and path and text of the file that names the repository to the package manager."""
        if self.apt:
            key = "/etc/apt/keyrings/docker.asc"
            architecture = self.machine.run(["dpkg", "--print-architecture"]).strip()
            words = "deb [arch={} signed-by={}] {} {} {}\n"
            text = words.format(architecture, key, self.base, self.codename(), self.settings.channel)
            return key, "/etc/apt/sources.list.d/docker.list", text
        key = "/etc/pki/rpm-gpg/RPM-GPG-KEY-docker"
        lines = "[docker-ce-{0}]\nname=Docker CE {0}\nbaseurl={1}\nenabled=1\ngpgcheck=1\ngpgkey=file://{2}\n"
        text = lines.format(self.settings.channel, self.index()[: -len("/repodata/repomd.xml")], key)
        folder = "/etc/zypp/repos.d" if self.facts.manager == "zypper" else "/etc/yum.repos.d"
        return key, folder + "/docker-ce.repo", text


def openpgp_fingerprint(key):
    """The fingerprint of the first public key in an OpenPGP file, armoured or not (RFC 4880, 6 and 12.2)."""
    if key.lstrip().startswith(b"-----BEGIN PGP"):
        body = key.decode("ascii", "replace").replace("\r", "").split("\n\n", 1)[-1]
        key = base64.b64decode("".join(line for line in body.splitlines() if not line.startswith(("=", "-"))))
    if len(key) < 6 or not key[0] & 0x80:
        return "none"
    if key[0] & 0x40:
        start, length = 2, key[1]
        if 192 <= length < 224:
            start, length = 3, ((length - 192) << 8) + key[2] + 192
        elif length == 255:
            start, length = 6, int.from_bytes(key[2:6], "big")
    else:
        size = 1 << (key[0] & 3)
        start, length = 1 + size, int.from_bytes(key[1 : 1 + size], "big")
    packet = key[start : start + length]
    return hashlib.sha1(b"\x99" + len(packet).to_bytes(2, "big") + packet).hexdigest().upper()  # noqa: S324


# ---------------------------------------------------------------- stage: access


def access(machine, settings, _facts):
    """Let users use the engine without sudo."""
    if not machine.alive:
        return
    for user in settings.users:
        if user not in group_members("docker"):
            machine.change(
                "add the user {} to the group docker".format(user),
                lambda user=user: machine.run(["usermod", "-aG", "docker", user]),
            )


def group_members(group):
    try:
        return grp.getgrnam(group).gr_mem
    except KeyError:
        return []


# ---------------------------------------------------------------- stage: configure


def wanted_daemon(settings, facts):
    """daemon.json as it shall be: what is there, without what we once put there, with what is wanted now."""
    if settings.certs_only:
        return dict(facts.state.get("daemon") or {})
    wanted = dict(settings.daemon)
    if settings.absent:
        return {}
    if settings.live_restore is not None:
        wanted["live-restore"] = settings.live_restore
    elif "live-restore" not in wanted and not facts.swarm:
        wanted["live-restore"] = True
    if settings.disk and "data-root" not in wanted:
        wanted["data-root"] = os.path.join(settings.disk.get("path") or "/srv/docker", "data")
    return wanted


def merged_daemon(settings, facts):
    """Somebody else's entries stay, also within an object such as log-opts; those that we once put there go."""
    wanted = wanted_daemon(settings, facts)
    result = dict(facts.daemon)
    for ours in (facts.state.get("daemon") or {}, facts.state.get("daemon-before") or {}):
        result = {key: without(value, ours[key]) if key in ours else value for key, value in result.items()}
        result = {key: value for key, value in result.items() if value is not None}
    for key, value in wanted.items():
        if isinstance(value, dict) and isinstance(result.get(key), dict):
            value = dict(result[key], **value)
        result[key] = value
    return result


def without(value, ours):
    """What is left of an entry without what we put there; None when nothing is."""
    if isinstance(value, dict) and isinstance(ours, dict):
        return {name: entry for name, entry in value.items() if name not in ours or ours[name] != entry} or None
    return None if value == ours else value


def unit_word(word):
    """A word as systemd's ExecStart wants it: no specifier, no variable, quoted when needed."""
    word = word.replace("\\", "\\\\").replace("%", "%%").replace("$", "$$")
    return '"{}"'.format(word.replace('"', '\\"')) if re.search(r"[\s\"';]", word) or not word else word


def command_line(settings, facts):
    """The words of ExecStart: the packaged command, its hosts and TLS options replaced by ours."""
    packaged = list(facts.command) or [
        "/usr/bin/dockerd",
        "-H",
        "fd://",
        "--containerd=/run/containerd/containerd.sock",
    ]
    words, hosts = [], []
    while packaged:
        word = packaged.pop(0)
        if word in ("-H", "--host") and packaged:
            hosts.append(packaged.pop(0))
        elif re.match(r"-H.|--host=", word):
            hosts.append(re.sub(r"^(-H=?|--host=)", "", word))
        elif re.match(r"--tls(cacert|cert|key)$", word) and packaged:
            packaged.pop(0)
        elif not re.match(r"--tls", word):
            words.append(word)
    local = [host for host in hosts if host.startswith(("fd:", "unix:"))] or ["unix:///var/run/docker.sock"]
    for host in local:
        words += ["-H", host]
    if settings.port:
        words += ["-H", "tcp://0.0.0.0:{}".format(settings.port), "--tlsverify"]
        words += ["--tlscacert=/etc/docker/ca.pem", "--tlscert=/etc/docker/cert.pem", "--tlskey=" + KEY]
    return words + [unit_word(option) for option in settings.options]


def drop_in(settings, facts):
    """The drop-in's text, None when nothing is asked that needs one."""
    lines = []
    if settings.disk:
        lines += ["[Unit]", "RequiresMountsFor=" + (settings.disk.get("path") or "/srv/docker"), ""]
    service = []
    if settings.proxies:
        service.append("EnvironmentFile=-" + PROXY_FILE)
    if settings.port or settings.options:
        service += ["ExecStart=", "ExecStart=" + " ".join(command_line(settings, facts))]
    if service:
        lines += ["[Service]", *service]
    return MARK + "\n".join(lines) + "\n" if lines else None


def proxy_file(settings):
    """Environment file for the daemon, None without proxies; it can hold passwords."""
    names = (("http", "HTTP_PROXY"), ("https", "HTTPS_PROXY"), ("no", "NO_PROXY"))
    lines = ['{}="{}"'.format(name, settings.proxies[key].replace("\\", "\\\\").replace('"', '\\"'))
             for key, name in names if key in settings.proxies]  # fmt: skip
    return MARK + "\n".join(lines) + "\n" if lines else None


def wanted_files(machine, settings, facts):
    """Every file of the engine's configuration: ``path -> (content or None, mode)``."""
    files = {}
    for name, path, mode in (*CERTIFICATES, ("key", KEY, 0o600)):
        if name in settings.certs:
            files[path] = (settings.certs[name], mode)
        elif path in (facts.state.get("files") or {}):
            files[path] = (None, mode)
    if settings.certs_only:
        return files
    daemon = merged_daemon(settings, facts)
    if daemon != facts.daemon:
        text = json.dumps(daemon, indent=2, sort_keys=True) + "\n"
        files[DAEMON_JSON] = (text.encode() if daemon else None, machine.mode(DAEMON_JSON))
    for path, text, mode in ((PROXY_FILE, proxy_file(settings), 0o600), (DROP_IN, drop_in(settings, facts), 0o644)):
        files[path] = (text.encode() if text is not None else None, mode)
    return files


def configure(machine, settings, facts):
    """Write what differs and let the daemon take it over, by reload where that is enough. Undo it if it cannot."""
    files = wanted_files(machine, settings, facts)
    changed = {path: entry for path, entry in files.items() if machine.differs(path, *entry)}
    pending = machine.read(PENDING) is not None
    before = {path: (machine.read(path), machine.mode(path)) for path in changed}
    if changed and not machine.check:
        keep_foreign(machine, facts, before)
        if not settings.absent:
            before[STATE] = (machine.read(STATE), 0o600)
            intend(machine, settings, facts)
        keep_containers(machine, settings, facts)
        machine.write(PENDING, b"")
    for path, (content, mode) in sorted(changed.items()):
        verb = "remove" if content is None else "write"
        machine.change("{} {}".format(verb, path), lambda p=path, c=content, m=mode: machine.write(p, c, m))
    how = transition(machine, settings, facts, changed, pending) if machine.alive else None
    if how and machine.check:
        machine.change("{} the engine".format(how))
    elif how:
        take_over(machine, settings, how, before)
    if not machine.check:
        machine.write(PENDING, None)


def keep_foreign(machine, facts, before):
    """Keep a copy, once, of each file that somebody else made and that is about to be replaced."""
    for path, (content, mode) in before.items():
        copy = path + ".before-docker-host"
        ours = path in (DROP_IN, PROXY_FILE) or path in (facts.state.get("files") or {})
        if path == DAEMON_JSON:
            ours = "daemon" in facts.state
        if content is not None and not ours and machine.read(copy) is None:
            machine.write(copy, content, mode)


def transition(machine, settings, facts, changed, pending):
    """``restart``, ``reload``, ``start`` or None: what the daemon needs to run with the wanted configuration."""
    if not service_active(machine):
        return None if settings.absent else "start"
    if set(changed) - {DAEMON_JSON} or pending:
        return "restart"
    if DAEMON_JSON in changed:
        wanted = merged_daemon(settings, facts)
        keys = {key for key in {*wanted, *facts.daemon} if wanted.get(key) != facts.daemon.get(key)}
        return "reload" if keys <= set(RELOADABLE) else "restart"
    if settings.port and not tls_answers(settings.port, settings.certs["cert"]):
        return "restart"
    return None


def keep_containers(machine, settings, facts):
    """Before the first restart, tell the running daemon to leave its containers alone."""
    running = facts.info.get("ContainersRunning") or 0
    if not running or facts.info.get("LiveRestoreEnabled") or not wanted_daemon(settings, facts).get("live-restore"):
        return
    present = dict(facts.daemon)
    present["live-restore"] = True
    machine.write(DAEMON_JSON, (json.dumps(present, indent=2, sort_keys=True) + "\n").encode())
    machine.run(["systemctl", "reload", "docker"])
    for _attempt in range(20):
        if (ask_engine("/info") or {}).get("LiveRestoreEnabled"):
            machine.log("live-restore is on: {} running containers stay up".format(running))
            return
        time.sleep(0.5)
    machine.notes.append("live-restore could not be switched on before the restart: containers were restarted")


def take_over(machine, settings, how, before):
    """Give the daemon its new configuration and wait until it answers, by socket and by port."""
    try:
        validate(machine, settings)
    except Problem as problem:
        restore(machine, before)
        problem.text += "; nothing was restarted and the last configuration is back"
        raise
    machine.change("{} the engine".format(how))
    machine.run(["systemctl", "daemon-reload"])
    if machine.run(["systemctl", "is-enabled", "docker"], ok=None).strip() != "enabled":
        machine.run(["systemctl", "enable", "docker"], ok=None)
    machine.run(["systemctl", "reset-failed", "docker"], ok=None)
    try:
        stay_mounted(machine, settings)
        machine.run(["systemctl", how, "docker"], timeout=300)
        wait_for_engine(machine, settings)
    except Problem as problem:
        why = journal(machine)
        text = "the engine does not {}: {}; {}".format(how, problem.text, undo(machine, before))
        raise Problem(text, why) from None


def validate(machine, settings):
    """Let the daemon itself check configuration and options, where its version can (23.0 and later)."""
    if machine.read(DAEMON_JSON) is None:
        return
    output = machine.run(["dockerd", "--validate", "--config-file=" + DAEMON_JSON, *settings.options], ok=None)
    if "unknown flag: --validate" not in output and "configuration OK" not in output:
        raise Problem("the daemon refuses its settings", machine.tail(output))


def wait_for_engine(machine, settings, limit=90):
    deadline = time.monotonic() + limit
    while True:
        socket_up = ask_engine("/_ping") is not None
        if socket_up and (not settings.port or tls_answers(settings.port, settings.certs["cert"])):
            return
        if time.monotonic() > deadline:
            missing = "port {} with our certificate".format(settings.port) if socket_up else SOCKET
            raise Problem("it does not answer on {} after {} s".format(missing, limit))
        if machine.run(["systemctl", "is-active", "docker"], ok=None).strip() == "failed":
            raise Problem("its service has failed")
        time.sleep(0.3)


def tls_answers(port, certificate):
    """Tell whether whoever listens on the port shows exactly this certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # the certificate itself is compared below
    try:
        plain = socket.create_connection(("127.0.0.1", port), timeout=20)
    except OSError:
        return False
    with plain:
        try:
            with context.wrap_socket(plain) as secure:
                shown = secure.getpeercert(binary_form=True)
        except ssl.SSLError as error:
            # TLS 1.2, on old systems: the daemon refuses us for our missing certificate before we see its own.
            return "ALERT" in (error.reason or "")
        except OSError:
            return False
    return [sha256(shown)] == fingerprints(certificate)[:1]


def journal(machine):
    """What the daemon said when it was last started."""
    output = machine.run(["journalctl", "-u", "docker", "-n", "40", "--no-pager", "-o", "cat"], ok=None)
    return machine.tail(output.rpartition("\nStarting ")[2], 900)


def restore(machine, before):
    for path, (content, mode) in before.items():
        machine.write(path, content, mode)
    machine.write(PENDING, None)


def undo(machine, before):
    """Bring back the last configuration and let the daemon run with it; tells how that went."""
    machine.change("bring back the last configuration", lambda: restore(machine, before))
    machine.run(["systemctl", "daemon-reload"], ok=None)
    machine.run(["systemctl", "reset-failed", "docker"], ok=None)
    machine.run(["systemctl", "restart", "docker"], ok=None, timeout=300)
    if service_active(machine):
        return "the last configuration is back and running"
    return "the last configuration is back, but does not start either"


# ---------------------------------------------------------------- stage: firewall


def firewall(machine, settings, facts):
    """Open the port in the machine's own firewall, once the engine listens on it, and close what was open before."""
    if not machine.alive:
        return
    if settings.port:
        set_port(machine, settings.port, True)
    for port in sorted(open_ports(facts.state) - {settings.port}):
        set_port(machine, port, False)


def open_ports(state):
    """The ports that earlier runs have opened; more than one after a run that did not end well."""
    return {port for port in [state.get("port"), *(state.get("ports") or [])] if port}


def set_port(machine, port, wanted):
    """Open or close the port in firewalld or ufw, if one of them is active."""
    rule = "{}/tcp".format(port)
    verb = "open" if wanted else "close"
    if machine.has("firewall-cmd") and machine.run(["firewall-cmd", "--state"], ok=None).strip() == "running":
        if (rule in machine.run(["firewall-cmd", "--list-ports"], ok=None).split()) != wanted:
            option = "--{}-port={}".format("add" if wanted else "remove", rule)

            def act():
                machine.run(["firewall-cmd", "--permanent", option])
                machine.run(["firewall-cmd", option])

            machine.change("{} port {} in firewalld".format(verb, rule), act)
    elif machine.has("ufw"):
        status = machine.run(["ufw", "status"], ok=None)
        if "Status: active" in status and bool(re.search(r"^{}\s".format(rule), status, re.MULTILINE)) != wanted:
            words = ["ufw", "allow", rule] if wanted else ["ufw", "delete", "allow", rule]
            machine.change("{} port {} in ufw".format(verb, rule), lambda: machine.run(words))


# ---------------------------------------------------------------- stage: registries

LOGIN_FILE = "/root/.docker/config.json"
HUB = "https://index.docker.io/v1/"


def registries(machine, settings, facts):
    """Log in to the wanted registries, and out of those that we once logged in to and that are no longer wanted."""
    present = load_json(machine, LOGIN_FILE, {}).get("auths") or {}
    wanted = {login.get("server") or HUB: login for login in settings.logins}
    for server, login in wanted.items():
        if login.get("ca"):
            path = "/etc/docker/certs.d/{}/ca.crt".format(server)
            content = login["ca"].encode()
            if machine.differs(path, content, 0o644):
                machine.change("trust the CA of {}".format(server), lambda p=path, c=content: machine.write(p, c))
        token = base64.b64encode("{}:{}".format(login["username"], login["password"]).encode()).decode()
        if machine.alive and (present.get(server) or {}).get("auth") != token:
            machine.change("log in to {} as {}".format(server, login["username"]),
                           lambda s=server, entry=login: log_in(machine, s, entry))  # fmt: skip
    for server in set(facts.state.get("logins") or []) - set(wanted):
        if machine.alive and server in present:
            machine.change("log out of {}".format(server), lambda s=server: machine.run(["docker", "logout", s]))


def log_in(machine, server, login, attempts=3):
    words = ["docker", "login", "--username", login["username"], "--password-stdin"]
    for attempt in range(1, attempts + 1):
        try:
            machine.run([*words, *([] if server == HUB else [server])], stdin=login["password"], timeout=120)
            return
        except Problem as problem:
            if attempt == attempts or re.search("unauthorized|denied|incorrect|401", problem.detail, re.IGNORECASE):
                raise Problem("the login to {} failed".format(server), problem.detail) from None
            time.sleep(5 * attempt)


# ---------------------------------------------------------------- stage: compose


def compose(machine, settings, facts):
    """Bring the wanted projects up; take those down that are no longer wanted, if that was asked for."""
    known = facts.state.get("projects") or []
    gone = [name for name in known if name not in settings.projects]
    if settings.projects and machine.alive and not machine.check:
        version = machine.run(["docker", "compose", "version"], ok=None)
        if "Docker Compose" not in version:
            raise Problem(
                "compose projects are wanted, but {} has no docker compose of version 2 (installed engine: {}); "
                "use engine.source docker".format(facts.name, facts.package)
            )
    for name, project in settings.projects.items():
        bring_up(machine, name, project)
    for name in gone if settings.purge else ():
        machine.change("take down the compose project {}".format(name), lambda name=name: take_down(machine, name))


def bring_up(machine, name, project):
    folder = "{}/{}".format(COMPOSE_DIR, name)
    variables = dict(project["environment"], **project["secrets"])
    files = {
        compose_file(name): project["file"].encode(),
        folder + "/.env": "".join(env_line(*item) for item in sorted(variables.items())).encode(),
    }
    changed = [path for path, content in files.items() if machine.differs(path, content, 0o600)]
    if not changed and (not machine.alive or is_up(name)):
        return

    def act():
        if machine.alive:
            with tempfile.TemporaryDirectory() as directory:
                for path, content in files.items():
                    machine.write(os.path.join(directory, os.path.basename(path)), content, 0o600)
                command = compose_command(name, directory)
                try:
                    machine.run([*command, "config", "--quiet"])
                except Problem as problem:
                    raise Problem("compose project {} is not valid".format(name), problem.detail) from None
        for path in changed:
            machine.write(path, files[path], 0o600)
        if machine.alive:
            try:
                machine.run(
                    [*compose_command(name, machine.path(folder)), "up", "--detach", "--remove-orphans"], timeout=3000
                )
            except Problem as problem:
                raise Problem(
                    "compose project {} did not come up: {}".format(name, problem.text), problem.detail
                ) from None

    machine.change("bring up the compose project {}".format(name), act)


def compose_file(name):
    return "{}/{}/compose.yaml".format(COMPOSE_DIR, name)


def compose_command(name, folder):
    return ["docker", "compose", "--project-name", name, "--project-directory", folder,
            "--file", folder + "/compose.yaml", "--env-file", folder + "/.env"]  # fmt: skip


def env_line(key, value):
    """One line of compose's .env file, with nothing left to interpolate."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$").replace("\n", "\\n")
    return '{}="{}"\n'.format(key, escaped)


def is_up(project):
    """Tell whether the project's containers exist and each of them runs or has ended well."""
    # Without what somebody started with `docker compose run`.
    labels = ["com.docker.compose.project=" + project, "com.docker.compose.oneoff=False"]
    query = urllib.request.quote(json.dumps({"label": labels}))
    containers = ask_engine("/containers/json?all=1&filters=" + query) or []
    return bool(containers) and all(
        one.get("State") == "running" or "Exited (0)" in one.get("Status", "") for one in containers
    )


def take_down(machine, name):
    folder = "{}/{}".format(COMPOSE_DIR, name)
    if machine.alive and machine.read(folder + "/compose.yaml") is not None:
        machine.run([*compose_command(name, folder), "down", "--remove-orphans"], timeout=900)
    shutil.rmtree(machine.path(folder), ignore_errors=True)


# ---------------------------------------------------------------- absent


def remove_all(machine, settings, facts):
    """Take away what we configured; the engine and its data only when that was asked for."""
    machine.stage = "compose"
    for name in facts.state.get("projects") or []:
        machine.change("take down the compose project {}".format(name), lambda name=name: take_down(machine, name))
    machine.stage = "registries"
    registries(machine, settings, facts)
    root = facts.info.get("DockerRootDir") or facts.daemon.get("data-root") or "/var/lib/docker"
    machine.stage = "configure"
    if facts.installed and "engine" not in settings.remove and facts.state:
        configure(machine, settings, facts)
    elif facts.state:
        files = wanted_files(machine, settings, facts)
        for path, (content, mode) in sorted(files.items()):
            if machine.differs(path, content, mode):
                verb = "remove" if content is None else "write"
                machine.change("{} {}".format(verb, path), lambda p=path, c=content, m=mode: machine.write(p, c, m))
    machine.stage = "firewall"
    firewall(machine, settings, facts)
    machine.stage = "remove"
    if machine.alive and "engine" in settings.remove and facts.package:

        def purge():
            machine.run(["systemctl", "stop", "docker.socket", "docker"], ok=None, timeout=300)
            Packager(machine, settings, facts).purge()

        machine.change("remove the engine {}".format(facts.package), purge)
    if "data" in settings.remove:
        remove_data(machine, root)
    if machine.read(STATE) is not None:
        machine.change("forget this host's record", lambda: machine.write(STATE, None))


def remove_data(machine, root):
    """Remove containers, images and volumes; an engine that ran runs again afterwards, empty."""
    folders = [folder for folder in (root, "/var/lib/containerd") if os.path.isdir(machine.path(folder))]
    running = bool(folders) and machine.alive and service_active(machine)
    if running and not machine.check:
        machine.run(["systemctl", "stop", "docker.socket", "docker", "containerd"], ok=None, timeout=300)
    for folder in folders:
        machine.change("remove {}".format(folder), lambda f=folder: shutil.rmtree(machine.path(f), ignore_errors=True))
    if running and not machine.check:
        machine.run(["systemctl", "start", "containerd", "docker.socket", "docker"], ok=None, timeout=300)


# ---------------------------------------------------------------- verify


def verify(machine, state):
    """Compare the machine with the record of the last run; returns what is no longer so."""
    found = ["the last run did not end well"] if state.get("unfinished") else []
    for path, digest in sorted((state.get("files") or {}).items()):
        content = machine.read(path)
        if content is None:
            found.append("{} is gone".format(path))
        elif sha256(content) != digest:
            found.append("{} was changed".format(path))
    daemon = load_json(machine, DAEMON_JSON, {})
    for key, value in sorted((state.get("daemon") or {}).items()):
        present = daemon.get(key)
        if isinstance(value, dict) and isinstance(present, dict):
            present = {name: present.get(name) for name in value}
        if present != value:
            found.append("{} no longer has our {}".format(DAEMON_JSON, key))
    if machine.alive:
        found += verify_engine(machine, state)
    return found


def verify_engine(machine, state):
    if not service_active(machine):
        return ["the engine is not running"]
    found = []
    if ask_engine("/_ping") is None:
        found.append("the engine does not answer on {}".format(SOCKET))
    if state.get("disk") and not os.path.ismount(state["disk"]):
        found.append("the data disk is not mounted at {}".format(state["disk"]))
    certificate = machine.read(CERTIFICATES[1][1])
    if state.get("port") and not (certificate and tls_answers(state["port"], certificate)):
        found.append("port {} does not answer with our certificate".format(state["port"]))
    if machine.read(PENDING) is not None:
        found.append("a restart is pending")
    # Those that are no longer wanted are left alone, also by whoever took them down.
    wanted = [name for name in state.get("projects") or [] if compose_file(name) in state.get("files", {})]
    return found + ["the compose project {} is not up".format(name) for name in wanted if not is_up(name)]


def certificate_files(state):
    """The record's files that hold certificates and key, with their hashes."""
    paths = {KEY, *(entry[1] for entry in CERTIFICATES)}
    return {path: digest for path, digest in (state.get("files") or {}).items() if path in paths}


def just_pushed(settings, state):
    """The part of the record that this run answers for."""
    if not settings.certs_only:
        return state
    return {"port": state["port"], "files": certificate_files(state)}


def new_record(machine, settings, facts):
    """What a run that ends well leaves as its record: hashes only, no secret."""
    files = {path: content for path, (content, _mode) in wanted_files(machine, settings, facts).items()}
    files.pop(DAEMON_JSON, None)
    for name, project in settings.projects.items():
        files[compose_file(name)] = project["file"].encode()
    hashes = {path: sha256(content) for path, content in files.items() if content is not None}
    trusted = fingerprints(settings.certs["ca"]) if settings.certs else []
    if settings.certs_only:
        files = dict(facts.state.get("files") or {}, **hashes)
        return dict(facts.state, digest=settings.digest, ca=trusted, files=files)
    known = [name for name in facts.state.get("projects") or [] if name not in settings.projects and not settings.purge]
    return {
        "format": FORMAT,
        "digest": settings.digest,
        "port": settings.port,
        "disk": settings.disk and settings.disk.get("path", "/srv/docker"),
        "ca": trusted,
        "files": hashes,
        "daemon": wanted_daemon(settings, facts),
        "projects": sorted([*settings.projects, *known]),
        "logins": sorted(login.get("server") or HUB for login in settings.logins),
    }


def intend(machine, settings, facts):
    """Note what will be ours before the first file is written: a run that is cut short leaves nothing to nobody."""
    before, state = facts.state, unfinished(new_record(machine, settings, facts), facts)
    state["ca"] = sorted({*(before.get("ca") or []), *state["ca"]})
    state["files"] = dict(before.get("files") or {}, **state["files"])
    state["daemon-before"] = before.get("daemon") or {}
    save(machine, state)


def unfinished(state, facts):
    """A record in the middle of a run: what later stages take away is still there, and what they make may be."""
    for key in ("projects", "logins"):
        state[key] = sorted({*(state.get(key) or []), *(facts.state.get(key) or [])})
    return dict(state, unfinished=True, ports=sorted(open_ports(facts.state)))


def record(machine, settings, facts, ended):
    """Leave the record of this run."""
    state = new_record(machine, settings, facts)
    if not ended and state != facts.state:
        save(machine, unfinished(state, facts))
    elif ended:
        save(machine, state)


def save(machine, state):
    content = (json.dumps(state, indent=2, sort_keys=True) + "\n").encode()
    if machine.differs(STATE, content, 0o600):
        machine.write(STATE, content, 0o600)


# ---------------------------------------------------------------- the run

STAGES = (
    ("disk", data_disk),
    ("install", install),
    ("access", access),
    ("configure", configure),
    ("firewall", firewall),
    ("registries", registries),
    ("compose", compose),
)


@contextlib.contextmanager
def alone(machine):
    """Wait for another run of this program on the same machine."""
    if machine.check:
        yield
        return
    path = machine.path(HOME + "/lock")
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    with open(path, "w", encoding="ascii") as file:
        deadline = time.monotonic() + LOCK_WAIT
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise Problem("another run of this program has not ended for {} s".format(LOCK_WAIT)) from None
                time.sleep(1)
        yield


def apply(machine, settings):
    """The whole story for settings; returns what the result line shall say."""
    machine.secrets = settings.secrets()
    for name, value in settings.proxies.items():
        machine.environment.update({name + "_proxy": value, name.upper() + "_PROXY": value})
    with alone(machine):
        facts = Facts(machine)
        if settings.absent:
            remove_all(machine, settings, facts)
            return {"engine": {"installed": installed_engine(machine, facts.manager)[0] is not None}}
        machine.stage = "refuse"
        if settings.certs_only:
            keep_settings(settings, facts.state)
        refuse(machine, settings, facts)
        for name, stage in (("configure", configure),) if settings.certs_only else STAGES:
            machine.stage = name
            stage(machine, settings, facts)
            if name == "configure" and not machine.check:
                record(machine, settings, facts, ended=False)
        machine.stage = "verify"
        if not machine.check:
            record(machine, settings, facts, ended=True)
            left = verify(machine, just_pushed(settings, load_json(machine, STATE, {})))
            if left:
                raise Problem("after the run: " + "; ".join(left))
        return {"engine": describe_engine(machine, facts), "port": settings.port}


def ssh_host_keys(machine):
    """The machine's public SSH host keys, each as type and base64: with them a client knows whom it talks to."""
    lines = [machine.text(name).split() for name in machine.glob("/etc/ssh/ssh_host_*_key.pub")]
    return [" ".join(words[:2]) for words in lines if len(words) > 1]


def describe_engine(machine, facts):
    engine = {"installed": facts.installed, "package": facts.package, "source": facts.source, "running": False}
    engine["ssh_host_keys"] = ssh_host_keys(machine)
    if machine.alive and facts.installed and not (machine.check and not service_active(machine)):
        info, version = ask_engine("/info", 30) or {}, ask_engine("/version") or {}
        engine.update(
            version=version.get("Version"),
            api_version=version.get("ApiVersion"),
            data_root=info.get("DockerRootDir"),
            live_restore=info.get("LiveRestoreEnabled"),
            containers_running=info.get("ContainersRunning"),
            running=bool(version),
        )
    return engine


def result_line(result):
    """One line of JSON that fits into what the agent hands on (4 KiB): the lists and texts give way."""
    for limit in (40, 12, 4, 1):
        shown = dict(result)
        for key in ("changes", "differences", "notes"):
            entries = shown.get(key) or []
            if len(entries) > limit:
                shown[key] = [*entries[:limit], "and {} more".format(len(entries) - limit)]
        shown["detail"] = tail(shown.get("detail"), limit * 40)
        if not shown["detail"]:
            del shown["detail"]
        line = json.dumps(shown, sort_keys=True)
        if len(line) <= LINE_LIMIT:
            return line
    shown = {key: result.get(key) for key in ("docker_setup", "ok", "stage", "digest", "push", "log")}
    return json.dumps(dict(shown, error=str(result.get("error"))[:500]), sort_keys=True)


def parse_arguments(argv):
    parser = argparse.ArgumentParser(description="Set up a Docker engine on this machine.")
    parser.add_argument("--settings", metavar="FILE", help="the settings, a JSON object")
    parser.add_argument("--check", action="store_true", help="say what would be changed and change nothing")
    parser.add_argument("--verify", action="store_true", help="compare the machine with the last run's record")
    parser.add_argument("--root", default=os.environ.get("DOCKER_SETUP_ROOT") or "/", help="configure the tree below")
    parser.add_argument("--forget", metavar="FILE", help="remove this file as soon as the settings are read")
    options = parser.parse_args(argv)
    if bool(options.settings) == options.verify:
        parser.error("give either --settings FILE or --verify")
    return options


def run(options, machine):
    """Do what the options ask; returns the result, whose ``ok`` tells how it ended."""
    result = {"docker_setup": FORMAT, "ok": False, "log": LOG}
    if not machine.alive:
        result["root"] = machine.root
    try:
        if options.verify:
            state = load_json(machine, STATE, {})
            found = verify(machine, state) if state else ["this program has left no record on this machine"]
            result.update(ok=True, verify=True, digest=state.get("digest", ""), differences=found)
            return result
        try:
            document = read_settings(options.settings)
        finally:
            if options.forget:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(options.forget)
        if isinstance(document, dict):
            result.update(digest=document.get("digest") or "", push=document.get("push") or "")
        result.update(apply(machine, Settings(document)), ok=True)
        if machine.check:
            result["check"] = True
    except Problem as problem:
        machine.log("failed: {}\n{}".format(problem.text, problem.detail))
        result.update(error=machine.redact(problem.text), detail=machine.redact(problem.detail))
    except Exception as error:  # noqa: BLE001  the result line is the contract, whatever happens
        machine.log("failed:\n" + traceback.format_exc())
        result.update(error=machine.redact("{}: {}".format(type(error).__name__, error)))
    result.update(stage=machine.stage, changes=machine.changes)
    if machine.notes:
        result["notes"] = machine.notes
    return result


def main(argv=None):
    """Run as a program; returns the exit code."""
    os.umask(0o022)
    options = parse_arguments(argv)
    machine = Machine(options.root, check=options.check or options.verify)
    result = run(options, machine)
    if not result["ok"] and result.get("detail"):
        print(result["detail"], flush=True)
    print(result_line(result), flush=True)
    return 0 if result["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
