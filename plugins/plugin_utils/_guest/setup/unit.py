# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The engine's systemd unit: the packaged command, and the drop-in that replaces its hosts and TLS options."""

import os
import re

from .paths import DROP_IN, KEY, MARK, OLD_DROP_IN, PROXY_FILE

UNIT_DIRS = ("/etc", "/run", "/usr/local/lib", "/usr/lib", "/lib")


def unit_file(machine, unit):
    """Return the file of a unit that systemd reads; empty when there is none."""
    files = ("{}/systemd/system/{}".format(folder, unit) for folder in UNIT_DIRS)
    return next((name for name in files if machine.read(name)), "")


def foreign_drop_ins(machine):
    """Return the files of the engine's drop-ins without ours, in systemd's order: by name, whatever the folder."""
    found = {}
    for folder in reversed(UNIT_DIRS):
        names = machine.glob(folder + "/systemd/system/docker.service.d/*.conf")
        found.update({os.path.basename(name): name for name in names})
    ours = [DROP_IN, *([OLD_DROP_IN] if machine.text(OLD_DROP_IN).startswith(MARK) else [])]
    return [name for _base, name in sorted(found.items()) if name not in ours]


def commands(text):
    """Return the values of ``ExecStart=`` in a unit or drop-in; an empty one takes back what was read before."""
    values = re.findall(r"^[ \t]*ExecStart[ \t]*=(.*)$", text.replace("\\\n", " "), re.MULTILINE)
    return [value.strip() for value in values]


def exec_start(machine):
    """Return the words of the engine's ``ExecStart=`` without our drop-in; empty when there is no such unit."""
    unit = unit_file(machine, "docker.service")
    if not unit:
        return []
    found = [command for name in [unit, *foreign_drop_ins(machine)] for command in commands(machine.text(name))]
    return found[-1].split() if found else []


def is_daemon(command):
    """Return whether the words of an ``ExecStart=`` start Docker's daemon itself: options can be added to it."""
    programs = [os.path.basename(word.lstrip("-@:+!")) for word in command if not word.startswith("--")]
    daemon = any("dockerd" in name for name in programs[:3]) or programs[:2] == ["docker", "daemon"]
    return daemon and not re.match(r"\w*sh$", programs[0])


def masks(machine, unit):
    """Return the file or link that keeps a unit from starting (systemd.unit(5)); empty without one."""
    for folder in ("/etc", "/run"):
        path = "{}/systemd/system/{}".format(folder, unit)
        place = machine.path(path)
        if os.path.islink(place) and os.path.realpath(place) == "/dev/null":
            return path
        if os.path.isfile(place) and not os.path.getsize(place):
            return path
    return ""


def later_drop_in(machine):
    """Return the file of a drop-in that systemd reads after ours and that sets the engine's command; empty: none."""
    ours = os.path.basename(DROP_IN)
    later = [name for name in foreign_drop_ins(machine) if os.path.basename(name) > ours]
    return next((name for name in later if commands(machine.text(name))), "")


def unit_word(word):
    """Return a word as ExecStart needs it: without specifiers and variables, quoted if necessary."""
    word = word.replace("\\", "\\\\").replace("%", "%%").replace("$", "$$")
    return '"{}"'.format(word.replace('"', '\\"')) if re.search(r"[\s\"';]", word) or not word else word


def command_line(settings, facts):
    """Return the words of ExecStart: the packaged command, with its hosts and TLS options replaced."""
    packaged = list(facts.command) or [
        "/usr/bin/dockerd",
        "-H",
        "fd://",
        "--containerd=/run/containerd/containerd.sock",
    ]
    words, hosts = [], []
    while packaged:
        word = packaged.pop(0)
        host = re.match(r"(?P<debug>-D*)H=?(?P<value>.*)$|--host(=(?P<long>.*))?$", word)
        if host:
            words += ["-D"] if (host.group("debug") or "-") != "-" else []
            value = host.group("value") or host.group("long")
            hosts.append(value if value or not packaged else packaged.pop(0))
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
    """Return the drop-in's text, None if the settings need none."""
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
    """Return the daemon's environment file, None without proxies; it can hold passwords."""
    names = (("http", "HTTP_PROXY"), ("https", "HTTPS_PROXY"), ("no", "NO_PROXY"))
    lines = ['{}="{}"'.format(name, settings.proxies[key].replace("\\", "\\\\").replace('"', '\\"'))
             for key, name in names if key in settings.proxies]  # fmt: skip
    return MARK + "\n".join(lines) + "\n" if lines else None
