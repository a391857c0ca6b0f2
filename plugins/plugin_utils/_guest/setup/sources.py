# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where package managers are told about repositories, by the administrator or by us, and which of it is in force."""

import re

from .proxies import read_ini


def apt_entries(machine):
    """Yield file, URI, suites and components of each active entry (sources.list(5): other endings are ignored)."""
    for path in ["/etc/apt/sources.list", *machine.glob("/etc/apt/sources.list.d/*.list")]:
        for line in machine.text(path).splitlines():
            words = re.sub(r"\[[^]]*\]", " ", line.partition("#")[0]).split()
            if len(words) > 2 and words[0] == "deb":
                yield path, words[1], words[2:3], words[3:]
    for path in machine.glob("/etc/apt/sources.list.d/*.sources"):
        for fields in deb822(machine.text(path)):
            enabled = fields.get("enabled", ["yes"])[0].lower() not in ("no", "false", "0")
            for uri in fields.get("uris", []) if enabled and "deb" in fields.get("types", []) else []:
                yield path, uri, fields.get("suites", []), fields.get("components", [])


def deb822(text):
    """Yield the words of each field of each stanza, by the field's name in lower case; lines can be continued."""
    text = re.sub(r"^#.*\n", "", text, flags=re.MULTILINE)
    for stanza in re.split(r"\n\s*\n", re.sub(r"\n[ \t]+(?=\S)", " ", text)):
        fields = re.findall(r"^([\w-]+):(.*)$", stanza, re.MULTILINE)
        yield {name.lower(): value.split() or [""] for name, value in fields}


def rpm_entries(machine, folder):
    """Yield file and address of each repository that is enabled below the folder."""
    for path in machine.glob(folder + "/*.repo"):
        for section in read_ini(machine.text(path)).values():
            if section.get("enabled", "1").strip().lower() not in ("0", "no", "false", "off"):
                for key in ("baseurl", "mirrorlist", "metalink"):
                    for address in section.get(key, "").split():
                        yield path, address
