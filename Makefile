# Development targets. Each installs what it needs into .venv first; make help lists them.

PYTHON ?= python3
CORES ?= all
VENV := .venv
RUN := PATH="$(CURDIR)/$(VENV)/bin:$$PATH"
DEMO := --configfile config/demo.yaml
QUANTIZED := config/reproduction.yaml config/quantization.yaml
PRINTED := docs/reproduction/records/paper
TESTS := $(addprefix $(VENV)/.installed-,test docs bench)
INSTALL := $(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --constraint requirements.lock

.PHONY: help env demo test test-slow test-faults test-slurm test-browser test-gpu test-serving test-stores lint audit format published encoders full-size generator-fit quantization tune reproduction paper pages report schema docs bench-search bench-asymmetric bench-serving bench-serve bench-training bench-gpu clean-demo

help: ## List the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

env: $(TESTS) $(VENV)/.installed-lint ## Install all that development needs into .venv

# What the workflow and the hashgnn command need (the extra workflow of pyproject.toml); tests, docs
# and benchmarks add a group each.
$(VENV)/.installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "error: $(PYTHON) is older than 3.11; use make PYTHON=python3.11"; exit 1; }
	@echo "Installing the packages of the workflow into $(VENV), in the versions of requirements.lock."
	@$(PYTHON) -m venv $(VENV)
	@$(INSTALL) setuptools
	@$(INSTALL) --no-build-isolation --editable '.[workflow]'
	@touch $@

$(VENV)/.installed-%: $(VENV)/.installed
	@echo "Installing the packages of the group $* (pyproject.toml) into $(VENV)."
	@$(VENV)/bin/python -c 'import sys, tomllib; groups = tomllib.load(open("pyproject.toml", "rb"))["dependency-groups"]; print(*groups[sys.argv[1]], sep="\n")' $* > $(VENV)/$*.txt
	@$(INSTALL) --requirement $(VENV)/$*.txt
	@touch $@

demo: $(VENV)/.installed ## Run the whole workflow on a small generated data set
	@mkdir -p demo
	@echo "Running the whole workflow on a small generated data set: downloads nothing, trains all"
	@echo "methods for a few epochs, and compiles kernels, once. The log is demo/snakemake.log; Ctrl-C"
	@echo "stops it, make demo goes on."
	@export $(RUN); hashgnn status demo --bar & bar=$$!; \
		snakemake --cores $(CORES) $(DEMO) >demo/snakemake.log 2>&1; code=$$?; \
		kill $$bar 2>/dev/null; wait; echo; \
		test $$code = 0 || { tail -n 20 demo/snakemake.log; exit $$code; }
	@$(RUN) snakemake $(DEMO) --report report.html >>demo/snakemake.log 2>&1
	@echo
	@echo "Done. This was a demo: its numbers say nothing about the methods. Look at"
	@echo "  demo/report.html           figures, tables, claims, how each result was made"
	@echo "  demo/results/explore.html  all results of all methods, to filter and compare"
	@echo "  demo/figures/fig3.pdf      recall of Hamming search by the length of the list"
	@echo "  demo/results/table2.md     hierarchical search; also as .tex, .csv and .html"
	@echo "Next: docs/tutorial.md leads to your own data and your own method."

test: $(TESTS) ## Run the tests
	$(RUN) python -m pytest --numprocesses logical --maxprocesses 8

test-slow: $(TESTS) ## Run the slow tests (minutes)
	$(RUN) python -m pytest -m slow

test-faults: $(TESTS) ## Run the fault-injection and fuzzing tests; half an hour
	$(RUN) python -m pytest -m faults tests/e2e/faults

test-slurm: $(TESTS) ## Test the Slurm profile on a local Slurm; as root, with slurmctld slurmd slurm-client munge
	$(RUN) python -m pytest -m slurm

test-browser: $(TESTS) ## Test the report and the page of results in Chromium (package chromium)
	$(RUN) python -m pytest -m browser

test-serving: $(TESTS) ## Test hashgnn serve as a process whose model is replaced under load
	$(RUN) python -m pytest -m slow tests/e2e/serving

test-stores: $(TESTS) ## Query exports by USearch, LanceDB, sqlite-vec, DuckDB, PostgreSQL (Debian's postgresql)
	$(RUN) python -m pytest tests/recommender/test_export.py tests/recommender/test_postgresql.py

test-gpu: $(TESTS) ## Compare training on an NVIDIA GPU with the CPU; eight minutes at most
	$(RUN) timeout 480 python -m pytest -m gpu -W default tests/training/test_devices.py

lint: $(VENV)/.installed-lint $(VENV)/.installed-test ## Check style, types and the workflow
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) mypy
	$(RUN) lint-imports --no-cache
	$(RUN) bandit --quiet --configfile pyproject.toml --recursive hashgnn benchmarks docs
	$(RUN) snakefmt --check Snakefile workflow
	$(RUN) snakemake --lint

audit: $(VENV)/.installed ## Check the locked packages for known vulnerabilities; needs PyPI
	$(PYTHON) -m venv .venv/audit
	.venv/audit/bin/python -m pip install --quiet --disable-pip-version-check pip-audit
	.venv/audit/bin/pip-audit --no-deps --disable-pip --requirement requirements.lock

format: $(VENV)/.installed-lint ## Format the code
	$(RUN) ruff check --fix .
	$(RUN) ruff format .
	$(RUN) snakefmt Snakefile workflow

tune: $(VENV)/.installed ## Tune methods on validation parts: PART=DATASET, MODEL or DATASET/MODEL; hours
	$(RUN) python workflow/tune.py $(PART) -- --cores $(CORES) $(OPTIONS)

published: $(VENV)/.installed ## Methods beside published numbers on their splits: a table, figure 10; hours
	$(RUN) snakemake --cores $(CORES) --configfile config/published.yaml -- \
		results/published.csv figures/fig10.pdf

encoders: $(VENV)/.installed ## HashGNN on other graph encoders, one table by encoder; an hour or two
	$(RUN) snakemake --cores $(CORES) --configfile config/encoders.yaml -- results/encoders.csv

full-size: $(VENV)/.installed ## Generate 28 million interactions and train the methods that scale to them; two hours
	$(RUN) snakemake --cores 2 --set-threads train=2 evaluate=2 --resources mem_mb=8000 \
		--configfile config/full_size.yaml -- \
		results/table1.csv results/table4.csv results/full_size.csv

generator-fit: $(VENV)/.installed ## Compare generated with real data, for docs/data.md; hours
	$(RUN) snakemake --cores $(CORES) $(DEMO) -- results/methods.csv
	$(RUN) snakemake --cores $(CORES) --configfile config/generated.yaml -- results/methods.csv \
		results/movielens/interactions.npz results/gowalla/interactions.npz \
		results/pinterest/interactions.npz
	$(RUN) python -m benchmarks.generated_data

reproduction: $(VENV)/.installed ## Run all experiments and keep their records; PART=gowalla: one data set's; hours
	$(RUN) snakemake --cores $(CORES) --configfile config/reproduction.yaml $(ARGUMENTS) -- \
		$(if $(PART),results/$(PART)/provenance.csv,all)
	$(RUN) python -m hashgnn.reporting.records pack \
		--results reproduction/results --into docs/reproduction/records

paper: $(VENV)/.installed ## The paper's methods with its printed settings, two data sets, and their records; hours
	$(RUN) snakemake --cores $(CORES) --configfile config/paper.yaml $(ARGUMENTS) -- results/methods.csv
	$(RUN) python -m hashgnn.reporting.records pack \
		--results paper/results --into $(PRINTED)

pages: $(VENV)/.installed ## Write docs/reproduction from its records, without training; a minute
	@rm -rf pages
	$(RUN) python -m hashgnn.reporting.records unpack \
		--from docs/reproduction/records --results pages/results
ifneq ($(wildcard $(PRINTED)/*.parquet),)
	$(RUN) python -m hashgnn.reporting.records unpack --from $(PRINTED) --results pages/paper/results
	$(RUN) snakemake --cores $(CORES) --configfile config/paper.yaml config/pages.yaml \
		--config workdir=pages/paper -- results/methods.csv
endif
	$(RUN) snakemake --cores $(CORES) --configfile $(QUANTIZED) config/pages.yaml -- pages/README.md
	$(RUN) python docs/reproduction/publish.py pages/pages
	@! test -f pages/results/quantization.csv || \
		$(RUN) python docs/reproduction/fill_quantization.py pages

quantization: $(VENV)/.installed ## Learned codes beside quantized vectors: figures 8 and 9, two tables, and their records; hours
	$(RUN) snakemake --cores $(CORES) --configfile $(QUANTIZED) $(ARGUMENTS) -- figures/fig8.pdf \
		figures/fig9.pdf results/quantization.csv results/quantization_verdict.csv
	$(RUN) python -m hashgnn.reporting.records pack \
		--results reproduction/results --into docs/reproduction/records

report: $(VENV)/.installed ## Collect the figures and tables made so far in report.html
	$(RUN) snakemake --report report.html

schema: $(VENV)/.installed ## Generate the configuration's schema and its reference from the typed models
	$(RUN) python workflow/schemas/generate.py

docs: $(VENV)/.installed-docs ## Build the documentation site into site/
	$(RUN) NO_MKDOCS_2_WARNING=1 mkdocs build --quiet
	@echo "Open site/index.html. To use the search: python -m http.server -d site"

bench-search: $(VENV)/.installed-bench ## Compare search with other libraries; half an hour on an idle machine
	$(RUN) python -m benchmarks.search $(ARGUMENTS)
	$(RUN) python -m benchmarks.search_table --into docs/search.md

bench-asymmetric: $(VENV)/.installed-bench ## Compare asymmetric search with FAISS; on an idle machine
	$(RUN) python -m benchmarks.asymmetric $(ARGUMENTS)
	$(RUN) python -m benchmarks.asymmetric --into docs/quantization.md

bench-serving: $(VENV)/.installed-bench ## Compare serving from disk with FAISS; on an idle machine
	$(RUN) python -m benchmarks.serving $(ARGUMENTS)
	$(RUN) python -m benchmarks.serving_table --into docs/serving.md

bench-serve: $(VENV)/.installed-bench ## Compare hashgnn serve with a FAISS service under load (Debian's wrk); on an idle machine
	$(RUN) python -m benchmarks.http_load $(ARGUMENTS)
	$(RUN) python -m benchmarks.http_load --into docs/serving.md

bench-training: $(VENV)/.installed-bench ## Compare training with other libraries; on an idle machine
	$(RUN) python -m benchmarks.training $(ARGUMENTS)

bench-gpu: $(VENV)/.installed-bench ## Measure training on an NVIDIA GPU beside its peers; eight minutes at most
	$(RUN) timeout 480 python -m benchmarks.gpu $(ARGUMENTS)
	$(RUN) python -m benchmarks.gpu_table --into docs/training.md

clean-demo: ## Remove the results of the demo
	rm -rf demo
