# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The inventory plugin, as ansible-inventory shows it, over hosts in a local Azure."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest

from ansible_collections.dockerhost.azure.plugins.module_utils._azure.clients import AzureSession
from azure_emulator.launcher import LocalAzure
from azure_emulator.state import StateFile

from .conftest import REPOSITORY, User

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"


@pytest.fixture(scope="module")
def azure() -> t.Iterator[LocalAzure]:
    with LocalAzure(machines="none") as running:
        yield running


@pytest.fixture(scope="module")
def other_azure() -> t.Iterator[LocalAzure]:
    """For hosts that are no part of the fleet."""
    with LocalAzure(machines="none") as running:
        yield running


@pytest.fixture(scope="module")
def fleet(azure: LocalAzure, tmp_path_factory: pytest.TempPathFactory) -> User:
    """A private host, two with one name, one that is off, and a VM that is not ours."""
    user = User(azure, tmp_path_factory.mktemp("fleet") / "owner")
    module = "dockerhost.azure.docker_vm_host"
    options: list[dict[str, t.Any]] = [
        {"name": "web1", "resource_group": "west", "location": "westeurope", "tags": {"stage": "production"}},
        {"name": "web1", "resource_group": "north", "location": "northeurope", "docker_port": 5000, "ssh_port": 2222},
        {"name": "db1", "resource_group": "west", "location": "westeurope", "assign_public_ip": False},
        {"name": "off1", "resource_group": "west", "location": "westeurope"},
    ]
    tasks: list[dict[str, t.Any]] = [{module: {**option, "ssh_public_keys": [KEY]}} for option in options]
    tasks.append({module: {"name": "off1", "resource_group": "west", "state": "deallocated"}})
    playbook = user.home / "fleet.yml"
    playbook.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]))
    user.play(str(playbook))
    return user


def listed(user: User, *arguments: str, fails: bool = False, **options: t.Any) -> dict[str, t.Any]:
    """What ansible-inventory shows, with the marks for strings from outside taken off."""
    path = user.home / "docker_vm_host.yml"
    path.write_text(json.dumps({"plugin": "dockerhost.azure.docker_vm_host", **options}))
    ran = user.run(
        "ansible-inventory",
        "-i",
        str(path),
        "--list",
        *arguments,
        environment={"ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "true"},
    )
    assert (ran.code != 0) == fails, ran.output
    if fails:
        return {"output": ran.output}
    return t.cast("dict[str, t.Any]", _plain(json.loads(ran.output[ran.output.index("{") :])))


def _plain(value: t.Any) -> t.Any:
    if isinstance(value, dict):
        return (
            value["__ansible_unsafe"]
            if set(value) == {"__ansible_unsafe"}
            else {k: _plain(v) for k, v in value.items()}
        )
    return [_plain(item) for item in value] if isinstance(value, list) else value


def test_all_hosts_with_their_variables(fleet: User) -> None:
    shown = listed(fleet)
    hosts = shown["_meta"]["hostvars"]
    assert sorted(hosts) == ["db1", "off1", "web1.north", "web1.west"]
    assert sorted(shown["docker_hosts"]["hosts"]) == sorted(hosts)
    north = hosts["web1.north"]
    assert north["docker_host_name"] == "web1"
    assert north["docker_host_resource_group"] == "north"
    # What a user may say for a group stays the user's.
    assert not {"docker_host_port", "docker_host_location"} & set(north)
    assert north["ansible_port"] == 2222
    assert north["ansible_user"] == "azureuser"
    assert north["ansible_host"].startswith("web1-")
    url = f"tcp://{north['ansible_host']}:5000"
    assert north["ansible_docker_docker_host"] == url
    facts = north["docker_host_facts"]
    directory = str(fleet.home / ".docker")
    assert facts["env"] == {"DOCKER_HOST": url, "DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": directory}
    assert facts["connection"] == {
        "docker_host": url,
        "tls": True,
        "validate_certs": True,
        "ca_path": f"{directory}/ca.pem",
        "client_cert": f"{directory}/cert.pem",
        "client_key": f"{directory}/key.pem",
    }
    assert hosts["off1"]["docker_host_facts"]["host"]["power_state"] == "deallocated"
    assert north["docker_host_facts"]["host"]["power_state"] == "running"
    private = hosts["db1"]
    assert private["ansible_host"] == private["docker_host_facts"]["host"]["private_ip_address"]
    assert private["docker_host_facts"]["host"]["public_ip_address"] is None


def test_no_request_for_a_single_host(fleet: User) -> None:
    fleet.azure.clear_requests()
    listed(fleet)
    assert fleet.writes_and_reads() == 4
    listed(fleet, agent_state=True)
    assert fleet.writes_and_reads() == 4 + 4
    listed(fleet, resource_groups=["west", "north", "WEST"])
    assert fleet.writes_and_reads() == 1 + 2 * 3
    # Without the right to list states of the whole subscription, each host of the inventory is asked for its own.
    fleet.azure.fault(
        "status", method="GET", path="/subscriptions/[^/]+/providers/.*/virtualMachines$", nth=1, status=403
    )
    hosts = listed(fleet, resource_groups=["west"])["_meta"]["hostvars"]
    assert fleet.writes_and_reads() == 4 + 3
    assert hosts["off1"]["docker_host_facts"]["host"]["power_state"] == "deallocated"
    assert hosts["off1"]["docker_host_facts"]["host"]["agent_state"] is None


def test_five_hundred_hosts(tmp_path: Path) -> None:
    """However many there are, the lists are asked for once. The hosts are copies of one, in the state of the cloud."""
    directory = tmp_path / "cloud"
    options = {"name": "crowd0", "resource_group": "crowd", "location": "westeurope"}
    with LocalAzure(machines="none", state_dir=directory) as azure:
        user = User(azure, tmp_path / "crowd")
        playbook = user.home / "one.yml"
        tasks = [{"dockerhost.azure.docker_vm_host": options}]
        playbook.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]))
        user.play(str(playbook))
        address = next(iter(azure.names().values()))
    _multiply(directory / "state.sqlite", 500, address)
    with LocalAzure(machines="none", state_dir=directory) as azure:
        user = User(azure, tmp_path / "crowd")
        azure.clear_requests()
        grouped: dict[str, t.Any] = {
            "keyed_groups": [{"prefix": "size", "key": "vm_size"}],
            "groups": {"on": "power_state == 'running'"},
        }
        shown = listed(user, **grouped)
        assert user.writes_and_reads() == 4
        assert len(shown["_meta"]["hostvars"]) == 500
        assert len(shown["on"]["hosts"]) == 500
        assert len({variables["ansible_host"] for variables in shown["_meta"]["hostvars"].values()}) == 500
        azure.switch("page_size", 100)
        assert listed(user, **grouped) == shown
        assert user.writes_and_reads() == 4 * 5


def _multiply(state: Path, number: int, address: str) -> None:
    file = StateFile(state)
    originals = [(key, json.dumps(value)) for key, value in file.load("resources").items() if "crowd0" in key]
    assert len(originals) >= 4
    for n in range(1, number):
        for key, text in originals:
            there = text.replace("crowd0", f"crowd{n}").replace(address, f"198.18.{10 + n // 250}.{1 + n % 250}")
            file.put("resources", key.replace("crowd0", f"crowd{n}"), json.loads(there))
    file.close()


def test_groups_and_filters(fleet: User) -> None:
    shown = listed(
        fleet,
        resource_groups=["west"],
        keyed_groups=[{"prefix": "location", "key": "location"}],
        groups={"off": "power_state != 'running'"},
        compose={"region": "location", "ansible_port": "ssh_port + 1"},
        group="engines",
    )
    assert sorted(shown["_meta"]["hostvars"]) == ["db1", "off1", "web1"]
    assert shown["off"]["hosts"] == ["off1"]
    assert sorted(shown["location_westeurope"]["hosts"]) == ["db1", "off1", "web1"]
    assert sorted(shown["engines"]["hosts"]) == ["db1", "off1", "web1"]
    assert shown["_meta"]["hostvars"]["web1"]["region"] == "westeurope"
    # Before 2.19, ansible-core makes text of whatever is composed.
    assert int(shown["_meta"]["hostvars"]["web1"]["ansible_port"]) == 23
    assert list(listed(fleet, host_tags={"stage": "production"})["_meta"]["hostvars"]) == ["web1"]
    private = listed(fleet, private_addresses=True)["_meta"]["hostvars"]["web1.west"]
    assert private["ansible_host"].startswith("10.")


def test_agent_state(fleet: User) -> None:
    hosts = listed(fleet, agent_state=True)["_meta"]["hostvars"]
    assert hosts["web1.west"]["docker_host_facts"]["host"]["agent_state"] == "ready"


def test_strict(fleet: User) -> None:
    listed(fleet, compose={"x": "no_such_thing.at_all"})
    assert "no_such_thing" in listed(fleet, fails=True, strict=True, compose={"x": "no_such_thing.at_all"})["output"]


def change_cache(path: Path, change: t.Callable[[list[t.Any]], t.Any]) -> None:
    """Change the hosts in a cache file, which newer versions of ansible-core keep as text in a dictionary."""
    content = json.loads(path.read_text())
    hosts = content if isinstance(content, list) else json.loads(content["__payload__"])
    change(hosts)
    path.write_text(json.dumps(hosts if isinstance(content, list) else {**content, "__payload__": json.dumps(hosts)}))


def test_cache(fleet: User) -> None:
    options: dict[str, t.Any] = {
        "cache": True,
        "cache_plugin": "ansible.builtin.jsonfile",
        "cache_connection": str(fleet.home / "cache"),
    }
    first = listed(fleet, **options)
    fleet.azure.clear_requests()
    assert listed(fleet, **options) == first
    assert fleet.writes_and_reads() == 0
    # ansible-inventory has --flush-cache since ansible-core 2.19, ansible-playbook has always had it.
    inventory = str(fleet.home / "docker_vm_host.yml")
    playbook = "dockerhost.azure.list_docker_images"
    flushed = fleet.run("ansible-playbook", "-i", inventory, "--flush-cache", "--list-hosts", playbook)
    assert flushed.code == 0, flushed.output
    assert fleet.writes_and_reads() > 0
    assert listed(fleet, **options) == first
    # What another version of the collection, or somebody else, wrote is asked for anew.
    (written,) = (fleet.home / "cache").iterdir()
    good = json.loads(written.read_text())
    changes: tuple[t.Callable[[list[t.Any]], t.Any], ...] = (
        lambda hosts: hosts[0].pop("zone"),
        lambda hosts: hosts.append("web9"),
    )
    for change in changes:
        change_cache(written, change)
        fleet.azure.clear_requests()
        assert listed(fleet, **options) == first
        assert fleet.writes_and_reads() > 0
        assert json.loads(written.read_text()) == good


def test_several_subscriptions(tmp_path: Path) -> None:
    """Two hosts of one name in groups of one name; a group that is in one of the subscriptions only."""
    other = "0b1f6471-1bf0-4dda-aec3-cb9272f09590"
    with LocalAzure(machines="none", switches={"extra_subscriptions": [other]}) as azure:
        user = User(azure, tmp_path / "two")
        first = azure.subscription_id
        common = {"location": "westeurope", "ssh_public_keys": [KEY]}
        options = [
            {"name": "web1", "resource_group": "west", **common},
            {"name": "web1", "resource_group": "west", "subscription_id": other, **common},
            {"name": "db1", "resource_group": "north", "subscription_id": other, **common},
        ]
        tasks = [{"dockerhost.azure.docker_vm_host": option} for option in options]
        playbook = user.home / "fleet.yml"
        playbook.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]))
        user.play(str(playbook))
        azure.clear_requests()
        both = [first, other, other.upper()]
        hosts = listed(user, subscriptions=both)["_meta"]["hostvars"]
        assert user.writes_and_reads() == 2 * 4
        assert sorted(hosts) == sorted(["db1", f"web1.west.{first}", f"web1.west.{other}"])
        assert hosts[f"web1.west.{other}"]["docker_host_subscription_id"] == other
        assert list(listed(user, subscriptions=both, resource_groups=["north"])["_meta"]["hostvars"]) == ["db1"]
        assert list(listed(user)["_meta"]["hostvars"]) == ["web1"]


def test_a_group_that_is_yet_to_be_made(fleet: User) -> None:
    """The inventory is there before the first host, and says what it did not find."""
    assert sorted(listed(fleet, resource_groups=["west", "nowhere"])["_meta"]["hostvars"]) == ["db1", "off1", "web1"]
    path = fleet.home / "docker_vm_host.yml"
    path.write_text(json.dumps({"plugin": "dockerhost.azure.docker_vm_host", "resource_groups": ["nowhere"]}))
    ran = fleet.run("ansible-inventory", "-i", str(path), "--list")
    assert ran.code == 0, ran.output
    # Older ansible-core breaks lines.
    assert "resource_groups: these groups do not exist: nowhere" in " ".join(ran.output.split())


HOSTILE = "{{ lookup('pipe', 'touch %s') }}"
SHOWN = ("docker_host_facts", "docker_host_facts.host.tags", "composed", "group_names", "hostvars[inventory_hostname]")


@pytest.mark.parametrize("cached", [False, True])
def test_tags_are_never_evaluated(other_azure: LocalAzure, tmp_path: Path, cached: bool) -> None:
    """Who may write tags does not get the controller: by values, keys, names, groups, or what the role hands on."""
    user = User(other_azure, tmp_path / "tags")
    made = user.home / "made"
    evil = HOSTILE % made
    group = f"tags-{cached}".lower()
    _tagged(user, group, {"good1": {"note": evil, "quoted": f"x' ~ lookup('pipe', 'touch {made}') ~ '"}})
    options: dict[str, t.Any] = {
        "resource_groups": [group],
        "compose": {"composed": "tags.note"},
        "groups": {"noted": "tags.note | length > 0"},
        "keyed_groups": [{"prefix": "note", "key": "tags.note"}, {"prefix": "tag", "key": "tags"}],
    }
    if cached:
        connection = str(user.home / "cache")
        options.update(cache=True, cache_plugin="ansible.builtin.jsonfile", cache_connection=connection)
        listed(user, **options)
    shown = listed(user, **options)
    assert shown["_meta"]["hostvars"]["good1"]["docker_host_facts"]["host"]["tags"]["note"] == evil
    assert shown["noted"]["hosts"] == ["good1"]
    tasks: list[dict[str, t.Any]] = [{"ansible.builtin.debug": {"var": name}} for name in SHOWN]
    tasks += [
        {"ansible.builtin.debug": {"msg": "{{ composed }} {{ group_names }} {{ docker_host_facts.host.tags }}"}},
        {"ansible.builtin.set_fact": {"copied": "{{ docker_host_facts.host.tags.note }}"}},
        {"ansible.builtin.debug": {"msg": "{{ copied }} is {{ hostvars.good1.copied }}"}},
        {
            "dockerhost.azure.docker_vm_host_info": {"name": "good1", "resource_group": group},
            "delegate_to": "localhost",
            "register": "info",
        },
        {"ansible.builtin.debug": {"msg": "{{ info.hosts[0].tags.note }}"}},
        {
            "dockerhost.azure.docker_vm_host": {"name": "good1", "resource_group": group},
            "delegate_to": "localhost",
            "check_mode": True,
            "register": "action",
        },
        {"ansible.builtin.set_fact": {"handed_on": {"host": "{{ action.host }}"}}},
        {"ansible.builtin.debug": {"msg": "{{ handed_on.host.tags.note }} {{ action.host.tags }}"}},
    ]
    play = {"hosts": "docker_hosts", "connection": "local", "gather_facts": False, "tasks": tasks}
    (user.home / "show.yml").write_text(json.dumps([play]))
    ran = user.run("ansible-playbook", "-i", "docker_vm_host.yml", "show.yml")
    assert not made.exists()
    assert ran.code == 0, ran.output
    assert ran.output.count("touch") > len(SHOWN)


def test_a_tag_makes_no_other_host_of_it(other_azure: LocalAzure, tmp_path: Path) -> None:
    """Tasks for localhost, which carry credentials, would go to somebody's machine."""
    user = User(other_azure, tmp_path / "names")
    names = ["localhost", "all", "docker_hosts", "{{ 7 * 7 }}"]
    _tagged(user, "names", {f"odd{number}": {"docker-host": name} for number, name in enumerate(names)})
    shown = listed(user, resource_groups=["names"])
    assert shown["_meta"]["hostvars"] == {}
    _tagged(user, "names", {"even1": {}})
    ran = user.run("ansible-inventory", "-i", "docker_vm_host.yml", "--list")
    # Older ansible-core breaks lines, within words that have a hyphen, too.
    said = "".join(ran.output.split())
    assert said.count("itstagdocker-hostmustbethenameofthevirtualmachine") == 3
    assert "virtualMachines/odd3isleftout:itstagdocker-hostisnotavalidhostname" in said


def test_a_tag_takes_no_other_hosts_place(other_azure: LocalAzure, tmp_path: Path) -> None:
    """Neither that of a host of another source, whose variables may be secrets, nor that of a host of the group."""
    user = User(other_azure, tmp_path / "places")
    names = {"real1": "real1", "evil1": "real1", "known1": "known1"}
    _tagged(user, "places", {host: {"docker-host": name} for host, name in names.items()})
    (user.home / "01.yml").write_text(json.dumps({"all": {"hosts": {"known1": {"ansible_host": "10.0.0.5"}}}}))
    config = {"plugin": "dockerhost.azure.docker_vm_host", "resource_groups": ["places"]}
    (user.home / "docker_vm_host.yml").write_text(json.dumps(config))
    ran = user.run("ansible-inventory", "-i", "01.yml", "-i", "docker_vm_host.yml", "--list")
    hosts = _plain(json.loads(ran.output[ran.output.index("{") : ran.output.rindex("}") + 1]))["_meta"]["hostvars"]
    assert hosts["known1"] == {"ansible_host": "10.0.0.5"}
    assert "evil1" not in hosts
    assert hosts["real1"]["docker_host_facts"]["host"]["id"].endswith("/real1")
    said = "".join(ran.output.split())
    assert "evil1isleftout:itstagdocker-hostmustbethenameofthevirtualmachine,evil1" in said
    assert "known1isleftout:anotherinventorysourcealreadydefinesknown1" in said


def test_tag_names_in_another_case(other_azure: LocalAzure, tmp_path: Path) -> None:
    """Azure ignores the case of tag names, and may return another than was written."""
    user = User(other_azure, tmp_path / "spelling")
    _create(user, "spelling", ["web1"])
    tags = {
        "Docker-Host": "web1", "DOCKER-HOST-COLLECTION": "dockerhost.azure", "Docker-Host-Port": "5000",
        "Docker-Host-SSH-Port": "2222", "Docker-Host-CA": "ab12", "Docker-Host-Cert-Expires": "2027-01-01T00:00:00Z",
        "Stage": "test",
    }  # fmt: skip
    with _session(user.azure) as session:
        machine = f"{session.group_id('spelling')}/providers/Microsoft.Compute/virtualMachines/web1"
        session.arm.put(machine, {"location": "westeurope", "tags": tags, "properties": {}})
        user.azure.settle()
    shown = listed(user, resource_groups=["spelling"], host_tags={"stage": "test"})
    host = shown["_meta"]["hostvars"]["web1"]["docker_host_facts"]["host"]
    assert (host["docker_port"], host["ssh_port"], host["ca_fingerprint"]) == (5000, 2222, "ab12")
    assert host["cert_expires"] == "2027-01-01T00:00:00Z"
    assert host["tags"] == tags


def _create(user: User, group: str, names: t.Iterable[str]) -> None:
    """Create hosts by one playbook."""
    common = {"resource_group": group, "location": "westeurope", "ssh_public_keys": [KEY]}
    tasks = [{"dockerhost.azure.docker_vm_host": {"name": name, **common}} for name in names]
    playbook = user.home / "make.yml"
    playbook.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]))
    user.play(str(playbook))


def _session(azure: LocalAzure) -> AzureSession:
    """A session of the service principal."""
    params = {
        "cloud_environment": azure.url, "cloud_ca_path": azure.ca_file, "tenant": azure.tenant,
        "client_id": azure.client_id, "secret": azure.secret, "subscription_id": azure.subscription_id,
    }  # fmt: skip
    return AzureSession.from_params(params)


def _tagged(user: User, group: str, hosts: t.Mapping[str, dict[str, str]]) -> None:
    """Create hosts, and give their VMs tags as anybody may who is allowed to write them."""
    _create(user, group, hosts)
    with _session(user.azure) as session:
        for name, tags in hosts.items():
            machine = f"{session.group_id(group)}/providers/Microsoft.Compute/virtualMachines/{name}"
            there = session.arm.get(machine)
            tagged = {"location": there["location"], "tags": {**there["tags"], **tags}, "properties": {}}
            session.arm.put(machine, tagged)
        user.azure.settle()


def test_as_awx_asks(fleet: User) -> None:
    """An inventory source: a project's file, an Azure credential in the environment, nothing else."""
    source = REPOSITORY / "examples" / "awx" / "inventory" / "docker_vm_host.yml"
    empty = {"AZURE_AD_USER": "", "AZURE_PASSWORD": "", "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "true"}
    ran = fleet.run("ansible-inventory", "-i", str(source), "--list", "--export", environment=empty)
    assert ran.code == 0, ran.output
    assert len(json.loads(ran.output)["docker_hosts"]["hosts"]) == 4


def test_role_runs_against_it(fleet: User, tmp_path: Path) -> None:
    path = fleet.home / "west.docker_vm_host.yml"
    path.write_text(json.dumps({"plugin": "dockerhost.azure.docker_vm_host", "resource_groups": ["west"]}))
    ran = fleet.run(
        "ansible-playbook",
        "-i",
        str(path),
        "dockerhost.azure.stop_docker_host",
        "-e",
        "docker_host_targets=web1",
        "--check",
    )
    assert ran.code == 0, ran.output
    assert ran.changed == {"web1": 1}


def test_starting_a_host_keeps_its_port(fleet: User) -> None:
    """A host keeps the port that it has when it is started or stopped."""
    path = fleet.home / "north.docker_vm_host.yml"
    path.write_text(json.dumps({"plugin": "dockerhost.azure.docker_vm_host", "resource_groups": ["north"]}))
    show = fleet.home / "show.yml"
    role = {"name": "dockerhost.azure.docker_host", "tasks_from": "power"}
    told = {"ansible.builtin.debug": {"msg": "port {{ _docker_host_virtual_machine.host.docker_port }}."}}
    power = {"ansible.builtin.import_role": role, "vars": {"docker_host_power": "running"}, "check_mode": True}
    show.write_text(json.dumps([{"hosts": "docker_hosts", "gather_facts": False, "tasks": [power, told]}]))
    (fleet.home / "group_vars").mkdir()
    for said in ("docker_host_port: 2376", "docker_host_location: northeurope"):
        # Power is no occasion to move the port, whatever the variables say.
        (fleet.home / "group_vars" / "docker_hosts.yml").write_text(said)
        ran = fleet.run("ansible-playbook", "-i", str(path), str(show))
        assert ran.code == 0, ran.output
        assert "port 5000." in ran.output
    empty = fleet.run("ansible-playbook", "-i", str(path), str(show), "-e", "docker_host_port=")
    assert "port 5000." in empty.output, empty.output


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"auth_source": "pigeon"}, "auth_source"),
        ({"subscription_id": "00000000-0000-0000-0000-000000000000"}, "00000000"),
        ({"unknown": 1, "group": ["a"]}, "group"),
    ],
)
def test_bad_configuration(fleet: User, options: dict[str, t.Any], message: str) -> None:
    # Older ansible-core breaks lines.
    assert message in " ".join(listed(fleet, fails=True, **options)["output"].split())
