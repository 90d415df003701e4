# `make` alone says what there is. Everything is installed into .venv; nothing is installed elsewhere.

PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/installed
INSTALLED_DEV := .venv/installed-dev
EXAMPLES := ticket_triage course_feedback interview_questions product_reviews scanned_pages documents

# Without compiled modules on disk, every command starts several times as slowly.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup demo dev test test-quick check format constraints home

help: ## Say what there is
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1 \2/p' $(MAKEFILE_LIST) | awk '{ printf "  make %-12s", $$2; $$1 = $$2 = ""; print }'

setup: $(INSTALLED) home ## Install what running tasks takes

demo: setup ## Run the example tasks on this machine: no key, no network, no cost
	@for task in $(EXAMPLES); do $(BIN)/llm-assets run $$task || exit $$?; done
	@printf '%s\n' '' \
	  'All of them are done. The outputs were made by the offline model, which is no LLM.' \
	  '  Exports:  data/exports/<task>/<batch>.csv    such as data/exports/ticket_triage/march.csv' \
	  '  Reports:  data/reports/<task>/<batch>.html   such as data/reports/ticket_triage/march.html' \
	  'Try next:' \
	  '  make demo                                    again: it sends 0 calls' \
	  '  make dev                                     the graph and its history in the Dagster UI' \
	  '  .venv/bin/llm-assets status ticket_triage    which stages have run, and what came of the items' \
	  '  README.md, "Your own table"                  your data, your prompt, your model'

dev: setup ## Open the Dagster UI on the project's history, at http://127.0.0.1:3000
	PYTHONWARNINGS=ignore::FutureWarning $(BIN)/dagster dev

test: $(INSTALLED_DEV) home ## Run all tests
	$(BIN)/python -m pytest -n 2

test-quick: $(INSTALLED_DEV) home ## Run the tests that start no processes
	$(BIN)/python -m pytest -n 2 -m "not slow"

check: $(INSTALLED_DEV) home ## Check style, types, layers and that the definitions load
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/basedpyright
	$(BIN)/lint-imports
	PYTHONWARNINGS=ignore::FutureWarning $(BIN)/dagster definitions validate

format: $(INSTALLED_DEV) ## Mend style where a tool can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

constraints: $(INSTALLED_DEV) ## Write the installed versions to constraints.txt
	@sed -n '/^#/p' constraints.txt > .venv/constraints.txt
	@$(BIN)/pip freeze --exclude-editable >> .venv/constraints.txt
	@mv .venv/constraints.txt constraints.txt
	@touch $(INSTALLED) $(INSTALLED_DEV)

$(BIN)/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "llm-assets needs Python 3.11 or newer, and $(PYTHON) is $$($(PYTHON) --version 2>&1)."; \
	  echo "Install a newer one and name it: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	@echo 'Making a virtual environment in .venv ...'
	@$(PYTHON) -m venv --upgrade-deps .venv || { \
	  echo 'The virtual environment could not be made. On Debian and Ubuntu: apt install python3-venv'; exit 1; }

$(INSTALLED): pyproject.toml constraints.txt | $(BIN)/pip
	@echo 'Installing llm-assets and what it needs into .venv; this takes about a minute ...'
	@PYTHONWARNINGS=ignore $(BIN)/pip install --quiet --disable-pip-version-check -e . -c constraints.txt
	@touch $@

$(INSTALLED_DEV): $(INSTALLED)
	@echo 'Installing the tools for tests and checks into .venv ...'
	@PYTHONWARNINGS=ignore $(BIN)/pip install --quiet --disable-pip-version-check -e '.[dev]' -c constraints.txt
	@touch $@

# One history for the command line, the UI and plain `dagster` commands, which read `.env` of the folder they
# are started in. A line that is there already stays.
home: .dagster/dagster.yaml
	@touch .env
	@grep -q '^DAGSTER_HOME=' .env || { \
	  test -z "$$(tail -c 1 .env)" || echo >> .env; \
	  echo 'DAGSTER_HOME=$(CURDIR)/.dagster' >> .env; }
	@grep -qxF 'DAGSTER_HOME=$(CURDIR)/.dagster' .env || \
	  echo "Note: $$(grep '^DAGSTER_HOME=' .env) in .env, so the history is kept there and not in this folder."

.dagster/dagster.yaml: dagster.yaml
	@mkdir -p .dagster
	@cp dagster.yaml $@
