# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The settings that the options describe: what is refused, and the document that the VM gets."""

from __future__ import annotations

import base64
import json
import typing as t

import pytest

from ansible_collections.dockerhost.azure.plugins.module_utils._errors import OptionError
from ansible_collections.dockerhost.azure.plugins.module_utils._extension.sections import SECTIONS
from ansible_collections.dockerhost.azure.plugins.module_utils._extension.settings import read_settings

from .conftest import Authority, options

WEB = {"services": {"web": {"image": "nginx"}}}


def kept_with(**given: t.Any) -> set[str]:
    """The sections that the VM keeps when a run has these options."""
    return set(read_settings(options(**given)).keep)


def test_what_is_left_out_is_kept(certs: dict[str, str]) -> None:
    whole = set(SECTIONS)
    assert kept_with() == whole
    assert kept_with(certs=certs) == whole - {"certs"}
    assert kept_with(certs={"ca": None}) == whole
    assert kept_with(docker={"daemon": {}}, logins=[]) == whole - {"daemon", "logins"}
    assert kept_with(docker={"live_restore": False}, engine={}) == whole - {"live-restore", "engine"}
    document = read_settings(options(docker={"users": ["me"]})).document()
    assert document["settings"] == {"docker": {"users": ["me"]}}
    assert document["protectedSettings"] == {}
    assert set(document["keep"]) == whole - {"users"}


def test_the_port_of_a_host_counts_before_the_one_that_the_engine_has(certs: dict[str, str]) -> None:
    given = {"resource_group": None, "virtual_machine_name": None, "virtual_machine": {"id": "/x", "docker_port": 5000}}
    assert read_settings(options(**given, certs=certs)).port == 5000
    assert "port" in kept_with(**given)
    assert read_settings(options(certs=certs, reset=["docker.port"])).port == 4243


def test_reset_applies_the_defaults_again(certs: dict[str, str]) -> None:
    docker = {"port", "options", "daemon", "live-restore", "users", "proxies", "data-disk"}
    reset = read_settings(options(certs=certs, reset=["docker", "engine"]))
    assert set(SECTIONS) - reset.keep == {*docker, "certs", "engine"}
    assert reset.document()["settings"]["docker"] == {"options": [], "engine": {"source": "auto"}, "port": "4243"}
    assert kept_with(reset=["docker"]) == set(SECTIONS) - docker | {"port"}
    mixed = read_settings(options(docker={"daemon": {"debug": True}}, reset=["docker"]))
    assert mixed.docker["daemon"] == {"debug": True}
    closed = read_settings(options(reset=["certs"]))
    assert (closed.port, {"certs", "port"} & closed.keep) == (None, set())


def test_a_handler_that_cannot_keep_anything_gets_the_defaults(certs: dict[str, str]) -> None:
    whole = read_settings(options(certs=certs)).in_full()
    assert (whole.keep, whole.port, whole.public()["docker"]["port"]) == (frozenset(), 4243, "4243")
    assert "keep" not in whole.document()


def test_published_schema(certs: dict[str, str]) -> None:
    settings = read_settings(options(certs=certs, docker={"port": 4243, "options": ["--debug"]}))
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
    assert list(alone.sections()) == ["certs"]
    assert alone.sections()["certs"] == whole.sections()["certs"] != renewed.sections()["certs"]
    assert whole.sections()["port"] == renewed.sections()["port"]


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"docker": {"port": 5000}}, "docker: contradicts certs_only"),
        ({"engine": {"source": "keep"}}, "engine: contradicts certs_only"),
        ({"logins": [{"username": "me", "password": "secret"}]}, "logins: contradicts certs_only"),
        ({"keep_certs": True}, "keep_certs: contradicts certs_only"),
        ({"handler": "docker_extension"}, "handler: docker_extension takes all settings at once"),
        ({"certs": None}, "certs: is required"),
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
        ("docker.port", {"docker": {"port": 4243}, "reset": ["certs"]}),
        ("reset", {"reset": ["docker.port"]}),
        ("reset", {"reset": ["logins"], "logins": []}),
        ("reset", {"reset": ["docker.daemon"], "docker": {"daemon": {}}}),
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
        ("engine.mirror", {"engine": {"mirror": "https://me:passw0rd@mirror.example.com/docker"}}),
        ("engine.mirror", {"engine": {"mirror": "https://token@mirror.example.com"}}),
        ("engine.channel", {"engine": {"source": "distribution", "channel": "test"}}),
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
