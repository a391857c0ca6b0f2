# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Paths and limits that several parts share."""

FORMAT = 1
LOG = "/var/log/docker-host-setup.log"
HOME = "/var/lib/docker-host"
STATE = HOME + "/state.json"
SETTINGS = HOME + "/settings.json"
NOTHING = b"{}\n"  # in that file: no settings, so that a push keeps the defaults of those that it leaves out
PENDING = HOME + "/restart-pending"
INSTALLING = HOME + "/installing.json"
KEYRING = HOME + "/keyring.json"
FORMATTING = HOME + "/formatting"
GROWING = HOME + "/growing"
LABELLING = HOME + "/labelling"
REMOVING = HOME + "/removing"
LIFTED = HOME + "/lifted.json"
BEFORE = HOME + "/before.json"
OPENED = HOME + "/opened.json"
USERS = HOME + "/users.json"
FORMER_LOGINS = HOME + "/logins.json"
# Custom data writes the first two; payload.py has the same paths.
BOOT = HOME + "/boot.json"
BOOT_PROGRAM = HOME + "/boot.py"
BOOT_RESULT = HOME + "/boot-result.json"
# What a run notes on disk while it does something that a killed run must not leave half done.
NOTES = (PENDING, INSTALLING, FORMATTING, GROWING, LABELLING, REMOVING, LIFTED)
# systemd reads drop-ins by name, and the last one decides: an administrator's override.conf comes before ours.
DROP_IN = "/etc/systemd/system/docker.service.d/zz-docker-host.conf"
OLD_DROP_IN = "/etc/systemd/system/docker.service.d/50-docker-host.conf"
CONTAINERD_DROP_IN = "/etc/systemd/system/containerd.service.d/zz-docker-host.conf"
CONTAINERD_TOML = "/etc/containerd/config.toml"
PROXY_FILE = "/etc/docker/docker-host-proxy.env"
DAEMON_JSON = "/etc/docker/daemon.json"
COMPOSE_DIR = "/etc/docker/compose"
SOCKET = "/var/run/docker.sock"
CERTIFICATES = (("ca", "/etc/docker/ca.pem", 0o644), ("cert", "/etc/docker/cert.pem", 0o644))
KEY = "/etc/docker/key.pem"
COPY = ".before-docker-host"
RPM_SOURCE = "/etc/yum.repos.d/docker-host.repo"
MARK = "# Written by dockerhost.azure. Changes made here are replaced by its next run.\n"
LOCK_WAIT = 900
WAITING_LINE = 30
DOCKER_URL = "https://download.docker.com"
LOGIN_FILE = "/root/.docker/config.json"
HUB = "https://index.docker.io/v1/"
# The folders in which the program writes.
WRITTEN = (
    HOME, "/etc/docker", COMPOSE_DIR + "/*", "/etc/containerd", "/etc/systemd/system/*.service.d", "/root/.docker",
    "/etc/apt/keyrings", "/etc/apt/sources.list.d", "/etc/yum.repos.d", "/etc/zypp/repos.d", "/etc/pki/rpm-gpg",
    "/etc/tdnf/locks.d", "/etc",
)  # fmt: skip


def compose_file(name):
    return "{}/{}/compose.yaml".format(COMPOSE_DIR, name)
