# make demo    an archive built, served and asked: see demo-output/index.html; the server stays (ONCE=1: stops)
# make test    lint, types, layers and all tests
# make page    the scripts of the pages, bundled from page/ (needs node and npm; `pip install` does the same)
# make docs    the reference pages, from the code, and the site of the documentation in docs/_build/html
# make bench   measurements, with ratios to what others need (NAMES="cones ingest": these)
# make bench-long  the same, and with 10^8 rows (an hour or two, 40 GB of disk)
# make spark-cluster  a cluster of Spark on loopback to try things with: a master and two workers, until Ctrl-C
#
# Each target makes the environment it needs in .venv; nothing else is touched.

SHELL := /bin/bash
PY := .venv/bin/python
N ?= 2
SHARED ?= ../shared

unexport PYTHONDONTWRITEBYTECODE  # where it is set, every process compiles everything again

.DEFAULT_GOAL := help
.PHONY: help page demo test lint tests test-long docs bench bench-long spark-cluster clean

help:
	@sed -n 's/^# make/make/p' Makefile

demo:
	@.ci/venv demo
	@$(PY) -m skydex demo run --out demo-output $(if $(wildcard $(SHARED)/data),--data $(SHARED)/data) $(if $(ONCE),--once)

test:
	@.ci/venv test
	@.ci/tools
	@$(MAKE) --no-print-directory lint
	@$(MAKE) --no-print-directory tests

lint:
	@echo "== Lint"
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@echo "== Types"
	@$(PY) -m mypy
	@if command -v node >/dev/null && [ -d page/node_modules ]; then cd page && node_modules/.bin/tsc --noEmit; fi
	@echo "== Layers"
	@$(PY) -c "from importlinter.cli import lint_imports_command; lint_imports_command()"

tests:
	@echo "== Tests"
	@$(PY) -m pytest -n $(N) -r fEs -m "not slow"

test-long:
	@.ci/venv test
	@.ci/tools
	@$(PY) -m pytest -n $(N) -r fEs

page:
	@cd page && { [ node_modules/.package-lock.json -nt package-lock.json ] || npm ci --ignore-scripts --silent; } && node build.mjs

docs:
	@.ci/venv test
	@$(PY) docs/build.py
	@$(PY) -m skydex demo build --out docs/_build/archive $(if $(wildcard $(SHARED)/data),--data $(SHARED)/data)
	@TUTORIAL_ARCHIVE=$(CURDIR)/docs/_build/archive $(PY) -m sphinx -W --keep-going -q -b html docs docs/_build/html
	@echo "The site is in docs/_build/html/README.html"

bench:
	@.ci/venv bench
	@$(PY) -m benchmarks $(NAMES)

bench-long:
	@.ci/venv bench
	@$(PY) -m benchmarks $(NAMES) --long

spark-cluster:
	@.ci/venv test
	@$(PY) -m skydex.engines.spark_cluster

clean:
	rm -rf .venv demo-output docs/_build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
