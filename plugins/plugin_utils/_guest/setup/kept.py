# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The settings that a push leaves out: the machine keeps those that it has.

The copy of the settings is a file that only root can read. It contains passwords of registries, of proxies and of
Compose projects, as the files do that are made from them. It does not contain the certificates and the key: the
engine's own files are their copy.
"""

import base64
import json

from ....module_utils._extension.sections import SECTIONS, section_of, with_section
from ....module_utils._ports import DEFAULT_PORT
from .facts import load_json
from .machine import Problem
from .paths import CERTIFICATES, KEY, SETTINGS
from .record import certificate_files
from .settings import Settings


def with_kept(machine, settings, state):
    """Return the settings with those that the machine keeps.

    :param state: the record of the last run, empty on a machine that has none.
    :raises Problem: the machine has a record, but no copy of what it would have to keep.
    """
    if not settings.keep or settings.certs_only:
        return settings
    copied = load_json(machine, SETTINGS, None) if state else {}
    without_copy = [name for name in settings.keep if name != "certs"]
    if copied is None and without_copy:
        raise Problem(
            "this machine has no copy of its settings, so it cannot keep those that were left out ({}): push them, or "
            "reset them".format(", ".join(without_copy))
        )
    document = settings.document
    for name in without_copy:
        document = with_section(document, name, section_of(copied or {}, name))
    if "certs" in settings.keep:
        document = with_section(document, "certs", {"protectedSettings/certs": present_certificates(machine, state)})
    if "port" in settings.keep and section_of(document, "certs") and not section_of(document, "port"):
        document = with_section(document, "port", {"settings/docker/port": str(DEFAULT_PORT)})
    return Settings(dict(document, keep=[]))


def present_certificates(machine, state):
    """Return the certificates and the key that an earlier run wrote, in base64; None if there are none.

    :raises Problem: one of them is gone.
    """
    ours = certificate_files(state)
    if not ours:
        return None
    found = {}
    for name, path in [*((entry[0], entry[1]) for entry in CERTIFICATES), ("key", KEY)]:
        content = machine.read(path)
        if content is None:
            raise Problem("{} is gone, so this machine cannot keep its certificates: push certs".format(path))
        found[name] = base64.b64encode(content).decode("ascii")
    return found


def former_secrets(machine):
    """Return the secrets of the settings that were applied last; none where their copy is missing or damaged."""
    try:
        # The copy has no certificates, which the port needs.
        return Settings(dict(load_json(machine, SETTINGS, {}), keep=["certs"])).secrets()
    except Problem:
        return []


def save_settings(machine, settings):
    """Write the copy of the settings that were applied. A push of certificates alone leaves it as it is."""
    if settings.certs_only:
        return
    document = {}
    for name in sorted(set(SECTIONS) - {"certs"}):
        document = with_section(document, name, section_of(settings.document, name))
    content = (json.dumps(document, indent=2, sort_keys=True) + "\n").encode()
    if machine.differs(SETTINGS, content, 0o600):
        machine.write(SETTINGS, content, 0o600)
