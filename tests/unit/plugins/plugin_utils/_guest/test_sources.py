# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Repositories that are in force or only named, and the proxies of the program's own downloads."""

from __future__ import annotations

import functools
import http.server
import threading
import typing as t
from pathlib import Path

import pytest

from .conftest import OS_RELEASES, Clock, Recorder, armour, fingerprint, public_key

KEY = armour(public_key(b"mirror"))
DEB822 = "Types: deb\nURIs: http://m/linux/debian\nSuites: {}\nComponents: stable\n"
LINE = "deb [arch=amd64 signed-by=/k] http://m/linux/debian {} stable\n"
SECTION = "[x]\nname=x\nbaseurl=http://m/linux/rhel/$releasever/$basearch/stable\n"

IN_FORCE = [
    ("debian12", "/etc/apt/sources.list", LINE.format("bookworm")),
    ("debian12", "/etc/apt/sources.list.d/docker.list", LINE.format("bookworm")),
    ("debian12", "/etc/apt/sources.list.d/docker.list", "deb http://m/linux/debian/ bookworm test stable # Docker\n"),
    ("debian12", "/etc/apt/sources.list.d/docker.sources", DEB822.format("bookworm")),
    (
        "debian12",
        "/etc/apt/sources.list.d/x.sources",
        "# x\n" + DEB822.format("bullseye\n bookworm") + "Enabled: yes\n",
    ),
    ("debian12", "/etc/apt/sources.list.d/docker.sources", DEB822.format("bookworm") + "Architectures: i386 amd64\n"),
    ("debian12", "/etc/apt/sources.list.d/x.list", LINE.replace("http://m", "HTTP://M:80/").format("bookworm")),
    ("debian12", "/etc/apt/sources.list.d/x.sources", DEB822.replace("//m/", "//M.//").format("bookworm")),
    ("debian12", "/etc/apt/sources.list.d/x.list", LINE.replace("//m", "//me:pw@M").format("bookworm")),
    ("rhel9", "/etc/yum.repos.d/docker-ce.repo", SECTION),
    ("rhel9", "/etc/yum.repos.d/x.repo", SECTION.replace("http://m/", "http://M:80//")),
    ("rhel9", "/etc/yum.repos.d/any.repo", SECTION + "enabled = 1\n"),
    ("rhel9", "/etc/yum.repos.d/any.repo", SECTION.replace("baseurl", "mirrorlist")),
]
NOT_IN_FORCE = [
    ("debian12", "/etc/apt/sources.list.d/docker.list", "# " + LINE.format("bookworm")),
    ("debian12", "/etc/apt/sources.list.d/docker.list", "# disabled on upgrade\n#" + LINE.format("bookworm")),
    ("debian12", "/etc/apt/sources.list.d/docker.list.save", LINE.format("bookworm")),
    ("debian12", "/etc/apt/sources.list.d/docker.list", LINE.format("bullseye")),
    ("debian12", "/etc/apt/sources.list.d/docker.list", LINE.replace("deb ", "deb-src ").format("bookworm")),
    ("debian12", "/etc/apt/sources.list.d/docker.sources", DEB822.format("bookworm") + "Enabled: no\n"),
    ("debian12", "/etc/apt/sources.list.d/docker.sources", DEB822.format("bookworm") + "Enabled: Off\n"),
    ("debian12", "/etc/apt/sources.list.d/docker.sources", DEB822.format("bookworm") + "Enabled: disable\n"),
    ("debian12", "/etc/apt/sources.list.d/docker.sources", DEB822.format("bullseye")),
    ("debian12", "/etc/apt/sources.list.d/docker.list", LINE.replace("amd64", "arm64").format("bookworm")),
    ("rhel9", "/etc/yum.repos.d/docker-ce.repo", SECTION + "enabled=0\n"),
    ("rhel9", "/etc/yum.repos.d/docker-ce.repo", "# was: http://m/linux/rhel/9/x86_64/stable\n"),
    ("rhel9", "/etc/yum.repos.d/docker-ce.repo", SECTION.replace("stable", "test")),
    ("rhel9", "/etc/yum.repos.d/docker-ce.repo.rpmsave", SECTION),
    ("rhel9", "/etc/yum.repos.d/broken.repo", "http://m/linux/rhel/9/x86_64/stable\n"),
]


def add(setup: t.Any, root: Path, system: str, path: str, text: str) -> tuple[bool, Path]:
    """Add the repository beside a file of the administrator's: whether a file was written, and theirs."""
    recorder = Recorder(setup, root, OS_RELEASES[system])
    theirs = recorder.put(path, text)
    repository = recorder.repository(mirror="http://m", key=KEY)
    repository.add(repository.facts.packages)
    return recorder.machine.read(repository.source()[1]) is not None, theirs


@pytest.mark.parametrize(("system", "path", "text"), IN_FORCE)
def test_a_repository_in_force_is_left_to_the_administrator(
    setup: t.Any, tmp_path: Path, system: str, path: str, text: str
) -> None:
    written, theirs = add(setup, tmp_path / "root", system, path, text)
    assert not written
    assert theirs.read_text(encoding="utf-8") == text


@pytest.mark.parametrize(("system", "path", "text"), NOT_IN_FORCE)
def test_a_repository_that_is_only_named_gets_a_file_beside_the_administrators(
    setup: t.Any, tmp_path: Path, system: str, path: str, text: str
) -> None:
    written, theirs = add(setup, tmp_path / "root", system, path, text)
    assert written
    assert theirs.read_text(encoding="utf-8") == text


@pytest.mark.parametrize(
    ("address", "same"),
    [
        ("https://Download.Docker.com/", "https://download.docker.com"),
        ("HTTPS://download.docker.com:443/linux//debian/", "https://download.docker.com/linux/debian"),
        ("http://download.docker.com:443", "http://download.docker.com:443"),
        ("http://[2001:DB8::1]:80/Docker", "http://[2001:db8::1]/Docker"),
        ("file:///srv/Mirror/", "file:///srv/Mirror"),
        ("https://[broken/", "https://[broken/"),
    ],
)
def test_one_spelling_of_an_address(setup: t.Any, address: str, same: str) -> None:
    assert setup.same_address(address) == same


def test_dockers_own_address_is_known_in_every_spelling(setup: t.Any, tmp_path: Path) -> None:
    recorder = Recorder(setup, tmp_path / "root", OS_RELEASES["sles15"], programs=("zypper", "rpm"))
    assert not recorder.installation(mirror="https://Download.Docker.com:443/").from_docker
    assert recorder.installation(mirror="https://mirror.example.com").from_docker


class Locked(http.server.BaseHTTPRequestHandler):
    """A mirror that wants a password, or has nothing below ``/linux/none``."""

    def do_GET(self) -> None:
        """Refuse anything."""
        self.send_error(404 if "/none/" in self.path else 401)

    def log_message(self, *_words: t.Any) -> None:
        """Say nothing."""


@pytest.fixture
def locked() -> t.Iterator[str]:
    """The URL of such a mirror."""
    yield from serve(Locked)


def in_force(recorder: Recorder, system: str, mirror: str) -> None:
    """Let the administrator configure a mirror."""
    path, text = {name: (path, text) for name, path, text in reversed(IN_FORCE)}[system]
    recorder.put(path, text.replace("http://m", mirror))


@pytest.mark.parametrize("section", ["docker-ce-stable", "docker-*"])
@pytest.mark.parametrize(("enabled", "in_force"), [("0", False), ("1", True)])
def test_what_dnf_5_overrides_counts(setup: t.Any, tmp_path: Path, section: str, enabled: str, in_force: bool) -> None:
    recorder = Recorder(setup, tmp_path / "root", OS_RELEASES["fedora40"])
    own = "0" if in_force else "1"
    recorder.put(
        "/etc/yum.repos.d/docker-ce.repo", f"[docker-ce-stable]\nname=x\nbaseurl=http://m/stable\nenabled={own}\n"
    )
    recorder.put("/etc/dnf/repos.override.d/99-config_manager.repo", f"[{section}]\nenabled={enabled}\n")
    assert bool(list(setup.rpm_entries(recorder.machine, "/etc/yum.repos.d"))) == in_force


@pytest.mark.parametrize("system", ["debian12", "rhel9"])
def test_a_repository_in_force_is_asked_by_the_package_manager_alone(
    setup: t.Any, tmp_path: Path, clock: Clock, locked: str, system: str
) -> None:
    """The administrator may have configured it with a proxy or a password that only the package manager knows."""
    for number, (mirror, reason) in enumerate((("http://127.0.0.1:1", "cannot be reached"), (locked, "answers 401"))):
        recorder = Recorder(setup, tmp_path / str(number), OS_RELEASES[system])
        with pytest.raises(setup.Problem, match=reason):
            recorder.repository(mirror=mirror).probe()
        in_force(recorder, system, mirror)
        recorder.repository(mirror=mirror).probe()
    recorder = Recorder(setup, tmp_path / "none", OS_RELEASES[system])
    in_force(recorder, system, f"{locked}/none")
    with pytest.raises(setup.Problem, match="does not serve"):
        recorder.repository(mirror=f"{locked}/none").probe()
    assert clock.now > 1000, "what may pass is tried again"


@pytest.mark.parametrize("change", [("deb ", "deb-src "), ("amd64", "arm64")])
def test_a_second_entry_for_a_repository_has_the_first_ones_key(
    setup: t.Any, tmp_path: Path, change: tuple[str, str]
) -> None:
    """Else apt says "Conflicting values set for option Signed-By" and reads no source at all."""
    recorder = Recorder(setup, tmp_path / "root", OS_RELEASES["debian12"])
    recorder.put("/etc/apt/sources.list.d/docker.list", LINE.replace(*change).format("bookworm"))
    repository = recorder.repository(mirror="http://m", key=KEY)
    repository.add(repository.facts.packages)
    assert recorder.machine.text(repository.source()[1]).endswith(
        "deb [arch=amd64 signed-by=/k] http://m/linux/debian bookworm stable\n"
    )


@pytest.mark.parametrize("key", ["", "Signed-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n mDME\n"])
def test_an_entry_whose_key_no_line_can_have_is_refused(setup: t.Any, tmp_path: Path, key: str) -> None:
    recorder = Recorder(setup, tmp_path / "root", OS_RELEASES["debian12"])
    text = DEB822.format("bookworm").replace("deb\n", "deb-src\n", 1) + key
    recorder.put("/etc/apt/sources.list.d/docker.sources", text)
    with pytest.raises(setup.Problem, match=r"docker\.sources .*not for packages of amd64.*or remove that entry"):
        recorder.repository(mirror="http://m", key=KEY).probe()


def test_a_channel_that_the_administrators_entry_lacks_is_refused_before_anything_is_written(
    setup: t.Any, tmp_path: Path
) -> None:
    recorder = Recorder(setup, tmp_path / "root", OS_RELEASES["debian12"])
    recorder.put("/etc/apt/sources.list.d/docker.list", LINE.format("bookworm"))
    with pytest.raises(setup.Problem, match=r"docker\.list has this repository without the channel test"):
        recorder.repository(mirror="http://m", key=KEY, channel="test").probe()


@pytest.mark.parametrize("system", ["debian12", "rhel9", "sles15"])
def test_key_and_source_go_with_the_engine_and_theirs_stay(setup: t.Any, tmp_path: Path, system: str) -> None:
    recorder = Recorder(setup, tmp_path / "root", OS_RELEASES[system])
    repository = recorder.repository(mirror="http://m", key=KEY)
    repository.add(repository.facts.packages)
    key, source, _text = repository.source()
    assert recorder.machine.read(key)
    repository.forget()
    assert recorder.machine.read(key) is None
    assert recorder.machine.read(source) is None
    recorder.put(source, "theirs")
    repository.forget()
    assert recorder.machine.text(source) == "theirs"


@pytest.mark.parametrize(
    ("host", "no_proxy", "direct"),
    [
        ("mirror.internal", "localhost 127.0.0.1 .internal", True),
        ("mirror.internal", "mirror.internal.", True),
        ("mirror.internal", "mirror.internal:443", False),
        ("fd00::1", "[fd00::1]", True),
        ("fd00::1", "[fd00::1]:8080", True),
        ("fd00::1", "[fd00::1]:443", False),
        ("fd00::1", "fd00::/8", True),
        ("10.1.2.3", "10.1.2.3:443", False),
        ("mirror.internal", "mirror.internal", True),
        ("mirror.internal", "localhost, .internal", True),
        ("mirror.internal", "internal", True),
        ("mirror.internal", "*.internal:8080", True),
        ("mirror.internal", "*.other", False),
        ("mirror.internal", "other.internal,mirror", False),
        ("mirrorxinternal", "mirror.internal", False),
        ("10.1.2.3", "10.0.0.0/8", True),
        ("11.1.2.3", "10.0.0.0/8", False),
        ("10.1.2.3", "10.1.2.3:8080", True),
        ("any.example", "*", True),
        ("any.example", "", False),
    ],
)
def test_exceptions_from_the_proxy(setup: t.Any, host: str, no_proxy: str, direct: bool) -> None:
    assert setup.bypasses(host, no_proxy, 8080) is direct


class Proxy(http.server.BaseHTTPRequestHandler):
    """A proxy, or a server: it says which addresses it was asked for."""

    def __init__(self, asked: list[str], *arguments: t.Any) -> None:
        self.asked = asked
        super().__init__(*arguments)

    def do_GET(self) -> None:
        """Answer anything."""
        self.asked.append(self.path)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"through the proxy" if self.path.startswith("http:") else b"direct")

    def log_message(self, *_words: t.Any) -> None:
        """Say nothing."""


def serve(handler: t.Callable[..., http.server.BaseHTTPRequestHandler]) -> t.Iterator[str]:
    """Yield the URL of a server that runs meanwhile."""
    with http.server.HTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def proxy() -> t.Iterator[str]:
    """A proxy's URL."""
    yield from serve(functools.partial(Proxy, []))


APT = 'Acquire "";\nAcquire::http "";\nAcquire::http::Proxy "{}";\nAcquire::http::Proxy::direct.invalid "DIRECT";\n'
DETECTED = 'Acquire::http::Proxy-Auto-Detect "/usr/bin/auto-apt-proxy";\n'
OWN = [
    ("debian12", "", "", {"apt-config": DETECTED, "/usr/bin/auto-apt-proxy http://mirror.invalid/x": "{}\n"}),
    ("debian12", "", "", {"apt-config": APT}),
    ("rhel9", "/etc/dnf/dnf.conf", "[main]\nproxy={}\n", {}),
    ("sles15", "/etc/sysconfig/proxy", 'PROXY_ENABLED="yes"\nHTTP_PROXY="{}"\nNO_PROXY="localhost"\n', {}),
]


@pytest.mark.parametrize(("system", "path", "text", "answers"), OWN)
def test_a_proxy_that_only_the_package_manager_knows_is_used(
    setup: t.Any, tmp_path: Path, proxy: str, system: str, path: str, text: str, answers: dict[str, str]
) -> None:
    answers = {name: answer.format(proxy) for name, answer in answers.items()}
    recorder = Recorder(setup, tmp_path / "root", OS_RELEASES[system], answers, programs=("rpm", "dnf", "apt-config"))
    if path:
        recorder.put(path, text.format(proxy))
    assert recorder.repository(mirror="http://mirror.invalid").fetch("http://mirror.invalid/x") == b"through the proxy"


def test_the_settings_proxy_and_its_exceptions_decide_before_the_machines_own(
    setup: t.Any, tmp_path: Path, proxy: str
) -> None:
    recorder = Recorder(
        setup, tmp_path / "root", OS_RELEASES["debian12"], {"apt-config": APT.format("http://no.invalid")}
    )
    repository = recorder.repository(mirror="http://mirror.invalid")
    repository.settings.proxies = {"http": proxy, "no": "127.0.0.0/8"}
    assert repository.fetch("http://mirror.invalid/x") == b"through the proxy"
    assert repository.fetch(proxy + "/x") == b"direct"


def test_dnfs_proxy_may_lack_its_scheme(setup: t.Any, tmp_path: Path) -> None:
    recorder = Recorder(setup, tmp_path / "root", OS_RELEASES["rhel9"])
    recorder.put("/etc/dnf/dnf.conf", "[main]\nproxy=proxy.internal:3128\nproxy_username=me\nproxy_password=p@ss\n")
    proxies, _bypass = setup.machine_proxies(recorder.machine, "dnf", "https://mirror.invalid/x")
    assert proxies["https"] == "http://me:p%40ss@proxy.internal:3128"


def test_a_password_in_the_machines_proxy_is_a_secret(setup: t.Any, tmp_path: Path) -> None:
    recorder = Recorder(setup, tmp_path / "root", OS_RELEASES["rhel9"])
    recorder.put("/etc/dnf/dnf.conf", "[main]\nproxy=http://p:1\nproxy_username=me\nproxy_password=hunter2\n")
    repository = recorder.repository(mirror="http://mirror.invalid")
    setup.proxy_handler(recorder.machine, repository.settings, "dnf", "http://mirror.invalid/x")
    assert "hunter2" not in recorder.machine.redact("proxy http://me:hunter2@p:1 said no")


MIRROR = armour(public_key(b"mirror"))
OTHER = armour(public_key(b"other"))
INLINE = "Signed-By:\n" + "".join(f" {line or '.'}\n" for line in OTHER.splitlines())
DOCKERS = "http://m/linux/debian"


@pytest.mark.parametrize(
    ("system", "path", "text"),
    [
        ("debian12", "/etc/apt/sources.list.d/docker.list", LINE.format("bookworm")),
        ("debian12", "/etc/apt/sources.list.d/docker.sources", DEB822.format("bookworm") + INLINE),
        (
            "debian12",
            "/etc/apt/sources.list.d/docker.sources",
            DEB822.format("bookworm") + f"Signed-By: {fingerprint(b'other')}\n",
        ),
        ("debian12", "/etc/apt/sources.list.d/docker.list", LINE.replace(" signed-by=/k", "").format("bookworm")),
        ("rhel9", "/etc/yum.repos.d/docker-ce.repo", SECTION + "gpgkey=file:///k\n"),
    ],
)
def test_a_key_that_is_not_that_of_the_administrators_entry_is_refused(
    setup: t.Any, tmp_path: Path, system: str, path: str, text: str
) -> None:
    """Neither may decide silently: the entry is the administrator's, and the key was asked for."""
    recorder = Recorder(setup, tmp_path / "root", OS_RELEASES[system])
    theirs = recorder.put(path, text)
    recorder.put("/k", OTHER)
    recorder.put("/etc/apt/trusted.gpg.d/other.asc", OTHER + OTHER)
    with pytest.raises(setup.Problem, match=f"{theirs.name} has this repository with another key than engine.key"):
        recorder.repository(mirror="http://m", key=MIRROR).configured()
    assert recorder.repository(mirror="http://m", key=OTHER).configured() == path
    assert recorder.repository(mirror="http://m").configured() == path
    assert theirs.read_text(encoding="utf-8") == text


UNREAD = {
    "debian12": (
        "Err:2 {0} bookworm InRelease\n  NO_PUBKEY 1\nW: GPG error: {0} bookworm InRelease: The following signatures "
        "couldn't be verified because the public key is not available: NO_PUBKEY 1\n"
        "E: The repository '{0} bookworm InRelease' is not signed.\n"
    ),
    "sles15": "Error retrieving metadata for '{0}'.\nSkipping repository '{0}' because of the above error.\n",
}
NAMES = {"debian12": (DOCKERS, "http://other/linux/debian"), "sles15": ("Docker CE stable", "Docker CE other")}


@pytest.mark.parametrize("system", UNREAD)
@pytest.mark.parametrize("engine", [{"mirror": "http://m"}, {"mirror": "http://m", "key": MIRROR}])
def test_a_repository_that_was_asked_for_and_cannot_be_read_ends_the_run(
    setup: t.Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, system: str, engine: dict[str, str]
) -> None:
    """The image may have an entry of its own with the same packages, which must not stand in for it."""
    monkeypatch.setattr(setup.Repository, "key", lambda _self: MIRROR.encode())
    for number, name in enumerate(NAMES[system]):
        recorder = Recorder(setup, tmp_path / str(number), OS_RELEASES[system])
        recorder.put("/etc/apt/sources.list.d/docker.list", LINE.replace("//m", "//image").format("bookworm"))
        refresh = {"debian12": "apt-get", "sles15": "zypper --non-interactive refresh"}[system]
        recorder.answers = {refresh: (100, UNREAD[system].format(name))}
        repository = recorder.repository(**engine)
        if number:
            repository.add(repository.facts.packages)
            continue
        with pytest.raises(setup.Problem, match=r"^http://m/linux/\w+ cannot be used: .*" + name):
            repository.add(repository.facts.packages)
        assert "image" in recorder.machine.text("/etc/apt/sources.list.d/docker.list")


def test_apt_takes_the_engine_from_the_mirror_although_another_entry_has_newer_packages(
    setup: t.Any, tmp_path: Path
) -> None:
    recorder = Recorder(setup, tmp_path / "root", OS_RELEASES["debian12"])
    rows = "{0} | 5:29.1 | http://image/linux/debian bookworm/stable amd64 Packages\n"
    rows += "{0} | 5:28.3 | " + DOCKERS + " bookworm/stable amd64 Packages\n"
    rows += "{0} | 5:28.2 | http://M:80//linux/debian bookworm/stable amd64 Packages\n"
    recorder.answers = {f"apt-cache madison {name}": rows.format(name) for name in setup.FROM_DOCKER}
    installation = recorder.installation(source="docker", mirror="http://m", key=MIRROR)
    installation.run()
    for name in setup.DOCKER_PACKAGES:
        assert len(recorder.ran("apt-get", "install", f"{name}=5:28.3")) == 1
    with pytest.raises(setup.Problem, match=r"no version 29 of docker-ce is offered; offered: 28\.2, 28\.3"):
        recorder.installation(source="docker", mirror="http://m", key=MIRROR, version="29").run()
    recorder.answers["apt-cache madison docker-buildx-plugin"] = rows.splitlines()[0].format("docker-buildx-plugin")
    with pytest.raises(setup.Problem, match=DOCKERS + " does not offer docker-buildx-plugin"):
        installation.run()


@pytest.mark.parametrize(("system", "folder"), [("rhel9", "/etc/yum.repos.d"), ("sles15", "/etc/zypp/repos.d")])
def test_rpm_prefers_the_repository_that_was_asked_for(
    setup: t.Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, system: str, folder: str
) -> None:
    monkeypatch.setattr(setup.Repository, "key", lambda _self: MIRROR.encode())
    rows = {
        "rhel9": "docker-ce.x86_64   3:29.1-1.el9  docker-ce-stable\n"
        "docker-ce.x86_64   3:28.3-1.el9\n    docker-host-stable\n",  # a long line is broken
        "sles15": "  | docker-ce | package | 28.3-1 | x86_64 | m\n",
    }
    recorder = Recorder(
        setup,
        tmp_path / "root",
        OS_RELEASES[system],
        {
            "dnf -y list": rows[system],
            "zypper --non-interactive search -s -x --repo docker-host-stable docker-ce": rows[system],
        },
    )
    repository = recorder.repository(source="docker", mirror="http://m", key=MIRROR)
    repository.add(repository.facts.packages)
    assert "priority=1\n" in recorder.machine.text(folder + "/docker-host.repo")
    assert [one.partition(":")[2] or one for one in repository.facts.packages.versions("docker-ce")] in (
        ["28.3-1.el9"],
        ["28.3-1"],
    )
    repository = recorder.repository(source="docker")
    assert "priority" not in repository.source()[2]


def test_dnf_passes_over_the_images_entry_once_the_programs_own_is_there(setup: t.Any, tmp_path: Path) -> None:
    """A machine in a closed network reaches the mirror, and not what its image names."""
    broken = (1, "Error: Failed to download metadata for repo 'docker-ce-stable': Cannot download repomd.xml")
    recorder = Recorder(setup, tmp_path / "root", OS_RELEASES["rhel9"], {"dnf -y install": broken})
    with pytest.raises(setup.Problem, match="docker-ce-stable"):
        recorder.facts().packages.install(["docker-ce"])
    recorder.put("/etc/yum.repos.d/docker-host.repo", "[docker-host-stable]\n")
    recorder.facts().packages.install(["docker-ce"])
    assert recorder.commands[-1] == "dnf -y --disablerepo=docker-ce-stable install docker-ce --setopt=exit_on_lock=1"


def test_a_damaged_list_of_sources_is_told_in_apts_own_sentence(setup: t.Any, tmp_path: Path) -> None:
    said = "E: Malformed entry 1 in list file /etc/apt/sources.list.d/x.list (Component)\nE: No list\n"
    recorder = Recorder(setup, tmp_path / "root", OS_RELEASES["debian12"], {"apt-cache": (100, said)})
    with pytest.raises(setup.Problem, match=r"ended with exit code 100: E: Malformed entry 1 in list file .*x\.list"):
        recorder.installation(source="docker", mirror="http://m", key=MIRROR).run()
