# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""docker_endpoint_info against engines on loopback: every kind of failure, the wait, and what is returned."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import pathlib
import socket
import ssl
import threading
import typing as t

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.dockerhost.azure.plugins.module_utils._backend import Request
from ansible_collections.dockerhost.azure.plugins.module_utils._docker import endpoint_task
from ansible_collections.dockerhost.azure.plugins.module_utils._docker.connection import connection_of
from ansible_collections.dockerhost.azure.plugins.module_utils._docker.endpoint_task import BACKEND
from ansible_collections.dockerhost.azure.plugins.module_utils._docker.probe import (
    EndpointError,
    require_client_certificate,
)
from ansible_collections.dockerhost.azure.plugins.module_utils._errors import DockerHostError, OptionError


def params(**options: t.Any) -> dict[str, t.Any]:
    """The options as Ansible validates them."""
    spec = {name: dict(option) for name, option in BACKEND.spec.argument_spec.items()}
    result = ArgumentSpecValidator(spec, **BACKEND.spec.rules()).validate(options)
    assert result.error_messages == []
    return t.cast("dict[str, t.Any]", result.validated_parameters)


def with_tls(port: int, client: pathlib.Path | None, ca: pathlib.Path, **options: t.Any) -> dict[str, t.Any]:
    files = {} if client is None else {"client_cert": str(client / "cert.pem"), "client_key": str(client / "key.pem")}
    return params(
        **{
            "docker_host": f"tcp://127.0.0.1:{port}",
            "validate_certs": True,
            "ca_path": str(ca / "ca.pem"),
            "wait": False,
            "timeout": 5,
            **files,
            **options,
        }
    )


def run(options: dict[str, t.Any], progress: t.Callable[[str], None] = lambda line: None) -> dict[str, t.Any]:
    return BACKEND.run(Request(params=options, progress=progress))


def kind_of(options: dict[str, t.Any]) -> str:
    with pytest.raises(EndpointError) as failure:
        run(options)
    assert failure.value.details["kind"] == failure.value.kind
    return failure.value.kind


def test_answers_over_mutual_tls(engines: t.Any, certificates: t.Any) -> None:
    with engines.SmallEngine(certificates=certificates.server) as engine:
        options = with_tls(engine.port, certificates.client, certificates.client, require_mutual_tls=True)
        result = run(options)
    assert result["changed"] is False
    assert result["version"] == engines.VERSION
    assert result["info"] == engines.INFO
    assert result["attempts"] == 1
    assert result["docker_connection"] == {
        "docker_host": f"tcp://127.0.0.1:{engine.port}",
        "tls": True,
        "validate_certs": True,
        "ca_path": str(certificates.client / "ca.pem"),
        "client_cert": str(certificates.client / "cert.pem"),
        "client_key": str(certificates.client / "key.pem"),
    }
    assert result["docker_env"] == {
        "DOCKER_HOST": f"tcp://127.0.0.1:{engine.port}",
        "DOCKER_TLS_VERIFY": "1",
        "DOCKER_CERT_PATH": str(certificates.client),
    }
    shown = result["server_certificate"]
    encoded = ssl.PEM_cert_to_DER_cert((certificates.server / "cert.pem").read_text())
    assert shown["fingerprint"] == hashlib.sha256(encoded).hexdigest()
    assert shown["dns_names"] == ["localhost"]
    assert shown["ip_addresses"] == ["127.0.0.1"]


@pytest.mark.parametrize("tls12_only", [False, True])
@pytest.mark.parametrize(
    ("client", "expected"), [(None, "client_certificate_required"), ("stranger", "client_certificate_refused")]
)
def test_client_certificate_not_accepted(
    engines: t.Any, certificates: t.Any, tls12_only: bool, client: str | None, expected: str
) -> None:
    with engines.SmallEngine(certificates=certificates.server, tls12_only=tls12_only) as engine:
        directory = getattr(certificates, client) if client else None
        assert kind_of(with_tls(engine.port, directory, certificates.client)) == expected


def test_server_of_another_authority(engines: t.Any, certificates: t.Any) -> None:
    with engines.SmallEngine(certificates=certificates.server) as engine:
        assert kind_of(with_tls(engine.port, certificates.client, certificates.stranger)) == "unknown_authority"


def test_server_of_another_authority_of_the_same_name(
    engines: t.Any, certificates: t.Any, tmp_path: pathlib.Path
) -> None:
    (tmp_path / "ca.pem").write_bytes(engines.Authority().pem)
    with engines.SmallEngine(certificates=certificates.server) as engine:
        assert kind_of(with_tls(engine.port, certificates.client, tmp_path)) == "unknown_authority"


@pytest.mark.parametrize(
    ("names", "days", "expected"),
    [
        (("127.0.0.1",), (-20, -10), "expired"),
        (("127.0.0.1",), (10, 20), "not_yet_valid"),
        (("localhost", "127.0.0.2"), (-1, 1), "wrong_host"),
    ],
)
def test_server_certificate_not_acceptable(
    engines: t.Any,
    certificates: t.Any,
    tmp_path: pathlib.Path,
    names: tuple[str, ...],
    days: tuple[int, int],
    expected: str,
) -> None:
    certificates.authority.issue(tmp_path, names=names, server=True, starts=days[0], ends=days[1])
    with engines.SmallEngine(certificates=tmp_path) as engine:
        assert kind_of(with_tls(engine.port, certificates.client, certificates.client)) == expected


def test_tls_hostname_replaces_the_name(engines: t.Any, certificates: t.Any, tmp_path: pathlib.Path) -> None:
    certificates.authority.issue(tmp_path, names=("web1.example",), server=True)
    with engines.SmallEngine(certificates=tmp_path) as engine:
        options = with_tls(engine.port, certificates.client, certificates.client, tls_hostname="web1.example")
        assert run(options)["docker_connection"]["tls_hostname"] == "web1.example"


def test_client_certificate_used_on_the_server(engines: t.Any, certificates: t.Any, tmp_path: pathlib.Path) -> None:
    certificates.authority.issue(tmp_path, names=("127.0.0.1",), server=False)
    with engines.SmallEngine(certificates=tmp_path) as engine:
        assert kind_of(with_tls(engine.port, certificates.client, certificates.client)) == "bad_certificate"


def test_nobody_listens(certificates: t.Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert kind_of(with_tls(port, certificates.client, certificates.client)) == "refused"


def test_nobody_answers(certificates: t.Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert kind_of(with_tls(port, certificates.client, certificates.client, timeout=1)) == "timeout"


def test_name_that_nobody_knows(certificates: t.Any) -> None:
    options = with_tls(1, certificates.client, certificates.client, docker_host="tcp://web1.invalid:4243")
    assert kind_of(options) == "name_unknown"


@pytest.mark.parametrize(
    ("message", "expected"),
    [(b"SSH-2.0-OpenSSH_9.2\r\n", "not_tls"), (b"", "closed")],
)
def test_port_of_something_else(engines: t.Any, certificates: t.Any, message: bytes, expected: str) -> None:
    with engines.talker(message) as port:
        assert kind_of(with_tls(port, certificates.client, certificates.client)) == expected


def test_engine_without_tls(engines: t.Any, certificates: t.Any) -> None:
    with engines.SmallEngine("plain") as engine:
        assert kind_of(with_tls(engine.port, certificates.client, certificates.client)) == "not_tls"
        result = run(params(docker_host=f"tcp://127.0.0.1:{engine.port}", wait=False))
    assert result["docker_connection"] == {"docker_host": f"tcp://127.0.0.1:{engine.port}"}
    assert result["docker_env"] == {"DOCKER_HOST": f"tcp://127.0.0.1:{engine.port}"}
    assert result["server_certificate"] is None


def test_plain_request_to_an_engine_with_tls(engines: t.Any) -> None:
    # What Go's TLS server says to plain HTTP (net/http, server.go).
    answer = b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n"
    with engines.talker(answer) as port:
        assert kind_of(params(docker_host=f"tcp://127.0.0.1:{port}", wait=False, timeout=5)) == "tls_required"


def test_plain_request_answered_by_a_tls_alert(engines: t.Any) -> None:
    with engines.talker(b"\x15\x03\x01\x00\x02\x02\x46") as port:
        assert kind_of(params(docker_host=f"tcp://127.0.0.1:{port}", wait=False, timeout=5)) == "tls_required"


@pytest.mark.parametrize("mode", ["other_api", "html"])
def test_other_services(engines: t.Any, mode: str) -> None:
    with engines.SmallEngine(mode) as engine:
        assert kind_of(params(docker_host=f"tcp://127.0.0.1:{engine.port}", wait=False)) == "not_docker"


def test_an_answer_that_is_nested_too_deeply(engines: t.Any) -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + b"[" * 100_000
    with engines.talker(answer) as port:
        assert kind_of(params(docker_host=f"tcp://127.0.0.1:{port}", wait=False, timeout=5)) == "not_docker"


def test_engine_that_lets_everybody_in(engines: t.Any, certificates: t.Any) -> None:
    with engines.SmallEngine("tls", certificates=certificates.server) as engine:
        options = with_tls(engine.port, certificates.client, certificates.client)
        assert run(options)["version"] == engines.VERSION
        options = with_tls(engine.port, certificates.client, certificates.client, require_mutual_tls=True)
        assert kind_of(options) == "client_certificate_not_required"


def test_without_verification(engines: t.Any, certificates: t.Any) -> None:
    with engines.SmallEngine(certificates=certificates.server) as engine:
        options = with_tls(engine.port, certificates.client, certificates.stranger, validate_certs=False, tls=True)
        result = run(options)
    assert result["docker_env"]["DOCKER_TLS"] == "1"
    assert list(result["server_certificate"]) == ["fingerprint"]


def test_unix_socket_that_is_missing(tmp_path: pathlib.Path) -> None:
    assert kind_of(params(docker_host=f"unix://{tmp_path}/docker.sock", wait=False)) == "no_socket"


def test_waits_while_the_engine_starts(engines: t.Any, certificates: t.Any, monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[str] = []
    with engines.SmallEngine(certificates=certificates.server, failures=2) as engine:
        options = with_tls(engine.port, certificates.client, certificates.client, wait=True)
        monkeypatch.setattr(endpoint_task, "sleep", lambda seconds: None)
        result = run(options, lines.append)
    assert result["attempts"] == 3
    assert result["version"] == engines.VERSION
    assert "HTTP 503" in lines[0]
    assert lines[1].startswith(f"127.0.0.1:{engine.port}: the engine answers after")
    assert len(lines) == 2


def test_progress_every_thirty_seconds_and_the_end_of_patience(
    certificates: t.Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    clock = [0.0]
    monkeypatch.setattr(endpoint_task, "monotonic", lambda: clock[0])
    monkeypatch.setattr(endpoint_task, "sleep", lambda seconds: clock.__setitem__(0, clock[0] + seconds))
    lines: list[str] = []
    options = with_tls(port, certificates.client, certificates.client, wait=True, wait_timeout=100)
    with pytest.raises(EndpointError, match=r"attempts in 100 s") as failure:
        run(options, lines.append)
    assert failure.value.kind == "refused"
    assert len(lines) == 4


def test_lasting_failure_ends_the_wait(engines: t.Any, certificates: t.Any) -> None:
    with engines.SmallEngine(certificates=certificates.server) as engine:
        options = with_tls(engine.port, certificates.client, certificates.stranger, wait=True, wait_timeout=3600)
        assert kind_of(options) == "unknown_authority"


def test_environment_as_the_docker_cli_has_it(
    engines: t.Any, certificates: t.Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with engines.SmallEngine(certificates=certificates.server) as engine:
        monkeypatch.setenv("DOCKER_HOST", f"tcp://localhost:{engine.port}")
        monkeypatch.setenv("DOCKER_TLS_VERIFY", "1")
        monkeypatch.setenv("DOCKER_CERT_PATH", str(certificates.client))
        monkeypatch.setenv("DOCKER_TLS_HOSTNAME", "")
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificates.stranger / "ca.pem"))
        monkeypatch.setenv("SSL_CERT_FILE", str(certificates.stranger / "ca.pem"))
        assert run(params(wait=False))["version"] == engines.VERSION


@pytest.mark.parametrize(
    ("options", "option"),
    [
        ({"docker_host": "web1:4243"}, "docker_host"),
        ({"docker_host": "ssh://web1"}, "docker_host"),
        ({"docker_host": "tcp://"}, "docker_host"),
        ({"docker_host": "tcp://web1:70000"}, "docker_host"),
        ({"docker_host": "tcp://web1:0"}, "docker_host"),
        ({"docker_host": "tcp://me@web1:4243"}, "docker_host"),
        ({"docker_host": "https://web1"}, "docker_host"),
        ({"docker_host": "unix://docker.sock"}, "docker_host"),
        ({"timeout": 0}, "timeout"),
        ({"wait_timeout": -1}, "wait_timeout"),
        ({"require_mutual_tls": True}, "require_mutual_tls"),
        ({"validate_certs": True, "ca_path": "/nowhere/ca.pem"}, "ca_path"),
        ({"validate_certs": True, "client_cert": "/nowhere/cert.pem"}, "client_key"),
        ({"validate_certs": True, "client_key": "/nowhere/key.pem"}, "client_cert"),
        (
            {"validate_certs": True, "client_cert": "/nowhere/cert.pem", "client_key": "/nowhere/key.pem"},
            "client_cert",
        ),
    ],
)
def test_bad_options(options: dict[str, t.Any], option: str) -> None:
    with pytest.raises(OptionError) as failure:
        run(params(**{"docker_host": "tcp://127.0.0.1:1", **options}))
    assert failure.value.option == option


def test_files_that_do_not_fit(certificates: t.Any, tmp_path: pathlib.Path) -> None:
    garbage = tmp_path / "garbage.pem"
    garbage.write_text("nothing")
    client, server = certificates.client, certificates.server
    for options, option in (
        ({"ca_path": str(garbage)}, "ca_path"),
        ({"client_cert": str(garbage)}, "client_cert"),
        ({"client_key": str(server / "key.pem")}, "client_key"),
    ):
        with pytest.raises(OptionError) as failure:
            run(with_tls(1, client, client, **options))
        assert failure.value.option == option


def test_key_with_a_passphrase(certificates: t.Any, tmp_path: pathlib.Path) -> None:
    from cryptography.hazmat.primitives import serialization

    key = serialization.load_pem_private_key((certificates.client / "key.pem").read_bytes(), None)
    encrypted = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"correct horse"),
    )
    (tmp_path / "key.pem").write_bytes(encrypted)
    with pytest.raises(OptionError, match="is encrypted"):
        run(with_tls(1, certificates.client, certificates.client, client_key=str(tmp_path / "key.pem")))


def test_ipv6_and_default_ports() -> None:
    connection = connection_of(params(docker_host="tcp://[2001:db8::1]", tls=True))
    assert (connection.host, connection.port, connection.shown) == ("2001:db8::1", 2376, "[2001:db8::1]:2376")
    assert connection_of(params(docker_host="tcp://web1")).port == 2375


UP = {"changed": False, "host": {"name": "web1", "power_state": "running", "unknown": []}}
PUSHED = {"changed": True, "pushed": True, "power_state": "running"}


@pytest.mark.parametrize(
    "after",
    [
        [{**UP, "changed": True}],
        [UP, PUSHED],
        [{**UP, "host": {**UP["host"], "unknown": ["docker_host"]}}],  # type: ignore[dict-item]
    ],
)
def test_check_mode_asks_nothing_that_earlier_tasks_would_change(after: list[dict[str, t.Any]]) -> None:
    options = params(docker_host="", ca_path="/nowhere", validate_certs=True, after=after)
    result = BACKEND.run(Request(options, check_mode=True))
    assert (result["predicted"], result["version"], result["info"]) == (True, None, None)
    assert result["changed"] is False
    with pytest.raises(OptionError):
        run(options)


def test_check_mode_asks_what_earlier_tasks_leave_as_it_is(engines: t.Any, certificates: t.Any) -> None:
    with engines.SmallEngine(certificates=certificates.server) as engine:
        after = [UP, {"changed": False, "skipped": True}]
        options = with_tls(engine.port, certificates.client, certificates.client, after=after)
        result = BACKEND.run(Request(options, check_mode=True))
    assert result["predicted"] is False
    assert result["version"] == engines.VERSION


@pytest.mark.parametrize("check_mode", [False, True])
@pytest.mark.parametrize("state", ["stopped", "deallocated"])
def test_a_host_that_is_off_is_reported_at_once(check_mode: bool, state: str) -> None:
    off = {"changed": True, "host": {"name": "web1", "power_state": state}}
    options = params(docker_host="tcp://127.0.0.1:1", after=[off, {"changed": False}])
    with pytest.raises(DockerHostError, match=f"web1 is {state}, so its engine cannot answer") as failure:
        BACKEND.run(Request(options, check_mode=check_mode))
    assert failure.value.details["power_state"] == state


def test_a_host_that_a_later_task_started_is_not_off() -> None:
    off = {"changed": False, "host": {"name": "web1", "power_state": "deallocated"}}
    assert BACKEND.run(Request(params(after=[off, PUSHED]), check_mode=True))["predicted"]


def test_check_mode_knows_a_start_that_it_predicts() -> None:
    """A later task that changes nothing reads the power state from before."""
    started = {"changed": True, "host": {"name": "web1", "power_state": "running"}}
    unchanged = {"changed": False, "power_state": "deallocated"}
    options = params(docker_host="tcp://127.0.0.1:1", after=[started, unchanged])
    assert BACKEND.run(Request(options, check_mode=True))["predicted"]
    with pytest.raises(DockerHostError, match="web1 is deallocated, so its engine cannot answer"):
        run(options)


def test_after_takes_results_only() -> None:
    with pytest.raises(OptionError) as failure:
        run(params(after=[UP, "web1"]))
    assert failure.value.option == "after[1]"


CLOSES, NEVER_ENDS = b"", b"HTTP/1.1 200 OK\r\nX-Slow: "


@contextlib.contextmanager
def stranger_server(certificates: t.Any, answer: bytes, pause: float = 0.0) -> t.Iterator[int]:
    """A TLS server that asks for no certificate, and answers each request byte by byte. Gives its port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.server / "cert.pem", certificates.server / "key.pem")
    stopped = threading.Event()

    def talk(connection: socket.socket) -> None:
        with contextlib.suppress(OSError), context.wrap_socket(connection, server_side=True) as secured:
            secured.recv(4096)
            for byte in itertools.chain(answer, itertools.repeat(ord("x")) if pause else ()):
                secured.sendall(bytes([byte]))
                if stopped.wait(pause):
                    return

    def serve(listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _address = listener.accept()
                threading.Thread(target=talk, args=(connection,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, args=(listener,), daemon=True).start()
        yield listener.getsockname()[1]
        stopped.set()
        listener.shutdown(socket.SHUT_RDWR)


def test_a_closed_connection_is_no_proof_of_mutual_tls(certificates: t.Any) -> None:
    with stranger_server(certificates, CLOSES) as port:
        connection = connection_of(with_tls(port, None, certificates.client))
        with pytest.raises(EndpointError, match="gave no TLS alert") as failure:
            require_client_certificate(connection, 5)
    assert failure.value.kind == "closed"


@pytest.mark.parametrize("tls12_only", [False, True])
def test_a_tls_alert_is_proof_of_mutual_tls(engines: t.Any, certificates: t.Any, tls12_only: bool) -> None:
    with engines.SmallEngine(certificates=certificates.server, tls12_only=tls12_only) as engine:
        for client in (None, certificates.client):
            require_client_certificate(connection_of(with_tls(engine.port, client, certificates.client)), 5)


@pytest.mark.parametrize("answer", [NEVER_ENDS, b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n"])
def test_an_answer_that_never_ends_is_not_waited_for(certificates: t.Any, answer: bytes) -> None:
    with stranger_server(certificates, answer, pause=0.001) as port:
        assert kind_of(with_tls(port, None, certificates.client, timeout=1)) == "timeout"


def test_control_characters_of_an_answer_do_not_reach_the_terminal(certificates: t.Any) -> None:
    body = b"\x1b[2J\x07bad\x9b"
    answer = b"HTTP/1.1 404 Not Found\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    with stranger_server(certificates, answer) as port, pytest.raises(EndpointError, match="bad") as failure:
        run(with_tls(port, None, certificates.client))
    assert str(failure.value).isprintable()
