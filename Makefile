# evenkeel.fleet: every command of the house. Each may be interrupted and run again.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help setup demo lab test lint bench docs lock clean setup-tests setup-bench \
  test-unit test-fuzz test-sanity test-artifact test-integration test-molecule test-installed test-faults test-kubernetes

export PATH := $(CURDIR)/.venv/bin:$(PATH)
stages := python scripts/stages.py

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-17s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## install what the lab and the demo need (Debian 12, root)
	@scripts/setup/all

setup-tests: setup
	@scripts/setup/tests

demo: setup ## the main job on a fresh lab, ends with a report
	@scripts/step "The lab, fresh" tests/lab/up --fresh
	@scripts/step "The demo" ansible-playbook tests/lab/demo.yml

lab: setup ## start the lab and keep it
	@scripts/step "The lab" tests/lab/up

test: setup-tests ## all tests
	@$(stages)

lint: setup ## ruff, mypy, shellcheck, yamllint, ansible-lint, specs, changelog, docs
	@$(stages) lint

test-unit: setup-tests ## unit tests, also on the Pythons of the targets
	@$(stages) unit

test-fuzz: setup-tests ## the parsers, fuzzed for less than a minute
	@$(stages) fuzz

test-sanity: setup-tests ## ansible-test sanity on every supported ansible-core
	@$(stages) sanity

test-artifact: setup ## build the collection and check it as Galaxy does
	@$(stages) artifact

test-integration: setup-tests lab ## integration tests on the lab's real servers
	@$(stages) integration

test-faults: setup-tests lab ## the faults that take minutes, hours in all; NAME=test_migration for some of them
	@scripts/step "Faults" pytest -m faults $(if $(NAME),-k '$(NAME)') tests/integration

test-kubernetes: setup-tests ## tests on a real Kubernetes node in the lab; its first build takes minutes
	@scripts/step "Kubernetes" scripts/check/kubernetes

test-molecule: lab ## Molecule; NAME=redis_tuning for one scenario
	@scripts/step "Molecule" scripts/check/molecule $(NAME)

test-installed: lab ## the installed collection alone, on the lab
	@$(stages) installed

setup-bench: setup
	@scripts/setup/bench

bench: setup-bench ## benchmarks; NAME=health, index, judge, load, redis or rollout for one
	@scripts/step "Benchmarks" python tests/benchmarks/run.py $(NAME)

docs: setup ## write docs/reference from the modules and roles
	@scripts/step "docs/reference" scripts/docs

lock: setup ## resolve requirements-*.in into lock files; UPGRADE=1 for the newest
	@scripts/lock

clean: ## remove the lab and everything that the set-up made here; Debian packages, lab images and reports stay
	@[ ! -x tests/lab/down ] || ! command -v docker >/dev/null || scripts/step "The lab, down" tests/lab/down
	@rm -rf .venv .venv-* .cache .ansible .hypothesis .mypy_cache .ruff_cache
