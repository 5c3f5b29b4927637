# RequestRocket: `make help` lists the targets. Logic beyond a line is in scripts/ and xtask/.
.DEFAULT_GOAL := help
SHELL := /bin/bash

CARGO := cargo
CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/requestrocket
BINARIES := -p requestrocket-core-api -p requestrocket-xds-server -p requestrocket-local-stack \
	--features requestrocket-core-api/dashboard
# What the dashboard is built of, and what says that it is built.
DASHBOARD := dashboard/dist/index.html
PAGES := $(shell find dashboard -path dashboard/node_modules -prune -o -path dashboard/dist -prune \
	-o -type f ! -name schema.d.ts ! -name world.json -print) core-api/tests/it/rules/snapshots/it__rules__document__openapi.snap
# `make run STACK="--release …"` builds what it runs.
PROFILE := $(if $(filter --release,$(STACK)),--release)
# nextest where it is installed, else cargo's own runner.
NEXTEST := $(shell cargo nextest --version >/dev/null 2>&1 && echo yes)
TEST := $(if $(NEXTEST),nextest run --no-fail-fast,test --no-fail-fast)

.PHONY: help run build wasm dashboard test unit pages it tour kills adversary check fmt clippy tidy deny looks bench fuzz setup-%

help: ## Lists the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

run: setup-run wasm $(DASHBOARD) ## Starts the whole stack until Ctrl-C; options: STACK="--regions a1,b1 …"
	$(CARGO) build $(PROFILE) $(BINARIES)
	$(CARGO) run --quiet $(PROFILE) -p requestrocket-local-stack -- $(STACK)

build: setup-run $(DASHBOARD) ## Builds every program
	$(CARGO) build $(BINARIES)

wasm: setup-run ## Builds the Envoy filter
	$(CARGO) xtask wasm

dashboard: $(DASHBOARD) ## Builds the dashboard, which core-api has in it

$(DASHBOARD): $(PAGES) | setup-run
	cd dashboard && npm run --silent build

test: setup-test pages unit it tour ## Runs every test

unit: setup-test ## Tests without Envoy, the stores on SQLite and on a PostgreSQL of their own
	scripts/with-postgres $(CARGO) $(TEST) --workspace --exclude requestrocket-integration-tests

pages: setup-run ## Tests of the dashboard's parts, without a browser
	cd dashboard && npm run --silent test

# One process for each binary: its tests share a stack.
it: setup-test wasm $(DASHBOARD) ## Black-box tests against the whole stack with a real Envoy
	$(CARGO) xtask wasm --trap
	$(CARGO) build $(BINARIES)
	scripts/with-postgres $(CARGO) test --no-fail-fast -p requestrocket-integration-tests

tour: setup-test wasm $(DASHBOARD) ## Pastes the README's tour and docs/recipes.md beside a stack of its own
	$(CARGO) build $(BINARIES)
	scripts/tour

kills: setup-test wasm $(DASHBOARD) ## A hundred region servers killed with a provider's answer in their hands
	$(CARGO) build $(BINARIES)
	REQUESTROCKET_TEST_KILLS=100 scripts/with-postgres $(CARGO) test -p requestrocket-integration-tests --test it -- a_region_server_that_dies --nocapture

adversary: setup-test wasm $(DASHBOARD) ## The long form of the hostile cases, with a table of what the innocent waited
	$(CARGO) build $(BINARIES)
	REQUESTROCKET_TEST_ADVERSARY=long scripts/with-postgres $(CARGO) test -p requestrocket-integration-tests --test adversary -- --nocapture

check: setup-check fmt tidy clippy deny looks ## Format, budgets, lints, supply chain

fmt: ## Checks the format (cargo fmt repairs it)
	$(CARGO) fmt --all --check

tidy: ## Checks budgets, dependency edges, paths in docs, leftovers
	$(CARGO) xtask tidy

clippy: ## Lints, warnings are errors
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings

deny: setup-check ## Checks licences, duplicates, bans and sources of dependencies
	PATH="$(CACHE)/bin:$$PATH" $(CARGO) deny --locked check bans licenses sources

looks: $(DASHBOARD) ## Format, lints, types and sizes of the dashboard
	cd dashboard && npm run --silent check

bench: setup-bench $(DASHBOARD) ## Measures the data plane and configuration in release mode
	$(CARGO) xtask wasm
	$(CARGO) xtask wasm --buffering
	$(CARGO) xtask wasm --trap
	$(CARGO) build --release $(BINARIES)
	PATH="$$PATH:/usr/sbin" scripts/with-postgres $(CARGO) run --quiet --release -p requestrocket-integration-tests --bin bench -- $(BENCH)

fuzz: ## Runs each fuzz target for a minute (needs a nightly compiler and cargo-fuzz)
	scripts/fuzz $(FUZZ)

setup-%:
	@scripts/setup $*
