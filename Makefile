# dockerhost.azure: `make demo` does the main job on the local Azure, `make test` runs every test.
# Both do all set-up themselves; everything they make stays inside the checkout.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

TOP := $(CURDIR)
BUILD := $(TOP)/.build
CACHE := $(TOP)/.cache
VENV := $(TOP)/.venv
PYTHON ?= python3
# Tests at a time. Most of their time they wait for operations of the local Azure.
JOBS ?= 3
DEV := $(BUILD)/dev
COLLECTIONS := $(BUILD)/collections

export JOBS
# Each of thousands of commands would compile what it imports.
unexport PYTHONDONTWRITEBYTECODE
export DOCKERHOST_CACHE := $(CACHE)
export DOCKERHOST_VENVS := $(TOP)/.venvs
export PATH := $(VENV)/bin:$(CACHE)/bin:$(PATH)
# The tests and the demo talk to their own servers: a CA bundle meant for the outside must not decide whom they trust.
RUN := env -u REQUESTS_CA_BUNDLE -u CURL_CA_BUNDLE -u SSL_CERT_FILE -u SSL_CERT_DIR -u ANSIBLE_CONFIG

SOURCES := $(shell git ls-files --cached --others --exclude-standard ':!playbooks/collections' ':!docs/clients.md' ':!docs/local-azure.md' plugins roles playbooks meta docs galaxy.yml README.md LICENSE CHANGELOG.md changelogs 2>/dev/null)

.PHONY: help
help:  ## Show the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1|\2/' | column -t -s '|'

# --- set-up ------------------------------------------------------------------------------------------------------

$(BUILD)/system.stamp: tools/system.sh
	@tools/system.sh $(CACHE)
	@mkdir -p $(@D) && touch $@

$(VENV)/ready.stamp: meta/ee-requirements.txt tests/requirements.txt tests/emulator/pyproject.toml | $(BUILD)/system.stamp
	@tools/venv.sh $(PYTHON) $(VENV)
	@touch $@

.PHONY: system python
system: $(BUILD)/system.stamp  ## Install the system packages (as root), or say which are missing
python: $(VENV)/ready.stamp  ## Make the virtual environment

.PHONY: dev
dev: $(VENV)/ready.stamp  ## Make the working tree importable as a collection (for the checks and the unit tests)
	@mkdir -p $(DEV)/ansible_collections/dockerhost
	@ln -sfn ../../../.. $(DEV)/ansible_collections/dockerhost/azure

$(BUILD)/collection.stamp: $(SOURCES) $(VENV)/ready.stamp
	@tools/install.sh $(BUILD) $(COLLECTIONS)
	@touch $@

.PHONY: install
install: $(BUILD)/collection.stamp  ## Build the collection artifact and install it below .build/collections

.PHONY: guests
guests: $(VENV)/ready.stamp  ## Make the Debian tree and package pool that real guests use (cached)
	@$(RUN) python -m azure_emulator.machines.build --cache-dir $(CACHE) --if-possible

# --- the main job ------------------------------------------------------------------------------------------------

.PHONY: demo demo-stop
demo:  ## A Docker host on a local Azure, from nothing to a running container
	@tools/demo.sh

demo-stop:  ## Stop the demo and leave nothing behind
	@tools/demo.sh stop

# --- checks and tests --------------------------------------------------------------------------------------------

CHECKS := sanity galaxy mypy ansible-lint docs-lint ruff yamllint changelog-lint reuse

.PHONY: check $(CHECKS)
check: dev install  ## Every static check, two at a time, the longest first
	@$(MAKE) --no-print-directory -j 2 --output-sync=target $(CHECKS)

ruff: dev
	ruff check .
	ruff format --check .

mypy: dev
	MYPYPATH=$(DEV):$(TOP)/tests/emulator:$(TOP)/tests/conformance mypy -p ansible_collections.dockerhost.azure.plugins -p azure_emulator -p azure_conformance

yamllint: dev
	yamllint --strict .

ansible-lint: install
	$(RUN) ANSIBLE_COLLECTIONS_PATH=$(COLLECTIONS) ansible-lint --profile production --offline -q

docs-lint: install
	$(RUN) ANSIBLE_COLLECTIONS_PATH=$(COLLECTIONS) antsibull-docs lint-collection-docs --plugin-docs --validate-collection-refs=all --skip-rstcheck $(COLLECTIONS)/ansible_collections/dockerhost/azure

changelog-lint: dev
	ANSIBLE_COLLECTIONS_PATH=$(DEV) antsibull-changelog lint

reuse: dev  ## Every file says whose it is and under which licence
	@reuse lint --lines

galaxy: install  ## The artifact passes Galaxy's own importer (cached below .venvs)
	@tools/galaxy.sh $(PYTHON) $(BUILD) $(DOCKERHOST_VENVS)

sanity: dev
	@tools/quiet.sh $(BUILD)/sanity.log tools/sanity.sh $(BUILD)

# The marker "slow" is for what takes minutes by itself: `make test-slow` runs it. The marker "modules" is for what
# `make test-matrix` runs with the newest ansible-core that is there.
PYTEST := $(RUN) PYTHONPATH=$(DEV):$(TOP)/tests/emulator DOCKERHOST_BUILD=$(BUILD) DOCKERHOST_COLLECTIONS_PATH=$(COLLECTIONS) python -m pytest -q

.PHONY: unit integration conformance e2e test
unit: dev guests  ## Unit tests, the local Azure's and its machines' among them
	$(PYTEST) -n $(JOBS) --dist loadgroup -m "not slow" tests/unit

integration: dev install  ## Integration targets, through ansible-playbook, against the local Azure
	$(PYTEST) -n $(JOBS) --dist loadgroup -m "not slow and not modules" tests/integration

# What the comparison with recorded traffic counts is written into the documentation by the same run.
conformance: export CONFORMANCE_DOCS := $(TOP)/docs/local-azure.md
conformance: dev install  ## The local Azure against Microsoft's specifications and recorded traffic
	$(PYTEST) -m "not slow" tests/conformance

e2e: dev install guests  ## Real guests, real dockerd, real docker CLI
	$(PYTEST) -n 2 --dist loadfile -m "not slow" tests/e2e

test: check unit integration conformance e2e short-soak  ## Every check and every test but the ones below

.PHONY: test-slow test-clients client-venvs soak short-soak test-matrix
test-slow: dev install guests  ## Tests that take minutes each
	$(PYTEST) -n $(JOBS) --dist loadfile -m slow tests/e2e
	$(PYTEST) -n $(JOBS) --dist loadgroup -m slow tests/unit tests/integration

test-clients: dev install guests client-venvs  ## Clients that others wrote: az CLI, azure.azcollection, community.docker (2.5 GB)
	$(PYTEST) -n $(JOBS) --dist loadfile tests/clients

client-venvs: $(VENV)/ready.stamp  ## Install those clients from PyPI, each into a virtual environment of its own
	@python tests/clients/client_venvs.py

SOAK := $(RUN) PYTHONPATH=$(TOP)/tests/emulator:$(TOP)/tests DOCKERHOST_COLLECTIONS_PATH=$(COLLECTIONS) python -m clients.soak

soak: dev install guests  ## Thirty minutes of hosts made, changed, rotated and deleted while faults strike
	$(SOAK) --seconds $(or $(SECONDS_OF_SOAK),1800) --write-docs docs/clients.md

short-soak: dev install guests  ## The same in two minutes, with a seed whose first three rounds do everything
	$(SOAK) --seconds 120 --all-within 3

test-matrix: dev install  ## Unit and integration tests with both ends of ansible-core and the Azure SDK
	$(RUN) python tools/matrix.py $(BUILD) $(DOCKERHOST_VENVS)

.PHONY: docs
docs: install  ## The reference of modules, role and plugins as HTML, made from the sources, below .build/docs
	@tools/docs.sh $(BUILD) $(COLLECTIONS)

.PHONY: changelog
changelog: dev  ## Write the release notes of the version in galaxy.yml anew: its text, all plugins, role and playbooks
	@tools/changelog.sh $(DEV)

.PHONY: bench-certs
bench-certs: dev install  ## docker_tls_certs beside community.crypto, in one run; writes docs/performance-certs.md
	$(RUN) ANSIBLE_COLLECTIONS_PATH=$(COLLECTIONS) python tests/benchmarks/bench_certs.py $(DOCKERHOST_VENVS)/ansible $(COLLECTIONS) docs/performance-certs.md

.PHONY: bench-host
bench-host: dev install  ## docker_vm_host beside azure.azcollection, in one run; writes docs/performance.md
	$(RUN) python tests/benchmarks/bench_host.py $(COLLECTIONS) docs/performance.md

.PHONY: bench-role
bench-role: dev install  ## The whole role run again, for one host and for twenty; writes docs/performance.md
	$(RUN) python tests/benchmarks/bench_role.py $(COLLECTIONS) docs/performance.md

.PHONY: bench-inventory
bench-inventory: dev install  ## The inventory plugin over 500 hosts beside an empty inventory; writes docs/performance.md
	$(RUN) python tests/benchmarks/bench_inventory.py $(COLLECTIONS) docs/performance.md

.PHONY: clean
clean: demo-stop  ## Remove what was built (the caches too)
	rm -rf $(BUILD) $(CACHE) $(VENV) $(TOP)/.venvs $(TOP)/.demo
