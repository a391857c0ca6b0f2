# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# /// script
# dependencies = ["nox>=2025.02.09"]
# ///

"""Sessions for maintainers who are used to nox: each runs the make target of the same name, which does all set-up.

``nox`` runs what ``make quick`` runs, ``nox --list`` shows all sessions, ``nox -s unit`` runs one.
"""

from __future__ import annotations

import nox

CHECKS = ("ansible-lint", "changelog-lint", "docs-lint", "galaxy", "mypy", "reuse", "ruff", "yamllint")
SANITY = ("sanity", "sanity-pylint")
TESTS = ("unit", "integration", "conformance", "e2e", "short-soak")
ALL = ("quick", "check", "test", "test-slow", "test-clients", "test-matrix", "docs")

nox.options.sessions = ["quick"]


def add_session(target: str) -> None:
    """Add a session that runs one make target, in no environment of its own."""

    def session(session: nox.Session) -> None:
        session.run("make", "--no-print-directory", target, *session.posargs, external=True)

    session.__doc__ = f"Run `make {target}`."
    nox.session(session, name=target, venv_backend="none")


for name in (*ALL, *CHECKS, *SANITY, *TESTS):
    add_session(name)


if __name__ == "__main__":
    nox.main()
