# Every target sets up what it needs; nothing is installed by hand.
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
READY := .venv/.ready
JOBS ?= 2

.PHONY: demo up lab test check bench chaos accuracy lock pictures clean help
.DEFAULT_GOAL := help

help: ## what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(READY): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed: install it, or name it by 'make PYTHON=...'"; exit 2; }
	@echo "Setting up .venv with $(PYTHON) (one to three minutes, once) ..."
	@$(PYTHON) -m venv .venv
	@awk '/^uv==/ {found = 1} found {print} found && !/\\$$/ {exit}' requirements.lock > .venv/uv.lock
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r .venv/uv.lock
	@# uv is several times faster; where it does not know the way to a package mirror, pip does
	@VIRTUAL_ENV=.venv $(BIN)/uv pip install --quiet --no-deps --compile-bytecode --require-hashes -r requirements.lock \
		|| $(BIN)/pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: $(READY) ## the whole platform with a simulated match (FIT=file uploads yours, EXIT=1 stops when done)
	@$(BIN)/python -m flows.demo $(if $(FIT),--fit "$(FIT)") $(if $(EXIT),--exit)

up: $(READY) ## the platform for real use
	@$(BIN)/python -m flows.up

lab: $(READY) ## JupyterLab with the notebooks, at the welcome one
	@JUPYTER_CONFIG_PATH=notebooks/.config $(BIN)/jupyter lab --notebook-dir=notebooks --LabApp.default_url=/lab/tree/welcome.ipynb --LabApp.news_url= \
		--LabApp.check_for_updates_class=jupyterlab.handlers.announcements.NeverCheckForUpdate

test: check ## check, then every test
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile tests

check: $(READY) ## ruff, types, layers, notebooks clean
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/python -m pytest -q tests/test_layers.py tests/test_notebooks_clean.py tests/test_environment.py

bench: $(READY) ## NAME ours= peer= ratio= (ONLY=name for one)
	@$(BIN)/python -m benchmarks $(ONLY)

chaos: $(READY) ## 200 watches, 50 kills of the server, on SQLite and PostgreSQL (SIZE=20x5 for fewer)
	SQUASH_CHAOS=$(or $(SIZE),200x50) $(BIN)/python -m pytest -v tests/api/test_chaos.py

accuracy: $(READY) ## detection against truth, a line per sensor set
	@$(BIN)/python -m benchmarks.accuracy $(ARGS)

pictures: $(READY) ## the README's pictures, from the running product
	@$(BIN)/python -m tests.browser.pictures

lock: $(READY) ## solve the dependencies of pyproject.toml anew
	@$(BIN)/uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes \
		--custom-compile-command "make lock" --quiet --output-file requirements.lock
	@$(BIN)/python -m tests.test_environment > environment.yml

clean: ## remove .venv and caches
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis *.egg-info
