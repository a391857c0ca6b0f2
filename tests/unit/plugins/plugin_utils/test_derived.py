# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the look works out by itself is what the templates of the role's ``vars/main.yml`` give to the steps."""

from __future__ import annotations

import pathlib
import typing as t

import pytest
from ansible import template
from ansible.errors import AnsibleError
from ansible.parsing.dataloader import DataLoader

from ansible_collections.dockerhost.azure.plugins.plugin_utils._derived import Derived

ROLE = pathlib.Path(__file__).parents[4] / "roles" / "docker_host"
Json = dict[str, t.Any]
NAMES = (
    *("on_controller", "used_name", "used_resource_group", "used_port", "used_docker", "used_wait", "vm_found"),
    *("used_demand_mutual_tls", "with_context", "context_name", "over_ssh", "given_address", "address_is_ip"),
    *("server", "cert_dir", "tls", "real_port", "url", "all_dns_names", "all_ip_addresses"),
    *("ssh_user", "ssh_port", "ssh_keys", "ssh_url", "settings"),
)
VM: Json = {
    "name": "Web1",
    "docker_host": "tcp://web1-4f1a2b.westeurope.cloudapp.azure.com:5000",
    "docker_port": 5000,
    "dns_names": ["web1-4f1a2b.westeurope.cloudapp.azure.com"],
    "ip_addresses": ["20.1.2.3", "10.0.0.4"],
    "admin_username": "admin",
    "ssh_port": 2222,
}
CERTS: Json = {
    "cert_dir": "/certs",
    "servers": {"web1": {"dns_names": ["web1.example.com"], "ip_addresses": ["192.0.2.1"]}, "web2": {}},
    "docker_connection": {"ca_path": "/certs/ca.pem", "tls": True},
}
CONTEXT: Json = {"name": "web1", "managed": True, "docker_host": "tcp://198.51.100.7:2376"}
UNSET: Json = {
    f"docker_host_{name}": ""
    for name in (
        *(
            "name",
            "resource_group",
            "port",
            "docker",
            "wait",
            "demand_mutual_tls",
            "context",
            "context_name",
            "address",
        ),
        *("context_transport", "dns_names", "ip_addresses", "clients", "allowed_sources", "ssh_port", "admin_username"),
        *("cert_dir", "ssh_public_keys", "open_ports"),
    )
}
SSH: Json = {"docker_host_context_transport": "ssh"}
CASES: dict[str, Json] = {
    "nothing": {},
    "on localhost": {"inventory_hostname": "localhost", "docker_host_name": "web1"},
    "on localhost without a name": {"inventory_hostname": "127.0.0.1"},
    "empty answers": UNSET,
    "null answers": {**dict.fromkeys(UNSET), "docker_host_delegate_to": None},
    "a name of its own": {"docker_host_name": "web2", "docker_host_resource_group": "other"},
    "a template": {"docker_host_name": "{{ inventory_hostname }}-{{ 1 + 1 }}", "docker_host_port": "{{ 4000 + 1 }}"},
    "numbers as text": {"docker_host_port": " 2376 ", "docker_host_ssh_port": "2222"},
    "no number": {"docker_host_port": "many"},
    "a fraction": {"docker_host_port": "2376.0"},
    "booleans as text": {"docker_host_wait": "No", "docker_host_context": "YES", "docker_host_demand_mutual_tls": "on"},
    "booleans": {"docker_host_wait": False, "docker_host_context": False, "docker_host_demand_mutual_tls": 0},
    "numbers as booleans": {"docker_host_wait": 1, "docker_host_context": 2, "docker_host_demand_mutual_tls": "1"},
    "lists as text": {
        "docker_host_dns_names": "a.example.com, b.example.com\nc.example.com",
        "docker_host_ip_addresses": "192.0.2.7",
        "docker_host_clients": " ci,laptop ",
        "docker_host_ssh_public_keys": "ssh-ed25519 AAAA one\nssh-ed25519 BBBB two\n",
        "docker_host_allowed_sources": "10.0.0.0/8 Internet",
        "docker_host_open_ports": "80,443",
    },
    "text without a word": {"docker_host_dns_names": " , ", "docker_host_open_ports": "\n"},
    "lists": {
        "docker_host_dns_names": ["a.example.com", "a.example.com", ""],
        "docker_host_ip_addresses": ["192.0.2.7"],
        "docker_host_clients": [""],
        "docker_host_open_ports": [{"port": 80}],
        "docker_host_ssh_public_keys": [],
    },
    "known by the inventory": {"docker_host_facts": {"name": "web1", "host": {"docker_port": 5000}}},
    "another is known": {"docker_host_facts": {"name": "web2", "host": {"docker_port": 5000}}},
    "known without a port": {"docker_host_facts": {"name": "web1"}},
    "a context": {"_docker_host_context_found": {"previous": CONTEXT}},
    "a context of somebody": {"_docker_host_context_found": {"previous": {**CONTEXT, "managed": False}}},
    "another context": {"_docker_host_context_found": {"previous": {**CONTEXT, "name": "web2"}}},
    "no context": {"_docker_host_context_found": {"previous": None}},
    "a context over SSH": {"_docker_host_context_found": {"previous": {**CONTEXT, "docker_host": "ssh://me@web1:22"}}},
    "a context, and a port": {"_docker_host_context_found": {"previous": CONTEXT}, "docker_host_port": 2375},
    "an address": {"docker_host_address": "203.0.113.9", "_docker_host_vm": {"host": VM}},
    "an IPv6 address": {"docker_host_address": "2001:db8::1"},
    "a name as the address": {"docker_host_address": "docker.example.com", "_docker_host_vm": {"host": VM}},
    "a machine": {"_docker_host_vm": {"host": VM}},
    "another machine": {"_docker_host_vm": {"host": {**VM, "name": "web2"}}},
    "a machine without an address": {
        "_docker_host_vm": {"host": {**VM, "docker_host": None, "dns_names": None, "ip_addresses": []}}
    },
    "a machine to be made": {"_docker_host_vm": {"changed": True}},
    "a machine of the look": {"_docker_host_now": {"facts": {"host": VM}, "ssh_host_keys": ["k"]}},
    "a look without a machine": {"_docker_host_now": {"facts": None, "ssh_host_keys": []}},
    "a step after the look": {
        "_docker_host_vm": {"host": VM},
        "_docker_host_now": {"facts": {"host": {**VM, "docker_port": 1}}},
    },
    "certificates": {"_docker_host_certs": CERTS},
    "certificates and a machine": {"_docker_host_certs": CERTS, "_docker_host_vm": {"host": VM}},
    "certificates of others": {"_docker_host_certs": {"servers": None, "cert_dir": None, "docker_connection": None}},
    "a directory": {"docker_host_cert_dir": "~/.docker"},
    "over SSH": {**SSH, "_docker_host_vm": {"host": VM}, "docker_host_docker": {"users": ["admin", "me"]}},
    "over SSH, no context": {**SSH, "docker_host_context": False, "docker_host_docker": {"daemon": {}}},
    "over SSH on another port": {**SSH, "docker_host_ssh_port": 2200, "docker_host_admin_username": "me"},
    "keys that were pushed": {"_docker_host_push": {"engine": {"ssh_host_keys": ["a", "b"]}}, **SSH},
    "no keys that were pushed": {"_docker_host_push": {"engine": None}, "_docker_host_now": {"ssh_host_keys": ["k"]}},
}
WRONG: dict[str, tuple[Json, str]] = {
    "names": ({"docker_host_dns_names": 5}, "all_dns_names"),
    "users": ({**SSH, "docker_host_docker": {"users": "me"}}, "settings"),
}


def trusted(value: t.Any) -> t.Any:
    """As it is read from a playbook: ansible-core 2.19 wants to know what may be a template."""
    if isinstance(value, dict):
        return {key: trusted(item) for key, item in value.items()}
    trust = getattr(template, "trust_as_template", str)
    return trust(value) if isinstance(value, str) else value


@pytest.fixture(scope="module")
def role() -> Json:
    loader = DataLoader()
    return {
        name: trusted(value)
        for part in ("defaults", "vars")
        for name, value in loader.load_from_file(str(ROLE / part / "main.yml")).items()
    }


def both(role: Json, case: Json) -> tuple[Derived, t.Callable[[str], t.Any]]:
    """What gives the values: the class, and the role's templates."""
    variables = {**role, "inventory_hostname": "web1", **{name: trusted(value) for name, value in case.items()}}
    templar = template.Templar(loader=DataLoader(), variables=variables)

    def get(name: str) -> t.Any:
        return templar.template(variables[name]) if name in variables else None

    return Derived(get), get


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_it_derives_what_the_templates_do(role: Json, case: Json) -> None:
    derived, get = both(role, case)
    mine = {name: getattr(derived, name) for name in NAMES}
    theirs = {name: get(f"_docker_host_{name}") for name in NAMES}
    # Before ansible-core 2.19 a template's number is text.
    theirs.update({name: int(theirs[name]) for name in ("used_port", "real_port")})
    assert str(mine.pop("ssh_port")) == str(theirs.pop("ssh_port"))
    assert mine == theirs
    assert [name for name in mine if mine[name] is True] == [name for name in mine if theirs[name] is True]
    lists = [name.replace("docker_host_", "", 1) for name in role["_docker_host_text_lists"]]
    # Both are unset.
    theirs = {name: "" if (value := get(f"_docker_host_used_{name}")) is None else value for name in lists}
    assert {name: derived.used_list(name) for name in lists} == theirs


@pytest.mark.parametrize(("case", "name"), WRONG.values(), ids=WRONG)
def test_what_has_the_wrong_type_is_an_error(role: Json, case: Json, name: str) -> None:
    derived, get = both(role, case)
    with pytest.raises(TypeError):
        getattr(derived, name)
    with pytest.raises(AnsibleError):
        get(f"_docker_host_{name}")


def test_it_knows_every_name_that_it_has(role: Json) -> None:
    own = {name for name in vars(Derived) if not name.startswith("_")} - {"used_list", "defaults"}
    assert own == set(NAMES)
    assert {f"_docker_host_{name}" for name in NAMES} <= set(role)
