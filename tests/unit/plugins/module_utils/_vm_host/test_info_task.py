# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Finding hosts and images: which, with what fields, over several pages, side by side, without writing."""

from __future__ import annotations

import datetime
import time
import typing as t
from pathlib import Path

import pytest

from ansible_collections.dockerhost.azure.plugins.module_utils._azure import operations
from ansible_collections.dockerhost.azure.plugins.module_utils._azure.errors import AzureError
from ansible_collections.dockerhost.azure.plugins.module_utils._backend import Backend, Request
from ansible_collections.dockerhost.azure.plugins.module_utils._errors import OptionError
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host import image_info_task as image_info
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host import info_task as host_info
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.desired.image_reference import ALIASES
from azure_emulator.launcher import CLEARED, LocalAzure

from .conftest import KEY, Cloud

HOSTS = [("docker", f"web{number}") for number in range(1, 6)] + [("other", "db1")]


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[LocalAzure]:
    """Six hosts in two groups, some tagged, one private, one off, and a VM that is not ours."""
    with LocalAzure() as azure, pytest.MonkeyPatch.context() as patch:
        for name in CLEARED:
            patch.delenv(name, raising=False)
        for name, value in azure.environment.items():
            patch.setenv(name, value)
        patch.setattr(
            operations.ProgressReporter, "rest", lambda _watch, seconds, _over=None: time.sleep(min(seconds, 0.02))
        )
        cloud = Cloud(azure, tmp_path_factory.mktemp("fleet"))
        for group, name in HOSTS:
            tags = {"Number": name[-1], "team": "build"} if group == "docker" else {}
            public = name != "web3"
            port = 2376 if name == "web2" else 4243
            cloud.run(
                name=name,
                resource_group=group,
                tags=tags,
                assign_public_ip=public,
                docker_port=port,
                ssh_public_keys=[KEY],
                zone="1" if name == "web2" else None,
                data_disks=[{"lun": 0, "disk_size_gb": 8}] if name == "web2" else None,
            )
        cloud.run(name="web5", resource_group="docker", state="deallocated")
        cloud.run(name="foreign", resource_group="docker", ssh_public_keys=[KEY])
        cloud.group = "docker"
        cloud.arm("PATCH", "/providers/Microsoft.Compute/virtualMachines/foreign", {"tags": {"team": "build"}})
        machine = "/providers/Microsoft.Compute/virtualMachines/web1"
        record = {"docker-host-ca": "ab12", "docker-host-cert-expires": "2027-01-01T00:00:00Z"}
        before = cloud.arm("GET", machine)["tags"]
        cloud.arm("PATCH", machine, {"tags": {**before, **record}})
        other = "/providers/Microsoft.Compute/virtualMachines/web4"
        tags = {**cloud.arm("GET", other)["tags"], **record}
        cloud.arm("PATCH", other, {"tags": {name.title(): value for name, value in tags.items()}})
        settings = {"publisher": "Microsoft.Azure.Extensions", "type": "CustomScript", "typeHandlerVersion": "2.1"}
        body = {"location": "westeurope", "properties": {**settings, "settings": {"commandToExecute": "true"}}}
        cloud.arm("PUT", f"{machine}/extensions/docker-host", body)
        record = {"docker-host-collection": "dockerhost.azure", "docker-host-settings": "digest"}
        for command, tags in (("docker-host", record), ("of-others", {})):
            body = {"location": "westeurope", "tags": tags, "properties": {"source": {"script": "true"}}}
            cloud.arm("PUT", f"/providers/Microsoft.Compute/virtualMachines/web2/runCommands/{command}", body)
        yield azure


@pytest.fixture
def azure_now(fleet: LocalAzure, monkeypatch: pytest.MonkeyPatch) -> t.Iterator[LocalAzure]:
    """The fleet, with its address in the environment."""
    for name in CLEARED:
        monkeypatch.delenv(name, raising=False)
    for name, value in fleet.environment.items():
        monkeypatch.setenv(name, value)
    fleet.clear_requests()
    yield fleet
    fleet.switch("page_size", 0)
    fleet.faults_clear()


def query_azure(task: Backend, **given: t.Any) -> dict[str, t.Any]:
    """A run of an info module, in check mode, which must not matter."""
    defaults = {name: option.get("default") for name, option in task.spec.argument_spec.items()}
    return task.run(Request({**defaults, **given}, check_mode=True))


def names(**given: t.Any) -> list[str]:
    """The names of the hosts that are found."""
    return [host["name"] for host in query_azure(host_info.BACKEND, **given)["hosts"]]


ALL = ["web1", "web2", "web3", "web4", "web5", "db1"]


@pytest.mark.parametrize("page_size", [0, 1, 2, 4])
@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({}, ALL),
        ({"resource_group": "docker"}, ALL[:5]),
        ({"resource_group": "DOCKER"}, ALL[:5]),
        ({"resource_group": "none"}, []),
        ({"name": "web2", "resource_group": "docker"}, ["web2"]),
        ({"name": "foreign", "resource_group": "docker"}, []),
        ({"name": "none", "resource_group": "docker"}, []),
        ({"tags": ["team"]}, ALL[:5]),
        ({"tags": ["team:build", "number:4"]}, ["web4"]),
        ({"tags": ["team:test"]}, []),
        ({"tags": ["team:build"], "resource_group": "other"}, []),
    ],
)
def test_which_hosts(azure_now: LocalAzure, given: dict[str, t.Any], found: list[str], page_size: int) -> None:
    azure_now.switch("page_size", page_size)
    assert names(**given) == found
    assert not any(entry["writing"] for entry in azure_now.requests())


def test_what_is_told_of_a_host(azure_now: LocalAzure) -> None:
    hosts = {host["name"]: host for host in query_azure(host_info.BACKEND, resource_group="docker")["hosts"]}
    web1 = hosts["web1"]
    assert web1["power_state"] == "running"
    assert web1["fqdn"].startswith("web1-")
    assert web1["public_ip_address"] in azure_now.names().values()
    assert web1["private_ip_address"] == "10.0.0.4"
    assert web1["docker_host"] == f"tcp://{web1['fqdn']}:4243"
    assert web1["image"] == "Canonical:ubuntu-24_04-lts:server:latest"
    assert (web1["agent"]["state"], web1["agent"]["message"]) == ("Ready", "Guest Agent is running")
    assert web1["ca_fingerprint"] == "ab12"
    assert web1["cert_expires"] == "2027-01-01T00:00:00Z"
    (extension,) = web1["extensions"]
    assert extension["name"] == "docker-host"
    assert extension["type"] == "Microsoft.Azure.Extensions.CustomScript"
    assert extension["provisioning_state"] == "Succeeded"
    assert extension["status"] == "Provisioning succeeded"
    assert web1["provisioning_state"] == "Succeeded"


def test_run_commands_that_carry_settings(azure_now: LocalAzure) -> None:
    hosts = {host["name"]: host["run_commands"] for host in query_azure(host_info.BACKEND)["hosts"]}
    (command,) = hosts.pop("web2")
    assert (command["name"], command["provisioning_state"]) == ("docker-host", "Succeeded")
    assert command.keys() == {"name", "provisioning_state", "status", "message"}
    assert not any(hosts.values())


def test_tag_names_in_another_case(azure_now: LocalAzure) -> None:
    (web4,) = query_azure(host_info.BACKEND, resource_group="docker", tags=["number:4"], name="web4")["hosts"]
    assert "Docker-Host-Ca" in web4["tags"]
    assert (web4["ca_fingerprint"], web4["cert_expires"]) == ("ab12", "2027-01-01T00:00:00Z")


def test_results_carry_the_groups_own_spelling(azure_now: LocalAzure) -> None:
    for host in query_azure(host_info.BACKEND, resource_group="DOCKER")["hosts"]:
        assert host["resource_group"] == "docker"
        assert "/resourceGroups/docker/" in host["id"]


def test_what_differs_between_hosts(azure_now: LocalAzure) -> None:
    hosts = {host["name"]: host for host in query_azure(host_info.BACKEND, resource_group="docker")["hosts"]}
    assert hosts["web2"]["docker_port"] == 2376
    assert hosts["web2"]["docker_host"].endswith(":2376")
    assert hosts["web2"]["zone"] == "1"
    assert [(disk["lun"], disk["disk_size_gb"]) for disk in hosts["web2"]["data_disks"]] == [(0, 8)]
    assert hosts["web3"]["public_ip_address"] is None
    assert hosts["web3"]["docker_host"] == f"tcp://{hosts['web3']['private_ip_address']}:4243"
    assert hosts["web5"]["power_state"] == "deallocated"
    assert hosts["web2"]["ca_fingerprint"] is None
    assert hosts["web4"]["extensions"] == []


def test_hosts_are_read_side_by_side(azure_now: LocalAzure) -> None:
    azure_now.fault("slow", path="/virtualMachines/web", seconds=0.3, times=0)
    assert names(resource_group="docker") == ALL[:5]
    assert concurrency(azure_now, "/virtualMachines/web") > 1


def concurrency(azure: LocalAzure, part: str) -> int:
    """How many requests to such paths were under way at the same time."""
    spans = []
    for entry in azure.requests():
        if part in entry["path"]:
            end = datetime.datetime.fromisoformat(entry["time"]).timestamp()
            spans.append((end - entry["seconds"], end))
    return max(sum(begin <= moment < end for begin, end in spans) for moment, _end in spans)


@pytest.mark.parametrize(
    ("given", "option"),
    [
        ({"name": "a/b", "resource_group": "docker"}, "name"),
        ({"resource_group": "a/b"}, "resource_group"),
        ({"tags": [":x"]}, "tags[0]"),
    ],
)
def test_wrong_options(azure_now: LocalAzure, given: dict[str, t.Any], option: str) -> None:
    with pytest.raises(OptionError) as caught:
        query_azure(host_info.BACKEND, **given)
    assert caught.value.option == option
    assert azure_now.requests() == []


# Images


def images(**given: t.Any) -> dict[str, t.Any]:
    """What is found in West Europe."""
    return query_azure(image_info.BACKEND, location="West Europe", **given)


@pytest.mark.parametrize(
    ("given", "key", "found"),
    [
        ({"publisher": "deb*"}, "publishers", ["Debian"]),
        ({"publisher": "nobody"}, "offers", []),
        ({"publisher": "Debian"}, "offers", ["debian-10", "debian-11", "debian-12", "debian-13"]),
        (
            {"publisher": "[dr]*", "offer": "*-1[13]"},
            "skus",
            ["Debian:debian-11:11:latest", "Debian:debian-11:11-gen2:latest", "Debian:debian-13:13-gen2:latest"],
        ),
        ({"publisher": "Debian", "offer": "nothing"}, "skus", []),
    ],
)
def test_the_next_part_of_a_urn(azure_now: LocalAzure, given: dict[str, t.Any], key: str, found: list[str]) -> None:
    result = images(**given)
    assert result[key] == found
    others = {"publishers", "offers", "skus", "images"} - {key}
    assert not any(result[other] for other in others)
    assert not any(entry["writing"] for entry in azure_now.requests())


def test_without_anything_publishers_are_listed(azure_now: LocalAzure) -> None:
    assert {"Canonical", "Debian", "RedHat"} <= set(images()["publishers"])


def test_the_newest_is_the_highest_number(azure_now: LocalAzure) -> None:
    more = ["acme:os:one:1.0.9", "acme:os:one:1.0.10", "acme:os:one:1.0.2"]
    azure_now.switch("extra_images", more)
    try:
        newest = images(publisher="acme", offer="os", sku="one")["images"]
        every = images(publisher="acme", offer="os", sku="one", version="*")["images"]
        some = images(publisher="acme", offer="os", sku="one", version="1.0.1*")["images"]
    finally:
        azure_now.switch("extra_images", [])
    assert [image["version"] for image in newest] == ["1.0.10"]
    assert [image["version"] for image in every] == ["1.0.2", "1.0.9", "1.0.10"]
    assert [image["urn"] for image in some] == ["acme:os:one:1.0.10"]


@pytest.mark.parametrize(
    ("given", "skus"),
    [
        ({}, ["server", "server-arm64", "server-gen1"]),
        ({"generation": "V1"}, ["server-gen1"]),
        ({"generation": "V2"}, ["server", "server-arm64"]),
        ({"architecture": "Arm64"}, ["server-arm64"]),
        ({"architecture": "x64", "generation": "V2"}, ["server"]),
    ],
)
def test_filters(azure_now: LocalAzure, given: dict[str, t.Any], skus: list[str]) -> None:
    found = images(publisher="Canonical", offer="ubuntu-24_04-lts", sku="*", **given)["images"]
    assert [image["sku"] for image in found] == skus


def test_what_is_told_of_an_image(azure_now: LocalAzure) -> None:
    (image,) = images(publisher="Canonical", offer="ubuntu-24_04-lts", sku="server-arm64")["images"]
    assert image["urn"] == "Canonical:ubuntu-24_04-lts:server-arm64:24.04.202501130"
    assert (image["os"], image["generation"], image["architecture"]) == ("Linux", "V2", "Arm64")
    assert (image["state"], image["plan"]) == ("Active", None)
    azure_now.switch("sold_images", ["Canonical:ubuntu-24_04-lts:server"])
    (sold,) = images(publisher="Canonical", offer="ubuntu-24_04-lts", sku="server")["images"]
    azure_now.switch("sold_images", [])
    assert sold["plan"] == {"name": "server", "product": "ubuntu-24_04-lts", "publisher": "Canonical"}


@pytest.mark.parametrize("family", [*ALIASES, "DEBIAN"])
def test_families(azure_now: LocalAzure, family: str) -> None:
    result = images(family=family)
    urns = {entry["name"]: entry["urn"] for entry in result["families"]}
    (image,) = result["images"]
    assert image["urn"].rpartition(":")[0] == urns[family.lower()].rpartition(":")[0]
    assert (image["os"], image["generation"]) == ("Linux", "V2")


def test_the_versions_of_a_family(azure_now: LocalAzure) -> None:
    base = "Canonical:ubuntu-24_04-lts:server"
    azure_now.switch("extra_images", [f"{base}:1.0.0", f"{base}:1.0.1"])
    try:
        one = images(family="ubuntu", version="1.0.0")["images"]
        every = images(family="ubuntu", version="*")["images"]
    finally:
        azure_now.switch("extra_images", [])
    assert [image["urn"] for image in one] == [f"{base}:1.0.0"]
    assert {"1.0.0", "1.0.1"} < {image["version"] for image in every}


@pytest.mark.parametrize("given", [{"generation": "V1"}, {"architecture": "Arm64"}, {"version": "*"}])
def test_a_filter_of_images_means_those_of_every_sku(azure_now: LocalAzure, given: dict[str, str]) -> None:
    place = {"publisher": "Canonical", "offer": "ubuntu-24_04-lts"}
    found = images(**place, **given)["images"]
    assert found
    assert found == images(**place, sku="*", **given)["images"]


@pytest.mark.parametrize("given", [{"generation": "V1"}, {"architecture": "Arm64"}, {"version": "1.0.0"}])
@pytest.mark.parametrize("place", [{}, {"publisher": "Canonical"}])
def test_a_filter_of_images_needs_an_offer(azure_now: LocalAzure, given: dict[str, str], place: dict[str, str]) -> None:
    with pytest.raises(OptionError, match="needs offer") as caught:
        images(**place, **given)
    assert [caught.value.option] == list(given)
    assert azure_now.requests() == []


def test_a_region_that_is_none(azure_now: LocalAzure) -> None:
    with pytest.raises(OptionError, match=r"Similar names: .*westeurope") as caught:
        query_azure(image_info.BACKEND, location="westeurop", publisher="Canonical")
    assert caught.value.option == "location"
    assert not [entry for entry in azure_now.requests() if "/publishers" in entry["path"]]
    azure_now.switch("forbidden", ["Microsoft.Resources/subscriptions/locations/read"])
    try:
        with pytest.raises(AzureError, match=r"NoRegisteredProviderFound.*az account list-locations"):
            query_azure(image_info.BACKEND, location="westeurop", publisher="Canonical")
        assert images(publisher="Debian")["offers"]
    finally:
        azure_now.switch("forbidden", [])


def test_a_family_that_is_none(azure_now: LocalAzure) -> None:
    with pytest.raises(OptionError, match="windows"):
        images(family="windows")
    assert azure_now.requests() == []


def test_images_are_read_side_by_side(azure_now: LocalAzure) -> None:
    azure_now.fault("slow", path="/versions", seconds=0.3, times=0)
    images(publisher="Canonical", offer="*", sku="*")
    assert concurrency(azure_now, "/versions") > 1


def test_a_location_that_is_none(azure_now: LocalAzure) -> None:
    with pytest.raises(OptionError, match="location"):
        query_azure(image_info.BACKEND, location="?")


def test_both_modules_write_nothing_anywhere(azure_now: LocalAzure, tmp_path: Path) -> None:
    before = azure_now.dump()
    assert query_azure(host_info.BACKEND)["changed"] is False
    assert images(publisher="Debian", offer="*", sku="*", version="*")["changed"] is False
    assert azure_now.dump() == before
