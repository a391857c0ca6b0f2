# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A user who types docker commands all the time, while somebody else renews certificates."""

from __future__ import annotations

import threading
import typing as t

from .conftest import User

RESTARTING = ("Cannot connect to the Docker daemon", "connection refused", "connection reset", "EOF", "broken pipe")


class Watch:
    """Asks each host, by its context and by the certificates of ``~/.docker``, over and over.

    A daemon that takes new certificates is not there for a moment. Whatever it refuses, or a client does not believe,
    is a failure.
    """

    def __init__(self, user: User, names: t.Sequence[str]) -> None:
        self.user = user
        self.ways = [(name, way) for name in names for way in ("context", "environment")]
        self.urls = {
            name: user.docker("context", "inspect", name, "--format", "{{.Endpoints.docker.Host}}").strip()
            for name in names
        }
        self.answers = dict.fromkeys(self.ways, 0)
        self.restarts = dict.fromkeys(names, 0)
        self.failures: list[str] = []
        self.all_away = 0
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._ask_on)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._end.set()
        self._thread.join()

    def _ask_on(self) -> None:
        while not self._end.wait(0.1):
            away = set()
            for name, way in self.ways:
                if not self._ask(name, way):
                    away.add(name)
            if len(self.urls) > 1 and away == set(self.urls):
                self.all_away += 1

    def _ask(self, name: str, way: str) -> bool:
        if way == "context":
            ran = self.user.run("docker", "--context", name, "version")
        else:
            environment = {"DOCKER_HOST": self.urls[name], "DOCKER_TLS_VERIFY": "1"}
            ran = self.user.run("docker", "version", environment=environment)
        if ran.code == 0:
            self.answers[name, way] += 1
            return True
        said = ran.output.splitlines()[-1]
        if any(text in ran.output for text in RESTARTING) and "certificate" not in ran.output:
            self.restarts[name] += 1
        else:
            self.failures.append(f"{name} by {way}: {said}")
        return False

    def check(self) -> None:
        """Every host was reached in every way, nobody was refused, and never were all away at once."""
        assert self.failures == []
        assert all(self.answers.values()), self.answers
        assert self.all_away == 0, self.restarts
