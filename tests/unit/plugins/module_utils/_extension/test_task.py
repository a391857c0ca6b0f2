# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The task against a local Azure with nothing behind its machines: what is found before a push, and what may follow."""

from __future__ import annotations

import contextlib
import pathlib
import time
import typing as t
import uuid

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.dockerhost.azure.plugins.module_utils._azure import conflicts, operations
from ansible_collections.dockerhost.azure.plugins.module_utils._azure.clients import AzureSession
from ansible_collections.dockerhost.azure.plugins.module_utils._azure.errors import AzureError, WaitTimeoutError
from ansible_collections.dockerhost.azure.plugins.module_utils._azure.operations import OperationInfo
from ansible_collections.dockerhost.azure.plugins.module_utils._backend import Request
from ansible_collections.dockerhost.azure.plugins.module_utils._errors import DockerHostError
from ansible_collections.dockerhost.azure.plugins.module_utils._extension import pushing, task
from ansible_collections.dockerhost.azure.plugins.module_utils._extension.ca_guard import CaMismatchError
from ansible_collections.dockerhost.azure.plugins.module_utils._extension.setup_result import SetupError, SetupResult
from ansible_collections.dockerhost.azure.plugins.module_utils._extension.virtual_machine import (
    VirtualMachine,
    VirtualMachineError,
    VmReference,
    find_virtual_machine,
)
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.current.listing import list_hosts
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.info_task import BACKEND as HOST_INFO
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.task import BACKEND as HOST
from azure_emulator.launcher import CLEARED, LocalAzure

from .conftest import Authority, options

EXTENSIONS = "/extensions/"


@pytest.fixture(scope="module")
def azure() -> t.Iterator[LocalAzure]:
    """A local Azure whose machines are empty: extensions succeed without having run anything."""
    with LocalAzure(machines="none") as azure:
        yield azure


@pytest.fixture(autouse=True)
def environment(azure: LocalAzure, monkeypatch: pytest.MonkeyPatch) -> t.Iterator[None]:
    """The user's environment, and no patience."""
    for name in CLEARED:
        monkeypatch.delenv(name, raising=False)
    for name, value in azure.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(
        operations.ProgressReporter, "rest", lambda _watch, seconds, _over=None: time.sleep(min(seconds, 0.02))
    )
    monkeypatch.setattr(pushing, "REPORT_SECONDS", 0.01)
    yield
    azure.switch("agent", "ready")
    azure.switch("forbidden", [])
    azure.switch("docker_extension", False)
    azure.switch("updated_handlers", False)


@pytest.fixture
def group(azure: LocalAzure) -> str:
    """A resource group of its own with the VM web1."""
    name = f"rg-{uuid.uuid4().hex[:8]}"
    given = {"name": "web1", "location": "westeurope", "admin_username": "azureuser"}
    make(resource_group=name, admin_password="Correct-Horse-9", **given)
    azure.clear_requests()
    return name


def make(**given: str) -> None:
    """Bring a VM to what is given."""
    spec = {name: dict(option) for name, option in HOST.spec.argument_spec.items()}
    validation = ArgumentSpecValidator(spec, **HOST.spec.rules()).validate(given)
    assert not validation.error_messages, validation.error_messages
    HOST.run(Request(validation.validated_parameters))


def push(group: str, **given: t.Any) -> dict[str, t.Any]:
    """Push settings to web1."""
    check_mode, progress = given.pop("check_mode", False), given.pop("progress", lambda _line: None)
    params = options(**{"resource_group": group, **given})
    return task.run(Request(params, check_mode=check_mode, progress=progress))


def puts(azure: LocalAzure) -> list[str]:
    """The writing requests on extensions."""
    return [entry["path"] for entry in azure.requests() if entry["method"] == "PUT" and EXTENSIONS in entry["path"]]


def test_success_without_a_result_is_a_failure(azure: LocalAzure, group: str) -> None:
    with pytest.raises(SetupError, match="left no result, so nothing proves that it ran"):
        push(group)
    assert len(puts(azure)) == 1
    # The tags would be a lie, too: the next run pushes again.
    with pytest.raises(SetupError):
        push(group)
    assert len(puts(azure)) == 2


@pytest.mark.parametrize("handler", ["custom_script", "run_command"])
def test_a_push_does_not_load_azure_mgmt_compute(group: str, monkeypatch: pytest.MonkeyPatch, handler: str) -> None:
    def compute(_session: AzureSession) -> t.NoReturn:
        raise AssertionError("azure-mgmt-compute is loaded, which delays the push")

    monkeypatch.setattr(AzureSession, "compute", property(compute))
    with pytest.raises(SetupError, match="nothing proves that it ran"):
        push(group, handler=handler)


@pytest.mark.parametrize(
    ("handler", "collection"),
    [("custom_script", "extensions"), ("run_command", "runCommands"), ("docker_extension", "extensions")],
)
def test_a_vm_keeps_its_handler_if_the_option_is_left_out_and_auto_replaces_it(
    azure: LocalAzure, group: str, handler: str, collection: str
) -> None:
    def pushed(**given: t.Any) -> tuple[str, str]:
        azure.clear_requests()
        with contextlib.suppress(SetupError):  # nothing behind this VM writes a result
            push(group, **given)
        writes = [entry for entry in azure.requests() if entry["method"] == "PUT"]
        resource = azure.dump()[writes[-1]["path"].partition("?")[0]] if writes else {}
        kind = resource.get("properties", {}).get("type") or "RunCommand"
        return writes[-1]["path"].split("/")[-2] if writes else "", kind

    azure.switch("docker_extension", True)
    first = pushed(handler=handler)
    assert first[0] == collection
    predicted = push(group, check_mode=True, docker={"options": ["--debug"]})
    assert predicted["extension"]["handler"] == handler
    assert pushed(docker={"options": ["--debug"]}) == first
    pushed(handler="auto", docker={"options": []})
    assert push(group, check_mode=True)["extension"]["handler"] == "custom_script"


def test_a_diff_shows_settings_that_cannot_be_secret(group: str) -> None:
    def diff(**docker: t.Any) -> t.Any:
        engine = {"version": "28", "mirror": "https://hidden-word.example.com"}
        params = options(resource_group=group, docker=docker, engine=engine)
        return task.run(Request(params, check_mode=True, diff=True))["diff"]

    daemon = {"log-driver": "splunk", "log-opts": {"splunk-token": "hidden-word"}}
    shown = diff(users=["me"], daemon=daemon, options=["--log-opt=splunk-token=hidden-word"])
    assert "hidden-word" not in str(shown)
    assert shown["after"]["docker.users"] == ["me"]
    assert shown["after"]["docker.daemon"] == {"log-driver": "(not shown)", "log-opts": "(not shown)"}
    assert shown["after"]["engine"]["version"] == "28"
    with contextlib.suppress(SetupError):  # nothing behind this VM writes a result
        push(group, docker={"users": ["me"]})
    again = diff(users=["me"], live_restore=True)
    assert "docker.users" not in again["after"], "the VM has these"
    assert (again["before"]["docker.live_restore"], again["after"]["docker.live_restore"]) == ("(not shown)", True)


def test_check_mode_says_that_the_engine_is_restarted(group: str) -> None:
    with contextlib.suppress(SetupError):  # nothing behind this VM writes a result
        push(group, docker={"users": ["me"]})
    for docker, actions in (
        ({"options": ["--debug"]}, ["restart the engine"]),
        ({"data_disk": {"lun": 0}}, ["restart the engine"]),
        ({"users": ["you"]}, []),
        ({"users": ["me"]}, []),
    ):
        assert push(group, check_mode=True, docker=docker)["actions"] == actions


def test_a_vm_without_settings_gets_the_handler_that_auto_chooses(azure: LocalAzure, group: str) -> None:
    assert push(group, check_mode=True)["extension"]["handler"] == "custom_script"


def test_an_update_of_the_handler_that_overwrites_the_result_is_no_reason_to_push(
    azure: LocalAzure, group: str
) -> None:
    with pytest.raises(SetupError):  # nothing behind this VM writes a result
        push(group)
    pushed = puts(azure)
    azure.switch("updated_handlers", True)
    assert push(group)["changed"] is False
    assert puts(azure) == pushed
    azure.switch("updated_handlers", False)
    with pytest.raises(SetupError):
        push(group)
    assert len(puts(azure)) == len(pushed) + 1


def test_a_run_without_changes_reads_the_vm_and_its_extension_once(azure: LocalAzure, group: str) -> None:
    with pytest.raises(SetupError):  # nothing behind this VM writes a result
        push(group)
    azure.switch("updated_handlers", True)
    azure.clear_requests()
    assert push(group)["changed"] is False
    paths = [entry["path"] for entry in azure.requests() if "/virtualMachines/" in entry["path"]]
    assert [path.partition("?")[0].rpartition("/")[2] for path in paths] == ["web1", "docker-host"]


def test_a_failed_push_is_azures_error_when_the_program_left_none(azure: LocalAzure, group: str) -> None:
    azure.fault("operation", method="PUT", path=EXTENSIONS, times=1, ends="Failed")
    with pytest.raises(AzureError, match="push the Docker settings"):
        push(group)


def test_a_push_that_goes_on_is_waited_for_by_the_next_run(azure: LocalAzure, group: str) -> None:
    azure.fault("operation", method="PUT", path=EXTENSIONS, times=1, ends="never")
    with pytest.raises(WaitTimeoutError, match="run again to wait for it"):
        push(group, wait_timeout=1)
    with pytest.raises(DockerHostError, match=r"an earlier push .* is still"):
        push(group, wait_timeout=1)
    assert len(puts(azure)) == 1


def test_a_stopped_vm_is_said_to_be_so_or_started(azure: LocalAzure, group: str) -> None:
    make(resource_group=group, name="web1", state="deallocated")
    azure.clear_requests()
    with pytest.raises(VirtualMachineError, match="the VM is deallocated"):
        push(group)
    assert puts(azure) == []
    predicted = push(group, start=True, check_mode=True)
    assert predicted["changed"]
    assert [entry for entry in azure.requests() if entry["method"] != "GET" and "oauth2" not in entry["path"]] == []
    with pytest.raises(SetupError):
        push(group, start=True)
    assert [entry for entry in azure.requests() if entry["path"].endswith("/start")]


@pytest.mark.parametrize("state", ["not_ready", "absent"])
def test_an_agent_that_does_not_come(azure: LocalAzure, group: str, state: str) -> None:
    azure.switch("agent", state)
    said: list[str] = []
    with pytest.raises(VirtualMachineError, match="was not ready after 1 s") as caught:
        push(group, agent_timeout=1, progress=said.append)
    assert "walinuxagent" in str(caught.value)
    assert any("Waiting until it is ready" in line for line in said)
    assert puts(azure) == []


def test_an_agent_that_comes_late(azure: LocalAzure, group: str, monkeypatch: pytest.MonkeyPatch) -> None:
    azure.switch("agent", "not_ready")
    looks = []
    refresh = VirtualMachine.refresh

    def look(self: VirtualMachine) -> None:
        looks.append(time.monotonic())
        if len(looks) == 3:
            azure.switch("agent", "ready")
        refresh(self)

    monkeypatch.setattr(VirtualMachine, "refresh", look)
    with pytest.raises(SetupError):
        push(group)
    assert len(looks) == 3
    assert len(puts(azure)) == 1


def test_missing_rights_are_named(azure: LocalAzure, group: str) -> None:
    azure.switch("forbidden", ["Microsoft.Compute/virtualMachines/extensions/write"])
    with pytest.raises(AzureError) as caught:
        push(group)
    assert caught.value.code == "AuthorizationFailed"


def test_a_name_that_somebody_else_uses(azure: LocalAzure, group: str) -> None:
    with AzureSession.from_params({}) as session:
        session.compute.virtual_machine_extensions.begin_create_or_update(
            group,
            "web1",
            "docker-host",
            {
                "location": "westeurope",
                "properties": {
                    "publisher": "Microsoft.Azure.Extensions",
                    "type": "CustomScript",
                    "typeHandlerVersion": "2.1",
                    "settings": {"commandToExecute": "true"},
                },
            },
            api_version="2024-07-01",
        ).wait()
    with pytest.raises(DockerHostError, match="this collection did not create"):
        push(group)
    with pytest.raises(DockerHostError, match="this collection did not create"):
        push(group, handler="custom_script")


@pytest.mark.parametrize("given", [{"check_mode": True}, {"state": "absent"}, {"state": "absent", "group": "none"}])
def test_the_way_to_sign_in_is_told(azure: LocalAzure, group: str, given: dict[str, t.Any]) -> None:
    done = push(**{"group": group, **given})
    assert done["signed_in_with"] == f"service principal {azure.client_id} by secret, from environment variables"


def test_absent_where_nothing_is(azure: LocalAzure, group: str) -> None:
    azure.clear_requests()
    assert push(group, state="absent")["changed"] is False
    assert push("no-such-group", state="absent")["changed"] is False
    assert [e for e in azure.requests() if e["method"] != "GET" and "oauth2" not in e["path"]] == []


def test_the_docker_extension_where_it_is_still_had(azure: LocalAzure, group: str, certs: dict[str, str]) -> None:
    azure.switch("docker_extension", True)
    given = {"handler": "docker_extension", "certs": certs, "docker": {"options": ["--debug"]}}
    assert push(group, **given)["pushed"]
    assert push(group, **given)["changed"] is False
    (found,) = [value for key, value in azure.dump().items() if group in key and key.endswith("/docker-host")]
    docker = found["properties"]["settings"]["docker"]
    assert docker["port"] == "4243"
    assert docker["options"][0] == "--debug"
    # Another handler takes its place, under the same name.
    with pytest.raises(SetupError):
        push(group, **{**given, "handler": "custom_script"})
    (found,) = [value for key, value in azure.dump().items() if group in key and key.endswith("/docker-host")]
    assert found["properties"]["type"] == "CustomScript"
    with pytest.raises(SetupError):
        push(group, state="absent")


@pytest.mark.parametrize("handler", ["custom_script", "run_command"])
def test_the_docker_extension_goes_before_another_handler_pushes(azure: LocalAzure, group: str, handler: str) -> None:
    """Its removal stops the engine, which would stay off if the settings were pushed before."""
    azure.switch("docker_extension", True)
    push(group, handler="docker_extension")
    azure.clear_requests()
    with pytest.raises(SetupError):
        push(group, handler=handler, name="other")
    written = [entry for entry in azure.requests() if "/virtualMachines/web1/" in entry["path"]]
    written = [entry for entry in written if entry["method"] in ("PUT", "DELETE")]
    assert [(entry["method"], entry["path"].rpartition("/")[2]) for entry in written] == [
        ("DELETE", "docker-host"),
        ("PUT", "other"),
    ]


def test_the_docker_extension_is_deleted(azure: LocalAzure, group: str) -> None:
    azure.switch("docker_extension", True)
    assert push(group, handler="docker_extension")["pushed"]
    assert push(group, state="absent")["changed"]
    assert not [key for key in azure.dump() if group in key and key.endswith("/docker-host")]


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Short pauses before something is tried again."""
    monkeypatch.setattr(conflicts, "FIRST_PAUSE_SECONDS", 0.01)


def tags_of(azure: LocalAzure, group: str) -> dict[str, str]:
    """The tags of web1."""
    (found,) = [value for key, value in azure.dump().items() if group in key and key.endswith("virtualMachines/web1")]
    return t.cast("dict[str, str]", found.get("tags") or {})


def test_a_vm_that_is_off_has_the_settings_that_it_had(azure: LocalAzure, group: str) -> None:
    with pytest.raises(SetupError):
        push(group)
    make(resource_group=group, name="web1", state="deallocated")
    assert push(group)["changed"] is False
    with pytest.raises(VirtualMachineError, match="the VM is deallocated"):
        push(group, docker={"options": ["--debug"]})


@pytest.mark.usefixtures("hurried")
def test_others_who_write_at_the_same_time_are_waited_for(azure: LocalAzure, group: str, certs: dict[str, str]) -> None:
    azure.switch("docker_extension", True)
    make(resource_group=group, name="web1", state="deallocated")
    strikes = [
        azure.fault("status", method=method, path=path, status=409, code=code, times=1)["id"]
        for method, path in (("POST", "/start"), ("PUT", EXTENSIONS), ("PATCH", "virtualMachines/web1"))
        for code in ("Conflict", "ConflictingConcurrentWriteNotAllowed")
    ]
    assert push(group, handler="docker_extension", certs=certs, start=True)["pushed"]
    azure.fault("status", method="DELETE", path=EXTENSIONS, status=409, times=1)
    assert push(group, state="absent")["changed"]
    struck = {entry["id"]: entry["struck"] for entry in azure.faults()}
    assert [struck[strike] for strike in strikes] == [1] * len(strikes)
    assert "docker-host-ca" not in tags_of(azure, group)
    azure.faults_clear()


@pytest.mark.usefixtures("hurried")
def test_others_who_do_not_end_are_not_waited_for_longer_than_the_user_wants(azure: LocalAzure, group: str) -> None:
    azure.fault("status", method="PUT", path=EXTENSIONS, status=409, times=0)
    with pytest.raises(AzureError) as caught:
        push(group, wait_timeout=1)
    assert caught.value.code == "Conflict"
    azure.faults_clear()


@pytest.mark.usefixtures("hurried")
def test_tags_that_others_write_during_a_push_or_right_before_the_tags_are_written_stay(
    azure: LocalAzure, group: str, certs: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    azure.switch("docker_extension", True)

    def after_foreign_tag(name: str, function: t.Callable[..., t.Any]) -> t.Callable[..., t.Any]:
        def act(*arguments: t.Any) -> t.Any:
            with AzureSession.from_params({}) as session:
                target = t.cast("VirtualMachine", find_virtual_machine(session, VmReference(group, "web1")))
                target.change_tags(lambda tags: {**tags, name: "me"})
            return function(*arguments)

        return act

    monkeypatch.setattr(pushing, "_send", after_foreign_tag("during", pushing._send))
    monkeypatch.setattr(pushing, "desired_tags", after_foreign_tag("before", pushing.desired_tags))
    push(group, handler="docker_extension", certs=certs)
    tags = tags_of(azure, group)
    assert (tags["during"], tags["before"]) == ("me", "me")
    assert {"docker-host-ca", "docker-host-ca-key", "docker-host-cert-expires"} <= set(tags)


@pytest.mark.parametrize(("stage", "kept"), [("configure", False), ("refuse", False), ("compose", True)])
def test_a_push_that_fails_when_the_engine_is_configured_leaves_the_fence(
    azure: LocalAzure,
    group: str,
    certs: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    stage: str,
    kept: bool,
) -> None:
    said = SetupResult({"docker_setup": 1, "ok": False, "stage": stage, "error": "no"})
    monkeypatch.setattr(pushing, "_result_of", lambda _run, _this: said)
    with pytest.raises(SetupError, match="no"):
        push(group, certs=certs)
    assert ("docker-host-ca" in tags_of(azure, group)) is kept
    if kept:
        with pytest.raises(CaMismatchError):
            push(group, certs=Authority().server())


def test_a_ca_that_was_renewed_is_pushed_without_more_ado(azure: LocalAzure, group: str) -> None:
    azure.switch("docker_extension", True)
    old = Authority()
    renewed = Authority(key=old.key)
    assert push(group, handler="docker_extension", certs=old.server())["pushed"]
    with pytest.raises(CaMismatchError):
        push(group, handler="docker_extension", certs=Authority().server())
    certs = renewed.server()
    both = {"certs": certs, "docker": {"options": ["--debug"]}, "check_mode": True}
    assert push(group, handler="docker_extension", **both)["reasons"] == ["other settings: certs, docker.options"]
    pushed = push(group, handler="docker_extension", certs=certs)
    assert (pushed["pushed"], pushed["reasons"]) == (True, ["other certificates"])
    assert tags_of(azure, group)["docker-host-ca"] == renewed.fingerprint


def test_what_was_pushed_is_shown_in_its_own_spelling(azure: LocalAzure, group: str, certs: dict[str, str]) -> None:
    azure.switch("docker_extension", True)
    pushed = push(group, handler="docker_extension", certs=certs)
    names = {"resource_group": group.upper(), "virtual_machine_name": "WEB1", "name": "DOCKER-HOST"}
    again = push(group, handler="docker_extension", certs=certs, **names)
    assert (again["changed"], again["extension"]) == (False, pushed["extension"])
    push(group, **names, state="absent")
    assert not puts(azure)[1:]


def test_tags_in_another_spelling_are_the_same_tags(azure: LocalAzure, group: str, certs: dict[str, str]) -> None:
    azure.switch("docker_extension", True)
    assert push(group, handler="docker_extension", certs=certs)["pushed"]
    with AzureSession.from_params({}) as session:
        machine = f"{session.group_id(group)}/providers/Microsoft.Compute/virtualMachines/web1"
        for path in (f"{machine}/extensions/docker-host", machine):
            work = OperationInfo("web1", "tags", "Tagging", "write tags", path)
            tags = {name.upper(): value for name, value in session.arm.get(path)["tags"].items()}
            session.arm.begin(work, "PATCH", path, {"tags": tags}).wait()
        (listed,) = list_hosts(session, [group]).hosts
    read = HOST_INFO.run(Request({**dict.fromkeys(HOST_INFO.spec.argument_spec), "resource_group": group}))
    (described,) = read["hosts"]
    for host in (listed, described):
        assert host["name"] == "web1"
        assert host["ca_fingerprint"] == tags["DOCKER-HOST-CA"]
        assert host["cert_expires"] == tags["DOCKER-HOST-CERT-EXPIRES"]
    assert not push(group, handler="docker_extension", certs=certs)["changed"]
    with pytest.raises(CaMismatchError):
        push(group, handler="docker_extension", certs=Authority().server())
    make(resource_group=group, name="web1", location="westeurope", admin_username="azureuser")
    assert set(tags_of(azure, group)) == set(tags)
    push(group, state="absent")
    assert not {"docker-host-ca", "DOCKER-HOST-CA"} & set(tags_of(azure, group))


def test_a_host_keeps_its_certificate_while_its_engine_answers_with_it(
    azure: LocalAzure, group: str, engines: t.Any, certificates: t.Any, tmp_path: pathlib.Path
) -> None:
    azure.switch("docker_extension", True)
    certs = []
    for name in ("first", "second"):
        certificates.authority.issue(tmp_path / name, names=("127.0.0.1",), server=True, ends=60)
        certs.append({f"{part}_path": str(tmp_path / name / f"{part}.pem") for part in ("ca", "cert", "key")})
    files = {"ca_path": "ca", "client_cert": "cert", "client_key": "key"}
    client = {option: str(certificates.client / f"{part}.pem") for option, part in files.items()}
    stranger = {**client, "client_cert": f"{certificates.stranger}/cert.pem"}
    stranger["client_key"] = f"{certificates.stranger}/key.pem"
    given = {"handler": "docker_extension", "keep_certs": True}
    with engines.SmallEngine(certificates=tmp_path / "first") as engine:
        given["docker_host"] = f"tcp://127.0.0.1:{engine.port}"
        assert push(group, certs=certs[0], client=client, **given)["pushed"]
        kept = push(group, certs=certs[1], client=client, **given)
        assert (kept["changed"], kept["kept_certs"]) == (False, True)
        pending = {"pending_files": [certs[1]["cert_path"]], "check_mode": True}
        assert push(group, certs=certs[1], client=client, **given, **pending)["changed"]
        assert push(group, certs=certs[1], client=stranger, check_mode=True, **given)["changed"]
        other = {"docker": {"options": ["--debug"]}, "check_mode": True}
        assert push(group, certs=certs[1], client=client, **given, **other)["changed"]
    replaced = push(group, certs=certs[1], client=client, **given)
    assert (replaced["pushed"], replaced["kept_certs"]) == (True, False)


def test_the_power_state_is_returned_as_it_is_after_the_task(azure: LocalAzure, group: str) -> None:
    azure.switch("docker_extension", True)
    assert push(group, handler="docker_extension")["power_state"] == "running"
    make(resource_group=group, name="web1", state="deallocated")
    assert push(group, handler="docker_extension")["power_state"] == "deallocated"
    changed = {"handler": "docker_extension", "docker": {"options": ["--debug"]}, "start": True}
    assert push(group, **changed, check_mode=True)["power_state"] == "running"
    assert push(group, **changed)["power_state"] == "running"
    assert push("no-such-group", check_mode=True)["power_state"] is None


def test_the_docker_extension_is_not_pushed_over_settings_that_override_it(azure: LocalAzure, group: str) -> None:
    azure.switch("docker_extension", True)
    with pytest.raises(SetupError):
        push(group, handler="custom_script", name="other")
    before = puts(azure)
    with pytest.raises(DockerHostError, match="pushed with the handler custom_script"):
        push(group, handler="docker_extension")
    assert puts(azure) == before


@pytest.mark.usefixtures("azure")
def test_the_docker_extension_is_not_on_public_azure(group: str) -> None:
    with pytest.raises(AzureError, match="November 2018: use handler: auto"):
        push(group, handler="docker_extension")
