# Every target installs what it needs: a fresh Debian machine with Rust (rustup), a C compiler and Python 3 is enough.
.DEFAULT_GOAL := help
.PHONY: help build demo test lint bench bench-peers bench-check mutants property compare tools clean

CARGO ?= cargo
VENV := .tools/venv
PYTHON := $(VENV)/bin/python
DUCKDB_VERSION := 2.0.1
MUTANTS ?= 50
CASES ?= 20000
ROWS ?= 2000000

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

build: ## the binary, at target/release/millrace
	@echo "Building millrace. The first build compiles some 330 crates: about a quarter of an hour on 2 cores."
	$(CARGO) build --release --locked -p millrace

demo: build ## the pipeline of the talk on generated events, live in the terminal
	./target/release/millrace demo

test: tools ## every test, the property test and the comparison with DuckDB among them
	$(CARGO) test --workspace --locked

lint: ## format and clippy, warnings are errors
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings

property: ## the property test alone: make property CASES=100000 SEED=7
	MILLRACE_CASES=$(CASES) MILLRACE_SEED=$(SEED) $(CARGO) test --locked -p millrace-tests property -- --nocapture

compare: build tools ## views over files of millions of rows against DuckDB: make compare ROWS=2000000
	$(PYTHON) tests/files/compare.py --binary target/release/millrace --rows $(ROWS)

bench: ## the benchmarks, small; tables, JSON and plots in target/bench (make bench-peers first, to compare)
	$(CARGO) build --release --locked -p millrace -p millrace-bench
	./target/release/millrace-bench

bench-peers: ## what the benchmarks compare with: DBSP, Flink, DuckDB
	for peer in dbsp flink duckdb; do bench/peers/$$peer/build || exit 1; done

bench-check: ## instructions of a few fixed runs against bench/check.json: fails at +5 %
	command -v valgrind >/dev/null || (apt-get update -qq && apt-get install -y -qq valgrind)
	$(CARGO) build --release --locked -p millrace -p millrace-bench
	./target/release/millrace-bench check

mutants: ## does the test suite notice bugs? a seeded sample of mutants
	command -v cargo-mutants >/dev/null || $(CARGO) install --locked cargo-mutants
	tests/mutants.sh $(MUTANTS)

tools: $(VENV)/.duckdb-$(DUCKDB_VERSION)

$(VENV)/.duckdb-$(DUCKDB_VERSION):
	tests/install-duckdb.sh $(VENV) $(DUCKDB_VERSION)
	touch $@

clean: ## forget everything that was built
	$(CARGO) clean
	rm -rf .tools
