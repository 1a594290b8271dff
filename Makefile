# Development targets. Each installs what it needs into .venv first; make help lists them.

PYTHON ?= python3
CORES ?= all
VENV := .venv
RUN := PATH="$(CURDIR)/$(VENV)/bin:$$PATH"
DEMO := --configfile config/demo.yaml

.PHONY: help env demo test test-slow test-faults test-slurm test-browser lint audit format published encoders full-size generator-fit report schema docs bench-search bench-serving bench-training clean-demo

help: ## List the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

env: $(VENV)/.installed ## Create .venv from requirements.lock and install the package

$(VENV)/.installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "error: $(PYTHON) is older than 3.11; use make PYTHON=python3.11"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check \
		--no-deps --no-build-isolation --editable .
	@touch $@

demo: env ## Run the whole workflow on a small generated data set
	$(RUN) snakemake --cores $(CORES) $(DEMO)
	$(RUN) snakemake $(DEMO) --report report.html
	@echo; echo "The results of the demo are in demo/:"
	@cd demo && ls -1 figures/* results/*.csv results/*.md results/*.tex report.html | sed 's/^/  demo\//'

test: env ## Run the tests
	$(RUN) python -m pytest

test-slow: env ## Run the slow tests (minutes)
	$(RUN) python -m pytest -m slow

test-faults: env ## Run the fault-injection and fuzzing tests; half an hour
	$(RUN) python -m pytest -m faults tests/e2e/faults

test-slurm: env ## Test the Slurm profile on a local Slurm; as root, with slurmctld slurmd slurm-client munge
	$(RUN) python -m pytest -m slurm

test-browser: env ## Test the report and the page of results in Chromium (package chromium)
	$(RUN) python -m pytest -m browser

lint: env ## Check style, types and the workflow
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) mypy
	$(RUN) lint-imports --no-cache
	$(RUN) bandit --quiet --configfile pyproject.toml --recursive hashgnn benchmarks docs
	$(RUN) snakefmt --check Snakefile workflow
	$(RUN) snakemake --lint

audit: env ## Check the locked packages for known vulnerabilities; needs PyPI
	$(PYTHON) -m venv .venv/audit
	.venv/audit/bin/python -m pip install --quiet --disable-pip-version-check pip-audit
	.venv/audit/bin/pip-audit --no-deps --disable-pip --requirement requirements.lock

format: env ## Format the code
	$(RUN) ruff check --fix .
	$(RUN) ruff format .
	$(RUN) snakefmt Snakefile workflow

published: env ## Compare methods with published numbers on their splits; hours
	$(RUN) snakemake --cores $(CORES) --configfile config/published.yaml -- results/published.csv

encoders: env ## HashGNN on other graph encoders, one table by encoder; an hour or two
	$(RUN) snakemake --cores $(CORES) --configfile config/encoders.yaml -- results/encoders.csv

full-size: env ## Generate 28 million interactions and train the methods that scale to them; two hours
	$(RUN) snakemake --cores 2 --set-threads train=2 evaluate=2 --resources mem_mb=8000 \
		--configfile config/full_size.yaml -- \
		results/table1.csv results/table4.csv results/full_size.csv

generator-fit: env ## Compare generated with real data, for docs/data.md; hours
	$(RUN) snakemake --cores $(CORES) $(DEMO) -- results/methods.csv
	$(RUN) snakemake --cores $(CORES) --configfile config/generated.yaml -- results/methods.csv \
		results/movielens/interactions.npz results/gowalla/interactions.npz \
		results/pinterest/interactions.npz
	$(RUN) python -m benchmarks.generated_data

report: env ## Collect the figures and tables made so far in report.html
	$(RUN) snakemake --report report.html

schema: env ## Generate the configuration's schema and its reference from the typed models
	$(RUN) python workflow/schemas/generate.py

docs: env ## Build the documentation site into site/
	$(RUN) NO_MKDOCS_2_WARNING=1 mkdocs build --quiet
	@echo "Open site/index.html. To use the search: python -m http.server -d site"

bench-search: env ## Compare search with other libraries; half an hour on an idle machine
	$(RUN) python -m benchmarks.search $(ARGUMENTS)
	$(RUN) python -m benchmarks.search_table --into docs/search.md

bench-serving: env ## Compare serving from disk with FAISS; on an idle machine
	$(RUN) python -m benchmarks.serving $(ARGUMENTS)
	$(RUN) python -m benchmarks.serving_table --into docs/serving.md

bench-training: env ## Compare training with other libraries; on an idle machine
	$(RUN) python -m benchmarks.training $(ARGUMENTS)

clean-demo: ## Remove the results of the demo
	rm -rf demo
