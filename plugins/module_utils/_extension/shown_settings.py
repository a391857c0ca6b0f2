# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The settings in a diff: values that cannot be secret, and of ``docker.daemon`` the keys alone."""

from __future__ import annotations

import typing as t

from .._azure.wire import Json, dig
from .argument_spec import DOCKER_SECTIONS
from .handlers import CurrentSettings
from .run import Run

ENGINE = ("source", "version", "channel", "hold")
"""Suboptions of ``engine`` in a diff. A mirror's URL may contain a password."""
NOT_KNOWN = "(not shown)"
OPTIONS = {section: f"docker.{option}" for option, section in DOCKER_SECTIONS.items()}


def add_settings(run: Run, current: CurrentSettings | None) -> None:
    """Add to the changes of a run what it sets, as far as everybody may see it.

    Azure has digests of the current values only; port and version of the engine are what the program last reported.
    """
    if not run.request.diff or run.settings.state == "absent" or run.settings.certs_only:
        return
    differing = run.differing if current else run.settings.sections().keys()
    report = (current.result.report if current else None) or {}
    for section, value in _shown(run.settings.docker).items():
        before = {"port": report.get("port"), "engine": dig(report, "engine", "version")}.get(section)
        if section in differing and value not in (None, [], {}):
            run.changes.add(OPTIONS.get(section, section), (before or NOT_KNOWN) if current else None, value)


def _shown(docker: Json) -> dict[str, t.Any]:
    """Return the values that a diff shows, by section."""
    engine, daemon = docker.get("engine") or {}, docker.get("daemon") or {}
    whole = {section: docker.get(section) for section in ("port", "live-restore", "users", "data-disk")}
    return {
        **whole,
        "engine": {name: engine[name] for name in ENGINE if engine.get(name)},
        "daemon": dict.fromkeys(sorted(daemon), NOT_KNOWN),
    }
