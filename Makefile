# Everything a newcomer needs; each target sets itself up first.

PYTHON ?= python3
CORES ?= all
VENV := .venv
RUN := PATH="$(CURDIR)/$(VENV)/bin:$$PATH"
DEMO := --configfile config/demo.yaml

.PHONY: help env demo test test-slow test-faults test-slurm test-browser lint audit format published encoders report schema docs bench-search bench-serving bench-training clean-demo

help: ## List the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

env: $(VENV)/.installed ## Create .venv from the lock and install the package into it

$(VENV)/.installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "error: $(PYTHON) is older than 3.11; use make PYTHON=python3.11"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check \
		--no-deps --no-build-isolation --editable .
	@touch $@

demo: env ## Run the whole workflow on a small generated data set, into demo/
	$(RUN) snakemake --cores $(CORES) $(DEMO)
	$(RUN) snakemake $(DEMO) --report report.html
	@echo; echo "The demo is in demo/:"
	@cd demo && ls -1 figures/* results/*.csv results/*.md results/*.tex report.html | sed 's/^/  demo\//'

test: env ## Run the tests
	$(RUN) python -m pytest

test-slow: env ## Run the tests that take minutes
	$(RUN) python -m pytest -m slow

test-faults: env ## Inject faults, try thousands of inputs, and print what was survived; half an hour
	$(RUN) python -m pytest -m faults tests/e2e/faults

test-slurm: env ## Run the demo through a Slurm started for it; root, Debian's slurmctld slurmd slurm-client munge
	$(RUN) python -m pytest -m slurm

test-browser: env ## Open the report and the page of results in Chromium (Debian's chromium)
	$(RUN) python -m pytest -m browser

lint: env ## Check style, types and the workflow
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) mypy
	$(RUN) lint-imports --no-cache
	$(RUN) bandit --quiet --configfile pyproject.toml --recursive hashgnn benchmarks docs
	$(RUN) snakefmt --check Snakefile workflow
	$(RUN) snakemake --lint

audit: env ## Ask PyPI for known weaknesses of the locked packages
	$(PYTHON) -m venv .venv/audit
	.venv/audit/bin/python -m pip install --quiet --disable-pip-version-check pip-audit
	.venv/audit/bin/pip-audit --no-deps --disable-pip --requirement requirements.lock

format: env ## Rewrite the code in the project's style
	$(RUN) ruff check --fix .
	$(RUN) ruff format .
	$(RUN) snakefmt Snakefile workflow

published: env ## Methods beside published numbers, on the splits of those; hours
	$(RUN) snakemake --cores $(CORES) --configfile config/published.yaml -- results/published.csv

encoders: env ## HashGNN on other graph encoders, one table by encoder; hours
	$(RUN) snakemake --cores $(CORES) --configfile config/encoders.yaml -- results/encoders.csv

report: env ## Gather the paper's figures and tables, once they are made, in report.html
	$(RUN) snakemake --report report.html

schema: env ## Generate the configuration's schema and its reference from the typed models
	$(RUN) python workflow/schemas/generate.py

docs: env ## Build the documentation site, into site/
	$(RUN) NO_MKDOCS_2_WARNING=1 mkdocs build --quiet
	@echo "The site begins at site/index.html; its search wants a server: python -m http.server -d site"

bench-search: env ## Compare search with its peers; half an hour, wants an idle machine
	$(RUN) python -m benchmarks.search $(ARGUMENTS)
	$(RUN) python -m benchmarks.search_table --into docs/search.md

bench-serving: env ## Compare serving from disk with FAISS, up to 10 million items; wants an idle machine
	$(RUN) python -m benchmarks.serving $(ARGUMENTS)
	$(RUN) python -m benchmarks.serving_table --into docs/serving.md

bench-training: env ## Compare training with its peers; wants an idle machine
	$(RUN) python -m benchmarks.training $(ARGUMENTS)

clean-demo: ## Remove what the demo made
	rm -rf demo
