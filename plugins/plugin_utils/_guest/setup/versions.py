# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Versions of packages: what matches a request, and which is the newest."""

import re

# 29.0.0~rc.1 of Docker's packages today, 19.03.0~2.3.rc3 of earlier ones, -rc.1 and ~beta of others.
PRERELEASE = re.compile(r"(?<![a-z])(rc|alpha|beta|dev|pre|tp)(?![a-z])")


def without_epoch(version):
    return version.split(":", 1)[-1]


def upstream(version):
    """Return the engine's own version: 28.1.1 of 5:28.1.1-1~debian.12~bookworm, 28.5.1 of SUSE's 28.5.1_ce-150000.1."""
    return re.split(r"[-+~_]", without_epoch(version))[0]


def is_prerelease(version):
    """Return whether a version is a candidate or preview of a release."""
    return bool(PRERELEASE.search(version.lower()))


def matches(version, wanted):
    """Return whether a package's version is the wanted one (``28.1.1``, ``29.0.4-1``) or of the wanted series (``28``).

    A full version is compared without its epoch: packages of one release can have different ones. It does not match
    its own candidates, unless it names one (``29.2.0-rc.1``, also for ``29.2.0~rc.1``).
    """
    whole, asked = (without_epoch(text).replace("-rc", "~rc") for text in (version, wanted))
    if asked.count(".") > 1 and is_prerelease(whole) > is_prerelease(asked):
        return False
    return re.match(re.escape(asked) + "([-+~_.]|$)", whole) is not None


def age(version):
    """Return what sorts versions by age: their numbers, with a tilde before everything (29.2.0~rc.1 < 29.2.0)."""
    return [-1 if word == "~" else int(word) for word in re.findall(r"~|\d+", version)]


def newest(versions, wanted=""):
    """Return the newest of the versions that match, releases before any candidate; None when none matches."""
    fitting = [version for version in versions if not wanted or matches(version, wanted)]
    return max(fitting, key=lambda version: (not is_prerelease(version), age(version))) if fitting else None
