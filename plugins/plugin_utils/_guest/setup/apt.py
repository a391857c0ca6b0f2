# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""apt and dpkg."""

import contextlib
import re

from .machine import Problem
from .package_names import FROM_DOCKER
from .patience import patiently
from .sources import same_address

DPKG_STATUS = "/var/lib/dpkg/status"
# What dpkg did since it last wrote that file, a package each; a killed dpkg leaves them to the next one.
DPKG_JOURNAL = "/var/lib/dpkg/updates/[0-9]*"


class Apt:
    """Debian's and Ubuntu's package manager."""

    name = "apt"
    lock_files = (
        "/var/lib/dpkg/lock-frontend",
        "/var/lib/dpkg/lock",
        "/var/lib/apt/lists/lock",
        "/var/cache/apt/archives/lock",
    )

    def __init__(self, machine):
        self.machine = machine
        self.missing = ""
        self.unread = ""
        self.only = ""  # the address of the repository that engine.mirror or engine.key asks for

    def patiently(self, *words, **options):
        return patiently(self.machine, list(words), lock_files=self.lock_files, **options)

    def apt_get(self, verb, *words):
        options = ["-oAcquire::Retries=3", "-oDpkg::Options::=--force-confdef", "-oDpkg::Options::=--force-confold"]
        return self.patiently("apt-get", "-y", "-q", *options, verb, *words)

    def paragraphs(self):
        """Return what dpkg knows of each package; a later paragraph about the same package counts."""
        for _time in range(5):
            journal = self.machine.glob(DPKG_JOURNAL)
            texts = [self.machine.text(path) for path in journal]
            texts.insert(0, self.machine.text(DPKG_STATUS))
            if self.machine.glob(DPKG_JOURNAL) == journal:  # else a dpkg that runs has written its list meanwhile
                break
        return "\n\n".join(texts).split("\n\n")

    def stanzas(self):
        """Return the fields of each package that dpkg knows, once."""
        found = {}
        for paragraph in self.paragraphs():
            fields = dict(re.findall(r"^(Package|Architecture|Status|Version): (.*)$", paragraph, re.MULTILINE))
            if "Package" in fields and "Status" in fields:
                found[fields["Package"], fields.get("Architecture")] = fields
        return list(found.values())

    def packages(self):
        """Return name, state and version of each package that dpkg knows."""
        return [(each["Package"], each["Status"].split()[-1], each.get("Version", "")) for each in self.stanzas()]

    def half_unpacked(self):
        """Return name and version of the packages that dpkg only goes on with once they are unpacked again."""
        broken = [each for each in self.stanzas() if "reinstreq" in each["Status"].split()]
        return [(each["Package"], each.get("Version", "")) for each in broken]

    def installed(self, names):
        """Return the versions of those packages that are there, finished or not, by name."""
        gone = ("not-installed", "config-files")
        return {name: version for name, state, version in self.packages() if name in names and state not in gone}

    def unfinished(self):
        """Return the packages whose installation or removal was cut short."""
        finished = ("installed", "not-installed", "config-files")
        return sorted(name for name, state, _version in self.packages() if state not in finished)

    def repair(self):
        """Finish what a killed dpkg or apt has left, if there is anything."""
        if not self.unfinished() and not self.machine.glob(DPKG_JOURNAL):
            return
        with contextlib.suppress(Problem):  # what it cannot configure is said by apt, which can do more about it
            self.patiently("dpkg", "--configure", "-a")
        try:
            self.fix_broken()
        except Problem:
            self.refresh()  # what has to be downloaded again may have been replaced meanwhile
            self.fix_broken()

    def fix_broken(self):
        """Have apt finish what it can, and unpack again what dpkg was killed at: unasked, apt says that all is well."""
        words = []
        for name, version in self.half_unpacked():
            offered = self.versions(name)
            if offered:
                words.append(self.pin(name, version) if version in offered else name)
        again = ["--reinstall", "--allow-downgrades", "--allow-change-held-packages", *words] if words else []
        self.apt_get("install", "--fix-broken", "--no-install-recommends", *again)

    def refresh(self, _asked_version=False):
        """Fetch the indexes. A source that cannot be read only matters if no other has what is needed."""
        self.missing = self.unread = ""
        try:
            self.apt_get("update", "-oAPT::Update::Error-Mode=any")  # else it ends well without what it could not get
        except Problem as problem:
            self.missing, self.unread = problem.text, problem.output
            self.machine.notes.append("not all package sources could be read: {}".format(problem.text))

    def why_missing(self):
        """Return, to end an error with, which package source could not be read; empty if all could."""
        return "; before, {}".format(self.missing) if self.missing else ""

    def versions(self, name):
        """Return every version of a package that the configured repositories offer, or that the only one does."""
        output = self.patiently("apt-cache", "madison", name)  # fails where a list of sources is damaged
        rows = [[cell.strip() for cell in line.split("|")] for line in output.splitlines() if line.count("|") == 2]
        if self.only and name in FROM_DOCKER:
            rows = [row for row in rows if same_address(row[2].partition(" ")[0]) == self.only]
        return [row[1] for row in rows]

    def pin(self, name, version):
        return "{}={}".format(name, version)

    def install(self, words):
        options = ["--no-install-recommends", "--allow-downgrades", "--allow-change-held-packages"]
        try:
            self.apt_get("install", *options, *words)
        except Problem as problem:
            problem.text += self.advice(problem.output)
            problem.text += self.why_missing()
            raise

    def advice(self, output):
        """Return advice where a package is offered, but a pin forbids it (apt_preferences(5)); else empty."""
        found = re.search(r"Package '([^']+)' has no installation candidate", output)
        if not found or not self.versions(found.group(1)):
            return ""
        return "; it is offered, but a pin in /etc/apt/preferences or preferences.d forbids it: change that pin"

    def remove(self, names):
        self.apt_get("purge", "--allow-change-held-packages", *names)

    def held(self, names):
        held = self.machine.run(["apt-mark", "showhold"]).split()
        return [name for name in names if name in held]

    def hold(self, names):
        self.patiently("apt-mark", "hold", *names)

    def release(self, names):
        self.patiently("apt-mark", "unhold", *names)
