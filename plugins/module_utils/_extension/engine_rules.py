# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options of dockerd and keys of daemon.json that settings must not give, where the engine comes from, and the one
spelling of a registry.

One table for the controller and for the program on the VM, which is bundled with this file: it keeps to Python 3.6 and
the standard library. The options are those of https://docs.docker.com/reference/cli/dockerd/.
"""

import re
import typing as t

OWN_DAEMON_KEYS = ("hosts", "tls", "tlscacert", "tlscert", "tlskey", "tlsverify")
"""Keys of daemon.json that decide who may connect: the port and the certificates decide that."""
OWN_OPTIONS = ("config-file", "host", "pidfile", "tls", "tlscacert", "tlscert", "tlskey", "tlsverify")
"""Options of dockerd that the program sets, or that would have dockerd use other files than its unit says."""
ENDING_OPTIONS = ("help", "validate", "version")
"""Options with which dockerd does not run as a daemon."""
PASSWORD_IN_URL = re.compile(r"://[^/?#\s:@]*:[^/?#\s]+@")
# Long options only. Short ones can be written in clusters (-DHtcp://...), which no list of names would find.
_OPTION = re.compile(r"--([a-z0-9]+(?:-[a-z0-9]+)*)(=[^\x00-\x1f\x7f]*)?")


def option_name(option: str) -> str:
    """Return an option's name without dashes and value, empty if it is not of the form --name or --name=value."""
    found = _OPTION.fullmatch(option)
    return found.group(1) if found else ""


def option_fault(option: str) -> str:
    """Return why dockerd must not get this option, empty if it may."""
    name = option_name(option)
    if not name:
        return f"must be of the form --name=value or --name, for example --log-level=debug, got {option!r}"
    if PASSWORD_IN_URL.search(option):
        return f"--{name} must not contain a password, which every user of the VM could see: use docker.proxies"
    if name in OWN_OPTIONS:
        return f"must not hold --{name}: docker.port and certs decide hosts, TLS and files"
    if name in ENDING_OPTIONS:
        return f"must not hold --{name}: dockerd would end instead of run"
    return ""


def own_keys(daemon: t.Iterable[str]) -> t.List[str]:
    """Return the keys of daemon.json that settings must not give, sorted."""
    return sorted(set(daemon) & set(OWN_DAEMON_KEYS))


def requested_source(engine: t.Mapping[str, t.Any]) -> str:
    """Return where settings take the engine from: ``auto``, ``docker``, ``distribution`` or ``keep``.

    ``auto`` is left to the machine, unless there is a setting that only Docker's repository has a use for.

    :param engine: the option or setting ``engine``.
    """
    source = str(engine.get("source") or "auto")
    of_docker = engine.get("mirror") or engine.get("key") or engine.get("channel") not in (None, "", "stable")
    return "docker" if source == "auto" and of_docker else source


def registry_name(server: str) -> str:
    """Return the name under which the Docker CLI keeps a login to a registry; empty for Docker Hub.

    The CLI keeps host and port (``ConvertToHostname`` in docker/cli). It looks a login up by the name of an image, in
    which hosts are in lower case, and knows Docker Hub by several names.
    """
    name = re.sub("^https?://", "", server.strip().lower()).partition("/")[0]
    return "" if name in ("docker.io", "index.docker.io", "registry-1.docker.io") else name
