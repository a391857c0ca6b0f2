# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The data disk: found by its links or its NVMe number, and containerd's root on it."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from .conftest import OS_RELEASES, Clock, Recorder

TOML = "/etc/containerd/config.toml"
DROP_IN = "/etc/systemd/system/containerd.service.d/zz-docker-host.conf"
DOCKERS = '# comment\ndisabled_plugins = ["cri"]\n\n#root = "/var/lib/containerd"\n#[grpc]\n'
DEBIANS = 'version = 2\n\n[plugins]\n  [plugins."io.containerd.internal.v1.opt"]\n    path = "/var/lib/containerd"\n'
MOVED = 'version = 2\nroot = "/big/containerd"  # theirs\n[debug]\n  level = "info"\n'
STORE = {"DriverStatus": [["driver-type", "io.containerd.snapshotter.v1"]]}
DISK = {"lun": 0, "path": "/srv/docker"}


@pytest.mark.parametrize(
    ("text", "root"), [(DOCKERS, ""), (DEBIANS, ""), (MOVED, "/big/containerd"), ("", ""), ("[x]\nroot = 'y'\n", "")]
)
def test_the_root_is_set_and_given_back_and_all_else_stays(setup: t.Any, text: str, root: str) -> None:
    assert setup.root_of(text) == root
    moved = setup.with_root(text, "/srv/docker/containerd")
    assert setup.root_of(moved) == "/srv/docker/containerd"
    rest = [line for line in text.splitlines() if not line.startswith("root")]
    assert [line for line in moved.splitlines() if not line.startswith("root")] == rest
    assert setup.with_root(moved, "/srv/docker/containerd") == moved
    assert setup.root_of(setup.with_root(moved, root)) == root
    if not root:
        assert setup.with_root(moved, "") == text


def configured(setup: t.Any, root: Path, info: dict[str, t.Any], text: str = DOCKERS) -> tuple[Recorder, t.Any, t.Any]:
    """A machine with a data disk, an engine of which this is known, and this configuration of containerd."""
    recorder = Recorder(setup, root, OS_RELEASES["debian12"])
    recorder.put("/usr/lib/systemd/system/containerd.service", "[Service]\n")
    recorder.put(TOML, text)
    facts = recorder.facts()
    facts.info = info
    return recorder, setup.Settings({"settings": {"docker": {"data-disk": DISK}}}), facts


def test_a_data_disk_hides_no_files_of_others(setup: t.Any, tmp_path: Path) -> None:
    recorder, settings, facts = configured(setup, tmp_path / "root", {})
    setup.refuse_configuration(recorder.machine, settings, facts)
    recorder.put("/srv/docker/theirs", "x")
    with pytest.raises(
        setup.Problem, match="/srv/docker must be empty before the disk is mounted there, but has theirs:"
    ):
        setup.refuse_configuration(recorder.machine, settings, facts)
    facts.state = {"disk": "/srv/docker"}  # ours, not mounted at the moment
    setup.refuse_configuration(recorder.machine, settings, facts)


@pytest.mark.parametrize("info", [{}, STORE, {"Containers": 0, "Images": 0}])
def test_containerd_is_on_the_data_disk_of_a_new_host(setup: t.Any, tmp_path: Path, info: dict[str, t.Any]) -> None:
    recorder, settings, facts = configured(setup, tmp_path / "root", info)
    files = setup.wanted_files(recorder.machine, settings, facts)
    assert setup.root_of(files[TOML][0].decode()) == "/srv/docker/containerd"
    assert b"RequiresMountsFor=/srv/docker\n" in files[DROP_IN][0]
    assert setup.new_record(recorder.machine, settings, facts)["containerd-root"] == "/srv/docker/containerd"


def test_images_in_containerd_are_not_left_behind(setup: t.Any, tmp_path: Path) -> None:
    recorder, settings, facts = configured(setup, tmp_path / "root", {**STORE, "Images": 3})
    with pytest.raises(setup.Problem, match=r"from /var/lib/containerd to /srv/docker/containerd.* 0 .* 3 images"):
        setup.refuse_configuration(recorder.machine, settings, facts)
    recorder.put(TOML, setup.with_root(DOCKERS, "/srv/docker/containerd"))
    setup.refuse_configuration(recorder.machine, settings, facts)


def test_containerd_stays_where_an_engine_with_a_store_of_its_own_has_containers(setup: t.Any, tmp_path: Path) -> None:
    recorder, settings, facts = configured(setup, tmp_path / "root", {"Containers": 1})
    assert TOML not in setup.wanted_files(recorder.machine, settings, facts)


@pytest.mark.parametrize("text", [DOCKERS, DEBIANS, MOVED])
def test_containerds_configuration_is_given_back(setup: t.Any, tmp_path: Path, text: str) -> None:
    recorder, settings, facts = configured(setup, tmp_path / "root", {}, text)
    content = setup.wanted_files(recorder.machine, settings, facts)[TOML][0]
    recorder.put(TOML + ".before-docker-host", text)
    recorder.put(TOML, content.decode())
    facts.state = setup.new_record(recorder.machine, settings, facts)
    assert setup.verify(recorder.machine, {"containerd-root": "/srv/docker/containerd"}) == [
        "the engine is not running"
    ]
    absent = setup.Settings({"state": "absent"})
    files = setup.wanted_files(recorder.machine, absent, facts)
    assert files[TOML][0].decode() == text
    recorder.put(TOML, content.decode() + "# theirs\n")
    assert b"# theirs" in setup.wanted_files(recorder.machine, absent, facts)[TOML][0]
    assert files[DROP_IN][0] is None
    recorder.put(TOML, text)
    assert any(
        f"{TOML} no longer has the pushed root" in found for found in setup.verify(recorder.machine, facts.state)
    )


def test_containerd_restarts_before_the_engine_when_its_root_moves(setup: t.Any, tmp_path: Path) -> None:
    recorder = Recorder(setup, tmp_path / "root", OS_RELEASES["debian12"])
    setup.restart_containerd(recorder.machine, {"/etc/docker/daemon.json": (b"", 0o644)})
    assert not recorder.commands
    setup.restart_containerd(recorder.machine, {TOML: (b"", 0o644)})
    assert recorder.commands == ["systemctl stop docker", "systemctl restart containerd"]


def nvme(recorder: Recorder, controller: str, model: str, numbers: dict[str, int]) -> None:
    """An NVMe controller and its namespaces."""
    recorder.put(f"/sys/class/nvme/{controller}/model", model)
    for name, number in numbers.items():
        recorder.put(f"/sys/class/nvme/{controller}/{name}/nsid", f"{number}\n")


def test_a_data_disk_by_nvme(setup: t.Any, tmp_path: Path, clock: Clock) -> None:
    """Sizes of version 6 and later, with an image that has no udev rules of Azure's; local disks are another model."""
    recorder = Recorder(setup, tmp_path / "root", OS_RELEASES["debian12"])
    nvme(recorder, "nvme0", "Microsoft NVMe Direct Disk v2           \n", {"nvme0n1": 1, "nvme0n2": 2})
    nvme(recorder, "nvme1", "MSFT NVMe Accelerator v1.0              \n", {"nvme1n1": 1, "nvme1n2": 2, "nvme1n5": 5})
    assert setup.find_disk(recorder.machine, 0) == "/dev/nvme1n2"
    assert setup.find_disk(recorder.machine, 3) == "/dev/nvme1n5"
    with pytest.raises(setup.Problem, match="no data disk with LUN 1"):
        setup.find_disk(recorder.machine, 1)


def test_a_data_disk_by_nvme_with_several_paths(setup: t.Any, tmp_path: Path, clock: Clock) -> None:
    recorder = Recorder(setup, tmp_path / "root", OS_RELEASES["debian12"])
    nvme(recorder, "nvme0", "MSFT NVMe Accelerator v1.0", {"nvme0c0n1": 1, "nvme0c0n2": 2})
    assert setup.find_disk(recorder.machine, 0) == "/dev/nvme0n2"


@pytest.mark.parametrize("link", ["data/by-lun/0", "scsi1/lun0"])
def test_a_data_disk_that_appears_while_it_is_waited_for(
    setup: t.Any, tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch, link: str
) -> None:
    recorder = Recorder(setup, tmp_path / "root", OS_RELEASES["debian12"])
    began = clock.now

    def sleep(seconds: float) -> None:
        clock.now += seconds
        if clock.now == began + 5:
            recorder.put(f"/dev/disk/azure/{link}", "")

    monkeypatch.setattr(clock, "sleep", sleep)
    assert setup.find_disk(recorder.machine, 0).endswith(link)
    assert clock.now == began + 5


def test_a_partition_is_made_with_a_type_that_every_sfdisk_knows(
    setup: t.Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = Recorder(setup, tmp_path / "root", OS_RELEASES["debian12"])
    given: list[str] = []
    monkeypatch.setattr(recorder.machine, "run", lambda _argv, stdin="", **_options: given.append(stdin) or "")
    monkeypatch.setattr(setup, "partitions", lambda _disk: ["/dev/null"])
    setup.make_partition(recorder.machine, "/dev/sdx")
    assert given[0] == "type=0FC63DAF-8483-4772-8E79-3D69D8477DE4, name=docker-data\n"


@pytest.mark.parametrize(("kind", "programs", "installs"), [("xfs", (), 1), ("xfs", ("mkfs.xfs",), 0), ("ext4", (), 0)])
def test_the_program_for_a_file_system_is_installed_where_it_is_missing(
    setup: t.Any, tmp_path: Path, kind: str, programs: tuple[str, ...], installs: int
) -> None:
    recorder = Recorder(setup, tmp_path / "root", OS_RELEASES["debian12"], programs=programs)
    recorder.put("/dev/sdx1", "")
    setup.make_file_system(recorder.machine, recorder.facts(), kind, "/dev/sdx1")
    assert len(recorder.ran("install", "xfsprogs")) == installs
    assert recorder.commands[-1].startswith(f"mkfs.{kind} ")


def test_a_file_system_whose_making_was_killed_is_made_anew(setup: t.Any, tmp_path: Path) -> None:
    """On the partition that the program made itself, and on no other."""
    half = "PART_ENTRY_UUID=1234\nPART_ENTRY_NAME=docker-data\nTYPE=xfs\nUSAGE=filesystem\n"
    recorder = Recorder(setup, tmp_path / "root", OS_RELEASES["debian12"], {"blkid": half, "mkfs": (9, "killed")})
    recorder.put("/dev/sdx1", "")
    with pytest.raises(setup.Problem):
        setup.make_file_system(recorder.machine, recorder.facts(), "ext4", "/dev/sdx1")
    assert setup.is_half_formatted(recorder.machine, "/dev/sdx1")
    assert setup.refuse_strange(recorder.machine, "/dev/sdx1") == "/dev/sdx1"
    recorder.answers["mkfs"] = ""
    setup.make_file_system(recorder.machine, recorder.facts(), "ext4", "/dev/sdx1")
    assert not setup.is_half_formatted(recorder.machine, "/dev/sdx1")
    recorder.put("/var/lib/docker-host/formatting", "another partition")
    assert not setup.is_half_formatted(recorder.machine, "/dev/sdx1")


@pytest.mark.parametrize(
    ("busy", "seconds", "error"),
    [
        ((32, "mount: /srv/docker: fsconfig() failed: /dev/sdx1: Can't open blockdev."), 7, None),
        ("", 7, None),
        ((32, "mount: /srv/docker: wrong fs type"), 1000, "mount ended with exit code 32"),
        ("", 1000, "no device has the UUID"),
    ],
)
def test_a_device_that_udev_reads_anew_is_mounted_a_moment_later(
    setup: t.Any, tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch, busy: t.Any, seconds: int, error: t.Any
) -> None:
    """Whoever closes a disk that it wrote to makes udev read its partitions anew."""
    recorder = Recorder(setup, tmp_path / "root", OS_RELEASES["debian12"], {"mount": busy})
    ready = clock.now + seconds
    monkeypatch.setattr(setup.os.path, "ismount", lambda _where: clock.now >= ready)
    if error is None:
        setup.mount_now(recorder.machine, "/srv/docker")
        assert ready <= clock.now <= ready + 1
        return
    with pytest.raises(setup.Problem, match=error):
        setup.mount_now(recorder.machine, "/srv/docker")


def test_a_device_that_cannot_be_opened_is_never_taken_for_a_blank_one(
    setup: t.Any, tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """blkid ends with code 2 for both, and a blank partition is formatted."""
    recorder = Recorder(setup, tmp_path / "root", OS_RELEASES["debian12"], {"blkid": (2, "")})
    with pytest.raises(setup.Problem, match="/dev/sdx1 cannot be opened"):
        setup.signature(recorder.machine, "/dev/sdx1")
    assert not recorder.commands
    back = clock.now + 5

    def sleep(seconds: float) -> None:
        clock.now += seconds
        if clock.now >= back:
            recorder.put("/dev/sdx1", "")

    monkeypatch.setattr(clock, "sleep", sleep)
    assert setup.signature(recorder.machine, "/dev/sdx1") == {}
    assert recorder.commands == ["blkid -p -o export /dev/sdx1"]
