# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The settings in the schema of the Docker extension (Azure/azure-docker-extension), which was retired in 2018."""

from __future__ import annotations

from .._azure.wire import Json
from .._errors import OptionError
from .settings import Settings

CERTS_LABEL = "docker-host-certs"
"""The label of the daemon that changes with the certificates."""


def docker_extension_settings(settings: Settings) -> tuple[Json, Json]:
    """Return the public and the protected settings of the Docker extension.

    :raises OptionError: the extension has no such setting.
    """
    if settings.state == "absent":
        return {}, {}
    _refuse_unsupported(settings)
    docker: Json = {key: settings.docker[key] for key in ("port", "options") if settings.docker.get(key)}
    public: Json = {"docker": docker}
    protected: Json = {}
    if settings.certs:
        protected["certs"] = settings.certs.settings()
        # The handler restarts the engine only for other arguments, so new certificates alone would have no effect.
        docker["options"] = [*docker.get("options", []), f"--label={CERTS_LABEL}={settings.certs.fingerprint[:16]}"]
    for project in settings.projects:
        public["compose"] = dict(project.definition)
        if project.environment:
            public["compose-environment"] = dict(project.environment)
        if project.secrets:
            protected["environment"] = dict(project.secrets)
    return public, protected


def _refuse_unsupported(settings: Settings) -> None:
    engine = settings.docker["engine"]
    unsupported = {
        "docker.daemon": settings.docker.get("daemon"),
        "docker.live_restore": settings.docker.get("live-restore") is not None,
        "docker.users": settings.docker.get("users"),
        "docker.data_disk": settings.docker.get("data-disk"),
        "docker.proxies": settings.proxies,
        "engine": engine not in ({"source": "auto"}, {"source": "docker"}),
        "compose": len(settings.projects) > 1,
        "logins": settings.logins,
        "compose_purge": settings.purge,
    }
    problems = {
        "compose": "takes only one project",
        "logins": "runs docker login --email, which Docker no longer has",
    }
    for option, is_set in unsupported.items():
        if is_set:
            problem = problems.get(option, "has no such setting")
            raise OptionError(option, f"the handler docker_extension {problem}; use another O(handler)")
