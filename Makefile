# Two commands do everything: `make book` and `make test`. Python 3.11 or later is all they need.
PYTHON ?= python3
ROOM ?= stats
BIN := .venv/bin
SETUP := .venv/.ready
export PYTHONDONTWRITEBYTECODE :=
# A build ends with the make that started it, also where that is killed.
export MSCT_WATCH := $(shell echo $$PPID)

.PHONY: ready book pdf sphinx lab test golden fuzz mutate check verify crate system lock cite pair bench clean help

book: ready ## Build the HTML book from MSCT_DATA (default: data/msct_synthetic)
	@$(BIN)/jupyter-book build . --warningiserror --nitpick --keep-going
	@echo "The book is at _build/html/index.html"

pdf: ready ## Build the PDF book from MSCT_DATA
	@sh tools/pdf.sh

sphinx: ready ## Build the same HTML book by plain sphinx-build, without Jupyter Book's command
	@sh tools/sphinx.sh

lab: ready .venv/.lab ## Open the chapters as notebooks in JupyterLab
	@$(BIN)/jupyter lab --LabApp.default_url=/lab/tree/notebooks $(if $(filter 0,$(shell id -u)),--allow-root)

system: ## Install the Debian packages that tests and the PDF need, where we may; else name them
	@# Playwright's driver needs libatomic1, which small images lack.
	@sh tools/system-packages.sh chromium libatomic1 poppler-utils latexmk texlive-xetex \
		texlive-latex-recommended texlive-latex-extra texlive-fonts-recommended \
		texlive-plain-generic fonts-freefont-otf

# The processes share the cores.
test: export OPENBLAS_NUM_THREADS := 1
test: ready system ## Set up whatever is missing and run the whole suite
	@$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder

golden: ready ## Store the words and cells of the book again; the diff is what was meant
	@$(BIN)/python -m tests.golden

mutate: ready .venv/.mutate ## Change the code of one room a little (ROOM=stats), and count the changes that tests notice
	@nice $(BIN)/mutmut run --max-children 1 'msct_helpers.$(ROOM).*' && $(BIN)/mutmut results

fuzz: ready ## Hand the loader thousands of spoilt data sets; none may end in silence
	@$(BIN)/python -m pytest -m slow -s tests/test_corruptions.py

verify: ready ## Execute everything afresh and compare it with the stored reference of MSCT_DATA
	@$(BIN)/msct verify

crate: ready .venv/.crate ## Pack data, code and the built book as an RO-Crate, _build/crate
	@$(BIN)/msct crate

check: ready ## Lint, format and type check
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy

pair: ready ## Bring chapters/ and notebooks/ into step
	@$(BIN)/jupytext --sync --quiet chapters/*.md

lock: ready ## Renew requirements*.txt and environment.yml from pyproject.toml
	@$(BIN)/python -m tools.lock

cite: ready ## Renew CITATION.cff, codemeta.json and .zenodo.json from pyproject.toml
	@$(BIN)/python -m tools.metadata

bench: ready ## Time builds against an empty book, and the statistics
	@$(BIN)/python benchmarks/mmrm.py && $(BIN)/python benchmarks/worlds.py && $(BIN)/python benchmarks/build.py

clean: ## Remove what was built
	rm -rf _build mutants

help: ## List the commands
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/'

# The environment is made again only when the lock or the package's description changes.
# Compiled at once: a first build without .pyc files takes more than twice as long.
$(SETUP): requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed; this is " + sys.version.split()[0] + ". Try: make PYTHON=python3.12")'
	@echo "Making the environment in .venv (once; a minute or two)"
	@$(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --disable-pip-version-check --progress-bar on --require-hashes --compile -r requirements.txt
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

# What an extra adds, on demand: requirements.txt holds the rest of its packages.
.venv/.crate .venv/.lab .venv/.mutate: .venv/.%: requirements-%.txt $(SETUP)
	@$(BIN)/pip install --quiet --disable-pip-version-check --progress-bar on --require-hashes --no-deps --compile -r $<
	@touch $@

# Packages that were damaged or removed since are installed again.
ready: $(SETUP)
	@$(BIN)/python tools/environment.py || { rm -f $(SETUP) && $(MAKE) --no-print-directory $(SETUP); }
