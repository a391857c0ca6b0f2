# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Docker's package repository, or a mirror of it."""

import contextlib
import http.client
import json
import os
import time
import urllib.error
import urllib.request

from .facts import load_json
from .machine import Problem, tail
from .openpgp import PRIMARY, SUBKEY, fingerprint, key_packets, only_pinned, pgp_fingerprints
from .package_names import DOCKER_PACKAGES, distribution_packages
from .paths import DOCKER_URL, KEYRING, MARK
from .patience import without_progress
from .proxies import proxy_handler
from .sources import apt_entries, apt_keys, rpm_entries, rpm_keys, same_address

APT_KEY = "/etc/apt/keyrings/docker-host.asc"
APT_SOURCE = "/etc/apt/sources.list.d/docker-host.list"
# The keys of Docker's repositories: https://docs.docker.com/engine/install/ (deb, rpm).
DOCKER_KEYS = ("9DC858229FC7DD38854AE2D88D81803C0EBFCD88", "060A61C51B558A7F742B77AAC52FEB6B621E9F35")


def remedy(reason):
    """Return what helps where a server cannot be reached for this reason."""
    if "not yet valid" in reason or "has expired" in reason:
        return "the clock of this machine says {}: set it if that is wrong".format(
            time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())
        )
    if "CERTIFICATE_VERIFY_FAILED" in reason:
        return "this machine must trust the CA of that server, or of the proxy before it"
    return "if this machine needs a proxy, give it in docker.proxies"


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
        """Return the address of the repository's index, which exists if the distribution is served."""
        if self.apt:
            return "{}/dists/{}/Release".format(self.base, self.codename())
        return "{}/{}/{}/{}/repodata/repomd.xml".format(
            self.base, self.facts.major, os.uname().machine, self.settings.channel
        )

    def probe(self):
        """Stop when the repository does not serve this machine, or cannot be reached."""
        theirs = self.configured()
        if self.lacks_authorities():
            return  # nothing can be asked over https before they are installed
        try:
            self.fetch(self.index())
        except urllib.error.HTTPError as error:
            if theirs and error.code not in (403, 404):
                return  # the package manager may have a password or a certificate that is not known here
            if error.code not in (403, 404):
                raise Problem("{} answers {}".format(self.index(), error.code)) from None
            advice = "; use engine.source distribution" if distribution_packages(self.facts) else ""
            raise Problem(
                "Docker's repository does not serve {} ({}){}".format(self.facts.name, self.index(), advice)
            ) from None
        except (OSError, http.client.HTTPException) as error:
            if theirs:
                return  # the package manager may know a way that is not known here
            reason = str(getattr(error, "reason", error))
            raise Problem("{} cannot be reached: {}; {}".format(self.index(), reason, remedy(reason))) from None
        if not theirs:
            self.key()

    def lacks_authorities(self):
        """Return whether Debian's or Ubuntu's package of public CAs is missing, which minimal images leave out."""
        bundle = "/etc/ssl/certs/ca-certificates.crt"
        return self.apt and self.base.startswith("https") and self.machine.read(bundle) is None

    def fetch(self, url, attempts=4):
        """Return what the address serves; try again after a while when the network fails."""
        handler = proxy_handler(self.machine, self.settings, self.facts.manager, url)
        opener = urllib.request.build_opener(*([handler] if handler else []))
        for attempt in range(1, attempts + 1):
            try:
                with opener.open(url, timeout=30) as response:
                    return response.read()
            except urllib.error.HTTPError as error:
                if error.code < 500 or attempt == attempts:
                    raise
            except (OSError, http.client.HTTPException) as error:
                lasting = url.startswith("file:") or "CERTIFICATE_VERIFY_FAILED" in str(error)
                if attempt == attempts or lasting:
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

    def configured(self):
        """Return the administrator's file that brings this repository into force; empty when none does.

        :raises Problem: one does, but without the channel that is asked for, or it is not for this machine's packages
            and has its key in a form that one line cannot have. A second entry would contradict it.
        """
        if not self.apt:
            return self.configured_for_rpm()
        channel = self.settings.channel
        for entry in self.theirs():
            if entry.serves(self.architecture()):
                self.refuse_other_key(entry.path, apt_keys(self.machine, entry.signed_by))
                if channel not in entry.components:
                    raise Problem(
                        "{} has this repository without the channel {}: add it there".format(entry.path, channel)
                    )
                return entry.path
        for entry in self.theirs():
            if len(entry.signed_by) != 1:
                raise Problem(
                    "{} has this repository, but not for packages of {}, and apt refuses a second entry with another "
                    "key: add them there, or remove that entry".format(entry.path, self.architecture())
                )
        return ""

    def configured_for_rpm(self):
        ours = self.source()[1]
        for path, address, keys in rpm_entries(self.machine, self.folder()):
            is_this = address.startswith(self.base + "/") and address.endswith("/" + self.settings.channel)
            if path != ours and is_this:
                self.refuse_other_key(path, rpm_keys(self.machine, keys))
                return path
        return ""

    def refuse_other_key(self, path, known):
        """Stop where the administrator's entry for this repository has keys, and engine.key is none of them."""
        if self.settings.key is None or not known:
            return
        if not known & pgp_fingerprints(self.settings.key.encode()):
            raise Problem(
                "{} has this repository with another key than engine.key: leave engine.key out to trust the key "
                "there, or correct one of them".format(path)
            )

    def theirs(self):
        """Return the administrator's entries for this repository and release, also those for sources or another CPU."""
        entries = [entry for entry in apt_entries(self.machine) if entry.path != APT_SOURCE]
        return [entry for entry in entries if entry.uri == self.base and self.codename() in entry.suites]

    def signed_by(self):
        """Return the key's path for our entry: apt takes one repository with one key only."""
        return next((entry.signed_by[0] for entry in self.theirs() if len(entry.signed_by) == 1), APT_KEY)

    def architecture(self):
        return self.machine.run(["dpkg", "--print-architecture"]).strip() if self.machine.alive else "amd64"

    def add(self, manager):
        """Write key and source unless the administrator has already configured this repository."""
        if self.lacks_authorities():
            manager.refresh()
            manager.install(["ca-certificates"])
        theirs = self.configured()
        if not theirs:
            key, source, text = self.source()
            for path, content in ((key, self.key()), (source, (MARK + text).encode())):
                if self.machine.differs(path, content, 0o644):
                    self.machine.write(path, content)
            if manager.name == "zypper":  # dnf and yum import it from the file that the source names
                manager.patiently("rpm", "--import", self.machine.path(key))
        manager.refresh(bool(self.settings.version))
        if self.asked():
            self.refuse_unread(manager)
            manager.only = self.base if self.apt else "" if theirs else "docker-host-" + self.settings.channel

    def asked(self):
        """Return whether the settings ask for this repository, so that no other one may stand in for it."""
        return self.settings.mirror != DOCKER_URL or self.settings.key is not None

    def refuse_unread(self, manager):
        """Stop where this repository could not be read. The machine may have another one with the same packages."""
        name = "'Docker CE {}'".format(self.settings.channel)  # zypper says this
        for line in without_progress(manager.unread).splitlines():
            addresses = [same_address(word.strip("'\",;")) for word in line.split()]
            if name in line or any((address + "/").startswith(self.base + "/") for address in addresses):
                raise Problem("{} cannot be used: {}".format(self.base, tail(line.strip(), 300)), manager.unread)

    @contextlib.contextmanager
    def key_on_trial(self, manager):
        """Take a key of the user's out of rpm's keyring again unless the packages turn out to be signed with it.

        dnf and zypper put a repository's key into the keyring before they check a package with it, and rpm then trusts
        it for every package. A note on disk lets the run after a killed one do the same.
        """
        if self.apt:
            yield
            return
        self.end_trial(manager)
        if self.settings.key is None:
            yield
            return
        own = [fingerprint(body) for tag, body in key_packets(self.key()) if tag in (PRIMARY, SUBKEY)]
        note = {"key": own[0], "before": manager.keyring()}
        try:
            with self.machine.noted(KEYRING, json.dumps(note).encode()):
                yield
                signers = manager.signers(DOCKER_PACKAGES)
                if signers and not any(one.lower().endswith(signer) for one in own for signer in signers):
                    self.end_trial(manager)
        except Problem:
            with contextlib.suppress(Problem):  # the first problem matters, and the note lets the next run do it
                self.end_trial(manager)
            raise

    def end_trial(self, manager):
        """Take the noted key out of the keyring, unless it was in it before."""
        note = load_json(self.machine, KEYRING, {})
        for name in manager.keyring() if note.get("key") else []:
            if name not in note["before"] and note["key"].lower().endswith(name.split("-")[2]):
                manager.forget_key(name)
        self.machine.write(KEYRING, None)

    def forget(self):
        """Remove key and source that an earlier run has written."""
        key, source, _text = self.source()
        if self.machine.text(source).startswith(MARK):
            self.machine.write(source, None)
            self.machine.write(key, None)

    def folder(self):
        return "/etc/zypp/repos.d" if self.facts.manager == "zypper" else "/etc/yum.repos.d"

    def source(self):
        """Return the key's path, and path and text of the file that names the repository to the package manager.

        The names are not those of Docker's instructions, which an administrator may have followed.
        """
        channel = self.settings.channel
        if self.apt:
            words = "deb [arch={} signed-by={}] {} {} {}\n"
            text = words.format(self.architecture(), self.signed_by(), self.base, self.codename(), channel)
            return APT_KEY, APT_SOURCE, text
        key = "/etc/pki/rpm-gpg/RPM-GPG-KEY-docker-host"
        lines = "[docker-host-{0}]\nname=Docker CE {0}\nbaseurl={1}\nenabled=1\ngpgcheck=1\ngpgkey=file://{2}\n"
        lines += "priority=1\n" if self.asked() else ""  # 99 is the default, and the lowest number comes first
        text = lines.format(channel, self.index()[: -len("/repodata/repomd.xml")], key)
        return key, self.folder() + "/docker-host.repo", text
