# Every target makes its own environment; on a fresh machine `make run` is the only step.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
DEV_STAMP := $(VENV)/.installed-dev

# What Python compiled is kept, though an environment may say otherwise (containers often do): without
# it every process of ours compiles the whole of seqbench again.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: run test test-all check format clean

run: $(STAMP)
	@$(BIN)/seqbench $(ARGS)

# A file's tests stay in one process. Many wait for real processes, so there is one process more
# than there are cores; threads that wait leave the cores to others.
PYTEST := OMP_WAIT_POLICY=passive $(BIN)/python -m pytest --numprocesses $$(( $$(nproc) + 1 )) --maxprocesses 6 --dist loadfile --no-loadscope-reorder

test: $(DEV_STAMP)
	$(PYTEST) $(ARGS)

test-all: $(DEV_STAMP)
	$(PYTEST) -m "slow or not slow" --hypothesis-profile=searching $(ARGS)

check: $(DEV_STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(DEV_STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "seqbench needs Python 3.11 or newer: make run PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(STAMP): pyproject.toml | $(BIN)/python
	@echo "Installing seqbench into $(VENV) (a few minutes the first time) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	@touch $@

$(DEV_STAMP): pyproject.toml | $(BIN)/python
	@echo "Installing seqbench and its development tools into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[dev]"
	@touch $@ $(STAMP)

# A report on a store of its own, from nothing: eighteen short runs on the built-in data, a few minutes.
SAMPLE_RUNS ?= --model sasrec,bert4rec,xlstm --dataset synthetic --length 10,20 --seed 1,2,3 --set patience=1

.PHONY: sample
sample: $(STAMP)
	@mkdir -p sample
	@$(BIN)/seqbench --db sample/runs.db run $(SAMPLE_RUNS) --wait
	@$(BIN)/seqbench --db sample/runs.db report -o sample/report.html
	@$(BIN)/seqbench --db sample/runs.db report -o sample/report.md

# The pictures of the README and the tour, drawn from real runs: nine on MovieLens 100K, which it fetches
# and trains first (ten minutes on two cores), while one more trains. The app looks as it does for a new
# user: home is a folder of its own.
PICTURED := $(CURDIR)/pictured
PICTURED_APP := SEQBENCH_CACHE=$${SEQBENCH_CACHE:-$$HOME/.cache/seqbench/data} HOME=$(PICTURED) COLORTERM=truecolor

.PHONY: pictures
pictures: $(STAMP)
	@rm -rf $(PICTURED) && mkdir $(PICTURED)
	@$(BIN)/seqbench data fetch ml-100k
	@$(PICTURED_APP) $(BIN)/seqbench --db $(PICTURED)/runs.db run --model sasrec,bert4rec,xlstm --dataset ml-100k --length 50 --seed 42,43,44 --set epochs=24 --wait
	@$(PICTURED_APP) $(BIN)/seqbench --db $(PICTURED)/runs.db run --model sasrec,xlstm --dataset ml-100k --length 75
	@(cd $(PICTURED) && $(PICTURED_APP) $(CURDIR)/$(BIN)/python $(CURDIR)/docs/make_pictures.py --db runs.db $(ARGS)); drawn=$$?; \
		$(PICTURED_APP) $(BIN)/seqbench --db $(PICTURED)/runs.db cancel --all; exit $$drawn

# What the app and the commands know of the models that come with seqbench; a test holds it true.
.PHONY: modelinfo
modelinfo: $(STAMP)
	@$(BIN)/python -m engine.models.describe --builtin engine/modelinfo/builtin.json

.PHONY: bench-catalogue bench-lengths bench-load bench-cluster bench-chaos bench-charts bench-terminal bench-datasets bench-headline bench-exports bench-settings bench-suite bench-targets bench-tuning bench-duels
bench-catalogue bench-lengths bench-load bench-cluster bench-chaos bench-charts bench-terminal bench-datasets bench-headline bench-exports bench-settings bench-suite bench-targets bench-tuning bench-duels: bench-%: $(STAMP)
	@$(BIN)/python -m benchmarks.$* $(ARGS)

# RecBole, which seqbench is compared with, has an environment of its own.
PEERS_PYTHON ?= $(PYTHON)
PEERS := benchmarks/sides
PEERS_STAMP := $(PEERS)/.venv/.installed

.PHONY: bench-peers
bench-peers: $(STAMP) $(PEERS_STAMP)
	@$(BIN)/python -m benchmarks.peers $(ARGS)

$(PEERS_STAMP): $(PEERS)/requirements.txt
	@echo "Installing RecBole into $(PEERS)/.venv ..."
	@$(PEERS_PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || { echo "RecBole 1.2.1 needs Python 3.11 (its ray has no wheels for a newer one): make bench-peers PEERS_PYTHON=python3.11"; exit 1; }
	@$(PEERS_PYTHON) -m venv --clear $(PEERS)/.venv
	@$(PEERS)/.venv/bin/python -m pip install --quiet --disable-pip-version-check -r $< || { echo "RecBole could not be installed: pip says why above, and $< holds the pins."; exit 1; }
	@touch $@

clean:
	rm -rf $(VENV) $(PEERS)/.venv sample pictured dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
