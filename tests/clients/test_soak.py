# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The soak's plan is its seed's, and each of its checks can fail."""

from __future__ import annotations

import copy
import ssl
import subprocess
import threading
import typing as t
from collections import Counter
from pathlib import Path

import pytest

from . import soak as program
from .leftovers import Family
from .soak_checks import Memory, address_of, differences, engine_says
from .soak_plan import NECESSARY, Host, Plan, done_within, telling_seed

# --- the plan ---


def test_the_seed_decides_everything() -> None:
    first, second, other = Plan(1, 2), Plan(1, 2), Plan(2, 2)
    rounds = [first.round() for _number in range(20)]
    assert rounds == [second.round() for _number in range(20)]
    assert rounds != [other.round() for _number in range(20)]
    assert all(len(planned.steps) == 2 and planned.faults for planned in rounds)


def test_everything_happens_to_hosts_that_run_and_to_stopped_ones() -> None:
    plan, happened = Plan(1, 1), set()
    for _number in range(300):
        before = {host.name: host for host in plan.hosts}
        (step,) = plan.round().steps
        host = before[step.after.name]
        happened.add((step.done, "stopped" if host.stopped else "absent" if host.port is None else "running"))
        both = host.port is not None and step.after.port is not None
        differs = (host.port, host.tags) != (step.after.port, step.after.tags)
        assert (step.done == "changed") == (both and differs)
        assert step.after in plan.hosts
    running = {(done, "running") for done in ("changed", "rotated", "stopped", "kept", "deleted")}
    stopped = {(done, "stopped") for done in ("started", "changed", "deleted")}
    assert happened == {("made", "absent"), *running, *stopped}


@pytest.mark.parametrize(("workers", "rounds"), [(1, 4), (2, 3), (2, 4), (3, 2)])
def test_the_lowest_seed_that_tells_something(workers: int, rounds: int) -> None:
    seed = telling_seed(workers, rounds)
    assert done_within(seed, workers, rounds) >= set(NECESSARY)
    assert not any(done_within(lower, workers, rounds) >= set(NECESSARY) for lower in range(seed))


def test_too_few_rounds_can_tell_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="2 rounds of 2 cannot"):
        telling_seed(2, 2)
    with pytest.raises(SystemExit):
        program.main(["--all-within", "1"])
    assert "1 rounds of 2 cannot make, change, rotate and delete hosts" in capsys.readouterr().err


# --- the host in the cloud ---

HOST = Host("w0-1", 2376, tags={"colour": "r"})
PROVIDERS = "/subscriptions/s/resourceGroups/soak/providers"
MACHINE = f"{PROVIDERS}/Microsoft.Compute/virtualMachines/w0-1"
RULE = f"{PROVIDERS}/Microsoft.Network/networkSecurityGroups/w0-1-nsg/securityRules/docker-host-docker"
ADDRESS = f"{PROVIDERS}/Microsoft.Network/publicIPAddresses/w0-1-ip"
OPENED = {"access": "Allow", "direction": "Inbound", "protocol": "Tcp", "destinationPortRange": "2376"}
CLOUD: dict[str, dict[str, t.Any]] = {
    MACHINE: {
        "tags": {"docker-host": "w0-1", "docker-host-port": "2376", "colour": "r"},
        "power": "running",
        "properties": {"provisioningState": "Succeeded"},
    },
    RULE: {"properties": OPENED},
    ADDRESS: {"properties": {"ipAddress": "127.0.0.9"}},
    f"{PROVIDERS}/Microsoft.Compute/virtualMachines/w0-2": {},
}


def test_a_host_that_is_as_it_is_to_be() -> None:
    assert differences(HOST, CLOUD) == []
    assert address_of(HOST, CLOUD) == "127.0.0.9"
    assert differences(Host("w1-0"), CLOUD) == []


@pytest.mark.parametrize(
    ("resource", "path", "value", "said"),
    [
        (MACHINE, ("tags", "colour"), "g", "w0-1: tags {'colour': 'g'}, not {'colour': 'r'}"),
        (MACHINE, ("tags", "docker-host-port"), "4243", "w0-1: port on record 4243, not 2376"),
        (MACHINE, ("power",), "deallocated", "w0-1: power deallocated, not running"),
        (MACHINE, ("properties", "provisioningState"), "Failed", "w0-1: state Failed, not Succeeded"),
        (RULE, ("properties", "destinationPortRange"), "4243", "Allow Inbound Tcp 4243"),
        (RULE, ("properties", "access"), "Deny", "Deny Inbound Tcp 2376"),
    ],
)
def test_a_host_that_differs(resource: str, path: tuple[str, ...], value: str, said: str) -> None:
    cloud = copy.deepcopy(CLOUD)
    place: t.Any = cloud[resource]
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    (found,) = differences(HOST, cloud)
    assert said in found


def test_hosts_that_are_missing_or_left_in_part() -> None:
    without = {id_: resource for id_, resource in CLOUD.items() if id_ != MACHINE}
    assert differences(HOST, without) == ["w0-1: there is no such machine"]
    assert differences(Host("w0-1"), without) == [
        f"w0-1: it is to be gone, and there is {id_}" for id_ in (RULE, ADDRESS)
    ]


# --- its engine ---


@pytest.fixture
def cert_dir(tmp_path: Path) -> Path:
    """A client's directory in which one certificate is the CA's, the client's and the server's."""
    server = tmp_path / "servers" / "w0-1"
    server.mkdir(parents=True)
    options = [
        *["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1", "-subj", "/CN=all"],
        *["-addext", "subjectAltName=IP:127.0.0.1", "-addext", "keyUsage=critical,keyCertSign,digitalSignature"],
        *["-keyout", str(tmp_path / "key.pem"), "-out", str(tmp_path / "cert.pem")],
    ]
    subprocess.run(["openssl", "req", "-x509", *options], check=True, capture_output=True)
    certificate = (tmp_path / "cert.pem").read_text()
    (tmp_path / "ca.pem").write_text(certificate)
    (server / "cert.pem").write_text(certificate)
    return tmp_path


@pytest.fixture
def engine(cert_dir: Path) -> t.Iterator[Host]:
    """A host whose engine answers one request on the loopback address."""
    from http.server import BaseHTTPRequestHandler, HTTPServer

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"ApiVersion": "1.47"}')

        def log_message(self, *_words: t.Any) -> None:
            """Say nothing."""

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(cert_dir / "ca.pem"))
    context.load_cert_chain(cert_dir / "cert.pem", cert_dir / "key.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        yield Host("w0-1", server.server_port)
        thread.join(30)


def test_an_engine_with_its_certificate(engine: Host, cert_dir: Path) -> None:
    assert engine_says(engine, "127.0.0.1", cert_dir) == ""


def test_an_engine_that_did_not_get_its_new_certificate(engine: Host, cert_dir: Path) -> None:
    made = cert_dir / "servers" / "w0-1" / "cert.pem"
    made.write_text(ssl.DER_cert_to_PEM_cert(b"another"))
    assert "shows another certificate" in engine_says(engine, "127.0.0.1", cert_dir)


def test_an_engine_that_does_not_answer(cert_dir: Path) -> None:
    assert "does not answer" in engine_says(Host("w0-1", 1), "127.0.0.1", cert_dir)


# --- the whole ---


def run_of(samples: list[tuple[float, float]], **done: int) -> program.Soak:
    """A soak that has gone so far, without a server."""
    run = object.__new__(program.Soak)
    run.memory, run.rounds = Memory(samples), 3
    run.done, run.counts = Counter(done), Counter()
    return run


def grows(start: float, slope: float, seconds: int) -> list[tuple[float, float]]:
    """Samples every 30 s: a start that takes its time, then ``slope`` MiB in ten minutes with a ripple."""
    return [
        (at, start + min(at, 120) / 12 + slope * at / 600 + (at // 30) % 3) for at in map(float, range(0, seconds, 30))
    ]


@pytest.mark.parametrize("seconds", [660, 1800])
def test_a_long_soak_is_flat_or_not(seconds: int) -> None:
    run_of(grows(60, 0, seconds)).check_memory()
    with pytest.raises(program.SoakError, match="memory grew"):
        run_of(grows(60, 3, seconds)).check_memory()


def test_a_short_soak_may_only_warm_up() -> None:
    warm = [(0.0, 50.0), (30.0, 70.0)]
    run_of([*warm, (150.0, 70.0 + program.SHORT_GROWTH)]).check_memory()
    with pytest.raises(program.SoakError, match="memory grew"):
        run_of([*warm, (150.0, 71.0 + program.SHORT_GROWTH)]).check_memory()


def test_a_soak_that_did_not_do_everything_has_failed() -> None:
    run_of([], made=1, changed=1, rotated=1, deleted=1).check_counts()
    with pytest.raises(program.SoakError, match="no host was rotated or deleted"):
        run_of([], made=3, changed=1).check_counts()


def test_the_figures_always_have_start_and_end() -> None:
    for samples in ([(0.0, 60.0)], grows(60, 0, 1800)):
        rows = run_of(samples, made=1).figures()
        assert {"server's memory, start", "server's memory, end", "hosts made", "rounds"} <= set(rows)


def test_only_a_long_soak_is_documented(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "page.md"
    before = f"# Page\n{program.BEGIN}\nold\n{program.END}\nrest\n"
    page.write_text(before)
    monkeypatch.setattr(program, "soak", lambda *_arguments: {"rounds": 7})
    assert program.main(["--seconds", "1799", "--write-docs", str(page)]) == 0
    assert page.read_text() == before
    assert program.main(["--seconds", "1800", "--write-docs", str(page)]) == 0
    assert page.read_text() == before.replace("old", "| what | how much |\n|---|---|\n| rounds | 7 |")


def test_what_a_server_still_holds_is_waited_for_and_then_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with subprocess.Popen(["sh"], stdin=subprocess.PIPE, text=True, bufsize=1) as parent:
        family = Family(parent.pid)
        before = family.note()
        assert parent.stdin is not None
        parent.stdin.write("sleep 1 &\n")
        while not family.note().beyond(before):
            pass
        assert program.still_held(family, before, "/nowhere") == []
        parent.stdin.write("sleep 600 & echo $! >&2\n")
        monkeypatch.setattr(program, "PATIENCE", 0.5)
        while not family.note().beyond(before):
            pass
        (left,) = program.still_held(family, before, "/nowhere")
        assert left.endswith("sleep 600")
        parent.stdin.write("kill $!\n")
        parent.stdin.close()
