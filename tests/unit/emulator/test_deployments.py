# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Template deployments: what ``az vm create`` and Bicep send."""

from __future__ import annotations

import typing as t

import httpx
import pytest

from .conftest import COMPUTE, KEY, NETWORK, Arm

Json = dict[str, t.Any]
DEPLOYMENTS = "Microsoft.Resources/deployments"
SCHEMA = "https://schema.management.azure.com/schemas/2015-01-01/deploymentTemplate.json#"
VNET, NSG, NIC = (
    f"Microsoft.Network/{word}" for word in ("virtualNetworks", "networkSecurityGroups", "networkInterfaces")
)


def template(*resources: Json, **members: t.Any) -> Json:
    """A template."""
    return {"$schema": SCHEMA, "contentVersion": "1.0.0.0", "resources": list(resources), **members}


def properties(document: Json, **parameters: t.Any) -> Json:
    """The body of a deployment."""
    given = {name: {"value": value} for name, value in parameters.items()}
    return {"properties": {"mode": "incremental", "template": document, "parameters": given}}


def deploy(arm: Arm, document: Json, name: str = "d", **parameters: t.Any) -> Json:
    """Deploy a template, which succeeds; the deployment's properties."""
    response = arm.put(f"{DEPLOYMENTS}/{name}", properties(document, **parameters))
    assert response.status_code in (200, 201), response.text
    assert ended(arm, response) == {"status": "Succeeded"}
    return t.cast(Json, arm.get(f"{DEPLOYMENTS}/{name}").json()["properties"])


def ended(arm: Arm, response: httpx.Response) -> Json:
    """The last answer to a poll."""
    while True:
        body: Json = arm.http.get(response.headers["azure-asyncoperation"]).json()
        if body["status"] not in ("Accepted", "Running"):
            return body


def evaluated(arm: Arm, expression: str, **members: t.Any) -> t.Any:
    """The value of an expression."""
    outputs = {"x": {"type": "object", "value": f"[{expression}]"}}
    return deploy(arm, template(outputs=outputs, **members))["outputs"]["x"]["value"]


def subnet_id(arm: Arm) -> str:
    """The id of the subnet that the templates make."""
    return f"{arm.group}/providers/{VNET}/vnet/subnets/subnet"


NETWORK_RESOURCE: Json = {
    "type": VNET,
    "name": "vnet",
    "apiVersion": "2015-06-15",
    "location": "eastus",
    "dependsOn": [],
    "properties": {
        "addressSpace": {"addressPrefixes": ["10.0.0.0/16"]},
        "subnets": [{"name": "subnet", "properties": {"addressPrefix": "10.0.0.0/24"}}],
    },
}


def machine_resources(arm: Arm) -> list[Json]:
    """What ``az vm create`` makes, in an order in which nothing can be made."""
    configuration = {"privateIPAllocationMethod": "Dynamic", "subnet": {"id": subnet_id(arm)}}
    nic = {
        "type": NIC,
        "name": "vmVMNic",
        "apiVersion": NETWORK,
        "location": "eastus",
        "dependsOn": [f"{VNET}/vnet", f"{NSG}/vmNSG"],
        "properties": {
            "ipConfigurations": [{"name": "ipconfigvm", "properties": configuration}],
            "networkSecurityGroup": {"id": f"[resourceId('{NSG}', 'vmNSG')]"},
        },
    }
    security = {"type": NSG, "name": "vmNSG", "apiVersion": NETWORK, "location": "eastus", "dependsOn": []}
    body = arm.vm_body(nic="vmVMNic")["properties"]
    body["osProfile"] = {
        "computerName": "vm",
        "adminUsername": "azureuser",
        "adminPassword": "[parameters('adminPassword')]",
    }
    body["networkProfile"]["networkInterfaces"][0]["properties"] = {"deleteOption": None}
    vm = {
        "type": "Microsoft.Compute/virtualMachines",
        "name": "vm",
        "apiVersion": COMPUTE,
        "location": "eastus",
        "dependsOn": [f"{NIC}/vmVMNic"],
        "properties": body,
    }
    return [vm, nic, security, NETWORK_RESOURCE]


def test_a_machine_with_all_that_it_needs(arm: Arm) -> None:
    secret = {"adminPassword": {"type": "securestring"}}
    shown = deploy(arm, template(*machine_resources(arm), parameters=secret), adminPassword="Secret-123456")
    assert shown["parameters"] == {"adminPassword": {"type": "SecureString"}}
    assert [entry["resourceName"] for entry in shown["dependencies"]] == ["vm", "vmVMNic"]
    assert [entry["namespace"] for entry in shown["providers"]] == ["Microsoft.Compute", "Microsoft.Network"]
    assert {entry["id"].rpartition("/")[2] for entry in shown["outputResources"]} == {"vm", "vmVMNic", "vmNSG", "vnet"}
    machine = arm.get("Microsoft.Compute/virtualMachines/vm").json()
    assert machine["properties"]["provisioningState"] == "Succeeded"
    done = arm.get(f"{DEPLOYMENTS}/d/operations").json()["value"]
    assert {entry["properties"]["statusCode"] for entry in done} == {"Created"}
    assert arm.get(f"{DEPLOYMENTS}/d/operations/{done[0]['operationId']}").json() == done[0]
    assert "Secret-123456" not in str(arm.get(f"{DEPLOYMENTS}/d").json())


def test_a_second_deployment_of_the_same_template_is_an_update(arm: Arm) -> None:
    document = template(NETWORK_RESOURCE)
    deploy(arm, document)
    response = arm.put(f"{DEPLOYMENTS}/d", properties(document))
    assert response.status_code == 200
    assert ended(arm, response) == {"status": "Succeeded"}


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("concat('a', 'b', string(1))", "ab1"),
        ("concat(createArray(1), createArray(2))", [1, 2]),
        ("format('{0}-{1}', 'a', 2)", "a-2"),
        ("toUpper(first(split('a,b', ',')))", "A"),
        ("if(equals(1, 1), 'yes', div(1, 0))", "yes"),
        ("and(not(empty('a')), contains(createObject('k', 1), 'K'))", True),
        ("union(createObject('a', 1), createObject('b', 2)).b", 2),
        ("variables('names')[1]", "n1"),
        ("parameters('size')", 3),
        ("json('{\"a\": [1, 2]}').a[1]", 2),
        ("guid('one', 'two')", "fb2b5c78-66cc-5dc7-9d6e-5c0c3c0bd6c9"),
        ("length(uniqueString('a'))", 13),
        ("base64ToString(base64('it''s'))", "it's"),
        ("subscription().subscriptionId", None),
        ("resourceGroup().location", "eastus"),
        ("providers('Microsoft.Network', 'networkInterfaces').resourceType", "networkInterfaces"),
    ],
)
def test_functions(arm: Arm, expression: str, value: t.Any) -> None:
    loop = {"name": "names", "count": 2, "input": "[concat('n', copyIndex('names'))]"}
    members = {"parameters": {"size": {"type": "int", "defaultValue": 3}}, "variables": {"copy": [loop]}}
    if expression.startswith("guid"):
        found = evaluated(arm, expression, **members)
        assert found == evaluated(arm, expression, **members)
        return
    assert evaluated(arm, expression, **members) == (value or arm.azure.subscription_id)


def test_ids_of_resources(arm: Arm) -> None:
    assert evaluated(arm, f"resourceId('{VNET}/subnets', 'vnet', 'subnet')") == subnet_id(arm)
    other = evaluated(arm, f"resourceId('other', '{NSG}', 'nsg')")
    assert other == f"{arm.subscription}/resourceGroups/other/providers/{NSG}/nsg"
    assert (
        evaluated(arm, "subscriptionResourceId('Microsoft.A/b', 'c')")
        == f"{arm.subscription}/providers/Microsoft.A/b/c"
    )


def test_a_reference_waits_for_its_resource(arm: Arm) -> None:
    security = {"type": NSG, "name": "nsg", "apiVersion": NETWORK, "location": "eastus"}
    security["tags"] = {"space": "[reference('vnet').addressSpace.addressPrefixes[0]]"}
    outputs = {
        "place": {"type": "string", "value": "[reference('vnet', '2024-05-01', 'Full').location]"},
        "state": {"type": "string", "value": f"[reference(resourceId('{NSG}', 'nsg')).provisioningState]"},
    }
    shown = deploy(arm, template(security, NETWORK_RESOURCE, outputs=outputs))
    assert shown["outputs"]["place"] == {"type": "String", "value": "eastus"}
    assert shown["outputs"]["state"]["value"] == "Succeeded"
    assert arm.get(f"{NSG}/nsg").json()["tags"] == {"space": "10.0.0.0/16"}


def test_copies_conditions_and_nested_resources(arm: Arm) -> None:
    copies = {
        "type": NSG,
        "name": "[concat('nsg', copyIndex(1))]",
        "apiVersion": NETWORK,
        "location": "[resourceGroup().location]",
        "copy": {"name": "all", "count": 2},
        "resources": [
            {
                "type": "securityRules",
                "name": "ssh",
                "apiVersion": NETWORK,
                "dependsOn": ["[concat('nsg', copyIndex(1))]"],
                "properties": {
                    "protocol": "Tcp",
                    "access": "Allow",
                    "direction": "Inbound",
                    "priority": 100,
                    "sourcePortRange": "*",
                    "destinationPortRange": "22",
                    "sourceAddressPrefix": "*",
                    "destinationAddressPrefix": "*",
                },
            }
        ],
    }
    left_out = {**NETWORK_RESOURCE, "condition": "[equals('a', 'b')]", "dependsOn": ["all"]}
    deploy(arm, template(copies, left_out))
    for name in ("nsg1", "nsg2"):
        assert [rule["name"] for rule in arm.get(f"{NSG}/{name}").json()["properties"]["securityRules"]] == ["ssh"]
    assert arm.get(f"{VNET}/vnet").status_code == 404


def test_a_template_in_a_template(arm: Arm) -> None:
    inner = template(NETWORK_RESOURCE, outputs={"name": {"type": "string", "value": "vnet"}})
    nested = {
        "type": DEPLOYMENTS,
        "name": "inner",
        "apiVersion": "2022-09-01",
        "properties": {"mode": "Incremental", "template": inner, "expressionEvaluationOptions": {"scope": "inner"}},
    }
    outputs = {"name": {"type": "string", "value": "[reference('inner').outputs.name.value]"}}
    assert deploy(arm, template(nested, outputs=outputs))["outputs"]["name"]["value"] == "vnet"
    assert {d["name"] for d in arm.get(DEPLOYMENTS).json()["value"]} == {"d", "inner"}


def test_what_fails_is_told_with_the_errors_of_the_resources(arm: Arm) -> None:
    wrong = {**NETWORK_RESOURCE, "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/33"]}}}
    after = {"type": NSG, "name": "nsg", "apiVersion": NETWORK, "location": "eastus", "dependsOn": ["vnet"]}
    response = arm.put(f"{DEPLOYMENTS}/d", properties(template(wrong, after)))
    body = ended(arm, response)
    assert (body["status"], body["error"]["code"]) == ("Failed", "DeploymentFailed")
    assert body["error"]["target"] == f"{arm.group}/providers/{DEPLOYMENTS}/d"
    (detail,) = body["error"]["details"]
    assert detail["code"] == "InvalidAddressPrefixFormat"
    (operation,) = arm.get(f"{DEPLOYMENTS}/d/operations").json()["value"]
    assert operation["properties"]["provisioningState"] == "Failed"
    assert arm.get(f"{DEPLOYMENTS}/d").json()["properties"]["error"]["code"] == "DeploymentFailed"
    assert arm.get(f"{NSG}/nsg").status_code == 404


@pytest.mark.parametrize(
    ("resource", "members", "code"),
    [
        ({"dependsOn": ["nobody"]}, {}, "InvalidTemplate"),
        ({"name": "[nothing()]"}, {}, "InvalidTemplate"),
        ({"name": "[concat('a']"}, {}, "InvalidTemplate"),
        ({"name": "[parameters('none')]"}, {}, "InvalidTemplate"),
        ({"name": "a/b"}, {}, "InvalidTemplate"),
        ({"apiVersion": "2024-05-02"}, {}, "NoRegisteredProviderFound"),
        ({"type": "Microsoft.Nothing/things"}, {}, "InvalidResourceNamespace"),
        ({"type": "Microsoft.Network/loadBalancers"}, {}, "NotSupported"),
        ({}, {"parameters": {"p": {"type": "string"}}}, "InvalidTemplate"),
    ],
)
def test_invalid_templates_are_refused_before_anything_is_made(
    arm: Arm, resource: Json, members: Json, code: str
) -> None:
    body = properties(template({**NETWORK_RESOURCE, **resource}, **members))
    assert arm.code(arm.put(f"{DEPLOYMENTS}/d", body)) == (400, code)
    assert arm.code(arm.post(f"{DEPLOYMENTS}/d/validate", body)) == (400, code)
    assert arm.get(f"{DEPLOYMENTS}/d").status_code == 404


def test_parameters_that_the_template_does_not_have_are_refused(arm: Arm) -> None:
    assert arm.code(arm.put(f"{DEPLOYMENTS}/d", properties(template(), extra=1))) == (400, "InvalidTemplate")


def test_validation_makes_nothing(arm: Arm) -> None:
    response = arm.post(f"{DEPLOYMENTS}/d/validate", properties(template(NETWORK_RESOURCE)))
    assert response.status_code == 200
    assert response.json()["properties"]["validatedResources"] == [{"id": f"{arm.group}/providers/{VNET}/vnet"}]
    assert arm.get(f"{VNET}/vnet").status_code == 404
    elsewhere = {"type": DEPLOYMENTS, "name": "x", "apiVersion": "2017-05-10", "resourceGroup": "none"}
    body = properties(template({**elsewhere, "properties": {"mode": "Incremental", "template": template()}}))
    assert arm.code(arm.post(f"{DEPLOYMENTS}/d/validate", body)) == (404, "ResourceGroupNotFound")


def test_deployments_are_listed_exported_and_forgotten(arm: Arm) -> None:
    document = template(NETWORK_RESOURCE)
    deploy(arm, document)
    assert arm.post(f"{DEPLOYMENTS}/d/exportTemplate").json() == {"template": document}
    assert arm.request("HEAD", f"{DEPLOYMENTS}/d").status_code == 204
    listed = arm.get(DEPLOYMENTS, dollar_filter="provisioningState eq 'Failed'").json()
    assert listed == {"value": []}
    assert arm.code(arm.post(f"{DEPLOYMENTS}/d/cancel"))[0] == 409
    response = arm.delete(f"{DEPLOYMENTS}/d")
    assert response.status_code == 202
    while response.status_code == 202:
        response = arm.http.get(response.headers["location"])
    assert arm.code(arm.get(f"{DEPLOYMENTS}/d")) == (404, "DeploymentNotFound")
    assert arm.get(f"{VNET}/vnet").status_code == 200


def test_a_template_may_have_comments_text_of_several_lines_and_a_name_without_quotes(arm: Arm) -> None:
    """As ``az deployment group create`` sends it: its own JSON, and the file as it is."""
    text = """{
      // "Understand the structure and syntax of ARM templates": 'comments', /* of */ both kinds
      "$schema": 'https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#',
      "contentVersion": "1.0.0.0", /* and text
      of several lines */
      "resources": [],
      "outputs": {"x": {"type": "string", "value": "http://a.example
and b: 'c' \\"d\\""},},
    }"""
    body = '{"properties": {"mode": "Incremental", "parameters": {}, template:' + text + "}}"
    url, version = f"{arm.group}/providers/{DEPLOYMENTS}/commented", {"api-version": "2022-09-01"}
    headers = {"Content-Type": "application/json"}
    response = arm.http.put(url, params=version, content=body.encode(), headers=headers)
    assert response.status_code == 201, response.text
    assert ended(arm, response) == {"status": "Succeeded"}
    outputs = arm.get(f"{DEPLOYMENTS}/commented").json()["properties"]["outputs"]
    assert outputs["x"]["value"] == "http://a.example\nand b: 'c' \"d\""
    listed = arm.get(f"{arm.group}/deployments/commented/operations").json()["value"]
    assert listed == arm.get(f"{DEPLOYMENTS}/commented/operations").json()["value"]
    broken = arm.http.put(url, params=version, content=body[:-1].encode(), headers=headers)
    assert arm.code(broken) == (400, "InvalidRequestContent")


def test_a_deployment_is_cancelled(arm: Arm) -> None:
    arm.azure.hold()
    response = arm.put(f"{DEPLOYMENTS}/d", properties(template(NETWORK_RESOURCE)))
    assert arm.code(arm.put(f"{DEPLOYMENTS}/d", properties(template()))) == (409, "DeploymentActive")
    assert arm.post(f"{DEPLOYMENTS}/d/cancel").status_code == 204
    assert ended(arm, response)["status"] == "Canceled"
    assert arm.get(f"{DEPLOYMENTS}/d").json()["properties"]["provisioningState"] == "Canceled"


def test_a_deployment_to_a_subscription_makes_groups(arm: Arm) -> None:
    made = {"type": "Microsoft.Resources/resourceGroups", "name": f"{arm.name}-more", "apiVersion": "2022-09-01"}
    body = {**properties(template({**made, "location": "westus"})), "location": "eastus"}
    path = f"{arm.subscription}/providers/{DEPLOYMENTS}/{arm.name}"
    response = arm.put(path, body)
    assert ended(arm, response) == {"status": "Succeeded"}
    assert arm.get(f"{arm.group}-more").json()["location"] == "westus"
    assert arm.get(path).json()["location"] == "eastus"
    arm.delete(f"{arm.group}-more")
    arm.delete(path)


def test_keys_are_as_given(arm: Arm) -> None:
    assert evaluated(arm, f"'{KEY}'") == KEY
