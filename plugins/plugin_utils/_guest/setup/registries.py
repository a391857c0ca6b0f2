# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The stage ``registries``: logins of root's docker client."""

import base64
import re
import time

from ....module_utils._extension.engine_rules import registry_name
from .facts import load_json
from .machine import Problem
from .paths import HUB, LOGIN_FILE


def registries(machine, settings, facts):
    """Log in to the registries of the settings, and out of others that an earlier run logged in to."""
    if not settings.logins and not facts.state.get("logins"):
        return
    present = load_json(machine, LOGIN_FILE, {}).get("auths") or {}
    wanted = {login["server"]: login for login in settings.logins}
    for server, login in wanted.items():
        if login.get("ca"):
            path = "/etc/docker/certs.d/{}/ca.crt".format(server)
            content = login["ca"].encode()
            if machine.differs(path, content, 0o644):
                machine.change("trust the CA of {}".format(server), lambda p=path, c=content: machine.write(p, c))
        token = base64.b64encode("{}:{}".format(login["username"], login["password"]).encode()).decode()
        if machine.alive and (present.get(server) or {}).get("auth") != token:
            machine.change("log in to {} as {}".format(server, login["username"]),
                           lambda s=server, entry=login: log_in(machine, s, entry))  # fmt: skip
    known = {registry_name(server) or HUB for server in facts.state.get("logins") or []}
    for server in sorted(known - set(wanted)):
        if machine.alive and server in present:
            machine.change("log out of {}".format(server), lambda s=server: machine.run(["docker", "logout", s]))


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
