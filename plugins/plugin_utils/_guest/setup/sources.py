# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where package managers are told about repositories, by the administrator or by us, and which of it is in force."""

import fnmatch
import re
import urllib.parse

from .openpgp import pgp_fingerprints
from .proxies import read_ini

# Apt reads these words as no: StringToBool in apt-pkg/contrib/strutl.cc.
APT_FALSE = ("no", "false", "without", "off", "disable", "0")
# dnf5 keeps what "dnf config-manager setopt" sets for a repository beside the repository's own file (dnf5.conf(5)).
OVERRIDES = ("/usr/share/dnf5/repos.override.d/*.repo", "/etc/dnf/repos.override.d/*.repo")


def same_address(address):
    """Return an address in one spelling: lower case for the host, no user, no default port, no superfluous slash."""
    try:
        parts = urllib.parse.urlsplit(address)
    except ValueError:  # somebody's damaged entry
        return address
    host = parts.netloc.rpartition("@")[2].lower()
    host = re.sub({"http": ":80$", "https": ":443$"}.get(parts.scheme, "$"), "", host).rstrip(".")
    return "{}://{}{}".format(parts.scheme, host, re.sub("/+", "/", parts.path).rstrip("/"))


class AptEntry:
    """One URI of an active entry: its file, whether it has packages to install, and its options in deb822's names."""

    def __init__(self, path, types, uri, suites, components, options):
        self.path = path
        self.uri = same_address(uri)
        self.suites = suites
        self.components = components
        self.has_packages = "deb" in types
        self.architectures = [word for value in options.get("architectures", []) for word in value.split(",")]
        self.signed_by = options.get("signed-by", [])

    def serves(self, architecture):
        """Return whether packages of this architecture are taken from the entry."""
        return self.has_packages and (not self.architectures or architecture in self.architectures)


def apt_entries(machine):
    """Yield each active entry (sources.list(5): files with other endings are ignored)."""
    for path in ["/etc/apt/sources.list", *machine.glob("/etc/apt/sources.list.d/*.list")]:
        for line in machine.text(path).splitlines():
            found = re.match(r"\s*(deb|deb-src)\s+(?:\[([^]]*)\])?\s*(\S+)\s+(\S+)(.*)", line.partition("#")[0])
            if found:
                options = dict(re.findall(r"([\w-]+)[-+]?=(\S+)", found.group(2) or ""))
                options = {{"arch": "architectures"}.get(name, name): [value] for name, value in options.items()}
                words = found.group(5).split()
                yield AptEntry(path, [found.group(1)], found.group(3), [found.group(4)], words, options)
    for path in machine.glob("/etc/apt/sources.list.d/*.sources"):
        for fields in deb822(machine.text(path)):
            enabled = fields.get("enabled", ["yes"])[0].lower() not in APT_FALSE
            for uri in fields.get("uris", []) if enabled else []:
                types, suites = fields.get("types", []), fields.get("suites", [])
                yield AptEntry(path, types, uri, suites, fields.get("components", []), fields)


def apt_keys(machine, signed_by):
    """Return the fingerprints of an entry's keys: files, fingerprints or a key itself; without these, apt's own."""
    words = [word for value in signed_by for word in value.split(",")]
    if words[:1] == ["-----BEGIN"]:  # in deb822, where a dot stands for an empty line
        return pgp_fingerprints(inline_key(words).encode())
    trusted = [path for end in ("asc", "gpg") for path in machine.glob("/etc/apt/trusted.gpg.d/*." + end)]
    files = [word for word in words or ["/etc/apt/trusted.gpg", *trusted] if word.startswith("/")]
    found = {word.rstrip("!").upper() for word in words if re.match(r"[0-9A-Fa-f]{40}!?$", word)}
    return found.union(*(pgp_fingerprints(machine.read(path) or b"") for path in files))


def inline_key(words):
    """Return an armoured key from its words in a field."""
    text = " ".join(words)
    found = re.match(r"(-----BEGIN [A-Z ]+-----) (?:.* )?\. (.*) (-----END [A-Z ]+-----)$", text)
    return "{}\n\n{}\n{}\n".format(found.group(1), found.group(2).replace(" ", "\n"), found.group(3)) if found else ""


def rpm_keys(machine, addresses):
    """Return the fingerprints of a repository's keys if all are files of this machine; else none."""
    if not all(address.startswith("file:///") for address in addresses):
        return set()
    return set().union(*(pgp_fingerprints(machine.read(address[len("file://") :]) or b"") for address in addresses))


def deb822(text):
    """Yield the words of each field of each stanza, by the field's name in lower case; lines can be continued."""
    text = re.sub(r"^#.*\n", "", text, flags=re.MULTILINE)
    for stanza in re.split(r"\n\s*\n", re.sub(r"\n[ \t]+(?=\S)", " ", text)):
        fields = re.findall(r"^([\w-]+):(.*)$", stanza, re.MULTILINE)
        yield {name.lower(): value.split() or [""] for name, value in fields}


def rpm_entries(machine, folder):
    """Yield file, address and the addresses of keys of each repository that is enabled below the folder."""
    overrides = [read_ini(machine.text(path)) for pattern in OVERRIDES for path in machine.glob(pattern)]
    for path in machine.glob(folder + "/*.repo"):
        for name, section in read_ini(machine.text(path)).items():
            section = overridden(name, section, overrides)
            if section.get("enabled", "1").strip().lower() not in ("0", "no", "false", "off"):
                for key in ("baseurl", "mirrorlist", "metalink"):
                    for address in section.get(key, "").split():
                        yield path, same_address(address), section.get("gpgkey", "").split()


def overridden(name, section, overrides):
    """Return the options of a repository with those that override them; a section's name can have wildcards."""
    result = dict(section)
    for file in overrides:
        for pattern, options in file.items():
            if fnmatch.fnmatchcase(name, pattern):
                result.update(options)
    return result
