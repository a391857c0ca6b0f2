# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The program's parts, with a machine that records the programs that it would run."""

from __future__ import annotations

import base64
import json
import typing as t
from pathlib import Path

import pytest

from .conftest import OS_RELEASES, Recorder, armour, public_key


@pytest.mark.parametrize(
    ("system", "manager", "index"),
    [
        ("debian12", "apt", "/linux/debian/dists/bookworm/Release"),
        ("ubuntu24", "apt", "/linux/ubuntu/dists/noble/Release"),
        ("mint22", "apt", "/linux/ubuntu/dists/noble/Release"),
        ("rhel9", "dnf", "/linux/rhel/9/@/stable/repodata/repomd.xml"),
        ("rocky9", "dnf", "/linux/centos/9/@/stable/repodata/repomd.xml"),
        ("fedora40", "dnf", "/linux/fedora/40/@/stable/repodata/repomd.xml"),
        ("sles15", "zypper", "/linux/sles/15/@/stable/repodata/repomd.xml"),
        ("leap15", "zypper", "/linux/sles/15/@/stable/repodata/repomd.xml"),
    ],
)
def test_dockers_repository(setup: t.Any, tmp_path: Path, system: str, manager: str, index: str) -> None:
    repository = Recorder(setup, tmp_path / "root", OS_RELEASES[system]).repository(mirror="https://mirror.test/")
    assert repository.facts.manager == manager
    machine = setup.os.uname().machine
    assert repository.index() == "https://mirror.test" + index.replace("@", machine)


def test_systems_without_a_repository_or_unknown(setup: t.Any, tmp_path: Path) -> None:
    with pytest.raises(setup.Problem, match="has no repository for Microsoft Azure Linux"):
        Recorder(setup, tmp_path / "azl", OS_RELEASES["azurelinux3"]).repository()
    assert Recorder(setup, tmp_path / "alpine", OS_RELEASES["alpine"]).installation().manager is None


def test_an_engine_on_an_unknown_system_can_be_kept(setup: t.Any, tmp_path: Path) -> None:
    recorder = Recorder(setup, tmp_path / "root", OS_RELEASES["alpine"])
    settings = setup.Settings({})
    with pytest.raises(setup.Problem, match=r"Azure Linux$"):
        setup.refuse_engine(recorder.machine, settings, recorder.facts())
    recorder.put("/usr/lib/systemd/system/docker.service", "[Service]\nExecStart=/usr/bin/dockerd\n")
    with pytest.raises(setup.Problem, match=r"to use the installed engine, set engine\.source keep"):
        setup.refuse_engine(recorder.machine, settings, recorder.facts())


@pytest.mark.parametrize(
    ("reason", "advice"),
    [
        ("certificate verify failed: certificate is not yet valid", "the clock of this machine says 2"),
        ("certificate verify failed: certificate has expired", "the clock of this machine says 2"),
        ("[SSL: CERTIFICATE_VERIFY_FAILED] self-signed certificate in certificate chain", "must trust the CA"),
        ("Temporary failure in name resolution", "if this machine needs a proxy"),
    ],
)
def test_what_helps_where_a_repository_cannot_be_reached(setup: t.Any, reason: str, advice: str) -> None:
    assert advice in setup.remedy(reason)


@pytest.mark.parametrize(
    ("server", "kept"),
    [
        ("", "https://index.docker.io/v1/"),
        ("docker.io", "https://index.docker.io/v1/"),
        ("https://index.docker.io/v1/", "https://index.docker.io/v1/"),
        ("https://R.example.com:5000/v2/", "r.example.com:5000"),
        ("registry.example.com/group/project", "registry.example.com"),
        ("[::1]:5000", "[::1]:5000"),
    ],
)
def test_a_login_is_looked_up_where_the_docker_cli_keeps_it(
    setup: t.Any, tmp_path: Path, server: str, kept: str
) -> None:
    recorder = Recorder(setup, tmp_path / "root", OS_RELEASES["debian12"])
    login = {"server": server, "username": "me", "password": "secret"}
    settings = setup.Settings({"protectedSettings": {"logins": [login]}})
    facts = recorder.facts()
    setup.registries(recorder.machine, settings, facts)
    assert recorder.ran("login")[0].endswith("--password-stdin" if not server or "docker.io" in server else kept)
    recorder.machine.changes.clear()
    recorder.put("/root/.docker/config.json", json.dumps({"auths": {kept: {"auth": "bWU6c2VjcmV0"}}}))
    facts.state = {"logins": [server or kept]}  # also as an earlier version recorded it
    setup.registries(recorder.machine, settings, facts)
    assert recorder.machine.changes == []
    setup.registries(recorder.machine, setup.Settings({}), facts)
    assert recorder.machine.changes == [f"log out of {kept}"]


@pytest.mark.parametrize(
    ("system", "packages"),
    [
        ("debian12", "docker.io"),
        ("azurelinux3", "moby-engine moby-cli"),
        ("sles15", "docker"),
        ("fedora40", "moby-engine"),
    ],
)
def test_the_distributions_own_engine(setup: t.Any, tmp_path: Path, system: str, packages: str) -> None:
    """Optional packages that are not offered, and compose of version 1, are left out."""
    recorder = Recorder(setup, tmp_path / "root", OS_RELEASES[system])
    recorder.installation(source="distribution").run()
    installs = [command for command in recorder.commands if " install" in command]
    assert len(installs) == 1
    assert installs[0].partition(" --setopt")[0].endswith(" " + packages)


@pytest.mark.parametrize(
    ("system", "engine", "source"),
    [
        *((name, {}, "docker") for name in ("debian12", "ubuntu24", "mint22", "rhel9", "rocky9", "fedora40")),
        *((name, {}, "distribution") for name in ("sles15", "leap15", "azurelinux3")),
        *((name, {"mirror": "https://mirror.test"}, "docker") for name in ("debian12", "rhel9", "sles15")),
        *(("sles15", {name: value}, "docker") for name, value in (("channel", "test"), ("key", "a key"))),
        *((name, {"source": "keep"}, "keep") for name in ("debian12", "sles15")),
        ("debian12", {"source": "distribution"}, "distribution"),
        ("sles15", {"source": "docker"}, "docker"),
    ],
)
def test_the_engine_comes_from_where_it_is_built(
    setup: t.Any, tmp_path: Path, system: str, engine: dict[str, str], source: str
) -> None:
    installation = Recorder(setup, tmp_path / "root", OS_RELEASES[system]).installation(**engine)
    assert setup.source_of(installation.settings, installation.facts) == source
    text, _words = setup.wanted_installation(installation.machine, installation.settings, installation.facts)
    assert ("Docker's repository" in text) is (source == "docker")


@pytest.mark.parametrize(
    ("there", "told"),
    [
        ("runc 4:1.1.12-3.el9\ncontainerd 0:1.7.1-1\n", "; its containerd.io replaces containerd and runc"),
        ("runc 4:1.1.12-3.el9\n", "; its containerd.io replaces runc"),
        ("", ""),
    ],
)
def test_what_dockers_containerd_replaces_is_told(setup: t.Any, tmp_path: Path, there: str, told: str) -> None:
    recorder = Recorder(setup, tmp_path / "root", OS_RELEASES["rhel9"], {"rpm -q": there})
    for source in ("docker", "distribution"):
        made = recorder.installation(source=source)
        facts = made.facts
        facts.installed = facts.package = None
        text, _words = setup.wanted_installation(made.machine, made.settings, facts)
        assert text.endswith(told if source == "docker" else "Red Hat Enterprise Linux 9.4 (Plow)")


def test_rhel_has_no_engine_of_its_own(setup: t.Any, tmp_path: Path) -> None:
    recorder = Recorder(setup, tmp_path / "root", OS_RELEASES["rhel9"], {"rpm": "package x is not installed"})
    settings = setup.Settings({"settings": {"docker": {"engine": {"source": "distribution"}}}})
    with pytest.raises(setup.Problem, match="no engine of its own"):
        setup.refuse_engine(recorder.machine, settings, setup.Facts(recorder.machine))


@pytest.mark.parametrize(
    ("version", "chosen"),
    [("28", "5:28.10.0-1~x"), ("27.5.1", "5:27.5.1-1~x"), ("5:28.9.1-1~x", "5:28.9.1-1~x")],
)
def test_version_or_newest_of_a_series(setup: t.Any, tmp_path: Path, version: str, chosen: str) -> None:
    packager = Recorder(setup, tmp_path / "root", OS_RELEASES["debian12"]).installation(version=version)
    assert packager.pinned(["docker-ce", "containerd.io"]) == ["docker-ce=" + chosen, "containerd.io"]


def test_version_that_is_not_offered(setup: t.Any, tmp_path: Path) -> None:
    packager = Recorder(setup, tmp_path / "root", OS_RELEASES["debian12"]).installation(version="26")
    with pytest.raises(setup.Problem, match=r"no version 26 of docker-ce is offered; offered: 27\.5\.1"):
        packager.pinned(["docker-ce"])


def test_sources_name_key_and_channel(setup: t.Any, tmp_path: Path) -> None:
    key = armour(public_key(b"mirror"))
    for system, source, text in (
        (
            "debian12",
            "etc/apt/sources.list.d/docker-host.list",
            "signed-by=/etc/apt/keyrings/docker-host.asc] http://m/linux/",
        ),
        (
            "rocky9",
            "etc/yum.repos.d/docker-host.repo",
            "gpgcheck=1\ngpgkey=file:///etc/pki/rpm-gpg/RPM-GPG-KEY-docker-host",
        ),
        ("sles15", "etc/zypp/repos.d/docker-host.repo", "[docker-host-test]"),
    ):
        repository = Recorder(setup, tmp_path / system, OS_RELEASES[system]).repository(
            mirror="http://m", key=key, channel="test"
        )
        repository.add(repository.facts.packages)
        assert text in (tmp_path / system / source).read_text(encoding="utf-8")


def test_a_distribution_that_docker_does_not_serve(setup: t.Any, tmp_path: Path) -> None:
    repository = Recorder(setup, tmp_path / "root", OS_RELEASES["debian12"]).repository(
        mirror=f"file://{tmp_path}/none"
    )
    with pytest.raises(setup.Problem, match="cannot be reached"):
        repository.probe()


def test_minimal_images_get_public_authorities_first(setup: t.Any, tmp_path: Path) -> None:
    recorder = Recorder(setup, tmp_path / "root", OS_RELEASES["debian12"])
    repository = recorder.repository(mirror="https://127.0.0.1:1", key=armour(public_key(b"mirror")))
    repository.probe()
    repository.add(repository.facts.packages)
    assert [command for command in recorder.commands if command.endswith(" ca-certificates")]


UNIT = (
    "[Service]\nExecStart=/usr/sbin/dockerd -H fd:// \\\n  --containerd=/run/containerd/containerd.sock $DOCKER_OPTS\n"
)


def test_exec_start_of_unit_and_drop_ins(setup: t.Any, tmp_path: Path) -> None:
    units = tmp_path / "usr/lib/systemd/system"
    units.mkdir(parents=True)
    (units / "docker.service").write_text(UNIT, encoding="utf-8")
    machine = setup.Machine(str(tmp_path))
    assert setup.exec_start(machine) == [
        "/usr/sbin/dockerd", "-H", "fd://", "--containerd=/run/containerd/containerd.sock", "$DOCKER_OPTS",
    ]  # fmt: skip
    theirs = tmp_path / "etc/systemd/system/docker.service.d"
    theirs.mkdir(parents=True)
    (theirs / "10-a.conf").write_text("[Service]\nExecStart=\nExecStart=/opt/dockerd --debug\n", encoding="utf-8")
    (theirs / "zz-docker-host.conf").write_text("[Service]\nExecStart=/ours\n", encoding="utf-8")
    assert setup.exec_start(machine) == ["/opt/dockerd", "--debug"]


@pytest.mark.parametrize(
    ("packaged", "hosts"),
    [
        ("/usr/bin/dockerd -H fd:// --containerd=/x", ["-H", "fd://"]),
        ("/usr/bin/dockerd --host=unix:///run/d.sock -H=tcp://0.0.0.0:2375 --tls", ["-H", "unix:///run/d.sock"]),
        ("/usr/bin/dockerd --tlscacert /a --tlsverify=false", ["-H", "unix:///var/run/docker.sock"]),
    ],
)
def test_hosts_of_the_packaged_command_are_replaced(setup: t.Any, packaged: str, hosts: list[str]) -> None:
    facts = type("Facts", (), {"command": packaged.split()})
    settings = type("Settings", (), {"port": 4243, "options": []})
    words = setup.command_line(settings, facts)
    at = words.index("tcp://0.0.0.0:4243")
    assert words[at - 3 : at - 1] == hosts
    assert words[at + 1 :] == [
        "--tlsverify",
        "--tlscacert=/etc/docker/ca.pem",
        "--tlscert=/etc/docker/cert.pem",
        "--tlskey=/etc/docker/key.pem",
    ]
    assert not [word for word in words if "2375" in word or word in ("/a", "--tls", "--tlsverify=false")]


@pytest.mark.parametrize(
    ("word", "written"),
    [
        ("--a=b", "--a=b"),
        ("--label=a b", '"--label=a b"'),
        ("50%", "50%%"),
        ("$HOME", "$$HOME"),
        ('a"b', '"a\\"b"'),
        ("a\\b", "a\\\\b"),
        ("", '""'),
    ],
)
def test_words_for_systemd(setup: t.Any, word: str, written: str) -> None:
    assert setup.unit_word(word) == written


def test_live_restore_follows_swarm_and_wish(setup: t.Any) -> None:
    def wanted(swarm: bool, **docker: t.Any) -> t.Any:
        facts = type("Facts", (), {"swarm": swarm})
        return setup.wanted_daemon(setup.Settings({"settings": {"docker": docker}}), facts).get("live-restore")

    assert wanted(False) is True
    assert wanted(True) is None
    assert wanted(False, **{"live-restore": False}) is False
    assert wanted(True, daemon={"live-restore": False}) is False


def test_result_line_fits_what_the_agent_hands_on(setup: t.Any) -> None:
    result = {
        "docker_setup": 1,
        "ok": False,
        "error": "e" * 2000,
        "detail": "d" * 9000,
        "changes": ["c" * 200] * 300,
        "digest": "x" * 100,
        "log": "/l",
    }
    line = setup.result_line(result)
    assert len(line) <= setup.LINE_LIMIT
    assert json.loads(line)["ok"] is False
    assert json.loads(setup.result_line({**result, "changes": ["a"], "error": "short"}))["detail"].endswith("d")
    huge = setup.result_line({**result, "error": "e" * 9000})
    assert len(huge) <= setup.LINE_LIMIT
    assert json.loads(huge)["digest"] == "x" * 100


def test_downloads_retry_what_may_pass(setup: t.Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repository = Recorder(setup, tmp_path / "root", OS_RELEASES["debian12"]).repository()
    waits: list[float] = []
    monkeypatch.setattr(setup.time, "sleep", waits.append)
    with pytest.raises(OSError):
        repository.fetch("http://127.0.0.1:1/x")
    assert len(waits) == 3


@pytest.mark.parametrize(
    ("containers", "up"),
    [
        ([], False),
        ([("running", "Up 2 minutes")], True),
        ([("running", "Up 2 minutes"), ("exited", "Exited (0) 1 second ago")], True),
        ([("running", "Up 2 minutes"), ("exited", "Exited (1) 1 second ago")], False),
        ([("running", "Up 2 minutes"), ("restarting", "Restarting (1) 1 second ago")], False),
    ],
)
def test_a_project_is_up_when_each_of_its_containers_is(
    setup: t.Any, monkeypatch: pytest.MonkeyPatch, containers: list[tuple[str, str]], up: bool
) -> None:
    monkeypatch.setattr(setup, "ask_engine", lambda _path: [{"State": s, "Status": text} for s, text in containers])
    assert setup.is_up("web") is up


def test_projects_that_are_no_longer_wanted_are_not_verified(
    setup: t.Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = Recorder(setup, tmp_path / "root", OS_RELEASES["debian12"])
    monkeypatch.setattr(setup, "service_active", lambda _machine: True)
    monkeypatch.setattr(setup, "ask_engine", lambda path: "OK" if path == "/_ping" else [])
    state = {"projects": ["new", "old"], "files": {"/etc/docker/compose/new/compose.yaml": ""}}
    assert setup.verify_engine(recorder.machine, state) == ["the compose project new is not up"]


def test_a_secret_is_masked_also_where_the_output_is_cut(setup: t.Any, tmp_path: Path) -> None:
    machine = setup.Machine(str(tmp_path))
    machine.alive = True
    machine.secrets = ["hunter2-" * 20]
    with pytest.raises(setup.Problem) as caught:
        machine.run(["python3", "-c", f"print('{machine.secrets[0]}' + 'x' * 1150); raise SystemExit(1)"])
    assert "hunter2" not in caught.value.detail


@pytest.mark.parametrize(
    "output",
    [
        '{"error": "no image t0p\\"s3cr\\u00e9t"}',
        'invalid reference format: "t0p\\"s3cr\u00e9t"',
        "yaml: line 3: s3cr\u00e9t-of-the-second-line",
        "Curl error (22) for https://admin:s3cr\u00e9t@repo.example.com/repomd.xml",
        "E: Failed to fetch http://bob:s3cr\u00e9t@at@repo.example.com/Release",
    ],
)
def test_a_secret_is_masked_in_every_spelling_and_where_it_is_somebody_elses(
    setup: t.Any, tmp_path: Path, output: str
) -> None:
    secrets = {"A": 't0p"s3cr\u00e9t', "B": "first line\ns3cr\u00e9t-of-the-second-line\n"}
    projects = {"compose": {"services": {}}}
    settings = setup.Settings({"settings": projects, "protectedSettings": {"environment": secrets}})
    machine = setup.Machine(str(tmp_path))
    setup.use_secrets(machine, settings)
    assert "s3cr" not in machine.redact(output)
    assert "********" in machine.redact(output)


def test_the_secrets_of_the_last_run_are_masked_in_a_run_that_leaves_them_out(setup: t.Any, tmp_path: Path) -> None:
    recorder = Recorder(setup, tmp_path / "root", OS_RELEASES["debian12"])
    recorder.put(setup.STATE, json.dumps({"projects": ["web"]}))
    document = {
        "settings": {"docker": {"port": "4243"}, "compose-projects": {"web": {"file": "services: {}"}}},
        "protectedSettings": {"compose-secrets": {"web": {"TOKEN": "t0p-secret"}}},
    }
    recorder.put(setup.SETTINGS, json.dumps(document))
    setup.use_secrets(recorder.machine, setup.Settings({"state": "absent"}))
    assert recorder.machine.redact("web: no image t0p-secret") == "web: no image ********"


def test_the_old_port_is_closed_after_the_engine_listens_on_the_new_one(setup: t.Any, tmp_path: Path) -> None:
    names = [name for name, _stage in setup.STAGES]
    assert names.index("firewall") > names.index("configure")
    recorder = Recorder(setup, tmp_path / "root", OS_RELEASES["debian12"], {"ufw status": "Status: active\n4243/tcp x"})
    recorder.machine.has = lambda program: program == "ufw"
    facts = setup.Facts(recorder.machine)
    facts.state = {"port": 4243, "ports": [4244]}
    settings = setup.Settings({})
    settings.port = 4245
    setup.firewall(recorder.machine, settings, facts)
    assert [command for command in recorder.commands if "status" not in command and command.startswith("ufw")] == [
        "ufw allow 4245/tcp",
        "ufw delete allow 4243/tcp",
    ]


def test_a_configuration_that_is_brought_back_brings_its_record_back(
    setup: t.Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pems: t.Any
) -> None:
    recorder = Recorder(setup, tmp_path / "root", OS_RELEASES["debian12"])
    certs = {name: base64.b64encode(pem).decode() for name, pem in pems._asdict().items()}
    settings = setup.Settings({"settings": {"docker": {"port": "4243"}}, "protectedSettings": {"certs": certs}})
    seen = []

    def refuse(machine: t.Any, _settings: t.Any) -> None:
        seen.append(json.loads(machine.text(setup.STATE)))
        raise setup.Problem("no")

    monkeypatch.setattr(setup, "validate", refuse)
    with pytest.raises(setup.Problem) as caught:
        setup.configure(recorder.machine, settings, setup.Facts(recorder.machine))
    assert "the last configuration is back" in caught.value.text
    # While it was under way, the record named what was written; now nothing of it is there.
    assert seen[0]["unfinished"]
    assert setup.KEY in seen[0]["files"]
    assert recorder.machine.read(setup.STATE) is None
    assert recorder.machine.read(setup.KEY) is None
