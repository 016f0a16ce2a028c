# Each target is a line or two over a standard tool; README.md gives the same commands without make.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
PAGE := _build/html/index.html
NBVAL := $(BIN)/pytest -n 2 --dist loadfile --nbval-current-env --nbval-cell-timeout 300
# seeds of a second draw: one in `make test`; make test-claims SEEDS="1 2 3"
SEEDS ?= 1
export TQDM_DISABLE := 1
# Nets this small run fastest on one thread, and two tests run side by side.
export OMP_NUM_THREADS ?= 1

.PHONY: book slides pdf test test-all test-claims lint sections execute lab serve bench mutate audit times test-portable lock clean

book: $(READY) _build/.config  ## build the book, strictly, and print the page to open
	@$(BIN)/jupyter-book build . -W -n --keep-going -q $(JB) || { rm -rf _build/.doctrees; exit 1; }
	@echo "Open file://$(CURDIR)/$(PAGE)"

test: lint  ## everything that holds the book to its word
	@echo "── the book, strictly ──"
	@$(MAKE) --no-print-directory book JB=--all
	@echo "── unit tests ──"
	$(BIN)/pytest -n 2 tests --ignore tests/browser -m 'not slow'
	@echo "── every notebook, run again and compared ──"
	$(NBVAL) --nbval book
	@$(MAKE) --no-print-directory test-claims PAGES="book/*.ipynb book/practice/*.ipynb"
	@echo "── every page and figure, in a browser ──"
	$(BIN)/pytest -n 2 tests/browser -m 'not slow'

test-claims: $(READY)  ## every assertion of the notebooks with other data, weights and noise: SEEDS="1 2 3"
	@echo "── every claim once more, with BOOK_SEED $(SEEDS) ──"
	@$(BIN)/python -m tests.draws $(SEEDS) $(if $(PAGES),--pages $(PAGES))

test-all: $(READY)  ## the slow gates, after `make test`
	@$(MAKE) --no-print-directory test-claims PAGES="book/exercises/*.ipynb"
	$(BIN)/pytest -n 2 --dist loadfile tests -m slow

lint: $(READY)
	@echo "── lint ──"
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports

execute: $(READY)  ## run the notebooks that changed (ALL=1: all) and store them
	$(BIN)/ruff format -q book
	$(BIN)/python -m companion.notebooks $(if $(ALL),--all)

sections: $(READY)  ## write the lists of sections from companion/sections.py
	$(BIN)/python -m companion.sections

slides: book  ## slides of every section, for a projector: no network, figures alive (PAGES=10_07_longterm: of one)
	@$(BIN)/python -m companion.publishing.slides $(PAGES)

pdf: book  ## the whole book as one PDF, _build/book.pdf; some minutes, and Chromium
	@$(BIN)/python -m companion.publishing.printed $(PAGES)

lab: $(READY)  ## the notebooks, live
	$(BIN)/jupyter lab book

serve: book  ## the built book over http
	$(BIN)/python -m http.server -b 127.0.0.1 -d _build/html $(or $(PORT),8000)

bench: $(READY)  ## speed of the reference implementations beside torch's and reservoirpy's
	$(BIN)/python -m tests.bench

mutate: $(READY)  ## small faults, put into a copy one at a time: which does no test notice? (SEED=1, PATHS=companion/longterm)
	@TQDM_DISABLE= SEED=$(SEED) $(BIN)/python -m tests.mutate $(PATHS)

audit: book  ## what each page costs a reader's machine, and what is wrong on it (PAGES=book/10_07_longterm: of one)
	$(BIN)/python -m tests.audit $(PAGES)

times: $(READY)  ## seconds for each notebook and for the slowest tests
	$(BIN)/python -m companion.notebooks --dry-run
	$(BIN)/pytest tests --ignore tests/browser --durations 20

test-portable: $(READY)  ## the stored outputs on other thread counts and instruction sets, assertions in other environments
	for setting in OMP_NUM_THREADS=1 OMP_NUM_THREADS=2 ATEN_CPU_CAPABILITY=default OPENBLAS_CORETYPE=Haswell; do \
	  echo "── $$setting ──"; env $$setting $(NBVAL) --nbval book || exit 1; done
	$(BIN)/python -m tests.environments run $(if $(ONLY),--only $(ONLY))

lock: $(READY)  ## constraints.txt: what the pins in requirements.txt bring with them
	$(BIN)/python -m tests.environments lock

clean:
	rm -rf _build .venv build *.egg-info .pytest_cache .ruff_cache .hypothesis .import_linter_cache .mutants

$(READY): requirements.txt constraints.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed (make PYTHON=...)")'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/pip install -r requirements.txt
	@touch $@

# A change here reaches every page, so the next build starts afresh.
_build/.config: _config.yml _toc.yml book/references.bib $(wildcard book/style/*)
	@rm -rf _build && mkdir _build && touch $@
