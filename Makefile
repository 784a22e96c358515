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
# what is behind the first ; of an address may be a token
SPARK_BUILT = $(or $(firstword $(subst ;, ,$(SPARK_REMOTE))),$(CUSTOMER_SEGMENTATION_SPARK),$(DATA)/spark)
SIMULATED := $(DATA)/raw/.simulated
LANDED := $(DATA)/raw/.landed
# a landing zone of your own gets no sample
READY := $(if $(CUSTOMER_SEGMENTATION_LANDING),$(INSTALLED),$(LANDED))
READY += $(if $(filter spark,$(TARGET)),$(SPARK_INSTALLED))

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

.PHONY: sample
sample: $(LANDED) ## simulate the sample and land it

$(SIMULATED): | $(INSTALLED)
	$(BIN)/customer-segmentation simulate --output $(DATA)/raw
	touch $@

# what has landed is never replaced by the sample
$(LANDED): $(SIMULATED)
	for system in marketplace online_retail mall; do \
	    test -e $(DATA)/landing/$$system || $(BIN)/customer-segmentation land $$system $(DATA)/raw/$$system; \
	done
	touch $@

.PHONY: build
build: $(READY) ## build the landing zone into tested marts, with TARGET=spark on Spark
	$(BIN)/dbt build --target $(TARGET) --log-level warn
	@echo "Built $(if $(filter spark,$(TARGET)),$(SPARK_BUILT),$${CUSTOMER_SEGMENTATION_DATABASE:-$(DATA)/customer_segmentation.duckdb})"

.PHONY: lint
lint: $(READY) ## ruff, sqlfluff, dbt-bouncer
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/sqlfluff lint --disable-progress-bar models analyses tests
	$(BIN)/dbt parse --quiet
	$(BIN)/dbt-bouncer --config-file dbt-bouncer.yml

.PHONY: test
test: lint ## lint, then pytest, which builds the project on the sample and on real data
	$(BIN)/python -m pytest

# public data sets, for the figures that come from real data
SHARED := $(or $(CUSTOMER_SEGMENTATION_SHARED),../shared)/data
REAL := $(DATA)/real
bench: export CUSTOMER_SEGMENTATION_LANDING = $(REAL)/landing
bench: export CUSTOMER_SEGMENTATION_DATABASE = $(REAL)/real.duckdb

.PHONY: bench
bench: $(INSTALLED) ## measure the segmentations on real and simulated data, in an hour
	$(BIN)/customer-segmentation land marketplace $(SHARED)/ecommerce-coupons/E-commerce_data.xlsx
	$(BIN)/customer-segmentation land online_retail $(SHARED)/online-retail/online_retail.csv.gz
	$(BIN)/customer-segmentation land mall $(SHARED)/mall-customers/Mall_Customers.csv
	$(BIN)/dbt build --log-level warn
	$(BIN)/python benchmarks/segmentation_real.py --database $(REAL)/real.duckdb
	$(BIN)/python benchmarks/segmentation_scale.py
	$(BIN)/python benchmarks/segmentation_structure.py

.PHONY: bench-predictions
bench-predictions: export CUSTOMER_SEGMENTATION_LANDING = $(REAL)/two_years/landing
bench-predictions: export CUSTOMER_SEGMENTATION_DATABASE = $(REAL)/two_years/real.duckdb
bench-predictions: $(INSTALLED) ## measure the predictions on real and simulated data, in half an hour
	$(BIN)/customer-segmentation land online_retail $(SHARED)/online-retail/online_retail.csv.gz $(SHARED)/online-retail-ii/online_retail_II_2009-2010.parquet
	$(BIN)/dbt build --log-level warn --vars '{source_systems: [online_retail]}'
	$(BIN)/python benchmarks/btyd.py
	$(BIN)/python benchmarks/prediction_real.py --database $(REAL)/two_years/real.duckdb
	$(BIN)/python benchmarks/first_purchase_segments.py --shared $(dir $(SHARED)) --database $(REAL)/two_years/real.duckdb

.PHONY: bench-spark
bench-spark: $(SPARK_INSTALLED) ## measure Spark, on a cluster on this machine too, in two hours
	$(BIN)/python benchmarks/spark_cluster.py
	$(BIN)/python benchmarks/spark_cluster.py --kill-worker --lines 20000
	$(BIN)/python benchmarks/build_scale.py --no-train --target duckdb --target spark

.PHONY: docs
docs: $(READY) ## build the marts and write target/static_index.html
	$(BIN)/dbt build --target $(TARGET) --log-level warn
	$(BIN)/dbt docs generate --target $(TARGET) --static --quiet
	@echo "Open target/static_index.html"

.PHONY: lock
lock: $(INSTALLED) ## lock the dependencies of pyproject.toml
	uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes --no-emit-index-url --output-file requirements.txt
	uv pip compile pyproject.toml --extra spark --constraint requirements.txt --universal --python-version 3.11 --generate-hashes --no-emit-index-url --output-file requirements-spark.txt

.PHONY: clean
clean: ## remove what was built and simulated, but not what has landed, nor .venv
	rm -rf $(DATA)/raw target logs $(DATA)/customer_segmentation.duckdb* $(DATA)/spark
