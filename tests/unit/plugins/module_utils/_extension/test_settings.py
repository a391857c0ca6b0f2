# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import functools
import json
import typing as t
from pathlib import Path

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID

from ansible_collections.dockerhost.azure.plugins.module_utils._errors import OptionError
from ansible_collections.dockerhost.azure.plugins.module_utils._extension.ca_guard import (
    CaMismatchError,
    check_ca_unchanged,
    wanted_tags,
)
from ansible_collections.dockerhost.azure.plugins.module_utils._extension.certificates import load_certificates
from ansible_collections.dockerhost.azure.plugins.module_utils._extension.handlers import docker_extension_settings
from ansible_collections.dockerhost.azure.plugins.module_utils._extension.keep_certs import read_endpoint
from ansible_collections.dockerhost.azure.plugins.module_utils._extension.settings import read_settings
from ansible_collections.dockerhost.azure.plugins.module_utils._extension.virtual_machine import VmReference

from .conftest import DAY, NOW, Authority, options

WEB = {"services": {"web": {"image": "nginx"}}}


def test_published_schema(certs: dict[str, str]) -> None:
    settings = read_settings(options(certs=certs, docker={"options": ["--debug"]}))
    public, protected = settings.public(), settings.protected()
    assert public["docker"]["port"] == "4243"
    assert public["docker"]["options"] == ["--debug"]
    decoded = {name: base64.b64decode(value).decode() for name, value in protected["certs"].items()}
    assert {name: pem.strip() for name, pem in decoded.items()} == {n: pem.strip() for n, pem in certs.items()}


def test_certificates_only(certs: dict[str, str], authority: Authority) -> None:
    alone = read_settings(options(certs=certs, certs_only=True))
    assert alone.document() == {
        "format": 1,
        "state": "present",
        "certs-only": True,
        "protectedSettings": {"certs": alone.protected()["certs"]},
    }
    whole = read_settings(options(certs=certs, docker={"port": 5000}))
    renewed = read_settings(options(certs=authority.server(), docker={"port": 5000}))
    assert alone.canonical_certs() == whole.canonical_certs() != renewed.canonical_certs()
    assert whole.canonical_without_certs() == renewed.canonical_without_certs()
    assert read_settings(options(certs=certs)).canonical_without_certs() != whole.canonical_without_certs()


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"docker": {"port": 5000}}, "docker: contradicts certs_only"),
        ({"engine": {"source": "keep"}}, "engine: contradicts certs_only"),
        ({"logins": [{"username": "me", "password": "secret"}]}, "logins: contradicts certs_only"),
        ({"keep_certs": True}, "keep_certs: contradicts certs_only"),
        ({"handler": "docker_extension"}, "handler: docker_extension takes all settings at once"),
        ({"certs": None}, "certs: is missing"),
    ],
)
def test_what_does_not_go_with_certificates_only(certs: dict[str, str], given: dict[str, t.Any], problem: str) -> None:
    with pytest.raises(OptionError, match=problem):
        read_settings(options(**{"certs": certs, "certs_only": True, **given}))


def test_without_certs_there_is_no_port() -> None:
    assert "port" not in read_settings(options()).public()["docker"]


def test_no_secret_in_public_settings_or_in_repr(certs: dict[str, str]) -> None:
    settings = read_settings(
        options(
            certs=certs,
            docker={"proxies": {"http": "http://u:pr0xy-pw@p"}},
            logins=[{"username": "u", "password": "l0gin-pw"}],
            compose=[{"name": "web", "definition": WEB, "secrets": {"TOKEN": "c0mp-pw"}}],
        )
    )
    for shown in (json.dumps(settings.public()), repr(settings)):
        for secret in ("pr0xy-pw", "l0gin-pw", "c0mp-pw", certs["key"].splitlines()[1]):
            assert secret not in shown


def test_the_same_settings_are_the_same_bytes(certs: dict[str, str]) -> None:
    one = read_settings(options(certs=certs, docker={"daemon": {"a": 1, "b": 2}, "users": ["b", "a"]}))
    two = read_settings(options(certs=certs, docker={"users": ["a", "b"], "daemon": {"b": 2, "a": 1}}))
    assert one.canonical() == two.canonical()
    assert one.canonical() != read_settings(options(certs=certs)).canonical()


@pytest.mark.parametrize(
    ("option", "given"),
    [
        ("docker.port", {"docker": {"port": 4243}}),
        ("docker.port", {"docker": {"port": 0}, "certs": True}),
        ("docker.port", {"docker": {"port": 65536}, "certs": True}),
        ("docker.port", {"docker": {"port": 22}, "certs": True}),
        ("docker.options[0]", {"docker": {"options": ["-H=tcp://0.0.0.0:2375"]}}),
        ("docker.options[1]", {"docker": {"options": ["--debug", "--host=fd://"]}}),
        ("docker.options[0]", {"docker": {"options": ["-Htcp://0.0.0.0"]}}),
        ("docker.options[0]", {"docker": {"options": ["--tlsverify=false"]}}),
        ("docker.options[0]", {"docker": {"options": ["--tlscacert", "/x"]}}),
        ("docker.options[0]", {"docker": {"options": ["--config-file=/x"]}}),
        ("docker.options[0]", {"docker": {"options": ["--log-level debug"]}}),
        ("docker.options[0]", {"docker": {"options": ["--label=a\nb"]}}),
        ("docker.options[0]", {"docker": {"options": ["--live-restore"]}}),
        ("docker.options[0]", {"docker": {"options": ["--debug"], "daemon": {"debug": True}}}),
        ("docker.options[0]", {"docker": {"options": ["--data-root=/x"], "data_disk": {"lun": 0}}}),
        ("docker.daemon", {"docker": {"daemon": {"hosts": []}}}),
        ("docker.daemon", {"docker": {"daemon": {"tlscert": "/x"}}}),
        ("docker.daemon", {"docker": {"daemon": {"live-restore": True}, "live_restore": True}}),
        ("docker.daemon", {"docker": {"daemon": {"data-root": "/var/lib/docker"}, "data_disk": {"lun": 0}}}),
        ("docker.data_disk.lun", {"docker": {"data_disk": {"lun": 64}}}),
        ("docker.data_disk.path", {"docker": {"data_disk": {"path": "srv"}}}),
        ("docker.data_disk.path", {"docker": {"data_disk": {"path": "/srv/../etc"}}}),
        ("docker.users[0]", {"docker": {"users": ["a b"]}}),
        ("docker.proxies.http", {"docker": {"proxies": {"http": "proxy:3128"}}}),
        ("engine.version", {"engine": {"version": "latest; rm -rf /"}}),
        ("engine.version", {"engine": {"source": "keep", "version": "28"}}),
        ("engine.mirror", {"engine": {"mirror": "mirror.example.com"}}),
        ("engine.mirror", {"engine": {"source": "distribution", "mirror": "https://m"}}),
        ("engine.key", {"engine": {"key": "ABCD"}}),
        ("engine.channel", {"engine": {"channel": "Stable main"}}),
        ("logins[1].server", {"logins": [{"username": "u", "password": "p"}, {"username": "v", "password": "p"}]}),
        ("logins[0].server", {"logins": [{"username": "u", "password": "p", "server": "a b"}]}),
        ("logins[0].password", {"logins": [{"username": "u", "password": ""}]}),
        ("logins[0].ca", {"logins": [{"username": "u", "password": "p", "ca": "x", "server": "r"}]}),
        ("compose[0].name", {"compose": [{"name": "Web", "definition": WEB}]}),
        ("compose[1].name", {"compose": [{"name": "web", "definition": WEB}, {"name": "web", "definition": WEB}]}),
        ("compose[0].content", {"compose": [{"name": "web", "content": "services: [oops"}]}),
        ("compose[0].content", {"compose": [{"name": "web", "content": "- a list"}]}),
        ("compose[0].content", {"compose": [{"name": "web", "content": "services:\n  web: nginx\n"}]}),
        ("compose[0].definition", {"compose": [{"name": "web", "definition": {"web": {}}}]}),
        ("compose[0].path", {"compose": [{"name": "web", "path": "/nowhere/compose.yaml"}]}),
        ("compose[0].environment", {"compose": [{"name": "web", "definition": WEB, "environment": {"A-B": "1"}}]}),
        (
            "compose[0].secrets",
            {"compose": [{"name": "web", "definition": WEB, "environment": {"A": "1"}, "secrets": {"A": "2222"}}]},
        ),
        ("compose[0].secrets", {"compose": [{"name": "web", "definition": WEB, "secrets": {"DEBUG": "1"}}]}),
        ("remove", {"remove": ["engine"]}),
    ],
)
def test_bad_options(option: str, given: dict[str, t.Any], certs: dict[str, str]) -> None:
    if given.get("certs"):
        given = {**given, "certs": certs}
    with pytest.raises(OptionError) as caught:
        read_settings(options(**given))
    assert caught.value.option == option


def test_compose_tags_of_its_own_are_taken() -> None:
    content = "services:\n  web:\n    image: nginx\n    ports: !reset []\n"
    settings = read_settings(options(compose=[{"name": "web", "content": content}]))
    assert settings.public()["compose-projects"]["web"]["file"] == content


def test_bad_certificates(authority: Authority, certs: dict[str, str]) -> None:
    other = Authority("other")
    server = authority.server
    for problem, given in {
        "does not belong to certs.cert": {**certs, "key": server()["key"]},
        "expired": server(end=NOW - DAY / 2),
        "is not valid before": server(start=NOW + DAY),
        "lacks serverAuth": server(use=(ExtendedKeyUsageOID.CLIENT_AUTH,)),
        "no subjectAltName": server(names=False),
        "is encrypted": server(password=b"x"),
        "is not signed by": {**certs, "ca": other.pem},
        "is not PEM": {**certs, "cert": "hello"},
        "no certificate that can be read": {**certs, "ca": certs["key"]},
        "key missing": {"ca": certs["ca"], "cert": certs["cert"]},
        "cannot be read": {"ca": certs["ca"], "cert": certs["cert"], "key_path": "/nowhere/key.pem"},
    }.items():
        with pytest.raises(OptionError, match=problem):
            load_certificates(given)
    with pytest.raises(OptionError, match=r"certs\.ca: expired"):
        load_certificates(Authority(end=NOW - DAY).server())


def test_certificates_that_a_check_mode_run_has_not_made(tmp_path: Path) -> None:
    given = {f"{name}_path": str(tmp_path / name) for name in ("ca", "cert", "key")}
    assert load_certificates(given, may_be_missing=True) is None
    with pytest.raises(OptionError, match="cannot be read"):
        load_certificates(given)


def test_certificates_that_a_check_mode_run_would_have_made_anew(tmp_path: Path, certs: dict[str, str]) -> None:
    given = {}
    for name, pem in certs.items():
        given[f"{name}_path"] = str(tmp_path / name)
        (tmp_path / name).write_text(pem, encoding="utf-8")
    pending = [str(tmp_path / "." / "cert"), "/elsewhere/cert.pem"]
    params = options(certs=given, pending_files=pending)
    assert read_settings(params, check_mode=True).unknown_certs
    assert read_settings(params).certs
    assert read_settings(options(certs=given, pending_files=pending[1:]), check_mode=True).certs


def test_fence(authority: Authority) -> None:
    old, new = authority, Authority("new")
    mine, theirs = load_certificates(old.server()), load_certificates(new.server())
    both = load_certificates({**new.server(), "ca": old.pem + new.pem} | {})
    tags = wanted_tags({"owner": "me"}, mine)
    assert tags["docker-host-ca"] == old.fingerprint
    assert tags["owner"] == "me"
    check = functools.partial(check_ca_unchanged, "web1", guest_checks=True)
    check(tags, mine, False)
    check({}, theirs, False)
    check(tags, theirs, True)
    check(tags, None, False)
    with pytest.raises(CaMismatchError, match="nothing was changed"):
        check(tags, theirs, False)
    check(tags, both, False)
    rotating = wanted_tags(tags, both)
    assert max(len(value) for value in rotating.values()) <= 256
    check(rotating, theirs, False)
    check(rotating, mine, False)
    assert wanted_tags(rotating, None) == {"owner": "me"}


def test_a_ca_that_was_renewed_with_its_key_passes_the_fence(authority: Authority) -> None:
    renewed, stranger = Authority(key=authority.key), Authority()
    old, new, other = (load_certificates(one.server()) for one in (authority, renewed, stranger))
    tags = wanted_tags({}, old)
    check_ca_unchanged("web1", tags, new, False, guest_checks=True)
    check_ca_unchanged("web1", tags, new, False, guest_checks=False)
    # Where tags name no keys the program on the VM decides, which has the certificate.
    del tags["docker-host-ca-key"]
    check_ca_unchanged("web1", tags, other, False, guest_checks=True)
    with pytest.raises(CaMismatchError):
        check_ca_unchanged("web1", tags, other, False, guest_checks=False)


def unusual(pem: str, old: str, new: str) -> str:
    """A certificate or key in which some bytes (in hex) are others."""
    label = pem.splitlines()[0][len("-----BEGIN ") : -len("-----")]
    der = base64.b64decode("".join(pem.splitlines()[1:-1]))
    assert bytes.fromhex(old) in der
    text = base64.encodebytes(der.replace(bytes.fromhex(old), bytes.fromhex(new))).decode()
    return f"-----BEGIN {label}-----\n{text}-----END {label}-----\n"


UNKNOWN_CURVE = ("06082a8648ce3d030107", "06082a8648ce3d03017f")
VERSION_9 = ("a003020102", "a003020108")
EXTENSION_TWICE = ("060403040506", "060403040507")


@pytest.mark.parametrize(
    ("name", "change"),
    [("key", UNKNOWN_CURVE)]
    + [(name, change) for name in ("ca", "cert") for change in (UNKNOWN_CURVE, VERSION_9, EXTENSION_TWICE)],
)
def test_certificates_that_cannot_be_used(name: str, change: tuple[str, str]) -> None:
    certs = Authority(strange=True).server(strange=True)
    certs[name] = unusual(certs[name], *change)
    with pytest.raises(OptionError) as caught:
        load_certificates(certs)
    assert caught.value.option == f"certs.{name}"


def test_mapping_for_the_docker_extension(certs: dict[str, str]) -> None:
    settings = read_settings(
        options(
            certs=certs,
            docker={"options": ["--debug"]},
            logins=[{"server": "r", "username": "u", "password": "p"}],
            compose=[{"name": "web", "definition": WEB, "environment": {"A": "1"}, "secrets": {"B": "2222", "C": ""}}],
        )
    )
    public, protected = docker_extension_settings(settings)
    assert public == {
        "docker": {"port": "4243", "options": ["--debug"]},
        "compose": WEB,
        "compose-environment": {"A": "1"},
    }
    assert protected["login"] == {"server": "r", "username": "u", "password": "p"}
    assert protected["environment"] == {"B": "2222", "C": ""}
    assert set(protected["certs"]) == {"ca", "cert", "key"}


@pytest.mark.parametrize(
    "given",
    [
        {"docker": {"users": ["me"]}},
        {"docker": {"daemon": {"debug": True}}},
        {"docker": {"live_restore": False}},
        {"engine": {"source": "distribution"}},
        {"engine": {"version": "28"}},
        {"compose": [{"name": "a", "definition": WEB}, {"name": "b", "definition": WEB}]},
    ],
)
def test_what_the_docker_extension_lacks(given: dict[str, t.Any]) -> None:
    with pytest.raises(OptionError, match="docker_extension has no such setting"):
        docker_extension_settings(read_settings(options(**given)))


VM_ID = "/subscriptions/S/resourceGroups/G/providers/Microsoft.Compute/virtualMachines/V"


def reference(**given: t.Any) -> VmReference:
    """The VM that the options name."""
    nothing = {"virtual_machine_name": None, "resource_group": None}
    return VmReference.from_params(options(**({**nothing, **given} if "virtual_machine" in given else given)))


def test_the_virtual_machine_is_named_by_id_by_host_or_by_name() -> None:
    assert reference(virtual_machine=VM_ID) == VmReference("G", "V", "S")
    assert reference(virtual_machine={"id": VM_ID, "docker_host": None, "tags": {}}) == VmReference("G", "V", "S")
    assert reference() == VmReference("rg", "web1")


@pytest.mark.parametrize(
    ("given", "option", "problem"),
    [
        ({"virtual_machine": "/subscriptions/S"}, "virtual_machine", "must be the resource id of a VM"),
        ({"virtual_machine": [VM_ID]}, "virtual_machine", "must be the resource id of a VM"),
        ({"virtual_machine": {"name": "web1"}}, "virtual_machine.id", "must be the resource id of a VM"),
        ({"virtual_machine": {"id": VM_ID, "docker_hots": ""}}, "virtual_machine.docker_hots", "mean docker_host"),
        ({"virtual_machine_name": "a/b"}, "virtual_machine_name", "must be 1 to 90 letters"),
    ],
)
def test_a_virtual_machine_that_cannot_be_one(given: dict[str, t.Any], option: str, problem: str) -> None:
    with pytest.raises(OptionError, match=problem) as caught:
        reference(**given)
    assert caught.value.option == option


SERVER = {
    "csr_path": None,
    "fingerprint": "00",
    "not_before": "2026-11-23T22:10:00Z",
    "not_after": "2027-12-25T22:15:00Z",
    "days_left": 397,
    "key_type": "ecdsa_p256",
    "dns_names": ["web1"],
    "ip_addresses": [],
    "reasons": [],
}


def test_an_entry_of_servers_is_taken_as_it_is(tmp_path: Path, certs: dict[str, str]) -> None:
    for name, pem in certs.items():
        (tmp_path / name).write_text(pem, encoding="utf-8")
    paths = {f"{name}_path": str(tmp_path / name) for name in certs}
    whole = read_settings(options(certs={**SERVER, **paths}))
    assert whole.canonical() == read_settings(options(certs=paths)).canonical()
    with pytest.raises(OptionError, match="ca, cert, key missing"):
        read_settings(options(certs=SERVER))


ENGINE = {"docker_host": "tcp://127.0.0.1:1", "ca_path": "/c/ca", "client_cert": "/c/cert", "client_key": "/c/key"}


@pytest.mark.parametrize(
    ("given", "option"),
    [
        ({}, "docker_host"),
        ({"docker_host": "tcp://127.0.0.1:1"}, "client.ca_path"),
        ({"client": {"docker_host": "tcp://127.0.0.1:1", "ca_path": "/c/ca"}}, "client.client_cert"),
        ({"client": ENGINE}, "client.ca_path"),
        ({"client": ENGINE, "docker_host": "unix:///run/docker.sock"}, "docker_host"),
        ({"client": ENGINE, "docker_host": "tcp://"}, "docker_host"),
    ],
)
def test_keeping_certificates_needs_an_engine_to_ask(given: dict[str, t.Any], option: str) -> None:
    with pytest.raises(OptionError) as caught:
        read_endpoint(options(keep_certs=True, **given), check_mode=False)
    assert caught.value.option == option
    assert read_endpoint(options(**given), check_mode=False) is None


@pytest.mark.parametrize("given", [{}, {"docker_host": "tcp://127.0.0.1:1"}, {"client": ENGINE}])
def test_check_mode_does_not_ask_an_engine_that_is_not_known_yet(given: dict[str, t.Any]) -> None:
    assert read_endpoint(options(keep_certs=True, **given), check_mode=True) is None
