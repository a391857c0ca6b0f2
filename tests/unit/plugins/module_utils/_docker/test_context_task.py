# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""docker_context: what it writes, as the real docker CLI and OpenSSH read it."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import shutil
import subprocess
import typing as t

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.dockerhost.azure.plugins.module_utils._backend import Request
from ansible_collections.dockerhost.azure.plugins.module_utils._docker.context_task import BACKEND
from ansible_collections.dockerhost.azure.plugins.module_utils._docker.shells import shell_lines
from ansible_collections.dockerhost.azure.plugins.module_utils._errors import DockerHostError, OptionError

DOCKER = shutil.which("docker")
needs_docker = pytest.mark.skipif(DOCKER is None, reason="the docker CLI is not installed")
HOST = "tcp://web1.example:4243"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"
OTHER_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB8eHRwbGhkYFxYVFBMSERAPDg0MCwoJCAcGBQQDAgEA"


class Setup:
    """One user's directory, and how this user runs things."""

    def __init__(self, directory: pathlib.Path, certificates: t.Any) -> None:
        self.config = directory / "docker"
        self.known_hosts = directory / "ssh" / "known_hosts"
        self.warnings: list[str] = []
        client = certificates.client
        self.files: dict[str, t.Any] = {
            "ca_path": str(client / "ca.pem"),
            "client_cert": str(client / "cert.pem"),
            "client_key": str(client / "key.pem"),
        }

    def run(self, name: str = "web1", check_mode: bool = False, **options: t.Any) -> dict[str, t.Any]:
        options = {
            "name": name,
            "docker_config": str(self.config),
            "known_hosts_path": str(self.known_hosts),
            **options,
        }
        spec = {key: dict(option) for key, option in BACKEND.spec.argument_spec.items()}
        result = ArgumentSpecValidator(spec, **BACKEND.spec.rules()).validate(options)
        assert result.error_messages == []
        request = Request(
            params=result.validated_parameters, check_mode=check_mode, diff=True, warn=self.warnings.append
        )
        return BACKEND.run(request)

    def docker(self, *arguments: str) -> str:
        assert DOCKER is not None
        env = {"PATH": os.environ["PATH"], "DOCKER_CONFIG": str(self.config), "HOME": str(self.config.parent)}
        run = subprocess.run([DOCKER, *arguments], env=env, capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stderr
        return run.stdout

    def tree(self) -> dict[str, bytes]:
        return {str(path): path.read_bytes() for path in sorted(self.config.rglob("*")) if path.is_file()}


@pytest.fixture
def setup(tmp_path: pathlib.Path, certificates: t.Any) -> Setup:
    return Setup(tmp_path, certificates)


@needs_docker
def test_the_cli_lists_inspects_and_selects_it(setup: Setup) -> None:
    result = setup.run(docker_host=HOST, description="a host", current=True, **setup.files)
    assert result["changed"]
    assert result["current_context"] == "web1"
    listed = [json.loads(line) for line in setup.docker("context", "ls", "--format", "json").splitlines()]
    mine = next(entry for entry in listed if entry["Name"] == "web1")
    assert mine["Current"] is True
    assert mine["DockerEndpoint"] == HOST
    assert mine["Description"] == "a host"
    assert mine["Error"] == ""
    (inspected,) = json.loads(setup.docker("context", "inspect", "web1"))
    assert inspected["Endpoints"]["docker"] == {"Host": HOST, "SkipTLSVerify": False}
    assert inspected["TLSMaterial"] == {"docker": ["ca.pem", "cert.pem", "key.pem"]}
    assert inspected["Storage"]["TLSPath"] + "/docker" == result["context"]["tls_directory"]
    assert setup.docker("context", "show").strip() == "web1"


@needs_docker
def test_the_cli_uses_it_against_an_engine(setup: Setup, engines: t.Any, certificates: t.Any) -> None:
    with engines.SmallEngine(certificates=certificates.server) as engine:
        setup.run(docker_host=f"tcp://localhost:{engine.port}", **setup.files)
        out = setup.docker("--context", "web1", "version", "--format", "{{.Server.Version}}")
    assert out.strip() == engines.VERSION["Version"]


def test_again_without_change_and_check_mode(setup: Setup) -> None:
    predicted = setup.run(docker_host=HOST, check_mode=True, current=True, **setup.files)
    assert setup.tree() == {}
    assert not setup.config.exists()
    made = setup.run(docker_host=HOST, current=True, **setup.files)
    assert made == predicted
    before = setup.tree()
    again = setup.run(docker_host=HOST, current=True, **setup.files)
    assert again["changed"] is False
    assert again["diff"] == {"before": {}, "after": {}}
    assert setup.tree() == before


def test_check_mode_before_the_certificates_are_made(setup: Setup) -> None:
    files = {"ca_path": "/nowhere/ca.pem", "client_cert": "/nowhere/cert.pem", "client_key": "/nowhere/key.pem"}
    result = setup.run(docker_host=HOST, check_mode=True, **t.cast("dict[str, t.Any]", files))
    assert result["diff"]["after"]["key.pem"] == "not known yet"
    with pytest.raises(OptionError):
        setup.run(docker_host=HOST, **t.cast("dict[str, t.Any]", files))


def test_check_mode_after_the_certificates_would_have_been_made_anew(setup: Setup) -> None:
    setup.run(docker_host=HOST, **setup.files)
    pending = {"docker_host": HOST, "pending_files": [setup.files["client_cert"]], **setup.files}
    predicted = setup.run(check_mode=True, **pending)
    assert predicted["changed"]
    assert list(predicted["diff"]["after"]) == ["cert.pem"]
    assert setup.run(**pending)["changed"] is False


def test_secret_files_and_no_secret_in_the_result(setup: Setup) -> None:
    result = setup.run(docker_host=HOST, **setup.files)
    directory = pathlib.Path(result["context"]["tls_directory"])
    assert {path.name: path.stat().st_mode & 0o777 for path in directory.iterdir()} == {
        "ca.pem": 0o600,
        "cert.pem": 0o600,
        "key.pem": 0o600,
    }
    assert directory.stat().st_mode & 0o777 == 0o700
    assert "PRIVATE" not in json.dumps(result)
    left = {path.name for path in (setup.config / "contexts").iterdir()}
    assert left == {"meta", "tls", ".docker-host.lock"}


def test_renewed_certificates_are_copied_again(setup: Setup, certificates: t.Any, tmp_path: pathlib.Path) -> None:
    setup.run(docker_host=HOST, **setup.files)
    renewed = tmp_path / "renewed"
    certificates.authority.issue(renewed, server=False)
    files: dict[str, t.Any]
    files = {"ca_path": f"{renewed}/ca.pem", "client_cert": f"{renewed}/cert.pem", "client_key": f"{renewed}/key.pem"}
    result = setup.run(docker_host=HOST, **files)
    assert result["changed"]
    assert sorted(result["diff"]["after"]) == ["cert.pem", "key.pem"]
    directory = pathlib.Path(result["context"]["tls_directory"])
    assert (directory / "key.pem").read_bytes() == (renewed / "key.pem").read_bytes()


def test_context_that_loses_its_certificates(setup: Setup) -> None:
    setup.run(docker_host=HOST, **setup.files)
    result = setup.run(docker_host="ssh://me@web1.example")
    assert result["changed"]
    assert result["context"]["tls_directory"] is None
    assert not list((setup.config / "contexts/tls").rglob("*.pem"))
    assert result["docker_env"] == {"DOCKER_HOST": "ssh://me@web1.example"}


@needs_docker
def test_foreign_context_is_left_alone(setup: Setup) -> None:
    setup.docker("context", "create", "web1", "--docker", "host=tcp://mine:1")
    setup.docker("context", "use", "web1")
    before = setup.tree()
    with pytest.raises(DockerHostError, match=r"was not created by this collection.*adopt"):
        setup.run(docker_host=HOST)
    left = setup.run(state="absent")
    assert left["changed"] is False
    assert left["current_context"] == "web1"
    assert "web1 was not created by this collection, so it stays" in setup.warnings[-1]
    assert {key: value for key, value in setup.tree().items() if not key.endswith(".lock")} == before
    assert setup.run(docker_host=HOST, adopt=True)["changed"]
    assert setup.run(docker_host=HOST)["changed"] is False


def machine(group: str, url: str = HOST) -> dict[str, t.Any]:
    """The result host of docker_vm_host, as far as it matters here."""
    path = f"/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/{group}"
    return {"name": "web1", "id": f"{path}/providers/Microsoft.Compute/virtualMachines/web1", "docker_host": url}


@pytest.mark.parametrize("check_mode", [False, True])
def test_a_context_that_leads_to_another_host_is_not_redirected(setup: Setup, check_mode: bool) -> None:
    tls = {"tls": setup.files}
    setup.run(host=machine("one"), **tls)
    before = setup.tree()
    with pytest.raises(DockerHostError, match=r"leads to another host, /subscriptions/.*/resourceGroups/one/.*adopt"):
        setup.run(host=machine("two"), check_mode=check_mode, **tls)
    assert setup.tree() == before
    assert setup.run(host=machine("two"), adopt=True, **tls)["changed"]
    assert setup.run(host=machine("two"), **tls)["changed"] is False
    with pytest.raises(DockerHostError, match="leads to another host"):
        setup.run(host=machine("one"), **tls)


@pytest.mark.parametrize("check_mode", [False, True])
def test_a_context_that_leads_to_another_host_is_not_removed(setup: Setup, check_mode: bool) -> None:
    setup.run(host=machine("one"), tls=setup.files, current=True)
    before = setup.tree()
    without_subscription = {"id": "/resourceGroups/two/providers/Microsoft.Compute/virtualMachines/web1"}
    for other in (machine("two"), without_subscription):
        result = setup.run(state="absent", host=other, check_mode=check_mode)
        assert (result["changed"], result["of_another_host"], result["current_context"]) == (False, True, "web1")
        assert "leads to another host" in setup.warnings.pop()
    assert setup.tree() == before
    same = {"id": "/resourcegroups/ONE/providers/Microsoft.Compute/virtualMachines/WEB1"}
    result = setup.run(state="absent", host=same, check_mode=check_mode)
    assert (result["changed"], result["of_another_host"]) == (True, False)


def test_another_address_of_the_same_host_changes_the_context(setup: Setup) -> None:
    tls = {"tls": setup.files}
    setup.run(host=machine("one"), **tls)
    moved = setup.run(host=machine("one", "tcp://web1.example:2376"), **tls)
    assert moved["actions"] == [f"Docker context web1: {HOST} -> tcp://web1.example:2376"]
    # A URL of its own says nothing of a host, and forgets it.
    assert setup.run(docker_host="tcp://other.example:2376", **setup.files)["changed"]
    assert setup.run(host=machine("two"), **tls)["changed"]


@needs_docker
def test_the_cli_can_change_ours_and_it_stays_ours(setup: Setup) -> None:
    setup.run(docker_host=HOST, **setup.files)
    setup.docker("context", "update", "web1", "--description", "changed by hand")
    result = setup.run(docker_host=HOST, description="ours", **setup.files)
    assert result["diff"]["before"] == {"description": "changed by hand"}
    setup.docker("context", "rm", "web1")
    assert setup.run(docker_host=HOST, check_mode=True, **setup.files)["diff"]["before"]["exists"] is False


def test_absent_removes_everything_and_the_selection(setup: Setup) -> None:
    setup.config.mkdir()
    config = setup.config / "config.json"
    config.write_text('{"auths": {"registry.example": {"auth": "c2VjcmV0"}}, "unknown": [1]}')
    config.chmod(0o600)
    setup.run(docker_host=HOST, current=True, **setup.files)
    setup.run("other", docker_host=HOST, **setup.files)
    assert setup.run(state="absent", check_mode=True)["current_context"] == "default"
    result = setup.run(state="absent")
    assert result["changed"]
    assert result["current_context"] == "default"
    assert json.loads(config.read_text()) == {"auths": {"registry.example": {"auth": "c2VjcmV0"}}, "unknown": [1]}
    assert config.stat().st_mode & 0o777 == 0o600
    assert len(list((setup.config / "contexts/meta").iterdir())) == 1
    assert len(list((setup.config / "contexts/tls").iterdir())) == 1
    assert setup.run(state="absent")["changed"] is False


def test_selection_alone(setup: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    setup.run(docker_host=HOST)
    assert setup.run(docker_host=HOST)["current_context"] == "default"
    assert setup.run(docker_host=HOST, current=True)["diff"]["after"] == {"current_context": "web1"}
    assert setup.run(docker_host=HOST, current=False)["current_context"] == "default"
    assert setup.warnings == []
    monkeypatch.setenv("DOCKER_HOST", HOST)
    setup.run(docker_host=HOST, current=True)
    assert "DOCKER_HOST is set" in setup.warnings[0]


def test_broken_configuration_stops_before_anything(setup: Setup) -> None:
    setup.config.mkdir()
    (setup.config / "config.json").write_text("{")
    with pytest.raises(DockerHostError, match="must contain a JSON object"):
        setup.run(docker_host=HOST, current=True, **setup.files)
    assert not (setup.config / "contexts/meta").exists()


@pytest.mark.parametrize("endpoints", ["x", ["x"], {"docker": "x"}, {"docker": ["x"]}])
def test_a_damaged_context_is_named(setup: Setup, endpoints: t.Any) -> None:
    path = pathlib.Path(setup.run(docker_host=HOST)["context"]["meta_path"])
    path.write_text(json.dumps({"Name": "web1", "Metadata": {}, "Endpoints": endpoints}))
    with pytest.raises(DockerHostError, match=r"meta\.json must describe a context as the Docker CLI does"):
        setup.run(docker_host=HOST)


def test_a_linked_configuration_stays_a_link(setup: Setup, tmp_path: pathlib.Path) -> None:
    setup.config.mkdir()
    (tmp_path / "dotfiles.json").write_text("{}")
    (setup.config / "config.json").symlink_to(tmp_path / "dotfiles.json")
    setup.run(docker_host=HOST, current=True)
    assert (setup.config / "config.json").is_symlink()
    assert json.loads((tmp_path / "dotfiles.json").read_text()) == {"currentContext": "web1"}


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


def test_known_hosts_are_ours_alone(setup: Setup) -> None:
    setup.known_hosts.parent.mkdir()
    setup.known_hosts.write_text(f"# mine\ngithub.example {OTHER_KEY}\n")
    options: dict[str, t.Any] = {"docker_host": "ssh://me@web1.example:2222"}
    options.update({"ssh_host_keys": [f"{KEY} root@web1"]})
    assert setup.run(check_mode=True, **options)["changed"]
    assert setup.run(**options)["changed"]
    assert setup.run(**options)["changed"] is False
    assert setup.known_hosts.read_text() == (
        f"# mine\ngithub.example {OTHER_KEY}\n[web1.example]:2222 {KEY} docker-host:web1\n"
    )
    setup.run(docker_host="ssh://me@web1.example", ssh_host_keys=[OTHER_KEY])
    assert setup.known_hosts.read_text().splitlines()[2:] == [f"web1.example {OTHER_KEY} docker-host:web1"]
    setup.run(state="absent")
    assert setup.known_hosts.read_text() == f"# mine\ngithub.example {OTHER_KEY}\n"


def test_known_hosts_go_with_the_transport_and_with_a_context_that_is_gone(setup: Setup) -> None:
    options: dict[str, t.Any] = {"docker_host": "ssh://me@web1.example", "ssh_host_keys": [KEY]}
    setup.run(**options)
    setup.run(docker_host=HOST, **setup.files)
    assert setup.known_hosts.read_text() == ""
    setup.run(**options)
    shutil.rmtree(setup.config / "contexts")
    assert setup.run(state="absent", check_mode=True)["changed"]
    assert setup.run(state="absent")["changed"]
    assert setup.known_hosts.read_text() == ""
    assert setup.run(state="absent")["changed"] is False


def test_two_contexts_of_a_server_that_was_made_anew(setup: Setup) -> None:
    options: dict[str, t.Any] = {"docker_host": "ssh://me@web1.example"}
    for name in ("web1", "other"):
        setup.run(name, ssh_host_keys=[KEY], **options)
    assert len(setup.known_hosts.read_text().splitlines()) == 2
    # What is known of the server's other names and keys stays.
    setup.run("third", docker_host="ssh://me@web2.example", ssh_host_keys=[KEY])
    setup.run(ssh_host_keys=[OTHER_KEY], **options)
    lines = [f"web2.example {KEY} docker-host:third", f"web1.example {OTHER_KEY} docker-host:web1"]
    assert setup.known_hosts.read_text().splitlines() == lines
    setup.run("other", ssh_host_keys=[OTHER_KEY], **options)
    assert setup.known_hosts.read_text().splitlines() == [*lines, f"web1.example {OTHER_KEY} docker-host:other"]


@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="OpenSSH is not installed")
@pytest.mark.parametrize("hashed", [False, True])
def test_known_hosts_of_the_user_contradict(setup: Setup, hashed: bool) -> None:
    setup.known_hosts.parent.mkdir()
    setup.known_hosts.write_text(f"web1.example {OTHER_KEY}\n")
    if hashed:
        subprocess.run(["ssh-keygen", "-q", "-H", "-f", str(setup.known_hosts)], check=True, capture_output=True)
        assert "web1" not in setup.known_hosts.read_text()
    before = setup.known_hosts.read_text()
    with pytest.raises(DockerHostError, match=r"ssh-keygen -f .* -R 'web1.example'"):
        setup.run(docker_host="ssh://me@web1.example", ssh_host_keys=[KEY])
    assert setup.known_hosts.read_text() == before
    assert not (setup.config / "contexts/meta").exists()
    assert setup.run(docker_host="ssh://me@web1.example", ssh_host_keys=[OTHER_KEY])["changed"]
    assert setup.known_hosts.read_text() == before


@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="OpenSSH is not installed")
def test_openssh_finds_the_key(setup: Setup) -> None:
    setup.run(docker_host="ssh://me@web1.example:2222", ssh_host_keys=[KEY])
    found = subprocess.run(
        ["ssh-keygen", "-f", str(setup.known_hosts), "-F", "[web1.example]:2222"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert KEY in found.stdout


NASTY = {"DOCKER_HOST": HOST, "DOCKER_CERT_PATH": '/tmp/it\'s "a" $HOME \\ `dir`'}


@pytest.mark.parametrize(
    ("shell", "command"), [("sh", ["sh", "-c"]), ("fish", ["fish", "-c"]), ("powershell", ["pwsh", "-Command"])]
)
def test_shells_understand_their_lines(shell: str, command: list[str]) -> None:
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    script = shell_lines(NASTY)[shell] + "\nprintenv DOCKER_CERT_PATH"
    out = subprocess.run([*command, script], capture_output=True, text=True, check=True).stdout
    assert out == NASTY["DOCKER_CERT_PATH"] + "\n"


def test_quoting_for_shells_that_are_not_here() -> None:
    lines = shell_lines({"A": "it's \\ $x"})
    assert lines["fish"] == "set -gx A 'it\\'s \\\\ $x'"
    assert lines["powershell"] == "$Env:A = 'it''s \\ $x'"


def test_shell_lines_lead_to_the_certificates(setup: Setup, certificates: t.Any, tmp_path: pathlib.Path) -> None:
    result = setup.run(docker_host=HOST, **setup.files)
    assert result["docker_env"]["DOCKER_CERT_PATH"] == str(certificates.client)
    shutil.copy(certificates.client / "ca.pem", tmp_path / "authority.pem")
    result = setup.run(docker_host=HOST, **{**setup.files, "ca_path": str(tmp_path / "authority.pem")})
    assert result["docker_env"]["DOCKER_CERT_PATH"] == result["context"]["tls_directory"]
    assert result["shell_lines"]["sh"].splitlines()[0] == f"export DOCKER_HOST={HOST}"


def planted(setup: Setup, tmp_path: pathlib.Path) -> dict[str, pathlib.Path]:
    """Every path that a context writes, by the file or directory that somebody can plant there."""
    made = setup.run("planted", check_mode=True, docker_host=HOST, **setup.files)["context"]
    tls, meta = pathlib.Path(made["tls_directory"]), pathlib.Path(made["meta_path"])
    files = [tls / "key.pem", tls / "ca.pem", meta, setup.config / "contexts" / ".docker-host.lock"]
    directories = [tls, tls.parent, tls.parents[1], meta.parent, setup.config / "contexts"]
    victim = tmp_path / "victim"
    (victim / "directory").mkdir(parents=True)
    (victim / "file").write_text("mine")
    return {
        **dict.fromkeys(map(str, files), victim / "file"),
        **dict.fromkeys(map(str, directories), victim / "directory"),
    }


@pytest.mark.parametrize("number", range(9))
def test_no_planted_link_leads_out_of_the_configuration(setup: Setup, tmp_path: pathlib.Path, number: int) -> None:
    path, victim = list(planted(setup, tmp_path).items())[number]
    pathlib.Path(path).parent.mkdir(parents=True)
    pathlib.Path(path).symlink_to(victim)
    for state in ("present", "absent"):
        with contextlib.suppress(DockerHostError):
            setup.run("planted", state=state, docker_host=HOST, adopt=True, **setup.files)
        assert (tmp_path / "victim" / "file").read_text() == "mine"
        assert list((tmp_path / "victim" / "directory").iterdir()) == []


@pytest.mark.parametrize("number", range(4))
def test_a_planted_fifo_is_refused_and_not_waited_for(setup: Setup, tmp_path: pathlib.Path, number: int) -> None:
    path = list(planted(setup, tmp_path))[number]
    pathlib.Path(path).parent.mkdir(parents=True)
    os.mkfifo(path)
    with pytest.raises(DockerHostError, match="must be a regular file"):
        setup.run("planted", docker_host=HOST, **setup.files)


@pytest.mark.parametrize("below", ["", "contexts", "contexts/meta", "contexts/tls"])
def test_a_directory_that_others_may_change_is_refused(setup: Setup, below: str) -> None:
    directory = setup.config / below
    directory.mkdir(parents=True)
    directory.chmod(0o777)
    with pytest.raises(DockerHostError, match="everybody can write there"):
        setup.run(docker_host=HOST, **setup.files)
    directory.chmod(0o755)
    assert setup.run(docker_host=HOST, **setup.files)["changed"]


def test_a_directory_below_one_that_others_may_change_is_refused(setup: Setup, tmp_path: pathlib.Path) -> None:
    setup.config = tmp_path / "shared" / "docker"
    setup.config.mkdir(parents=True)
    setup.config.parent.chmod(0o777)
    with pytest.raises(DockerHostError, match="could replace"):
        setup.run(docker_host=HOST, **setup.files)
    setup.config.parent.chmod(0o1777)
    assert setup.run(docker_host=HOST, **setup.files)["changed"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory to somebody else")
def test_a_directory_of_somebody_else_is_refused(setup: Setup) -> None:
    setup.config.mkdir()
    os.chown(setup.config, 12666, 12666)
    with pytest.raises(DockerHostError, match="belongs to user 12666"):
        setup.run(docker_host=HOST, **setup.files)
    os.chown(setup.config, 0, 0)
    key = pathlib.Path(setup.run(docker_host=HOST, **setup.files)["context"]["tls_directory"]) / "key.pem"
    os.chown(key, 12666, 12666)
    key.write_text("other")
    setup.run(docker_host=HOST, **setup.files)
    assert key.stat().st_uid == 0


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077, 0o277])
def test_modes_are_the_same_under_every_umask(setup: Setup, umask: int) -> None:
    before = os.umask(umask)
    try:
        made = setup.run(docker_host=HOST, **setup.files)["context"]
    finally:
        os.umask(before)
    key = pathlib.Path(made["tls_directory"]) / "key.pem"
    modes = [path.stat().st_mode & 0o777 for path in (key, key.parent, setup.config, pathlib.Path(made["meta_path"]))]
    assert modes == [0o600, 0o700, 0o700, 0o644]
