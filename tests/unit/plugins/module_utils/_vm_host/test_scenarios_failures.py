# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each request of a create that goes wrong in each way: the first run says so, the second ends complete."""

from __future__ import annotations

import json
import re
import typing as t

import pytest
from azure.core.pipeline.transport import RequestsTransport

from ansible_collections.dockerhost.azure.plugins.module_utils._azure.errors import AzureError, WaitTimeoutError
from ansible_collections.dockerhost.azure.plugins.module_utils._errors import DockerHostError
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.apply import PlanExecutor
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.plan.model import Action
from azure_emulator.launcher import CLEARED, LocalAzure

from .conftest import KEY, Cloud

# Every distinct request of a create: a test compares this with what a create sends.
READS = {
    "metadata": ("GET", r"^/metadata/endpoints$"),
    "authority": ("GET", r"/openid-configuration$"),
    "token": ("POST", r"/oauth2/v2\.0/token$"),
    "rights": ("GET", r"/Microsoft\.Authorization/permissions$"),
    "network provider": ("GET", r"/providers/Microsoft\.Network$"),
    "compute provider": ("GET", r"/providers/Microsoft\.Compute$"),
    "sizes": ("GET", r"/Microsoft\.Compute/skus$"),
    "quota": ("GET", r"/locations/[^/]+/usages$"),
    "image's versions": ("GET", r"/skus/[^/]+/versions$"),
    "image": ("GET", r"/versions/[^/]+$"),
    "label": ("GET", r"/CheckDnsNameAvailability$"),
    "group": ("GET", r"/resourcegroups/[^/]+$"),
    "network": ("GET", r"/virtualNetworks/docker-vnet$"),
    "security group": ("GET", r"/networkSecurityGroups/web1-nsg$"),
    "address": ("GET", r"/publicIPAddresses/web1-ip$"),
    "interface": ("GET", r"/networkInterfaces/web1-nic$"),
    "machine": ("GET", r"/virtualMachines/web1$"),
}
POLLS = {
    "network's operations": ("GET", r"/Microsoft\.Network/locations/[^/]+/operations/"),
    "machine's operation": ("GET", r"/Microsoft\.Compute/locations/[^/]+/operations/"),
}
PUTS = {
    "group": r"/resourcegroups/[^/]+$",
    "network": r"/virtualNetworks/docker-vnet$",
    "security group": r"/networkSecurityGroups/web1-nsg$",
    "address": r"/publicIPAddresses/web1-ip$",
    "interface": r"/networkInterfaces/web1-nic$",
    "machine": r"/virtualMachines/web1$",
}
Fault = dict[str, t.Any]
BROKEN: Fault = {"action": "reset", "times": 0}
THROTTLED: Fault = {"action": "status", "status": 429, "retry_after": 0, "times": 0}
UNAVAILABLE: Fault = {"action": "status", "status": 503, "times": 0}
# The same request is struck by one after the other.
FOR_A_WHILE: list[Fault] = [{**fault, "times": 1} for fault in (BROKEN, THROTTLED, UNAVAILABLE)]
READ_WAYS: dict[str, list[Fault]] = {
    "for a while": FOR_A_WHILE,
    "throttled": [THROTTLED],
    "unavailable": [UNAVAILABLE],
}
WAYS: dict[str, list[Fault]] = {
    **READ_WAYS,
    "broken": [BROKEN],
    "broken after": [{"action": "reset_after", "times": 0}],
    "broken after once": [{"action": "reset_after"}],
    "truncated": [{"action": "truncate", "times": 0}],
    "throttled as compute does": [{"action": "throttle", "retry_after": 1, "times": 2}],
    "refused": [{"action": "status", "status": 403, "times": 0}],
    "conflict": [{"action": "status", "status": 409, "code": "AnotherOperationInProgress", "times": 2}],
    "failed": [{"action": "operation", "ends": "Failed", "times": 0}],
    "canceled": [{"action": "operation", "ends": "Canceled", "times": 0}],
    "lost": [{"action": "lost_poll", "times": 0}],
    "never ending": [],
}
OF_COMPUTE = ("throttled as compute does", "broken after once")
# A group is made at once.
NEED_AN_OPERATION = ("failed", "canceled", "lost", "never ending")
# What is over by itself must not be noticed, and what lasts must; what took effect may go either way.
PASSING = ("for a while", "throttled as compute does", "conflict")
LASTING = ("broken", "throttled", "unavailable", "refused", "failed", "canceled", "never ending")
COMPLETE = sorted(
    (
        "docker-vnet",
        "web1",
        "web1-ip",
        "web1-nic",
        "web1-nsg",
    )
)
_GUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
_HEX = re.compile(r"(?<=_)[0-9a-f]{32}")
_LABEL = re.compile(r"web1-[0-9a-f]{8}")
# What Azure makes anew for each resource.
_VOLATILE = ("etag", "timeCreated", "uniqueId", "ipAddress", "macAddress", "internalDomainNameSuffix")
# Defaults, which Azure shows, and which are written back when the resource is changed.
_UNSET = (None, False, [], {}, "None", "VirtualNetworkInherited")


@pytest.fixture(autouse=True)
def without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK's and our own pauses before another try are none of these tests."""
    from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host import apply as lifecycle

    monkeypatch.setattr(RequestsTransport, "sleep", lambda _transport, _seconds: None)
    monkeypatch.setattr(lifecycle, "CONFLICT_SECONDS", 2.0)


@pytest.fixture
def cloud(cloud: Cloud) -> Cloud:
    """A group whose runs sign in each by itself, because those requests go wrong, too."""
    cloud.token_cache = None
    return cloud


def names(cloud: Cloud) -> list[str]:
    """What there is in the group, but for the OS disk, which has a name of Azure's making."""
    whole = [key for key in cloud.resources() if re.search(r"/providers/[^/]+/[^/]+/[^/]+$", key, re.IGNORECASE)]
    return sorted(key.rsplit("/", 1)[-1] for key in whole if "/disks/" not in key.lower())


def disks(cloud: Cloud) -> list[str]:
    """The disks in the group."""
    return [key for key in cloud.resources() if "/disks/" in key.lower()]


def shape(cloud: Cloud) -> t.Any:
    """What there is in the group, without what Azure makes anew for each resource, and what it shows as not set."""

    def without(found: t.Any) -> t.Any:
        if isinstance(found, dict):
            kept = {key: without(value) for key, value in found.items() if key not in _VOLATILE}
            return {key: value for key, value in kept.items() if value not in _UNSET}
        return [without(value) for value in found] if isinstance(found, list) else found

    text = json.dumps(without(cloud.resources()), sort_keys=True).replace(cloud.group, "GROUP")
    for pattern, stands_for in ((_GUID, "GUID"), (_HEX, "HEX"), (_LABEL, "LABEL")):
        text = pattern.sub(stands_for, text)
    return json.loads(text)


class Clean(t.NamedTuple):
    """A create that nothing disturbs: what it leaves, and method and path of its requests."""

    shape: t.Any
    requests: list[tuple[str, str]]


@pytest.fixture(scope="module")
def clean(azure: LocalAzure, tmp_path_factory: pytest.TempPathFactory) -> Clean:
    with pytest.MonkeyPatch.context() as patch:
        for name in CLEARED:
            patch.delenv(name, raising=False)
        for name, value in azure.environment.items():
            patch.setenv(name, value)
        cloud = Cloud(azure, tmp_path_factory.mktemp("clean"))
        cloud.token_cache = None
        cloud.run(ssh_public_keys=[KEY])
        return Clean(shape(cloud), [(entry["method"], entry["path"]) for entry in azure.requests()])


def test_the_matrix_has_every_request_of_a_create(clean: Clean) -> None:
    table = [*READS.values(), *POLLS.values(), *(("PUT", path) for path in PUTS.values())]

    def fits(entry: tuple[str, str], request: tuple[str, str]) -> bool:
        return entry[0] == request[0] and re.search(entry[1], request[1], re.IGNORECASE) is not None

    for request in clean.requests:
        assert sum(fits(entry, request) for entry in table) == 1, request
    for entry in table:
        assert any(fits(entry, request) for request in clean.requests), entry


def matrix() -> t.Iterator[t.Any]:
    """Every request with every way; most are slow in their number, not each."""
    for name in {**READS, **POLLS}:
        for way in READ_WAYS:
            often = (name in ("token", "image") and way == "unavailable") or (name in POLLS and way == "for a while")
            marks = [] if often else [pytest.mark.slow]
            method, path = {**READS, **POLLS}[name]
            yield pytest.param(method, path, way, marks=marks, id=f"{method} {name}-{way}")
    for name, path in PUTS.items():
        for way in WAYS:
            if (name == "group" and way in NEED_AN_OPERATION) or (name != "machine" and way in OF_COMPUTE):
                continue
            often = way == "broken after" or (name == "machine" and way in ("failed", "lost", "conflict", "refused"))
            yield pytest.param("PUT", path, way, marks=[] if often else [pytest.mark.slow], id=f"PUT {name}-{way}")


@pytest.mark.parametrize(("method", "path", "way"), list(matrix()))
def test_a_create_that_fails_can_be_run_again(
    cloud: Cloud, clean: Clean, monkeypatch: pytest.MonkeyPatch, method: str, path: str, way: str
) -> None:
    for fault in WAYS[way]:
        cloud.azure.fault(method=method, path=path, **fault)
    begin = PlanExecutor._begin
    if way == "never ending":
        hold(cloud, monkeypatch, path)
    given: dict[str, t.Any] = {"ssh_public_keys": [KEY]}
    failure: DockerHostError | None = None
    try:
        cloud.run(**given, **({"wait_timeout": 2} if way == "never ending" else {}))
    except DockerHostError as error:
        failure = error
    if isinstance(failure, AzureError):
        check_message(failure, cloud, changing=method == "PUT")
    struck = cloud.azure.faults()
    assert all(fault["struck"] for fault in struck), struck
    # A request for a token is not sent again when nobody knows whether it arrived.
    if way in PASSING and not path.endswith("/token$"):
        assert failure is None
    if way in LASTING:
        assert failure
    cloud.azure.faults_clear()
    monkeypatch.setattr(PlanExecutor, "_begin", begin)
    go_on(cloud)
    done = cloud.run(**given)
    assert done["host"]["power_state"] == "running"
    assert failure or not done["changed"]
    assert shape(cloud) == clean.shape


def hold(cloud: Cloud, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    """Let the operation that makes a resource go on until it is released."""
    begin = PlanExecutor._begin

    def begin_held(self: PlanExecutor, action: Action) -> t.Any:
        held = action.verb == "create" and re.search(path, action.resource_id, re.IGNORECASE) is not None
        if held:
            cloud.azure.hold()
        try:
            return begin(self, action)
        finally:
            if held:
                cloud.azure.hold(False)

    monkeypatch.setattr(PlanExecutor, "_begin", begin_held)


def go_on(cloud: Cloud) -> None:
    """Let operations of the group that do not end by themselves end, and wait for all."""
    for operation in cloud.going():
        cloud.azure.release(operation["id"])
    cloud.azure.settle()


def check_message(error: AzureError, cloud: Cloud, changing: bool = True) -> None:
    """Operation, resource, Azure's code and message, the request id, and, after changes, what exists."""
    found = error.details["azure_error"]
    assert f"Could not {found['operation']} ({found['resource']})" in str(error)
    assert found["code"] in str(error)
    if found["status"] and found["request_id"]:
        assert found["request_id"] in str(error)
    if changing:
        assert isinstance(error.details["exists"], list)
        assert "Exists so far" in str(error)


def test_operations_that_take_too_long_are_taken_up_again(cloud: Cloud) -> None:
    cloud.azure.hold()
    try:
        for _wave in ("network", "machine"):
            with pytest.raises(WaitTimeoutError, match="wait_timeout"):
                cloud.run(wait_timeout=1)
            with pytest.raises(WaitTimeoutError, match="operation continues in Azure"):
                cloud.run(wait_timeout=1)
            for operation in cloud.going():
                cloud.azure.release(operation["id"])
    finally:
        cloud.azure.hold(False)
    assert cloud.run(wait_timeout=20)["changed"] is False
    assert names(cloud) == COMPLETE
    assert len(disks(cloud)) == 1


@pytest.mark.parametrize("put", ["address", "interface", "machine"])
def test_what_a_failed_run_made_can_be_removed(cloud: Cloud, put: str) -> None:
    cloud.arm("PUT", "", {"location": "westeurope"})
    before = names(cloud)
    cloud.azure.fault("operation", method="PUT", path=PUTS[put], ends="Failed", times=0)
    with pytest.raises(DockerHostError, match="were removed") as caught:
        cloud.run(on_failure="remove")
    assert caught.value.details["exists"] == []
    assert names(cloud) == before
    assert disks(cloud) == []


def test_what_was_there_before_is_not_removed_after_a_failure(cloud: Cloud) -> None:
    cloud.run(name="web2")
    before = names(cloud)
    cloud.azure.fault("operation", method="PUT", path=PUTS["machine"], ends="Failed", times=0)
    with pytest.raises(DockerHostError):
        cloud.run(on_failure="remove")
    assert names(cloud) == before


DELETE_WAYS = ("throttled", "unavailable", "broken after", "conflict", "failed", "lost")


def deletions() -> t.Iterator[t.Any]:
    """Every deletion with every way; most are slow in their number, not each."""
    for name, path in PUTS.items():
        for way in DELETE_WAYS:
            often = way == "broken after" or (name == "machine" and way in ("lost", "failed"))
            yield pytest.param(path, way, marks=[] if often else [pytest.mark.slow], id=f"{name}-{way}")


@pytest.mark.parametrize(("path", "way"), list(deletions()))
def test_a_delete_that_fails_can_be_run_again(cloud: Cloud, path: str, way: str) -> None:
    cloud.run(ssh_public_keys=[KEY])
    given: dict[str, t.Any] = {"state": "absent", "remove_on_absent": ["resource_group"]}
    for fault in WAYS[way]:
        cloud.azure.fault(method="DELETE", path=path, **fault)
    if re.search("nic|ip", path):
        detach(cloud)
    failure: DockerHostError | None = None
    try:
        cloud.run(**given)
    except DockerHostError as error:
        failure = error
    assert failure is None or "Exists so far" in str(failure)
    struck = cloud.azure.faults()
    assert all(fault["struck"] for fault in struck), struck
    assert way not in PASSING or failure is None
    assert way not in LASTING or failure
    cloud.azure.faults_clear()
    cloud.azure.settle()
    cloud.run(**given)
    assert cloud.resources() == {}


def detach(cloud: Cloud) -> None:
    """Keep interface and address from going with the VM, so that they are deleted by themselves."""
    machine = "/providers/Microsoft.Compute/virtualMachines/web1"
    nic = "/providers/Microsoft.Network/networkInterfaces/web1-nic"
    found = cloud.arm("GET", machine)
    profile = found["properties"]["networkProfile"]["networkInterfaces"]
    kept = [{"id": entry["id"], "properties": {"primary": True, "deleteOption": "Detach"}} for entry in profile]
    cloud.arm("PATCH", machine, {"properties": {"networkProfile": {"networkInterfaces": kept}}})
    interface = cloud.arm("GET", nic)
    for entry in interface["properties"]["ipConfigurations"]:
        entry["properties"]["publicIPAddress"] = {"id": entry["properties"]["publicIPAddress"]["id"]}
    cloud.arm("PUT", nic, {key: interface[key] for key in ("location", "tags", "properties")})


@pytest.mark.parametrize("action", ["reset", "reset_after", "truncate"])
def test_reading_is_tried_again(cloud: Cloud, action: str) -> None:
    cloud.run()
    cloud.azure.fault(action, method="GET", path=PUTS["machine"])
    assert cloud.run()["changed"] is False


@pytest.mark.parametrize("nth", [1, 2])
def test_polling_is_tried_again(cloud: Cloud, nth: int) -> None:
    cloud.azure.fault("status", method="GET", path="/operations/", status=503, nth=nth)
    assert cloud.run()["changed"]
    assert names(cloud) == COMPLETE


@pytest.mark.parametrize("code", ["Conflict", "ConflictingConcurrentWriteNotAllowed"])
def test_a_write_of_somebody_else_at_the_same_time_is_waited_for(cloud: Cloud, code: str) -> None:
    cloud.azure.fault("status", method="PUT", path=PUTS["machine"], status=409, code=code)
    assert cloud.run()["host"]["power_state"] == "running"
    assert [fault["struck"] for fault in cloud.azure.faults()] == [1]
