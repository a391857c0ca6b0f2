# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Docker's package repository, or a mirror of it."""

import http.client
import os
import time
import urllib.error
import urllib.request

from .machine import Problem
from .openpgp import key_packets, only_pinned
from .paths import MARK

# The keys of Docker's repositories: https://docs.docker.com/engine/install/ (deb, rpm).
DOCKER_KEYS = ("9DC858229FC7DD38854AE2D88D81803C0EBFCD88", "060A61C51B558A7F742B77AAC52FEB6B621E9F35")


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
        """Return the repository's signing key: as given in the settings, else Docker's as the repository serves it.

        :raises Problem: the key cannot be read, or the file holds anything but the key that is expected.
        """
        try:
            if self.settings.key is not None:
                where, key = "engine.key", self.settings.key.encode()
                key_packets(key)
                return key
            where = self.base + "/gpg"
            return only_pinned(self.fetch(where), DOCKER_KEYS, with_subkeys=self.apt)
        except (OSError, http.client.HTTPException) as error:
            raise Problem("{} cannot be read: {}".format(where, error)) from None
        except Problem as problem:
            advice = "" if self.settings.key else "; if a mirror signs with a key of its own, give it in engine.key"
            raise Problem("the key from {} is refused: {}{}".format(where, problem.text, advice)) from None

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
