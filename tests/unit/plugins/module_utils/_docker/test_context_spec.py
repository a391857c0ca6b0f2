# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of docker_context: bad ones are refused by name, results of other modules are taken as they are."""

from __future__ import annotations

import json
import pathlib
import typing as t

import pytest

from ansible_collections.dockerhost.azure.plugins.module_utils._errors import OptionError

from .conftest import HOST, KEY, Setup


@pytest.mark.parametrize(
    ("options", "option"),
    [
        ({"name": "default"}, "name"),
        ({"name": "a"}, "name"),
        ({"name": "-web"}, "name"),
        ({"name": "web 1"}, "name"),
        ({"docker_host": "web1:4243"}, "docker_host"),
        ({"docker_host": "tcp://web1"}, "docker_host"),
        ({"docker_host": "tcp://:4243"}, "docker_host"),
        ({"docker_host": "ssh://me:secret@web1"}, "docker_host"),
        ({"docker_host": "tcp://web1:99999"}, "docker_host"),
        ({"docker_host": "unix://x"}, "docker_host"),
        ({"ca_path": "/nowhere"}, "ca_path"),
        ({"ssh_host_keys": [KEY]}, "ssh_host_keys"),
        ({"docker_host": None, "host": "web1"}, "host"),
        ({"docker_host": None, "host": {"docker_hots": HOST}}, "host.docker_hots"),
        ({"docker_host": None, "host": {"docker_host": None}}, "host.docker_host"),
        ({"docker_host": None, "host": {"docker_host": HOST}, "transport": "ssh"}, "host.ssh_url"),
        ({"docker_host": None, "host": {"docker_host": "ssh://me@web1"}}, "host.docker_host"),
        ({"tls": {"ca_path": "/nowhere"}}, "tls.ca_path"),
        ({"docker_host": "ssh://me@*"}, "docker_host"),
        ({"docker_host": "ssh://me@web1,github.com"}, "docker_host"),
        ({"docker_host": "ssh://me@!web1"}, "docker_host"),
        ({"docker_host": "ssh://me@web1 github.com"}, "docker_host"),
        ({"docker_host": "ssh://a b@web1"}, "docker_host"),
        ({"docker_host": "ssh://me@web1", "ca_path": "/nowhere"}, "ca_path"),
        ({"docker_host": "ssh://me@web1", "ssh_host_keys": ["no key"]}, "ssh_host_keys[0]"),
        (
            {"docker_host": "ssh://me@web1", "ssh_host_keys": ["ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIAAB"]},
            "ssh_host_keys[0]",
        ),
    ],
)
def test_bad_options(setup: Setup, options: dict[str, t.Any], option: str) -> None:
    with pytest.raises(OptionError) as failure:
        setup.run(**{name: value for name, value in {"docker_host": HOST, **options}.items() if value is not None})
    assert failure.value.option == option
    assert "secret" not in str(failure.value)
    assert not (setup.config / "contexts/meta").exists()


CONNECTION = {"tls": True, "validate_certs": True, "docker_host": "tcp://ignored:1"}
WEB1 = {"name": "web1", "docker_host": HOST, "ssh_url": "ssh://me@web1.example:2222", "unknown": []}


@pytest.mark.parametrize(("transport", "url"), [("tls", WEB1["docker_host"]), ("ssh", WEB1["ssh_url"])])
def test_a_host_and_a_connection_are_taken_as_other_modules_return_them(setup: Setup, transport: str, url: str) -> None:
    options = {"host": WEB1, "transport": transport, "tls": {**CONNECTION, **setup.files}, "ssh_host_keys": [KEY]}
    result = setup.run(**options)
    assert result["context"]["docker_host"] == url
    assert setup.run(**options)["changed"] is False
    assert setup.known_hosts.exists() is (transport == "ssh")
    assert (result["context"]["tls_directory"] is None) is (transport == "ssh")
    by_url = {"docker_host": HOST, **setup.files} if transport == "tls" else {"docker_host": url}
    assert setup.run(check_mode=True, **by_url)["changed"] is False


@pytest.mark.parametrize("transport", ["tls", "ssh"])
def test_check_mode_invents_no_url_for_a_host_whose_address_is_not_known_yet(setup: Setup, transport: str) -> None:
    unknown = {"name": "web1", "docker_host": None, "ssh_url": None, "unknown": ["docker_host"]}
    options = {"transport": transport, "tls": {**CONNECTION, **setup.files}, "ssh_host_keys": [KEY]}
    new = setup.run(check_mode=True, host=unknown, **options)
    assert new["changed"]
    assert new["context"]["docker_host"] is None
    assert "DOCKER_HOST" not in new["docker_env"]
    assert not setup.config.exists()
    setup.run(host=WEB1, **options)
    update = setup.run(check_mode=True, host=unknown, **options)
    assert update["diff"]["after"] == {"docker_host": None}


def test_check_mode_before_the_client_is_known(setup: Setup) -> None:
    nothing = dict.fromkeys(("ca_path", "client_cert", "client_key"))
    result = setup.run(check_mode=True, host=WEB1, tls={**CONNECTION, **nothing})
    assert result["diff"]["after"]["key.pem"] == "not known yet"
    with pytest.raises(OptionError, match=r"tls\.ca_path"):
        setup.run(host=WEB1, tls={**CONNECTION, **nothing})


def test_key_of_another_certificate(setup: Setup, certificates: t.Any) -> None:
    with pytest.raises(OptionError, match="does not belong"):
        setup.run(docker_host=HOST, **{**setup.files, "client_key": str(certificates.server / "key.pem")})


def test_files_that_are_in_an_adopted_context_already_are_checked(
    setup: Setup, certificates: t.Any, tmp_path: pathlib.Path
) -> None:
    key = tmp_path / "key.pem"
    key.write_bytes(pathlib.Path(setup.files["client_key"]).read_bytes())
    files = {**setup.files, "client_key": str(key)}
    context = setup.run(docker_host=HOST, **files)["context"]
    for path in (key, pathlib.Path(context["tls_directory"]) / "key.pem"):
        path.write_bytes((certificates.server / "key.pem").read_bytes())
    meta = pathlib.Path(context["meta_path"])
    meta.write_text(json.dumps({**json.loads(meta.read_text()), "Metadata": {}}))
    with pytest.raises(OptionError, match="does not belong"):
        setup.run(docker_host=HOST, adopt=True, **files)
