# dockerhost.azure: `make demo` does the main job on the local Azure, `make test` runs every test but the longest.
# Every target does its own set-up, below .build, .cache, .venv and .venvs; `make clean` removes them.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

TOP := $(CURDIR)
BUILD := $(TOP)/.build
CACHE := $(TOP)/.cache
VENV := $(TOP)/.venv
PYTHON ?= python3
# Tests at a time. Part of their time they wait for operations of the local Azure.
JOBS ?= 4
DEV := $(BUILD)/dev
COLLECTIONS := $(BUILD)/collections

export JOBS
# Each of thousands of commands would compile what it imports.
unexport PYTHONDONTWRITEBYTECODE
export DOCKERHOST_CACHE := $(CACHE)
export DOCKERHOST_VENVS := $(TOP)/.venvs
export ANSIBLE_HOME := $(BUILD)/ansible
export PIP_CACHE_DIR := $(CACHE)/pip
export npm_config_cache := $(CACHE)/npm
export PATH := $(VENV)/bin:$(CACHE)/bin:$(PATH)
# The tests and the demo talk to their own servers: a CA bundle meant for the outside must not decide whom they trust. Some
# tests run make, which is to know nothing of this one.
RUN := env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL -u REQUESTS_CA_BUNDLE -u CURL_CA_BUNDLE -u SSL_CERT_FILE -u SSL_CERT_DIR -u ANSIBLE_CONFIG

SOURCES := $(shell git ls-files --cached --others --exclude-standard ':!playbooks/collections' ':!docs/clients.md' ':!docs/local-azure.md' ':!docs/real-azure.md' plugins roles playbooks meta docs galaxy.yml README.md LICENSE CHANGELOG.md changelogs 2>/dev/null)

.PHONY: help
help:  ## Show the targets
	@tools/help.sh $(MAKEFILE_LIST)

# --- set-up ------------------------------------------------------------------------------------------------------

$(BUILD)/system.stamp: tools/system.sh
	@tools/system.sh $(CACHE)
	@mkdir -p $(@D) && touch $@

$(BUILD)/system-tests.stamp: tools/system.sh | $(BUILD)/system.stamp
	@tools/system.sh $(CACHE) tests
	@touch $@

# One apt at a time: not beside the packages above.
$(BUILD)/system-browser.stamp: tools/system.sh | $(BUILD)/system-tests.stamp
	@tools/system.sh $(CACHE) browser
	@touch $@

# Environments are known by what they were made from: the stamps of other requirements stay without effect.
DEMO_NEEDS := meta/ee-requirements.txt tools/requirements.txt tests/emulator/pyproject.toml
DEMO_STAMP := $(VENV)/demo-$(shell cat $(DEMO_NEEDS) | cksum | cut -d ' ' -f 1).stamp
TESTS_STAMP := $(VENV)/tests-$(shell cat $(DEMO_NEEDS) tests/requirements.txt | cksum | cut -d ' ' -f 1).stamp
INSTALL := $(PYTHON) tools/venv.py $(VENV) --python $(PYTHON) --cache $(CACHE) -r meta/ee-requirements.txt -r tools/requirements.txt -e tests/emulator

$(DEMO_STAMP): | $(BUILD)/system.stamp
	@$(INSTALL)
	@touch $@

$(TESTS_STAMP): | $(BUILD)/system-tests.stamp
	@$(INSTALL) -r tests/requirements.txt
	@touch $@ $(DEMO_STAMP)

.PHONY: system python-demo python
system: $(BUILD)/system.stamp  ## Install the system packages that the demo needs (as root), or say which are missing
	@echo "$@: passed, everything is installed that this user can install"

python-demo: $(DEMO_STAMP)  ## Make the virtual environment with what the demo needs
	@echo "$@: passed, $(VENV) has what the demo needs"

python: $(TESTS_STAMP)  ## Make the virtual environment with what the checks and tests need, too
	@echo "$@: passed, $(VENV) has what the checks and tests need"

.PHONY: dev
dev: $(TESTS_STAMP)  ## Make the working tree importable as a collection (for the checks and the unit tests)
	@mkdir -p $(BUILD)/home $(DEV)/ansible_collections/dockerhost
	@ln -sfn ../../../.. $(DEV)/ansible_collections/dockerhost/azure

# The artifact is built by ansible-core, which the demo has.
$(BUILD)/collection.stamp: $(SOURCES) | $(DEMO_STAMP)
	@tools/install.sh $(BUILD) $(COLLECTIONS)
	@touch $@

.PHONY: install
install: $(BUILD)/collection.stamp  ## Build the collection artifact and install it below .build/collections

.PHONY: guests guests-13 guests-cloud-init
guests: | $(DEMO_STAMP)  ## Make the Debian tree and package pool that real guests use (cached)
	@$(RUN) python -m azure_emulator.machines.build --cache-dir $(CACHE) --if-possible

guests-13: guests  ## Make those of Debian 13 too, which the end-to-end tests use (cached)
	@$(RUN) python -m azure_emulator.machines.build --cache-dir $(CACHE) --if-possible --release trixie

guests-cloud-init: guests  ## Add Debian's cloud-init to that tree, as a layer of its own (cached)
	@$(RUN) python -m azure_emulator.machines.build --cache-dir $(CACHE) --if-possible --with-cloud-init

# --- the main job ------------------------------------------------------------------------------------------------

.PHONY: demo demo-stop
demo:  ## A Docker host on a local Azure, from nothing to a running container
	@tools/demo.sh

demo-stop:  ## Stop the demo and remove what it made
	@tools/demo.sh stop

# Not with RUN: the way to the real Azure may need the user's CA bundle.
.PHONY: real-azure
real-azure: install  ## The main job on a real subscription: shows the cost, CONFIRM=yes begins, writes a report (docs/real-azure.md)
	@CONFIRM="$(CONFIRM)" LOCATION="$(LOCATION)" python tools/real_azure.py --collections $(COLLECTIONS) --work $(BUILD)/real-azure
	@echo "$@: passed, every step was as expected"

# --- checks and tests --------------------------------------------------------------------------------------------

# What a check finds depends on the files of the tree alone: the same files are not checked twice (cached in .cache/checks).
ONCE := python tools/once.py $(CACHE)/checks
# antsibull-docs and antsibull-changelog write a log into HOME.
ANTSIBULL := HOME=$(BUILD)/home
CHECKS := sanity-pylint sanity ansible-lint galaxy mypy docs-lint reuse yamllint changelog-lint ruff

# Two targets at a time, the longest first: where one of them waits, the other one computes. A rule that uses it begins with
# +, so that a make that runs several targets already hands its own number on.
TWO = $(MAKE) --no-print-directory $(if $(findstring jobserver,$(MAKEFLAGS)),,-j 2 --output-sync=target)

.PHONY: check quick-check $(CHECKS)
check: dev install  ## Every static check, two at a time, the longest first
	+@$(TWO) $(CHECKS)
	@echo "$@: passed, all of: $(CHECKS)"

ruff: dev  ## Python: style, mistakes and format
	@ruff check --quiet .
	@ruff format --check --quiet . || { ruff format --check . ; exit 1; }
	@echo "$@: passed, every Python file"

mypy: dev  ## Python: strict types of the plugins and the local Azure
	@MYPYPATH=$(DEV):$(TOP)/tests/emulator:$(TOP)/tests/conformance mypy --no-error-summary -p ansible_collections.dockerhost.azure.plugins -p azure_emulator -p azure_conformance
	@echo "$@: passed, every plugin and the local Azure"

yamllint: dev  ## YAML: style and mistakes
	@yamllint --strict .
	@echo "$@: passed, every YAML file"

ansible-lint: install  ## Playbooks, roles and examples against ansible-lint's profile "production"
	@$(ONCE) $@ tree tools/quiet.sh $(RUN) ANSIBLE_COLLECTIONS_PATH=$(COLLECTIONS) ansible-lint --profile production --offline -q
	@echo "$@: passed, every playbook, role and example"

docs-lint: dev install  ## Documentation of the plugins and the role, with every reference in it
	@$(ONCE) $@ artifact tools/quiet.sh $(RUN) $(ANTSIBULL) ANSIBLE_COLLECTIONS_PATH=$(COLLECTIONS) antsibull-docs lint-collection-docs --plugin-docs --validate-collection-refs=all --skip-rstcheck $(COLLECTIONS)/ansible_collections/dockerhost/azure
	@echo "$@: passed, the documentation of every plugin and the role"

changelog-lint: dev  ## The changelog and its fragments
	@$(ANTSIBULL) ANSIBLE_COLLECTIONS_PATH=$(DEV) antsibull-changelog lint
	@echo "$@: passed, the changelog and its fragments"

reuse: dev  ## Every file says whose it is and under which licence
	@reuse lint --lines
	@echo "$@: passed, the licence of every file"

galaxy: install  ## The artifact passes Galaxy's own importer (cached below .venvs)
	@$(ONCE) $@ artifact tools/galaxy.sh $(PYTHON) $(BUILD) $(DOCKERHOST_VENVS)
	@echo "$@: passed, the artifact"

sanity: dev  ## ansible-test sanity, but for pylint
	@$(ONCE) $@ tree tools/quiet.sh tools/sanity.sh $(BUILD)/sanity --skip-test pylint
	@echo "$@: passed, every test of ansible-test sanity but pylint"

sanity-pylint: dev  ## ansible-test sanity, pylint alone, which takes as long as all others
	@$(ONCE) $@ tree tools/quiet.sh tools/sanity.sh $(BUILD)/sanity-pylint --test pylint
	@echo "$@: passed, pylint of ansible-test sanity"

quick-check: dev  ## The checks that take seconds
	+@$(TWO) mypy yamllint changelog-lint ruff
	@echo "$@: passed, the checks that take seconds"

.PHONY: quick
quick: dev  ## Within a minute: fast checks, and the unit tests that a change since main affects (BASE=branch: since that)
	@$(MAKE) --no-print-directory quick-check
	@tests=$$(python tools/affected.py $(or $(BASE),main)); [ -z "$$tests" ] || \
	DOCKERHOST_UNTIL=$$(( $$(date +%s) + 35 )) $(PYTEST) -n $(JOBS) --dist loadgroup -m "not slow" $$tests
	@echo "$@: passed, fast checks and what half a minute holds of the unit tests that a change since $(or $(BASE),main) affects"

# The marker "slow" is for what takes minutes by itself: `make test-slow` runs it. The marker "modules" is for what
# `make test-matrix` runs with the newest ansible-core that is there.
# What Ansible's processes compile anew, each for itself, is kept below .build/bytecode (tests/bytecode).
PYTEST := $(RUN) PYTHONPATH=$(DEV):$(TOP)/tests/emulator:$(TOP)/tests/bytecode DOCKERHOST_BUILD=$(BUILD) DOCKERHOST_COLLECTIONS_PATH=$(COLLECTIONS) python -m pytest -q

.PHONY: unit integration conformance e2e test
unit: dev guests-cloud-init  ## Unit tests, the local Azure's and its machines' among them
	@$(PYTEST) -n $(JOBS) --dist loadgroup -m "not slow" tests/unit
	@echo "$@: passed, every unit test but the slow ones"

integration: dev install  ## Integration targets, through ansible-playbook, against the local Azure
	@$(PYTEST) -n $(JOBS) --dist loadgroup -m "not slow and not modules" tests/integration
	@echo "$@: passed, every integration test but the slow ones"

# What the comparison with recorded traffic counts is written into the documentation by the same run.
conformance: export CONFORMANCE_DOCS := $(TOP)/docs/local-azure.md
conformance: dev install  ## The local Azure against Microsoft's specifications and recorded traffic
	@$(PYTEST) -m "not slow" tests/conformance
	@echo "$@: passed, the local Azure against specifications and recorded traffic"

e2e: dev install guests-13 guests-cloud-init  ## Real guests, real dockerd, real docker CLI
	@$(PYTEST) -n $(JOBS) --dist loadgroup -m "not slow" tests/e2e
	@echo "$@: passed, every end-to-end test but the slow ones"

TEST := unit check integration e2e short-soak conformance
test:  ## Every check and every test but the ones below
	+@$(TWO) $(TEST)
	@echo "$@: passed, all of: $(TEST)"

.PHONY: test-slow test-clients client-venvs soak short-soak soak-kills test-matrix
test-slow: dev install guests-13 $(BUILD)/system-browser.stamp  ## Tests that take minutes each
	@$(PYTEST) -n $(JOBS) --dist loadgroup -m slow tests/e2e tests/unit tests/integration
	@echo "$@: passed, every slow test"

test-clients: export CLIENTS_DOCS := $(TOP)/docs/local-azure.md
test-clients: dev install guests client-venvs  ## Clients that others wrote: az CLI, azure.azcollection, community.docker, Azure SDKs (3.1 GB)
	@$(PYTEST) -n $(JOBS) --dist loadgroup tests/clients
	@echo "$@: passed, every client"

client-venvs: | $(DEMO_STAMP)  ## Install those clients from PyPI, each into a virtual environment of its own
	@python tests/clients/client_venvs.py
	@echo "$@: passed, every client is installed"

SOAK := $(RUN) PYTHONPATH=$(TOP)/tests/emulator:$(TOP)/tests/bytecode:$(TOP)/tests DOCKERHOST_BUILD=$(BUILD) DOCKERHOST_COLLECTIONS_PATH=$(COLLECTIONS) python -m clients.soak

soak: dev install guests  ## Thirty minutes of hosts made, changed, rotated and deleted while faults strike
	@$(SOAK) --seconds $(or $(SECONDS_OF_SOAK),1800) --write-docs docs/clients.md
	@echo "$@: passed, nothing was lost and nothing is left"

short-soak: dev install guests  ## The same in two minutes, with a seed whose first three rounds do everything
	@$(SOAK) --seconds 120 --all-within 3
	@echo "$@: passed, nothing was lost and nothing is left"

soak-kills: dev guests  ## The setup program killed at every step of every run, in guests; about twenty minutes, goes on where it was interrupted
	@KILLS=all $(PYTEST) -n $(JOBS) --dist load --maxschedchunk 1 -m slow --timeout 0 tests/e2e/test_kills.py
	@echo "$@: passed, every killed run was completed by the next one"

test-matrix: dev install  ## Unit and integration tests with both ends of ansible-core and the Azure SDK
	@$(RUN) python tools/matrix.py $(BUILD) $(DOCKERHOST_VENVS)
	@echo "$@: passed, every row that this machine can run"

.PHONY: test-times
test-times: dev install guests  ## Where the time of `make test` goes; writes CONTRIBUTING.md (TARGETS="unit e2e": of those, and only shows it)
	@python tools/times.py $(BUILD) $(if $(TARGETS),,--write CONTRIBUTING.md) $(or $(TARGETS),$(TEST))
	@echo "$@: passed, and measured: $(or $(TARGETS),$(TEST))"

.PHONY: docs
docs: dev install  ## The documentation site, guides and reference, made from the sources, below .build/docs
	@$(ANTSIBULL) tools/docs.sh $(BUILD) $(COLLECTIONS)

.PHONY: role-docs
role-docs: dev  ## Write the suboptions in the role's argument specs, and the table of its variables in its README
	@$(RUN) PYTHONPATH=$(DEV) python tools/role_suboptions.py roles/docker_host/meta/argument_specs.yml
	@$(RUN) PYTHONPATH=$(DEV) python tools/role_table.py roles/docker_host/README.md
	@echo "$@: passed, the argument specs have every suboption, and roles/docker_host/README.md has every variable"

.PHONY: build-ignore
build-ignore:  ## Write build_ignore of galaxy.yml from what git tracks; after `git add` of a file that the artifact contains
	@$(PYTHON) tools/build_ignore.py
	@echo "$@: passed, galaxy.yml leaves out every file that git does not track"

.PHONY: changelog
changelog: dev  ## Write the release notes of the version in galaxy.yml anew: its text, all plugins, role and playbooks
	@$(ANTSIBULL) tools/changelog.sh $(DEV)
	@echo "$@: passed, the release notes are written"

.PHONY: bench-certs
bench-certs: dev install  ## docker_tls_certs beside community.crypto, in one run; writes docs/performance-certs.md
	@python tests/clients/client_venvs.py ansible
	@$(RUN) ANSIBLE_COLLECTIONS_PATH=$(COLLECTIONS) python tests/benchmarks/bench_certs.py $(DOCKERHOST_VENVS)/ansible $(COLLECTIONS) docs/performance-certs.md
	@echo "$@: passed, docs/performance-certs.md is written"

.PHONY: bench-host
bench-host: dev install  ## docker_vm_host beside azure.azcollection, in one run; writes docs/performance.md
	@$(RUN) python tests/benchmarks/bench_host.py $(COLLECTIONS) docs/performance.md
	@echo "$@: passed, docs/performance.md is written"

.PHONY: bench-role
bench-role: dev install  ## The whole role for 1 to 80 hosts, creation and second run, beside empty tasks; writes docs/performance.md
	@$(RUN) python tests/benchmarks/bench_role.py $(COLLECTIONS) docs/performance.md
	@echo "$@: passed, docs/performance.md is written"

.PHONY: bench-inventory
bench-inventory: dev install  ## The inventory plugin over 500 hosts beside an empty inventory; writes docs/performance.md
	@$(RUN) python tests/benchmarks/bench_inventory.py $(COLLECTIONS) docs/performance.md
	@echo "$@: passed, docs/performance.md is written"

.PHONY: bench-boot
bench-boot: dev install guests  ## A new host until its engine answers, installed at boot and not; 20 minutes; writes docs/performance.md
	@$(RUN) python tests/benchmarks/bench_boot.py $(COLLECTIONS) docs/performance.md
	@echo "$@: passed, docs/performance.md is written"

.PHONY: clean
clean: demo-stop  ## Remove everything that the other targets made in the checkout, the caches too
	@rm -rf $(BUILD) $(CACHE) $(VENV) $(TOP)/.venvs $(TOP)/.demo $(TOP)/.ansible
	@rm -rf $(TOP)/.mypy_cache $(TOP)/.ruff_cache $(TOP)/.pytest_cache $(TOP)/.hypothesis
	@find $(TOP) -name __pycache__ -prune -exec rm -rf {} + -o -name '*.egg-info' -prune -exec rm -rf {} +
	@echo "$@: passed, the checkout holds nothing that was made here"
