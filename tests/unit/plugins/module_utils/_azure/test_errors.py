# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Azure's errors in all their spellings."""

from __future__ import annotations

import json
import typing as t

import pytest

from ansible_collections.dockerhost.azure.plugins.module_utils._azure.advice import advice_for
from ansible_collections.dockerhost.azure.plugins.module_utils._azure.api_versions import api_version_of
from ansible_collections.dockerhost.azure.plugins.module_utils._azure.errors import AzureError, from_sdk
from ansible_collections.dockerhost.azure.plugins.module_utils._errors import DockerHostError


class Answer:
    """What azure-core keeps of an answer."""

    def __init__(self, status: int, body: t.Any, **headers: str) -> None:
        self.status_code = status
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}
        self._text = body if isinstance(body, str) else json.dumps(body)

    def text(self) -> str:
        """The body."""
        return self._text


class RefusedError(Exception):
    """An exception of azure-core with an answer."""

    def __init__(self, response: Answer | None) -> None:
        super().__init__("the SDK's own words")
        self.response = response
        self.message = "the SDK's own words"


def refused(status: int, body: t.Any, **headers: str) -> AzureError:
    """The error for an answer."""
    error = from_sdk("create the VM", "web1", RefusedError(Answer(status, body, **headers)))
    assert isinstance(error, AzureError)
    return error


PASCAL = {
    "Error": {"Code": "ResourceGroupDeletionBlocked", "Message": "Blocked.", "Details": [{"Message": "By a lock."}]}
}


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        ({"error": {"code": "NicInUse", "message": "In use.", "details": []}}, "NicInUse", "In use."),
        ({"status": "Failed", "error": {"code": "A", "message": "B\r\n C"}}, "A", "B C"),
        (PASCAL, "ResourceGroupDeletionBlocked", "Blocked. By a lock."),
        (
            {"code": "NotFound", "message": "Artifact: VMImage was not found."},
            "NotFound",
            "Artifact: VMImage was not found.",
        ),
        ("", "HTTP 500", "the SDK's own words"),
        ("<html>", "HTTP 500", "the SDK's own words"),
        ([], "HTTP 500", "the SDK's own words"),
    ],
)
def test_every_spelling_is_understood(body: t.Any, code: str, message: str) -> None:
    error = refused(500, body)
    assert (error.code, error.error.message) == (code, message)


TERMINAL = "The resource operation completed with terminal provisioning state 'Failed'."
RESTRICTED = {"code": "OverconstrainedZonalAllocationRequest", "message": "Allocation failed."}


@pytest.mark.parametrize(
    "details",
    [
        [RESTRICTED],
        [{"code": "Conflict", "message": "It did not work.", "details": [RESTRICTED]}],
        [{"code": "Conflict", "message": json.dumps({"status": "Failed", "error": RESTRICTED})}],
        [{"code": "Conflict", "message": json.dumps({"error": {"message": "No.", "details": [RESTRICTED]}})}],
        ["text", 5, {"code": None, "message": None, "details": None}, RESTRICTED],
    ],
)
def test_the_reason_may_be_in_a_detail(details: list[t.Any]) -> None:
    error = refused(200, {"status": "Failed", "error": {"code": "Failure", "message": TERMINAL, "details": details}})
    assert error.code == "Failure"
    assert "Allocation failed." in error.error.message
    assert '{"' not in str(error)
    assert "Relax the requirements" in error.advice


@pytest.mark.parametrize("details", [None, {}, 5, "text", [[]], [{"details": 5, "message": "{"}]])
def test_details_that_are_no_list_of_errors(details: t.Any) -> None:
    error = refused(409, {"error": {"code": "A", "message": "B.", "details": details, "additionalInfo": details}})
    assert error.error.message.startswith("B.")


def test_a_policy_is_named() -> None:
    info = {
        "policyDefinitionDisplayName": "Allowed sizes",
        "policyAssignmentDisplayName": "Sizes of the company",
        "policyAssignmentId": "/subscriptions/s/providers/Microsoft.Authorization/policyAssignments/a",
    }
    violation = {"type": "PolicyViolation", "info": info}
    body = {"code": "RequestDisallowedByPolicy", "message": "See error details.", "additionalInfo": [violation]}
    for error in (body, {"code": "Failure", "message": "Failed.", "details": [body]}):
        text = str(refused(403, {"error": error}))
        assert "Policy: Allowed sizes. Assignment: Sizes of the company. Assignment ID: /subscriptions/s" in text
        assert "A policy of the subscription forbids this" in text


def test_the_message_names_all_that_support_asks_for() -> None:
    body = {"error": {"code": "AuthorizationFailed", "message": "No right.", "target": "x"}}
    error = refused(403, body, X_Ms_Request_Id="abc-123")
    assert str(error).startswith("Could not create the VM (web1): AuthorizationFailed: No right. (request id abc-123)")
    assert "rights.md" in str(error)
    assert error.details["azure_error"]["target"] == "x"
    assert error.details["azure_error"]["status"] == 403


@pytest.mark.parametrize(
    ("status", "code", "missing"),
    [
        (404, "ResourceNotFound", True),
        (404, "ResourceGroupNotFound", True),
        (404, "SubscriptionNotFound", False),
        (409, "X", False),
    ],
)
def test_what_is_not_found(status: int, code: str, missing: bool) -> None:
    assert refused(status, {"error": {"code": code, "message": "m"}}).not_found is missing


def test_no_answer_at_all() -> None:
    error = from_sdk("read", "web1", RefusedError(None))
    assert isinstance(error, DockerHostError)
    assert "Could not read (web1)" in str(error)


def test_advice() -> None:
    quota = "Operation could not be completed as it results in exceeding approved Total Regional Cores quota."
    assert "smaller vm_size" in advice_for("OperationNotAllowed", quota)
    assert advice_for("OperationNotAllowed", "Cannot modify extensions in the VM when the VM is not running.") == ""
    assert "dns_label" in advice_for("DnsRecordInUse", "")


REFUSED = (
    "The client 'x' with object id 'y' does not have authorization to perform action 'A/b/write' over scope '/s' or"
)
LINKED = (
    "The client 'x' has permission to perform action 'A/b/write' on scope '/s'; however, it does not have permission to"
    " perform action(s) 'A/c/join/action' on the linked scope(s) '/s/c' (respectively) or the scope(s) are invalid."
)


ENCRYPTION = (
    "The property 'securityProfile.encryptionAtHost' is not valid because the 'Microsoft.Compute/EncryptionAtHost'"
    " feature is not enabled for this subscription."
)


CONTROLLER = (
    "The VM size 'Standard_D8s_v6' cannot boot with OS image or disk. Please check that disk controller types supported"
    " by the OS image or disk is one of the supported disk controller types for the VM size 'Standard_D8s_v6'."
)
TOO_MANY = "The server rejected the request because too many requests have been received for this subscription."


@pytest.mark.parametrize(
    ("code", "message", "says"),
    [
        ("AuthorizationFailed", REFUSED, "the permission A/b/write on /s;"),
        ("LinkedAuthorizationFailed", LINKED, "the permission A/c/join/action on /s/c;"),
        ("AuthorizationFailed", "No.", "lacks a permission;"),
        (
            "MissingSubscriptionRegistration",
            "not registered to use namespace 'A.B'.",
            "register --namespace A.B --wait",
        ),
        ("RequestDisallowedByPolicy", "Disallowed by policy.", "policy"),
        ("RequestDisallowedByPolicy", "Resource 'x' was disallowed. Reasons: MFA is required.", "`az login`"),
        ("RequestDisallowedByPolicy", "Users must use multifactor authentication.", "multi-factor authentication"),
        ("InvalidParameter", ENCRYPTION, "register --namespace Microsoft.Compute --name EncryptionAtHost"),
        ("RequestDisallowedByAzure", "Disallowed by Azure.", "another location or vm_size"),
        ("NoRegisteredProviderFound", "No registered resource provider found.", "az account list-locations"),
        ("PublicIPCountLimitReached", "Cannot create more than 10.", "assign_public_ip: false"),
        ("VnetCountLimitReached", "Cannot create more than 1000.", "az network list-usages"),
        ("OverconstrainedZonalAllocationRequest", "Allocation failed.", "Relax the requirements"),
        ("ImageVersionDeprecated", "The platform image 'a:b:c:1' is deprecated.", "withdrawn this version"),
        ("DenyAssignmentAuthorizationFailed", "Denied.", "deny assignment"),
        ("QuotaExceeded", "Exceeded the limit of cores.", "smaller vm_size"),
        ("InvalidParameter", CONTROLLER, "disk controller in common"),
        ("OperationNotAllowed", TOO_MANY, "fewer hosts at once"),
        ("SubscriptionRequestsThrottled", "Please try again after '6' seconds.", "fewer hosts at once"),
        ("SubnetIsFull", "Subnet docker is full.", "another subnet_name"),
    ],
)
def test_advice_names_what_is_missing(code: str, message: str, says: str) -> None:
    assert says in advice_for(code, message)


@pytest.mark.parametrize(
    ("path", "version"),
    [
        ("/subscriptions/s/resourceGroups/g", "2022-09-01"),
        ("/subscriptions/s/resourcegroups/g/providers/microsoft.network/virtualNetworks/n", "2024-05-01"),
        ("/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/v", "2024-07-01"),
        ("/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/disks/d", "2024-03-02"),
        ("/subscriptions/s/providers/Microsoft.Network", "2022-09-01"),
        ("/subscriptions/s/providers/Microsoft.Network/register", "2022-09-01"),
        ("/subscriptions/s/providers/Microsoft.Authorization/permissions", "2022-04-01"),
    ],
)
def test_versions_by_path(path: str, version: str) -> None:
    assert api_version_of(path) == version
