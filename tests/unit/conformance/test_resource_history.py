# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a flow tells, and bodies that are made up from it."""

from __future__ import annotations

import typing as t

from azure_conformance.bodies import Defaults, from_response
from azure_conformance.mapping import Mapping
from azure_conformance.paths import parse_poll, parse_target
from azure_conformance.records import Flow, Interaction, Message
from azure_conformance.resource_history import ResourceHistory

Json = dict[str, t.Any]
BASE = "/subscriptions/S/resourceGroups/g/providers/"
NIC = f"{BASE}Microsoft.Network/networkInterfaces/n"
VNET = f"{BASE}Microsoft.Network/virtualNetworks/net"
VM = f"{BASE}Microsoft.Compute/virtualMachines/v"


def interaction(index: int, method: str, path: str, status: int, answer: t.Any, request: t.Any = None) -> Interaction:
    asked, answered = Message({}, request), Message({}, answer)
    return Interaction(index, str(index), "s", None, method, "", path, {}, asked, status, answered)


def known(*interactions: tuple[t.Any, ...]) -> ResourceHistory:
    return ResourceHistory(Flow("f", [interaction(n, *given) for n, given in enumerate(interactions)]))


def target(path: str) -> t.Any:
    found = parse_target(path)
    assert found is not None
    return found


def test_paths_mean_resources_collections_and_actions() -> None:
    assert (target(NIC).type, target(NIC).name, target(NIC).tail) == ("Microsoft.Network/networkInterfaces", "n", "")
    assert target(f"{VM}/start").tail == "start"
    assert target(f"{VM}/extensions/e").kind == "compute/virtualmachines/extensions"
    assert target("/subscriptions/S/resourcegroups/G").kind == "resources/resourcegroups"
    assert parse_target("/subscriptions/S/providers/Microsoft.Compute/locations/l/operations/x") is None


def test_operation_urls_of_all_providers_are_known() -> None:
    compute = parse_poll("/subscriptions/S/providers/Microsoft.Compute/locations/l/operations/ID")
    group = parse_poll("/subscriptions/S/operationresults/eyJ")
    assert compute is not None
    assert (compute.provider, compute.id, compute.results) == ("microsoft.compute", "ID", False)
    assert group is not None
    assert group.results
    assert parse_poll(VM) is None


def test_an_error_tells_who_uses_what() -> None:
    message = f"Network Interface {NIC} is used by existing resource {VM}. In order to delete it, see aka.ms/deletenic."
    facts = known(("DELETE", NIC, 400, {"error": {"code": "NicInUse", "message": message}}))
    assert [user.name for user in facts.users(NIC.lower())] == ["v"]
    body = Defaults(facts).make(target(VM))
    assert body is not None
    assert body["properties"]["networkProfile"]["networkInterfaces"] == [{"id": NIC}]


def test_a_subnet_in_use_makes_an_interface_in_it() -> None:
    message = f"Subnet inner is in use by {NIC}/ipConfigurations/c and cannot be deleted."
    facts = known(("DELETE", VNET, 400, {"error": {"code": "InUseSubnetCannotBeDeleted", "message": message}}))
    body = Defaults(facts).make(target(NIC))
    assert body is not None
    (configuration,) = body["properties"]["ipConfigurations"]
    assert configuration["name"] == "c"
    assert configuration["properties"]["subnet"]["id"] == f"{VNET}/subnets/inner"


def test_a_template_tells_what_was_deployed() -> None:
    resource = {"type": "Microsoft.Network/virtualNetworks", "name": "net", "location": "l", "properties": {"a": 1}}
    request = {"properties": {"template": {"resources": [resource, {"type": "A/b", "name": "[x]"}]}}}
    path = f"{BASE}Microsoft.Resources/deployments/d"
    facts = known(("PUT", path, 201, {}, request))
    found = facts.body(VNET.lower(), 0)
    assert found is not None
    assert found["properties"] == {"a": 1}


def test_a_default_subnet_holds_the_addresses_that_are_shown() -> None:
    inner = {"privateIPAddress": "10.7.3.4", "subnet": {"id": f"{VNET}/subnets/inner"}}
    properties = {"ipConfigurations": [{"name": "c", "properties": inner}]}
    nic = {"id": NIC, "name": "n", "location": "l", "properties": properties}
    body = Defaults(known(("GET", NIC, 200, nic))).make(target(VNET))
    assert body is not None
    assert body["properties"]["subnets"][0]["properties"]["addressPrefix"] == "10.7.3.0/24"


def test_a_request_is_made_from_the_answer_without_what_the_server_filled_in() -> None:
    shown: Json = {
        "id": VM,
        "etag": "1",
        "location": "l",
        "properties": {
            "vmId": "x",
            "provisioningState": "Succeeded",
            "storageProfile": {
                "imageReference": {"sku": "k", "exactVersion": "1"},
                "osDisk": {"createOption": "FromImage", "name": "v_disk1_0", "managedDisk": {"id": "i"}},
            },
            "osProfile": {"adminUsername": "a", "linuxConfiguration": {"disablePasswordAuthentication": False}},
        },
    }
    request = from_response(target(VM), shown)
    assert request.keys() == {"location", "properties"}
    properties = request["properties"]
    assert properties.keys() == {"storageProfile", "osProfile"}
    assert properties["storageProfile"]["osDisk"] == {"createOption": "FromImage", "managedDisk": {}}
    assert properties["osProfile"]["adminPassword"]
    assert shown["properties"]["vmId"] == "x"


def test_a_request_has_no_members_that_answers_alone_have() -> None:
    subnet = {"name": "s", "properties": {"addressPrefix": "10.0.0.0/24", "subnetID": 0}}
    shown = {"properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/24"]}, "subnets": [subnet], "made": 1}}
    request = from_response(target(f"{BASE}Microsoft.Network/virtualNetworks/v"), shown)
    assert request["properties"].keys() == {"addressSpace", "subnets"}
    assert request["properties"]["subnets"][0]["properties"] == {"addressPrefix": "10.0.0.0/24"}


def test_names_that_the_server_made_are_learned_and_used() -> None:
    mapping = Mapping()
    mapping.subscription("S", "T")
    disk = f"{BASE}Microsoft.Compute/disks/v_disk1_0a1b2c3d"
    mapping.learn(
        {
            "name": "v",
            "disk": {"name": "v_disk1_0a1b2c3d", "id": disk},
            "time": "2017-06-02T18:58:36",
            "code": "aaaaaaaa",
        },
        {
            "name": "v",
            "disk": {"name": "v_disk1_f0f1f2f3", "id": disk.replace("/S/", "/T/").replace("_0a1b2c3d", "_f0f1f2f3")},
            "code": "b",
        },
    )
    assert mapping.path(disk) == disk.replace("/S/", "/T/").replace("_0a1b2c3d", "_f0f1f2f3")
    assert mapping.value({"a": ["v_disk1_0a1b2c3d", "aaaaaaaa"]}) == {"a": ["v_disk1_f0f1f2f3", "aaaaaaaa"]}
