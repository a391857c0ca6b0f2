# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The record of the last run: hashes and names, no secret."""

import json

from .certificates import fingerprints, sha256
from .containerd import wanted_root
from .desired import own_files, wanted_daemon
from .paths import CERTIFICATES, FORMAT, KEY, NOTHING, SETTINGS, STATE, compose_file

# In the record while certificates alone are brought: such a run says nothing about one of all settings.
CERTS_UNFINISHED = "certs-unfinished"


def open_ports(state):
    """Return the ports that earlier runs have opened; more than one after a run that did not end well."""
    return {port for port in [state.get("port"), *(state.get("ports") or [])] if port}


def certificate_files(state):
    """Return the record's files that hold certificates and key, with their hashes."""
    paths = {KEY, *(entry[1] for entry in CERTIFICATES)}
    return {path: digest for path, digest in (state.get("files") or {}).items() if path in paths}


def just_pushed(settings, state):
    """Return the part of the record that this run is responsible for."""
    if not settings.certs_only:
        return state
    return {"port": state["port"], "files": certificate_files(state)}


def former_daemons(state):
    """Return the entries that interrupted runs may have left in daemon.json, one item for each run."""
    found = []
    for entries in [*(state.get("daemon-before") or []), state.get("daemon")]:
        if entries and entries not in found:
            found.append(entries)
    return found


def new_record(machine, settings, facts):
    """Return the record of a run that ends well: hashes only, no secret."""
    files = own_files(machine, settings, facts)
    for name, project in settings.projects.items():
        files[compose_file(name)] = project["file"].encode()
    hashes = {path: sha256(content) for path, content in files.items()}
    trusted = fingerprints(settings.certs["ca"]) if settings.certs else []
    if settings.certs_only:
        files = dict(facts.state.get("files") or {}, **hashes)
        state = {name: value for name, value in facts.state.items() if name != CERTS_UNFINISHED}
        return dict(state, digest=settings.digest, ca=trusted, files=files)
    known = [name for name in facts.state.get("projects") or [] if name not in settings.projects and not settings.purge]
    return {
        "format": FORMAT,
        "digest": settings.digest,
        "port": settings.port,
        "hold": settings.hold,
        "containerd-root": wanted_root(machine, settings, facts),
        "disk": settings.disk and settings.disk.get("path", "/srv/docker"),
        "ca": trusted,
        "files": hashes,
        "daemon": wanted_daemon(settings, facts),
        "projects": sorted([*settings.projects, *known]),
        "logins": sorted(login["server"] for login in settings.logins),
        "registry-cas": {
            login["server"]: [sha256(login["ca"].encode())] for login in settings.logins if login.get("ca")
        },
    }


def intend(machine, settings, facts):
    """Record what will be ours before the first file is written, so that a run after a killed one knows it."""
    before, state = facts.state, new_record(machine, settings, facts)
    state["ca"] = sorted({*(before.get("ca") or []), *state["ca"]})
    state["files"] = dict(before.get("files") or {}, **state["files"])
    if settings.certs_only:
        state[CERTS_UNFINISHED] = True
    else:
        state = dict(unfinished(state, facts), **{"daemon-before": former_daemons(before)})
    save(machine, state)


def unfinished(state, facts):
    """Return the record for the middle of a run: it names what later stages may have removed or made."""
    for key in ("projects", "logins"):
        state[key] = sorted({*(state.get(key) or []), *(facts.state.get(key) or [])})
    ours, before = state.get("registry-cas") or {}, facts.state.get("registry-cas") or {}
    state["registry-cas"] = {
        server: sorted({*ours.get(server, []), *before.get(server, [])}) for server in {*ours, *before}
    }
    return dict(state, unfinished=True, ports=sorted(open_ports(facts.state)))


def record(machine, settings, facts, ended):
    """Write the record of this run."""
    state = new_record(machine, settings, facts)
    if ended:
        save(machine, state)
    elif state != facts.state and not settings.certs_only:
        save(machine, unfinished(state, facts))


def save(machine, state):
    content = (json.dumps(state, indent=2, sort_keys=True) + "\n").encode()
    if machine.read(STATE) is None and machine.read(SETTINGS) is None:
        # A first run that does not end well leaves nothing to keep, not a machine without a copy of its settings.
        machine.write(SETTINGS, NOTHING, 0o600)
    if machine.differs(STATE, content, 0o600):
        machine.write(STATE, content, 0o600)
