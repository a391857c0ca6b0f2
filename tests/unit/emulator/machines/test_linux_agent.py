# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Microsoft's own agent in a guest, and the services that it finds there. The tests go in order on one guest."""

from __future__ import annotations

import base64
import json
import typing as t
from collections.abc import Iterator

import pytest

from azure_emulator.machines.base import ExtensionSettings, HandlerReference, HandlerResult, RunCommandSpec
from azure_emulator.machines.guests import GuestMachine
from azure_emulator.machines.possible import guests_possible

from . import supplied
from .conftest import Guests

SCRIPT = "Microsoft.Azure.Extensions.CustomScript"
HOME = f"/var/lib/waagent/{SCRIPT}-2.1.20"


@pytest.fixture(scope="module")
def guests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guests]:
    """Guests for whose agent a package of CustomScript 2.1.20, like Microsoft's, is supplied from outside."""
    reason = guests_possible()
    if reason:
        pytest.skip(reason)
    packages = tmp_path_factory.mktemp("handlers")
    (packages / f"{SCRIPT}__2.1.20.zip").write_bytes(supplied.package())
    made = Guests(tmp_path_factory.mktemp("guests"), handlers=packages)
    yield made
    made.close()


@pytest.fixture(scope="module")
def web(guests: Guests) -> GuestMachine:
    return guests.start("web", location="westeurope")


def push(guests: Guests, machine: GuestMachine, script: str, type_: str = "CustomScript") -> HandlerResult:
    protected = {"script": base64.b64encode(script.encode()).decode()}
    extension = ExtensionSettings("script", "Microsoft.Azure.Extensions", type_, "2.1.20", {}, protected)
    return guests.run(machine.enable_extension(extension))


def test_the_agent_is_debians_and_reports_by_itself(guests: Guests, web: GuestMachine) -> None:
    status = guests.run(web.agent_status())
    assert (status.state, status.message, status.handlers) == ("ready", "Guest Agent is running", ())
    assert status.version == guests.sh(web, "dpkg-query -W -f '${Version}' waagent").partition("-")[0]
    assert status.system == ("web", "debian", "12")


def test_a_guest_asks_for_itself_alone(guests: Guests, web: GuestMachine) -> None:
    ask = "curl -sS -m 2 -H Metadata:true 'http://169.254.169.254/metadata/instance/compute?api-version=2021-02-01'"
    assert json.loads(guests.sh(web, ask))["location"] == "westeurope"
    address = web.spec.interfaces[0].private_address
    stranger = f"ip address add 10.0.0.77/32 dev eth0; trap 'ip address del 10.0.0.77/32 dev eth0' EXIT; {ask}"
    assert guests.sh(web, ask.replace("-m 2", f"-m 2 --interface {address}"))
    assert guests.fails(web, stranger.replace("-m 2", "-m 2 --interface 10.0.0.77"))


def test_a_handler_that_nobody_packed_is_the_agents_error(guests: Guests, web: GuestMachine) -> None:
    unknown = push(guests, web, "#!/bin/sh\n", "Unheard")
    assert (unknown.status, unknown.code) == ("error", -1)
    assert "Unable to find version 2.1.20 in manifest" in unknown.message
    guests.run(web.remove_extension(HandlerReference("script", "Microsoft.Azure.Extensions", "Unheard")))


def test_run_commands_have_results_of_their_own(guests: Guests, web: GuestMachine) -> None:
    command = RunCommandSpec(
        'echo "$A $# $0"; id -un >&2; exit 4', (("A", "b"), ("", "un named")), name="one", run_as_user="azureuser"
    )
    result = guests.run(web.run_command(command))
    assert (result.exit_code, result.state, result.error) == (4, "Failed", "azureuser\n")
    assert result.output.startswith(" 2 /home/azureuser/"), "the shell splits unnamed parameters"
    assert result.message == "Execution failed: failed to execute command: command terminated with exit status=4"
    guests.run(web.forget_run_command("one"))


def test_a_supplied_handler_gets_its_settings_and_its_words_come_back(guests: Guests, web: GuestMachine) -> None:
    result = push(guests, web, "#!/bin/sh\necho ran >> /root/runs\necho secret-word-1 >&2\n")
    assert (result.status, result.handler_version) == ("success", "2.1.20")
    assert result.message == "Enable succeeded: \n[stdout]\n\n[stderr]\nsecret-word-1\n"
    failed = push(guests, web, "#!/bin/sh\necho ran >> /root/runs\nexit 3\n")
    assert failed.status == "error"
    assert "command terminated with exit status=3" in failed.message
    assert failed.substatus[0]["name"] == "ErrorClarification"
    (handler,) = guests.run(web.agent_status()).handlers or ()
    assert (handler.name, handler.version, handler.is_ready) == (SCRIPT, "2.1.20", True)
    guests.sh(
        web,
        f"cd {HOME}; test $(cat mrseq) = 1; grep -q protectedSettings config/1.settings; ! test -s config/0.settings",
    )
    log = guests.sh(web, f"cat /var/log/azure/{SCRIPT}/handler.log")
    assert "operation=enable seq=1" in log, "the supplied shim found the log folder in the agent's environment"
    assert guests.sh(
        web, f"readlink -f {HOME}/bin/custom-script-shim; stat -c %A {HOME}/bin/custom-script-shim"
    ).endswith("-rwxr--r--\n"), "the agent makes every file executable for its owner"
    guests.sh(web, "! grep -rl ran.*root/runs /var/lib/waagent --include=*.settings --include=*.xml --include=*.json")


def test_a_restart_reports_what_ran_and_runs_nothing_again(guests: Guests, web: GuestMachine) -> None:
    guests.run(web.restart())
    (handler,) = guests.run(web.agent_status()).handlers or ()
    assert (handler.name, handler.is_ready) == (SCRIPT, True)
    assert guests.sh(web, "cat /root/runs") == "ran\nran\n"


def test_a_removed_handler_is_gone(guests: Guests, web: GuestMachine) -> None:
    guests.run(web.remove_extension(HandlerReference("script", "Microsoft.Azure.Extensions", "CustomScript")))
    guests.sh(web, f"! test -e {HOME}")


def test_a_guest_without_agent_boots(guests: Guests, web: GuestMachine) -> None:
    """On another network with the address of the first guest."""
    address: dict[str, t.Any] = {"private_address": web.spec.interfaces[0].private_address, "network": "b"}
    bare = guests.start("bare", provision_agent=False, **address)
    assert guests.run(bare.agent_status()).state == "absent"
    assert guests.fails(bare, "systemctl is-active walinuxagent")
    ask = "curl -sS -H Metadata:true 'http://169.254.169.254/metadata/instance/compute/name?api-version=2021-02-01'"
    assert (guests.sh(bare, ask), guests.sh(web, ask)) == ("bare", "web")
