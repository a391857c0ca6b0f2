# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The stage ``registries``: logins of root's docker client, and CAs of registries."""

import base64
import contextlib
import json
import os
import re
import time

from ....module_utils._extension.engine_rules import registry_name
from .certificates import sha256
from .facts import load_json
from .machine import Problem
from .paths import COPY, FORMER_LOGINS, HUB, LOGIN_FILE


def registries(machine, settings, facts):
    """Trust and log in to the registries of the settings, and undo it for others of earlier runs."""
    wanted = {login["server"]: login for login in settings.logins}
    authorities(machine, wanted, facts)
    if not wanted and not facts.state.get("logins"):
        return
    present = load_json(machine, LOGIN_FILE, {}).get("auths") or {}
    if machine.alive:
        remember_logins(machine, wanted, present, facts)
    for server, login in wanted.items():
        token = base64.b64encode("{}:{}".format(login["username"], login["password"]).encode()).decode()
        if machine.alive and (present.get(server) or {}).get("auth") != token:
            machine.change("log in to {} as {}".format(server, login["username"]),
                           lambda s=server, entry=login: log_in(machine, s, entry))  # fmt: skip
    known = {registry_name(server) or HUB for server in facts.state.get("logins") or []}
    for server in sorted(known - set(wanted)):
        if machine.alive:
            end_login(machine, server, present)


def authorities(machine, wanted, facts):
    """Write the CAs of registries, and remove or give back those that are no longer wanted."""
    ours = facts.state.get("registry-cas") or {}
    for server, login in wanted.items():
        if not login.get("ca"):
            continue
        path, content = authority_file(server), login["ca"].encode()
        present = machine.read(path)
        is_theirs = present is not None and sha256(present) not in ours.get(server, [])
        if is_theirs and machine.read(path + COPY) is None and not machine.check:
            machine.write(path + COPY, present, machine.mode(path))
        if machine.differs(path, content, 0o644):
            machine.change("trust the CA of {}".format(server), lambda p=path, c=content: machine.write(p, c))
    for server in sorted(ours):
        if not (wanted.get(server) or {}).get("ca"):
            give_back_authority(machine, server, ours[server])


def authority_file(server):
    return "/etc/docker/certs.d/{}/ca.crt".format(server)


def give_back_authority(machine, server, ours):
    """Remove a CA that this program wrote, or put back the one that it replaced. A file written since then stays."""
    path = authority_file(server)
    present, former = machine.read(path), machine.read(path + COPY)

    def act():
        machine.write(path, former, machine.mode(path + COPY))
        if former is None:
            with contextlib.suppress(OSError):  # it holds other files
                os.rmdir(os.path.dirname(machine.path(path)))

    if (present is None or sha256(present) in ours) and present != former:
        verb = "remove" if former is None else "give back"
        machine.change("{} the CA of {}".format(verb, server), act)
    if not machine.check:
        machine.write(path + COPY, None)


def remember_logins(machine, wanted, present, facts):
    """Note, once for each registry, how root was logged in before, so that it can be given back."""
    noted = load_json(machine, FORMER_LOGINS, {})
    ours = [] if facts.state.get("unfinished") else facts.state.get("logins") or []
    found = {server: None if server in ours else present.get(server) for server in wanted}
    note_logins(machine, dict(found, **noted), noted)


def note_logins(machine, logins, before):
    if logins != before and not machine.check:
        machine.write(FORMER_LOGINS, (json.dumps(logins, sort_keys=True) + "\n").encode(), 0o600)


def end_login(machine, server, present):
    """Log out of a registry, or give back how root was logged in to it before.

    A login without a note is not this program's: a run that was killed named the registry in its record before it
    logged in, or after it gave the login back.
    """
    noted = load_json(machine, FORMER_LOGINS, {})
    if server not in noted:
        return
    former = noted[server]
    if former and present.get(server) != former:
        machine.change("give back the login to {}".format(server), lambda: set_login(machine, server, former))
    elif not former and server in present:
        machine.change("log out of {}".format(server), lambda: log_out(machine, server))
    note_logins(machine, {name: entry for name, entry in noted.items() if name != server}, noted)


def log_out(machine, server):
    """Log out by the Docker CLI, which knows helpers for credentials; without it by its file."""
    if machine.has("docker"):
        machine.run(["docker", "logout", server])
    else:
        set_login(machine, server, None)


def set_login(machine, server, entry):
    """Write one entry of the Docker CLI's file; None removes it."""
    document = load_json(machine, LOGIN_FILE, {})
    auths = {name: value for name, value in (document.get("auths") or {}).items() if name != server}
    document["auths"] = dict(auths, **({server: entry} if entry else {}))
    mode = 0o600 if machine.read(LOGIN_FILE) is None else machine.mode(LOGIN_FILE)
    machine.write(LOGIN_FILE, (json.dumps(document, indent="\t") + "\n").encode(), mode)


def log_in(machine, server, login, attempts=3):
    words = ["docker", "login", "--username", login["username"], "--password-stdin"]
    for attempt in range(1, attempts + 1):
        try:
            machine.run([*words, *([] if server == HUB else [server])], stdin=login["password"], timeout=120)
            return
        except Problem as problem:
            if attempt == attempts or re.search("unauthorized|denied|incorrect|401", problem.detail, re.IGNORECASE):
                raise Problem("the login to {} failed".format(server), problem.detail) from None
            time.sleep(5 * attempt)
