# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The proxy for the program's own downloads: the one of the settings, else the package manager's own."""

import configparser
import ipaddress
import re
import subprocess
import urllib.parse
import urllib.request


def proxy_handler(machine, settings, manager, url):
    """Return what urllib needs to open the URL as the package manager does, or None for the process's environment."""
    if settings.proxies:
        proxies, bypass = settings.proxies, settings.proxies.get("no", "")
    else:
        proxies, bypass = machine_proxies(machine, manager, url)
        machine.secrets += [value for value in proxies.values() if value and "@" in value]
    proxies = {kind: proxies[kind] for kind in ("http", "https") if proxies.get(kind)}
    if not proxies:
        return None
    target = urllib.parse.urlsplit(url)
    if bypasses(target.hostname or "", bypass, target.port or (443 if target.scheme == "https" else 80)):
        proxies = {}
    return urllib.request.ProxyHandler(proxies)


def bypasses(host, no_proxy, port):
    """Return whether the list of exceptions names this host, its domain, or the network of its address.

    The forms are those that Docker takes in NO_PROXY: ``example.com``, ``.example.com``, ``*.example.com``,
    ``10.0.0.0/8``, ``[fd00::1]``, ``*``. A port limits an entry to it. Blanks separate entries too, as for curl.
    """
    for entry in re.split(r"[,\s]+", no_proxy.strip().lower()):
        entry = re.sub(r"^(\[.*\]|[^:]*):{}$".format(port), r"\1", entry).strip("[]")
        name = re.sub(r"^\*?\.", "", entry).rstrip(".")
        if entry == "*" or (name and (host == name or host.endswith("." + name))):
            return True
        try:
            if ipaddress.ip_address(host) in ipaddress.ip_network(entry, strict=False):
                return True
        except ValueError:
            continue
    return False


def machine_proxies(machine, manager, url):
    """Return the proxies by scheme and the exceptions that the machine's package manager is configured with."""
    if manager == "apt":
        return apt_proxies(machine, url)
    if manager in ("dnf", "yum"):
        return dnf_proxies(machine), ""
    if manager == "zypper":
        return sysconfig_proxies(machine)
    return {}, ""


def apt_proxies(machine, url):
    """Read apt.conf's ``Acquire::http::Proxy``, which https uses too unless it has its own; a host can have another."""
    if not machine.has("apt-config"):
        return {}, ""
    host = urllib.parse.urlsplit(url).hostname or ""
    output = machine.run(["apt-config", "dump", "Acquire"], ok=None)
    entries = {name.lower(): value for name, value in re.findall(r'^(\S+) "(.*)";$', output, re.MULTILINE)}

    def proxy(kind):
        general = entries.get("acquire::{}::proxy".format(kind), "")
        return entries.get("acquire::{}::proxy::{}".format(kind, host), general)

    found = {"http": proxy("http"), "https": proxy("https") or proxy("http")}
    detect = entries.get("acquire::http::proxy-auto-detect") or entries.get("acquire::http::proxyautodetect")
    if detect and not any(found.values()):
        # As apt does, which runs it with the address (apt.conf(5)) and believes the first line.
        said = machine.run([detect, url], ok=None, errors=subprocess.DEVNULL).strip().split("\n")[0].strip()
        found = {"http": said, "https": said}
    return {kind: value for kind, value in found.items() if value and value != "DIRECT"}, ""


def dnf_proxies(machine):
    """Read the section ``main`` of dnf.conf or yum.conf."""
    text = machine.text("/etc/dnf/dnf.conf") or machine.text("/etc/yum.conf")
    main = read_ini(text).get("main", {})
    url = main.get("proxy", "")
    if not url or url.lower() in ("_none_", "none"):
        return {}
    url = url if "://" in url else "http://" + url  # as libcurl takes it
    if main.get("proxy_username"):
        words = (urllib.parse.quote(main.get(name, ""), safe="") for name in ("proxy_username", "proxy_password"))
        url = url.replace("://", "://{}:{}@".format(*words), 1)
    return {"http": url, "https": url}


def sysconfig_proxies(machine):
    """Read SUSE's /etc/sysconfig/proxy."""
    lines = re.findall(r"^(\w+)=[\"']?([^\"'\n]*)", machine.text("/etc/sysconfig/proxy"), re.MULTILINE)
    values = dict(lines)
    if values.get("PROXY_ENABLED") != "yes":
        return {}, ""
    return {"http": values.get("HTTP_PROXY"), "https": values.get("HTTPS_PROXY")}, values.get("NO_PROXY", "")


def read_ini(text):
    """Return the sections of an ini file; what cannot be read as one has none."""
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(text)
    except configparser.Error:
        return {}
    return {name: dict(parser[name]) for name in parser.sections()}
