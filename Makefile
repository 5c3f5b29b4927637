# RequestRocket: `make help` lists the targets. Logic beyond a line is in scripts/ and xtask/.
.DEFAULT_GOAL := help
SHELL := /bin/bash

CARGO := cargo
CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/requestrocket
BINARIES := -p requestrocket-core-api -p requestrocket-xds-server -p requestrocket-local-stack
# `make run STACK="--release …"` builds what it runs.
PROFILE := $(if $(filter --release,$(STACK)),--release)
# nextest where it is installed, else cargo's own runner.
NEXTEST := $(shell cargo nextest --version >/dev/null 2>&1 && echo yes)
TEST := $(if $(NEXTEST),nextest run --no-fail-fast,test --no-fail-fast)

.PHONY: help run build wasm test unit it tour kills adversary check fmt clippy tidy deny bench fuzz setup-%

help: ## Lists the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

run: setup-run wasm ## Starts the whole stack until Ctrl-C; options: STACK="--regions a1,b1 …"
	$(CARGO) build $(PROFILE) $(BINARIES)
	$(CARGO) run --quiet $(PROFILE) -p requestrocket-local-stack -- $(STACK)

build: setup-run ## Builds every program
	$(CARGO) build $(BINARIES)

wasm: setup-run ## Builds the Envoy filter
	$(CARGO) xtask wasm

test: setup-test unit it tour ## Runs every test

unit: setup-test ## Tests without Envoy, the stores on SQLite and on a PostgreSQL of their own
	scripts/with-postgres $(CARGO) $(TEST) --workspace --exclude requestrocket-integration-tests

# One process for each binary: its tests share a stack.
it: setup-test wasm ## Black-box tests against the whole stack with a real Envoy
	$(CARGO) xtask wasm --trap
	$(CARGO) build $(BINARIES)
	scripts/with-postgres $(CARGO) test --no-fail-fast -p requestrocket-integration-tests

tour: setup-test wasm ## Pastes the README's tour and docs/recipes.md beside a stack of its own
	$(CARGO) build $(BINARIES)
	scripts/tour

kills: setup-test wasm ## A hundred region servers killed with a provider's answer in their hands
	$(CARGO) build $(BINARIES)
	REQUESTROCKET_TEST_KILLS=100 scripts/with-postgres $(CARGO) test -p requestrocket-integration-tests --test it -- a_region_server_that_dies --nocapture

adversary: setup-test wasm ## The long form of the hostile cases, with a table of what the innocent waited
	$(CARGO) build $(BINARIES)
	REQUESTROCKET_TEST_ADVERSARY=long scripts/with-postgres $(CARGO) test -p requestrocket-integration-tests --test adversary -- --nocapture

check: setup-check fmt tidy clippy deny ## Format, budgets, lints, supply chain

fmt: ## Checks the format (cargo fmt repairs it)
	$(CARGO) fmt --all --check

tidy: ## Checks budgets, dependency edges, paths in docs, leftovers
	$(CARGO) xtask tidy

clippy: ## Lints, warnings are errors
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings

deny: setup-check ## Checks licences, duplicates, bans and sources of dependencies
	PATH="$(CACHE)/bin:$$PATH" $(CARGO) deny --locked check bans licenses sources

bench: setup-bench ## Measures the data plane and configuration in release mode
	$(CARGO) xtask wasm
	$(CARGO) xtask wasm --buffering
	$(CARGO) xtask wasm --trap
	$(CARGO) build --release $(BINARIES)
	PATH="$$PATH:/usr/sbin" scripts/with-postgres $(CARGO) run --quiet --release -p requestrocket-integration-tests --bin bench -- $(BENCH)

fuzz: ## Runs each fuzz target for a minute (needs a nightly compiler and cargo-fuzz)
	scripts/fuzz $(FUZZ)

setup-%:
	@scripts/setup $*
