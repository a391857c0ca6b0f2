# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The commands of az that the owner of a Docker host types, one after the other: az_commands.txt."""

from __future__ import annotations

import json
import shlex
import subprocess
import typing as t
from pathlib import Path

import pytest

from azure_emulator.launcher import LocalAzure
from azure_emulator.machines.names import command_with_hosts
from azure_emulator.vault.testing import object_id

from . import client_venvs, figures
from .conftest import need
from .support import Az

HERE = Path(__file__).resolve().parent


class Command(t.NamedTuple):
    """One command.

    :param refusal: a part of the exit status and error with which it must be refused; empty for one that must succeed.
    """

    words: list[str]
    refusal: str


TEMPLATE = """{
  // A comment, as templates of people have them.
  "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
  "contentVersion": "1.0.0.0",
  "parameters": {"name": {"type": "string"}},
  "resources": [
    {
      "type": "Microsoft.Network/publicIPAddresses",
      "apiVersion": "2023-09-01",
      "name": "[parameters('name')]",
      "location": "[resourceGroup().location]",
      "sku": {"name": "Standard"},
      "properties": {"publicIPAllocationMethod": "Static"}
    }
  ],
  "outputs": {
    "id": {"type": "string", "value": "[resourceId('Microsoft.Network/publicIPAddresses', parameters('name'))]"}
  }
}
"""


def commands(**names: str) -> list[Command]:
    """Return the commands of the file, with names in place of its placeholders."""
    found: list[Command] = []
    for line in (HERE / "az_commands.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            refusal, _mark, text = line.rpartition(" ! ")
            lexer = shlex.shlex(text, posix=True, punctuation_chars=False)
            lexer.whitespace_split, lexer.quotes, lexer.commenters = True, "\"'", ""
            found.append(Command([word.format(**names) for word in lexer], refusal))
    return found


@pytest.mark.timeout(1800)
def test_tour_of_az(ssh_public_key: str, tmp_path: Path) -> None:
    need("az")
    with LocalAzure() as azure:
        az = Az(azure, tmp_path)
        az.sign_in()
        template = tmp_path / "template.json"
        template.write_text(TEMPLATE, encoding="utf-8")
        tour = commands(
            g="rg-tour",
            sub=azure.subscription_id,
            key=ssh_public_key,
            vault="tour-vault",
            template=str(template),
            oid=object_id(azure),
        )
        done = subprocess.run(
            command_with_hosts(Path(azure.hosts_file), [str(client_venvs.python("az")), str(HERE / "az_session.py")]),
            input="".join(json.dumps(command.words) + "\n" for command in tour),
            env=az.environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(answers) == len(tour), done.stderr[-3000:]
    wrong = [
        f"az {' '.join(command.words)}: {error}"
        for command, (status, _printed, error) in zip(tour, answers, strict=True)
        if (status == 0) != (not command.refusal) or command.refusal not in error
    ]
    assert not wrong, f"{len(wrong)} of {len(tour)} commands:\n" + "\n\n".join(wrong)
    refused = [command for command in tour if command.refusal]
    figures.note("az CLI", figures.versions(client_venvs.python("az"), "azure-cli"), len(tour), len(refused))
