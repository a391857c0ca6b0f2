# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Versions of packages: what matches a request, and which is the newest."""

import re


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
