# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Do the main job on a real subscription and write a report without secrets: docs/real-azure.md.

Everything is created in a resource group of its own, and deleted at the end even if a step fails. Keys, certificates
and the Docker context are in the work directory, not in the user's home.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import re
import secrets
import subprocess
import sys
import time
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

COST = """\
This creates two small virtual machines in your subscription, and deletes them after about an hour:
  2 VMs with 2 vCPUs and 4 GiB (Standard_B2als_v2 where your subscription has it)   about 0.10 USD
  2 disks of 30 GiB and 1 public IP address                                         about 0.02 USD
  the expected total is below 0.50 USD, also with the dearest of the default sizes
Prices differ between regions and contracts: https://azure.microsoft.com/pricing/calculator
"""
HELP = "docs/real-azure.md describes every step."
RECAP = re.compile(r"^\S+\s+: ok=\d+ +changed=(\d+) +unreachable=\d+ +failed=\d+", re.MULTILINE)
MACHINE = re.compile(r"create virtual machine \S+: (\S+ in \w+)")
PACKAGES = ("ansible-core", "azure-core", "azure-identity", "azure-mgmt-compute", "azure-mgmt-core", "cryptography")
STEP_SECONDS = 3600
SHOWN_LINES = 40
# What must not be in a report, each with what is there instead. The order matters.
PATTERNS = (
    (re.compile(r"-----BEGIN [^-]+-----.*?(-----END [^-]+-----|\Z)", re.DOTALL), "(PEM)"),
    (re.compile(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", re.IGNORECASE), "(GUID)"),
    (re.compile(r"\b[\w-]+(\.[\w-]+)*\.(cloudapp|onmicrosoft)(\.[\w-]+)+\b", re.IGNORECASE), "(NAME)"),
    (re.compile(r"\b\d{1,3}(\.\d{1,3}){3}\b"), "(ADDRESS)"),
    (re.compile(r"\b[\w.+-]+@[\w-]+(\.[\w-]+)+\b"), "(ACCOUNT)"),
    (re.compile(r"[A-Za-z0-9+/_=-]{60,}"), "(DATA)"),
)


@dataclass(frozen=True)
class Step:
    """One run of a playbook.

    :param changes: whether it must change something, None if either is right.
    """

    title: str
    playbook: str
    host: str
    variables: t.Mapping[str, t.Any] = field(default_factory=dict)
    arguments: tuple[str, ...] = ()
    changes: bool | None = True


@dataclass(frozen=True)
class Outcome:
    """What became of a step.

    :param problem: why it counts as failed, empty if it does not.
    """

    step: Step
    seconds: float
    problem: str
    output: str


PUBLIC, PRIVATE = "trial1", "trial2"
PORT = {"docker_host_port": 5000}
ALONE = {"docker_host_assign_public_ip": False, "docker_host_wait": False, "docker_host_context": False}
STEPS = (
    Step("Predict the first host", "create_docker_host", PUBLIC, arguments=("--check",)),
    Step("Create the first host", "create_docker_host", PUBLIC),
    Step("Run again without a change", "create_docker_host", PUBLIC, changes=False),
    Step("Move the engine to port 5000", "create_docker_host", PUBLIC, PORT),
    Step("Renew the certificates", "rotate_docker_certs", PUBLIC, PORT),
    Step("Create a host without a public address", "create_docker_host", PRIVATE, ALONE),
)
GROUP_TOO = {"docker_host_remove_on_absent": ["resource_group"]}
CLEANUP = (
    Step("Delete the host without a public address", "delete_docker_host", PRIVATE, ALONE, changes=None),
    Step("Delete the first host and the group", "delete_docker_host", PUBLIC, GROUP_TOO, changes=None),
    Step("Delete again without a change", "delete_docker_host", PUBLIC, GROUP_TOO, changes=False),
)


class Trial:
    """The steps in one resource group.

    :param work: a directory for keys, certificates, the Docker context and the report.
    :param variables: role variables for every step.
    """

    def __init__(self, work: Path, collections: str, variables: t.Mapping[str, t.Any]) -> None:
        self.group = f"docker-host-trial-{secrets.token_hex(3)}"
        self.work = work / self.group
        self.work.mkdir(mode=0o700, parents=True)
        self.environment = {
            **os.environ,
            "ANSIBLE_COLLECTIONS_PATH": collections,
            "ANSIBLE_NOCOLOR": "true",
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
            "DOCKER_CONFIG": str(self.work / "docker"),
        }
        self.variables = {
            "docker_host_resource_group": self.group,
            "docker_host_cert_dir": str(self.work / "certs"),
            "docker_host_ssh_private_key_path": str(self.work / "ssh_key"),
            **variables,
        }

    def run(self, step: Step) -> Outcome:
        """Run one step, and judge it."""
        variables = {**self.variables, "docker_host_name": step.host, **step.variables}
        command = ["ansible-playbook", f"dockerhost.azure.{step.playbook}", "-e", json.dumps(variables)]
        print(f"{step.title} ...", flush=True)
        begun = time.monotonic()
        try:
            ran = subprocess.run(
                [*command, *step.arguments],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=STEP_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            text = error.stdout.decode(errors="replace") if isinstance(error.stdout, bytes) else error.stdout or ""
            outcome = Outcome(step, STEP_SECONDS, f"did not end within {STEP_SECONDS} s", text)
        else:
            outcome = Outcome(step, time.monotonic() - begun, _problem(step, ran.returncode, ran.stdout), ran.stdout)
        print(f"  {outcome.problem or 'as expected'}, {outcome.seconds:.0f} s", flush=True)
        return outcome

    def run_all(self) -> list[Outcome]:
        """Run the steps until one fails, and then delete everything."""
        outcomes: list[Outcome] = []
        try:
            for step in STEPS:
                outcomes.append(self.run(step))
                if outcomes[-1].problem:
                    break
        finally:
            outcomes += [self.run(step) for step in CLEANUP]
        return outcomes


def _problem(step: Step, code: int, output: str) -> str:
    if code:
        return f"ansible-playbook ended with {code}"
    changed = sum(int(match[1]) for match in RECAP.finditer(output))
    if step.changes is not None and bool(changed) != step.changes:
        return f"{changed} tasks changed something, expected {'some' if step.changes else 'none'}"
    return ""


def redacted(text: str, environment: t.Mapping[str, str], work: Path) -> str:
    """Return a text without identities, addresses, keys and paths of the user."""
    hidden = {value: f"({name})" for name, value in environment.items() if name.startswith("AZURE_") and len(value) > 3}
    hidden[str(work)] = "(WORK)"
    hidden[str(Path.home())] = "~"
    for value in sorted(hidden, key=len, reverse=True):
        text = text.replace(value, hidden[value])
    for pattern, instead in PATTERNS:
        text = pattern.sub(instead, text)
    return text


def report(trial: Trial, outcomes: t.Sequence[Outcome]) -> str:
    """Return the report in Markdown."""
    machine = next((match[1] for outcome in outcomes if (match := MACHINE.search(outcome.output))), "unknown")
    lines = [
        "# dockerhost.azure on a real subscription",
        "",
        f"- Collection: {_collection_version(trial.environment['ANSIBLE_COLLECTIONS_PATH'])}",
        f"- Python {platform.python_version()} on {platform.system()}; {', '.join(_versions())}",
        f"- Virtual machine: {machine}",
        "",
        "| step | seconds | result |",
        "|---|---|---|",
        *(f"| {each.step.title} | {each.seconds:.0f} | {each.problem or 'as expected'} |" for each in outcomes),
    ]
    for outcome in outcomes:
        if outcome.problem:
            last = "\n".join(outcome.output.splitlines()[-SHOWN_LINES:])
            lines += ["", f"## {outcome.step.title}", "", "```", last, "```"]
    return redacted("\n".join(lines) + "\n", trial.environment, trial.work)


def _versions() -> t.Iterator[str]:
    for name in PACKAGES:
        try:
            yield f"{name} {importlib.metadata.version(name)}"
        except importlib.metadata.PackageNotFoundError:
            yield f"{name} missing"


def _collection_version(collections: str) -> str:
    manifest = Path(collections, "ansible_collections", "dockerhost", "azure", "MANIFEST.json")
    if not manifest.exists():
        return "from the working tree"
    return str(json.loads(manifest.read_text(encoding="utf-8"))["collection_info"]["version"])


def refusal(environment: t.Mapping[str, str]) -> str:
    """Return why nothing may be created, empty if it may."""
    if not environment.get("AZURE_SUBSCRIPTION_ID"):
        return "Set AZURE_SUBSCRIPTION_ID to the subscription that pays, and sign in as docs/getting-started.md says."
    if more_variables(environment) is None:
        return f"VARIABLES must be a dictionary in JSON, got {environment['VARIABLES']!r}."
    if environment.get("CONFIRM") != "yes":
        return "To create this, run again with CONFIRM=yes."
    return ""


def more_variables(environment: t.Mapping[str, str]) -> dict[str, t.Any] | None:
    """Return the role variables that the user gives for every step, None if they are no dictionary in JSON."""
    try:
        variables = json.loads(environment.get("VARIABLES") or "{}")
    except ValueError:
        return None
    return variables if isinstance(variables, dict) else None


def main() -> int:
    """Run the trial; return 0 if every step was as expected, 1 if not, 2 if nothing was done."""
    parser = argparse.ArgumentParser(description=__doc__, epilog=HELP)
    parser.add_argument("--collections", required=True, help="directory of the installed collection")
    parser.add_argument("--work", required=True, type=Path, help="directory for keys, certificates and the report")
    arguments = parser.parse_args()
    print(COST, flush=True)
    reason = refusal(os.environ)
    if reason:
        print(f"{reason} {HELP}", file=sys.stderr)
        return 2
    location = {"docker_host_location": os.environ.get("LOCATION") or "westeurope"}
    trial = Trial(arguments.work.absolute(), arguments.collections, {**location, **(more_variables(os.environ) or {})})
    outcomes = trial.run_all()
    path = trial.work / "report.md"
    path.write_text(report(trial, outcomes), encoding="utf-8")
    print(f"Report: {path}")
    if any(outcome.problem for outcome in outcomes[-len(CLEANUP) :]):
        print(f"Not everything was deleted: run `az group delete --name {trial.group}`.", file=sys.stderr)
    return 1 if any(outcome.problem for outcome in outcomes) else 0


if __name__ == "__main__":
    sys.exit(main())
