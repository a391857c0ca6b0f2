# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Everything that writes keys, or what decides whom to trust, writes where nobody else can interfere."""

from __future__ import annotations

import contextlib
import errno
import importlib
import os
import signal
import stat
import typing as t
from pathlib import Path

import pytest

from ansible_collections.dockerhost.azure.plugins.module_utils import _files, _ownership
from ansible_collections.dockerhost.azure.plugins.module_utils._docker.context_store import Context, ContextStore
from ansible_collections.dockerhost.azure.plugins.module_utils._docker.known_hosts import KnownHosts
from ansible_collections.dockerhost.azure.plugins.module_utils._errors import DockerHostError
from ansible_collections.dockerhost.azure.plugins.module_utils._tls import directory as _tls_directory
from ansible_collections.dockerhost.azure.plugins.module_utils._tls.directory import DirectoryStore
from ansible_collections.dockerhost.azure.plugins.module_utils._tls.filesystem import FileSystem
from ansible_collections.dockerhost.azure.plugins.module_utils._tls.store import Changes, StoredFile
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.desired.ssh_keys import ensure_key_pair
from ansible_collections.dockerhost.azure.plugins.plugin_utils._local_action import carry_out

SOMEBODY = 12345
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to make files of somebody else")


def write_key_pair(directory: Path) -> Path:
    ensure_key_pair(str(directory / "key"), check_mode=False)
    return directory / "key"


def write_known_hosts(directory: Path) -> Path:
    known = KnownHosts(str(directory / "known_hosts"), "web1")
    known.lines = [f"web1 ssh-ed25519 AAAA {known.comment}"]
    known.save()
    return directory / "known_hosts"


def write_context(directory: Path) -> Path:
    store = ContextStore(str(directory))
    with store.changing():
        store.write(Context("web1", "tcp://web1:2376", tls={"key.pem": b"key"}))
    return Path(store.tls_directory("web1")) / "key.pem"


def write_configuration(directory: Path) -> Path:
    store = ContextStore(str(directory))
    with store.changing():
        store.select("web1")
    return directory / "config.json"


def write_certificates(directory: Path) -> Path:
    with DirectoryStore(str(directory), FileSystem()).writing() as session:
        session.commit(Changes(puts={"servers/web1/key.pem": StoredFile(b"key", 0o600)}))
    return directory / "servers" / "web1" / "key.pem"


WRITERS: dict[str, t.Callable[[Path], Path]] = {
    function.__name__: function
    for function in (write_key_pair, write_known_hosts, write_context, write_configuration, write_certificates)
}
MODES = {"write_known_hosts": 0o644}
every_writer = pytest.mark.parametrize("name", WRITERS)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    directory = tmp_path / "home"
    directory.mkdir(mode=0o700)
    return directory


@every_writer
@pytest.mark.parametrize("umask", [0o000, 0o077, 0o277, 0o777])
def test_modes_do_not_depend_on_the_umask(home: Path, name: str, umask: int) -> None:
    before = os.umask(umask)
    try:
        written = WRITERS[name](home / "new" / "directory")
    finally:
        os.umask(before)
    assert stat.S_IMODE(written.stat().st_mode) == MODES.get(name, 0o600)
    for directory in (home / "new", home / "new" / "directory"):
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700, directory


@every_writer
@pytest.mark.parametrize("depth", [0, 1])
def test_a_directory_that_everybody_can_write_to_is_refused(home: Path, name: str, depth: int) -> None:
    directory = home / "mine"
    directory.mkdir()
    [directory, home][depth].chmod(0o777)
    with pytest.raises(DockerHostError, match=r"everybody can write there \(mode 0777\)"):
        WRITERS[name](directory)
    assert list(directory.iterdir()) == []


@needs_root
@every_writer
@pytest.mark.parametrize("depth", [0, 1])
def test_a_directory_of_somebody_else_is_refused(home: Path, name: str, depth: int) -> None:
    directory = home / "mine"
    directory.mkdir()
    os.chown([directory, home][depth], SOMEBODY, -1)
    with pytest.raises(DockerHostError, match=f"belongs to user {SOMEBODY}"):
        WRITERS[name](directory)
    assert list(directory.iterdir()) == []


@needs_root
@every_writer
def test_a_link_of_somebody_else_is_not_followed(home: Path, name: str) -> None:
    victim = home / "victim"
    victim.mkdir()
    link = home / "link"
    link.symlink_to(victim)
    os.lchown(link, SOMEBODY, -1)
    with pytest.raises(DockerHostError, match=f"symbolic link of user {SOMEBODY}"):
        WRITERS[name](link)
    assert list(victim.iterdir()) == []


@needs_root
@every_writer
def test_what_somebody_creates_after_the_first_check_is_refused(
    home: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a directory such as /tmp, everybody may create what does not exist yet."""
    directory = home / "directory"
    mkdir = os.mkdir

    def late(path: str, mode: int = 0o777, **given: t.Any) -> None:
        mkdir(path, mode, **given)
        if path == str(directory):
            os.chown(path, SOMEBODY, -1)
            raise FileExistsError(path)

    monkeypatch.setattr(os, "mkdir", late)
    with pytest.raises(DockerHostError, match=f"user {SOMEBODY}"):
        WRITERS[name](directory)
    assert not [path for path in directory.rglob("*") if path.is_file() and path.name != "lock"]


@needs_root
@every_writer
def test_a_directory_that_is_exchanged_between_check_and_use_is_not_written_to(
    home: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory, victim, aside = home / "mine", home / "victim", home / "aside"
    directory.mkdir()
    victim.mkdir(mode=0o700)
    checked = _ownership.check_directory

    def exchange(path: str) -> None:
        checked(path)
        if path == str(directory) and not aside.exists():
            directory.rename(aside)
            directory.symlink_to(victim)
            os.lchown(directory, SOMEBODY, -1)

    monkeypatch.setattr(_ownership, "check_directory", exchange)
    monkeypatch.setattr(_tls_directory, "check_directory", exchange)
    with pytest.raises(DockerHostError):
        WRITERS[name](directory)
    assert aside.exists()
    assert not [path for path in victim.rglob("*") if path.is_file() and path.name != "lock"]


def test_a_directory_that_is_exchanged_while_it_is_open_gets_nothing(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory, victim, aside = home / "mine", home / "victim", home / "aside"
    directory.mkdir()
    victim.mkdir()
    opened = _files.opened_directory

    @contextlib.contextmanager
    def exchanged(path: str) -> t.Iterator[int]:
        with opened(path) as descriptor:
            directory.rename(aside)
            directory.symlink_to(victim)
            yield descriptor
            directory.unlink()
            aside.rename(directory)

    monkeypatch.setattr(_files, "opened_directory", exchanged)
    _files.create_file(str(directory / "new"), b"1", 0o600)
    _files.update_user_file(str(directory / "user"), b"2", 0o600)
    assert sorted(path.name for path in directory.iterdir()) == ["new", "user"]
    assert list(victim.iterdir()) == []


def test_the_name_of_a_new_file_is_on_the_disk_like_its_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[tuple[int, bool]] = []
    sync = os.fsync

    def noted(descriptor: int) -> None:
        sync(descriptor)
        synced.append((os.fstat(descriptor).st_ino, (tmp_path / "key").exists()))

    monkeypatch.setattr(os, "fsync", noted)
    assert _files.create_file(str(tmp_path / "key"), b"1", 0o600)
    assert synced == [((tmp_path / "key").stat().st_ino, False), (tmp_path.stat().st_ino, True)]


@pytest.mark.parametrize(
    ("name", "file"),
    [("write_key_pair", "key"), ("write_known_hosts", "known_hosts"), ("write_certificates", "ca.pem")],
)
@pytest.mark.parametrize("kind", ["fifo", "device", "directory", "dangling link"])
def test_what_is_not_a_regular_file_is_refused_and_not_waited_for(home: Path, name: str, file: str, kind: str) -> None:
    planted = home / file
    {
        "fifo": lambda: os.mkfifo(planted),
        "device": lambda: planted.symlink_to("/dev/zero"),
        "directory": planted.mkdir,
        "dangling link": lambda: planted.symlink_to(home / "nothing"),
    }[kind]()
    if name == "write_certificates":
        with pytest.raises(DockerHostError), DirectoryStore(str(home), FileSystem()).reading() as session:
            session.read_all()
        return
    if (name, kind) == ("write_known_hosts", "dangling link"):
        WRITERS[name](home)  # A user's file may be a link.
        assert planted.is_symlink()
        return
    with pytest.raises(DockerHostError, match=r"regular file|link to a path that does not exist|Is a directory"):
        WRITERS[name](home)


@needs_root
@pytest.mark.parametrize("name", ["write_context", "write_configuration", "write_known_hosts"])
def test_what_was_somebody_elses_does_not_become_theirs(home: Path, name: str) -> None:
    planted = WRITERS[name](home)
    planted.write_bytes(b"" if name == "write_known_hosts" else b"{}")
    os.chown(planted, SOMEBODY, SOMEBODY)
    with contextlib.suppress(DockerHostError):
        WRITERS[name](home)
    if planted.read_bytes() not in (b"", b"{}"):
        assert planted.stat().st_uid == os.geteuid()


@needs_root
@pytest.mark.parametrize("problem", ["owner", "mode"])
def test_a_key_pair_that_somebody_else_can_change_is_not_used(home: Path, problem: str) -> None:
    key = write_key_pair(home)
    if problem == "owner":
        os.chown(key, SOMEBODY, -1)
    else:
        key.chmod(0o622)
    for check_mode in (True, False):
        with pytest.raises(DockerHostError, match=f"ssh_private_key_path: .*(user {SOMEBODY}|can write there)"):
            ensure_key_pair(str(key), check_mode=check_mode)


MODULES = sorted(path.stem for path in (Path(__file__).parents[4] / "plugins/modules").glob("*.py"))
OTHERS: dict[str, dict[str, t.Any]] = {
    "docker_context": {"name": "web1", "docker_host": "tcp://127.0.0.1:1"},
    "docker_endpoint_info": {"docker_host": "tcp://127.0.0.1:1", "tls": True, "validate_certs": True, "wait": False},
    "docker_tls_certs": {"hosts": [{"name": "web1"}]},
    "docker_vm_extension": {"virtual_machine_name": "web1", "resource_group": "rg", "setup_program": "x"},
    "docker_vm_host": {"name": "web1", "resource_group": "rg", "location": "westeurope"},
    "docker_vm_image_info": {"location": "westeurope"},
}


def path_options(spec: t.Mapping[str, t.Any], path: str) -> t.Iterator[dict[str, t.Any]]:
    """Yield arguments, each with a path in one option, at any depth."""
    for name, option in spec.items():
        if option.get("type") == "path":
            yield {name: path}
        for below in path_options(option.get("options") or {}, path):
            yield {name: [below] if option["type"] == "list" else below}


@pytest.mark.parametrize("name", MODULES)
def test_no_option_waits_for_a_fifo(home: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(home))
    for variable in [one for one in os.environ if one.startswith(("AZURE_", "DOCKER_"))]:
        monkeypatch.delenv(variable)
    fifo = home / "fifo"
    os.mkfifo(fifo)
    backend = importlib.import_module(f"ansible_collections.dockerhost.azure.plugins.modules.{name}").BACKEND
    known = {"cert_dir": str(home / "certs"), "auth_source": "env"}
    others = {option: value for option, value in known.items() if option in backend.spec.argument_spec}

    def waiting(*_args: object) -> t.NoReturn:
        pytest.fail("it waits")

    before = signal.signal(signal.SIGALRM, waiting)
    try:
        for arguments in path_options(backend.spec.argument_spec, str(fifo)):
            signal.alarm(60)
            carry_out(backend, {**others, **OTHERS.get(name, {}), **arguments}, check_mode=True)
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def test_directories_of_a_relative_path_are_created(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    _files.create_directory("one/two", 0o700)
    assert [(tmp_path / name).stat().st_mode & 0o777 for name in ("one", "one/two")] == [0o700, 0o700]


def test_a_home_directory_that_is_not_known_is_no_directory_of_that_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A user without an entry in /etc/passwd and without HOME has none; everything's default is below it."""
    monkeypatch.chdir(tmp_path)
    for variable in ("HOME", "DOCKER_CERT_PATH", "DOCKER_CONFIG"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)
    options: dict[str, dict[str, t.Any]] = {
        "docker_tls_certs": {"hosts": [{"name": "web1"}]},
        "docker_tls_certs_info": {},
        "docker_context": {"name": "web1", "docker_host": "ssh://azureuser@web1"},
        "docker_context_info": {},
    }
    for module, given in options.items():
        backend = importlib.import_module(f"ansible_collections.dockerhost.azure.plugins.modules.{module}").BACKEND
        result = carry_out(backend, given).result
        assert result["failed"]
        assert "the home directory ~ is not known" in result["msg"]
    with pytest.raises(DockerHostError, match="the home directory ~ is not known"):
        ensure_key_pair("~/.ssh/docker", check_mode=False)
    assert list(tmp_path.iterdir()) == []


def test_a_file_system_without_locks_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_descriptor: int, _operation: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(_files.fcntl, "flock", refuse)
    with (
        pytest.raises(DockerHostError, match="lock cannot be locked: No locks available"),
        _files.locked(str(tmp_path / "lock")),
    ):
        pass
