# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every command and playbook of the documentation, in the order of the page, against a local Azure of its own.

Each fenced block has a language. Those of ``shell`` are run, those of ``yaml`` are run as a playbook or as tasks. A
remark on the line before a block says otherwise:

- ``<!-- file: NAME -->``: it is written to a file, which a later command of the page uses;
- ``<!-- not run: REASON -->``: it is not run, and NOT_RUN below names it, too.

Blocks of ``text``, ``json`` and ``mermaid`` are no commands.
"""

from __future__ import annotations

import collections
import importlib
import json
import re
import shlex
import subprocess
import typing as t
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.parsing.splitter import parse_kv

from ansible_collections.dockerhost.azure.plugins.module_utils._role.options import PREFIX, RoleVariables
from azure_emulator.launcher import LocalAzure
from azure_emulator.vault.testing import make_vault

from .conftest import BIN, REPOSITORY, User
from .links import LINK, ONLINE, dead_links, prose

PAGES = [
    *(REPOSITORY / name for name in ("README.md", "CONTRIBUTING.md", "roles/docker_host/README.md")),
    *sorted((REPOSITORY / "docs").glob("*.md")),
]
FENCE = re.compile(r"^ *```(?P<language>\w*)(?P<rest>.*)$")
REMARK = re.compile(r"^<!-- (?P<kind>file|not run): (?P<text>.+) -->$")
COMMANDS = (
    *("ansible-", "docker ", "export ", "ls ", "pip ", "python", "az ", "make ", "ssh ", "sudo ", "$ ", "curl "),
    *("git ", "cd ", "apt", "systemctl ", "journalctl", "openssl ", "ssh-keygen ", "ssh-keyscan ", "waagent"),
)
DATA = ("text", "json", "mermaid")
SLOW = {"README", "docker_host-README", "fleets", "migrating", "own-playbooks", "private-networks", "security"}

# Files that a command reads by their own names, with the command.
FOUND_BY: dict[str, str] = {
    "molecule/default/molecule.yml": "molecule test",
    "molecule/default/converge.yml": "molecule test",
    "molecule/default/verify.yml": "molecule test",
    "ansible-navigator.yml": "ansible-navigator run",
}

# What no test of this file can run: page, beginning of the block, and with it who does or why nobody can.
NOT_RUN: dict[tuple[str, str], str] = {
    ("README", "make demo"): "tests/e2e/test_demo.py",
    ("README", "make test"): "it runs this test",
    ("README", "ansible-galaxy collection install"): "the internet and a subscription",
    ("CONTRIBUTING", "make quick"): "make test, among them, runs this test",
    ("awx", "cd examples/awx"): "the internet; test_awx_project.py compares the files that it writes",
    ("certificates", "openssl req -new"): "tests/integration/test_playbook_certificates.py",
    ("certificates", "az keyvault create"): "a subscription; tests/unit/emulator/vault makes vaults",
    ("clients", "python -m azure_emulator --ready-file cloud.json &"): "tests/clients/test_az.py",
    ("clients", "- name: Ask the engine"): "tests/e2e/test_examples.py and tests/clients: it runs a container",
    ("docker_host-README", "- name: Use the new hosts in the same run"): "tests/e2e/test_examples.py",
    ("cost", "ansible-playbook dockerhost.azure.stop_docker_host"): "test_commands[getting-started]",
    ("cost", "ansible-playbook dockerhost.azure.delete_docker_host"): "test_commands[getting-started]",
    ("extension", "python3 plugins/plugin_utils/_bundle.py"): "tests/unit/plugins/plugin_utils/test_bundle.py",
    ("extension", "python3 docker_setup.py"): "tests/e2e/test_setup_program.py: root on a machine of its own",
    ("getting-started", "pip install ansible-core"): "the internet",
    ("getting-started", "az ad sp create-for-rbac"): "a subscription",
    ("getting-started", "docker --context web1 run --rm hello-world"): "tests/e2e/test_examples.py",
    ("own-playbooks", "python -m azure_emulator run"): "test_the_molecule_scenario runs its playbooks",
    (
        "own-playbooks",
        "ansible-navigator run",
    ): "ansible-navigator; test_settings_of_ansible_navigator_follow_its_schema",
    ("local-azure", "python3 -m venv venv"): "tests/clients/test_for_users.py",
    ("local-azure", "python -m azure_emulator --state-dir"): "tests/unit/emulator",
    ("local-azure", "python -m azure_emulator exec"): "tests/unit/emulator/test_run.py",
    ("local-azure", "from azure_emulator.launcher import LocalAzure"): "every test of this directory",
    ("local-azure", "python -m azure_emulator.machines.names"): "conftest.py, for every command of these tests",
    ("local-azure", "azure.fault("): "tests/unit/emulator",
    ("local-azure", "export AZURE_CONFIG_DIR"): "tests/clients/test_az.py",
    ("private-networks", "ssh -N -L 127.0.0.1:14243:10.0.0.4:4243"): "tests/e2e/test_examples.py",
    ("private-networks", "docker --tlsverify -H tcp://127.0.0.1:14243 info"): "tests/e2e/test_examples.py",
    ("real-azure", "make real-azure CONFIRM=yes"): "test_real_azure.py runs its program",
    ("rights", "az role definition create"): "a subscription",
}


class Block(t.NamedTuple):
    """One fenced block of a page."""

    line: int
    remark: str
    text: str
    language: str
    content: str

    @property
    def runs(self) -> bool:
        return self.language in ("shell", "yaml", "python") and not self.remark


def name_of(page: Path) -> str:
    return f"{page.parent.name}-{page.stem}" if page.parent.parent.name == "roles" else page.stem


def blocks(page: Path) -> list[Block]:
    """The blocks of a page; a fence that is never closed is an error."""
    found: list[Block] = []
    lines = page.read_text().splitlines()
    opened: tuple[int, str] | None = None
    for number, line in enumerate(lines):
        fence = FENCE.match(line)
        if not fence:
            continue
        if opened is None:
            assert not fence["rest"], f"{page.name}:{number + 1}: {line}"
            opened = (number, fence["language"])
            continue
        start, language = opened
        remark = REMARK.match(lines[start - 1]) if start else None
        content = "\n".join(lines[start + 1 : number]) + "\n"
        found.append(
            Block(start + 1, remark["kind"] if remark else "", remark["text"] if remark else "", language, content)
        )
        opened = None
    assert opened is None, f"{page.name}: a block without an end"
    return found


def with_commands() -> t.Iterator[t.Any]:
    """Pages with commands; of those that need hosts only the first that a newcomer follows is run every time."""
    for page in PAGES:
        if any(block.runs for block in blocks(page)):
            slow = name_of(page) in SLOW
            yield pytest.param(page, id=name_of(page), marks=[pytest.mark.slow] if slow else [])


@pytest.mark.parametrize("page", list(with_commands()))
def test_commands(page: Path, tmp_path: Path) -> None:
    with LocalAzure(machines="stand-in") as azure:
        user = User(azure, tmp_path / "home")
        make_vault(azure, "contoso-docker")
        tasks: list[t.Any] = []
        for block in blocks(page):
            if block.remark == "file":
                (user.home / block.text).parent.mkdir(parents=True, exist_ok=True)
                (user.home / block.text).write_text(block.content)
            elif block.runs and block.language == "yaml" and not is_playbook(block):
                # Tasks of one page belong together: later ones use what earlier ones registered.
                tasks += yaml.safe_load(block.content)
            elif block.runs:
                ran = user.run(*command(block, user.home))
                assert ran.code == 0, f"{page.name}:{block.line}: {block.content}\n{ran.output[-6000:]}"
        if tasks:
            play = {"hosts": "localhost", "gather_facts": False, "tasks": tasks}
            (user.home / "tasks.yml").write_text(json.dumps([play]))
            user.play(str(user.home / "tasks.yml"))


def is_playbook(block: Block) -> bool:
    items = yaml.safe_load(block.content)
    return all("hosts" in item or "ansible.builtin.import_playbook" in item for item in items)


def command(block: Block, home: Path) -> list[str]:
    if block.language == "shell":
        return ["bash", "-euo", "pipefail", "-c", block.content]
    if block.language == "python":
        return [str(BIN / "python"), "-c", block.content]
    path = home / f"line{block.line}.yml"
    path.write_text(block.content)
    hosts = sorted(
        {word for play in yaml.safe_load(block.content) for word in [play.get("hosts")] if word != "localhost"}
    )
    (home / "hosts.json").write_text(
        json.dumps({group: {"hosts": {f"{group}-1".replace("_", "-"): None}} for group in hosts})
    )
    return ["ansible-playbook", "-i", str(home / "hosts.json"), str(path)]


def test_every_block_is_run_or_is_named_with_a_reason() -> None:
    """Nothing is passed over in silence: what is not run stands in NOT_RUN, and what stands there is not run."""
    ran: collections.Counter[str] = collections.Counter()
    named: collections.Counter[tuple[str, str]] = collections.Counter()
    for page in PAGES:
        files = {block.text for block in blocks(page) if block.remark == "file"}
        later = "\n".join(block.content for block in blocks(page) if block.language == "shell")
        for name in files:
            assert FOUND_BY.get(name, name) in later, f"{page.name}: no command uses the file {name}"
        for block in blocks(page):
            place = f"{page.name}:{block.line}"
            assert block.language in ("shell", "yaml", "python", *DATA), (
                f"{place}: say what it is: shell, yaml, text ..."
            )
            if block.language in DATA:
                commands = [line for line in block.content.splitlines() if line.strip().startswith(COMMANDS)]
                assert block.language != "text" or not commands, f"{place}: a command that nobody runs"
            elif block.remark == "not run":
                keys = [(name, start) for name, start in NOT_RUN if name == name_of(page)]
                named.update(key for key in keys if block.content.startswith(key[1]))
                assert any(block.content.startswith(start) for _page, start in keys), f"{place}: not in NOT_RUN"
            else:
                ran[block.remark or block.language] += 1
    assert named == dict.fromkeys(NOT_RUN, 1)
    assert ran["shell"] >= 17, ran
    assert ran["yaml"] >= 5, ran
    assert ran["file"] >= 4, ran


def files_of(page: Path) -> dict[str, str]:
    """Return the contents of a page's files by their names."""
    return {block.text: block.content for block in blocks(page) if block.remark == "file"}


VALIDATE = "import json, sys, jsonschema; jsonschema.validate(*(json.load(open(path)) for path in sys.argv[1:]))"


@pytest.mark.slow
def test_settings_of_ansible_navigator_follow_its_schema(tmp_path: Path) -> None:
    """The schema is the tool's own; ansible-lint has a copy, and jsonschema to read it."""
    (rules,) = BIN.parent.glob("lib/python*/site-packages/ansiblelint/schemas/ansible-navigator.json")
    settings = yaml.safe_load(files_of(REPOSITORY / "docs" / "own-playbooks.md")["ansible-navigator.yml"])
    for given, valid in ((settings, True), ({**settings, "unknown": True}, False)):
        path = tmp_path / f"{valid}.json"
        path.write_text(json.dumps(given))
        ran = subprocess.run(
            [str(BIN / "python"), "-c", VALIDATE, str(path), str(rules)], capture_output=True, text=True, check=False
        )
        assert (ran.returncode == 0) == valid, ran.stderr
        assert valid or "ValidationError" in ran.stderr


@pytest.mark.slow
def test_the_molecule_scenario(azure: LocalAzure, user: User) -> None:
    """Its playbooks, with the inventory that Molecule makes of the platforms, and a second time for idempotence."""
    files = files_of(REPOSITORY / "docs" / "own-playbooks.md")
    scenario = yaml.safe_load(files["molecule/default/molecule.yml"])
    assert scenario["scenario"]["test_sequence"] == ["syntax", "converge", "idempotence", "verify"]
    hosts: dict[str, t.Any] = {platform["name"]: {} for platform in scenario["platforms"]}
    groups = {group for platform in scenario["platforms"] for group in platform["groups"]}
    (user.home / "inventory.json").write_text(json.dumps({group: {"hosts": hosts} for group in groups}))
    for name in ("converge", "verify"):
        (user.home / f"{name}.yml").write_text(files[f"molecule/default/{name}.yml"])
    for name in ("converge", "converge", "verify"):
        user.writes()
        ran = user.run("ansible-playbook", "-i", "inventory.json", f"{name}.yml")
        assert ran.code == 0, ran.output
    assert user.writes() == []
    assert [name for name in azure.names() if name.startswith("app5")]


# Commands in the text and in tables that no block of the page has: what runs them, or why nobody can. Targets of make
# are looked up instead.
INLINE = {
    "ansible-builder build -t docker-hosts": "test_awx_project.py makes its context; a container engine would build it",
    "ansible-doc -t role dockerhost.azure.docker_host": "test_commands_in_the_text",
    "ansible-inventory --list": "tests/benchmarks/bench_inventory.py",
    "ansible-inventory -i docker_vm_host.yml --graph": "a block of fleets.md",
    "ansible-playbook playbooks/create_docker_host.yml -e ...": "test_playbooks.py::test_all_by_file",
    "az account set": "a subscription",
    "az login": "a subscription",
    "az rest": "tests/clients/test_az.py",
    "az vm create": "tests/clients/test_az.py",
    "az vm auto-shutdown": "tests/clients/test_az.py",
    "az vm list-skus": "why it is slow; nobody needs it here",
    "az vm image terms accept": "a subscription",
    "journalctl -u docker-host-boot": "the service of tests/e2e/test_at_boot.py",
    "docker --tls": "what it was before",
    "docker --tlsverify": "a block of private-networks.md, with an address",
    "docker context use web1": "test_playbooks.py; a block of getting-started.md names the context",
    "docker is installed as a snap": "the setup program's words in troubleshooting.md",
    "docker info": "tests/e2e/test_main_job.py",
    "docker swarm init": "docker's own",
    "python -m azure_conformance DIRECTORY": "tests/conformance/test_recordings.py",
    "python -m clients.soak --seed N": "make short-soak",
    "ssh azureuser@ADDRESS": "tests/e2e/test_ssh_port.py",
    "ssh-keygen -y -f KEY": "tests/unit/plugins/module_utils/_vm_host/desired/test_ssh_keys.py has ssh-keygen's keys",
}


def test_commands_in_the_text_are_named(azure: LocalAzure, tmp_path: Path) -> None:
    targets = set(re.findall(r"^([a-z0-9-]+):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE))
    found: set[str] = set()
    for page in PAGES:
        text = re.sub(r"^ *```.*?^ *```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
        for span in re.findall(r"`([^`\n]+)`", text):
            if span.startswith("make "):
                assert span.split()[1] in targets, f"{page.name}: {span}"
            elif " " in span and span.startswith(COMMANDS):
                found.add(span)
    assert found == set(INLINE)
    ran = User(azure, tmp_path / "home").run("ansible-doc", "-t", "role", "dockerhost.azure.docker_host")
    assert ran.code == 0, ran.output
    assert "docker_host_name" in ran.output


COMMENTS = sorted({*(REPOSITORY / "playbooks").glob("*.yml"), *(REPOSITORY / "examples").rglob("*.yml")})


def test_commands_in_comments_name_files_and_variables_that_exist() -> None:
    """How to run a playbook stands at its top: files, playbooks and variables are looked up, and who runs it."""
    entries = yaml.safe_load(SPECS.read_text())["argument_specs"]
    known = {name for entry in entries.values() for name in entry["options"]} | OTHER_NAMES
    runs = "\n".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
    checked = 0
    for path in COMMENTS:
        comment = " ".join(line[1:] for line in path.read_text().splitlines() if line.startswith("#"))
        for arguments in re.findall(r"ansible-playbook ((?:-\w \S+ +|\S+\.yml|dockerhost\.azure\.\w+| )+)", comment):
            for word in arguments.split():
                if word.startswith("dockerhost.azure."):
                    name = word.removeprefix("dockerhost.azure.")
                    assert (REPOSITORY / "playbooks" / f"{name}.yml").exists(), f"{path.name}: {word}"
                    assert f'"{name}"' in runs, word
                elif word.endswith(".yml") and path.parent.name != "playbooks":
                    assert (path.parent / word).exists(), f"{path}: {word}"
                named = re.match(r"(docker_(?:host|images)_\w+)=", word)
                assert not named or named[1] in known, f"{path.name}: {word}"
                checked += 1
    assert checked >= 30


# --- links -----------------------------------------------------------------------------------------------

ALL_PAGES = sorted({*PAGES, *REPOSITORY.glob("*.md"), *(REPOSITORY / "examples").rglob("*.md")})


@pytest.mark.parametrize("page", ALL_PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_links_lead_somewhere(page: Path) -> None:
    assert dead_links(page, REPOSITORY) == []


def test_every_page_can_be_found() -> None:
    """From the README, by links."""
    seen = {REPOSITORY / "README.md"}
    todo = list(seen)
    while todo:
        page = todo.pop()
        for match in LINK.finditer(prose(page)):
            path = urlsplit(ONLINE.sub("", match["target"])).path
            home = REPOSITORY if ONLINE.match(match["target"]) else page.parent
            found = (home / path).resolve()
            if path.endswith(".md") and found not in seen:
                seen.add(found)
                todo.append(found)
    assert {page.name for page in PAGES if page.parent.name == "docs"} <= {page.name for page in seen}


# --- what the pages speak of --------------------------------------------------------------------------------

# Variables of playbooks and results of the role; all others are in its argument specs.
OTHER_NAMES = {
    *("docker_host_targets", "docker_host_power", "docker_host_client_name", "docker_host_client_request"),
    *("docker_host_facts", "docker_host_images", "docker_host_deletion"),
}
SPECS = REPOSITORY / "roles/docker_host/meta/argument_specs.yml"


def test_every_variable_that_a_page_names_exists() -> None:
    entries = yaml.safe_load(SPECS.read_text())["argument_specs"]
    known = {name for entry in entries.values() for name in entry["options"]} | OTHER_NAMES
    known |= {path.stem for folder in ("playbooks", "plugins/modules") for path in (REPOSITORY / folder).glob("*.*")}
    for page in PAGES:
        named = set(re.findall(r"(?<!\.)\bdocker_host_[a-z_]+\b", page.read_text()))
        assert named <= known, f"{page.name}: {sorted(named - known)}"


TYPED = re.compile(r"-e ('[^']+'|\w+=[^\s`]+)")
STAGES = ("docker_vm_host", "docker_tls_certs", "docker_vm_extension", "docker_context", "docker_endpoint_info")


def test_values_that_a_page_types_are_what_the_modules_take() -> None:
    """Each ``-e`` of a block or table, read as ansible-playbook reads it, and the options that the role makes of it."""
    lists, checked = 0, 0
    for page, word in [(name_of(one), word) for one in PAGES for word in TYPED.findall(one.read_text())]:
        (typed,) = shlex.split(word)
        given = json.loads(typed) if typed.startswith("{") else parse_kv(typed)
        assert "_raw_params" not in given, f"{page}: {word}: a blank ends the value"
        known = {"inventory_hostname": "localhost", "docker_host_name": "web1", **given}
        role = RoleVariables(known.get, known.__contains__)
        for stage in STAGES:
            used = importlib.import_module(f"ansible_collections.dockerhost.azure.plugins.modules.{stage}").BACKEND.spec
            options = {name: value for name, value in role.options("create", stage).items() if PREFIX + name in given}
            spec = {name: {**used.argument_spec[name], "required": False} for name in options}
            result = ArgumentSpecValidator(spec).validate(options)
            assert result.error_messages == [], f"{page}: {word}"
            for value in options.values():
                elements = value if isinstance(value, list) else []
                assert not [element for element in elements if re.search(r"[][\"']", str(element))], word
                lists += bool(elements)
            checked += len(options)
    assert checked > 30
    assert lists > 5


OLD_OPTIONS = [
    line for line in (Path(__file__).parent / "old_options.txt").read_text().splitlines() if line.startswith("--")
]


def test_migrating_knows_every_old_option() -> None:
    rows = [line.split("|")[1] for line in (REPOSITORY / "docs/migrating.md").read_text().splitlines() if "|" in line]
    named = set(re.findall(r"--[a-z-]+[a-z]", " ".join(rows)))
    assert set(OLD_OPTIONS) <= named, sorted(set(OLD_OPTIONS) - named)


# Texts that come from Azure, from the agent, from docker or from others, and are quoted as they are known.
FOREIGN_TEXTS = {
    "AuthorizationFailed", "SkuNotAvailable", "OperationNotAllowed", "DnsRecordInUse",
    "MissingSubscriptionRegistration", "SubscriptionRequestsThrottled",
    "unable to get local issuer certificate", "certificate relies on legacy Common Name field",
    "context deadline exceeded", "UNREACHABLE", "Validation of arguments failed",
    "Failed to import the required Python library",
    "is too old. Minimum supported API version",
    "--live-restore daemon configuration is incompatible with swarm mode",
}  # fmt: skip


def test_every_error_that_troubleshooting_quotes_is_ours() -> None:
    """Texts and kinds of the first column, word for word in the sources."""
    roots = [REPOSITORY / "plugins", REPOSITORY / "roles"]
    files = [path for root in roots for path in root.rglob("*") if path.suffix in (".py", ".yml")]
    joined = re.sub(r'"\s*\n\s*f?"', "", "\n".join(path.read_text() for path in files))
    sources = re.sub(r"\s+", " ", joined)
    quoted = 0
    for line in (REPOSITORY / "docs/troubleshooting.md").read_text().splitlines():
        if not line.startswith("| ") or line.startswith("| ---"):
            continue
        for text in re.findall(r"`([^`]+)`", line.split("|")[1]):
            quoted += 1
            assert text in sources or text in FOREIGN_TEXTS or text in PROGRAMS, text
    assert quoted >= 25


PROGRAMS = {"docker", "docker_api", "pipelining"}


def test_examples_of_the_inventory_are_what_the_plugin_takes(azure: LocalAzure, tmp_path: Path) -> None:
    user = User(azure, tmp_path / "home")
    told = user.run("ansible-doc", "-t", "inventory", "-j", "dockerhost.azure.docker_vm_host")
    assert told.code == 0, told.output
    (plugin,) = json.loads(told.output).values()
    options = plugin["doc"]["options"]
    types = {"list": list, "dict": dict, "bool": bool, "str": str, "path": str, "int": int, "float": float}
    examples = list(yaml.safe_load_all(plugin["examples"]))
    assert len(examples) >= 2
    for example in examples:
        for name, value in example.items():
            assert name in options, name
            assert isinstance(value, types[options[name].get("type", "str")]), f"{name}: {value}"
            assert value in options[name].get("choices", [value])
        # Groups that exist are the only thing that they lack here.
        example.pop("resource_groups", None)
        (user.home / "docker_vm_host.yml").write_text(yaml.safe_dump({**example, "cache": False, "strict": True}))
        ran = user.run(
            *("ansible-inventory", "-i", "docker_vm_host.yml", "--list"),
            environment={"ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "true"},
        )
        assert ran.code == 0, ran.output


# --- examples in the reference --------------------------------------------------------------------------------

MODULES = sorted(path.stem for path in (REPOSITORY / "plugins/modules").glob("docker_*.py"))


@pytest.mark.parametrize("name", MODULES)
def test_examples_of_the_reference_are_what_the_module_takes(name: str) -> None:
    """Each task of a module's EXAMPLES, with something of the right type where a template stands."""
    module = importlib.import_module(f"ansible_collections.dockerhost.azure.plugins.modules.{name}")
    tasks = yaml.safe_load(module.EXAMPLES)
    checked = 0
    for task in [part for item in tasks for part in item.get("tasks", [item])]:
        for key, value in task.items():
            if not key.startswith("dockerhost.azure."):
                continue
            used = importlib.import_module(f"ansible_collections.dockerhost.azure.plugins.modules.{key.split('.')[2]}")
            if not isinstance(value, dict | None) or not hasattr(used, "BACKEND"):
                continue
            given = {**task.get("module_defaults", {}).get("group/dockerhost.azure.all", {}), **(value or {})}
            spec = {option: dict(details) for option, details in used.BACKEND.spec.argument_spec.items()}
            result = ArgumentSpecValidator(spec, **used.BACKEND.spec.rules()).validate(filled(given, spec))
            assert result.error_messages == [], f"{name}: {task}"
            checked += 1
    assert checked or not hasattr(module, "BACKEND"), name


def filled(given: dict[str, t.Any], spec: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return options with a sample of the right type for each template, those in lists and suboptions too."""
    return {key: sample(value, spec[key]) if key in spec else value for key, value in given.items()}


def sample(value: t.Any, option: dict[str, t.Any]) -> t.Any:
    samples = {"str": "x", "path": "/x", "int": 1, "float": 1.0, "bool": True, "list": [], "dict": {}, "raw": "x"}
    if isinstance(value, list):
        return [sample(element, {**option, "type": option.get("elements", "raw")}) for element in value]
    if isinstance(value, dict):
        return filled(value, option.get("options") or {})
    if isinstance(value, str) and "{{" in value:
        return option.get("choices", [samples[option.get("type", "str")]])[0]
    return value
