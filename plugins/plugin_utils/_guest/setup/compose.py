# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The stage ``compose``: projects up and down."""

import json
import os
import shutil
import urllib.request

from .engine import ask_engine
from .machine import Problem
from .paths import COMPOSE_DIR, compose_file


def compose(machine, settings, facts):
    """Start the projects of the settings; stop and remove others that an earlier run started, if asked to."""
    known = facts.state.get("projects") or []
    gone = [name for name in known if name not in settings.projects]
    if settings.projects and machine.alive and not machine.check:
        version = machine.run(["docker", "compose", "version"], ok=None)
        if "Docker Compose" not in version:
            advice = "; use engine.source docker" if facts.manager in ("apt", "dnf", "yum") else ""
            raise Problem(
                "compose projects need docker compose of version 2, which {} does not have (engine: {}){}".format(
                    facts.name, facts.package, advice
                )
            )
    for name, project in settings.projects.items():
        bring_up(machine, name, project)
    for name in gone if settings.purge else ():
        machine.change("take down the compose project {}".format(name), lambda name=name: take_down(machine, name))


def bring_up(machine, name, project):
    folder = "{}/{}".format(COMPOSE_DIR, name)
    variables = dict(project["environment"], **project["secrets"])
    files = {
        compose_file(name): project["file"].encode(),
        folder + "/.env": "".join(env_line(*item) for item in sorted(variables.items())).encode(),
    }
    changed = [path for path, content in files.items() if machine.differs(path, content, 0o600)]
    note = folder + "/.unfinished"
    if not changed and machine.read(note) is None and (not machine.alive or is_up(name)):
        return

    def act():
        if machine.alive:
            with machine.scratch() as directory:
                for path, content in files.items():
                    machine.write(os.path.join(directory, os.path.basename(path)), content, 0o600)
                command = compose_command(name, directory)
                try:
                    machine.run([*command, "config", "--quiet"])
                except Problem as problem:
                    raise Problem("compose project {} is not valid".format(name), problem.detail) from None
        with machine.noted(note):
            for path in changed:
                machine.write(path, files[path], 0o600)
            if machine.alive:
                start_project(machine, name, folder)

    machine.change("bring up the compose project {}".format(name), act)


def start_project(machine, name, folder):
    try:
        machine.run([*compose_command(name, machine.path(folder)), "up", "--detach", "--remove-orphans"], timeout=3000)
    except Problem as problem:
        raise Problem("compose project {} did not come up: {}".format(name, problem.text), problem.detail) from None


def compose_command(name, folder):
    return ["docker", "compose", "--project-name", name, "--project-directory", folder,
            "--file", folder + "/compose.yaml", "--env-file", folder + "/.env"]  # fmt: skip


def env_line(key, value):
    """Return one line of the .env file, with nothing left to interpolate."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$").replace("\n", "\\n")
    return '{}="{}"\n'.format(key, escaped)


def containers_of(project):
    """Return a project's containers without what somebody started with `docker compose run`."""
    labels = ["com.docker.compose.project=" + project, "com.docker.compose.oneoff=False"]
    query = urllib.request.quote(json.dumps({"label": labels}))
    return ask_engine("/containers/json?all=1&filters=" + query) or []


def refuse_foreign_projects(machine, settings, facts):
    """Stop where somebody else's project has a name from the settings: Compose would replace its containers."""
    for name in sorted(set(settings.projects) - set(facts.state.get("projects") or [])):
        own = os.path.realpath(machine.path(os.path.dirname(compose_file(name))))
        for container in containers_of(name):
            folder = (container.get("Labels") or {}).get("com.docker.compose.project.working_dir") or ""
            if folder and os.path.realpath(folder) != own:
                raise Problem(
                    "compose project {}: the machine has one of this name already, from {}; use another name, or take "
                    "that one down".format(name, folder)
                )


def is_up(project):
    """Return whether the project's containers exist and each of them runs or has ended well."""
    containers = containers_of(project)
    return bool(containers) and all(
        one.get("State") == "running" or "Exited (0)" in one.get("Status", "") for one in containers
    )


def take_down(machine, name, engine_runs=True):
    """Remove the project's containers and files; without an engine, its files alone."""
    folder = "{}/{}".format(COMPOSE_DIR, name)
    if machine.alive and engine_runs and machine.read(folder + "/compose.yaml") is not None:
        machine.run([*compose_command(name, folder), "down", "--remove-orphans"], timeout=900)
    shutil.rmtree(machine.path(folder), ignore_errors=True)
