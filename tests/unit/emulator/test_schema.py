# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The type tables: their notation, and that they say what Microsoft's specifications say."""

from __future__ import annotations

import json
import os
import typing as t
from functools import cache
from pathlib import Path

import pytest

from azure_emulator.errors import ApiError
from azure_emulator.schema import BODIES, shapes
from azure_emulator.schema.checking import Checker
from azure_emulator.schema.grammar import Member, parse
from azure_emulator.schema.position import position_of

REPOSITORY = Path(__file__).resolve().parents[3]
SPECIFICATIONS = Path(os.environ.get("AZURE_REST_API_SPECS") or REPOSITORY.parent / "shared" / "azure-specs")
COMPUTE = "compute/resource-manager/Microsoft.Compute"
NETWORK = "network/resource-manager/Microsoft.Network/stable/2024-05-01"
RESOURCES = "resources/resource-manager/Microsoft.Resources/stable/2022-09-01"
FILES = {
    "VirtualNetwork": f"{NETWORK}/virtualNetwork.json",
    "Subnet": f"{NETWORK}/virtualNetwork.json",
    "NetworkSecurityGroup": f"{NETWORK}/networkSecurityGroup.json",
    "SecurityRule": f"{NETWORK}/networkSecurityGroup.json",
    "ApplicationSecurityGroup": f"{NETWORK}/applicationSecurityGroup.json",
    "PublicIPAddress": f"{NETWORK}/publicIpAddress.json",
    "NetworkInterface": f"{NETWORK}/networkInterface.json",
    "TagsObject": f"{NETWORK}/network.json",
    "VirtualMachine": f"{COMPUTE}/ComputeRP/stable/2024-07-01/virtualMachine.json",
    "VirtualMachineUpdate": f"{COMPUTE}/ComputeRP/stable/2024-07-01/virtualMachine.json",
    "VirtualMachineExtension": f"{COMPUTE}/ComputeRP/stable/2024-07-01/virtualMachine.json",
    "VirtualMachineExtensionUpdate": f"{COMPUTE}/ComputeRP/stable/2024-07-01/virtualMachine.json",
    "VirtualMachineRunCommand": f"{COMPUTE}/ComputeRP/stable/2024-07-01/runCommand.json",
    "VirtualMachineRunCommandUpdate": f"{COMPUTE}/ComputeRP/stable/2024-07-01/runCommand.json",
    "RunCommandInput": f"{COMPUTE}/ComputeRP/stable/2024-07-01/runCommand.json",
    "Disk": f"{COMPUTE}/DiskRP/stable/2024-03-02/disk.json",
    "DiskUpdate": f"{COMPUTE}/DiskRP/stable/2024-03-02/disk.json",
    "Snapshot": f"{COMPUTE}/DiskRP/stable/2024-03-02/snapshot.json",
    "SnapshotUpdate": f"{COMPUTE}/DiskRP/stable/2024-03-02/snapshot.json",
    "AvailabilitySet": f"{COMPUTE}/ComputeRP/stable/2024-07-01/availabilitySet.json",
    "AvailabilitySetUpdate": f"{COMPUTE}/ComputeRP/stable/2024-07-01/availabilitySet.json",
    "ProximityPlacementGroup": f"{COMPUTE}/ComputeRP/stable/2024-07-01/proximityPlacementGroup.json",
    "ProximityPlacementGroupUpdate": f"{COMPUTE}/ComputeRP/stable/2024-07-01/proximityPlacementGroup.json",
    "SshPublicKeyResource": f"{COMPUTE}/ComputeRP/stable/2024-07-01/sshPublicKey.json",
    "SshPublicKeyUpdateResource": f"{COMPUTE}/ComputeRP/stable/2024-07-01/sshPublicKey.json",
    "AttachDetachDataDisksRequest": f"{COMPUTE}/ComputeRP/stable/2024-07-01/computeRPCommon.json",
    "Image": f"{COMPUTE}/ComputeRP/stable/2024-07-01/image.json",
    "ImageUpdate": f"{COMPUTE}/ComputeRP/stable/2024-07-01/image.json",
    "Gallery": f"{COMPUTE}/GalleryRP/stable/2023-07-03/gallery.json",
    "GalleryImage": f"{COMPUTE}/GalleryRP/stable/2023-07-03/gallery.json",
    "GalleryImageVersion": f"{COMPUTE}/GalleryRP/stable/2023-07-03/gallery.json",
    "ResourceGroup": f"{RESOURCES}/resources.json",
    "ResourceGroupPatchable": f"{RESOURCES}/resources.json",
    "Deployment": f"{RESOURCES}/resources.json",
    "TagsResource": f"{RESOURCES}/resources.json",
    "TagsPatchResource": f"{RESOURCES}/resources.json",
}
SHOWN_BY_THE_SERVICE = {"kind", "allowPort25Out"}
"""Members that answers have although the specifications do not know them."""
WRITABLE_FOR_SOME = {"enableVMAgentPlatformUpdates"}


@cache
def _load(path: Path) -> t.Any:
    return json.loads(path.read_text(encoding="utf-8-sig"))


class Definition:
    """A definition of a specification."""

    def __init__(self, schema: t.Any, file: Path) -> None:
        while "$ref" in schema:
            target, _unused, pointer = schema["$ref"].partition("#")
            file = (file.parent / target).resolve() if target else file
            read_only = schema.get("readOnly")
            node = _load(file)
            for part in pointer.strip("/").split("/"):
                node = node[part]
            schema = {**node, **({"readOnly": True} if read_only else {})}
        self.schema, self.file = schema, file

    def members(self) -> tuple[dict[str, t.Any], set[str]]:
        """Properties with what was inherited, and the names of the required ones."""
        found: dict[str, t.Any] = {}
        required = set(self.schema.get("required", []))
        for base in self.schema.get("allOf", []):
            inherited, also = Definition(base, self.file).members()
            found.update(inherited)
            required |= also
        for name, value in self.schema.get("properties", {}).items():
            found[name] = (value, self.file)
        return found, required


def _read_only(value: t.Any, file: Path) -> bool:
    return bool(value.get("readOnly") or Definition(value, file).schema.get("readOnly"))


def _compare(family: str, name: str, definition: Definition, seen: set[str], wrong: list[str]) -> None:
    if name in seen:
        return
    seen.add(name)
    table = {member.name: member for member in shapes(family)[name].members.values()}
    specified, required = definition.members()
    for missing in set(specified) - set(table):
        wrong.append(f"{name}.{missing} is not in the table")
    for extra in set(table) - set(specified) - SHOWN_BY_THE_SERVICE:
        wrong.append(f"{name}.{extra} is not in the specification")
    for member in table.values():
        if member.name in specified:
            _compare_member(family, name, member, specified[member.name], member.name in required, seen, wrong)


def _compare_member(
    family: str,
    owner: str,
    member: Member,
    specified: tuple[t.Any, Path],
    required: bool,
    seen: set[str],
    wrong: list[str],
) -> None:
    value, file = specified
    where = f"{owner}.{member.name}"
    if member.required != required:
        wrong.append(f"{where}: required is {member.required}")
    if _read_only(value, file) and not member.read_only and member.name not in WRITABLE_FOR_SOME:
        wrong.append(f"{where}: should be read-only")
    if member.read_only:
        return
    kind, definition = member.kind, Definition(value, file)
    while kind.startswith("["):
        if definition.schema.get("type") != "array":
            wrong.append(f"{where}: not a list in the specification")
            return
        kind, definition = kind[1:-1], Definition(definition.schema["items"], definition.file)
    schema = definition.schema
    kinds = {"str": "string", "int": "integer", "num": "number", "bool": "boolean"}
    if kind in shapes(family):
        _compare(family, kind, definition, seen, wrong)
    elif kind in kinds:
        if schema.get("type") != kinds[kind]:
            wrong.append(f"{where}: {kind} against {schema.get('type')}")
    elif kind not in ("any", "map", "object") and sorted(schema.get("enum", [])) != sorted(kind.split("|")):
        wrong.append(f"{where}: {kind} against {schema.get('enum')}")


@pytest.mark.parametrize("type_", sorted(BODIES))
def test_tables_agree_with_the_specifications(type_: str) -> None:
    if not (SPECIFICATIONS / "specification").is_dir():
        pytest.skip("no specifications (AZURE_REST_API_SPECS)")
    wrong: list[str] = []
    body = BODIES[type_]
    for name in sorted({body.put, body.patch}):
        file = SPECIFICATIONS / "specification" / FILES[name]
        if not file.is_file():
            pytest.skip(f"these specifications have no {file.name} ({file.parent.name})")
        _compare(body.family, name, Definition(_load(file)["definitions"][name], file), set(), wrong)
    assert not wrong


def test_a_table_is_complete() -> None:
    with pytest.raises(ValueError, match="unknown kind Nowhere"):
        parse("A\n  b:Nowhere\n")
    with pytest.raises(ValueError, match="before any type"):
        parse("  b:str\n")


TABLE = parse(
    "Thing\n  name!:str size:int open:bool state- parts:[Part] colour:Red|Blue tags:map more:any\nPart\n  id!:str\n"
)


def _check(
    value: t.Any, *, lenient: bool = False, patch: bool = False, family: str = "network"
) -> tuple[t.Any, list[str]]:
    problems: list[str] = []
    checker = Checker(TABLE, family, json.dumps(value).encode(), problems, lenient=lenient, patch=patch)
    return checker.object(value, "Thing"), problems


def test_canonical_form() -> None:
    value = {
        "NAME": "x",
        "size": "7",
        "open": "True",
        "colour": "red",
        "parts": [{"ID": "1"}],
        "more": {"a": None},
        "tags": None,
    }
    expected = {"name": "x", "size": 7, "open": True, "colour": "Red", "parts": [{"id": "1"}], "more": {"a": None}}
    assert _check(value) == (expected, [])
    assert _check({"name": "x", "state": 1}) == ({"name": "x"}, ["read-only: state"])
    assert _check({"name": "x", "new": 1}, lenient=True) == ({"name": "x"}, ["unknown: new"])
    assert _check({}, patch=True) == ({}, [])


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({}, "Required property 'name' not found in JSON."),
        (
            {"name": "x", "new": 1},
            "Could not find member 'new' on object of type 'Thing'. Path 'new', line 1, position 20.",
        ),
        ({"name": "x", "size": "big"}, "Error converting value \"big\" to type 'System.Nullable`1[System.Int32]'."),
        ({"name": "x", "size": 1.5}, "Error converting value"),
        ({"name": "x", "size": True}, "Error converting value"),
        ({"name": "x", "parts": {}}, "Unexpected character encountered"),
        ({"name": "x", "parts": [{"id": "1"}, {"id": "2", "x": 1}]}, "Path 'parts[1].x'"),
        ({"name": ["x"]}, "Unexpected character encountered"),
        ({"name": "x", "colour": "green"}, "Error converting value"),
        ({"name": "x", "tags": {"a": 1}}, "Unexpected character encountered"),
    ],
)
def test_objections_in_the_words_of_network(value: t.Any, text: str) -> None:
    with pytest.raises(ApiError) as caught:
        _check(value)
    assert (caught.value.status, caught.value.code) == (400, "InvalidRequestFormat")
    assert text in (caught.value.details or [{}])[0]["message"]


def test_objections_in_the_words_of_compute() -> None:
    with pytest.raises(ApiError) as caught:
        _check({}, family="compute")
    assert (caught.value.code, caught.value.target) == ("InvalidParameter", "name")
    with pytest.raises(ApiError) as caught:
        _check({"name": "x", "parts": [{"id": "1", "y": 1}]}, family="compute")
    assert (caught.value.code, caught.value.target) == ("BadRequest", "parts[0].y")


def test_positions() -> None:
    raw = b'{"a": [1, {"b": {"c": 1}}],\n  "d": "\xc3\xa4"}'
    assert position_of(raw, ("a", 1, "b", "c")) == (1, 21)
    assert position_of(raw, ("d",)) == (2, 6)
    assert position_of(raw, ("nowhere",)) == (1, 1)
    assert position_of(b"{", ("a",)) == (1, 1)
