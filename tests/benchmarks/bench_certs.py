# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The same set of certificates made by docker_tls_certs and by community.crypto's modules, side by side in one run.

usage: python tests/benchmarks/bench_certs.py VENV COLLECTIONS_PATH [DOCUMENT]

VENV is made when it is missing: it gets the package ``ansible``, which carries community.crypto. Both playbooks are
run by its ansible-playbook with the same settings, in turns; each number is the median of its runs. The playbook of
community.crypto follows the guides of its own documentation ("How to create a small CA", "Create certificates signed by
the CA"), written with loops, and leaves out the copies of ca.pem in servers/NAME. With DOCUMENT, the table is written
there, too.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import tempfile
import typing as t
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TOP)]

from tests.benchmarks import measured  # noqa: E402
from tests.benchmarks.measured import Cost, Tasks  # noqa: E402

SIZES = (1, 10, 100)
RUNS = {1: 3, 10: 2, 100: 1}
OWN_RUNS = 5
# Seconds that cannot be told from the noise of a playbook's start.
SMALLEST = 0.02
EXPECTED = {1: 12, 100: 200}


def hosts(number: int) -> list[dict[str, t.Any]]:
    """What the certificates are for."""
    return [
        {"name": f"web{index}", "dns_names": [f"web{index}.example.org"], "ip_addresses": [f"10.0.{index // 250}.4"]}
        for index in range(number)
    ]


def own_tasks(directory: Path, number: int) -> Tasks:
    """One task makes all."""
    return [{"dockerhost.azure.docker_tls_certs": {"cert_dir": str(directory), "hosts": hosts(number)}}]


def peer_tasks(directory: Path, number: int) -> Tasks:
    """The tasks that community.crypto's guides recommend, for the same layout and the same contents."""
    key = {"type": "ECC", "curve": "secp256r1"}
    ca = {"ca": f"{directory}/ca.pem", "key": f"{directory}/ca-key.pem"}
    signed = {"ownca_path": ca["ca"], "ownca_privatekey_path": ca["key"], "ownca_not_after": "+397d"}
    every = hosts(number)
    place = f"{directory}/servers/{{{{ item.name }}}}"
    names = (
        "{{ item.dns_names | map('regex_replace', '^', 'DNS:') | list"
        " + item.ip_addresses | map('regex_replace', '^', 'IP:') | list }}"
    )
    return [
        {"ansible.builtin.file": {"path": str(directory), "state": "directory", "mode": "0700"}},
        {"community.crypto.openssl_privatekey": {"path": ca["key"], **key}},
        {
            "community.crypto.openssl_csr_pipe": {
                "privatekey_path": ca["key"],
                "common_name": "Docker CA",
                "use_common_name_for_san": False,
                "basic_constraints": ["CA:TRUE"],
                "basic_constraints_critical": True,
                "key_usage": ["keyCertSign"],
                "key_usage_critical": True,
            },
            "register": "ca_csr",
        },
        {
            "community.crypto.x509_certificate": {
                "path": ca["ca"],
                "csr_content": "{{ ca_csr.csr }}",
                "privatekey_path": ca["key"],
                "provider": "selfsigned",
            }
        },
        {"community.crypto.openssl_privatekey": {"path": f"{directory}/key.pem", **key}},
        {
            "community.crypto.openssl_csr_pipe": {
                "privatekey_path": f"{directory}/key.pem",
                "common_name": "docker client",
                "use_common_name_for_san": False,
                "extended_key_usage": ["clientAuth"],
            },
            "register": "client_csr",
        },
        {
            "community.crypto.x509_certificate": {
                "path": f"{directory}/cert.pem",
                "csr_content": "{{ client_csr.csr }}",
                "provider": "ownca",
                **signed,
            }
        },
        {"ansible.builtin.file": {"path": place, "state": "directory", "mode": "0700"}, "loop": every},
        {"community.crypto.openssl_privatekey": {"path": f"{place}/key.pem", **key}, "loop": every},
        {
            "community.crypto.openssl_csr_pipe": {
                "privatekey_path": f"{place}/key.pem",
                "common_name": "{{ item.name }}",
                "subject_alt_name": names,
                "extended_key_usage": ["serverAuth"],
            },
            "loop": every,
            "register": "server_csrs",
        },
        {
            "community.crypto.x509_certificate": {
                "path": f"{directory}/servers/{{{{ item.item.name }}}}/cert.pem",
                "csr_content": "{{ item.csr }}",
                "provider": "ownca",
                **signed,
            },
            "loop": "{{ server_csrs.results }}",
            "loop_control": {"label": "{{ item.item.name }}"},
        },
    ]


class Bench:
    """Runs playbooks with one ansible-playbook and one set of collections."""

    def __init__(self, venv: Path, collections: str, work: Path) -> None:
        self.program = venv / "bin" / "ansible-playbook"
        self.work = work
        self.environment = {
            **measured.environment(),
            "HOME": str(work / "home"),
            "PATH": f"{venv / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}",
            "ANSIBLE_COLLECTIONS_PATH": collections,
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
        }
        (work / "home").mkdir()

    def run(self, tasks: Tasks) -> Cost:
        """The cost of a playbook with these tasks."""
        playbook = measured.playbook(self.work / "playbook.yml", tasks, hosts="localhost")
        return measured.run([str(self.program), playbook], self.environment, self.work / "output")

    def measure(self, make: t.Callable[[Path, int], Tasks], number: int) -> Cost:
        """One run that makes a new set."""
        directory = self.work / "certs"
        shutil.rmtree(directory, ignore_errors=True)
        cost = self.run(make(directory, number))
        check(directory, number)
        return cost


def check(directory: Path, number: int) -> None:
    """See that the whole set is there."""
    wanted = [directory / name for name in ("ca.pem", "ca-key.pem", "cert.pem", "key.pem")]
    wanted += [
        directory / "servers" / f"web{index}" / name for index in range(number) for name in ("cert.pem", "key.pem")
    ]
    missing = [str(path) for path in wanted if not path.exists()]
    if missing:
        raise SystemExit(f"The set is not whole: {', '.join(missing[:5])}")


def prepare(venv: Path) -> None:
    """Make the virtual environment, or install what it lacks."""
    imports = "import ansible_collections.community.crypto, cryptography"
    python = venv / "bin" / "python"
    if python.exists() and not subprocess.run([python, "-c", imports], capture_output=True, check=False).returncode:
        return
    print(f"Installing the package ansible into {venv}", flush=True)
    install = [sys.executable, str(TOP / "tools/venv.py"), str(venv), "ansible", "cryptography>=42.0.0"]
    subprocess.run(install, check=True)


def table(empty: Cost, results: dict[int, tuple[Cost, Cost]]) -> str:
    """The measured numbers and their ratios."""
    lines = [
        "| hosts | | docker_tls_certs | community.crypto | ratio | ratio without the start of a playbook |",
        "| ---: | --- | ---: | ---: | ---: | ---: |",
    ]
    for number, (own, peer) in results.items():
        for label, field in (("wall time", "wall"), ("processor time", "cpu")):
            one, other, start = (getattr(cost, field) for cost in (own, peer, empty))
            lines.append(
                f"| {number} | {label} | {one:.2f} s | {other:.2f} s | {other / one:.1f} | {net(one, other, start)} |"
            )
    lines.append(f"\nAn empty playbook: {empty.wall:.2f} s wall time, {empty.cpu:.2f} s processor time.")
    for number, (own, peer) in results.items():
        net_own, net_peer = own.over(empty), peer.over(empty)
        lines.append(
            f"With the start subtracted, {number} hosts: {net_own.wall:.3f} s against {net_peer.wall:.2f} s wall time,"
            f" {net_own.cpu:.3f} s against {net_peer.cpu:.2f} s processor time."
        )
    return "\n".join(lines)


def net(one: float, other: float, start: float) -> str:
    """The ratio without the start; what is too small to be measured beside it counts as that much."""
    ratio = (other - start) / max(one - start, SMALLEST)
    return f"over {ratio:.0f}" if one - start < SMALLEST else f"{ratio:.0f}"


def judge(empty: Cost, results: dict[int, tuple[Cost, Cost]]) -> list[str]:
    """Where the ratios are below what is expected."""
    short = []
    for number, least in EXPECTED.items():
        own, peer = results[number]
        ratio = (peer.wall - empty.wall) / max(own.wall - empty.wall, SMALLEST)
        if ratio < least:
            short.append(f"{number} hosts: {ratio:.0f} times faster, expected were {least}")
    return short


def versions(bench: Bench) -> str:
    """What was measured."""
    core = subprocess.run(
        [str(bench.program), "--version"], env=bench.environment, capture_output=True, text=True, check=True
    ).stdout.splitlines()[0]
    code = "import ansible_collections.community.crypto as c, json, pathlib as p, sys; print(json.loads(p.Path(list(" \
           "c.__path__)[0], 'MANIFEST.json').read_text())['collection_info']['version'])"  # fmt: skip
    crypto = subprocess.run(
        [str(bench.program.with_name("python")), "-c", code], capture_output=True, text=True, check=True
    ).stdout.strip()
    return f"{core}, community.crypto {crypto}, Python {platform.python_version()}, {os.cpu_count()} processors"


def main() -> int:
    venv, collections = Path(sys.argv[1]).absolute(), os.path.abspath(sys.argv[2])
    prepare(venv)
    with tempfile.TemporaryDirectory() as name:
        bench = Bench(venv, collections, Path(name))
        empty: list[Cost] = [bench.run([])]
        results = {}
        for number in SIZES:
            own: list[Cost] = []
            peer: list[Cost] = []
            for turn in range(max(OWN_RUNS, RUNS[number])):
                empty.append(bench.run([]))
                own.append(bench.measure(own_tasks, number))
                if turn < RUNS[number]:
                    peer.append(bench.measure(peer_tasks, number))
            results[number] = measured.median(own), measured.median(peer)
            print(
                f"{number} hosts: {results[number][0].wall:.2f} s against {results[number][1].wall:.2f} s", flush=True
            )
        start = measured.median(empty)
        text = f"{versions(bench)}\n\n{table(start, results)}"
    print(f"\n{text}\n")
    if len(sys.argv) > 3:
        measured.write(Path(sys.argv[3]), "measured", text)
    short = judge(start, results)
    print("\n".join(short) or "All ratios are as expected.")
    return 1 if short else 0


if __name__ == "__main__":
    sys.exit(main())
