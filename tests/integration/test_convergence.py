# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role run again: it changes nothing exactly when nothing differs, and says so in its facts."""

from __future__ import annotations

import json
import re
import typing as t
from pathlib import Path

import pytest

from azure_emulator.launcher import LocalAzure

from .awx import as_awx_writes
from .conftest import Ran, User

PLAY = [
    {
        "hosts": "localhost",
        "gather_facts": False,
        "tasks": [
            {"ansible.builtin.import_role": {"name": "dockerhost.azure.docker_host"}},
            {"ansible.builtin.copy": {"content": "{{ docker_host_facts | to_json }}", "dest": "{{ facts }}"}},
            {
                "ansible.builtin.debug": {"msg": "CONVERGED {{ docker_host_facts.name }}"},
                "when": "not docker_host_facts.changed",
            },
        ],
    }
]
BASE: dict[str, t.Any] = {
    "name": "web1",
    "tags": {"team": "a"},
    "docker": {"daemon": {"labels": ["a=b"]}},
    "clients": ["ci"],
}
CHANGES: dict[str, dict[str, t.Any]] = {
    "tags": {"tags": {"team": "b"}},
    "port": {"port": 2376},
    "allowed_sources": {"allowed_sources": ["10.1.0.0/16"]},
    "open_ports": {"open_ports": [{"port": 8080}]},
    "dns_names": {"dns_names": ["docker.example.com"]},
    "ip_addresses": {"ip_addresses": ["192.0.2.7"]},
    "clients": {"clients": ["ci", "laptop"]},
    "docker": {"docker": {"daemon": {"labels": ["a=c"]}}},
    "context_name": {"context_name": "production"},
    "context_current": {"context_current": True},
    "regenerate": {"regenerate": "always"},
    "force": {"force": True},
}
ALWAYS = ("regenerate", "force")
NOTHING: dict[str, dict[str, t.Any]] = {
    "as before": {},
    "empty survey answers": {"vm_size": "", "zone": None, "ssh_public_keys": [""], "wait_timeout": "", "adopt": ""},
    "strings": {"port": "4243", "context": "yes", "wait": "true"},
    "without context": {"context": False},
    "without an answer": {"wait": False},
}
FACTS = "Set the facts of the host"
CONVERGED = "CONVERGED web1"


@pytest.fixture
def facts(tmp_path: Path) -> t.Callable[[], dict[str, t.Any]]:
    def read() -> dict[str, t.Any]:
        """What was handed on, but for what the run that made the host says of its own changes."""
        read: dict[str, t.Any] = json.loads((tmp_path / "facts.json").read_text())
        for key in ("changed", "changed_stages", "actions", "predicted", "engine"):
            del read[key]
        del read["host"]["tags"]
        for identity in ("ca", "client", "server"):
            for key in ("reasons", "days_left"):
                del read["certificates"][identity][key]
        return read

    return read


@pytest.fixture
def play(user: User, tmp_path: Path) -> t.Callable[..., Ran]:
    return player(user, tmp_path)


def player(user: User, directory: Path) -> t.Callable[..., Ran]:
    playbook = directory / "site.yml"
    playbook.write_text(json.dumps(PLAY))

    def run(changes: dict[str, t.Any], *arguments: str, fails: bool = False) -> Ran:
        given = ("-e", f"facts={directory / 'facts.json'}", *arguments)
        return user.play(str(playbook), *given, fails=fails, **{**BASE, **changes})

    return run


def changed(ran: Ran) -> int:
    """Changed tasks of the role, but for that which sets the facts."""
    return len(tasks_that_change(ran))


@pytest.mark.slow
def test_only_what_differs_changes_something(
    play: t.Callable[..., Ran], facts: t.Callable[[], dict[str, t.Any]], user: User
) -> None:
    first = play({})
    assert CONVERGED not in first.output
    made = facts()
    user.writes()
    for name, same in NOTHING.items():
        ran = play(same)
        assert (CONVERGED in ran.output, changed(ran)) == (True, 0), name
        assert user.writes() == []
        if not same:
            assert facts() == made
    kept: dict[str, t.Any] = {}
    for name, change in CHANGES.items():
        ran = play({**kept, **change})
        assert CONVERGED not in ran.output, name
        assert changed(ran) > 0, name
        if name not in ALWAYS:
            kept.update(change)
    again = play(kept)
    assert (CONVERGED in again.output, changed(again)) == (True, 0)


def tasks_that_change(ran: Ran) -> list[str]:
    """The names of the role's tasks that say that they changed something, or would."""
    parts = re.split(r"^TASK \[(.*?)\]", ran.output, flags=re.MULTILINE)
    changing = [
        name for name, text in zip(parts[1::2], parts[2::2], strict=True) if re.search(r"^changed: ", text, re.M)
    ]
    return [name for name in changing if name.startswith("dockerhost.azure.docker_host : ") and FACTS not in name]


@pytest.mark.slow
def test_check_mode_foretells_where_a_renewal_goes(play: t.Callable[..., Ran]) -> None:
    short = {f"{whose}_{what}": time for whose, life in (("server", 10), ("client", 10), ("ca", 500))
             for what, time in (("not_after", f"+{life}d"), ("renew_before", "+1d"))}  # fmt: skip
    play(short)
    for whose, follow in {"server": 1, "client": 1, "ca": 2}.items():
        due = {**short, f"{whose}_not_after": "+3000d", f"{whose}_renew_before": "+600d"}
        predicted = tasks_that_change(play(due, "--check"))
        done = tasks_that_change(play(due))
        assert predicted == done, whose
        assert len(done) == 1 + follow, done
        short = due


def test_answers_as_awx_writes_them(play: t.Callable[..., Ran], user: User) -> None:
    play({})
    answers = {"docker_host_port": "4243", "docker_host_vm_size": "", "docker_host_allowed_sources": ""}
    (user.home / "answers.yml").write_text(as_awx_writes({}, answers))
    ran = play({}, "-e", f"@{user.home / 'answers.yml'}")
    assert (CONVERGED in ran.output, changed(ran)) == (True, 0)
    # What looks like a template and is none.
    (user.home / "answers.yml").write_text(as_awx_writes({}, {"docker_host_tags": {"team": "{{ 1 + 1 }}"}}))
    assert CONVERGED not in play({}, "-e", f"@{user.home / 'answers.yml'}").output
    assert any((entry.get("tags") or {}).get("team") == "{{ 1 + 1 }}" for entry in user.azure.dump().values())
    assert CONVERGED in play({}, "-e", f"@{user.home / 'answers.yml'}").output


def test_a_change_outside_is_seen(play: t.Callable[..., Ran], user: User) -> None:
    play({})
    (user.docker_directory / "servers" / "web1" / "cert.pem").unlink()
    assert CONVERGED not in play({}).output
    (user.docker_directory / "key.pem").unlink()
    assert CONVERGED not in play({}).output
    assert CONVERGED in play({}).output
    predicted = play({"port": 2377}, "--check", "--diff")
    assert CONVERGED not in predicted.output
    assert changed(predicted) > 0
    assert user.writes()
    user.play("stop_docker_host", name="web1")
    user.writes()
    assert "web1 is deallocated, so it cannot take all changes" in play({}, fails=True).output
    assert not user.writes()
    assert CONVERGED not in play({"start": True}).output
    assert user.writes()
    assert CONVERGED in play({}).output


def test_the_guest_is_asked_when_that_is_wanted(tmp_path: Path) -> None:
    """What somebody changed on the machine is seen there only."""
    with LocalAzure(machines="stand-in", state_dir=tmp_path / "azure") as azure:
        user = User(azure, tmp_path / "home")
        play = player(user, tmp_path)
        play({})
        (daemon,) = (tmp_path / "azure").rglob("root/etc/docker/daemon.json")
        wanted = daemon.read_text()
        daemon.write_text(json.dumps({"labels": ["a=by-hand"]}))
        assert CONVERGED in play({}).output
        predicted = play({"verify_guest": "yes"}, "--check")
        assert changed(predicted) == 1
        assert daemon.read_text() != wanted
        repaired = play({"verify_guest": "yes"})
        assert CONVERGED not in repaired.output
        assert changed(repaired) == 1
        assert daemon.read_text() == wanted
        again = play({"verify_guest": True})
        assert (CONVERGED in again.output, changed(again)) == (True, 0)


NOTE = "{{ 1 + 1 }}"
SECRET = "the passphrase of the CA"


def test_hosts_of_the_inventory_get_their_variables(user: User) -> None:
    """With changes and without. They survive a refreshed inventory, and are never templates."""
    (user.home / "inventory.json").write_text(
        json.dumps({"docker_hosts": {"hosts": {"web1": {}, "web2": {"ansible_user": "me"}}}})
    )
    role = {"ansible.builtin.import_role": {"name": "dockerhost.azure.docker_host"}}
    told = "dict2items | selectattr('key', 'match', 'ansible_|docker_host_facts') | items2dict | to_json"
    write = {
        "content": f"{{{{ hostvars[inventory_hostname] | {told} }}}}",
        "dest": str(user.home / "{{ inventory_hostname }}.json"),
    }
    later: list[dict[str, t.Any]] = [
        {"ansible.builtin.meta": "refresh_inventory"},
        {"ansible.builtin.copy": write, "delegate_to": "localhost", "changed_when": False},
    ]
    site = user.home / "site.yml"
    base = {"gather_facts": False, "connection": "local", "hosts": "docker_hosts"}
    site.write_text(json.dumps([{**base, "tasks": [role]}, {**base, "tasks": later}]))

    def seen() -> tuple[Ran, list[dict[str, t.Any]]]:
        # With a secret, whose value is searched for in all that is handed on.
        asked = {
            "docker_host_tags": {"note": f"{{% raw %}}{NOTE}{{% endraw %}}"},
            "docker_host_ca_key_passphrase": SECRET,
        }
        ran = user.play(str(site), "-i", str(user.home / "inventory.json"), "-e", json.dumps(asked))
        return ran, [json.loads((user.home / f"{name}.json").read_text()) for name in ("web1", "web2")]

    ran, made = seen()
    assert min(ran.changed.values()) > 0
    ran, found = seen()
    assert ran.changed == {"web1": 0, "web2": 0}
    for name, before, after in zip(("web1", "web2"), made, found, strict=True):
        facts = after["docker_host_facts"]
        assert (facts["name"], facts["host"]["tags"]["note"]) == (name, NOTE)
        assert SECRET not in json.dumps(after)
        assert after["ansible_docker_docker_host"] == facts["docker_host"] == f"tcp://{after['ansible_host']}:4243"
        connection = {
            key.replace("ansible_docker_", ""): after[key] for key in after if key.startswith("ansible_docker_")
        }
        assert connection == facts["connection"]
        assert after["ansible_user"] == ("me" if name == "web2" else "azureuser")
        assert {
            key: after[key] for key in after if "ansible_docker" in key or key in ("ansible_host", "ansible_port")
        } == {key: before[key] for key in before if "ansible_docker" in key or key in ("ansible_host", "ansible_port")}


def test_the_callers_defaults_count_below_the_roles_variables(user: User) -> None:
    """Option by option, those of a group, too. An option that the module does not have is ignored."""
    name = "dockerhost.azure.docker_vm_host"
    defaults = {
        "group/dockerhost.azure.all": {"cloud_ca_path": "{{ ca }}"},
        name: {"vm_size": "Standard_B1s", "tags": {"team": "{{ team }}"}, "managed_disk_type": "Standard_LRS", "x": 1},
        "dockerhost.azure.docker_context": {"adopt": True},
    }
    role = {"name": "dockerhost.azure.docker_host"}
    play = {
        "hosts": "localhost",
        "gather_facts": False,
        "vars": {"team": "a", "ca": "{{ lookup('env', 'AZURE_CLOUD_CA_PATH') }}"},
        "module_defaults": defaults,
        "tasks": [{"ansible.builtin.import_role": role}],
    }
    (user.home / "site.yml").write_text(json.dumps([play]))
    shown = {"ANSIBLE_INJECT_INVOCATION": "true"}
    ran = user.play(
        str(user.home / "site.yml"), "--check", "-vvv", environment=shown, name="web1", vm_size="Standard_D2ls_v5"
    )
    result = ran.output.partition(" : Create or update the virtual machine]")[2].partition("] => ")[2]
    given = json.JSONDecoder().raw_decode(result)[0]["invocation"]["module_args"]
    assert given["tags"] == {"team": "a"}
    assert {option: given[option] for option in ("vm_size", "managed_disk_type", "cloud_ca_path")} == {
        "vm_size": "Standard_D2ls_v5",
        "managed_disk_type": "Standard_LRS",
        "cloud_ca_path": user.azure.environment["AZURE_CLOUD_CA_PATH"],
    }
