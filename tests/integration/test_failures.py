# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Creates that fail or are killed, through playbooks: the next run ends with the one complete set."""

from __future__ import annotations

import re
import time
import typing as t
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from azure_emulator.launcher import LocalAzure
from azure_emulator.process_trees import kill_tree

from .plays import Options, Plays, failures

QUOTA = (
    "Operation could not be completed as it results in exceeding approved Total Regional Cores quota. Additional"
    " details - Deployment Model: Resource Manager, Location: westeurope, Current Limit: 10, Current Usage: 10,"
    " Additional Required: 2, (Minimum) New Limit Required: 12."
)
SKU = (
    "The requested VM size for resource 'Following SKUs have failed for Capacity Restrictions: Standard_B2als_v2' is"
    " currently not available in location 'westeurope'. Please try another size or deploy to a different location."
)
POLICY = "Resource 'web1-ip' was disallowed by policy. Policy identifiers: 'No public addresses'."
RIGHT = (
    "The client 'x' with object id 'y' does not have authorization to perform action"
    " 'Microsoft.Network/networkSecurityGroups/write' over scope '/subscriptions/s' or the scope is invalid."
)


class Case(t.NamedTuple):
    """A way in which one host's first run fails.

    :param what: the resource whose PUT is struck, as its type and name are in a path.
    :param fault: fields of the fault.
    :param code: Azure's code, or the SDK's name of a request without an answer.
    :param says: what else the error says; a regular expression.
    """

    what: str
    fault: dict[str, t.Any]
    code: str
    says: str
    options: Options = {}


def refused(status: int, code: str, message: str) -> dict[str, t.Any]:
    """A fault that answers an error, again and again."""
    return {"action": "status", "status": status, "code": code, "message": message, "times": 0}


CASES = {
    "before": Case("networkInterfaces/web1-nic", {"action": "reset", "times": 0}, "ServiceRe", "Connection"),
    "after": Case("virtualMachines/web1", {"action": "reset_after", "times": 0}, "ServiceRe", "Connection"),
    "throttled": Case(
        "virtualMachines/web1",
        {"action": "throttle", "retry_after": 1, "times": 0},
        "OperationNotAllowed",
        "too many requests",
    ),
    "unavailable": Case(
        "networkSecurityGroups/web1-nsg",
        {"action": "status", "status": 503, "times": 0},
        "ServiceUnavailable",
        "unavailable",
    ),
    "failed": Case(
        "virtualMachines/web1",
        {"action": "operation", "ends": "Failed", "times": 0},
        "InternalExecutionError",
        "retry later",
    ),
    "quota": Case("virtualMachines/web1", refused(409, "OperationNotAllowed", QUOTA), "OperationNotAllowed", "of 100"),
    "size": Case(
        "virtualMachines/web1",
        refused(409, "SkuNotAvailable", SKU),
        "SkuNotAvailable",
        "Similar sizes in .*: Standard_",
    ),
    "label": Case(
        "publicIPAddresses/web1-ip",
        refused(400, "DnsRecordInUse", "DNS record x is already used by another public IP."),
        "DnsRecordInUse",
        "another dns_label",
    ),
    "policy": Case(
        "publicIPAddresses/web1-ip",
        refused(403, "RequestDisallowedByPolicy", POLICY),
        "RequestDisallowedByPolicy",
        "No public addresses.*policy of the subscription",
    ),
    "rights": Case(
        "networkSecurityGroups/web1-nsg",
        refused(403, "AuthorizationFailed", RIGHT),
        "AuthorizationFailed",
        r"lacks the permission Microsoft\.Network/networkSecurityGroups/write on /subscriptions/s.*rights\.md",
    ),
}


@pytest.fixture(scope="module")
def azure() -> t.Iterator[LocalAzure]:
    with LocalAzure() as running:
        yield running


@pytest.fixture
def plays(azure: LocalAzure, tmp_path: Path) -> t.Iterator[Plays]:
    yield Plays(azure, tmp_path)
    azure.hold(False)
    azure.faults_clear()


class Undisturbed(t.NamedTuple):
    """A create that nothing disturbs.

    :param shape: what it leaves.
    :param requests: method and path of each of its requests, in order.
    """

    shape: list[str]
    requests: list[str]


@pytest.fixture(scope="module")
def undisturbed(azure: LocalAzure, tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    alone = Plays(azure, tmp_path_factory.mktemp("alone"))
    azure.clear_requests()
    ran = alone.run({"alone": {}})
    assert ran.code == 0, ran.output
    requests = [f"{entry['method']} {entry['path']}" for entry in azure.requests()]
    return Undisturbed(alone.shape("alone"), requests)


@pytest.fixture(scope="module")
def clean(undisturbed: Undisturbed) -> list[str]:
    return undisturbed.shape


def test_ten_ways_to_fail(plays: Plays, clean: list[str]) -> None:
    """Ten hosts of one play, each with a fault of its own; then the same play without them."""
    hosts = {name: case.options for name, case in CASES.items()}
    for name, case in CASES.items():
        plays.azure.fault(method="PUT", path=f"/rg-{name}/providers/.*/{case.what}$", **case.fault)
    ran = plays.run(hosts)
    failed = failures(ran)
    assert sorted(failed) == sorted(CASES), ran.output[-8000:]
    for name, case in CASES.items():
        check_message(failed[name], case)
        assert sorted(path.lower() for path in failed[name]["exists"]) == plays.ids(name), name
    plays.azure.faults_clear()
    again = plays.run(hosts)
    assert again.code == 0, again.output[-8000:]
    for name in CASES:
        assert plays.shape(name) == clean, name
    third = plays.run(hosts)
    assert third.changed == dict.fromkeys(CASES, 0), third.output[-8000:]


def check_message(result: dict[str, t.Any], case: Case) -> None:
    """Operation, resource, Azure's code and message, the request id, advice, and what exists so far."""
    text = result["msg"]
    error = result["azure_error"]
    assert text.startswith(f"Could not create the {error['operation'].removeprefix('create the ')} (/subscriptions/")
    assert error["resource"].endswith(case.what)
    assert error["resource"] in text
    assert error["code"].startswith(case.code)
    assert f": {error['code']}: {error['message']}" in text
    if error["status"]:
        assert f"(request id {error['request_id']})" in text
    assert re.search(case.says, text, re.DOTALL), text
    assert f"Exists so far: {', '.join(result['exists'])}. Run again to resume." in text


def test_an_operation_that_does_not_end(plays: Plays, clean: list[str]) -> None:
    hosts = {"endless": {"wait_timeout": 2}}
    plays.azure.hold()
    for _wave in ("network", "machine"):
        for _run in ("begins it", "takes it up"):
            result = failures(plays.run(hosts))["endless"]
            assert result["azure_error"]["code"] == "WaitTimeout"
            assert "wait_timeout (2 s)" in result["msg"]
            assert "Exists so far: " in result["msg"]
        going_on = under_way(plays, "endless")
        assert going_on
        for operation in going_on:
            plays.azure.release(operation)
    plays.azure.hold(False)
    assert plays.run(hosts).code == 0
    assert plays.shape("endless") == clean


def under_way(plays: Plays, host: str) -> list[str]:
    """The operations that go on in a host's group."""
    found = [entry for entry in plays.azure.operations() if entry["status"] == "InProgress"]
    return [entry["id"] for entry in found if f"/rg-{host}/" in f"{entry['target']}/".lower()]


REFUSED: dict[str, tuple[Options, str]] = {
    "no-quota": ({"vm_size": "Standard_D16s_v5"}, r"needs 16 vCPUs, but .* of 10 .* are used"),
    "no-size": (
        {"vm_size": "Standard_B2as_v2"},
        r"Standard_B2as_v2 is not available in westeurope .* Available are Standard_",
    ),
    "no-label": ({"dns_label": "taken"}, "'taken' is taken in westeurope"),
    "no-image": (
        {"image": "Canonical:ubuntu-24_04-lts:server:1.2.3"},
        "does not exist in westeurope: docker_vm_image_info",
    ),
    "no-terms": (
        {"image": "acme:linux:pro:1.0.0", "plan": {"name": "pro", "product": "linux", "publisher": "acme"}},
        "az vm image terms accept --publisher acme --offer linux --plan pro",
    ),
    "no-windows": ({"image": "MicrosoftWindowsServer:WindowsServer:2022:1.0.0"}, "is Windows"),
}
SWITCHES = {
    "cores_quota": 10,
    "sku_not_available": ["Standard_B2as_v2"],
    "taken_labels": ["taken"],
    "extra_images": ["acme:linux:pro:1.0.0", "MicrosoftWindowsServer:WindowsServer:2022:1.0.0"],
    "sold_images": ["acme:linux:pro"],
}


@pytest.fixture
def switches(azure: LocalAzure) -> t.Iterator[t.Callable[[str, t.Any], None]]:
    """Sets switches; they are set back at the end."""
    before = azure.control("GET", "switches")
    yield azure.switch
    for name, value in before.items():
        azure.switch(name, value)


@pytest.mark.parametrize("check", [True, False])
def test_what_azure_would_refuse_is_refused_before_anything_is_changed(
    plays: Plays, switches: t.Callable[[str, t.Any], None], check: bool
) -> None:
    for name, value in SWITCHES.items():
        switches(name, value)
    plays.azure.clear_requests()
    ran = plays.run({name: options for name, (options, _says) in REFUSED.items()}, *(["--check"] if check else []))
    failed = failures(ran)
    assert sorted(failed) == sorted(REFUSED), ran.output[-8000:]
    for name, (_options, says) in REFUSED.items():
        assert re.search(says, failed[name]["msg"]), failed[name]["msg"]
    assert [entry["path"] for entry in plays.azure.requests() if entry["writing"]] == []


def test_a_provider_that_nobody_registered(plays: Plays, switches: t.Callable[[str, t.Any], None]) -> None:
    switches("unregistered", ["Microsoft.Network"])
    switches("forbidden", ["Microsoft.Network/register/action"])
    result = failures(plays.run({"unregistered": {}}))["unregistered"]
    assert "az provider register --namespace Microsoft.Network --wait" in result["msg"]
    assert plays.ids("unregistered") == []
    switches("forbidden", [])
    ran = plays.run({"unregistered": {}})
    assert ran.code == 0, ran.output
    assert "resource provider Microsoft.Network" not in str(failures(ran))


def test_rights_that_nobody_gave(plays: Plays, switches: t.Callable[[str, t.Any], None]) -> None:
    switches("forbidden", ["Microsoft.Compute/virtualMachines/write"])
    result = failures(plays.run({"powerless": {}}))["powerless"]
    assert "Microsoft.Compute/virtualMachines/write" in result["msg"]
    assert "rights.md" in result["msg"]
    assert plays.ids("powerless") == []


# Being killed


def kill_at(plays: Plays, host: str, **fault: t.Any) -> None:
    """Run until a request is with Azure, then kill everything that belongs to the run; Azure answers nobody.

    :param fault: which request it is.
    """
    plays.azure.clear_requests()
    plays.azure.fault("slow", seconds=0.5, **fault)
    run = plays.begin({host: {}})
    try:
        struck = plays.struck(run)
    finally:
        kill_tree(run)
    # How often operations are polled differs a little: the run may have ended before the last of them.
    assert struck or run.returncode == 0, (plays.home / "output").read_text()[-6000:]
    while struck and not any(entry["fault"] == "slow" for entry in plays.azure.requests()):
        time.sleep(0.02)
    plays.azure.faults_clear()
    plays.azure.settle()


def check_second_run(plays: Plays, host: str, clean: list[str]) -> None:
    """The next run ends with the same as a create that nothing disturbed, and the VM has the key that is here."""
    ran = plays.run({host: {}})
    assert ran.code == 0, ran.output[-6000:]
    assert plays.shape(host) == clean
    public = (plays.home / f"key-{host}.pub").read_text().strip()
    machine = next(value for key, value in plays.azure.dump().items() if key.endswith(f"/rg-{host}/providers/{VM}"))
    keys = machine["properties"]["osProfile"]["linuxConfiguration"]["ssh"]["publicKeys"]
    assert [entry["keyData"].split()[1] for entry in keys] == [public.split()[1]]


VM = "Microsoft.Compute/virtualMachines/web1"


@pytest.mark.parametrize("what", ["/virtualNetworks/docker-vnet", "/networkInterfaces/web1-nic", f"/{VM}"])
def test_killed_while_it_makes(plays: Plays, clean: list[str], what: str) -> None:
    host = f"killed-{what.rpartition('/')[2]}"
    kill_at(plays, host, method="PUT", path=f"{what}$")
    check_second_run(plays, host, clean)


def test_killed_while_azure_works(plays: Plays, clean: list[str]) -> None:
    """The VM's creation goes on in Azure; the second run waits for it."""
    azure = plays.azure
    azure.fault("slow", method="PUT", path=f"/rg-held/.*/{VM}$", seconds=0.5)
    first = plays.begin({"held": {}})
    assert plays.struck(first)
    azure.hold()
    while not (held := under_way(plays, "held")):
        time.sleep(0.02)
    kill_tree(first)
    azure.hold(False)
    second = plays.begin({"held": {}})
    try:
        assert plays.shows("web1: VM Creating"), (plays.home / "output").read_text()
    finally:
        for operation in held:
            azure.release(operation)
    assert plays.end(second).code == 0
    assert plays.shape("held") == clean


WORKERS = 4


@pytest.mark.slow
def test_killed_at_each_request(undisturbed: Undisturbed, tmp_path: Path) -> None:
    """SIGKILL of the whole run at every request of a create, each in a group of its own."""
    count = len(undisturbed.requests)
    assert count > 30

    def worker(first: int) -> list[str]:
        problems: list[str] = []
        with LocalAzure() as azure:
            home = tmp_path / f"worker-{first}"
            home.mkdir()
            plays = Plays(azure, home)
            for nth in range(first, count + 1, WORKERS):
                try:
                    kill_at(plays, f"killed-{nth}", nth=nth)
                    check_second_run(plays, f"killed-{nth}", undisturbed.shape)
                except AssertionError as error:
                    problems.append(f"request {nth}: {error}")
        return problems

    with ThreadPoolExecutor(WORKERS) as pool:
        found = [problem for problems in pool.map(worker, range(1, WORKERS + 1)) for problem in problems]
    assert found == []
