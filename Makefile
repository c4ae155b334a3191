# A fresh checkout needs GNU make and Python 3.11 to 3.13; everything else is installed into .venv.
#
#   make detect                   find the seizures of the bundled sample
#   make test                     lint, types, import rules and all tests
#   make test-isa                 the numerical ones again, as on a processor without AVX-512
#   make detect PYTHON=python3.12 another interpreter
#   make detect TORCH_INDEX=URL   a further package index for PyTorch (its CPU builds are far smaller)

PYTHON ?= python3
TORCH_INDEX ?=
ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
INDEX := $(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX))
OUT := out
RUN ?= runs/local
# The fuzzer's long mode is no measurement of speed, and the instruction sets are for other commands.
BENCHMARKS ?= $(filter-out benchmarks/fuzz.py benchmarks/instruction_sets.py,$(sort $(wildcard benchmarks/*.py)))
EXTRAS := dev,train,graph,onnx,mne,report

.DEFAULT_GOAL := help
.PHONY: help setup setup-gpu q t test test-isa wheel-test detect smoke train-local data-given bench clean distclean

help: ## show the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

# Stamps instead of phony steps: a second call costs nothing, a changed pyproject.toml installs again.
$(VENV)/.created:
	@found=$$($(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || found=absent; \
	case $$found in 3.11|3.12|3.13) ;; *) \
	  echo "error: brainscan needs Python 3.11, 3.12 or 3.13 ($(PYTHON): $$found)." \
	       "hint: name one that is installed, for example: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 2;; \
	esac
	@$(PYTHON) -m venv $(VENV) || { \
	  echo "error: '$(PYTHON) -m venv' failed. hint: on Debian and Ubuntu it is the package python3-venv" >&2; exit 2; }
	@touch $@

# PyTorch first and pinned: resolved together with the rest, a Linux machine without a GPU can end up with
# gigabytes of CUDA libraries.
$(VENV)/.torch: constraints.txt | $(VENV)/.created
	$(PIP) install -c constraints.txt $(INDEX) torch
	@touch $@

$(VENV)/.base: $(VENV)/.torch pyproject.toml
	$(PIP) install -c constraints.txt -e .
	@touch $@

$(VENV)/.full: $(VENV)/.base
	$(PIP) install -c constraints.txt -e ".[$(EXTRAS)]"
	@touch $@

setup: $(VENV)/.full ## install everything that development needs into .venv

setup-gpu: $(VENV)/.full ## as setup, with mamba-ssm's kernels (needs a CUDA toolchain)
	@command -v nvcc >/dev/null || { \
	  echo "error: no nvcc found: mamba-ssm compiles its kernels. hint: install NVIDIA's CUDA toolkit;" \
	       "without it brainscan runs on the GPU in plain PyTorch" >&2; exit 2; }
	$(PIP) install -c constraints.txt setuptools wheel ninja
	$(PIP) install -c constraints.txt --no-build-isolation -e ".[gpu]"

q: $(VENV)/.full ## lint, format, types, import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

t: $(VENV)/.full ## the fast tests
	$(BIN)/python -m pytest -m "not slow" $(ARGS)

test: q ## everything: q, then all tests
	$(BIN)/python -m pytest $(ARGS)

test-isa: $(VENV)/.full ## the tests in which a processor shows, as on a plainer one (AVX2, SSE4)
	$(BIN)/python benchmarks/instruction_sets.py -- $(BIN)/python -m pytest -m isa $(ARGS)

wheel-test: $(VENV)/.full ## build the wheel, install it alone elsewhere, detect with it
	TORCH_INDEX="$(TORCH_INDEX)" bash .ci/wheel-test $(BIN)/python

detect: $(VENV)/.base ## find the seizures of the bundled sample, beside the true ones
	@mkdir -p $(OUT)
	$(BIN)/brainscan detect examples/sample.edf -o $(OUT)/sample.csv_bi --force
	@$(BIN)/python examples/compare_events.py examples/sample_truth.csv_bi $(OUT)/sample.csv_bi

smoke: $(VENV)/.full ## train for seconds on simulated recordings, detect with the result
	rm -rf $(OUT)/smoke
	$(BIN)/brainscan train --profile smoke --data simulation -o $(OUT)/smoke
	$(BIN)/brainscan detect examples/sample.edf --model $(OUT)/smoke/model.safetensors -o $(OUT)/smoke/sample.csv_bi

train-local: data-given $(VENV)/.full ## train v3-lite on this machine: make train-local DATA=PATH [RUN=runs/local]
	$(BIN)/brainscan train --profile cpu --data "$(DATA)" -o "$(RUN)"

data-given:
	@test -n "$(DATA)" || { \
	  echo "error: no data. hint: make train-local DATA=PATH (brainscan train --help says what a corpus is)," \
	       "or DATA=simulation" >&2; exit 2; }

bench: $(VENV)/.full ## measure: make bench [BENCHMARKS=benchmarks/kernels.py]
	@set -e; for script in $(BENCHMARKS); do echo; echo "== $$script"; $(BIN)/python $$script; done

clean: ## remove outputs and caches
	rm -rf $(OUT) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .grimp_cache
	find brainscan models training tests benchmarks examples -name __pycache__ -type d -prune -exec rm -rf {} +

distclean: clean ## as clean, and .venv
	rm -rf $(VENV)
