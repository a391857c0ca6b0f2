# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One sign-in for all requests of a process, and for all processes of a run."""

from __future__ import annotations

import json
import multiprocessing
import os
import stat
import sys
import time
import typing as t
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from ansible_collections.dockerhost.azure.plugins.module_utils._azure import credentials, tokens
from ansible_collections.dockerhost.azure.plugins.module_utils._azure.clients import AzureSession
from ansible_collections.dockerhost.azure.plugins.module_utils._azure.clouds import find_cloud
from ansible_collections.dockerhost.azure.plugins.module_utils._azure.credentials import AuthTarget, ClientSecret
from ansible_collections.dockerhost.azure.plugins.module_utils._azure.errors import AuthenticationError
from ansible_collections.dockerhost.azure.plugins.module_utils._azure.run_files import shared_directory
from ansible_collections.dockerhost.azure.plugins.module_utils._azure.settings import Settings
from ansible_collections.dockerhost.azure.plugins.module_utils._azure.tokens import TokenStore
from azure_emulator.launcher import LocalAzure

HOSTS = 40


@dataclass
class Cli:
    """A program ``az`` that notes each start and takes some time."""

    program: Path
    starts_file: Path
    answer_file: Path

    def says(self, token: str, expires_in: float = 3600.0) -> None:
        """Set its next answers."""
        answer = {"accessToken": token, "expires_on": int(time.time() + expires_in), "expiresOn": "2099-01-01 00:00:00"}
        self.answer_file.write_text(json.dumps(answer))

    @property
    def starts(self) -> int:
        """How often it was started."""
        return len(self.starts_file.read_text().splitlines()) if self.starts_file.exists() else 0


@pytest.fixture
def az(place: LocalAzure, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Cli:
    """The only way to sign in."""
    options = {"client_id": place.client_id, "tenant": place.tenant, "secret": place.secret}
    with AzureSession.from_params(options) as session:
        token = session.auth_method.credential(session.auth_target).get_token(session.cloud.scope).token
    cli = Cli(tmp_path / "bin" / "az", tmp_path / "starts", tmp_path / "answer")
    lines = [
        f"#!{sys.executable}",
        "import time",
        f"open({str(cli.starts_file)!r}, 'a').write('started\\n')",
        "time.sleep(0.3)",
        f"print(open({str(cli.answer_file)!r}).read())",
    ]
    cli.program.write_text("\n".join(lines) + "\n")
    cli.program.chmod(0o755)
    cli.says(token)
    monkeypatch.setenv("PATH", f"{cli.program.parent}:/usr/bin:/bin")
    return cli


@pytest.fixture
def directory(tmp_path: Path) -> str:
    """A directory of the run."""
    path = tmp_path / "run"
    path.mkdir(mode=0o700)
    return str(path)


def files_in(directory: str) -> list[Path]:
    """The files with which the processes of a run share tokens."""
    return [path for path in Path(directory).rglob("*") if path.is_file()]


def ask(directory: str | None, start: t.Any = None) -> None:
    """Ask Azure for something, as a host's task does in its own process."""
    with AzureSession.from_params({}, token_cache=directory) as session:
        if start:
            start.wait()
        session.arm.list(f"/subscriptions/{session.subscription_id}/resourcegroups")


def ask_for_hosts(directory: str | None) -> list[int | None]:
    """Ask from as many forked processes as there are hosts, at the same time; give their exit codes."""
    fork = multiprocessing.get_context("fork")
    start = fork.Barrier(HOSTS)
    hosts = [fork.Process(target=ask, args=(directory, start)) for _number in range(HOSTS)]
    for host in hosts:
        host.start()
    for host in hosts:
        host.join()
    return [host.exitcode for host in hosts]


def test_hosts_of_one_run_start_the_azure_cli_once(az: Cli, directory: str) -> None:
    assert ask_for_hosts(directory) == [0] * HOSTS
    assert az.starts == 1


def test_hosts_of_one_run_ask_the_token_service_once(principal: LocalAzure, directory: str) -> None:
    principal.clear_requests()
    assert ask_for_hosts(directory) == [0] * HOSTS
    assert len([entry for entry in principal.requests() if "/oauth2/" in entry["path"]]) == 1


def test_a_token_of_another_process_makes_a_credential_needless(
    principal: LocalAzure, directory: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(directory)

    def create(_method: ClientSecret, _target: AuthTarget) -> t.NoReturn:
        raise AssertionError("a credential was created")

    monkeypatch.setattr(ClientSecret, "credential", create)
    ask(directory)
    with pytest.raises(AssertionError, match="was created"):
        ask(None)


def test_all_clients_of_a_session_start_the_azure_cli_once(az: Cli) -> None:
    with AzureSession.from_params({}) as session:
        session.arm.list(f"/subscriptions/{session.subscription_id}/resourcegroups")
        session.pages("list the VMs", "all", session.compute.virtual_machines.list_all)
    assert az.starts == 1


def test_the_azure_cli_may_take_long(az: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    assert credentials.AZURE_CLI_SECONDS >= 60
    monkeypatch.setattr(credentials, "AZURE_CLI_SECONDS", 0.1)
    with pytest.raises(AuthenticationError, match="Azure CLI"):
        ask(None)
    monkeypatch.setattr(credentials, "AZURE_CLI_SECONDS", 60)
    ask(None)


@pytest.mark.parametrize("shared", [True, False])
def test_a_token_that_expires_soon_is_not_used_again(az: Cli, directory: str, shared: bool) -> None:
    az.says(json.loads(az.answer_file.read_text())["accessToken"], expires_in=tokens.REFRESH_SECONDS - 1)
    with AzureSession.from_params({}, token_cache=directory if shared else None) as session:
        for _attempt in range(2):
            session._credential.get_token(session.cloud.scope)
    assert az.starts == 2


def test_an_answer_to_a_challenge_gets_a_new_token(principal: LocalAzure, directory: str) -> None:
    with AzureSession.from_params({}, token_cache=directory) as session:
        session._credential.get_token(session.cloud.scope)
        principal.clear_requests()
        session._credential.get_token(session.cloud.scope)
        assert not principal.requests()
        session._credential.get_token(session.cloud.scope, claims='{"access_token": {}}')
    assert [entry for entry in principal.requests() if "/oauth2/" in entry["path"]]


BASE = Settings("environment", client_id="c", tenant="t", secret="s")
TARGET = AuthTarget(find_cloud(None))


@pytest.mark.parametrize(
    "other",
    [
        (ClientSecret(replace(BASE, secret="x")), TARGET),
        (ClientSecret(replace(BASE, tenant="x")), TARGET),
        (ClientSecret(replace(BASE, client_id="x")), TARGET),
        (ClientSecret(replace(BASE, source="profile [x]")), TARGET),
        (credentials.AzureCli(BASE), TARGET),
        (ClientSecret(BASE), AuthTarget(find_cloud("AzureChinaCloud"))),
    ],
)
def test_another_identity_has_another_token(other: tuple[credentials.AuthMethod, AuthTarget]) -> None:
    assert tokens.identity_of(*other) != tokens.identity_of(ClientSecret(BASE), TARGET)


@pytest.mark.parametrize("variable", ["HOME", "AZURE_CONFIG_DIR", "IDENTITY_ENDPOINT"])
def test_another_home_of_credentials_has_another_token(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    before = tokens.identity_of(credentials.AzureCli(BASE), TARGET)
    monkeypatch.setenv(variable, "/elsewhere")
    assert tokens.identity_of(credentials.AzureCli(BASE), TARGET) != before


def test_somebody_else_who_signs_in_with_the_azure_cli_has_another_token(tmp_path: Path) -> None:
    before = tokens.identity_of(credentials.AzureCli(BASE), TARGET)
    (tmp_path / "home" / ".azure").mkdir()
    (tmp_path / "home" / ".azure" / "azureProfile.json").write_text("{}")
    assert tokens.identity_of(credentials.AzureCli(BASE), TARGET) != before


def test_another_subscription_has_the_same_token() -> None:
    other = ClientSecret(replace(BASE, subscription_id="x"))
    assert tokens.identity_of(other, TARGET) == tokens.identity_of(ClientSecret(BASE), TARGET)


def test_files_are_for_their_user_only_and_hold_no_secret(principal: LocalAzure, directory: str) -> None:
    before = os.umask(0)
    try:
        ask(directory)
    finally:
        os.umask(before)
    files = files_in(directory)
    assert stat.S_IMODE(files[0].parent.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    assert any(b'"token"' in path.read_bytes() for path in files)
    for path in files:
        assert principal.secret.encode() not in path.read_bytes() + path.name.encode()


def test_names_of_files_are_of_no_use_without_the_directorys_own_key(tmp_path: Path) -> None:
    names = []
    for run in ("one", "two"):
        (tmp_path / run).mkdir()
        found = shared_directory(str(tmp_path / run))
        assert found
        TokenStore(found).get("identity", lambda: {"token": "t", "expires_on": time.time() + 3600})
        names.append({path.name for path in Path(found).iterdir()} - {"key", "key.lock"})
    assert not names[0] & names[1]


def test_a_directory_that_others_can_read_is_not_used(az: Cli, directory: str) -> None:
    shared = shared_directory(directory)
    assert shared
    os.chmod(shared, 0o750)
    ask(directory)
    ask(directory)
    assert az.starts == 2
    assert not files_in(directory)


def refused() -> dict[str, t.Any]:
    """A sign-in that fails."""
    raise AuthenticationError("Could not sign in.")


@pytest.mark.parametrize(("during", "own_attempts"), [("wait", 0), ("earlier", 1)])
def test_who_waited_for_an_attempt_that_failed_fails_alike(directory: str, during: str, own_attempts: int) -> None:
    store, attempts = TokenStore(directory), []
    with pytest.raises(AuthenticationError):
        store.get("identity", refused)
    (path,) = [path for path in files_in(directory) if path.name != "key" and not path.suffix]
    failure = json.loads(path.read_text())
    path.write_text(json.dumps({**failure, "failed_at": time.monotonic() + (3600 if during == "wait" else -1)}))
    with pytest.raises(AuthenticationError, match="Could not sign in"):
        store.get("identity", lambda: attempts.append(1) or refused())  # type: ignore[func-returns-value]
    assert len(attempts) == own_attempts


def test_a_broken_file_is_replaced(az: Cli, directory: str) -> None:
    ask(directory)
    for path in files_in(directory):
        if path.name != "key" and not path.suffix:
            path.write_text("{")
    ask(directory)
    assert az.starts == 2
