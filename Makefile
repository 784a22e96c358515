.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c

PYTHON ?= python3
BIN := .venv/bin
DATA := data
# the engine: duckdb or spark, a target of profiles.yml
TARGET ?= duckdb
INSTALLED := .venv/.installed
SPARK_INSTALLED := .venv/.installed_spark
LANDING := $(or $(CUSTOMER_SEGMENTATION_LANDING),$(DATA)/landing)
SIMULATED := $(DATA)/raw/.simulated
TARGET_PATH := $(or $(DBT_TARGET_PATH),target)
DATABASE := $(or $(CUSTOMER_SEGMENTATION_DATABASE),$(DATA)/customer_segmentation.duckdb)
SPARK := $(or $(CUSTOMER_SEGMENTATION_SPARK),$(DATA)/spark)
# what people read; make would split a path at its spaces
PUBLISHED = $(or $(CUSTOMER_SEGMENTATION_PUBLISHED),$(shell dirname "$(DATABASE)")/published/marts.duckdb)
PAGES = $(shell dirname "$(PUBLISHED)")
# the text after the first ; of an address may be a token
BUILT = $(if $(filter spark,$(TARGET)),$(or $(firstword $(subst ;, ,$(SPARK_REMOTE))),$(SPARK)),$(DATABASE))
# a landing zone of your own gets no sample
READY := $(if $(CUSTOMER_SEGMENTATION_LANDING),$(INSTALLED),sample)
READY += $(if $(filter spark,$(TARGET)),$(SPARK_INSTALLED))
# processes that run tests
WORKERS ?= 2
PYTEST = $(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadscope --no-loadscope-reorder
SQL := models analyses tests
DESCRIBED := models python_models seeds macros dbt_project.yml vars.yml
LINTED := target/.linted
# the processes of sqlfluff cannot share a database file, nor wait for a build that has it open
IN_MEMORY := CUSTOMER_SEGMENTATION_DATABASE=:memory: DBT_TARGET_PATH=target/lint

.PHONY: help
help: ## list the verbs
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | sort | expand -t 20

.PHONY: install
install: $(INSTALLED) ## create .venv from the lock file

$(INSTALLED): requirements.txt pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, this is " + sys.version.split()[0] + ": name another with make PYTHON=...")'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

.PHONY: install-spark
install-spark: $(SPARK_INSTALLED) ## add the target spark to .venv; in process it needs Java 17, 21 or 25

$(SPARK_INSTALLED): requirements-spark.txt $(INSTALLED)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements-spark.txt
	touch $@

# what has landed is never replaced by the sample
.PHONY: sample
sample: $(INSTALLED) ## simulate the source systems that have not landed, and land them
	@for system in marketplace online_retail mall; do \
	    if test -e "$(LANDING)/$$system"; then continue; fi; \
	    if ! test -e $(SIMULATED) || ! test -e $(DATA)/raw/$$system; then \
	        $(BIN)/customer-segmentation simulate --output $(DATA)/raw; \
	        touch $(SIMULATED); \
	    fi; \
	    $(BIN)/customer-segmentation land $$system $(DATA)/raw/$$system; \
	    if test $$system = online_retail -a -e $(DATA)/raw/campaigns -a ! -e "$(LANDING)/campaigns"; then \
	        $(BIN)/customer-segmentation land campaigns $(DATA)/raw/campaigns; \
	    fi; \
	done

.PHONY: build
build: $(READY) ## build the landing zone into tested tables, with TARGET=spark on Spark
	@$(BIN)/customer-segmentation build --target $(TARGET)
	@echo "Built $(BUILT)"

.PHONY: check
check: $(INSTALLED) ## before each commit: lint what has changed, run unit tests
	@$(MAKE) --no-print-directory --jobs 2 --output-sync lint-changed
	$(PYTEST) -m unit

.PHONY: test
test: lint-changed ## lint what has changed, run all tests without Spark and public data sets
	$(PYTEST) -m "unit or build"

.PHONY: test-all
test-all: lint ## lint, run all tests
	$(PYTEST)

# inputs of each kind
EXAMPLES ?= 3000
.PHONY: fuzz
fuzz: $(INSTALLED) ## try thousands of hostile files, settings and rows, other ones each time, and count the outcomes
	HYPOTHESIS_PROFILE=long FUZZ_EXAMPLES=$(EXAMPLES) $(BIN)/python -m pytest tests/python/*/test_fuzz_*.py

.PHONY: lint
lint: lint-python lint-sql lint-dbt ## ruff, mypy, sqlfluff, dbt-bouncer

.PHONY: lint-changed
lint-changed: lint-python lint-sql-changed lint-dbt

.PHONY: lint-python
lint-python: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

.PHONY: lint-sql
lint-sql: $(INSTALLED)
	@mkdir -p target $(DATA) && touch $(LINTED).begun
	$(IN_MEMORY) $(BIN)/sqlfluff lint --disable-progress-bar --processes $(WORKERS) $(SQL)
	@mv $(LINTED).begun $(LINTED)

# sqlfluff needs a second for each file: what has not changed since it was clean is clean, unless
# a macro or a setting has changed
.PHONY: lint-sql-changed
lint-sql-changed: $(INSTALLED)
	@if ! test -e $(LINTED) || test -n "$$(find macros vars.yml dbt_project.yml .sqlfluff requirements.txt -newer $(LINTED))"; then \
	    $(MAKE) --no-print-directory lint-sql; \
	else \
	    changed=$$(find $(SQL) -name '*.sql' -newer $(LINTED)); \
	    test -z "$$changed" || $(MAKE) --no-print-directory lint-sql SQL="$$(echo $$changed)"; \
	fi

.PHONY: lint-dbt
lint-dbt: $(INSTALLED)
	$(BIN)/dbt parse --quiet
	$(BIN)/dbt-bouncer --config-file dbt-bouncer.yml

# the public data sets
SHARED := $(or $(CUSTOMER_SEGMENTATION_SHARED),../shared)/data
REAL := $(DATA)/real
bench: export CUSTOMER_SEGMENTATION_LANDING = $(REAL)/landing
bench: export CUSTOMER_SEGMENTATION_DATABASE = $(REAL)/real.duckdb

.PHONY: bench
bench: $(INSTALLED) ## measure segmentations, categories, interests, affinities, lifecycle and campaigns on real and simulated data, in an hour
	$(BIN)/customer-segmentation land marketplace $(SHARED)/ecommerce-coupons/E-commerce_data.xlsx
	$(BIN)/customer-segmentation land online_retail $(SHARED)/online-retail/online_retail.csv.gz
	$(BIN)/customer-segmentation land mall $(SHARED)/mall-customers/Mall_Customers.csv
	# two tests fail on these data: docs/operations.md says which
	$(BIN)/customer-segmentation build || test $$? -eq 1
	$(BIN)/python benchmarks/segmentation_real.py --database $(REAL)/real.duckdb
	$(BIN)/python benchmarks/segmentation_confidence.py --database $(REAL)/real.duckdb
	$(BIN)/python benchmarks/product_categories.py --database $(REAL)/real.duckdb
	$(BIN)/python benchmarks/interests.py --database $(REAL)/real.duckdb
	$(BIN)/python benchmarks/interest_limits.py --database $(REAL)/real.duckdb
	$(BIN)/python benchmarks/categories_scale.py --database $(REAL)/real.duckdb
	$(BIN)/python benchmarks/affinities.py shuffles --database $(REAL)/real.duckdb
	$(BIN)/python benchmarks/lifecycle.py --database $(REAL)/real.duckdb
	$(BIN)/python benchmarks/campaign_effects.py --online-retail $(SHARED)/online-retail/online_retail.csv.gz
	$(BIN)/python benchmarks/campaign_uplift.py
	$(BIN)/python benchmarks/segmentation_scale.py
	$(BIN)/python benchmarks/segmentation_structure.py

.PHONY: bench-predictions
bench-predictions: export CUSTOMER_SEGMENTATION_LANDING = $(REAL)/two_years/landing
bench-predictions: export CUSTOMER_SEGMENTATION_DATABASE = $(REAL)/two_years/real.duckdb
bench-predictions: $(INSTALLED) ## measure predictions and lifecycle on real and simulated data, in half an hour
	$(BIN)/customer-segmentation land online_retail $(SHARED)/online-retail/online_retail.csv.gz $(SHARED)/online-retail-ii/online_retail_II_2009-2010.parquet
	$(BIN)/customer-segmentation build --vars '{source_systems: [online_retail]}'
	$(BIN)/python benchmarks/btyd.py
	$(BIN)/python benchmarks/prediction_real.py --database $(REAL)/two_years/real.duckdb
	$(BIN)/python benchmarks/spend_intervals.py --database $(REAL)/two_years/real.duckdb
	$(BIN)/python benchmarks/seasons.py
	$(BIN)/python benchmarks/seasons.py --database $(REAL)/two_years/real.duckdb
	$(BIN)/python benchmarks/prediction_drift.py --database $(REAL)/two_years/real.duckdb
	$(BIN)/python benchmarks/lifecycle.py --database $(REAL)/two_years/real.duckdb
	$(BIN)/python benchmarks/first_purchase_segments.py --shared $(dir $(SHARED)) --database $(REAL)/two_years/real.duckdb

.PHONY: bench-spark
bench-spark: $(SPARK_INSTALLED) ## measure Spark, on a cluster on this machine too, in two hours
	$(BIN)/python benchmarks/spark_cluster.py
	$(BIN)/python benchmarks/spark_cluster.py --kill-worker --lines 20000
	$(BIN)/python benchmarks/build_scale.py --no-train --target duckdb --target spark

.PHONY: structure
structure: $(INSTALLED) ## print figures of the project's structure
	@mkdir -p $(DATA)
	$(BIN)/dbt compile --quiet
	$(BIN)/python benchmarks/structure.py

.PHONY: report
report: $(INSTALLED) ## write the report of the published tables: one HTML file with charts
	@$(BIN)/customer-segmentation report

.PHONY: slides
slides: $(INSTALLED) ## write the report, and its main charts as SVG and PNG
	@$(BIN)/customer-segmentation report --pictures "$(PAGES)/pictures"

# what describes the last build already is not written again
.PHONY: docs
docs: $(INSTALLED) ## describe what is built, beside the report: one index leads to both
	@mkdir -p $(DATA) "$(PAGES)"
	@if test -e "$(PAGES)/docs.html" -a -e "$(BUILT)" -a "$$(cat "$(PAGES)/.docs" 2>&1)" = "$(TARGET) $(BUILT)" && test -z "$$(find "$(BUILT)" $(DESCRIBED) -newer "$(PAGES)/docs.html" -print -quit)"; then \
	    echo "$(PAGES)/docs.html describes the last build already"; \
	else \
	    $(BIN)/dbt docs generate --target $(TARGET) --static --quiet; \
	    $(BIN)/python -c 'import json, sys; sys.exit(not json.load(open("$(TARGET_PATH)/catalog.json"))["nodes"] and "$(BUILT) has no tables to describe: run `make build` first")'; \
	    cp "$(TARGET_PATH)/static_index.html" "$(PAGES)/docs.html"; \
	    echo "$(TARGET) $(BUILT)" > "$(PAGES)/.docs"; \
	fi
	@if test -e "$(PUBLISHED)"; then $(MAKE) --no-print-directory report; else echo "Open $(PAGES)/docs.html"; fi

# an environment of its own: Superset needs older libraries than this project
.venv-superset/.installed: docs/superset/requirements.txt
	test -x .venv-superset/bin/python || $(PYTHON) -m venv .venv-superset
	.venv-superset/bin/python -m pip install --quiet --disable-pip-version-check -r docs/superset/requirements.txt
	touch $@

.PHONY: superset
superset: .venv-superset/.installed ## open the published tables in Superset, on this machine
	.venv-superset/bin/python docs/superset/start.py --marts "$(PUBLISHED)"

.venv-audit/.installed: docs/audit/requirements.txt
	test -x .venv-audit/bin/python || $(PYTHON) -m venv .venv-audit
	.venv-audit/bin/python -m pip install --quiet --disable-pip-version-check -r docs/audit/requirements.txt
	touch $@

.PHONY: sbom
sbom: .venv-audit/.installed ## list the locked dependencies with their hashes: target/sbom.json, in CycloneDX
	@mkdir -p target
	.venv-audit/bin/cyclonedx-py requirements requirements.txt --pyproject pyproject.toml --output-reproducible --output-file target/sbom.json

# a package that could not be looked up is a failure: where no advisories can be reached, this says so
.PHONY: audit
audit: .venv-audit/.installed ## look the locked dependencies up in the public list of advisories, which needs the internet
	.venv-audit/bin/pip-audit --strict --disable-pip --require-hashes -r requirements.txt -r requirements-spark.txt

.PHONY: pictures
pictures: $(INSTALLED) ## draw the pictures of the docs again
	@mkdir -p $(DATA)
	$(BIN)/dbt parse --quiet --vars "$$($(BIN)/python -c \
	    'from customer_segmentation.raw_tables import SOURCE_SYSTEMS; print({"source_systems": list(SOURCE_SYSTEMS)})')"
	$(BIN)/python docs/pictures.py

.PHONY: lock
lock: $(INSTALLED) ## lock the dependencies of pyproject.toml
	uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes --no-emit-index-url --output-file requirements.txt
	uv pip compile pyproject.toml --extra spark --constraint requirements.txt --universal --python-version 3.11 --generate-hashes --no-emit-index-url --output-file requirements-spark.txt

.PHONY: clean
clean: ## remove what was built, published and simulated; keep what has landed, and .venv
	rm -rf $(DATA)/raw target logs $(DATA)/customer_segmentation.duckdb* $(DATA)/published $(DATA)/spark
