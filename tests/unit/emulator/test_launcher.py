# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Starting the server by hand and from scripts."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from azure_emulator.launcher import LocalAzure

PACKAGE = Path(__file__).resolve().parents[2] / "emulator"
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(PACKAGE)}


def _run(*arguments: str, temporary: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "azure_emulator", *arguments]
    environment = {**ENVIRONMENT, **({} if temporary is None else {"TMPDIR": str(temporary)})}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)


def test_ready_file_and_signals(tmp_path: Path) -> None:
    ready, log = tmp_path / "ready.json", tmp_path / "requests.jsonl"
    command = [sys.executable, "-m", "azure_emulator", "--machines", "none", "--ready-file", str(ready)]
    with subprocess.Popen([*command, "--request-log", str(log)], env=ENVIRONMENT, stderr=subprocess.DEVNULL) as process:
        while not ready.exists():
            assert process.poll() is None
            time.sleep(0.02)
        facts = json.loads(ready.read_text(encoding="utf-8"))
        assert stat.S_IMODE(ready.stat().st_mode) == 0o600
        assert facts["pid"] == process.pid
        assert set(facts) >= {"url", "ca_file", "tenant", "subscription_id", "client_id", "secret", "control_url"}
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    assert not ready.exists()
    assert not Path(facts["ca_file"]).exists()
    assert stat.S_IMODE(log.stat().st_mode) == 0o600


def test_the_request_log_is_json_lines(tmp_path: Path) -> None:
    log = tmp_path / "requests.jsonl"
    with LocalAzure(options=["--request-log", str(log)]) as azure:
        from .conftest import Arm

        arm = Arm(azure, "g")
        arm.put(arm.group, {"location": "eastus"})
        arm.done(arm.vnet())
        entries = azure.requests()
        azure.clear_requests()
        assert azure.requests() == []
    lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    assert lines == entries
    write = next(entry for entry in lines if entry["path"].endswith("/virtualNetworks/vnet"))
    assert (write["method"], write["status"], write["writing"], write["valid"]) == ("PUT", 201, True, True)
    assert write["operation"].startswith("virtualNetwork.create ")
    assert write["duration"] == 0
    text = log.read_text(encoding="utf-8")
    assert azure.secret not in text
    assert "Bearer" not in text


def test_recorded_latencies_are_drawn_and_logged() -> None:
    with LocalAzure(latency="recorded:0.001", seed=7) as azure:
        from .conftest import Arm

        arm = Arm(azure, "g")
        arm.put(arm.group, {"location": "eastus"})
        arm.done(arm.vnet())
        entry = next(e for e in azure.requests() if e["operation"] and e["method"] == "PUT")
        arm.done(arm.nic())
        created = arm.put("Microsoft.Compute/virtualMachines/vm", arm.vm_body())
        first, second = (arm.http.get(created.headers["azure-asyncoperation"]) for _time in range(2))
        ended = arm.follow(created)
    assert 0 < entry["duration"] < 0.06
    assert ended["status"] == "Succeeded"
    assert "retry-after" not in first.headers
    assert second.headers.get("retry-after", "1") == "1"


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--latency", "quick"], "expected instant, recorded"),
        (["--switch", "nothing=1"], "unknown switch"),
        (["--fault", '{"action": "explode"}'], "expected one of"),
        (["--fault", "nonsense"], "azure_emulator:"),
        (["--state-dir", "/dev/null/x"], "azure_emulator:"),
    ],
)
def test_bad_options_are_one_line(arguments: list[str], text: str, tmp_path: Path) -> None:
    result = _run("--machines", "none", *arguments, temporary=tmp_path)
    assert result.returncode == 1
    assert text in result.stderr
    assert "Traceback" not in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    with LocalAzure() as azure:
        port = azure.url.rpartition(":")[2]
        with pytest.raises(RuntimeError, match="did not start"):
            LocalAzure(port=int(port)).start()
        assert _run("--machines", "none", "--port", port, temporary=tmp_path).returncode == 1
        assert list(tmp_path.iterdir()) == []


def test_a_start_that_fails_says_why() -> None:
    with pytest.raises(RuntimeError, match="expected instant, recorded"):
        LocalAzure(latency="quick").start()


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs /proc")
def test_a_server_goes_with_the_process_that_started_it(tmp_path: Path) -> None:
    script = (
        "import os, signal\n"
        "from azure_emulator.launcher import LocalAzure\n"
        "azure = LocalAzure(machines='stand-in').start()\n"
        "print(azure.pid, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    environment = {**ENVIRONMENT, "TMPDIR": str(tmp_path)}
    command = [sys.executable, "-c", script]
    parent = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    server = int(parent.stdout)
    deadline = time.monotonic() + 30
    while Path(f"/proc/{server}").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not Path(f"/proc/{server}").exists()
    assert list(tmp_path.iterdir()) == [], "nothing stays of either"


def test_what_a_killed_server_left_is_removed_by_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    foreign = tmp_path / "azure-emulator-notes"
    foreign.mkdir()
    killed, living = LocalAzure().start(), LocalAzure().start()
    try:
        killed.kill()
        killed.stop()
        left = Path(killed.ca_file).parent
        assert left.exists()
        for directory in (left, Path(living.ca_file).parent):
            os.utime(directory / "lock", (0, 0))
        with LocalAzure() as third:
            kept = {foreign, Path(living.ca_file).parent, Path(third.ca_file).parent}
            assert set(tmp_path.iterdir()) == kept
            assert living.requests() == []
    finally:
        living.stop()


def test_supplied_handlers_are_in_the_catalogue(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "Microsoft.Azure.Extensions.CustomScript__2.1.77.zip", "w") as archive:
        archive.writestr("HandlerManifest.json", json.dumps([{"handlerManifest": {}}]))
    with LocalAzure(machines="auto", options=["--handlers", str(tmp_path)]) as azure:
        from .conftest import COMPUTE, Arm

        arm = Arm(azure, "g")
        types = "publishers/Microsoft.Azure.Extensions/artifacttypes/vmextension/types"
        path = f"{arm.subscription}/providers/Microsoft.Compute/locations/eastus/{types}/CustomScript/versions"
        answer = arm.get(path, **{"api-version": COMPUTE})
        assert "2.1.77" in [entry["name"] for entry in answer.json()], answer.text


def test_what_only_guests_have_is_refused_for_other_machines(tmp_path: Path) -> None:
    done = _run("--machines", "none", "--handlers", str(tmp_path))
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        "azure_emulator: --handlers must come with --machines guests, whose agent installs packages, got none"
    )
    done = _run("--machines", "stand-in", "--provision", "cloud-init")
    assert done.stderr.splitlines()[-1] == (
        "azure_emulator: --provision cloud-init must come with --machines guests, got stand-in"
    )
    done = _run("--machines", "auto", "--handlers", str(tmp_path / "none"))
    assert done.stderr.splitlines()[-1].startswith("azure_emulator: --handlers must be a directory, got ")
