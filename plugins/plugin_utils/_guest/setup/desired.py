# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files of the engine's configuration as they shall be."""

import json
import os

from ....module_utils._extension.engine_rules import PASSWORD_IN_URL
from .containerd import containerd_files
from .paths import CERTIFICATES, CONTAINERD_TOML, COPY, DAEMON_JSON, DROP_IN, KEY, MARK, OLD_DROP_IN, PROXY_FILE
from .unit import drop_in, proxy_file


def wanted_daemon(settings, facts):
    """Return the entries of daemon.json that the settings ask for."""
    if settings.certs_only:
        return dict(facts.state.get("daemon") or {})
    wanted = dict(settings.daemon)
    if settings.absent:
        return {}
    if settings.live_restore is not None:
        wanted["live-restore"] = settings.live_restore
    elif "live-restore" not in wanted and not facts.swarm:
        wanted["live-restore"] = True
    if settings.disk and "data-root" not in wanted:
        wanted["data-root"] = os.path.join(settings.disk.get("path") or "/srv/docker", "data")
    return wanted


def merged_daemon(settings, facts):
    """Return daemon.json as desired: other people's entries stay, our former ones go, also within an object."""
    wanted = wanted_daemon(settings, facts)
    result = dict(facts.daemon)
    for ours in (facts.state.get("daemon") or {}, *(facts.state.get("daemon-before") or [])):
        result = {key: without(value, ours[key]) if key in ours else value for key, value in result.items()}
        result = {key: value for key, value in result.items() if value is not None}
        result = {**result, **given_back(ours, result, facts.first_daemon)}
    for key, value in wanted.items():
        if isinstance(value, dict) and isinstance(result.get(key), dict):
            value = dict(result[key], **value)
        result[key] = value
    return result


def given_back(ours, left, first):
    """Return the entries that were there before ours took their place, as far as nobody else has set them since."""
    found = {}
    for key in set(ours) & set(first):
        if isinstance(first[key], dict) and isinstance(ours[key], dict):
            names = set(ours[key]) & set(first[key])
            found[key] = dict({name: first[key][name] for name in names}, **(left.get(key) or {}))
        elif key not in left:
            found[key] = first[key]
    return {key: value for key, value in found.items() if value != {}}


def without(value, ours):
    """Return what remains of an entry without our part of it; None when nothing does."""
    if isinstance(value, dict) and isinstance(ours, dict):
        return {name: entry for name, entry in value.items() if name not in ours or ours[name] != entry} or None
    return None if value == ours else value


def wanted_files(machine, settings, facts):
    """Return every file of the engine's configuration as ``path -> (content or None, mode)``."""
    files = {}
    for name, path, mode in (*CERTIFICATES, ("key", KEY, 0o600)):
        if name in settings.certs:
            files[path] = (settings.certs[name], mode)
        elif path in (facts.state.get("files") or {}):
            files[path] = (machine.read(path + COPY), machine.mode(path + COPY))
    if settings.certs_only:
        return files
    daemon = merged_daemon(settings, facts)
    if daemon != facts.daemon:
        content = (json.dumps(daemon, indent=2, sort_keys=True) + "\n").encode() if daemon else None
        mode = daemon_mode(machine, content)
        if settings.absent and daemon == facts.first_daemon:
            content = machine.read(DAEMON_JSON + COPY)  # None if there was no such file
            mode = machine.mode(DAEMON_JSON + COPY)
        files[DAEMON_JSON] = (content, mode)
    for path, text, mode in ((PROXY_FILE, proxy_file(settings), 0o600), (DROP_IN, drop_in(settings, facts), 0o644)):
        files[path] = (text.encode() if text is not None else None, mode)
    if machine.text(OLD_DROP_IN).startswith(MARK):
        files[OLD_DROP_IN] = (None, 0o644)
    files.update(containerd_files(machine, settings, facts))
    return files


def daemon_mode(machine, content):
    """Return the mode of daemon.json: the one that it has, but for root alone with a password in a URL."""
    mode = machine.mode(DAEMON_JSON)
    return mode & 0o600 if PASSWORD_IN_URL.search((content or b"").decode("utf-8", "replace")) else mode


def own_files(machine, settings, facts):
    """Return the contents that are ours: what is given back to somebody, or merged with theirs, is not."""
    theirs = [] if settings.certs else [KEY, *(path for _name, path, _mode in CERTIFICATES)]
    wanted = wanted_files(machine, settings, facts)
    return {
        path: content
        for path, (content, _mode) in wanted.items()
        if content is not None and path not in (DAEMON_JSON, CONTAINERD_TOML, *theirs)
    }
