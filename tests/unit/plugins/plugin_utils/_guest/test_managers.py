# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The package managers: the commands that each of them takes, what it answers, and what a killed run left."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from .conftest import OS_RELEASES, Clock, Recorder

INSTALLED = "Package: {}\nStatus: install ok {}\nVersion: {}\n\n"
RPM_CE = "docker-ce 3:28.5.2-1.el9\ndocker-ce-cli 1:28.5.2-1.el9\n"
TDNF_LIST = "moby-engine.x86_64  25.0.3-16.azl3  base\nmoby-engine.x86_64  25.0.3-17.azl3  base\n"
NO_TDNF = {
    # As tdnf 3.5.8 answers: it has fewer commands and options than dnf.
    "tdnf -q list --showduplicates": (140, "No such option: --showduplicates.\nError(908) : Command line error"),
    "tdnf -y versionlock": (144, "No such command: versionlock."),
    "tdnf -y -q versionlock": (144, "No such command: versionlock."),
}


def machine(setup: t.Any, root: Path, system: str, **answers: t.Any) -> Recorder:
    """A machine whose package manager answers so; underscores stand for spaces."""
    return Recorder(
        setup, root, OS_RELEASES[system], {name.replace("_", " "): value for name, value in answers.items()}
    )


@pytest.mark.parametrize(
    ("versions", "wanted", "chosen"),
    [
        (["5:29.2.0~rc.2-1~d", "5:29.2.0-1~d", "5:29.2.0~rc.1-1~d"], "29.2", "5:29.2.0-1~d"),
        (["27.5.1_ce-150000.1", "28.5.1_ce-150000.1"], "28.5.1", "28.5.1_ce-150000.1"),
        (["3:29.0.4-1.el9", "3:28.5.2-1.el9"], "29.0.4-1.el9", "3:29.0.4-1.el9"),
        (["1:29.0.4-1.el9"], "3:29.0.4-1.el9", "1:29.0.4-1.el9"),
        (["5:28.10.0-1~x", "5:28.9.1-1~x"], "28", "5:28.10.0-1~x"),
        (["5:28.10.0-1~x"], "2", None),
        # Candidates, in each form, only where no release is offered, or they are named.
        (["3:29.2.0~rc.1-1.el9", "3:29.1.0-1.el9"], "29", "3:29.1.0-1.el9"),
        (["5:29.2.0-rc.1-1~d", "5:29.2.0-1~d"], "29.2", "5:29.2.0-1~d"),
        (["29.2.0rc1-1", "29.2.0-1", "29.3.0-dev-1"], "29", "29.2.0-1"),
        (["5:19.03.0~3-0~d", "5:19.03.0~2.3.rc3-0~d"], "19.03.0", "5:19.03.0~3-0~d"),
        (["3:29.2.0~rc.2-1.el9", "3:29.2.0~rc.10-1.el9"], "29.2", "3:29.2.0~rc.10-1.el9"),
        (["3:29.2.0~rc.1-1.el9"], "29.2.0", None),
        (["3:29.2.0~rc.1-1.el9", "3:29.2.0-1.el9"], "29.2.0~rc.1", "3:29.2.0~rc.1-1.el9"),
        (["3:29.2.0~rc.1-1.el9"], "29.2.0-rc.1", "3:29.2.0~rc.1-1.el9"),
        # More of a version than the engine's own, and less than the whole.
        (["3:29.0.4-1.el9", "3:29.0.4-15.el9"], "29.0.4-1", "3:29.0.4-1.el9"),
        (["29.1.0+azure-1"], "29.1.0+azure", "29.1.0+azure-1"),
        (["28.5.1_ce-150000.1"], "28.5.1_ce", "28.5.1_ce-150000.1"),
    ],
)
def test_versions(setup: t.Any, versions: list[str], wanted: str, chosen: str | None) -> None:
    assert setup.newest(versions, wanted) == chosen


@pytest.mark.parametrize(
    ("system", "name", "wanted", "answers", "word"),
    [
        (
            "rocky9",
            "docker-ce",
            "28",
            {"dnf -y list": "docker-ce.x86_64  3:28.1.1-1.el9  d\ndocker-ce.x86_64 3:27.0.1-1.el9 d\n"},
            "docker-ce-28.1.1-1.el9",
        ),
        (
            "sles15",
            "docker",
            "28.5.1",
            {"zypper": "S | Name | Type | Version | Arch | Repo\n | docker | package | 28.5.1_ce-1 | x86_64 | main\n"},
            "docker=28.5.1_ce-1",
        ),
        (
            "sles15",
            "docker-ce",
            "28",
            {"zypper": "S | Name | Type | Version | Arch | R\n | docker-ce | package | 3:28.5.2-1 | x86_64 | m\n"},
            "docker-ce=3:28.5.2-1",
        ),
        ("azurelinux3", "moby-engine", "25.0.3", {**NO_TDNF, "tdnf -q list": TDNF_LIST}, "moby-engine=25.0.3-17.azl3"),
    ],
)
def test_the_word_for_a_version(
    setup: t.Any, tmp_path: Path, system: str, name: str, wanted: str, answers: dict[str, t.Any], word: str
) -> None:
    recorder = Recorder(setup, tmp_path / "root", OS_RELEASES[system], answers)
    assert recorder.installation(source="distribution", version=wanted).pinned([name]) == [word]


@pytest.mark.parametrize(
    ("system", "nothing", "broken"),
    [
        (
            "rocky9",
            (1, "Error: No matching Packages to list"),
            (1, "Error: Failed to download metadata for repo 'docker-x'"),
        ),
        ("azurelinux3", (243, "Error(1011) : No matching packages"), (21, "Error(1301) : Solv general runtime error")),
        ("sles15", (104, "No matching items found."), (8, "Some error")),
    ],
)
def test_no_version_is_told_from_a_list_that_failed(
    setup: t.Any, tmp_path: Path, clock: Clock, system: str, nothing: tuple[int, str], broken: tuple[int, str]
) -> None:
    for number, (answer, text) in enumerate([(nothing, "offered: none"), (broken, "ended with exit code")]):
        answers = {"dnf -y list": answer, "tdnf -q list": answer, "zypper --non-interactive search": answer}
        recorder = Recorder(setup, tmp_path / str(number), OS_RELEASES[system], answers)
        with pytest.raises(setup.Problem, match=text):
            recorder.installation(source="distribution", version="29").pinned(["docker"])


def test_what_was_published_meanwhile_counts_when_a_version_is_asked_for(setup: t.Any, tmp_path: Path) -> None:
    recorder = machine(setup, tmp_path / "root", "rocky9")
    recorder.facts().packages.refresh(True)
    assert recorder.ran("dnf", "makecache", "--refresh")


@pytest.mark.parametrize(
    "unreadable",
    [
        "Error: Failed to download metadata for repo '{}': Cannot download repomd.xml",
        'Failed to download metadata (baseurl: "https://x/9") for repository "{}"',  # dnf5
    ],
)
def test_a_foreign_repository_that_fails_is_passed_over(setup: t.Any, tmp_path: Path, unreadable: str) -> None:
    broken = (1, unreadable.format("rhui-base"))
    recorder = machine(setup, tmp_path / "root", "rhel9", **{"dnf_-y_install": broken})
    recorder.facts().packages.install(["docker-ce"])
    assert recorder.commands[-1] == "dnf -y --disablerepo=rhui-base install docker-ce --setopt=exit_on_lock=1"
    assert "rhui-base" in recorder.machine.notes[0]
    ours = (1, unreadable.format("docker-host-stable"))
    recorder = machine(setup, tmp_path / "ours", "rhel9", **{"dnf_-y_install": ours})
    with pytest.raises(setup.Problem, match="docker-host-stable"):
        recorder.facts().packages.install(["docker-ce"])


def test_an_apt_source_that_fails_stops_nothing_that_others_have(setup: t.Any, tmp_path: Path) -> None:
    update = (100, "E: The repository 'http://gone bookworm Release' does not have a Release file.")
    recorder = Recorder(setup, tmp_path / "root", OS_RELEASES["debian12"])
    manager = recorder.facts().packages
    manager.apt_get("update")
    start = next(command for command in recorder.commands if command.startswith("apt-get")).rpartition("update")[0]
    recorder.answers[start + "update"] = update
    manager.refresh()
    manager.install(["docker.io"])
    assert "http://gone" in recorder.machine.notes[0]
    recorder.answers[start + "install"] = (100, "E: Package 'docker.io' has no installation candidate")
    with pytest.raises(setup.Problem, match=r"no installation candidate.*before, .*http://gone"):
        manager.install(["docker.io"])


@pytest.mark.parametrize(("name", "offered"), [("docker-ce", True), ("no-such", False)])
def test_a_pin_that_forbids_a_package_is_named(setup: t.Any, tmp_path: Path, name: str, offered: bool) -> None:
    said = f"Package {name} is not available\n\nE: Package '{name}' has no installation candidate\n"
    recorder = Recorder(setup, tmp_path / "root", OS_RELEASES["debian12"], {"apt-get": (100, said)})
    with pytest.raises(setup.Problem, match="has no installation candidate") as caught:
        recorder.facts().packages.install([name])
    assert ("a pin in /etc/apt/preferences" in caught.value.text) == offered


@pytest.mark.parametrize("code", [102, 103, 106, 107])
def test_zypper_that_has_done_its_work_with_a_note(setup: t.Any, tmp_path: Path, code: int) -> None:
    recorder = machine(setup, tmp_path / "root", "sles15", **{"zypper_--non-interactive": (code, "note")})
    manager = recorder.facts().packages
    manager.refresh()
    manager.install(["docker"])
    manager.remove(["docker"])


@pytest.mark.parametrize("words", ["refresh", "versions", "held", "hold", "release", "install", "remove"])
def test_zyppers_lock_is_waited_for_whatever_it_is_to_do(
    setup: t.Any, tmp_path: Path, clock: Clock, words: str
) -> None:
    """zypper gives up at once: it would wait without a word, and nobody would learn who holds the lock."""
    locked = (7, "System management is locked by the application with pid 4711 (zypper).")
    recorder = machine(setup, tmp_path / "root", "sles15", **{"zypper_--non-interactive": locked})
    arguments: dict[str, list[t.Any]] = {"refresh": [], "versions": ["docker"]}
    with pytest.raises(setup.Problem, match="the lock was not released for"):
        getattr(recorder.facts().packages, words)(*arguments.get(words, [["docker"]]))
    assert "ZYPP_LOCK_TIMEOUT" not in recorder.machine.environment


def test_what_the_engine_requires_gets_its_version(setup: t.Any, tmp_path: Path) -> None:
    """Docker's rpm requires docker-ce-rootless-extras of any version; apt only recommends it."""
    offered = "".join(f"{name}.x86_64  {version}-1.el9  d\n" for name, version in [
        ("docker-ce", "3:28.1.1"), ("docker-ce", "3:29.0.4"),
        ("docker-ce-rootless-extras", "28.1.1"), ("docker-ce-rootless-extras", "29.0.4"),
    ])  # fmt: skip
    recorder = machine(setup, tmp_path / "root", "rocky9", **{"dnf_-y_list": offered})
    installation = recorder.installation(source="docker", version="28")
    assert "docker-ce-rootless-extras-28.1.1-1.el9" in installation.pinned(installation.required())
    older = recorder.installation(source="docker", version="27")
    assert older.required() == []
    debian = machine(setup, tmp_path / "debian", "debian12")
    assert debian.installation(source="docker", version="28").required() == []


def test_sles_without_a_repository_says_how_to_get_one(setup: t.Any, tmp_path: Path) -> None:
    recorder = machine(
        setup, tmp_path / "root", "sles15", **{"zypper_--non-interactive_search": (104, "No matching items")}
    )
    settings = setup.Settings({"settings": {"docker": {"engine": {"source": "distribution"}}}})
    with pytest.raises(setup.Problem, match="SUSEConnect"):
        setup.refuse_engine(recorder.machine, settings, recorder.facts())


def finishes_at(recorder: Recorder, monkeypatch: pytest.MonkeyPatch, *words: str) -> None:
    """A command with these words makes dpkg's list say that docker.io is installed; others change nothing."""
    answer = recorder.answer

    def finishing(argv: list[str], command: str) -> tuple[int, str]:
        if set(words) <= set(argv):
            recorder.put("/var/lib/dpkg/status", INSTALLED.format("docker.io", "installed", "20.10.24+dfsg1-1"))
            for path in recorder.machine.glob("/var/lib/dpkg/updates/*"):
                recorder.machine.write(path, None)
        return answer(argv, command)

    monkeypatch.setattr(recorder, "answer", finishing)


@pytest.mark.parametrize("state", ["unpacked", "half-configured", "half-installed", "triggers-pending"])
@pytest.mark.parametrize("known_from", ["status", "updates/0002"])
def test_a_half_installed_engine_is_work_for_the_installation(
    setup: t.Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, state: str, known_from: str
) -> None:
    """A killed dpkg leaves what it did in a journal, which the next dpkg reads."""
    recorder = machine(setup, tmp_path / "root", "debian12")
    recorder.put("/var/lib/dpkg/updates/0001", INSTALLED.format("runc", state, "1"))
    recorder.put(f"/var/lib/dpkg/{known_from}", INSTALLED.format("docker.io", state, "20.10.24+dfsg1-1"))
    recorder.put("/usr/lib/systemd/system/docker.service", "[Service]\nExecStart=/usr/sbin/dockerd -H fd://\n")
    finishes_at(recorder, monkeypatch, "--fix-broken")
    settings = setup.Settings({"settings": {"docker": {"engine": {"source": "distribution", "version": "20.10"}}}})
    facts = recorder.facts()
    setup.refuse_engine(recorder.machine, settings, facts)
    setup.install(recorder.machine, settings, facts)
    assert recorder.machine.changes == ["finish the interrupted installation of docker.io"]
    dpkg, apt = recorder.ran("--configure"), recorder.ran("--fix-broken")
    assert dpkg == ["dpkg --configure -a"]
    assert len(apt) == 1
    assert recorder.commands.index(dpkg[0]) < recorder.commands.index(apt[0])


REINSTREQ = "Package: docker.io\nStatus: install reinstreq {}\nArchitecture: amd64\nVersion: {}\n\n"


@pytest.mark.parametrize("state", ["half-installed", "unpacked"])
@pytest.mark.parametrize(
    ("version", "word"), [("20.10.24+dfsg1-1", "docker.io=20.10.24+dfsg1-1"), ("no-longer-offered", "docker.io")]
)
def test_what_dpkg_was_killed_unpacking_is_unpacked_again(
    setup: t.Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, state: str, version: str, word: str
) -> None:
    """apt-get install ends well and leaves such a package as it is, also with its name (apt 2.6.1, dpkg 1.21.22)."""
    recorder = machine(setup, tmp_path / "root", "debian12")
    recorder.put("/var/lib/dpkg/status", REINSTREQ.format(state, version))
    recorder.put("/usr/lib/systemd/system/docker.service", "[Service]\nExecStart=/usr/sbin/dockerd -H fd://\n")
    finishes_at(recorder, monkeypatch, "--reinstall", word)
    settings = setup.Settings({"settings": {"docker": {"engine": {"source": "distribution"}}}})
    setup.install(recorder.machine, settings, recorder.facts())
    assert recorder.machine.changes == ["finish the interrupted installation of docker.io"]
    recorder.machine.changes.clear()
    setup.install(recorder.machine, settings, recorder.facts())
    assert recorder.machine.changes == []


def test_a_removal_first_unpacks_again_what_dpkg_cannot_remove_otherwise(
    setup: t.Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = machine(setup, tmp_path / "root", "debian12")
    recorder.put("/var/lib/dpkg/status", REINSTREQ.format("half-installed", "20.10.24+dfsg1-1"))
    finishes_at(recorder, monkeypatch, "--reinstall")
    setup.purge(recorder.machine, setup.Settings({"state": "absent"}), recorder.facts())
    reinstalled, purged = recorder.ran("--reinstall", "docker.io=20.10.24+dfsg1-1"), recorder.ran("purge", "docker.io")
    assert recorder.commands.index(reinstalled[0]) < recorder.commands.index(purged[0])


@pytest.mark.parametrize(
    ("system", "answers"),
    [("debian12", {}), ("rocky9", {"rpm_": "docker-ce 3:28.5.2-1.el9\ndocker-ce 3:27.5.1-1.el9\n"})],
)
def test_a_run_does_not_end_well_while_an_installation_is_unfinished(
    setup: t.Any, tmp_path: Path, system: str, answers: dict[str, str]
) -> None:
    recorder = machine(setup, tmp_path / "root", system, **answers)
    recorder.put("/var/lib/dpkg/status", INSTALLED.format("docker-ce", "unpacked", "5:28.9.1-1~x"))
    recorder.put("/usr/lib/systemd/system/docker.service", "[Service]\nExecStart=/usr/bin/dockerd -H fd://\n")
    with pytest.raises(setup.Problem, match="installation of docker-ce is still unfinished"):
        setup.install(recorder.machine, setup.Settings({}), recorder.facts())


def test_what_dpkg_did_last_counts(setup: t.Any, tmp_path: Path) -> None:
    recorder = machine(setup, tmp_path / "root", "debian12")
    recorder.put("/var/lib/dpkg/status", INSTALLED.format("docker.io", "installed", "1"))
    for number, state in enumerate(["half-configured", "unpacked", "half-configured", "installed"]):
        recorder.put(f"/var/lib/dpkg/updates/{number:04}", INSTALLED.format("docker.io", state, "2") + "#padding\n")
    recorder.put("/var/lib/dpkg/updates/tmp.i", INSTALLED.format("docker.io", "half-installed", "3"))
    assert list(recorder.facts().packages.packages()) == [("docker.io", "installed", "2")]


def test_dpkg_configures_nothing_where_nothing_is_half_installed(setup: t.Any, tmp_path: Path) -> None:
    recorder = machine(setup, tmp_path / "root", "debian12")
    status = INSTALLED.format("a", "installed", "1") + INSTALLED.format("b", "config-files", "1")
    recorder.put("/var/lib/dpkg/status", status)
    recorder.installation(source="distribution").run()
    assert not recorder.ran("dpkg", "--configure")
    recorder.put("/var/lib/dpkg/updates/0001", "")
    recorder.installation(source="distribution").run()
    assert recorder.ran("dpkg", "--configure")


def test_an_installation_that_was_killed_between_two_packages_is_finished(setup: t.Any, tmp_path: Path) -> None:
    """zypper installs one package at a time: the engine is there, and compose is not."""
    recorder = machine(setup, tmp_path / "root", "sles15", **{"zypper_--non-interactive_install": (9, "killed")})
    recorder.put("/usr/lib/systemd/system/docker.service", "[Service]\nExecStart=/usr/sbin/dockerd -H fd://\n")
    settings = setup.Settings({"settings": {"docker": {"engine": {"source": "distribution"}}}})
    with pytest.raises(setup.Problem):
        setup.Installation(recorder.machine, settings, recorder.facts()).run(["docker", "docker-compose"])
    recorder.answers = {"rpm -q": "docker 0:28.5.1_ce-1\n"}
    setup.install(recorder.machine, settings, recorder.facts())
    assert recorder.machine.changes == ["finish the interrupted installation of the engine"]
    assert recorder.ran("install", "docker", "docker-compose")
    recorder.machine.changes.clear()
    setup.install(recorder.machine, settings, recorder.facts())
    assert not recorder.machine.changes


def test_an_engine_that_is_installed_twice_after_a_killed_upgrade(setup: t.Any, tmp_path: Path) -> None:
    twice = "docker-ce 3:28.5.2-1.el9\ndocker-ce 3:27.5.1-1.el9\n"
    recorder = machine(setup, tmp_path / "root", "rocky9", rpm_=twice)
    facts = recorder.facts()
    assert (facts.package, facts.version) == ("docker-ce", "3:28.5.2-1.el9")
    recorder.answers = {"rpm -q": [twice, twice, "docker-ce 3:28.5.2-1.el9\n"]}
    setup.install(recorder.machine, setup.Settings({}), facts)
    assert recorder.machine.changes == ["finish the interrupted installation of docker-ce"]
    assert recorder.ran("rpm", "-e") == ["rpm -e --noscripts --nodeps docker-ce-27.5.1-1.el9"]


HELD = {
    "debian12": ("", "docker-ce\ndocker-ce-cli\n", "apt-mark unhold docker-ce docker-ce-cli"),
    "rocky9": (
        "/etc/dnf/plugins/versionlock.list",
        "docker-ce-3:28.5.2-1.el9.*\ndocker-ce-cli-1:28.5.2-1.el9.*\n",
        "dnf -y versionlock delete docker-ce docker-ce-cli --setopt=exit_on_lock=1",
    ),
    "fedora40": (
        "/etc/dnf/versionlock.toml",
        'version = "1.0"\n[[packages]]\nname = "docker-ce"\n[[packages]]\nname = "docker-ce-cli"\n',
        "dnf -y versionlock delete docker-ce docker-ce-cli --setopt=exit_on_lock=1",
    ),
    "sles15": (
        "",
        "# | Name          | Type\n1 | docker-ce     | package\n2 | docker-ce-cli | package\n",
        "zypper --non-interactive removelock docker-ce docker-ce-cli",
    ),
}


def held_machine(setup: t.Any, root: Path, system: str) -> Recorder:
    """A machine with two packages of an engine that are held."""
    path, text, _command = HELD[system]
    recorder = machine(setup, root, system, rpm_=RPM_CE)
    recorder.answers.update({"apt-mark showhold": text, "zypper --non-interactive locks": text})
    if path:
        recorder.put(path, text)
    if system == "debian12":
        names = ("docker-ce", "docker-ce-cli")
        recorder.put(
            "/var/lib/dpkg/status", "".join(INSTALLED.format(name, "installed", "5:28.5.2-1") for name in names)
        )
    return recorder


@pytest.mark.parametrize("system", sorted(HELD))
def test_what_is_held_is_released_before_it_is_removed(setup: t.Any, tmp_path: Path, system: str) -> None:
    recorder = held_machine(setup, tmp_path / "root", system)
    setup.purge(recorder.machine, setup.Settings({}), recorder.facts())
    removal = [command for command in recorder.commands if {"purge", "remove"} & set(command.split())]
    assert recorder.commands.index(HELD[system][2]) < recorder.commands.index(removal[0])


@pytest.mark.parametrize("system", sorted(HELD))
def test_what_is_held_is_released_before_an_upgrade_and_held_again(setup: t.Any, tmp_path: Path, system: str) -> None:
    recorder = held_machine(setup, tmp_path / "root", system)
    recorder.installation(source="distribution").run(["docker-ce"])
    commands = [command for command in recorder.commands if "docker-ce" in command.split() and "-q --qf" not in command]
    assert commands[0] == HELD[system][2]
    assert "install" in commands[1]
    assert {"hold", "addlock", "add"} & set(commands[2].split())


@pytest.mark.parametrize("system", sorted(HELD))
def test_hold_can_be_taken_back(setup: t.Any, tmp_path: Path, system: str) -> None:
    recorder = held_machine(setup, tmp_path / "root", system)
    facts = recorder.facts()
    setup.hold(recorder.machine, setup.Settings({"settings": {"docker": {"engine": {"hold": True}}}}), facts)
    assert not recorder.machine.changes
    setup.hold(recorder.machine, setup.Settings({}), facts)
    assert not recorder.machine.changes, "the administrator holds it, not the program"
    facts.state = {"hold": True}
    setup.hold(recorder.machine, setup.Settings({}), facts)
    assert recorder.machine.changes == ["release docker-ce, docker-ce-cli"]
    assert recorder.commands[-1] == HELD[system][2]


def test_what_is_held_is_released_where_the_engine_stays(setup: t.Any, tmp_path: Path) -> None:
    recorder = Recorder(setup, tmp_path / "root", OS_RELEASES["debian12"], {"apt-mark showhold": "docker-ce\ncurl\n"})
    recorder.put("/var/lib/dpkg/status", "Package: docker-ce\nStatus: hold ok installed\nVersion: 5:28.1.1-1\n")
    recorder.put("/var/lib/docker-host/state.json", '{"hold": true}')
    setup.remove_engine(recorder.machine, setup.Settings({"state": "absent"}), recorder.facts())
    assert recorder.machine.changes == ["release docker-ce"]
    assert recorder.ran("apt-mark", "unhold") == ["apt-mark unhold docker-ce"]


def test_one_name_is_not_held_by_a_longer_one(setup: t.Any, tmp_path: Path) -> None:
    recorder = machine(setup, tmp_path / "root", "rocky9", rpm_=RPM_CE)
    recorder.put("/etc/dnf/plugins/versionlock.list", "docker-ce-cli-1:28.5.2-1.el9.*\n!docker-ce-0:27.0-1.el9.*\n")
    assert recorder.facts().packages.held(["docker-ce", "docker-ce-cli"]) == ["docker-ce-cli"]


@pytest.mark.parametrize(
    "line",
    [
        "docker-ce-3:28.5.2-1.el9.*",
        "3:docker-ce-28.5.2-1.el9.*",
        "docker-ce-*:28.5.2-1.el9.*",
        " docker-ce-28.*",
        "docker-ce*",
        "docker-ce",
    ],
)
def test_every_form_of_a_versionlock_holds(setup: t.Any, tmp_path: Path, line: str) -> None:
    recorder = machine(setup, tmp_path / "root", "rocky9", rpm_=RPM_CE)
    recorder.put("/etc/dnf/plugins/versionlock.list", f"# Added by hand\n{line}\n!containerd.io-1.7\n")
    assert recorder.facts().packages.held(["docker-ce", "containerd.io"]) == ["docker-ce"]


def test_an_excluded_version_holds_nothing(setup: t.Any, tmp_path: Path) -> None:
    entry = '[[packages]]\nname = "{}"\n[[packages.conditions]]\nkey = "evr"\ncomparator = "{}"\nvalue = "3:29.0.0-1"\n'
    recorder = machine(setup, tmp_path / "root", "rocky9", rpm_=RPM_CE)
    text = 'version = "1.0"\n\n' + entry.format("docker-ce", "!=") + "\n" + entry.format("docker-ce-cli", "=")
    recorder.put("/etc/dnf/versionlock.toml", text)
    assert recorder.facts().packages.held(["docker-ce", "docker-ce-cli"]) == ["docker-ce-cli"]


def test_azure_linux_holds_by_a_file(setup: t.Any, tmp_path: Path) -> None:
    recorder = Recorder(
        setup, tmp_path / "root", OS_RELEASES["azurelinux3"], {**NO_TDNF, "rpm": "moby-engine 0:25.0.3-17\n"}
    )
    settings = setup.Settings({"settings": {"docker": {"engine": {"source": "distribution", "hold": True}}}})
    setup.hold(recorder.machine, settings, recorder.facts())
    assert recorder.machine.text("/etc/tdnf/locks.d/docker-host.conf") == "moby-engine\n"
    setup.purge(recorder.machine, settings, recorder.facts())
    assert recorder.machine.read("/etc/tdnf/locks.d/docker-host.conf") is None
    assert not recorder.ran("tdnf", "versionlock")


def test_what_rpm_says_beside_its_answer_is_no_version(setup: t.Any, tmp_path: Path) -> None:
    recorder = machine(
        setup, tmp_path / "root", "rocky9", rpm_="error: macro: x\n" + RPM_CE + "package y is not installed\n"
    )
    facts = recorder.facts()
    assert (facts.package, facts.version) == ("docker-ce", "3:28.5.2-1.el9")


@pytest.mark.parametrize(("offered", "ends"), [(True, "well"), (False, "reboot")])
def test_enterprise_linux_10_gets_the_kernel_modules_that_the_engine_needs(
    setup: t.Any, tmp_path: Path, offered: bool, ends: str
) -> None:
    recorder = machine(setup, tmp_path / "root", "rocky9", uname_="6.12.0-1.el10\n")
    missing: tuple[int, str] = (1, "modprobe: FATAL: Module xt_addrtype not found")
    recorder.answers["modprobe"] = [missing, "" if offered else missing]
    installation = recorder.installation()
    if ends == "well":
        installation.load_kernel_modules()
    else:
        with pytest.raises(setup.Problem, match="reboot, and run again"):
            installation.load_kernel_modules()
    assert recorder.ran("install", "kernel-modules-extra-6.12.0-1.el10")


@pytest.mark.parametrize(
    ("system", "programs", "answers", "reason"),
    [
        (
            "debian12",
            ("apt-get",),
            {
                "apt-get": (100, "E: The repository 'http://x bookworm Release' does not have a Release file.\n"),
                "apt-cache madison": "",
            },
            "E: The repository 'http://x bookworm Release' does not have a Release file.",
        ),
        (
            "sles15",
            ("zypper", "rpm"),
            {
                "zypper --non-interactive refresh": (
                    4,
                    "Signature verification failed for file 'repomd.xml' from repository 'docker'.\n",
                ),
                "zypper --non-interactive search": (104, "No matching items found.\n"),
            },
            "Signature verification failed for file 'repomd.xml' from repository 'docker'.",
        ),
    ],
)
def test_a_version_that_is_missing_with_its_repository_is_told_with_the_reason(
    setup: t.Any, tmp_path: Path, system: str, programs: tuple[str, ...], answers: dict[str, t.Any], reason: str
) -> None:
    recorder = Recorder(setup, tmp_path / "root", OS_RELEASES[system], answers, programs)
    installation = recorder.installation(source="distribution", version="28")
    with pytest.raises(setup.Problem) as caught:
        installation.run()
    told = str(caught.value)
    assert "is offered; offered: none; before, " in told
    assert reason in told
