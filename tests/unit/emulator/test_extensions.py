# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""VM extensions and run commands."""

from __future__ import annotations

import typing as t

import pytest

if t.TYPE_CHECKING:
    from .conftest import Arm

VM = "Microsoft.Compute/virtualMachines/vm"
EXTENSION = f"{VM}/extensions/docker"
COMMAND = f"{VM}/runCommands/hello"


def test_an_extension(ready: Arm) -> None:
    created = ready.put(EXTENSION, ready.extension_body())
    assert created.status_code == 201
    assert "retry-after" not in created.headers
    body = created.json()
    assert body["properties"]["provisioningState"] == "Creating"
    assert body["properties"]["settings"] == {"timestamp": 1}
    assert "protectedSettings" not in body["properties"]
    assert ready.get(VM).json()["properties"]["provisioningState"] == "Updating"
    ready.done(created)
    assert ready.get(EXTENSION).json()["properties"]["provisioningState"] == "Succeeded"
    vm = ready.get(VM).json()
    assert vm["properties"]["provisioningState"] == "Succeeded"
    assert [item["name"] for item in vm["resources"]] == ["docker"]
    view = ready.get(EXTENSION, dollar_expand="instanceView").json()["properties"]["instanceView"]
    assert view["statuses"][0]["code"] == "ProvisioningState/succeeded"
    assert view["typeHandlerVersion"] == "2.1.19"
    whole = ready.get(f"{VM}/instanceView").json()
    assert whole["vmAgent"]["extensionHandlers"][0]["type"] == "Microsoft.Azure.Extensions.CustomScript"
    assert whole["extensions"][0]["type"] == "Microsoft.Azure.Extensions.CustomScript"
    again = ready.put(EXTENSION, ready.extension_body(settings={"timestamp": 2}))
    assert (again.status_code, again.json()["properties"]["provisioningState"]) == (200, "Updating")
    ready.done(again)
    patched = ready.patch(EXTENSION, {"tags": {"digest": "x"}})
    assert patched.status_code == 200
    ready.done(patched)
    assert ready.get(EXTENSION).json()["tags"] == {"digest": "x"}
    assert ready.get(EXTENSION).json()["properties"]["settings"] == {"timestamp": 2}
    assert len(ready.get(f"{VM}/extensions").json()["value"]) == 1
    gone = ready.delete(EXTENSION)
    assert gone.status_code == 202
    ready.done(gone)
    assert ready.delete(EXTENSION).status_code == 204
    assert "resources" not in ready.get(VM).json()


@pytest.mark.parametrize("name", ["publisher", "type", "typeHandlerVersion"])
def test_what_an_extension_needs(ready: Arm, name: str) -> None:
    body = ready.extension_body()
    del body["properties"][name]
    assert ready.code(ready.put(EXTENSION, body)) == (400, "InvalidParameter")


def test_an_extension_needs_its_machine(arm: Arm) -> None:
    response = arm.put(EXTENSION, arm.extension_body())
    assert arm.code(response) == (404, "ParentResourceNotFound")
    assert arm.code(arm.get(EXTENSION)) == (404, "ParentResourceNotFound")


def test_an_extension_needs_a_running_machine(ready: Arm) -> None:
    ready.done(ready.put(EXTENSION, ready.extension_body()))
    ready.done(ready.post(f"{VM}/powerOff"))
    for response in (ready.put(EXTENSION, ready.extension_body()), ready.delete(EXTENSION)):
        assert ready.code(response) == (409, "OperationNotAllowed")
        expected = "Cannot modify extensions in the VM when the VM is not running."
        assert response.json()["error"]["message"] == expected


def test_types_that_are_not_in_the_catalogue(ready: Arm) -> None:
    failed = ready.follow(ready.put(EXTENSION, ready.extension_body(type="DockerExtension", typeHandlerVersion="1.0")))
    assert failed["status"] == "Failed"
    assert failed["error"] == {
        "code": "ArtifactNotFound",
        "message": "The VM extension with publisher 'Microsoft.Azure.Extensions' and type 'DockerExtension' could "
        "not be "
        "found.",
    }
    assert ready.get(EXTENSION).json()["properties"]["provisioningState"] == "Failed"
    assert ready.get(VM).json()["properties"]["provisioningState"] == "Succeeded"
    failed = ready.follow(ready.put(f"{VM}/extensions/b", ready.extension_body(typeHandlerVersion="9.9")))
    assert failed["error"]["code"] == "ArtifactVersionNotFound"


def test_the_docker_extension_can_be_brought_back(ready: Arm) -> None:
    ready.azure.switch("docker_extension", True)
    ready.done(ready.put(EXTENSION, ready.extension_body(type="DockerExtension", typeHandlerVersion="1.0")))
    types = f"{ready.subscription}/providers/Microsoft.Compute/locations/eastus/publishers/Microsoft.Azure.Extensions"
    listed = ready.get(f"{types}/artifacttypes/vmextension/types").json()
    assert [item["name"] for item in listed] == ["CustomScript", "DockerExtension"]
    versions = ready.get(f"{types}/artifacttypes/vmextension/types/CustomScript/versions").json()
    assert "2.1.19" in [item["name"] for item in versions]


def test_an_agent_that_is_silent(ready: Arm) -> None:
    ready.azure.switch("agent", "not_ready")
    ended = ready.follow(ready.put(EXTENSION, ready.extension_body()))
    assert ended["status"] == "Failed"
    assert ended["error"]["code"] == "VMAgentStatusCommunicationError"
    assert "VM 'vm' has not reported status for VM agent or extensions." in ended["error"]["message"]
    assert ready.get(VM).json()["properties"]["provisioningState"] == "Succeeded"


def test_one_extension_per_handler(ready: Arm) -> None:
    ready.done(ready.put(EXTENSION, ready.extension_body()))
    response = ready.put(f"{VM}/extensions/other", ready.extension_body())
    assert ready.code(response) == (400, "BadRequest")
    assert "Multiple VMExtensions per handler not supported" in response.json()["error"]["message"]
    response = ready.put(EXTENSION, ready.extension_body(publisher="Microsoft.OSTCExtensions"))
    assert ready.code(response) == (409, "PropertyChangeNotAllowed")


def test_two_writes_at_once(ready: Arm) -> None:
    ready.azure.hold()
    ready.put(EXTENSION, ready.extension_body())
    assert ready.code(ready.put(EXTENSION, ready.extension_body())) == (409, "Conflict")
    body = ready.vm_body()
    body["properties"]["hardwareProfile"]["vmSize"] = "Standard_B4s_v2"
    assert ready.put(VM, body).status_code == 200


def test_extensions_can_be_disallowed(ready: Arm) -> None:
    body = ready.vm_body()
    body["properties"]["osProfile"]["allowExtensionOperations"] = False
    ready.done(ready.put(VM, body))
    response = ready.put(EXTENSION, ready.extension_body())
    assert ready.code(response) == (409, "OperationNotAllowed")
    assert "extension operations are disallowed" in response.json()["error"]["message"]


def test_a_run_command(ready: Arm) -> None:
    properties = {
        "source": {"script": "echo $GREETING"},
        "parameters": [{"name": "GREETING", "value": "hello"}],
        "protectedParameters": [{"name": "SECRET", "value": "x"}],
        "treatFailureAsDeploymentFailure": True,
    }
    created = ready.put(COMMAND, {"location": "eastus", "properties": properties})
    assert created.status_code == 201
    assert "protectedParameters" not in created.json()["properties"]
    ready.done(created)
    body = ready.get(COMMAND, dollar_expand="instanceView").json()["properties"]
    assert body["provisioningState"] == "Succeeded"
    assert (body["instanceView"]["executionState"], body["instanceView"]["exitCode"]) == ("Succeeded", 0)
    assert body["instanceView"]["endTime"] >= body["instanceView"]["startTime"]
    assert "instanceView" not in ready.get(COMMAND).json()["properties"]
    assert [item["name"] for item in ready.get(f"{VM}/runCommands").json()["value"]] == ["hello"]
    ready.done(ready.delete(COMMAND))
    assert ready.delete(COMMAND).status_code == 204


def test_run_commands_that_cannot_be(ready: Arm) -> None:
    assert ready.code(ready.put(COMMAND, {"location": "eastus", "properties": {}})) == (400, "InvalidParameter")
    body = {"location": "eastus", "properties": {"source": {"script": "true"}}}
    ready.done(ready.post(f"{VM}/powerOff"))
    assert ready.code(ready.put(COMMAND, body)) == (409, "OperationNotAllowed")
    assert ready.code(ready.put(COMMAND.replace("/vm/", "/none/"), body)) == (404, "ParentResourceNotFound")


def test_the_older_run_command(ready: Arm) -> None:
    response = ready.post(f"{VM}/runCommand", {"commandId": "RunShellScript", "script": ["true"]})
    assert response.status_code == 202
    output = ready.follow(response)["properties"]["output"]["value"]
    assert output[0]["message"].startswith("Enable succeeded: \n[stdout]\n")
    assert ready.http.get(response.headers["location"]).json()["value"] == output
    assert ready.code(ready.post(f"{VM}/runCommand", {})) == (400, "InvalidParameter")
    assert ready.post(f"{VM}/runCommand", {"commandId": "RunNothing"}).status_code == 404


@pytest.mark.parametrize("doing", ["powerOff", "restart", "delete"])
def test_what_runs_in_a_machine_ends_with_it(ready: Arm, doing: str) -> None:
    ready.azure.hold()
    extension = ready.put(EXTENSION, ready.extension_body())
    command = ready.put(COMMAND, {"location": "eastus", "properties": {"source": {"script": "sleep 9999"}}})
    ready.azure.hold(False)
    ready.done(ready.delete(VM) if doing == "delete" else ready.post(f"{VM}/{doing}"))
    for response in (extension, command):
        ended = ready.follow(response)
        assert (ended["status"], ended["error"]["code"]) == ("Canceled", "OperationPreempted")
    if doing != "delete":
        assert ready.get(EXTENSION).json()["properties"]["provisioningState"] == "Canceled"
        assert ready.get(VM).json()["properties"]["provisioningState"] == "Succeeded"
