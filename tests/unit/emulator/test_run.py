# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A command with a server of its own: what it sees, which signals it gets, and how failures are told."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from azure_emulator.launcher import LocalAzure
from azure_emulator.run import without_proxy

PACKAGE = Path(__file__).resolve().parents[2] / "emulator"
RUN = [sys.executable, "-m", "azure_emulator", "run"]
SHOW = "import os, json; print(json.dumps(dict(os.environ)))"

ASK = """
import os, ssl, urllib.request
def ask():
    context = ssl.create_default_context(cafile=os.environ["AZURE_CLOUD_CA_PATH"])
    url = os.environ["AZURE_CLOUD_ENVIRONMENT"] + "/metadata/endpoints?api-version=2022-09-01"
    return urllib.request.urlopen(url, context=context, timeout=10).status
"""
CHOOSE = """
import os, sys
from ansible_collections.dockerhost.azure.plugins.module_utils._azure.clients import find_auth_target
from ansible_collections.dockerhost.azure.plugins.module_utils._azure.credentials import select_auth_method
params = {"profile": sys.argv[1]} if sys.argv[1:] else {}
method = select_auth_method(params, os.environ)
target = find_auth_target(params, method)
assert method.settings.client_id == os.environ["AZURE_CLIENT_ID"], method.label
print(method.label, target.cloud.resource_manager, sep="; ")
"""
# Counts signals while it runs; asks the server after the first, and ends a second later with what it counted.
COUNT = f"""{ASK}
import signal, time
told = []
for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
    signal.signal(number, lambda number, _frame: told.append(number))
print("ready", flush=True)
while not told:
    time.sleep(0.01)
time.sleep(1)
print(len(told), int(told[0]), ask(), flush=True)
raise SystemExit(5)
"""


def environment(**variables: str) -> dict[str, str]:
    path = os.pathsep.join([str(PACKAGE), os.environ.get("PYTHONPATH", "")])
    return {**os.environ, "PYTHONPATH": path, **variables}


def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*RUN, *arguments], env=environment(**variables), capture_output=True, text=True, timeout=120, check=False
    )


def python(script: str, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """A Python script as the command."""
    return run("--machines", "none", "--", sys.executable, "-c", script, *words, **variables)


# --- what the command sees ---


def test_running_a_command_against_a_server(tmp_path: Path) -> None:
    result = python(SHOW, TMPDIR=str(tmp_path))
    assert result.returncode == 0, result.stderr
    variables = json.loads(result.stdout)
    assert variables["AZURE_CLOUD_ENVIRONMENT"].startswith("https://localhost:")
    assert {"AZURE_TENANT", "AZURE_CLIENT_ID", "AZURE_SECRET", "AZURE_SUBSCRIPTION_ID"} <= set(variables)
    assert Path(variables["AZURE_CLOUD_CA_PATH"]).is_relative_to(tmp_path)
    assert list(tmp_path.iterdir()) == [], "nothing stays"


def test_the_users_home_is_out_of_reach_but_what_is_installed_there_is_found(tmp_path: Path) -> None:
    own = tmp_path / "own"
    (own / ".ansible" / "collections").mkdir(parents=True)
    (own / ".docker").mkdir()
    found = json.loads(python(SHOW, HOME=str(own)).stdout)
    assert found["HOME"] != str(own)
    for name in ("DOCKER_CONFIG", "DOCKER_CERT_PATH"):
        assert found[name] == f"{found['HOME']}/.docker"
    show = (
        "import os; print(*(os.path.realpath(os.path.expanduser(p)) for p in ('~/.ansible/collections', '~/.docker')))"
    )
    collections, docker = python(show, HOME=str(own)).stdout.split()
    assert collections == str(own / ".ansible" / "collections")
    assert docker != str(own / ".docker")
    kept = run("--machines", "none", "--keep-home", "--", sys.executable, "-c", SHOW, HOME=str(own))
    assert json.loads(kept.stdout)["HOME"] == str(own)
    assert (own / ".ansible" / "collections").is_dir()


def test_commands_use_a_server_that_runs_one_after_the_other(tmp_path: Path) -> None:
    file = tmp_path / "cloud.json"
    module = [sys.executable, "-m", "azure_emulator"]

    def call(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*module, *words], env=environment(), capture_output=True, text=True, timeout=120, check=False
        )

    with LocalAzure() as azure:
        names = ("url", "ca_file", "tenant", "subscription_id", "client_id", "secret", "hosts_file", "state_dir")
        file.write_text(json.dumps({name: getattr(azure, name) for name in (*names, "machines", "no_proxy")}))
        first = call("exec", str(file), "--", "sh", "-c", "echo mine > ~/left; echo $AZURE_CLOUD_ENVIRONMENT")
        assert (first.stdout, first.returncode) == (f"{azure.url}\n", 0)
        assert call("exec", str(file), "--", "sh", "-c", "cat ~/left; exit 7").stdout == "mine\n"
        assert call("exec", str(file), "--", "sh", "-c", "exit 7").returncode == 7
        shown = call("env", str(file)).stdout
        evaluated = subprocess.run(
            ["sh", "-c", f'{shown}\necho "$AZURE_SECRET $DOCKER_CONFIG"'], capture_output=True, text=True, check=True
        )
        assert evaluated.stdout == f"{azure.secret} {azure.state_dir}/client/home/.docker\n"
        assert "export HOME=" not in shown
        assert "DOCKER_CONFIG" not in call("env", "--keep-home", str(file)).stdout
    missing = call("env", str(tmp_path / "missing.json"))
    assert (missing.returncode, missing.stdout) == (1, "")
    assert "must be the ready file of a running server" in missing.stderr
    assert call("exec", str(file)).returncode == 2


def test_nothing_of_another_azure_is_seen(tmp_path: Path) -> None:
    foreign = {
        "AZURE_PROFILE": "prod", "AZURE_AD_USER": "me", "AZURE_PASSWORD": "x", "AZURE_CREDENTIAL_KIND": "cli",
        "AZURE_CLIENT_SECRET": "x", "AZURE_TENANT_ID": "x", "AZURE_CONFIG_DIR": str(tmp_path),
        "ANSIBLE_AZURE_AUTH_SOURCE": "credential_file", "ANSIBLE_AZURE_VM_RESOURCE_GROUPS": "x",
        "ARM_CLIENT_ID": "x", "IDENTITY_ENDPOINT": "http://127.0.0.1:9", "MSI_ENDPOINT": "http://127.0.0.1:9",
    }  # fmt: skip
    result = python(SHOW, **foreign)
    assert result.returncode == 0, result.stderr
    seen = json.loads(result.stdout)
    own = {"AZURE_CONFIG_DIR", "ANSIBLE_AZURE_AUTH_SOURCE"}
    assert set(foreign) & set(seen) == own
    assert all(seen[name] != foreign[name] for name in own)


@pytest.mark.parametrize("words", [(), ("prod",)], ids=["as it comes", "a task that names a profile"])
def test_the_users_own_profile_is_not_chosen(words: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / ".azure").mkdir()
    identity = "client_id = real\ntenant = real\nsecret = real\ncloud_environment = AzureUSGovernment\n"
    (tmp_path / ".azure" / "credentials").write_text(f"[default]\n{identity}[prod]\n{identity}")
    mine = {"HOME": str(tmp_path), "AZURE_PROFILE": "prod", "ANSIBLE_AZURE_AUTH_SOURCE": "auto"}
    result = python(CHOOSE, *words, **mine)
    assert result.returncode == 0, result.stderr
    assert "from environment variables; https://localhost:" in result.stdout
    del mine["AZURE_PROFILE"]
    result = python(CHOOSE, *words, **mine)
    assert "from environment variables; https://localhost:" in result.stdout, result.stderr


def test_the_azure_cli_has_a_configuration_of_its_own(tmp_path: Path) -> None:
    look = "import os; directory = os.environ['AZURE_CONFIG_DIR']; print(os.listdir(directory), directory)"
    result = python(look, HOME=str(tmp_path), AZURE_CONFIG_DIR=str(tmp_path))
    assert result.stdout.startswith("[] "), result.stderr
    assert not Path(result.stdout.split()[1]).exists()


def test_the_server_is_reached_past_a_proxy() -> None:
    nobody = "http://127.0.0.1:9"
    proxies = {"HTTPS_PROXY": nobody, "https_proxy": nobody, "NO_PROXY": "corp.example", "no_proxy": ""}
    result = python(f"{ASK}\nimport os\nprint(ask(), os.environ['no_proxy'], os.environ['NO_PROXY'])", **proxies)
    assert result.returncode == 0, result.stderr
    status, lower, upper = result.stdout.split()
    assert status == "200"
    assert lower == upper
    local = ["localhost", "127.0.0.1", ".vault.localhost", ".cloudapp.azure.com", "198.18.0.0/15"]
    assert lower.split(",") == ["corp.example", *local]


def test_each_spelling_of_no_proxy_keeps_what_was_there() -> None:
    assert without_proxy({}, "here") == {"NO_PROXY": "here", "no_proxy": "here"}
    both = without_proxy({"NO_PROXY": "a", "no_proxy": "b,c"}, "here")
    assert both == {"NO_PROXY": "a,here", "no_proxy": "b,c,here"}
    everything = without_proxy({"no_proxy": "*"}, "here")
    assert everything == {"NO_PROXY": "*", "no_proxy": "*"}, "with anything beside it the star means nothing"


def test_names_of_machines_resolve_for_the_command() -> None:
    look = (
        "import os, pathlib\n"
        "hosts = pathlib.Path(os.environ['AZURE_CLOUD_CA_PATH']).with_name('hosts')\n"
        "print(os.getuid(), os.path.samefile('/etc/hosts', hosts))\n"
        "raise SystemExit(7)\n"
    )
    result = run("--machines", "stand-in", "--", sys.executable, "-c", look)
    assert result.returncode == 7, result.stderr
    assert result.stdout.split() == [str(os.getuid()), str("will not resolve" not in result.stderr)]


# --- how it ends ---


def test_the_status_of_the_command_is_ours() -> None:
    assert python("raise SystemExit(7)").returncode == 7
    killed = python("import os; os.kill(os.getpid(), 9)")
    assert (killed.returncode, killed.stderr) == (128 + 9, "")
    missing = run("--machines", "none", "--", "no-such-program")
    assert (missing.returncode, missing.stderr) == (127, "no-such-program: command not found\n")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
@pytest.mark.parametrize("machines", ["none", "stand-in"])
def test_a_signal_reaches_the_command_while_the_server_is_there(number: signal.Signals, machines: str) -> None:
    with begun(machines, COUNT) as process:
        process.send_signal(number)
        output, errors = process.communicate(timeout=60)
    assert output == f"1 {number.value} 200\n", errors
    assert (process.returncode, errors) == (5, "")


def test_a_command_that_a_signal_ends() -> None:
    with begun("none", "import time; print('ready', flush=True); time.sleep(60)") as process:
        process.send_signal(signal.SIGTERM)
        _output, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (128 + signal.SIGTERM, "")


def begun(machines: str, script: str) -> subprocess.Popen[str]:
    """A run whose command has said that it is ready."""
    command = [*RUN, "--machines", machines, "--", sys.executable, "-c", script]
    pipe = subprocess.PIPE
    process = subprocess.Popen(
        command, env=environment(), stdout=pipe, stderr=pipe, text=True, bufsize=1, start_new_session=True
    )
    assert process.stdout is not None
    for line in process.stdout:
        if line == "ready\n":
            break
    return process


@pytest.mark.skipif(sys.platform == "darwin", reason="there the sender of a signal cannot be told")
def test_ctrl_c_in_a_terminal_reaches_the_command_once() -> None:
    """The terminal gives it to every process of the foreground; the server is none of them."""
    master, slave = os.openpty()
    command = [*RUN, "--machines", "none", "--", sys.executable, "-c", COUNT]
    with subprocess.Popen(
        command, env=environment(), stdin=slave, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    ) as process:  # fmt: skip
        os.close(slave)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        os.write(master, b"\x03")
        output, errors = process.communicate(timeout=60)
    os.close(master)
    assert output == f"1 {signal.SIGINT.value} 200\n", errors
    assert (process.returncode, errors) == (5, "")


def test_a_signal_during_the_start_ends_the_server(tmp_path: Path) -> None:
    """Its file for requests is a pipe that nobody reads yet: it cannot get ready."""
    os.mkfifo(tmp_path / "pipe")
    variables = environment(TMPDIR=str(tmp_path))
    command = [*RUN, "--machines", "none", "--request-log", str(tmp_path / "pipe"), "--", "true"]
    with subprocess.Popen(command, env=variables, stderr=subprocess.PIPE, text=True) as process:
        while not list(tmp_path.glob("azure-emulator-*")):
            assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        _output, errors = process.communicate(timeout=90)
    assert (process.returncode, errors) == (128 + signal.SIGTERM, "")
    assert [path.name for path in tmp_path.iterdir()] == ["pipe"]


# --- what is wrong is said in one line ---

FAILURES: list[tuple[list[str], str]] = [
    (["--latency", "quick"], "expected instant, recorded"),
    (["--switch", "nothing=1"], "unknown switch"),
    (["--switch", "package_locks=dpkg:5"], "must be NAME:SECONDS with a name of dpkg-frontend"),
    (["--switch", "cores_quota=many"], "many"),
    (["--fault", '{"action": "explode"}'], "expected one of"),
    (["--state-dir", "/dev/null/x"], "/dev/null"),
    (["--machines", "guests"], "guests need"),
]


@pytest.mark.parametrize(("options", "text"), FAILURES, ids=lambda value: " ".join(value) if value else "")
def test_a_server_that_cannot_start(options: list[str], text: str, tmp_path: Path) -> None:
    """Guests cannot run: their programs are not on PATH, or the user is not root."""
    (tmp_path / "true").symlink_to("/bin/true")
    result = run("--machines", "none", *options, "--", "true", PATH=str(tmp_path))
    assert result.returncode == 1
    assert result.stdout == ""
    assert text in result.stderr
    assert result.stderr.startswith("azure_emulator: ")
    assert result.stderr.count("\n") == 1, result.stderr


@pytest.mark.parametrize("words", [["--help"], ["-h"], ["-h", "--", "true"]], ids=" ".join)
def test_help(words: list[str]) -> None:
    result = run(*words)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith("usage: python -m azure_emulator run [OPTIONS] -- COMMAND ...\n")


@pytest.mark.parametrize("words", [[], ["--"], ["--machines", "none"], ["true"]], ids=" ".join)
def test_without_a_command(words: list[str]) -> None:
    result = run(*words)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith("usage: python -m azure_emulator run [OPTIONS] -- COMMAND ...\n")
