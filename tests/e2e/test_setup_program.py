# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The program for the VM in real guests, pushed as the agent gets it: engine from a repository with Docker's layout,
versions, compose, registry, data disk, and what goes wrong. The tests of a class go in order on one guest."""

from __future__ import annotations

import base64
import dataclasses
import json
import typing as t
from pathlib import Path

import pytest

from azure_emulator.machines import tree
from azure_emulator.machines.base import DataDisk
from azure_emulator.machines.guests import GuestMachine

from .authority import Authority
from .docker_repository import DockerRepository, missing_programs
from .machines import DISK, DISTRIBUTION, Machines
from .paths import CACHE

pytestmark = pytest.mark.guests


def started(machines: Machines, machine: GuestMachine, container: str) -> str:
    """When a container was started, if it runs."""
    return machines.sh(machine, f"docker inspect -f '{{{{.State.Running}}}} {{{{.State.StartedAt}}}}' {container}")


@pytest.fixture(scope="module")
def repository(machines: Machines, tmp_path_factory: pytest.TempPathFactory) -> tuple[DockerRepository, str]:
    """The repository and its URL."""
    reason = missing_programs()
    if reason:
        pytest.skip(reason)
    build = tree.find_tree(CACHE)
    assert build is not None
    repository = DockerRepository(
        tmp_path_factory.mktemp("mirror") / "mirror",
        [*(p for p in build.pool.rglob("pool") if p.is_dir()), build.extras],
    )
    repository.build()
    return repository, machines.serve(repository.root)


@pytest.fixture(scope="module")
def web(machines: Machines) -> GuestMachine:
    """A fresh guest, whose image has an entry for Docker's repository: it must not stand in for what is asked for."""
    return machines.start("web", 4)


@pytest.fixture
def engine(repository: tuple[DockerRepository, str]) -> dict[str, t.Any]:
    """The settings of the engine that take it from there."""
    return {"source": "docker", "mirror": repository[1], "key": repository[0].key}


@pytest.fixture(scope="module")
def disk() -> DataDisk:
    """A blank data disk."""
    return DataDisk("/disks/data", "data", 3, 1)


@pytest.fixture(scope="module")
def db(machines: Machines, disk: DataDisk) -> GuestMachine:
    """A fresh guest with the disk."""
    return machines.start("db", 5, data_disks=(disk,))


@pytest.mark.slow
class TestDockersRepository:
    """Engine and compose from a repository that has Docker's layout and names."""

    def test_a_key_that_is_not_dockers_is_refused(
        self, machines: Machines, web: GuestMachine, repository: tuple[DockerRepository, str]
    ) -> None:
        result = machines.push(web, {"engine": {"mirror": repository[1]}}, fails=True)
        assert "which is not Docker's" in result["error"]
        assert result["changes"] == []

    def test_a_mirror_that_does_not_serve_us_is_said_to_be_so(
        self, machines: Machines, web: GuestMachine, repository: tuple[DockerRepository, str]
    ) -> None:
        result = machines.push(web, {"engine": {"mirror": repository[1] + "/none"}}, fails=True)
        assert "does not serve Debian GNU/Linux 12" in result["error"]
        assert machines.sh(web, "ls /etc/apt/sources.list.d /etc/apt/keyrings | grep docker-host || echo ok") == "ok\n"

    def test_a_wrong_key_installs_nothing(
        self, machines: Machines, web: GuestMachine, engine: dict[str, t.Any]
    ) -> None:
        lines = engine["key"].splitlines()
        lines[4] = lines[4][::-1]
        result = machines.push(web, {"engine": {**engine, "key": "\n".join(lines)}}, fails=True)
        assert result["stage"] == "install"
        assert f"{engine['mirror']}/linux/debian cannot be used: " in result["error"]
        machines.sh(web, "test -s /etc/apt/sources.list.d/docker.list")
        machines.sh(web, "command -v dockerd", fails=True)

    def test_series_hold_lock_and_compose(
        self, machines: Machines, web: GuestMachine, engine: dict[str, t.Any], busybox_image: bytes
    ) -> None:
        """The newest of a series is installed although somebody holds dpkg's lock for a while."""
        hold = (
            "import fcntl,time; f=open('/var/lib/dpkg/lock-frontend','w'); fcntl.lockf(f,fcntl.LOCK_EX); time.sleep(6)"
        )
        machines.sh(web, f'systemd-run --quiet python3 -c "{hold}"')
        docker = {"engine": {**engine, "version": "27", "hold": True}}
        result = machines.push(web, docker)
        assert result["engine"]["package"] == "docker-ce"
        assert "5:27.5.1-1~debian.12" in machines.sh(web, "dpkg-query -W docker-ce docker-ce-cli")
        assert "docker-ce" in machines.sh(web, "apt-mark showhold").split()
        assert "signed-by=/etc/apt/keyrings/docker-host.asc" in machines.sh(
            web, "cat /etc/apt/sources.list.d/docker-host.list"
        )
        assert "2.26" in machines.sh(web, "docker compose version")
        assert machines.push(web, docker)["changes"] == []
        machines.sh(web, "docker import - busybox:test", stdin=busybox_image)

    def test_upgrade_on_request_keeps_containers(
        self, machines: Machines, web: GuestMachine, engine: dict[str, t.Any]
    ) -> None:
        machines.sh(web, "docker run -d --name kept busybox:test sleep 100000")
        before = started(machines, web, "kept")
        assert "true" in before
        assert machines.push(web, {"engine": {**engine, "version": "27.5.1", "hold": True}})["changes"] == []
        result = machines.push(web, {"engine": {**engine, "version": "28", "hold": True}})
        assert "bring docker-ce from 27.5.1 to 28" in result["changes"][0]
        assert "5:28.1.0" in machines.sh(web, "dpkg-query -W docker-ce")
        assert started(machines, web, "kept") == before
        result = machines.push(web, {"engine": {**engine, "version": "26"}}, fails=True)
        assert "no version 26 of docker-ce is offered; offered: 27.5.1, 28.0.4, 28.1.0" in result["error"]

    def test_compose_up_changed_broken_and_down(
        self, machines: Machines, web: GuestMachine, engine: dict[str, t.Any]
    ) -> None:
        secret = "a\"b$c\\d 'e' #f"
        service = {"image": "busybox:test", "command": "sleep 10000", "environment": {"SECRET": "${TOKEN}"}}
        file = json.dumps({"services": {"app": service}})

        def settings(text: str, token: str) -> dict[str, t.Any]:
            return {
                "public": {"compose-projects": {"shop": {"file": text}}, "compose-purge": True},
                "protected": {"compose-secrets": {"shop": {"TOKEN": token}}},
            }

        docker = {"engine": engine}
        assert "bring up the compose project shop" in machines.push(web, docker, **settings(file, secret))["changes"]
        shown = "docker inspect -f '{{json .Config.Env}}' shop-app-1"
        assert f"SECRET={secret}" in json.loads(machines.sh(web, shown))
        assert machines.push(web, docker, **settings(file, secret))["changes"] == []
        machines.push(web, docker, **settings(file, "other"))
        assert "SECRET=other" in json.loads(machines.sh(web, shown))
        broken = machines.push(web, docker, fails=True, **settings(file.replace("command", "portz"), "t0p-secret"))
        assert broken["stage"] == "compose"
        assert "portz" in broken["detail"]
        assert "SECRET=other" in json.loads(machines.sh(web, shown))
        machines.sh(web, "docker rm -f shop-app-1")
        assert machines.push(web, docker, **settings(file, "other"))["changes"] == ["bring up the compose project shop"]
        gone = machines.push(web, docker, public={"compose-purge": True})
        assert gone["changes"] == ["take down the compose project shop"]
        assert "shop" not in machines.sh(web, "docker ps -a; ls /etc/docker/compose")
        log = machines.sh(web, "cat /var/log/docker-host-setup.log; stat -c %a /var/log/docker-host-setup.log")
        assert "t0p-secret" not in log
        assert log.endswith("600\n")

    def test_absent_with_engine_and_data(self, machines: Machines, web: GuestMachine) -> None:
        machines.push(web, {}, state="absent", remove=["engine", "data"])
        machines.sh(web, "command -v dockerd", fails=True)
        assert machines.sh(web, "ls -A /var/lib/docker 2>/dev/null || true") == ""


class TestOneEngine:
    """The distribution's engine and what is configured around it."""

    def test_data_disk_is_made_mounted_and_used(
        self, machines: Machines, db: GuestMachine, busybox_image: bytes
    ) -> None:
        # As a machine that was reset between unpacking and configuring.
        names = "apt-get -s --no-install-recommends install docker.io | sed -n 's/^Inst \\([^ ]*\\).*/\\1/p'"
        machines.sh(db, f"apt-get -q update; cd $(mktemp -d); apt-get -q download $({names}); dpkg --unpack *.deb")
        docker = {"engine": DISTRIBUTION, "data-disk": DISK}
        result = machines.push(db, docker)
        assert [change for change in result["changes"] if change.startswith("finish the interrupted installation of")]
        assert result["engine"]["data_root"] == "/srv/docker/data"
        assert "UUID=" in machines.sh(db, "grep /srv/docker /etc/fstab; findmnt /srv/docker")
        machines.sh(db, "test -e /srv/docker/containerd/io.containerd.metadata.v1.bolt/meta.db")
        assert machines.push(db, docker)["changes"] == []
        machines.sh(db, "docker import - busybox:test", stdin=busybox_image)

    def test_a_grown_disk_is_filled_and_survives_a_reboot(
        self, machines: Machines, db: GuestMachine, disk: DataDisk
    ) -> None:
        size = "findmnt -nbo SIZE /srv/docker"
        before = int(machines.sh(db, size))
        grown = dataclasses.replace(db.spec, data_disks=(dataclasses.replace(disk, size_gb=2),))
        machines.loop.run_until_complete(db.reconfigure(grown))
        result = machines.push(db, {"engine": DISTRIBUTION, "data-disk": DISK})
        assert [change for change in result["changes"] if change.startswith("grow")]
        assert int(machines.sh(db, size)) > 1.7 * before
        machines.loop.run_until_complete(db.restart())
        assert "busybox" in machines.sh(db, "docker images")
        assert machines.push(db, {"engine": DISTRIBUTION, "data-disk": DISK})["changes"] == []

    def test_data_of_containers_is_not_moved_behind_the_back(self, machines: Machines, db: GuestMachine) -> None:
        result = machines.push(db, {"engine": DISTRIBUTION}, fails=True)
        assert "is to move from /srv/docker/data" in result["error"]
        assert result["changes"] == []

    def test_registry_login_and_pull(self, machines: Machines, db: GuestMachine, authority: Authority) -> None:
        registry = start_registry(machines, authority)
        server = "10.0.0.6:5000"
        login = {"server": server, "username": "ci", "password": "r3gistry-pw", "ca": authority.ca}
        docker = {"engine": DISTRIBUTION, "data-disk": DISK}
        elsewhere = "docker context create elsewhere --docker host=tcp://127.0.0.1:9; docker context use"
        machines.sh(db, f"{elsewhere} elsewhere")  # the program speaks with this machine's engine all the same
        wrong = machines.push(db, docker, protected={"logins": [{**login, "password": "wr0ng-pw"}]}, fails=True)
        assert wrong["stage"] == "registries"
        assert "wr0ng-pw" not in json.dumps(wrong)
        result = machines.push(db, docker, protected={"logins": [login]})
        assert f"log in to {server} as ci" in result["changes"]
        assert machines.push(db, docker, protected={"logins": [login]})["changes"] == []
        machines.sh(db, "docker context use default")
        image = f"{server}/busybox:test"
        machines.sh(
            db, f"docker tag busybox:test {image}; docker push {image}; docker rmi {image}; docker pull {image}"
        )
        assert machines.push(db, docker)["changes"] == [f"remove the CA of {server}", f"log out of {server}"]
        machines.sh(db, f"docker rmi {image}; docker pull {image}", fails=True)
        assert "pw" not in machines.sh(db, "cat /var/log/docker-host-setup.log")
        machines.loop.run_until_complete(registry.delete())

    def test_what_was_cut_short_is_completed(self, machines: Machines, db: GuestMachine, authority: Authority) -> None:
        """A run that ended between writing and restarting left its mark; the next one restarts."""
        docker = {"engine": DISTRIBUTION, "data-disk": DISK, "port": "4243"}
        certs = {"certs": authority.server("db", ["IP:10.0.0.5"]).settings()}
        machines.push(db, docker, protected=certs)
        machines.sh(db, "touch /var/lib/docker-host/restart-pending")
        assert machines.push(db, docker, protected=certs)["changes"] == ["restart the engine"]
        machines.sh(db, "systemctl stop docker.socket docker")
        assert machines.push(db, docker, protected=certs)["changes"] == ["start the engine"]

    def test_a_drop_in_of_the_administrators(self, machines: Machines, db: GuestMachine, authority: Authority) -> None:
        docker = {"engine": DISTRIBUTION, "data-disk": DISK, "port": "4243"}
        certs = {"certs": authority.server("db", ["IP:10.0.0.5"]).settings()}
        machines.push(db, docker, protected=certs)
        folder = "/etc/systemd/system/docker.service.d"
        override = "[Service]\nExecStart=\nExecStart=/usr/sbin/dockerd -H fd:// --log-level=warn\n"
        machines.sh(db, f"cat > {folder}/override.conf; systemctl daemon-reload", stdin=override.encode())
        changes = machines.push(db, docker, protected=certs)["changes"]
        assert changes == [f"write {folder}/zz-docker-host.conf", "restart the engine"]
        assert "--log-level=warn" in machines.sh(db, "systemctl show -p ExecStart docker")
        assert machines.push(db, docker, protected=certs)["changes"] == []
        machines.sh(db, f"rm {folder}/override.conf")

    def test_settings_that_the_daemon_refuses(self, machines: Machines, db: GuestMachine, authority: Authority) -> None:
        certs = {"certs": authority.server("db", ["IP:10.0.0.5"]).settings()}
        docker = {"engine": DISTRIBUTION, "data-disk": DISK, "port": "4243"}
        machines.push(db, docker, protected=certs)
        files = "cat /etc/docker/daemon.json /etc/systemd/system/docker.service.d/*"
        before = machines.sh(db, files)
        for bad in ({"options": ["--no-such-option"]}, {"daemon": {"storage-driver": "nonsense"}}):
            result = machines.push(db, {**docker, **bad}, protected=certs, fails=True)
            assert result["stage"] == "configure"
            assert "the last configuration is back" in result["error"]
            assert "no-such-option" in result["detail"] or "nonsense" in result["detail"]
            assert machines.sh(db, files) == before
            assert "busybox" in machines.sh(db, "docker images")
        assert machines.push(db, docker, protected=certs)["changes"] == []

    def test_an_engine_that_is_still_starting(self, machines: Machines, db: GuestMachine, authority: Authority) -> None:
        """As while the machine boots: it starts with its former settings."""
        certs = {"certs": authority.server("db", ["IP:10.0.0.5"]).settings()}
        folder = "/run/systemd/system/docker.service.d"
        slow = "[Service]\nExecStartPre=/bin/sleep 3\n"
        machines.sh(db, f"mkdir -p {folder}; cat > {folder}/slow.conf; systemctl daemon-reload", stdin=slow.encode())
        machines.sh(db, "systemctl restart --no-block docker; sleep 0.5")
        docker = {"engine": DISTRIBUTION, "data-disk": DISK, "port": "4300"}
        assert machines.push(db, docker, protected=certs)["changes"][-1] == "restart the engine"
        machines.sh(db, f"rm {folder}/slow.conf; systemctl daemon-reload")

    def test_users_proxies_and_a_kept_engine(self, machines: Machines, db: GuestMachine) -> None:
        docker = {"engine": {"source": "keep"}, "data-disk": DISK, "users": ["azureuser"]}
        proxies = {"http": "http://user:pr0xy-pw@127.0.0.1:9", "no": "10.0.0.0/24"}
        nobody = machines.push(db, {**docker, "users": ["nobody-here"]}, fails=True)
        assert "there is no user nobody-here" in nobody["error"]
        machines.push(db, docker, protected={"proxies": proxies})
        assert "docker" in machines.sh(db, "id -nG azureuser").split()
        assert "127.0.0.1:9" in machines.sh(db, "docker info -f '{{.HTTPProxy}} {{.NoProxy}}'")
        readable = machines.sh(db, "grep -rl pr0xy-pw /etc/docker /etc/systemd /var/lib/docker-host /var/log || true")
        holders = "/etc/docker/docker-host-proxy.env /var/lib/docker-host/settings.json"
        assert readable.split() == holders.split()
        assert machines.sh(db, f"stat -c %a {holders}") == "600\n600\n"
        del docker["users"]
        changes = machines.push(db, docker)["changes"]
        assert changes[0] == "remove the user azureuser from the group docker"
        assert changes[-1] == "restart the engine"
        assert "docker" not in machines.sh(db, "id -nG azureuser").split()
        assert "127.0.0.1:9" not in machines.sh(db, "docker info -f '{{.HTTPProxy}}'")

    def test_swarm_and_live_restore(self, machines: Machines, db: GuestMachine, authority: Authority) -> None:
        docker = {"engine": DISTRIBUTION, "data-disk": DISK}
        swarm = "docker swarm init --advertise-addr 10.0.0.5 2>&1"
        told = machines.sh(db, swarm, fails=True)  # as docs/troubleshooting.md quotes it
        assert "--live-restore daemon configuration is incompatible with swarm mode" in told
        machines.push(db, {**docker, "live-restore": False})
        machines.sh(db, "docker swarm init --advertise-addr 10.0.0.5")
        refused = machines.push(db, {**docker, "live-restore": True}, fails=True)
        assert "swarm" in refused["error"]
        assert machines.push(db, docker)["engine"]["live_restore"] is False
        machines.sh(db, "docker swarm leave --force")
        assert machines.push(db, docker)["engine"]["live_restore"] is True

    def test_a_machine_of_docker_machine_is_given_back(
        self, machines: Machines, db: GuestMachine, authority: Authority, tmp_path: Path, busybox_image: bytes
    ) -> None:
        """Files, packages on hold, and units that are disabled and stopped."""
        machines.push(db, {}, state="absent")
        old = Authority(tmp_path).server("old", ["IP:127.0.0.1"])
        for name, text in (("ca.pem", old.ca), ("server.pem", old.cert), ("server-key.pem", old.key)):
            machines.sh(db, f"cat > /etc/docker/{name}", stdin=text.encode())
        files = (("cacert", "ca"), ("cert", "server"), ("key", "server-key"))
        tls = " ".join(f"--tls{option} /etc/docker/{name}.pem" for option, name in files)
        command = f"/usr/sbin/dockerd -H tcp://0.0.0.0:2376 -H unix:///var/run/docker.sock --tlsverify {tls}"
        unit = f"[Service]\nExecStart=\nExecStart={command}\n"
        folder = "/etc/systemd/system/docker.service.d"
        machines.sh(
            db, f"mkdir -p {folder}; cat > {folder}/10-machine.conf; systemctl daemon-reload", stdin=unit.encode()
        )
        theirs = '{"log-driver": "json-file",  "log-opts": {"max-size": "1m"}}'
        machines.sh(db, "cat > /etc/docker/daemon.json; systemctl restart docker", stdin=theirs.encode())
        state = f"find /etc/docker {folder} -type f -exec sha256sum {{}} + -exec stat -c '%n %a' {{}} + | sort"
        units = "docker.service docker.socket containerd.service"
        state += f"; apt-mark showhold; systemctl is-enabled {units} || true; systemctl is-active {units} || true"
        machines.sh(db, f"apt-mark hold docker.io; systemctl -q disable docker; systemctl stop {units}")
        before = machines.sh(db, state)
        assert before.endswith("docker.io\ndisabled\nenabled\nenabled\ninactive\ninactive\ninactive\n")
        certs = {"certs": authority.server("db", ["IP:10.0.0.5"]).settings()}
        engine = {"source": "distribution", "hold": True}
        ours = {"engine": engine, "port": "4243", "daemon": {"log-opts": {"max-size": "10m"}}}
        machines.sh(db, "chattr +i /etc/docker/daemon.json")
        refused = machines.push(db, ours, protected=certs, fails=True)
        assert "chattr -i /etc/docker/daemon.json" in refused["error"]
        assert refused["changes"] == []
        machines.sh(db, "chattr -i /etc/docker/daemon.json")
        machines.push(db, ours, protected=certs)
        assert {"docker.io", "containerd"} <= set(machines.sh(db, "apt-mark showhold").split())
        machines.sh(db, "docker import - busybox:test; docker run -d busybox:test sleep 10000", stdin=busybox_image)
        assert '"max-size": "10m"' in machines.sh(db, "cat /etc/docker/daemon.json")
        assert "2376" not in machines.sh(db, "systemctl show -p ExecStart docker")
        given_back = machines.push(db, {}, state="absent")
        stopped = "stop docker.service, docker.socket, containerd.service, as before the first run"
        assert stopped in given_back["changes"]
        assert machines.sh(db, state) == before
        assert machines.sh(db, "pgrep -f '[s]leep 10000' || true") == ""
        assert machines.push(db, {}, state="absent")["changes"] == []
        assert "2376" in machines.sh(db, "systemctl start docker; systemctl show -p ExecStart docker")

    def test_secrets_do_not_stay_in_the_handlers_directory(self, machines: Machines, db: GuestMachine) -> None:
        found = machines.sh(
            db, "grep -rlE 'BEGIN (EC )?PRIVATE|protectedSettings.:.{' /var/lib/waagent/custom-script || true"
        )
        assert found == ""


def start_registry(machines: Machines, authority: Authority) -> GuestMachine:
    """A registry with TLS and basic authentication on a guest of its own."""
    machine = machines.start("registry", 6)
    server = authority.server("registry", ["IP:10.0.0.6"])
    files = {"/etc/registry-cert.pem": server.cert, "/etc/registry-key.pem": server.key}
    config = (
        "version: 0.1\nstorage: {filesystem: {rootdirectory: /var/lib/registry-test}}\n"
        "http: {addr: ':5000', tls: {certificate: /etc/registry-cert.pem, key: /etc/registry-key.pem}}\n"
        "auth: {htpasswd: {realm: test, path: /etc/registry-users}}\n"
    )
    for path, text in {**files, "/etc/registry-test.yml": config}.items():
        encoded = base64.b64encode(text.encode()).decode()
        machines.sh(machine, f"base64 -d >{path}", stdin=encoded.encode())
    machines.sh(
        machine,
        "export DEBIAN_FRONTEND=noninteractive; apt-get update -qq;"
        " apt-get install -y -qq --no-install-recommends docker-registry apache2-utils >/dev/null 2>&1;"
        " systemctl stop docker-registry;"
        " htpasswd -Bbc /etc/registry-users ci r3gistry-pw;"
        " systemd-run --quiet docker-registry serve /etc/registry-test.yml;"
        " for i in $(seq 50); do curl -sk https://10.0.0.6:5000/v2/ && exit 0; sleep 0.2; done; exit 1",
    )
    return machine
