# The commands of the project; `make help` lists them.
# Each line of a recipe is one plain command, so that make starts it without a shell between: a SIGTERM
# sent to make then reaches the command itself, and `make run` ends at once.

PYTHON ?= python3
VENV ?= .venv
PORT ?= 8000
BIN := $(VENV)/bin
CODE := manage.py stsclinic lesions sessions_app tests

export PYTHONUNBUFFERED := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help run test soak bench lint format demo screenshots demo-reset requirements clean
.DEFAULT_GOAL := help

help: ## List the commands.
	@sed -n 's/^\([a-z-]*\):.*## /  make \1|/p' $(firstword $(MAKEFILE_LIST)) | column -t -s '|'

run: $(VENV)/installed-run ## Serve the demonstration clinic on 127.0.0.1, port PORT (8000).
	@echo "[3/5] Preparing the database"
	@$(BIN)/python manage.py migrate --verbosity 0
	@echo "[4/5] Compressing the static files"
	@$(BIN)/python manage.py collectstatic --noinput --verbosity 0
	@echo "[5/5] Loading the demonstration clinic; what was entered is kept"
	@$(BIN)/python manage.py load_demo
	@$(BIN)/gunicorn --config python:stsclinic.server --bind 127.0.0.1:$(PORT) stsclinic.wsgi

test: $(VENV)/installed-test ## Run every test, on SQLite and again on PostgreSQL.
	@$(BIN)/python -m tests.tools.run

soak: $(VENV)/installed-test ## Cut a visit 100 times (server killed, network lost, tab closed, signed out); nothing may be lost.
	@$(BIN)/python -m tests.tools.run --cuts 100 tests/browser/test_cuts.py

bench: $(VENV)/installed-test ## Measure the speed as ratios to this machine's floor; ONLY=sheet measures that row.
	@$(BIN)/python -m tests.tools.bench

lint: $(VENV)/installed-test ## Check the style, the format and the types.
	@$(BIN)/ruff check $(CODE)
	@$(BIN)/ruff format --check $(CODE)
	@$(BIN)/python -m tests.tools.check_templates
	@$(BIN)/python -m mypy stsclinic lesions sessions_app tests/tools tests/conftest.py

format: $(VENV)/installed-test ## Put Python and templates into the project's format.
	@$(BIN)/ruff check --fix $(CODE)
	@$(BIN)/ruff format $(CODE)
	@$(BIN)/python -m tests.tools.check_templates --write

demo: screenshots ## The same as make screenshots.

screenshots: $(VENV)/installed-test ## Take docs/screenshots/ anew from a demonstration clinic of its own.
	@$(BIN)/python -m tests.tools.screenshots

demo-reset: $(VENV)/installed-run ## Set the demonstration's data aside; the next make run starts afresh.
	@$(BIN)/python manage.py reset_demo

requirements: $(VENV)/installed-test ## Write both requirements.txt anew from their requirements.in.
	@$(BIN)/python -m tests.tools.requirements

clean: ## Remove the virtual environment and the caches; the data stay.
	@rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis test-results

$(BIN)/python:
	@echo "[1/5] Making the virtual environment in $(VENV)"
	@$(PYTHON) -c "import sys; sys.exit(None if sys.version_info >= (3, 11) else 'Python 3.11 or newer is needed; say which with make PYTHON=/path/to/python3')"
	@$(PYTHON) -c "import ensurepip; import sys" || { echo "Install the package python3-venv first."; exit 1; }
	@$(PYTHON) -m venv $(VENV)

$(VENV)/installed-run: requirements.txt | $(BIN)/python
	@echo "[2/5] Installing the packages of requirements.txt"
	@$(BIN)/python -m pip install --no-compile --require-hashes --no-input --progress-bar off -r requirements.txt
	@touch $@

$(VENV)/installed-test: tests/requirements.txt $(VENV)/installed-run
	@echo "Installing the packages of tests/requirements.txt"
	@$(BIN)/python -m pip install --quiet --require-hashes --no-input --progress-bar off -r tests/requirements.txt
	@touch $@
