# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Resource Manager and real guests together: what is asked of one happens in the other."""

from __future__ import annotations

import base64
import itertools
import os
import socket
import time
import typing as t
from pathlib import Path

import pytest

from azure_emulator.launcher import LocalAzure
from azure_emulator.machines.possible import guests_possible

from .conftest import Arm

pytestmark = [
    pytest.mark.guests,
    pytest.mark.skipif(guests_possible() is not None, reason=f"no guests here: {guests_possible()}"),
]
CACHE = os.environ.get("DOCKERHOST_CACHE") or str(Path(__file__).resolve().parents[3] / ".cache")
VM = "Microsoft.Compute/virtualMachines/vm"
RULE = "Microsoft.Network/networkSecurityGroups/nsg/securityRules/web"
SERVE = "systemd-run --quiet --collect --unit=web$$ python3 -m http.server 8080 --directory /etc\n"
# The agent writes this line once it has reported that the extension has ended.
ONCE_REPORTED = "until grep -q 'reached a terminal state' /var/log/waagent.log; do sleep 0.1; done"
POWER_OFF_LATER = f'systemd-run --quiet sh -c "{ONCE_REPORTED}; systemctl poweroff"'
_numbers = itertools.count(1)


def _start(directory: Path) -> LocalAzure:
    """The server, with guests and this state; as a context manager it stops at the end."""
    return LocalAzure(machines="guests", state_dir=directory, options=["--cache-dir", CACHE])


def _opens(address: str, wanted: bool) -> bool:
    """Whether connections to port 8080 open, or stay shut, as wanted."""
    opened = not wanted
    for _attempt in range(40):
        try:
            socket.create_connection((address, 8080), 1).close()
            opened = True
        except OSError:
            opened = False
        if opened == wanted:
            break
        time.sleep(0.1)
    return opened == wanted


def _script(arm: Arm, script: str) -> dict[str, t.Any]:
    protected = {"script": base64.b64encode(f"#!/bin/sh\n{script}".encode()).decode()}
    body = arm.extension_body(settings={"timestamp": next(_numbers)}, protectedSettings=protected)
    return arm.follow(arm.put(f"{VM}/extensions/script", body))


def _address(arm: Arm) -> str:
    return str(arm.get("Microsoft.Network/publicIPAddresses/ip").json()["properties"]["ipAddress"])


def _rule() -> dict[str, t.Any]:
    anything = {f"{side}{what}": "*" for side in ("source", "destination") for what in ("AddressPrefix", "PortRange")}
    properties = {"protocol": "Tcp", "access": "Allow", "direction": "Inbound", "priority": 100}
    return {"properties": {**properties, **anything, "destinationPortRange": "8080"}}


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("guests") / "state"


def test_a_machine_from_creation_to_a_crash(directory: Path) -> None:
    azure = _start(directory).start()
    try:
        arm = Arm(azure, "guests")
        arm.put(arm.group, {"location": "eastus"})
        arm.network()
        arm.vm()
        address = _address(arm)
        assert _script(arm, f"echo hello from $(hostname)\n{SERVE}")["status"] == "Succeeded"
        view = arm.get(f"{VM}/instanceView").json()["extensions"][0]["statuses"][0]
        assert "hello from vm" in view["message"]
        assert _opens(address, False)
        arm.done(arm.put(RULE, _rule()))
        assert _opens(address, True)
        arm.done(arm.delete(RULE))
        assert _opens(address, False)
        arm.done(arm.put(RULE, _rule()))
        failed = _script(arm, "echo out; echo bad >&2; exit 3")
        assert failed["error"]["code"] == "VMExtensionProvisioningError"
        assert "exit status=3" in failed["error"]["message"]
        arm.done(arm.post(f"{VM}/deallocate"))
        assert _opens(address, False)
        arm.done(arm.post(f"{VM}/start"))
        assert _script(arm, f"echo kept >/root/kept\n{SERVE}")["status"] == "Succeeded"
        assert _opens(address, True)
    finally:
        azure.kill()
        azure.stop()
    with _start(directory) as azure:
        arm = Arm(azure, "guests")
        assert arm.get(f"{VM}/instanceView").json()["vmAgent"]["statuses"][0]["displayStatus"] == "Ready"
        assert _address(arm) == address
        assert _script(arm, f"cat /root/kept\n{SERVE}")["status"] == "Succeeded"
        assert _opens(address, True)
        assert "kept" in arm.get(f"{VM}/instanceView").json()["extensions"][0]["statuses"][0]["message"]
        command = {"location": "eastus", "properties": {"source": {"script": "id -un; exit 4"}}}
        arm.done(arm.put(f"{VM}/runCommands/who", command))
        result = arm.get(f"{VM}/runCommands/who", dollar_expand="instanceView").json()["properties"]["instanceView"]
        assert (result["executionState"], result["exitCode"], result["output"].strip()) == ("Failed", 4, "root")
        older = {
            "commandId": "RunShellScript",
            "script": ["echo $1 $who"],
            "parameters": [{"name": "who", "value": "me"}],
        }
        output = arm.follow(arm.post(f"{VM}/runCommand", older))["properties"]["output"]
        assert "[stdout]\nme me\n" in output["value"][0]["message"]
        assert "Reached target" in azure.console_log(arm.get(VM).json()["id"])
        arm.done(arm.delete(VM))
        assert _opens(address, False)


def _power(arm: Arm, wanted: str) -> str:
    """The power state, as soon as it is the wanted one or after half a minute."""
    for _attempt in range(300):
        statuses = arm.get(f"{VM}/instanceView").json()["statuses"]
        state = next(str(s["code"]) for s in statuses if s["code"].startswith("PowerState/"))
        if state == wanted:
            break
        time.sleep(0.1)
    return state


def test_a_machine_that_powers_itself_off_is_stopped_and_can_be_started(tmp_path: Path) -> None:
    with _start(tmp_path / "state") as azure:
        arm = Arm(azure, "guests")
        arm.put(arm.group, {"location": "eastus"})
        arm.network()
        arm.vm()
        assert _script(arm, POWER_OFF_LATER)["status"] == "Succeeded"
        assert _power(arm, "PowerState/stopped") == "PowerState/stopped"
        assert arm.get(VM, dollar_expand="instanceView").json()["properties"]["provisioningState"] == "Succeeded"
        refused = arm.put(f"{VM}/extensions/script", arm.extension_body())
        assert (refused.status_code, refused.json()["error"]["code"]) == (409, "OperationNotAllowed")
        arm.done(arm.post(f"{VM}/start"))
        assert _power(arm, "PowerState/running") == "PowerState/running"
        assert _script(arm, "echo back")["status"] == "Succeeded"
        lost = _script(arm, "systemctl poweroff; sleep 600")
        assert (lost["status"], lost["error"]["code"]) == ("Failed", "VMAgentStatusCommunicationError")
